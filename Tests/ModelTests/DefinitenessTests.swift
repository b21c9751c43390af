import Experiments
import Limits
import Networks
import Statistics
import Testing

/// The smallest eigenvalue of the tangent kernel of eight points of the unit circle, four pairs of opposite ones.
@Suite struct DefinitenessTests {
  /// The points as rows of a file, with a third column of ones if `isLifted`.
  private struct Circle: DataSource {
    let isLifted: Bool

    func table(_ request: TableRequest) throws -> DataTable {
      let half = 0.5.squareRoot()
      let (x, y) = ([1, half, 0, -half, -1, -half, 0, half], [0, half, 1, half, 0, -half, -1, -half])
      return DataTable(columns: [], rows: zip(x, y).map { isLifted ? [$0, $1, 1] : [$0, $1] })
    }
  }

  private func model(lifted: Bool, depth: Int, width: Int = 16, sampler: String = "conditional") throws -> NetworkModel
  {
    let keys: [String: JobValue] = [
      "architecture": .text("mlp"), "activation": .text("relu"), "probes": .list([.text("ntk")]),
      "observables": .list(["ntk_eigenvalue", "log_ntk_eigenvalue", "log_ntk_condition"].map { .text($0) }),
      "width": .integer(Int64(width)), "depth": .integer(Int64(depth)), "sampler": .text(sampler),
      "draws": .integer(10),
      "inputs": table(["file": .text("circle.csv"), "rows": .list((0..<8).map { .integer($0) })]),
    ]
    return try NetworkCatalog.read(.table(keys), path: "network", data: Circle(isLifted: lifted))
  }

  /// Infinite width: one hidden ReLU layer without bias has two eigenvalues 0, whose logarithms are not given; with the input (x, 1)/sqrt(2) the smallest is
  /// .1026, with two hidden layers .5478. No draws.
  @Test func smallestEigenvalue() throws {
    for (lifted, depth, value) in [(false, 1, 0), (true, 1, 0.1026), (false, 2, 0.5478)] {
      let network = try model(lifted: lifted, depth: depth)
      let known = try limitLegs(
        .table(["equation": .text("infinite-width-ntk")]), path: "limit", network: network, networkDraws: 10
      ).legs[0].known!
      let smallest = known.mean(of: "NTK_eigenvalue[7]", record: 0)!
      #expect(value == 0 ? smallest == 0 : abs(smallest - value) < 5e-5, "\(lifted) \(depth): \(smallest)")
      #expect((known.mean(of: "NTK_eigenvalue[6]", record: 0) == 0) == (value == 0))
      #expect(known.mean(of: "NTK_eigenvalue[5]", record: 0)! > 0.1)
      #expect((known.mean(of: "log_NTK_eigenvalue[7]", record: 0) == nil) == (value == 0))
      // Pairs of eigenvalues coincide by symmetry, and come apart like n^-1/2: no order 1/n is promised.
      #expect(known.remainder.isEmpty)
    }
  }

  /// Of one hidden layer two eigenvalues are exactly 0 in every draw, not what rounding makes of them, and the others are not; with two hidden layers of 16 units
  /// none is. Both samplers, 100 draws each, and a wide network.
  @Test(arguments: ["conditional", "weights"])
  func zeroInEveryDraw(sampler: String) throws {
    for (width, depth, count) in [(16, 1, 100), (16, 2, 100), (sampler == "weights" ? 64 : 4096, 1, 4)] {
      let network = try model(lifted: false, depth: depth, width: width, sampler: sampler)
      let runner = network.experiment.makeRunner(31)
      let first = index(network.experiment, "NTK_eigenvalue[0]")
      let logs = index(network.experiment, "log_NTK_eigenvalue[0]")
      let condition = index(network.experiment, "log_NTK_condition")
      for draw in 0..<UInt64(count) {
        let values = runner.values(draw)
        for k in 0..<8 {
          let isZero = depth == 1 && k >= 6
          #expect((values[first + k] == 0) == isZero, "draw \(draw), eigenvalue \(k): \(values[first + k])")
          #expect((values[logs + k] == -.infinity) == isZero)
        }
        #expect((values[condition] == .infinity) == (depth == 1))
      }
    }
  }
}
