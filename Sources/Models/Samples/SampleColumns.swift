import Experiments

/// The columns of a file of rows, in the order of a schema.
struct SampleColumns {
  let schema: Schema
  /// Row by row, `schema.width` numbers each.
  let values: [Double]
  let count: Int
  /// Name of the column that numbers the chains, if the rows come in chains.
  let chainColumn: String?
  private let chainIndex: [Double]
  private let path: String

  init(_ table: SampleTable, _ p: Parameters, _ partner: SampleLeg.Partner?) throws {
    let path = table.path
    self.path = path
    count = table.rows
    let width = table.columns.count
    let found = try Self.chainColumn(table, p)
    chainColumn = found.map { table.columns[$0].name }
    chainIndex = found.map { column in (0..<table.rows).map { table.values[$0 * width + column] } } ?? []

    // By observable, in the order of the file: the column at each point.
    var names: [String] = []
    var places: [String: [(point: Double?, column: Int)]] = [:]
    for (index, column) in table.columns.enumerated() where index != found && column.text != SampleLeg.chain {
      if places[column.name] == nil { names.append(column.name) }
      places[column.name, default: []].append((column.point, index))
    }
    if let asked = try SampleLeg.names(p, "observables") {
      if let unknown = asked.first(where: { !names.contains($0) }) {
        throw p.invalid("observables", "\(path) has no \(unknown); \(DataTable.words(for: unknown, among: names))")
      }
      names = names.filter(asked.contains)
    }
    guard !names.isEmpty else { throw Failure(.badData, "\(path): there are no observables") }
    let points = try Self.points(names, places, path)
    let axis = try Self.axis(points, table, partner)
    let observables = try names.map { try Self.observable($0, partner, path) }
    schema = Schema(axis: axis, observables: observables)

    let order = axis.values.indices.flatMap { record in
      names.map { name in
        places[name]!.first { points.isEmpty || $0.point == points[record] }!.column
      }
    }
    var values: [Double] = []
    values.reserveCapacity(order.count * count)
    for row in 0..<count { for column in order { values.append(table.values[row * width + column]) } }
    if found != nil, let bad = values.firstIndex(where: { !$0.isFinite }) {
      throw Failure(
        .badData,
        "\(path): row \(bad / order.count), column \(table.columns[order[bad % order.count]].text) is \(values[bad]): rows of chains must be finite"
      )
    }
    self.values = values
  }

  // MARK: Names

  private static func chainColumn(_ table: SampleTable, _ p: Parameters) throws -> Int? {
    let texts = table.columns.map(\.text)
    let own = texts.firstIndex(of: SampleLeg.chain)
    switch p["chains"] {
    case nil: return own
    case .boolean(false)?: return nil
    case .boolean(true)?:
      guard let own else { throw p.invalid("chains", "\(table.path) has no column \(SampleLeg.chain)") }
      return own
    case .text(let name)?:
      guard let place = texts.firstIndex(of: name) else {
        throw p.invalid("chains", "\(table.path) has no such column; \(DataTable.words(for: name, among: texts))")
      }
      return place
    default: throw p.invalid("chains", "must be true, false or the name of a column")
    }
  }

  /// The points of the axis, the same for all observables; none if the columns have none.
  private static func points(
    _ names: [String], _ places: [String: [(point: Double?, column: Int)]], _ path: String
  ) throws -> [Double] {
    func list(_ points: [Double]) -> String { points.map(Axis.label).joined(separator: ", ") }
    var common: (name: String, points: [Double])?
    for name in names {
      let own = places[name]!
      let points = own.compactMap(\.point).sorted()
      guard points.count == own.count || own.count == 1, Set(points).count == points.count else {
        throw Failure(.badData, "\(path): two columns hold \(name)\(points.isEmpty ? "" : " at one point of the axis")")
      }
      guard let first = common else {
        common = (name, points)
        continue
      }
      guard first.points == points else {
        let missing = Set(first.points).symmetricDifference(points).min()!
        let (has, lacks) = points.contains(missing) ? (name, first.name) : (first.name, name)
        throw Failure(
          .badData,
          "\(path): \(has) has the point \(Axis.label(missing)) of the axis, \(lacks) has \(points.isEmpty || first.points.isEmpty ? "none" : "not"); all observables must have the same points, or name those to be used with observables = […]"
        )
      }
    }
    return common!.points
  }

  private static func axis(_ points: [Double], _ table: SampleTable, _ partner: SampleLeg.Partner?) throws -> Axis {
    func list(_ points: [Double]) -> String {
      points.prefix(12).map(Axis.label).joined(separator: ", ") + (points.count > 12 ? ", …" : "")
    }
    guard let partner else {
      guard !points.isEmpty else {
        return Axis(name: "point", summary: "the only point of rows without an axis", values: [0])
      }
      return Axis(name: table.axis ?? "axis", summary: "points of the axis of the file", values: points)
    }
    let theirs = partner.schema.axis
    // Rows without an axis are of the only point that there is.
    guard !points.isEmpty else {
      guard theirs.count == 1 else {
        throw Failure(
          .badData,
          "\(table.path): its columns say no \(theirs.name), and \(partner.name) is measured at several; name them as in \(table.columns[0].name)@\(Axis.label(theirs.values[0])), with one of \(list(theirs.values))"
        )
      }
      return theirs
    }
    if let name = table.axis, name != "axis", theirs.name != "axis", name != theirs.name {
      throw Failure(
        .badData, "\(table.path): its axis is \(name), that of \(partner.name) is \(theirs.name)")
    }
    if let missing = points.first(where: { !theirs.values.contains($0) }) {
      throw Failure(
        .badData,
        "\(table.path): \(theirs.name) \(Axis.label(missing)) is not measured in \(partner.name), which has \(list(theirs.values))"
      )
    }
    return Axis(name: theirs.name, unit: theirs.unit, summary: theirs.summary, values: points)
  }

  private static func observable(_ name: String, _ partner: SampleLeg.Partner?, _ path: String) throws -> Observable {
    guard let partner else {
      // `V[0,1]`: a family and its indices.
      if let match = name.wholeMatch(of: /([^\[\]]+)\[(\d+(?:,\d+)*)\]/) {
        let indices = match.2.split(separator: ",").compactMap { Int($0) }
        if indices.count <= 16, indices.count == match.2.split(separator: ",").count {
          return Observable(String(match.1), indices, name: name, "a column of the file")
        }
      }
      return Observable(name, name: name, "a column of the file")
    }
    let theirs = partner.schema.observables
    guard let place = partner.schema.place(of: name) else {
      throw Failure(
        .badData,
        "\(path): \(name) is not measured in \(partner.name); \(DataTable.words(for: name, among: theirs.map(\.name))); name those to be used with observables = […]"
      )
    }
    return theirs[place]
  }

  // MARK: Chains

  /// The rows of each chain among the first ones, in their order; nil for rows that are said to be independent.
  func chains(_ rows: Int, _ p: Parameters) throws -> [[Int]]? {
    guard let name = chainColumn else { return nil }
    var members: [Double: [Int]] = [:]
    for row in 0..<rows {
      let number = chainIndex[row]
      guard number.rounded() == number, number.magnitude < 1e15 else {
        throw Failure(.badData, "\(path): row \(row), column \(name) is \(number): chains are numbered by integers")
      }
      members[number, default: []].append(row)
    }
    let numbers = members.keys.sorted()
    if let other = numbers.first(where: { members[$0]!.count != members[numbers[0]]!.count }) {
      let (a, b) = (numbers[0], other)
      let words =
        "chain \(Axis.label(a)) has \(members[a]!.count) rows, chain \(Axis.label(b)) has \(members[b]!.count); chains must be equally long"
      throw p["rows"] != nil ? p.invalid("rows", words) : Failure(.badData, "\(path): \(words)")
    }
    return numbers.map { members[$0]! }
  }
}
