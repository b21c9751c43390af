import Experiments
import Kernels
import Statistics
import Testing
import Training

/// Power tails of stochastic gradient descent and of autoregressive conditional durations.
@Suite struct TrainingHeavyTailTests {
  private static func index(_ law: FactorLaw) throws -> Double {
    guard case .found(let tail) = TailIndex.find(law) else { throw Failure(.bug, "no index") }
    return tail.index
  }

  /// Printed values, roots known in closed form (eta = 2/3: E A^2 = 1 - 2 eta + 3 eta^2; a + b = 1), and SciPy's quadrature and Brent's method.
  @Test(arguments: [
    (FactorLaw.exponential(0.3, 0.6), 2.8677551110565975), (.exponential(0.4, 0.6), 1),
    (.exponential(0.5, 0.55), 0.46725933190913554),
    (.exponential(1.2, 0), 0.6102281804461114), (.squares(rate: 2.0 / 3, batch: 1), 2),
    (.squares(rate: 0.5, batch: 1), 2.903966228916334),
    (.squares(rate: 1.5, batch: 1), 0.4774348086259589), (.squares(rate: 0.3, batch: 1), 5.305901075365277),
    (.squares(rate: 1, batch: 4), 3.5046836141471887), (.squares(rate: 1.2, batch: 16), 7.591631612092097),
  ])
  func indicesAreRoots(law: FactorLaw, value: Double) throws {
    let found = try Self.index(law)
    #expect((found - value).magnitude < 1e-9 * value, "\(found)")
  }

  /// E |A|^k at half the spacing, and where it is a polynomial: E (1 - eta x^2)^4 = 1 - 4 eta + 18 eta^2 - 60 eta^3 + 105 eta^4.
  @Test func momentsDoNotDependOnTheSpacing() {
    for eta in [0.2, 0.7, 1.4] {
      let exact = 1 - 4 * eta + 18 * eta * eta - 60 * eta * eta * eta + 105 * eta * eta * eta * eta
      let law = FactorLaw.squares(rate: eta, batch: 1)
      for spacing in [1.0 / 64, 1.0 / 128] {
        #expect((FactorNodes(law, spacing: spacing).logMoment(4) - Elementary.log(exact)).magnitude < 1e-12)
      }
    }
  }

  /// Exact means against runs in both recursions and with both samplers: 6 cases, at most 5 means each, |z| < 4.
  @Test func runsHaveTheExactMeans() throws {
    let cases: [[String: Any]] = [
      ["learning_rate": 0.15, "batch": 3, "start": 0.5], ["learning_rate": 0.2, "recursion": "acd", "memory": 0.3],
      ["learning_rate": 0.3, "start": -1.0, "noise": 0.5],
    ]
    for keys in cases {
      for sampler in ["reduced", "weights"] {
        let runs = try ProblemRuns(
          "heavy-tailed-sgd", keys.merging(["steps": 6, "records": "last", "sampler": sampler]) { $1 })
        let known = try #require(runs.legs.first { $0.role == .exact }?.known)
        let rows = runs.rows(20_000, path: sampler)
        for name in ["w", "w_squared", "w_fourth", "factor_power"] {
          guard let mean = known.mean(of: name, record: 0) else { continue }
          let place = try runs.place(name)
          expectMean(rows.map { $0[place] }, mean, 0, "\(keys) \(sampler) \(name)")
        }
      }
    }
  }

  /// E w^2 and E w^4 of the stationary law in closed form.
  @Test func stationaryMomentsAreKnown() throws {
    let runs = try ProblemRuns(
      "heavy-tailed-sgd", ["learning_rate": 0.1, "noise": 2.0, "steps": 2000, "records": "last"])
    let known = try #require(runs.legs.first { $0.role == .exact }?.known)
    let (eta, s) = (0.1, 4.0)
    let second = eta * eta * s / (2 * eta - 3 * eta * eta)
    #expect((try #require(known.mean(of: "w_squared", record: 0)) - second).magnitude < 1e-12)
    // E A^2 N^2 = eta^2 s E x^2 (1 - eta x^2)^2, E N^4 = 9 eta^4 s^2.
    let mixed = eta * eta * s * (1 - 6 * eta + 15 * eta * eta)
    let fourth = 1 - 4 * eta + 18 * eta * eta - 60 * eta * eta * eta + 105 * eta * eta * eta * eta
    let law = (6 * mixed * second + 9 * eta * eta * eta * eta * s * s) / (1 - fourth)
    #expect((try #require(known.mean(of: "w_fourth", record: 0)) - law).magnitude < 1e-12)
    // Of k = 5.3 only E w^2 has an error that exists.
    let heavy = try ProblemRuns("heavy-tailed-sgd", ["learning_rate": 0.3, "steps": 10])
    let means = try #require(heavy.legs.first { $0.role == .exact }?.known)
    #expect(means.mean(of: "w_squared", record: 1) != nil && means.mean(of: "w_fourth", record: 1) == nil)
    // Of a large k the mean of |A|^k is made by factors that no run meets.
    let moderate = try ProblemRuns("heavy-tailed-sgd", ["learning_rate": 0.5, "steps": 10])
    let powers = try #require(moderate.legs.first { $0.role == .exact }?.known)
    #expect(powers.mean(of: "factor_power", record: 1) == 1)
    let light = try ProblemRuns("heavy-tailed-sgd", ["learning_rate": 0.15, "batch": 4, "steps": 10])
    let rare = try #require(light.legs.first { $0.role == .exact }?.known)
    #expect(rare.mean(of: "w_fourth", record: 1) != nil && rare.mean(of: "factor_power", record: 1) == nil)
  }

  @Test(arguments: [1, 5])
  func batchesHaveTheLawOfEveryExample(batch: Int) throws {
    try expectOneLaw(
      "heavy-tailed-sgd",
      [
        "learning_rate": 0.3, "batch": batch, "steps": 10, "records": "last", "thresholds": [0.2, 0.5],
        "observables": ["log_size", "w", "over", "log_excess"],
      ], draws: 4000)
  }

  /// Hill's estimate and the slope of the counts come to k from above the thresholds, within what is left of their bias: ACD with a + b = 1, k = 1, where the page has
  /// Hill's estimates of 1.10(6) to 1.025(23).
  @Test func countsHaveTheTailIndex() throws {
    let thresholds = [20.0, 80.0]
    let runs = try ProblemRuns(
      "heavy-tailed-sgd",
      [
        "recursion": "acd", "learning_rate": 0.8, "memory": 0.2, "steps": 300, "records": "last",
        "thresholds": thresholds,
      ])
    #expect((try runs.value("exponent") - 1).magnitude < 1e-10)
    let rows = runs.rows(20_000)
    var (counts, excess) = ([0.0, 0.0], [0.0, 0.0])
    for i in 0...1 {
      let (over, log) = (try runs.place("over[\(i)]"), try runs.place("log_excess[\(i)]"))
      for row in rows {
        counts[i] += row[over]
        excess[i] += row[log]
        #expect((row[over] == 1) == (row[log] > 0))
      }
      // Hill's standard error is k over the root of the count; .05 for the bias.
      let hill = counts[i] / excess[i]
      #expect((hill - 1).magnitude < 4 / counts[i].squareRoot() + 0.05, "\(hill) of \(counts[i])")
    }
    let slope = Elementary.log(counts[0] / counts[1]) / Elementary.log(4)
    #expect((slope - 1).magnitude < 4 / (counts[1].squareRoot() * Elementary.log(4)) + 0.05, "\(slope)")
  }

  /// Estimands are those of the observables that are kept.
  @Test func estimandsGoWithTheirObservables() throws {
    let keys: [String: Any] = ["learning_rate": 0.5, "steps": 3, "thresholds": [1.0, 2.0]]
    func names(_ more: [String: Any]) throws -> [String] {
      (try ProblemRuns("heavy-tailed-sgd", keys.merging(more) { $1 }).model.experiment.schema.estimands ?? []).map(
        \.name)
    }
    #expect(try names([:]) == ["tail_index[0]", "tail_index[1]", "survival_slope[0]"])
    #expect(try names(["observables": ["over"]]) == ["survival_slope[0]"])
    #expect(try names(["observables": ["w"]]) == [])
  }
}
