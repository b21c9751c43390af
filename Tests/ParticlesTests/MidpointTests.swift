import Experiments
import Particles
import Statistics
import Testing

/// The random times of the randomized midpoint methods: one a chain.
@Suite struct MidpointTests {
  private static func run(
    _ integrator: String, number: Int64, replicas: Int64, system: String = "gaussian"
  ) throws -> Moments {
    let all = try legs(
      keys(
        integrator,
        [
          "system": .text(system), "number": .integer(number), "step": .real(0.3), "warm_up": .integer(20),
          "steps": .integer(100), "replicas": .integer(replicas), "histogram_every": .integer(1000),
        ]))
    return moments(try ParticlesTests.run(all[0], name: "\(integrator)/\(system)/\(number)"), all[0], "x^2")
  }

  /// Var of E x^2 over N chains is 1/N of that of one chain. The ratio of two variances of 64 replicas each has a logarithm of standard
  /// deviation (2/63 + 2/63)^1/2 = 0.25 near a normal law; four tests at four of those.
  @Test(
    "N particles that do not interact are N independent chains",
    arguments: ["gaussian", "cosine-well"], ["randomized-midpoint", "underdamped-midpoint"])
  func chainsAreIndependent(system: String, integrator: String) throws {
    let few = try Self.run(integrator, number: 4, replicas: 64, system: system)
    let many = try Self.run(integrator, number: 1000, replicas: 64, system: system)
    let ratio = many.variance * 1000 / (few.variance * 4)
    #expect(ratio < 2.72 && ratio > 0.37, "\(ratio)")
  }

  /// The law of one chain is that of the linear map of `OscillatorTests`: E x^2 at step 0.3 on N(0, 1), four standard errors of 64 replicas.
  @Test("The law of a chain is that of the closed form", arguments: ["randomized-midpoint", "underdamped-midpoint"])
  func lawOfOneChain(integrator: String) throws {
    let known = try #require(try OscillatorTests.step(integrator, 0.3)).x
    let found = try Self.run(integrator, number: 4000, replicas: 64)
    #expect(found.meanError < 0.002)
    #expect((found.mean - known).magnitude < 4 * found.meanError, "\(found.mean) +- \(found.meanError), \(known)")
  }
}
