import Experiments
import Kernels

/// Compact U(1) gauge theory on an L x L torus: an angle on every link, a point of the unit circle, and the energy of the plaquettes.
///
/// Link 2 (x + L y) leads from (x, y) to the right, the next one up. As unit numbers a plaquette is Re(h v' conj(h') conj(v)), affine in every link.
final class CompactU1: ManifoldSystem {
  let manifold: any Manifold = Sphere(2)
  let degree = 4
  private let length: Int

  init(length: Int) { self.length = length }

  var sites: Int { 2 * length * length }

  let observables = [
    Observable("plaquette", "mean of cos over the plaquettes"),
    Observable("charge^2", "square of the topological charge, the sum of the plaquette angles in (-pi, pi] over 2 pi"),
  ]

  /// The links of the plaquette with its lower left corner at (x, y): right, up at its end, right above, up.
  @inline(__always)
  private func plaquette(_ x: Int, _ y: Int) -> (Int, Int, Int, Int) {
    let (right, above) = (x &+ 1 == length ? 0 : x &+ 1, y &+ 1 == length ? 0 : y &+ 1)
    return (
      2 &* (x &+ length &* y), 2 &* (right &+ length &* y) &+ 1, 2 &* (x &+ length &* above),
      2 &* (x &+ length &* y) &+ 1
    )
  }

  /// The corners of the two plaquettes of a link: the one after it and the one before.
  @inline(__always)
  private func corners(of link: Int) -> (x: Int, y: Int, beforeX: Int, beforeY: Int) {
    let (x, y) = (link / 2 % length, link / 2 / length)
    return link % 2 == 0
      ? (x, y, x, y == 0 ? length &- 1 : y &- 1) : (x, y, x == 0 ? length &- 1 : x &- 1, y)
  }

  func neighbours(of site: Int) -> [Int] {
    let c = corners(of: site)
    let (a, b) = (plaquette(c.x, c.y), plaquette(c.beforeX, c.beforeY))
    return [a.0, a.1, a.2, a.3, b.0, b.1, b.2, b.3].filter { $0 != site }
  }

  func fields(_ batch: SiteBatch, _ x: UnsafePointer<Double>, to rows: UnsafeMutablePointer<Double>) {
    for b in 0..<batch.count {
      let site = Int(batch.sites[b])
      let c = corners(of: site)
      let (after, before) = (plaquette(c.x, c.y), plaquette(c.beforeX, c.beforeY))
      let isRight = site % 2 == 0
      // A right link stands first in the plaquette above it and, inverted, third in the one below; a link up last, inverted, and second.
      let s = isRight ? staple(x, after.1, after.2, after.3) : staple(x, before.0, before.2, before.3)
      let t =
        isRight
        ? staple(x, before.0, before.1, before.3, last: false) : staple(x, after.0, after.1, after.2, last: false)
      rows[2 &* b] = -(s.re + t.re)
      rows[2 &* b &+ 1] = s.im - t.im
    }
  }

  /// a conj(b) conj(c), or a b conj(c) where the last inverted link is the one left out.
  @inline(__always)
  private func staple(_ x: UnsafePointer<Double>, _ a: Int, _ b: Int, _ c: Int, last: Bool = true) -> (
    re: Double, im: Double
  ) {
    let (ar, ai, br, cr) = (x[2 &* a], x[2 &* a &+ 1], x[2 &* b], x[2 &* c])
    let (bi, ci) = (last ? -x[2 &* b &+ 1] : x[2 &* b &+ 1], -x[2 &* c &+ 1])
    let (re, im) = ((ar * br).addingProduct(-ai, bi), (ar * bi).addingProduct(ai, br))
    return ((re * cr).addingProduct(-im, ci), (re * ci).addingProduct(im, cr))
  }

  func measure(_ x: UnsafePointer<Double>, energy: Double, into values: UnsafeMutablePointer<Double>) {
    values[0] = -energy / Double(length * length)
    var charge = 0.0
    for row in 0..<length {
      for column in 0..<length {
        let p = plaquette(column, row)
        let s = staple(x, p.1, p.2, p.3)
        let (hr, hi) = (x[2 * p.0], x[2 * p.0 + 1])
        let (re, im) = (hr * s.re - hi * s.im, hr * s.im + hi * s.re)
        let angle = Elementary.angle(x: re, y: im.magnitude)
        charge += im < 0 ? -angle : angle
      }
    }
    // An integer but for rounding.
    let whole = (charge / (2 * Double.pi)).rounded()
    values[1] = whole * whole
  }

  static let entry = SystemEntry(
    name: "compact-u1", summary: "compact U(1) gauge theory on a torus of two dimensions",
    equation: "H = -sum cos(theta_1 + theta_2 - theta_3 - theta_4) over the plaquettes",
    reference: "docs/manifolds.md",
    parameters: [Parameter("length", .integer(2...4096), default: .integer(4), "L: the torus has L x L plaquettes")]
  ) { p in
    let length = p.integer("length")
    return SystemModel(
      exact: { beta in
        let exact = PlaquetteSums(plaquettes: length * length, beta: beta)
        return ExactMeans(
          ["plaquette": exact.cosine, "charge^2": exact.squaredCharge, "energy": -0.5 * exact.cosine],
          equation: "Z = sum_n I_n(beta)^V, V plaquettes", reference: "docs/manifolds.md")
      },
      make: { CompactU1(length: length) })
  }
}
