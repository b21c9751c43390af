import Kernels

/// Fluctuations of a mode about the uniform density, in the limit of many particles: the linear system of (a, c, w).
///
/// In units of the fluctuations of independent particles, $S = N \operatorname{Var} a/(M^2 2^{..})$,
///
/// $$ \dot a = -q a + q M c + \sqrt{2q} \, \xi, \quad \varepsilon \dot c = -(1+q) c + w, \quad \varepsilon \dot w = -(1+\tau q) w + a. $$
///
/// The uniform density is unstable where $M > (1+q)(1+\tau q)$, whatever $\varepsilon$ is.
package struct StructureFactor: Sendable {
  package let q, mass, tau, epsilon: Double

  package init(q: Double, mass: Double, tau: Double, epsilon: Double) {
    (self.q, self.mass, self.tau, self.epsilon) = (q, mass, tau, epsilon)
  }

  /// The mass from which on the mode grows.
  package var threshold: Double { (1 + q) * (1 + tau * q) }

  /// S in the limit of small steps: of $\varepsilon = 0$ in closed form, else by Lyapunov's equation $A P + P A^T = -\operatorname{diag}(2q, 0, 0)$. Nil from the threshold on.
  package var continuous: Double? {
    guard mass < threshold else { return nil }
    if epsilon == 0 { return 1 / (1 - mass / threshold) }
    let e = 1 / epsilon
    let a: [[Double]] = [[-q, q * mass, 0], [0, -(1 + q) * e, e], [e, 0, -(1 + tau * q) * e]]
    // Six unknowns, P_ij with i <= j.
    let pairs = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]
    func place(_ i: Int, _ j: Int) -> Int { pairs.firstIndex { $0 == (min(i, j), max(i, j)) }! }
    var system = Array(repeating: Array(repeating: 0.0, count: 7), count: 6)
    for (row, (i, j)) in pairs.enumerated() {
      for k in 0..<3 {
        system[row][place(k, j)] += a[i][k]
        system[row][place(k, i)] += a[j][k]
      }
    }
    system[0][6] = -2 * q
    return Self.solve(system)[0]
  }

  /// S of the scheme with step h, exactly: the particles move by the mean of c before and after, so
  ///
  /// $$ a' = e^{-qh} (a + q h M \bar c) + \sqrt{1 - e^{-2qh}} \, \xi, $$
  ///
  /// and the signals as `SignalStep` says; of $\varepsilon = 0$, $S = (1 - e^{-2qh})/(1 - F^2)$, $F = e^{-qh}(1 + qhM/((1+q)(1+\tau q)))$. Nil where the scheme is not stable.
  package func discrete(step h: Double) -> Double? {
    let decay = Elementary.exp(-q * h)
    let noise = 1 - decay * decay
    if epsilon == 0 {
      let f = decay * (1 + q * h * mass / threshold)
      return f.magnitude < 1 ? noise / (1 - f * f) : nil
    }
    let s = SignalStep(q: q, epsilon: epsilon, tau: tau, step: h)
    let pull = 0.5 * q * h * mass
    var map = [
      decay * (1 + pull * s.ca), decay * pull * (1 + s.cc), decay * pull * s.cw,
      s.ca, s.cc, s.cw,
      s.wa, 0, s.ww,
    ]
    // P = sum_k T^k Q T^kT by doubling.
    var sum = [noise, 0, 0, 0, 0, 0, 0, 0, 0]
    for _ in 0..<64 {
      let next = PhiFunctions.product(PhiFunctions.product(map, sum, 3), Self.transpose(map), 3)
      for i in sum.indices { sum[i] += next[i] }
      map = PhiFunctions.product(map, map, 3)
      guard map.allSatisfy({ $0.magnitude < 1e100 }), sum[0].isFinite else { return nil }
      if map.allSatisfy({ $0.magnitude < 1e-200 }) { return sum[0] }
    }
    return nil
  }

  private static func transpose(_ a: [Double]) -> [Double] { (0..<9).map { a[$0 % 3 * 3 + $0 / 3] } }

  /// Gauss's elimination with pivots, of a system with its right side behind it.
  private static func solve(_ given: [[Double]]) -> [Double] {
    var rows = given
    let n = rows.count
    for k in 0..<n {
      let pivot = (k..<n).max { rows[$0][k].magnitude < rows[$1][k].magnitude }!
      rows.swapAt(k, pivot)
      for i in 0..<n where i != k {
        let factor = rows[i][k] / rows[k][k]
        for j in k...n { rows[i][j] -= factor * rows[k][j] }
      }
    }
    return (0..<n).map { rows[$0][n] / rows[$0][$0] }
  }
}

extension BoxSettings {
  package func structureFactor(_ numbers: [Int]) -> StructureFactor {
    StructureFactor(q: modes.squares[modes.place(numbers)], mass: mass, tau: tau, epsilon: epsilon)
  }

  /// The mass from which on the uniform density is unstable: that of the longest wave.
  package var threshold: Double {
    structureFactor([1] + Array(repeating: 0, count: modes.dimension - 1)).threshold
  }
}
