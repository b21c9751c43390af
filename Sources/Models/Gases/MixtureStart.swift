import Experiments
import Kernels
import Randomness
import Statistics

/// Velocities of one species, or of a part of it: four numbers a particle, the fourth 0, so that a particle never lies across two cache lines.
///
/// Rejected: coordinate by coordinate, where a collision of two particles anywhere would touch six lines instead of two.
final class Velocities {
  static let stride = 4
  /// Particles that are summed before the sum is made exact.
  static let tile = 256

  let base: UnsafeMutablePointer<Double>
  let count: Int

  init(_ count: Int) {
    self.count = count
    base = .allocateAligned(capacity: max(count, 1) * Self.stride)
    base.initialize(repeating: 0, count: max(count, 1) * Self.stride)
  }

  deinit { base.deallocate() }

  @inline(__always)
  subscript(_ i: Int) -> UnsafeMutablePointer<Double> { base + i &* Self.stride }

  /// The square of the largest speed.
  func largestSquare() -> Double {
    var largest = 0.0
    for i in 0..<count {
      let v = self[i]
      let square = v[0] * v[0] + v[1] * v[1] + v[2] * v[2]
      if square > largest { largest = square }
    }
    return largest
  }
}

/// Sums over the particles of all ranks of a group, of tiles that begin at multiples of 256 particles: exact, so they depend on no split.
final class MixtureSums {
  /// Where a tile leaves its sums.
  let tile: UnsafeMutablePointer<Double>
  /// The sums of all.
  let totals: UnsafeMutablePointer<Double>
  private let words: UnsafeMutablePointer<Int64>
  let count: Int
  private let group: any Collectives

  init(_ count: Int, _ group: any Collectives) {
    (self.count, self.group) = (count, group)
    (tile, totals) = (.allocate(capacity: count), .allocate(capacity: count))
    tile.initialize(repeating: 0, count: count)
    totals.initialize(repeating: 0, count: count)
    words = .allocate(capacity: count * WindowSum.words)
    words.initialize(repeating: 0, count: count * WindowSum.words)
  }

  deinit {
    tile.deallocate()
    totals.deallocate()
    words.deallocate()
  }

  /// Takes the sums of a tile, and clears them. Sums `first ..< end` only.
  func addTile(_ first: Int, _ end: Int) {
    for i in first..<end {
      WindowSum.add(tile[i], to: words + i &* WindowSum.words)
      tile[i] = 0
    }
  }

  /// Leaves the sums in `totals`, on every rank. Collective.
  func finish() throws {
    try group.sumInPlace(words, count: count * WindowSum.words)
    for i in 0..<count { totals[i] = WindowSum.value(words + i * WindowSum.words) }
    words.update(repeating: 0, count: count * WindowSum.words)
  }
}

/// Draws the velocities of the start.
struct MixtureStart {
  let gas: MixtureGas
  let sums: MixtureSums

  init(_ gas: MixtureGas, _ group: any Collectives) {
    self.gas = gas
    sums = MixtureSums(3 * gas.species, group)
  }

  /// Normals and words of a tile: three and two a particle.
  static let normals = 3 * Velocities.tile

  /// Puts the first `count` particles of a tile.
  ///
  /// The law bkw, $N(0, K)[(5K-3)/2K + (1-K)|v|^2/2K^2]$ at m = T = 1, is a mixture: $|v|^2/K$ is chi-square of 3 degrees of freedom with probability (5K - 3)/2K, else of 5.
  /// - Parameters:
  ///   - words: the first one chooses, the second one makes the two further degrees of freedom, $-2 \log u$.
  func place(
    _ target: UnsafeMutablePointer<Double>, _ count: Int, species a: Int, normals: UnsafePointer<Double>,
    words: UnsafePointer<UInt64>, _ further: UnsafePointer<UInt64>
  ) {
    let spread = (gas.temperatures[a] / gas.masses[a]).squareRoot()
    let (isBKW, k) = (gas.start.law == .bkw, gas.start.shape)
    let (scale, plain) = (spread * (isBKW ? k.squareRoot() : 1), (5 * k - 3) / (2 * k))
    for i in 0..<count {
      let (n, v) = (normals + 3 * i, target + Velocities.stride * i)
      var factor = scale
      if isBKW && uniform(words[i]) >= plain {
        let square = n[0] * n[0] + n[1] * n[1] + n[2] * n[2]
        factor *= (1 - 2 * Elementary.log(uniform(further[i])) / square).squareRoot()
      }
      (v[0], v[1], v[2], v[3]) = (factor * n[0], factor * n[1], factor * n[2], 0)
    }
  }

  /// Takes the mean velocity of each species away and gives it its temperature exactly. Collective.
  func scale(_ all: [Velocities]) throws {
    for (a, own) in all.enumerated() {
      forEachTile(own) { v, count in
        for i in 0..<count { for k in 0..<3 { sums.tile[3 * a + k] += v[Velocities.stride * i + k] } }
        sums.addTile(3 * a, 3 * a + 3)
      }
    }
    try sums.finish()
    for (a, own) in all.enumerated() {
      let means = (0..<3).map { sums.totals[3 * a + $0] / Double(gas.numbers[a]) }
      for i in 0..<own.count { for k in 0..<3 { own[i][k] -= means[k] } }
      forEachTile(own) { v, count in
        for i in 0..<count { sums.tile[3 * a] += square(v + Velocities.stride * i) }
        sums.addTile(3 * a, 3 * a + 1)
      }
    }
    try sums.finish()
    for (a, own) in all.enumerated() {
      let wanted = 3 * gas.temperatures[a] * Double(gas.numbers[a]) / gas.masses[a]
      let factor = (wanted / sums.totals[3 * a]).squareRoot()
      for i in 0..<own.count { for k in 0..<3 { own[i][k] *= factor } }
    }
  }
}

@inline(__always)
func square(_ v: UnsafePointer<Double>) -> Double { v[0] * v[0] + v[1] * v[1] + v[2] * v[2] }

/// The uniform on (0, 1) of a word, as `Stream.uniform` makes it.
@inline(__always)
func uniform(_ bits: UInt64) -> Double { Double(bitPattern: (bits >> 12) | (1.0).bitPattern) - (1 - 0x1p-53) }

/// Calls `body` with the first particle of each tile, and how many there are.
@inline(__always)
func forEachTile(_ own: Velocities, _ body: (UnsafeMutablePointer<Double>, Int) -> Void) {
  var first = 0
  while first < own.count {
    body(own[first], min(Velocities.tile, own.count - first))
    first += Velocities.tile
  }
}

/// A uniform direction from a word: 40 bits for the third coordinate, 24 for the angle.
///
/// An equidistant rule of 2^24 angles integrates every trigonometric polynomial of degree below 2^24 exactly. The length is 1 to within 2 ULP, which keeps the energy.
@inline(__always)
package func direction(_ bits: UInt64) -> (Double, Double, Double) {
  // (k + 1/2) 2^-40 = 1.k - (1 - 2^-41), and in the same way the angle in turns.
  let u = Double(bitPattern: ((bits >> 24) << 12) | (1.0).bitPattern) - (1 - 0x1p-41)
  let turns = Double(bitPattern: ((bits & 0xff_ffff) << 28) | (1.0).bitPattern) - (1 - 0x1p-25)
  let z = 2 * u - 1
  let r = (1 - z * z).squareRoot()
  let (sine, cosine) = Elementary.sinCosTurns(turns)
  return (r * cosine, r * sine, z)
}
