import Experiments
import Kernels

/// Ridge regression with Gaussian features in the eigenbasis of their covariance, on n examples with k random features or the kernel of infinitely many (arXiv:2311.14646).
///
/// `ReducedRegression` has the model and the law of its draws, `PlainRegression` all of it.
package struct EigenbasisRegression: RegressionProblem {
  package let samples: Int
  /// k; nil for infinitely many.
  package let features: Int?
  package let spectrum: Spectrum
  /// Whether every draw has a teacher of its own, v ~ N(0, Lambda).
  package let drawsTeacher: Bool
  /// Variance of the noise of targets; it is a part of the test error.
  package let noise: Double
  package let ridges: [Double]
  package let isReduced: Bool
  /// The power law that the spectrum is, if it is one.
  package let powerLaw: PowerLaw?
  package let relativeNoise: Double?
  /// Whether spectrum and teacher grow with the samples, so that corrections are of order 1/n.
  package let isScaled: Bool

  let deviation: Double

  package init(
    samples: Int, features: Int?, spectrum: Spectrum, drawsTeacher: Bool = false, noise: Double, ridges: [Double],
    isReduced: Bool = true, powerLaw: PowerLaw? = nil, relativeNoise: Double? = nil, isScaled: Bool = false
  ) {
    (self.samples, self.features, self.spectrum, self.drawsTeacher) = (samples, features, spectrum, drawsTeacher)
    (self.noise, self.ridges, self.isReduced) = (noise, ridges, isReduced)
    (self.powerLaw, self.relativeNoise, self.isScaled) = (powerLaw, relativeNoise, isScaled)
    deviation = noise.squareRoot()
  }

  package var framework: Eigenframework {
    Eigenframework(spectrum, samples: Double(samples), features: features.map(Double.init), noise: noise)
  }

  /// Directions that are fitted at ridge 0.
  private var rank: Double { min(features.map(Double.init) ?? .infinity, spectrum.modes) }

  /// Whether the mean of the test error is infinite at ridge 0: inverse Wishart matrices have a mean from two degrees of freedom beyond their size on.
  package var hasInfiniteMean: Bool { ridges[0] == 0 && (rank - Double(samples)).magnitude <= 1 }
  /// Whether its variance is.
  private var isHeavyTailed: Bool { ridges[0] == 0 && (rank - Double(samples)).magnitude <= 3 }

  package var observables: [Observable] {
    [
      Observable(
        "test", role: isHeavyTailed ? .heavyTailed : .quantity,
        "|w - v|^2 + sigma^2: mean square error on an example that was not seen, with its noise"),
      Observable("train", "mean square of y - P b on the examples"),
      Observable("log_test", role: .logarithm, "logarithm of test"),
    ]
  }

  package func experiment(_ schema: Schema) -> RegressionExperiment {
    isReduced
      ? RegressionExperiment(ReducedRegression(problem: self, schema: schema))
      : RegressionExperiment(PlainRegression(problem: self, schema: schema))
  }
}

extension EigenbasisRegression {
  /// Most numbers of a draw: 1 GiB.
  private static let mostNumbers = Double(1 << 27)
  /// Examples: a row of normals is made at once.
  private static let mostSamples: Int64 = 4096

  static let entry = RegressionEntry(
    name: "eigenbasis",
    summary: "Gaussian features in the eigenbasis of their covariance, a number of random ones or the kernel itself",
    equation:
      "y = X v + sigma e, F = Lambda^1/2 G/sqrt(k), P = X F, b = (P^T P + ridge)^-1 P^T y, test = |F b - v|^2 + sigma^2, train = |y - P b|^2/n",
    reference: "arXiv:2311.14646; docs/regression.md", ridge: "P^T P + delta, not divided by n", hasBestRidge: true,
    parameters: [
      Parameter(
        "samples", .integer(1...mostSamples),
        small: .init(.inverse, "n", companions: ["draws", "spectrum.modes"], ratios: ["features"]),
        "n, examples"),
      Parameter(
        "features", .integer(1...1_000_000_000_000), optional: true,
        "k, random features; infinitely many, the kernel, unless given"),
      Parameter("spectrum", .structured(SpectrumChoice.words), "lambda"),
      Parameter("teacher", .structured(TeacherChoice.words), "v; random: each draw has its own, N(0, Lambda)"),
      Parameter(
        "noise_variance", .structured(noiseWords), default: .real(0),
        "sigma^2; relative: in units of the test error of the eigenframework without noise and ridge"),
      Parameter(
        "sampler", .choice(["reduced", "weights"]), default: .text("reduced"),
        "reduced: Bartlett's factors for features and blocks of modes, the mean over what examples do not see of the features; weights: every mode and every feature"
      ),
    ]
  ) { p, settings, source in
    let (samples, features) = (p.integer("samples"), p["features"].map { _ in p.integer("features") })
    let kind = try SpectrumChoice.read(p["spectrum"], path: "\(p.path).spectrum", samples: samples, source)
    let (spectrum, isDrawn) = try TeacherChoice.read(p["teacher"], path: "\(p.path).teacher", kind)
    guard spectrum.blocks.allSatisfy({ $0.eigenvalue > 0 }) else {
      throw p.invalid("spectrum", "has eigenvalues below the range of numbers: a smaller decay, or fewer modes")
    }
    guard spectrum.teacher > 0 else { throw p.invalid("teacher", "must not be zero: nothing is learned") }
    let clean = Eigenframework(
      spectrum, samples: Double(samples), features: features.map(Double.init), noise: 0)
    let (noise, relative) = try noise(p, clean)
    let framework = Eigenframework(
      spectrum, samples: Double(samples), features: features.map(Double.init), noise: noise)
    var ridges = settings.ridges
    if settings.isRelative {
      let best = framework.best().ridge
      guard best > 0 else {
        throw p.invalid("ridges", "cannot be relative to the best ridge, which is 0 here: fitting the targets is best")
      }
      ridges = ridges.map { $0 * best }
    }
    var isReduced = p.text("sampler") == "reduced"
    if isReduced, Double(samples) >= spectrum.modes {
      Notes.add(
        "\(p.path).samples = \(samples) are not fewer than the \(Int(spectrum.modes)) modes, where the reduced law does not hold: every mode and every feature is drawn"
      )
      isReduced = false
    }
    var power: PowerLaw?
    if case .power(let law) = kind {
      power = PowerLaw(
        decay: law.decay, teacher: p["teacher"]?["decay"]?.number, modes: law.modes, single: law.single,
        perDecade: law.perDecade)
    }
    var isScaled = false
    if case .scaled = kind { isScaled = !isDrawn }
    let problem = EigenbasisRegression(
      samples: samples, features: features, spectrum: spectrum, drawsTeacher: isDrawn, noise: noise, ridges: ridges,
      isReduced: isReduced, powerLaw: power, relativeNoise: relative, isScaled: isScaled)
    try problem.check(p, settings)
    var made = RegressionEntry.Made(problem: problem)
    made.attributes = [
      "sampler": isReduced ? "reduced" : "weights", "noise_variance": "\(noise)", "modes": "\(spectrum.modes)",
      "ridges": ridges.map(\.description).joined(separator: ", "),
    ]
    if case .data(_, _, let fingerprint) = kind { made.data = ["spectrum.data = \(fingerprint)"] }
    return made
  }

  private static let noiseWords = "a finite number of at least 0, or { relative = 1.0 }"

  private static func noise(_ p: Parameters, _ clean: Eigenframework) throws -> (Double, relative: Double?) {
    if case .table? = p["noise_variance"] {
      let own = try Parameters(
        p["noise_variance"], path: "\(p.path).noise_variance",
        allowed: [Parameter("relative", .real(.init(0, .infinity, openAbove: true)), "s")])
      let s = own.real("relative")
      let unit = clean.risk(ridge: 0).test
      guard unit.isFinite, unit > 0 else {
        throw own.invalid("relative", "has no unit: the test error without noise and ridge is \(unit)")
      }
      return (s * unit, s)
    }
    guard let found = p["noise_variance"]?.number, found >= 0, found.isFinite else {
      throw p.invalid("noise_variance", "must be \(noiseWords)")
    }
    return (found, nil)
  }

  private func check(_ p: Parameters, _ settings: RegressionSettings) throws {
    if !isReduced {
      let size = PlainRegression.size(self)
      guard size <= Self.mostNumbers else {
        throw p.invalid(
          p.text("sampler") == "weights" ? "sampler" : "samples",
          "makes a draw of \(Float(size)) numbers, of which at most \(Int(Self.mostNumbers)) are kept: sampler = \"reduced\" with fewer samples than modes fits"
        )
      }
    }
    if ridges[0] == 0, rank < Double(samples), let features, !isReduced, Double(features) > spectrum.modes {
      throw p.invalid(
        "ridges", "must be above 0 where there are more features than modes and more samples than modes")
    }
    if ridges[0] == 0, features == nil || Double(features!) > spectrum.modes, spectrum.modes < Double(samples),
      !isReduced, features != nil
    {
      throw p.invalid("ridges", "must be above 0: P^T P has a rank of \(Int(spectrum.modes)) at most")
    }
    guard !hasInfiniteMean || !settings.measured.contains("test") else {
      throw p.invalid(
        "observables",
        "has test, whose mean is infinite at ridge 0 with \(samples) samples and \(Int(rank)) \(features == nil ? "modes" : "features"); ask for [\"log_test\", \"train\"], whose means and quantiles are finite, or for ridges above 0"
      )
    }
  }
}
