import Experiments
import Kernels
import Randomness
import Statistics
import Testing
import Training

/// Weight decay in parallel branches, and deep linear networks.
@Suite struct TrainingChainTests {
  private static var decayed: [String: Any] {
    ["target": [3.0, 1.5, 0.6], "weight_decay": 0.4, "learning_rate": 0.02, "records": "last"]
  }

  private static func branches(_ keys: [String: Any]) throws -> ProblemRuns {
    try ProblemRuns("parallel-branches", decayed.merging(keys) { $1 })
  }

  /// Values of the page: parallel branches come to 2.52 from every start; one chain of squares to 2.107583 or is stuck at 2.51331; of two layers to 1.8.
  @Test func branchesAreConvexAndAChainIsNot() throws {
    let parallel = try Self.branches(["branches": 6, "steps": 4000])
    for row in parallel.rows(8) {
      #expect((row[try parallel.place("objective")] - 2.52).magnitude < 2e-4)
      #expect((row[try parallel.place("optimum")] - 2.52).magnitude < 1e-12)
      #expect(row[try parallel.place("at_optimum")] == 1)
      for (i, x) in [2.4, 0.9, 0.0].enumerated() {
        #expect((row[try parallel.place("mode[\(i)]")] - x).magnitude < 0.02)
      }
    }
    let chain = try Self.branches(["penalty": "squares", "alpha": 0.5, "steps": 3000])
    let place = try (objective: chain.place("objective"), at: chain.place("at_optimum"), rank: chain.place("rank"))
    var found: Set<Double> = []
    for row in chain.rows(20) {
      #expect((row[try chain.place("optimum")] - 2.107583).magnitude < 5e-7)
      let isThere = (row[place.objective] - 2.107583).magnitude < 2e-6
      #expect(isThere || (row[place.objective] - 2.51331).magnitude < 1e-5, "\(row[place.objective])")
      #expect(row[place.at] == (isThere ? 1 : 0) && row[place.rank] == (isThere ? 2 : 1))
      found.insert(row[place.at])
    }
    #expect(found == [0, 1])
    for penalty in ["powers", "squares"] {
      let two = try Self.branches(["depth": 2, "penalty": penalty, "steps": 2000])
      #expect(try two.sample("objective", 8).allSatisfy { ($0 - 1.8).magnitude < 1e-6 })
    }
  }

  /// The least of a singular value against a grid.
  @Test(arguments: [2, 3, 5], [0.0, 0.1, 0.4])
  func optimaAreLeast(depth: Int, decay: Double) {
    for s in [0.3, 0.6, 1.5, 3] {
      for squares in [true, false] {
        let found = LinearChains.optimum(s, decay, depth: depth, squares: squares)
        let cost = 0.5 * decay * Double(depth)
        let least = (0...20_000).map { place -> Double in
          let x = 3 * Double(place) / 20_000
          let power = x == 0 ? 0 : squares ? Elementary.exp(2 / Double(depth) * Elementary.log(x)) : x
          return 0.5 * (x - s) * (x - s) + cost * power
        }.min()!
        #expect(found.value <= least + 1e-12 && least < found.value + 1e-7, "\(s) \(squares)")
      }
    }
  }

  /// A step goes down the gradient: by the slope of the objective along it, from differences, for any shape and both penalties.
  @Test(arguments: ["powers", "squares"], [(2, 3), (4, 2)])
  func stepsGoDownTheGradient(penalty: String, shape: (depth: Int, branches: Int)) throws {
    let runs = try Self.branches([
      "penalty": penalty, "depth": shape.depth, "branches": shape.branches, "width": 4, "steps": 1,
    ])
    let problem = try #require(runs.model.problem as? LinearChains)
    let state = problem.makeState()
    var stream = Stream(key: 5)
    stream.start(draw: 0)
    problem.start(state, &stream)
    let before = problem.loss(state, &stream, step: 1)
    let rows = (0..<shape.branches * shape.depth).map { $0 % shape.depth == 0 ? 3 : 4 }
    // All widths are filled up to rows of 8.
    let old = zip(state.weights, rows).map { weights, rows in (0..<8 * rows).map { weights[$0] } }
    let rate = 1e-6
    problem.step(state, &stream, rate: rate)
    let gradient = zip(state.weights, old).map { weights, old in old.indices.map { (old[$0] - weights[$0]) / rate } }
    let square = gradient.joined().reduce(0) { $0 + $1 * $1 }
    #expect(((before - problem.loss(state, &stream, step: 2)) / (rate * square) - 1).magnitude < 1e-3)
    // Entry by entry.
    for place in old.indices {
      for entry in [0, 9] {
        func objective(_ x: Double) -> Double {
          for (place, values) in old.enumerated() { for i in values.indices { state.weights[place][i] = values[i] } }
          state.weights[place][entry] += x
          return problem.loss(state, &stream, step: 1)
        }
        let slope = (objective(1e-5) - objective(-1e-5)) / 2e-5
        #expect((slope - gradient[place][entry]).magnitude < 1e-5 * (1 + slope.magnitude), "\(place) \(entry)")
      }
    }
  }

  /// Balanced layers: scalar chains step by step, and the flow of two layers in closed form; s = 3, u_0 = .01: u(1.5) = 2.89324, by steps of .01 2.89485.
  @Test func balancedModesAreScalar() throws {
    let runs = try ProblemRuns(
      "deep-linear",
      [
        "depth": 2, "start": "balanced", "target": [3.0, 1.0], "alpha": 0.1, "learning_rate": 0.01, "steps": 150,
        "records": [0, 50, 150],
      ])
    let known = try #require(runs.legs.first { $0.role == .exact }?.known)
    #expect((try runs.value("mode[0]") - 2.89485).magnitude < 5e-6)
    #expect((try runs.value("flow_mode[0]") - 2.89324).magnitude < 5e-6)
    for (i, s) in [3.0, 1].enumerated() {
      for (record, t) in [(1, 0.5), (2, 1.5)] {
        let growth = Elementary.exp(2 * s * t)
        let law = s * growth / (growth - 1 + s / 0.01)
        #expect((try runs.value("flow_mode[\(i)]", record: record) - law).magnitude < 1e-7)
      }
    }
    for depth in [2, 3, 6] {
      let deep = try ProblemRuns(
        "deep-linear",
        [
          "depth": depth, "start": "balanced", "width": 5, "target": [2.0, 1.0, 0.5], "alpha": 0.5,
          "learning_rate": 0.02, "steps": 300, "records": [0, 10, 300],
        ])
      let known = try #require(deep.legs.first { $0.role == .exact }?.known)
      for record in 0...2 {
        for name in ["loss", "mode[0]", "mode[1]", "mode[2]"] {
          let exact = try #require(known.mean(of: name, record: record))
          #expect((try deep.value(name, record: record) - exact).magnitude < 1e-12, "\(depth) \(name)")
        }
        #expect(try deep.value("imbalance", record: record) < 1e-12)
      }
    }
    #expect(known.mean(of: "mode[0]", record: 0) == 0.1 * 0.1)
  }

  /// Two layers of any width against their reduction by the Gram matrix of all weights: `two-layer-linear` with gamma = 1/alpha^2 on the unit
  /// vectors, at r alpha^2 times the rate. Means and variances of both modes and of the loss, |z| < 4.5.
  @Test func twoLayersHaveTheLawOfTheirGramMatrix() throws {
    let (alpha, rate) = (0.7, 0.1)
    let chain = try ProblemRuns(
      "deep-linear",
      [
        "depth": 2, "width": 6, "target": [2.0, 1.0], "alpha": alpha, "learning_rate": rate, "steps": 12,
        "records": "last",
      ])
    let gram = try ProblemRuns(
      "two-layer-linear",
      [
        "width": 6, "gamma": 1 / (alpha * alpha), "learning_rate": 2 * rate * alpha * alpha, "steps": 12,
        "records": "last",
        "data": ["inputs": [[1.0, 0.0], [0.0, 1.0]], "targets": [[2.0, 0.0], [0.0, 1.0]]],
      ])
    let (a, b) = (chain.rows(4000), gram.rows(4000, path: "gram"))
    for (own, other, factor) in [("mode[0]", "f[0,0]", 1.0), ("mode[1]", "f[1,1]", 1), ("loss", "loss", 2)] {
      let (i, j) = (try chain.place(own), try gram.place(other))
      let x = Moments(values: a.map { $0[i] })
      let y = Moments(values: b.map { factor * $0[j] })
      #expect(zScore(x, y).magnitude < 4.5, "\(own): \(x.mean), \(y.mean)")
      let error = (x.varianceError * x.varianceError + y.varianceError * y.varianceError).squareRoot()
      #expect((x.variance - y.variance).magnitude < 4.5 * error, "\(own): \(x.variance), \(y.variance)")
    }
  }

  /// From small random starts of two layers modes are learned one after the other, half at log(1/alpha)/s and a constant.
  @Test func modesAreLearnedOneAfterTheOther() throws {
    func times(_ alpha: Double) throws -> [[Double]] {
      let runs = try ProblemRuns(
        "deep-linear",
        [
          "depth": 2, "target": [4.0, 2.0, 1.0], "alpha": alpha, "learning_rate": 0.02, "steps": 1000,
          "records": "last",
        ])
      let places = try (0...2).map { try runs.place("half_time[\($0)]") }
      let rows = runs.rows(200)
      #expect(try rows.allSatisfy { $0[try runs.place("learned[2]")] == 1 })
      return places.map { place in rows.map { $0[place] } }
    }
    let (coarse, fine) = (try times(1e-2), try times(1e-4))
    for (i, s) in [4.0, 2, 1].enumerated() {
      // The same draws: the logarithms of the ratio of the starts, over the growth of a step.
      let delay = Moments(values: zip(coarse[i], fine[i]).map { $1 - $0 })
      let law = Elementary.log(100) * 0.02 / Elementary.log(1 + 0.02 * s)
      #expect((delay.mean - law).magnitude < 0.02 + 4 * delay.meanError, "\(s): \(delay.mean), \(law)")
    }
  }
}
