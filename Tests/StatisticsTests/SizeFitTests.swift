import Statistics
import Testing

/// Extrapolation in the size, on values with errors of known size: pseudo-random residuals of a fixed seed.
@Suite struct SizeFitTests {
  /// Normal-like residuals: twelve uniforms of a linear congruence, less six.
  struct Residuals {
    var state: UInt64
    mutating func next() -> Double {
      (0..<12).reduce(-6.0) { sum, _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return sum + Double(state >> 11) * 0x1p-53
      }
    }
  }

  func points(_ sizes: [Double], error: Double, _ residuals: inout Residuals, _ f: (Double) -> Double) -> [(
    n: Double, value: Double, error: Double
  )] {
    sizes.map { (n: $0, value: f($0) + error * residuals.next(), error: error) }
  }

  /// The limit lies within its error bar as often as it should: 400 fits each, |z| < 2 in 95%, 5 standard deviations of
  /// that count are 5.5 percent.
  @Test func errorBarsHoldTheLimit() {
    var residuals = Residuals(state: 1)
    let laws: [(SizeFit.Order, (Double) -> Double)] = [
      (.inverse, { 1.5 - 2 / $0 }), (.inverse, { 0.3 + 4 / $0 - 20 / ($0 * $0) }),
      (.inverseRoot, { 0.7 + 0.5 / $0.squareRoot() - 1 / $0 }),
    ]
    for (order, law) in laws {
      let limit = law(1e30)
      var (inside, named) = (0, 0)
      for _ in 0..<400 {
        let fit = SizeFit(points([16, 32, 64, 128, 256], error: 2e-4, &residuals, law))!
        if abs(fit.limit - limit) < 2 * fit.error { inside += 1 }
        if fit.order == order { named += 1 }
      }
      #expect(inside >= 358, "\(order): \(inside) of 400 within two errors")
      #expect(named >= 340, "\(order): named in \(named) of 400")
    }
  }

  /// Opposite terms n^-1/2 and 1/n, which a free fit takes for 1/n and 1/n^2 with another limit: knowing where it should go
  /// tells the order. A limit that is wrong by much more than the errors is not bent to the expected one.
  @Test func theExpectedLimitTellsTheOrder() {
    var residuals = Residuals(state: 3)
    let data = points([8, 16, 32, 64], error: 8e-4, &residuals) { 0.1 / $0.squareRoot() - 0.33 / $0 }
    let fit = SizeFit(data, expected: 0)!
    #expect(fit.order == .inverseRoot && abs(fit.limit) < 3 * fit.error, "\(fit)")
    let inverse = SizeFit(points([8, 16, 32, 64], error: 8e-4, &residuals) { -0.6 / $0 }, expected: 0)!
    #expect(inverse.order == .inverse && abs(inverse.limit) < 3 * inverse.error, "\(inverse)")
    let wrong = SizeFit(points([8, 16, 32, 64], error: 8e-4, &residuals) { 0.05 - 0.6 / $0 }, expected: 0)!
    #expect(abs(wrong.limit - 0.05) < 3 * wrong.error && wrong.limit > 5 * wrong.error, "\(wrong)")
  }

  /// A pure n^-1/2 offset that is taken for 1/n would be far off: the fit must not.
  @Test func rootsAreNotTakenForInverses() {
    var residuals = Residuals(state: 2)
    let fit = SizeFit(points([16, 64, 256, 1024], error: 1e-4, &residuals) { 1 / $0.squareRoot() })!
    #expect(
      fit.order == .inverseRoot && abs(fit.limit) < 4 * fit.error && abs(fit.coefficient - 1) < 4 * fit.coefficientError
    )
  }

  @Test func tooFewSizesAreRefused() {
    #expect(SizeFit([(n: 8, value: 1, error: 0.1), (n: 16, value: 1, error: 0.1)]) == nil)
    #expect(
      SizeFit([(n: 8, value: 1, error: 0.1), (n: 8, value: 1, error: 0.1), (n: 16, value: 2, error: 0.1)]) == nil)
  }

  /// Errors too small for the model grow by the root of chi-square over degrees of freedom.
  @Test func poorFitsSaySo() {
    let wild: [(n: Double, value: Double, error: Double)] = [
      (8, 1, 1e-6), (16, 3, 1e-6), (32, -2, 1e-6), (64, 5, 1e-6), (128, 0, 1e-6),
    ]
    #expect(SizeFit(wild)!.error > 0.1)
  }
}
