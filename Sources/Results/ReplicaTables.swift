import Archive
import Simulation
import Statistics

/// The replicas of particle systems in the result file: the exact state, and tables for people.
enum ReplicaTables {
  // MARK: State

  static func writeState(_ record: ReplicaRecord, group: String, to writer: inout ArchiveWriter) throws {
    try writer.makeGroup(group)
    let order = record.rows.keys.sorted()
    let width = order.first.map { record.rows[$0]!.count } ?? 0
    try writer.write("\(group)/ids", shape: [order.count], order)
    try writer.write("\(group)/rows", shape: [order.count, width], order.flatMap { record.rows[$0]! })
    try write(record.marginals, group: group, to: &writer)
    for (index, state) in record.inFlight.enumerated() {
      let place = "\(group)/begun/\(index)"
      try writer.makeGroup(place)
      try writer.write("\(place)/replica", shape: [1], [state.replica])
      try writer.write("\(place)/step", shape: [1], [Int64(state.step)])
      try write(state.marginals, group: place, to: &writer)
      try writer.write("\(place)/shards", strings: state.shards.map(\.name))
      try writer.write("\(place)/shard_starts", shape: [state.shards.count], state.shards.map { Int64($0.start) })
      try writer.makeGroup("\(place)/arrays")
      for (name, values) in state.arrays.sorted(by: { $0.key < $1.key }) {
        try writer.write("\(place)/arrays/\(name)", shape: [values.count], values)
      }
    }
    for (id, trajectory) in record.trajectories.sorted(by: { $0.key < $1.key }) {
      let place = "\(group)/trajectories/\(id)"
      try writer.makeGroup(place)
      try writer.write("\(place)/steps", shape: [trajectory.steps.count], trajectory.steps.map(Int64.init))
      try writer.write("\(place)/positions", shape: [trajectory.positions.count], trajectory.positions)
      try writer.write("\(place)/series", shape: [trajectory.series.count], trajectory.series)
    }
  }

  private static func write(_ histograms: [BitHistogram], group: String, to writer: inout ArchiveWriter) throws {
    let pages = histograms.enumerated().flatMap { entry in entry.element.pages.map { (entry.offset, $0) } }
    try writer.write("\(group)/marginal_count", shape: [1], [Int64(histograms.count)])
    try writer.write(
      "\(group)/marginal_pages", shape: [pages.count, 2], pages.flatMap { [Int64($0.0), Int64($0.1)] })
    try writer.write(
      "\(group)/marginal_counts", shape: [pages.count, BitHistogram.pageSize],
      pages.flatMap { histograms[$0.0].page($0.1) })
  }

  /// `width`: of a replica's row; `observables`: numbers of a frame's series.
  static func readState(
    _ reader: borrowing ArchiveReader, _ group: String, width: Int, observables: Int
  ) throws -> ReplicaRecord {
    func wrong(_ what: String) -> ArchiveError { ArchiveError("\(group)/\(what) does not fit the other tables") }
    var record = ReplicaRecord(marginals: 0)
    record.marginals = try readHistograms(reader, group)
    let ids = try reader.read("\(group)/ids", as: UInt64.self).values
    let rows = try reader.read("\(group)/rows", as: Double.self).values
    guard ids.isEmpty || rows.count == ids.count * width, Set(ids).count == ids.count else { throw wrong("rows") }
    for (i, id) in ids.enumerated() { record.rows[id] = Array(rows[i * width..<(i + 1) * width]) }
    for index in reader.contains("\(group)/begun") ? try reader.list("\(group)/begun") : [] {
      let place = "\(group)/begun/\(index)"
      var arrays: [String: [Double]] = [:]
      for name in try reader.list("\(place)/arrays") {
        arrays[name] = try reader.read("\(place)/arrays/\(name)", as: Double.self).values
      }
      let names = try reader.readStrings("\(place)/shards")
      let starts = try reader.read("\(place)/shard_starts", as: Int64.self).values
      guard names.count == starts.count else { throw wrong("begun") }
      guard let replica = try reader.read("\(place)/replica", as: UInt64.self).values.first, replica < 1 << 63,
        let step = try reader.read("\(place)/step", as: Int64.self).values.first, step >= 0,
        !record.inFlight.contains(where: { $0.replica == replica })
      else { throw wrong("begun") }
      record.inFlight.append(
        ReplicaState(
          replica: replica, step: Int(step), arrays: arrays, marginals: try readHistograms(reader, place),
          shards: zip(names, starts).map { ($0, Int($1)) }))
    }
    record.inFlight.sort { $0.replica < $1.replica }
    for name in reader.contains("\(group)/trajectories") ? try reader.list("\(group)/trajectories") : [] {
      guard let id = UInt64(name) else { throw wrong("trajectories") }
      let place = "\(group)/trajectories/\(name)"
      let trajectory = Trajectory(
        steps: try reader.read("\(place)/steps", as: Int64.self).values.map { Int($0) },
        positions: try reader.read("\(place)/positions", as: Double.self).values,
        series: try reader.read("\(place)/series", as: Double.self).values)
      let other = record.trajectories.first?.value ?? trajectory
      guard trajectory.steps == other.steps,
        trajectory.series.count == trajectory.steps.count * observables,
        trajectory.positions.count % max(trajectory.steps.count, 1) == 0
      else { throw wrong("trajectories") }
      record.trajectories[id] = trajectory
    }
    return record
  }

  private static func readHistograms(_ reader: borrowing ArchiveReader, _ group: String) throws -> [BitHistogram] {
    let pages = try reader.read("\(group)/marginal_pages", as: Int64.self).values
    let counts = try reader.read("\(group)/marginal_counts", as: Int64.self).values
    guard let number = try reader.read("\(group)/marginal_count", as: Int64.self).values.first,
      (0...1024).contains(number),
      pages.count % 2 == 0, counts.count == pages.count / 2 * BitHistogram.pageSize, BitHistogram.areCounts(counts)
    else { throw ArchiveError("\(group)/marginal_pages does not fit the other tables") }
    var result = Array(repeating: BitHistogram(), count: Int(number))
    for i in 0..<pages.count / 2 {
      guard (0..<number).contains(pages[2 * i]), (0..<Int64(BitHistogram.pageCount)).contains(pages[2 * i + 1]) else {
        throw ArchiveError("\(group)/marginal_pages does not fit the other tables")
      }
      let start = i * BitHistogram.pageSize
      result[Int(pages[2 * i])].add(
        page: Int(pages[2 * i + 1]), counts: counts[start..<start + BitHistogram.pageSize])
    }
    return result
  }

  // MARK: Tables

  /// Values of every replica, their diagnostics and the one-particle laws, beside the tables of the leg.
  static func write(
    _ leg: Leg, _ record: ReplicaRecord, _ diagnostics: Diagnostics?, group: String, to writer: inout ArchiveWriter
  ) throws {
    let order = record.rows.keys.sorted()
    guard !order.isEmpty else { return }
    let (count, records) = (leg.observables.count, leg.layers.count)
    try writer.write("\(group)/replica", shape: [order.count], order.map { Int64($0) })
    try writer.makeScale("\(group)/replica", name: "replica")
    func table(_ name: String, _ axes: [String], _ shape: [Int], _ values: [Double], _ summary: String) throws {
      try writer.write("\(group)/\(name)", shape: shape, values)
      try writer.attachScales(axes.map { "\(group)/\($0)" }, to: "\(group)/\(name)")
      try writer.setAttribute("\(group)/\(name)", "long_name", summary)
    }
    try table(
      "replica_value", ["replica", leg.axis, "observable"], [order.count, records, count],
      order.flatMap { record.rows[$0]!.prefix(records * count) }, "mean over the record, replica by replica")
    let summaries = [
      "standard error of the mean over the run, by batch means", "mean over the first half of the run",
      "mean over the second half of the run", "variance of the series within the halves",
    ]
    for (kind, name) in ReplicaRecord.diagnostics.enumerated() {
      let values = order.flatMap { id in
        (0..<count).map { record.rows[id]![records * count + $0 * ReplicaRecord.diagnostics.count + kind] }
      }
      try table(name, ["replica", "observable"], [order.count, count], values, summaries[kind])
    }
    if let diagnostics {
      try writer.setAttribute(group, "certificate", diagnostics.sentence)
      try table(
        "effective_samples", ["observable"], [count], diagnostics.rows.map(\.effectiveSamples),
        "effective number of independent values in the series of all replicas")
      try table("split_r_hat", ["observable"], [count], diagnostics.rows.map(\.rHat), "split R-hat over the replicas")
    }
    guard !leg.marginals.isEmpty else { return }
    try writer.write("\(group)/marginal", strings: leg.marginals)
    try writer.makeScale("\(group)/marginal", name: "marginal")
    var edges: [Double] = []
    var densities: [Double] = []
    for index in leg.marginals.indices {
      var whole = BitHistogram()
      for fold in record.marginals[index * ReplicaRecord.folds..<(index + 1) * ReplicaRecord.folds] {
        for page in fold.pages { whole.add(page: page, counts: fold.page(page)) }
      }
      let ends = whole.quantiles([0.0005, 0.9995])
      let density = whole.density(from: ends[0].value, to: ends[1].value, bins: ResultTables.bins)
      edges += density.edges
      densities += density.values
    }
    try table(
      "marginal_edge", ["marginal", "edge"], [leg.marginals.count, ResultTables.bins + 1], edges,
      "borders of the bins of the one-particle law")
    try table(
      "marginal_density", ["marginal", "bin"], [leg.marginals.count, ResultTables.bins], densities,
      "density of the one-particle law, over time and replicas")
    for marginal in diagnostics?.marginals ?? [] {
      let suffix = leg.marginals.count > 1 ? "_" + marginal.name : ""
      for (name, value) in [
        ("w2", marginal.w2), ("w2_error", marginal.w2Error), ("kl", marginal.divergence),
        ("kl_error", marginal.divergenceError), ("entropy", marginal.entropy), ("entropy_error", marginal.entropyError),
      ] { try writer.setAttribute("\(group)/marginal_density", name + suffix, value) }
      if let law = marginal.law { try writer.setAttribute("\(group)/marginal_density", "known_law" + suffix, law) }
    }
  }

  /// `/bias` and `/order`: a group a case or sweep, a row an observable.
  static func write(_ biases: [Bias], _ sweeps: [OrderSweep], to writer: inout ArchiveWriter) throws {
    func rows(_ group: String, _ names: [String], _ columns: [(String, [Double])]) throws {
      try writer.write("\(group)/row", shape: [names.count], names.indices.map(Int64.init))
      try writer.makeScale("\(group)/row", name: "row")
      try writer.write("\(group)/observable", strings: names)
      try writer.attachScales(["\(group)/row"], to: "\(group)/observable")
      for (name, values) in columns {
        try writer.write("\(group)/\(name)", shape: [names.count], values)
        try writer.attachScales(["\(group)/row"], to: "\(group)/\(name)")
      }
    }
    for (index, bias) in biases.enumerated() {
      let group = "/bias/\(index)"
      try writer.makeGroup(group)
      try writer.setAttribute(group, "case", bias.caseLabel)
      try writer.setAttribute(group, "sentence", bias.sentence)
      try writer.setAttribute(group, "step_order", Int64(bias.order))
      let columns: [(String, (Bias.Row) -> Double)] = [
        ("step", { Double($0.record) }), ("value", \.value), ("value_error", \.valueError),
        ("number_bias", \.numberBias), ("number_bias_error", \.numberError), ("step_bias", \.stepBias),
        ("step_bias_error", \.stepError), ("extrapolated", \.extrapolated),
        ("extrapolated_error", \.extrapolatedError), ("reference", \.reference), ("z", \.z),
      ]
      try rows(group, bias.rows.map(\.observable), columns.map { column in (column.0, bias.rows.map(column.1)) })
    }
    for (index, sweep) in sweeps.enumerated() {
      let group = "/order/\(index)"
      try writer.makeGroup(group)
      try writer.setAttribute(group, "label", sweep.label)
      try writer.setAttribute(group, "key", sweep.key)
      let columns: [(String, (PowerFit) -> Double)] = [
        ("order", \.order), ("order_error", \.orderError), ("coefficient", \.coefficient), ("limit", \.limit),
        ("limit_error", \.limitError), ("chi_square", \.chiSquare), ("seen", { $0.isSeen ? 1 : 0 }),
      ]
      try rows(
        group, sweep.rows.map(\.observable), columns.map { column in (column.0, sweep.rows.map { column.1($0.fit) }) })
    }
  }
}
