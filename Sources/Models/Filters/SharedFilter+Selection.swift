import Experiments
import Kernels

/// Selection among the particles of all ranks: who is whose child is found by integers, and states move to the ranks of the children.
extension SharedRun {
  private var first: Int { bounds[group.rank] }

  /// Selects systematically by the weights that stand there, with this word.
  package func select(word: UInt64) throws {
    largest = try maximum(logWeights)
    mass = try weigh(logWeights, maximum: largest, into: weights)
    try systematic(weights, try share(mass), word: word)
  }

  /// A rank knows which children its particles have without hearing of others.
  func systematic(_ source: UnsafePointer<UInt64>, _ share: Selection.Share, word: UInt64) throws {
    let children = Selection.systematicChildren(share, children: plan.particles, word: word)
    let chosen = parcels.chosen(children.count)
    Selection.systematic(
      source, own, first: 0, share, children: plan.particles, word: word, into: chosen - children.lowerBound)
    try send(chosen, to: children)
  }

  /// Copies that are certain come first, then children that draw by the fractions.
  func residual(_ source: UnsafePointer<UInt64>, total: UInt64) throws {
    let fractions = parcels.fractions
    var split = Selection.split(source, own, total: total, children: plan.particles, into: fractions)
    var all = try self.total([split.copies, split.fractions])
    if all[1] == 0 {
      // What is left is below 2^-40 of everyone: the first particle takes it.
      all[1] = 1
      if first == 0 && own > 0 { (split.fractions, fractions[0]) = (1, 1) }
    }
    let before = try self.before([split.copies, split.fractions])
    let children = Int(before[0])..<Int(before[0] + split.copies)
    let chosen = parcels.chosen(children.count)
    Selection.copies(
      source, own, first: 0, total: total, before: before[0], children: plan.particles,
      into: chosen - children.lowerBound)
    try send(chosen, to: children)
    table.fill(fractions, own)
    try ask(
      for: min(max(Int(all[0]) - first, 0), own)..<own,
      Selection.Share(before: before[1], own: split.fractions, total: all[1]))
  }

  /// Sends the states of own particles to the ranks of their children, which are in a row.
  /// - Parameter chosen: the number on this rank of each child's ancestor.
  private func send(_ chosen: UnsafePointer<Int32>, to children: Range<Int>) throws {
    var counts = (0..<group.size).map { rank in children.clamped(to: bounds[rank]..<bounds[rank + 1]).count }
    // Children of this rank need no message.
    let mine = children.clamped(to: first..<first + own)
    for k in mine { keep(Int(chosen[k - children.lowerBound]), as: k - first) }
    counts[group.rank] = 0
    guard group.size > 1 else { return }
    let out = parcels.out(children.count - mine.count)
    var place = 0
    for k in children where !mine.contains(k) {
      pack(Int(chosen[k - children.lowerBound]), into: out + place * parcels.width)
      place += 1
    }
    let expected = try group.expected(from: counts)
    let received = try exchange(out, counts, expected, width: parcels.width)
    // Those of the ranks before this one come first; between them and the others lie the children that were kept.
    let lower = expected[..<group.rank].reduce(0, +)
    for i in 0..<expected.reduce(0, +) {
      unpack(received + i * parcels.width, as: i < lower ? i : i + mine.count)
    }
  }

  /// Children of this rank draw their ancestors and ask the ranks that have them.
  /// - Parameter children: numbers on this rank.
  func ask(for children: Range<Int>, _ share: Selection.Share) throws {
    let ends = try group.gatherAllVarying([Int64(bitPattern: share.before &+ share.own)]).map {
      UInt64(bitPattern: $0[0])
    }
    let (owners, pointers, slots) = (parcels.owners, parcels.pointers, parcels.slots)
    var counts = Array(repeating: 0, count: group.size)
    for k in children {
      let pointer = Selection.number(words[k], below: share.total)
      if pointer &- share.before < share.own {
        owners[k] = Int32(truncatingIfNeeded: group.rank)
        keep(table.find(pointer &- share.before), as: k)
        continue
      }
      var owner = 0
      while ends[owner] <= pointer { owner += 1 }
      owners[k] = Int32(truncatingIfNeeded: owner)
      counts[owner] += 1
    }
    guard group.size > 1 else { return }
    var places = [0]
    for count in counts { places.append(places[places.count - 1] + count) }
    let asked = places[group.size]
    for k in children where Int(owners[k]) != group.rank {
      let owner = Int(owners[k])
      let pointer = Selection.number(words[k], below: share.total) &- (owner == 0 ? 0 : ends[owner - 1])
      pointers[places[owner]] = Int64(bitPattern: pointer)
      slots[places[owner]] = Int32(truncatingIfNeeded: k)
      places[owner] += 1
    }
    let expected = try group.expected(from: counts)
    let total = expected.reduce(0, +)
    let questions = try exchange(pointers, counts, expected, width: 1)
    let out = parcels.out(total)
    for i in 0..<total {
      pack(table.find(UInt64(bitPattern: questions[i])), into: out + i * parcels.width)
    }
    let answers = try exchange(out, expected, counts, width: parcels.width)
    for i in 0..<asked { unpack(answers + i * parcels.width, as: Int(slots[i])) }
  }

  private func exchange(
    _ values: UnsafePointer<Int64>, _ counts: [Int], _ expected: [Int], width: Int
  ) throws -> UnsafeMutablePointer<Int64> {
    let received = parcels.received(expected.reduce(0, +) * width)
    try group.exchange(
      values, counts: counts.map { $0 * width }, expected: expected.map { $0 * width }, into: received)
    return received
  }

  @inline(__always)
  private func keep(_ particle: Int, as child: Int) {
    ancestors.copy(child, from: current, particle)
    if parcels.width > current.dimension { logWeights[child] = promises[particle] }
  }

  @inline(__always)
  private func pack(_ particle: Int, into parcel: UnsafeMutablePointer<Int64>) {
    for c in 0..<current.dimension {
      parcel[c] = Int64(bitPattern: current.x[c &* current.stride &+ particle].bitPattern)
    }
    if parcels.width > current.dimension {
      parcel[current.dimension] = Int64(bitPattern: promises[particle].bitPattern)
    }
  }

  @inline(__always)
  private func unpack(_ parcel: UnsafePointer<Int64>, as child: Int) {
    for c in 0..<current.dimension {
      ancestors.x[c &* ancestors.stride &+ child] = Double(bitPattern: UInt64(bitPattern: parcel[c]))
    }
    if parcels.width > current.dimension {
      logWeights[child] = Double(bitPattern: UInt64(bitPattern: parcel[current.dimension]))
    }
  }
}

/// Room for what goes between ranks. How much that is depends on the weights: on one rank may lie all of them, so it grows where it must.
final class Parcels {
  /// Numbers of a state.
  let width: Int
  /// Of the children of this rank.
  let owners, slots: UnsafeMutablePointer<Int32>
  let pointers: UnsafeMutablePointer<Int64>
  let fractions: UnsafeMutablePointer<UInt64>
  private var sent, got: Room<Int64>
  private var ancestors: Room<Int32>

  private struct Room<Element> {
    var base: UnsafeMutablePointer<Element>
    var capacity: Int

    init(_ capacity: Int) {
      base = .allocate(capacity: max(capacity, 1))
      self.capacity = capacity
    }

    mutating func reserve(_ count: Int) -> UnsafeMutablePointer<Element> {
      if count > capacity {
        base.deallocate()
        self = Room(count + count / 4)
      }
      return base
    }
  }

  init(children: Int, width: Int) {
    self.width = width
    let room = max(children, 1)
    (owners, slots) = (.allocate(capacity: room), .allocate(capacity: room))
    (pointers, fractions) = (.allocate(capacity: room), .allocate(capacity: room))
    (sent, got) = (Room(0), Room(0))
    ancestors = Room(2 * children)
  }

  deinit {
    owners.deallocate()
    slots.deallocate()
    pointers.deallocate()
    fractions.deallocate()
    sent.base.deallocate()
    got.base.deallocate()
    ancestors.base.deallocate()
  }

  /// Room for states that go out.
  func out(_ states: Int) -> UnsafeMutablePointer<Int64> { sent.reserve(states * width) }
  /// Room for the numbers that come in.
  func received(_ numbers: Int) -> UnsafeMutablePointer<Int64> { got.reserve(numbers) }
  /// Room for the ancestors of children.
  func chosen(_ children: Int) -> UnsafeMutablePointer<Int32> { ancestors.reserve(children) }
}
