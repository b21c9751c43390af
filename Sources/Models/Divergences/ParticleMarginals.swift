import Experiments
import Kernels
import Particles
import Randomness

/// Particles in a harmonic well that attract each other quadratically, H = sum lambda x_i^2/2 + (theta/4N) sum_ij (x_i - x_j)^2: the law of k of N of them after some steps, against the product of
/// the limit N -> infinity, N(0, 1/a) with a = lambda + theta. The centre of mass and what is relative to it are harmonic oscillators.
struct ParticleMarginals: Sendable {
  struct System: Sendable, Equatable {
    let number: Int
    let lambda, theta: Double
    var curvature: Double { lambda + theta }
  }

  let system: System
  /// Mean of a particle.
  let mean: Double
  /// Variances of sqrt(N) times the centre of mass, and of a mode relative to it.
  let centre, rest: Double

  /// Variance of the sum of k particles over sqrt(k).
  private func along(_ k: Int) -> Double { rest + Double(k) / Double(system.number) * (centre - rest) }

  /// KL(law of k particles | product), in nats.
  func divergence(_ k: Int) -> Double {
    let a = system.curvature
    return Double(k - 1) * NormalLaw.divergence(a * rest)
      + NormalLaw.divergence(a * along(k), shift: a * Double(k) * mean * mean)
  }

  /// The Fisher information E |grad log q/pi|^2 of k particles.
  func fisher(_ k: Int) -> Double {
    let a = system.curvature
    func part(_ variance: Double) -> Double { (a - 1 / variance) * (a - 1 / variance) * variance }
    return Double(k - 1) * part(rest) + part(along(k)) + a * a * Double(k) * mean * mean
  }

  /// log q/pi of k particles, from the sum of their squares and their sum.
  func logRatio(_ k: Int, squares: Double, sum: Double) -> Double {
    let (a, w) = (system.curvature, along(k))
    let s = sum / Double(k).squareRoot()
    let distance = s - Double(k).squareRoot() * mean
    return 0.5
      * (a * squares - (squares - s * s) / rest - distance * distance / w - Double(k - 1) * Elementary.log(a * rest)
        - Elementary.log(a * w))
  }

  /// Without an error of the step, as time goes to infinity: KL_k = (u - log(1 + u))/2 and FI_k = a u^2/(1 + u) with u = k theta/(lambda N).
  static func stationary(_ system: System) -> ParticleMarginals {
    ParticleMarginals(system: system, mean: 0, centre: 1 / system.lambda, rest: 1 / system.curvature)
  }

  /// The law step by step.
  struct Evolution {
    let system: System
    private var centre, rest: LinearLaw

    /// - Parameter start: of every particle.
    init(_ method: IntegratorModel, step: Double, _ system: System, start: NormalLaw) {
      self.system = system
      centre = LinearLaw(method, step: step, curvature: system.lambda, start: start)!
      let around = NormalLaw(mean: 0, variance: start.variance)
      rest = LinearLaw(method, step: step, curvature: system.curvature, start: around)!
    }

    var law: ParticleMarginals {
      ParticleMarginals(
        system: system, mean: centre.position.mean, centre: centre.position.variance, rest: rest.position.variance)
    }

    mutating func step() {
      centre.step()
      rest.step()
    }
  }
}

/// N particles as their modes: the centre of mass, and N chains of the other curvature less their mean, whose law is that of the particles relative to the centre. Values of a record: a particle, its
/// square, log q/pi of the first k for each k, and what is known.
struct ParticleDraw: Draw {
  struct Part: Sendable {
    let rule: ChainRule
    let steps: Int
    let restarts: Bool
    let law: ParticleMarginals
  }

  let schema: Schema
  let parts: [Part]
  let start: NormalLaw
  let marginals: [Int]
  let constants: [Double]

  final class Scratch {
    let positions, velocities: UnsafeMutablePointer<Double>

    init(_ count: Int) {
      positions = .allocateZeros(count)
      velocities = .allocateZeros(count)
    }

    deinit {
      positions.deallocate()
      velocities.deallocate()
    }
  }

  func makeScratch() -> Scratch { Scratch(parts.map(\.law.system.number).max()!) }

  func draw(using stream: inout Stream, scratch: Scratch, into values: UnsafeMutablePointer<Double>) -> DrawEvents {
    let width = schema.observables.count
    let known = width - 2 - marginals.count
    let (x, v) = (scratch.positions, scratch.velocities)
    var (centre, drift) = (0.0, 0.0)
    for (r, part) in parts.enumerated() {
      let system = part.law.system
      let (number, count) = (system.number, Double(system.number))
      let (slow, fast) = (Harmonic(curvature: system.lambda), Harmonic(curvature: system.curvature))
      if part.restarts {
        let std = start.variance.squareRoot()
        for i in 0..<number {
          let normals = stream.normals(2)
          (x[i], v[i]) = (std * normals[0], normals[1])
        }
        let normals = stream.normals(2)
        centre = (count.squareRoot() * start.mean).addingProduct(std, normals[0])
        drift = normals[1]
      }
      part.rule.advance(part.steps, &centre, &drift, slow, &stream)
      var mean = 0.0
      for i in 0..<number {
        part.rule.advance(part.steps, &x[i], &v[i], fast, &stream)
        mean += x[i]
      }
      let shift = centre / count.squareRoot() - mean / count
      let row = values + r &* width
      (row[0], row[1]) = (x[0] + shift, (x[0] + shift) * (x[0] + shift))
      var (squares, sum, taken) = (0.0, 0.0, 0)
      for (m, k) in marginals.enumerated() {
        while taken < k {
          let own = x[taken] + shift
          squares += own * own
          sum += own
          taken += 1
        }
        row[2 + m] = part.law.logRatio(k, squares: squares, sum: sum)
      }
      for k in 0..<known { row[2 + marginals.count + k] = constants[r &* known + k] }
    }
    return []
  }

  static func sampled(_ marginals: [Int]) -> [Observable] {
    [
      Observable("x", role: .auxiliary, "position of a particle"),
      Observable("x^2", role: .auxiliary, "its square"),
    ]
      + marginals.map {
        Observable(
          "log_ratio", [$0], role: .auxiliary, unit: "nat",
          "log q/pi of \($0) particles, q their law and pi the product of limits; its mean is their KL")
      }
  }

  /// What the law says of the draws.
  func known() -> ReferenceValues {
    let statistics = parts.enumerated().flatMap { r, part -> [PredictedStatistic] in
      let law = part.law
      let number = Double(law.system.number)
      let variance = law.rest + (law.centre - law.rest) / number
      return [
        .init(.mean, record: r, observable: 0, value: law.mean),
        .init(.mean, record: r, observable: 1, value: law.mean * law.mean + variance),
      ]
        + marginals.enumerated().map { m, k in
          .init(.mean, record: r, observable: 2 + m, value: law.divergence(k))
        }
    }
    return ReferenceValues(
      schema: Schema(axis: schema.axis, observables: schema.observables), statistics: statistics)
  }

  /// Keys of the particles.
  static let parameters = [
    Parameter("lambda", .real(.above(0)), default: .real(1), "curvature of the well"),
    Parameter("theta", .real(.above(0)), default: .real(1), "strength of the attraction"),
    Parameter("start_mean", .real(.finite), default: .real(1), "mean of the start"),
    Parameter("start_std", .real(.above(0)), default: .real(1), "standard deviation of the start"),
  ]

  static func start(_ p: Parameters) -> NormalLaw {
    NormalLaw(mean: p.real("start_mean"), variance: p.real("start_std") * p.real("start_std"))
  }
}
