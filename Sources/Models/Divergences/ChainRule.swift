import Experiments
import Kernels
import Particles
import Randomness

/// A step of a chain for one coordinate, unit temperature: the integrators of particle systems, with their constants worked out.
enum ChainRule: Sendable {
  /// x' = x - h U' + sqrt(2h) xi.
  case lmc(step: Double)
  /// LMC's proposal, accepted by Metropolis' rule.
  case mala(step: Double)
  /// The exact step with the slope frozen.
  case ulmc(FrozenGradient)
  /// v -> decay v + noise (half a time), kick, drift, kick, and the same again.
  case obabo(step: Double, decay: Double)
  /// Kick, half a drift, v -> decay v + noise, half a drift, kick.
  case baoab(step: Double, decay: Double)

  static let names = ["lmc", "mala", "ulmc", "obabo", "baoab"]

  init?(_ name: String, step h: Double, friction: Double) {
    switch name {
    case "lmc": self = .lmc(step: h)
    case "mala": self = .mala(step: h)
    case "ulmc": self = .ulmc(FrozenGradient(time: h, friction: friction, inverseTemperature: 1))
    case "obabo": self = .obabo(step: h, decay: Elementary.exp(-0.5 * friction * h))
    case "baoab": self = .baoab(step: h, decay: Elementary.exp(-friction * h))
    default: return nil
    }
  }

  var hasVelocity: Bool {
    switch self {
    case .lmc, .mala: false
    case .ulmc, .obabo, .baoab: true
    }
  }

  private static let block = 1024

  /// Makes steps from x (and v), the noise from the stream.
  func advance<T: LineTarget>(
    _ steps: Int, _ x: inout Double, _ v: inout Double, _ target: T, _ stream: inout Stream
  ) {
    guard steps > 0 else { return }
    switch self {
    case .lmc(let h):
      let amplitude = (2 * h).squareRoot()
      Self.each(steps, 1, &stream) { normals in
        x = x.addingProduct(-h, target.slope(x)).addingProduct(amplitude, normals[0])
      }
    case .mala(let h):
      let amplitude = (2 * h).squareRoot()
      var (energy, slope) = (target.energy(x), target.slope(x))
      Self.each(steps, 3, &stream) { normals in
        let y = x.addingProduct(-h, slope).addingProduct(amplitude, normals[0])
        let (newEnergy, newSlope) = (target.energy(y), target.slope(y))
        let cost = Metropolis.cost(x, energy, slope, to: y, newEnergy, newSlope, step: h)
        // (a^2 + b^2)/2 of two normals is exponential: the -log of a uniform.
        guard cost <= 0.5 * (normals[1] * normals[1] + normals[2] * normals[2]) else { return }
        (x, energy, slope) = (y, newEnergy, newSlope)
      }
    case .ulmc(let s):
      Self.each(steps, 2, &stream) { normals in
        let slope = target.slope(x)
        x = x.addingProduct(s.drift, v).addingProduct(-s.pull, slope).addingProduct(s.cross, normals[0])
          .addingProduct(s.own, normals[1])
        v = (s.decay * v).addingProduct(-s.push, slope).addingProduct(s.spread, normals[0])
      }
    case .obabo(let h, let decay):
      let spread = ((1 - decay) * (1 + decay)).squareRoot()
      var slope = target.slope(x)
      Self.each(steps, 2, &stream) { normals in
        v = (decay * v).addingProduct(spread, normals[0]).addingProduct(-0.5 * h, slope)
        x = x.addingProduct(h, v)
        slope = target.slope(x)
        v = (decay * v.addingProduct(-0.5 * h, slope)).addingProduct(spread, normals[1])
      }
    case .baoab(let h, let decay):
      let spread = ((1 - decay) * (1 + decay)).squareRoot()
      var slope = target.slope(x)
      Self.each(steps, 1, &stream) { normals in
        v = v.addingProduct(-0.5 * h, slope)
        x = x.addingProduct(0.5 * h, v)
        v = (decay * v).addingProduct(spread, normals[0])
        x = x.addingProduct(0.5 * h, v)
        slope = target.slope(x)
        v = v.addingProduct(-0.5 * h, slope)
      }
    }
  }

  /// Calls a step with its normals.
  @inline(__always)
  private static func each(
    _ steps: Int, _ width: Int, _ stream: inout Stream, _ body: (UnsafePointer<Double>) -> Void
  ) {
    var left = steps
    while left > 0 {
      let now = min(left, block / width)
      let normals = stream.normals(now &* width)
      for k in 0..<now { body(normals + k &* width) }
      left -= now
    }
  }
}

/// Metropolis' rule for the proposal of LMC.
enum Metropolis {
  /// -log of pi(y) K(y, x) / (pi(x) K(x, y)): a move is accepted with probability min(1, e^-cost).
  @inline(__always)
  static func cost(
    _ x: Double, _ energy: Double, _ slope: Double, to y: Double, _ newEnergy: Double, _ newSlope: Double,
    step h: Double
  ) -> Double {
    let (forth, back) = (y - x + h * slope, x - y + h * newSlope)
    return newEnergy - energy + (back * back - forth * forth) / (4 * h)
  }
}
