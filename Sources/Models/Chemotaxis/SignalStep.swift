import Kernels

/// The signals of a mode while the density is frozen, exactly over a step h:
///
/// $$ \varepsilon \dot c = -(1+q) c + w, \qquad \varepsilon \dot w = -(1 + \tau q) w + a. $$
///
/// So no $\varepsilon$ is stiff. At $\varepsilon = 0$ both follow at once: $w = a/(1+\tau q)$, $c = w/(1+q)$.
package struct SignalStep: Sendable {
  /// c' = cc c + cw w + ca a, w' = ww w + wa a.
  package let cc, cw, ca, ww, wa: Double

  /// - Parameters:
  ///   - q: $|\pi k/L|^2$.
  ///   - epsilon, tau: at least 0.
  ///   - step: h above 0.
  package init(q: Double, epsilon: Double, tau: Double, step: Double) {
    let (atW, atC) = (1 / (1 + tau * q), 1 / ((1 + q) * (1 + tau * q)))
    guard epsilon > 0 else {
      (cc, cw, ca, ww, wa) = (0, 0, atC, 0, atW)
      return
    }
    let (fast, slow) = ((1 + tau * q) * step / epsilon, (1 + q) * step / epsilon)
    ww = Elementary.exp(-fast)
    cc = Elementary.exp(-slow)
    // (e^-fast - e^-slow)/(slow - fast), without cancellation where both are near.
    cw = step / epsilon * Elementary.exp(-min(fast, slow)) * Self.mean(-(fast - slow).magnitude)
    wa = -Self.expm1(-fast) * atW
    ca = -Self.expm1(-slow) * atC - cw * atW
  }

  /// What c and w are where the density does not change.
  package static func balance(q: Double, tau: Double) -> (c: Double, w: Double) {
    (1 / ((1 + q) * (1 + tau * q)), 1 / (1 + tau * q))
  }

  /// e^x - 1 for x <= 0.
  private static func expm1(_ x: Double) -> Double { x > -0.5 ? x * mean(x) : Elementary.exp(x) - 1 }

  /// (e^x - 1)/x for x <= 0.
  private static func mean(_ x: Double) -> Double {
    if x <= -0.5 { return (Elementary.exp(x) - 1) / x }
    var (term, sum) = (1.0, 1.0)
    for k in 2..<16 {
      term *= x / Double(k)
      sum += term
    }
    return sum
  }
}
