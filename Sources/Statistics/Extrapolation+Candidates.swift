/// Order 1 or 1/2: which one, and what it costs not to know.
extension Extrapolation {
  /// One of two models must be better by this much in chi-square (3 standard deviations) to be preferred.
  static let decisive = 9.0

  private enum Choice { case whole, half, open }

  init?(candidates points: [Point], expected: Double?) {
    let sizes = Set(points.map(\.small))
    guard sizes.count >= 3, let straight = PowerSeries(points, powers: [0, 1]),
      let half = PowerSeries(points, powers: [0, 0.5, 1]), let curved = PowerSeries(points, powers: [0, 1, 2])
    else { return nil }
    let isSeen = Self.isSeen(points, limit: nil)
    // The largest s left out shows what higher terms may do.
    let tail = PowerSeries(points.filter { $0.small < sizes.max()! }, powers: [0, 1])
    let few = sizes.count == 3
    // Three sizes leave both three-term fits without a degree of freedom: they can show that s alone is enough, no more.
    let isStraight = straight.chiSquare <= Self.decisive
    let choice: Choice =
      !isSeen || (few && !isStraight)
      ? .open
      : Self.choiceThrough(expected, points)
        ?? Self.prefer(
          whole: few ? straight.chiSquare : curved.chiSquare, half: half.chiSquare,
          root: half.coefficients[1] / half.errors[1])
    let chosen: PowerSeries
    var others: [PowerSeries] = []
    switch (choice, few) {
    case (.half, false): chosen = half
    case (.whole, false): chosen = curved
    case (.whole, true): chosen = straight
    case (.open, false), (.half, true), (.open, true):
      chosen = few && isStraight ? straight : curved
      others = [half, curved] + (tail.map { [$0] } ?? [])
    }
    let limit = chosen.coefficients[0]
    var error = chosen.scale * chosen.errors[0]
    if others.isEmpty, few, let tail {
      let spread = chosen.scale * (tail.coefficients[0] - limit)
      error = (error * error + spread * spread).squareRoot()
    }
    // The truth lies within the error of one of the fits that the data do not exclude.
    let least = others.map(\.chiSquare).min() ?? 0
    for other in others where other.chiSquare <= least + Self.decisive {
      let own = other.scale * other.errors[0]
      let spread = other.coefficients[0] - limit
      error = max(error, (own * own + spread * spread).squareRoot())
    }
    let isOpen = !others.isEmpty
    self.init(
      limit: (limit, error), order: (choice == .half && !isOpen ? 0.5 : 1, isOpen ? .nan : 0),
      coefficient: (chosen.coefficients[1], chosen.scale * chosen.errors[1]), chiSquare: chosen.chiSquare,
      degreesOfFreedom: chosen.degreesOfFreedom, isSeen: isSeen)
  }

  private static func prefer(whole: Double, half: Double, root: Double) -> Choice {
    if whole - half > decisive { return .half }
    if half - whole > decisive || root.magnitude < 3 { return .whole }
    return .open
  }

  /// The order by fits through the expected limit; nil if none of them is good.
  private static func choiceThrough(_ expected: Double?, _ points: [Point]) -> Choice? {
    guard let expected else { return nil }
    let shifted = points.map { Point(small: $0.small, value: $0.value - expected, error: $0.error) }
    guard let whole = PowerSeries(shifted, powers: [1, 2]), let half = PowerSeries(shifted, powers: [0.5, 1]) else {
      return nil
    }
    let freedom = Double(points.count - 2)
    guard min(whole.chiSquare, half.chiSquare) < freedom + 5 * (2 * freedom).squareRoot() else { return nil }
    return prefer(whole: whole.chiSquare, half: half.chiSquare, root: half.coefficients[0] / half.errors[0])
  }
}
