import Experiments
import Kernels
import Randomness

/// What the vertices of a graph know of a parameter theta: $F(\theta) = \sum_i \mu_i F_i(\theta)$ is to be made small, and vertex i gives $H(\theta, i) = -\nabla F_i(\theta)$.
///
/// `mean`: $F_i = (b_i - \theta)^2/2$. `logistic`: $F_i = \log(1 + e^{-y_i s_i \cdot \theta}) + \frac{\rho}{2}|\theta|^2$, with $s_i$ standard normal and $P(y_i = 1) = 1/(1 + e^{-s_i \cdot 1})$, drawn by a seed of their own.
package struct NodeObjective: Sendable {
  package enum Kind: String, CaseIterable, Sendable { case mean, logistic }

  package let kind: Kind
  package let dimension: Int
  /// b; or $y_i s_i$, vertex by vertex.
  private let data: [Double]
  /// $\rho$.
  private let ridge: Double
  private let law: [Double]
  /// $\theta^*$, and F there.
  package private(set) var minimiser: [Double]
  package private(set) var least = 0.0
  /// Eigenvalues of the Hessian at $\theta^*$, ascending, and its eigenvectors.
  package private(set) var curvatures: [Double]
  package private(set) var directions: [[Double]]

  package init(mean b: [Double], _ chain: BaseChain) {
    (kind, dimension, data, ridge, law) = (.mean, 1, b, 0, chain.target)
    (minimiser, curvatures, directions) = ([chain.mean(b)], [1], [[1]])
    least = value(&minimiser)
  }

  package init(logistic dimension: Int, ridge: Double, seed: UInt64, _ chain: BaseChain) {
    var stream = Stream(key: Stream.key(seed: seed, path: "walk/logistic"))
    stream.start(draw: 0)
    var data: [Double] = []
    for _ in 0..<chain.count {
      let s = (0..<dimension).map { _ in stream.normal() }
      let isOne = stream.uniform() < 1 / (1 + Elementary.exp(-s.reduce(0, +)))
      data += s.map { isOne ? $0 : -$0 }
    }
    (kind, self.dimension, self.data, self.ridge, law) = (.logistic, dimension, data, ridge, chain.target)
    (minimiser, curvatures, directions) = (Array(repeating: 0, count: dimension), [], [])
    minimise()
    (curvatures, directions) = SymmetricEigenvectors.sorted(derivatives.hessian, count: dimension)
    least = value(&minimiser)
  }

  /// The gradients as pointers, for the length of a walk.
  package struct Gradients {
    fileprivate let kind: Kind
    package let dimension: Int
    fileprivate let ridge: Double
    fileprivate let data: UnsafePointer<Double>

    /// $H(\theta, i)$.
    @inline(__always)
    package func write(
      _ theta: UnsafePointer<Double>, vertex i: Int, into h: UnsafeMutablePointer<Double>
    ) {
      let s = data + i &* dimension
      if kind == .mean { return h[0] = s[0] - theta[0] }
      var margin = 0.0
      for k in 0..<dimension { margin = margin.addingProduct(s[k], theta[k]) }
      let pull = 1 / (1 + Elementary.exp(margin))
      for k in 0..<dimension { h[k] = pull * s[k] - ridge * theta[k] }
    }
  }

  package func withGradients(_ body: (Gradients) -> Void) {
    data.withUnsafeBufferPointer {
      guard let data = $0.baseAddress else { return }
      body(Gradients(kind: kind, dimension: dimension, ridge: ridge, data: data))
    }
  }

  /// $F(\theta)$.
  package func value(_ theta: UnsafePointer<Double>) -> Double {
    var sum = 0.0
    data.withUnsafeBufferPointer { data in
      for i in law.indices {
        let loss: Double
        switch kind {
        case .mean: loss = 0.5 * (data[i] - theta[0]) * (data[i] - theta[0])
        case .logistic:
          var margin = 0.0
          for k in 0..<dimension { margin = margin.addingProduct(data[i &* dimension &+ k], theta[k]) }
          loss = max(0, -margin) + Elementary.log(1 + Elementary.exp(-margin.magnitude))
        }
        sum = sum.addingProduct(law[i], loss)
      }
    }
    var square = 0.0
    for k in 0..<dimension { square = square.addingProduct(theta[k], theta[k]) }
    return sum.addingProduct(0.5 * ridge, square)
  }

  /// Gradient and Hessian of F at the minimiser, as far as it is known.
  private var derivatives: (gradient: [Double], hessian: [Double]) {
    let d = dimension
    var gradient = minimiser.map { ridge * $0 }
    var hessian = (0..<d * d).map { $0 % (d + 1) == 0 ? ridge : 0 }
    for i in law.indices {
      let s = data[i * d..<i * d + d]
      let pull = 1 / (1 + Elementary.exp(zip(s, minimiser).reduce(0) { $0 + $1.0 * $1.1 }))
      for (k, x) in s.enumerated() {
        gradient[k] -= law[i] * pull * x
        for (l, y) in s.enumerated() { hessian[k * d + l] += law[i] * pull * (1 - pull) * x * y }
      }
    }
    return (gradient, hessian)
  }

  /// Newton's method; a step that does not lower F is halved.
  private mutating func minimise() {
    let d = dimension
    for _ in 0..<100 {
      var (step, hessian) = derivatives
      Cholesky.factor(&hessian, stride: d, count: d)
      Cholesky.forward(hessian, stride: d, count: d, &step)
      Cholesky.backward(hessian, stride: d, count: d, &step)
      let (old, value) = (minimiser, self.value(minimiser))
      var share = 1.0
      repeat {
        minimiser = zip(old, step).map { $0 - share * $1 }
        share *= 0.5
      } while self.value(minimiser) > value && share > 1e-10
      guard zip(old, minimiser).contains(where: { ($0 - $1).magnitude > 1e-14 * max(1, $0.magnitude) }) else { break }
    }
  }

  /// Of every vertex, the component of $H(\theta^*, i)$ along direction k.
  package func noise(along k: Int) -> [Double] {
    var h = Array(repeating: 0.0, count: dimension)
    var found: [Double] = []
    withGradients { gradients in
      for i in law.indices {
        gradients.write(minimiser, vertex: i, into: &h)
        found.append(zip(directions[k], h).reduce(0) { $0 + $1.0 * $1.1 })
      }
    }
    return found
  }
}
