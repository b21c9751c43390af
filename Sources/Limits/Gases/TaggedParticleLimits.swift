import Experiments
import Gases
import Kernels

/// What a tagged particle comes to, compared with the last record.
enum TaggedParticleLimits {
  static let all = [stationary, equilibrium, drift]

  private static let name = "system = \"tagged-particle\""

  static let stationary = LimitEntry.of(
    TaggedParticle.self, named: name, "sheared-stationary",
    summary: "the stationary moments of Maxwell molecules in a shear below K_2; no randomness",
    equation:
      "0 = -LS - SL^T + C[(mu_a^2 - 1)S + mu_b^2 (2 theta + tr S/3) I], and the same of degree four below K_4",
    reference: "arXiv:2506.15449; docs/tagged-particle.md"
  ) { p, particle in
    guard let known = particle.stationary else {
      throw p.invalid(
        "equation",
        "needs gamma = 0, moments = true and a flow with L_0^2 = 0, L_0 not 0, below K_2 = \(TaggedShear(particle.law).critical)"
      )
    }
    return LimitModel(.known(particle.reference(known)), offset: "the start is forgotten exponentially in time")
  }

  static let equilibrium = LimitEntry.of(
    TaggedParticle.self, named: name, "tagged-equilibrium",
    summary: "the equilibrium of a particle in a gas at rest; no randomness",
    equation:
      "w ~ N(0, theta m_b/m_a I), collisions at rate C (2 theta/mu_a)^(gamma/2) Gamma((3 + gamma)/2)/Gamma(3/2)",
    reference: "docs/tagged-particle.md"
  ) { p, particle in
    guard particle.deformation.start == .diagonal(0) else {
      throw p.invalid("equation", "needs a gas at rest: shear = 0, dilation = 0")
    }
    return LimitModel(
      .known(particle.reference(particle.equilibrium(particle.times.count - 1))),
      offset: "the start is forgotten exponentially in time")
  }

  static let drift = LimitEntry.of(
    TaggedParticle.self, named: name, "shear-drift",
    summary: "how fast a shear carries a particle away for gamma < 0; heuristic, so nothing is concluded",
    equation: "log |w|/log t -> 1 - 1/log(1 - |gamma|) as a mean over log log t, within [1/|gamma|, 1 + 1/|gamma|]",
    reference: "docs/tagged-particle.md"
  ) { p, particle in
    guard let exponent = particle.driftExponent else {
      throw p.invalid("equation", "needs gamma below 0, a flow with L_0^2 = 0, L_0 not 0, and times of at least 2")
    }
    let schema = particle.schema
    let known = particle.predicted([
      KnownStatistic(.mean, of: "drift", record: particle.times.count - 1, exponent)
    ])
    return LimitModel(
      .known(
        ReferenceValues(
          schema: schema, statistics: known,
          withheld: "the exponent is heuristic, a mean over log log t that holds as log t grows")),
      offset: "an offset of order 1/log t is expected")
  }
}
