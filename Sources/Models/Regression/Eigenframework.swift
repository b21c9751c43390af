import Kernels

/// Mean errors of random-feature ridge regression at many samples (arXiv:2311.14646; Simon and others): a deterministic equivalent in the eigenvalues, the teacher, n, k and the ridge, with
/// corrections of order 1/n.
///
/// With $z(\gamma) = \sum_i \lambda_i/(\lambda_i + \gamma)$, $q(\gamma) = \sum_i (\lambda_i/(\lambda_i + \gamma))^2$ and $\kappa = \gamma (k - z)/k$, gamma solves $n = z + \delta/\kappa$. Then
///
/// $$ D = \frac{q (k - 2 z) + z^2}{n (k - q)}, \quad B = \sum_i \Big[\frac{\gamma}{\lambda_i + \gamma} - \frac{\kappa \lambda_i k}{(\lambda_i + \gamma)^2 (k - q)}\Big] v_i^2, \quad
/// \mathrm{test} = \frac{B + \sigma^2}{1 - D}, \quad \mathrm{train} = \mathrm{test}\, \Big(\frac{n - z}{n}\Big)^2 , $$
///
/// and at $k = \infty$ D = q/n, $B = \sum (\gamma/(\lambda + \gamma))^2 v^2$. References only: no bit of a draw depends on it but a noise or ridge that is given relative to it.
package struct Eigenframework: Sendable {
  package let spectrum: Spectrum
  package let samples: Double
  /// Infinity for infinitely many.
  package let features: Double
  /// Variance of the noise of the targets.
  package let noise: Double

  package struct Risk: Sendable, Equatable {
    package let test, train: Double
    package let ridge, gamma: Double
  }

  package init(_ spectrum: Spectrum, samples: Double, features: Double?, noise: Double) {
    (self.spectrum, self.samples, self.features, self.noise) = (spectrum, samples, features ?? .infinity, noise)
  }

  private func sums(_ gamma: Double) -> (z: Double, q: Double) {
    var (z, q) = (0.0, 0.0)
    for block in spectrum.blocks {
      let share = block.eigenvalue / (block.eigenvalue + gamma)
      z += block.count * share
      q += block.count * share * share
    }
    return (z, q)
  }

  /// kappa/gamma.
  private func thinning(_ z: Double) -> Double { features.isFinite ? (features - z) / features : 1 }

  /// The ridge whose gamma this is; negative where there is none.
  private func ridge(_ gamma: Double, _ z: Double) -> Double { gamma * thinning(z) * (samples - z) }

  package func risk(gamma: Double, ridge: Double? = nil) -> Risk {
    let (z, q) = sums(gamma)
    let (spread, part) =
      features.isFinite ? ((q * (features - 2 * z) + z * z) / (features - q), features / (features - q)) : (q, 1)
    let kappa = gamma * thinning(z)
    var bias = 0.0
    for block in spectrum.blocks {
      let rest = 1 / (block.eigenvalue + gamma)
      bias += (gamma * rest - kappa * block.eigenvalue * part * rest * rest) * block.teacher
    }
    let test = (bias + noise) / (1 - spread / samples)
    // Without a ridge as many features as samples fit them, to rounding or not.
    let left = ridge == 0 && features >= samples && z > 0.999 * samples ? 0 : (samples - z) / samples
    return Risk(test: test, train: test * left * left, ridge: ridge ?? self.ridge(gamma, z), gamma: gamma)
  }

  /// The logarithm of gamma at a ridge, by bisection: z + ridge/kappa falls as gamma grows.
  private func logGamma(ridge: Double) -> Double {
    var (low, high) = (-700.0, Elementary.log(spectrum.trace + ridge + 1) + 1)
    for _ in 0..<200 {
      let middle = 0.5 * (low + high)
      let gamma = Elementary.exp(middle)
      let z = sums(gamma).z
      let isBelow = z >= features || z + (ridge > 0 ? ridge / (gamma * thinning(z)) : 0) > samples
      if isBelow { low = middle } else { high = middle }
    }
    return high
  }

  package func risk(ridge: Double) -> Risk {
    risk(gamma: Elementary.exp(logGamma(ridge: ridge)), ridge: ridge)
  }

  /// The ridge of the least test error, by a scan and a golden section in log gamma. A ridge of 0 where that is best.
  package func best() -> Risk {
    let low = logGamma(ridge: 0)
    let high = max(low, Elementary.log(spectrum.trace)) + 12
    func test(_ x: Double) -> Double { risk(gamma: Elementary.exp(x)).test }
    let points = 400
    let scan = (0...points).map { low + (high - low) * Double($0) / Double(points) }
    let least = scan.indices.min { test(scan[$0]) < test(scan[$1]) }!
    let x = GoldenSection.minimum(
      in: scan[max(least - 1, 0)]...scan[min(least + 1, points)], sections: 60, of: test)
    // At the border, where the golden section only comes near.
    return x - low < 1e-6 ? risk(ridge: 0) : risk(gamma: Elementary.exp(x))
  }

  /// The same system without noise.
  package var noiseless: Eigenframework {
    Eigenframework(spectrum, samples: samples, features: features.isFinite ? features : nil, noise: 0)
  }

  /// train/test at the best ridge of power laws $\lambda_i = i^{-a}$, $v_i^2 = i^{-b}$ with infinitely many features and samples, and noise that is s times the noiseless ridgeless test
  /// error: $(1 - u)^2$ with $b (a - 1) u + a (a - 1) s u^b = a (b - 1)$, u < 1; 0 where fitting is best.
  package static func fittingRatio(decay a: Double, teacher b: Double, relativeNoise s: Double) -> Double {
    func excess(_ u: Double) -> Double {
      b * (a - 1) * u + a * (a - 1) * s * Elementary.exp(b * Elementary.log(u)) - a * (b - 1)
    }
    guard excess(1) > 0 else { return 0 }
    var (low, high) = (0.0, 1.0)
    for _ in 0..<100 {
      let u = 0.5 * (low + high)
      if excess(u) > 0 { high = u } else { low = u }
    }
    let u = 0.5 * (low + high)
    return (1 - u) * (1 - u)
  }

  /// $L \to (\frac{\pi}{a \sin(\pi/a)})^a m^{1 - a}$ of a teacher N(0, Lambda) without ridge or noise and $m = \min(n, k)$, the other infinite (arXiv:2102.06701).
  package static func resolutionLimit(decay a: Double, count m: Double) -> Double {
    // Half turns: sin(pi / a).
    let sine = Elementary.sinCosTurns(0.5 / a).0
    return Elementary.exp(a * Elementary.log(0x1.921fb54442d18p1 / (a * sine)) + (1 - a) * Elementary.log(m))
  }
}
