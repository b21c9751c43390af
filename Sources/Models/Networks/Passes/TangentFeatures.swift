import Experiments
import Kernels
import Randomness

/// What the tangent kernel of one drawn network is made of, at many points: post-activations and gradients of the first output, layer by layer.
///
/// The points pass through the network some at a time. Every time all weights are drawn again, the same ones: a pure function of (key, draw).
package final class TangentFeatures {
  /// A vector of `rows` entries for each point, entry by entry.
  package final class Matrix {
    package let data: UnsafeMutablePointer<Double>
    package let rows, stride: Int

    init(rows: Int, points: Int) {
      self.rows = rows
      stride = MatrixProduct.padded(points, Double.self)
      data = .allocateZeros(rows * stride)
    }

    deinit { data.deallocate() }

    func take(_ column: UnsafePointer<Double>, point: Int) {
      for i in 0..<rows { data[i &* stride &+ point] = column[i] }
    }
  }

  package let count: Int
  /// Layers of the passes.
  package let depth: Int
  /// The inputs, then phi(z) of each layer; D of each layer.
  package let posts, gradients: [Matrix]
  private let settings: PassSettings

  /// Points that pass at once.
  package static let together = Inputs.largestCount

  /// - Parameters:
  ///   - count: P; `network`: makes the network of some of the points.
  ///   - draw: of the stream with this key.
  package init(
    count: Int, key: UInt64, draw: UInt64, network: (Range<Int>) throws -> any PassArchitecture
  ) throws {
    self.count = count
    var first: (settings: PassSettings, posts: [Matrix], gradients: [Matrix])?
    var stream = Stream(key: key)
    for start in Swift.stride(from: 0, to: count, by: Self.together) {
      let range = start..<min(start + Self.together, count)
      let architecture = try network(range)
      let passes = architecture.makeState()
      let settings = passes.settings
      if first == nil {
        let (n, d) = (settings.network.width, settings.depth)
        func matrices(_ sizes: [Int]) -> [Matrix] { sizes.map { Matrix(rows: $0, points: count) } }
        first = (
          settings, matrices([settings.features] + Array(repeating: n, count: d)),
          matrices(Array(repeating: n, count: d))
        )
      }
      stream.start(draw: draw)
      for layer in 1...settings.depth { passes.forward(layer, &stream) }
      passes.finish(&stream)
      for (i, point) in range.enumerated() {
        first!.posts[0].take(passes.features[i], point: point)
        for layer in 0..<settings.depth {
          first!.posts[layer + 1].take(passes.post[layer][i], point: point)
          first!.gradients[layer].take(passes.gradients[layer][i], point: point)
        }
      }
    }
    (settings, posts, gradients) = first!
    depth = settings.depth
  }

  /// $\lambda_b + \lambda_W \phi_a \cdot \phi_b / n$ of a product of post-activations of the layer, 0 for the inputs.
  package func increment(_ layer: Int, _ product: Double) -> Double { settings.increment(behind: layer, product) }

  /// Memory of the features of a network.
  package static func bytes(points: Int, width: Int, features: Int, depth: Int) -> Double {
    8 * Double(points) * (Double(features) + 2 * Double(width) * Double(depth))
  }

  package var bytes: Double {
    Self.bytes(points: count, width: settings.network.width, features: settings.features, depth: depth)
  }
}
