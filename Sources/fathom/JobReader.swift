import Foundation
import Limits
import Networks
import Particles
import Simulation

/// A job file, read and checked: the job and what only this run needs.
struct JobFile {
  let job: Job
  let output: String
  /// Seconds.
  let checkpointInterval: Double
  /// Ranks that share a replica of a particle system; nil to choose.
  let shards: Int?
  let shardAbove: Int
}

/// Turns the text of a job file into a job.
struct JobReader {
  static let runParameters: [Parameter] = [
    Parameter("output", .text, optional: true, "result file; the name of the job file with .h5 unless given"),
    Parameter("checkpoint_every", .text, standard: .text("60s"), "time between checkpoints: a number with s, m or h"),
    Parameter(
      "covariance_limit", .integer(0...4096), standard: .integer(24),
      "covariances of pairs of observables are kept for layers with at most this many observables"),
    Parameter(
      "shards", .integer(0...1_000_000), standard: .integer(0),
      "ranks that share one replica of a particle system; 0: as many as there are too many. Changes no bit"),
    Parameter(
      "shard_above", .integer(0...Int64.max), standard: .integer(50_000_000), unit: "coordinates",
      "replicas with more are put aside in a file for each rank, beside the result file. Changes no bit"),
  ]
  static let comparisonParameters: [Parameter] = [
    Parameter(
      "ks", .real(.init(0, 1, openBelow: true)), standard: .real(0.01),
      "tolerance: largest Kolmogorov-Smirnov distance at which two laws count as the same"),
    Parameter(
      "mean", .real(.above(0)), standard: .real(0.05),
      "tolerance: largest difference of means, in standard deviations, against a limit without draws"),
    Parameter(
      "alpha", .real(.init(0, 1, openBelow: true, openAbove: true)), standard: .real(0.01),
      "probability of any false statement in one comparison, shared among its tests"),
  ]
  static let healthParameters: [Parameter] = [
    Parameter(
      "threshold", .real(.init(0, 1, openBelow: true, openAbove: true)), standard: .real(0.05),
      "probability of a failure whose depth is reported"),
    Parameter(
      "widths", .structured("an array of widths"), standard: .list([]), "other widths at which the same is asked"),
  ]
  static let biasParameters: [Parameter] = [
    Parameter(
      "enabled", .boolean, standard: .boolean(true),
      "run (2N, h) and (N, h/2) as well, and tell the bias in N from that in h")
  ]
  static let topKeys = [
    "title", "seed", "network", "particles", "limit", "sweep", "bias", "health", "run", "comparison",
  ]

  let load: (Inputs.FileRequest) throws -> [[Double]]
  let loadTable: (TableRequest) throws -> DataTable

  /// - Parameters:
  ///   - name: path of the job file, for messages and the standard output name.
  ///   - settings: `key=value` pairs that override the file.
  func read(_ text: String, name: String, settings: [String], output: String?) throws -> JobFile {
    var value = try TOML.parse(text, name: name)
    var set: [(key: String, value: String)] = []
    for setting in settings {
      let parts = setting.split(separator: "=", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
      guard parts.count == 2, !parts[0].isEmpty else {
        throw Failure(.usage, "--set \(setting): must be key=value, as in --set network.width=64")
      }
      value = try value.setting(parts[0], to: TOML.value(parts[1]))
      set.append((parts[0], parts[1]))
    }
    guard case .table(let table) = value else { preconditionFailure("a TOML file is a table") }
    for key in table.keys.sorted() where !Self.topKeys.contains(key) {
      throw Failure.invalid(
        key: key, value: table[key]!.description,
        allowed: "unknown key; a job takes " + Self.topKeys.joined(separator: ", "))
    }
    try refuseSwept(set, sweep: table["sweep"])
    let health = try table["health"].map { try Parameters($0, path: "health", allowed: Self.healthParameters) }
    if let health { value = try askHealth(value, health) }
    let run = try Parameters(table["run"], path: "run", allowed: Self.runParameters)
    let comparison = try Parameters(table["comparison"], path: "comparison", allowed: Self.comparisonParameters)
    let seed = try readSeed(table["seed"])
    var cases: [Case] = []
    var identity = ["seed = \(seed)", Job.streamLine]
    for point in try Sweep.points(value["sweep"]) {
      var specific = value
      for (key, entry) in point.settings {
        guard value[key] != nil || ["network.", "limit.", "particles."].contains(where: key.hasPrefix) else {
          throw Failure.invalid(
            key: "sweep.\"\(key)\"", value: "…", allowed: "must be a key under network, limit or particles")
        }
        specific = try specific.setting(key, to: entry)
      }
      let (item, lines) = try readCase(specific, point)
      cases.append(item)
      identity += lines.map { "\(point.label): \($0)" }
    }
    let settingsText = settings.isEmpty ? "" : "\n# --set " + settings.joined(separator: "\n# --set ") + "\n"
    let job = Job(
      title: try readTitle(table["title"], name), seed: seed, cases: cases,
      tolerances: Tolerances(
        distance: comparison.real("ks"), mean: comparison.real("mean"), alpha: comparison.real("alpha")),
      covarianceLimit: run.integer("covariance_limit"), healthThreshold: health?.real("threshold"),
      text: text + settingsText,
      identity: identity + ["run.covariance_limit = \(run.integer("covariance_limit"))"])
    let stem = (name as NSString).lastPathComponent
    let standardOutput = (stem as NSString).deletingPathExtension + ".h5"
    return JobFile(
      job: job, output: output ?? (run["output"] != nil ? run.text("output") : standardOutput),
      checkpointInterval: try readDuration(run), shards: run.integer("shards") == 0 ? nil : run.integer("shards"),
      shardAbove: run.integer("shard_above"))
  }

  /// A value set for a key that the job itself sweeps: the sweep would win, and nobody would notice. Widths of `[health]` are no such
  /// sweep, they come beside the network's own.
  private func refuseSwept(_ set: [(key: String, value: String)], sweep: JobValue?) throws {
    let keys = try Sweep.points(sweep)[0].settings.map(\.key)
    for (key, value) in set {
      guard let swept = keys.first(where: { key == $0 || key.hasPrefix($0 + ".") }) else { continue }
      throw Failure.invalid(
        key: key, value: value,
        allowed: "is swept by the job; give the sweep itself, as in --set 'sweep={\"\(swept)\"=[\(value)]}'")
    }
  }

  /// A health report is a sweep over widths that measures failures along the depth.
  private func askHealth(_ value: JobValue, _ health: Parameters) throws -> JobValue {
    guard let network = value["network"], case .integer(let depth)? = network["depth"], depth >= 1 else { return value }
    var result = value
    let failures = Health.failures.map { JobValue.text($0) }
    var observables = failures
    if case .list(let items)? = network["observables"] { observables = items + failures.filter { !items.contains($0) } }
    result = try result.setting("network.observables", to: .list(observables))
    if network["layers"] == nil {
      // Every layer to 8, then eight an octave.
      var layers: [Int64] = []
      var next = 1.0
      while Int64(next) < depth {
        layers.append(Int64(next))
        next = max(next + 1, (next * 1.0905).rounded())
      }
      result = try result.setting("network.layers", to: .list((layers + [depth]).map { .integer($0) }))
    }
    guard case .list(let widths)? = health["widths"], !widths.isEmpty else { return result }
    guard value["sweep"]?["network.width"] == nil else {
      throw health.invalid("widths", "cannot be given together with a sweep of network.width")
    }
    let own = network["width"].map { widths.contains($0) ? [] : [$0] } ?? []
    var sweep: [String: JobValue] = [:]
    if case .table(let given)? = value["sweep"] { sweep = given }
    sweep["network.width"] = .list(own + widths)
    return try result.setting("sweep", to: .table(sweep))
  }

  private func readCase(_ value: JobValue, _ point: Sweep.Point) throws -> (Case, [String]) {
    if let particles = value["particles"] { return try readParticles(particles, value, point) }
    guard let networkTable = value["network"] else {
      throw Failure.invalid(
        key: "network", value: "(missing)", allowed: "a job needs a table network or particles; see `fathom catalog`")
    }
    if let bias = value["bias"] {
      throw Failure.invalid(
        key: "bias", value: bias.description, allowed: "is for particles; networks have limit.extrapolate")
    }
    let network = try NetworkCatalog.read(networkTable, path: "network", load: load)
    let draws = UInt64(network.parameters.integer("draws"))
    var legs = [
      Leg(
        name: "network", role: .finite, content: .sampled(network.experiment, draws: draws),
        attributes: network.attributes)
    ]
    var lines = network.parameters.resolved.lines(prefix: "network").filter { !$0.hasPrefix("network.draws = ") }
    lines.append("network.V_0 = \(network.attributes["V_0"] ?? "")")
    let tables: [JobValue]
    switch value["limit"] {
    case nil: tables = []
    case .list(let list)?: tables = list
    case let table?: tables = [table]
    }
    for (index, table) in tables.enumerated() {
      let path = tables.count > 1 ? "limit[\(index)]" : "limit"
      guard case .table = table else {
        throw Failure.invalid(key: path, value: table.description, allowed: "must be a table")
      }
      let (added, resolved) = try LimitCatalog.read(table, path: path, network: network, networkDraws: draws)
      let name = added[0].name
      guard !legs.contains(where: { $0.name == name }) else {
        throw Failure.invalid(
          key: "\(path).equation", value: "\"\(name)\"", allowed: "every limit can be asked for once")
      }
      legs += added
      lines += resolved.lines(prefix: name).filter { !$0.hasPrefix("\(name).draws = ") }
    }
    if let known = network.known {
      legs.append(
        Leg(
          name: "exact", role: .exact, content: .known(known),
          attributes: [
            "equation": "moments at this very width and depth", "reference": "docs/architectures.md",
          ]))
    }
    return (Case(label: point.label, swept: point.swept, legs: legs), lines)
  }

  private func readParticles(_ table: JobValue, _ value: JobValue, _ point: Sweep.Point) throws -> (Case, [String]) {
    for key in ["network", "limit", "health"] {
      guard let other = value[key] else { continue }
      throw Failure.invalid(key: key, value: other.description, allowed: "cannot be given together with particles")
    }
    let bias = try value["bias"].map {
      try Parameters($0, path: "bias", allowed: Self.biasParameters).boolean("enabled")
    }
    let (legs, lines) = try ParticleCatalog.read(table, path: "particles", bias: bias ?? false, load: loadTable)
    return (Case(label: point.label, swept: point.swept, legs: legs), lines)
  }

  private func readTitle(_ value: JobValue?, _ name: String) throws -> String {
    switch value {
    case nil: return name
    case .text(let title)?: return title
    case let other?: throw Failure.invalid(key: "title", value: other.description, allowed: "must be a string")
    }
  }

  private func readSeed(_ value: JobValue?) throws -> UInt64 {
    guard case .integer(let seed)? = value, seed >= 0 else {
      throw Failure.invalid(
        key: "seed", value: value?.description ?? "(missing)", allowed: "must be an integer in [0, \(Int64.max)]")
    }
    return UInt64(seed)
  }

  private func readDuration(_ run: Parameters) throws -> Double {
    let text = run.text("checkpoint_every")
    let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600]
    guard let unit = text.last.flatMap({ units[$0] }), let number = Double(text.dropLast()), number > 0, number.isFinite
    else { throw run.invalid("checkpoint_every", "must be a positive number with s, m or h, as in \"60s\"") }
    return number * unit
  }
}

/// The points of a `[sweep]` table: the cartesian product of its keys.
enum Sweep {
  struct Point {
    let label: String
    let settings: [(key: String, value: JobValue)]
    var swept: [String: String] { Dictionary(uniqueKeysWithValues: settings.map { ($0.key, $0.value.description) }) }
  }

  /// `"network.width" = [64, 128]`; several keys that move together: `"network.width, network.depth" = [[64, 64], [128, 128]]`.
  static func points(_ value: JobValue?) throws -> [Point] {
    guard let value else { return [Point(label: "main", settings: [])] }
    guard case .table(let table) = value, !table.isEmpty else {
      throw Failure.invalid(
        key: "sweep", value: value.description, allowed: "must be a table of dotted keys with arrays")
    }
    var points = [Point(label: "", settings: [])]
    for (name, list) in flatten(table, prefix: "").sorted(by: { $0.0 < $1.0 }) {
      let keys = name.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
      guard case .list(let items) = list, !items.isEmpty else {
        throw Failure.invalid(
          key: "sweep.\"\(name)\"", value: list.description, allowed: "must be an array with an entry a case")
      }
      let choices = try items.map { item -> [(key: String, value: JobValue)] in
        if keys.count == 1 { return [(keys[0], item)] }
        guard case .list(let tuple) = item, tuple.count == keys.count else {
          throw Failure.invalid(
            key: "sweep.\"\(name)\"", value: item.description,
            allowed: "must be an array of \(keys.count) values, one for each key")
        }
        return zip(keys, tuple).map { (key: $0, value: $1) }
      }
      points = points.flatMap { point in
        choices.map { choice in Point(label: "", settings: point.settings + choice) }
      }
    }
    let keys = points[0].settings.map(\.key)
    if let twice = keys.first(where: { key in keys.filter { $0 == key }.count > 1 }) {
      throw Failure.invalid(key: "sweep.\"\(twice)\"", value: "(twice)", allowed: "a key can be swept once")
    }
    guard points.count <= 10_000 else {
      throw Failure.invalid(key: "sweep", value: "\(points.count) cases", allowed: "at most 10000 cases")
    }
    let labelled = points.map { point in
      Point(label: point.settings.map { "\($0.key)=\($0.value)" }.joined(separator: ","), settings: point.settings)
    }
    guard Set(labelled.map(\.label)).count == labelled.count else {
      throw Failure.invalid(key: "sweep", value: value.description, allowed: "every case must differ from the others")
    }
    return labelled
  }

  /// Dotted keys without quotes arrive as tables in tables.
  private static func flatten(_ table: [String: JobValue], prefix: String) -> [(String, JobValue)] {
    table.flatMap { key, value -> [(String, JobValue)] in
      if case .table(let inner) = value { return flatten(inner, prefix: prefix + key + ".") }
      return [(prefix + key, value)]
    }
  }
}
