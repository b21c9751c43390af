import Experiments
import Foundation
import Kernels
import Limits
import Regression
import Testing

/// What a regression makes of its keys, data sets small enough for every draw to be known, and what its limits predict.
@Suite struct RegressionModelTests {
  private static func eigenbasis(_ changes: [String: JobValue?]) throws -> EigenbasisRegression {
    try RegressionJobs.read(RegressionJobs.eigenbasis(changes)).problem as! EigenbasisRegression
  }

  @Test func relativeRidgesAndNoise() throws {
    let problem = try Self.eigenbasis([
      "ridges": .table(["times_best": .list([.real(0.5), .real(1), .real(4)])])
    ])
    let best = problem.framework.best().ridge
    #expect(best > 0 && problem.ridges == [0.5 * best, best, 4 * best])
    let noisy = try Self.eigenbasis(["noise_variance": .table(["relative": .real(2.5)])])
    let clean = noisy.framework.noiseless.risk(ridge: 0).test
    #expect((noisy.noise / (2.5 * clean) - 1).magnitude < 1e-14)
    #expect(try Self.eigenbasis(["ridges": .list([.real(-0.0)])]).ridges[0].sign == .plus)
  }

  /// Inverse Wishart matrices: no mean with one degree of freedom beyond their size, no variance with three.
  @Test(arguments: [(22, true), (23, true), (24, false), (17, true), (16, false)]) func heavyTails(
    features: Int64, isHeavy: Bool
  ) throws {
    let problem = try Self.eigenbasis(["features": .integer(features), "ridges": .list([.real(0)])])
    #expect((problem.observables[0].role == .heavyTailed) == isHeavy)
  }

  /// The growing spectrum entry by entry, and its order: only of a teacher that grows too.
  @Test func growingSpectra() throws {
    let keys: [String: JobValue?] = [
      "spectrum": .table(["decay": .real(2), "modes_per_sample": .integer(3)]),
      "teacher": .table(["decay": .real(1.5)]),
    ]
    let problem = try Self.eigenbasis(keys)
    #expect(problem.spectrum.blocks.count == 60 && problem.isScaled)
    for (j, block) in problem.spectrum.blocks.enumerated() {
      let x = 1 + (Double(j) + 0.5) / 20
      #expect((block.eigenvalue * x * x - 1).magnitude < 1e-13)
      #expect((block.teacher * 20 * pow(x, 1.5) - 1).magnitude < 1e-13)
    }
    let drawn = try Self.eigenbasis(keys.merging(["teacher": .text("random")]) { $1 })
    #expect(drawn.drawsTeacher && !drawn.isScaled)
    for (growing, orders) in [(true, [Remainder("samples", order: 1, along: .fixedRatios)]), (false, [])] {
      let model = try RegressionJobs.read(RegressionJobs.eigenbasis(growing ? keys : [:]))
      #expect(try Self.limit("eigenframework", model).remainder == orders)
    }
  }

  /// Logarithms of the test error are logarithms of the test error, in every sampler.
  @Test(arguments: ["reduced", "weights"]) func logarithms(sampler: String) throws {
    let model = try RegressionJobs.read(RegressionJobs.eigenbasis(["sampler": .text(sampler)]))
    let found = Drawn(model.experiment, draws: 20)
    for (test, logarithm) in zip(found.values[0], found.values[2]) {
      #expect((log(test) - logarithm).magnitude < 1e-14 * (1 + logarithm.magnitude))
    }
  }

  // MARK: Data

  private struct Rows: DataSource {
    let rows: [[Double]]
    func table(_ request: TableRequest) throws -> DataTable {
      DataTable(columns: ["a", "b", "label"], rows: rows)
    }
    func samples(_ request: SampleRequest) throws -> SampleTable { throw Failure(.badData, "none") }
  }

  private static let rows = [[3.0, 0, 1], [0, 2, 2], [-1, 1, 3], [0.5, 0.5, 1], [1, -2, 2]]

  private static func data(_ changes: [String: JobValue] = [:], file: [String: JobValue] = [:]) throws
    -> RegressionModel
  {
    let own: [String: JobValue] = ["file": .text("x.csv"), "positive": .list([.integer(1)])]
    let keys: [String: JobValue] = [
      "model": .text("data"), "samples": .integer(1), "draws": .integer(10), "ridges": .list([.real(0.3), .real(2)]),
      "data": .table(own.merging(file) { $1 }),
    ]
    return try RegressionJobs.read(keys.merging(changes) { $1 }, data: Rows(rows: rows))
  }

  /// The kernel of ReLU by the angle: (sin t + (pi - t) cos t)/pi, 1 at coinciding points.
  @Test func kernelOfReLU() throws {
    let problem = try Self.data().problem as! DataRegression
    let gram = problem.data.gram()
    #expect(problem.data.targets == [1, -1, -1, 1, -1])
    for (i, x) in Self.rows.enumerated() {
      for (j, y) in Self.rows.enumerated() {
        let c = (x[0] * y[0] + x[1] * y[1]) / (hypot(x[0], x[1]) * hypot(y[0], y[1]))
        let t = acos(max(-1, min(1, c)))
        #expect((gram[5 * i + j] - (sin(t) + (Double.pi - t) * cos(t)) / Double.pi).magnitude < 1e-7)
      }
    }
    // Traces: of K/count, and of the squared coefficients of the targets, |y|^2/count.
    let (values, squares) = problem.data.spectrum()
    #expect((values.reduce(0, +) - 1).magnitude < 1e-14 && (squares.reduce(0, +) - 1).magnitude < 1e-13)
    let plain = try Self.data(file: ["positive": .list([.integer(2), .integer(3)])]).problem as! DataRegression
    #expect(plain.data.targets == [-1, 1, 1, -1, 1])
  }

  /// One example: f = K(x, x_i) y_i/(1 + delta), so each draw is one of five, and all of them come up in 200 draws.
  @Test func oneExample() throws {
    let model = try Self.data()
    let problem = model.problem as! DataRegression
    let (gram, y) = (problem.data.gram(), problem.data.targets)
    let found = Drawn(model.experiment, draws: 200)
    for (record, ridge) in [0.3, 2].enumerated() {
      let exact = (0..<5).map { i -> Double in
        (0..<5).reduce(0) { sum, j in
          let rest = gram[5 * i + j] * y[i] / (1 + ridge) - y[j]
          return sum + rest * rest / 5
        }
      }
      var seen: Set<Int> = []
      for test in found.values[3 * record] {
        let nearest = exact.indices.min { (exact[$0] - test).magnitude < (exact[$1] - test).magnitude }!
        #expect((exact[nearest] - test).magnitude < 1e-14)
        seen.insert(nearest)
      }
      #expect(seen.count == 5)
      let train = ridge * ridge / ((1 + ridge) * (1 + ridge))
      for value in found.values[3 * record + 1] { #expect((value - train).magnitude < 1e-15) }
    }
  }

  /// Many features are the kernel: 4000 of them, means of 300 draws of 3 examples, |z| < 4.5 of 4 and 1% for what is left of 1/k.
  @Test func manyFeaturesAreTheKernel() throws {
    let (kernel, features) = (
      try Self.data(["samples": .integer(3)]), try Self.data(["samples": .integer(3), "features": .integer(4000)])
    )
    let (a, b) = (Drawn(kernel.experiment, draws: 300), Drawn(features.experiment, draws: 300, key: 5))
    for i in [0, 1, 3, 4] {
      let error = (a.error(i) * a.error(i) + b.error(i) * b.error(i)).squareRoot()
      #expect((a.mean(i) - b.mean(i)).magnitude < 4.5 * error + 0.01 * a.mean(i), "\(i): \(a.mean(i)), \(b.mean(i))")
    }
  }

  // MARK: Limits

  private static func limit(_ name: String, _ model: RegressionModel) throws -> ReferenceValues {
    let entry = try #require(RegressionLimits.all.first { $0.name == name })
    let p = try Parameters(.table(["equation": .text(name)]), path: "limit", allowed: entry.parameters)
    guard case .known(let values) = try entry.make(p, model).content else { throw Failure(.bug, "no values") }
    return values
  }

  private static func value(_ values: ReferenceValues, _ statistic: Statistic, record: Int = 0) -> Double? {
    values.statistics.first { $0.statistic == statistic && $0.record == record }?.value
  }

  @Test func limitsPredictTheTheory() throws {
    let model = try RegressionJobs.read(RegressionJobs.eigenbasis([:]))
    let risk = (model.problem as! EigenbasisRegression).framework.risk(ridge: 0.01)
    let known = try Self.limit("eigenframework", model)
    #expect(known.mean(of: "test", record: 0) == risk.test && known.mean(of: "train", record: 0) == risk.train)
    #expect(Self.value(known, .estimand("fitting_ratio")) == risk.train / risk.test)
    // What is fitted has no training error to be compared with.
    let fitted = try Self.limit(
      "eigenframework", RegressionJobs.read(RegressionJobs.eigenbasis(["ridges": .list([.real(0)])])))
    #expect(fitted.mean(of: "test", record: 0) != nil && fitted.mean(of: "train", record: 0) == nil)

    let ratio = try Self.limit(
      "fitting-ratio",
      RegressionJobs.read(
        RegressionJobs.eigenbasis([
          "features": nil, "spectrum": .table(["decay": .real(1.5), "modes": .real(1e9)]),
          "noise_variance": .table(["relative": .real(1)]),
          "ridges": .table(["times_best": .list([.real(0.5), .real(1)])]),
        ])))
    #expect(Self.value(ratio, .estimand("fitting_ratio"), record: 0) == nil)
    #expect((try #require(Self.value(ratio, .estimand("fitting_ratio"), record: 1)) - 0.04445).magnitude < 5.1e-6)
    #expect(ratio.remainder == [Remainder("samples", order: 1)])

    let drawn: [String: JobValue?] = [
      "spectrum": .table(["decay": .real(2), "modes": .integer(400)]), "teacher": .text("random"),
      "noise_variance": .real(0), "ridges": .list([.real(0)]), "samples": .integer(16), "features": .integer(64),
    ]
    let limited = try Self.limit("resolution-limited", RegressionJobs.read(RegressionJobs.eigenbasis(drawn)))
    // (pi/(2 sin(pi/2)))^2/m/(1 - m/Q).
    let exact = Double.pi * .pi / 4 / 16 / (1 - 0.25)
    #expect((try #require(limited.mean(of: "test", record: 0)) / exact - 1).magnitude < 1e-12)
    for changes in [["noise_variance": .real(0.1)], ["ridges": .list([.real(0.1)])]] as [[String: JobValue?]] {
      let other = try RegressionJobs.read(RegressionJobs.eigenbasis(drawn.merging(changes) { $1 }))
      let failure = #expect(throws: Failure.self) { try Self.limit("resolution-limited", other) }
      #expect(failure?.message.contains("needs noise_variance = 0 and a ridge of 0") ?? false)
    }
  }

  /// Infinitely many neurons: error and |c| of networks of 400 and 800, extrapolated in 1/N, |z| < 4.5 of 2, and a hundredth of what 1/N^2 leaves.
  @Test func bandlimitedCoefficients() throws {
    func keys(_ neurons: Int64) -> [String: JobValue] {
      [
        "model": .text("bandlimited"), "neurons": .integer(neurons), "band": .real(1), "draws": .integer(10),
        "ridges": .list([.real(1e-2)]),
      ]
    }
    let known = try Self.limit("bandlimited-kernel", RegressionJobs.read(keys(1)))
    #expect(known.remainder == [Remainder("neurons", order: 1)])
    let (coarse, fine) = (
      Drawn(try RegressionJobs.read(keys(100)).experiment, draws: 200),
      Drawn(try RegressionJobs.read(keys(200)).experiment, draws: 200, key: 4)
    )
    for (i, name) in [(0, "error"), (2, "coefficients")] {
      let value = 2 * fine.mean(i) - coarse.mean(i)
      let error = (4 * fine.error(i) * fine.error(i) + coarse.error(i) * coarse.error(i)).squareRoot()
      let exact = try #require(known.mean(of: name, record: 0))
      #expect((value - exact).magnitude < 4.5 * error + 0.01 * exact, "\(name): \(value) +- \(error), \(exact)")
    }
  }
}
