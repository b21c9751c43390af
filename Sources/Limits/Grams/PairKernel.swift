import Kernels
import Networks

/// A layer of a recursion that is the same for every pair of inputs, with $E = E \phi(u) \phi(v)$ and $E' = E \phi'(u) \phi'(v)$ of the layer before:
///
/// $$K' = (p + g K)\, E + k K + b, \qquad \Theta' = (s E' + h)\, \Theta + t_E E + t_K K' + t.$$
struct PairStep: Sendable {
  var product = 0.0, gate = 0.0, keep = 0.0, constant = 0.0
  var slope = 0.0, hold = 0.0, ofProduct = 0.0, ofKernel = 0.0, rate = 0.0
}

/// An architecture whose kernels at infinite width are known pair by pair: what large Gram matrices are made of.
protocol PairRecursive: CovarianceRecursive {
  /// Nil of linear ones.
  var pairActivation: (any Activation)? { get }
  func pairStep(_ layer: Int) -> PairStep
  /// $\Theta_0 = t_K K_0 + t$, and what of the last K is added in the end; nil where there is no tangent kernel.
  var pairTangent: (ofKernel: Double, rate: Double, ofLast: Double)? { get }
}

extension PairRecursive {
  var pairTangent: (ofKernel: Double, rate: Double, ofLast: Double)? { nil }
}

extension LinearMLP: PairRecursive {
  var pairActivation: (any Activation)? { nil }
  func pairStep(_ layer: Int) -> PairStep { PairStep(keep: 1) }
}

extension GatedMLP: PairRecursive {
  var pairActivation: (any Activation)? { activation }
  func pairStep(_ layer: Int) -> PairStep { PairStep(gate: gain) }
}

extension PairRecursive where Self: PerceptronArchitecture {
  var pairActivation: (any Activation)? { perceptron.activation }

  func pairStep(_ layer: Int) -> PairStep {
    let p = perceptron
    let (ofKernel, rate) = Self.first(p)
    return PairStep(
      product: p.gain, constant: p.bias * p.bias, slope: p.gain, ofKernel: ofKernel, rate: rate)
  }

  /// What a layer adds to the tangent kernel is linear in K.
  private static func first(_ p: Perceptron) -> (ofKernel: Double, rate: Double) {
    let rate = p.firstKernel(0)
    return (p.firstKernel(1) - rate, rate)
  }

  var pairTangent: (ofKernel: Double, rate: Double, ofLast: Double)? {
    // Biases of the first layer do not learn apart from its weights where rates are those of the variances.
    let (ofKernel, rate) = Self.first(perceptron)
    return (ofKernel, rate, 0)
  }
}

extension MLP: PairRecursive {}
extension OrthogonalMLP: PairRecursive {}
extension TangentMLP: PairRecursive {}
extension PassMLP: PairRecursive {}

extension ResNet: PairRecursive {
  var pairActivation: (any Activation)? { activation }

  func pairStep(_ layer: Int) -> PairStep {
    let (alpha, lambda) = (strength.alpha, strength.lambda(layer))
    let branch = lambda * lambda * gain
    return PairStep(
      product: branch, keep: alpha * alpha, slope: branch, hold: alpha * alpha, ofProduct: branch)
  }

  var pairTangent: (ofKernel: Double, rate: Double, ofLast: Double)? { (1, 0, 1) }
}

extension PassResNet: PairRecursive {
  var pairActivation: (any Activation)? { network.pairActivation }
  func pairStep(_ layer: Int) -> PairStep { network.pairStep(layer) }
  var pairTangent: (ofKernel: Double, rate: Double, ofLast: Double)? { network.pairTangent }
}

/// Kernels at infinite width between many points, row by row: the covariance of the outputs or the tangent kernel.
final class PairGram: GramRows {
  let count: Int
  private let kernel: ActivationKernel?
  private let steps: [PairStep]
  private let tangent: (ofKernel: Double, rate: Double, ofLast: Double)?
  private let points: GramPoints
  /// K_aa of the layers 0 ... d.
  private var variances: [[Double]]

  /// - Parameter tangent: whether the tangent kernel is asked for.
  init(_ network: any PairRecursive, _ points: GramPoints, tangent: Bool) {
    count = points.count
    self.points = points
    kernel = network.pairActivation.map(ActivationKernel.init)
    // The output is one layer more than the hidden ones of a perceptron's recursion in neither kernel: V of the last layer is that of the outputs.
    steps = (0..<network.settings.depth).map { network.pairStep($0 + 1) }
    self.tangent = tangent ? network.pairTangent : nil
    variances = [points.squares]
    for step in steps {
      let before = variances.last!
      variances.append(
        before.map { v in
          var product = v
          if let kernel { kernel.products(v, [v], [v], 1, to: &product) }
          return Self.covariance(step, v, product)
        })
    }
  }

  @inline(__always)
  private static func covariance(_ step: PairStep, _ k: Double, _ product: Double) -> Double {
    (step.product + step.gate * k) * product + step.keep * k + step.constant
  }

  /// Columns worked on at once: four rows of them stay in the first cache.
  private static let block = 512

  func write(_ rows: Range<Int>, to band: UnsafeMutablePointer<Double>, stride length: Int) throws {
    points.products(rows, to: band, stride: length)
    let room = UnsafeMutablePointer<Double>.allocateAligned(capacity: 3 * Self.block)
    defer { room.deallocate() }
    for a in rows {
      let row = band + (a - rows.lowerBound) * length
      row[a] = points.squares[a]
      for first in Swift.stride(from: 0, through: a, by: Self.block) {
        write(a, first, min(Self.block, a + 1 - first), row + first, room)
      }
    }
  }

  /// Turns products of inputs into the kernel.
  private func write(
    _ a: Int, _ first: Int, _ count: Int, _ k: UnsafeMutablePointer<Double>, _ room: UnsafeMutablePointer<Double>
  ) {
    let (products, slopes, theta) = (room, room + Self.block, room + 2 * Self.block)
    if let tangent { for b in 0..<count { theta[b] = tangent.ofKernel * k[b] + tangent.rate } }
    for (layer, step) in steps.enumerated() {
      variances[layer].withUnsafeBufferPointer { own in
        let (p, q) = (own[a], own.baseAddress! + first)
        guard let kernel else { return products.update(from: k, count: count) }
        if tangent == nil {
          kernel.products(p, q, k, count, to: products)
        } else {
          kernel.products(p, q, k, count, to: products, slopes: slopes)
        }
      }
      for b in 0..<count { k[b] = Self.covariance(step, k[b], products[b]) }
      guard tangent != nil else { continue }
      for b in 0..<count {
        theta[b] =
          (step.slope * slopes[b] + step.hold) * theta[b] + step.ofProduct * products[b]
          + (step.ofKernel * k[b] + step.rate)
      }
    }
    if let tangent { for b in 0..<count { k[b] = theta[b] + tangent.ofLast * k[b] } }
  }

  var bytes: Double { points.bytes + Double(variances.count * count * 8) }
}
