import Analyses
import Experiments
import Statistics

/// What `fathom show` prints, as text and as JSON; made when the file is written and stored in it.
package struct Report {
  package static let schema = ReportDocument.schema
  private let snapshot: Snapshot
  /// Whether tables show every row, or only those that people read first.
  private let allRows: Bool
  private let tables: ResultTables
  private let digest: String

  /// - Parameter allLayers: prints every row of the tables.
  package init(_ snapshot: Snapshot, allLayers: Bool = false) throws {
    try self.init(snapshot, ResultTables(snapshot), allRows: allLayers)
  }

  init(_ snapshot: Snapshot, _ tables: ResultTables, allRows: Bool = false) throws {
    self.snapshot = snapshot
    self.allRows = allRows
    self.tables = tables
    digest = try Digest.of(snapshot.states)
  }

  /// A number with its standard error in the last digits, e.g. `0.5226(15)`.
  package static func withError(_ value: Double, _ error: Double) -> String { TextWriter.withError(value, error) }

  /// The report, below a note if this program would draw other numbers for the same job.
  package var text: String { ([note].compactMap { $0 } + body).joined(separator: "\n") }

  /// As it is stored: what a program of another version says too.
  package var storedText: String { body.joined(separator: "\n") }

  /// The stable JSON format of docs/json.md.
  package func json() throws -> String {
    try JSONWriter.text(ReportDocument(snapshot: snapshot, tables: tables, digest: digest))
  }

  /// A sentence on draws that another version of the program made.
  package var note: String? {
    let version = snapshot.job.streamVersion
    guard version != Job.streamVersion else { return nil }
    return "note: these draws are of stream version \(version), this program makes those of version "
      + "\(Job.streamVersion): it shows and verifies the file, and can neither resume nor merge it"
  }

  private var body: [String] {
    var lines = warnings
    if let look { lines += [look, ""] }
    for item in snapshot.job.cases { lines += self.lines(item) + [""] }
    for group in tables.groups("scaling") { lines += print(group) + [""] }
    for group in tables.groups("transfer") { lines += print(group) + [""] }
    for group in tables.groups("trend") { lines += print(group) + [""] }
    for group in tables.groups(DepthLaws.group) { lines += print(group) + [""] }
    if !health.isEmpty { lines += health + [""] }
    return lines + ["digest \(digest)"]
  }

  /// Of many cases those that are not healthy, and how many are.
  private var health: [String] {
    let groups = tables.groups("health")
    let others = groups.filter { $0[0].text("verdict") != Equivalence.agrees.rawValue }
    let healthy = groups.count - others.count
    guard !allRows, healthy > 4 else { return groups.flatMap { print($0) } }
    return others.flatMap { print($0) } + [
      "health: \(healthy)\(others.isEmpty ? "" : " other") cases are healthy (fathom show --all)"
    ]
  }

  /// Where a run with a rule for its end is.
  private var look: String? {
    guard let rule = snapshot.job.stop, let look = snapshot.job.look else { return nil }
    let share = Int(1 / rule.share(ofLook: look))
    return "look \(look + 1) of \(rule.looks): tests share 1/\(share) of the probability of a false statement"
      + (snapshot.isFinished ? "" : "; its draws are under way")
  }

  /// What was measured and not judged, and which key would change that.
  private var warnings: [String] {
    let groups = tables.groups("comparison")
    let several = snapshot.job.cases.count > 1
    let found = groups.compactMap { group -> String? in
      guard let text = group[0].text("not_judged"), !text.isEmpty else { return nil }
      return "not judged" + (several ? ", \(group[0].text("case") ?? "")" : "") + ": " + text
    }
    return found.isEmpty
      ? [] : found.prefix(8) + (found.count > 8 ? ["not judged: \(found.count - 8) more"] : []) + [""]
  }

  private func lines(_ item: Case) -> [String] {
    var lines = snapshot.job.cases.count > 1 ? ["case \(item.label)"] : []
    for leg in item.legs {
      guard let tally = snapshot.state(item.path(of: leg))?.tally else { continue }
      let made = UInt64(tally.counter(.draws))
      func noun(_ count: UInt64) -> String { leg.drawName + (count == 1 ? "" : "s") }
      var line = "\(leg.name): "
      line +=
        made > leg.draws
        ? "\(made) \(noun(made)), the job asks for \(leg.draws)" : "\(made) of \(leg.draws) \(noun(leg.draws))"
      let bad = [
        ("overflowed", tally.counter(.overflowed)),
        ("with V = 0 for some input (dead units or underflow)", tally.counter(.underflowed)),
      ]
      for (what, count) in bad where count > 0 { line += ", \(count) \(what)" }
      lines.append(line)
    }
    func mine(_ kind: String) -> [[Table]] { tables.groups(kind).filter { $0[0].text("case") == item.label } }
    let comparisons = mine("comparison")
    if comparisons.isEmpty, let leg = item.finite { lines += print([means(item, leg)].compactMap { $0 }) }
    for group in comparisons + mine("claims") + mine("estimands") + mine("diagnostics") { lines += print(group) }
    return lines
  }

  private func print(_ group: [Table]) -> [String] { group.flatMap { TextWriter.lines($0, all: allRows) } }

  /// What was measured, where there is nothing to compare it with.
  private func means(_ item: Case, _ leg: Leg) -> Table? {
    guard let tally = snapshot.state(item.path(of: leg))?.tally else { return nil }
    let schema = leg.schema
    let moments = (0..<schema.width).map { tally.moments($0) }
    var table = Table(
      group: "",
      rows: [
        .init("observable", .texts((0..<schema.width).map { schema.observables[$0 % schema.observables.count].name })),
        .init("record", .numbers((0..<schema.width).map { schema.axis.values[$0 / schema.observables.count] })),
        .init("mean", .numbers(moments.map(\.mean))), .init("error", .numbers(moments.map(\.meanError))),
        .init("deviation", .numbers(moments.map(\.standardDeviation))),
        .init("deviation_error", .numbers(moments.map(\.standardDeviationError))),
      ])
    table.fields = [
      .init("observable", "observable"), .init(schema.axis.name, "record"),
      .init("mean", "mean", .value(error: "error")),
      .init("standard deviation", "deviation", .value(error: "deviation_error")),
    ]
    table.shown = Array((0..<schema.width).suffix(max(40, schema.observables.count)))
    return table
  }
}
