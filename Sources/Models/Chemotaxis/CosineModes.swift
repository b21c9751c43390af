import Kernels

/// The cosine modes of a box $[0, L]^d$, wave numbers 0 … K in each dimension:
///
/// $$ f(x) = \sum_k f_k \prod_j \cos(k_j \theta_j), \quad \theta_j = \pi x_j/L, \quad q_k = |\pi k/L|^2. $$
///
/// They stand in a block of three axes, the last one fastest; where d < 3 the first axes have wave number 0 only.
package struct CosineModes: Sendable {
  package let dimension: Int
  /// K.
  package let highest: Int
  package let length: Double
  /// Wave numbers of each of the three axes.
  package let shape: [Int]
  /// $q_k$.
  package let squares: [Double]
  /// 2 to the number of wave numbers of a mode that are not 0: one over the mean square of its cosines.
  package let norms: [Double]

  package init(dimension: Int, highest: Int, length: Double) {
    (self.dimension, self.highest, self.length) = (dimension, highest, length)
    shape = (0..<3).map { $0 < 3 - dimension ? 1 : highest + 1 }
    var (squares, norms) = ([Double](), [Double]())
    let unit = Double.pi / length
    for i in 0..<shape[0] {
      for j in 0..<shape[1] {
        for k in 0..<shape[2] {
          squares.append(unit * unit * Double(i * i + j * j + k * k))
          norms.append([i, j, k].reduce(1) { $1 > 0 ? 2 * $0 : $0 })
        }
      }
    }
    (self.squares, self.norms) = (squares, norms)
  }

  package var count: Int { squares.count }

  /// The place of a mode.
  /// - Parameter numbers: d wave numbers.
  package func place(_ numbers: [Int]) -> Int {
    let all = Array(repeating: 0, count: 3 - dimension) + numbers
    return (all[0] * shape[1] + all[1]) * shape[2] + all[2]
  }

  /// All d wave numbers up to a largest one, not all of them 0, in the order of their places.
  package func multiples(upTo largest: Int) -> [[Int]] {
    var found: [[Int]] = [[]]
    for _ in 0..<dimension { found = found.flatMap { head in (0...largest).map { head + [$0] } } }
    return Array(found.dropFirst())
  }
}

/// Sums of cosines and sines at the points $\theta_g = \pi (g + 1/2)/G$ of each axis, and their inverses: products of matrices along one axis after the other.
///
/// With $G > 3K/2$ the product of two fields of K modes is projected on K modes without aliasing: the truncated equation is that of Galerkin.
package final class CosineGrid {
  package let modes: CosineModes
  /// Points of each axis.
  package let shape: [Int]
  /// cos and sin by wave number, then point; the same transposed.
  private let cosines, sines, cosinesBack, sinesBack: UnsafeMutablePointer<Double>
  private let room, spare: UnsafeMutablePointer<Double>
  private let points: Int

  package init(_ modes: CosineModes) {
    self.modes = modes
    let rows = modes.highest + 1
    let points = 3 * modes.highest / 2 + 2
    self.points = points
    shape = modes.shape.map { $0 == 1 ? 1 : points }
    func make() -> UnsafeMutablePointer<Double> { .allocateZeros(rows * points) }
    (cosines, sines, cosinesBack, sinesBack) = (make(), make(), make(), make())
    for k in 0..<rows {
      for g in 0..<points {
        let (s, c) = Elementary.sinCosTurns(Double(k * (2 * g + 1)) / Double(4 * points))
        (cosines[k * points + g], sines[k * points + g]) = (c, s)
        (cosinesBack[g * rows + k], sinesBack[g * rows + k]) = (c, s)
      }
    }
    let most = shape.reduce(1, *)
    room = .allocateZeros(most)
    spare = .allocateZeros(most)
  }

  deinit { for p in [cosines, sines, cosinesBack, sinesBack, room, spare] { p.deallocate() } }

  package var count: Int { shape.reduce(1, *) }

  /// The values of a field at the points.
  /// - Parameter axis: of a derivative in $\theta$, up to sign: sines stand there instead of cosines. Multiply the modes by $-k$ for it.
  package func values(
    _ field: UnsafePointer<Double>, sineAlong axis: Int? = nil, to out: UnsafeMutablePointer<Double>
  ) {
    apply(field, from: modes.shape, to: shape, out) { $0 == axis ? self.sines : self.cosines }
  }

  /// The mean over the box of the values times $\prod_j \cos(k_j \theta_j)$, for every mode; the sine along one axis.
  package func means(
    _ values: UnsafePointer<Double>, sineAlong axis: Int? = nil, to out: UnsafeMutablePointer<Double>
  ) {
    apply(values, from: shape, to: modes.shape, out) { $0 == axis ? self.sinesBack : self.cosinesBack }
    let scale = 1 / Double(count)
    for i in 0..<modes.count { out[i] *= scale }
  }

  private func apply(
    _ source: UnsafePointer<Double>, from: [Int], to: [Int], _ out: UnsafeMutablePointer<Double>,
    _ matrix: (Int) -> UnsafeMutablePointer<Double>
  ) {
    var (now, input) = (from, source)
    for axis in (3 - modes.dimension)..<3 {
      let target = axis == 2 ? out : (axis == 1 ? spare : room)
      let (outer, inner) = (now[..<axis].reduce(1, *), now[(axis + 1)...].reduce(1, *))
      Self.multiply(input, matrix(axis), outer, now[axis], to[axis], inner, target)
      now[axis] = to[axis]
      input = UnsafePointer(target)
    }
  }

  /// out[o, r, i] = sum_s matrix[s, r] source[o, s, i].
  private static func multiply(
    _ source: UnsafePointer<Double>, _ matrix: UnsafePointer<Double>, _ outer: Int, _ from: Int, _ to: Int,
    _ inner: Int, _ out: UnsafeMutablePointer<Double>
  ) {
    for i in 0..<outer * to * inner { out[i] = 0 }
    for o in 0..<outer {
      for s in 0..<from {
        let row = matrix + s * to
        if inner == 1 {
          let (x, place) = (source[o * from + s], out + o * to)
          for r in 0..<to { place[r] = place[r].addingProduct(row[r], x) }
        } else {
          let column = source + (o * from + s) * inner
          for r in 0..<to {
            let (m, place) = (row[r], out + (o * to + r) * inner)
            for i in 0..<inner { place[i] = place[i].addingProduct(m, column[i]) }
          }
        }
      }
    }
  }
}
