import Simulation

/// Strengths of a residual layer, `z' = alpha z + lambda branch(z)`, as its job gives them.
public struct ResidualStrength: Sendable {
  /// How lambda depends on the depth d.
  package enum Scaling: String, CaseIterable, Sendable {
    case constant
    case inverseRootDepth = "1/sqrt(depth)"
  }

  /// What a layer multiplies with.
  package let alpha, lambda: Double
  /// lambda before it is scaled.
  package let unscaled: Double
  package let scaling: Scaling

  init(_ p: Parameters, depth: Int) throws {
    unscaled = p.real("lambda")
    scaling = Scaling(rawValue: p.text("branch_scaling"))!
    let given = p["alpha"] != nil ? p.real("alpha") : nil
    switch scaling {
    case .inverseRootDepth:
      alpha = given ?? 1
      lambda = unscaled / Double(depth).squareRoot()
    case .constant:
      guard given != nil || unscaled <= 1 else {
        throw p.invalid("lambda", "must be at most 1 unless alpha is given: alpha = sqrt(1 - lambda^2)")
      }
      alpha = given ?? (1 - unscaled * unscaled).squareRoot()
      lambda = unscaled
    }
  }

  /// Labels for the file.
  var attributes: [String: String] { ["alpha": alpha.description, "lambda": lambda.description] }

  /// The keys that it is read from.
  static let parameters = [
    Parameter(
      "lambda", .real(.init(0, .infinity, openAbove: true)), standard: .real(0.5.squareRoot()),
      "strength of the branch"),
    Parameter(
      "alpha", .real(.init(0, .infinity, openAbove: true)), optional: true,
      "strength of the skip connection; sqrt(1 - lambda^2) unless given, 1 for 1/sqrt(depth)"),
    Parameter(
      "branch_scaling", .choice(Scaling.allCases.map(\.rawValue)), standard: .text(Scaling.constant.rawValue),
      "1/sqrt(depth) divides lambda by the root of the depth"),
  ]
}
