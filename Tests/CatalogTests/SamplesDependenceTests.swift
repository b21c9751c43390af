import Analyses
import Experiments
import Foundation
import Jobs
import Statistics
import Testing

/// Rows that depend on each other are told apart from independent ones, and chains have honest errors.
@Suite(.serialized) struct SamplesDependenceTests {
  private let files: RowFiles
  init() throws { files = try RowFiles() }

  /// Rows of a file against 4,000 independent normals.
  private func against(normals seed: UInt64, _ columns: [(name: String, values: [Double])]) throws -> Comparison {
    let name = "reference-\(seed)"
    var reference = files.existing("\(name).csv")
    if reference == nil {
      var random = OwnRandom(1_000_000 + seed)
      reference = try files.csv(name, [("x", (0..<4000).map { _ in random.normal() })])
    }
    let file = try files.csv("rows", columns)
    return try #require(
      try comparisons(
        "seed = 1\n[samples]\nfile = \"\(file)\"\n[[limit]]\nequation = \"samples\"\nfile = \"\(reference!)\"\n[comparison]\nks = 0.1\n"
      )["reference"])
  }

  /// Chain by chain, one after the other.
  private func chains(_ count: Int, _ length: Int, phi: Double, _ random: inout OwnRandom, shift: Double = 0) -> [(
    name: String, values: [Double]
  )] {
    let values = (0..<count).flatMap { c in random.autoregressive(phi, length).map { $0 + (c == 0 ? shift : 0) } }
    return [("x", values), ("chain", (0..<count * length).map { Double($0 / length) })]
  }

  @Test func autocorrelatedRowsAskForAChain() throws {
    var random = OwnRandom(1)
    let rows = chains(4, 2000, phi: 0.5, &random)
    let plain = try against(normals: 1, [rows[0]])
    #expect(plain.verdict == .undecided && plain.rows.allSatisfy { $0.reason == .autocorrelated })
    #expect(plain.sentence.contains("look autocorrelated") && plain.sentence.contains("give a chain column"))
    let chained = try against(normals: 1, rows)
    #expect(chained.verdict == .agrees, "\(chained.sentence)")
    // (1 + phi)/(1 - phi) = 3 rows count as one.
    let margin = chained.rows[0].margin
    let independent = KolmogorovSmirnov.band(8000 / 3, 4000, alpha: 0.01)
    #expect((margin / independent - 1).magnitude < 0.15, "\(margin) \(independent)")
  }

  /// A reference is asked as well.
  @Test func anAutocorrelatedReferenceDecidesNothing() throws {
    var random = OwnRandom(2)
    let a = try files.csv("a", [("x", (0..<4000).map { _ in random.normal() })])
    let b = try files.csv("b", [("x", random.autoregressive(0.5, 4000))])
    let found = try comparisons(
      "seed = 1\n[samples]\nfile = \"\(a)\"\n[[limit]]\nequation = \"samples\"\nfile = \"\(b)\"\n")["reference"]
    #expect(found?.rows[0].reason == .autocorrelated && found?.sentence.contains("rows of reference") == true)
  }

  /// At 1e-4 a file, three false alarms among 400 files of three laws have probability 1e-5.
  @Test func independentRowsRaiseNoAlarm() throws {
    var alarms = 0
    for seed in 0..<400 {
      var random = OwnRandom(10_000 + UInt64(seed))
      let normal = (0..<300).map { _ in random.normal() }
      let cauchy = (0..<300).map { _ in random.normal() / random.normal() }
      let coin = (0..<300).map { _ in random.uniform() < 0.1 ? 1.0 : 0.0 }
      let found = try against(normals: 7, [("x", normal), ("y", cauchy), ("z", coin)].prefix(1).map { $0 })
      let others = [cauchy, coin].map { values in try? against(normals: 7, [("x", values)]) }
      alarms += ([found] + others.compactMap { $0 }).count { $0.rows[0].reason == .autocorrelated }
    }
    #expect(alarms < 3, "\(alarms)")
  }

  /// Means of chains against the known mean, in their own errors: among 200 seeds at most 9 beyond 2.576, which are expected in 2
  /// (probability 1e-4). With errors of independent rows three times as many rows count, and 40% are beyond.
  @Test func errorsOfChainsAreHonest() throws {
    var (beyond, naive) = (0, 0)
    for seed in 0..<200 {
      var random = OwnRandom(50_000 + UInt64(seed))
      let rows = chains(4, 500, phi: 0.8, &random)
      let row = try against(normals: 3, rows).rows[0]
      let mean = rows[0].values.reduce(0, +) / 2000
      if mean.magnitude > 2.576 * row.finiteError { beyond += 1 }
      if mean.magnitude > 2.576 / 2000.0.squareRoot() { naive += 1 }
    }
    #expect(beyond <= 9, "\(beyond)")
    #expect(naive > 50, "\(naive)")
  }

  @Test func chainsThatDisagreeDecideNothing() throws {
    var random = OwnRandom(5)
    let found = try against(normals: 4, chains(4, 1000, phi: 0.5, &random, shift: 1.5))
    #expect(found.verdict == .undecided && found.rows[0].reason == .notMixed)
    #expect(
      found.sentence.contains("the chains of samples have not mixed: they disagree: R-hat is"), "\(found.sentence)")
    let short = try against(normals: 4, chains(40, 100, phi: 0.97, &random))
    #expect(short.rows[0].reason == .notMixed, "\(short.sentence)")
  }

  @Test func theOrderOfTheRowsOfChainsDoesNotMatter() throws {
    var random = OwnRandom(6)
    let rows = chains(3, 4000, phi: 0.6, &random)
    // Turn by turn, as samplers write them.
    let order = (0..<4000).flatMap { step in (0..<3).map { $0 * 4000 + step } }
    let turns = rows.map { column in (name: column.name, values: order.map { column.values[$0] }) }
    let (a, b) = (try against(normals: 5, rows), try against(normals: 5, turns))
    #expect(a.rows[0].margin == b.rows[0].margin)
    // Sums about other centres are rounded otherwise.
    #expect((a.rows[0].finiteError / b.rows[0].finiteError - 1).magnitude < 1e-12)
    #expect(a.verdict == .agrees, "\(a.sentence)")
  }
}
