import Kernels

/// Extrapolation of a quantity to the limit of a small parameter s: 1/n of a width, 1/N of a number of particles, a step size h or
/// dt, a learning rate, 1/draws. Weighted least squares of
///
/// $$ y(s) = y_0 + c\, s^p + \text{higher terms}, \qquad s \to 0, $$
///
/// over values at several s, each with its standard error. Three modes differ in what is known of the order p (`Orders`).
///
/// Postconditions: `limitError` covers what the data leave open. Of a series whose order is decided it is at least that of the fit
/// without the largest s, and covers the distance between both limits; where two orders fit about equally well, or
/// no dependence on s is seen, it covers the limits that all of them give, each with and without the largest s; where the
/// order is fitted, the uncertainty of the order, next term included, is part of it. Where a fit is worse than its errors allow, errors
/// grow by $\sqrt{\chi^2/\nu}$, with $\nu$ the degrees of freedom. Compare `limitError` with the difference that matters
/// before you call a limit confirmed: three neighbouring sizes confirm nothing.
public struct Extrapolation: Sendable, Equatable {
  /// A value and its standard error at one small parameter.
  public struct Point: Sendable, Equatable {
    public let small, value, error: Double

    public init(small: Double, value: Double, error: Double) {
      self.small = small
      self.value = value
      self.error = error
    }

    /// Whether the point can be used.
    var isUsable: Bool { small > 0 && small.isFinite && value.isFinite && error.isFinite && error >= 0 }
  }

  /// What is known of the order p.
  public enum Orders: Sendable, Equatable {
    /// The powers are s and s^2, perhaps with s^{1/2} before them: the leading order is 1 or 1/2. Three values of s or more.
    ///
    /// - Parameter expected: the limit that theory gives, if any. Free fits can rarely tell s^{1/2} from s; fits through
    ///   the expected limit can, and where one of them is good it decides the order. The limit itself is fitted freely.
    case candidates(expected: Double? = nil)
    /// Any order from 0.05 to 6, fitted, with one term alone; the errors allow for a next term.
    ///
    /// - Parameter limit: the limit, if it is known: then three values of s are enough. Else it is fitted, with four or more.
    case free(limit: Double? = nil)
    /// This order, one term alone; two values of s are enough (Richardson).
    case fixed(Double)
  }

  /// Whether the values have no error at all: then what moves a fitted order is terms of higher order, and chi-square, of errors that are not there, is NaN.
  public var isExact: Bool { chiSquare.isNaN }

  /// The value at s = 0 with its standard error, 0 for a known one.
  public let limit, limitError: Double
  /// The leading order p.
  public let order: Double
  /// Standard error of a fitted order, 0 of one that is given or decided, NaN where the data do not determine it.
  public let orderError: Double
  /// Standard error of a fitted order if one power alone were the truth; NaN where the data do not determine it.
  let aloneError: Double
  /// The coefficient c of the leading term, in the fit that gave the limit, with its standard error.
  public let coefficient, coefficientError: Double
  public let chiSquare: Double
  public let degreesOfFreedom: Int
  /// Whether the values depend on s at all: one is more than four standard deviations from the limit if that is known,
  /// else two of them are that far from each other.
  public let isSeen: Bool
  /// Whether the powers of the mode fit the values: false where chi-square is beyond its 1e-4 quantile. With a free or fixed
  /// order: no single power fits.
  public let isSinglePower: Bool

  /// Whether the data determine the order, or it was given.
  public var isDetermined: Bool { !orderError.isNaN }

  /// Nil with too few values of s (see `Orders`), or where they are so close to each other that the fit is singular. Points whose s is not positive, or whose value or error is not finite, are left out.
  public init?(_ points: [Point], orders: Orders) {
    switch orders {
    case .candidates(let expected): self.init(candidates: Self.floored(points), expected: expected)
    case .free(let limit):
      let isExact = points.filter(\.isUsable).allSatisfy { $0.error == 0 }
      let weighed = isExact ? limit.map { Self.alike(points, limit: $0) } : nil
      self.init(free: weighed ?? Self.uncertain(points), limit: limit, isExact: isExact)
    case .fixed(let order): self.init(fixed: Self.floored(points), order: order)
    }
  }

  init(
    limit: (Double, Double), order: (Double, Double), aloneError: Double? = nil, coefficient: (Double, Double),
    chiSquare: Double, degreesOfFreedom: Int, isSeen: Bool
  ) {
    self.aloneError = aloneError ?? order.1
    (self.limit, limitError) = limit
    (self.order, orderError) = order
    (self.coefficient, coefficientError) = coefficient
    self.chiSquare = chiSquare
    self.degreesOfFreedom = degreesOfFreedom
    self.isSeen = isSeen
    isSinglePower = !(ChiSquare.tail(chiSquare, degreesOfFreedom: degreesOfFreedom) < ChiSquare.badFit)
  }

  /// The points that can be used. Constants are without error; a least one keeps their weight finite.
  private static func floored(_ points: [Point]) -> [Point] {
    let usable = points.filter(\.isUsable)
    let floor = 1e-14 * (usable.map { $0.value.magnitude }.max() ?? 0) + .leastNormalMagnitude
    return usable.map { Point(small: $0.small, value: $0.value, error: max($0.error, floor)) }
  }

  /// The points that can be used, where none has an error: in logarithms all of them count alike.
  private static func alike(_ points: [Point], limit: Double) -> [Point] {
    points.filter(\.isUsable).map {
      Point(small: $0.small, value: $0.value, error: 1e-14 * ($0.value - limit).magnitude + .leastNormalMagnitude)
    }
  }

  /// The points that can be used to fit an order: among others with an error, a value without one is a constant by chance and
  /// would decide the fit alone.
  static func uncertain(_ points: [Point]) -> [Point] {
    let some = points.filter { $0.isUsable && $0.error > 0 }
    return some.isEmpty ? floored(points) : some
  }

  /// Whether the values differ from the limit, or from each other, by more than four standard deviations.
  static func isSeen(_ points: [Point], limit: Double?) -> Bool {
    if let limit { return points.contains { ($0.value - limit).magnitude > 4 * $0.error } }
    return points.contains { a in
      points.contains { b in (a.value - b.value).magnitude > 4 * (a.error * a.error + b.error * b.error).squareRoot() }
    }
  }

  // MARK: A given order

  private init?(fixed points: [Point], order: Double) {
    guard order > 0, Set(points.map(\.small)).count >= 2, let fit = PowerSeries(points, powers: [0, order]) else {
      return nil
    }
    self.init(
      limit: (fit.coefficients[0], fit.scale * fit.errors[0]), order: (order, 0),
      coefficient: (fit.coefficients[1], fit.scale * fit.errors[1]), chiSquare: fit.chiSquare,
      degreesOfFreedom: fit.degreesOfFreedom, isSeen: Self.isSeen(points, limit: nil))
  }
}
