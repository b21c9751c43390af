import Particles

/// A linear recursion z' = M z + noise of z = (x, v), made some number of times: M, what it does to the covariance (xx, xv, vv), and the
/// covariance of the noise that it adds.
struct LinearRecursion {
  /// xx, xv, vx, vv.
  private(set) var map: [Double]
  /// 3 x 3.
  private(set) var second: [Double]
  private(set) var noise: [Double]

  static let identity = LinearRecursion(map: [1, 0, 0, 1], noise: [0, 0, 0])

  init(map: [Double], noise: [Double]) {
    let (a, b, c, d) = (map[0], map[1], map[2], map[3])
    self.map = map
    self.noise = noise
    second = [a * a, 2 * a * b, b * b, a * c, a * d + b * c, b * d, c * c, 2 * c * d, d * d]
  }

  /// First `self`, then `next`.
  func then(_ next: LinearRecursion) -> LinearRecursion {
    let (m, n) = (map, next.map)
    let carried = next.applied(toSecond: noise)
    return LinearRecursion(
      map: [
        n[0] * m[0] + n[1] * m[2], n[0] * m[1] + n[1] * m[3], n[2] * m[0] + n[3] * m[2], n[2] * m[1] + n[3] * m[3],
      ], noise: (0..<3).map { carried[$0] + next.noise[$0] })
  }

  /// Made `count` times, by doubling.
  func repeated(_ count: Int) -> LinearRecursion {
    var (result, power, left) = (LinearRecursion.identity, self, count)
    while left > 0 {
      if left % 2 == 1 { result = result.then(power) }
      left /= 2
      if left > 0 { power = power.then(power) }
    }
    return result
  }

  func applied(toSecond s: [Double]) -> [Double] {
    (0..<3).map { second[3 * $0] * s[0] + second[3 * $0 + 1] * s[1] + second[3 * $0 + 2] * s[2] }
  }
}

/// Moments of the means over time of x and x^2, and of v and v^2, for one harmonic oscillator under a linear step: exact for any start, any
/// number of steps and any correlation in time.
///
/// With m_t the mean of x_t, S_t its variance and C(s, t) = e' M^(t-s) S_s e its covariance in time (e picks x or v), the values that n
/// measured steps give are jointly Gaussian, so
///
///     var(mean of x)           = (1/n^2) sum_st C(s, t)
///     var(mean of x^2)         = (1/n^2) sum_st [2 C(s, t)^2 + 4 m_s m_t C(s, t)]
///     cov(mean of x, of x^2)   = (1/n^2) sum_st 2 m_t C(s, t).
///
/// The double sums take one pass: U_t = sum_{s<t} M^(t-s) S_s e is carried along, and so are the same with a factor m_s and with squares.
struct OscillatorSeries {
  /// Of one component in one record; the sums over two times are divided by n^2.
  struct Component: Equatable {
    /// Means over the record of m, S and m^2.
    var mean = 0.0
    var variance = 0.0
    var meanSquare = 0.0
    /// sum C, sum 2 C^2, sum 4 m m C, sum 2 m C.
    var covariance = 0.0
    var squares = 0.0
    var driftSquares = 0.0
    var cross = 0.0
  }

  /// Record by record.
  let position: [Component]
  let velocity: [Component]

  /// - Parameters:
  ///   - start: mean of x and the variances of x and v at step 0.
  ///   - perRecord: measured steps of a record.
  init(
    _ step: LinearRecursion, start: (mean: Double, variance: Double, velocity: Double), warmUp: Int,
    measureEvery: Int, perRecord: Int, records: Int
  ) {
    var state = State(start)
    state.advance(step.repeated(warmUp))
    let between = step.repeated(measureEvery)
    var results: [[Component]] = []
    var previous: State?
    for _ in 0..<records {
      // In the stationary law one record is like the other.
      if let previous, previous.isClose(to: state) {
        results.append(results.last!)
        continue
      }
      previous = state
      results.append(Self.record(&state, between, perRecord))
    }
    position = results.map { $0[0] }
    velocity = results.map { $0[1] }
  }

  private struct State {
    var mean: [Double]
    var second: [Double]

    init(_ start: (mean: Double, variance: Double, velocity: Double)) {
      mean = [start.mean, 0]
      second = [start.variance, 0, start.velocity]
    }

    mutating func advance(_ step: LinearRecursion) {
      let m = step.map
      mean = [m[0] * mean[0] + m[1] * mean[1], m[2] * mean[0] + m[3] * mean[1]]
      let carried = step.applied(toSecond: second)
      for i in 0..<3 { second[i] = carried[i] + step.noise[i] }
    }

    func isClose(to other: State) -> Bool {
      let scale = max(second[0], second[2])
      return zip(second, other.second).allSatisfy { ($0 - $1).magnitude <= 1e-13 * scale }
        && zip(mean, other.mean).allSatisfy { ($0 - $1).magnitude <= 1e-13 * scale.squareRoot() }
    }
  }

  private static func record(_ state: inout State, _ between: LinearRecursion, _ count: Int) -> [Component] {
    let (a, b, c, d) = (between.map[0], between.map[1], between.map[2], between.map[3])
    let s = between.second
    let q = between.noise
    var result = [Component(), Component()]
    var (m0, m1) = (state.mean[0], state.mean[1])
    var (xx, xv, vv) = (state.second[0], state.second[1], state.second[2])
    /// What is carried from earlier steps of the record, for x and for v: U, the same with m_s, and of squares.
    var plain = SIMD4<Double>.zero
    var drift = SIMD4<Double>.zero
    var square = (SIMD2<Double>.zero, SIMD2<Double>.zero, SIMD2<Double>.zero)
    /// x and v of both components at once: (x of x, v of x, x of v, v of v).
    func mapped(_ u: SIMD4<Double>) -> SIMD4<Double> {
      SIMD4(a * u[0] + b * u[1], c * u[0] + d * u[1], a * u[2] + b * u[3], c * u[2] + d * u[3])
    }
    for _ in 0..<count {
      (m0, m1) = (a * m0 + b * m1, c * m0 + d * m1)
      (xx, xv, vv) = (
        s[0] * xx + s[1] * xv + s[2] * vv + q[0], s[3] * xx + s[4] * xv + s[5] * vv + q[1],
        s[6] * xx + s[7] * xv + s[8] * vv + q[2]
      )
      plain = mapped(plain)
      drift = mapped(drift)
      square = (
        s[0] * square.0 + s[1] * square.1 + s[2] * square.2, s[3] * square.0 + s[4] * square.1 + s[5] * square.2,
        s[6] * square.0 + s[7] * square.1 + s[8] * square.2
      )
      for (i, m, own, u, du, w) in [
        (0, m0, xx, plain[0], drift[0], square.0[0]), (1, m1, vv, plain[3], drift[3], square.2[1]),
      ] {
        result[i].mean += m
        result[i].variance += own
        result[i].meanSquare += m * m
        result[i].covariance += own + 2 * u
        result[i].squares += 2 * own * own + 4 * w
        result[i].driftSquares += 4 * (m * m * own + 2 * m * du)
        result[i].cross += 2 * (m * own + m * u + du)
      }
      let now = SIMD4(xx, xv, xv, vv)
      plain += now
      drift += SIMD4(m0, m0, m1, m1) * now
      square.0 += SIMD2(xx * xx, xv * xv)
      square.1 += SIMD2(xx * xv, xv * vv)
      square.2 += SIMD2(xv * xv, vv * vv)
    }
    let n = Double(count)
    for i in 0..<2 {
      result[i].mean /= n
      result[i].variance /= n
      result[i].meanSquare /= n
      result[i].covariance /= n * n
      result[i].squares /= n * n
      result[i].driftSquares /= n * n
      result[i].cross /= n * n
    }
    state.mean = [m0, m1]
    state.second = [xx, xv, vv]
    return result
  }
}
