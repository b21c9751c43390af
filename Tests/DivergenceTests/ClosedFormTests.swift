import Experiments
import Foundation
import Jobs
import Testing

/// Closed forms of what the printed values do not reach: each test fails for one wrong factor, sign or term that all others let through.
@Suite struct ClosedFormTests {
  private static func gaussian(_ keys: String) throws -> Known {
    try Known("law = \"gaussian\"\ncurvatures = [1]\nstep = 0.1\nsteps = 1\nrecords = [0]\n\(keys)")
  }

  /// KL near the target, where the two terms cancel: (u - log(1 + u))/2, to nine digits of 1e-7.
  @Test(arguments: [2e-4, -3e-4]) func divergenceNearTheTarget(u: Double) throws {
    let law = try Self.gaussian("start_mean = 0\nstart_std = \((1 + u).squareRoot())")
    let std = (1 + u).squareRoot()
    let exact = 0.5 * ((std * std - 1) - log1p(std * std - 1))
    let found = try law("KL")
    #expect((found / exact - 1).magnitude < 1e-9, "\(found), \(exact)")
  }

  /// Equal variances cross at one point: 2 Phi(m/2) - 1.
  @Test func variationOfEqualVariances() throws {
    let law = try Self.gaussian("start_mean = 1\nstart_std = 1")
    #expect((try law("TV") - erf(0.5 / 2.0.squareRoot())).magnitude < 1e-12)
  }

  /// A start in the target rises to the floor, in every step.
  @Test func risesAreCounted() throws {
    let keys = "step = 0.3\nsteps = 9\nrecords = [9]\nstart_mean = 0\nstart_std = 1"
    let line = try Known("law = \"line\"\ntarget = \"own\"\npotential = { formula = \"x^2/2\" }\n\(keys)")
    #expect(try line("rises") == 9)
    #expect(try line("own_rises") == 0)
    #expect(try Known("law = \"gaussian\"\ncurvatures = [1]\n\(keys)")("rises") == 9)
  }

  /// The chain's own law is far wider than the target near the border of stability: s = 1/(1 - h a/2) = 4.
  @Test func theGridHoldsTheChainsOwnLaw() throws {
    let law = try Known(
      "law = \"line\"\ntarget = \"own\"\npotential = { formula = \"x^2/2\" }\nstep = 1.5\nsteps = 2\nrecords = [2]\nstart_mean = 0\nstart_std = 1"
    )
    #expect((try law("floor") - 0.5 * (3 - log(4))).magnitude < 1e-9)
    #expect((try law("bias") - 3).magnitude < 1e-8)
  }

  /// The gap of a harmonic well is its curvature, to the order of Richardson's rule.
  @Test func gapOfAHarmonicWell() throws {
    let law = try Known(
      "law = \"line\"\ntarget = \"own\"\npotential = { formula = \"0.35*x^2\" }\nstep = 0.1\nsteps = 1\nrecords = [1]")
    let gap = try law("gap")
    #expect((gap - 0.7).magnitude < 1e-8, "\(gap)")
  }

  /// Kinks take a finer grid, also of potentials by formula, and what two grids differ by is told: below a hundredth of the floor, and not nothing.
  @Test(arguments: [
    "target = \"own\"\npotential = { formula = \"x^2/2 + abs(x - 0.1)\" }", "target = \"power\"\npower = 1.25",
  ])
  func kinksTakeAFinerGrid(target: String) throws {
    let law = try Known("law = \"line\"\n\(target)\nstep = 0.1\nsteps = 1\nrecords = [1]")
    let (error, floor) = (try law("numerical_error"), try law("floor"))
    #expect(error > 0 && error < 0.01 * floor, "\(error), \(floor)")
  }

  /// More steps than a block of normals has: a start so far away that noise counts for nothing comes in by (1 - h)^k exactly.
  @Test(arguments: [(1025, "lmc"), (2500, "lmc"), (1025, "obabo"), (1030, "baoab")]) func longRuns(
    steps: Int, integrator: String
  ) throws {
    let law = try Known(
      "law = \"gaussian\"\nintegrator = \"\(integrator)\"\ncurvatures = [1]\nstep = 0.002\nsteps = \(steps)\nrecords = [\(steps)]\nstart_mean = 1e9\nstart_std = 1"
    )
    let mean = try #require(law.exact.mean(of: "x", record: 0))
    let one = try Known(
      "law = \"gaussian\"\nintegrator = \"\(integrator)\"\ncurvatures = [1]\nstep = 0.002\nsteps = \(steps + 1)\nrecords = [\(steps + 1)]\nstart_mean = 1e9\nstart_std = 1"
    )
    let next = try #require(one.exact.mean(of: "x", record: 0))
    // A step is 1e5 times the noise.
    let found = try law("x")
    #expect((found - mean).magnitude < 20, "\(found), \(mean)")
    #expect((mean - next).magnitude > 1000)
  }

  /// Particles at their start: independent, N(1, 1), against N(0, 1/a), a = 2.
  @Test func particlesAtTheirStart() throws {
    let law = try Known(
      "law = \"particles\"\nnumber = 5\nmarginals = [1, 3]\nstep = 0.1\nsteps = 1\nrecords = [0, 1]")
    for k in [1, 3] {
      // k ((a - 1)^2 + a^2 m^2) and k (s - 1 - log s + a m^2)/2.
      #expect((try law("FI[\(k)]", 0) - 5 * Double(k)).magnitude < 1e-12)
      #expect((try law("KL[\(k)]", 0) - 0.5 * Double(k) * (3 - log(2))).magnitude < 1e-12)
      #expect((try law("log_KL[\(k)]", 0) - log(try law("KL[\(k)]", 0))).magnitude < 1e-14)
    }
  }

  /// No other number of particles and steps takes fewer gradients at the best step size: by the laws of all of them.
  @Test(arguments: ["lmc", "obabo"]) func noFewerGradients(integrator: String) throws {
    let best = try Known("law = \"particles-to-epsilon\"\nintegrator = \"\(integrator)\"\nepsilon = [0.01]")
    let (gradients, step) = (Int(try best("gradients")), try best("best_step"))
    #expect(gradients == Int(try best("number")) * Int(try best("steps")))
    for number in 2...16 {
      let most = (gradients - 1) / number
      guard most > 0 else { break }
      let law = try Known(
        "law = \"particles\"\nintegrator = \"\(integrator)\"\nnumber = \(number)\nstep = \(step)\nfriction = \(try best("best_friction"))\nsteps = \(most)\nrecords = \"all\""
      )
      for record in 0..<law.leg.axis.count {
        #expect(try law("KL[1]", record) >= 0.01, "\(number) particles, \(law.leg.axis.values[record]) steps")
      }
    }
  }

  @Test func inverseEpsilonsAreRound() throws {
    let law = try Known("law = \"steps-to-epsilon\"\nintegrator = \"baoab\"\nkappa = 10\nepsilon = [1e-5, 0.03, 1e-3]")
    #expect(law.leg.axis.values == [1 / 0.03, 1000, 100_000])
  }

  /// What the limits predict, and the orders that they promise.
  @Test func limitsAndTheirOrders() throws {
    func known(_ keys: String, _ limit: String) throws -> ReferenceValues {
      let job = try read("\(keys)\nstep = 0.1\nsteps = 4", limits: "[limit]\nequation = \"\(limit)\"")
      return try #require(job.cases[0].legs.first { $0.name == limit }?.known)
    }
    let line = "law = \"line\"\ntarget = \"smoothed-power\"\nalpha = 1.5"
    let small = try known(line, "small-step")
    #expect(small.mean(of: "bias", record: small.schema.axis.count - 1) == 0)
    #expect(small.remainder == [Remainder("step", order: 1)])
    let gap = try known(line, "spectral-gap")
    #expect(gap.mean(of: "decay_ratio", record: gap.schema.axis.count - 1) == 1)
    #expect(gap.remainder == [])
    for (keys, order) in [
      (line, 2.0), ("law = \"line\"\ntarget = \"power\"\npower = 1.25", 1.75),
      ("law = \"line\"\ntarget = \"power\"\npower = 1.75", 2), ("law = \"gaussian\"\ncurvatures = [1, 2]", 2),
      ("law = \"gaussian\"\nintegrator = \"obabo\"\ncurvatures = [1, 2]", 4),
    ] {
      let floor = try known(keys, "small-step-divergence")
      #expect(floor.remainder == [Remainder("step", order: order)], "\(keys)")
      #expect(floor.mean(of: "floor", record: floor.schema.axis.count - 1) == 0)
    }
    // KL_1 = (theta/(2 lambda N))^2 asks for N as epsilon^-1/2.
    let laws = try Known("law = \"particles-to-epsilon\"\nintegrator = \"baoab\"\nepsilon = [0.01]").leg.asymptotics
    #expect(laws == [DepthLaw(.power, .mean, of: "number", exponent: 0.5)])
  }

  @Test(arguments: [
    (
      "law = \"line\"\ntarget = \"smoothed-power\"\nstep = 0.1\nsteps = 10\nreach = 6.5",
      ["divergence.reach", "larger"]
    ),
    (
      "law = \"line\"\ntarget = \"smoothed-power\"\nstep = 0.001\nsteps = 1000000",
      ["divergence.steps = 1000000", "must be at most"]
    ),
    (
      "law = \"particles\"\nnumber = 8\nstep = 0.1\nsteps = 10\nmarginals = [2, 1]",
      ["divergence.marginals", "ascending"]
    ),
    (
      "law = \"particles\"\nnumber = 8\nstep = 1.1\nsteps = 10", ["divergence.step = 1.1", "below 1", "curvature is 2"]
    ),
    ("law = \"gaussian\"\ncurvatures = [1]\nstep = 0.1\nsteps = 1\norders = [200]", ["divergence.orders", "100"]),
    (
      "law = \"line\"\ntarget = \"own\"\npotential = { formula = \"sqrt(x)\" }\nstep = 0.1\nsteps = 1",
      ["divergence.potential"]
    ),
  ])
  func isRefused(keys: String, words: [String]) {
    let failure = #expect(throws: Failure.self, "\(keys)") { _ = try read(keys) }
    #expect(failure?.status == .badData)
    for word in words { #expect(failure?.message.contains(word) ?? false, "\(word): \(failure?.message ?? "")") }
  }
}
