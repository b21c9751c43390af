import Experiments
import KernelMachines

/// All limits of deep kernel machines, as N grows.
package enum KernelMachineLimits {
  package static let all: [LimitEntry<KernelMachineModel>] = [objective, prior]

  private static let remainder = [Remainder("width", order: 1)]
  private static let offset = "an offset of order 1/N is expected"

  static let objective = LimitEntry<KernelMachineModel>(
    name: "objective-maximum",
    summary:
      "the Gram matrices that maximise the objective of a deep kernel machine; the norm of its gradient there is the certificate",
    equation:
      "max over G_1 ... G_L of -(nu/2) [log det C + tr C^-1 Yh] - sum_l (1/2) [tr S_l - log det S_l - P], S_l = k(G_{l-1})^-1 G_l",
    reference: "arXiv:2108.13097",
    parameters: [
      Parameter(
        "inducing", .integer(1...64), optional: true,
        "m: only the first m points are free in every layer, and the others follow them by the conditional mean of the prior; all unless given"
      )
    ]
  ) { p, model in
    guard !model.isPrior else {
      throw p.invalid("equation", "is of the posterior; draws of the prior are compared with prior-kernel")
    }
    let inducing = p["inducing"].map { _ in p.integer("inducing") }
    let points = model.settings.points
    guard inducing.map({ $0 <= points }) ?? true else {
      throw p.invalid("inducing", "must be at most the number of points, \(points); the nearest is \(points)")
    }
    let found = Optimum(model.settings, inducing: inducing)
    guard found.gradient <= Optimum.tolerance else {
      throw p.invalid(
        "equation",
        "found no stationary point: after \(found.iterations) steps the largest derivative is \(found.gradient), and \(Optimum.tolerance) is allowed; more noise would help"
      )
    }
    return LimitModel(
      .known(
        model.reference(
          grams: found.grams, complexities: found.complexities, fit: found.fit, evidence: found.objective,
          remainder: inducing == nil ? remainder : [])),
      offset: inducing == nil
        ? offset : "what \(points - (inducing ?? 0)) points add that are not inducing is left out",
      attributes: [
        "objective": "\(found.objective)", "gradient": "\(found.gradient)", "iterations": "\(found.iterations)",
      ])
  }

  static let prior = LimitEntry<KernelMachineModel>(
    name: "prior-kernel",
    summary:
      "the kernels k(...k(K_0)) of the prior; the posterior with a fixed number of outputs tends to them as well",
    equation: "G_l = k(G_{l-1}), G_0 = K_0", reference: "arXiv:2108.13097", parameters: []
  ) { p, model in
    let settings = model.settings
    let grams = settings.priorLimit.map { g in
      (0..<settings.points).flatMap { a in (0...a).map { g[a * settings.points + $0] } }
    }
    return LimitModel(
      .known(
        model.reference(
          grams: grams, complexities: Array(repeating: 0, count: settings.depth), fit: nil, remainder: remainder)),
      offset: offset)
  }
}
