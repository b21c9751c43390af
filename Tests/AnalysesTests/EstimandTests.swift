import Analyses
import Experiments
import Kernels
import Randomness
import Testing

/// Weighted draws of which everything is known: x normal, w = exp(a x), so that E w x / E w = a and log E w = a^2/2.
@Suite struct EstimandTests {
  private static func draw(_ a: Double, controls: [String] = ["x"], weighted: Bool = true) -> ClosureDraw {
    let schema = Schema(
      axis: point, observables: observables("x", "weight", "weighted"),
      estimands: [
        Estimand("tilted", "weighted/weight", controls: controls, weight: "weight", ""),
        Estimand("free", "log(weight)", offsets: [1.5], controls: controls, weight: "weight", ""),
      ])
    return ClosureDraw(schema: schema) { stream, values in
      let x = stream.normals(1)[0]
      let w = weighted ? Elementary.exp(a * x) : 1
      (values[0], values[1], values[2]) = (x, w, w * x)
    }
  }

  private static func snapshot(
    _ draw: ClosureDraw, draws: UInt64, _ predicted: [(String, Double)], role: Leg.Role = .exact, mean: Double = 0.05,
    seed: UInt64 = 1
  ) -> Snapshot {
    let known = ReferenceValues(
      schema: Schema(axis: point, observables: observables("weight")),
      statistics: predicted.map { PredictedStatistic(.estimand($0.0), record: 0, observable: 0, value: $0.1) })
    let job = makeJob(
      [Case(label: "main", swept: [:], legs: [finite(draw, draws: draws), reference("exact", role, known)])], mean: mean
    )
    return run(job, seed: seed)
  }

  private static let truth = [("tilted", 0.5), ("free", 1.5 + 0.125)]

  /// 200 seeds, two estimands each: |z| < 1.96 in 95%, within four standard deviations of the binomial law; with the control x as without.
  @Test(arguments: [[], ["x"]])
  func errorsAreThoseOfTheEstimates(controls: [String]) throws {
    var within = [0, 0]
    for seed in 0..<UInt64(200) {
      let rows = Estimands(
        caseLabel: "main", leg: finite(Self.draw(0.5, controls: controls), draws: 1000),
        state: Self.snapshot(Self.draw(0.5, controls: controls), draws: 1000, Self.truth, seed: seed).states[0])!.rows
      for (k, row) in rows.enumerated() {
        within[k] += ((row.value - Self.truth[k].1) / row.error).magnitude < 1.96 ? 1 : 0
      }
    }
    for count in within { #expect((177...200).contains(count), "\(within)") }
  }

  @Test func controlsMakeErrorsSmaller() throws {
    let snapshot = Self.snapshot(Self.draw(0.5), draws: 20000, Self.truth)
    let rows = Analyses.estimands(snapshot)[0].rows
    for row in rows {
      #expect(row.error < 0.75 * row.plainError, "\(row.estimand.name): \(row.error) of \(row.plainError)")
    }
    // N exp(-a^2).
    #expect((rows[0].effectiveDraws / 20000 / Elementary.exp(-0.25) - 1).magnitude < 0.05)
  }

  @Test func verdictsAreThoseOfTheDifference() throws {
    let right = Analyses.comparisons(Self.snapshot(Self.draw(0.5), draws: 20000, Self.truth))[0]
    #expect(right.verdict == .agrees, "\(right.sentence)")
    #expect(right.rows.map(\.quantity) == ["tilted", "free"])
    let wrong = Analyses.comparisons(
      Self.snapshot(Self.draw(0.5), draws: 20000, [("tilted", 0.55), ("free", 1.625)]))[0]
    #expect(wrong.verdict == .differs && wrong.rows[0].verdict == .differs && wrong.rows[1].verdict == .agrees)
    // The same draws with the weights replaced by 1.
    let bare = Analyses.comparisons(Self.snapshot(Self.draw(0.5, weighted: false), draws: 20000, Self.truth))[0]
    #expect(bare.verdict == .differs)
    // Of a limit: in standard deviations of a draw, as for means. The influence of a draw on the ratio is w (x - a)/E w, of variance
    // exp(a^2) (1 + a^2).
    let limit = Analyses.comparisons(
      Self.snapshot(Self.draw(0.5), draws: 200_000, [("tilted", 0.75)], role: .limit))[0]
    let deviation = (Elementary.exp(0.25) * 1.25).squareRoot()
    #expect((limit.rows[0].shift * deviation / -0.25 - 1).magnitude < 0.03, "\(limit.rows[0].shift)")
    #expect(limit.verdict == .differs && limit.sentence.contains("standard deviations of a draw"))
  }

  /// a = 2.5: 2000 draws are worth four. Nothing is concluded, whatever is predicted.
  @Test func fewEffectiveDrawsSayNothing() throws {
    for role in [Leg.Role.exact, .limit] {
      let found = Analyses.comparisons(
        Self.snapshot(Self.draw(2.5), draws: 2000, [("tilted", 7)], role: role))[0]
      #expect(found.verdict == .undecided && found.rows[0].reason == .fewEffectiveDraws)
      #expect(found.sentence.contains("effective draws of 2,000, fewer than 200"), "\(found.sentence)")
      #expect(found.unjudged.contains("weights that leave too few draws"))
    }
  }

  /// Joint sums leave out draws in which anything of the record is not finite: more than a few of them are said.
  @Test func incompleteDraws() throws {
    let base = Self.draw(0.5)
    let gappy = ClosureDraw(
      schema: Schema(
        axis: point, observables: base.schema.observables + observables("sometimes"),
        estimands: base.schema.estimands!)
    ) { stream, values in
      base.body(&stream, values)
      values[3] = values[0] > 1 ? .nan : 1
    }
    let found = Analyses.comparisons(Self.snapshot(gappy, draws: 5000, Self.truth))[0]
    #expect(found.rows.allSatisfy { $0.reason == .incomplete } && found.verdict == .undecided)
  }
}
