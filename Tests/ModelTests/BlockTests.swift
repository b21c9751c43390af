import Experiments
import Limits
import Networks
import Statistics
import Testing

/// The tangent kernel by groups of weights.
@Suite struct BlockTests {
  /// Every kind of draw that has blocks: perceptrons with Gaussian and orthogonal weights by both kinds of draws, biases or not, residual networks.
  static let kinds: [(architecture: String, extra: [String: JobValue])] = [
    ("mlp", ["bias": .real(0.3)]), ("mlp", [:]), ("mlp", ["ensemble": .text("orthogonal"), "bias": .real(0.2)]),
    ("orthogonal-mlp", [:]), ("mlp", ["lambda_b": .real(0.2), "lambda_w": .real(0.7)]),
    ("mlp", ["bias": .real(0.3), "outputs": .integer(1)]), ("orthogonal-mlp", ["lambda_w": .real(0.7)]),
    ("resnet", [:]), ("resnet", ["balanced": .boolean(true), "branch_scaling": .text("1/sqrt(depth)")]),
  ]

  static func model(
    _ kind: Int, width: Int, depth: Int = 3, sampler: String = "conditional", activation: String = "gelu"
  ) throws -> NetworkModel {
    let (architecture, extra) = kinds[kind]
    let keys: [String: JobValue] = [
      "probes": PassTests.names(["ntk"]), "observables": PassTests.names(["ntk", "ntk_block"]),
      "activation": .text(activation),
    ]
    return try ConformanceTests.model(
      architecture, keys.merging(extra) { $1 }, width: width, depth: depth, count: 2, sampler: sampler)
  }

  /// Sums over the groups, by entry, beside the entry itself.
  static func sums(_ observables: [Observable], _ values: [Double]) -> [(sum: Double, whole: Double)] {
    let named = Dictionary(uniqueKeysWithValues: zip(observables.map(\.name), values))
    return [(0, 0), (0, 1), (1, 1)].map { a, b in
      let blocks = zip(observables, values).filter { $0.0.family == "NTK_block" && $0.0.indices.suffix(2) == [a, b] }
      return (blocks.reduce(0) { $0 + $1.1 }, named["NTK[\(a),\(b)]"]!)
    }
  }

  @Test(arguments: kinds.indices, ["conditional", "weights"])
  func blocksAddUp(kind: Int, sampler: String) throws {
    let model = try Self.model(kind, width: 9, sampler: sampler)
    let blocks = Set(model.experiment.observables.filter { $0.family == "NTK_block" }.map { $0.indices[0] })
    let hasBiases = model.parameters["bias"] != nil && model.parameters["bias"] != .real(0)
    if Self.kinds[kind].architecture == "resnet" {
      #expect(blocks == Set(0...4))
    } else {
      #expect(blocks == Set(hasBiases || model.parameters["lambda_b"] != nil ? 1...5 : 1...4))
    }
    let runner = model.experiment.makeRunner(3)
    for draw in 0..<20 {
      for (sum, whole) in Self.sums(model.experiment.observables, runner.values(UInt64(draw))) {
        #expect(abs(sum - whole) <= 1e-12 * max(1, abs(whole)), "\(Self.kinds[kind]) \(sampler): \(sum), \(whole)")
      }
    }
  }

  /// Wide networks come to each block of the limit as 1/n: twice the mean at 2n less that at n, within 4.5 errors and 1% for the next order; blocks of
  /// the limit add up. At most 18 comparisons a kind: one true family of 9 in 900 fails by chance.
  @Test(arguments: kinds.indices) func wideNetworksMeetTheBlocksOfTheLimit(kind: Int) throws {
    let models = try [64, 128].map { try Self.model(kind, width: $0, activation: kind == 8 ? "relu" : "gelu") }
    let limit = try limitLegs(
      .table(["equation": .text("infinite-width-ntk")]), path: "limit", network: models[0], networkDraws: 10
    ).legs[0].known!
    #expect(limit.observables == models[0].experiment.observables)
    for (sum, whole) in Self.sums(limit.observables, limit.means) {
      #expect(abs(sum - whole) <= 1e-12 * max(1, abs(whole)), "\(sum), \(whole)")
    }
    let draws: UInt64 = validating ? 300_000 : 6_000
    let tallies = models.map { sample($0.experiment, draws, name: "blocks \(kind)") }
    for (i, observable) in limit.observables.enumerated() {
      let (a, b) = (tallies[0].moments(i), tallies[1].moments(i))
      let error = (4 * b.meanError * b.meanError + a.meanError * a.meanError).squareRoot()
      let value = 2 * b.mean - a.mean
      #expect(
        abs(value - limit.means[i]) <= 4.5 * error + 0.01 * abs(limit.means[i]),
        "\(Self.kinds[kind]) \(observable.name): \(value) +- \(error), \(limit.means[i])")
    }
  }

  /// With slopes every block has a mean that is exact at every width: each layer of a perceptron E V_d, a branch its share. |z| < 4.5 in 52
  /// comparisons fails one true family in 2,800.
  @Test(
    arguments: [
      ("mlp", [:]), ("resnet", ["balanced": .boolean(true)]),
      ("resnet", ["balanced": .boolean(true), "embedding": .text("exact"), "branch_scaling": .text("1/sqrt(depth)")]),
      ("resnet", ["activation": .text("linear"), "branch_scaling": .text("1/sqrt(depth)"), "branch_growth": .real(2)]),
    ] as [(String, [String: JobValue])])
  func exactBlocks(architecture: String, extra: [String: JobValue]) throws {
    let keys: [String: JobValue] = [
      "probes": PassTests.names(["ntk"]), "observables": PassTests.names(["V", "ntk", "ntk_block"]),
      "activation": .text("relu"),
    ]
    let model = try ConformanceTests.model(
      architecture, keys.merging(extra) { $1 }, width: 7, count: 2, sampler: "conditional")
    let known = try #require(model.known)
    let tally = sample(model.experiment, validating ? 500_000 : 30_000, name: "exact \(architecture)")
    var compared = 0
    for (i, observable) in model.experiment.observables.enumerated() where known.means[i].isFinite {
      let found = tally.moments(i)
      #expect(
        abs(found.mean - known.means[i]) <= 4.5 * found.meanError + 1e-12,
        "\(extra) \(observable.name): \(found.mean) +- \(found.meanError), exact \(known.means[i])")
      compared += observable.family == "NTK_block" ? 1 : 0
    }
    #expect(compared == (architecture == "mlp" ? 8 : 10))
  }
}
