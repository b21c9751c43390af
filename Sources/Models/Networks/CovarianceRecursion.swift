import Experiments

/// An architecture whose covariance follows a recursion at infinite width and fixed depth: what `infinite-width` needs of it,
/// and what the weights of a posterior are centred with.
package protocol CovarianceRecursive: Architecture {
  /// The recursion; nil where scores or weights stay random at infinite width.
  func covarianceRecursion() -> CovarianceRecursion?
  /// Why there is none, after "equation".
  var noRecursion: String { get }
}

extension CovarianceRecursive {
  package var noRecursion: String {
    "has no deterministic limit: with the usual temperature scores stay random, and with uniform or sign weights the first layer is not Gaussian"
  }
}

/// A recursion over covariances of inputs, or of pairs of position and input.
package struct CovarianceRecursion {
  /// K_0 and its size.
  package let start: [Double]
  let size: Int
  /// The covariance of a layer from that of the one before it.
  package let next: (_ k: [Double], _ layer: Int) -> [Double]
  /// V from K: the mean over `positions` blocks on the diagonal.
  let positions: Int
  /// Whether it needs infinitely many heads besides an infinite width.
  package let ofManyHeads: Bool

  package init(
    start: [Double], size: Int, positions: Int = 1, ofManyHeads: Bool = false,
    next: @escaping (_ k: [Double], _ layer: Int) -> [Double]
  ) {
    (self.start, self.size, self.positions, self.next) = (start, size, positions, next)
    self.ofManyHeads = ofManyHeads
  }

  /// A recursion over the inputs, from V_0.
  package init(
    _ settings: NetworkSettings, ofManyHeads: Bool = false, next: @escaping (_ k: [Double], _ layer: Int) -> [Double]
  ) {
    self.init(start: settings.inputs.gram, size: settings.count, ofManyHeads: ofManyHeads, next: next)
  }

  /// V of a state of the recursion.
  package func covariance(_ k: [Double]) -> [Double] {
    let m = size / positions
    return (0..<m * m).map { index in
      (0..<positions).reduce(0.0) { $0 + k[($1 * m + index / m) * size + $1 * m + index % m] } / Double(positions)
    }
  }

  /// `keep K + scale image`, entry by entry.
  package static func mix(_ k: [Double], _ keep: Double, _ image: [Double], _ scale: Double) -> [Double] {
    zip(k, image).map { keep * $0 + scale * $1 }
  }
}

// MARK: - One conformance an architecture

extension LinearMLP: CovarianceRecursive {
  package func covarianceRecursion() -> CovarianceRecursion? { CovarianceRecursion(settings) { k, _ in k } }
}

extension PerceptronArchitecture {
  /// `K' = c E[phi(u_a) phi(u_b)] + sigma_b^2`, u ~ N(0, K). With other weights than Gaussian and orthogonal ones the first layer is not
  /// Gaussian: it depends on each component of the inputs.
  package func covarianceRecursion() -> CovarianceRecursion? {
    let (m, layer) = (settings.count, perceptron)
    guard layer.law.isInvariant else { return nil }
    let kernel = ActivationKernel(layer.activation)
    return CovarianceRecursion(settings) { k, _ in
      layer.covariance(kernel.apply(k, m))
    }
  }
}

extension MLP: CovarianceRecursive {}
extension OrthogonalMLP: CovarianceRecursive {}
extension TangentMLP: CovarianceRecursive {}
extension PassMLP: CovarianceRecursive {}
extension PassResNet: CovarianceRecursive {
  package func covarianceRecursion() -> CovarianceRecursion? { network.covarianceRecursion() }
}

extension GatedMLP: CovarianceRecursive {
  /// `K' = c E[phi(u_a) phi(u_b)] K`.
  package func covarianceRecursion() -> CovarianceRecursion? {
    let kernel = ActivationKernel(activation)
    return CovarianceRecursion(settings) { [m = settings.count, gain] k, _ in
      zip(kernel.apply(k, m), k).map { gain * $0 * $1 }
    }
  }
}

extension ResNet: CovarianceRecursive {
  /// `K' = alpha^2 K + lambda_l^2 c E[phi(u_a) phi(u_b)]`.
  package func covarianceRecursion() -> CovarianceRecursion? {
    let kernel = ActivationKernel(activation)
    return CovarianceRecursion(settings) { [m = settings.count, gain, strength] k, layer in
      let (alpha, lambda) = (strength.alpha, strength.lambda(layer))
      return CovarianceRecursion.mix(k, alpha * alpha, kernel.apply(k, m), lambda * lambda * gain)
    }
  }
}

extension ConvolutionalResNet: CovarianceRecursive {
  /// As the residual network's, with the mean over the offsets of the kernel.
  package func covarianceRecursion() -> CovarianceRecursion? {
    let activations = ActivationKernel(activation)
    let (m, sites, positions, width) = (settings.count, sites, positions, kernel)
    return CovarianceRecursion(start: siteGram, size: sites, positions: positions) { [gain, strength] k, layer in
      let (alpha, lambda) = (strength.alpha, strength.lambda(layer))
      let image = activations.apply(k, sites)
      let patches = (0..<sites * sites).map { index -> Double in
        let (s, t) = (index / sites, index % sites)
        return (-(width / 2)...(width / 2)).reduce(0.0) { sum, offset in
          let from = (s / m + offset + positions) % positions * m + s % m
          let to = (t / m + offset + positions) % positions * m + t % m
          return sum + image[from * sites + to]
        }
      }
      return CovarianceRecursion.mix(k, alpha * alpha, patches, lambda * lambda * gain / Double(width))
    }
  }
}

extension Transformer: CovarianceRecursive {
  /// The shaped temperature grows with the width: attention becomes uniform, and centred attention the identity. With the usual
  /// temperature the scores stay random.
  package func covarianceRecursion() -> CovarianceRecursion? {
    guard shaped else { return nil }
    let m = settings.count
    let kernel = block.map { (activation: ActivationKernel($0.activation), gain: $0.gain) }
    return CovarianceRecursion(settings) { [gamma, skip, centred, causal] k, _ in
      let reach = { (a: Int) in causal ? a + 1 : m }
      let attended = (0..<m * m).map { index -> Double in
        let (a, b) = (index / m, index % m)
        if centred { return k[index] }
        var sum = 0.0
        for x in 0..<reach(a) { for y in 0..<reach(b) { sum += k[x * m + y] } }
        return sum / Double(reach(a) * reach(b))
      }
      let after = CovarianceRecursion.mix(k, skip, attended, gamma * gamma)
      guard let kernel else { return after }
      return CovarianceRecursion.mix(after, skip, kernel.activation.apply(after, m), gamma * gamma * kernel.gain)
    }
  }
}
