import Experiments
import Kernels
import Testing

/// Laws of underdamped chains on a lattice of positions and velocities.
@Suite struct PhaseTests {
  private static func law(_ keys: String) throws -> Known { try Known("law = \"phase\"\n\(keys)") }

  /// The lattice against the closed recursion of a Gaussian target, U = x^2: KL after each number of steps, moments, and the stationary law with variance 1/(2 (1 - h^2/2)).
  @Test(arguments: [(0.2, 1.0), (0.1, 2.0)]) func gaussianTargetsAreKnown(step: Double, friction: Double) throws {
    let common =
      "step = \(step)\nfriction = \(friction)\nsteps = 12\nrecords = [0, 1, 2, 5, 12]\nstart_mean = 1.5\nstart_std = 0.6\norders = [1.5, 2]\n"
    let lattice = try Self.law("target = \"power\"\npower = 2.0\n\(common)")
    let closed = try Known("law = \"gaussian\"\nintegrator = \"obabo\"\ncurvatures = [2]\n\(common)")
    for r in 0..<5 {
      for name in ["KL", "renyi[1.5]", "renyi[2]", "overlap", "TV", "W2"] {
        let (found, expected) = (try lattice(name, r), try closed(name, r))
        let accuracy = name == "W2" || name == "TV" ? 1e-3 : 1e-7
        #expect((found - expected).magnitude < accuracy * max(expected, 0.1), "\(name) \(r): \(found), \(expected)")
      }
      for name in ["x", "x^2"] {
        let expected = try #require(closed.exact.mean(of: name, record: r))
        #expect(((lattice.exact.mean(of: name, record: r) ?? .nan) - expected).magnitude < 1e-8, "\(name) \(r)")
      }
    }
    #expect((try lattice("floor") - closed("floor")).magnitude < 1e-9)
    #expect((try lattice("bias") - 0.5 * (1 / (1 - 0.5 * step * step) - 1)).magnitude < 1e-8)
    #expect(try lattice("numerical_error") < 1e-8)
  }

  /// U = |x|^{1.25}, h = 0.1, friction 1: by an independent program in NumPy on the same lattice, run for longer, and on a coarser one.
  @Test func weaklySmoothTargets() throws {
    let law = try Self.law("target = \"power\"\npower = 1.25\nstep = 0.1\nsteps = 2\nrecords = \"last\"\n")
    expectPrinted(try law("floor"), 1.0226167e-5, 5e-11, "floor")
    expectPrinted(try law("bias"), 4.5975514e-3, 3e-8, "bias")
    let error = try law("numerical_error")
    #expect(error > 1e-8 && error < 1e-4, "\(error)")
  }

  /// What is stated of the order: 2a + 1 for a < 3/2, twice that of LMC.
  @Test func ordersAreTwiceThoseOfLMC() throws {
    for (power, order) in [(1.25, 3.5), (1.75, 4.0)] {
      let job = try read(
        "law = \"phase\"\ntarget = \"power\"\npower = \(power)\nstep = 0.3\nsteps = 1",
        limits: "[limit]\nequation = \"small-step-divergence\"")
      let limit = try #require(job.cases[0].legs.first { $0.name == "small-step-divergence" }?.known)
      #expect(limit.remainder.map(\.order) == [order])
    }
  }
}
