import Experiments
import Kernels
import Randomness
import Statistics
import Testing
import Training

/// Scale-invariant weights in gradient noise.
@Suite struct TrainingScaleInvariantTests {
  private static func runs(_ keys: [String: Any]) throws -> ProblemRuns {
    try ProblemRuns("scale-invariant", ["dimension": 50, "learning_rate": 0.5].merging(keys) { $1 })
  }

  private static func known(_ keys: [String: Any]) throws -> ReferenceValues {
    try #require(try runs(keys).legs.first { $0.role == .exact }?.known)
  }

  private static let squaredNoise = 49.0 / 50

  /// |w|^4 = 1 + 2 eta^2 G^2 t + (eta^2/2) log(1 + 2 eta^2 t), which leaves out what is of order 1/d; the page measured 50.45(5), 491.6(2), 981.7(2).
  @Test func lengthsGrowAsTheFourthRoot() throws {
    let printed = [(100, 50.45, 0.05), (1000, 491.6, 0.2), (2000, 981.7, 0.2)]
    let known = try Self.known(["steps": 2000, "records": printed.map(\.0)])
    for (record, (t, value, error)) in printed.enumerated() {
      let found = try #require(known.mean(of: "norm_fourth", record: record))
      #expect((found - value).magnitude < 4 * error, "\(t): \(found)")
      let growth = 2 * 0.25 * Double(t)
      let law = 1 + growth * Self.squaredNoise + 0.125 * Elementary.log(1 + growth)
      #expect((found - law).magnitude < 0.05, "\(t): \(found), \(law)")
      // Effective rate t^-1/2.
      let rate = try #require(known.mean(of: "effective_rate", record: record))
      #expect((rate * (law / 0.25).squareRoot() - 1).magnitude < 2e-3)
      // c^t / |w| with c = 1.
      let kept = try #require(known.mean(of: "alignment", record: record))
      #expect((kept * Elementary.power(law, 0.25) - 1).magnitude < 2e-3)
    }
    // NumPy, the same law on 16 nodes.
    #expect((try #require(known.mean(of: "norm_fourth", record: 2)) - 981.8964765829).magnitude < 1e-7)
  }

  /// Weight decay: |w|^4 -> eta^2 G^2/(1 - (1 - eta lambda)^2), squared angle a step 2 eta lambda; both to order 1/(steps of memory).
  @Test func weightDecayHasAnEquilibrium() throws {
    let known = try Self.known(["weight_decay": 0.001, "steps": 8000, "records": [7000, 8000]])
    let fourth = try #require(known.mean(of: "norm_fourth", record: 1))
    let law = 0.25 * Self.squaredNoise / (1 - 0.9995 * 0.9995)
    #expect((law - 245.06).magnitude < 5e-3)
    #expect((fourth - law).magnitude < 0.1, "\(fourth)")
    #expect((try #require(known.mean(of: "squared_angle", record: 1)) - 0.001).magnitude < 2e-6)
  }

  @Test func projectionKeepsBothConstant() throws {
    let known = try Self.known(["projection": true, "steps": 50, "records": "last"])
    #expect(known.mean(of: "norm_fourth", record: 0) == 1)
    #expect(known.mean(of: "effective_rate", record: 0) == 0.5)
    // (E cos)^50 of independent steps, tan^2 = .25 chi^2_49/50: SciPy.
    let alignment = try #require(known.mean(of: "alignment", record: 0))
    #expect((alignment - Self.projectedAlignment).magnitude < 1e-10 * Self.projectedAlignment, "\(alignment)")
  }

  private static let projectedAlignment = 0.004300386051422487

  /// Runs against the exact means: 3 cases of 2 samplers, 2 records of 6 observables, |z| < 4.5 of at most 72.
  @Test(arguments: [("reduced", 20_000), ("weights", 3000)])
  func runsHaveTheExactMeans(sampler: String, draws: Int) throws {
    for keys: [String: Any] in [["weight_decay": 0.05], ["projection": true, "dimension": 3], ["dimension": 4]] {
      let runs = try Self.runs(
        ["dimension": 7, "sampler": sampler, "steps": 24, "records": [6, 24]].merging(keys) { $1 })
      let known = try #require(runs.legs.first { $0.role == .exact }?.known)
      let rows = runs.rows(draws, path: sampler)
      for record in 0...1 {
        for name in runs.model.problem.observables.map(\.name) {
          let place = try runs.place(name, record: record)
          let found = Moments(values: rows.map { $0[place] })
          let mean = try #require(known.mean(of: name, record: record))
          #expect(
            (found.mean - mean).magnitude <= 4.5 * found.meanError + 1e-12,
            "\(keys) \(name) at \(record): \(found.mean) +- \(found.meanError), exact \(mean)")
        }
      }
    }
  }

  @Test(arguments: [false, true])
  func twoNumbersHaveTheLawOfEveryWeight(projection: Bool) throws {
    try expectOneLaw(
      "scale-invariant",
      [
        "dimension": 5, "learning_rate": 0.5, "weight_decay": 0.04, "projection": projection, "steps": 12,
        "records": "last",
      ], draws: 3000)
  }

  /// Step by step with the same noise.
  @Test func twoNumbersFollowEveryWeight() throws {
    let problems = try ["weights", "reduced"].map { sampler in
      try #require(
        try Self.runs(["dimension": 9, "weight_decay": 0.02, "steps": 1, "sampler": sampler]).model.problem
          as? ScaleInvariant)
    }
    let (plain, reduced) = (problems[0].makeState(), problems[1].makeState())
    var stream = Stream(key: 3)
    stream.start(draw: 1)
    problems[0].start(plain, &stream)
    problems[1].start(reduced, &stream)
    let start = 1 / 3.0
    for step in 1...200 {
      _ = problems[0].loss(plain, &stream, step: step)
      let (cosine, length) = (reduced.cosine, reduced.square.squareRoot())
      let sine = max(0, 1 - cosine * cosine).squareRoot()
      var (along, square) = (0.0, 0.0)
      for i in 0..<9 {
        if sine > 0 { along += plain.noise[i] * (start - cosine * plain.weights[i] / length) / sine }
        square += plain.noise[i] * plain.noise[i]
      }
      (reduced.along, reduced.across) = (along, square - along * along)
      for (problem, state) in zip(problems, [plain, reduced]) { problem.step(state, &stream, rate: 0.3) }
      var values = [plain, reduced].map { _ in Array(repeating: 0.0, count: 6) }
      for (k, state) in [plain, reduced].enumerated() {
        values[k].withUnsafeMutableBufferPointer { problems[k].measure(state, into: $0.baseAddress!) }
      }
      for (a, b) in zip(values[0], values[1]) { #expect((a - b).magnitude < 1e-11 * (1 + a.magnitude), "\(step)") }
    }
  }
}
