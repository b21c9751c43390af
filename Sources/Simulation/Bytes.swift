import Statistics

/// Values in a row of bytes, for messages between ranks of one program.
struct ByteWriter {
  private(set) var bytes: [UInt8] = []

  mutating func add(_ value: Int) { add(UInt64(bitPattern: Int64(value))) }
  mutating func add(_ value: UInt64) { withUnsafeBytes(of: value) { bytes.append(contentsOf: $0) } }

  mutating func add(_ values: [Double]) {
    add(values.count)
    values.withUnsafeBytes { bytes.append(contentsOf: $0) }
  }

  mutating func add(_ values: [Int64]) {
    add(values.count)
    values.withUnsafeBytes { bytes.append(contentsOf: $0) }
  }

  mutating func add(_ text: String) {
    add(text.utf8.count)
    bytes.append(contentsOf: text.utf8)
  }

  mutating func add(_ state: ReplicaState) {
    add(state.replica)
    add(state.step)
    add(state.arrays.count)
    for (name, values) in state.arrays.sorted(by: { $0.key < $1.key }) {
      add(name)
      add(values)
    }
    add(state.shards.count)
    for shard in state.shards {
      add(shard.name)
      add(shard.start)
    }
    add(state.marginals.count)
    for histogram in state.marginals {
      add(histogram.pages.map(Int64.init))
      add(histogram.pages.flatMap { histogram.page($0) })
    }
  }

  mutating func add(_ trajectory: Trajectory?) {
    add(trajectory == nil ? 0 : 1)
    guard let trajectory else { return }
    add(trajectory.steps.map(Int64.init))
    add(trajectory.positions)
    add(trajectory.series)
  }
}

/// Reads what `ByteWriter` wrote, in the same order.
struct ByteReader {
  private let bytes: [UInt8]
  private var cursor = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var isAtEnd: Bool { cursor == bytes.count }

  private mutating func take<T: BitwiseCopyable>(_ count: Int, _ zero: T) -> [T] {
    let length = count * MemoryLayout<T>.stride
    var result = Array(repeating: zero, count: count)
    result.withUnsafeMutableBytes { target in
      bytes.withUnsafeBytes { target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[cursor..<cursor + length])) }
    }
    cursor += length
    return result
  }

  mutating func word() -> UInt64 { take(1, UInt64(0))[0] }
  mutating func integer() -> Int { Int(Int64(bitPattern: word())) }
  mutating func doubles() -> [Double] { take(integer(), 0.0) }
  mutating func integers() -> [Int64] { take(integer(), Int64(0)) }
  mutating func text() -> String { String(decoding: take(integer(), UInt8(0)), as: UTF8.self) }

  mutating func state() -> ReplicaState {
    let replica = word()
    let step = integer()
    var arrays: [String: [Double]] = [:]
    for _ in 0..<integer() {
      let name = text()
      arrays[name] = doubles()
    }
    let shards = (0..<integer()).map { _ in (name: text(), start: integer()) }
    let marginals = (0..<integer()).map { _ in
      var histogram = BitHistogram()
      let pages = integers()
      for (page, counts) in zip(pages, integers().chunked(BitHistogram.pageSize)) {
        histogram.add(page: Int(page), counts: counts)
      }
      return histogram
    }
    return ReplicaState(replica: replica, step: step, arrays: arrays, marginals: marginals, shards: shards)
  }

  mutating func trajectory() -> Trajectory? {
    guard integer() == 1 else { return nil }
    return Trajectory(steps: integers().map(Int.init), positions: doubles(), series: doubles())
  }
}
