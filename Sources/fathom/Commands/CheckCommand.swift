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
      """)

  @Argument(help: "Job files (TOML).") var jobs: [String]
  @Flag(help: "Run the jobs at their own sizes.") var full = false
  @Flag(help: "Print what holds as well, and every verdict that could be expected.") var all = false
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
    for path in jobs {
      let text = try JobOptions.text(of: path)
      let start = Date()
      if GramJob.isOne(text, name: path) {
        let job = try GramJob.read(text, name: path, settings: settings, check: !full, data: DataFiles(job: path))
        for note in Notes.take() { Console.log("\(path): \(note)") }
        failed += try report(path, job.check().map { ($0.holds, $0.sentence) }, since: start)
        continue
      }
      let file = try JobReader(data: DataFiles(job: path)).read(
        text, name: path, settings: settings, check: !full)
      for note in Notes.take() { Console.log("\(path): \(note)") }
      let (results, verdicts) = try Checker.run(file, threads: threads)
      failed += try report(path, results.map { ($0.holds, $0.sentence) }, since: start)
      if all {
        for verdict in verdicts {
          let place = verdict.caseLabel.isEmpty ? "" : verdict.caseLabel + ": "
          try Console.print("  verdict: \(place)\(verdict.subject) = \(verdict.word.rawValue)")
        }
      }
    }
    if failed > 0 {
      try Console.print("\(failed) expectation\(failed == 1 ? " does" : "s do") not hold")
      Foundation.exit(1)
    }
  }
  /// Prints what holds and what does not.
  /// - Returns: how many do not.
  private func report(_ path: String, _ results: [(holds: Bool, sentence: String)], since start: Date) throws -> Int {
    let bad = results.filter { !$0.holds }
    let seconds = Console.duration(Date().timeIntervalSince(start))
    if results.isEmpty {
      try Console.print("\(path): has no [expect], so nothing was compared; \(seconds)")
    } else {
      try Console.print("\(path): \(results.count - bad.count) of \(results.count) expectations hold, \(seconds)")
    }
    for result in all ? results : bad {
      try Console.print("  \(result.holds ? "" : "DOES NOT HOLD: ")\(result.sentence)")
    }
    return bad.count
  }
}
