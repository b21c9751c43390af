import Experiments
import Foundation
import Jobs
import Kernels
import Regression
import Testing

/// Even and odd digits: the spectrum of a real kernel, what theory makes of it, and what the draws say.
@Suite struct DigitsTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path

  private func model(
    _ samples: Int64, _ features: Int64?, _ ridge: Double, kernel: String = "features"
  ) throws -> RegressionModel {
    var keys: [String: JobValue] = [
      "model": .text("data"), "kernel": .text(kernel), "samples": .integer(samples), "draws": .integer(100),
      "ridges": .list([.real(ridge)]),
      "data": .table(["file": .text("data/digits.csv"), "positive": .list([0, 2, 4, 6, 8].map { .integer($0) })]),
    ]
    if let features { keys["features"] = .integer(features) }
    return try RegressionJobs.read(keys, data: DataFiles(job: "\(Self.root)/jobs/job.toml"))
  }

  /// No single exponent: printed -2.18 over modes 10 … 100 and -1.87 over 30 … 300; least squares here, which may weigh the modes in another way.
  @Test func spectrumIsNoPowerLaw() throws {
    let problem = try model(10, nil, 1).problem as! DataRegression
    let (values, squares) = problem.data.spectrum()
    #expect((values.reduce(0, +) - 1).magnitude < 1e-9 && (squares.reduce(0, +) - 1).magnitude < 1e-6)
    func slope(_ range: ClosedRange<Int>) -> Double {
      let points = range.map { (Elementary.log(Double($0)), Elementary.log(values[$0 - 1])) }
      let centre = points.reduce((0.0, 0.0)) { ($0.0 + $1.0, $0.1 + $1.1) }
      let (x, y) = (centre.0 / Double(points.count), centre.1 / Double(points.count))
      return points.reduce(0) { $0 + ($1.0 - x) * ($1.1 - y) } / points.reduce(0) { $0 + ($1.0 - x) * ($1.0 - x) }
    }
    #expect((slope(10...100) + 2.18).magnitude < 0.03, "\(slope(10...100))")
    #expect((slope(30...300) + 1.87).magnitude < 0.03, "\(slope(30...300))")
  }

  /// Printed predictions to their digits, and printed means of draws (NumPy) within 4 common errors: the theory is right at ridge 1 and wrong below.
  @Test(
    arguments: [
      (100, nil, 1.0, 0.4523, 0.4523, 0.0019), (100, nil, 0.01, 0.2855, 0.3034, 0.0037),
      (400, nil, 1e-4, 0.0863, 0.1058, 0.0020), (400, 400, 0.01, 0.1533, 0.1778, 0.0028),
    ] as [(Int64, Int64?, Double, Double, Double, Double)])
  func universalityHoldsAtLargeRidgesOnly(
    samples: Int64, features: Int64?, ridge: Double, theory: Double, printed: Double, error: Double
  ) throws {
    let model = try model(samples, features, ridge)
    let predicted = (model.problem as! DataRegression).framework().risk(ridge: ridge).test
    #expect((predicted - theory).magnitude < 5.1e-5, "\(predicted)")
    let found = Drawn(model.experiment, draws: samples == 100 ? 400 : 60)
    let z = (found.mean(0) - printed) / (found.error(0) * found.error(0) + error * error).squareRoot()
    #expect(z.magnitude < 4, "\(found.mean(0)) (\(found.error(0))), z = \(z)")
    let off = (found.mean(0) - predicted) / found.error(0)
    if ridge < 1 { #expect(off > 6, "\(off)") } else { #expect(off.magnitude < 4, "\(off)") }
  }

  /// Tangent kernels of drawn networks of one hidden layer, and of infinitely many units: 600 draws each of an independent program (NumPy), within 4 common errors, and the spectrum's prediction to its digits.
  @Test(
    arguments: [(nil, 0.26792923, 0.001124), (32, 0.39012747, 0.002025), (256, 0.31398555, 0.001384)]
      as [(Int64?, Double, Double)])
  func tangentKernels(units: Int64?, printed: Double, error: Double) throws {
    let model = try model(100, units, 0.01, kernel: "tangent")
    let predicted = (model.problem as! DataRegression).framework().risk(ridge: 0.01).test
    #expect((predicted - 0.25851975).magnitude < 1e-7, "\(predicted)")
    let found = Drawn(model.experiment, draws: 200)
    let z = (found.mean(0) - printed) / (found.error(0) * found.error(0) + error * error).squareRoot()
    #expect(z.magnitude < 4, "\(found.mean(0)) (\(found.error(0))), z = \(z)")
  }
}
