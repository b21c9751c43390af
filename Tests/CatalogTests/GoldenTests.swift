import Experiments
import Foundation
import Jobs
import Results
import Testing

/// A small job for every line of the catalog, and the digest that it had when it was recorded. A changed constant anywhere in a draw fails the
/// test of its name; digests are recorded again by `tools/goldens.py record` only, together with `Job.streamVersion`.
@Suite struct GoldenTests {
  struct Golden: Decodable, Sendable, CustomTestStringConvertible {
    let name, job, digest: String
    var testDescription: String { name }
  }

  static let all: [Golden] = {
    guard let url = Bundle.module.url(forResource: "Goldens/goldens", withExtension: "json"),
      let data = try? Data(contentsOf: url)
    else { return [] }
    return (try? JSONDecoder().decode([Golden].self, from: data)) ?? []
  }()

  @Test func thereAreGoldens() { #expect(Self.all.count > 250) }

  /// Three runs of each: whole, on one rank; stopped five times on 3, 2, 7 and 1 ranks, coded and resumed; in two parts, on 2 and on 7 ranks,
  /// coded and merged. Replicas of the parts are shared by two and by three ranks.
  @Test(arguments: all)
  func theBitsAreThoseRecorded(golden: Golden) throws {
    let file = try job(golden.job)
    #expect(try digest(file, ranks: 1) == golden.digest, "\(golden.name)")
    let (stopped, _) = try stoppedDigest(file, questions: [2, 5, 11, 3, 23])
    #expect(stopped == golden.digest, "\(golden.name), stopped")
    let isShared = ["[particles]", "dynamics = \"steps\"", "domain = \"box\""].contains { golden.job.contains($0) }
    var states = try reread(part(1, 1, of: 3, file, ranks: 2, shards: isShared ? 2 : nil), file.job)
    let others = try reread(part(2, 3, of: 3, file, ranks: 7, shards: isShared ? 3 : nil), file.job)
    for (i, entry) in file.job.sampledLegs.enumerated() { states[i].formUnion(others[i], entry.leg, of: file.job) }
    #expect(try Digest.of(states) == golden.digest, "\(golden.name), in parts")
  }

  /// Every line of the catalog that can be run is in some golden.
  @Test func everyLineOfTheCatalogHasAGolden() throws {
    let text = Self.all.map(\.job).joined(separator: "\n")
    for entry in Registry.entries where entry.kind != "table" {
      #expect(text.contains("\"\(entry.name)\""), "\(entry.kind) \(entry.name) has no golden")
    }
  }
}
