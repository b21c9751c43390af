import Experiments
import Foundation
import Kernels
import Statistics
import Testing

import Gases

/// Paths against what is exact, against printed values, and sampler against sampler.
@Suite struct TaggedParticleDrawTests {
  private static func check(
    _ found: Moments?, _ value: Double, error: Double = 0, limit: Double = Tagged.critical, _ what: String
  ) {
    guard let found else {
      Issue.record("\(what) is not measured")
      return
    }
    #expect(
      abs(Tagged.z(found, value, error)) < limit,
      "\(what): \(found.mean) +- \(found.meanError), \(value) +- \(error)")
  }

  private static let general = Deformation(Matrix3([[0.1, 0.4, 0], [-0.2, 0.15, 0.3], [0, 0.2, -0.1]]))

  private static let maxwell: [TaggedParticle] = [
    Tagged.particle(Tagged.shear(0.5), Tagged.law(0), [1, 5], positions: true),
    Tagged.particle(
      Tagged.shear(-0.3), Tagged.law(0, rate: 2, theta: 0.5, mass: 3, bath: 1.2), [0.5, 2],
      start: TaggedStart(mean: SIMD3(1, -2, 0.5), covariance: Array(repeating: [0, 0, 0], count: 3)), positions: true),
    Tagged.particle(
      Tagged.dilation(0.5), Tagged.law(0), [1, 4], start: TaggedStart(variance: 2), positions: true),
    Tagged.particle(
      Deformation(Matrix3([[0.2, 0.6, 0], [0, 0.2, 0], [0, 0, 0.2]])), Tagged.law(0, theta: 2, mass: 0.5), [0.7, 3],
      start: TaggedStart(mean: SIMD3(0, 1, 0), covariance: [[2, 0.5, 0], [0.5, 1, 0.2], [0, 0.2, 1]])!, positions: true),
    Tagged.particle(general, Tagged.law(0, rate: 1.5), [1, 2.5], positions: true),
  ]

  /// Every known mean and variance, and the ratio of means that is the profile.
  @Test(arguments: maxwell.indices) func maxwellMoleculesAreExact(index: Int) throws {
    let particle = Self.maxwell[index]
    let rows = Tagged.rows(particle, 60_000)
    let schema = particle.schema
    let known = particle.known
    #expect(known.count == 2 * (14 + 6))
    for entry in known {
      let place = try #require(schema.place(of: entry.observable))
      let values = rows.map { $0[schema.index(entry.record, place)] }
      let what = "\(entry.statistic.name) of \(entry.observable), record \(entry.record)"
      switch entry.statistic {
      case .mean: Self.check(Moments(values: values), entry.value, what)
      case .variance:
        let mean = Moments(values: values).mean
        Self.check(Moments(values: values.map { ($0 - mean) * ($0 - mean) }), entry.value, what)
      default:
        // A ratio: the mean of V - value X^2 is 0.
        let below = try #require(schema.place(of: "X[2,2]"))
        Self.check(
          Moments(
            values: rows.map {
              $0[schema.index(entry.record, place)] - entry.value * $0[schema.index(entry.record, below)]
            }),
          0, what)
      }
    }
  }

  /// A particle of endless mass keeps its velocity: the rate of its collisions at each speed is an integral over u.
  @Test(arguments: [-0.95, -0.5, -0.1, 0.3, 1.0]) func ratesAtASpeed(gamma: Double) {
    for speed in [0.0, 0.8, 3, 12] {
      // |w - u| along w, theta = 1: the density of the distance r from the end of w.
      var rate = 0.0
      GaussLegendre.forEachNode(in: 0...30, breaks: [speed], panel: 0.1) { r, weight in
        let density =
          speed == 0
          ? 4 * Double.pi * r * r * exp(-r * r / 2) / pow(2 * Double.pi, 1.5)
          : r / speed / (2 * Double.pi).squareRoot()
            * (exp(-(r - speed) * (r - speed) / 2) - exp(-(r + speed) * (r + speed) / 2))
        rate += weight * density * pow(r, gamma)
      }
      for sampler in TaggedCollisions.Sampler.allCases {
        let law = Tagged.law(gamma, theta: 1, mass: 1e14, bath: 1, sampler)
        let particle = Tagged.particle(
          Deformation(.diagonal(0)), law, [4],
          start: TaggedStart(
            mean: speed / 3.0.squareRoot() * SIMD3(1, 1, 1), covariance: Array(repeating: [0, 0, 0], count: 3)))
        let found = Tagged.moments(particle, 30_000, path: "\(sampler)")
        Self.check(found["collision_rate"]?[0], rate, error: 2e-5 * rate, "gamma \(gamma), speed \(speed), \(sampler)")
      }
    }
  }

  /// In a gas at rest a particle stays in equilibrium and collides at the known rate, of any masses, by any sampler.
  @Test(arguments: [-0.9, -0.5, 0.0, 0.5, 1.0]) func equilibriumIsKept(gamma: Double) throws {
    for (mass, bath) in [(1.0, 1.0), (3, 0.5), (0.3, 1)] {
      for sampler in TaggedCollisions.Sampler.allCases {
        let law = Tagged.law(gamma, rate: 1.2, theta: 1.5, mass: mass, bath: bath, sampler)
        let particle = Tagged.particle(Deformation(.diagonal(0)), law, [0.5, 3])
        let found = Tagged.moments(particle, 12_000, path: "\(sampler)")
        for record in 0..<2 {
          for entry in particle.equilibrium(record) {
            Self.check(
              found[entry.observable]?[record], entry.value, "gamma \(gamma), \(mass), \(sampler), \(entry.observable)")
          }
        }
        if gamma != 0 { #expect(particle.known.contains { $0.law != nil } && particle.known.count == 2 * 12) }
      }
    }
  }

  /// The samplers in flows of each kind, where nothing is exact: one against the other.
  @Test(arguments: [-0.8, -0.5, -0.2, 0.5, 1.0]) func samplersAgree(gamma: Double) {
    let flows = [Tagged.shear(1), Tagged.dilation(0.5), Self.general, Tagged.shear(-3)]
    for (number, flow) in flows.enumerated() {
      func found(_ sampler: TaggedCollisions.Sampler) -> [String: [Moments]] {
        let law = Tagged.law(gamma, rate: 1.3, theta: 0.8, mass: 1, bath: 1.5, sampler)
        return Tagged.moments(
          Tagged.particle(flow, law, [1, 3], positions: true), 20_000, path: "\(number) \(sampler)")
      }
      let plain = found(.plain)
      for sampler in [TaggedCollisions.Sampler.automatic, .windows] {
        let other = found(sampler)
        for (name, moments) in plain where name != "candidates" && name != "drift" {
          for record in 0..<2 {
            Self.check(
              other[name]?[record], moments[record].mean, error: moments[record].meanError,
              "gamma \(gamma), flow \(number), \(name), \(sampler)")
          }
        }
      }
    }
  }

  /// Values that were printed with their errors, of another program: within four errors of both.
  @Test func printedValues() {
    func compare(_ found: [String: [Moments]], _ name: String, _ value: Double, _ error: Double, record: Int = 0) {
      Self.check(found[name]?[record], value, error: error, limit: 4, name)
    }
    let half = Tagged.moments(Tagged.particle(Tagged.shear(0.5), Tagged.law(0), [1, 5]), 200_000, path: "half")
    for (record, row) in [
      [(1.1576, 0.0012), (1.0033, 0.0010), (-0.3516, 0.0008)], [(1.9198, 0.0025), (1.0944, 0.0012), (-0.6941, 0.0013)],
    ].enumerated() {
      for (name, entry) in zip(["S[1,1]", "S[2,2]", "S[1,2]"], row) {
        compare(half, name, entry.0, entry.1, record: record)
      }
    }
    compare(half, "fourth", 38.47, 0.11, record: 1)
    compare(
      Tagged.moments(Tagged.particle(Tagged.shear(2), Tagged.law(0), [10]), 200_000, path: "two"), "square", 119.9, 1.0)
    let dilated = Tagged.moments(
      Tagged.particle(Tagged.dilation(0.5), Tagged.law(0), [1, 4], start: TaggedStart(variance: 2)), 100_000,
      path: "dilation")
    compare(dilated, "S[1,1]", 0.8256, 0.0007)
    compare(dilated, "S[1,1]", 0.5707, 0.0005, record: 1)
    let rest = Tagged.moments(Tagged.particle(Tagged.shear(0), Tagged.law(1), [10]), 100_000, path: "spheres at rest")
    compare(rest, "collision_rate", 2.256, 0.001)
    let spheres = Tagged.moments(Tagged.particle(Tagged.shear(1), Tagged.law(1), [30]), 100_000, path: "spheres")
    compare(spheres, "S[1,1]", 1.368, 0.003)
    compare(spheres, "S[2,2]", 1.039, 0.002)
    compare(spheres, "S[3,3]", 1.060, 0.002)
    compare(spheres, "S[1,2]", -0.411, 0.002)
    let soft = Tagged.moments(Tagged.particle(Tagged.shear(0), Tagged.law(-0.5), [10]), 100_000, path: "soft at rest")
    compare(soft, "collision_rate", 0.7236, 0.0004)
    for (sampler, value, error) in [(TaggedCollisions.Sampler.plain, 14.79, 0.04), (.windows, 14.90, 0.09)] {
      let found = Tagged.moments(
        Tagged.particle(Tagged.shear(1), Tagged.law(-0.5, sampler), [5]), 200_000, path: "soft \(sampler)")
      compare(found, "square", value, error)
    }
  }

  /// E log |w| of soft molecules far out, at the cost of the logarithm of the time.
  @Test func farOut() throws {
    let particle = Tagged.particle(Tagged.shear(1), Tagged.law(-0.5), [1e2, 1e4, 1e8, 1e16])
    let found = Tagged.moments(particle, 40_000, path: "far")
    let logs = try #require(found["log_speed"])
    for (record, (value, error)) in [(4.90, 0.02), (23.07, 0.02), (46.39, 0.04), (91.59, 0.08)].enumerated() {
      Self.check(logs[record], value, error: error, limit: 4, "log |w|, record \(record)")
    }
    let slope = (logs[3].mean - logs[2].mean) / log(1e8)
    #expect(slope > 2 && slope < 3)
    #expect(try #require(found["candidates"])[3].mean < 100)
    // Printed without errors: .03 is four errors of these draws.
    for (gamma, value) in [(-0.3, 4.015), (-0.7, 1.889)] {
      let particle = Tagged.particle(Tagged.shear(1), Tagged.law(gamma), [1e2, 1e4, 1e8, 1e16])
      let logs = try #require(Tagged.moments(particle, 20_000, path: "far \(gamma)")["log_speed"])
      let slopes = [(logs[2].mean - logs[1].mean) / log(1e4), (logs[3].mean - logs[2].mean) / log(1e8)]
      #expect(abs(slopes[0] - value) < 0.03, "gamma \(gamma): \(slopes), \(value)")
      for slope in slopes { #expect(slope > -1 / gamma && slope < 1 - 1 / gamma) }
    }
  }

  /// The heuristic exponent is neared as log t grows: by 1e30 E log |w|/log t is within .05 of 1 - 1/log(1 - |gamma|), and closer than at 1e8.
  @Test(arguments: [-0.3, -0.5, -0.7]) func drifts(gamma: Double) throws {
    let particle = Tagged.particle(Tagged.shear(1), Tagged.law(gamma), [1e8, 1e30])
    let exponent = try #require(particle.driftExponent)
    let drift = try #require(Tagged.moments(particle, 10_000, path: "drift \(gamma)")["drift"])
    #expect(abs(drift[1].mean - exponent) < 0.05, "\(drift[1].mean), \(exponent)")
    #expect(abs(drift[1].mean - exponent) < abs(drift[0].mean - exponent))
  }
}
