import Experiments
import Randomness

/// Labelled data for the systems that learn: features with a constant 1 at the end, labels +1 and -1.
struct Supervised: Sendable {
  /// rows x columns, row by row; the last column is 1.
  private(set) var features: [Double]
  private(set) var labels: [Double]
  let columns: Int
  var count: Int { labels.count }

  /// Those of some numbers.
  func examples(_ numbers: [Int]) -> Supervised {
    Supervised(
      features: numbers.flatMap { features[$0 * columns..<($0 + 1) * columns] }, labels: numbers.map { labels[$0] },
      columns: columns)
  }

  /// Puts an example of other data in the place of one of these.
  mutating func replace(_ own: Int, by example: Int, of other: Supervised) {
    labels[own] = other.labels[example]
    for k in 0..<columns { features[own &* columns &+ k] = other.features[example &* columns &+ k] }
  }

  static let parameters = TableRequest.parameters + own

  private static let own: [Parameter] = [
    Parameter(
      "label", .text, default: .text("label"),
      "name of the column of labels; the last column where columns have no names"
    ),
    Parameter("classes", .structured("an array of two labels"), optional: true, "the two classes, -1 and +1"),
    Parameter("scale", .real(.above(0)), default: .real(1), "features are divided by it"),
    Parameter(
      "test_every", .integer(0...1_000_000), default: .integer(4),
      "every k-th example is held out for testing; 0 for none"),
    Parameter(
      "parity", .integer(1...64), optional: true, "labels are the product of this number of bits: made here, no file"),
    Parameter("bits", .integer(1...4096), default: .integer(20), "bits of the parity problem, +1 and -1"),
    Parameter("examples", .integer(2...10_000_000), default: .integer(1000), "examples of the parity problem"),
    Parameter("data_seed", .integer(0...Int64.max), default: .integer(1), "seed of the parity problem"),
  ]

  /// Training and test examples of a `[particles]` table.
  static func read(
    _ p: Parameters, _ load: (TableRequest) throws -> DataTable
  ) throws -> (train: Supervised, test: Supervised) {
    let rows: [[Double]]
    let labels: [Double]
    if p["parity"] != nil {
      guard p["file"] == nil else { throw p.invalid("file", "cannot be given together with parity") }
      (rows, labels) = try parity(p)
    } else {
      guard p["file"] != nil else { throw p.invalid("file", "must name a data file, or parity must be given") }
      (rows, labels) = try fromFile(p, load)
    }
    let every = p.integer("test_every")
    func part(_ wanted: (Int) -> Bool) -> Supervised {
      let kept = rows.indices.filter(wanted)
      return Supervised(
        features: kept.flatMap { rows[$0] + [1] }, labels: kept.map { labels[$0] },
        columns: (rows.first?.count ?? 0) + 1)
    }
    let train = part { every == 0 || $0 % every != every - 1 }
    guard Set(train.labels).count == 2 else {
      throw p.invalid(p["parity"] != nil ? "examples" : "classes", "both classes must have examples to train with")
    }
    return (train, part { every != 0 && $0 % every == every - 1 })
  }

  private static func parity(_ p: Parameters) throws -> ([[Double]], [Double]) {
    let (k, bits, count) = (p.integer("parity"), p.integer("bits"), p.integer("examples"))
    guard k <= bits else { throw p.invalid("parity", "must be at most bits = \(bits)") }
    guard count * bits <= 1 << 28 else { throw p.invalid("examples", "times bits must be at most \(1 << 28)") }
    var stream = Stream(key: Stream.key(seed: UInt64(p.integer("data_seed")), path: "parity"))
    var rows: [[Double]] = []
    for index in 0..<count {
      stream.start(draw: UInt64(index))
      var row: [Double] = []
      while row.count < bits {
        let word = stream.word()
        for bit in 0..<min(64, bits - row.count) { row.append(word >> UInt64(bit) & 1 == 1 ? 1 : -1) }
      }
      rows.append(row)
    }
    return (rows, rows.map { $0[..<k].reduce(1, *) })
  }

  private static func fromFile(
    _ p: Parameters, _ load: (TableRequest) throws -> DataTable
  ) throws -> ([[Double]], [Double]) {
    let file = p.text("file")
    let table = try load(TableRequest(p))
    guard let width = table.rows.first?.count, width >= 2 else {
      throw Failure(.badData, "\(file): must have rows of at least one feature and a label")
    }
    let name = p.text("label")
    var label = width - 1
    if let found = table.columns.firstIndex(of: name) {
      label = found
    } else if !table.columns.isEmpty || name != "label" {
      throw p.invalid("label", "\(file) has no such column; \(DataTable.words(for: name, among: table.columns))")
    }
    guard case .list(let items)? = p["classes"], items.count == 2, let negative = items[0].number,
      let positive = items[1].number, negative != positive
    else { throw p.invalid("classes", "must be an array of two different labels, as in [3, 8]") }
    let scale = p.real("scale")
    let kept = table.rows.filter { $0[label] == negative || $0[label] == positive }
    guard !kept.isEmpty else { throw p.invalid("classes", "\(file) has no row with either label") }
    return (
      kept.map { row in row.indices.filter { $0 != label }.map { row[$0] / scale } },
      kept.map { $0[label] == positive ? 1 : -1 }
    )
  }
}
