import Experiments

/// What a table of a job says of a file of rows, read: a leg whose draws are its rows.
package struct SampleLeg {
  package let leg: Leg
  /// One line a key of what decides a draw.
  package let identity: [String]

  static let chain = "chain"

  package static let parameters: [Parameter] = [
    Parameter(
      "file", .text,
      "CSV, HDF5 (.h5, .hdf5: of fathom.samples) or NumPy (.npy) file, a row a draw; relative to the job file"),
    Parameter("rows", .integer(2...Int64.max), optional: true, "number of draws, the first rows; all unless given"),
    Parameter(
      "columns", .structured("an array of names, NAME or NAME@POINT"), optional: true,
      "names of the columns of a file that has none: a NumPy array, or text without a line of names"),
    Parameter(
      "observables", .structured("an array of names"), optional: true,
      "observables of the file that are used; all unless given"),
    Parameter(
      "chains", .structured("true, false or the name of a column"), optional: true,
      "whether the rows come in chains, and which column numbers them; unless given they do if there is a column chain"),
  ]

  /// Another leg of the case, which says what the observables are and where they are measured.
  package struct Partner {
    let name: String
    let schema: Schema

    package init(_ leg: Leg) { self.init(name: leg.name, schema: leg.schema) }

    init(name: String, schema: Schema) {
      self.name = name
      self.schema = schema
    }
  }

  /// - Parameters:
  ///   - p: a checked table of `parameters`.
  ///   - partner: the leg that it is to be compared with, if it is known already.
  package init(
    _ p: Parameters, name: String, role: Leg.Role, partner: Partner?, data: any DataSource
  ) throws {
    let table = try data.samples(SampleRequest(file: p.text("file"), columns: try Self.names(p, "columns")))
    let columns = try SampleColumns(table, p, partner)
    let rows = p["rows"] == nil ? columns.count : p.integer("rows")
    guard rows >= 2, rows <= columns.count else {
      let words = "\(table.path) has \(columns.count) row\(columns.count == 1 ? "" : "s")"
      if p["rows"] != nil { throw p.invalid("rows", "\(words); the nearest is \(max(columns.count, 2))") }
      throw Failure(.badData, "\(words); at least 2 are needed")
    }
    let draw = SampleRows(schema: columns.schema, values: columns.values)
    let used = Array(columns.values.prefix(rows * draw.schema.width))
    let chains = try columns.chains(rows, p)
    var labels = [
      "equation": "rows of a file", "reference": "docs/samples.md", "file": p.text("file"), "sha256": table.digest,
    ]
    if let chains { labels["chains"] = "\(chains.count)" }
    if role != .finite { labels["limit"] = "samples" }
    leg = Leg(
      name: name, role: role, content: .sampled(Experiment(draw), draws: UInt64(rows)), attributes: labels,
      dependence: Dependence(of: used, width: draw.schema.width, chains: chains))
    identity = [
      "\(name).sha256 = \(table.digest)",
      "\(name).columns = " + table.columns.map(\.text).joined(separator: " "),
      "\(name).observables = " + columns.schema.observables.map(\.name).joined(separator: " "),
      "\(name).chains = \(columns.chainColumn ?? "none")",
    ]
  }

  /// The names of a key that holds an array of them.
  static func names(_ p: Parameters, _ key: String) throws -> [String]? {
    guard let value = p[key] else { return nil }
    guard case .list(let items) = value, !items.isEmpty else { throw p.invalid(key, "must be an array of names") }
    let names = try items.map { item in
      guard case .text(let name) = item else { throw p.invalid(key, "must be an array of names") }
      return name
    }
    if let twice = names.first(where: { name in names.filter { $0 == name }.count > 1 }) {
      throw p.invalid(key, "\(twice) is there twice")
    }
    return names
  }
}
