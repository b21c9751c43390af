import Experiments
import Signatures

/// What controlled networks tend to.
package enum SignatureLimits {
  package static let all: [LimitEntry<SignatureModel>] = [recursion, differential]

  static let recursion = LimitEntry<SignatureModel>(
    name: "infinite-width-signature",
    summary: "the kernel at infinite width with the same steps, exactly; no randomness",
    equation:
      "K_{s+1,t+1} = K_{s+1,t} + K_{s,t+1} - K_st + (sigma_A^2 E[phi(u) phi(v)] + sigma_b^2) dx_s . dy_t; inhomogeneous: K' = K + (sigma_A^2 E[phi(u) phi(v)] + sigma_b^2) dx . dy / dt",
    reference: "docs/signatures.md", parameters: []
  ) { p, model in
    let equation = SignatureEquation(model.settings)
    let values = model.values(
      equation.kernels(model.settings.paths, steps: model.settings.steps, .euler),
      remainder: equation.isExactAtEveryWidth ? [] : [Remainder("width", order: 1)])
    return LimitModel(.known(try values.checked(p)), offset: "an offset of order 1/N is expected")
  }

  static let differential = LimitEntry<SignatureModel>(
    name: "signature-kernel",
    summary:
      "the kernel at infinite width and infinitely many steps: its differential equation, extrapolated; no randomness",
    equation:
      "d_s d_t K = (sigma_A^2 E[phi(u) phi(v)] + sigma_b^2) x'_s . y'_t, K_s0 = K_0t = sigma_a^2; inhomogeneous: dK/dt = (sigma_A^2 E[phi(u) phi(v)] + sigma_b^2) x' . y'",
    reference: "docs/signatures.md", parameters: []
  ) { p, model in
    let found = SignatureKernel.atSteps(SignatureEquation(model.settings), model.settings)
    let values = model.values(
      found.kernels, remainder: [Remainder("width", order: 1), Remainder("steps", order: 1)])
    return LimitModel(
      .known(try values.checked(p)), offset: "an offset of order 1/N + 1/M is expected",
      attributes: ["grid": "\(found.grid)", "change": "\(found.change)"])
  }
}

extension ReferenceValues {
  /// Throws where nothing is known because an expectation has no value.
  fileprivate func checked(_ p: Parameters) throws -> ReferenceValues {
    guard statistics.isEmpty else { return self }
    throw p.invalid(
      "equation", "needs Gaussian expectations of the activation, which are not finite or not found to 1e-12")
  }
}

/// The kernel of infinitely many steps: the trapezoidal rule on finer and finer grids and Richardson's extrapolation of order 2.
package enum SignatureKernel {
  /// Relative change of the extrapolated values at which no finer grid is made; the largest grid of closed expectations, and of quadratures.
  private static let settled = 1e-10
  private static let largest = (closed: 2048, quadrature: 64)

  /// The kernels of all pairs at the steps of a network.
  /// - Returns: besides, the steps of the last grid, and the relative change that it made.
  package static func atSteps(
    _ equation: SignatureEquation, _ settings: SignatureSettings
  ) -> (kernels: [[Double]], grid: Int, change: Double) {
    let steps = settings.steps
    var every = max(1, (16 + steps - 1) / steps)
    func solve(_ every: Int) -> [[Double]] {
      equation.kernels(settings.paths, steps: steps * every, .trapezoid).map { values in
        (0...steps).map { values[$0 * every] }
      }
    }
    let most = equation.hasClosedKernel ? largest.closed : largest.quadrature
    var coarse = solve(every)
    var (before, change) = (coarse, Double.infinity)
    repeat {
      every *= 2
      let fine = solve(every)
      let found = zip(fine, coarse).map { zip($0, $1).map { extrapolated($0, $1) } }
      let size = found.joined().reduce(0) { max($0, $1.magnitude) }
      change = zip(found, before).map { zip($0, $1).reduce(0) { max($0, ($1.0 - $1.1).magnitude) } }.max()! / size
      (before, coarse) = (found, fine)
    } while change > settled && 2 * every * steps <= most
    return (before, every * steps, change)
  }

  /// Without the error of order 2 of the coarser value.
  package static func extrapolated(_ fine: Double, _ coarse: Double) -> Double { fine + (fine - coarse) / 3 }
}
