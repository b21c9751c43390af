import Analyses
import Experiments
import Foundation
import Kernels
import Randomness
import Statistics
import Testing

/// What each word needs before it is said: draws, power, completeness, something above rounding. Codes are those of docs/verdicts.md.
@Suite struct JudgementTests {
  private static func draw(_ observables: [Observable], _ body: @escaping @Sendable (Double) -> Double) -> ClosureDraw {
    ClosureDraw(schema: Schema(axis: point, observables: observables)) { stream, values in
      values[0] = body(stream.normals(1)[0])
    }
  }

  private static func comparison(
    _ own: ClosureDraw, draws: UInt64, _ role: Leg.Role, mean: Double, statistic: Statistic = .mean, seed: UInt64 = 1
  ) throws -> Comparison {
    let name = own.schema.observables[0].name
    let legs = [
      finite(own, draws: draws), reference("known", role, predict(own.schema, [(name, statistic, mean)])),
    ]
    return try #require(
      Analyses.comparisons(run(makeJob([Case(label: "main", swept: [:], legs: legs)]), seed: seed)).first)
  }

  @Test("An exact value agrees only where a difference of the tolerance would have been detected")
  func power() throws {
    let normal = Self.draw(observables("x")) { $0 }
    let weak = try Self.comparison(normal, draws: 2000, .exact, mean: 0)
    #expect(weak.verdict == .undecided && weak.rows[0].reason == .noPower, "\(weak.sentence)")
    #expect(weak.sentence.contains("more draws would decide"), "\(weak.sentence)")
    // (2.576 + 1.282)/sqrt(2000), and so many draws that it is 0.05.
    #expect((weak.rows[0].smallestEffect - 0.0863).magnitude < 0.003)
    let missing = try #require(weak.rows[0].missingDraws)
    let enough = try Self.comparison(normal, draws: 2000 + UInt64(1.1 * missing), .exact, mean: 0)
    #expect(enough.verdict == .agrees && enough.rows[0].reason == .notDetected, "\(enough.sentence)")
    let off = try Self.comparison(normal, draws: 2000, .exact, mean: 0.2)
    #expect(off.verdict == .differs && off.rows[0].reason == .detected)
  }

  /// The smallest effect is detected in 9 of 10 seeds: of 300 runs, within three binomial errors.
  @Test("The power is as printed")
  func printedPower() throws {
    let normal = Self.draw(observables("x")) { $0 }
    let effect = try Self.comparison(normal, draws: 1000, .exact, mean: 0).rows[0].smallestEffect
    let detected = try (0..<300).filter {
      try Self.comparison(normal, draws: 1000, .exact, mean: effect, seed: 100 + UInt64($0)).verdict == .differs
    }.count
    #expect((Double(detected) - 270).magnitude < 3 * (300 * 0.9 * 0.1).squareRoot(), "\(detected)")
  }

  /// Laws on two points differ at one place only, where the share of either sample has the largest error that there is.
  @Test("The power of a distance of two samples is as printed")
  func printedPowerOfLaws() throws {
    func coin(_ share: Double) -> ClosureDraw {
      ClosureDraw(schema: Schema(axis: point, observables: observables("x"))) { stream, values in
        values[0] = stream.uniform() < share ? 1 : 0
      }
    }
    func row(_ effect: Double, seed: UInt64) throws -> Comparison.Row {
      let limit = Leg(
        name: "limit", role: .limit, content: .sampled(Experiment(coin(0.5 + 0.5 * effect)), draws: 1000),
        attributes: [:])
      let legs = [finite(coin(0.5 - 0.5 * effect), draws: 1000), limit]
      let job = makeJob([Case(label: "main", swept: [:], legs: legs)], distance: 1e-9)
      return try #require(Analyses.comparisons(run(job, seed: seed)).first).rows[0]
    }
    let effect = try row(0, seed: 1).smallestEffect
    let detected = try (0..<300).filter { try row(effect, seed: 100 + UInt64($0)).verdict == .differs }.count
    #expect((Double(detected) - 270).magnitude < 3 * (300 * 0.9 * 0.1).squareRoot(), "\(detected)")
  }

  @Test("A limit: within the tolerance, beyond it, and what would decide")
  func limits() throws {
    let normal = Self.draw(observables("x")) { $0 }
    for (mean, draws, reason) in [
      (0.0, UInt64(40_000), Reason.withinTolerance), (0.3, 40_000, .beyondTolerance), (0.0, 400, .noPower),
      (0.0, 100, .fewDraws),
    ] {
      let found = try Self.comparison(normal, draws: draws, .limit, mean: mean)
      #expect(found.rows[0].reason == reason, "\(found.sentence)")
      #expect(found.verdict == (reason.word ?? .undecided))
      #expect(found.rows[0].verdict == nil || found.unjudged.isEmpty)
    }
    let few = try Self.comparison(normal, draws: 100, .limit, mean: 0)
    #expect(few.unjudged.contains("E x") && few.unjudged.contains("raise `draws`"), "\(few.unjudged)")
  }

  @Test("What does not exist in every draw does not agree")
  func incomplete() throws {
    let half = Self.draw(observables("x")) { $0 > 0 ? .nan : $0 }
    // The mean of the other half: -sqrt(2/pi).
    for role in [Leg.Role.exact, .limit] {
      let found = try Self.comparison(half, draws: 60_000, role, mean: -0.7978845608)
      #expect(found.verdict == .undecided && found.rows[0].reason == .incomplete, "\(found.sentence)")
      #expect((found.rows[0].share - 0.5).magnitude < 0.02)
      #expect(found.sentence.contains("% of the draws only"), "\(found.sentence)")
    }
  }

  @Test("Rounding is no difference, in constants, in logarithms about 0, beside numbers of any size")
  func rounding() throws {
    for (scale, known) in [(1.0, 1.0), (1.0, 0.0), (1e100, 1e100), (1e-100, 1e-100)] {
      let heavy = scale != 1
      let observable = Observable(heavy ? "V" : "log_V", role: heavy ? .heavyTailed : .quantity, "")
      let own = Self.draw([observable]) { known + scale * 1e-16 * (1 + 0.1 * $0) }
      for role in [Leg.Role.exact, .limit] {
        let found = try Self.comparison(own, draws: 5000, role, mean: known)
        #expect(found.verdict == .agrees && found.rows[0].reason == .rounding, "\(scale) \(known): \(found.sentence)")
        let off = try Self.comparison(own, draws: 5000, role, mean: known + 0.2 * scale)
        #expect(off.verdict == .differs, "\(scale) \(known): \(off.sentence)")
      }
    }
  }

  @Test("Means of tails too heavy are named, not judged; of heavy-tailed families with light tails they are judged")
  func tails() throws {
    let heavy = Self.draw([Observable("V", role: .heavyTailed, "")]) { (3 * $0).exponential }
    let found = try Self.comparison(heavy, draws: 5000, .limit, mean: 1)
    #expect(found.verdict == .undecided && found.rows[0].reason == .heavyTails && found.rows[0].z.isNaN)
    #expect(found.unjudged.contains("E V (tails too heavy"), "\(found.unjudged)")
    let light = Self.draw([Observable("V", role: .heavyTailed, "")]) { 5 + $0 }
    #expect(try Self.comparison(light, draws: 50_000, .limit, mean: 7).verdict == .differs)
  }

  @Test("An event that was never seen has the probability 0 up to 1/n")
  func events() throws {
    let never = Self.draw([Observable("crossed", role: .event, "")]) { _ in 0 }
    #expect(try Self.comparison(never, draws: 1000, .exact, mean: 0.001).verdict == .agrees)
    #expect(try Self.comparison(never, draws: 1000, .exact, mean: 0.1).verdict == .differs)
  }

  @Test("Every reason has a word, and is on the page")
  func words() throws {
    #expect(Reason.allCases.filter { $0.word == .agrees }.count == 3)
    #expect(Reason.allCases.filter { $0.word == nil }.count == 3)
    let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..")
    let page = try String(contentsOf: root.appending(path: "docs/verdicts.md"), encoding: .utf8)
    for reason in Reason.allCases {
      let word = reason.word?.rawValue ?? "not tested"
      #expect(page.contains("| `\(reason.rawValue)` | \(word) |"), "\(reason.rawValue)")
    }
  }
}

extension Double {
  /// Of a test's numbers only.
  fileprivate var exponential: Double { Elementary.exp(self) }
}
