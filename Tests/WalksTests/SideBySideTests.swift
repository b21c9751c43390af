import Experiments
import Foundation
import Randomness
import Statistics
import Testing
import Walks

/// Walks side by side make the steps that they make alone, to the last bit.
@Suite struct SideBySideTests {
  private static func check(
    _ walk: SelfRepellentWalk, _ range: Range<UInt64>, _ name: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let experiment = Experiment(ProblemDraw(walk))
    let runner = try #require(experiment.makeRunner(key: Stream.key(seed: 2026, path: "side by side")))
    #expect(runner.together == 8, "\(name)", sourceLocation: sourceLocation)
    let schema = experiment.schema
    let rows = KeptRows(limit: range.upperBound)
    let layout = Tally.Layout(
      perGroup: schema.observables.count, groups: schema.axis.count, covariances: false,
      centres: Array(repeating: 0, count: schema.width))
    runner.run(range, Tally(layout: layout), rows)
    let found = rows.take()
    #expect(found.count == range.count)
    for draw in range {
      let alone = runner.values(draw)
      #expect(
        found[draw]?.map(\.bitPattern) == alone.map(\.bitPattern), "\(name), walk \(draw)",
        sourceLocation: sourceLocation)
    }
  }

  /// Rows of one length and of several, moves that are alike and not, laws with one value, with a few and with more than have tables.
  @Test(arguments: [0, 0.5, 3]) func theyAreThoseAlone(alpha: Double) throws {
    let karate = try Walking.karateGraph()
    for (name, chain) in [
      ("petersen", try Walking.petersen()), ("karate", BaseChain(karate, target: nil)),
      ("even", try Walking.karate()), ("uneven", BaseChain(karate, target: (0..<34).map { 1 + 0.1 * Double($0) })),
    ] {
      for (start, range) in [
        (WalkStart(vertex: 2), UInt64(0)..<8), (WalkStart(stationary: chain), 3..<14), (WalkStart(vertex: 0), 7..<9),
        (WalkStart(vertex: 1), 0..<1),
      ] {
        try Self.check(
          SelfRepellentWalk(
            chain, alpha: alpha, pseudoVisits: 1.5, start: start, function: Walking.indicator(chain.count),
            records: [1, 2, 63, 64, 65, 700]), range, name)
      }
    }
  }

  /// More visits than have powers in a table.
  @Test func manyVisitsToo() throws {
    let chain = try Walking.ring()
    try Self.check(
      SelfRepellentWalk(
        chain, alpha: 2, start: WalkStart(vertex: 0), function: Walking.indicator(9), records: [30_000, 60_000]),
      0..<2, "ring")
  }

  /// A star has one long row: its walks go alone.
  @Test func unevenDegreesGoAlone() throws {
    let n = 200
    let star = EdgeList(
      vertices: n, first: Array(repeating: 0, count: n - 1), second: (1..<n).map { Int32($0) },
      weights: Array(repeating: 1, count: n - 1))
    let chain = BaseChain(star, target: Array(repeating: 1, count: n))
    let walk = SelfRepellentWalk(
      chain, alpha: 1, start: WalkStart(vertex: 0), function: Walking.indicator(n), records: [10])
    #expect(walk.together == 1)
  }
}
