import Archive
import Experiments
import Foundation
import Testing

import Results

@Suite struct ResultFileTests {
  @Test(arguments: [false, true]) func statesComeBack(finished: Bool) throws {
    let folder = try Folder()
    let made = try Made.snapshot(finished: finished)
    try ResultFile(path: folder("x.h5"), creator: "fathom 0").save(made)
    let read = try ResultFile.verified(folder("x.h5"))
    #expect(try Digest.of(read.states) == Digest.of(made.states))
    #expect(read.states.map(\.path) == made.states.map(\.path) && read.isFinished == finished)
    #expect(read.states[0].rows == made.states[0].rows && read.states[0].rows.values.count == 7)
    #expect(read.states[1].begun.map(\.step) == (finished ? [] : [41]))
    #expect(read.states[1].begun.first?.decoder.entries.count == made.states[1].begun.first?.decoder.entries.count)
    #expect(try ArchiveReader(sealed: folder("x.h5")).contains("/report") == finished)
    let report = try Report(read)
    let digest = try Digest.of(made.states)
    #expect(report.note == nil && report.text.hasSuffix("digest \(digest)"))
    #expect(try JSONSerialization.jsonObject(with: Data(report.json().utf8)) is [String: Any])
  }

  @Test func labelsWithSlashesAreGroups() throws {
    let made = try Made.snapshot()
    #expect(ResultFile.group(made.job.cases[0], made.job.cases[0].legs[0]) == "cases/a_b=1/pair")
  }

  @Test func keptDrawsAreInTheDigest() throws {
    var states = try Made.snapshot().states
    let whole = try Digest.of(states)
    states[0].rows.values[3]![0] += 1
    #expect(try Digest.of(states) != whole)
  }

  @Test func anotherStreamVersionIsNoted() throws {
    let made = try Made.snapshot()
    let old = Job(
      title: "", seed: 1, cases: made.job.cases, tolerances: made.job.tolerances, covarianceLimit: 8, text: "",
      identity: ["stream = 1"])
    let report = try Report(Snapshot(job: old, states: made.states, provenance: []))
    #expect(report.note!.contains("stream version 1") && report.text.hasPrefix("note: "))
    #expect(!report.storedText.contains("stream version"))
  }

  @Test func jsonHasTheOldNames() throws {
    let object =
      try JSONSerialization.jsonObject(with: Data(Report(Made.snapshot()).json().utf8)) as! [String: Any]
    #expect(object["schema"] as? String == "fathom-report/2" && object["seed"] as? String == "7")
    #expect(
      Set(["finite_size", "orders", "bias", "diagnostics", "health", "digest", "title"]).isSubset(of: object.keys))
    let item = (object["cases"] as! [[String: Any]])[0]
    #expect(item["swept"] as? [String: Int] == ["a/b": 1])
    let legs = item["legs"] as! [[String: Any]]
    #expect(legs[0]["draws"] as? Int == 40 && legs[0]["draws_asked"] as? Int == 40)
    let first = (legs[0]["observables"] as! [[String: Any]])[3]
    #expect(
      first["name"] as? String == "V[0,1]" && first["layer"] as? Int == 2 && first["indices"] as? [Int] == [0, 1])
    let quantiles = first["quantiles"] as! [[String: Any]]
    #expect(quantiles.count == 11 && Set(quantiles[0].keys) == ["level", "value", "standard_error"])
    let known = legs[1]["observables"] as! [[String: Any]]
    #expect(known[0]["mean"] as? Double == 0.5 && known[2]["mean"] is NSNull && known[0]["second_moment"] is NSNull)
  }

  /// Every dataset of the states but those of replicas under way, and every fifth of the others: missing, half, of another type, full of
  /// wild numbers.
  @Test func forgedFilesAreRefused() throws {
    let folder = try Folder()
    let made = try Made.snapshot()
    try ResultFile(path: folder("x.h5"), creator: "fathom 0").save(made)
    let reader = try ArchiveReader(sealed: folder("x.h5"))
    let names = try reader.datasets()
    // What a replica under way needs, only a run can tell.
    for (index, name) in names.enumerated()
    where !name.contains("/begun/0/state/") && (name.hasPrefix("/state") || index % 5 == 0) {
      let kinds = Forger.Kind.allCases
      for kind in name.hasPrefix("/state/0") || name.contains("begun") ? kinds : [kinds[index % 4]] {
        let path = folder("forged.h5")
        try Forger.copy(folder("x.h5"), to: path, changing: name, kind)
        #expect("\(name), \(kind)") { try ResultFile.verified(path) } throws: { error in
          guard let failure = error as? Failure else { return false }
          return failure.status == .badData && failure.message.contains(path)
        }
      }
    }
    try Forger.copy(folder("x.h5"), to: folder("more.h5"), adding: "/state/0/more")
    #expect { try ResultFile.verified(folder("more.h5")) } throws: { "\($0)".contains("/state/0/more") }
  }

  @Test func jobsThatContradictThemselvesAreRefused() throws {
    let text = try JobCoding.text(Made.snapshot().job)
    #expect(try JobCoding.job(text).sampledLegs.count == 2)
    for (old, new) in [
      ("\"record\":1", "\"record\":99"), ("\"observable\":0", "\"observable\":-1"), ("[1,2,5]", "[2,1,5]"),
      ("\"records\":2", "\"records\":0"), ("\"records\":2", "\"records\":3"), ("\"alive\"", "\"rho[0,1]\""),
      ("\"name\":\"exact\"", "\"name\":\"pair\""), ("\"name\":\"walk\"", "\"name\":\"x/y\""),
      ("\"alpha\":0.01", "\"alpha\":-1"), ("\"warmUp\":10", "\"warmUp\":9223372036854775807"),
      ("\"covarianceLimit\":8", "\"covarianceLimit\":1e300"), ("\"dimension\":1", "\"dimension\":-3"),
    ] {
      #expect(text.contains(old))
      #expect("\(old) -> \(new)") { try JobCoding.job(text.replacing(old, with: new)) } throws: {
        "\($0)".contains("/provenance/job")
      }
    }
  }

  @Test func shardsComeBack() throws {
    let folder = try Folder()
    let shards = ShardFolder(output: folder("x.h5"), threshold: 0, job: "hash")
    var encoder = StateEncoder()
    encoder.add("positions", [1.0, 2])
    encoder.nest("deep/er") { $0.add("names", ["a", ""]) }
    encoder.add("taken", [UInt64.max])
    try shards.write(encoder, name: "one")
    let back = try shards.read("one")
    #expect(try back.doubles("positions") == [1, 2] && back.words("taken") == [.max])
    #expect(try back.nested("deep/er").texts("names") == ["a", ""])
    #expect(throws: Failure.self) { try ShardFolder(output: folder("x.h5"), threshold: 0, job: "other").read("one") }
    #expect(throws: Failure.self) { try shards.read("../x.h5") }
    shards.prune(keeping: [])
    #expect(!FileManager.default.fileExists(atPath: folder("x.h5.shards")))
  }
}
