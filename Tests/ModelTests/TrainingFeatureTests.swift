import Experiments
import Statistics
import Testing
import Training

/// Regression with random features (arXiv:2102.06701; arXiv:2311.14646).
@Suite struct TrainingFeatureTests {
  private static func runs(_ keys: [String: Any]) throws -> ProblemRuns {
    try ProblemRuns("random-features", ["learning_rate": 1.0, "steps": 1, "records": "last"].merging(keys) { $1 })
  }

  /// Drawing every feature, and what only Bartlett's factor stands for: means over the features that a run does not see are means of runs. Two tests each, 4.5
  /// standard errors; the plain ones scatter more.
  @Test(arguments: [(1.0, 12), (0.5, 9)]) func samplersHaveOneMean(rate: Double, features: Int) throws {
    let shared: [String: Any] = ["samples": 4, "features": features, "modes": 20, "decay": 1.5, "learning_rate": rate]
    let sides = try ["reduced", "weights"].map {
      Moments(values: try Self.runs(shared.merging(["sampler": $0]) { $1 }).sample("mse", 3000))
    }
    #expect(zScore(sides[0], sides[1]).magnitude < 4.5, "\(sides[0].mean) \(sides[1].mean)")
    #expect(sides[0].meanError < 0.03 * sides[0].mean)
  }

  /// Exactly (k - 1)/(k - n - 1) times the error of infinitely many features: three ratios, 4.5 standard errors.
  @Test(arguments: [24, 32, 64]) func featuresCostAFactor(features: Int) throws {
    let infinite = Moments(values: try Self.runs(["samples": 16, "modes": 100]).sample("mse", 1000))
    let finite = Moments(
      values: try Self.runs(["samples": 16, "features": features, "modes": 100]).sample("mse", 1000))
    let factor = Double(features - 1) / Double(features - 17)
    let error = (finite.meanError * finite.meanError + factor * factor * infinite.meanError * infinite.meanError)
      .squareRoot()
    #expect(
      (finite.mean - factor * infinite.mean).magnitude < 4.5 * error,
      "\(finite.mean), \(factor * infinite.mean) +- \(error)")
  }

  /// Networks of an independent program (NumPy, 400 modes, a = 2), n = 16: .1457(18) for infinitely many features, .1947(24) and .1882(22) for 64, whose mean is
  /// 63/47 times the first; within 4 errors of both.
  @Test func printedValues() throws {
    expectMean(try Self.runs(["samples": 16]).sample("mse", 400), 0.1457, 0.0018)
    expectMean(try Self.runs(["samples": 16, "features": 64]).sample("mse", 400), 0.19145, 0.0016)
  }
}
