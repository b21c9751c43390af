import Experiments
import Foundation
import Jobs
import Results
import Testing

/// A small job for every line of the catalog, and the digest that it had when it was recorded. A changed constant anywhere in a draw fails the
/// test of its name; digests are recorded anew by `tools/goldens.py record` only, together with `Job.streamVersion`.
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

  @Test(arguments: all)
  func theBitsAreThoseRecorded(golden: Golden) throws {
    let file = try job(golden.job)
    for ranks in [1, 2, 3, 7] {
      #expect(try digest(file, ranks: ranks) == golden.digest, "\(golden.name) on \(ranks) ranks")
    }
  }

  /// Stopped five times on changing numbers of ranks, resumed from its coded state.
  @Test(arguments: all)
  func theBitsDoNotDependOnStops(golden: Golden) throws {
    let file = try job(golden.job)
    let (found, _) = try stoppedDigest(file, questions: [2, 5, 11, 3, 23])
    #expect(found == golden.digest)
  }

  /// Replicas shared by two and by three ranks.
  @Test(arguments: all.filter { $0.job.contains("[particles]") })
  func theBitsDoNotDependOnShards(golden: Golden) throws {
    let file = try job(golden.job)
    #expect(try digest(file, ranks: 2, shards: 2) == golden.digest)
    #expect(try digest(file, ranks: 7, shards: 3) == golden.digest)
  }

  /// Parts of the draws, made apart and merged.
  @Test(arguments: all)
  func theBitsOfPartsAreThoseOfOneRun(golden: Golden) throws {
    let file = try job(golden.job)
    let parts = try [(1, 1), (2, 3)].map { try part($0.0, $0.1, of: 3, file) }
    var states = try reread(parts[0], file.job)
    for (i, entry) in file.job.sampledLegs.enumerated() {
      states[i].formUnion(try reread(parts[1], file.job)[i], entry.leg, of: file.job)
    }
    #expect(try Digest.of(states) == golden.digest)
  }

  /// Every line of the catalog that can be run is in some golden.
  @Test func everyLineOfTheCatalogHasAGolden() throws {
    let text = Self.all.map(\.job).joined(separator: "\n")
    let kinds = ["architecture", "activation", "limit", "system", "integrator", "problem"]
    for entry in Registry.entries where kinds.contains(entry.kind) {
      #expect(text.contains("\"\(entry.name)\""), "\(entry.kind) \(entry.name) has no golden")
    }
  }
}
