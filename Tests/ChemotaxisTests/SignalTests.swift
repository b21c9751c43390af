import Chemotaxis
import Testing

/// Signals of a frozen density.
@Suite struct SignalTests {
  /// Runge's steps of order 4, many.
  private static func reference(
    _ q: Double, _ epsilon: Double, _ tau: Double, _ h: Double, _ start: (c: Double, w: Double), a: Double
  ) -> (c: Double, w: Double) {
    func slope(_ s: SIMD2<Double>) -> SIMD2<Double> {
      SIMD2(-(1 + q) * s.x + s.y, -(1 + tau * q) * s.y + a) / epsilon
    }
    let count = 4000
    let step = h / Double(count)
    var s = SIMD2(start.c, start.w)
    for _ in 0..<count {
      let k1 = slope(s)
      let k2 = slope(s + 0.5 * step * k1)
      let k3 = slope(s + 0.5 * step * k2)
      let k4 = slope(s + step * k3)
      s += step / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    }
    return (s.x, s.y)
  }

  @Test(arguments: [(0.0, 0.1, 0.5), (0.617, 0.1, 0.5), (0.617, 1, 1), (3, 0.2, 0), (3, 5, 2), (0.617, 0.1, 0.999_999)])
  func exactly(q: Double, epsilon: Double, tau: Double) {
    for h in [1e-3, 0.05, 0.7] {
      let s = SignalStep(q: q, epsilon: epsilon, tau: tau, step: h)
      let (c, w) = (s.cc * 0.3 + s.cw * -0.8 + s.ca * 1.7, s.ww * -0.8 + s.wa * 1.7)
      let known = Self.reference(q, epsilon, tau, h, (0.3, -0.8), a: 1.7)
      #expect((c - known.c).magnitude < 1e-10 && (w - known.w).magnitude < 1e-10, "\(c), \(w), \(known)")
    }
  }

  @Test("Fast signals follow at once") func fast() {
    let (slow, none) = (
      SignalStep(q: 2, epsilon: 1e-9, tau: 0.5, step: 0.1), SignalStep(q: 2, epsilon: 0, tau: 0.5, step: 0.1)
    )
    #expect(none.ca == 1.0 / 6 && none.wa == 0.5 && none.cc == 0 && none.cw == 0 && none.ww == 0)
    #expect((slow.ca - none.ca).magnitude < 1e-15 && (slow.wa - none.wa).magnitude < 1e-15 && slow.cw.magnitude < 1e-15)
  }

  /// Where h is far below eps the small coefficients keep their digits: c is of second order in h.
  @Test func smallSteps() {
    let h = 1e-4
    let s = SignalStep(q: 1, epsilon: 1, tau: 0.25, step: h)
    #expect((s.ca / (0.5 * h * h) - 1).magnitude < 2e-4 && (s.wa / h - 1).magnitude < 2e-4)
  }
}
