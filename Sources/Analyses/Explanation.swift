import Experiments

/// What a result says, in sentences, and what would change what it does not say. Made of the analyses, so that a sentence follows
/// from numbers that stand in the file with their errors; it knows no family and no key by name, as they do not.
package struct Explanation {
  /// Whether something follows from the draws, or does not.
  package enum Part: String, Sendable { case shows, open }

  package struct Statement: Sendable {
    package let part: Part
    /// A reason of docs/verdicts.md, or one of docs/explain.md.
    package let code: String
    /// What verdicts call it; empty for the whole result.
    package let subject: String
    package let sentence: String
  }

  /// What to change in the job.
  package enum Change: Sendable, Equatable {
    /// The same job again: its draws are not all there.
    case resume
    /// So many times the draws of every leg.
    case draws(factor: Double)
    /// So many times the measured steps.
    case steps(factor: Int)
    /// One case alone, with other values of some keys (dotted, as numbers in text).
    case values([Setting])
    /// One case alone, with half the step of a process, and as much time as before.
    case refined(Setting)
    /// A sweep of one key, and of the keys that keep their ratio to it: a list of values each.
    case sweep([Series])
  }

  package struct Setting: Sendable, Equatable {
    package let key, value: String

    package init(key: String, value: String) {
      (self.key, self.value) = (key, value)
    }
  }

  package struct Series: Sendable, Equatable {
    package let key: String
    package let values: [String]
  }

  /// What to run next.
  package struct Remedy: Sendable {
    /// What it will tell, as a sentence without its end.
    package let purpose: String
    package let change: Change
    /// The case that it is about; nil for all.
    package let item: Case?
  }

  package private(set) var statements: [Statement] = []
  package private(set) var remedies: [Remedy] = []
  /// Whether some row of a comparison is judged.
  package let comparesAnything: Bool
  let snapshot: Snapshot

  package init(_ snapshot: Snapshot) {
    self.snapshot = snapshot
    let comparisons = Analyses.comparisons(snapshot)
    comparesAnything = comparisons.contains { own in own.rows.contains { $0.verdict != nil } }
    explainProgress()
    let scalings = Analyses.scalings(snapshot, comparisons)
    let claims = Analyses.claims(snapshot)
    explain(claims)
    explain(Analyses.diagnostics(snapshot))
    explain(comparisons, scalings)
    explain(scalings)
    explain(Analyses.trends(snapshot))
    explain(Analyses.transfers(snapshot))
    explain(Analyses.depthLaws(snapshot))
    let health = Analyses.health(snapshot)
    explain(health)
    explainEnd()
    if comparisons.isEmpty, health.isEmpty, claims.isEmpty { measured() }
    // What more draws would say is known once those that were asked for are there.
    if let resume = remedies.first(where: { $0.change == .resume }) { remedies = [resume] }
    merge()
  }

  mutating func say(_ part: Part, _ code: String, _ subject: String, _ sentence: String) {
    statements.append(Statement(part: part, code: code, subject: subject, sentence: sentence + "."))
  }

  mutating func advise(_ change: Change, _ purpose: String, _ item: Case? = nil) {
    remedies.append(Remedy(purpose: purpose, change: change, item: item))
  }

  // MARK: Words

  var isSwept: Bool { snapshot.job.cases.count > 1 }

  func item(_ label: String) -> Case? { snapshot.job.cases.first { $0.label == label } }

  /// `in width=16: ` for one case of several.
  func place(_ label: String) -> String { isSwept && !label.isEmpty ? " (\(label))" : "" }

  func made(_ item: Case) -> Int64 {
    item.finite.flatMap { snapshot.state(item.path(of: $0)) }?.tally.counter(.draws) ?? 0
  }

  /// `the network (width 150, depth 150; 200,000 draws)`.
  func describe(_ item: Case) -> String {
    guard let leg = item.finite else { return "nothing" }
    let names = snapshot.job.smallParameters.flatMap { small in
      [small.name] + small.ratios.map { $0.split(separator: ".").last.map(String.init) ?? $0 }
    }
    let facts = names.compactMap { name in leg.attributes[name].map { "\(name) \($0)" } }
    let start = facts.isEmpty ? "" : facts.joined(separator: ", ") + "; "
    return "the \(leg.name) (\(start)\(Words.count(made(item), leg.drawName)))"
  }

  /// The first four, two where they are long, and how many more.
  static func list(_ names: [String]) -> String {
    let once = names.reduce(into: [String]()) { if !$1.isEmpty && !$0.contains($1) { $0.append($1) } }
    let most = once.contains { $0.count > 40 } ? 2 : 4
    return once.prefix(most).joined(separator: ", ") + (once.count > most ? " and \(once.count - most) more" : "")
  }

  // MARK: Progress

  private mutating func explainProgress() {
    let entries = snapshot.job.sampledLegs.map { entry in
      (leg: entry.leg, made: snapshot.state(entry.path).map { UInt64($0.done.count) } ?? 0)
    }
    let short = entries.filter { $0.made < $0.leg.draws }
    guard let first = short.first else { return }
    let (made, all) = (
      entries.reduce(0) { $0 + min($1.made, $1.leg.draws) }, entries.reduce(0) { $0 + $1.leg.draws }
    )
    var sentence =
      "Not finished: \(Words.group(made)) of \(Words.count(all, first.leg.drawName)) are there, over all cases and legs"
    if snapshot.division > 1 {
      sentence +=
        "; the file holds part \(snapshot.partsBegun.list) of \(snapshot.division), and fathom merge joins the parts"
    }
    say(.open, "unfinished", "", sentence + "; what follows is of the draws that are there")
    advise(
      .resume,
      snapshot.division > 1
        ? "make the draws that are missing here, or run the other parts and merge" : "make the missing draws")
  }

  /// What was measured, where it is compared with nothing.
  private mutating func measured() {
    let items = snapshot.job.cases.filter { made($0) > 1 }
    guard !items.isEmpty else { return }
    for item in items.prefix(4) {
      guard let leg = item.finite, let state = snapshot.state(item.path(of: leg)) else { continue }
      let record = leg.axis.count - 1
      let own = Measured(leg: leg, state: state)
      let words = leg.observables.indices.compactMap { place -> String? in
        guard leg.observables[place].isPhysical, let found = own.estimate(.mean, record, place), found.failing == nil
        else {
          return nil
        }
        return "\(leg.observables[place].name) \(Words.format(found.value, 5)) +- \(Words.format(found.error, 2))"
      }
      guard !words.isEmpty else { continue }
      say(
        .shows, "measured", item.label,
        "Means of \(describe(item)) at \(leg.axis.name) \(Axis.label(leg.axis.values[record]))\(place(item.label)): \(Self.list(words))"
      )
    }
    say(
      .open, "no_reference", "",
      "The job compares with nothing, and nothing exact is known of it, so that there is no verdict: add a [[limit]] (fathom catalog)"
    )
  }

  // MARK: Remedies

  /// One command for all that the same change would say.
  private mutating func merge() {
    var result: [Remedy] = []
    for remedy in remedies {
      guard let place = result.firstIndex(where: { Self.join($0, remedy) != nil }) else {
        result.append(remedy)
        continue
      }
      result[place] = Self.join(result[place], remedy)!
    }
    remedies = result
  }

  /// More of the same is the most of both; nil for two changes that are not of one kind.
  private static func join(_ a: Remedy, _ b: Remedy) -> Remedy? {
    switch (a.change, b.change) {
    case (.draws(let one), .draws(let other)): return one >= other ? a : b
    case (.steps(let one), .steps(let other)): return one >= other ? a : b
    default:
      guard a.change == b.change, a.item?.label == b.item?.label else { return nil }
      let purpose = a.purpose == b.purpose ? a.purpose : a.purpose + "; " + b.purpose
      return Remedy(purpose: purpose, change: a.change, item: a.item)
    }
  }
}

extension Words {
  /// `200,000`.
  static func group(_ number: some BinaryInteger) -> String {
    let digits = Array(String(number))
    return String(
      digits.indices.flatMap { place -> [Character] in
        place > 0 && (digits.count - place) % 3 == 0 && digits[place - 1] != "-"
          ? [",", digits[place]] : [digits[place]]
      })
  }

  /// `1 draw`, `200,000 draws`.
  static func count(_ number: some BinaryInteger, _ noun: String) -> String {
    "\(group(number)) \(noun)\(number == 1 ? "" : "s")"
  }

  static func capitalised(_ sentence: String) -> String { sentence.prefix(1).uppercased() + sentence.dropFirst() }
}
