import Kernels

/// Order of an error by a fit `value = limit + coefficient s^order` over several sizes s (a step size, or 1/N), weighted by the
/// standard errors; the limit is known or fitted.
public struct PowerFit: Sendable, Equatable {
  public let order, orderError: Double
  public let coefficient: Double
  public let limit, limitError: Double
  public let chiSquare: Double
  public let degreesOfFreedom: Int
  /// Whether the values differ from the limit at all: 4 standard deviations somewhere.
  public let isSeen: Bool

  /// - Parameters:
  ///   - points: at least three sizes with a known limit, four without.
  ///   - limit: what the values tend to as s -> 0, if known.
  public init?(_ points: [(s: Double, value: Double, error: Double)], limit known: Double?) {
    let data = points.filter { $0.s > 0 && $0.value.isFinite && $0.error.isFinite && $0.error > 0 }
    guard Set(data.map(\.s)).count >= (known == nil ? 4 : 3) else { return nil }
    let unit = data.map(\.s).max()!
    func fit(_ order: Double) -> (coefficient: Double, limit: Double, limitError: Double, chiSquare: Double) {
      var (w, wx, wxx, wy, wxy) = (0.0, 0.0, 0.0, 0.0, 0.0)
      for point in data {
        let weight = 1 / (point.error * point.error)
        let x = Self.power(point.s / unit, order)
        let y = point.value - (known ?? 0)
        w += weight
        wx += weight * x
        wxx += weight * x * x
        wy += weight * y
        wxy += weight * x * y
      }
      let determinant = w * wxx - wx * wx
      let c = known != nil ? wxy / wxx : (w * wxy - wx * wy) / determinant
      let l = known != nil ? 0 : (wxx * wy - wx * wxy) / determinant
      let chiSquare = data.reduce(0.0) { sum, point in
        let residual = (point.value - (known ?? 0) - l - c * Self.power(point.s / unit, order)) / point.error
        return sum + residual * residual
      }
      return (c, (known ?? 0) + l, known != nil ? 0 : (wxx / determinant).squareRoot(), chiSquare)
    }
    let grid = (5...600).map { 0.01 * Double($0) }
    let fits = grid.map(fit)
    let best = fits.indices.min { fits[$0].chiSquare < fits[$1].chiSquare }!
    let within = fits.indices.filter { fits[$0].chiSquare <= fits[best].chiSquare + 1 }
    order = grid[best]
    orderError = max(0.5 * (grid[within.last!] - grid[within.first!]), 0.005)
    coefficient = fits[best].coefficient / Self.power(unit, order)
    limit = fits[best].limit
    limitError = fits[best].limitError
    chiSquare = fits[best].chiSquare
    degreesOfFreedom = data.count - (known == nil ? 3 : 2)
    if let known {
      isSeen = data.contains { ($0.value - known).magnitude > 4 * $0.error }
    } else {
      isSeen = data.contains { a in
        data.contains { b in (a.value - b.value).magnitude > 4 * (a.error * a.error + b.error * b.error).squareRoot() }
      }
    }
  }

  private static func power(_ x: Double, _ order: Double) -> Double { Elementary.exp(order * Elementary.log(x)) }
}
