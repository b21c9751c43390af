import Analyses
import Archive
import ArgumentParser
import Experiments
import Foundation
import Jobs
import Results

struct ExplainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain", abstract: "Say what a result shows, what it does not, and what to run next.",
    discussion: """
      Every sentence follows from numbers in the file; the commands are checked against the job before they are printed.

        fathom explain result.h5
        fathom explain result.h5 --json       a stable format (docs/explain.md)
      """)

  @Argument(help: "A result file.") var file: String
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    let snapshot = try ResultFile.load(file)
    let explanation = Explanation(snapshot)
    let next = try NextRuns(file, snapshot, explanation.remedies)
    try Console.print(
      json ? Self.jsonText(file, snapshot, explanation, next) : Self.text(file, snapshot, explanation, next))
  }

  private static func text(
    _ file: String, _ snapshot: Snapshot, _ explanation: Explanation, _ next: NextRuns
  ) -> String {
    var lines = ["\(file): \(snapshot.job.title), \(Words.contents(snapshot))"]
    if explanation.comparesAnything { lines.append(alpha(snapshot)) }
    for (part, heading) in [(Explanation.Part.shows, "What it shows"), (.open, "What it does not show")] {
      let mine = explanation.statements.filter { $0.part == part }
      if !mine.isEmpty { lines += ["", heading] + mine.map { "- \($0.sentence)" } }
    }
    lines += ["", "What to run next"]
    if next.runs.isEmpty { lines.append("- Nothing: no run would decide more.") }
    if let prepare = next.prepare { lines += ["- Write the job file out: it is not here.", "    \(prepare)"] }
    for run in next.runs {
      lines.append("- \(run.purpose.prefix(1).uppercased() + run.purpose.dropFirst()).")
      lines.append(run.command.map { "    \($0)" } ?? "    no command: \(run.reason ?? "")")
    }
    return lines.joined(separator: "\n")
  }

  private static func alpha(_ snapshot: Snapshot) -> String {
    "Any of the comparisons\(snapshot.job.cases.count > 1 ? " of a case" : "") is wrong with probability at most \(snapshot.job.tolerances.alpha) (comparison.alpha)."
  }

  private struct Document: Encodable {
    struct Statement: Encodable { let part, code, subject, sentence: String }
    struct Run: Encodable { let purpose: String, command: String?, reason: String? }
    let schema = "fathom-explain/1"
    let file, title: String
    let finished: Bool
    let alpha: Double
    let statements: [Statement]
    let prepare: String?
    let next: [Run]
  }

  private static func jsonText(
    _ file: String, _ snapshot: Snapshot, _ explanation: Explanation, _ next: NextRuns
  ) throws -> String {
    let document = Document(
      file: file, title: snapshot.job.title, finished: snapshot.isFinished, alpha: snapshot.job.tolerances.alpha,
      statements: explanation.statements.map {
        .init(part: $0.part.rawValue, code: $0.code, subject: $0.subject, sentence: $0.sentence)
      }, prepare: next.prepare,
      next: next.runs.map { .init(purpose: $0.purpose, command: $0.command, reason: $0.reason) })
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(document), as: UTF8.self)
  }
}

/// The commands of an explanation.
struct NextRuns {
  struct Run {
    let purpose: String
    let command: String?
    /// Why there is no command.
    let reason: String?
  }

  /// Writes the job file out, where it is not there any more.
  private(set) var prepare: String?
  private(set) var runs: [Run] = []

  init(_ file: String, _ snapshot: Snapshot, _ remedies: [Explanation.Remedy]) throws {
    guard !remedies.isEmpty else { return }
    let recorded = try ResultFile.jobFile(of: file)
    let found = Self.job(recorded, beside: file, snapshot)
    let job = found ?? Self.freeName(recorded.map(Self.name) ?? Self.stem(file) + ".toml")
    let advisor = Advisor(snapshot, name: job, data: DataFiles(job: job))
    var taken: Set<String> = []
    for remedy in remedies {
      do {
        let advice = try advisor.advice(remedy.change, remedy.item)
        let output = advice.resumes ? file : Self.freeName("\(Self.stem(file, folder: true))-\(advice.tag).h5", taken)
        if !advice.resumes { taken.insert(output) }
        var words = ["fathom", "run", job] + advice.settings.flatMap { ["--set", $0] }
        if output != advice.output { words += ["-o", output] }
        let isNew = advice.resumes || snapshot.job.streamVersion == Job.streamVersion
        runs.append(
          Run(
            purpose: remedy.purpose
              + (isNew
                ? "" : " (afresh: these draws are of version \(snapshot.job.streamVersion) of the random streams)"),
            command: words.map(Console.quoted).joined(separator: " "), reason: nil))
      } catch let failure as Failure {
        runs.append(Run(purpose: remedy.purpose, command: nil, reason: failure.message))
      }
    }
    if found == nil, runs.contains(where: { $0.command != nil }) {
      prepare = "fathom show \(Console.quoted(file)) --job > \(Console.quoted(job))"
    }
  }

  private static func name(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }

  private static func stem(_ path: String, folder: Bool = false) -> String {
    let own = folder ? path : name(path)
    return own.hasSuffix(".h5") ? String(own.dropLast(3)) : own
  }

  /// The job file with the recorded text: where the run was given it, or beside the result.
  private static func job(_ recorded: String?, beside file: String, _ snapshot: Snapshot) -> String? {
    guard let recorded else { return nil }
    let folder = file.lastIndex(of: "/").map { String(file[...$0]) } ?? ""
    let text = Advisor.split(snapshot.job.text).text.trimmingCharacters(in: .whitespacesAndNewlines)
    return [recorded, folder + name(recorded)].first { path in
      FileManager.default.contents(atPath: path).map {
        String(decoding: $0, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines) == text
      } ?? false
    }
  }

  private static func freeName(_ wanted: String, _ taken: Set<String> = []) -> String {
    let dot = wanted.lastIndex(of: ".") ?? wanted.endIndex
    var (name, index) = (wanted, 1)
    while FileSystem.exists(name) || taken.contains(name) {
      index += 1
      name = "\(wanted[..<dot])-\(index)\(wanted[dot...])"
    }
    return name
  }
}
