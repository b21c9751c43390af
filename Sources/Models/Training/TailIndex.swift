import Kernels

/// The law of a random factor A >= 0 or of |A|.
package enum FactorLaw: Sendable {
  /// |1 - (eta/B) S|, S a chi-square variable with B degrees of freedom.
  case squares(rate: Double, batch: Int)
  /// a e + b, e ~ Exp(1).
  case exponential(Double, Double)
}

/// The tail index of $w' = A w + N$: the root k > 0 of $E |A|^k = 1$ (Kesten 1973).
///
/// $\log E |A|^k$ is convex in k and 0 at k = 0, so there is a root if and only if $E \log |A| < 0$, when a stationary law exists, and A may exceed 1. Expectations
/// are double-exponential sums over log |A|: the integrands have an end where |A|^k or log |A| is singular, where Gauss rules converge slowly.
package struct TailIndex: Sendable, Equatable {
  package let index: Double
  /// $E |A|^{2k}$, the second moment of $|A|^k$.
  package let secondMoment: Double

  package enum Found: Sendable {
    case found(TailIndex)
    /// E log |A|, not negative.
    case notStationary(Double)
    /// The root is above `largest`.
    case tooLarge
  }

  package static let largest = 1e4

  /// The root, with the spacing of the sums halved until it stays the same to 1e-11 of its size.
  package static func find(_ law: FactorLaw) -> Found {
    var last = find(FactorNodes(law, spacing: 1.0 / 16))
    for level in 5...9 {
      let next = find(FactorNodes(law, spacing: 1 / Double(1 << level)))
      if case (.found(let a), .found(let b)) = (last, next), (a.index - b.index).magnitude <= 1e-11 * b.index {
        return next
      }
      last = next
    }
    return last
  }

  private static func find(_ nodes: FactorNodes) -> Found {
    let growth = nodes.meanLog
    guard growth < 0 else { return .notStationary(growth) }
    var (low, high) = (0.0, 1.0)
    while nodes.logMoment(high) <= 0 {
      guard high < largest else { return .tooLarge }
      (low, high) = (high, 2 * high)
    }
    while true {
      let middle = 0.5 * (low + high)
      if middle <= low || middle >= high {
        return .found(TailIndex(index: middle, secondMoment: Elementary.exp(min(700, nodes.logMoment(2 * middle)))))
      }
      // Near k = 0 the logarithm is negative, as is its slope there.
      if nodes.logMoment(middle) > 0 { high = middle } else { low = middle }
    }
  }
}

/// The law of log |A| as points with logarithms of weights.
package struct FactorNodes {
  private var points: [Double] = []
  private var logWeights: [Double] = []

  package init(_ law: FactorLaw, spacing: Double) {
    let last = Int((6 / spacing).rounded())
    for i in -last...last {
      let t = spacing * Double(i)
      let (up, down) = (Elementary.exp(t), Elementary.exp(-t))
      // q = e^z, z = pi sinh t, is taken to (0, infinity) as it is, to (0, 1) as q/(1 + q).
      let (z, slope) = (0.5 * Double.pi * (up - down), Elementary.log(0.5 * Double.pi * (up + down)))
      let (inside, rest) = (-Self.softplus(-z), -Self.softplus(z))
      switch law {
      case .exponential(let a, let b):
        let value = a * Elementary.exp(min(z, 700)) + b
        if value > 0 { add(Elementary.log(value), z + slope - Elementary.exp(min(z, 700))) }
      case .squares(let rate, let batch):
        let shape = 0.5 * Double(batch) - 1
        let peak = Double(batch) / rate
        func density(_ logS: Double) -> Double { shape * logS - 0.5 * Elementary.exp(min(logS, 700)) }
        let logPeak = Elementary.log(peak)
        // S = peak (1 - |A|) below the peak, where |A| = 1/(1 + q), and peak (1 + |A|) above, where |A| = q.
        add(rest, density(logPeak + inside) + inside + rest + slope)
        add(z, density(logPeak + Self.softplus(z)) + z + slope)
      }
    }
    let largest = logWeights.max()!
    let total = logWeights.reduce(0) { $0 + Elementary.exp($1 - largest) }
    for i in logWeights.indices { logWeights[i] -= largest + Elementary.log(total) }
  }

  private mutating func add(_ point: Double, _ logWeight: Double) {
    points.append(point)
    logWeights.append(logWeight)
  }

  /// log(1 + e^z).
  private static func softplus(_ z: Double) -> Double {
    z > 40 ? z : z < -40 ? Elementary.exp(z) : max(z, 0) + Elementary.log(1 + Elementary.exp(-z.magnitude))
  }

  /// E log |A|.
  package var meanLog: Double { zip(points, logWeights).reduce(0) { $0 + $1.0 * Elementary.exp($1.1) } }

  /// log E |A|^k.
  package func logMoment(_ k: Double) -> Double {
    let exponents = zip(points, logWeights).map { k * $0 + $1 }
    let largest = exponents.max()!
    return largest + Elementary.log(exponents.reduce(0) { $0 + Elementary.exp($1 - largest) })
  }
}
