import Kernels

/// What the units of a layer tell of each other.
///
/// Given the layer before, units are independent normals of variance V, which is random: $z | V \sim N(0, V)$. Two groups of $m_1$ and $m_2$
/// units therefore share what they tell of V. With $p_m(x) = E\,N(x; 0, V I_m)$, $M = m_1 + m_2$, their mutual information in nats is
///
/// $$ I = E \log \frac{p_M(z)}{p_{m_1}(z_1)\, p_{m_2}(z_2)}
///      = \frac{m_1 m_2}{8}\, v^2 \left(1 - k v\right) + O(v^4), \qquad v = \frac{\operatorname{Var} V}{(E V)^2}, $$
///
/// $$ k = \frac{4}{3 m_1 m_2} \left[c(M) - c(m_1) - c(m_2)\right], \qquad c(m) = a (a + 1) (a + 4), \quad a = m/2, $$
///
/// k = (20 + 3 M)/6 for two equal groups (arXiv:2106.10165, app. A). The third order holds for every law of V whose central moments fall like
/// those of means: its skewness enters at the fourth.
package struct UnitInformation: Sendable {
  /// Of a functional of the law of V, and standard deviation and skewness of what a draw adds to it (its influence).
  package struct Value: Sendable {
    package let value, deviation, skewness: Double
  }

  /// V over its mean, at a few nodes: nothing here depends on the scale of V.
  private let nodes, weights: [Double]
  /// $m_1$ and $m_2$.
  private let units: (Int, Int)

  /// Nodes for a law; the integrand is smooth in log V.
  static let count = 12

  /// - Parameters:
  ///   - logarithms, weights: of log V, a few nodes.
  ///   - units: $m_1$ and $m_2$, from 1.
  package init(logarithms: [Double], weights: [Double], units: (Int, Int)) {
    let largest = logarithms.max() ?? 0
    let plain = logarithms.map { Elementary.exp($0 - largest) }
    let mean = zip(plain, weights).reduce(0) { $0 + $1.0 * $1.1 }
    nodes = plain.map { $0 / mean }
    (self.weights, self.units) = (weights, units)
  }

  private func mean(_ values: [Double]) -> Double { zip(values, weights).reduce(0) { $0 + $1.0 * $1.1 } }

  private func value(_ x: Double, influence: [Double]) -> Value {
    let middle = mean(influence)
    let square = mean(influence.map { ($0 - middle) * ($0 - middle) })
    let cube = mean(influence.map { ($0 - middle) * ($0 - middle) * ($0 - middle) })
    let deviation = square.squareRoot()
    return Value(value: x, deviation: deviation, skewness: square > 0 ? cube / (square * deviation) : 0)
  }

  /// Of v: $x^2 - E x^2 - 2 E x^2 (x - 1)$ at x = V/E V.
  private var slopes: [Double] {
    let second = mean(nodes.map { $0 * $0 })
    return nodes.map { $0 * $0 - second - 2 * second * ($0 - 1) }
  }

  /// v.
  package var fluctuation: Value { value(mean(nodes.map { ($0 - 1) * ($0 - 1) }), influence: slopes) }

  /// $m_1 m_2 v^2 (1 - k v)/8$.
  package var series: Value {
    let v = fluctuation.value
    let (product, k) = (Double(units.0 * units.1) / 8, Self.loss(units))
    let derivative = product * (2 * v - 3 * k * v * v)
    return value(product * v * v * (1 - k * v), influence: slopes.map { derivative * $0 })
  }

  /// I itself; its influence at V is the logarithm under its expectation, given V.
  package var exact: Value {
    let parts = [units.0 + units.1, units.0, units.1].map(logarithmOfRatio)
    let influence = nodes.indices.map { parts[0][$0] - parts[1][$0] - parts[2][$0] }
    return value(mean(influence), influence: influence)
  }

  /// Of the draws of a tally: the histogram of log V, with its exact mean and standard deviation.
  package init?(_ histogram: BitHistogram, _ moments: Moments, units: (Int, Int)) {
    let buckets = histogram.buckets()
    guard moments.count > 1, moments.standardDeviation.isFinite, !buckets.isEmpty else { return nil }
    let law = GaussNodes(
      points: buckets.map { 0.5 * $0.lower + 0.5 * $0.upper }, weights: buckets.map { Double($0.count) },
      count: Self.count)
    let (nodes, weights) = law.matched(mean: moments.mean, deviation: moments.standardDeviation)
    self.init(logarithms: nodes, weights: weights, units: units)
  }

  /// k, by which fluctuations lower the information.
  package static func loss(_ units: (Int, Int)) -> Double {
    func c(_ m: Int) -> Double {
      let a = 0.5 * Double(m)
      return a * (a + 1) * (a + 4)
    }
    return 4 / (3 * Double(units.0 * units.1)) * (c(units.0 + units.1) - c(units.0) - c(units.1))
  }

  /// The leading term $m_1 m_2 v^2/8$.
  package static func leading(_ fluctuation: Double, units: (Int, Int)) -> Double {
    Double(units.0 * units.1) / 8 * fluctuation * fluctuation
  }

  /// $E_{z \sim N(0, V_j)} \log [p_m(z)/N(z; 0, E V)]$ for every node j: an integral over $t = |z|/\sqrt{V_j}$, of the chi law with m degrees of freedom.
  private func logarithmOfRatio(dimension m: Int) -> [Double] {
    let middle = Double(m).squareRoot()
    var (points, density): ([Double], [Double]) = ([], [])
    GaussLegendre.forEachNode(in: max(0, middle - 9)...(middle + 9), breaks: [], panel: 1) { t, weight in
      points.append(t)
      let exponent = Double(m - 1) * Elementary.log(t / middle) - 0.5 * (t * t - Double(m))
      density.append(weight * Elementary.exp(exponent))
    }
    let total = density.reduce(0, +)
    let offsets = zip(nodes, weights).map { Elementary.log($1) - 0.5 * Double(m) * Elementary.log($0) }
    let rates = nodes.map { 0.5 * (1 / $0 - 1) }
    return nodes.map { own in
      zip(points, density).reduce(0.0) { sum, entry in
        let square = own * entry.0 * entry.0
        let terms = offsets.indices.map { offsets[$0] - rates[$0] * square }
        let largest = terms.max()!
        let ratio = terms.reduce(0) { $0 + Elementary.exp($1 - largest) }
        return sum + entry.1 / total * (largest + Elementary.log(ratio))
      }
    }
  }
}
