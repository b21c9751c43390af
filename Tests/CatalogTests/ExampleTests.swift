import Engine
import Experiments
import Foundation
import Jobs
import Testing

/// The jobs that `fathom new` writes.
@Suite(.serialized) struct ExampleTests {
  static let names = Example.all.map(\.name)

  @Test func namesAndQuestionsDiffer() {
    #expect(Set(Self.names).count == Self.names.count && Self.names.count >= 12)
    #expect(Set(Example.all.map(\.question)).count == Self.names.count)
    for example in Example.all {
      #expect(
        example.question.contains("?") && example.name.allSatisfy { $0.isLowercase || $0 == "-" }, "\(example.name)")
    }
  }

  @Test(arguments: names) func whatAnExampleExpectsHolds(name: String) throws {
    let text = try Example.named(name).text(file: "\(name).toml")
    for table in ["expect", "check"] {
      #expect(text.contains(try Regex("(?m)^\\[\(table)\\]$")), "\(name) has no [\(table)]")
    }
    #expect(try !job(text).job.expectations.isEmpty)
    let failures = try Checker.run(job(text, check: true), threads: 2).results.filter { !$0.holds }.map(\.sentence)
    #expect(failures.isEmpty, "\(name): \(failures)")
  }

  /// Comments change nothing, sizes change what they say.
  @Test(arguments: names) func textIsTheJob(name: String) throws {
    let example = try Example.named(name)
    let text = try example.text(file: "job.toml")
    #expect(try job(text).job.firstDifference(from: job(example.job).job) == nil)
    #expect(text.split(separator: "\n").allSatisfy { $0.count <= 120 }, "\(text)")
    #expect((1...2).contains(example.sizes.count))
    for key in example.sizes {
      let twice = try #require(Int(example.size(key))) * 2
      let larger = try job(example.text(file: "job.toml", sizes: [key: "\(twice)"])).job
      #expect(
        try larger.firstDifference(from: job(example.job).job)?.mine.contains("\(key) = \(twice)") == true, "\(key)")
    }
  }

  /// Every key has a comment of the catalog's words, and every key that a comment names is in the catalog.
  @Test(arguments: names) func keysOfCommentsExist(name: String) throws {
    let text = try Example.named(name).text(file: "job.toml")
    let families = Registry.families.map(\.table)
    var known: Set<String> = []
    for entry in Registry.entries {
      let tables = entry.table.map { [$0] } ?? (entry.kind == "limit" ? ["limit"] : families)
      for parameter in entry.parameters { known.formUnion(tables.map { "\($0).\(parameter.name)" }) }
    }
    let words = Set(Registry.entries.flatMap(\.parameters).map(\.summary))
    var (table, comment) = ("job", "")
    for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
      if let found = line.firstMatch(of: /^(# )?\[+([a-z.]+)\]+$/) { table = String(found.2) }
      let isOfOthers = ["sweep", "expect", "check"].contains(String(table.split(separator: ".")[0]))
      if let found = line.firstMatch(of: /^(# )?([a-z_]+) = [^#…]*(#(.*))?$/), !isOfOthers {
        let key = "\(table).\(found.2)"
        #expect(known.contains(key), "\(name): \(key)")
        if found.1 == nil {
          let own = found.3.map { String($0.dropFirst()) } ?? comment
          #expect(words.contains { own.contains($0) }, "\(name): \(key): \(own)")
        }
      }
      for found in line.matches(of: /`([^`]+)`/) where line.hasPrefix("#") {
        let key = String(found.1)
        // `above` in the words of the catalog is an observable.
        if key.contains(".") { #expect(known.contains(key), "\(name): \(key)") }
      }
      comment = line.hasPrefix("#") ? comment + line.dropFirst() : ""
    }
  }

  @Test func unknownNames() {
    #expect { try Example.named("colapse") } throws: { error in
      let failure = error as? Failure
      return failure?.status == .usage && failure?.message.contains("did you mean collapse?") == true
    }
  }
}
