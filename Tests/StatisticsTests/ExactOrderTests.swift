import Statistics
import Testing

/// Orders of values that have no error at all, as those of a quadrature.
@Suite struct ExactOrderTests {
  private static func points(_ value: (Double) -> Double) -> [Extrapolation.Point] {
    [0.1, 0.05, 0.025].map { .init(small: $0, value: value($0), error: 0) }
  }

  @Test func aNextTermIsNoContradiction() throws {
    let series = Self.points { 3 * $0 * $0 * (1 + 0.6 * $0) }
    let kept = try #require(Extrapolation.remainder(series, promised: 2))
    #expect(kept.verdict == .consistent && kept.fit.isExact && (kept.order - 2).magnitude < 0.1)
    // No chi-square of errors that are not there.
    #expect(kept.fit.chiSquare.isNaN && kept.fit.isSinglePower)
    #expect(Extrapolation.remainder(series, promised: 3)?.verdict == .contradicted)
    #expect(Extrapolation.remainder(series, promised: 1)?.verdict == .faster)
  }

  @Test func oneErrorIsEnoughForChance() throws {
    let points = [0.1, 0.05, 0.025].map { Extrapolation.Point(small: $0, value: $0 * $0, error: 1e-3 * $0) }
    let fit = try #require(Extrapolation(points, orders: .free(limit: 0)))
    #expect(!fit.isExact)
  }
}
