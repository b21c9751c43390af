import Engine
import Experiments
import Foundation
import Jobs
import Results
import Synchronization

/// As in ModelTests: full size under `make validate`.
let validating = ProcessInfo.processInfo.environment["FATHOM_VALIDATE"] != nil

/// Root of the repository: data files of jobs are named from it.
let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent().path

/// Data files of jobs/, and of the goldens, which name them from the root of the repository, wherever the tests run.
struct RootedData: DataSource {
  func table(_ request: TableRequest) throws -> DataTable {
    let place = request.file.hasPrefix("jobs/") ? "golden.toml" : "jobs/job.toml"
    return try DataFiles(job: "\(root)/\(place)").table(request)
  }

  func samples(_ request: SampleRequest) throws -> SampleTable {
    let place = request.file.hasPrefix("jobs/") ? "golden.toml" : "jobs/job.toml"
    return try DataFiles(job: "\(root)/\(place)").samples(request)
  }

  func graph(_ request: GraphRequest) throws -> EdgeList {
    let place = request.file.hasPrefix("jobs/") ? "golden.toml" : "jobs/job.toml"
    return try DataFiles(job: "\(root)/\(place)").graph(request)
  }
}

func job(
  _ text: String, _ settings: [String] = [], families: [RegisteredFamily] = Registry.families, check: Bool = false
) throws -> JobFile {
  try JobReader(families: families, data: RootedData()).read(text, name: "job.toml", settings: settings, check: check)
}

/// A whole run on a given number of ranks.
func digest(_ file: JobFile, ranks: Int, shards: Int? = nil) throws -> String {
  var options = LocalRun.Options()
  options.shards = shards ?? file.shards
  return try Digest.of(LocalRun.run(file.job, ranks: ranks, options: options).snapshot.states)
}

/// The states of a run as the next one finds them: coded and read back.
func reread(_ states: [LegState], _ job: Job) throws -> [LegState] {
  try zip(states, job.sampledLegs).map { state, entry in
    var encoder = StateEncoder()
    state.encode(to: &encoder, entry.leg)
    return try LegState(
      from: StateDecoder(bytes: encoder.bytes), path: state.path, entry.leg, of: job)
  }
}

/// Stopped again and again, each time on another number of ranks, after a given number of questions whether to stop; the last run goes to the end.
func stoppedDigest(_ file: JobFile, questions: [Int]) throws -> (digest: String, stops: Int) {
  var restored: [LegState]?
  var stops = 0
  for (index, count) in questions.enumerated() {
    let asked = Counter()
    var options = LocalRun.Options()
    options.shards = file.shards
    options.stopRequested = { asked.next() > count }
    let (snapshot, outcome) = try LocalRun.run(
      file.job, ranks: [3, 2, 7, 1][index % 4], restored: restored, options: options)
    stops += outcome == .stopped ? 1 : 0
    restored = try reread(snapshot.states, file.job)
  }
  let (snapshot, _) = try LocalRun.run(file.job, ranks: 2, restored: restored)
  return (try Digest.of(snapshot.states), stops)
}

final class Counter: Sendable {
  private let value = Atomic<Int>(0)
  func next() -> Int { value.add(1, ordering: .relaxed).newValue }
}

func part(
  _ first: Int, _ last: Int, of count: Int, _ file: JobFile, ranks: Int = 2, shards: Int? = nil
) throws -> [LegState] {
  var options = LocalRun.Options()
  options.shards = shards
  options.part = DrawPart(first: first, last: last, count: count)
  return try LocalRun.run(file.job, ranks: ranks, options: options).snapshot.states
}
