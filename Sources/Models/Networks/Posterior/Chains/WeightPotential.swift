import Kernels

/// What targets are, given the outputs.
package enum Likelihood: Sendable {
  /// y = f + N(0, s^2).
  case gaussian(noise: Double)
  /// y = 1 with probability 1/(1 + e^{-f}), else -1.
  case logistic
}

/// The energy of all weights of a perceptron given targets, $e^{-U}$ being prior times likelihood, with its exact gradient:
///
/// $$ U(\theta) = \tfrac12 |\theta|^2 + \sum_p \ell_p(f_p), \qquad f_p = \sqrt{c/n}\, v \cdot \phi(z_d(x_p)) + \sigma_b b, \qquad
///    \ell = \frac{(f - y)^2}{2 s^2} \quad\text{or}\quad \log(1 + e^{-y f}) , $$
///
/// with the layers of `Perceptron`. The posts and their slopes are kept multiplied by $\sqrt{c/n}$, 0 behind the units. Nothing is allocated after `init`.
package final class WeightPotential: PotentialEnergy {
  package let layout: WeightLayout
  private let activation: any Activation
  private let likelihood: Likelihood
  private let bias: Double
  private let targets: [Double]
  private let tests: Int
  private let room: UnsafeMutablePointer<Double>
  /// Inputs with targets, then those without, row by row.
  private let trainRows, testRows: UnsafeMutablePointer<Double>
  /// By layer: examples x stride.
  private let posts, slopes: UnsafeMutablePointer<Double>
  private let delta, before: UnsafeMutablePointer<Double>
  /// sqrt(c/n) of every unit.
  private let factor: UnsafeMutablePointer<Double>
  /// sigma_b.
  private let ones: UnsafeMutablePointer<Double>
  /// Of the examples with targets: f, and the derivative of the loss.
  private let outputs, slopesOfLoss: UnsafeMutablePointer<Double>
  private let block: Int

  /// - Parameters:
  ///   - train: vectors with targets; `test` those without.
  ///   - targets: +-1 for the logistic likelihood.
  package init(
    _ perceptron: Perceptron, width: Int, depth: Int, train: [[Double]], targets: [Double], test: [[Double]],
    likelihood: Likelihood
  ) {
    let layout = WeightLayout(features: train[0].count, width: width, depth: depth, hasBias: perceptron.bias != 0)
    let most = max(train.count, test.count)
    block = most * layout.stride
    let vectors = (train.count + test.count) * layout.features
    room = .allocateZeros((2 * depth + 2) * block + layout.stride + 1 + 2 * most + vectors)
    posts = room
    slopes = posts + depth * block
    delta = slopes + depth * block
    before = delta + block
    factor = before + block
    ones = factor + layout.stride
    outputs = ones + 1
    slopesOfLoss = outputs + most
    trainRows = slopesOfLoss + most
    testRows = trainRows + train.count * layout.features
    for (rows, vectors) in [(trainRows, train), (testRows, test)] {
      for (i, x) in vectors.flatMap({ $0 }).enumerated() { rows[i] = x }
    }
    let scale = (perceptron.gain / Double(width)).squareRoot()
    for j in 0..<width { factor[j] = scale }
    ones[0] = perceptron.bias
    (self.layout, self.likelihood, self.targets, tests) = (layout, likelihood, targets, test.count)
    (activation, bias) = (perceptron.activation, perceptron.bias)
  }

  deinit { room.deallocate() }

  /// Posts and slopes of all layers, and the outputs.
  private func forward(
    _ x: UnsafePointer<Double>, _ rows: UnsafePointer<Double>, _ examples: Int, to f: UnsafeMutablePointer<Double>
  ) {
    let (n, stride, used) = (layout.width, layout.stride, examples &* layout.stride)
    var post = posts
    DenseLayer.apply(
      rows, layout.features, examples: examples, fanIn: layout.features, x, bias: nil, biasScale: 0, stride: stride,
      to: post)
    for layer in 1...layout.depth {
      if layer > 1 {
        let own = posts + (layer &- 1) &* block
        DenseLayer.apply(
          post, stride, examples: examples, fanIn: n, x + layout.weights(into: layer),
          bias: layout.hasBias ? x + layout.biases(of: layer) : nil, biasScale: bias, stride: stride, to: own)
        post = own
      }
      let slope = slopes + (layer &- 1) &* block
      activation.apply(post, slopes: slope, used)
      DenseLayer.scale(post, examples: examples, by: factor, stride: stride)
      DenseLayer.scale(slope, examples: examples, by: factor, stride: stride)
    }
    let shift = layout.hasBias ? bias * x[layout.outputBias] : 0
    for p in 0..<examples { f[p] = shift + DenseLayer.dot(post + p &* stride, x + layout.readout, stride) }
  }

  package func evaluate(_ x: UnsafePointer<Double>, to gradient: UnsafeMutablePointer<Double>) {
    let (n, stride, count) = (layout.width, layout.stride, targets.count)
    forward(x, trainRows, count, to: outputs)
    switch likelihood {
    case .gaussian(let noise):
      for p in 0..<count { slopesOfLoss[p] = (outputs[p] - targets[p]) / noise }
    case .logistic:
      for p in 0..<count { slopesOfLoss[p] = -targets[p] * Elementary.sigmoid(-targets[p] * outputs[p]) }
    }
    let readout = layout.readout
    DenseLayer.gradient(
      slopesOfLoss, 1, examples: count, fanIn: 1, posts + (layout.depth &- 1) &* block, x + readout, stride: stride,
      to: gradient + readout)
    if layout.hasBias {
      var sum = 0.0
      for p in 0..<count { sum += slopesOfLoss[p] }
      gradient[layout.outputBias] = x[layout.outputBias] + bias * sum
    }
    var (own, other) = (delta, before)
    DenseLayer.spread(
      slopesOfLoss, examples: count, x + readout, slopes + (layout.depth &- 1) &* block, stride: stride, to: own)
    var layer = layout.depth
    while layer > 1 {
      let place = layout.weights(into: layer)
      DenseLayer.gradient(
        posts + (layer &- 2) &* block, stride, examples: count, fanIn: n, own, x + place, stride: stride,
        to: gradient + place)
      if layout.hasBias {
        let place = layout.biases(of: layer)
        DenseLayer.gradient(
          ones, 0, examples: count, fanIn: 1, own, x + place, stride: stride, to: gradient + place)
      }
      DenseLayer.pull(
        own, examples: count, fanIn: n, x + place, slopes + (layer &- 2) &* block, stride: stride, to: other)
      swap(&own, &other)
      layer &-= 1
    }
    DenseLayer.gradient(
      trainRows, layout.features, examples: count, fanIn: layout.features, own, x, stride: stride, to: gradient)
  }

  package func energy(_ x: UnsafePointer<Double>) -> Double {
    var loss = 0.0
    for p in targets.indices {
      switch likelihood {
      case .gaussian(let noise):
        let rest = outputs[p] - targets[p]
        loss += rest * rest / (2 * noise)
      case .logistic: loss += Elementary.softplus(-targets[p] * outputs[p])
      }
    }
    return loss + 0.5 * LaneSum.ofProducts(x, x, layout.size)
  }

  /// Writes f of the inputs without targets. What `evaluate` has left for `energy` stays as it is.
  package func predict(_ x: UnsafePointer<Double>, to f: UnsafeMutablePointer<Double>) {
    forward(x, testRows, tests, to: f)
  }
}
