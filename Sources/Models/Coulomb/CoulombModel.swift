import Experiments
import Statistics

/// A job of a Coulomb gas, read: what limits and legs are made from.
package struct CoulombModel: Sendable {
  package let gas: GasSettings
  package let experiment: Experiment
  let attributes: [String: String]

  init(_ p: Parameters, _ entry: SamplerEntry) throws {
    let confinement = try RadialFunction(p, "confinement", range: CoulombFamily.powers) { 1 / $0 }
    let statistic = try RadialFunction(p, "statistic", range: CoulombFamily.powers) { _ in 1 }
    let tilt = p["tilt"].map { _ in p.real("tilt") }
    gas = GasSettings(
      dimension: p.integer("dimension"), number: p.integer("number"),
      inverseTemperature: p.real("inverse_temperature"), confinement: confinement, statistic: statistic, tilt: tilt,
      highest: p.integer("cumulants"))
    for r in [0x1p6, 0x1p10] where !(confinement(2 * r) > confinement(r)) {
      throw p.invalid(
        "confinement",
        "must grow, or the points leave: V(\(2 * r)) = \(confinement(2 * r)), V(\(r)) = \(confinement(r))")
    }
    if tilt != nil {
      guard gas.inverseTemperature > 0 else { throw p.invalid("tilt", "needs an inverse_temperature above 0") }
      for e in gas.tilts where Droplet(dimension: gas.dimension, gas.terms(tilt: e)) == nil {
        throw p.invalid("tilt", "V + e f at e = \(e): \(Droplet.why)")
      }
    }
    experiment = try entry.make(p, gas)
    var found = ["sampler": entry.name, "equation": Self.law, "reference": "arXiv:2310.16420"]
    for line in p.resolved.lines() {
      let parts = line.split(separator: " = ", maxSplits: 1)
      if parts.count == 2 { found[String(parts[0])] = String(parts[1]) }
    }
    attributes = found
  }

  private static let law = "exp(-beta [N sum V(|x_i|) + sum_{i<j} w(x_i - x_j)])"

  package var axis: Axis { experiment.schema.axis }

  /// What holds at this very N.
  var exactLeg: Leg? {
    let found: (schema: Schema, statistics: [PredictedStatistic])
    let equation: String
    if let tilt = gas.tilt {
      guard let law = ExactCumulants.gammaLaw(gas, tilt: tilt), let zero = ExactCumulants.gammaLaw(gas) else {
        return nil
      }
      // F(e) = -log E e^{-beta N e L}/(beta N^2) = shape log(rate_e/rate_0)/(beta N^2).
      let n = Double(gas.number)
      let l = law.cumulant(1) / n
      let free = zero.freeEnergy(to: law) / (gas.inverseTemperature * n * n)
      (found, equation) = (rateStatistics(l: l, free: free), "L is Gamma distributed, by scaling")
    } else {
      guard let known = ExactCumulants.known(gas) else { return nil }
      var own = Cumulants.predictions(known.values, of: gas.subject, on: axis)
      // Draws are independent, so their law is that of L/N; a replica is a mean over time.
      if experiment.replicas == nil, var law = ExactCumulants.gammaLaw(gas) {
        law.rate *= Double(gas.number)
        let (mean, deviation) = (law.cumulant(1), law.cumulant(2).squareRoot())
        let table = TabulatedLaw(
          name: "Gamma(\(law.shape), rate \(law.rate))", from: max(0, mean - 12 * deviation), to: mean + 14 * deviation,
          density: law.density)
        own.statistics.append(PredictedStatistic(.law, record: 0, observable: 0, value: .nan, law: table))
      }
      (found, equation) = (own, known.equation)
    }
    return Leg(
      name: "exact", role: .exact, content: .known(ReferenceValues(schema: found.schema, statistics: found.statistics)),
      attributes: ["equation": equation, "reference": "docs/coulomb.md"])
  }

  /// Predictions of the mean of l, F and Psi.
  package func rateStatistics(l: Double, free: Double) -> (schema: Schema, statistics: [PredictedStatistic]) {
    let observables = experiment.schema.observables.filter { ["l", "free_energy", "rate"].contains($0.name) }
    let values = [l, free, free - gas.tilt! * l]
    let statistics = axis.values.indices.flatMap { record in
      values.enumerated().map { PredictedStatistic(.mean, record: record, observable: $0.offset, value: $0.element) }
    }
    return (Schema(axis: axis, observables: observables), statistics)
  }

  var impliedLimits: [String] {
    guard gas.inverseTemperature > 0, gas.droplet != nil else { return [] }
    return [gas.tilt == nil ? "droplet-cumulants" : "large-deviation"]
  }
}
