/// Layers of small networks and their gradients, rows of units by eight lanes that stay in registers: networks of ten units and four examples, where a product of matrices by blocks spends its time on the blocks.
///
/// Rows of units have a stride that is a multiple of `lanes`, zeros behind the units. Every element adds its terms in the order of the examples or of the units, one fused step
/// each, so neither the CPU nor the tiles decide a bit.
package enum DenseLayer {
  package static let lanes = 8

  /// The least multiple of `lanes` that is at least `count`.
  package static func padded(_ count: Int) -> Int { (count + lanes - 1) / lanes * lanes }

  /// `z[p][j] = biasScale bias[j] + sum_i x[p][i] w[i][j]` of all examples p; no bias where it is nil.
  /// - Parameters:
  ///   - x: examples x fan-in, rows `xStride` apart.
  ///   - w: fan-in x stride.
  ///   - z: examples x stride.
  package static func apply(
    _ x: UnsafePointer<Double>, _ xStride: Int, examples: Int, fanIn: Int, _ w: UnsafePointer<Double>,
    bias: UnsafePointer<Double>?, biasScale: Double, stride: Int, to z: UnsafeMutablePointer<Double>
  ) {
    for j in Swift.stride(from: 0, to: stride, by: lanes) {
      let start = bias.map { Vector8(biasScale) * Vector8($0 + j) } ?? Vector8(0)
      var p = 0
      while p &+ 4 <= examples {
        let (first, second) = (x + p &* xStride, x + (p &+ 1) &* xStride)
        let (third, fourth) = (x + (p &+ 2) &* xStride, x + (p &+ 3) &* xStride)
        var (a, b, c, d) = (start, start, start, start)
        for i in 0..<fanIn {
          let row = Vector8(w + i &* stride + j)
          a.add(first[i], row)
          b.add(second[i], row)
          c.add(third[i], row)
          d.add(fourth[i], row)
        }
        let out = z + p &* stride + j
        a.store(out)
        b.store(out + stride)
        c.store(out + 2 &* stride)
        d.store(out + 3 &* stride)
        p &+= 4
      }
      while p < examples {
        let own = x + p &* xStride
        var a = start
        for i in 0..<fanIn { a.add(own[i], Vector8(w + i &* stride + j)) }
        a.store(z + p &* stride + j)
        p &+= 1
      }
    }
  }

  /// `values[p][j] *= factor[j]`.
  package static func scale(
    _ values: UnsafeMutablePointer<Double>, examples: Int, by factor: UnsafePointer<Double>, stride: Int
  ) {
    for j in Swift.stride(from: 0, to: stride, by: lanes) {
      let own = Vector8(factor + j)
      for p in 0..<examples { (own * Vector8(values + p &* stride + j)).store(values + p &* stride + j) }
    }
  }

  /// `g[i][j] = w[i][j] + sum_p x[p][i] delta[p][j]`: the gradient of a standard normal prior and of what the examples say.
  package static func gradient(
    _ x: UnsafePointer<Double>, _ xStride: Int, examples: Int, fanIn: Int, _ delta: UnsafePointer<Double>,
    _ w: UnsafePointer<Double>, stride: Int, to g: UnsafeMutablePointer<Double>
  ) {
    for j in Swift.stride(from: 0, to: stride, by: lanes) {
      for i in 0..<fanIn {
        var sum = Vector8(w + i &* stride + j)
        for p in 0..<examples { sum.add(x[p &* xStride &+ i], Vector8(delta + p &* stride + j)) }
        sum.store(g + i &* stride + j)
      }
    }
  }

  /// `delta[p][j] = r[p] v[j] slope[p][j]`: back through a readout.
  package static func spread(
    _ r: UnsafePointer<Double>, examples: Int, _ v: UnsafePointer<Double>, _ slope: UnsafePointer<Double>, stride: Int,
    to delta: UnsafeMutablePointer<Double>
  ) {
    for p in 0..<examples {
      let factor = Vector8(r[p])
      for j in Swift.stride(from: 0, to: stride, by: lanes) {
        (factor * Vector8(v + j) * Vector8(slope + p &* stride + j)).store(delta + p &* stride + j)
      }
    }
  }

  /// `out[p][i] = slope[p][i] sum_j w[i][j] delta[p][j]`: one layer back.
  package static func pull(
    _ delta: UnsafePointer<Double>, examples: Int, fanIn: Int, _ w: UnsafePointer<Double>,
    _ slope: UnsafePointer<Double>, stride: Int, to out: UnsafeMutablePointer<Double>
  ) {
    for p in 0..<examples {
      for i in 0..<fanIn {
        let place = p &* stride &+ i
        out[place] = slope[place] * dot(w + i &* stride, delta + p &* stride, stride)
      }
    }
  }

  /// Of two rows: eight running sums, added by halves.
  package static func dot(_ x: UnsafePointer<Double>, _ y: UnsafePointer<Double>, _ stride: Int) -> Double {
    var sum = Vector8(0)
    for j in Swift.stride(from: 0, to: stride, by: lanes) { sum.add(Vector8(x + j), Vector8(y + j)) }
    return sum.total
  }
}
