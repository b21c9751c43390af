import Experiments
import Foundation
import Statistics
import Testing
import Training

/// Kernel regression on spheres and its exponents (arXiv:2102.06701).
@Suite struct TrainingKernelRegressionTests {
  private static func runs(_ keys: [String: Any]) throws -> ProblemRuns {
    try ProblemRuns("kernel-regression", ["learning_rate": 1.0, "steps": 1, "records": "last"].merging(keys) { $1 })
  }

  /// With one example E mse = 1 - 2 E k c + E k^2, an integral over the height on the sphere S^2, by the midpoint rule; after two steps of rate 1/2 s = 3/4.
  @Test(arguments: [("ntk", "ntk", 1.0), ("ntk", "nngp", 1), ("nngp", "ntk", 1), ("ntk", "nngp", 0.5)])
  func oneExampleIsAnIntegral(student: String, teacher: String, rate: Double) throws {
    func kernel(_ name: String, _ rho: Double) -> Double {
      let t = acos(rho)
      let covariance = (sin(t) + (.pi - t) * rho) / .pi
      return name == "nngp" ? covariance : 0.5 * (covariance + (1 - t / .pi) * rho)
    }
    let s = rate == 1 ? 1.0 : 0.75
    var sum = 0.0
    for i in 0..<20_000 {
      let rho = (Double(i) + 0.5) / 20_000
      let (k, c) = (kernel(student, rho), kernel(teacher, rho))
      sum += 1 - 2 * s * k * c + s * s * k * k
    }
    let runs = try Self.runs([
      "samples": 1, "sphere": 2, "student": student, "teacher": teacher, "learning_rate": rate,
      "steps": rate == 1 ? 1 : 2,
    ])
    expectMean(try runs.sample("mse", 400), sum / 20_000, 0)
  }

  /// From an independent program (NumPy), with its errors: 4 means within 4 errors of both.
  @Test(arguments: [
    (1, "nngp", 1, 1.1115e-5, 2.9e-7), (2, "nngp", 1, 5.655e-4, 4.2e-6), (2, "ntk", 1, 0.020673, 5.2e-5),
    (3, "nngp", 3, 0.0067126, 2.65e-5),
  ])
  func printedValues(sphere: Int, teacher: String, depth: Int, value: Double, error: Double) throws {
    let runs = try Self.runs(["samples": 128, "sphere": sphere, "teacher": teacher, "depth": depth])
    expectMean(try runs.sample("mse", validating ? 400 : 40), value, error)
  }

  /// No linear estimate is better than that with the teacher's own kernel: on the same examples, run by run.
  @Test func trueStudentIsBest() throws {
    let sides = try ["nngp", "ntk"].map {
      try Self.runs(["samples": 40, "sphere": 2, "student": $0, "teacher": "nngp"]).sample("mse", 20)
    }
    #expect(zip(sides[0], sides[1]).allSatisfy { $0 > 0 && $0 < $1 })
  }
}
