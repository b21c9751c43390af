import Kernels

/// Compact U(1) on a torus of V plaquettes, exactly: gauge invariance leaves free plaquette angles whose sum is a multiple of 2 pi, so
/// Z(t) = sum_n c_n(t)^V with c_n(t) the mean of exp(beta cos a) cos((n + t) a) over an angle a in (-pi, pi), and t = theta/(2 pi) the vacuum angle.
package struct PlaquetteSums {
  /// E cos of a plaquette: sum_n I_n^(V-1) (I_(n-1) + I_(n+1))/2 over sum_n I_n^V.
  package private(set) var cosine = 0.0
  /// E Q^2 = -Z''(0)/(4 pi^2 Z).
  package private(set) var squaredCharge = 0.0

  /// Enough for beta up to about 1e5; beyond, both means are NaN.
  private static let mostTerms = 2000

  package init(plaquettes: Int, beta: Double) {
    let volume = Double(plaquettes)
    // Beyond pi nothing is left of exp(beta (cos - 1)) where beta is large: nodes where the weight is.
    let reach = min(Double.pi, 40 / max(beta, 1e-300).squareRoot())
    var nodes: [(angle: Double, weight: Double)] = []
    GaussLegendre.forEachNode(in: 0...reach, breaks: [], panel: reach / 64) { a, width in
      nodes.append((a, width * Elementary.exp(-2 * beta * square(Elementary.sinCos(0.5 * a).sin))))
    }
    let whole = nodes.reduce(0) { $0 + $1.weight }
    var (total, cosines, charges, isComplete) = (0.0, 0.0, 0.0, false)
    for n in 0..<Self.mostTerms {
      var (c, slope, curve, product) = (0.0, 0.0, 0.0, 0.0)
      for (a, weight) in nodes {
        let turn = Elementary.sinCos(Double(n) * a)
        c += weight * turn.cos
        slope -= weight * a * turn.sin
        curve -= weight * a * a * turn.cos
        product += weight * turn.cos * Elementary.sinCos(a).cos
      }
      // Below rounding nothing more comes.
      let size = c / whole
      isComplete = size < 1e-14
      if isComplete { break }
      let power = (n == 0 ? 1 : 2) * Elementary.exp(volume * Elementary.log(size))
      total += power
      cosines += power * product / c
      charges -= power * (volume * curve / c + volume * (volume - 1) * square(slope / c))
      isComplete = power < 1e-18 * total
      if isComplete { break }
    }
    if !isComplete { total = .nan }
    cosine = cosines / total
    squaredCharge = charges / (total * 4 * Double.pi * Double.pi)
  }
}

private func square(_ x: Double) -> Double { x * x }
