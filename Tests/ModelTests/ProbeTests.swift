import Foundation
import Limits
import Networks
import Experiments
import Testing

/// Probes: the same draws under every name, and refusals by key.
@Suite struct ProbeTests {
  static let all: JobValue = .list(["V", "log_V", "rho", "ntk", "log_ntk"].map { .text($0) })
  static let kernel: JobValue = .list([.text("ntk")])

  static func model(_ architecture: String, _ extra: [String: JobValue]) throws -> NetworkModel {
    try ConformanceTests.model(architecture, extra, width: 20, count: 3, sampler: "conditional")
  }

  /// Observables, values of four draws, and exact values of two models: the same to the last bit.
  static func expectSame(_ a: NetworkModel, _ b: NetworkModel, _ words: String) {
    #expect(a.experiment.observables == b.experiment.observables, "\(words)")
    let (one, two) = (a.experiment.makeRunner(11), b.experiment.makeRunner(11))
    for draw in [0, 1, 2, UInt64.max] {
      #expect(one.values(draw).map(\.bitPattern) == two.values(draw).map(\.bitPattern), "\(words), draw \(draw)")
    }
    #expect(a.known?.means.map(\.bitPattern) == b.known?.means.map(\.bitPattern), "\(words)")
  }

  @Test(arguments: ["relu", "tanh", "gelu"], ["conditional", "weights"])
  func theOldNameAndTheProbeGiveTheSameDraws(activation: String, sampler: String) throws {
    for ensemble in ["gaussian", "orthogonal"] {
      for bias in [0, 0.3] {
        let keys: [String: JobValue] = [
          "activation": .text(activation), "bias": .real(bias), "observables": Self.all, "sampler": .text(sampler),
          "ensemble": .text(ensemble),
        ]
        let old = try Self.model("ntk-mlp", keys)
        let new = try Self.model("mlp", keys.merging(["probes": Self.kernel]) { $1 })
        Self.expectSame(old, new, "\(keys)")
        #expect(old.parameters.resolved == new.parameters.resolved)
        #expect(old.attributes["alias"] == "ntk-mlp: alias of mlp with probes = [\"ntk\"]")
      }
    }
  }

  @Test(arguments: ["conditional", "weights"])
  func orthogonalNetworksHaveTheProbe(sampler: String) throws {
    let keys: [String: JobValue] = [
      "activation": .text("tanh"), "c": .real(1.2), "observables": Self.all, "sampler": .text(sampler),
    ]
    Self.expectSame(
      try Self.model("ntk-mlp", keys.merging(["ensemble": .text("orthogonal")]) { $1 }),
      try Self.model("orthogonal-mlp", keys.merging(["probes": Self.kernel]) { $1 }), sampler)
  }

  /// The covariance is measured in any case, so naming it or not is the same job.
  @Test func theCovarianceIsAlwaysThere() throws {
    let base: [String: JobValue] = ["activation": .text("relu")]
    func asking(_ probes: [String]) throws -> NetworkModel {
      try Self.model("mlp", base.merging(["probes": .list(probes.map { .text($0) })]) { $1 })
    }
    let both = try asking(["covariance", "ntk"])
    for probes in [["ntk"], ["ntk", "covariance"]] {
      let other = try asking(probes)
      Self.expectSame(both, other, "\(probes)")
      #expect(both.parameters.resolved == other.parameters.resolved)
    }
    let plain = try Self.model("mlp", base)
    let named = try asking(["covariance"])
    Self.expectSame(plain, named, "covariance")
    #expect(plain.parameters.resolved == named.parameters.resolved)
    #expect(plain.parameters["probes"] == .list([.text("covariance")]) && plain.parameters["ensemble"] == nil)
  }

  @Test func defaultObservables() throws {
    func observables(_ architecture: String, _ extra: [String: JobValue]) throws -> JobValue? {
      try Self.model(architecture, extra.merging(["activation": .text("relu")]) { $1 }).parameters["observables"]
    }
    let covariance = ["V", "log_V", "rho", "atanh_rho"].map { JobValue.text($0) }
    #expect(try observables("mlp", [:]) == .list(covariance))
    #expect(try observables("mlp", ["probes": Self.kernel]) == .list(covariance + [.text("ntk")]))
    // As its jobs were written.
    #expect(try observables("ntk-mlp", [:]) == .list(covariance))
  }

  @Test func whatCannotBeProbedIsRefused() throws {
    func list(_ names: String...) -> JobValue { .list(names.map { .text($0) }) }
    let cases: [(architecture: String, extra: [String: JobValue], key: String, words: String)] = [
      ("mlp", ["probes": list("hessian")], "probes", "covariance, gram, ntk, dntk, output, jacobian, spectrum"),
      ("mlp", ["probes": list("ntk", "ntk")], "probes", "covariance, gram, ntk"),
      ("mlp", ["probes": list()], "probes", "covariance, gram, ntk"),
      ("mlp", ["probes": .text("ntk")], "probes", "covariance, gram, ntk"),
      ("orthogonal-mlp", ["probes": list("spectra")], "probes", "did you mean spectrum"),
      ("conv-resnet", ["probes": Self.kernel], "probes", "covariance"),
      ("gated-mlp", ["probes": Self.kernel], "probes", "covariance"),
      ("ntk-mlp", ["probes": list("covariance")], "probes", "mlp with probes = [\"ntk\"]"),
      ("mlp", ["observables": list("ntk")], "observables", "with the probe ntk also ntk, ntk_block, log_ntk"),
      ("mlp", ["ensemble": .text("orthogonal")], "ensemble", "unknown key"),
      ("mlp", ["probes": Self.kernel, "sampler": .text("chi-square")], "sampler", "conditional, weights"),
      ("mlp", ["probes": Self.kernel, "layers": .text("all")], "layers", "last"),
      ("orthogonal-mlp", ["probes": Self.kernel, "width": .integer(5)], "width", "at least 6"),
    ]
    for (architecture, extra, key, words) in cases {
      do {
        _ = try Self.model(architecture, extra.merging(["activation": .text("relu")]) { $1 })
        Issue.record("\(architecture) \(extra) was taken")
      } catch let failure as Failure {
        #expect(failure.message.hasPrefix("network.\(key) = "), "\(failure.message)")
        #expect(failure.message.contains(words), "\(failure.message)")
      }
    }
  }

  /// A probe takes no limit away: those of the covariance and that of the kernel, by the law of the weights.
  @Test(arguments: [
    ("mlp", "gaussian", true), ("mlp", "orthogonal", false), ("orthogonal-mlp", "", false),
    ("ntk-mlp", "gaussian", true),
  ])
  func limitsOfProbedNetworks(architecture: String, ensemble: String, gaussian: Bool) throws {
    var keys: [String: JobValue] = [
      "activation": .table(["name": .text("shaped-relu"), "c_minus": .real(-1)]), "observables": Self.all,
    ]
    if architecture != "ntk-mlp" { keys["probes"] = Self.kernel }
    if !ensemble.isEmpty { keys["ensemble"] = .text(ensemble) }
    let network = try Self.model(architecture, keys)
    func limit(_ name: String) throws -> Leg {
      try limitLegs(
        .table(["equation": .text(name)]), path: "limit", network: network, networkDraws: 10
      ).legs[0]
    }
    let (width, kernel) = (try limit("infinite-width"), try limit("infinite-width-ntk"))
    #expect(kernel.observables == network.experiment.observables)
    #expect(width.known!.means == Array(kernel.known!.means.prefix(width.observables.count)))
    if gaussian {
      #expect(try limit("covariance-sde").experiment != nil)
    } else {
      #expect(throws: Failure.self) { try limit("covariance-sde") }
    }
  }

  @Test func theKernelLimitNeedsTheProbe() throws {
    let network = try Self.model("mlp", ["activation": .text("relu")])
    #expect(throws: Failure.self) {
      try limitLegs(
        .table(["equation": .text("infinite-width-ntk")]), path: "limit", network: network, networkDraws: 10)
    }
  }
}

/// Limits know models by their types: no string in their sources names an architecture.
@Suite struct LimitSourceTests {
  /// Architectures that string literals of a line of Swift name as a word of their own.
  static func named(in line: String, _ names: Set<String>) -> [String] {
    let code = line.range(of: "//").map { line[..<$0.lowerBound] } ?? line[...]
    let literals = code.split(separator: "\"", omittingEmptySubsequences: false).enumerated()
      .filter { $0.offset % 2 == 1 }.map(\.element)
    return literals.flatMap { literal in
      literal.split { !($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") }.map(String.init)
    }.filter(names.contains)
  }

  @Test func noArchitectureIsNamed() throws {
    let names = Set(NetworkCatalog.architectures.map(\.name))
    #expect(
      Self.named(in: #"  guard name == "mlp", x == "no resnet here" else { "transformer-sde" } // "mlp""#, names) == [
        "mlp", "resnet",
      ])
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "Sources/Limits")
    let files = try #require(FileManager.default.enumerator(at: root, includingPropertiesForKeys: nil))
      .compactMap { $0 as? URL }.filter { $0.pathExtension == "swift" }
    #expect(files.count > 10)
    for file in files {
      let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: false)
      for (number, line) in zip(1..., lines) {
        let found = Self.named(in: String(line), names)
        #expect(found.isEmpty, "\(file.lastPathComponent):\(number) names \(found)")
      }
    }
  }
}
