import Experiments
import Kernels
import Statistics

/// A loss on the line whose examples are parabolas, $f_i = A_i x^2/2 - B_i x + C_i$, and H their mean: the posterior of a conjugate model, of which
/// everything is known, with batches too.
package struct QuadraticLoss: Sendable {
  /// A_i and B_i, one after the other.
  let terms: [Double]
  /// Means of A, B and C.
  let curvature, slope, constant: Double
  /// B/A.
  let mode: Double
  let subsample: Subsample?
  /// Whether batches take the differences of gradients from those at the mode.
  let hasControl: Bool

  /// - Parameter examples: A, B, C of each; the mean of A is positive.
  init(_ examples: [(a: Double, b: Double, c: Double)], _ subsample: Subsample?, hasControl: Bool) {
    terms = examples.flatMap { [$0.a, $0.b] }
    let n = Double(examples.count)
    curvature = examples.reduce(0) { $0 + $1.a } / n
    slope = examples.reduce(0) { $0 + $1.b } / n
    constant = examples.reduce(0) { $0 + $1.c } / n
    mode = slope / curvature
    (self.subsample, self.hasControl) = (subsample, hasControl)
  }

  /// What batches do to the curvature, and to the gradient at the mode.
  var noise: GradientNoise {
    guard let subsample else { return .none }
    let (count, b) = (Double(terms.count / 2), Double(subsample.batch))
    var (powers, forces) = ([0.0, 0, 0], 0.0)
    for i in stride(from: 0, to: terms.count, by: 2) {
      let (a, force) = (terms[i] - curvature, terms[i] * mode - terms[i + 1])
      for (k, power) in [a * a, a * a * a, a * a * a * a].enumerated() { powers[k] += power / count }
      forces += force * force / count
    }
    // Of a mean of b.
    let moments = GradientNoise.Curvature(
      second: powers[0] / b, third: powers[1] / (b * b),
      fourth: (powers[2] + 3 * (b - 1) * powers[0] * powers[0]) / (b * b * b))
    return GradientNoise(curvature: moments, force: hasControl ? 0 : forces / b)
  }

  /// H at the mode.
  private var least: Double { constant - 0.5 * slope * mode }

  /// Means of the law exp(-beta H).
  func limit(beta: Double) -> [String: Double] { means(variance: 1 / (beta * curvature), beta: beta, isNormal: true) }

  private func means(variance v: Double, beta: Double, isNormal: Bool) -> [String: Double] {
    let square = mode * mode
    var found = [
      "x": mode, "x^2": square + v, "deviation^2": v, "energy": least + 0.5 * curvature * v,
      "residual": beta * curvature * v - 1,
    ]
    if isNormal { found["x^4"] = square * square + 6 * square * v + 3 * v * v }
    return found
  }

  /// Stationary means under an integrator; nil where they are not known.
  func means(_ settings: ParticleSettings, _ method: IntegratorModel) -> [String: Double]? {
    guard method.target == nil, subsample == nil || method.batched != nil else { return nil }
    let (beta, noise) = (settings.inverseTemperature, noise)
    // At unit temperature the force has beta times its variance.
    let own = GradientNoise(curvature: noise.curvature, force: beta * noise.force)
    let step = method.oscillator(settings.step, curvature, own)
    guard let moments = method.moments(settings.step, curvature, own) else { return nil }
    guard subsample == nil || step.hasFourthMoments else { return ["x": mode] }
    // Batches of few examples are no normal variables.
    var found = means(variance: moments.x / beta, beta: beta, isNormal: step.isGaussian && subsample == nil)
    if method.hasVelocities { found["v^2"] = moments.v / beta }
    if subsample != nil { found["gradient_variance"] = noise.curvature.second * moments.x / beta + noise.force }
    return found
  }

  /// All that the catalog asks of a system.
  func model(_ p: Parameters) -> SystemModel {
    let beta = p.real("inverse_temperature")
    return SystemModel(
      largestCurvature: curvature, leastCurvature: curvature, quadratic: self,
      line: LinePotential(
        energy: { [self] x in constant + x * (0.5 * curvature * x - slope) },
        slope: { [self] x in curvature * x - slope },
        curvature: { [self] _ in curvature }, name: "the mean loss"),
      subsample: subsample,
      stationary: { [self] _ in
        var moments = StationaryMoments(
          equation: "normal, mean B/A, variance 1/(beta A)", reference: "docs/sgld.md")
        moments.means = limit(beta: beta)
        let reach = 9 / (beta * curvature).squareRoot()
        moments.marginal = TabulatedLaw(name: "posterior", from: mode - reach, to: mode + reach) {
          Elementary.exp(-0.5 * beta * curvature * ($0 - mode) * ($0 - mode))
        }
        return moments
      },
      make: { [self] in ParabolaChains(self) })
  }
}

/// Chains on a quadratic loss.
final class ParabolaChains: Subsampled {
  let dimension = 1
  let interaction = Interaction.none
  let measuredFeatures = 1
  let orderParameters = [Observable("deviation^2", "mean over the particles of the squared distance from the minimum")]
  private let loss: QuadraticLoss

  init(_ loss: QuadraticLoss) { self.loss = loss }

  func gradient(
    _ x: Tile, field: UnsafePointer<Double>, to gradient: UnsafeMutablePointer<Double>,
    potential: UnsafeMutablePointer<Double>?
  ) {
    let (row, a, b) = (x.base, loss.curvature, loss.slope)
    for i in 0..<x.count { gradient[i] = (-b).addingProduct(a, row[i]) }
    guard let potential else { return }
    for i in 0..<x.count { potential[i] = loss.constant.addingProduct(row[i], (-b).addingProduct(0.5 * a, row[i])) }
  }

  func estimate(_ x: Tile, picks: UnsafePointer<Int32>, batch: Int, to gradient: UnsafeMutablePointer<Double>) {
    let (row, scale, mode) = (x.base, 1 / Double(batch), loss.mode)
    loss.terms.withUnsafeBufferPointer { buffer in
      let terms = buffer.baseAddress!
      for start in stride(from: 0, to: x.count, by: 8) {
        var (a, b) = (SIMD8<Double>.zero, SIMD8<Double>.zero)
        for j in 0..<batch {
          let own = picks + (j &* x.lanes &+ start)
          for i in 0..<8 {
            let term = terms + 2 &* Int(own[i])
            a[i] += term[0]
            b[i] += term[1]
          }
        }
        for i in 0..<min(8, x.count &- start) {
          let y = row[start &+ i]
          // The gradient at the mode is 0.
          gradient[start &+ i] = loss.hasControl ? scale * a[i] * (y - mode) : scale * (a[i] * y - b[i])
        }
      }
    }
  }

  func addMeasured(_ x: Tile, to sums: UnsafeMutablePointer<Double>) {
    let (row, mode) = (x.base, loss.mode)
    sums[0] += laneSum(x.count) { (row[$0] - mode) * (row[$0] - mode) }
  }

  func order(
    _ field: UnsafePointer<Double>, measured: UnsafePointer<Double>, to values: UnsafeMutablePointer<Double>
  ) {
    values[0] = measured[0]
  }
}
