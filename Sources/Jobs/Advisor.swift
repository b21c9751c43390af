import Analyses
import Experiments
import Samples

/// Turns what an explanation advises into settings of the command line: those that the reader of jobs accepts, for a job that then
/// asks for what was advised.
package struct Advisor {
  /// A run, but for the names of its files.
  package struct Advice: Sendable {
    /// For `--set`, the ones of the result first.
    package let settings: [String]
    /// Whether the result file continues; else it is another job, with a file of its own.
    package let resumes: Bool
    /// What to name that file by, e.g. `longer`.
    package let tag: String
    /// The result file if none is named.
    package let output: String
  }

  /// The text of the job file, and the settings that the run was started with.
  package let text: String
  package let settings: [String]
  private let name: String
  private let data: any DataSource
  private let snapshot: Snapshot

  /// - Parameters:
  ///   - name: path of the job file, as the command will name it.
  package init(_ snapshot: Snapshot, name: String, data: any DataSource) {
    (text, settings) = Self.split(snapshot.job.text)
    self.snapshot = snapshot
    self.name = name
    self.data = data
  }

  /// Takes apart what `JobReader` writes: the text of the file, then the settings as comments.
  package static func split(_ recorded: String) -> (text: String, settings: [String]) {
    let mark = "# --set "
    var lines = recorded.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    guard lines.count > 2, lines.last == "" else { return (recorded, []) }
    var settings: [String] = []
    var rest = Array(lines.dropLast())
    while let last = rest.last, last.hasPrefix(mark) {
      settings.insert(String(last.dropFirst(mark.count)), at: 0)
      rest.removeLast()
    }
    if settings.isEmpty { return (recorded, []) }
    lines = rest
    return (lines.joined(separator: "\n"), settings)
  }

  /// The command that does what is advised. Throws the `Failure` that says why there is none.
  package func advice(_ change: Explanation.Change, _ item: Case?) throws -> Advice {
    let own = try keys(change, item)
    let names = try own.settings.flatMap { setting in
      let key = String(setting.split(separator: "=", maxSplits: 1)[0])
      guard key == "sweep" else { return [key] }
      return try [key] + Sweep.points(TOML.value(String(setting.dropFirst(key.count + 1))))[0].settings.map(\.key)
    }
    // What is set now, or swept now, is not set as before.
    let kept = settings.filter { setting in
      let key = setting.split(separator: "=", maxSplits: 1)[0].trimming(" ")
      return !names.contains { key == $0 || key.hasPrefix($0 + ".") }
    }
    let all = kept + own.settings
    defer { _ = Notes.take() }
    let file = try JobReader(data: data).read(text, name: name, settings: all)
    try check(change, file.job)
    let isSame =
      file.job.firstDifference(from: snapshot.job) == nil && snapshot.job.streamVersion == Job.streamVersion
    return Advice(settings: all, resumes: isSame, tag: own.tag, output: file.output)
  }

  // MARK: Settings

  private func keys(_ change: Explanation.Change, _ item: Case?) throws -> (settings: [String], tag: String) {
    switch change {
    case .resume: return ([], "new")
    case .draws(let factor): return (try draws(factor), "more")
    case .steps(let factor):
      guard let steps = snapshot.job.cases.lazy.compactMap({ $0.finite?.process?.schedule.steps }).max() else {
        throw Failure(.badData, "the draws have no steps")
      }
      return (["\(try table()).steps=\(steps * factor)"], "longer")
    case .values(let settings): return (values(settings, item), "next")
    case .refined(let setting):
      guard let schedule = item?.finite?.process?.schedule else {
        throw Failure(.badData, "the draws have no steps")
      }
      let table = try table()
      var all = [setting, .init(key: "\(table).steps", value: String(2 * schedule.steps))]
      if schedule.warmUp > 0 { all.append(.init(key: "\(table).warm_up", value: String(2 * schedule.warmUp))) }
      return (values(all, item), "finer")
    case .sweep(let series):
      let keys = series.map(\.key).joined(separator: ", ")
      let points = series[0].values.indices.map { place in
        let point = series.map { $0.values[place] }
        return point.count == 1 ? point[0] : "[" + point.joined(separator: ", ") + "]"
      }
      let fixed = item?.swept.filter { entry in !series.contains { $0.key == entry.key } } ?? [:]
      let others = fixed.sorted { $0.key < $1.key }.map { "\"\($0.key)\"=[\($0.value)]" }
      let sweep = (["\"\(keys)\"=[\(points.joined(separator: ", "))]"] + others).joined(separator: ", ")
      return (["sweep={\(sweep)}"], "sweep")
    }
  }

  /// One case: of a sweep the values of its own point, the changed ones among them.
  private func values(_ changed: [Explanation.Setting], _ item: Case?) -> [String] {
    guard let swept = item?.swept, !swept.isEmpty else { return changed.map { "\($0.key)=\($0.value)" } }
    let point = swept.sorted { $0.key < $1.key }.map { key, value in
      "\"\(key)\"=[\(changed.first { $0.key == key }?.value ?? value)]"
    }
    return ["sweep={\(point.joined(separator: ", "))}"]
      + changed.filter { swept[$0.key] == nil }.map { "\($0.key)=\($0.value)" }
  }

  /// The table of the family that draws.
  private func table() throws -> String {
    guard case .table(let table) = try TOML.parse(text, name: name) else { return "" }
    let own = Registry.families.map(\.table).filter { table[$0] != nil && $0 != SamplesFamily.table }
    guard let name = own.first else {
      throw Failure(.badData, "the draws are rows of files: more of them are made by the program that made those")
    }
    return name
  }

  private func draws(_ factor: Double) throws -> [String] {
    let table = try table()
    guard !snapshot.job.sampledLegs.contains(where: { $0.leg.dependence != nil }) else {
      throw Failure(.badData, "some draws are rows of files: more of them are made by the program that made those")
    }
    var job = try TOML.parse(text, name: name)
    for setting in settings {
      let parts = setting.split(separator: "=", maxSplits: 1).map { $0.trimming(" ") }
      if parts.count == 2 { job = try LimitKeys.setting(job, parts[0], to: TOML.value(parts[1])) }
    }
    func more(_ draws: UInt64) -> Int64 { Int64(Self.rounded(factor * Double(draws))) }
    let finite = snapshot.job.cases.compactMap(\.finite)
    guard let most = finite.map(\.draws).max() else { return [] }
    if let atMost = job["stop"]?["at_most"], atMost.number != nil { return ["stop.at_most=\(more(most))"] }
    let limits: [JobValue] =
      switch job["limit"] {
      case .list(let list)?: list
      case let one?: [one]
      case nil: []
      }
    // A limit without a number of its own has that of the finite system.
    let own = limits.enumerated().compactMap { place, limit -> String? in
      guard let number = limit["draws"]?.number else { return nil }
      return "\(LimitKeys.path(place, of: limits)).draws=\(more(UInt64(max(number, 0))))"
    }
    return ["\(table).\(finite[0].process == nil ? "draws" : "replicas")=\(more(most))"] + own
  }

  /// Two significant digits, not below.
  private static func rounded(_ x: Double) -> Double {
    var unit = 1.0
    while x / unit >= 100 { unit *= 10 }
    return (x / unit - 1e-9).rounded(.up) * unit
  }

  // MARK: Check

  /// Whether the job that was read asks for what was advised.
  private func check(_ change: Explanation.Change, _ job: Job) throws {
    guard case .draws(let factor) = change else { return }
    let before = snapshot.job.sampledLegs
    for (path, leg) in job.sampledLegs {
      guard let old = before.first(where: { $0.path == path })?.leg.draws else { continue }
      guard Double(leg.draws) >= 0.999 * factor * Double(old) else {
        throw Failure(.badData, "\(path) would still have \(leg.draws) \(leg.drawName)s: raise its number in the job")
      }
    }
  }
}
