import Kernels

/// The order itself fitted: chi-square minimised over c and y_0 at each order, then over the order.
extension Extrapolation {
  /// Orders that are looked at first.
  static let grid = (5...600).map { 0.01 * Double($0) }

  /// The best fit of one given order.
  private struct Profile {
    let logarithms: [Double]
    let points: [Point]
    let known: Double?

    init(_ points: [Point], limit: Double?) {
      let unit = points.map(\.small).max()!
      logarithms = points.map { Elementary.log($0.small / unit) }
      self.points = points
      known = limit
    }

    /// The coefficient is that of (s / largest s)^order.
    typealias Fit = (
      coefficient: Double, coefficientError: Double, limit: Double, limitError: Double, chiSquare: Double
    )

    func fit(_ order: Double) -> Fit {
      var (w, wx, wxx, wy, wxy) = (0.0, 0.0, 0.0, 0.0, 0.0)
      let base = known ?? 0
      for (point, logarithm) in zip(points, logarithms) {
        let weight = 1 / (point.error * point.error)
        let x = Elementary.exp(order * logarithm)
        let y = point.value - base
        w += weight
        wx += weight * x
        wxx += weight * x * x
        wy += weight * y
        wxy += weight * x * y
      }
      let determinant = w * wxx - wx * wx
      let c = known != nil ? wxy / wxx : (w * wxy - wx * wy) / determinant
      let l = known != nil ? 0 : (wxx * wy - wx * wxy) / determinant
      let chiSquare = zip(points, logarithms).reduce(0.0) { sum, entry in
        let residual = (entry.0.value - base - l - c * Elementary.exp(order * entry.1)) / entry.0.error
        return sum + residual * residual
      }
      let cError = known != nil ? 1 / wxx.squareRoot() : (w / determinant).squareRoot()
      return (c, cError, base + l, known != nil ? 0 : (wxx / determinant).squareRoot(), chiSquare)
    }
  }

  init?(free points: [Point], limit known: Double?) {
    guard Set(points.map(\.small)).count >= (known == nil ? 4 : 3) else { return nil }
    let profile = Profile(points, limit: known)
    let unit = points.map(\.small).max()!
    let grid = Self.grid
    let coarse = grid.map { profile.fit($0).chiSquare }
    let place = coarse.indices.min { coarse[$0] < coarse[$1] }!
    let order = Self.minimum(grid[max(place - 1, 0)], grid[min(place + 1, grid.count - 1)]) {
      profile.fit($0).chiSquare
    }
    let best = profile.fit(order)
    let freedom = points.count - (known == nil ? 3 : 2)
    let scale = freedom > 0 ? max(1, (best.chiSquare / Double(freedom)).squareRoot()) : 1
    // Orders within one standard deviation: chi-square, scaled, at most 1 above its least value.
    let border = best.chiSquare + scale * scale
    let within = coarse.indices.filter { coarse[$0] <= border }
    let (first, last) = (within.first ?? place, within.last ?? place)
    func crossing(from inside: Double, to outside: Double) -> Double {
      var (inside, outside) = (inside, outside)
      for _ in 0..<50 {
        let middle = 0.5 * (inside + outside)
        if profile.fit(middle).chiSquare <= border { inside = middle } else { outside = middle }
      }
      return inside
    }
    // Orders that reach an end of the grid have no bound there.
    let isBounded = first > 0 && last < grid.count - 1
    let lower = first == 0 ? grid[0] : crossing(from: min(grid[first], order), to: grid[first - 1])
    let upper = last == grid.count - 1 ? grid[last] : crossing(from: max(grid[last], order), to: grid[last + 1])
    // To first order the variance of a parameter is that at a fixed order and the square of half its range over these orders.
    let ends = [lower, upper].map(profile.fit) + within.map { profile.fit(grid[$0]) }
    func error(_ conditional: Double, _ values: [Double]) -> Double {
      let range = 0.5 * (values.max()! - values.min()!)
      return (scale * scale * conditional * conditional + range * range).squareRoot()
    }
    let orders = [lower, upper] + within.map { grid[$0] }
    let unitPower = PowerSeries.power(unit, order)
    let coefficients = zip(ends, orders).map { $0.coefficient / PowerSeries.power(unit, $1) }
    self.init(
      limit: (best.limit, known == nil ? error(best.limitError, ends.map(\.limit)) : 0),
      order: (order, isBounded ? 0.5 * (upper - lower) : .nan),
      coefficient: (best.coefficient / unitPower, error(best.coefficientError / unitPower, coefficients)),
      chiSquare: best.chiSquare, degreesOfFreedom: freedom, isSeen: Self.isSeen(points, limit: known))
  }

  /// Where a function with one minimum between two arguments has it, by golden sections.
  private static func minimum(_ from: Double, _ to: Double, _ f: (Double) -> Double) -> Double {
    let golden = 0x1.3c6ef372fe950p-1
    var (low, high) = (from, to)
    var (left, right) = (high - golden * (high - low), low + golden * (high - low))
    var (fLeft, fRight) = (f(left), f(right))
    for _ in 0..<40 {
      if fLeft <= fRight {
        (high, right, fRight) = (right, left, fLeft)
        left = high - golden * (high - low)
        fLeft = f(left)
      } else {
        (low, left, fLeft) = (left, right, fRight)
        right = low + golden * (high - low)
        fRight = f(right)
      }
    }
    return 0.5 * (low + high)
  }
}
