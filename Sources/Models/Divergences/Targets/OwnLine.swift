import Experiments
import Formulas

/// A target of one's own, by formula.
struct OwnLine: LineTarget {
  private let value, derivative: FormulaProgram
  let curvatureAtInfinity: Double
  let isSmooth: Bool

  func energy(_ x: Double) -> Double { value(x) }
  func slope(_ x: Double) -> Double { derivative(x) }

  private init(_ p: Parameters) throws {
    let (key, path) = ("potential", "\(p.path).potential")
    guard case .table(let table)? = p[key], let text = table["formula"] else {
      var hint = ""
      if case .text(let words)? = p[key] { hint = "; write { formula = \"\(words)\" }" }
      throw p.invalid(key, "must be a table { formula = … }\(hint)")
    }
    let formula = try FormulaKeys.read(
      text, key: "\(path).formula", variables: ["x"],
      parameters: try FormulaKeys.parameters(table, except: ["formula"], path: path), table: path)
    value = FormulaProgram(formula)
    isSmooth = formula.kinks("x", in: -64...64).isEmpty
    do { derivative = FormulaProgram(try formula.derivative("x")) } catch {
      throw p.invalid(key, "needs a derivative in x for the drift: \(error)")
    }
    for k in 0...640 {
      for x in [Double(k) / 64, -Double(k) / 64] where !(value(x).isFinite && derivative(x).isFinite) {
        throw p.invalid(key, "must be finite with a finite derivative: U(\(x)) = \(value(x)), U' = \(derivative(x))")
      }
    }
    // U'(x)/x far out, where it tends to a limit, to 0, or grows: as far as U' is finite.
    let slope = derivative
    var largest = 0.0
    for sign in [-1.0, 1] {
      let far = [0x1p40, 0x1p20, 0x1p10, 0x1p9, 0x1p8, 0x1p7].first { slope(sign * $0).isFinite } ?? 0x1p3
      let near = far * (far > 0x1p10 ? 0x1p-10 : 0x1p-2)
      let ratios = [near, far].map { slope(sign * $0) / (sign * $0) }
      guard ratios[1] > 0 else {
        throw p.invalid(
          key,
          "must grow on either side, or exp(-U) has no finite integral: U' = \(slope(sign * far)) at \(sign * far)")
      }
      largest = max(largest, ratios[1] > 1.5 * ratios[0] ? .infinity : ratios[1] < 0.5 * ratios[0] ? 0 : ratios[1])
    }
    curvatureAtInfinity = largest
  }

  static let entry = TargetEntry(
    name: "own", summary: "a potential of one's own, by formula", equation: "U(x)", reference: "docs/formulas.md",
    parameters: [
      Parameter(
        "potential", .structured("a table { formula = …, and its parameters }"),
        "U, a formula in x, smooth, growing on either side")
    ]
  ) { p in try OwnLine(p) }
}
