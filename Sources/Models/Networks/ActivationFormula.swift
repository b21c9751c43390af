import Experiments
import Formulas

/// An activation by formula, read: `{ formula = "x*sigmoid(k*x)", k = 1.7, kinks = [...], shape = 1.5 }`.
struct ActivationFormula {
  /// As it is written, with the parameters put in; not shaped.
  let formula: Formula
  let function: any Activation
  /// As `ActivationChoice.smoothShape`.
  let shape: (a: Double, second: Double, third: Double)?
  /// Where it leaves the numbers, if it does.
  let attributes: [String: String]

  static let entry = TableEntry(
    name: "\(NetworkFamily.table).activation", summary: "an activation by formula (docs/formulas.md)",
    parameters: [
      Parameter("formula", .text, "phi, a formula in x; n stands for the width"),
      Parameter("NAME", .real(.finite), optional: true, "value of a parameter that the formula names, as in a = 1.5"),
      Parameter(
        "kinks", .structured("an array of numbers"), optional: true,
        "points where phi is not smooth, besides those that are found: quadratures are split there"),
      Parameter(
        "shape", .real(.above(0)), optional: true,
        "shaped: s phi(x/s) with s = shape sqrt(width), phi scaled to phi(0) = 0, phi'(0) = 1"),
    ])

  private static let own = ["formula", "kinks", "shape"]
  /// Where kinks are looked for: a fine grid near 0, and a coarse one; those of linear arguments are exact on either.
  private static let intervals = [-16.0...16, -1024.0...1024]

  /// - Parameter table: the whole table, the formula included.
  /// - Throws: `Failure` naming the key: a formula that cannot be read, with the column; a parameter that it does not have; a shape
  ///   where it is not smooth at 0.
  init(_ text: JobValue, _ table: [String: JobValue], path: String, width: Int) throws {
    if let name = table["name"] {
      throw Failure.invalid(
        key: "\(path).name", value: name.description, allowed: "cannot be given together with a formula")
    }
    let p = try Parameters(
      .table(table.filter { Self.own.contains($0.key) }), path: path,
      allowed: Self.entry.parameters.filter { Self.own.contains($0.name) })
    let given = try FormulaKeys.parameters(table, except: Self.own, path: path)
    formula = try FormulaKeys.read(
      text, key: "\(path).formula", variables: ["x"], parameters: given, implied: ["n": Double(width)], table: path)
    let listed = try Self.numbers(p, "kinks")
    let kinks = Self.kinks(of: formula, listed)
    var attributes: [String: String] = [:]
    if let event = Self.firstEvent(formula) {
      attributes["domain"] = event
      Notes.add("\(path).formula: \(event)")
    }
    self.attributes = attributes
    if p["shape"] != nil {
      let a = p.real("shape")
      (function, shape) = try Self.shaped(formula, a: a, width: width, kinks: kinks, p)
    } else {
      shape = nil
      function = Self.slopes(formula, kinks: kinks) ?? FormulaActivation(formula, kinks: kinks)
    }
  }

  private static func numbers(_ p: Parameters, _ key: String) throws -> [Double] {
    guard let value = p[key] else { return [] }
    guard case .list(let items) = value, items.allSatisfy({ $0.number?.isFinite ?? false }) else {
      throw p.invalid(key, "must be an array of finite numbers")
    }
    return items.map { $0.number! }
  }

  private static func kinks(of formula: Formula, _ given: [Double]) -> [Double] {
    let all = (given + intervals.flatMap { formula.kinks("x", in: $0) }).sorted()
    // One that both grids find may differ by a rounding.
    return all.reduce(into: []) { kept, x in
      if kept.last.map({ x - $0 > 1e-12 * max(1, x.magnitude) }) ?? true { kept.append(x) }
    }
  }

  /// What is straight on either side of 0 is the built-in function of its slopes, with all closed forms that it has.
  private static func slopes(_ formula: Formula, kinks: [Double]) -> SlopeActivation? {
    guard kinks.allSatisfy({ $0 == 0 }), let slope = try? formula.derivative("x"),
      let second = try? slope.derivative("x"), second.constant == 0
    else { return nil }
    let (f, rate) = (FormulaProgram(formula), FormulaProgram(slope))
    let (plus, minus) = (rate(1), rate(-1))
    for x in [0, 1, 3, 1e3, 1e9, 0x1p-300] where f(x) != plus * x || f(-x) != minus * -x { return nil }
    return SlopeActivation(plus: plus, minus: minus)
  }

  /// The first point from 0 outwards, up to 10, where the function is no finite number, in words.
  private static func firstEvent(_ formula: Formula) -> String? {
    for k in 0...640 {
      for x in [Double(k) / 64, -Double(k) / 64] {
        if let event = formula.domainEvent(at: [x]) { return "\(event), for x = \(x)" }
      }
    }
    return nil
  }

  /// `s phi(x/s)`, s = a sqrt(n): phi is the formula, moved to 0 and scaled to a slope of 1 there.
  private static func shaped(
    _ formula: Formula, a: Double, width: Int, kinks: [Double], _ p: Parameters
  ) throws -> (FormulaActivation, (a: Double, second: Double, third: Double)) {
    guard !kinks.contains(0) else { throw p.invalid("shape", "needs a formula that is smooth at 0") }
    var all: [Formula] = []
    do {
      all = try formula.derivatives("x", upTo: 3)
    } catch let error as FormulaError {
      throw p.invalid("shape", "needs three derivatives at 0; of order \(all.count + 1) there is none: \(error)")
    }
    let d = FormulaProgram(all)([0])
    guard d.allSatisfy(\.isFinite) else {
      let order = d.firstIndex { !$0.isFinite }!
      let event = all[order].domainEvent(at: [0]).map { ": \($0)" } ?? ""
      throw p.invalid("shape", "needs three derivatives at 0; that of order \(order) is \(d[order])\(event)")
    }
    guard d[1] != 0 else { throw p.invalid("shape", "needs a formula with a slope at 0; phi'(0) is 0") }
    let s = a * Double(width).squareRoot()
    return (
      FormulaActivation(formula, kinks: kinks, inner: 1 / s, outer: s / d[1], offset: -s * d[0] / d[1]),
      (a, d[2] / d[1], d[3] / d[1])
    )
  }
}
