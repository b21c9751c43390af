import Experiments
import Kernels
import Randomness

/// Stochastic volatility: $x_t = \phi x_{t-1} + s\,\xi_t$ from its stationary law, $y_t = b\,e^{x_t/2} \zeta_t$.
///
/// Exact: by quadrature on 1001 points over 9 standard deviations either way. The guided proposal is normal by one Newton step of $\log q g$ from $m = \phi x_{t-1}$; the promise is g(m), at least e^-8 of its maximum.
package struct StochasticVolatility: LearnableModel {
  package private(set) var persistence, noise, scale: Double
  package let observations: Observations
  package private(set) var exact: SmoothedValues?
  /// Observations that are there.
  private let present: Int

  private static let points = 1001
  private static let reach = 9.0
  /// Beyond this number of observations quadrature takes seconds.
  private static let mostExact = 1000

  package var dimension: Int { 1 }
  package var length: Int { observations.count }
  package var isGuided: Bool { true }
  package let functionals = LinearGaussian.products

  private var stationary: Double { noise / (1 - persistence * persistence).squareRoot() }

  /// - Parameters:
  ///   - persistence: phi, in (-1, 1).
  ///   - noise: s.
  ///   - scale: b.
  package init(persistence: Double, noise: Double, scale: Double, observations: Observations) {
    (self.persistence, self.noise, self.scale) = (persistence, noise, scale)
    self.observations = observations
    present = (0..<observations.count).filter { !observations[$0, 0].isNaN }.count
    guard observations.count <= Self.mostExact else {
      exact = nil
      return
    }
    let (grid, smoother) = Self.grid(persistence: persistence, noise: noise, scale: scale, observations)
    exact = SmoothedValues(logEvidence: smoother.logEvidence, functionals: grid.products(smoother))
  }

  /// The chain of quadrature.
  package static func grid(
    persistence: Double, noise: Double, scale: Double, _ observations: Observations,
    points: Int = points
  ) -> (points: LineGrid, smoother: FiniteSmoother) {
    let width = noise / (1 - persistence * persistence).squareRoot()
    let grid = LineGrid(from: -reach * width, to: reach * width, count: points)
    return (
      grid,
      grid.smoother(
        observations, start: (0, width), laws: { (persistence * grid[$0], noise) },
        logDensity: { i, t in logDensity(grid[i], observations[t, 0], scale) })
    )
  }

  /// log N(y; 0, b^2 e^x); 0 where y is missing.
  @inline(__always)
  private static func logDensity(_ x: Double, _ y: Double, _ scale: Double) -> Double {
    y.isNaN
      ? 0
      : -0.5 * (Elementary.log(2 * Double.pi * scale * scale) + x + y * y / (scale * scale) * Elementary.exp(-x))
  }

  package func start(_ x: Cloud, _ range: Range<Int>, _ stream: inout Stream) {
    for i in range { x.x[i] = stationary * stream.normal() }
  }

  package func move(
    _ t: Int, _ from: Cloud, _ ancestors: UnsafePointer<Int32>, _ x: Cloud, _ range: Range<Int>, _ stream: inout Stream
  ) {
    for i in range { x.x[i] = persistence * from.x[Int(ancestors[i])] + noise * stream.normal() }
  }

  package func weigh(_ t: Int, _ x: Cloud, _ range: Range<Int>, _ logWeights: UnsafeMutablePointer<Double>) {
    let y = observations[t, 0]
    for i in range { logWeights[i] += Self.logDensity(x.x[i], y, scale) }
  }

  package func emit(_ t: Int, _ x: Cloud, _ i: Int, _ stream: inout Stream) -> [Double] {
    [scale * Elementary.exp(0.5 * x.x[i]) * stream.normal()]
  }

  package func logTransition(_ t: Int, _ from: Cloud, _ i: Int, _ to: Cloud, _ j: Int) -> Double {
    let z = (to.x[j] - persistence * from.x[i]) / noise
    return -0.5 * z * z
  }

  package func addFunctionals(
    _ t: Int, _ from: Cloud, _ i: Int, _ to: Cloud, _ j: Int, _ values: UnsafeMutablePointer<Double>
  ) {
    values[0] += from.x[i] * to.x[j]
    values[1] += from.x[i] * from.x[i]
  }

  package let learned = [
    Functional("persistence", "phi"), Functional("noise", "s"), Functional("scale", "b"),
  ]
  /// $x_0^2$, $\sum x_{t-1}^2$, $\sum x_{t-1} x_t$, $\sum x_t^2$ and $\sum y_t^2 e^{-x_t}$, the last from t = 0 on.
  package var statisticsCount: Int { 5 }

  @inline(__always)
  private func addStatistics(
    _ t: Int, _ x: Double, _ next: Double, weight: Double, _ values: UnsafeMutablePointer<Double>
  ) {
    if t == 1 { values[0] += weight * x * x }
    values[1] += weight * x * x
    values[2] += weight * x * next
    values[3] += weight * next * next
    let (y, former) = (observations[t, 0], t == 1 ? observations[0, 0] : .nan)
    if !y.isNaN { values[4] += weight * y * y * Elementary.exp(-next) }
    if !former.isNaN { values[4] += weight * former * former * Elementary.exp(-x) }
  }

  package func addStatistics(
    _ t: Int, _ from: Cloud, _ i: Int, _ to: Cloud, _ j: Int, _ values: UnsafeMutablePointer<Double>
  ) { addStatistics(t, from.x[i], to.x[j], weight: 1, values) }

  package func writeParameters(_ values: UnsafeMutablePointer<Double>) {
    (values[0], values[1], values[2]) = (persistence, noise, scale)
  }

  /// With $A(\phi) = S_0 (1 - \phi^2) + S_3 - 2 \phi S_2 + \phi^2 S_1$ the expected log density is $\frac12 \log(1 - \phi^2) - \frac T2 \log A(\phi)$ at $s^2 = A/T$: its derivative vanishes at a root in (-1, 1) of a cubic,
  /// which changes its sign there. $b^2 = S_4$ over the number of observations.
  package mutating func maximise(_ statistics: UnsafePointer<Double>) {
    let (start, former, mixed, later) = (statistics[0], statistics[1], statistics[2], statistics[3])
    let steps = Double(length)
    func rest(_ phi: Double) -> Double { start * (1 - phi * phi) + later - 2 * phi * mixed + phi * phi * former }
    func slope(_ phi: Double) -> Double {
      phi * rest(phi) + steps * (1 - phi * phi) * (phi * (former - start) - mixed)
    }
    var (low, high) = (-1.0, 1.0)
    for _ in 0..<60 {
      let middle = 0.5 * (low + high)
      if slope(middle) < 0 { low = middle } else { high = middle }
    }
    // Never the end of the range, where there is no stationary law.
    persistence = min(max(0.5 * (low + high), -1 + 0x1p-40), 1 - 0x1p-40)
    noise = (rest(persistence) / steps).squareRoot()
    if present > 0 { scale = (statistics[4] / Double(present)).squareRoot() }
    exact = nil
  }

  /// Points of quadrature for statistics: closer than a third of the noise up to a persistence of .98.
  private static let learningPoints = 401

  package var exactStatistics: SmoothedValues? {
    guard length <= Self.mostExact else { return nil }
    let (grid, smoother) = Self.grid(
      persistence: persistence, noise: noise, scale: scale, observations, points: Self.learningPoints)
    return SmoothedValues(
      logEvidence: smoother.logEvidence,
      functionals: smoother.functionals(statisticsCount) { t, i, j, weight, sums in
        sums.withUnsafeMutableBufferPointer {
          addStatistics(t, grid[i], grid[j], weight: weight, $0.baseAddress!)
        }
      })
  }

  package func moveGuided(
    _ t: Int, _ from: Cloud, _ ancestors: UnsafePointer<Int32>, _ x: Cloud, _ range: Range<Int>,
    _ logWeights: UnsafeMutablePointer<Double>, _ stream: inout Stream
  ) {
    let y = observations[t, 0]
    let s = t == 0 ? stationary : noise
    for i in range {
      let mean = t == 0 ? 0 : persistence * from.x[Int(ancestors[i])]
      // Half of y^2/b^2 e^-m: minus the curvature of log g at m; its slope is that less 1/2.
      let curvature = y.isNaN ? 0 : 0.5 * y * y / (scale * scale) * Elementary.exp(-mean)
      let variance = 1 / (1 / (s * s) + curvature)
      let shift = y.isNaN ? 0 : variance * (curvature - 0.5)
      let xi = stream.normal()
      let value = mean + shift + variance.squareRoot() * xi
      x.x[i] = value
      let z = (value - mean) / s
      logWeights[i] += 0.5 * (xi * xi - z * z) + 0.5 * Elementary.log(variance / (s * s))
    }
  }

  package func lookAhead(_ t: Int, _ from: Cloud, _ range: Range<Int>, _ logWeights: UnsafeMutablePointer<Double>) {
    let y = observations[t, 0]
    // The largest density is at e^x = y^2/b^2.
    let least =
      y.isNaN || y == 0 ? -Double.infinity : Self.logDensity(Elementary.log(y * y / (scale * scale)), y, scale) - 8
    for i in range { logWeights[i] = max(Self.logDensity(persistence * from.x[i], y, scale), least) }
  }
}

extension StochasticVolatility {
  static let entry = FilterFamily.entry(
    name: "stochastic-volatility", summary: "stochastic volatility from its stationary law",
    equation: "x_t = persistence x_{t-1} + noise xi, y_t = scale e^{x_t/2} zeta",
    functionals: ["product", "square"], learned: ["persistence", "noise", "scale"],
    parameters: [
      Parameter("persistence", .real(.init(-1, 1, openBelow: true, openAbove: true)), "phi"),
      Parameter("noise", .real(.above(0)), "s, a standard deviation"),
      Parameter("scale", .real(.above(0)), default: .real(1), "b, standard deviation of y at x = 0"),
    ]
  ) { p, data in
    try FilterSettings.problem(p, data) {
      StochasticVolatility(
        persistence: p.real("persistence"), noise: p.real("noise"), scale: p.real("scale"), observations: $0)
    }
  }
}
