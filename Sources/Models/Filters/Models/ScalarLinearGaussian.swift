import Experiments
import Kernels
import Randomness

/// A linear Gaussian model on the line: $x_0 \sim N(0, s_0^2)$, $x_t = a x_{t-1} + q\,\xi_t$, $y_t = b x_t + r\,\zeta_t$.
///
/// The guided proposal is the law of x_t given x_{t-1} and y_t, the promise is N(y_t; b a x, b^2 q^2 + r^2): auxiliary particles are fully adapted. It is `LinearGaussian` in one dimension, with its constants in registers.
package struct ScalarLinearGaussian: OneParameterModel {
  /// a, which learning changes.
  package var coefficient: Double
  package let noise, gain, error, spread: Double
  package let observations: Observations

  /// - Parameters:
  ///   - noise: q.
  ///   - gain: b.
  ///   - error: r.
  ///   - spread: s_0.
  package init(
    coefficient: Double, noise: Double, gain: Double, error: Double, spread: Double, observations: Observations
  ) {
    (self.coefficient, self.noise, self.gain) = (coefficient, noise, gain)
    (self.error, self.spread, self.observations) = (error, spread, observations)
  }

  package var dimension: Int { 1 }
  package var length: Int { observations.count }
  package var isGuided: Bool { true }
  package var drawsSmoothed: Bool { true }
  package let functionals =
    LinearGaussian.products + [
      Functional("score", "derivative of log Z in a, by Fisher's identity: sum of (x_t - a x_{t-1}) x_{t-1}/q^2")
    ]

  /// The same as a model of vectors.
  package var general: LinearGaussian {
    LinearGaussian(
      transition: [[coefficient]], noise: [[noise * noise]], emission: [[gain]], error: [[error * error]],
      start: [[spread * spread]], observations: observations)
  }

  package var exact: SmoothedValues? {
    let known = general.smoothed
    let score = (known.functionals[0] - coefficient * known.functionals[1]) / (noise * noise)
    return SmoothedValues(logEvidence: known.logEvidence, functionals: known.functionals + [score])
  }

  package var parameter: Double {
    get { coefficient }
    set { coefficient = newValue }
  }
  package var learned: [Functional] { [Functional("", "the coefficient of the transition")] }
  package var statisticsCount: Int { 2 }
  package func addStatistics(
    _ t: Int, _ from: Cloud, _ i: Int, _ to: Cloud, _ j: Int, _ values: UnsafeMutablePointer<Double>
  ) {
    values[0] += from.x[i] * to.x[j]
    values[1] += from.x[i] * from.x[i]
  }
  /// $a = \sum x_{t-1} x_t / \sum x_{t-1}^2$.
  package mutating func maximise(_ statistics: UnsafePointer<Double>) { coefficient = statistics[0] / statistics[1] }
  package var exactStatistics: SmoothedValues? {
    let known = general.smoothed
    return SmoothedValues(logEvidence: known.logEvidence, functionals: Array(known.functionals.prefix(2)))
  }

  package var taken: (start: Taken, move: Taken, guided: Taken) { (.scalars(1), .normals(1), .scalars(1)) }

  package func start(_ x: Cloud, _ range: Range<Int>, _ stream: inout Stream) {
    for i in range { x.x[i] = spread * stream.normal() }
  }

  package func move(
    _ t: Int, _ from: Cloud, _ ancestors: UnsafePointer<Int32>, _ x: Cloud, _ range: Range<Int>, _ stream: inout Stream
  ) {
    var first = range.lowerBound
    while first < range.upperBound {
      let count = min(Stream.capacity, range.upperBound - first)
      let xi = stream.normals(count)
      for k in 0..<count {
        x.x[first &+ k] = (coefficient * from.x[Int(ancestors[first &+ k])]).addingProduct(noise, xi[k])
      }
      first += count
    }
  }

  package func weigh(_ t: Int, _ x: Cloud, _ range: Range<Int>, _ logWeights: UnsafeMutablePointer<Double>) {
    let y = observations[t, 0]
    if y.isNaN { return }
    let constant = Self.logNormaliser(error)
    let (scaled, slope) = (y / error, gain / error)
    for i in range {
      let z = scaled - slope * x.x[i]
      logWeights[i] += constant - 0.5 * z * z
    }
  }

  /// log of the density of N(0, s^2) at 0.
  private static func logNormaliser(_ s: Double) -> Double { -0.5 * Elementary.log(2 * Double.pi * s * s) }

  package func emit(_ t: Int, _ x: Cloud, _ i: Int, _ stream: inout Stream) -> [Double] {
    [gain * x.x[i] + error * stream.normal()]
  }

  package func logTransition(_ t: Int, _ from: Cloud, _ i: Int, _ to: Cloud, _ j: Int) -> Double {
    let z = (to.x[j] - coefficient * from.x[i]) / noise
    return -0.5 * z * z
  }

  package func addFunctionals(
    _ t: Int, _ from: Cloud, _ i: Int, _ to: Cloud, _ j: Int, _ values: UnsafeMutablePointer<Double>
  ) {
    let (x, next) = (from.x[i], to.x[j])
    values[0] += x * next
    values[1] += x * x
    values[2] += (next - coefficient * x) * x / (noise * noise)
  }

  package func moveGuided(
    _ t: Int, _ from: Cloud, _ ancestors: UnsafePointer<Int32>, _ x: Cloud, _ range: Range<Int>,
    _ logWeights: UnsafeMutablePointer<Double>, _ stream: inout Stream
  ) {
    let y = observations[t, 0]
    let s = t == 0 ? spread : noise
    // Variance of x_t given its mean m and y_t, and of y_t given m.
    let total = gain * gain * s * s + error * error
    let weight = y.isNaN ? 0 : gain * s * s / total
    let deviation = y.isNaN ? s : s * error / total.squareRoot()
    for i in range {
      let mean = t == 0 ? 0 : coefficient * from.x[Int(ancestors[i])]
      let value = mean + (y.isNaN ? 0 : weight * (y - gain * mean)) + deviation * stream.normal()
      x.x[i] = value
      if y.isNaN { continue }
      // q/p = N(y; b m, total)/g.
      let (seen, own) = ((y - gain * mean) * (y - gain * mean) / total, (y - gain * value) / error)
      logWeights[i] += Self.logNormaliser(total.squareRoot()) - 0.5 * seen - Self.logNormaliser(error) + 0.5 * own * own
    }
  }

  package func lookAhead(_ t: Int, _ from: Cloud, _ range: Range<Int>, _ logWeights: UnsafeMutablePointer<Double>) {
    let y = observations[t, 0]
    let total = gain * gain * noise * noise + error * error
    for i in range {
      let z = y - gain * coefficient * from.x[i]
      logWeights[i] = y.isNaN ? 0 : Self.logNormaliser(total.squareRoot()) - 0.5 * z * z / total
    }
  }

  /// Filters forward and draws backward; nothing is kept but the filtered means in `path`, whose variances are a recursion of their own.
  package func drawSmoothed(_ path: Cloud, _ stream: inout Stream) {
    withUnsafeTemporaryAllocation(of: Double.self, capacity: length) { variances in
      var (mean, variance) = (0.0, spread * spread)
      for t in 0..<length {
        if t > 0 { (mean, variance) = (coefficient * mean, coefficient * coefficient * variance + noise * noise) }
        let y = observations[t, 0]
        if !y.isNaN {
          let weight = gain * variance / (gain * gain * variance + error * error)
          mean += weight * (y - gain * mean)
          variance *= 1 - weight * gain
        }
        (path.x[t], variances[t]) = (mean, variance)
      }
      for t in (0..<length).reversed() {
        var (mean, variance) = (path.x[t], variances[t])
        if t < length - 1 {
          let weight = coefficient * variance / (coefficient * coefficient * variance + noise * noise)
          mean += weight * (path.x[t + 1] - coefficient * mean)
          variance *= 1 - weight * coefficient
        }
        path.x[t] = mean + variance.squareRoot() * stream.normal()
      }
    }
  }
}

extension ScalarLinearGaussian {
  private static let matrixWords = "a number, or a matrix as an array of its rows"

  /// Of this model and of `LinearGaussian`.
  static let entry = FilterFamily.entry(
    name: "linear-gaussian", summary: "a linear Gaussian model, on the line or of vectors",
    equation:
      "x_0 ~ N(0, start^2), x_t = transition x_{t-1} + noise xi, y_t = emission x_t + error zeta; of vectors matrices, noise, error and start covariances",
    functionals: ["product", "square", "score"], learned: [""],
    parameters: [
      Parameter("transition", .structured(matrixWords), "a, or A"),
      Parameter("noise", .structured(matrixWords), "q, a standard deviation, or Q, a covariance"),
      Parameter("emission", .structured(matrixWords), default: .real(1), "b, or B"),
      Parameter("error", .structured(matrixWords), "r, a standard deviation, or R, a covariance"),
      Parameter(
        "start", .structured(matrixWords), default: .real(1), "s_0, a standard deviation, or S_0, a covariance"),
    ]
  ) { p, data in
    guard case .list? = p["transition"] else {
      func number(_ key: String, positive: Bool) throws -> Double {
        guard let value = p[key]?.number, value.isFinite, !positive || value > 0 else {
          throw p.invalid(key, "must be a \(positive ? "positive" : "finite") number, as transition is one number")
        }
        return value
      }
      let (a, b) = (try number("transition", positive: false), try number("emission", positive: false))
      let (q, r) = (try number("noise", positive: true), try number("error", positive: true))
      let s = try number("start", positive: true)
      return try FilterSettings.problem(p, data) {
        ScalarLinearGaussian(coefficient: a, noise: q, gain: b, error: r, spread: s, observations: $0)
      }
    }
    let a = try p.matrix("transition", rows: nil, columns: nil)
    guard a.allSatisfy({ $0.count == a.count }) else { throw p.invalid("transition", "must be a square matrix") }
    let (q, s) = (try p.covariance("noise", dimension: a.count), try p.covariance("start", dimension: a.count))
    let b = try p.matrix("emission", rows: nil, columns: a.count)
    let r = try p.covariance("error", dimension: b.count)
    return try FilterSettings.problem(p, data, dimension: b.count) {
      LinearGaussian(transition: a, noise: q, emission: b, error: r, start: s, observations: $0)
    }
  }
}
