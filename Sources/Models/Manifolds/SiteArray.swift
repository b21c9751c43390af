import Experiments
import Kernels
import Randomness

/// The sites of a replica, the fields at them and the noise that moves them. Moves work on it batch by batch.
package final class SiteArray {
  package let system: any ManifoldSystem
  package let manifold: any Manifold
  package let sites, rowLength, width: Int
  /// May change from step to step, as in annealing.
  package var inverseTemperature: Double
  package let stepSize: Double
  package let noise: Noise
  /// Rows of the sites and of their fields.
  package private(set) var x: UnsafeMutablePointer<Double>
  package private(set) var fields: UnsafeMutablePointer<Double>
  /// Whether `fields` are those of `x`.
  package var hasFields = false
  /// Proposals accepted and made since the counters were read.
  package var accepted = 0
  package var tried = 0
  /// First site that was not finite after a move.
  package private(set) var badSite: Int?

  /// Lanes for a batch.
  package let point, vector, force, room: LaneBlock
  private let order: UnsafeMutablePointer<Int32>
  /// Sites that do not feel each other, in batches: places in `order`.
  private var colours: [Range<Int>] = []
  private let natural: UnsafeMutablePointer<Int32>

  package init(
    _ system: any ManifoldSystem, inverseTemperature: Double, stepSize: Double, key: UInt64, replica: UInt64
  ) {
    self.system = system
    manifold = system.manifold
    sites = system.sites
    rowLength = system.rowLength
    width = manifold.width
    self.inverseTemperature = inverseTemperature
    self.stepSize = stepSize
    noise = Noise(key: key, replica: replica)
    x = .allocateZeros(sites * rowLength)
    fields = .allocateZeros(sites * rowLength)
    point = .allocateZeros(Lanes.width * manifold.width)
    vector = .allocateZeros(Lanes.width * manifold.width)
    force = .allocateZeros(Lanes.width * manifold.width)
    room = .allocateZeros(Lanes.width * manifold.roomLength)
    natural = .allocate(capacity: sites)
    order = .allocate(capacity: sites)
    for i in 0..<sites { natural[i] = Int32(i) }
    colourSites()
  }

  deinit {
    for memory in [x, fields, point, vector, force, room] { memory.deallocate() }
    natural.deallocate()
    order.deallocate()
  }

  /// Greedy colours, vertex after vertex; then the sites of a colour in batches.
  private func colourSites() {
    var colour = Array(repeating: -1, count: sites)
    var most = 0
    for i in 0..<sites {
      let taken = Set(system.neighbours(of: i).map { colour[$0] })
      colour[i] = (0...).first { !taken.contains($0) }!
      most = max(most, colour[i])
    }
    var members = Array(repeating: [Int32](), count: most + 1)
    for i in 0..<sites { members[colour[i]].append(Int32(i)) }
    var next = 0
    for group in members {
      for start in stride(from: 0, to: group.count, by: Lanes.width) {
        let batch = group[start..<min(start + Lanes.width, group.count)]
        colours.append(next..<next + batch.count)
        for site in batch {
          order[next] = site
          next += 1
        }
      }
    }
  }

  /// Batches of all sites in their order.
  @inline(__always)
  package func forEachBatch(_ body: (SiteBatch) -> Void) {
    var start = 0
    while start < sites {
      let count = min(Lanes.width, sites &- start)
      body(SiteBatch(sites: natural + start, count: count))
      start &+= count
    }
  }

  /// Batches of sites that do not feel each other, colour after colour.
  @inline(__always)
  package func forEachIndependentBatch(_ body: (SiteBatch) -> Void) {
    for range in colours { body(SiteBatch(sites: order + range.lowerBound, count: range.count)) }
  }

  /// Rows of a batch to lanes.
  @inline(__always)
  package func load(_ batch: SiteBatch, _ rows: UnsafePointer<Double>, to lanes: LaneBlock) {
    let (length, width) = (rowLength, width)
    for i in 0..<batch.count {
      let row = rows + Int(batch.sites[i]) &* length
      for c in 0..<width { lanes[c &* Lanes.width &+ i] = row[c] }
    }
  }

  /// Lanes to the rows of a batch.
  @inline(__always)
  package func store(_ lanes: LaneBlock, _ batch: SiteBatch, to rows: UnsafeMutablePointer<Double>) {
    let (length, width) = (rowLength, width)
    for i in 0..<batch.count {
      let row = rows + Int(batch.sites[i]) &* length
      for c in 0..<width { row[c] = lanes[c &* Lanes.width &+ i] }
    }
  }

  /// Puts new points of a batch in their places.
  package func place(_ lanes: LaneBlock, _ batch: SiteBatch) {
    store(lanes, batch, to: x)
    check(lanes, batch)
  }

  /// Remembers the first site that is not finite.
  package func check(_ lanes: LaneBlock, _ batch: SiteBatch) {
    var mark = 0.0
    for i in 0..<batch.count { mark += lanes[i] * 0 }
    if mark == 0 || badSite != nil { return }
    badSite = (0..<batch.count).first { !lanes[$0].isFinite }.map { Int(batch.sites[$0]) }
  }

  /// The fields of all sites, where they are not known.
  package func evaluate() {
    if hasFields { return }
    evaluate(at: x, into: fields)
    hasFields = true
  }

  package func evaluate(at x: UnsafePointer<Double>, into rows: UnsafeMutablePointer<Double>) {
    forEachBatch { batch in system.fields(batch, x, to: rows + Int(batch.sites[0]) &* rowLength) }
  }

  /// H, given the fields.
  package func energy(_ x: UnsafePointer<Double>, _ fields: UnsafePointer<Double>) -> Double {
    var total = 0.0
    forEachBatch { batch in
      load(batch, x, to: point)
      load(batch, fields, to: vector)
      laneProducts(point, vector, width, batch.count, into: room)
      for i in 0..<batch.count { total += room[i] }
    }
    return total / Double(system.degree)
  }

  /// Every site uniform and independent of the others.
  package func drawUniform() {
    forEachBatch { batch in
      fillNormals(point, width, batch.count, noise)
      manifold.normalise(point, batch.count, room: room)
      place(point, batch)
    }
    hasFields = false
  }

  /// Exchanges the sites and fields with others, of the same number.
  package func swap(with places: inout UnsafeMutablePointer<Double>, _ others: inout UnsafeMutablePointer<Double>) {
    Swift.swap(&x, &places)
    Swift.swap(&fields, &others)
  }

  // MARK: - Suspension

  package func encode(to encoder: inout StateEncoder) {
    encoder.add("sites", Array(UnsafeBufferPointer(start: x, count: sites * rowLength)))
    noise.encode(to: &encoder)
    encoder.add("counters", [Int64(accepted), Int64(tried)])
  }

  package func restore(from decoder: StateDecoder) throws {
    for (i, value) in try decoder.doubles("sites", count: sites * rowLength).enumerated() { x[i] = value }
    try noise.restore(from: decoder)
    let counters = try decoder.integers("counters", count: 2)
    guard counters[0] >= 0, counters[1] >= counters[0] else { throw decoder.unfit("counters") }
    (accepted, tried) = (Int(counters[0]), Int(counters[1]))
    hasFields = false
  }
}
