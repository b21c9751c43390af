/// The integral F of `f(t) = f(0) e^{-a t^2}` from a table on a grid of 1/128: for the next grid point c and d = x - c,
/// `F(x) = F(c) + d f(c) (integral over u in [0, 1] of e^{-s u - z u^2})`, `s = 2 a c d`, `z = a d^2`, a short series in s and z.
///
/// Look-ups do not vectorise, so a block takes three passes: where to look, the look-ups, the series. In a vector loop that is half of
/// what an exponential, a quotient and a polynomial on all of the line cost.
public struct GaussianIntegral: Sendable {
  /// F and f at the grid points, by turns. Never freed: there are two of them, for the life of the process.
  @usableFromInline nonisolated(unsafe) let table: UnsafePointer<Double>
  @usableFromInline let rate, lowest, highest: Double

  @inlinable static var grid: Double { 128 }

  /// The error function on [0, 6].
  public static let erf = GaussianIntegral(
    rate: 1, atZero: DoubleDouble(0x1.20dd750429b6dp+0, 0x1.1ae3a914fed80p-56), from: 0, to: 6)
  /// The normal distribution function on [-40, 9]: at most 2 ULP above -13, relative error 1e-12 below.
  public static let normal = GaussianIntegral(
    rate: 0.5, atZero: DoubleDouble(0x1.9884533d43651p-2, -0x1.cbc0d30ebfd15p-56), from: -40, to: 9)

  /// - Parameters:
  ///   - first: where the table begins: 0, or where F is below every number.
  private init(rate: Double, atZero: DoubleDouble, from first: Int, to last: Int) {
    (self.rate, lowest, highest) = (rate, Double(first), Double(last))
    let grid = Int(Self.grid)
    let step = 1 / Self.grid
    // Far below the smallest numbers no digits would be left: everything is 2^500 times as large until the end.
    let scale = 0x1p500
    let reach = max(-first, last) * grid
    var density = [atZero * scale]
    var ratio = DoubleDouble.exp(-rate * step * step)
    let change = ratio * ratio
    for _ in 0..<reach {
      density.append(density.last! * ratio)
      ratio = ratio * change
    }
    let count = (last - first) * grid + 1
    let entries = UnsafeMutablePointer<Double>.allocateAligned(capacity: 2 * count)
    var integral = DoubleDouble(0, 0)
    for k in 0..<count {
      let place = first * grid + k
      let f = density[abs(place)]
      entries[2 * k] = integral.high / scale
      entries[2 * k + 1] = f.high / scale
      // Taylor series of f, term by term times the step: (n + 1) p_{n+1} = -2 a (c p_n + p_{n-1}).
      var (before, term, sum) = (DoubleDouble(0, 0), f, f)
      for n in 1...24 {
        let next = (term * Double(place) + before) * (-2 * rate * step * step) / Double(n)
        (before, term) = (term, next)
        sum = sum + next / Double(n + 1)
      }
      integral = integral + sum * step
    }
    table = UnsafePointer(entries)
  }

  /// `F(x)`; beyond the table its last value.
  @inlinable
  public func value(_ x: Double) -> Double {
    let entry = table + 2 &* place(x)
    return series(x, entry[0], entry[1])
  }

  /// Replaces x by `finish(k, scale x, F(scale x))`, k its place.
  @inlinable @inline(__always)
  public func apply(
    _ values: UnsafeMutablePointer<Double>, _ count: Int, scale: Double, magnitudes: Bool,
    _ finish: (_ k: Int, _ x: Double, _ integral: Double) -> Double
  ) {
    withAlignedRoom(3 &* min(count, Self.block)) { room in
      apply(values, count, scale: scale, magnitudes: magnitudes, room: room, finish)
    }
  }

  /// Long blocks: what the look-ups have written must have reached the cache before vectors of it are read.
  @inlinable package static var block: Int { 256 }

  /// - Parameter room: 3 numbers for each value, of `block` at most; aligned.
  @inlinable @inline(__always)
  package func apply(
    _ values: UnsafeMutablePointer<Double>, _ count: Int, scale: Double, magnitudes: Bool,
    room entries: UnsafeMutablePointer<Double>, _ finish: (_ k: Int, _ x: Double, _ integral: Double) -> Double
  ) {
    let block = min(count, Self.block)
    let pairs = UnsafeMutableRawPointer(entries).assumingMemoryBound(to: SIMD2<Double>.self)
    let places = UnsafeMutableRawPointer(entries + 2 &* block).assumingMemoryBound(to: Int.self)
    let lookup = UnsafeRawPointer(table).assumingMemoryBound(to: SIMD2<Double>.self)
    var start = 0
    while start < count {
      let size = min(block, count &- start)
      let x = values + start
      for i in 0..<size {
        let y = scale * x[i]
        places[i] = place(magnitudes ? y.magnitude : y)
      }
      for i in 0..<size { pairs[i] = lookup[places[i]] }
      for i in 0..<size {
        let y = scale * x[i]
        x[i] = finish(
          start &+ i, y, series(magnitudes ? y.magnitude : y, entries[2 &* i], entries[2 &* i &+ 1]))
      }
      start &+= size
    }
  }

  @inlinable @inline(__always)
  func clamped(_ x: Double) -> Double { x > lowest ? (x < highest ? x : highest) : lowest }

  /// The number of the entry of x.
  @inlinable @inline(__always)
  func place(_ x: Double) -> Int {
    let magic = Elementary.roundingMagic.addingProduct(clamped(x), Self.grid)
    let first = Elementary.roundingMagic + Self.grid * lowest
    return Int(bitPattern: UInt(truncatingIfNeeded: magic.bitPattern &- first.bitPattern))
  }

  @inlinable @inline(__always)
  func series(_ x: Double, _ integral: Double, _ density: Double) -> Double {
    let y = clamped(x)
    let k = Elementary.roundingMagic.addingProduct(y, Self.grid) - Elementary.roundingMagic
    let d = y.addingProduct(k, -1 / Self.grid)
    let s = -2 / Self.grid * rate * k * d
    let z = -rate * d * d
    let plain = horner(
      s, 1.0 / 2, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720, (1.0 / 5040).addingProduct(s, 1.0 / 40320))
    let first = horner(s, 1.0 / 3, 1.0 / 4, 1.0 / 10, 1.0 / 36, 1.0 / 168, 1.0 / 960)
    let second = (1.0 / 10).addingProduct(s, (1.0 / 12).addingProduct(s, 1.0 / 28))
    let change = (s * plain).addingProduct(z, first.addingProduct(z, second))
    let t = d * density
    return integral + t.addingProduct(t, change)
  }
}

/// A number as a sum of two: 106 bits, for the making of tables.
struct DoubleDouble {
  let high, low: Double

  init(_ high: Double, _ low: Double) { (self.high, self.low) = (high, low) }

  /// `a + b` without error, |a| >= |b|.
  private init(sum a: Double, _ b: Double) {
    high = a + b
    low = b - (high - a)
  }

  static func + (a: DoubleDouble, b: DoubleDouble) -> DoubleDouble {
    let s = a.high + b.high
    let part = s - a.high
    let error = (a.high - (s - part)) + (b.high - part)
    return DoubleDouble(sum: s, error + (a.low + b.low))
  }

  static func * (a: DoubleDouble, b: DoubleDouble) -> DoubleDouble {
    let p = a.high * b.high
    let error = (-p).addingProduct(a.high, b.high)
    return DoubleDouble(sum: p, error + (a.high * b.low + a.low * b.high))
  }

  static func * (a: DoubleDouble, b: Double) -> DoubleDouble { a * DoubleDouble(b, 0) }

  static func / (a: DoubleDouble, b: Double) -> DoubleDouble {
    let q = a.high / b
    let rest = a.high.addingProduct(-q, b) + a.low
    return DoubleDouble(sum: q, rest / b)
  }

  /// `e^x` for small x, by its series.
  static func exp(_ x: Double) -> DoubleDouble {
    var (term, sum) = (DoubleDouble(1, 0), DoubleDouble(1, 0))
    for n in 1...16 {
      term = term * x / Double(n)
      sum = sum + term
    }
    return sum
  }
}
