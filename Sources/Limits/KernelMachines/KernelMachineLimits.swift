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
    reference: "arXiv:2108.13097", parameters: []
  ) { p, model in
    guard !model.isPrior else {
      throw p.invalid("equation", "is of the posterior; draws of the prior are compared with prior-kernel")
    }
    let found = Optimum(model.settings)
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
          remainder: remainder)),
      offset: offset,
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
