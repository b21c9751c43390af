import Experiments
import Particles

extension ParticleLimits {
  /// Means in the law exp(-beta H) as N grows and h vanishes, as far as the system knows them.
  static let stationaryLimit = LimitEntry<ParticleModel>(
    name: "stationary-limit", summary: "means in the stationary law, N -> infinity and h -> 0",
    equation: "exp(-beta H), N -> infinity, h -> 0", reference: "docs/particles.md", parameters: []
  ) { p, model in
    guard model.settings.schedule.warmUp > 0 else {
      throw p.invalid("equation", "needs a run with warm_up > 0: without it nothing stationary is measured")
    }
    var means = model.stationary.means
    if let modes = model.system.modes { means.merge(modes.limit(model.settings)) { $1 } }
    means["residual"] = 0
    if model.method.hasVelocities { means["v^2"] = 1 / model.settings.inverseTemperature }
    var remainder: [Remainder] = []
    var offsets: [String] = []
    if model.interacts {
      remainder.append(Remainder("number", order: 1))
      offsets.append("1/N")
    }
    if let order = model.order {
      remainder.append(Remainder("step", order: Double(order)))
      offsets.append(order == 1 ? "h" : "h^\(order)")
    }
    guard let values = model.values(means, remainder: remainder) else {
      throw Failure(.bug, "a particle system without a certificate")
    }
    var attributes: [String: String] = [:]
    if !model.stationary.equation.isEmpty { attributes["equation"] = model.stationary.equation }
    if !model.stationary.reference.isEmpty { attributes["reference"] = model.stationary.reference }
    return LimitModel(
      .known(values),
      offset: offsets.isEmpty ? "" : "an offset of order " + offsets.joined(separator: " + ") + " is expected",
      attributes: attributes)
  }
}
