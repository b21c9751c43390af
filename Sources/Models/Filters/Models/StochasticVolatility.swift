import Experiments
import Kernels
import Randomness

/// Stochastic volatility: $x_t = \phi x_{t-1} + s\,\xi_t$ from its stationary law, $y_t = b\,e^{x_t/2} \zeta_t$.
///
/// Exact: by quadrature on 1001 points over 9 standard deviations either way. The guided proposal is normal by one Newton step of $\log q g$ from $m = \phi x_{t-1}$; the promise is g(m), at least e^-8 of its maximum.
package struct StochasticVolatility: StateSpaceModel {
  package let persistence, noise, scale: Double
  package let observations: Observations
  package let exact: SmoothedValues?

  private static let points = 1001
  private static let reach = 9.0
  /// Beyond so many observations quadrature takes seconds.
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
    guard observations.count <= Self.mostExact else {
      exact = nil
      return
    }
    let (grid, smoother) = Self.grid(persistence: persistence, noise: noise, scale: scale, observations)
    exact = SmoothedValues(logEvidence: smoother.logEvidence, functionals: grid.products(smoother))
  }

  /// The chain of quadrature.
  package static func grid(
    persistence: Double, noise: Double, scale: Double, _ observations: Observations
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
    functionals: ["product", "square"],
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
