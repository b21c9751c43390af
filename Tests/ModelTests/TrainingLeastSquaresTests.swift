import Kernels
import Limits
import Testing
import Training

/// Linear students of noisy teachers (arXiv:1710.03667).
@Suite struct TrainingLeastSquaresTests {
  private static func leastSquares(_ ratio: Double, _ keys: [String: Any] = [:]) throws -> ProblemRuns {
    try ProblemRuns(
      "least-squares",
      [
        "dimension": 100, "ratio": ratio, "noise": 0.25, "learning_rate": 0.25, "steps": 256,
        "records": [4, 16, 64, 256],
      ].merging(keys) { $1 })
  }

  /// E_g at t = 1, 4, 16, 64 and E_t at t = 1.
  @Test(arguments: [
    (0.5, [0.91927, 0.91002, 0.98137, 0.99992], 0.15954), (1.0, [0.69387, 0.66808, 0.89376, 1.50106], 0.16692),
    (2.0, [0.45504, 0.45343, 0.49753, 0.50000], 0.16918),
  ])
  func theLimitIsThatOfThePage(ratio: Double, test: [Double], train: Double) throws {
    let model = try Self.leastSquares(ratio).model
    let problem = try #require(model.problem as? LeastSquaresDynamics)
    for nodes in [1024, 4096] {
      MarchenkoPasturDynamics(problem, nodes: nodes).forEachRecord(model.settings) { record, e_t, e_g in
        #expect((e_g - test[record]).magnitude < 6e-6, "\(e_g)")
        if record == 0 { #expect((e_t - train).magnitude < 6e-6, "\(e_t)") }
      }
    }
  }

  @Test(arguments: [
    (1.0, [(0.6892, 0.0039), (0.6638, 0.0037), (0.8896, 0.0061), (1.497, 0.016)]),
    (2.0, [(0.4591, 0.0019), (0.4550, 0.0017), (0.4981, 0.0024)]),
  ])
  func aHundredWeightsAreThoseOfThePage(ratio: Double, printed: [(Double, Double)]) throws {
    let runs = try Self.leastSquares(ratio)
    let rows = runs.rows(200)
    for (record, (mean, error)) in printed.enumerated() {
      let place = try runs.place("test_error", record: record)
      expectMean(rows.map { $0[place] }, mean, error, "record \(record)")
    }
  }

  @Test(arguments: [(6, 0.5), (6, 1.0), (4, 2.0)])
  func modesHaveTheLawOfEveryWeight(dimension: Int, ratio: Double) throws {
    try expectOneLaw(
      "least-squares",
      [
        "dimension": dimension, "ratio": ratio, "noise": 0.25, "start": 0.5, "learning_rate": 0.1, "steps": 30,
        "records": "last",
      ], draws: 3000)
  }

  /// Of a matrix with known eigenvalues, 2 - 2 cos(k pi/(n + 1)), and of split and single ones.
  @Test func eigenvaluesOfTridiagonalMatrices() {
    let n = 40
    var (diagonal, beside) = (Array(repeating: 2.0, count: n), Array(repeating: -1.0, count: n))
    diagonal.withUnsafeMutableBufferPointer { d in
      beside.withUnsafeMutableBufferPointer { e in
        Tridiagonal.eigenvalues(diagonal: d.baseAddress!, beside: e.baseAddress!, count: n)
      }
    }
    for (k, found) in diagonal.sorted().enumerated() {
      let exact = 2 - 2 * Elementary.sinCos(Double(k + 1) * Double.pi / Double(n + 1)).cos
      #expect((found - exact).magnitude < 1e-13)
    }
    var (small, none) = ([3.0, 1, 2], [0.0, 1, 0])
    small.withUnsafeMutableBufferPointer { d in
      none.withUnsafeMutableBufferPointer { e in
        Tridiagonal.eigenvalues(diagonal: d.baseAddress!, beside: e.baseAddress!, count: 3)
      }
    }
    let root = 5.0.squareRoot()
    for (found, exact) in zip(small.sorted(), [1.5 - 0.5 * root, 1.5 + 0.5 * root, 3]) {
      #expect((found - exact).magnitude < 1e-14)
    }
  }
}
