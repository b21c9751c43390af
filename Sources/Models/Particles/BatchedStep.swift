import Kernels

/// A number that is linear in what a step of an oscillator begins with: position and velocity, the forces of its batches, the normals of its noise.
typealias LinearForm = SIMD8<Double>

extension SIMD8<Double> {
  private static func unit(_ k: Int) -> Self {
    var form = Self()
    form[k] = 1
    return form
  }

  static let x = unit(0)
  static let v = unit(1)
  /// Of the evaluation k of the gradient, which is the curvature of its batch times the position, plus this.
  static func force(_ k: Int) -> Self { unit(2 + k) }
  static func normal(_ k: Int) -> Self { unit(4 + k) }
}

/// A step of an integrator for an oscillator whose gradient is that of a batch, at unit temperature. It begins where nothing depends on the batch of its first evaluation, at the position: splittings
/// that kick with one gradient at the end of a step and at the start of the next one begin with the velocity before both kicks.
struct BatchedStep {
  /// After the step.
  let x, v: LinearForm
  /// The velocity that is measured at the position where the step begins.
  let measured: LinearForm

  init(x: LinearForm, v: LinearForm = .init(), measured: LinearForm = .v) {
    (self.x, self.v, self.measured) = (x, v, measured)
  }
}

/// What is needed to know the second moments under batches.
struct BatchedScheme: Sendable {
  /// Of the gradient in a step, each with a batch of its own: 1 or 2.
  let evaluations: Int
  /// Whether a time in (0, 1) is drawn in each step.
  var hasRandomTime = false
  /// - Parameters:
  ///   - step: h.
  ///   - curvatures: of the batch of each evaluation.
  ///   - time: what was drawn.
  let step: @Sendable (_ step: Double, _ curvatures: [Double], _ time: Double) -> BatchedStep
}

/// Noise of the gradient of a harmonic oscillator: what batches add.
struct GradientNoise {
  /// Central moments of the curvature.
  struct Curvature {
    var (second, third, fourth) = (0.0, 0.0, 0.0)
    var isRandom: Bool { second > 0 }

    /// Values less the mean with weights that have these moments: 0 and two of either sign. A step that is linear in the curvature has second and fourth
    /// moments that know no more of it.
    var rule: [(value: Double, weight: Double)] {
      guard isRandom else { return [(0, 1)] }
      // Of two values u and v with weights m2/(u (u - v)) and m2/(v (v - u)) the moments are 0, m2, m2 (u + v) and m2 (u^2 + u v + v^2).
      let half = 0.5 * third / second
      let root = (fourth / second - 3 * half * half).squareRoot()
      let (u, v) = (half + root, half - root)
      let weights = (second / (u * (u - v)), second / (v * (v - u)))
      return [(u, weights.0), (v, weights.1), (0, 1 - weights.0 - weights.1)]
    }
  }

  let curvature: Curvature
  /// Variance of the force at the minimum; stationary second moments know of no covariance with the curvature.
  let force: Double

  static var none: GradientNoise { GradientNoise(curvature: Curvature(), force: 0) }
  var isPresent: Bool { curvature.isRandom || force > 0 }
}

extension IntegratorModel {
  /// Steps with batches that stand for all of them, with their weights: the means of what is of degree four in each batch are theirs.
  private func steps(_ scheme: BatchedScheme, _ h: Double, _ a: Double, _ noise: GradientNoise)
    -> [(weight: Double, step: BatchedStep)]
  {
    let times =
      scheme.hasRandomTime ? GaussLegendre.nodes.map { (0.5 * (1 + $0.x), 0.5 * $0.weight) } : [(0.0, 1.0)]
    var batches: [(curvatures: [Double], weight: Double)] = [([], 1)]
    for _ in 0..<scheme.evaluations {
      batches = batches.flatMap { before in
        noise.curvature.rule.map { (before.curvatures + [a + $0.value], before.weight * $0.weight) }
      }
    }
    return times.flatMap { time, weight in
      batches.map { (weight * $0.weight, scheme.step(h, $0.curvatures, time)) }
    }
  }

  /// What a step does to an oscillator whose gradient is that of a batch, unit temperature.
  /// - Precondition: there is no noise, or `batched` says what it does.
  func oscillator(_ h: Double, _ a: Double, _ noise: GradientNoise) -> LinearStep {
    guard noise.isPresent, let batched else { return oscillator(h, a) }
    return LinearStep(
      choices: steps(batched, h, a, noise).map { weight, step in
        func product(_ p: LinearForm, _ q: LinearForm) -> Double {
          let all = p * q
          return noise.force * (all[2] + all[3]) + (4..<8).reduce(0) { $0 + all[$1] }
        }
        return .init(
          weight: weight, map: [step.x[0], step.x[1], step.v[0], step.v[1]],
          noise: [product(step.x, step.x), product(step.x, step.v), product(step.v, step.v)])
      })
  }

  /// Stationary E x^2 and, of the measured velocity, E v^2; nil if there are none.
  func moments(_ h: Double, _ a: Double, _ noise: GradientNoise) -> (x: Double, v: Double)? {
    guard let found = oscillator(h, a, noise).moments(curvature: a) else { return nil }
    guard noise.isPresent, let batched else { return (found.x, found.v) }
    let square = steps(batched, h, a, noise).reduce(0) { sum, choice in
      let c = choice.step.measured
      let own = c * c
      return sum + choice.weight
        * (own[0] * found.x + 2 * c[0] * c[1] * found.xv + own[1] * found.v + noise.force * (own[2] + own[3])
          + (4..<8).reduce(0) { $0 + own[$1] })
    }
    return (found.x, square)
  }
}
