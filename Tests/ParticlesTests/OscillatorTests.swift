import Experiments
import Particles
import Testing

/// What the integrators do to a harmonic oscillator, in closed form, against values that were worked out elsewhere.
@Suite struct OscillatorTests {
  static func step(_ name: String, _ h: Double, _ a: Double = 1) throws -> (x: Double, xv: Double, v: Double)? {
    let entry = ParticleCatalog.integrators.first { $0.name == name }!
    let allowed = ParticleCatalog.parameters + entry.parameters
    let p = try Parameters(
      .table(["system": .text("gaussian"), "number": .integer(1), "step": .real(h), "steps": .integer(1)]), path: "p",
      allowed: allowed)
    return try entry.read(p).oscillator(h, a).moments(curvature: a)
  }

  static let known: [(String, Double, Double, Double?)] = [
    ("lmc", 0.1, 1.05263158, nil), ("lmc", 1.0, 2, nil), ("ulmc", 0.1, 1.02561921, 1.02553621),
    ("ulmc", 1.0, 1.30782644, 1.24444750), ("baoab", 0.1, 1, 1 - 0.0025), ("baoab", 1.0, 1, 0.75),
    ("obabo", 0.1, 1 / (1 - 0.0025), 1), ("obabo", 1.0, 1 / 0.75, 1), ("randomized-midpoint", 0.1, 1.00018420, nil),
    ("randomized-midpoint", 1.0, 1.5, nil),
  ]

  @Test("Stationary moments on N(0, 1), friction 2, to eight digits", arguments: known)
  func closedValues(_ name: String, _ h: Double, _ x: Double, _ v: Double?) throws {
    let found = try #require(try Self.step(name, h))
    #expect((found.x - x).magnitude < 6e-9 * x)
    if let v { #expect((found.v - v).magnitude < 6e-9) }
  }

  @Test("LMC on curvature a: 1/(a (1 - h a/2)), unstable from h a = 2 on")
  func curvature() throws {
    let found = try #require(try Self.step("lmc", 0.3, 4))
    #expect((found.x - 1 / (4 * (1 - 0.6))).magnitude < 1e-14)
    #expect(try Self.step("lmc", 0.5, 4) == nil)
    #expect(try Self.step("lmc", 0.499, 4) != nil)
    // Velocity Verlet is stable below h sqrt(a) = 2.
    #expect(try Self.step("obabo", 1.01, 4) == nil)
    #expect(try Self.step("baoab", 0.99, 4) != nil)
  }
}
