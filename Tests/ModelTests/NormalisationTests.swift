import Experiments
import Kernels
import Limits
import Networks
import Statistics
import Testing

/// Normalised perceptrons and their gradients.
@Suite struct NormalisationTests {
  private func model(
    _ normalisation: String, width: Int, depth: Int, count: Int, correlation: Double = 0,
    sampler: String = "conditional",
    activation: String = "relu", observables: [String] = ["V", "rho", "log_gradient", "log_gradient_ratio"]
  ) throws -> NetworkModel {
    let keys: [String: JobValue] = [
      "architecture": .text("normalised-mlp"), "activation": .text(activation), "normalisation": .text(normalisation),
      "width": .integer(Int64(width)), "depth": .integer(Int64(depth)), "sampler": .text(sampler),
      "inputs": correlated(correlation, count: count), "observables": .list(observables.map { .text($0) }),
      "draws": .integer(10),
    ]
    return try NetworkCatalog.read(.table(keys), path: "network", data: NoData())
  }

  private func limit(_ equation: String, _ network: NetworkModel) throws -> ReferenceValues {
    try limitLegs(.table(["equation": .text(equation)]), path: "limit", network: network, networkDraws: 10).legs[0]
      .known!
  }

  /// The way back is the derivative of the normalisation: L = sum of w N(u), by differences. Errors of the difference are of order 1e-9.
  @Test(arguments: Normalisation.allCases)
  func pullBackIsTheDerivative(normalisation: Normalisation) {
    let (m, n) = (4, 5)
    func fill(_ columns: Columns, _ seed: Int) {
      for a in 0..<m { for i in 0..<n { columns[a][i] = Double((seed * (a * n + i + 3)) % 17) / 8 - 1 } }
    }
    let (u, w, units) = (Columns(m, rows: n), Columns(m, rows: n), Columns(m, rows: n))
    fill(u, 5)
    fill(w, 7)
    var inverses = Array(repeating: 0.0, count: max(m, n))
    func loss() -> Double {
      units.take(u, columns: m, from: 0, count: n)
      normalisation.apply(units, m, rows: n, inverses: &inverses)
      return (0..<m).reduce(0.0) { sum, a in (0..<n).reduce(sum) { $0 + w[a][$1] * units[a][$1] } }
    }
    _ = loss()
    let gradient = Columns(m, rows: n)
    gradient.take(w, columns: m, from: 0, count: n)
    normalisation.pullBack(gradient, units: units, m, rows: n, inverses: inverses)
    for a in 0..<m {
      for i in 0..<n {
        let (x, h) = (u[a][i], 1e-5)
        u[a][i] = x + h
        let above = loss()
        u[a][i] = x - h
        let below = loss()
        u[a][i] = x
        #expect(abs((above - below) / (2 * h) - gradient[a][i]) < 1e-8, "\(normalisation) \(a) \(i)")
      }
    }
  }

  /// The reduced law of both passes of a batch is that of drawing every weight: 3 shapes, 59 observables, two statistics; |z| < 5.5 fails one true family
  /// in 200,000.
  @Test func batchSamplersAgree() throws {
    for (width, count) in [(8, 4), (6, 8), (20, 3)] {
      let tallies = try ["conditional", "weights"].map { sampler in
        let network = try model("batch", width: width, depth: 3, count: count, correlation: 0.3, sampler: sampler)
        return (network.experiment, sample(network.experiment, validating ? 100_000 : 4_000, name: sampler))
      }
      let (experiment, a) = tallies[0]
      for (i, observable) in experiment.observables.enumerated() {
        let (x, y) = (a.moments(i), tallies[1].1.moments(i))
        #expect(abs(zScore(x, y)) < 5.5, "n = \(width), m = \(count): \(observable.name) \(x.mean) \(y.mean)")
        let spread = (x.varianceError * x.varianceError + y.varianceError * y.varianceError).squareRoot()
        #expect(abs(x.variance - y.variance) <= 5.5 * spread + 1e-12, "\(observable.name), variance")
      }
    }
  }

  /// Growth at infinite width: pi/(pi - 1) = 1.46694 for many inputs, 1.49306 for 64 and 1.52195 for 32 behind the first layer; 1 over the units. No draws.
  @Test func growthAtInfiniteWidth() throws {
    for (count, value) in [(64, 1.4930628), (32, 1.5219528), (4, 3.0840609)] {
      let known = try limit("normalised-gradient", try model("batch", width: 100, depth: 4, count: count))
      #expect(abs(known.means[1] - Elementary.log(value)) < 1e-7, "\(count): \(known.means)")
      #expect(known.means[1] == known.means[2] && known.means[0] != known.means[1])
    }
    for normalisation in ["layer", "rms"] {
      let network = try model(normalisation, width: 100, depth: 4, count: 5)
      #expect(try limit("normalised-gradient", network).means.allSatisfy { abs($0) < 1e-12 })
    }
    let network = try model("batch", width: 100, depth: 4, count: 4, activation: "tanh")
    #expect(throws: Failure.self) { try self.limit("normalised-gradient", network) }
    #expect(throws: Failure.self) { try self.limit("infinite-width", network) }
  }

  /// Networks against infinite width, whose offset is of order 1/n: growth of the gradient between the layers in the middle, and the covariance. Printed are
  /// 1.489(2) for n = 2048, 64 inputs, 1.012(6) (layer) and 0.987(11) (rms) for n = 256. 14 comparisons, |z| < 4 after an allowance of 2/n.
  @Test func networksAgreeWithInfiniteWidth() throws {
    for (normalisation, count) in [("batch", 32), ("layer", 8), ("rms", 8)] {
      let network = try model(normalisation, width: 256, depth: 5, count: count)
      let known = try [limit("normalised-gradient", network), limit("infinite-width", network)]
      let tally = sample(network.experiment, validating ? 4_000 : 40, name: normalisation)
      for name in ["log_gradient_ratio[2]", "log_gradient_ratio[3]", "rho[0,1]", "rho[1,2]"] {
        let m = tally.moments(index(network.experiment, name))
        let truth = known.compactMap { $0.mean(of: name, record: 0) }.first!
        #expect(
          abs(m.mean - truth) < 4 * m.meanError + 2.0 / 256,
          "\(normalisation) \(name): \(m.mean) \(m.meanError) \(truth)")
      }
    }
  }

  @Test func badInputIsRefused() {
    #expect(throws: Failure.self) { try self.model("batch", width: 8, depth: 3, count: 2) }
    #expect(throws: Failure.self) { try self.model("batch", width: 8, depth: 3, count: 4, correlation: 1) }
    #expect(throws: Failure.self) { try self.model("layer", width: 2, depth: 3, count: 2) }
    #expect(throws: Failure.self) { try self.model("rms", width: 8, depth: 1, count: 2) }
  }
}
