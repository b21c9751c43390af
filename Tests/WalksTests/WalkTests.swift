import Experiments
import Foundation
import Graphs
import Jobs
import Randomness
import Statistics
import Testing
import Walks

/// Walks against plain ones on the same words, against what is known of them, and what is refused. Fifty statistical tests in all, 4.5 standard errors each: a false alarm has probability below 4e-4.
@Suite struct WalkTests {
  /// A step by floating-point sums.
  private static func step(_ chain: BaseChain, _ i: Int, _ word: UInt64, _ weight: (Int) -> Double) -> Int {
    let moves = chain.offsets[i]..<chain.offsets[i + 1]
    let values = moves.map { chain.probabilities[$0] * weight(Int(chain.columns[$0])) }
    var rest = Double(word) * 0x1p-64 * values.reduce(0, +)
    for (e, value) in zip(moves, values) {
      if rest < value { return Int(chain.columns[e]) }
      rest -= value
    }
    return Int(chain.columns[moves.upperBound - 1])
  }

  /// Every step works out the powers of all neighbours from x itself.
  @Test(arguments: [0, 0.5, 2, 10]) func walkIsThePlainOne(alpha: Double) throws {
    let graph = try Walking.karateGraph()
    for (target, pseudoVisits) in [(nil, 1), ((0..<34).map { 1 + Double($0 % 5) }, 2.5)] as [([Double]?, Double)] {
      let chain = BaseChain(graph, target: target)
      let (n, records) = (34, [1, 10, 400, 5000])
      let f = (0..<n).map { sin(Double($0)) }
      let walk = SelfRepellentWalk(
        chain, alpha: alpha, pseudoVisits: pseudoVisits, start: WalkStart(vertex: 3), function: f, records: records)
      let key = Stream.key(seed: 2026, path: "walk")
      for draw in 0..<3 {
        let values = try #require(Experiment(ProblemDraw(walk)).makeRunner(key: key)).values(UInt64(draw))
        var stream = Stream(key: key)
        stream.start(draw: UInt64(draw))
        var counts = chain.target.map { Double(n) * pseudoVisits * $0 }
        var (visits, i) = (Array(repeating: 0.0, count: n), 3)
        for step in 1...5000 {
          let total = counts.reduce(0, +)
          i = Self.step(chain, i, stream.word()) { pow(counts[$0] / total / chain.target[$0], -alpha) }
          counts[i] += 1
          visits[i] += 1
          guard let record = records.firstIndex(of: step) else { continue }
          let d = zip(visits, chain.target).map { $0 / Double(step) - $1 }
          let mean = zip(d, f).reduce(0.0) { $0 + $1.0 * $1.1 }
          let expected = [
            Double(step) * d.reduce(0) { $0 + $1 * $1 }, 0.5 * Double(step).squareRoot() * d.reduce(0) { $0 + abs($1) },
            Double(step) * mean * mean, walk.mean + mean,
          ]
          for (k, value) in expected.enumerated() {
            #expect(abs(values[4 * record + k] - value) < 1e-11 * (1 + abs(value)), "draw \(draw), step \(step), \(k)")
          }
        }
      }
    }
  }

  /// Every step moves all shares, without logarithms.
  @Test(arguments: [0, 0.5, 3]) func tokenIsThePlainOne(alpha: Double) throws {
    let chain = BaseChain(try Walking.karateGraph(), target: nil)
    let objective = NodeObjective(logistic: 3, ridge: 0.1, seed: 5, chain)
    let records = [1, 30, 2000]
    let token = TokenLearning(
      chain, objective, alpha: alpha, shareExponent: 0.7, stepExponent: 0.9, gain: 2, start: WalkStart(vertex: 1),
      records: records)
    let key = Stream.key(seed: 2026, path: "walk")
    let values = try #require(Experiment(ProblemDraw(token)).makeRunner(key: key)).values(4)
    var stream = Stream(key: key)
    stream.start(draw: 4)
    var (x, theta, h, i) = (chain.target, [0.0, 0, 0], [0.0, 0, 0], 1)
    for n in 1...2000 {
      i = Self.step(chain, i, stream.word()) { pow(x[$0] / chain.target[$0], -alpha) }
      let (beta, gamma) = (2 * pow(Double(n), -0.9), pow(Double(n + 1), -0.7))
      for j in x.indices { x[j] += gamma * ((j == i ? 1 : 0) - x[j]) }
      objective.withGradients { $0.write(theta, vertex: i, into: &h) }
      for k in 0..<3 { theta[k] += beta * h[k] }
      guard let record = records.firstIndex(of: n) else { continue }
      let square = zip(theta, objective.minimiser).reduce(0.0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
      #expect(abs(values[3 * record] * beta / square - 1) < 1e-10)
      #expect(abs(values[3 * record + 1] * beta - (objective.value(&theta) - objective.least)) < 1e-12)
      #expect(abs(values[3 * record + 2] - theta[0]) < 1e-11)
    }
  }

  private static func check(_ found: Moments, _ expected: Double, _ what: String, room: Double = 0) {
    #expect(
      abs(found.mean - expected) < 4.5 * found.meanError + room * expected + 1e-12,
      "\(what): \(found.mean) +- \(found.meanError), \(expected)")
  }

  /// Without repulsion every walk is a stationary chain, exactly known from its first step on.
  @Test func plainChainsAreExact() throws {
    for chain in [try Walking.petersen(), try Walking.ring(), try Walking.karate()] {
      let records = [1, 2, 7, 60]
      let walk = SelfRepellentWalk(
        chain, alpha: 0, start: WalkStart(stationary: chain), function: Walking.indicator(chain.count), records: records
      )
      let rows = Walking.rows(walk, 4000)
      #expect(walk.known.count == 12)
      for known in walk.known {
        Self.check(
          Walking.moments(rows, walk, known.observable, record: known.record), known.value,
          "\(known.observable) after \(records[known.record])")
      }
      let token = TokenLearning(
        chain, NodeObjective(mean: Walking.indicator(chain.count), chain), alpha: 0, shareExponent: 0.6,
        stepExponent: 1,
        start: WalkStart(stationary: chain), records: [60])
      let own = try #require(token.known.first { $0.observable == "scaled_error" })
      let same = try #require(walk.known.last { $0.observable == "scaled_square" })
      #expect(abs(own.value - same.value) < 1e-14)
    }
  }

  /// Long walks have the variances of their limits, with an excess of order 1/n that is printed: .04812 at alpha = 10 after 750 steps of Petersen's graph.
  @Test func longWalks() throws {
    let chain = try Walking.petersen()
    for alpha in [1.0, 5, 10] {
      let walk = SelfRepellentWalk(
        chain, alpha: alpha, start: WalkStart(stationary: chain), function: Walking.indicator(10), records: [750, 3000])
      let rows = Walking.rows(walk, 4000)
      let variances = try #require(chain.variances(alpha: alpha))
      let trace = variances.reduce(0, +)
      if alpha == 10 {
        Self.check(Walking.moments(rows, walk, "scaled_error"), 0.04812, "after 750", room: 0.0035 * 4.5)
      }
      Self.check(Walking.moments(rows, walk, "scaled_error", record: 1), trace, "trace", room: 0.003 * alpha / 3)
      Self.check(
        Walking.moments(rows, walk, "scaled_square", record: 1), variances[0], "one vertex", room: 0.003 * alpha / 3)
      let variation = variances.reduce(0.0) { $0 + ($1 / (2 * .pi)).squareRoot() }
      Self.check(
        Walking.moments(rows, walk, "scaled_variation", record: 1), variation, "variation", room: 0.003 * alpha / 3)
    }
  }

  /// A token whose two steps are one over n, with curvatures that are not 1.
  @Test func longTokens() throws {
    let chain = try Walking.petersen()
    let objective = NodeObjective(logistic: 2, ridge: 0.3, seed: 2, chain)
    for alpha in [0.0, 2] {
      let token = TokenLearning(
        chain, objective, alpha: alpha, shareExponent: 1, stepExponent: 1, gain: 6, start: WalkStart(stationary: chain),
        records: [4000])
      let rows = Walking.rows(token, 2000)
      let variances = try #require(token.variances)
      Self.check(Walking.moments(rows, token, "scaled_error"), variances.reduce(0, +), "alpha \(alpha)", room: 0.01)
      Self.check(
        Walking.moments(rows, token, "scaled_excess"),
        zip(variances, objective.curvatures).reduce(0) { $0 + 0.5 * $1.0 * $1.1 }, "alpha \(alpha)", room: 0.01)
    }
  }

  @Test func namedGraphs() throws {
    func degrees(_ graph: EdgeList) -> [Int] {
      var found = Array(repeating: 0, count: graph.vertices)
      for (i, j) in zip(graph.first, graph.second) {
        found[Int(i)] += 1
        found[Int(j)] += 1
      }
      return found
    }
    let petersen = try Walking.graph(["graph": .text("petersen")])
    #expect(petersen.vertices == 10 && degrees(petersen).allSatisfy { $0 == 3 })
    let karate = try Walking.karateGraph()
    #expect(karate.count == 78 && degrees(karate)[33] == 17 && degrees(karate)[0] == 16)
    let complete = try Walking.graph(["graph": .text("complete"), "vertices": .integer(6)])
    #expect(complete.count == 15)
    #expect(karate.separatePart == nil)
    let parts = EdgeList(vertices: 6, first: [0, 1, 3], second: [1, 2, 4], weights: [1, 1, 1])
    #expect(parts.separatePart == [5])
    let alike = EdgeList(vertices: 5, first: [0, 1, 3], second: [1, 2, 4], weights: [1, 1, 1])
    #expect(alike.separatePart == [3, 4])
  }

  @Test func badInputIsNamed() throws {
    let usual = "problem = \"self-repellent\"\ngraph = \"petersen\"\nsteps = 10\ndraws = 2"
    let token = "problem = \"token\"\ngraph = \"petersen\"\nsteps = 10\ndraws = 2"
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "walks-\(ProcessInfo.processInfo.processIdentifier)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try "0 1\n1 2\n3 4\n".write(to: folder.appendingPathComponent("parts.txt"), atomically: true, encoding: .utf8)
    for (keys, words) in [
      (
        "problem = \"self-repellent\"\nfile = \"parts.txt\"\nheader = false\nsteps = 10\ndraws = 2",
        "walk.file = \"parts.txt\": the graph is not connected: the 2 vertices 3, 4 (from 0) are joined to none of the other 3"
      ),
      ("\(usual)\nalpha = -0.5", "walk.alpha = -0.5: must be a number in [0.0, 100.0]; the nearest is 0.0"),
      ("\(usual)\nalpha = 90\npseudo_visits = 1e-3", "walk.alpha = 90.0: must be such that weights stay above"),
      (
        "\(token)\nshare_exponent = 1.2",
        "walk.share_exponent = 1.2: must be a number in (0.5, 1.0]; the nearest is 1.0"
      ),
      (
        "\(token)\nstep_exponent = 1.01",
        "walk.step_exponent = 1.01: must be a number in (0.5, 1.0]; the nearest is 1.0"
      ),
      ("\(token)\nobjectiv = \"mean\"", "walk.objectiv = \"mean\": unknown key (did you mean objective?)"),
      ("\(usual)\nweights = \"signs\"", "has the weight -1.0; a walk needs weights above 0"),
      ("\(usual)\ntarget = \"uniform\"", "chain = \"simple\" takes none"),
      ("\(usual)\nchain = \"metropolis\"\ntarget = \"unifrm\"", "did you mean uniform?"),
      ("\(usual)\nchain = \"metropolis\"\ntarget = { formula = \"i\" }", "is 0.0 in vertex 0; must be above 0"),
      ("\(usual)\nfunction = [1, 2]", "an array of 10 finite numbers"),
      ("\(usual)\nfunction = { formula = \"x + d\" }", "walk.function.formula"),
      ("\(usual)\nstart = 10", "walk.start = 10: must be \"stationary\", or a vertex in [0, 9]"),
      ("\(usual)\nrecords = [0, 5]", "must be numbers of steps of at least 1"),
      ("problem = \"self-repelent\"\ngraph = \"petersen\"", "self-repellent"),
      (
        "\(token)\nobjective = \"logistic\"\n[[limit]]\nequation = \"token-covariance\"",
        "needs walk.gain above"
      ),
      ("\(token)\n[[limit]]\nequation = \"walk-covariance\"", "is a limit of problem = \"self-repellent\" only"),
    ] as [(String, String)] {
      let failure = #expect(throws: Failure.self, "\(keys)") {
        try Walking.job(keys, name: folder.appendingPathComponent("job.toml").path)
      }
      #expect(failure?.status == .badData)
      #expect(failure?.message.contains(words) ?? false, "\(failure?.message ?? "") should say: \(words)")
    }
  }
}
