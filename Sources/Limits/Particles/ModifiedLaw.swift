import Experiments
import Kernels
import Particles

/// The law that LMC keeps to the next order in its step size, by backward error analysis.
///
/// The step is that of the diffusion, to second order in h, of a potential moved by $-h(|U'|^2/4 - U''/(2 \beta))$: means in
///
///     exp(-beta [U - h (|U'|^2/4 - U''/(2 beta))])
///
/// are off by O(h^2), those in exp(-beta U) by O(h). Where |U'|^2 grows faster than U, as for a quartic, the moved potential falls to minus infinity: LMC has no
/// stationary law there, and what its runs look like depends on how long they are.
struct ModifiedLaw {
  let line: LinePotential
  let beta, step: Double

  private func energy(_ x: Double) -> Double {
    let slope = line.slope(x)
    return line.energy(x) - step * (0.25 * slope * slope - 0.5 * line.curvature(x) / beta)
  }

  /// How far out the law reaches on one side, where 50 units of beta H have been climbed; nil if the energy falls again farther out.
  private func reach(_ sign: Double, above least: Double) -> Double? {
    var found: Double?
    var (x, last) = (1.0 / 32, -Double.infinity)
    // Farther out no chain comes: where a quartic falls only there, h is below 1e-7.
    while x < 0x1p12 {
      let value = energy(sign * x)
      // Beyond the range of numbers, as of e^x, the difference of two infinities says nothing of where the energy goes.
      guard value.isFinite else { return nil }
      if beta * (value - least) > 50 { found = found ?? x }
      if found != nil && value < last { return nil }
      (last, x) = (value, 1.1 * x)
    }
    return found
  }

  /// nil where there is no such law.
  func means() -> [String: Double]? {
    guard let least = (-1024...1024).map({ energy(Double($0) / 64) }).filter(\.isFinite).min(),
      let left = reach(-1, above: least), let right = reach(1, above: least)
    else { return nil }
    var (mass, sums) = (0.0, [0.0, 0, 0, 0, 0])
    GaussLegendre.forEachNode(in: -left...right, breaks: [0], panel: (left + right) / 512) { x, weight in
      let share = weight * Elementary.exp(-beta * (energy(x) - least))
      mass += share
      for (k, f) in [x, x * x, x * x * x * x, line.energy(x), x * line.slope(x)].enumerated() { sums[k] += share * f }
    }
    guard mass > 0, mass.isFinite, sums.allSatisfy(\.isFinite) else { return nil }
    let mean = sums.map { $0 / mass }
    return [
      // Rounding leaves something like 1e-16 of a mean that is 0 by symmetry.
      "x": (mean[0] * 0x1p40).rounded() * 0x1p-40, "x^2": mean[1], "x^4": mean[2], "energy": mean[3],
      "residual": beta * mean[4] - 1,
    ]
  }
}

extension ParticleLimits {
  static let modifiedLaw = LimitEntry<ParticleModel>(
    name: "modified-law",
    summary:
      "means in the law that lmc keeps to order h^2, by backward error analysis; particles on a line without interaction",
    equation: "exp(-beta [U - h (|U'|^2/4 - U''/(2 beta))])", reference: "arXiv:2102.06229; docs/sgld.md",
    parameters: []
  ) { p, model in
    func refuse(_ reason: String) -> Failure { p.invalid("equation", reason) }
    guard model.method.isEulerMaruyama else { throw refuse("is the law of lmc, the Euler-Maruyama step") }
    guard model.settings.schedule.warmUp > 0 else {
      throw refuse("needs a run with warm_up > 0: without it nothing stationary is measured")
    }
    guard model.system.subsample == nil else {
      throw refuse(
        "is that of the whole gradient: a batch adds noise of its own, which the exact means of its system have")
    }
    guard let line = model.system.line else {
      throw refuse("needs a twice differentiable potential of one coordinate, without interaction")
    }
    guard line.kinks.isEmpty else {
      throw refuse("needs a smooth potential; this one has a kink at \(line.kinks[0])")
    }
    let (beta, step) = (model.settings.inverseTemperature, model.settings.step)
    guard let means = ModifiedLaw(line: line, beta: beta, step: step).means() else {
      throw refuse(
        "has no finite integral for \(line.name) with step = \(step): |U'|^2 h/4 outgrows U, and lmc has no stationary law there"
      )
    }
    guard let values = model.values(means, remainder: [Remainder("step", order: 2)]) else {
      throw Failure(.bug, "a particle system without a certificate")
    }
    return LimitModel(.known(values), offset: "an offset of order h^2 is expected")
  }
}
