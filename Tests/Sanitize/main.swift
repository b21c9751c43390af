import Engine
import Experiments
import Foundation
import Jobs
import Results

// What `make sanitize` runs under AddressSanitizer, in one process and at tiny sizes: the golden job of every line of the catalog, stopped and
// resumed, with its tables and reports; and every network among them with every limit that takes it and every single observable. What the
// catalog gets is tried without a further line here: limits and observables are those that it lists.
//
//     fathom-sanitize I K FOLDER      the I-th of K shares of the jobs; the job under way stands in FOLDER/job-I.toml
//
// Starts from the root of the repository. A mistake of memory ends the process with AddressSanitizer's report.

struct Golden: Decodable { let name, job: String }

struct Sanitizer {
  let share, shares: Int
  let current: String
  var turn = 0
  var ran = 0
  var refused = 0
  var failures: [String] = []

  /// Every limit of the catalog, with each value of every key that is a choice, as values of the key `limit`.
  static let limits: [String] = Registry.entries.filter { $0.kind == "limit" }.flatMap { entry -> [String] in
    entry.parameters.reduce(["equation = \"\(entry.name)\""]) { tables, parameter in
      switch (parameter.name, parameter.kind) {
      case ("equation", _): return tables
      case ("step", _): return tables.map { $0 + ", step = 0.25" }
      case ("extrapolate", _): return tables.map { $0 + ", extrapolate = true" }
      case (_, .choice(let names)):
        return tables.flatMap { table in names.map { "\(table), \(parameter.name) = \"\($0)\"" } }
      default: return tables
      }
    }
  }.map { "limit={ \($0) }" }

  /// The words of what the key `observables` of some architecture may hold; those that are no observable are refused like any other.
  static let observables: [String] = Set(
    Registry.entries.flatMap(\.parameters).filter { $0.name == "observables" }.flatMap { parameter in
      parameter.allowed.split { ",; ".contains($0) }.map(String.init)
    }
  ).sorted()

  static func observing(_ names: [String]) -> String {
    "network.observables=[\(names.map { "\"\($0)\"" }.joined(separator: ", "))]"
  }

  /// The job, nil if the program refuses it.
  mutating func read(_ text: String, _ settings: [String]) -> JobFile? {
    let words = settings.map { "# --set \($0)\n" }.joined()
    try? (text + "\n" + words).write(toFile: current, atomically: false, encoding: .utf8)
    do { return try JobReader(data: DataFiles(job: "job.toml")).read(text, name: "job.toml", settings: settings) } catch
    {
      refused += 1
      return nil
    }
  }

  /// Runs a job, and makes its tables as text and as JSON.
  /// - Parameter interrupted: on two ranks until it is stopped, and from its coded state on three to its end; else on one rank.
  mutating func run(_ file: JobFile, _ name: String, interrupted: Bool = false) {
    ran += 1
    do {
      let snapshot = try interrupted ? resumed(file.job) : LocalRun.run(file.job, ranks: 1).snapshot
      let report = try Report(snapshot, allLayers: true)
      _ = (report.text, try report.json())
    } catch {
      failures.append("\(name): \(error)")
    }
  }

  private func resumed(_ job: Job) throws -> Snapshot {
    let questions = Questions(before: 3)
    var options = LocalRun.Options()
    options.stopRequested = { questions.areOver }
    let first = try LocalRun.run(job, ranks: 2, options: options).snapshot
    let coded = try zip(first.states, job.sampledLegs).map { state, entry in
      var encoder = StateEncoder()
      state.encode(to: &encoder, entry.leg)
      return try LegState(from: StateDecoder(bytes: encoder.bytes), path: state.path, entry.leg, of: job)
    }
    return try LocalRun.run(job, ranks: 3, restored: coded).snapshot
  }

  /// Whether a piece of work belongs to this share. Scattered, so that no share gets all of one kind.
  mutating func isMine() -> Bool {
    turn += 1
    return ((turn &* 2_654_435_761) >> 16) % shares == share % shares
  }

  mutating func tryAll(_ goldens: [Golden]) {
    var seen: Set<[String]> = []
    for golden in goldens {
      let isNetwork = golden.job.contains("[network]")
      let tiny = isNetwork ? ["network.draws=6"] : []
      if isMine(), let file = read(golden.job, tiny) ?? read(golden.job, []) {
        run(file, golden.name, interrupted: true)
      }
      guard isNetwork else { continue }
      // The same network with other observables or limits is tried once.
      let alone = ["limit=[]", "network.draws=6"]
      guard let network = read(golden.job, alone + [Self.observing(["V"])]),
        seen.insert(network.job.identity.filter { !$0.contains("limit") && !$0.hasPrefix("seed") }).inserted
      else { continue }
      let observables = Self.observables.filter { read(golden.job, alone + [Self.observing([$0])]) != nil }
      for limit in Self.limits where isMine() {
        let setting = [limit, "network.draws=3"]
        guard let all = read(golden.job, setting + [Self.observing(observables)]) else { continue }
        run(all, "\(golden.name), \(limit)")
        for observable in observables {
          guard let one = read(golden.job, setting + [Self.observing([observable])]) else { continue }
          run(one, "\(golden.name), \(limit), \(observable)")
        }
      }
    }
  }
}

/// Asks a run to stop after a given number of questions.
final class Questions: @unchecked Sendable {
  private let lock = NSLock()
  private var left: Int
  init(before count: Int) { left = count }
  var areOver: Bool {
    lock.withLock {
      left -= 1
      return left < 0
    }
  }
}

let words = CommandLine.arguments.dropFirst()
guard words.count == 3, let share = Int(words[1]), let shares = Int(words[2]), shares >= 1 else {
  print("usage: fathom-sanitize I K FOLDER")
  exit(64)
}
let goldens = try JSONDecoder().decode(
  [Golden].self, from: Data(contentsOf: URL(fileURLWithPath: "Tests/CatalogTests/Goldens/goldens.json")))
var sanitizer = Sanitizer(share: share, shares: shares, current: "\(words[3])/job-\(share).toml")
sanitizer.tryAll(goldens)
for failure in sanitizer.failures { print("sanitize: \(failure)") }
print(
  "sanitize: share \(share) of \(shares): \(sanitizer.ran) jobs ran, \(sanitizer.refused) were refused, \(sanitizer.failures.count) failed"
)
exit(sanitizer.failures.isEmpty && sanitizer.ran > 0 ? 0 : 1)
