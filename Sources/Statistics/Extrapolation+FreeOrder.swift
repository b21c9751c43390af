import Kernels

/// The order itself fitted: chi-square minimised over c and y_0 at each order, then over the order.
///
/// One power alone is rarely the truth: $c s^p (1 + e s / s_1)$ with the largest value $s_1$ is, to the next order. A term e that
/// is too small to be seen in chi-square still moves the fitted order by many of its errors, so the errors are those of the fit with
/// e free, though no larger in magnitude than `largestBend`: a next term that is not small against the leading one at $s_1$
/// would make p no leading order.
extension Extrapolation {
  /// Orders that are looked at first.
  static let grid = (5...600).map { 0.01 * Double($0) }
  /// Largest next term at the largest s, as a part of the leading one.
  static let largestBend = 0.5
  /// Distances from the best order that are looked at for its error; one that is less certain is not determined.
  static let around = (-50...50).map { 0.02 * Double($0) }

  /// The best fits of given orders.
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

    /// - Parameter bend: e of the next term.
    func fit(_ order: Double, bend: Double = 0) -> Fit {
      func shape(_ logarithm: Double) -> Double {
        Elementary.exp(order * logarithm) * (bend == 0 ? 1 : 1 + bend * Elementary.exp(logarithm))
      }
      var (w, wx, wxx, wy, wxy) = (0.0, 0.0, 0.0, 0.0, 0.0)
      let base = known ?? 0
      for (point, logarithm) in zip(points, logarithms) {
        let weight = 1 / (point.error * point.error)
        let x = shape(logarithm)
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
        let residual = (entry.0.value - base - l - c * shape(entry.1)) / entry.0.error
        return sum + residual * residual
      }
      let cError = known != nil ? 1 / wxx.squareRoot() : (w / determinant).squareRoot()
      return (c, cError, base + l, known != nil ? 0 : (wxx / determinant).squareRoot(), chiSquare)
    }

    /// The best fit of an order with a next term.
    func bent(_ order: Double) -> Fit {
      let shifted = points.map { Point(small: $0.small, value: $0.value - (known ?? 0), error: $0.error) }
      let powers = (known == nil ? [0] : []) + [order, order + 1]
      var bends = [-largestBend, largestBend]
      if let series = PowerSeries(shifted, powers: powers) {
        let pair = series.coefficients.suffix(2)
        let bend = pair.last! / pair.first! * points.map(\.small).max()!
        if bend.magnitude < largestBend { bends.append(bend) }
      }
      return bends.map { fit(order, bend: $0) }.min { $0.chiSquare < $1.chiSquare }!
    }
  }

  init?(free points: [Point], limit known: Double?, isExact: Bool) {
    guard Set(points.map(\.small)).count >= (known == nil ? 4 : 3) else { return nil }
    let isSeen = Self.isSeen(points, limit: known)
    let profile = Profile(points, limit: known)
    let grid = Self.grid
    func lowest(_ orders: [Double], _ chiSquare: (Double) -> Double) -> Double {
      let values = orders.map(chiSquare)
      let place = values.indices.min { values[$0] < values[$1] }!
      return GoldenSection.minimum(
        in: orders[max(place - 1, 0)]...orders[min(place + 1, orders.count - 1)], sections: 40, of: chiSquare)
    }
    let order = lowest(grid) { profile.fit($0).chiSquare }
    let best = profile.fit(order)
    let freedom = points.count - (known == nil ? 3 : 2)

    let around = Self.around.map { order + $0 }.filter { (grid.first!...grid.last!).contains($0) }
    /// Orders within one standard deviation: chi-square, scaled, at most 1 above its least value. Those that reach an end of what
    /// was looked at have no bound there.
    func interval(_ fit: (Double) -> Profile.Fit, degreesOfFreedom: Int) -> (orders: [Double], isBounded: Bool) {
      let found = around.map { fit($0).chiSquare }
      let other = lowest(around) { fit($0).chiSquare }
      let least = min(found.min()!, fit(other).chiSquare, fit(order).chiSquare)
      let scale = degreesOfFreedom > 0 ? max(1, (least / Double(degreesOfFreedom)).squareRoot()) : 1
      let border = least + scale * scale
      let inside =
        around.indices.filter { found[$0] <= border }.map { around[$0] }
        + [other].filter { fit($0).chiSquare <= border } + [order]
      func crossing(from inside: Double, to outside: Double) -> Double {
        var (inside, outside) = (inside, outside)
        for _ in 0..<50 {
          let middle = 0.5 * (inside + outside)
          if fit(middle).chiSquare <= border { inside = middle } else { outside = middle }
        }
        return inside
      }
      let (first, last) = (inside.min()!, inside.max()!)
      let (below, above) = (around.last { $0 < first }, around.first { $0 > last })
      let ends = [below.map { crossing(from: first, to: $0) }, above.map { crossing(from: last, to: $0) }]
      return (inside + ends.compactMap { $0 }, below != nil && above != nil)
    }
    func reach(_ interval: (orders: [Double], isBounded: Bool)) -> Double {
      interval.isBounded ? interval.orders.map { ($0 - order).magnitude }.max()! : .nan
    }
    let alone = interval({ profile.fit($0) }, degreesOfFreedom: freedom)
    // Of what is not seen the order says nothing, with a next term or without.
    let fit = isSeen ? profile.bent : { profile.fit($0) }
    let bent = isSeen ? interval(fit, degreesOfFreedom: freedom - 1) : alone
    // To first order the variance of a parameter is that at a fixed order and the square of its range over these orders.
    let ends = bent.orders.map(fit)
    let own = freedom > 0 ? max(1, (best.chiSquare / Double(freedom)).squareRoot()) : 1
    func error(_ value: Double, _ conditional: Double, _ values: [Double]) -> Double {
      let range = values.map { ($0 - value).magnitude }.max()!
      return (own * own * conditional * conditional + range * range).squareRoot()
    }
    let unit = points.map(\.small).max()!
    let unitPower = PowerSeries.power(unit, order)
    let coefficient = best.coefficient / unitPower
    let coefficients = zip(ends, bent.orders).map { $0.coefficient / PowerSeries.power(unit, $1) }
    self.init(
      limit: (best.limit, known == nil ? error(best.limit, best.limitError, ends.map(\.limit)) : 0),
      order: (order, reach(bent)), aloneError: reach(alone),
      coefficient: (coefficient, error(coefficient, best.coefficientError / unitPower, coefficients)),
      chiSquare: isExact ? .nan : best.chiSquare, degreesOfFreedom: freedom, isSeen: isSeen)
  }
}
