import Experiments
import Statistics
import Testing

/// Langevin dynamics with gradients of batches on quadratic losses.
@Suite struct TrainingLangevinTests {
  private static var keys: [String: Any] {
    [
      "spectrum": [1.0, 0.4, 2.5], "temperature": 0.5, "spread": 2.0, "batch": 3, "learning_rate": 0.3, "start": 0.8,
      "steps": 40,
    ]
  }

  /// <theta^2> = (2/beta + h C)/(l (2 - h l)), C = l^2 sigma^2/B.
  @Test func stationaryLawIsTheClosedForm() throws {
    let runs = try ProblemRuns("langevin-quadratic", Self.keys.merging(["steps": 2000, "records": "last"]) { $1 })
    let known = try #require(runs.legs.first { $0.role == .exact }?.known)
    let h = 0.3
    for (i, l) in [1.0, 0.4, 2.5].enumerated() {
      let law = (2 * 0.5 + h * l * l * 2 / 3) / (l * (2 - h * l))
      #expect((try #require(known.mean(of: "temperature[\(i)]", record: 0)) - l * law).magnitude < 1e-12)
    }
    // Steps of size 0 have the temperature itself.
    let slow = try ProblemRuns(
      "langevin-quadratic", Self.keys.merging(["learning_rate": 1e-4, "steps": 1_000_000, "records": "last"]) { $1 })
    let limit = try #require(slow.legs.first { $0.role == .exact }?.known)
    #expect((try #require(limit.mean(of: "temperature[1]", record: 0)) - 0.5).magnitude < 1e-4)
  }

  /// Runs against exact means and second moments, both samplers, with a schedule: 2 x 2 records x 7 observables x 2, |z| < 4.5 of 56.
  @Test(arguments: ["reduced", "weights"])
  func runsHaveTheExactMoments(sampler: String) throws {
    let runs = try ProblemRuns(
      "langevin-quadratic",
      Self.keys.merging(["sampler": sampler, "records": [3, 40], "schedule": ["name": "cosine"]]) { $1 })
    let known = try #require(runs.legs.first { $0.role == .exact }?.known)
    let rows = runs.rows(6000, path: sampler)
    for record in 0...1 {
      let moments = known.moments(record: record)
      for (name, exact) in moments {
        let place = try runs.place(name, record: record)
        for (power, value) in [(1, exact.mean), (2, exact.second)] {
          let found = Moments(values: rows.map { power == 1 ? $0[place] : $0[place] * $0[place] })
          #expect(
            (found.mean - value).magnitude < 4.5 * found.meanError,
            "\(name)^\(power) at \(record): \(found.mean) +- \(found.meanError), \(value)")
        }
      }
      #expect(moments.count == 7)
    }
  }

  @Test func oneNoiseHasTheLawOfBoth() throws {
    try expectOneLaw("langevin-quadratic", Self.keys.merging(["steps": 6, "records": "last"]) { $1 }, draws: 4000)
  }
}
