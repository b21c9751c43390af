import Analyses
import Experiments

/// The stable JSON format of docs/json.md.
package struct ReportDocument: Encodable {
  static let schema = "fathom-report/2"
  let snapshot: Snapshot
  let tables: ResultTables
  let digest: String

  enum Key: String, CodingKey {
    case schema, title, seed, digest, cases, diagnostics, bias, orders, remainders, exponents, trends, transfers,
      health, claims
    case finiteSize = "finite_size"
    case notExtrapolated = "not_extrapolated"
    case streamVersion = "stream_version"
  }

  package func encode(to encoder: any Encoder) throws {
    var box = encoder.container(keyedBy: Key.self)
    try box.encode(Self.schema, forKey: .schema)
    try box.encode(snapshot.job.title, forKey: .title)
    try box.encode(String(snapshot.job.seed), forKey: .seed)
    try box.encode(snapshot.job.streamVersion, forKey: .streamVersion)
    try box.encode(digest, forKey: .digest)
    try box.encode(
      snapshot.job.cases.map { CaseDocument(item: $0, snapshot: snapshot, tables: tables) }, forKey: .cases)
    let scaling = tables.groups("scaling")
    func groups(_ kind: String) -> [GroupDocument] {
      scaling.filter { $0[0].text("kind") == kind }.map { GroupDocument(tables: $0) }
    }
    try box.encode(groups("sizes"), forKey: .finiteSize)
    try box.encode(groups("orders"), forKey: .orders)
    try box.encode(groups("remainders"), forKey: .remainders)
    try box.encode(groups("refinements"), forKey: .bias)
    try box.encode(groups("none"), forKey: .notExtrapolated)
    try box.encode(
      tables.groups("diagnostics").map { GroupDocument(tables: $0, lists: ["marginals"]) }, forKey: .diagnostics)
    try box.encode(tables.groups("transfer").map { GroupDocument(tables: $0) }, forKey: .transfers)
    try box.encode(tables.groups("trend").map { GroupDocument(tables: $0) }, forKey: .trends)
    let claims = tables.groups("claims")
    if !claims.isEmpty { try box.encode(claims.map { GroupDocument(tables: [$0[0]]) }, forKey: .claims) }
    let laws = tables.groups(DepthLaws.group)
    if !laws.isEmpty { try box.encode(laws.map { GroupDocument(tables: $0) }, forKey: .exponents) }
    try box.encode(tables.groups("health").map { GroupDocument(tables: $0) }, forKey: .health)
  }
}

private struct CaseDocument: Encodable {
  let item: Case
  let snapshot: Snapshot
  let tables: ResultTables

  enum Key: String, CodingKey {
    case label, swept, legs, comparisons, estimands
  }

  package func encode(to encoder: any Encoder) throws {
    var box = encoder.container(keyedBy: Key.self)
    try box.encode(item.label, forKey: .label)
    try box.encode(item.swept.mapValues(SweptValue.init), forKey: .swept)
    let legs = item.legs.map {
      LegDocument(leg: $0, state: snapshot.state(item.path(of: $0)), tables: tables.tables(of: item, $0))
    }
    try box.encode(legs, forKey: .legs)
    try box.encode(
      tables.groups("comparison").filter { $0[0].text("case") == item.label }.map { GroupDocument(tables: $0) },
      forKey: .comparisons)
    let estimands = tables.groups("estimands").filter { $0[0].text("case") == item.label }
    if !estimands.isEmpty { try box.encode(estimands.map { GroupDocument(tables: $0) }, forKey: .estimands) }
  }
}

/// A number, a truth value or a text, from what TOML would write; arrays and tables stay as that.
private struct SweptValue: Encodable {
  let text: String

  package func encode(to encoder: any Encoder) throws {
    var box = encoder.singleValueContainer()
    if let integer = Int64(text) {
      try box.encode(integer)
    } else if let number = Double(text), number.isFinite {
      try box.encode(number)
    } else if let flag = Bool(text) {
      try box.encode(flag)
    } else if text.count >= 2, text.hasPrefix("\""), text.hasSuffix("\"") {
      let inner = String(text.dropFirst().dropLast())
      try box.encode(inner.replacing("\\\"", with: "\"").replacing("\\\\", with: "\\"))
    } else {
      try box.encode(text)
    }
  }
}

private struct LegDocument: Encodable {
  let leg: Leg
  let state: LegState?
  let tables: [Table]

  enum Key: String, CodingKey {
    case name, role, attributes, draws, observables, axis
    case drawsAsked = "draws_asked"
    case drawsOverflowed = "draws_overflowed"
    case drawsUnderflowed = "draws_underflowed"
  }

  package func encode(to encoder: any Encoder) throws {
    var box = encoder.container(keyedBy: Key.self)
    try box.encode(leg.name, forKey: .name)
    try box.encode(leg.role.rawValue, forKey: .role)
    try box.encode(leg.attributes, forKey: .attributes)
    try box.encode(leg.axis.name, forKey: .axis)
    try box.encode(leg.draws, forKey: .drawsAsked)
    if let tally = state?.tally {
      try box.encode(tally.counter(.draws), forKey: .draws)
      try box.encode(tally.counter(.overflowed), forKey: .drawsOverflowed)
      try box.encode(tally.counter(.underflowed), forKey: .drawsUnderflowed)
    }
    guard state != nil || leg.known != nil else { return }
    let columns = tables.flatMap(\.columns)
    let levels = tables.lazy.compactMap { $0[column: "quantile_level"] }.first
    try box.encode(
      (0..<leg.schema.width).map { ObservableDocument(leg: leg, columns: columns, levels: levels, index: $0) },
      forKey: .observables)
  }
}

/// One observable at one point of the axis.
private struct ObservableDocument: Encodable {
  let leg: Leg
  let columns: [Table.Column]
  let levels: Table.Column?
  let index: Int

  package func encode(to encoder: any Encoder) throws {
    var box = encoder.container(keyedBy: JSONWriter.Name.self)
    let observable = leg.observables[index % leg.observables.count]
    let record = leg.axis.values[index / leg.observables.count]
    try box.encode(observable.name, forKey: .init("name"))
    try box.encode(observable.family, forKey: .init("family"))
    try box.encode(observable.indices, forKey: .init("indices"))
    try box.encode(observable.role.rawValue, forKey: .init("role"))
    try box.encode(observable.unit, forKey: .init("unit"))
    try box.encode(record, forKey: .init("layer"))
    try box.encode(record, forKey: .init(leg.axis.name))
    let axes = [leg.axis.name, "observable"]
    for column in columns where column.axes == axes {
      try box.encode(JSONWriter.Cell(values: column.values, index: index), forKey: .init(column.name))
    }
    guard let levels, let values = columns.first(where: { $0.name == "quantile" }),
      let errors = columns.first(where: { $0.name == "quantile_error" })
    else { return }
    let count = levels.values.count
    try box.encode(
      (0..<count).map { place in
        Quantile(
          level: .init(values: levels.values, index: place),
          value: .init(values: values.values, index: index * count + place),
          error: .init(values: errors.values, index: index * count + place))
      }, forKey: .init("quantiles"))
  }

  private struct Quantile: Encodable {
    let level, value, error: JSONWriter.Cell
    enum CodingKeys: String, CodingKey {
      case level, value
      case error = "standard_error"
    }
  }
}
