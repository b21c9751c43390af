import Experiments
import Randomness
import Statistics
import Testing
import Training

/// Convolutions over patches with a strong and a weak feature (arXiv:2310.17074).
@Suite struct TrainingPatchTests {
  private static func problem(_ sampler: String, power: Int) throws -> PatchConvolution {
    let keys: [String: Any] = [
      "sampler": sampler, "width": 6, "features": 40, "samples": 8, "test": 3, "noise_patches": 2, "power": power,
      "weak_signal": 0.2, "share": 0.7, "noise": 0.8, "start_std": 0.3, "steps": 60,
    ]
    return try #require(try ProblemRuns("patches", keys).model.problem as? PatchConvolution)
  }

  /// From the products and the Gram matrix of explicit filters and patches the reduction makes the same losses: 60 steps.
  @Test(arguments: [1, 2, 3])
  func reductionReplaysTheWeights(power: Int) throws {
    let (plain, reduced) = (try Self.problem("weights", power: power), try Self.problem("reduced", power: power))
    let (a, b) = (plain.makeState(), reduced.makeState())
    var stream = Stream(key: 3)
    stream.start(draw: 0)
    plain.start(a, &stream)
    reduced.start(b, &stream)
    plain.copyStart(from: a, to: b)
    var losses: [Double] = []
    for step in 1...60 {
      let (x, y) = (plain.loss(a, &stream, step: step), reduced.loss(b, &stream, step: step))
      #expect((x - y).magnitude <= 1e-11 * x, "step \(step): \(x), \(y)")
      losses.append(x)
      plain.step(a, &stream, rate: 0.1)
      reduced.step(b, &stream, rate: 0.1)
    }
    #expect(losses[59] < 0.7 * losses[0])
  }

  /// Means and variances of six observables after 8 steps, 3,000 runs each.
  @Test func samplersAgreeInLaw() throws {
    try expectOneLaw(
      "patches",
      [
        "width": 4, "features": 20, "samples": 6, "test": 4, "noise_patches": 2, "share": 0.7, "noise": 0.8,
        "start_std": 0.3, "learning_rate": 0.2, "steps": 8, "records": "last",
      ], draws: 3000)
  }

  /// Without noise runs end where the two-mode model does, from random filters: the same printed numbers. That 30 filters of a sign all point away from a feature has probability 2^-30.
  @Test(arguments: [(0.6, 0.189401, 0.185185), (0.8, 0.426386, 0.416667)])
  func endsAreThoseOfTwoModes(rate: Double, weak: Double, edge: Double) throws {
    let runs = try ProblemRuns(
      "patches",
      [
        "width": 60, "noise_patches": 0, "samples": 4, "test": 2, "learning_rate": rate, "steps": 20_000,
        "records": "last",
      ])
    for row in runs.rows(4) {
      #expect((row[try runs.place("weak")] - weak).magnitude < 5e-7, "\(row)")
      #expect((row[try runs.place("edge")] - edge).magnitude < 5e-7)
      #expect(row[try runs.place("loss")] < 1e-20)
      #expect(row[try runs.place("test_error")] == 0)
      // 2 eta (V a^2 + U b^2).
      let sharpness = 2 * rate * (row[try runs.place("strong")] + 0.1 * row[try runs.place("weak")])
      #expect((row[try runs.place("sharpness")] - sharpness).magnitude < 1e-6)
      #expect(sharpness <= 1)
    }
  }

  /// With noise, after 1,500 steps: the test error of small steps, which guess, and the weak feature of large ones, which do not; from an independent program (NumPy,
  /// 40 runs) with its errors, 3 means within 4 errors of both.
  @Test(arguments: [
    (0.1, "test_error", 0.40475, 0.01212), (0.6, "weak", 0.15022, 0.00178), (0.8, "weak", 0.36287, 0.00307),
  ])
  func printedValues(rate: Double, name: String, value: Double, error: Double) throws {
    let runs = try ProblemRuns(
      "patches", ["features": 2000, "learning_rate": rate, "steps": 1500, "records": "last"])
    let rows = runs.rows(validating ? 400 : 24)
    let place = try runs.place(name)
    expectMean(rows.map { $0[place] }, value, error, "\(name) at \(rate)")
    guard rate > 0.5 else { return }
    let wrong = try runs.place("test_error")
    #expect(Moments(values: rows.map { $0[wrong] }).mean < 0.01)
  }
}
