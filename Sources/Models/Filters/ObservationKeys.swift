import Experiments
import Formulas
import Randomness

/// The keys that say what was observed: numbers, a formula, a file, or a simulation of the model.
enum ObservationKeys {
  private static let most = 1_000_000
  private static let words =
    "an array of numbers (of arrays, where an observation is several), or { formula = … } in t, the number of the observation from 0, with length"

  static let parameters: [Parameter] =
    [
      Parameter("observations", .structured(words), optional: true, "y; nan where one is missing, if missing = true"),
      Parameter(
        "length", .integer(1...Int64(most)), optional: true, unit: "observations", "T, of a formula or a simulation"),
      Parameter(
        "data_seed", .integer(0...Int64.max), optional: true,
        "simulates length observations of the model itself by this seed, the same in every draw"),
      Parameter(
        "missing", .boolean, default: .boolean(false),
        "whether observations may be nan, which says that they are missing"),
    ] + TableRequest.parameters

  static func read<Model: StateSpaceModel>(
    _ p: Parameters, _ data: any DataSource, dimension: Int, check: (words: String, isAllowed: (Double) -> Bool),
    make: (Observations) -> Model
  ) throws -> (Model, [String: String]) {
    let given = ["observations", "data_seed", "file"].filter { p[$0] != nil }
    guard given.count == 1 else {
      throw p.invalid(
        given.first ?? "observations",
        given.isEmpty
          ? "must be \(words); or give file, or length and data_seed"
          : "is given beside \(given[1]): y comes from one place")
    }
    var isFormula = false
    if case .table? = p["observations"] { isFormula = true }
    guard p["length"] == nil || isFormula || p["data_seed"] != nil else {
      throw p.invalid("length", "is a key of a formula or a simulation; of numbers and files it is known")
    }
    if p["data_seed"] != nil {
      let length = try length(p)
      let empty = make(Observations(Array(repeating: Array(repeating: .nan, count: dimension), count: length)))
      return (make(simulated(empty, seed: UInt64(p.integer("data_seed")))), [:])
    }
    if p["file"] != nil {
      let table = try data.table(TableRequest(p))
      try Self.check(table.rows, "file", p, dimension, check)
      return (make(Observations(table.rows)), ["data": "\(p.text("file")) \(table.fingerprint)"])
    }
    let rows = isFormula ? try evaluated(p, dimension: dimension) : try numbers(p)
    try Self.check(rows, "observations", p, dimension, check)
    return (make(Observations(rows)), [:])
  }

  private static func length(_ p: Parameters) throws -> Int {
    guard p["length"] != nil else {
      throw p.invalid("length", "must be an integer in [1, \(most)]: there is nothing else that says how many")
    }
    return p.integer("length")
  }

  private static func numbers(_ p: Parameters) throws -> [[Double]] {
    guard case .list(let items)? = p["observations"], (1...most).contains(items.count) else {
      throw p.invalid("observations", "must be \(words)")
    }
    return try items.enumerated().map { t, item in
      if let number = item.number { return [number] }
      guard case .list(let row) = item, case let numbers = row.compactMap(\.number), numbers.count == row.count else {
        throw Failure.invalid(
          key: "\(p.path).observations[\(t)]", value: item.description,
          allowed: "must be a number or an array of numbers")
      }
      return numbers
    }
  }

  private static func evaluated(_ p: Parameters, dimension: Int) throws -> [[Double]] {
    guard case .table(let table)? = p["observations"], let text = table["formula"] else {
      throw p.invalid("observations", "must be \(words)")
    }
    guard dimension == 1 else { throw p.invalid("observations", "must be an array of arrays of \(dimension) numbers") }
    let path = "\(p.path).observations"
    let formula = try FormulaKeys.read(
      text, key: "\(path).formula", variables: ["t"],
      parameters: try FormulaKeys.parameters(table, except: ["formula"], path: path), table: path)
    let program = FormulaProgram(formula)
    return (0..<(try length(p))).map { [program(Double($0))] }
  }

  private static func check(
    _ rows: [[Double]], _ key: String, _ p: Parameters, _ dimension: Int,
    _ check: (words: String, isAllowed: (Double) -> Bool)
  ) throws {
    guard !rows.isEmpty else { throw p.invalid(key, "must have at least one observation") }
    for (t, row) in rows.enumerated() {
      func wrong(_ words: String) -> Failure {
        Failure.invalid(
          key: "\(p.path).\(key)[\(t)]", value: "[\(row.map { "\($0)" }.joined(separator: ", "))]", allowed: words)
      }
      guard row.count == dimension else { throw wrong("must be \(dimension) number\(dimension == 1 ? "" : "s")") }
      for y in row where !check.isAllowed(y) {
        guard y.isNaN else { throw wrong("must be \(check.words)") }
        guard p.boolean("missing") else {
          throw wrong("must be \(check.words); with missing = true, nan says that observation \(t) is missing")
        }
      }
    }
  }

  private static func simulated(_ model: some StateSpaceModel, seed: UInt64) -> Observations {
    var stream = Stream(key: Stream.key(seed: seed, path: "observations"))
    stream.start(draw: 0)
    let pass = FilterPass(model, FilterPlan(particles: 1))
    pass.drawPrior(model, &stream)
    return Observations((0..<model.length).map { model.emit($0, pass.path, $0, &stream) })
  }
}
