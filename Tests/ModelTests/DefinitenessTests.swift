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

  /// Points of the plane, the first two so near each other that what rounding leaves of the third pivot is no rounding of its scale.
  private struct Plane: DataSource {
    let gap: Double

    func table(_ request: TableRequest) throws -> DataTable {
      DataTable(columns: [], rows: [[1, 0], [1, gap], [0.3, 1.1]])
    }
  }

  /// The kernel of a linear network has the rank of its inputs, 2: the third eigenvalue is 0 in every draw, though most factors of the kernel have a third pivot.
  @Test func zeroWhereThePivotIsNot() throws {
    for gap in [1e-3, 3e-3, 1e-2] {
      let network = try NetworkCatalog.read(
        table([
          "architecture": .text("mlp"), "activation": .text("linear"), "probes": .list([.text("ntk")]),
          "observables": .list([.text("ntk_eigenvalue")]), "width": .integer(16), "depth": .integer(1),
          "draws": .integer(10),
          "inputs": table(["file": .text("p.csv"), "rows": .list([0, 1, 2].map { .integer($0) })]),
        ]), path: "network", data: Plane(gap: gap))
      let runner = network.experiment.makeRunner(5)
      let last = index(network.experiment, "NTK_eigenvalue[2]")
      for draw in 0..<20 as Range<UInt64> {
        let values = runner.values(draw)
        #expect(values[last] == 0, "gap \(gap), draw \(draw): \(values[last])")
        #expect(values[last - 1] > 0)
      }
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
