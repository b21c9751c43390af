import Statistics
import Testing

/// A strong and a weak feature (arXiv:2310.17074).
@Suite struct TrainingTwoModeTests {
  @Test(arguments: [
    (0.1, 0.004089, 0.0), (0.6, 0.189401, 0.185185), (0.7, 0.324775, 0.317460), (0.8, 0.426386, 0.416667),
  ])
  func largeStepsLearnTheWeakMode(rate: Double, weak: Double, edge: Double) throws {
    let keys: [String: Any] = ["learning_rate": rate, "steps": 100_000, "records": "last"]
    let runs = try ProblemRuns("two-mode", keys)
    let found = try runs.value("weak")
    #expect((found - weak).magnitude < 5e-7, "\(found)")
    #expect((try runs.value("edge") - edge).magnitude < 5e-7)
    #expect(try runs.value("loss") < 1e-20)
    let sharpness = try runs.value("sharpness")
    #expect(sharpness <= 1)
    // Random starts end at the same place above the edge of stability, and not below it.
    let random = try ProblemRuns("two-mode", keys.merging(["spread": 0.3]) { $1 })
    let ends = try random.sample("weak", 20)
    if edge > 0 {
      #expect(ends.allSatisfy { ($0 - weak).magnitude < 5e-7 }, "\(ends)")
    } else {
      #expect(Moments(values: ends).standardDeviation > 1e-3)
    }
  }

  @Test func smallStepsAreTheFlow() throws {
    let runs = try ProblemRuns("two-mode", ["learning_rate": 0.001, "steps": 100_000, "records": "last"])
    let (found, flow) = (try runs.value("weak"), try runs.value("flow_weak"))
    #expect((found / flow - 1).magnitude < 1e-3, "\(found) \(flow)")
  }
}
