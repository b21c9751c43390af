/// What a prediction leaves out, over a sweep: of which order it is, and whether that is the promised one.
public struct RemainderOrder: Sendable, Equatable {
  public enum Verdict: String, Sendable, Codable {
    /// The remainder is of the promised order.
    case consistent
    /// It falls more slowly: the promise is broken.
    case contradicted
    /// It falls faster: the promised term has no visible coefficient. The promise, an upper bound, holds.
    case faster
    /// The remainder is not seen, or its order is uncertain by more than 0.5.
    case undecided
  }

  /// The order of one power alone, with its standard error, over all points.
  public let fit: Extrapolation
  /// The order that was promised.
  public let promised: Double
  public let verdict: Verdict

  public var order: Double { fit.order }
  public var orderError: Double { fit.orderError }
}

extension Extrapolation {
  /// An order that is less certain than this decides nothing.
  public static let uncertainOrder = 0.5
  /// Within which the order of values without an error, that terms of higher order move, counts as another one.
  public static let exactOrder = 0.1

  /// Compares the order of a remainder with a promised one.
  ///
  /// The order of $r(s) = c\,s^q$ is fitted with limit 0. Within three errors of one power alone from the promised p it is consistent. A remainder
  /// $c\,s^p + d\,s^{p+1}$ looks like another power over a finite range, so outside of three errors this form is fitted as well: if it
  /// is good (chi-square within its 1e-4 quantile), the promise stands where c is seen (three errors), and the remainder is
  /// `faster` where it is not. With three points one degree of freedom is left for that, so a sweep should have five sizes
  /// or more, over a factor of eight. Values without an error leave nothing to chance: within `exactOrder` they are consistent.
  ///
  /// - Parameter differences: predicted less measured, at three values of s or more; nil with fewer.
  public static func remainder(_ differences: [Point], promised: Double) -> RemainderOrder? {
    guard let fit = Extrapolation(differences, orders: .free(limit: 0)) else { return nil }
    let distance = fit.order - promised
    let verdict: RemainderOrder.Verdict
    if !fit.isSeen || !(fit.aloneError <= uncertainOrder) {
      verdict = .undecided
    } else if distance.magnitude <= max(3 * fit.aloneError, fit.isExact ? exactOrder : 0) {
      verdict = .consistent
    } else if !fit.isExact, let series = PowerSeries(uncertain(differences), powers: [promised, promised + 1]),
      series.isGood
    {
      verdict = series.coefficients[0].magnitude > 3 * series.errors[0] ? .consistent : .faster
    } else {
      verdict = distance < 0 ? .contradicted : .faster
    }
    return RemainderOrder(fit: fit, promised: promised, verdict: verdict)
  }
}

// MARK: Two sizes

extension Extrapolation {
  /// Richardson's extrapolation from two independent values, at s and at s / ratio:
  ///
  /// $$ y_0 = \frac{r^p y(s/r) - y(s)}{r^p - 1}, \qquad y(s) - y_0 = \frac{r^p}{r^p - 1} \left( y(s) - y(s/r) \right). $$
  ///
  /// - Parameters:
  ///   - ratio: r > 1; `order`: p > 0.
  /// - Returns: the limit, and the bias of the *coarse* value, each with its standard error.
  public static func richardson(
    coarse: (value: Double, error: Double), fine: (value: Double, error: Double), ratio: Double = 2, order: Double
  ) -> (limit: Double, limitError: Double, bias: Double, biasError: Double) {
    precondition(ratio > 1 && order > 0)
    let factor = PowerSeries.power(ratio, order)
    let k = factor / (factor - 1)
    let (variance, fineVariance) = (coarse.error * coarse.error, fine.error * fine.error)
    return (
      (factor * fine.value - coarse.value) / (factor - 1),
      (factor * factor * fineVariance + variance).squareRoot() / (factor - 1),
      k * (coarse.value - fine.value), k * (variance + fineVariance).squareRoot()
    )
  }

  /// Richardson's extrapolation in several small parameters at once, from a coarse value and one value for each
  /// parameter that is made smaller by itself (runs (N, h), (2N, h), (N, h/2)). With $k_i = r_i^{p_i} / (r_i^{p_i} - 1)$ and
  /// $b_i = k_i (y - y_i)$,
  ///
  /// $$ y_0 = y - \sum_i b_i, \qquad \sigma^2 = \Bigl(1 - \sum_i k_i\Bigr)^2 \sigma_y^2 + \sum_i k_i^2 \sigma_i^2 . $$
  ///
  /// - Returns: the limit with its standard error, and for each parameter the bias of the coarse value with its own.
  public static func richardson(
    coarse: (value: Double, error: Double),
    refined: [(value: Double, error: Double, ratio: Double, order: Double)]
  ) -> (limit: Double, limitError: Double, biases: [(bias: Double, biasError: Double)]) {
    let variance = coarse.error * coarse.error
    var (limit, share, total) = (coarse.value, 1.0, 0.0)
    var biases: [(bias: Double, biasError: Double)] = []
    for point in refined {
      let one = richardson(
        coarse: coarse, fine: (point.value, point.error), ratio: point.ratio, order: point.order)
      let factor = PowerSeries.power(point.ratio, point.order)
      let k = factor / (factor - 1)
      limit -= one.bias
      share -= k
      total += k * k * point.error * point.error
      biases.append((one.bias, one.biasError))
    }
    return (limit, (share * share * variance + total).squareRoot(), biases)
  }
}
