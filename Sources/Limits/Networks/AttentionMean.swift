import Kernels
import Networks

/// $E_N[A F A^T]$ over the scores of a head of many channels, $A = \mathrm{softmax}(\sqrt c\,L N L^T)$, $F = L L^T$ correlations, N normals:
/// what infinitely many heads do.
///
/// Two rows of scores, less their entry of token 0, are $\sqrt c D L g$ and $\sqrt c D L g'$, g and g' normals with the correlation
/// $F_{ab}$: with $g = \alpha s + \beta t$, $g' = \alpha s - \beta t$ an integral of 2 (m - 1) dimensions, by the trapezoidal rule. A softmax is
/// analytic as long as no imaginary parts of scores are pi apart, which bounds the error of a step.
package struct AttentionMean {
  private let tokens: Int
  /// c.
  private let strength: Double
  private let causal: Bool

  /// Tokens whose integrals have few enough dimensions, and the largest c of three: the number of nodes grows like $c^2$.
  static let mostTokens = 3
  static let largestStrength = 4.0

  /// - Returns: nil where the integral would take too long.
  package init?(tokens: Int, strength: Double, causal: Bool) {
    let isRandom = tokens > 1 && strength > 0
    guard !isRandom || tokens == 2 && strength <= 1e4 || tokens == 3 && strength <= Self.largestStrength else {
      return nil
    }
    (self.tokens, self.strength, self.causal) = (tokens, strength, causal)
  }

  /// Whether all heads are alike, however few.
  var isUniform: Bool { tokens == 1 || strength == 0 }

  /// - Parameter refinement: divides the step.
  package func apply(_ f: [Double], refinement: Double = 1) -> [Double] {
    let m = tokens
    if isUniform {
      return (0..<m * m).map { index in
        let (a, b) = (causal ? index / m + 1 : m, causal ? index % m + 1 : m)
        var sum = 0.0
        for x in 0..<a { for y in 0..<b { sum += f[x * m + y] } }
        return sum / Double(a * b)
      }
    }
    // Factor of the differences from token 0.
    let d = m - 1
    var differences = (0..<d * d).map { index in
      let (i, j) = (index / d + 1, index % d + 1)
      return strength * ((f[i * m + j] - f[j]) - (f[i * m] - 1))
    }
    differences.withUnsafeMutableBufferPointer {
      Triangular.clippedCholesky($0.baseAddress!, m: d, into: $0.baseAddress!)
    }
    var widest = 0.0
    for i in 0..<m { for j in 0..<i { widest = max(widest, 2 * (1 - f[i * m + j])) } }
    // The integrand less its Gaussian is analytic within r = pi/deviation, so a step h = 2 pi/k leaves e^{-k r + r^2/2}, or e^{-k^2/2} if
    // that strip is wide: below e^{-30}.
    let strip = min(Double.pi / (strength * widest).squareRoot(), 60.0.squareRoot())
    let step = 2 * Double.pi / (30 / strip + 0.5 * strip) / refinement
    let reach = Int((7.2 / step).rounded(.up))
    let nodes = (-reach...reach).map {
      (x: Double($0) * step, w: GaussianExpectation.density(Double($0) * step) * step)
    }
    var result = f
    for a in 0..<m {
      for b in 0...a {
        // Without a mask all rows are alike.
        let value = a == b && a > 0 && !causal ? result[0] : entry(a, b, f, differences, nodes)
        (result[a * m + b], result[b * m + a]) = (value, value)
      }
    }
    return result
  }

  private func entry(
    _ a: Int, _ b: Int, _ f: [Double], _ lower: [Double], _ nodes: [(x: Double, w: Double)]
  ) -> Double {
    let m = tokens
    let rho = f[a * m + b]
    let (alpha, beta) = (max(0.5 * (1 + rho), 0).squareRoot(), max(0.5 * (1 - rho), 0).squareRoot())
    let point = [(x: 0.0, w: 1.0)]
    let (s, t) = (alpha == 0 ? point : nodes, beta == 0 ? point : nodes)
    let (s2, t2) = m == 3 ? (s, t) : (point, point)
    let (reachA, reachB) = (causal ? a + 1 : m, causal ? b + 1 : m)
    let (l00, l10, l11) = m == 3 ? (lower[0], lower[2], lower[3]) : (lower[0], 0, 0)
    let (f01, f02, f12) = m == 3 ? (f[1], f[2], f[5]) : (f[1], 0, 0)
    /// Softmax over the tokens that a row reaches.
    func softmax(_ g: Double, _ h: Double, _ reach: Int) -> (Double, Double, Double) {
      let first = reach > 1 ? Elementary.exp(l00 * g) : 0
      let second = reach > 2 ? Elementary.exp(l10 * g + l11 * h) : 0
      let scale = 1 / (1 + first + second)
      return (scale, scale * first, scale * second)
    }
    var total = 0.0
    for x in s {
      for y in s2 where x.w * y.w > 1e-16 {
        let weight = x.w * y.w
        for z in t {
          for u in t2 where weight * z.w * u.w > 1e-18 {
            let p = softmax(alpha * x.x + beta * z.x, alpha * y.x + beta * u.x, reachA)
            let q = softmax(alpha * x.x - beta * z.x, alpha * y.x - beta * u.x, reachB)
            let form =
              p.0 * q.0 + p.1 * q.1 + p.2 * q.2 + f01 * (p.0 * q.1 + p.1 * q.0) + f02 * (p.0 * q.2 + p.2 * q.0)
              + f12 * (p.1 * q.2 + p.2 * q.1)
            total += weight * z.w * u.w * form
          }
        }
      }
    }
    return total
  }

  /// Correlations of a covariance.
  static func correlations(_ k: [Double], _ m: Int) -> [Double] {
    (0..<m * m).map { index in
      let (a, b) = (index / m, index % m)
      if a == b { return 1 }
      return min(max(k[index] / GaussianPair(k[a * m + a], k[b * m + b], k[index]).scale, -1), 1)
    }
  }
}

extension PreLNTransformer {
  /// $c_q c_k$, or 0 where no score reaches the stream.
  var scoreStrength: Double { gains.output * gains.value == 0 ? 0 : gains.query * gains.key }
}

extension PreLNTransformer: CovarianceRecursive {
  /// $K' = K + c_u c_v E_N[A F A^T]$, $K'' = K' + c_y E \phi(u_a) \phi(u_b)$, $u \sim N(0, c_x F(K'))$, F the correlations.
  package func covarianceRecursion() -> CovarianceRecursion? {
    let m = settings.count
    guard let mean = AttentionMean(tokens: m, strength: scoreStrength, causal: causal) else { return nil }
    let kernel = block.map { ActivationKernel($0.activation) }
    return CovarianceRecursion(settings, ofManyHeads: !mean.isUniform) { [gains] k, _ in
      let branch = mean.apply(AttentionMean.correlations(k, m))
      let after = CovarianceRecursion.mix(k, 1, branch, gains.output * gains.value)
      guard let kernel else { return after }
      let f = AttentionMean.correlations(after, m).map { gains.hidden * $0 }
      return CovarianceRecursion.mix(after, 1, kernel.apply(f, m), gains.mlp)
    }
  }

  package var noRecursion: String {
    "has a value for scores of up to \(AttentionMean.mostTokens) tokens only, and c_q c_k up to "
      + "\(AttentionMean.largestStrength) of three: \(NetworkLimits.infiniteWidthHeads.name) draws it, with many heads"
  }
}

extension TangentTransformer: CovarianceRecursive {
  package func covarianceRecursion() -> CovarianceRecursion? { network.covarianceRecursion() }
  package var noRecursion: String { network.noRecursion }
}
