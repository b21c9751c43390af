import Experiments
import Kernels
import Networks
import Randomness

/// The tangent kernel of a drawn network of one hidden layer between all rows of a file and the examples: $f(x) = \sum_j a_j \phi(w_j \cdot x)/\sqrt k$, all weights N(0, 1),
/// $\Theta(x, x') = \frac1k \sum_j [\phi \phi' + a_j^2\, \dot\phi \dot\phi'\, x \cdot x']$, over its mean at coinciding points, $\mathbb E \phi(g)^2 + \mathbb E \dot\phi(g)^2$.
final class TangentDraw {
  private let data: RegressionData
  private let samples, units: Int
  /// Rows of n.
  let stride: Int
  /// Theta, a row of `stride` a row of the file.
  let cross: UnsafeMutablePointer<Double>
  /// W, columns x k; a.
  private let weights, readout: UnsafeMutablePointer<Double>
  /// phi and a phi' of all rows, rows x k; those of the examples, an example a column.
  private let map, slopes, turned: UnsafeMutablePointer<Double>
  /// x . x'.
  private let products: UnsafeMutablePointer<Double>

  /// Numbers that it keeps.
  static func size(rows: Double, columns: Double, samples n: Double, units k: Double) -> Double {
    2 * rows * (k + n) + (columns + 1) * k + k * n
  }

  init(_ data: RegressionData, samples: Int, units: Int) {
    (self.data, self.samples, self.units) = (data, samples, units)
    stride = MatrixProduct.padded(samples, Double.self)
    (weights, readout) = (.allocateZeros(data.columns * units), .allocateZeros(units))
    (map, slopes) = (.allocateZeros(data.count * units), .allocateZeros(data.count * units))
    turned = .allocateZeros(units * stride)
    (cross, products) = (.allocateZeros(data.count * stride), .allocateZeros(data.count * stride))
  }

  deinit { for place in [cross, weights, readout, map, slopes, turned, products] { place.deallocate() } }

  /// Draws a network.
  /// - Parameter numbers: the rows that are the examples.
  func draw(_ stream: inout Stream, _ numbers: UnsafePointer<Int>) {
    let (count, k) = (data.count, units)
    for i in 0..<data.columns * k { weights[i] = stream.normal() }
    for j in 0..<k { readout[j] = stream.normal() }
    MatrixProduct.add(
      map, k, fresh: true, rows: count, columns: k, data.inputs, rowStride: data.columns, columnStride: 1,
      inner: data.columns, weights, k)
    data.activation.apply(map, slopes: slopes, count * k)
    for i in 0..<count { for j in 0..<k { slopes[i * k + j] *= readout[j] } }
    multiply(map, k, numbers, to: cross)
    multiply(slopes, k, numbers, to: products)
    let scale = 1 / (Double(k) * data.tangentSize)
    data.inputs.withUnsafeBufferPointer { inputs in
      for i in 0..<count {
        for a in 0..<samples {
          let (x, other, place) = (inputs.baseAddress!, numbers[a], i * stride + a)
          let product = other == i ? 1 : Cholesky.dot(x + i * data.columns, x + other * data.columns, data.columns)
          cross[place] = scale * (cross[place] + products[place] * product)
        }
      }
    }
  }

  /// Products of all rows with those of the examples.
  private func multiply(
    _ rows: UnsafePointer<Double>, _ k: Int, _ numbers: UnsafePointer<Int>, to result: UnsafeMutablePointer<Double>
  ) {
    for a in 0..<samples { for j in 0..<k { turned[j * stride + a] = rows[numbers[a] * k + j] } }
    MatrixProduct.add(
      result, stride, fresh: true, rows: data.count, columns: samples, rows, rowStride: k, columnStride: 1, inner: k,
      turned, stride)
  }
}
