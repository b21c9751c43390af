import Kernels
import Randomness

/// The Stiefel manifold V_(n,p): n x p matrices with orthonormal columns, metric tr(U^T V). Entry (r, c) is coordinate r p + c.
package struct Frames: Manifold {
  package let rows, columns: Int

  package init(rows n: Int, columns p: Int) {
    precondition(p >= 1 && p <= n)
    (rows, columns) = (n, p)
  }

  package var width: Int { rows * columns }
  package var dimension: Int { rows * columns - columns * (columns + 1) / 2 }
  /// The mean curvature vector of V_(n,p) in R^(np) is -(n - (p+1)/2) X.
  package var curvature: Double { Double(rows) - 0.5 * Double(columns + 1) }

  @inline(__always)
  func entry(_ x: LaneBlock, _ r: Int, _ c: Int) -> LaneBlock { x + (r &* columns &+ c) &* Lanes.width }

  /// Gram and Schmidt, column by column and each twice: uniform because normal matrices are invariant under rotations.
  package func normalise(_ x: LaneBlock, _ count: Int, room: LaneBlock) {
    for c in 0..<columns {
      for before in Array(0..<c) + Array(0..<c) {
        products(x, before, x, c, count, into: room)
        for r in 0..<rows {
          let (own, other) = (entry(x, r, c), entry(x, r, before))
          for i in 0..<count { own[i] = own[i].addingProduct(-room[i], other[i]) }
        }
      }
      products(x, c, x, c, count, into: room)
      for i in 0..<count { room[i] = 1 / room[i].squareRoot() }
      for r in 0..<rows {
        let own = entry(x, r, c)
        for i in 0..<count { own[i] *= room[i] }
      }
    }
  }

  /// Inner products of column a of x and column b of y.
  @inline(__always)
  func products(_ x: LaneBlock, _ a: Int, _ y: LaneBlock, _ b: Int, _ count: Int, into sums: LaneBlock) {
    for i in 0..<count { sums[i] = 0 }
    for r in 0..<rows {
      let (p, q) = (entry(x, r, a), entry(y, r, b))
      for i in 0..<count { sums[i] = sums[i].addingProduct(p[i], q[i]) }
    }
  }

  /// y += x s, s symmetric, its entry (a, b) with a <= b at the place (a, b).
  @inline(__always)
  private func add(_ x: LaneBlock, times s: LaneBlock, _ scale: Double, to y: LaneBlock, _ count: Int) {
    for r in 0..<rows {
      for c in 0..<columns {
        let target = entry(y, r, c)
        for a in 0..<columns {
          let (source, factor) = (entry(x, r, a), s + (min(a, c) &* columns &+ max(a, c)) &* Lanes.width)
          for i in 0..<count { target[i] = target[i].addingProduct(scale * source[i], factor[i]) }
        }
      }
    }
  }

  /// U - X sym(X^T U).
  package func project(_ u: LaneBlock, at x: LaneBlock, _ count: Int, room: LaneBlock) {
    let other = room + width &* Lanes.width
    for a in 0..<columns {
      for b in a..<columns {
        let own = room + (a &* columns &+ b) &* Lanes.width
        products(x, a, u, b, count, into: own)
        products(x, b, u, a, count, into: other)
        for i in 0..<count { own[i] = 0.5 * (own[i] + other[i]) }
      }
    }
    add(x, times: room, -1, to: u, count)
  }

  /// The polar factor of X + U by Newton's iteration Y <- Y (3 - Y^T Y)/2, which converges for singular values below sqrt 3: Y is scaled to that
  /// first. Its own are at least 1, U being tangent.
  package func retract(_ x: LaneBlock, by u: LaneBlock, _ count: Int, room: LaneBlock) {
    for c in 0..<width {
      let (p, q) = (x + c &* Lanes.width, u + c &* Lanes.width)
      for i in 0..<count { p[i] += q[i] }
    }
    laneProducts(x, x, width, count, into: room)
    for i in 0..<count { room[i] = min(1, 1.7 / room[i].squareRoot()) }
    for c in 0..<width {
      let p = x + c &* Lanes.width
      for i in 0..<count { p[i] *= room[i] }
    }
    // Once below 1e-8 one more round is enough.
    for _ in 0..<1000 { if polish(x, count, room: room) < 1e-8 { break } }
    polish(x, count, room: room)
  }

  /// One round of Newton's iteration.
  /// - Returns: the largest entry of Y^T Y - 1 before it.
  @discardableResult
  package func polish(_ x: LaneBlock, _ count: Int, room: LaneBlock) -> Double {
    let copy = room + width &* Lanes.width
    var largest = 0.0
    for a in 0..<columns {
      for b in a..<columns {
        let own = room + (a &* columns &+ b) &* Lanes.width
        products(x, a, x, b, count, into: own)
        for i in 0..<count {
          own[i] -= a == b ? 1 : 0
          largest = max(largest, own[i].magnitude)
        }
      }
    }
    for c in 0..<width {
      let (p, q) = (x + c &* Lanes.width, copy + c &* Lanes.width)
      for i in 0..<count { q[i] = p[i] }
    }
    add(copy, times: room, -0.5, to: x, count)
    return largest
  }

  /// Rotates two rows at a time, all pairs: given the rest the angle has a von Mises law, which is drawn exactly. The rotations of the planes generate
  /// all rotations, so that any start is left.
  package func renew(
    _ x: LaneBlock, field: LaneBlock, beta: Double, _ noise: Noise, _ count: Int, room: LaneBlock
  ) {
    let circle = Sphere(2)
    let (turn, pull, rest) = (room, room + 2 &* Lanes.width, room + 4 &* Lanes.width)
    for a in 0..<rows {
      for b in a &+ 1..<max(rows, a &+ 1) {
        for i in 0..<2 &* Lanes.width { pull[i] = 0 }
        let (straight, crossed) = (pull, pull + Lanes.width)
        for c in 0..<columns {
          let (xa, xb, fa, fb) = (entry(x, a, c), entry(x, b, c), entry(field, a, c), entry(field, b, c))
          for i in 0..<count {
            straight[i] = straight[i].addingProduct(fa[i], xa[i]).addingProduct(fb[i], xb[i])
            crossed[i] = crossed[i].addingProduct(fb[i], xa[i]).addingProduct(-fa[i], xb[i])
          }
        }
        circle.renew(turn, field: pull, beta: beta, noise, count, room: rest)
        let (cosine, sine) = (turn, turn + Lanes.width)
        for c in 0..<columns {
          let (xa, xb) = (entry(x, a, c), entry(x, b, c))
          for i in 0..<count {
            let (p, q) = (xa[i], xb[i])
            xa[i] = (cosine[i] * p).addingProduct(-sine[i], q)
            xb[i] = (sine[i] * p).addingProduct(cosine[i], q)
          }
        }
      }
    }
    polish(x, count, room: room)
  }
}
