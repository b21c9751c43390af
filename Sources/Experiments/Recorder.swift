import Statistics

/// What is kept of the draws of one leg, attached from outside: recorders of two runs merge, and are coded into checkpoints.
public protocol Recorder {
  /// Adds what another run kept; they share no draw.
  mutating func merge(_ other: Self)
  func encode(to encoder: inout StateEncoder)
  /// The tables that people read.
  func tables(_ leg: Leg, group: String) -> [Table]
}

/// Values of single draws: of every replica of a process, with its diagnostics, or of the first draws of a leg that asks to keep them.
public struct Rows: Recorder, Sendable, Equatable {
  /// Of each observable behind the values of a replica: standard error by batch means, mean of the first and of the second half, mean
  /// variance within the halves.
  public static let diagnostics = ["batch_means_error", "first_half", "second_half", "variance_within"]

  public var values: [UInt64: [Double]] = [:]

  public init(values: [UInt64: [Double]] = [:]) { self.values = values }

  public var isEmpty: Bool { values.isEmpty }
  public var draws: [UInt64] { values.keys.sorted() }

  public mutating func merge(_ other: Rows) { values.merge(other.values) { mine, _ in mine } }

  public func encode(to encoder: inout StateEncoder) {
    let order = draws
    encoder.add("ids", order)
    encoder.add("rows", order.flatMap { values[$0]! })
  }

  /// - Parameter width: numbers of one row.
  public init(from decoder: StateDecoder, width: Int) throws {
    let ids = try decoder.words("ids")
    let rows = try decoder.doubles("rows", count: ids.count * width)
    guard Set(ids).count == ids.count else { throw decoder.unfit("ids") }
    for (i, id) in ids.enumerated() { values[id] = Array(rows[i * width..<(i + 1) * width]) }
  }

  /// The tally of the rows of replicas: centred at the median of the five with the lowest numbers.
  public func tally(_ layout: (_ centres: [Double]) -> Tally.Layout, width: Int) -> Tally {
    let order = draws
    let pilots = order.prefix(5).map { values[$0]! }
    let centres = (0..<width).map { i -> Double in
      let sorted = pilots.map { $0[i] }.filter(\.isFinite).sorted()
      return sorted.isEmpty ? 0 : sorted[sorted.count / 2]
    }
    let tally = Tally(layout: layout(centres))
    for draw in order {
      values[draw]!.withUnsafeBufferPointer {
        tally.record($0.baseAddress!, overflowed: $0.prefix(width).contains { !$0.isFinite }, underflowed: false)
      }
    }
    return tally
  }

  public func tables(_ leg: Leg, group: String) -> [Table] {
    guard !isEmpty else { return [] }
    let order = draws
    let schema = leg.schema
    let axis = leg.process == nil ? "kept_draw" : "replica"
    var table = Table(group: group)
    table.axes = [
      .init(
        axis, .integers(order.map { Int64($0) }), axes: [axis], leg.process == nil ? "number of the draw" : "replica")
    ]
    table.columns = [
      .init(
        leg.process == nil ? "draw_value" : "replica_value",
        .numbers(order.flatMap { values[$0]!.prefix(schema.width) }),
        axes: [axis, schema.axis.name, "observable"],
        leg.process == nil ? "values of single draws" : "mean over the record, replica by replica")
    ]
    guard leg.process != nil else { return [table] }
    let summaries = [
      "standard error of the mean over the run, by batch means", "mean over the first half of the run",
      "mean over the second half of the run", "variance of the series within the halves",
    ]
    for (kind, name) in Rows.diagnostics.enumerated() {
      let column = order.flatMap { id in
        schema.observables.indices.map { values[id]![schema.width + $0 * Rows.diagnostics.count + kind] }
      }
      table.columns.append(.init(name, .numbers(column), axes: [axis, "observable"], summaries[kind]))
    }
    return [table]
  }
}

/// One-particle laws of a process, counted in folds: a fold is a piece of time, moved on from replica to replica, so that errors can be had by
/// leaving one out.
public struct Histograms: Recorder, Sendable {
  public static let folds = 8
  static let bins = 80

  /// Marginal by marginal, `folds` each.
  public var folded: [BitHistogram]

  public init(marginals: Int) { folded = Array(repeating: BitHistogram(), count: marginals * Self.folds) }

  public func folds(of marginal: Int) -> [BitHistogram] {
    Array(folded[marginal * Self.folds..<(marginal + 1) * Self.folds])
  }

  public mutating func merge(_ other: Histograms) {
    for (i, histogram) in other.folded.enumerated() { folded[i].merge(histogram) }
  }

  public func encode(to encoder: inout StateEncoder) { encoder.add("marginals", folded) }

  public init(from decoder: StateDecoder, marginals: Int) throws {
    folded = try decoder.histograms("marginals", number: marginals * Self.folds)
  }

  public func tables(_ leg: Leg, group: String) -> [Table] {
    let names = leg.process?.marginals ?? []
    guard !names.isEmpty else { return [] }
    var edges: [Double] = []
    var densities: [Double] = []
    for index in names.indices {
      var whole = BitHistogram()
      for fold in folds(of: index) { whole.merge(fold) }
      let ends = whole.quantiles([0.0005, 0.9995])
      let density = whole.density(from: ends[0].value, to: ends[1].value, bins: Self.bins)
      edges += density.edges
      densities += density.values
    }
    var table = Table(group: group)
    table.axes = [.init("marginal", .texts(names), axes: ["marginal"], "coordinate of a particle")]
    table.columns = [
      .init(
        "marginal_edge", .numbers(edges), axes: ["marginal", "edge"], "borders of the bins of the one-particle law"),
      .init(
        "marginal_density", .numbers(densities), axes: ["marginal", "bin"],
        "density of the one-particle law, over time and replicas"),
    ]
    return [table]
  }
}

/// Positions of chosen particles, and numbers of the whole system, frame by frame.
public struct Trajectory: Sendable, Equatable {
  /// Step of each frame.
  public var steps: [Int] = []
  /// frames x particles x (dimension + 1): coordinates and potential.
  public var positions: [Double] = []
  /// frames x observables: their values at the frame.
  public var series: [Double] = []

  public init(steps: [Int] = [], positions: [Double] = [], series: [Double] = []) {
    self.steps = steps
    self.positions = positions
    self.series = series
  }

  public func encode(to encoder: inout StateEncoder) {
    encoder.add("steps", steps.map(Int64.init))
    encoder.add("positions", positions)
    encoder.add("series", series)
  }

  public init(from decoder: StateDecoder) throws {
    steps = try decoder.integers("steps").map { Int($0) }
    positions = try decoder.doubles("positions")
    series = try decoder.doubles("series")
  }
}

/// Trajectories of the replicas of a process. Programs of the field read them by tables of their own (H5MD, ArviZ).
public struct Trajectories: Recorder, Sendable {
  public var replicas: [UInt64: Trajectory] = [:]

  public init() {}

  public var isEmpty: Bool { replicas.isEmpty }

  public mutating func merge(_ other: Trajectories) { replicas.merge(other.replicas) { mine, _ in mine } }

  public func encode(to encoder: inout StateEncoder) {
    for (id, trajectory) in replicas.sorted(by: { $0.key < $1.key }) {
      encoder.nest("trajectories/\(id)") { trajectory.encode(to: &$0) }
    }
  }

  public init(from decoder: StateDecoder, _ leg: Leg) throws {
    let width = leg.process?.frame?.width ?? 0
    let all = decoder.nested("trajectories")
    for name in all.names {
      guard let id = UInt64(name) else { throw decoder.unfit("trajectories") }
      let trajectory = try Trajectory(from: all.nested(name))
      guard trajectory.steps == replicas.first?.value.steps ?? trajectory.steps,
        trajectory.series.count == trajectory.steps.count * leg.schema.observables.count,
        [0, trajectory.steps.count * width].contains(trajectory.positions.count)
      else { throw all.unfit(name) }
      replicas[id] = trajectory
    }
  }

  public func tables(_ leg: Leg, group: String) -> [Table] { [] }
}

extension BitHistogram {
  public mutating func merge(_ other: BitHistogram) {
    for page in other.pages { add(page: page, counts: other.page(page)) }
  }
}

extension Collectives {
  /// Pages of histograms that any rank has, so that all lay out the same ones.
  public func union(pages: [(observable: Int, page: Int)], of histograms: Int) throws -> [(observable: Int, page: Int)]
  {
    var present = Array(repeating: Int64(0), count: histograms * BitHistogram.pageCount / 64)
    for entry in pages {
      let bit = entry.observable * BitHistogram.pageCount + entry.page
      present[bit / 64] |= 1 << Int64(bit % 64)
    }
    present = try bitwiseOr(present)
    var result: [(observable: Int, page: Int)] = []
    for (index, word) in present.enumerated() where word != 0 {
      for bit in 0..<64 where word >> Int64(bit) & 1 == 1 {
        let position = index * 64 + bit
        result.append((position / BitHistogram.pageCount, position % BitHistogram.pageCount))
      }
    }
    return result
  }

  /// The sums of the histograms of all ranks, on rank 0; elsewhere their content is undefined.
  public func joinedOnRoot(_ histograms: [BitHistogram]) throws -> [BitHistogram] {
    let mine = histograms.enumerated().flatMap { entry in
      entry.element.pages.map { (observable: entry.offset, page: $0) }
    }
    let pages = try union(pages: mine, of: histograms.count)
    let counts = try sumToRoot(pages.flatMap { histograms[$0.observable].page($0.page) })
    var result = Array(repeating: BitHistogram(), count: histograms.count)
    for (i, entry) in pages.enumerated() {
      let start = i * BitHistogram.pageSize
      result[entry.observable].add(page: entry.page, counts: counts[start..<start + BitHistogram.pageSize])
    }
    return result
  }
}
