/// Everything that is kept of the draws of one leg: for each observable the power sums to order eight, a
/// histogram and the number of values that were not finite; for each group (the observables of a
/// layer) the sums of products of pairs; and counters. All of it integers, so tallies merge exactly, in any order.
public final class Tally {
  /// What determines the layout: two tallies merge only if their layouts are equal.
  public struct Layout: Sendable, Equatable {
    /// Observables in one group; group g holds observables `g * perGroup ..< (g + 1) * perGroup`.
    public let perGroup: Int
    public let groups: Int
    /// Whether products of pairs are summed.
    public let covariances: Bool
    /// A fixed number near the middle of each observable, subtracted before powers are taken.
    public let centres: [Double]
    /// Pairs of which the joint moments to order four are kept (`jointMoments`), over the draws in which both are finite.
    public let jointPairs: [JointPair]

    public init(
      perGroup: Int, groups: Int, covariances: Bool, centres: [Double], jointPairs: [JointPair] = []
    ) {
      precondition(centres.count == perGroup * groups)
      precondition(
        jointPairs.allSatisfy { pair in
          (0..<groups).contains(pair.group) && pair.i != pair.j
            && [pair.i, pair.j].allSatisfy { (0..<perGroup).contains($0) }
        }, "a joint pair is of two different observables of one group")
      self.perGroup = perGroup
      self.groups = groups
      self.covariances = covariances
      self.centres = centres
      self.jointPairs = jointPairs
    }

    public var observables: Int { perGroup * groups }
    /// Sums for the covariances of one group: of each observable and of each product i < j, over the
    /// draws in which all of the group are finite.
    public var jointSums: Int { covariances ? perGroup * (perGroup + 1) / 2 : 0 }
    /// Sums before those of the joint pairs.
    var sumsBeforePairs: Int { observables * 8 + groups * jointSums }
    public var sums: Int { sumsBeforePairs + jointPairs.count * JointMoments.powers.count }
  }

  /// Two observables of a group, by their places in it.
  public struct JointPair: Sendable, Hashable, Codable {
    public let group, i, j: Int

    public init(group: Int, i: Int, j: Int) {
      self.group = group
      self.i = i
      self.j = j
    }
  }

  /// Indices into `counters`.
  public enum Counter: Int, CaseIterable {
    /// Draws recorded; draws in which something was infinite; in which something was 0 that is positive unless units died or it
    /// left the range of numbers.
    case draws, overflowed, underflowed
  }

  public let layout: Layout
  @usableFromInline let sums: UnsafeMutablePointer<Int64>
  @usableFromInline let deviations: UnsafeMutablePointer<Double>
  @usableFromInline var bins: [BitHistogram]
  public var histograms: [BitHistogram] { bins }
  /// Values that were not finite, for each observable.
  @usableFromInline var notFinite: [Int64]
  /// Draws with a non-finite value in the group: left out of its joint sums.
  @usableFromInline var incomplete: [Int64]
  /// Draws in which one of a joint pair is not finite.
  @usableFromInline var incompletePairs: [Int64]
  @usableFromInline let pairCount: Int
  @usableFromInline var counters: [Int64]
  @usableFromInline var sinceCarry = 0

  public init(layout: Layout) {
    self.layout = layout
    let words = layout.sums * ExactSum.words
    sums = .allocate(capacity: max(words, 1))
    sums.initialize(repeating: 0, count: max(words, 1))
    deviations = .allocate(capacity: max(layout.perGroup, 1))
    bins = Array(repeating: BitHistogram(), count: layout.observables)
    notFinite = Array(repeating: 0, count: layout.observables)
    incomplete = Array(repeating: 0, count: layout.groups)
    pairCount = layout.jointPairs.count
    incompletePairs = Array(repeating: 0, count: pairCount)
    counters = Array(repeating: 0, count: Counter.allCases.count)
  }

  deinit {
    sums.deallocate()
    deviations.deallocate()
  }

  /// Records one draw: `values` holds `layout.observables` numbers.
  @inlinable
  public func record(_ values: UnsafePointer<Double>, overflowed: Bool, underflowed: Bool) {
    counters[0] &+= 1
    if overflowed { counters[1] &+= 1 }
    if underflowed { counters[2] &+= 1 }
    sinceCarry &+= 1
    if sinceCarry == ExactSum.room { carry() }
    let perGroup = layout.perGroup
    let jointSums = sums + layout.observables &* 8 &* 68
    layout.centres.withUnsafeBufferPointer { centres in
      for group in 0..<layout.groups {
        var complete = true
        for i in 0..<perGroup {
          let index = group &* perGroup &+ i
          let x = values[index]
          bins[index].add(x)
          if !x.isFinite {
            notFinite[index] &+= 1
            complete = false
            continue
          }
          let d = x - centres[index]
          deviations[i] = d
          var power = d
          var sum = sums + index &* 8 &* 68
          for _ in 0..<8 {
            ExactSum.add(power, to: sum)
            power *= d
            sum += 68
          }
        }
        guard layout.covariances else { continue }
        guard complete else {
          incomplete[group] &+= 1
          continue
        }
        var sum = jointSums + group &* layout.jointSums &* 68
        for i in 0..<perGroup {
          ExactSum.add(deviations[i], to: sum)
          sum += 68
        }
        for i in 0..<perGroup {
          for j in i &+ 1..<perGroup {
            ExactSum.add(deviations[i] * deviations[j], to: sum)
            sum += 68
          }
        }
      }
    }
    if pairCount > 0 { recordPairs(values) }
  }

  /// Makes all sums canonical, if anything was added since they were.
  @usableFromInline
  func carry() {
    if sinceCarry == 0 { return }
    for i in 0..<layout.sums { ExactSum.carry(sums + i * ExactSum.words) }
    sinceCarry = 0
  }

  public func counter(_ counter: Counter) -> Int64 { counters[counter.rawValue] }

  // MARK: Words in, words out

  /// The sums and counters as canonical words; their number depends on the layout alone.
  public var words: [Int64] {
    get {
      carry()
      return Array(UnsafeBufferPointer(start: sums, count: layout.sums * ExactSum.words))
        + notFinite + incomplete + counters + incompletePairs
    }
    set {
      precondition(newValue.count == wordCount)
      var cursor = layout.sums * ExactSum.words
      for i in 0..<cursor { sums[i] = newValue[i] }
      func take(_ count: Int) -> [Int64] {
        defer { cursor += count }
        return Array(newValue[cursor..<cursor + count])
      }
      notFinite = take(layout.observables)
      incomplete = take(layout.groups)
      counters = take(Counter.allCases.count)
      incompletePairs = take(pairCount)
      sinceCarry = 1
      carry()
    }
  }

  public var wordCount: Int {
    layout.sums * ExactSum.words + layout.observables + layout.groups + Counter.allCases.count + pairCount
  }

  /// The histogram pages present in any observable: `(observable, page)`, ascending.
  public var pages: [(observable: Int, page: Int)] {
    histograms.enumerated().flatMap { entry in
      entry.element.pages.map { (observable: entry.offset, page: $0) }
    }
  }

  /// The counts of the given pages, one after another.
  public func counts(of pages: [(observable: Int, page: Int)]) -> [Int64] {
    pages.flatMap { histograms[$0.observable].page($0.page) }
  }

  /// Adds counts laid out as `counts(of:)` returns them.
  public func add(counts: [Int64], to pages: [(observable: Int, page: Int)]) {
    for (i, entry) in pages.enumerated() {
      let start = i * BitHistogram.pageSize
      bins[entry.observable].add(
        page: entry.page, counts: counts[start..<start + BitHistogram.pageSize])
    }
  }

  /// Adds another tally of the same layout.
  public func merge(_ other: Tally) {
    precondition(layout == other.layout, "tallies of different layouts")
    let mine = words
    words = zip(mine, other.words).map { $0 &+ $1 }
    let present = other.pages
    add(counts: other.counts(of: present), to: present)
  }
}

extension Tally {
  /// Values of an observable that were not finite.
  public func notFiniteCount(_ observable: Int) -> Int64 { notFinite[observable] }

  /// Draws that its covariances leave out, because some observable of the group is not finite in them.
  public func incompleteCount(group: Int) -> Int64 { incomplete[group] }

  /// The covariance matrix of a group, row by row (`perGroup` squared numbers); NaN off the diagonal without joint sums.
  public func covariance(group: Int) -> [Double] {
    carry()
    let k = layout.perGroup
    var result = Array(repeating: Double.nan, count: k * k)
    let moments = (0..<k).map { self.moments(group * k + $0) }
    for i in 0..<k { result[i * k + i] = moments[i].variance }
    guard layout.covariances else { return result }
    let n = Double(counter(.draws) - incomplete[group])
    var sum = sums + (layout.observables * 8 + group * layout.jointSums) * ExactSum.words
    let shifts = (0..<k).map { ExactSum.value(sum + $0 * ExactSum.words) / n }
    let exponents = moments.map { Moments.exponent($0.standardDeviation) }
    sum += k * ExactSum.words
    for i in 0..<k {
      for j in i + 1..<k {
        let isHeld = Self.isHeld(exponents[i] + exponents[j])
        let value = !isHeld ? .nan : (ExactSum.value(sum) / n - shifts[i] * shifts[j]) * n / (n - 1)
        result[i * k + j] = value
        result[j * k + i] = value
        sum += ExactSum.words
      }
    }
    return result
  }
}
