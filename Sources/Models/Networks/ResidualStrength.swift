import Experiments
import Kernels

/// Strengths of residual layers, `z' = alpha z + lambda_l branch(z)`, as their job gives them:
///
///     lambda_l = lambda (constant),   lambda_l = lambda d^{-p} sqrt(d l^q / sum_k k^q),
///
/// p = 1/2 and q = 0 for 1/sqrt(depth). The sum of lambda_l^2, lambda^2 d^{1-2p}, does not depend on the schedule q.
public struct ResidualStrength: Sendable {
  /// How lambda depends on the depth d.
  package enum Scaling: String, CaseIterable, Sendable {
    case constant
    case inverseRootDepth = "1/sqrt(depth)"
    case power = "1/depth^p"
  }

  /// What a layer multiplies its inputs with.
  package let alpha: Double
  /// lambda before it is scaled.
  package let unscaled: Double
  /// p; nil for constant branches.
  package let exponent: Double?
  /// q.
  package let growth: Double
  private let depth: Int
  /// lambda_l where all are equal.
  private let scaled: Double
  /// $\lambda_l$, and $\sum_{k \le l} \lambda_k^2 / \sum_k \lambda_k^2$, l = 1 ... d; empty where all are equal.
  private let schedule: [(lambda: Double, share: Double)]

  /// Deepest network with a schedule, of which every layer is kept.
  private static let deepest = 1_000_000

  init(_ p: Parameters, depth: Int) throws {
    unscaled = p.real("lambda")
    growth = p.real("branch_growth")
    self.depth = depth
    let given = p["alpha"] != nil ? p.real("alpha") : nil
    let scaling = Scaling(rawValue: p.text("branch_scaling"))!
    guard (p["branch_exponent"] != nil) == (scaling == .power) else {
      throw p.invalid(
        "branch_exponent",
        scaling == .power
          ? "must be given with branch_scaling = \"\(Scaling.power.rawValue)\": a number of at least 0"
          : "needs branch_scaling = \"\(Scaling.power.rawValue)\"")
    }
    guard growth == 0 || (scaling != .constant && depth <= Self.deepest) else {
      throw p.invalid(
        "branch_growth",
        "needs branches that are scaled with the depth (branch_scaling), and a depth of at most \(Self.deepest)")
    }
    switch scaling {
    case .inverseRootDepth, .power:
      alpha = given ?? 1
      let p = scaling == .power ? p.real("branch_exponent") : 0.5
      exponent = p
      scaled = unscaled / Elementary.power(Double(depth), p)
    case .constant:
      guard given != nil || unscaled <= 1 else {
        throw p.invalid("lambda", "must be at most 1 unless alpha is given: alpha = sqrt(1 - lambda^2)")
      }
      alpha = given ?? (1 - unscaled * unscaled).squareRoot()
      exponent = nil
      scaled = unscaled
    }
    schedule = growth == 0 ? [] : Self.schedule(growth, depth, scaled)
  }

  private static func schedule(_ q: Double, _ depth: Int, _ scaled: Double) -> [(lambda: Double, share: Double)] {
    // Relative to the largest, so that no power overflows.
    let largest = q > 0 ? Double(depth) : 1
    let squares = (1...depth).map { Elementary.power(Double($0) / largest, q) }
    let total = squares.reduce(0, +)
    var sum = 0.0
    return squares.map { square in
      sum += square
      return (scaled * (Double(depth) * square / total).squareRoot(), sum / total)
    }
  }

  /// $\lambda_l$, l = 1 ... d.
  package func lambda(_ layer: Int) -> Double { schedule.isEmpty ? scaled : schedule[layer - 1].lambda }

  /// Share of the first l layers in the sum of all $\lambda_k^2$.
  package func share(_ layer: Int) -> Double {
    schedule.isEmpty ? Double(layer) / Double(depth) : schedule[layer - 1].share
  }

  /// $\prod_{k \le l} (\alpha^2 + \lambda_k^2 b)$.
  func product(to layer: Int, branch b: Double) -> Double {
    func factor(_ lambda: Double) -> Double { alpha * alpha + lambda * lambda * b }
    if schedule.isEmpty { return ExactMoments.power(factor(scaled), layer) }
    return schedule[..<layer].reduce(1) { $0 * factor($1.lambda) }
  }

  /// Labels for the file.
  var attributes: [String: String] {
    ["alpha": alpha.description, "lambda": schedule.isEmpty ? scaled.description : "by layer"]
  }

  /// The keys that it is read from.
  static let parameters = [
    Parameter(
      "lambda", .real(.init(0, .infinity, openAbove: true)), default: .real(0.5.squareRoot()),
      "strength of the branch"),
    Parameter(
      "alpha", .real(.init(0, .infinity, openAbove: true)), optional: true,
      "strength of the skip connection; sqrt(1 - lambda^2) unless given, 1 where the branch is scaled with the depth"),
    Parameter(
      "branch_scaling", .choice(Scaling.allCases.map(\.rawValue)), default: .text(Scaling.constant.rawValue),
      "1/sqrt(depth) divides lambda by the root of the depth; 1/depth^p by its power p = branch_exponent"),
    Parameter(
      "branch_exponent", .real(.init(0, 100)), optional: true,
      "p of branch_scaling = \"\(Scaling.power.rawValue)\""),
    Parameter(
      "branch_growth", .real(.init(-100, 100)), default: .real(0),
      "q of a schedule of scaled branches: lambda_l^2 grows like layer^q, with the same sum over the layers"),
  ]
}
