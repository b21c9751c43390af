import Experiments
import Foundation
import Statistics
import Testing
import Training

/// Waiting times that feed on themselves: counts by time, estimates and their coverage.
@Suite struct TrainingDurationsTests {
  private static var keys: [String: Any] {
    ["learning_rate": 0.5, "memory": 0.55, "times": [0.5, 2.0, 10.0], "steps": 400, "records": "last"]
  }

  /// P(N >= 1) and P(N >= 2) by quadrature over the first waiting time: 4 shares, |z| < 4.
  @Test func firstEventsHaveTheirLaw() throws {
    let (a, b, start, omega) = (0.5, 0.55, 1.3, 0.8)
    let runs = try ProblemRuns("durations", Self.keys.merging(["start": start, "omega": omega]) { $1 })
    let rows = runs.rows(20_000)
    for (j, t) in [0.5, 2.0].enumerated() {
      let place = try runs.place("events[\(j)]")
      let one = 1 - exp(-t / start)
      let count = 20_000
      let two = (0..<count).reduce(0.0) { sum, i in
        let x = t * (Double(i) + 0.5) / Double(count)
        let next = omega + a * x + b * start
        return sum + t / Double(count) * exp(-x / start) / start * (1 - exp(-(t - x) / next))
      }
      for (least, share) in [(1.0, one), (2.0, two)] {
        let found = rows.filter { $0[place] >= least }.count
        let error = (share * (1 - share) / 20_000).squareRoot()
        #expect((Double(found) / 20_000 - share).magnitude < 4 * error, "\(t), \(least): \(found), \(share)")
      }
    }
  }

  /// Where waiting has a mean, N(t)/t -> 1/E x = (1 - a - b)/omega; coverage of intervals is 95 %: means of 2,000 runs of about 1,000 events, with room for what is
  /// left at that number.
  @Test func intervalsCoverWhereWaitingHasAMean() throws {
    let runs = try ProblemRuns(
      "durations",
      ["learning_rate": 0.3, "memory": 0.4, "times": [3333.0], "steps": 1500, "records": "last", "start": 3.33])
    let rows = runs.rows(2000)
    let complete = try runs.place("complete[0]")
    let (events, fitted, covered, all) = (
      try runs.place("events[0]"), try runs.place("fitted[0]"), try runs.place("covered[0]"),
      try runs.place("covered_all[0]")
    )
    #expect(rows.allSatisfy { $0[complete] == 1 })
    #expect((Moments(values: rows.map { $0[events] }).mean / 1000 - 1).magnitude < 0.01)
    let kept = rows.filter { $0[fitted] == 1 }
    #expect(kept.count > 1900, "\(kept.count)")
    for place in [covered, all] {
      let share = Moments(values: kept.map { $0[place] }).mean
      #expect((share - 0.95).magnitude < 4 * (0.95 * 0.05 / 2000).squareRoot() + 0.01, "\(share)")
    }
  }

  /// Without a mean the events grow with an exponent near k: at these times .02 to .04 below it, and .04 for the error of 500 runs.
  @Test func eventsGrowAsTheTailIndex() throws {
    let runs = try ProblemRuns(
      "durations", ["learning_rate": 1.2, "times": [1e3, 1e5], "steps": 6000, "records": "last"])
    let index = try runs.value("exponent")
    #expect((index - 0.6102281804461114).magnitude < 1e-9)
    let rows = runs.rows(500)
    let (first, second) = (try runs.place("events[0]"), try runs.place("events[1]"))
    let ratio = Moments(values: rows.map { $0[second] }).mean / Moments(values: rows.map { $0[first] }).mean
    let slope = log(ratio) / log(100)
    #expect(slope < index + 0.02 && slope > index - 0.08, "\(slope), \(index)")
  }

  @Test func refusals() throws {
    for (more, word) in [
      (["times": [2.0, 1.0]], "must be ascending"), (["times": [Double]()], "must be an array of 1 to 20"),
      (["learning_rate": 3.0], "leaves no stationary law"), (["schedule": ["name": "cosine"]], "must be constant"),
      (["steps": 1_000_000_000], "must be at most 134217728"), (["stop_below": 0.1], "no loss"),
    ] as [([String: Any], String)] {
      let failure = #expect(throws: Failure.self) {
        _ = try ProblemRuns("durations", Self.keys.merging(more) { $1 })
      }
      #expect(failure?.message.contains(word) ?? false, "\(failure?.message ?? "")")
    }
  }
}
