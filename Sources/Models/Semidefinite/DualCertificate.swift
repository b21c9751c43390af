import Kernels

/// A bound on every choice of signs, and of unit vectors in any dimension, with its proof: \(C - \operatorname{Diag}(z) \succeq 0\), so that
/// \(\sum_{ij} C_{ij} v_i \cdot v_j \ge \sum_i z_i\).
///
/// The proof is a Cholesky factorisation in floating point of the matrix less a margin for its rounding (`SparseFactor.margin`). Where z comes from does not
/// matter: any vectors, noisy ones too, give a valid bound, good ones a sharp one.
package struct DualCertificate: Sendable {
  /// z.
  package let dual: [Double]
  /// What no value of the objective exceeds (is below, for an energy): rounded outwards. NaN where nothing is proved.
  package let bound: Double
  package let factorisations: Int

  /// Of the same accuracy as the value, relative to it, or what rounding allows.
  private static let accuracy = 1e-9

  /// The bound that some multipliers y give once they are lowered by one number: \(z = y - \delta\), δ as small as can be proved.
  package init(_ program: SpinProgram, _ factor: SparseFactor, multipliers y: [Double], radii: [Double]) {
    let n = Double(max(1, program.vertices))
    let size = y.reduce(0) { $0 + $1.magnitude } / n
    guard
      let proof = PositiveShift(
        factor, diagonal: y.map { -$0 }, radii: radii, tolerance: Self.accuracy * size)
    else {
      (dual, bound, factorisations) = (y.map { _ in .nan }, .nan, 0)
      return
    }
    dual = proof.diagonal.map { -$0 }
    bound = Self.bound(program, dual)
    factorisations = proof.factorisations
  }

  /// The bound of a dual vector that is at hand; nil if it is not proved.
  package static func proved(_ program: SpinProgram, _ factor: SparseFactor, dual: [Double]) -> Double? {
    guard dual.count == program.vertices, PositiveShift.proves(factor, diagonal: dual.map { -$0 }) else { return nil }
    return bound(program, dual)
  }

  /// \(\text{offset} + \text{factor} \sum z\), rounded outwards: the sum is exact but for its last rounding.
  private static func bound(_ program: SpinProgram, _ dual: [Double]) -> Double {
    let value = program.value(dual)
    return program.objective.isMaximised ? value.nextUp.nextUp : value.nextDown.nextDown
  }
}
