import Experiments
import Foundation
import Jobs
import Randomness
import Statistics

import Gases

/// Paths of a tagged particle and what is measured of them.
///
/// Fewer than 1500 comparisons are made in this target, all with the seed 2026: with |z| < 5 the probability that a true one fails is below 1e-3.
enum Tagged {
  static let critical = 5.0

  static func job(_ keys: String) throws -> Job {
    try JobReader(data: DataFiles(job: "job.toml")).read("seed = 2026\n[gas]\n\(keys)", name: "test.toml").job
  }

  static func shear(_ k: Double) -> Deformation { Deformation(Matrix3(SIMD3(0, k, 0), .zero, .zero)) }
  static func square(_ a: SIMD3<Double>) -> Double { a.x * a.x + a.y * a.y + a.z * a.z }

  static func dilation(_ k: Double) -> Deformation { Deformation(.diagonal(k)) }

  static func law(
    _ gamma: Double, rate: Double = 1, theta: Double = 1, mass: Double = 1, bath: Double = 1,
    _ sampler: TaggedCollisions.Sampler = .automatic
  ) -> TaggedCollisions {
    TaggedCollisions(gamma: gamma, rate: rate, theta: theta, mass: mass, bathMass: bath, sampler: sampler)
  }

  static func particle(
    _ flow: Deformation, _ law: TaggedCollisions, _ times: [Double], start: TaggedStart? = nil, positions: Bool = false
  ) -> TaggedParticle {
    TaggedParticle(
      flow, law, start: start ?? TaggedStart(variance: law.equilibrium), times: times, positions: positions)
  }

  /// Moments of every observable, record by record.
  static func moments(_ particle: TaggedParticle, _ draws: Int, path: String = "tagged") -> [String: [Moments]] {
    let rows = rows(particle, draws, path: path)
    let schema = particle.schema
    var found: [String: [Moments]] = [:]
    for (place, observable) in schema.observables.enumerated() {
      found[observable.name] = schema.axis.values.indices.map { record in
        Moments(values: rows.map { $0[schema.index(record, place)] })
      }
    }
    return found
  }

  static func rows(_ particle: TaggedParticle, _ draws: Int, path: String = "tagged") -> [[Double]] {
    let runner = Experiment(ProblemDraw(particle)).makeRunner(key: Stream.key(seed: 2026, path: path))
    return (0..<draws).compactMap { runner?.values(UInt64($0)) }
  }

  /// How many standard errors a mean is off.
  static func z(_ found: Moments, _ value: Double, _ error: Double = 0) -> Double {
    (found.mean - value)
      / (found.meanError * found.meanError + error * error + 1e-24 * (1 + value * value)).squareRoot()
  }
}
