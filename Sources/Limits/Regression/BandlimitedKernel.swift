import Experiments
import Foundation
import Kernels
import Regression

/// The error of infinitely many bandlimited neurons: with $K(x, x') = \mathbb E\, \sigma(a x + b) \sigma(a x' + b)$ as an operator on [0, 1],
/// $\mathrm{error}^2 = |\delta (K + \delta)^{-1} f|^2/|f|^2$.
///
/// The mean over b is exact: with $p = e^{-u}$, $r = e^{-v}$ and $t = e^b$ the integral of $t/((t + p)(t + r))$ is $(p \log(t + p) - r \log(t + r))/(p - r)$. That over a is a Gauss-Legendre rule on panels over
/// which a x changes by at most 4: the nearest pole is pi away.
package struct BandlimitedKernel {
  private let problem: BandlimitedRegression
  /// Of the nodes with the roots of their weights on both sides.
  private let matrix: [Double]

  package init(_ problem: BandlimitedRegression) {
    self.problem = problem
    let (count, band) = (problem.nodes.count, problem.band)
    var sums = [Double](repeating: 0, count: count * count)
    var (inverse, logs) = ([Double](repeating: 0, count: count), [Double](repeating: 0, count: count))
    GaussLegendre.forEachNode(in: -band...band, breaks: [0], panel: 4) { a, weight in
      // Ascending in u = a x, so that the quotients are at most 1.
      let nodes = a > 0 ? problem.nodes : problem.nodes.reversed()
      for (i, x) in nodes.enumerated() {
        inverse[i] = exp(-a * x)
        logs[i] = Self.logarithm(inverse[i], band)
      }
      for i in 0..<count {
        let (p, high) = (inverse[i], logs[i])
        // The derivative of p log p, for points that are too near each other for the quotient.
        let slope = p / (exp(band) + p) - p / (exp(-band) + p)
        for j in i..<count {
          let (r, step) = (inverse[j], a * (nodes[j] - nodes[i]))
          // $(p L_p - r L_r)/(p - r)$, where r and p are near each other without their difference.
          let value =
            step > 0.01
            ? (p * high - r * logs[j]) / (p - r)
            : step > 1e-5 ? logs[j] + (high - logs[j]) / -expm1(-step) : high + slope * (1 - 0.5 * step)
          let (k, l) = a > 0 ? (i, j) : (count - 1 - j, count - 1 - i)
          sums[k * count + l] += weight * value
        }
      }
    }
    let scale = 1 / (4 * band * band)
    for i in 0..<count {
      for j in i..<count { sums[i * count + j] *= scale * (problem.weights[i] * problem.weights[j]).squareRoot() }
    }
    matrix = sums
  }

  /// $\log \frac{e^\lambda + p}{e^{-\lambda} + p}$.
  private static func logarithm(_ p: Double, _ band: Double) -> Double { log((exp(band) + p) / (exp(-band) + p)) }

  /// The relative error at a ridge, and |c|, which is $\sqrt{f (K + \delta)^{-1} K (K + \delta)^{-1} f}$.
  package func errors(ridge: Double) -> (error: Double, coefficients: Double) {
    let count = problem.nodes.count
    var factor = matrix
    let right = zip(problem.weights, problem.targets).map { $0.squareRoot() * $1 }
    var a = right
    for i in 0..<count { factor[i * count + i] += ridge }
    guard Cholesky.factor(&factor, stride: count, count: count) == nil else { return (.nan, .nan) }
    Cholesky.forward(factor, stride: count, count: count, &a)
    Cholesky.backward(factor, stride: count, count: count, &a)
    let norm = a.reduce(0) { $0 + $1 * $1 }
    let along = zip(a, right).reduce(0) { $0 + $1.0 * $1.1 }
    return (ridge * (norm / problem.square).squareRoot(), max(0, along - ridge * norm).squareRoot())
  }
}

extension RegressionLimits {
  static let bandlimitedKernel = LimitEntry<RegressionModel>(
    name: "bandlimited-kernel", summary: "the error of infinitely many bandlimited neurons",
    equation: "error^2 = |ridge (K + ridge)^-1 f|^2/|f|^2, K(x, x') = E s(a x + b) s(a x' + b), a, b ~ U[-band, band]",
    reference: "How powerful are shallow networks with bandlimited random weights?; docs/regression.md", parameters: []
  ) { p, model in
    guard let problem = model.problem as? BandlimitedRegression else {
      throw p.invalid("equation", "needs model = \"bandlimited\"")
    }
    let kernel = BandlimitedKernel(problem)
    let known = values(model, remainder: [Remainder("neurons", order: 1)]) { ridge in
      let found = kernel.errors(ridge: ridge)
      return [(.mean, "error", found.error), (.mean, "coefficients", found.coefficients)]
    }
    return LimitModel(.known(known), offset: "an offset of order 1/N is expected")
  }
}
