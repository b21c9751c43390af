import Kernels
import Statistics

/// Closed equations of a mixture of infinitely many particles, solved by Runge and Kutta's method of order 4.
package enum MixtureRelaxation {
  /// Of each species at each of the times, ascending.
  package struct Values: Sendable {
    package let temperatures: [[Double]]
    /// $m_a^2 E|v|^4$; empty where the closure has none.
    package let fourth: [[Double]]
  }

  /// Maxwell molecules: $\dot s_a = \sum_b C_{ab} n_b (E|v'|^2 - s_a)$ and the same of $q_a = E|v|^4$, where of independent isotropic v, w
  ///
  /// $$ E|v'|^4 = E(V^2 + \mu_b^2 g^2)^2 + \tfrac43 \mu_b^2 E V^2 g^2, \qquad E (v \cdot w)^2 = s_a s_b/3, $$
  ///
  /// $n_b = N_b/N$.
  package static func maxwell(_ gas: MixtureGas, _ times: [Double]) -> Values {
    let species = gas.species
    let shares = gas.numbers.map { Double($0) / Double(gas.total) }
    var y = [Double](repeating: 0, count: 2 * species)
    for a in 0..<species {
      let t = gas.temperatures[a] / gas.masses[a]
      let k = gas.start.law == .bkw ? gas.start.shape : 1
      (y[a], y[species + a]) = (3 * t, 15 * k * (2 - k) * t * t)
    }
    func slope(_ y: [Double]) -> [Double] {
      var found = [Double](repeating: 0, count: 2 * species)
      for a in 0..<species {
        let (s, q) = (y[a], y[species + a])
        for b in 0..<species {
          let (other, otherQ) = (y[b], y[species + b])
          let (x, z) = (gas.share(a, of: b), gas.share(b, of: a))
          let rate = gas.rate(a, b) * shares[b]
          // V^2 + mu_b^2 g^2 = (x^2 + z^2) |v|^2 + 2 z^2 |w|^2 + 2 z (x - z) v.w.
          let (p, r, c) = (x * x + z * z, 2 * z * z, 2 * z * (x - z))
          let product = s * other
          found[a] += rate * (p * s + r * other - s)
          let first = p * p * q + r * r * otherQ + 2 * p * r * product + c * c * product / 3
          let mixed =
            x * x * q + z * z * otherQ + (x * x + z * z) * product - 4 * x * z * product / 3
          found[species + a] += rate * (first + 4.0 / 3 * z * z * mixed - q)
        }
      }
      return found
    }
    let fastest = (0..<species).map { a in (0..<species).reduce(0) { $0 + gas.rate(a, $1) * shares[$1] } }.max()!
    let found = solve(y, slope, times, step: 0.01 / fastest)
    return Values(
      temperatures: found.map { y in (0..<species).map { gas.masses[$0] * y[$0] / 3 } },
      fourth: found.map { y in (0..<species).map { gas.masses[$0] * gas.masses[$0] * y[species + $0] } })
  }

  /// Any exponent, every species a Maxwellian of its own temperature, which the heavy and the light ones are to leading order in the mass ratio only:
  ///
  /// $$ \dot T_a = -\frac23 \sum_b \frac{N_b}{N} c\, C_{ab} \frac{m_a m_b}{(m_a + m_b)^2} \Big(\frac{T_a}{m_a} + \frac{T_b}{m_b}\Big)^{\gamma/2} (T_a - T_b),
  ///   \qquad c = 2^{1+\gamma/2}\, \Gamma(\tfrac{5+\gamma}2)/\Gamma(\tfrac32) . $$
  package static func maxwellians(_ gas: MixtureGas, _ times: [Double]) -> Values {
    let constant = constant(gas.exponent)
    func rate(_ a: Int, _ b: Int, _ t: [Double]) -> Double {
      let mass = gas.masses[a] + gas.masses[b]
      let spread = t[a] / gas.masses[a] + t[b] / gas.masses[b]
      let power = gas.isMaxwell ? 1 : Elementary.power(spread, 0.5 * gas.exponent)
      return 2.0 / 3 * Double(gas.numbers[b]) / Double(gas.total) * constant * gas.rate(a, b) * gas.masses[a]
        * gas.masses[b] / (mass * mass) * power
    }
    func slope(_ t: [Double]) -> [Double] {
      t.indices.map { a in t.indices.reduce(0) { $0 - rate(a, $1, t) * (t[a] - t[$1]) } }
    }
    let hottest = Array(repeating: gas.temperatures.max()!, count: gas.species)
    let fastest = (0..<gas.species).map { a in (0..<gas.species).reduce(0) { $0 + rate(a, $1, hottest) } }.max()!
    return Values(temperatures: solve(gas.temperatures, slope, times, step: 0.01 / fastest), fourth: [])
  }

  /// $2^{1+\gamma/2}\, \Gamma((5+\gamma)/2)/\Gamma(3/2)$: 3 for $\gamma = 0$; the gamma function by Stirling's series from 12 on.
  package static func constant(_ exponent: Double) -> Double {
    func logGamma(_ x: Double) -> Double {
      var (x, shift) = (x, 0.0)
      while x < 12 {
        shift += Elementary.log(x)
        x += 1
      }
      let z = 1 / (x * x)
      let tail = (1.0 / 12 - z * (1.0 / 360 - z * (1.0 / 1260 - z * (1.0 / 1680 - z / 1188)))) / x
      return (x - 0.5) * Elementary.log(x) - x + 0.5 * Elementary.log(2 * Double.pi) + tail - shift
    }
    return Elementary.exp(
      (1 + 0.5 * exponent) * Elementary.log(2) + logGamma(0.5 * (5 + exponent)) - logGamma(1.5))
  }

  private static func solve(
    _ start: [Double], _ slope: ([Double]) -> [Double], _ times: [Double], step: Double
  ) -> [[Double]] {
    var (now, y) = (0.0, start)
    func moved(_ y: [Double], _ h: Double, _ k: [Double]) -> [Double] { zip(y, k).map { $0 + h * $1 } }
    return times.map { time in
      let count = Int(((time - now) / step).rounded(.up))
      let h = count > 0 ? (time - now) / Double(count) : 0
      for _ in 0..<count {
        let k1 = slope(y)
        let k2 = slope(moved(y, 0.5 * h, k1))
        let k3 = slope(moved(y, 0.5 * h, k2))
        let k4 = slope(moved(y, h, k3))
        for i in y.indices { y[i] += h / 6 * (k1[i] + 2 * k2[i] + 2 * k3[i] + k4[i]) }
      }
      now = time
      return y
    }
  }
}

/// The exact solution of Bobylev, Krook and Wu for one species of Maxwell molecules: $f = N(0, K)[(5K-3)/2K + (1-K) v^2/2K^2]$, $K = 1 - (1 - K_0) e^{-Ct/6}$, for m = T = 1.
package struct BKWSolution: Sendable {
  /// K.
  package let shape: Double

  /// - Parameter rate: C.
  package init(start: Double, rate: Double, time: Double) {
    shape = 1 - (1 - start) * Elementary.exp(-rate * time / 6)
  }

  /// $15 K (2 - K)$ and $105 K^2 (3 - 2K)$.
  package var fourth: Double { 15 * shape * (2 - shape) }
  package var sixth: Double { 105 * shape * shape * (3 - 2 * shape) }

  /// P(|v| > c): $|v|^2/K$ is chi-square of 3 degrees of freedom with probability (5K - 3)/2K, else of 5.
  package func tail(_ speed: Double) -> Double {
    let x = speed * speed / shape
    let share = (5 * shape - 3) / (2 * shape)
    return share * ChiSquare.tail(x, degreesOfFreedom: 3) + (1 - share) * ChiSquare.tail(x, degreesOfFreedom: 5)
  }
}
