import Experiments
import Foundation
import Gases
import Jobs
import Testing

/// What a job may ask for, and what it is told otherwise.
@Suite struct TaggedParticleInputTests {
  private static let usual = "system = \"tagged-particle\"\ndraws = 10\n"

  @Test func jobsAreRead() throws {
    for keys in [
      "times = [1, 2.5]", "times = { first = 0.1, last = 1e16, count = 18 }\ngamma = -0.5\nshear = 1\nmoments = false",
      "times = { first = 1, last = 4, count = 4, spacing = \"linear\" }\ndilation = 0.5\nshear = 1",
      "times = [1]\nmatrix = [[0, 1, 0], [0, 0, 2], [0, 0, 0]]\npositions = true",
      "times = [1]\nstart = { velocity = [1, 0, 0] }", "times = [1]\nstart = { covariance = 2 }",
      "times = [1]\nstart = { velocity = [1, 0, 0], covariance = [[2, 1, 0], [1, 2, 0], [0, 0, 1]] }",
      "times = [1]\nshear = 1.2\n[[limit]]\nequation = \"sheared-stationary\"",
      "times = [1]\ngamma = 1\n[[limit]]\nequation = \"tagged-equilibrium\"",
      "times = [3]\ngamma = -0.3\nshear = 1\n[[limit]]\nequation = \"shear-drift\"",
    ] {
      #expect(throws: Never.self, "\(keys)") { try Tagged.job("\(Self.usual)\(keys)") }
    }
    let job = try Tagged.job("\(Self.usual)times = { first = 1, last = 1000, count = 4 }")
    let times = job.cases[0].legs[0].schema.axis.values
    #expect(zip(times, [1.0, 10, 100, 1000]).allSatisfy { abs($0 - $1) < 1e-12 * $1 } && times.last == 1000)
  }

  @Test func badInputIsNamed() throws {
    for (keys, words) in [
      ("times = [1]\ngamma = -1", "gas.gamma = -1: must be a number in (-1.0, 1.0]"),
      ("times = [1]\ngamma = 1.5", "gas.gamma = 1.5: must be a number in (-1.0, 1.0]; the nearest is 1.0"),
      ("times = [1]\ntheta = 0", "gas.theta = 0: must be a finite number above 0.0"),
      ("times = [1]\nrate = -2", "gas.rate = -2: must be a finite number above 0"),
      ("times = [1]\nmass = 0", "gas.mass = 0: must be a finite number above 0"),
      ("times = [1]\nbath_mass = -1", "gas.bath_mass = -1: must be a finite number above 0"),
      (
        "times = [1, 3]\ndilation = -0.5",
        "gas.dilation = -0.5: det(I + t L_0) must stay above 0 until the last time, 3.0; it is 0 at t = 2.0"
      ),
      ("times = [1]\nmatrix = [[-1, 0, 0], [0, -2, 0], [0, 0, 1]]", "it is 0 at t = 0.5"),
      ("times = [1]\nmatrix = [[1, 0], [0, 1]]", "must be three arrays of three finite numbers"),
      ("times = [1]\nmatrix = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]\nshear = 1", "takes the place of shear and dilation"),
      ("times = [1, 3, 2]", "gas.times = [1, 3, 2]: must be ascending: 2.0 comes after 3.0"),
      ("times = []", "must be an ascending array of 1 to 1000 positive numbers"),
      ("times = [0, 1]", "must be an ascending array of 1 to 1000 positive numbers"),
      ("times = \"octaves\"", "must be an ascending array of 1 to 1000 positive numbers"),
      ("times = { first = 2, last = 1, count = 3 }", "gas.times.last = 1.0: must be above first, 2.0"),
      ("times = { first = 1, last = 2, count = 3, spacing = \"lin\" }", "gas.times.spacing"),
      ("times = [1e16]", "would need more than 1000000000.0 collisions a path: times must end by 1000000000.0"),
      ("times = [1e16]\ngamma = -0.5\nshear = 0.25", "unless a shear of at least 0.26 makes them rare"),
      ("times = [1e16]\ngamma = -0.05\nshear = 3", "is too long for gamma = -0.05"),
      ("times = [1]\nstart = \"equilibrum\"", "did you mean equilibrium?"),
      ("times = [1]\nstart = { velocity = [1, 2] }", "gas.start.velocity = [1, 2]: must be three finite numbers"),
      ("times = [1]\nstart = { covariance = -1 }", "gas.start.covariance = -1: must be a number of at least 0"),
      (
        "times = [1]\nstart = { covariance = [[1, 2, 0], [2, 1, 0], [0, 0, 1]] }",
        "must be a number of at least 0, or a symmetric"
      ),
      ("times = [1]\nstart = { covarance = 1 }", "did you mean covariance?"),
      ("times = [1]\nsampler = \"fast\"", "gas.sampler"),
      ("times = [1]\nsheer = 1", "unknown key (did you mean shear?)"),
      ("times = [1]\nshear = 1.3\n[[limit]]\nequation = \"sheared-stationary\"", "below K_2 = 1.299038"),
      ("times = [1]\nshear = 1\n[[limit]]\nequation = \"tagged-equilibrium\"", "needs a gas at rest"),
      ("times = [3]\nshear = 1\n[[limit]]\nequation = \"shear-drift\"", "needs gamma below 0"),
    ] as [(String, String)] {
      let failure = #expect(throws: Failure.self, "\(keys)") { try Tagged.job("\(Self.usual)\(keys)") }
      #expect(failure?.status == .badData)
      #expect(failure?.message.contains(words) ?? false, "\(failure?.message ?? "") should say: \(words)")
    }
  }

  /// Tails are heavy past K_4 and for soft molecules: such means decide only where the draws bear them.
  @Test func rolesFollowTheTails() {
    func role(_ gamma: Double, _ k: Double, _ name: String) -> Observable.Role? {
      Tagged.particle(Tagged.shear(k), Tagged.law(gamma), [1]).observables.first { $0.name == name }?.role
    }
    #expect(role(0, 0.6, "square") == .quantity && role(0, 0.6, "fourth") == .heavyTailed)
    #expect(role(0, 0.7, "square") == .heavyTailed && role(0, 0.7, "S[1,2]") == .heavyTailed)
    #expect(role(1, 3, "fourth") == .quantity && role(-0.2, 0.1, "square") == .heavyTailed)
    #expect(role(-0.2, 0, "square") == .quantity && role(0, 3, "log_speed") == .logarithm)
  }
}
