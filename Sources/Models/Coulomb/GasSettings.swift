import Experiments
import Kernels

/// The law of a gas and what is asked of it: exp(-beta [N sum (V + e f)(|x_i|) + sum w(x_i - x_j)]).
package struct GasSettings: Sendable {
  package let dimension, number: Int
  /// beta; 0 for independent points with the law exp(-N V).
  package let inverseTemperature: Double
  package let confinement, statistic: RadialFunction
  /// e; nil where cumulants are asked for.
  package let tilt: Double?
  /// The droplet without tilt; nil where the points fill no ball.
  package let droplet: Droplet?
  let cumulants: Cumulants

  init(
    dimension: Int, number: Int, inverseTemperature: Double, confinement: RadialFunction, statistic: RadialFunction,
    tilt: Double?, highest: Int = 4
  ) {
    (self.dimension, self.number, self.inverseTemperature) = (dimension, number, inverseTemperature)
    (self.confinement, self.statistic, self.tilt) = (confinement, statistic, tilt)
    droplet = Droplet(dimension: dimension, [(confinement, 1)])
    let independent = inverseTemperature == 0 ? IndependentPoints(dimension, number, confinement) : nil
    let mean =
      independent?.cumulants(statistic)[0] ?? droplet.map { Double(number) * $0.mean(statistic) }
      ?? Double(number) * statistic(1)
    cumulants = Cumulants(about: mean.isFinite ? mean : 0, highest: highest)
  }

  package var subject: Observable {
    Observable(
      "l", "L/N, mean of f(|x_i|) over the points, f = \(statistic.text)\(tilt == nil ? "" : ", under the tilt")")
  }

  /// kappa_1/N, which has a limit as N grows, with the cumulants.
  package static let meanName = "mean_per_point"

  func estimands(records: Int, controls: [String] = []) -> [Estimand] {
    let n = Double(number)
    return cumulants.estimands(records: records, controls: controls) + [
      Estimand(
        Self.meanName, "power_1/\(number)", offsets: Array(repeating: cumulants.centre / n, count: records),
        controls: controls, isRelative: true, "kappa_1/N")
    ]
  }

  /// What U is divided by to give the energy.
  var temperatureFactor: Double { inverseTemperature > 0 ? inverseTemperature : 1 }

  /// Why the formulas of the droplet do not hold for this statistic; nil where they do.
  package var roughness: String? {
    guard statistic.isSmoothAtOrigin else {
      return
        "f = \(statistic.text) is not smooth at 0, where the formulas need it to be: a cusp adds terms of the same order to the higher cumulants"
    }
    // Where V = r^a is flat, points near 0 are N^{-1/a} apart and add N^{-qp/a} to kappa_q; the formula is N^{2-q}.
    if let p = statistic.power, let a = confinement.power, a > 2,
      Double(cumulants.highest) * p <= a * Double(cumulants.highest - 2)
    {
      return
        "f = \(statistic.text) does not vanish fast enough at 0, where V = \(confinement.text) is flat: points there add a term of the order of kappa_\(cumulants.highest)"
    }
    if let kink = statistic.kink(upTo: 2 * (droplet?.radius ?? 1)) {
      return "f = \(statistic.text) is not smooth at r = \(kink), where the formulas need it to be"
    }
    return nil
  }

  /// In the plane the pairs' share of the virial is a number: with f = r^2 the controls would give the exact cumulants whatever the chain does, and nothing would be measured. A statistic with a
  /// cusp has no Laplacian there.
  var hasControls: Bool {
    roughness == nil && inverseTemperature > 0 && !(dimension == 2 && statistic.power == 2 && confinement.power == 2)
  }

  // MARK: Tilts

  /// Gauss-Legendre nodes of 0 … e, then e; 0 without tilt.
  var tilts: [Double] { tilt.map { e in GaussLegendre.nodes.map { 0.5 * e * (1 + $0.x) } + [e] } ?? [0] }
  var weights: [Double] { tilt.map { e in GaussLegendre.nodes.map { 0.5 * e * $0.weight } } ?? [] }

  /// The terms of V + e f.
  package func terms(tilt: Double) -> [(RadialFunction, Double)] {
    [(confinement, 1)] + (tilt == 0 ? [] : [(statistic, tilt)])
  }

  func makeGas(tilt: Double) -> Gas {
    let scale = temperatureFactor * Double(number)
    return Gas(
      dimension: dimension, number: number, field: terms(tilt: tilt).map { ($0.0, scale * $0.1) },
      coupling: inverseTemperature)
  }

  /// The unit of step sizes: the inverse root of beta N.
  var unit: Double { 1 / (temperatureFactor * Double(number)).squareRoot() }
}
