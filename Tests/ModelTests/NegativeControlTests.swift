import Kernels
import Limits
import Networks
import Randomness
import Experiments
import Statistics
import Testing

/// Limits that are wrong by a sign or a constant: a comparison that cannot tell them from the right one is worth nothing.
/// Each is compared with finite networks at a tenth of the draws of its job (all of them under `make validate`): the right
/// limit is nearer in distribution by more than both confidence bands, or agrees in the second moment (|z| < 4) where the
/// wrong one does not (|z| > 5).
@Suite struct NegativeControlTests {
  func rejects(
    _ finite: Experiment, right: Experiment, wrong: Experiment, _ observable: String, draws: UInt64
  ) {
    func draw(_ e: Experiment, _ name: String) -> (histogram: BitHistogram, moments: Moments) {
      let tally = sample(e, draws, name: name)
      return (tally.histograms[index(e, observable)], tally.moments(index(e, observable)))
    }
    let (network, good, bad) = (draw(finite, "network"), draw(right, "right"), draw(wrong, "wrong"))
    func z(_ other: Moments) -> Double {
      let (a, b) = (network.moments.secondMomentError, other.secondMomentError)
      return (network.moments.secondMoment - other.secondMoment) / (a * a + b * b).squareRoot()
    }
    print("negative control \(observable): z of the second moment \(z(good.moments)) right, \(z(bad.moments)) wrong")
    if abs(z(good.moments)) < 4 && abs(z(bad.moments)) > 5 { return }
    let near = KolmogorovSmirnov(network.histogram, good.histogram)
    let far = KolmogorovSmirnov(network.histogram, bad.histogram)
    // Two bands at one false alarm in a million.
    let band = KolmogorovSmirnov.band(Int64(draws), Int64(draws), alpha: 1e-6)
    #expect(
      far.distance > near.distance + 2 * band, "\(observable): \(far.distance) against \(near.distance) +- \(band)")
  }

  /// nu with a plus between its terms.
  struct PlusDrift: CovarianceDrift {
    let strength: Double
    func move(_ lower: UnsafeMutablePointer<Double>, _ m: Int, _ h: Double, _ scratch: DiffusionScratch) {
      let norm = (lower[2] * lower[2] + lower[3] * lower[3]).squareRoot()
      let rho = lower[2] / norm
      let sine = max(1 - rho * rho, 0).squareRoot()
      let rate = strength * (sine + rho * Elementary.angle(x: rho, y: sine)) / Double.pi
      let next = min(rho + h * rate, 1)
      lower[2] = norm * next
      lower[3] = norm * max(1 - next * next, 0).squareRoot()
    }
  }

  @Test func covarianceDrift() throws {
    let model = try network(
      .table(["name": .text("shaped-relu"), "c_plus": .real(1), "c_minus": .real(-1)]), width: 150, depth: 150,
      inputs: correlated(0.3))
    func sde<D: CovarianceDrift>(_ drift: D) -> Experiment {
      Experiment(CovarianceDiffusion(drift, settings: model.settings, step: 0.01))
    }
    let draws: UInt64 = validating ? 200_000 : 20_000
    let right = sde(ShapedReluDrift(strength: 2))
    rejects(model.experiment, right: right, wrong: sde(PlusDrift(strength: 2)), "rho[0,1]", draws: draws)
    // (c_plus + c_minus)^2 / 2 = 0.
    rejects(
      model.experiment, right: right, wrong: sde(ShapedReluDrift(strength: 0)), "rho[0,1]", draws: draws)
  }

  @Test func singularDrift() throws {
    let n = 400
    let q = 4.5 * Double.pi * Double.pi
    let model = try network(
      .text("relu"), width: n, depth: n, inputs: .table(["q": .real(q), "layer": .integer(Int64(n / 4))]),
      extra: ["observables": .list([.text("q")])])
    func sde(_ growth: Double) -> Experiment {
      Experiment(UnshapedQ(settings: model.settings, start: q, step: 0.01, functional: true, growth: growth))
    }
    rejects(
      model.experiment, right: sde(2), wrong: sde(-2), "q[0,1]", draws: validating ? 100_000 : 10_000)
  }

  @Test func transformerNoise() throws {
    let model = try NetworkCatalog.read(
      .table([
        "architecture": .text("transformer"), "gamma": .real(0.7), "tau": .real(1), "width": .integer(200),
        "depth": .integer(120), "inputs": correlated(0.5), "bound": .real(20), "draws": .integer(10),
        "observables": .list([.text("rho"), .text("log_V")]),
      ]), path: "network", data: NoData())
    func sde(_ noise: Double) -> Experiment {
      Experiment(
        CovarianceDiffusion(
          TransformerDrift(attention: 0.49, noiseScale: noise, block: 0), settings: model.settings, noise: 0.49 * 1.51,
          step: 0.01))
    }
    // Noise that is absent is three times as hard to tell as noise of twice the size: its effect goes with the square.
    let (wrong, draws): (Double, UInt64) = validating ? (0, 1_000_000) : (0.49, 50_000)
    rejects(model.experiment, right: sde(0.49 / 2), wrong: sde(wrong), "rho[0,1]", draws: draws)
  }
}
