import Experiments
import Kernels
import Networks
import Randomness

/// How a tangent kernel is sketched: p random columns of the gradients of all weights.
package struct SketchChoice: Sendable {
  package enum Columns: String, CaseIterable, Sendable { case gaussian, product }

  /// p.
  package let dimension: Int
  package let columns: Columns

  package init(dimension: Int, columns: Columns) { (self.dimension, self.columns) = (dimension, columns) }
}

/// A sketch of the tangent kernel of one drawn network, $\hat K_{ab} = (1/p) \sum_i z_i(a) z_i(b)$, with the kernel itself as its mean over the columns. $z_i(a)$ is the product of column i with the gradient at
/// point a, which is $D^l_a \otimes \phi^l_a$ in the weights of layer l:
///
/// - Gaussian columns, $z = \sum_l D^l \cdot G^l \phi^l$, G of independent normals: variance $(k_{aa} k_{bb} + k_{ab}^2)/p$ exactly, O(n^2) a point and column;
/// - products, $z = \sum_l (g^l \cdot D^l)(h^l \cdot \phi^l)$: O(n) a point and column, and a variance of about four times that.
///
/// Only Z is kept, p numbers a point: the layers of the network are made for some points at a time.
final class SketchedGram: GramRows {
  let count: Int
  private let dimension, stride: Int
  /// Z, a row a column of the sketch.
  private let sketch: UnsafeMutablePointer<Double>
  private let layers: Double

  /// Points whose layers are kept at once.
  private static let together = 512

  /// - Parameters:
  ///   - key: of the columns, column i from draw i; their numbers do not depend on p.
  ///   - features: of some of the points.
  /// - Throws: `Failure` where the kernel is no sum of squares.
  init(
    count: Int, _ choice: SketchChoice, key: UInt64, features: (_ points: Range<Int>) throws -> TangentFeatures
  ) throws {
    (self.count, dimension, stride) = (count, choice.dimension, MatrixProduct.padded(count, Double.self))
    sketch = .allocateZeros(choice.dimension * stride)
    var most = 0.0
    var stream = Stream(key: key)
    for first in Swift.stride(from: 0, to: count, by: Self.together) {
      let part = try features(first..<min(first + Self.together, count))
      most = max(most, part.bytes)
      for layer in 0...part.depth where part.increment(layer, 0) < 0 {
        throw Failure.invalid(
          key: "kernel.of", value: "\"sketched-ntk\"",
          allowed: "needs a tangent kernel that is a sum of squares in every layer: leave lambda_b and lambda_W out")
      }
      let room = ColumnRoom(part)
      for i in 0..<dimension {
        stream.start(draw: UInt64(i))
        switch choice.columns {
        case .gaussian: room.addGaussian(part, &stream, to: sketch + i * stride + first)
        case .product: room.addProduct(part, &stream, to: sketch + i * stride + first)
        }
      }
    }
    layers = most
  }

  deinit { sketch.deallocate() }

  func write(_ rows: Range<Int>, to band: UnsafeMutablePointer<Double>, stride length: Int) throws {
    MatrixProduct.add(
      band, length, fresh: true, rows: rows.count, columns: rows.upperBound, sketch + rows.lowerBound, rowStride: 1,
      columnStride: stride, inner: dimension, sketch, stride)
    let scale = 1 / Double(dimension)
    for i in 0..<rows.count { for b in 0..<rows.upperBound { band[i * length + b] *= scale } }
  }

  /// Z, and the layers of some points while it is made.
  var bytes: Double { 8 * Double(dimension * stride) + layers }
}

/// Products of one column with the gradients at some points.
private final class ColumnRoom {
  private let stride: Int
  /// Normals of a matrix row by row; $G \phi$, and sums of a layer.
  private let numbers, image, sums, others: UnsafeMutablePointer<Double>

  init(_ features: TangentFeatures) {
    stride = MatrixProduct.padded(features.count, Double.self)
    let rows = features.posts.reduce(1) { max($0, $1.rows) }
    (numbers, image) = (.allocateZeros(rows), .allocateZeros(stride))
    (sums, others) = (.allocateZeros(stride), .allocateZeros(stride))
  }

  deinit { for place in [numbers, image, sums, others] { place.deallocate() } }

  /// $x \cdot$ every column of a matrix, x of standard normals.
  private func multiply(
    _ matrix: TangentFeatures.Matrix, _ stream: inout Stream, to result: UnsafeMutablePointer<Double>
  ) {
    WeightLaw.gaussian.fill(numbers, matrix.rows, &stream)
    MatrixProduct.add(
      result, stride, fresh: true, rows: 1, columns: stride, numbers, rowStride: matrix.rows, columnStride: 1,
      inner: matrix.rows, matrix.data, matrix.stride)
  }

  /// $h \cdot (\sqrt{\lambda_W/n}\, \phi, \sqrt{\lambda_b})$ of a layer.
  private func multiplyPosts(
    _ f: TangentFeatures, _ layer: Int, _ stream: inout Stream, to result: UnsafeMutablePointer<Double>
  ) {
    let constant = f.increment(layer, 0)
    let rate = (f.increment(layer, 1) - constant).squareRoot()
    multiply(f.posts[layer], &stream, to: result)
    let offset = constant > 0 ? constant.squareRoot() * stream.normal() : 0
    for a in 0..<stride { result[a] = offset.addingProduct(rate, result[a]) }
  }

  func addProduct(_ f: TangentFeatures, _ stream: inout Stream, to z: UnsafeMutablePointer<Double>) {
    for layer in 0...f.depth {
      multiplyPosts(f, layer, &stream, to: sums)
      if layer < f.depth {
        multiply(f.gradients[layer], &stream, to: others)
      } else {
        others.update(repeating: 1, count: stride)
      }
      for a in 0..<f.count { z[a] = z[a].addingProduct(others[a], sums[a]) }
    }
  }

  func addGaussian(_ f: TangentFeatures, _ stream: inout Stream, to z: UnsafeMutablePointer<Double>) {
    for layer in 0...f.depth {
      guard layer < f.depth else {
        multiplyPosts(f, layer, &stream, to: sums)
        for a in 0..<f.count { z[a] += sums[a] }
        return
      }
      let gradients = f.gradients[layer]
      for row in 0..<gradients.rows {
        multiplyPosts(f, layer, &stream, to: image)
        let gradient = gradients.data + row * gradients.stride
        for a in 0..<f.count { z[a] = z[a].addingProduct(gradient[a], image[a]) }
      }
    }
  }
}
