import Analyses
import Engine
import Experiments
import Statistics

/// Runs a job in this process and compares what came out with its expectations.
public enum Checker {
  public struct Result: Sendable {
    public let expectation: Expectation
    /// Label of the case; empty where it is of the whole job.
    public let place: String
    public let holds: Bool
    /// What was expected and what came out.
    public let sentence: String
  }

  public static func run(_ file: JobFile, threads: Int) throws -> [Result] {
    var options = LocalRun.Options()
    options.shards = file.shards
    return results(try LocalRun.run(file.job, ranks: threads, options: options).snapshot)
  }

  /// Every expectation in every case that it speaks of. One that speaks of nothing in the job does not hold.
  public static func results(_ snapshot: Snapshot) -> [Result] {
    let verdicts = Analyses.all(snapshot).flatMap(\.verdicts)
    return snapshot.job.expectations.flatMap { expectation -> [Result] in
      let (place, subject) = split(expectation.subject)
      let found =
        expectation.verdict != nil
        ? compare(expectation, verdicts.filter { $0.subject == subject && (place.isEmpty || $0.caseLabel == place) })
        : values(expectation, subject, place, snapshot)
      return found.isEmpty
        ? [
          Result(
            expectation: expectation, place: "", holds: false,
            sentence: "\(expectation.subject): nothing of that name is compared or measured")
        ] : found
    }
  }

  /// `case: subject`, or the subject in every case.
  private static func split(_ text: String) -> (place: String, subject: String) {
    guard let border = text.firstRange(of: ": ") else { return ("", text) }
    return (String(text[..<border.lowerBound]), String(text[border.upperBound...]))
  }

  private static func compare(_ expectation: Expectation, _ verdicts: [Verdict]) -> [Result] {
    verdicts.map { verdict in
      let place = verdict.caseLabel == "main" ? "" : "\(verdict.caseLabel): "
      return Result(
        expectation: expectation, place: verdict.caseLabel, holds: verdict.word.rawValue == expectation.verdict,
        sentence:
          "\(place)\(verdict.subject): expected \(expectation.verdict!), found \(verdict.word.rawValue): \(verdict.sentence)"
      )
    }
  }

  private static func values(
    _ expectation: Expectation, _ subject: String, _ place: String, _ snapshot: Snapshot
  ) -> [Result] {
    snapshot.job.cases.filter { place.isEmpty || $0.label == place }.compactMap { item in
      guard let leg = item.finite, let index = leg.schema.place(of: subject),
        let tally = snapshot.state(item.path(of: leg))?.tally
      else { return nil }
      let moments = tally.moments(leg.schema.index(leg.axis.count - 1, index))
      let distance = (moments.mean - expectation.value!).magnitude
      let label = item.label == "main" ? "" : "\(item.label): "
      return Result(
        expectation: expectation, place: item.label, holds: distance <= expectation.tolerance!,
        sentence:
          "\(label)E \(subject): expected \(expectation.value!) +- \(expectation.tolerance!), found \(moments.mean) +- \(moments.meanError)"
      )
    }
  }
}
