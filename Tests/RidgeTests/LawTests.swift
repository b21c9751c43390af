import Experiments
import Foundation
import Kernels
import Limits
import Regression
import Statistics
import Testing

/// Draws against each other and against what is known of their means. Every test has a fixed key; thresholds are 4.5 standard errors for the about 60 comparisons of this suite, which by chance
/// fails one run of 2,000.
@Suite struct RegressionLawTests {
  private static let isFull = ProcessInfo.processInfo.environment["FATHOM_VALIDATE"] == "1"
  private let most = 4.5
  private func draws(_ small: Int) -> Int { Self.isFull ? 20 * small : small }

  private func model(_ changes: [String: JobValue?]) throws -> RegressionModel {
    try RegressionJobs.read(RegressionJobs.eigenbasis(changes))
  }

  /// Both samplers on one problem: errors in the mean, and what has the same law in it.
  private func compare(_ changes: [String: JobValue?], _ count: Int, sameLaw: [Int]) throws {
    let reduced = try model(changes)
    let plain = try model(changes.merging(["sampler": .text("weights")]) { $1 })
    #expect(reduced.attributes["sampler"] == "reduced" && plain.attributes["sampler"] == "weights")
    let (a, b) = (Drawn(reduced.experiment, draws: draws(count)), Drawn(plain.experiment, draws: draws(count), key: 77))
    for record in 0..<reduced.experiment.schema.axis.count {
      // What is fitted leaves 0, or rounding.
      let isFitted = a.mean(3 * record + 1) == 0
      if isFitted { #expect(b.mean(3 * record + 1) < 1e-20) }
      for i in [3 * record, 3 * record + 1] where !(isFitted && i % 3 == 1) {
        #expect(a.z(i, b).magnitude < most, "\(changes): \(i): \(a.mean(i)) \(b.mean(i)), z = \(a.z(i, b))")
      }
      for i in sameLaw where !(isFitted && i == 1) {
        let (x, y) = (a.values[3 * record + i].sorted(), b.values[3 * record + i].sorted())
        var (distance, j) = (0.0, 0)
        for (k, value) in x.enumerated() {
          while j < y.count, y[j] <= value { j += 1 }
          distance = max(distance, (Double(j) / Double(y.count) - Double(k + 1) / Double(x.count)).magnitude)
        }
        // exp(-2 d^2 n/2) = 1e-6.
        #expect(distance < (13.8 / Double(x.count)).squareRoot(), "\(changes): \(i) at \(record): \(distance)")
      }
    }
  }

  @Test(arguments: [5, 18, 20, 30, 200])
  func reducedDrawsHaveTheLawOfPlainOnes(features: Int64) throws {
    try compare(
      ["features": .integer(features), "ridges": .list([.real(0.01), .real(1)])], 1500, sameLaw: [1])
  }

  @Test func kernelsHaveOneLaw() throws {
    try compare(["features": nil, "ridges": .list([.real(0), .real(0.1)])], 1500, sameLaw: [0, 1])
  }

  @Test(arguments: [8, 40])
  func ridgelessOnes(features: Int64) throws {
    try compare(
      ["features": .integer(features), "ridges": .list([.real(0)]), "noise_variance": .real(0.02)], 1500, sameLaw: [1])
  }

  @Test(arguments: [15 as Int64?, 60, nil])
  func drawnTeachers(features: Int64?) throws {
    try compare(
      [
        "features": features.map { .integer($0) }, "teacher": .text("random"), "noise_variance": .real(0),
        "ridges": .list([.real(0.001)]),
      ], 1500, sameLaw: features == nil ? [0, 1] : [1])
  }

  /// Blocks: a Wishart matrix in the place of its modes.
  @Test(arguments: [12 as Int64?, 50, nil])
  func blocksHaveTheLawOfTheirModes(features: Int64?) throws {
    let blocks = Spectrum([
      .init(eigenvalue: 1, teacher: 1), .init(eigenvalue: 0.3, count: 7, teacher: 0.8),
      .init(eigenvalue: 0.05, count: 60, teacher: 0.9), .init(eigenvalue: 0.01, count: 200, teacher: 0.3),
    ])
    func problem(_ isReduced: Bool, _ drawsTeacher: Bool) -> EigenbasisRegression {
      EigenbasisRegression(
        samples: 20, features: features.map(Int.init), spectrum: blocks, drawsTeacher: drawsTeacher, noise: 0.1,
        ridges: [0.02], isReduced: isReduced)
    }
    for drawsTeacher in [false, true] {
      func drawn(_ isReduced: Bool, _ key: UInt64) -> Drawn {
        let problem = problem(isReduced, drawsTeacher)
        let schema = Schema(axis: RegressionSettings(ridges: [0.02]).axis, observables: problem.observables)
        return Drawn(problem.experiment(schema).make(schema, [0, 1, 2]), draws: draws(800), key: key)
      }
      let (a, b) = (drawn(true, 5), drawn(false, 6))
      for i in 0..<2 { #expect(a.z(i, b).magnitude < most, "\(a.mean(i)) \(b.mean(i)), z = \(a.z(i, b))") }
    }
  }

  /// Printed means of arXiv:2311.14646's model, worked out independently (NumPy): value and its error.
  @Test(arguments: [
    (50, 50 as Int64?, 0.9695, 0.0046, 0.02068, 0.00026), (50, 100, 0.4777, 0.0013, .nan, .nan),
    (50, nil, 0.27350, 0.00073, .nan, .nan), (100, 50, 0.4665, 0.0018, .nan, .nan),
  ])
  func printedErrors(
    samples: Int64, features: Int64?, test: Double, testError: Double, train: Double, trainError: Double
  ) throws {
    let model = try model([
      "samples": .integer(samples), "features": features.map { .integer($0) },
      "spectrum": .table(["decay": .real(1.5), "modes": .integer(500)]),
    ])
    let found = Drawn(model.experiment, draws: draws(1500))
    let z = (found.mean(0) - test) / (found.error(0) * found.error(0) + testError * testError).squareRoot()
    #expect(z.magnitude < 4, "\(found.mean(0)) (\(found.error(0))), z = \(z)")
    if train.isFinite {
      let z = (found.mean(1) - train) / (found.error(1) * found.error(1) + trainError * trainError).squareRoot()
      #expect(z.magnitude < 4, "\(found.mean(1)) (\(found.error(1))), z = \(z)")
    }
  }

  /// Without ridge and noise and with a drawn teacher the error is (k - 1)/(k - n - 1) times that of infinitely many features at every n, and n and k are exchangeable.
  @Test func exactFactorAndExchange() throws {
    let keys: [String: JobValue?] = [
      "spectrum": .table(["decay": .real(2), "modes": .integer(400)]), "teacher": .text("random"),
      "noise_variance": .real(0), "ridges": .list([.real(0)]),
    ]
    func drawn(_ n: Int64, _ k: Int64?, _ key: UInt64) throws -> Drawn {
      let own: [String: JobValue?] = ["samples": .integer(n), "features": k.map { .integer($0) }]
      return Drawn(try model(keys.merging(own) { $1 }).experiment, draws: draws(1500), key: key)
    }
    let (wide, tall, infinite) = (try drawn(16, 64, 1), try drawn(64, 16, 2), try drawn(16, nil, 3))
    #expect(wide.z(0, tall).magnitude < most, "\(wide.mean(0)) \(tall.mean(0))")
    let factor = 63.0 / 47
    let error = (wide.error(0) * wide.error(0) + factor * factor * infinite.error(0) * infinite.error(0)).squareRoot()
    #expect((wide.mean(0) - factor * infinite.mean(0)).magnitude < most * error)
    // Printed: .1882(22), .1947(24), .1457(18).
    for (found, printed, se) in [(wide, 0.1882, 0.0022), (tall, 0.1947, 0.0024), (infinite, 0.1457, 0.0018)] {
      let z = (found.mean(0) - printed) / (found.error(0) * found.error(0) + se * se).squareRoot()
      #expect(z.magnitude < 4, "\(found.mean(0)) (\(found.error(0))), z = \(z)")
    }
  }

  /// Corrections of order 1/n: n (mean/theory - 1) is .55 at every n (printed .58(7), .55(11), .55(21)).
  @Test(arguments: [25, 50, 100])
  func correctionsAreOfOrderOneOverN(samples: Int64) throws {
    let model = try model([
      "samples": .integer(samples), "features": .integer(2 * samples), "teacher": .table(["decay": .real(2)]),
      "spectrum": .table(["decay": .real(2), "modes_per_sample": .integer(8)]), "ridges": .list([.real(0.05)]),
    ])
    let found = Drawn(model.experiment, draws: draws(samples == 100 ? 1500 : 4000))
    let theory = (model.problem as! EigenbasisRegression).framework.risk(ridge: 0.05).test
    let (value, error) = (
      Double(samples) * (found.mean(0) / theory - 1), Double(samples) * found.error(0) / theory
    )
    #expect((value - 0.55).magnitude < most * error + 0.05, "\(value) (\(error))")
    #expect(Self.isFull == false || value > 3 * error)
  }

  /// N = 50, 200, 800 (printed, root mean squares of few draws), and the approach to infinitely many.
  @Test(arguments: [
    (1.0, 1e-4, [0.8611, 0.8611, 0.8610], [0.0001, 0.0001, 0.0001]),
    (50, 1e-8, [0.5104, 0.3733, 0.3307], [0.0066, 0.0044, 0.0037]),
    (200, 1e-4, [0.571, 0.483, 0.455], [0.009, 0.006, 0.003]),
    (200, 1e-8, [0.544, 0.234, 0.034], [0.011, 0.016, 0.004]),
  ])
  func bandlimitedErrors(band: Double, ridge: Double, printed: [Double], errors: [Double]) throws {
    for (i, neurons) in [50 as Int64, 200, 800].enumerated() where neurons < 800 || Self.isFull {
      let model = try RegressionJobs.read([
        "model": .text("bandlimited"), "neurons": .integer(neurons), "band": .real(band), "draws": .integer(10),
        "ridges": .list([.real(ridge)]),
      ])
      let found = Drawn(model.experiment, draws: neurons == 50 ? 150 : 50)
      let z = (found.mean(0) - printed[i]) / (found.error(0) * found.error(0) + errors[i] * errors[i]).squareRoot()
      #expect(z.magnitude < 4, "N = \(neurons), band \(band), ridge \(ridge): \(found.mean(0)) (\(found.error(0)))")
    }
  }
}
