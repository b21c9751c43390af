import Kernels

/// Where the weights of a perceptron are in the vector that a chain moves: rows of one entry a unit, as `DenseLayer` takes them.
///
/// The first layer has a row a feature of the inputs, every further one a row a unit and, with biases, one more; then the readout, and with biases a last number behind it. Entries behind the
/// units are 0 at all times, and are no weights.
package struct WeightLayout: Sendable {
  package let features, width, depth: Int
  package let hasBias: Bool
  /// Numbers of a row.
  package let stride: Int

  package init(features: Int, width: Int, depth: Int, hasBias: Bool) {
    (self.features, self.width, self.depth, self.hasBias) = (features, width, depth, hasBias)
    stride = DenseLayer.padded(width)
  }

  private var biases: Int { hasBias ? 1 : 0 }
  private var rows: Int { features + (depth - 1) * (width + biases) + 1 }

  /// Weights, all of them N(0, 1) at initialisation.
  package var dimension: Int { rows * width + biases }
  /// Numbers of the vector.
  package var size: Int { LaneSum.padded(rows * stride + biases) }

  /// Place of the weights into a layer, 2 to depth, and of its biases behind them.
  package func weights(into layer: Int) -> Int { (features + (layer - 2) * (width + biases)) * stride }
  package func biases(of layer: Int) -> Int { weights(into: layer) + width * stride }
  package var readout: Int { (rows - 1) * stride }
  package var outputBias: Int { rows * stride }

  /// Puts `dimension` numbers in their places, and zeros behind the units: what was there may be no number.
  package func scatter(_ numbers: UnsafePointer<Double>, to vector: UnsafeMutablePointer<Double>) {
    for row in 0..<rows {
      for j in 0..<width { vector[row &* stride &+ j] = numbers[row &* width &+ j] }
      for j in width..<stride { vector[row &* stride &+ j] = 0 }
    }
    if hasBias { vector[outputBias] = numbers[rows &* width] }
  }
}
