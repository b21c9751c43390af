import Coulomb
import Experiments
import Kernels

/// All limits of Coulomb gases.
package enum CoulombLimits {
  package static let all: [LimitEntry<CoulombModel>] = [cumulants, rate]

  private static func droplet(_ p: Parameters, _ gas: GasSettings) throws -> Droplet {
    guard gas.inverseTemperature > 0 else {
      throw p.invalid("equation", "needs an inverse_temperature above 0: without interaction there is no droplet")
    }
    guard let found = gas.droplet else { throw p.invalid("equation", Droplet.why) }
    return found
  }

  /// What is left out is of order 1/N relative to the value: entropy is one in N; in three dimensions the energy of neighbours is one in $N^{2/3}$. As every cumulant falls by a power of N of its
  /// own, no order of the differences is promised.
  private static func model(
    _ gas: GasSettings, _ found: (schema: Schema, statistics: [PredictedStatistic]), withheld: String?
  ) -> LimitModel {
    LimitModel(
      .known(ReferenceValues(schema: found.schema, statistics: found.statistics, withheld: withheld)),
      offset: "an offset of order \(gas.dimension == 3 ? "N^(-2/3)" : "1/N") relative to the value is expected")
  }

  static let cumulants = LimitEntry<CoulombModel>(
    name: "droplet-cumulants",
    summary: "cumulants of L to leading order in N, of smooth f; withheld where f has a cusp",
    equation: "kappa_q = (-1)^q N^{2-q} beta^{1-q} [(1/A') d/dr]^{q-3} (f'^2 r^{d-1}/A') at R, A = (r^{1-d} - V')/f'",
    reference: "arXiv:2310.16420", parameters: []
  ) { p, model in
    let gas = model.gas
    guard gas.tilt == nil else {
      throw p.invalid("equation", "is for a job without tilt; large-deviation is for one with it")
    }
    let values = try droplet(p, gas).cumulants(gas.statistic, number: gas.number, beta: gas.inverseTemperature)
    let (names, scaled) = (
      [GasSettings.meanName] + Cumulants.names.dropFirst(), [values[0] / Double(gas.number)] + values.dropFirst()
    )
    return CoulombLimits.model(
      gas, Cumulants.predictions(scaled, of: gas.subject, on: model.axis, names: names), withheld: gas.roughness)
  }

  static let rate = LimitEntry<CoulombModel>(
    name: "large-deviation", summary: "the rate Psi of L = N l as N grows, by the Legendre transform over droplets",
    equation: "Psi = F(e) - e l, F' = G, G(e) = int rho_e f = l, rho_e the droplet of V + e f",
    reference: "arXiv:2310.16420", parameters: []
  ) { p, model in
    let gas = model.gas
    guard let tilt = gas.tilt else { throw p.invalid("equation", "needs coulomb.tilt") }
    _ = try droplet(p, gas)
    func mean(_ e: Double) throws -> Double {
      guard let own = Droplet(dimension: gas.dimension, gas.terms(tilt: e)) else {
        throw p.invalid("equation", Droplet.why)
      }
      return own.mean(gas.statistic)
    }
    var free = 0.0
    for (x, weight) in GaussLegendre.nodes { free += 0.5 * tilt * weight * (try mean(0.5 * tilt * (1 + x))) }
    return CoulombLimits.model(gas, model.rateStatistics(l: try mean(tilt), free: free), withheld: nil)
  }
}
