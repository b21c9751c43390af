import Experiments
import Kernels
import Randomness

/// Examples in buffers: those of training first, then those of the test. Inputs x features and targets x outputs, row by row.
package final class Examples {
  package let train, test, features, outputs: Int
  package let inputs, targets: UnsafeMutablePointer<Double>
  /// w*, for laws that have one.
  let teacher: UnsafeMutablePointer<Double>

  package var count: Int { train + test }

  init(train: Int, test: Int, features: Int, outputs: Int) {
    (self.train, self.test, self.features, self.outputs) = (train, test, features, outputs)
    inputs = .allocateZeros((train + test) * features)
    targets = .allocateZeros((train + test) * outputs)
    teacher = .allocateZeros(features)
  }

  deinit {
    inputs.deallocate()
    targets.deallocate()
    teacher.deallocate()
  }
}

/// What a model is trained and tested on: the same examples for every draw, or examples that each draw takes from a law.
package struct TrainingData: Sendable {
  package let train, test, features, outputs: Int
  /// Of fixed examples, row by row; empty where they are drawn.
  package let inputs, targets: [Double]
  package let law: ExampleLaw?
  /// Of fixed examples, what each draw adds to the targets of training.
  package let noise: Noise?

  /// Noise of targets.
  package enum Noise: Sendable, Equatable {
    /// Normal, of this standard deviation.
    case normal(Double)
    /// Labels whose sign is wrong with this probability.
    case flips(Double)
  }

  /// Most numbers of the inputs of one job: 1 GiB.
  static let mostNumbers = 1 << 27

  package init(inputs: [[Double]], targets: [[Double]], test: Int = 0, noise: Noise? = nil) {
    self.test = test
    train = inputs.count - test
    features = inputs.first?.count ?? 0
    outputs = targets.first?.count ?? 0
    self.inputs = inputs.flatMap { $0 }
    self.targets = targets.flatMap { $0 }
    self.noise = noise
    law = nil
  }

  init(law: ExampleLaw, train: Int, test: Int) {
    (self.train, self.test, self.law) = (train, test, law)
    (features, outputs) = (law.features, 1)
    (inputs, targets, noise) = ([], [], nil)
  }

  /// Whether all draws have the same examples.
  package var isFixed: Bool { law == nil && noise == nil }
  /// Whether targets have normal noise, and so are no labels.
  package var isNoisy: Bool { if case .normal? = noise { true } else { false } }
  /// Whether every step has examples of its own.
  package var isFresh: Bool { law?.isFresh ?? false }

  package func makeExamples() -> Examples {
    let examples = Examples(train: train, test: test, features: features, outputs: outputs)
    for (i, x) in inputs.enumerated() { examples.inputs[i] = x }
    for (i, y) in targets.enumerated() { examples.targets[i] = y }
    return examples
  }

  /// Draws the examples of a run, or the noise of their targets; what is fixed stays.
  package func draw(_ examples: Examples, _ stream: inout Stream) {
    law?.draw(examples, &stream)
    guard let noise else { return }
    for i in 0..<train * outputs {
      switch noise {
      case .normal(let deviation): examples.targets[i] = targets[i] + deviation * stream.normal()
      case .flips(let probability): examples.targets[i] = stream.uniform() < probability ? -targets[i] : targets[i]
      }
    }
  }

  /// The examples of another step.
  /// - Precondition: `isFresh`.
  package func drawStep(_ examples: Examples, _ stream: inout Stream) {
    law!.draw(examples, rows: 0..<train, &stream)
  }

  // MARK: Reading

  static let words =
    "a table: { inputs = [[1.0, 0.5], [0.0, 1.0]], targets = [1.0, -0.5] }, { angles = [0.0, 1.2], targets = [1.0, -1.0] }, { file = \"data/digits.csv\", label = \"label\", classes = [3, 8], rows = [0, 1, 2] } or { teacher = \"linear\", features = 20, samples = 40, noise = 0.5 }"

  static let parameters =
    [
      Parameter(
        "inputs", .structured("an array of rows of as many finite numbers"), optional: true,
        "the inputs themselves"),
      Parameter(
        "angles", .structured("an array of angles"), optional: true, "inputs sqrt(2) (cos a, sin a), of |x|^2 = d"),
      Parameter(
        "targets", .structured("an array of a number, or of a row of numbers, for each input"), optional: true,
        "y; of inputs and angles"),
      Parameter(
        "test", .integer(0...10_000_000), default: .integer(0),
        "number of examples for testing, the last ones; of teachers, examples besides those of samples"),
    ] + TableRequest.parameters + ofFile + ExampleLaw.parameters

  private static let ofFile = [
    Parameter("label", .text, default: .text("label"), "name of the column of targets"),
    Parameter(
      "classes", .structured("an array of two labels"), optional: true,
      "the two classes of a file, with targets -1 and +1; rows of others are left out"),
    Parameter(
      "above", .real(.finite), optional: true, "targets of a file are +1 where the label is at least this, else -1"),
    Parameter(
      "rows", .structured("an array of row numbers, from 0"), optional: true, "rows of the file; all unless given"),
    Parameter(
      "normalise", .boolean, default: .boolean(true), "scale every row of a file to |x|^2 = d, its number of features"),
  ]

  /// - Parameter mayBeFresh: whether the problem can draw new examples for every step.
  static func read(
    _ value: JobValue?, path: String, data source: any DataSource, mayBeFresh: Bool = false
  ) throws -> TrainingData {
    let p = try Parameters(value, path: path, allowed: parameters)
    let given = ["inputs", "angles", "file", "teacher"].filter { p[$0] != nil }
    guard given.count == 1 else {
      if given.count > 1 { throw p.invalid(given[1], "cannot be given together with \(given[0])") }
      throw Failure.invalid(key: path, value: value?.description, allowed: "must be " + words)
    }
    let foreign = [
      "inputs": inputKeys, "angles": inputKeys, "file": fileKeys,
      "teacher": ExampleLaw.parameters.map(\.name),
    ]
    if case .table(let table)? = value,
      let key = table.keys.sorted().first(where: { !(foreign[given[0]]! + [given[0], "test"]).contains($0) })
    {
      throw p.invalid(key, "cannot be given together with \(given[0])")
    }
    if given[0] == "teacher" {
      let law = try ExampleLaw(p)
      guard !law.isFresh || mayBeFresh else {
        throw p.invalid("fresh", "must be false: this problem trains on a set of examples")
      }
      let (train, test) = (p.integer("samples"), p.integer("test"))
      try checkSize(p, "samples", rows: train + test, law.features)
      return TrainingData(law: law, train: train, test: test)
    }
    let (inputs, targets) = given[0] == "file" ? try fromFile(p, source) : try explicit(p, given[0])
    let test = p.integer("test")
    guard test < inputs.count else {
      throw p.invalid("test", "must leave examples for training: there are \(inputs.count)")
    }
    try checkSize(p, given[0], rows: inputs.count, inputs[0].count)
    return TrainingData(inputs: inputs, targets: targets, test: test, noise: try noise(p))
  }

  private static let inputKeys = ["targets", "noise"]
  private static let fileKeys = [
    "dataset", "header", "drop", "label", "classes", "above", "rows", "normalise", "noise",
  ]

  /// Labels of two classes have wrong signs, all other targets normal noise.
  private static func noise(_ p: Parameters) throws -> Noise? {
    let noise = p.real("noise")
    guard noise > 0 else { return nil }
    guard p["classes"] != nil || p["above"] != nil else { return .normal(noise) }
    guard noise <= 0.5 else {
      throw p.invalid("noise", "must be at most 0.5, the probability of a wrong label of two classes")
    }
    return .flips(noise)
  }

  private static func checkSize(_ p: Parameters, _ key: String, rows: Int, _ columns: Int) throws {
    let (product, overflow) = rows.multipliedReportingOverflow(by: columns)
    guard !overflow, product <= mostNumbers else {
      throw p.invalid(key, "would be \(rows) inputs of \(columns) features; at most \(mostNumbers) numbers are kept")
    }
  }

  private static func numbers(_ value: JobValue?) -> [Double]? {
    guard case .list(let items)? = value else { return nil }
    let found = items.compactMap { $0.number }.filter(\.isFinite)
    return found.count == items.count && !found.isEmpty ? found : nil
  }

  private static func explicit(_ p: Parameters, _ key: String) throws -> ([[Double]], [[Double]]) {
    let inputs: [[Double]]
    if key == "angles" {
      guard let angles = numbers(p["angles"]), angles.allSatisfy({ $0.magnitude <= Elementary.largestAngle }) else {
        throw p.invalid(
          "angles", "must be an array of numbers in [-\(Elementary.largestAngle), \(Elementary.largestAngle)]")
      }
      let radius = (2.0 as Double).squareRoot()
      inputs = angles.map { angle in
        let (sine, cosine) = Elementary.sinCos(angle)
        return [radius * cosine, radius * sine]
      }
    } else {
      inputs = try rows(p, "inputs")
    }
    let targets = try numbers(p["targets"]).map { $0.map { [$0] } } ?? rows(p, "targets")
    guard targets.count == inputs.count else {
      throw p.invalid("targets", "must have as many entries as there are inputs: \(inputs.count), not \(targets.count)")
    }
    return (inputs, targets)
  }

  private static func rows(_ p: Parameters, _ key: String) throws -> [[Double]] {
    let wrong = p.invalid(
      key, "must be an array of \(key == "targets" ? "finite numbers, or of " : "")rows of as many finite numbers")
    guard case .list(let items)? = p[key], !items.isEmpty else { throw wrong }
    let found = items.compactMap { numbers($0) }
    guard found.count == items.count, found.allSatisfy({ $0.count == found[0].count }) else { throw wrong }
    return found
  }

  private static func fromFile(_ p: Parameters, _ source: any DataSource) throws -> ([[Double]], [[Double]]) {
    var wanted: [Int]?
    if p["rows"] != nil {
      let wrong = p.invalid("rows", "must be an array of row numbers, from 0")
      guard case .list(let items)? = p["rows"], !items.isEmpty else { throw wrong }
      wanted = try items.map { item in
        guard let row = item.integer, row >= 0 else { throw wrong }
        return Int(row)
      }
    }
    let file = p.text("file")
    let table = try source.table(TableRequest(p, rows: wanted))
    for (i, row) in table.rows.enumerated() {
      if let column = row.firstIndex(where: { !$0.isFinite }) {
        let name = table.columns.isEmpty ? "\(column)" : table.columns[column]
        throw Failure(.badData, "\(file): row \(wanted?[i] ?? i), column \(name) is \(row[column]): it must be finite")
      }
    }
    guard let width = table.rows.first?.count, width >= 2 else {
      throw Failure(.badData, "\(file): must have rows of at least one feature and a label")
    }
    let name = p.text("label")
    guard let label = table.columns.firstIndex(of: name) ?? (table.columns.isEmpty ? width - 1 : nil) else {
      throw p.invalid("label", "\(file) has no such column; \(DataTable.words(for: name, among: table.columns))")
    }
    var kept = table.rows
    var target: (Double) -> Double = { $0 }
    if p["classes"] != nil {
      guard p["above"] == nil else { throw p.invalid("above", "cannot be given together with classes") }
      guard let pair = numbers(p["classes"]), pair.count == 2, pair[0] != pair[1] else {
        throw p.invalid("classes", "must be an array of two different labels, as in [3, 8]")
      }
      kept = kept.filter { $0[label] == pair[0] || $0[label] == pair[1] }
      guard !kept.isEmpty else { throw p.invalid("classes", "\(file) has no row with either label") }
      target = { $0 == pair[1] ? 1 : -1 }
    } else if p["above"] != nil {
      let level = p.real("above")
      target = { $0 >= level ? 1 : -1 }
    }
    let inputs = try kept.enumerated().map { i, row -> [Double] in
      let features = row.indices.filter { $0 != label }.map { row[$0] }
      guard p.boolean("normalise") else { return features }
      let length = (features.reduce(0) { $0 + $1 * $1 } / Double(features.count)).squareRoot()
      guard length > 0 else { throw Failure(.badData, "\(file): row \(i) is zero, and cannot be scaled to |x|^2 = d") }
      return features.map { $0 / length }
    }
    return (inputs, kept.map { [target($0[label])] })
  }
}
