import Experiments
import Kernels
import Limits
import Regression
import Testing

/// Printed values of the references, and the references against each other.
@Suite struct EigenframeworkTests {
  private let spectrum = PowerLaw(decay: 1.5, teacher: 1.8, modes: 500).spectrum

  @Test(
    arguments: [
      (50.0, 50.0 as Double?, 0.96070), (50, 100, 0.47149), (50, nil, 0.27351), (100, 50, 0.46089),
    ] as [(Double, Double?, Double)])
  func printedErrors(n: Double, k: Double?, test: Double) {
    let risk = Eigenframework(spectrum, samples: n, features: k, noise: 0.1).risk(ridge: 0.01)
    #expect((risk.test - test).magnitude < 5.1e-6)
    if k == 50, n == 50 { #expect((risk.train - 0.01938).magnitude < 5.1e-6) }
  }

  /// gamma solves its equation, and many features are infinitely many.
  @Test func solvesItsEquation() {
    for (n, k, ridge) in [(50.0, 80.0, 0.01), (50, 20, 0.3), (200, 100, 1e-4), (30, 31, 0)] {
      let risk = Eigenframework(spectrum, samples: n, features: k, noise: 0.1).risk(ridge: ridge)
      let z = spectrum.blocks.reduce(0) { $0 + $1.eigenvalue / ($1.eigenvalue + risk.gamma) }
      let kappa = risk.gamma * (k - z) / k
      #expect((z + ridge / kappa - n).magnitude < 1e-8 * n || ridge == 0 && (z - min(n, k)).magnitude < 1e-8 * n)
    }
    let many = Eigenframework(spectrum, samples: 50, features: 1e12, noise: 0.1).risk(ridge: 0.01)
    let all = Eigenframework(spectrum, samples: 50, features: nil, noise: 0.1).risk(ridge: 0.01)
    #expect((many.test / all.test - 1).magnitude < 1e-9)
  }

  /// More is better: at the best ridge every example and every feature lowers the error; at a fixed one they need not.
  @Test func moreIsBetterAtTheBestRidge() {
    func risk(_ n: Double, _ k: Double) -> Eigenframework {
      Eigenframework(spectrum, samples: n, features: k, noise: 0.1)
    }
    let numbers = [10.0, 20, 40, 49, 50, 51, 60, 100, 400, 1e6]
    for fixed in [20.0, 50, 200] {
      for (fewer, more) in zip(numbers, numbers.dropFirst()) {
        #expect(risk(fixed, more).best().test < risk(fixed, fewer).best().test)
        #expect(risk(more, fixed).best().test < risk(fewer, fixed).best().test)
      }
    }
    #expect(risk(50, 50).risk(ridge: 1e-4).test > 1.5 * risk(50, 30).risk(ridge: 1e-4).test)
  }

  /// n = 100, 1000, 10^4 with blocks to 10^18 modes, and the limit.
  @Test(
    arguments: [
      (2.0, 1.5, 0.0, [0.11223, 0.11122, 0.11112], 1.0 / 9), (2, 1.5, 1, [0.40199, 0.39916, 0.39888], 0.39885),
      (1.5, 1.8, 1, [0.04439, 0.04444, 0.04445], 0.04445),
    ] as [(Double, Double, Double, [Double], Double)])
  func printedFittingRatios(a: Double, b: Double, s: Double, printed: [Double], limit: Double) {
    #expect((Eigenframework.fittingRatio(decay: a, teacher: b, relativeNoise: s) - limit).magnitude < 5.1e-6)
    for (n, ratio) in zip([100.0, 1000, 10_000], printed) {
      let best = Self.best(a, b, s, n, modes: 1e18, single: 4096, perDecade: 200)
      #expect((best.train / best.test - ratio).magnitude < 5.1e-6, "n = \(n): \(best.train / best.test)")
      // Blocks of the default width change nothing that is printed here.
      let coarse = Self.best(a, b, s, n, modes: 1e18, single: n > 1000 ? 4096 : 1000, perDecade: 16)
      #expect((coarse.train / coarse.test - ratio).magnitude < 1e-4)
    }
  }

  @Test func fittingIsObligatoryAtLittleNoise() {
    #expect(Eigenframework.fittingRatio(decay: 1.5, teacher: 1.8, relativeNoise: 0.1) == 0)
    // At s = (b - a)/(a (a - 1)) and beyond.
    #expect(Eigenframework.fittingRatio(decay: 1.5, teacher: 1.8, relativeNoise: 0.4) < 1e-12)
    #expect(Eigenframework.fittingRatio(decay: 1.5, teacher: 1.8, relativeNoise: 0.41) > 0)
    #expect(Self.best(1.5, 1.8, 0.1, 1000, modes: 1e18, single: 4096, perDecade: 16).ridge == 0)
  }

  /// The trap: 2x10^5 modes are no power law.
  @Test func truncatedPowerLawMisleads() {
    let truncated = Self.best(2, 1.5, 0, 1000, modes: 2e5, single: 4096, perDecade: 64)
    #expect((truncated.train / truncated.test - 0.0951).magnitude < 5.1e-5)
    #expect(
      truncated.train / truncated.test < 0.9 * Eigenframework.fittingRatio(decay: 2, teacher: 1.5, relativeNoise: 0))
  }

  private static func best(
    _ a: Double, _ b: Double, _ s: Double, _ n: Double, modes: Double, single: Int, perDecade: Int
  ) -> Eigenframework.Risk {
    let spectrum = PowerLaw(decay: a, teacher: b, modes: modes, single: single, perDecade: perDecade).spectrum
    let clean = Eigenframework(spectrum, samples: n, features: nil, noise: 0)
    return Eigenframework(spectrum, samples: n, features: nil, noise: s * clean.risk(ridge: 0).test).best()
  }

  /// $L(m, \infty) = \pi^2 m/(2 m + 1)^2$ at a = 2 and infinitely many modes, its asymptote, and the printed values at 400 modes.
  @Test func resolutionLimits() {
    let law = PowerLaw(decay: 2, teacher: nil, modes: 1e18, single: 4096, perDecade: 32).spectrum
    for (m, printed, asymptote) in [(16.0, 0.145008, 0.154213), (64, 0.0379577, 0.038553), (256, 0.00960075, 0.009638)]
    {
      let exact = Double.pi * .pi * m / ((2 * m + 1) * (2 * m + 1))
      #expect((exact / printed - 1).magnitude < 4e-6)
      let found = Eigenframework(law, samples: m, features: nil, noise: 0).risk(ridge: 0).test
      #expect((found / exact - 1).magnitude < 1e-6, "m = \(m): \(found / exact - 1)")
      #expect((Eigenframework.resolutionLimit(decay: 2, count: m) / asymptote - 1).magnitude < 6e-5)
    }
    let short = PowerLaw(decay: 2, teacher: nil, modes: 400).spectrum
    for (n, k, printed) in [(16.0, 64.0 as Double?, 0.18683), (64, 16, 0.18683), (16, nil, 0.14012)] {
      let found = Eigenframework(short, samples: n, features: k, noise: 0).risk(ridge: 0).test
      #expect((found - printed).magnitude < 5.1e-6)
    }
  }

  /// Sums over blocks are those over modes, up to the second correction of Euler and Maclaurin: 1.3e-8 of the first block at a = 5 and 100 single modes, and as (a/i)^4.
  @Test func blocksHaveTheSumsOfTheirModes() {
    for a in [1.0, 1.2, 2, 5] {
      let law = PowerLaw(decay: a, teacher: 1.7, modes: 30_000, single: 100, perDecade: 8).spectrum
      var first = 1
      for block in law.blocks {
        let range = first..<first + Int(block.count)
        let sums = range.reduce((0.0, 0.0)) { sums, i in
          let x = Elementary.log(Double(i))
          return (sums.0 + Elementary.exp(-a * x), sums.1 + Elementary.exp(-1.7 * x))
        }
        #expect((block.count * block.eigenvalue / sums.0 - 1).magnitude < 2e-8)
        #expect((block.teacher / sums.1 - 1).magnitude < 1e-9)
        first = range.upperBound
      }
      #expect(first == 30_001)
    }
    let whole = PowerLaw(decay: 2, teacher: 2, modes: 1e18).spectrum
    #expect((whole.trace / (Double.pi * .pi / 6) - 1).magnitude < 1e-12)
    #expect(whole.modes == 1e18)
  }

  @Test(
    arguments: [
      (1.0, 1e-4, 0.86102), (50, 1e-8, 0.32092), (200, 1e-4, 0.44888), (200, 1e-8, 0.01818), (1, 1e-8, 0.72958),
    ] as [(Double, Double, Double)])
  func bandlimitedLimit(band: Double, ridge: Double, printed: Double) {
    let problem = BandlimitedRegression(neurons: 1, band: band, ridges: [ridge]) { x in
      func bump(_ scale: Double, _ place: Double) -> Double {
        Elementary.exp(-(scale * x - place) * (scale * x - place))
      }
      return 0.2 * bump(10, 4) + 0.5 * bump(80, 40) + 0.3 * bump(80, 20)
    }
    let found = BandlimitedKernel(problem).errors(ridge: ridge).error
    #expect((found - printed).magnitude < 5.1e-6, "\(found)")
  }
}
