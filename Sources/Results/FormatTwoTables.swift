import Archive
import Experiments

extension FormatTwo {
  /// Compares the tables of a file with those that follow from its state, as far as both have them: every dataset of the legs, and of the
  /// comparisons what they measured. Judgements (z, p-values, verdicts) are those of the program that wrote them.
  static func compare(_ tables: ResultTables, _ job: Job, with reader: borrowing ArchiveReader) throws {
    guard try reader.attribute("/", "title") == job.title else { throw unfit("title of /") }
    guard try reader.readStrings("/provenance/job_text") == [job.text] else { throw unfit("/provenance/job_text") }
    guard try reader.readStrings("/provenance/resolved") == job.identity else { throw unfit("/provenance/resolved") }
    // Of methods that have changed since: shown, not compared.
    let judged = ["effective_samples", "split_r_hat"]
    var known: Set<String> = []
    for leg in tables.legs {
      let group = "/cases/\(leg.item.group)/\(leg.leg.name)"
      let newer =
        ["family", "observable_role", "observable_unit", "place", "index"]
        + ResultTables.mixing.filter { !judged.contains($0) }
      for column in leg.tables.flatMap({ $0.axes + $0.columns }) where !newer.contains(column.name) {
        let place = "\(group)/\(column.name)"
        known.insert(place)
        guard !judged.contains(column.name), !isMarginalDistance(column) else { continue }
        guard same(try reader.values(place).values, column.values.stored) else { throw unfit(place) }
      }
      known.formUnion(judged.map { "\(group)/\($0)" })
    }
    for name in try reader.datasets(below: "/cases") where !known.contains(name) { throw unfit(name) }
    try compareComparisons(tables, with: reader)
  }

  /// Rows are matched by observable, layer and statistic: a file of this version may have more of them.
  private static func compareComparisons(_ tables: ResultTables, with reader: borrowing ArchiveReader) throws {
    guard reader.contains("/comparison") else { return }
    let groups = tables.groups("comparison").compactMap(\.first)
    for number in try reader.list("/comparison") {
      let group = "/comparison/\(number)"
      let (item, reference) = (try reader.attribute(group, "case"), try reader.attribute(group, "reference"))
      guard let table = groups.first(where: { $0.text("case") == item && $0.text("reference") == reference }) else {
        throw unfit("reference of \(group)")
      }
      let names = try reader.readStrings("\(group)/observable")
      let statistics = try reader.readStrings("\(group)/statistic")
      let layers = try reader.read("\(group)/layer", as: Double.self).values
      guard statistics.count == names.count, layers.count == names.count else { throw unfit("\(group)/layer") }
      guard case .texts(let newNames)? = table[column: "observable"]?.values,
        case .texts(let newStatistics)? = table[column: "statistic"]?.values,
        let newLayers = table[column: "layer"]?.values
      else { throw unfit(group) }
      var rows: [String: Int] = [:]
      for (row, name) in newNames.enumerated() {
        rows["\(name) \(newStatistics[row]) \(newLayers.number(row) ?? .nan)"] = row
      }
      for column in ["finite", "finite_error", "reference", "reference_error"] {
        let old = try reader.read("\(group)/\(column)", as: Double.self).values
        guard old.count == names.count else { throw unfit("\(group)/\(column)") }
        guard let new = table[column: column]?.values else { continue }
        for (row, value) in old.enumerated() {
          guard let place = rows["\(names[row]) \(statistics[row]) \(layers[row])"] else {
            throw unfit("\(group)/observable")
          }
          guard same(value, new.number(place) ?? .nan) else { throw unfit("\(group)/\(column)") }
        }
      }
    }
  }

  /// W2, KL and entropy were attributes.
  private static func isMarginalDistance(_ column: Table.Column) -> Bool {
    column.axes == ["marginal"] && column.name != "marginal"
  }

  private static func same(_ a: Double, _ b: Double) -> Bool { a == b || (a.isNaN && b.isNaN) }

  /// Axes were integers.
  private static func same(_ file: ArchiveValues, _ made: ArchiveValues) -> Bool {
    switch (file, made) {
    case (.integers(let a), .doubles(let b)): a.count == b.count && zip(a, b).allSatisfy { Double($0) == $1 }
    case (.doubles(let a), .doubles(let b)): a.count == b.count && zip(a, b).allSatisfy { same($0, $1) }
    default: file == made
    }
  }

  private static func unfit(_ name: String) -> ArchiveError {
    ArchiveError("\(name) does not follow from the exact state; forged, or written by another version")
  }
}
