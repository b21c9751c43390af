/// A set of draw indices as sorted, disjoint, non-adjacent half-open intervals.
public struct IntervalSet: Sendable, Equatable {
  public private(set) var intervals: [Range<UInt64>]

  public init() { intervals = [] }

  public init(_ range: Range<UInt64>) { intervals = range.isEmpty ? [] : [range] }

  /// From intervals in any order; nil if two of them overlap or one is empty.
  public init?(disjoint ranges: [Range<UInt64>]) {
    self.init()
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      guard !range.isEmpty, range.lowerBound >= (intervals.last?.upperBound ?? 0) else { return nil }
      insert(range)
    }
  }

  public var count: UInt64 { intervals.reduce(0) { $0 + UInt64($1.count) } }
  public var isEmpty: Bool { intervals.isEmpty }

  /// Adds an interval; overlaps are united.
  public mutating func insert(_ range: Range<UInt64>) {
    guard !range.isEmpty else { return }
    var merged = range
    var result: [Range<UInt64>] = []
    var placed = false
    for interval in intervals {
      if interval.upperBound < merged.lowerBound {
        result.append(interval)
      } else if interval.lowerBound > merged.upperBound {
        if !placed {
          result.append(merged)
          placed = true
        }
        result.append(interval)
      } else {
        merged =
          min(merged.lowerBound, interval.lowerBound)..<max(merged.upperBound, interval.upperBound)
      }
    }
    if !placed { result.append(merged) }
    intervals = result
  }

  public mutating func formUnion(_ other: IntervalSet) {
    for interval in other.intervals { insert(interval) }
  }

  /// The part of `0 ..< end` that is not in the set.
  public func complement(upTo end: UInt64) -> IntervalSet {
    var result = IntervalSet()
    var cursor: UInt64 = 0
    for interval in intervals {
      if cursor >= end { break }
      if interval.lowerBound > cursor {
        result.intervals.append(cursor..<min(interval.lowerBound, end))
      }
      cursor = interval.upperBound
    }
    if cursor < end { result.intervals.append(cursor..<end) }
    return result
  }

  /// Removes and returns the first `count` indices.
  public mutating func takeFirst(_ count: UInt64) -> [Range<UInt64>] {
    var left = count
    var taken: [Range<UInt64>] = []
    var index = 0
    while left > 0, index < intervals.count {
      let interval = intervals[index]
      let size = UInt64(interval.count)
      if size <= left {
        taken.append(interval)
        left -= size
        index += 1
      } else {
        taken.append(interval.lowerBound..<interval.lowerBound + left)
        intervals[index] = (interval.lowerBound + left)..<interval.upperBound
        left = 0
      }
    }
    intervals.removeFirst(index)
    return taken
  }

  public func contains(_ value: UInt64) -> Bool { intervals.contains { $0.contains(value) } }

  public func overlaps(_ other: IntervalSet) -> Bool {
    var union = self
    union.formUnion(other)
    return union.count != count + other.count
  }
}
