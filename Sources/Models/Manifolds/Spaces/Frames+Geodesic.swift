import Kernels

/// Geodesics of frames, in the metric tr(U^T V) of the space around them (Edelman, Arias and Smith, arXiv:physics/9806030; Byrne and Girolami, arXiv:1301.6064): with \(A = X^T V\), which is
/// antisymmetric and does not change, and \(S = V^T V\),
///
/// $$ (X, V)(t) = (X, V) \exp\left(t \begin{pmatrix} A & -S \\ I & A \end{pmatrix}\right) \begin{pmatrix} e^{-tA} & 0 \\ 0 & e^{-tA} \end{pmatrix} . $$
///
/// The exponentials are those of matrices of 2p and p rows, by Taylor's series of a half, a quarter, … of the time and squares of it: sums and products only.
extension Frames {
  /// Frames of more vectors have geodesics too, at a cost of p^3 a site that nobody wants.
  static let mostGeodesicColumns = 16
  /// Terms of the series, of a matrix whose norm is at most 1/2: what is left out is below 1e-19.
  private static let terms = 16

  package var hasGeodesics: Bool { columns <= Self.mostGeodesicColumns }
  /// Four matrices of 2p rows, and a row; what `project` and the other methods need.
  package var roomLength: Int { max(3 * width + 20, hasGeodesics ? 16 * columns * columns + 2 * columns : 0) }

  package func flow(_ x: LaneBlock, _ v: LaneBlock, time: Double, _ count: Int, room: LaneBlock) {
    let (p, q) = (columns, 2 * columns)
    let block = q * q * Lanes.width
    let (map, whole, spare, turn) = (room, room + block, room + 2 * block, room + 3 * block)
    func place(_ matrix: LaneBlock, _ size: Int, _ a: Int, _ b: Int) -> LaneBlock {
      matrix + (a * size + b) * Lanes.width
    }

    for a in 0..<p {
      for b in 0..<p {
        let (own, across) = (place(map, q, a, b), place(map, q, a, p + b))
        products(x, a, v, b, count, into: own)
        products(v, a, v, b, count, into: across)
        let (unit, below, opposite) = (place(map, q, p + a, b), place(map, q, p + a, p + b), place(turn, p, a, b))
        for i in 0..<count {
          (own[i], across[i], unit[i]) = (time * own[i], -time * across[i], a == b ? time : 0)
          (below[i], opposite[i]) = (own[i], -own[i])
        }
      }
    }
    Self.exponential(map, rows: q, into: whole, spare: spare, count)
    // The rest of the room that `turn` has no use of.
    Self.exponential(turn, rows: p, into: map, spare: spare, count)
    for half in 0..<2 {
      for a in 0..<q {
        for b in 0..<p {
          let target = place(spare, q, a, half * p + b)
          for i in 0..<count { target[i] = 0 }
          for k in 0..<p {
            let (left, right) = (place(whole, q, a, half * p + k), place(map, p, k, b))
            for i in 0..<count { target[i] = target[i].addingProduct(left[i], right[i]) }
          }
        }
      }
    }
    for r in 0..<rows {
      for c in 0..<q {
        let target = turn + c * Lanes.width
        for i in 0..<count { target[i] = 0 }
        for a in 0..<q {
          let (source, factor) = (entry(a < p ? x : v, r, a < p ? a : a - p), place(spare, q, a, c))
          for i in 0..<count { target[i] = target[i].addingProduct(source[i], factor[i]) }
        }
      }
      for c in 0..<q {
        let (source, target) = (turn + c * Lanes.width, entry(c < p ? x : v, r, c < p ? c : c - p))
        for i in 0..<count { target[i] = source[i] }
      }
    }
    polish(x, count, room: room)
  }

  /// e^M of matrices in lanes, row by row.
  /// - Parameters:
  ///   - m: M; overwritten.
  ///   - spare: room for as many numbers.
  private static func exponential(
    _ m: LaneBlock, rows q: Int, into e: LaneBlock, spare: LaneBlock, _ count: Int
  ) {
    let size = q * q
    var largest = 0.0
    for a in 0..<q {
      for i in 0..<count {
        largest = max(largest, (0..<q).reduce(0) { $0 + m[(a * q + $1) * Lanes.width + i].magnitude })
      }
    }
    // What is not finite stays so, and is found by whoever moved it.
    var halvings = 0
    while largest > 0.5, halvings < 60 {
      largest *= 0.5
      halvings += 1
    }
    let scale = Double(sign: .plus, exponent: -halvings, significand: 1)
    func identity() {
      for k in 0..<size {
        let (own, one) = (e + k * Lanes.width, k % (q + 1) == 0 ? 1.0 : 0)
        for i in 0..<count { own[i] = one }
      }
    }
    /// e <- diagonal + factor a b.
    func assign(_ a: LaneBlock, _ b: LaneBlock, _ factor: Double, diagonal: Double) {
      for r in 0..<q {
        for c in 0..<q {
          let target = spare + (r * q + c) * Lanes.width
          for i in 0..<count { target[i] = 0 }
          for k in 0..<q {
            let (left, right) = (a + (r * q + k) * Lanes.width, b + (k * q + c) * Lanes.width)
            for i in 0..<count { target[i] = target[i].addingProduct(left[i], right[i]) }
          }
        }
      }
      for k in 0..<size {
        let (from, to, one) = (spare + k * Lanes.width, e + k * Lanes.width, k % (q + 1) == 0 ? diagonal : 0)
        for i in 0..<count { to[i] = one.addingProduct(factor, from[i]) }
      }
    }
    identity()
    for k in (1...terms).reversed() { assign(m, e, scale / Double(k), diagonal: 1) }
    for _ in 0..<halvings { assign(e, e, 1, diagonal: 0) }
  }
}
