/// Order 1 or 1/2: which one, and what it costs not to know.
extension Extrapolation {
  /// One of two models must be better by this much in chi-square (3 standard deviations) to be preferred.
  static let decisive = 9.0

  private enum Choice { case whole, half, open }

  /// A series in powers of s, over all sizes and over all but the largest s.
  private struct Series {
    let all: PowerSeries
    let tail: PowerSeries?
    /// How many times the distance between the limits of both the next power of the series moves the limit of `all`.
    let lever: Double

    init?(_ points: [Point], powers: [Double]) {
      guard let all = PowerSeries(points, powers: powers) else { return nil }
      let largest = points.map(\.small).max()!
      let rest = points.filter { $0.small < largest }
      self.all = all
      tail = PowerSeries(rest, powers: powers)
      let next = powers.last! + powers[1]
      func bias(_ points: [Point]) -> Double? {
        let terms = points.map { Point(small: $0.small, value: PowerSeries.power($0.small, next), error: $0.error) }
        return PowerSeries(terms, powers: powers)?.coefficients[0]
      }
      lever = bias(points).flatMap { own in bias(rest).map { max(1, (own / ($0 - own)).magnitude) } } ?? 1
    }

    /// The limit, and an error that covers what the next power may do: it is at least that of the fit without the largest s.
    var limit: (value: Double, error: Double) {
      let (value, own) = (all.coefficients[0], all.scale * all.errors[0])
      guard let tail else { return (value, own) }
      return (value, max(own, Self.length(tail.scale * tail.errors[0], lever * (tail.coefficients[0] - value))))
    }

    static func length(_ a: Double, _ b: Double) -> Double { (a * a + b * b).squareRoot() }
  }

  init?(candidates points: [Point], expected: Double?) {
    let sizes = Set(points.map(\.small)).count
    // Three sizes leave the three-term series without a degree of freedom: they can show that s alone is enough, no more.
    let few = sizes == 3
    guard sizes >= 3, let whole = Series(points, powers: few ? [0, 1] : [0, 1, 2]),
      let half = Series(points, powers: few ? [0, 0.5] : [0, 0.5, 1]),
      let curved = PowerSeries(points, powers: [0, 1, 2]), let rooted = PowerSeries(points, powers: [0, 0.5, 1]),
      let root = PowerSeries(points, powers: [0, 0.5])
    else { return nil }
    let isSeen = Self.isSeen(points, limit: nil)
    let isStraight = whole.all.chiSquare <= Self.decisive
    var choice = Choice.open
    if isSeen {
      if let decided = Self.choiceThrough(expected, points) {
        choice = decided
      } else if few {
        choice = isStraight && root.chiSquare - whole.all.chiSquare > Self.decisive ? .whole : .open
      } else if whole.all.isGood || half.all.isGood {
        choice = Self.prefer(whole: whole.all, half: half.all, root: root, place: 1)
      }
    }
    if few && (choice == .half || !isStraight) { choice = .open }
    let chosen: PowerSeries
    var limit: (value: Double, error: Double)
    switch choice {
    case .whole: (chosen, limit) = (whole.all, whole.limit)
    case .half: (chosen, limit) = (half.all, half.limit)
    case .open:
      chosen = few && !isStraight ? curved : whole.all
      limit = (chosen.coefficients[0], chosen.scale * chosen.errors[0])
      // The truth lies within the error of one of the fits that the data do not exclude.
      let others = [curved, rooted, whole.tail, half.tail].compactMap { $0 }
      let least = others.map(\.chiSquare).min()!
      for other in others where other.chiSquare <= least + Self.decisive {
        let reach = Series.length(other.scale * other.errors[0], other.coefficients[0] - limit.value)
        limit.error = max(limit.error, reach)
      }
    }
    self.init(
      limit: (limit.value, limit.error), order: (choice == .half ? 0.5 : 1, choice == .open ? .nan : 0),
      coefficient: (chosen.coefficients[1], chosen.scale * chosen.errors[1]), chiSquare: chosen.chiSquare,
      degreesOfFreedom: chosen.degreesOfFreedom, isSeen: isSeen)
  }

  /// Order 1/2 where the series of order 1 is excluded. Order 1 where the other one is, or where a root is not seen that would
  /// have been, were it as large as a root alone has to be to explain the values.
  private static func prefer(whole: PowerSeries, half: PowerSeries, root: PowerSeries, place: Int) -> Choice {
    if whole.chiSquare - half.chiSquare > decisive { return .half }
    let visible = 3 * half.errors[place]
    let isExcluded = half.coefficients[place].magnitude < visible && visible < root.coefficients[place].magnitude
    return half.chiSquare - whole.chiSquare > decisive || isExcluded ? .whole : .open
  }

  /// The order by fits through the expected limit; nil if none of them is good.
  private static func choiceThrough(_ expected: Double?, _ points: [Point]) -> Choice? {
    guard let expected else { return nil }
    let shifted = points.map { Point(small: $0.small, value: $0.value - expected, error: $0.error) }
    guard let whole = PowerSeries(shifted, powers: [1, 2]), let half = PowerSeries(shifted, powers: [0.5, 1]),
      let root = PowerSeries(shifted, powers: [0.5]), whole.isGood || half.isGood
    else { return nil }
    return prefer(whole: whole, half: half, root: root, place: 0)
  }
}
