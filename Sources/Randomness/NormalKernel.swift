import Kernels

/// Standard normals by Box-Muller, four from each Philox block: the inner loop of the program.
///
/// 64 bits make a pair: 40 for the radius, 24 for the angle (sign, place in the quarter turn, swap).
/// - Radius `r = sqrt(-2 log u)`, `u = (k + 1/2) 2^-40`: reaches 7.54 standard deviations; the mass
///   beyond is 5e-14. Logarithm, root, sine and cosine have relative errors near 2^-44, where the spacing of
///   u makes that of log u 2^-38.6 or more.
/// - Angle `2 pi (a + 1/2) 2^-24`. An equidistant rule of 2^24 points on the circle integrates every
///   trigonometric polynomial of degree below 2^24 exactly, and r is continuous, so the law of each
///   coordinate, and every mixed moment of order below 2^24, is that of the exact angle. Only the ratio
///   of the two members of a pair is discrete; they go to different units (stride 64), never to
///   two inputs of one unit.
/// Every polynomial is scaled so that its leading coefficients are one (analysis/reference/minimax.py, where tau and nu
/// are): a fused step that begins with two constants would have to copy one, which took 2% of the time.
///
/// Two 52-bit uniforms a pair would cost twice the Philox rounds, which are a third of the time.
///
/// Rejected: the ziggurat (its rejections and table look-ups do not vectorise without gathers), and the
/// inverse distribution function by piecewise polynomials (a gather for each coefficient).
public enum NormalKernel {
  /// Normals in one chunk: 32 blocks of 4.
  public static let chunk = 128

  /// Chunks that go through the three passes together: few enough to stay in the first-level cache, enough to
  /// pay for setting up the constants of each pass.
  @usableFromInline static let batch = 16

  /// Writes `chunks` chunks of normals from number `index` on: chunk k of a draw is made of its blocks
  /// `32 k ..< 32 (k + 1)`.
  ///
  /// Three passes, because one iteration of all would fill the scheduler of the CPU with dependent steps and
  /// leave it nothing to overlap. Between passes a chunk holds its words in the first half (in the place of the
  /// normals they become) and the squared radii in the second.
  @inlinable @inline(__always)
  static func fill(
    _ out: UnsafeMutablePointer<Double>, chunks: Int, index: UInt64, draw: (UInt64, UInt64), key: (UInt64, UInt64)
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

  @inlinable @inline(never)
  static func words(
    _ out: UnsafeMutablePointer<Double>, chunks: Int, index: UInt64, draw: (UInt64, UInt64), key: (UInt64, UInt64)
  ) {
    let words = UnsafeMutableRawPointer(out).assumingMemoryBound(to: UInt64.self)
    for c in 0..<chunks {
      let first = (index &+ UInt64(truncatingIfNeeded: c)) &<< 5
      let low = first & 0xffff_ffff
      let high = first >> 32
      let target = words + c &* chunk
      for i in 0..<32 {
        let w = Philox.rounds((low &+ UInt64(truncatingIfNeeded: i), high, draw.0, draw.1), key: key)
        target[i] = w.0
        target[i &+ 32] = w.1
      }
    }
  }

  @inlinable @inline(never)
  static func squaredRadii(_ out: UnsafeMutablePointer<Double>, chunks: Int) {
    let words = UnsafeMutableRawPointer(out).assumingMemoryBound(to: UInt64.self)
    for c in 0..<chunks {
      let source = words + c &* chunk
      let target = out + c &* chunk
      for i in 0..<64 { target[i &+ 64] = squaredRadius(source[i]) }
    }
  }

  @inlinable @inline(never)
  static func pairs(_ out: UnsafeMutablePointer<Double>, chunks: Int) {
    let words = UnsafeMutableRawPointer(out).assumingMemoryBound(to: UInt64.self)
    for c in 0..<chunks {
      let source = words + c &* chunk
      let target = out + c &* chunk
      for i in 0..<64 {
        let (a, b) = pair(source[i], squaredRadius: target[i &+ 64])
        target[i] = a
        target[i &+ 64] = b
      }
    }
  }

  /// `tau r^2`, `r^2 = -2 log u`, from bits 62...23 of a word: relative error 2^-43, also as u -> 1.
  @inlinable @inline(__always)
  static func squaredRadius(_ bits: UInt64) -> Double {
    // (k + 1/2) 2^-40 = 1.k - (1 - 2^-41)
    let u = Double(bitPattern: ((bits >> 11) & 0x000f_ffff_ffff_f000) | (1.0).bitPattern) - (1 - 0x1p-41)
    // u = 2^e (1 + f), e <= 0, f in [-1/2, 0). The exponent field becomes the leading bits of a mantissa, and
    // the slope, of 42 bits, lets one fused step take its offset away exactly: e = 0 gives 0.
    let exponent = Double(bitPattern: ((u.bitPattern >> 11) & (0x7ff << 41)) | (1.0).bitPattern)
    let whole = (0x1.060bdc3ab77ccp-17).addingProduct(exponent, -0x1.5d9f6ae01a000p-18)
    let onePlusF = Double(bitPattern: (u.bitPattern | (0x7ff << 52)) & 0x3fef_ffff_ffff_ffff)
    let f = (-0x1.588ccf83f1e77p-2).addingProduct(onePlusF, 0x1.588ccf83f1e77p-2)
    // Even and odd halves: two chains of seven dependent steps instead of one of fifteen.
    let f2 = f * f
    var even = f2 + 0x1.182ea08224a8dp-3
    even = (0x1.d28098487c1f1p-9).addingProduct(f2, even)
    even = (0x1.28ec1d5737bcep-16).addingProduct(f2, even)
    even = (-0x1.13ca244c5dd20p-20).addingProduct(f2, even)
    even = (-0x1.6d705a255cdf6p-23).addingProduct(f2, even)
    even = (-0x1.13da127b6c961p-25).addingProduct(f2, even)
    even = (-0x1.76c476dd68cbcp-27).addingProduct(f2, even)
    var odd = f2 + 0x1.e870897d25e48p-2
    odd = (0x1.b546a8909e7a6p-6).addingProduct(f2, odd)
    odd = (0x1.878348c022103p-12).addingProduct(f2, odd)
    odd = (0x1.1157ca67995f0p-18).addingProduct(f2, odd)
    odd = (0x1.c5d2016ff70aep-22).addingProduct(f2, odd)
    odd = (0x1.336fd5e4dbc0dp-24).addingProduct(f2, odd)
    odd = (0x1.1673934f56ed0p-26).addingProduct(f2, odd)
    return whole.addingProduct(f, even.addingProduct(f, odd))
  }

  /// `r / nu` from `tau r^2`: relative error 2^-44.5. The instruction takes 24 cycles for 8 doubles and would be most
  /// of the pass; these twelve steps take six.
  @inlinable @inline(__always)
  static func radius(squared w: Double) -> Double {
    let guess = Double(bitPattern: 0x5fe6_eb50_c7b5_37a9 &- (w.bitPattern >> 1))
    let error = (1.0).addingProduct(-(w * guess), guess)
    let inverse =
      guess
      * (-0x1.32977ed57116ap+27).addingProduct(
        error, (-0x1.3343dd6075fb3p+26).addingProduct(error, -0x1.cc7b813f495a2p+25))
    let root = w * inverse
    let rest = (0x1.6f2e799df10ccp+54).addingProduct(-root, inverse)
    return root.addingProduct(root * rest, (0x1.64f7c3f045285p-56).addingProduct(rest, 0x1.7551868ff3f82p-111))
  }

  /// A pair of normals from the sign (bit 63) and the angle (bits 22...0) of a word, and `tau r^2`.
  @inlinable @inline(__always)
  static func pair(_ bits: UInt64, squaredRadius: Double) -> (Double, Double) {
    // Bits 1..22: place within a quarter turn, in units of 2^-22 less a half, moved by an offset; bit 0: swap.
    let place = Double(bitPattern: (bits & 0x7f_fffe) | (1.0 + 0x1p-52).bitPattern)
    let x = (-0x1.2521600494858p+26).addingProduct(place, 0x1.2521600000000p+26)
    let z = x * x
    var s = z - 0x1.d92e856653304p-1
    s = (0x1.1ae3623f6ccd4p-1).addingProduct(z, s)
    s = (-0x1.8a971578238c6p-3).addingProduct(z, s)
    s = (0x1.06183dd2fbba1p-5).addingProduct(z, s)
    s = (-0x1.a1d00049d2584p-10).addingProduct(z, s)
    var c = z - 0x1.8407d67f33ef7p-1
    c = (0x1.68df5a0b52420p-2).addingProduct(z, c)
    c = (-0x1.678c5e00e9d33p-4).addingProduct(z, c)
    c = (0x1.1e95411ed0c6dp-7).addingProduct(z, c)
    c = (-0x1.309112d972fb2p-13).addingProduct(z, c)
    s *= x
    let swap = bits & 1 != 0
    let signed = Double(bitPattern: radius(squared: squaredRadius).bitPattern ^ (bits & (1 << 63)))
    return (signed * (swap ? s : c), signed * (swap ? c : s))
  }
}
