import Experiments
import Limits
import Networks
import Statistics
import Testing

/// Moments of pre-activations by their conditional covariance.
@Suite struct GramTests {
  static let all = Probe.gram.observables

  static func model(
    _ architecture: String, probes: [String] = ["gram"], observables: [String] = GramTests.all, width: Int,
    depth: Int = 3, count: Int = 2, _ extra: [String: JobValue] = [:]
  ) throws -> NetworkModel {
    var keys: [String: JobValue] = [
      "probes": PassTests.names(probes), "observables": PassTests.names(observables), "level": .real(1.2),
    ]
    if architecture != "linear-mlp" { keys["activation"] = .text("tanh") }
    return try ConformanceTests.model(
      architecture, keys.merging(extra) { $1 }, width: width, depth: depth, count: count, sampler: "conditional")
  }

  /// The probe belongs to the architectures whose next layer is Gaussian given the last, and to no other.
  @Test func whereItIs() throws {
    var found: [String] = []
    for entry in NetworkCatalog.architectures where entry.probes.contains(.gram) {
      guard !entry.name.hasPrefix("ntk") else { continue }
      found.append(entry.name)
      let network = try Self.model(entry.name, width: 6)
      #expect(network.architecture.hasGaussianReadout, "\(entry.name)")
      #expect(network.experiment.schema.estimands?.count == 5, "\(entry.name)")
    }
    let others = NetworkCatalog.architectures.map(\.name).filter { !$0.hasPrefix("ntk") && !found.contains($0) }
    for name in others {
      let extra = ConformanceTests.settings[name]![0]
      let network = try ConformanceTests.model(name, extra, width: 16, count: 3, sampler: "conditional")
      #expect(!network.architecture.hasGaussianReadout, "\(name)")
    }
    #expect(found.count == 4)
  }

  /// G is V, to the last bit, in every draw and layer, and the moments are functions of it.
  @Test(arguments: ["mlp", "resnet", "gated-mlp", "linear-mlp"]) func functionsOfTheCovariance(architecture: String)
    throws
  {
    let model = try Self.model(
      architecture, observables: ["V"] + Self.all, width: 6, ["layers": .text("all")])
    let names = model.experiment.observables.map(\.name)
    let runner = model.experiment.makeRunner(4)
    for draw in 0..<10 {
      let values = runner.values(UInt64(draw))
      for layer in 0..<3 {
        let record = Array(values[(layer * names.count)..<((layer + 1) * names.count)])
        func value(_ name: String) -> Double { record[names.firstIndex(of: name)!] }
        for entry in ["[0,0]", "[0,1]", "[1,1]"] { #expect(value("gram" + entry) == value("V" + entry)) }
        let (a, r, b) = (value("V[0,0]"), value("V[0,1]"), value("V[1,1]"))
        for (name, expected) in [
          ("z_fourth[1]", 3 * b * b), ("z_sixth[0]", 15 * a * a * a), ("z_square_product[0,1]", a * b + 2 * r * r),
          ("gram_product[0,1]", a * b), ("gram_product[1,1]", b * b),
        ] { #expect(abs(value(name) - expected) <= 1e-13 * expected, "\(architecture) \(name)") }
      }
    }
  }

  /// Two routes to the same moments: drawn outputs, and G of the same draws. Means agree within 4 errors of the first, whose error is the larger one
  /// by a factor that is printed on failure: ten comparisons, one true family in 1,500 fails by chance.
  @Test(arguments: [("mlp", 16), ("resnet", 16)]) func outputsHaveTheMomentsOfG(architecture: String, width: Int) throws
  {
    let model = try Self.model(
      architecture, probes: ["gram", "output"], observables: Self.all + ["f_product", "f_fourth", "f_tail"],
      width: width, architecture == "mlp" ? ["bias": .real(0.2)] : [:])
    let tally = sample(model.experiment, validating ? 1_000_000 : 60_000, name: "two routes \(architecture)")
    for (drawn, given, least) in [
      ("f_product[0,0]", "gram[0,0]", 2.0), ("f_product[0,1]", "gram[0,1]", 2), ("f_fourth[0]", "z_fourth[0]", 2),
      ("f_fourth[1]", "z_fourth[1]", 2), ("f_tail[0]", "z_tail[0]", 2),
    ] {
      let (f, g) = (
        tally.moments(index(model.experiment, drawn)), tally.moments(index(model.experiment, given))
      )
      #expect(
        abs(f.mean - g.mean) < 4 * (f.meanError * f.meanError + g.meanError * g.meanError).squareRoot(),
        "\(drawn): \(f.mean) +- \(f.meanError), \(g.mean) +- \(g.meanError)")
      #expect(f.meanError > least * g.meanError, "\(drawn): errors \(f.meanError) and \(g.meanError)")
    }
  }

  /// tanh, c = 1, |x|^2 = n0, three layers: n (E G - K) at n = 16 and 64 is -.0530(13), -.0537(32), and n Var G / K^2 falls to 0.05014660 / K^2. The limits
  /// predict moments and cumulants of G at infinite width and to order 1/n.
  @Test func printedVertex() throws {
    let k = 0.16665635
    let model = try Self.model("mlp", width: 64, count: 1, ["c": .real(1)])
    let tally = sample(model.experiment, validating ? 1_000_000 : 60_000, name: "vertex")
    let found = tally.moments(index(model.experiment, "gram[0,0]"))
    #expect(abs(64 * (found.mean - k) + 0.0537) < 64 * 4.5 * found.meanError + 4.5 * 0.0032)
    // At n = 64 the page has .05001(23) through G.
    #expect(abs(64 * found.variance - 0.05001) < 64 * 4.5 * found.varianceError + 4.5 * 0.00023)
    func known(_ equation: String) throws -> ReferenceValues {
      try limitLegs(.table(["equation": .text(equation)]), path: "limit", network: model, networkDraws: 10).legs[0]
        .known!
    }
    func estimand(_ reference: ReferenceValues, _ name: String) -> Double? {
      reference.statistics.first { $0.statistic == .estimand(name) }?.value
    }
    let (wide, finite) = (try known("infinite-width"), try known("finite-width"))
    #expect(abs(wide.mean(of: "z_fourth[0]", record: 0)! - 3 * k * k) < 1e-7)
    #expect(abs(wide.mean(of: "z_sixth[0]", record: 0)! - 15 * k * k * k) < 1e-7)
    #expect(estimand(wide, "z_kurtosis[0]") == 0)
    #expect(abs(estimand(finite, "z_kurtosis[0]")! - 3 * 0.05014660 / (k * k * 64)) < 1e-6)
    #expect(abs(estimand(finite, "square_covariance[0,0]")! - 0.05014660 / 64) < 1e-9)
    #expect(abs(finite.mean(of: "gram[0,0]", record: 0)! - (k - 0.05268247 / 64)) < 1e-8)
  }

  /// Every function of G that `finite-width` predicts, of two inputs at n = 48 and 96: what is left out falls by a factor of four, so that
  /// (4 x(2n) - x(n))/3 of what is measured less predicted is 0 within 4.5 errors and a tenth of the correction. 13 comparisons.
  @Test func secondOrder() throws {
    let observables = ["gram", "z_fourth", "z_sixth", "z_square_product", "gram_product", "z_tail"]
    var rest: [[(value: Double, error: Double, correction: Double)]] = []
    var names: [String] = []
    for n in [48, 96] {
      let model = try Self.model("mlp", observables: observables, width: n, ["bias": .real(0.3)])
      func known(_ equation: String) throws -> ReferenceValues {
        try limitLegs(.table(["equation": .text(equation)]), path: "limit", network: model, networkDraws: 10).legs[0]
          .known!
      }
      let (wide, finite) = (try known("infinite-width"), try known("finite-width"))
      let tally = sample(model.experiment, validating ? 1_000_000 : 40_000, name: "second order")
      names = model.experiment.observables.map(\.name)
      rest.append(
        names.enumerated().map { i, name in
          let found = tally.moments(i)
          let (first, second) = (wide.mean(of: name, record: 0)!, finite.mean(of: name, record: 0)!)
          return (found.mean - second, found.meanError, second - first)
        })
    }
    for (i, name) in names.enumerated() {
      let (a, b) = (rest[0][i], rest[1][i])
      let value = (4 * b.value - a.value) / 3
      let error = (16 * b.error * b.error + a.error * a.error).squareRoot() / 3
      #expect(abs(value) < 4.5 * error + 0.1 * abs(b.correction), "\(name): \(value) +- \(error), \(b.correction)")
    }
    #expect(names.count == 13)
  }

  @Test func whatIsRefused() throws {
    let cases: [(extra: [String: JobValue], probes: [String], words: String)] = [
      (["bound": .real(3)], ["gram"], "network.bound"),
      (["variance": .table(["law": .text("fixed"), "value": .real(2)])], ["gram", "output"], "network.probes"),
      (["ensemble": .text("orthogonal")], ["gram", "ntk"], "network.probes"),
      (["readout": .text("signs")], ["gram", "output"], "network.probes"),
    ]
    for (extra, probes, words) in cases {
      do {
        _ = try Self.model("mlp", probes: probes, width: 8, extra)
        Issue.record("\(extra) was taken")
      } catch let failure as Failure {
        #expect(failure.message.hasPrefix(words), "\(failure.message)")
      }
    }
    #expect(throws: Failure.self) { try Self.model("orthogonal-mlp", width: 8) }
  }
}
