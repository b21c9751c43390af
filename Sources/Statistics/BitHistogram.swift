/// Counts over buckets of the Double bit pattern: sign, exponent and the top eight bits of the
/// mantissa. No range to configure, a relative width of 2^-8, and merging is integer addition.
///
/// One page holds the 256 buckets of a binade; pages appear when first touched. -0 counts as 0.
public struct BitHistogram: Sendable {
  public static let pageSize = 256
  /// Pages: sign and exponent, 12 bits.
  public static let pageCount = 4096

  /// Slot of each page in `counts`, in units of pages; -1 where absent.
  @usableFromInline var slots: [Int32]
  @usableFromInline var counts: [Int64]

  /// Whether these may be counts: none negative, and a sum that 63 bits hold.
  public static func areCounts(_ counts: [Int64]) -> Bool {
    counts.allSatisfy { $0 >= 0 } && counts.reduce(0.0) { $0 + Double($1) } < 0x1p62
  }

  public init() {
    slots = Array(repeating: -1, count: Self.pageCount)
    counts = []
  }

  /// Counts a value (finite or not).
  @inlinable @inline(__always)
  public mutating func add(_ x: Double) {
    let bits = (x + 0).bitPattern
    let page = Int(truncatingIfNeeded: bits &>> 52)
    if slots[page] < 0 { insert(page: page) }
    counts[Int(slots[page]) &* 256 &+ Int(truncatingIfNeeded: (bits &>> 44) & 255)] &+= 1
  }

  @inlinable @inline(never)
  mutating func insert(page: Int) {
    slots[page] = Int32(counts.count / Self.pageSize)
    counts.append(contentsOf: repeatElement(0, count: Self.pageSize))
  }

  /// The pages present, ascending.
  public var pages: [Int] { slots.indices.filter { slots[$0] >= 0 } }

  /// The counts of one page; zeros where it is absent.
  public func page(_ page: Int) -> [Int64] {
    guard slots[page] >= 0 else { return Array(repeating: 0, count: Self.pageSize) }
    let start = Int(slots[page]) * Self.pageSize
    return Array(counts[start..<start + Self.pageSize])
  }

  /// Adds counts to one page.
  @inlinable
  public mutating func add(page: Int, counts added: some RandomAccessCollection<Int64>) {
    precondition(added.count == Self.pageSize)
    if slots[page] < 0 { insert(page: page) }
    let start = Int(slots[page]) * Self.pageSize
    for (i, n) in added.enumerated() { counts[start + i] &+= n }
  }

  /// Non-empty buckets of finite values in ascending order.
  public func buckets() -> [Bucket] {
    var result: [Bucket] = []
    let present = pages
    func append(_ page: Int, reversed: Bool) {
      let base = UInt64(page) << 52
      let counted = self.page(page)
      for j in 0..<Self.pageSize {
        let i = reversed ? Self.pageSize - 1 - j : j
        guard counted[i] != 0 else { continue }
        let near = Double(bitPattern: base | (UInt64(i) << 44))
        let far = Double(bitPattern: (base | (UInt64(i) << 44)) + (1 << 44))
        let limit = far.isFinite ? far : near
        result.append(
          Bucket(lower: min(near, limit), upper: max(near, limit), count: counted[i]))
      }
    }
    for page in present.reversed() where page >= 2048 && page != 4095 { append(page, reversed: true) }
    for page in present where page < 2047 { append(page, reversed: false) }
    return result
  }

  public struct Bucket: Sendable, Equatable {
    public let lower: Double
    public let upper: Double
    public let count: Int64
  }
}

extension BitHistogram {
  /// The quantile at `level` in 0...1, linear within its bucket, with the standard error that the
  /// order statistics `sqrt(level (1 - level) N)` to either side give. NaN for an empty histogram.
  public func quantile(_ level: Double) -> (value: Double, standardError: Double) {
    quantiles([level])[0]
  }

  /// Several quantiles in one pass over the buckets.
  public func quantiles(_ levels: [Double]) -> [(value: Double, standardError: Double)] {
    let buckets = buckets()
    let total = Double(buckets.reduce(0) { $0 + $1.count })
    guard total > 0 else { return levels.map { _ in (.nan, .nan) } }
    var cumulative: [Double] = []
    var running = 0.0
    for bucket in buckets {
      running += Double(bucket.count)
      cumulative.append(running)
    }
    func locate(_ rank: Double) -> Double {
      let target = min(max(rank, 0), total)
      var low = 0
      var high = buckets.count - 1
      while low < high {
        let middle = (low + high) / 2
        if cumulative[middle] < target { low = middle + 1 } else { high = middle }
      }
      let bucket = buckets[low]
      let within = (target - (cumulative[low] - Double(bucket.count))) / Double(bucket.count)
      return bucket.lower + within * (bucket.upper - bucket.lower)
    }
    return levels.map { level in
      let spread = (level * (1 - level) * total).squareRoot()
      return (
        locate(level * total),
        0.5 * (locate(level * total + spread) - locate(level * total - spread))
      )
    }
  }
}
