import Experiments
import Samples

/// A job file, read and checked: the job and what only this run needs.
package struct JobFile: Sendable {
  package let job: Job
  package var output: String
  /// Seconds.
  package let checkpointInterval: Double
  /// Ranks that share a replica; nil to choose.
  package let shards: Int?
  package let shardAbove: Int
}

/// Turns the text of a job file into a job.
package struct JobReader {
  let families: [RegisteredFamily]
  let data: any DataSource

  /// - Parameter families: the registry, unless a test brings its own.
  package init(families: [RegisteredFamily] = Registry.families, data: any DataSource) {
    self.families = families
    self.data = data
  }

  private var topKeys: [String] {
    Self.topParameters.map(\.name) + families.map(\.table) + ["limit", "sweep"]
      + families.flatMap { $0.options.map(\.name) }
      + ["run", "comparison", "stop", "expect", "check"]
  }

  /// - Parameters:
  ///   - name: path of the job file, for messages and the name of the output.
  ///   - settings: `key=value` pairs that override the file.
  ///   - check: whether to read it at the smaller sizes of its `[check]`.
  package func read(
    _ text: String, name: String, settings: [String] = [], output: String? = nil, check: Bool = false
  ) throws -> JobFile {
    var value = try TOML.parse(text, name: name)
    let reduced = try Expect.reduced(value)
    if check { value = reduced }
    var set: [(key: String, value: String)] = []
    for setting in settings {
      let parts = setting.split(separator: "=", maxSplits: 1).map { $0.trimming(" ") }
      guard parts.count == 2, !parts[0].isEmpty else {
        throw Failure(.usage, "--set \(setting): must be key=value, as in --set network.width=64")
      }
      value = try LimitKeys.setting(value, parts[0], to: TOML.value(parts[1]))
      set.append((parts[0], parts[1]))
    }
    guard case .table(let table) = value else { preconditionFailure("a TOML file is a table") }
    if table[GramJob.table] != nil {
      throw Failure(.badData, "\(name) has a table [\(GramJob.table)]: fathom kernel \(name) writes its Gram matrix")
    }
    for key in table.keys.sorted() where !topKeys.contains(key) {
      throw Failure.invalid(
        key: key, value: table[key]!.description,
        allowed: "unknown key\(hint(key, table)); a job takes \(topKeys.joined(separator: ", "))")
    }
    let top = try Parameters(
      .table(table.filter { entry in Self.topParameters.contains { $0.name == entry.key } }), path: "",
      allowed: Self.topParameters, isSwept: false)
    if set.contains(where: { $0.key.hasPrefix("check") }) { _ = try Expect.reduced(value) }
    let (family, hasSamples) = try chooseFamily(table)
    try refuseSwept(set, value)
    let options = try readOptions(table, family)
    value = try family.expand(value, options)
    let run = try Parameters(table["run"], path: "run", allowed: Self.runParameters, isSwept: false)
    let comparison = try Parameters(
      table["comparison"], path: "comparison", allowed: Self.comparisonParameters, isSwept: false)
    let seed = UInt64(top.integer("seed"))
    let keep = UInt64(run.integer("keep"))
    let stop = try Stop.read(value["stop"])
    if let stop { try Stop.check(atMost: stop.atMost, family, value) }
    var cases: [Case] = []
    var identity = ["seed = \(seed)", Job.identityLine(streamVersion: Job.streamVersion)]
    let sweepable = [family.table] + (hasSamples ? [SamplesFamily.table] : []) + ["limit"]
    for point in try Sweep.points(value["sweep"], integers: family.integerKeys) {
      var specific = value
      for (key, entry) in point.settings {
        guard sweepable.contains(where: { key == $0 || key.hasPrefix($0 + ".") }) else {
          throw Failure.invalid(
            key: "sweep.\"\(key)\"", value: "…",
            allowed:
              "must be a key under \(sweepable.joined(separator: " or "))\(Nearest.hint(key, among: family.keys))")
        }
        specific = try LimitKeys.setting(specific, key, to: entry)
      }
      if let most = stop?.atMost { specific = try Stop.setting(atMost: most, family, specific) }
      let context = JobContext(path: family.table, options: options, data: data)
      var (legs, lines) = try family.read(
        specific[family.table]!, context, try limits(specific["limit"]),
        hasSamples ? specific[SamplesFamily.table] : nil)
      // Rows of a file are no more than there are.
      if let most = stop?.atMost { legs = legs.map { $0.drawing($0.dependence == nil ? most : min(most, $0.draws)) } }
      for leg in legs { try refuseLargeTable(leg, run, keep: keep) }
      cases.append(Case(label: point.label, swept: point.swept, legs: legs.map { $0.keeping(keep) }))
      identity += lines.map { "\(point.label): \($0)" }
    }
    try refuseSharedGroups(cases)
    identity.append("run.covariance_limit = \(run.integer("covariance_limit"))")
    identity += cases.flatMap(\.identity)
    if keep > 0 { identity.append("run.keep = \(keep)") }
    if let rule = stop?.rule {
      try Stop.check(rule, cases)
      // The looks are at shares of all draws, and which of them ends the run hangs on what counts as decided.
      identity.append(rule.identity)
      identity.append(
        "stop.comparison = \(comparison.real("ks")) \(comparison.real("mean")) \(comparison.real("alpha"))")
      identity += cases.flatMap { item in
        item.legs.filter(\.isSampled).map { "\(item.path(of: $0)): at most \($0.draws) draws" }
      }
    }
    let settingsText = settings.isEmpty ? "" : "\n# --set " + settings.joined(separator: "\n# --set ") + "\n"
    let job = Job(
      title: top["title"] == nil ? name : top.text("title"), seed: seed, cases: cases,
      tolerances: Tolerances(
        distance: comparison.real("ks"), mean: comparison.real("mean"), alpha: comparison.real("alpha")),
      covarianceLimit: run.integer("covariance_limit"),
      healthThreshold: options["health"].map { $0.real("threshold") } ?? family.healthThreshold,
      exponents: options[DepthLawRequest.table.name].map(DepthLawRequest.init),
      smallParameters: family.smallParameters.map { small in
        let small = small.holding { key in identity.contains { $0.contains("\(key) = ") } }
        return cases.contains { $0.legs.contains { $0.dependence != nil } }
          ? small.accompanied(by: Self.sampleKeys) : small
      },
      tunedKeys: family.tunedKeys, expectations: try Expect.read(value["expect"], path: "expect"), stop: stop?.rule,
      text: text + settingsText,
      identity: identity)
    let file = name.split(separator: "/").last.map(String.init) ?? name
    let stem = file.hasSuffix(".toml") ? String(file.dropLast(5)) : file
    return JobFile(
      job: job, output: output ?? (run["output"] != nil ? run.text("output") : stem + ".h5"),
      checkpointInterval: try readDuration(run), shards: run.integer("shards") == 0 ? nil : run.integer("shards"),
      shardAbove: run.integer("shard_above"))
  }

  /// Keys of files of rows, which go with whatever is swept: a file is made for one size.
  private static let sampleKeys = ["samples", "limit", "limit.\(SampleReference.name)"].flatMap { table in
    ["file", "rows"].map { "\(table).\($0)" }
  }

  /// The family of a job, and whether rows of a file take the place of its draws.
  private func chooseFamily(_ table: [String: JobValue]) throws -> (family: RegisteredFamily, hasSamples: Bool) {
    let named = families.filter { table[$0.table] != nil }
    let models = named.filter { $0.table != SamplesFamily.table }
    let asked = models.isEmpty ? named : models
    guard let family = asked.first else {
      throw Failure(
        .badData,
        "the job has none of the tables \(families.map { "[\($0.table)]" }.joined(separator: ", ")): it needs one; see `fathom catalog`"
      )
    }
    if asked.count > 1 {
      throw Failure.invalid(
        key: family.table, value: table[family.table]!.description,
        allowed: "cannot be given together with \(asked[1].table)")
    }
    return (family, models.count < named.count && !models.isEmpty)
  }

  private func readOptions(_ table: [String: JobValue], _ family: RegisteredFamily) throws -> [String: Parameters] {
    var result: [String: Parameters] = [:]
    for other in families {
      for option in other.options {
        guard let value = table[option.name] else { continue }
        guard let own = family.options.first(where: { $0.name == option.name }) else {
          throw Failure.invalid(
            key: option.name, value: value.description,
            allowed: "belongs to [\(other.table)] and cannot be given together with \(family.table)")
        }
        result[option.name] = try Parameters(value, path: option.name, allowed: own.parameters, isSwept: false)
      }
    }
    return result
  }

  private func limits(_ value: JobValue?) throws -> [(path: String, table: JobValue)] {
    let tables: [JobValue] =
      switch value {
      case nil: []
      case .list(let list)?: list
      case let table?: [table]
      }
    return try tables.enumerated().map { index, table in
      let path = LimitKeys.path(index, of: tables)
      guard case .table = table else {
        throw Failure.invalid(key: path, value: table.description, allowed: "must be a table")
      }
      return (path, table)
    }
  }

  /// A value set for a key that the job itself sweeps: the sweep would win, and nobody would notice.
  private func refuseSwept(_ set: [(key: String, value: String)], _ job: JobValue) throws {
    let keys = try Sweep.points(job["sweep"])[0].settings.map(\.key)
    for (key, value) in set {
      let mine = LimitKeys.canonical(key, in: job)
      let same = keys.first {
        let other = LimitKeys.canonical($0, in: job)
        return mine == other || mine.hasPrefix(other + ".")
      }
      guard let swept = same else { continue }
      throw Failure.invalid(
        key: key, value: value,
        allowed: "is swept by the job; give the sweep itself, as in --set 'sweep={\"\(swept)\"=[\(value)]}'")
    }
  }

  /// Slashes of labels become `_` in a file; two cases must not share a group.
  private func refuseSharedGroups(_ cases: [Case]) throws {
    var seen: [String: String] = [:]
    for item in cases {
      if let other = seen.updateValue(item.label, forKey: item.group) {
        throw Failure.invalid(
          key: "sweep", value: item.label,
          allowed: "would share its group in the file with the case \(other): their values differ only in / and _")
      }
    }
  }

  /// Kept draws stay in memory, on rank 0.
  private func refuseLargeTable(_ leg: Leg, _ run: Parameters, keep: UInt64) throws {
    let most = UInt64(1 << 27) / UInt64(max(1, leg.schema.width))
    guard leg.isSampled, leg.process == nil, min(keep, leg.draws) > most else { return }
    throw run.invalid(
      "keep",
      "would keep \(min(keep, leg.draws)) draws of \(leg.schema.width) values, more than 1 GiB; the nearest is \(most)")
  }

  /// What was meant by an unknown key at the top: another one, or a key of the job's own tables.
  private func hint(_ key: String, _ table: [String: JobValue]) -> String {
    if let near = Nearest.name(to: key, among: topKeys) { return " (did you mean \(near)?)" }
    let own = families.filter { table[$0.table] != nil }.flatMap(\.keys)
    return own.first { $0.hasSuffix("." + key) }.map { " (did you mean \($0)?)" } ?? ""
  }

  private func readDuration(_ run: Parameters) throws -> Double {
    let text = run.text("checkpoint_every")
    let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600]
    guard let unit = text.last.flatMap({ units[$0] }), let number = Double(text.dropLast()), number > 0, number.isFinite
    else { throw run.invalid("checkpoint_every", "must be a positive number with s, m or h, as in \"60s\"") }
    return number * unit
  }
}
