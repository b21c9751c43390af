import Statistics

/// A share of the draws of every leg: parts `first ... last` of `count` equal parts, numbered from 1.
package struct DrawPart: Sendable {
  package let first, last, count: Int

  package static let whole = DrawPart(first: 1, last: 1, count: 1)
  package static let counts = 1...1_000_000

  package init(first: Int, last: Int, count: Int) {
    self.first = first
    self.last = last
    self.count = count
  }

  /// I/K or I-J/K with 1 <= I <= J <= K; nil for anything else.
  package init?(_ text: String) {
    let sides = text.split(separator: "/", omittingEmptySubsequences: false)
    guard sides.count == 2, let count = Int(sides[1]), Self.counts.contains(count) else { return nil }
    let range = sides[0].split(separator: "-", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
    guard range.count <= 2, let first = range.first, let last = range.last, first >= 1, first <= last, last <= count
    else { return nil }
    self.init(first: first, last: last, count: count)
  }

  package var text: String { (first == last ? "\(first)" : "\(first)-\(last)") + "/\(count)" }

  package func range(of draws: UInt64) -> Range<UInt64> {
    func border(_ k: Int) -> UInt64 {
      let (high, low) = draws.multipliedFullWidth(by: UInt64(k))
      return UInt64(count).dividingFullWidth((high, low)).quotient
    }
    return border(first - 1)..<border(last)
  }

  /// Numbers of the parts that some of these draws belong to, of `count` parts of `draws`.
  package static func numbers(of some: IntervalSet, draws: UInt64, count: Int) -> IntervalSet {
    func number(_ draw: UInt64) -> UInt64 {
      // The first part whose upper border is above the draw.
      let (high, low) = (draw + 1).multipliedFullWidth(by: UInt64(count))
      let (quotient, remainder) = draws.dividingFullWidth((high, low))
      return remainder == 0 ? quotient : quotient + 1
    }
    var numbers = IntervalSet()
    for range in some.intervals where range.lowerBound < draws {
      numbers.insert(number(range.lowerBound)..<number(min(range.upperBound, draws) - 1) + 1)
    }
    return numbers
  }
}

extension Snapshot {
  /// Numbers of the parts of the division that have draws here, finished or under way.
  package var partsBegun: IntervalSet {
    numbers { state, _ in
      state.begun.reduce(into: state.done) { $0.insert($1.replica..<$1.replica + 1) }
    }
  }

  /// Numbers of the parts of the division of which draws are missing here.
  package var partsUnfinished: IntervalSet { numbers { state, draws in state.done.complement(upTo: draws) } }

  private func numbers(_ some: (LegState, UInt64) -> IntervalSet) -> IntervalSet {
    zip(job.sampledLegs, states).reduce(into: IntervalSet()) { result, entry in
      let draws = entry.0.leg.draws
      result.formUnion(DrawPart.numbers(of: some(entry.1, draws), draws: draws, count: division))
    }
  }
}

extension IntervalSet {
  /// As people write numbers: `1-2, 4`.
  package var list: String {
    intervals.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound - 1)" }.joined(
      separator: ", ")
  }
}
