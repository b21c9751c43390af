import Kernels

/// Standard normals by Box-Muller, four from each Philox block: the inner loop of the program.
///
/// 64 bits make a pair: 40 for the radius, 24 for the angle (sign, place in the quarter turn, swap).
/// - Radius `r = sqrt(-2 log u)`, `u = (k + 1/2) 2^-40`: reaches 7.54 standard deviations; the mass
///   beyond is 5e-14. `log u` is a polynomial of relative error 2^-46, below the spacing of u.
/// - Angle `2 pi (a + 1/2) 2^-24`. An equidistant rule of 2^24 points on the circle integrates every
///   trigonometric polynomial of degree below 2^24 exactly, and r is continuous, so the law of each
///   coordinate, and every mixed moment of order below 2^24, is that of the exact angle. Only the ratio
///   of the two members of a pair is discrete; they go to different units (stride 64), never to
///   two inputs of one unit.
/// Two 52-bit uniforms a pair would cost twice the Philox rounds, which are half of the time.
///
/// Rejected: the ziggurat (its rejections and table look-ups do not vectorise without gathers), and the
/// inverse distribution function by piecewise polynomials (a gather for each coefficient).
public enum NormalKernel {
  /// Normals in one chunk: 32 blocks of 4.
  public static let chunk = 128

  /// Chunks that go through the three passes together: few enough to stay in the first-level cache, enough to
  /// pay for setting up the constants of each pass.
  @usableFromInline static let batch = 8

  /// Writes `chunks` chunks of normals from number `index` on: chunk k of a draw is made of its blocks
  /// `32 k ..< 32 (k + 1)`.
  ///
  /// Three passes, because one iteration of all would fill the scheduler of the CPU with dependent steps and
  /// leave it nothing to overlap. Between passes a chunk holds its words in the first half (in the place of the
  /// normals they become) and the squared radii in the second.
  @inlinable @inline(__always)
  static func fill(
    _ out: UnsafeMutablePointer<Double>, chunks: Int, index: UInt64, draw: UInt64, key: (UInt64, UInt64)
  ) {
    var done = 0
    while done < chunks {
      let count = min(batch, chunks &- done)
      let target = out + done &* chunk
      words(target, chunks: count, index: index &+ UInt64(truncatingIfNeeded: done), draw: draw, key: key)
      squaredRadii(target, chunks: count)
      pairs(target, chunks: count)
      done &+= count
    }
  }

  @inlinable @inline(__always)
  static func words(
    _ out: UnsafeMutablePointer<Double>, chunks: Int, index: UInt64, draw: UInt64, key: (UInt64, UInt64)
  ) {
    let drawLow = draw & 0xffff_ffff
    let drawHigh = draw >> 32
    let words = UnsafeMutableRawPointer(out).assumingMemoryBound(to: UInt64.self)
    for c in 0..<chunks {
      let first = (index &+ UInt64(truncatingIfNeeded: c)) &<< 5
      let low = first & 0xffff_ffff
      let high = first >> 32
      let target = words + c &* chunk
      for i in 0..<32 {
        let w = Philox.rounds((low &+ UInt64(truncatingIfNeeded: i), high, drawLow, drawHigh), key: key)
        target[i] = (w.0 &<< 32) | (w.1 & 0xffff_ffff)
        target[i &+ 32] = (w.2 &<< 32) | (w.3 & 0xffff_ffff)
      }
    }
  }

  @inlinable @inline(__always)
  static func squaredRadii(_ out: UnsafeMutablePointer<Double>, chunks: Int) {
    let words = UnsafeMutableRawPointer(out).assumingMemoryBound(to: UInt64.self)
    for c in 0..<chunks {
      let source = words + c &* chunk
      let target = out + c &* chunk
      for i in 0..<64 { target[i &+ 64] = squaredRadius(source[i]) }
    }
  }

  @inlinable @inline(__always)
  static func pairs(_ out: UnsafeMutablePointer<Double>, chunks: Int) {
    let words = UnsafeMutableRawPointer(out).assumingMemoryBound(to: UInt64.self)
    for c in 0..<chunks {
      let source = words + c &* chunk
      let target = out + c &* chunk
      for i in 0..<64 {
        let (a, b) = pair(source[i], radius: target[i &+ 64].squareRoot())
        target[i] = a
        target[i &+ 64] = b
      }
    }
  }

  /// `r^2 = -2 log u` from bits 62...23 of a word.
  @inlinable @inline(__always)
  static func squaredRadius(_ bits: UInt64) -> Double {
    // (k + 1/2) 2^-40 = 1.k - (1 - 2^-41)
    let u = Double(bitPattern: ((bits >> 11) & 0x000f_ffff_ffff_f000) | (1.0).bitPattern) - (1 - 0x1p-41)
    let (m, e) = Elementary.splitExponent(u)
    return minusTwoLog(mantissa: m, exponent: e)
  }

  /// A pair of normals of radius r from the sign (bit 63) and the angle (bits 22...0) of a word.
  @inlinable @inline(__always)
  static func pair(_ bits: UInt64, radius r: Double) -> (Double, Double) {
    // Bits 1..22: place within a quarter turn, in units of 2^-22 less a half; bit 0: swap. The bits stay
    // where they are, so x is in units of 2^29 quarter turns and the coefficients carry the powers of two.
    let x =
      Double(bitPattern: (bits & 0x7f_fffe) | (1.0 + 0x1p-52).bitPattern) - (1 + 0x1p-30)
    let z = x * x
    let s =
      x
      * (0x1.921fb54442cfap+29).addingProduct(
        z,
        (-0x1.4abbce6257a2ap+86).addingProduct(
          z,
          (0x1.466bc67123fa1p+141).addingProduct(
            z,
            (-0x1.32d2c644adc0bp+195).addingProduct(
              z, (0x1.5071ce4b47930p+248).addingProduct(z, -0x1.dd54805f3f706p+300)))))
    let c = (0x1.0000000000000p+0).addingProduct(
      z,
      (-0x1.3bd3cc9be458bp+58).addingProduct(
        z,
        (0x1.03c1f081b0780p+114).addingProduct(
          z,
          (-0x1.55d3c7dbfd139p+168).addingProduct(
            z,
            (0x1.e1f4fb60281f6p+221).addingProduct(
              z, (-0x1.a6c9c1be9eb49p+274).addingProduct(z, 0x1.f3dbcea61b1a4p+326))))))
    let swap = bits & 1 != 0
    let signed = Double(bitPattern: r.bitPattern ^ (bits & (1 << 63)))
    return (signed * (swap ? s : c), signed * (swap ? c : s))
  }

  /// `-2 log(m 2^e)` for m in [sqrt(1/2), sqrt(2)): relative error 2^-46, also as m 2^e -> 1.
  @inlinable @inline(__always)
  static func minusTwoLog(mantissa m: Double, exponent e: Double) -> Double {
    // Even and odd halves: two chains of eight dependent steps instead of one of sixteen.
    let f = m - 1
    let f2 = f * f
    var even = (-0x1.3fd79666d763dp-3).addingProduct(f2, -0x1.22d63f85c5ab5p-4)
    even = (-0x1.34407f433c482p-3).addingProduct(f2, even)
    even = (-0x1.74d87e6dff30bp-3).addingProduct(f2, even)
    even = (-0x1.c717cab802c92p-3).addingProduct(f2, even)
    even = (-0x1.2492550d6860fp-2).addingProduct(f2, even)
    even = (-0x1.9999997be3014p-2).addingProduct(f2, even)
    even = (-0x1.5555555563d29p-1).addingProduct(f2, even)
    even = (-0x1.fffffffffffecp+0).addingProduct(f2, even)
    var odd = (0x1.25e842cc2c6d4p-3).addingProduct(f2, 0x1.308552cd88743p-3)
    odd = (0x1.545376652841bp-3).addingProduct(f2, odd)
    odd = (0x1.99b2c1a3e0686p-3).addingProduct(f2, odd)
    odd = (0x1.fffee70b4336ap-3).addingProduct(f2, odd)
    odd = (0x1.5555584a6a38bp-2).addingProduct(f2, odd)
    odd = (0x1.fffffff9295f4p-2).addingProduct(f2, odd)
    odd = (0x1.0000000001207p+0).addingProduct(f2, odd)
    let p = even.addingProduct(f, odd)
    return (f * p).addingProduct(e, -0x1.62e42fefa39efp+0)
  }
}
