import Kernels

/// The droplet: where the points of a Coulomb gas are as N grows, a ball on which the confinement balances the repulsion, with density Lap V over the surface of the unit sphere.
///
/// With V radial and $V'(r) r^{d-1}$ growing from 0, the charge inside r is $V'(r) r^{d-1}$, and the radius R is where that is 1. Cumulants of $L = \sum f(|x_i|)$ (arXiv:2310.16420):
///
/// $$ \kappa_1 = N \Bigl[f(R) - \int_0^R f' r^{d-1} V'\Bigr], \quad \kappa_2 = \frac1\beta \int_0^R f'^2 r^{d-1}, \quad
///    \kappa_q = (-1)^q N^{2-q} \beta^{1-q} \Bigl[\frac1{A'} \frac d{dr}\Bigr]^{q-3} \frac{f'^2 r^{d-1}}{A'}\Big|_R, \quad A = \frac{r^{1-d} - V'}{f'} . $$
package struct Droplet: Sendable {
  package let dimension: Int
  package let radius: Double
  private let terms: [(RadialFunction, Double)]

  /// Of $\sum c_k V_k$.
  /// - Returns: nil where there is no such ball; `why` says so.
  package init?(dimension d: Int, _ terms: [(RadialFunction, Double)]) {
    dimension = d
    self.terms = terms
    func charge(_ r: Double) -> Double { Self.slope(terms, r) * Self.shell(r, d) }
    var high = 1.0
    while charge(high) < 1 && high < 1e6 { high *= 2 }
    var low = 0.0
    guard charge(high) >= 1 else { return nil }
    for _ in 0..<200 {
      let middle = 0.5 * (low + high)
      if charge(middle) < 1 { low = middle } else { high = middle }
    }
    radius = high
    // Growing, from 0.
    var last = charge(1e-9 * high)
    guard last > -1e-6, last < 1e-3 else { return nil }
    for k in 1...512 {
      let next = charge(high * Double(k) / 512)
      guard next > last else { return nil }
      last = next
    }
  }

  package static let why =
    "the points must fill a ball as N grows: r^(d-1) times the slope of the confinement must grow from 0 to above 1"

  private static func shell(_ r: Double, _ d: Int) -> Double { d == 1 ? 1 : d == 2 ? r : r * r }
  private static func slope(_ terms: [(RadialFunction, Double)], _ r: Double) -> Double {
    terms.reduce(0) { $0 + $1.1 * $1.0.jet(r)[1] }
  }

  private func integral(_ f: (Double) -> Double) -> Double {
    var total = 0.0
    GaussLegendre.forEachNode(in: 0...radius, breaks: [], panel: radius / 8) { r, w in total += w * f(r) }
    return total
  }

  /// $\int \rho f$.
  package func mean(_ f: RadialFunction) -> Double {
    f(radius) - integral { f.jet($0)[1] * Self.shell($0, dimension) * Self.slope(terms, $0) }
  }

  /// $\kappa_1, …, \kappa_4$ to leading order in N.
  package func cumulants(_ f: RadialFunction, number: Int, beta: Double) -> [Double] {
    let (n, r, d) = (Double(number), radius, Double(dimension))
    let (jet, shell) = (f.jet(r), Self.shell(r, dimension))
    let potential = (0...3).map { k in terms.reduce(0) { $0 + $1.1 * $1.0.jet(r)[k] } }
    let second = integral { r in
      let slope = f.jet(r)[1]
      return slope * slope * Self.shell(r, dimension)
    }
    // A = B/f' with B(R) = 0, so A' = B'/f' and f'^2 A'' = B'' f' - 2 B' f''.
    let b1 = (1 - d) / (shell * r) - potential[2]
    let b2 = (1 - d) * (-d) / (shell * r * r) - potential[3]
    let g = jet[1] * jet[1] * shell
    let g1 = 2 * jet[1] * jet[2] * shell + (d - 1) * g / r
    let bend = b2 * jet[1] - 2 * b1 * jet[2]
    return [
      n * mean(f), second / beta, -g * jet[1] / b1 / (n * beta * beta),
      jet[1] / b1 * (g1 * jet[1] / b1 - g * bend / (b1 * b1)) / (n * n * beta * beta * beta),
    ]
  }
}
