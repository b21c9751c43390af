import Experiments
import Formulas
import Kernels
import Statistics

/// A potential of one particle by formula: `U(x)` summed over its coordinates, or `U(x0, x1, …)`.
struct ExternalFormula: Sendable {
  private let value: FormulaProgram
  /// A derivative for each variable.
  private let slopes: FormulaProgram
  /// U'' of a formula of one coordinate, if it has one.
  private let curvature: FormulaProgram?
  private let isByCoordinate: Bool
  private let text: String
  private let kinks: [Double]

  /// - Throws: `Failure` naming the key: what is no formula, or has no gradient.
  init(_ p: Parameters, _ key: String, dimension: Int) throws {
    let coordinates = (0..<dimension).map { "x\($0)" }
    let (formula, table) = try Self.read(
      p[key]!, p, key, variables: ["x"] + (dimension <= 256 ? coordinates : []), own: ["formula", "kinks"])
    let used = formula.tree.names
    isByCoordinate = used.contains("x") || !used.contains(where: coordinates.contains)
    guard !isByCoordinate || !used.contains(where: coordinates.contains) else {
      throw p.invalid(key, "must be a formula in x, for each coordinate, or in x0, x1, …, not in both")
    }
    let variables = isByCoordinate ? ["x"] : coordinates
    let own = try Self.read(p[key]!, p, key, variables: variables, own: ["formula", "kinks"]).formula
    value = FormulaProgram(own)
    slopes = FormulaProgram(try variables.map { try Self.derivative(own, $0, p, key) })
    curvature = isByCoordinate ? try? FormulaProgram(own.derivative("x").derivative("x")) : nil
    text = own.tree.description
    var found: [Double] = []
    if case .list(let items)? = table["kinks"] {
      found = items.compactMap(\.number)
      guard found.count == items.count, found.allSatisfy(\.isFinite) else {
        throw Failure.invalid(
          key: "\(p.path).\(key).kinks", value: table["kinks"]!.description,
          allowed: "must be an array of finite numbers")
      }
    } else if let wrong = table["kinks"] {
      throw Failure.invalid(
        key: "\(p.path).\(key).kinks", value: wrong.description, allowed: "must be an array of finite numbers")
    }
    kinks = found + (isByCoordinate ? [-16.0...16, -1024.0...1024].flatMap { own.kinks("x", in: $0) } : [])
    if let event = Self.firstEvent(own, isByCoordinate ? 1 : dimension) { Notes.add("\(p.path).\(key): \(event)") }
  }

  /// Reads a formula of the table of a system.
  static func read(
    _ given: JobValue, _ p: Parameters, _ key: String, variables: [String], own: [String]
  ) throws -> (formula: Formula, table: [String: JobValue]) {
    let path = "\(p.path).\(key)"
    guard case .table(let table) = given, let text = table["formula"] else {
      var hint = ""
      if case .text(let words) = given { hint = "; write { formula = \"\(words)\" }" }
      throw p.invalid(key, "must be a table { formula = … }\(hint)")
    }
    let parameters = try FormulaKeys.parameters(table, except: own, path: path)
    return (
      try FormulaKeys.read(text, key: "\(path).formula", variables: variables, parameters: parameters, table: path),
      table
    )
  }

  static func derivative(_ formula: Formula, _ variable: String, _ p: Parameters, _ key: String) throws -> Formula {
    do { return try formula.derivative(variable) } catch {
      throw p.invalid(key, "needs a derivative in \(variable) for the force: \(error)")
    }
  }

  /// The first point on the diagonal, from 0 outwards up to 10, where it is no finite number, in words.
  private static func firstEvent(_ formula: Formula, _ dimension: Int) -> String? {
    for k in 0...640 {
      for x in [Double(k) / 64, -Double(k) / 64] {
        if let event = formula.domainEvent(at: Array(repeating: x, count: dimension)) {
          return "\(event), where \(dimension == 1 ? "x is" : "all coordinates are") \(x)"
        }
      }
    }
    return nil
  }

  /// The gradient at the particles of a tile, and each particle's energy.
  func write(_ x: Tile, gradient: UnsafeMutablePointer<Double>, potential: UnsafeMutablePointer<Double>?) {
    guard isByCoordinate else {
      slopes.evaluate(rows: x.base, stride: x.lanes, to: gradient, stride: x.lanes, count: x.count)
      if let potential { value.evaluate(rows: x.base, stride: x.lanes, to: potential, stride: x.lanes, count: x.count) }
      return
    }
    for k in 0..<x.dimension {
      slopes.evaluate(rows: x[k], stride: x.lanes, to: gradient + k * x.lanes, stride: x.lanes, count: x.count)
    }
    guard let potential else { return }
    value.evaluate(rows: x[0], stride: x.lanes, to: potential, stride: x.lanes, count: x.count)
    guard x.dimension > 1 else { return }
    withAlignedRoom(Tiling.width) { room in
      for k in 1..<x.dimension {
        value.evaluate(rows: x[k], stride: x.lanes, to: room, stride: x.lanes, count: x.count)
        for i in 0..<x.count { potential[i] += room[i] }
      }
    }
  }

  /// Of one coordinate, where it has two derivatives.
  var line: LinePotential? {
    guard isByCoordinate, let curvature else { return nil }
    return LinePotential(
      energy: { value($0) }, slope: { slopes($0) }, curvature: { curvature($0) }, name: text, kinks: kinks)
  }

  /// A potential of one coordinate that does not grow leaves exp(-beta U) without a finite integral.
  func refuseUnbounded(_ p: Parameters) throws {
    guard isByCoordinate else { return }
    for sign in [-1.0, 1] {
      let (near, far) = (value(sign * 0x1p10), value(sign * 0x1p20))
      // Where it is no number nothing can be said; particles that get there are an event of the run.
      guard !near.isNaN, !far.isNaN, far <= near, far < .infinity else { continue }
      throw p.invalid(
        "potential",
        "must grow on either side, or exp(-beta U) has no finite integral: U(\(sign * 0x1p10)) = \(near), U(\(sign * 0x1p20)) = \(far)"
      )
    }
  }

  /// What quadrature gives, coordinates being independent: nothing of a potential of several.
  func stationary(dimension d: Int, beta: Double) -> StationaryMoments {
    guard isByCoordinate, let (reach, least) = range(beta) else { return StationaryMoments() }
    var (mass, sums) = (0.0, [0.0, 0, 0, 0])
    GaussLegendre.forEachNode(in: -reach...reach, breaks: kinks, panel: reach / 256) { x, weight in
      let energy = value(x)
      let share = weight * Elementary.exp(-beta * (energy - least))
      guard share > 0 else { return }
      mass += share
      for (k, f) in [x, x * x, x * x * x * x, energy].enumerated() { sums[k] += share * f }
    }
    guard mass.isFinite, mass > 0, sums.allSatisfy(\.isFinite) else { return StationaryMoments() }
    let name = "exp(-beta (\(text)))"
    var moments = StationaryMoments(equation: name + ", by quadrature", reference: "docs/formulas.md")
    let mean = sums.map { $0 / mass }
    moments.means = [
      // Rounding leaves something like 1e-16 of a mean that is 0 by symmetry.
      "x": (mean[0] * 0x1p40).rounded() * 0x1p-40, "x^2": mean[1], "x^4": mean[2], "energy": Double(d) * mean[3],
    ]
    if (2...3).contains(d) { moments.means = moments.means.spread(over: d) }
    moments.marginal = TabulatedLaw(name: name, from: -reach, to: reach) { x in
      let density = Elementary.exp(-beta * (value(x) - least))
      return density > 0 ? density : 0
    }
    return moments
  }

  /// Where nothing is left of exp(-beta U) on either side, and the least of U; nil beyond 4,096.
  private func range(_ beta: Double) -> (reach: Double, least: Double)? {
    let grid = (-256...256).map { value(Double($0) / 32) }.filter(\.isFinite)
    guard let least = grid.min() else { return nil }
    var reach = 0.5
    while reach < 4096 {
      reach *= 1.25
      let ends = [value(-reach), value(reach)]
      if ends.allSatisfy({ $0.isNaN || beta * ($0 - least) > 50 }) { return (reach, least) }
    }
    return nil
  }
}
