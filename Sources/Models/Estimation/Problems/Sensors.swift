import Experiments
import Kernels
import Randomness

/// What a random function loses between its sensors: u a Gaussian process on [0, 1] of covariance $e^{-r^2/2l^2}$, $u_m$ linear between m + 1 equidistant sensors. The error of its integral,
/// $\int u - \int u_m$, is normal, with
///
/// $$ \mathbb E \Big(\int u - \int u_m\Big)^2 \to \frac{h^4}{72} \Big[\frac1{l^2} - \Big(\frac1{l^2} - \frac1{l^4}\Big) e^{-1/2l^2}\Big], \qquad h = 1/m . $$
///
/// The plain sampler draws the numbers of `GaussianProcessSeries`.
package struct Sensors: DrawnProblem {
  /// m.
  package let samples: Int
  /// l.
  package let length: Double
  let isReduced: Bool
  /// Of every g_j: what it adds to the integral, and to its error.
  private let integrals, errors: [Double]
  /// Standard deviation of the integral; of the error, the part that goes with the integral and the rest.
  private let spread, along, rest: Double

  package init(sensors m: Int, length: Double, isReduced: Bool) {
    (samples, self.length, self.isReduced) = (m, length, isReduced)
    let series = GaussianProcessSeries(length: length)
    let terms = series.count
    var (integrals, errors) = (Array(repeating: 0.0, count: terms), Array(repeating: 0.0, count: terms))
    let h = 1 / Double(m)
    for cell in 0..<m {
      let left = -0.5 + h * Double(cell)
      GaussLegendre.forEachNode(in: left...left + h, breaks: [], panel: min(h, length)) { x, weight in
        series.forEachTerm(x) { j, value in
          integrals[j] += weight * value
          errors[j] += weight * value
        }
      }
      for end in [left, left + h] { series.forEachTerm(end) { j, value in errors[j] -= 0.5 * h * value } }
    }
    var (square, product, total) = (0.0, 0.0, 0.0)
    for j in 0..<terms {
      square += integrals[j] * integrals[j]
      product += integrals[j] * errors[j]
      total += errors[j] * errors[j]
    }
    (self.integrals, self.errors) = (integrals, errors)
    spread = square.squareRoot()
    along = product / spread
    rest = max(0, total - along * along).squareRoot()
  }

  package var axis: Axis { .samples(samples) }
  package let observables = [
    Observable("integral", "of u over [0, 1]"),
    Observable("error", "integral of u less that of u between the sensors"),
    Observable("square_error", "its square"),
  ]

  package var known: [KnownStatistic] {
    let square = along * along + rest * rest
    return [
      KnownStatistic(.mean, of: "integral", 0), KnownStatistic(.variance, of: "integral", spread * spread),
      KnownStatistic(.mean, of: "error", 0),
      KnownStatistic(.variance, of: "error", square), KnownStatistic(.mean, of: "square_error", square),
    ]
  }

  package func makeState() -> NoState { NoState() }

  package func draw(_ state: NoState, _ stream: inout Stream, into values: UnsafeMutablePointer<Double>) {
    if isReduced {
      let g = stream.normal()
      (values[0], values[1]) = (spread * g, along * g + rest * stream.normal())
    } else {
      (values[0], values[1]) = (0, 0)
      for j in integrals.indices {
        let g = stream.normal()
        values[0] += integrals[j] * g
        values[1] += errors[j] * g
      }
    }
    values[2] = values[1] * values[1]
  }

  /// h^4/72 [1/l^2 - (1/l^2 - 1/l^4) e^{-1/2l^2}].
  package var limit: Double {
    let (h, a) = (1 / Double(samples), 1 / (length * length))
    return h * h * h * h / 72 * (a - (a - a * a) * Elementary.exp(-0.5 * a))
  }

  static let entry = EstimationFamily.entry(
    name: "sensors", summary: "the integral of a random function from its values at sensors, linear between them",
    equation: "u ~ GP(0, exp(-r^2/2 l^2)) on [0, 1]; error = integral of u - u_m, u_m linear between m + 1 sensors",
    reference: "docs/estimation.md",
    samplers: [("reduced", "the error and the integral, two numbers"), ("path", "the whole function, by its series")],
    observables: ["integral", "error", "square_error"],
    parameters: [
      Parameter(
        "samples", .integer(1...10_000), small: .init(.inverse, "m", companions: ["draws"]), "m, cells between sensors"),
      Parameter("length", .real(.init(0.02, 100)), default: .real(0.2), "l, correlation length of u"),
    ]
  ) { p, _ in
    DrawnProblemModel(
      Sensors(sensors: p.integer("samples"), length: p.real("length"), isReduced: p.text("sampler") == "reduced"), p)
  }
}
