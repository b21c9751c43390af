import Analyses
import ArgumentParser
import Experiments
import Foundation
import Jobs

struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Run jobs at the smaller sizes of their [check] and compare them with their [expect].",
    discussion: """
      Writes no file. Exits with 1 if some expectation does not hold, and says which.

        fathom check jobs/*.toml
        fathom check job.toml --full          at the sizes of the job itself
        fathom check job.toml --all           what can be expected of it
        fathom check job.toml --json          a stable format (docs/json.md)
      """)

  @Argument(help: "Job files (TOML).") var jobs: [String]
  @Flag(help: "Run the jobs at their own sizes.") var full = false
  @Flag(help: "Print what holds as well, and every verdict that could be expected.") var all = false
  @Flag(help: "Print JSON: every expectation and every verdict.") var json = false
  @Option(help: "Threads to run on.") var threads = ProcessInfo.processInfo.activeProcessorCount

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp("Override a key of every job; may be repeated.", valueName: "key=value"))
  var settings: [String] = []

  func validate() throws {
    guard (1...1024).contains(threads) else { throw ValidationError("--threads must be in [1, 1024]") }
  }

  func run() throws {
    var failed = 0
    var documents: [CheckDocument.Job] = []
    for path in jobs {
      let text = try JobOptions.text(of: path)
      let start = Date()
      var (results, verdicts): ([CheckDocument.Result], [Verdict]) = ([], [])
      if GramJob.isOne(text, name: path) {
        let job = try GramJob.read(text, name: path, settings: settings, check: !full, data: DataFiles(job: path))
        for note in Notes.take() { Console.log("\(path): \(note)") }
        results = try job.check().map { result in
          // Its sentences begin with what they are about.
          let subject = result.sentence.components(separatedBy: ": expected")[0]
          return .init(subject: subject, place: "", holds: result.holds, sentence: result.sentence)
        }
      } else {
        let file = try JobReader(data: DataFiles(job: path)).read(text, name: path, settings: settings, check: !full)
        for note in Notes.take() { Console.log("\(path): \(note)") }
        let found = try Checker.run(file, threads: threads)
        verdicts = found.verdicts
        results = found.results.map {
          .init(subject: $0.expectation.subject, place: $0.place, holds: $0.holds, sentence: $0.sentence)
        }
      }
      let seconds = Date().timeIntervalSince(start)
      let bad = results.filter { !$0.holds }
      failed += bad.count
      if json {
        documents.append(.init(job: path, seconds: seconds, results: results, verdicts: verdicts.map { .init($0) }))
        continue
      }
      try Console.print(Self.summary(path, results.count, bad.count, seconds))
      for result in all ? results : bad {
        try Console.print("  \(result.holds ? "" : "DOES NOT HOLD: ")\(result.sentence)")
      }
      for verdict in all ? verdicts : [] {
        let place = verdict.caseLabel.isEmpty ? "" : verdict.caseLabel + ": "
        try Console.print("  verdict: \(place)\(verdict.subject) = \(verdict.word.rawValue)")
      }
    }
    if json { try Console.print(CheckDocument(full: full, settings: settings, jobs: documents).text()) }
    if failed > 0 {
      if !json { try Console.print("\(failed) expectation\(failed == 1 ? " does" : "s do") not hold") }
      Foundation.exit(1)
    }
  }

  private static func summary(_ path: String, _ count: Int, _ bad: Int, _ seconds: Double) -> String {
    count == 0
      ? "\(path): has no [expect], so nothing was compared; \(Console.duration(seconds))"
      : "\(path): \(count - bad) of \(count) expectations hold, \(Console.duration(seconds))"
  }
}

/// What `--json` prints.
struct CheckDocument: Encodable {
  struct Result: Encodable {
    let subject, place: String, holds: Bool, sentence: String

    private enum CodingKeys: String, CodingKey {
      case place = "case"
      case subject, holds, sentence
    }
  }
  struct Outcome: Encodable {
    let place, subject, verdict, sentence: String

    init(_ verdict: Verdict) {
      (place, subject) = (verdict.caseLabel, verdict.subject)
      (self.verdict, sentence) = (verdict.word.rawValue, verdict.sentence)
    }

    private enum CodingKeys: String, CodingKey {
      case place = "case"
      case subject, verdict, sentence
    }
  }
  struct Job: Encodable {
    let job: String, seconds: Double
    let results: [Result]
    let verdicts: [Outcome]
  }
  let schema = "fathom-check/1"
  let version = programVersion
  let stream_version = Experiments.Job.streamVersion
  let full: Bool
  let settings: [String]
  let jobs: [Job]

  func text() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(self), as: UTF8.self)
  }
}
