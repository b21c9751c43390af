import Experiments

/// A line of the catalog of architectures.
public struct ArchitectureEntry: Entry {
  public var kind: String { "architecture" }
  /// What an old name of an architecture stands for.
  struct Alias: Sendable {
    let architecture: String
    let probes: [Probe]
    /// Measured unless a job names others.
    let observables: [String]

    var words: String {
      "alias of \(architecture) with probes = [" + probes.map { "\"\($0.name)\"" }.joined(separator: ", ") + "]"
    }
  }

  public let name: String
  public let summary: String
  public let equation: String
  public let reference: String
  /// Keys that it takes besides those of `NetworkSettings`, whatever is measured.
  let keys: [Parameter]
  /// Ways to draw it; the first, which is the usual one, measures the covariance and what follows from it.
  let draws: [NetworkDraws]
  let alias: Alias?

  /// - Parameters:
  ///   - probes: what its usual draws can measure.
  ///   - own: observables of the architecture itself.
  ///   - further: draws that measure further probes.
  ///   - make: builds the usual network.
  init(
    name: String, summary: String, equation: String, reference: String, samplers: [(name: String, summary: String)],
    parameters: [Parameter] = [], probes: [Probe] = [.covariance], own: [String] = [], further: [NetworkDraws] = [],
    make: @escaping NetworkDraws.Make
  ) {
    (self.name, self.summary, self.equation, self.reference) = (name, summary, equation, reference)
    keys = parameters
    draws = [NetworkDraws(probes: probes, samplers: samplers, own: own, make: make)] + further
    alias = nil
  }

  private init(_ entry: ArchitectureEntry, name: String, alias: Alias) {
    self.name = name
    summary = alias.words
    equation = ([entry.equation] + alias.probes.map(\.equation)).joined(separator: "; ")
    reference = ([entry.reference] + alias.probes.map(\.reference)).joined(separator: "; ")
    (keys, draws) = (entry.keys, entry.draws)
    self.alias = alias
  }

  /// An old name for the architecture with some probes: the same networks, with default observables of its own.
  func alias(_ name: String, probes: [Probe], observables: [String]) -> ArchitectureEntry {
    ArchitectureEntry(
      self, name: name, alias: Alias(architecture: self.name, probes: probes, observables: observables))
  }

  /// The probes that some of its draws can measure, the covariance first.
  public var probes: [Probe] {
    draws.flatMap(\.probes).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }

  /// All keys that a table may have, with whatever probes.
  public var parameters: [Parameter] {
    guard let alias else {
      return draws.dropFirst().flatMap(\.parameters).reduce(into: parameters(of: draws[0], asked: [.covariance])) {
        all, parameter in
        // Of two draws that take a key, the further ones take more of its values.
        if let place = all.firstIndex(where: { $0.name == parameter.name }) {
          all[place] = parameter
        } else {
          all.append(parameter)
        }
      }
    }
    let asked = [.covariance] + alias.probes
    return parameters(of: draws.first { $0.measures(asked) }!, asked: asked).compactMap { parameter in
      switch parameter.name {
      case "architecture": Parameter(parameter.name, .choice([name]), parameter.summary)
      case "probes": nil
      case "observables":
        Parameter(
          parameter.name, parameter.kind, default: .list(alias.observables.map { .text($0) }), parameter.summary)
      default: parameter
      }
    }
  }

  private func parameters(of draws: NetworkDraws, asked: [Probe]) -> [Parameter] {
    NetworkSettings.parameters(
      alias?.architecture ?? name, samplers: draws.samplers, probes: asked, available: probes, own: draws.own)
      + keys + draws.parameters
  }

  /// The first draws that measure the probes and take the table's keys and words; where none takes them, the last that measure the probes,
  /// whose refusal lists the most.
  private func draws(measuring asked: [Probe], for table: JobValue) -> NetworkDraws? {
    let able = draws.filter { $0.measures(asked) }
    guard able.count > 1, asked != [.covariance], case .table(let given) = table else { return able.first }
    return able.first { draws in
      let known = parameters(of: draws, asked: asked)
      return given.allSatisfy { key, value in
        guard let parameter = known.first(where: { $0.name == key }) else { return false }
        if case .choice(let words) = parameter.kind, case .text(let word) = value { return words.contains(word) }
        return true
      }
    } ?? able.last
  }

  /// Builds the network of a `[network]` table; `data` gives rows of data files.
  func read(
    _ given: JobValue, path: String, data: any DataSource
  ) throws -> NetworkModel {
    var table = given
    if let alias {
      if let probes = table["probes"] {
        throw Failure.invalid(
          key: "\(path).probes", value: probes.description, allowed: "cannot be given with \(name), the \(alias.words)")
      }
      table = try table.setting("architecture", to: .text(alias.architecture))
        .setting("probes", to: .list(alias.probes.map { .text($0.name) }))
      if table["observables"] == nil {
        table = try table.setting("observables", to: .list(alias.observables.map { .text($0) }))
      }
    }
    let asked = try Probe.read(table["probes"], path: path, available: probes)
    guard let draws = draws(measuring: asked, for: table) else {
      throw Failure.invalid(
        key: "\(path).probes", value: table["probes"]!.description,
        allowed: "must be such that one draw measures all: "
          + self.draws.map { $0.probes.map(\.name).joined(separator: " with ") }.joined(separator: ", or "))
    }
    // All that a job may write for the same probes is the same job.
    table = try table.setting("probes", to: .list(asked.map { .text($0.name) }))
    let p = try Parameters(table, path: path, allowed: parameters(of: draws, asked: asked))
    let settings = try NetworkSettings(p, probes: asked, available: probes, own: draws.own, data: data)
    var labels = [
      "equation": equation, "reference": reference, "probes": asked.map(\.name).joined(separator: ", "),
    ]
    if let alias {
      labels["alias"] = "\(name): \(alias.words)"
    } else {
      for probe in asked where !probe.equation.isEmpty {
        labels["equation"]! += "; \(probe.equation)"
        labels["reference"]! += "; \(probe.reference)"
      }
    }
    let network = try draws.make(p, settings)
    guard !asked.contains(.gram) || network.architecture.hasGaussianReadout else {
      throw p.invalid(
        "probes",
        "cannot have \(Probe.gram.name): given a layer the next pre-activations must be Gaussian, of variance V")
    }
    return network.labelled(labels)
  }
}
