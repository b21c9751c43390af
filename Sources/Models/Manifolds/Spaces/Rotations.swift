import Kernels
import Randomness

/// The rotations SO(3) as 3 x 3 matrices, metric tr(U^T V).
package struct Rotations: Manifold {
  private let frames = Frames(rows: 3, columns: 3)

  package init() {}

  package var width: Int { 9 }
  package var dimension: Int { 3 }
  package var curvature: Double { 1 }
  package var hasGeodesics: Bool { true }

  @inline(__always)
  private func entry(_ x: LaneBlock, _ r: Int, _ c: Int) -> LaneBlock { x + (3 &* r &+ c) &* Lanes.width }

  /// Two orthonormal columns and their cross product.
  package func normalise(_ x: LaneBlock, _ count: Int, room: LaneBlock) {
    frames.normalise(x, count, room: room)
    for r in 0..<3 {
      let (s, t) = ((r + 1) % 3, (r + 2) % 3)
      let (target, a, b, c, d) = (entry(x, r, 2), entry(x, s, 0), entry(x, t, 1), entry(x, t, 0), entry(x, s, 1))
      for i in 0..<count { target[i] = (a[i] * b[i]).addingProduct(-c[i], d[i]) }
    }
  }

  package func project(_ u: LaneBlock, at x: LaneBlock, _ count: Int, room: LaneBlock) {
    frames.project(u, at: x, count, room: room)
  }

  package func retract(_ x: LaneBlock, by u: LaneBlock, _ count: Int, room: LaneBlock) {
    frames.retract(x, by: u, count, room: room)
  }

  package func renew(
    _ x: LaneBlock, field: LaneBlock, beta: Double, _ noise: Noise, _ count: Int, room: LaneBlock
  ) {
    frames.renew(x, field: field, beta: beta, noise, count, room: room)
  }

  /// v = W R with W antisymmetric: both turn by exp(t W), by Rodrigues' formula.
  package func flow(_ x: LaneBlock, _ v: LaneBlock, time: Double, _ count: Int, room: LaneBlock) {
    let (axis, first, second) = (room, room + 3 &* Lanes.width, room + 4 &* Lanes.width)
    for k in 0..<3 {
      // W_ts, the component k of the axis.
      let (s, t) = ((k + 1) % 3, (k + 2) % 3)
      let own = axis + k &* Lanes.width
      for i in 0..<count { own[i] = 0 }
      for c in 0..<3 {
        let (vt, xs, vs, xt) = (entry(v, t, c), entry(x, s, c), entry(v, s, c), entry(x, t, c))
        for i in 0..<count { own[i] += 0.5 * (vt[i] * xs[i]).addingProduct(-vs[i], xt[i]) }
      }
    }
    laneProducts(axis, axis, 3, count, into: second)
    for i in 0..<count {
      let speed = second[i].squareRoot()
      let half = Elementary.sinCos(0.5 * time * speed)
      let usable = speed > 0x1p-500
      let chord = usable ? half.sin / speed : 0.5 * time
      first[i] = 2 * chord * half.cos
      second[i] = 2 * chord * chord
    }
    for matrix in [x, v] {
      for c in 0..<3 {
        let (y0, y1, y2) = (entry(matrix, 0, c), entry(matrix, 1, c), entry(matrix, 2, c))
        let (w0, w1, w2) = (axis, axis + Lanes.width, axis + 2 &* Lanes.width)
        for i in 0..<count {
          let a0 = (w1[i] * y2[i]).addingProduct(-w2[i], y1[i])
          let a1 = (w2[i] * y0[i]).addingProduct(-w0[i], y2[i])
          let a2 = (w0[i] * y1[i]).addingProduct(-w1[i], y0[i])
          let b0 = (w1[i] * a2).addingProduct(-w2[i], a1)
          let b1 = (w2[i] * a0).addingProduct(-w0[i], a2)
          let b2 = (w0[i] * a1).addingProduct(-w1[i], a0)
          y0[i] = y0[i].addingProduct(first[i], a0).addingProduct(second[i], b0)
          y1[i] = y1[i].addingProduct(first[i], a1).addingProduct(second[i], b1)
          y2[i] = y2[i].addingProduct(first[i], a2).addingProduct(second[i], b2)
        }
      }
    }
    frames.polish(x, count, room: room)
  }
}
