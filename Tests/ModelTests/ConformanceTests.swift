import Networks
import Randomness
import Experiments
import Statistics
import Testing

/// What every architecture owes, written once and run over the catalog.
@Suite struct ConformanceTests {
  /// Settings under which an architecture is tried; a new line of the catalog without one fails `everyArchitectureIsTried`.
  static let settings: [String: [[String: JobValue]]] = [
    "mlp": [
      ["activation": .text("relu")],
      ["activation": .table(["name": .text("shaped-relu"), "c_plus": .real(0.5), "c_minus": .real(-1)])],
      ["activation": .table(["name": .text("tanh"), "a": .real(1)]), "bias": .real(0.3)],
      ["activation": .table(["name": .text("sinh"), "a": .real(1)]), "bound": .real(3)],
      ["activation": .table(["formula": .text("x*sigmoid(k*x) + 0.1*abs(x)"), "k": .real(1.7)]), "bias": .real(0.3)],
    ],
    "orthogonal-mlp": [["activation": .text("relu")], ["activation": .text("tanh")]],
    "linear-mlp": [["observables": .list(["V", "log_lambda", "log_det", "moment", "rho"].map { .text($0) })]],
    "gated-mlp": [
      ["activation": .text("silu")], ["activation": .text("relu"), "observables": .list([.text("log_V")])],
    ],
    "resnet": [
      [
        "activation": .text("relu"),
        "observables": .list(
          ["V", "log_V", "rho", "active_fraction", "energy_fraction", "interlayer"].map { .text($0) }),
      ],
      ["activation": .text("relu"), "balanced": .boolean(true)],
      ["activation": .text("gelu"), "branch_scaling": .text("1/sqrt(depth)"), "lambda": .real(2)],
      ["activation": .text("relu"), "embedding": .text("exact")],
      [
        "activation": .text("relu"), "branch_scaling": .text("1/depth^p"), "branch_exponent": .real(0.25),
        "branch_growth": .real(-2),
      ],
    ],
    "normalised-mlp": [
      [
        "activation": .text("relu"), "normalisation": .text("layer"),
        "observables": .list(["V", "log_V", "rho", "log_gradient", "log_gradient_ratio"].map { .text($0) }),
      ],
      ["activation": .text("gelu"), "normalisation": .text("rms"), "observables": .list([.text("V")])],
    ],
    "transformer": [
      ["tau": .real(0.5)],
      ["heads": .integer(3), "key_dimension": .integer(2), "tau": .real(0.3)],
      ["temperature": .text("usual"), "centred": .boolean(false)],
      ["causal": .boolean(true), "tau": .real(0.5)],
      ["mlp": .table(["name": .text("shaped-relu")]), "tau": .real(0.5)],
    ],
    "pre-ln-transformer": [
      ["activation": .text("gelu"), "heads": .integer(2), "mlp_factor": .real(1.5)],
      [
        "activation": .text("tanh"), "heads": .integer(4), "mask": .text("causal"), "c_q": .real(4), "c_k": .real(2),
        "c_v": .real(0.5), "c_u": .real(3), "c_x": .real(2), "c_y": .real(0.3), "embedding": .text("exact"),
      ],
      ["mlp_factor": .real(0), "heads": .integer(4), "norm": .text("rms"), "c_q": .real(9)],
      [
        "activation": .text("relu"), "norm": .text("rms"), "embedding": .text("exact"), "mask": .text("causal"),
        "observables": .list(["V", "log_V", "rho", "log_lambda", "moment"].map { .text($0) }),
      ],
    ],
    "ntk-mlp": [
      ["activation": .text("relu"), "observables": .list(["ntk", "log_ntk", "V", "rho"].map { .text($0) })],
      [
        "activation": .text("tanh"), "bias": .real(0.3), "observables": .list(["ntk", "log_ntk"].map { .text($0) }),
      ],
      [
        "activation": .text("gelu"), "bias": .real(0.3), "ensemble": .text("orthogonal"),
        "observables": .list(["ntk", "log_ntk", "V"].map { .text($0) }),
      ],
    ],
    "conv-resnet": [
      ["activation": .text("relu"), "positions": .integer(5)],
      [
        "activation": .text("tanh"), "positions": .integer(4), "kernel": .integer(1),
        "branch_scaling": .text("1/sqrt(depth)"), "branch_growth": .real(1),
      ],
    ],
  ]

  static func model(
    _ architecture: String, _ extra: [String: JobValue], width: Int, depth: Int = 3, count: Int, sampler: String
  ) throws -> NetworkModel {
    let keys: [String: JobValue] = [
      "architecture": .text(architecture), "width": .integer(Int64(width)), "depth": .integer(Int64(depth)),
      "inputs": correlated(0.3, count: count), "sampler": .text(sampler), "draws": .integer(10),
    ]
    return try NetworkCatalog.read(.table(keys.merging(extra) { $1 }), path: "network", data: NoData())
  }

  static func samplers(_ entry: ArchitectureEntry) -> [String] {
    guard case .choice(let names)? = entry.parameters.first(where: { $0.name == "sampler" })?.kind else { return [] }
    return names.filter { $0 != "weights" && $0 != "chi-square" }
  }

  @Test func everyArchitectureIsTried() {
    #expect(Set(NetworkCatalog.architectures.map(\.name)) == Set(Self.settings.keys))
  }

  /// The reduced laws are the law of drawing every weight: 31 settings x 4 pairs of width and number of inputs,
  /// some 1,000 observables, three statistics each. |z| < 5.5 and KS p > 1e-7 fail one true family
  /// in 5,000.
  @Test(arguments: NetworkCatalog.architectures.map(\.name))
  func reducedSamplersEqualWeightsInLaw(architecture: String) throws {
    let entry = NetworkCatalog.architectures.first { $0.name == architecture }!
    let draws: UInt64 = validating ? 200_000 : 2_000
    for (number, extra) in Self.settings[architecture]!.enumerated() {
      for (width, count) in [(8, 1), (16, 2), (16, 4), (40, 3)] {
        let reference = try Self.model(architecture, extra, width: width, count: count, sampler: "weights").experiment
        let tally = sample(reference, draws, name: "\(architecture)/\(number)/weights")
        for sampler in Self.samplers(entry) {
          let reduced = try Self.model(architecture, extra, width: width, count: count, sampler: sampler).experiment
          let other = sample(reduced, draws, name: "\(architecture)/\(number)/\(sampler)")
          #expect(reduced.observables == reference.observables)
          for (i, observable) in reduced.observables.enumerated() {
            let (a, b) = (other.moments(i), tally.moments(i))
            let place = "\(architecture) \(number) \(sampler) n=\(width) m=\(count) \(observable.name)"
            #expect(abs(zScore(a, b)) < 5.5, "\(place): E \(a.mean) \(b.mean)")
            if !observable.isHeavyTailed {
              let spread = (a.varianceError * a.varianceError + b.varianceError * b.varianceError).squareRoot()
              #expect(
                abs(a.variance - b.variance) <= 5.5 * spread + 1e-12, "\(place): var \(a.variance) \(b.variance)")
            }
            let ks = KolmogorovSmirnov(other.histograms[i], tally.histograms[i])
            #expect(ks.pValue > 1e-7, "\(place): KS \(ks.distance), p \(ks.pValue)")
          }
        }
      }
    }
  }

  /// A draw is a pure function of its index: the same values again, in another order, from another runner.
  @Test(arguments: NetworkCatalog.architectures.map(\.name))
  func drawsArePure(architecture: String) throws {
    for extra in Self.settings[architecture]! {
      for sampler in ["conditional", "weights"] {
        let experiment = try Self.model(architecture, extra, width: 20, count: 3, sampler: sampler).experiment
        let (one, two) = (experiment.makeRunner(5), experiment.makeRunner(5))
        let forwards = (0..<6).map { one.values(UInt64($0)) }
        let backwards = (0..<6).reversed().map { two.values(UInt64($0)) }.reversed()
        #expect(forwards.map { $0.map(\.bitPattern) } == backwards.map { $0.map(\.bitPattern) })
      }
    }
  }

  /// Every number of every architecture outside its range is refused by key and range.
  @Test(arguments: NetworkCatalog.architectures.map(\.name))
  func numbersOutOfRangeAreRefused(architecture: String) throws {
    let entry = NetworkCatalog.architectures.first { $0.name == architecture }!
    let extra = Self.settings[architecture]![0]
    for parameter in entry.parameters {
      var wrong: [JobValue] = []
      switch parameter.kind {
      case .integer(let range):
        wrong = [.integer(range.lowerBound - 1), .text("x"), .real(1.5)]
        if range.upperBound < .max { wrong.append(.integer(range.upperBound + 1)) }
      case .real(let interval):
        wrong = [.real(.nan), .text("x")]
        if interval.lower > -.infinity { wrong.append(.real(interval.lower - 1)) }
        if interval.openBelow && interval.lower > -.infinity { wrong.append(.real(interval.lower)) }
        if interval.upper < .infinity { wrong.append(.real(interval.upper + 1)) }
      case .choice: wrong = [.text("nonsense"), .integer(1)]
      case .boolean: wrong = [.text("x"), .integer(1)]
      case .structured: wrong = [.integer(-1)]
      case .text: wrong = []
      }
      for value in wrong {
        do {
          _ = try Self.model(
            architecture, extra.merging([parameter.name: value]) { $1 }, width: 20, count: 2, sampler: "conditional")
          Issue.record("\(architecture).\(parameter.name) = \(value) was taken")
        } catch let failure as Failure {
          #expect(failure.message.contains(parameter.name), "\(failure.message)")
        }
      }
    }
  }
}
