import Experiments
import Kernels
import Randomness

/// The particles of a box, as far as they live on this rank, with the modes of their density and both signals, which every rank has.
///
/// A position is a whole number of $2^{-63} L$ from a wall: sums wrap around at 2 L, where a particle has been at both walls and is back, and a negative one is folded by its complement. A step is
///
/// 1. the signals over h, the density frozen (`SignalStep`);
/// 2. $x' = x + h \nabla \bar c + \sqrt{2h} \, \xi$ with the mean $\bar c$ of c before and after, folded at the walls;
/// 3. the modes of the new density, from one sum of whole numbers over all ranks.
final class BoxParticles {
  let box: BoxSettings
  let number: Int
  /// All tiles, and those of this rank.
  let total: Int
  let mine: Range<Int>
  let noise: Noise
  let group: any Collectives
  /// Modes of the density and of the signals.
  let a, c, w: UnsafeMutablePointer<Double>
  private let drift, force: UnsafeMutablePointer<Double>
  /// By tile, dimension, lane.
  let places: UnsafeMutablePointer<Int64>
  private let cosine, sine: UnsafeMutablePointer<Double>
  private let lanes: CosineLanes
  private let steps: [SignalStep]
  private let sums: UnsafeMutablePointer<Int64>
  var step = 0

  static let width = CosineLanes.width

  init(_ box: BoxSettings, number: Int, _ context: ReplicaContext) {
    (self.box, self.number, group) = (box, number, context.group)
    total = (number + Self.width - 1) / Self.width
    mine = Self.border(group.rank, group.size, total)..<Self.border(group.rank + 1, group.size, total)
    noise = Noise(key: context.key, replica: context.replica, tiles: mine)
    let modes = box.modes
    let size = mine.count * Self.width * modes.dimension
    a = .allocateZeros(modes.count)
    c = .allocateZeros(modes.count)
    w = .allocateZeros(modes.count)
    drift = .allocateZeros(modes.count)
    force = .allocateZeros(Self.width * modes.dimension)
    places = .allocate(capacity: max(size, 1))
    places.initialize(repeating: 0, count: max(size, 1))
    cosine = .allocateZeros(size)
    sine = .allocateZeros(size)
    lanes = CosineLanes(modes)
    steps = modes.squares.map { SignalStep(q: $0, epsilon: box.epsilon, tau: box.tau, step: box.step) }
    sums = .allocate(capacity: modes.count + 3)
    sums.initialize(repeating: 0, count: modes.count + 3)
  }

  deinit {
    for p in [a, c, w, drift, force, cosine, sine] { p.deallocate() }
    places.deallocate()
    sums.deallocate()
    lanes.deallocate()
  }

  static func border(_ rank: Int, _ ranks: Int, _ total: Int) -> Int { total * rank / ranks }

  /// Numbers of a tile.
  var tileSize: Int { Self.width * box.modes.dimension }
  /// Particles of a tile of this rank.
  func count(_ local: Int) -> Int { min(Self.width, number - (mine.lowerBound + local) * Self.width) }

  // MARK: The start

  /// Draws the start: uniforms by particle. Collective.
  func draw() throws {
    let d = box.modes.dimension
    for t in 0..<mine.count {
      for i in 0..<count(t) {
        noise.uniforms = UInt64(((mine.lowerBound + t) * Self.width + i) * d)
        for j in 0..<d {
          let u = noise.uniform()
          places[(t * d + j) * Self.width + i] = Self.place(j == 0 ? box.startPlace(u) : u)
        }
      }
    }
    noise.uniforms = UInt64(number * d)
    try prepare()
    let start = box.startSignals(Array(UnsafeBufferPointer(start: a, count: box.modes.count)))
    for k in 0..<box.modes.count { (c[k], w[k]) = (start.c[k], start.w[k]) }
  }

  /// The place of a number in [0, 1].
  private static func place(_ u: Double) -> Int64 { Int64(min(u, 1 - 0x1p-52) * 0x1p63) }

  /// Finds cosines and modes of the positions. Collective.
  func prepare() throws {
    for t in 0..<mine.count { turn(t) }
    try sum()
  }

  // MARK: A step

  func advance() throws {
    let modes = box.modes
    // In units of L, with the gradient by the angles: h/L times pi/L.
    let scale = -box.step * Double.pi / (modes.length * modes.length)
    if box.epsilon > 0 {
      for k in 0..<modes.count {
        let (own, before) = (steps[k], c[k])
        c[k] = (own.cc * before).addingProduct(own.cw, w[k]).addingProduct(own.ca, a[k])
        w[k] = (own.ww * w[k]).addingProduct(own.wa, a[k])
        drift[k] = scale * (0.5 * (before + c[k]))
      }
    } else {
      for k in 0..<modes.count { drift[k] = scale * c[k] }
    }
    let noiseScale = (2 * box.step).squareRoot() / modes.length
    lanes.clear()
    for t in 0..<mine.count {
      let place = t &* tileSize
      lanes.gradient(of: drift, cosine + place, sine + place, to: force)
      move(t, normals: noise.normals(t, tileSize), noiseScale)
      turn(t)
    }
    step += 1
    try sum()
    if box.epsilon == 0 { follow() }
  }

  /// The signals at once.
  private func follow() {
    for k in 0..<box.modes.count {
      c[k] = steps[k].ca * a[k]
      w[k] = steps[k].wa * a[k]
    }
  }

  @inline(never)
  private func move(_ t: Int, normals: UnsafePointer<Double>, _ scale: Double) {
    let (x, g) = (places + t &* tileSize, force)
    for i in 0..<tileSize {
      let shift = g[i].addingProduct(scale, normals[i])
      // Modulo 2, then in units of 2^-51: the low bits of the sum hold the nearest whole number.
      let twice = (0.5 * shift + 0x1.8p52) - 0x1.8p52
      let rest = shift.addingProduct(-2, twice)
      let bits = (0x1.8p52).addingProduct(rest, 0x1p51).bitPattern
      let sum = x[i] &+ Int64(bitPattern: (bits &<< 12) ^ (1 << 63))
      x[i] = sum < 0 ? ~sum : sum
    }
    // Lanes without a particle stay at the wall.
    let count = count(t)
    guard count < Self.width else { return }
    for j in 0..<box.modes.dimension { for i in count..<Self.width { x[j * Self.width + i] = 0 } }
  }

  /// Cosines and sines of a tile, and its share of the sums.
  private func turn(_ t: Int) {
    let place = t &* tileSize
    Self.angles(places + place, tileSize, cosine + place, sine + place)
    lanes.add(cosine + place)
  }

  @inline(never)
  private static func angles(
    _ x: UnsafePointer<Int64>, _ count: Int, _ cosine: UnsafeMutablePointer<Double>,
    _ sine: UnsafeMutablePointer<Double>
  ) {
    for i in 0..<count {
      let (s, c) = Elementary.sinCosTurns(0.5 * fraction(x[i]))
      (cosine[i], sine[i]) = (c, s)
    }
  }

  /// x/L, by 52 bits of the position.
  @inline(__always)
  static func fraction(_ x: Int64) -> Double {
    Double(bitPattern: UInt64(bitPattern: x) >> 11 | (1.0).bitPattern) - 1
  }

  /// The modes of the density, from the sums of all ranks.
  private func sum() throws {
    let modes = box.modes
    let (all, own) = (
      mine.count * Self.width, max(0, min(number - mine.lowerBound * Self.width, mine.count * Self.width))
    )
    lanes.write(lanes: all, empty: all - own, to: sums)
    lanes.clear()
    if group.size > 1 { try group.sumInPlace(sums, count: modes.count) }
    let scale = box.mass / (Double(number) * CosineLanes.unit)
    for k in 0..<modes.count { a[k] = Double(sums[k]) * (scale * modes.norms[k]) }
  }

  /// Means over the particles of (x/L)^2. Collective.
  func secondMoments(into out: UnsafeMutablePointer<Double>) throws {
    let d = box.modes.dimension
    for j in 0..<d { sums[j] = 0 }
    for t in 0..<mine.count {
      for j in 0..<d {
        let x = places + t * tileSize + j * Self.width
        var total: Int64 = 0
        for i in 0..<count(t) {
          let u = Self.fraction(x[i])
          total &+= Int64(
            bitPattern: (0x1.8p52).addingProduct(u * u, CosineLanes.unit).bitPattern &- (0x1.8p52).bitPattern)
        }
        sums[j] &+= total
      }
    }
    if group.size > 1 { try group.sumInPlace(sums, count: d) }
    for j in 0..<d { out[j] = Double(sums[j]) / (Double(number) * CosineLanes.unit) }
  }

  /// c at a particle of this rank.
  func signal(_ t: Int, _ i: Int) -> Double {
    let modes = box.modes
    // cos(k theta) of each axis by the recurrence.
    var rows = Array(repeating: [1.0], count: 3 - modes.dimension)
    for j in 0..<modes.dimension {
      let x = cosine[t * tileSize + j * Self.width + i]
      var row = [1.0, x]
      while row.count <= modes.highest { row.append(2 * x * row[row.count - 1] - row[row.count - 2]) }
      rows.append(row)
    }
    var (sum, k) = (0.0, 0)
    for p in rows[0] {
      for q in rows[1] {
        for r in rows[2] {
          sum = sum.addingProduct(c[k], p * q * r)
          k += 1
        }
      }
    }
    return sum
  }
}
