import CTarget
import Kernels
import Randomness

/// Eight self-repellent walks side by side: a step of one waits for its neighbours' weights, the law of the step and the next row of the chain, one after the other, and the CPU works on another meanwhile.
///
/// Every walk makes the steps that it makes alone (`BaseChain.Moves.step`), to the last bit. Longer rows than a walk's own are filled with moves of weight 0, so a graph whose degrees differ much gains nothing
/// (`SelfRepellentWalk.together`).
package final class WalkLanes {
  package static let count = 8
  /// Steps whose words are drawn at once.
  static let block = 64
  /// Visits whose powers are kept, and of how many different $1/N\mu$.
  private static let (mostVisits, mostKinds) = (4096, 16)

  /// What a step needs of a vertex.
  private struct Row {
    var first: Int
    var degree: Int32
    /// Which table of powers; -1 for none.
    var kind: Int32
    /// P of all moves, if they are alike.
    var probability: Double
    /// $1/N\mu$.
    var inverse: Double
  }

  private let vertices: Int
  private let rows: UnsafeMutablePointer<Row>
  /// The moves of `BaseChain`; P only where moves are not alike.
  private let columns: UnsafeMutablePointer<Int32>
  private let probabilities: UnsafeMutablePointer<Double>
  /// Whether in each row all moves are alike.
  private let isEven: Bool
  /// Of each walk and vertex: $(x_j/\mu_j)^{-\alpha}$ up to a common factor, and visits.
  let weights, visits: UnsafeMutablePointer<Double>
  private let powers: UnsafeMutablePointer<Double>
  /// Of a step: a number and a sum for each neighbour, walk by walk.
  private let values: UnsafeMutablePointer<Double>
  private let sums: UnsafeMutablePointer<Int64>
  private let words: UnsafeMutablePointer<UInt64>
  /// Of each walk: P of its moves, where they are alike.
  private let chances: UnsafeMutablePointer<Double>
  /// Of each walk: first move, degree, place among the moves.
  private let firsts, degrees, places: UnsafeMutablePointer<Int>
  private let alpha, pseudoVisits: Double

  init(_ walk: SelfRepellentWalk) {
    let (chain, lanes) = (walk.chain, Self.count)
    (alpha, pseudoVisits, vertices) = (walk.alpha, walk.pseudoVisits, chain.count)
    rows = Aligned.allocate(byteCount: vertices * MemoryLayout<Row>.stride).bindMemory(to: Row.self, capacity: vertices)
    columns = Aligned.allocate(byteCount: max(chain.columns.count, 1) * 4).bindMemory(
      to: Int32.self, capacity: max(chain.columns.count, 1))
    columns.initialize(from: chain.columns, count: chain.columns.count)
    var (kinds, isEven) = ([Double](), true)
    for i in 0..<vertices {
      let moves = chain.offsets[i]..<chain.offsets[i + 1]
      let inverse = 1 / (Double(vertices) * chain.target[i])
      var kind = kinds.firstIndex(of: inverse)
      if kind == nil && kinds.count < Self.mostKinds {
        kind = kinds.count
        kinds.append(inverse)
      }
      let probability = chain.probabilities[moves.lowerBound]
      if moves.contains(where: { chain.probabilities[$0] != probability }) { isEven = false }
      (rows + i).initialize(
        to: Row(
          first: moves.lowerBound, degree: Int32(moves.count), kind: Int32(kind ?? -1), probability: probability,
          inverse: inverse))
    }
    self.isEven = isEven
    probabilities = .allocateZeros(isEven ? 0 : chain.probabilities.count)
    if !isEven { probabilities.update(from: chain.probabilities, count: chain.probabilities.count) }
    powers = .allocateZeros(kinds.count * Self.mostVisits)
    for (k, inverse) in kinds.enumerated() {
      for v in 0..<Self.mostVisits {
        powers[k * Self.mostVisits + v] = walk.weight(visits: Double(v), inverse: inverse)
      }
    }
    (weights, visits) = (.allocateZeros(lanes * vertices), .allocateZeros(lanes * vertices))
    let degree = max(1, chain.largestDegree)
    values = .allocateZeros(lanes * degree)
    sums = Aligned.allocate(byteCount: lanes * degree * 8).bindMemory(to: Int64.self, capacity: lanes * degree)
    words = .allocate(capacity: lanes * Self.block)
    words.initialize(repeating: 0, count: lanes * Self.block)
    chances = .allocateZeros(lanes)
    (firsts, degrees, places) = (.allocate(capacity: lanes), .allocate(capacity: lanes), .allocate(capacity: lanes))
  }

  deinit {
    for place in [weights, visits, powers, values, chances, probabilities] { place.deallocate() }
    for place in [firsts, degrees, places] { place.deallocate() }
    sums.deallocate()
    rows.deallocate()
    columns.deallocate()
    words.deallocate()
  }

  func start() {
    visits.update(repeating: 0, count: Self.count * vertices)
    weights.update(repeating: Elementary.power(pseudoVisits, -alpha), count: Self.count * vertices)
  }

  /// Makes so many steps of each walk; those without a stream go along.
  func walk(
    _ steps: Int, _ at: UnsafeMutablePointer<Int>, _ streams: UnsafeMutablePointer<Stream>, _ count: Int
  ) {
    var left = steps
    while left > 0 {
      let size = min(left, Self.block)
      for l in 0..<count { streams[l].words(size, into: words + l &* Self.block) }
      for s in 0..<size {
        if isEven { step(s, at, isEven: true) } else { step(s, at, isEven: false) }
      }
      left &-= size
    }
  }

  @inline(__always)
  private func step(_ s: Int, _ at: UnsafeMutablePointer<Int>, isEven: Bool) {
    let lanes = Self.count
    for l in 0..<lanes {
      let row = rows[at[l]]
      (firsts[l], degrees[l], chances[l]) = (row.first, Int(row.degree), row.probability)
    }
    ctarget_choose(
      columns, isEven ? nil : probabilities, weights, vertices, firsts, degrees, chances, words + s, Self.block, values,
      sums, places)
    for l in 0..<lanes {
      let j = Int(columns[firsts[l] &+ places[l]])
      at[l] = j
      let place = l &* vertices &+ j
      let many = visits[place] + 1
      visits[place] = many
      if alpha == 0 { continue }
      let row = rows[j]
      weights[place] =
        row.kind >= 0 && many < Double(Self.mostVisits)
        ? powers[Int(row.kind) &* Self.mostVisits &+ Int(truncatingIfNeeded: Int32(many))]
        : Elementary.power(pseudoVisits.addingProduct(many, row.inverse), -alpha)
    }
  }
}
