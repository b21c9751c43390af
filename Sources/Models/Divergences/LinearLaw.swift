import Experiments
import Particles

/// The normal law of (x, v) of a harmonic oscillator under an integrator, step by step.
struct LinearLaw: Sendable {
  /// xx, xv, vx, vv of the map of (x, v), and the covariance of its noise.
  private let map: (Double, Double, Double, Double)
  private let noise: (Double, Double, Double)
  private(set) var mean: (x: Double, v: Double)
  private(set) var covariance: (xx: Double, xv: Double, vv: Double)

  /// Nil for a method that is no linear map with normal noise.
  /// - Parameter start: of x; v begins with its stationary law N(0, 1).
  init?(_ method: IntegratorModel, step: Double, curvature: Double, start: NormalLaw) {
    guard let found = method.oscillator(step, curvature).gaussian else { return nil }
    let (m, q) = found
    (map, noise) = ((m[0], m[1], m[2], m[3]), (q[0], q[1], q[2]))
    mean = (start.mean, 0)
    covariance = (start.variance, 0, 1)
  }

  var position: NormalLaw { NormalLaw(mean: mean.x, variance: covariance.xx) }

  mutating func step() {
    let (a, b, c, d) = map
    let (xx, xv, vv) = covariance
    mean = (a * mean.x + b * mean.v, c * mean.x + d * mean.v)
    covariance = (
      a * a * xx + 2 * a * b * xv + b * b * vv + noise.0, a * c * xx + (a * d + b * c) * xv + b * d * vv + noise.1,
      c * c * xx + 2 * c * d * xv + d * d * vv + noise.2
    )
  }
}

/// The integrators of particle systems by name.
enum Methods {
  static func model(_ name: String, friction: Double) throws -> IntegratorModel {
    let entry = ParticleCatalog.integrators.first { $0.name == name }!
    let own: [String: JobValue] = entry.parameters.isEmpty ? [:] : ["friction": .real(friction)]
    return try entry.read(try Parameters(.table(own), path: name, allowed: entry.parameters))
  }
}
