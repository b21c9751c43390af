import Experiments
import Kernels
import Randomness

/// How the particles of a species lie on ranks: whole tiles of 256, one after another.
struct MixtureShard {
  let number, tiles, ranks: Int
  /// Particles of this rank.
  let mine: Range<Int>

  init(_ number: Int, rank: Int, of ranks: Int) {
    (self.number, self.ranks) = (number, ranks)
    tiles = (number + Velocities.tile - 1) / Velocities.tile
    mine = Self.border(rank, ranks, tiles, number)..<Self.border(rank + 1, ranks, tiles, number)
  }

  private static func border(_ rank: Int, _ ranks: Int, _ tiles: Int, _ number: Int) -> Int {
    min(tiles * rank / ranks * Velocities.tile, number)
  }

  func border(_ rank: Int) -> Int { Self.border(rank, ranks, tiles, number) }

  /// The rank that a particle lives on: the last one whose first tile, tiles r / ranks, is not behind its own.
  @inline(__always)
  func owner(_ particle: Int) -> Int { ((particle / Velocities.tile + 1) * ranks - 1) / tiles }
}

/// How a pair of two species collides.
struct PairLaw {
  /// $\mu_a$, a not heavier than b.
  let share: Double
  /// $C_{ab} h f$, $\gamma$, and the probability that the pair was chosen with.
  let factor, exponent, most: Double
  let isLinear: Bool
  /// Whether every pair that was chosen collides.
  var isCertain: Bool { exponent == 0 }
}

/// Collisions of pairs in blocks of 64: velocities are fetched, collided in vector code, and put back.
final class PairBatch {
  private static let size = 64

  private var law = PairLaw(share: 0, factor: 0, exponent: 0, most: 0, isLinear: false)
  private var set = KeyedWords(key: 0).set(replica: 0, step: 0, use: 0)
  private var count = 0
  private let items: UnsafeMutablePointer<UInt32>
  private let firsts, seconds: UnsafeMutablePointer<UnsafeMutablePointer<Double>>
  private let images: UnsafeMutablePointer<UInt32>
  private let words: UnsafeMutablePointer<UInt64>
  /// Rows of 64: both velocities, direction, speed of approach, 1 if the pair collides.
  private let rows: UnsafeMutablePointer<Double>
  private var isWatched = false
  /// Collisions, and pairs with p > 1, since `begin`.
  private(set) var collided: Int64 = 0
  private(set) var impossible: Int64 = 0
  /// Squares of the largest new speeds.
  private(set) var largestA = 0.0
  private(set) var largestB = 0.0
  /// Of the pairs of the block: 1 if this rank counts it.
  private let counted: UnsafeMutablePointer<Double>

  init() {
    let n = Self.size
    items = .allocate(capacity: n)
    items.initialize(repeating: 0, count: n)
    (firsts, seconds) = (.allocate(capacity: n), .allocate(capacity: n))
    images = .allocate(capacity: 2 * n)
    images.initialize(repeating: 0, count: 2 * n)
    words = .allocate(capacity: 2 * n)
    words.initialize(repeating: 0, count: 2 * n)
    rows = .allocateZeros(11 * n)
    counted = .allocateZeros(n)
  }

  deinit {
    items.deallocate()
    firsts.deallocate()
    seconds.deallocate()
    images.deallocate()
    words.deallocate()
    rows.deallocate()
    counted.deallocate()
  }

  func begin(_ law: PairLaw, _ set: KeyedWords.Set, asked isWatched: Bool) {
    (self.law, self.set, self.isWatched) = (law, set, isWatched)
    (collided, impossible, largestA, largestB) = (0, 0, 0, 0)
  }

  /// The first `number` pairs, all of which are here.
  func all(
    _ number: Int, _ v: Velocities, _ first: KeyedPermutation, _ w: Velocities, _ second: KeyedPermutation,
    isWithin: Bool
  ) {
    var k = 0
    while k < number {
      count = min(Self.size, number - k)
      if isWithin {
        first.fill(images: images, from: 2 * k, count: 2 * count)
        for i in 0..<count {
          firsts[i] = v[Int(images[2 * i])]
          seconds[i] = v[Int(images[2 * i + 1])]
        }
      } else {
        first.fill(images: images, from: k, count: count)
        second.fill(images: images + Self.size, from: k, count: count)
        for i in 0..<count {
          firsts[i] = v[Int(images[i])]
          seconds[i] = w[Int(images[Self.size + i])]
        }
      }
      for i in 0..<count {
        items[i] = UInt32(truncatingIfNeeded: k + i)
        counted[i] = 1
      }
      flush()
      k += Self.size
    }
  }

  /// One pair.
  /// - Parameter isCounted: by this rank.
  @inline(__always)
  func add(
    _ item: UInt32, _ first: UnsafeMutablePointer<Double>, _ second: UnsafeMutablePointer<Double>, isCounted: Bool
  ) {
    (items[count], firsts[count], seconds[count]) = (item, first, second)
    counted[count] = isCounted ? 1 : 0
    count &+= 1
    if count == Self.size { flush() }
  }

  /// Collides what is in the block.
  func flush() {
    guard count > 0 else { return }
    let (n, count) = (Self.size, count)
    set.fill(words, words + n, of: items, count: count)
    for i in 0..<count {
      let (v, w) = (firsts[i], seconds[i])
      for k in 0..<3 {
        rows[k &* n &+ i] = v[k]
        rows[(3 &+ k) &* n &+ i] = w[k]
      }
    }
    for i in 0..<count {
      let (x, y, z) = direction(words[i])
      rows[6 &* n &+ i] = x
      rows[7 &* n &+ i] = y
      rows[8 &* n &+ i] = z
    }
    decide()
    move()
    for i in 0..<count where rows[10 &* n &+ i] > 0 {
      let (v, w) = (firsts[i], seconds[i])
      for k in 0..<3 {
        v[k] = rows[k &* n &+ i]
        w[k] = rows[(3 &+ k) &* n &+ i]
      }
    }
    if isWatched { watch() }
    self.count = 0
  }

  /// Speeds of approach, and which pairs collide: those whose uniform times P is below p.
  private func decide() {
    let (n, count) = (Self.size, count)
    let (speeds, marks) = (rows + 9 * n, rows + 10 * n)
    for i in 0..<count {
      let x = rows[i] - rows[3 &* n &+ i]
      let y = rows[n &+ i] - rows[4 &* n &+ i]
      let z = rows[2 &* n &+ i] - rows[5 &* n &+ i]
      speeds[i] = (x * x + y * y + z * z).squareRoot()
      marks[i] = 1
    }
    if law.isCertain { return }
    let (factor, most, exponent) = (law.factor, law.most, law.exponent)
    if exponent == 1 {
      for i in 0..<count { marks[i] = factor * speeds[i] }
    } else {
      // |g| = 0 has the logarithm -infinity, and p = 0.
      for i in 0..<count { marks[i] = factor * Elementary.exp(exponent * Elementary.log(speeds[i])) }
    }
    if law.isLinear {
      for i in 0..<count where marks[i] > 1 { impossible += Int64(counted[i]) }
    } else {
      for i in 0..<count { marks[i] = 1 - Elementary.exp(-marks[i]) }
    }
    for i in 0..<count { marks[i] = uniform(words[n &+ i]) * most < marks[i] ? 1 : 0 }
  }

  private func move() {
    let (n, count) = (Self.size, count)
    let share = law.share
    let speeds = rows + 9 * n
    for k in 0..<3 {
      let (v, w, s) = (rows + k * n, rows + (3 + k) * n, rows + (6 + k) * n)
      for i in 0..<count {
        let turned = speeds[i] * s[i]
        w[i] += share * ((v[i] - w[i]) - turned)
        v[i] = w[i] + turned
      }
    }
  }

  private func watch() {
    let n = Self.size
    for i in 0..<count where rows[10 &* n &+ i] > 0 {
      collided += Int64(counted[i])
      let v = rows[i] * rows[i] + rows[n &+ i] * rows[n &+ i] + rows[2 &* n &+ i] * rows[2 &* n &+ i]
      let w =
        rows[3 &* n &+ i] * rows[3 &* n &+ i] + rows[4 &* n &+ i] * rows[4 &* n &+ i] + rows[5 &* n &+ i]
        * rows[5 &* n &+ i]
      if v > largestA { largestA = v }
      if w > largestB { largestB = w }
    }
  }
}
