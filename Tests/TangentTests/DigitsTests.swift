import Experiments
import Kernels
import Networks
import Randomness
import Tangent
import Testing

import Limits

/// Distilled labels and active learning on digits: printed values of an independent program (theory, kernels.md 7) and plain algorithms.
@Suite struct DigitsTests {
  static func distilled(width: Int) -> String {
    """
    service = "distilled-labels"
    width = \(width)
    data = { file = "data/digits.csv", positive = [0, 2, 4, 6, 8] }
    sources = { from = 1, to = 205, every = 7 }
    targets = { every = 3 }
    draws = 2
    """
  }

  static func active(_ keys: String, picks: String = "[10, 40]") -> String {
    """
    service = "active-learning"
    data = { file = "data/digits.csv", positive = [0, 2, 4, 6, 8] }
    rows = { every = 3 }
    picks = \(picks)
    draws = 2
    \(keys)
    """
  }

  @Test func printedErrorsAtInfiniteWidth() throws {
    let service = try Service(Self.distilled(width: 32))
    #expect((try service.limit("infinite-width-service", "true_error") - 0.43580).magnitude < 6e-6)
    #expect((try service.limit("infinite-width-service", "own_error") - 0.28359).magnitude < 6e-6)
    #expect((try service.limit("infinite-width-service", "limit_error") - 0.28359).magnitude < 6e-6)
  }

  /// Regression on the labels that were solved for has the least error, at infinite width too.
  @Test func solvedLabelsAreWithTheirRidge() throws {
    let service = try Service(Self.distilled(width: 32) + "\nridge = 0.5")
    let problem = try #require(service.model.problem as? DistilledLabels)
    let (count, n, kernel) = (problem.network.count, 30, problem.network.limits().tangent)
    let system = (0..<n * n).map { kernel[$0 / n * count + $0 % n] + ($0 % (n + 1) == 0 ? 0.5 : 0) }
    let z = Self.solved(system, problem.solved, n)
    let rests = (n..<count).map { t in (0..<n).reduce(-problem.labels[t]) { $0 + kernel[t * count + $1] * z[$1] } }
    let error = rests.reduce(0) { $0 + $1 * $1 } / Double(count - n)
    #expect((error / problem.limit.solvedError - 1).magnitude < 1e-8, "\(error), \(problem.limit.solvedError)")
  }

  @Test(
    arguments: [
      (32, 200, [0.599, 0.006, 0.611, 0.007, 0.329, 0.002]), (128, 100, [0.494, 0.004, 0.404, 0.003, 0.310, 0.002]),
      (512, 40, [0.451, 0.004, 0.320, 0.002, 0.295, 0.002]),
    ] as [(Int, Int, [Double])])
  func printedErrorsOfNetworks(width: Int, draws: Int, printed: [Double]) throws {
    let service = try Service(Self.distilled(width: width))
    for (i, name) in ["true_error", "limit_error", "own_error"].enumerated() {
      expect(try service.sample(name, draws), printed[2 * i], printed[2 * i + 1], "n = \(width), \(name)")
    }
    expect(try service.sample("diagonal", draws), try service.exact("diagonal"), 0, "diagonal")
  }

  /// One draw by normal equations and Gauss-Jordan elimination, from the same kernel.
  @Test func errorsAreThoseOfPlainElimination() throws {
    let service = try Service(Self.distilled(width: 40))
    let problem = try #require(service.model.problem as? DistilledLabels)
    let (count, n, network) = (problem.network.count, 30, problem.network)
    let state = ShallowNetwork.State(network, width: 40)
    var stream = Stream(key: Stream.key(seed: 2026, path: "tangent"))
    stream.start(draw: 0)
    network.draw(state, &stream)
    var (kernel, room) = (Array(repeating: 0.0, count: count * n), Array(repeating: 0.0, count: count * n))
    network.tangent(state, rows: 0..<count, columns: 0..<n, into: &kernel, stride: n, room: &room)
    let y = problem.labels
    func error(_ labels: [Double]) -> Double {
      let z = Self.solved((0..<n * n).map { kernel[$0] + ($0 % (n + 1) == 0 ? problem.ridge : 0) }, labels, n)
      return residual(z)
    }
    func residual(_ z: [Double]) -> Double {
      let rests = (n..<count).map { t in (0..<n).reduce(-y[t]) { $0 + kernel[t * n + $1] * z[$1] } }
      return rests.reduce(0) { $0 + $1 * $1 } / Double(count - n)
    }
    let normal = (0..<n * n).map { place in
      (n..<count).reduce(0) { $0 + kernel[$1 * n + place / n] * kernel[$1 * n + place % n] }
    }
    let right = (0..<n).map { i in (n..<count).reduce(0) { $0 + kernel[$1 * n + i] * y[$1] } }
    let expected = [error(y), error(problem.solved), residual(Self.solved(normal, right, n))]
    for (name, value) in zip(["true_error", "limit_error", "own_error"], expected) {
      let found = try service.sample(name, 1)[0]
      #expect((found / value - 1).magnitude < 1e-8, "\(name): \(found), \(value)")
    }
  }

  private static func solved(_ matrix: [Double], _ right: [Double], _ n: Int) -> [Double] {
    var (a, x) = (matrix, right)
    for i in 0..<n {
      for k in 0..<n where k != i {
        let factor = a[k * n + i] / a[i * n + i]
        for j in 0..<n { a[k * n + j] -= factor * a[i * n + j] }
        x[k] -= factor * x[i]
      }
    }
    return (0..<n).map { x[$0] / a[$0 * (n + 1)] }
  }

  // MARK: - Active learning

  @Test func printedGreedyChoices() throws {
    let service = try Service(Self.active("by = \"kernel\""))
    let greedy = try #require(service.model.problem as? ActiveLearning).greedy
    #expect(Array(greedy.picks.prefix(5)) == [0, 542, 436, 68, 271])
    #expect((greedy.values[0] - 48.0632).magnitude < 6e-5 && (greedy.values[2] - 169.9265).magnitude < 6e-5)
    #expect(try service.sample("log_det", 1)[0] == service.limit("greedy-kernel", "log_det"))
  }

  @Test(
    arguments: [
      ("by = \"random\"", 400, [44.14, 0.04, 154.10, 0.09]), ("by = \"sketch\"\nsize = 16", 60, [.nan, 0, 162.1, 0.2]),
      ("by = \"sketch\"\nsize = 64", 40, [.nan, 0, 166.17, 0.09]),
      ("by = \"sketch\"\nsize = 256", 20, [.nan, 0, 168.67, 0.07]),
      ("by = \"network\"\nsize = 32", 60, [.nan, 0, 167.26, 0.11]),
      ("by = \"network\"\nsize = 512", 20, [.nan, 0, 169.48, 0.06]),
    ] as [(String, Int, [Double])])
  func printedValuesOfChoices(keys: String, draws: Int, printed: [Double]) throws {
    let service = try Service(Self.active(keys))
    for record in 0..<2 where printed[2 * record].isFinite {
      expect(
        try service.sample("log_det", draws, record: record), printed[2 * record], printed[2 * record + 1], keys)
    }
  }

  /// The whole matrix, with what was chosen taken off it; and log det by elimination of K_S + s^2.
  @Test func choicesAreThoseOfPlainDeflation() throws {
    for (keys, size) in [("by = \"network\"\nsize = 20", 20), ("by = \"kernel\"", 0)] {
      let service = try Service(Self.active(keys, picks: "[1, 7, 25]"))
      let problem = try #require(service.model.problem as? ActiveLearning)
      let (network, count) = (problem.network, problem.network.count)
      let limit = network.limits().tangent
      var rest = limit
      if size > 0 {
        let state = ShallowNetwork.State(network, width: size)
        var stream = Stream(key: Stream.key(seed: 2026, path: "tangent"))
        stream.start(draw: 0)
        network.draw(state, &stream)
        var room = rest
        network.tangent(state, rows: 0..<count, columns: 0..<count, into: &rest, stride: count, room: &room)
      }
      var picks: [Int] = []
      for _ in 0..<25 {
        let best =
          (0..<count).filter { !picks.contains($0) }.max { rest[$0 * (count + 1)] < rest[$1 * (count + 1)] } ?? 0
        // `max` gives the last of equal ones: the first is wanted.
        let first =
          (0..<count).first { !picks.contains($0) && rest[$0 * (count + 1)] == rest[best * (count + 1)] } ?? best
        picks.append(first)
        let (pivot, column) = (rest[first * (count + 1)] + 0.01, (0..<count).map { rest[$0 * count + first] })
        for a in 0..<count { for b in 0..<count { rest[a * count + b] -= column[a] * column[b] / pivot } }
      }
      for (record, m) in [1, 7, 25].enumerated() {
        let chosen = picks.prefix(m)
        var (a, logDet) = (chosen.flatMap { i in chosen.map { limit[i * count + $0] + (i == $0 ? 0.01 : 0) } }, 0.0)
        let weights = Self.solved(a, chosen.map { problem.labels[$0] }, m)
        for i in 0..<m {
          logDet += Elementary.log(a[i * (m + 1)] / 0.01)
          for k in i + 1..<max(m, i + 1) {
            let factor = a[k * m + i] / a[i * (m + 1)]
            for j in 0..<m { a[k * m + j] -= factor * a[i * m + j] }
          }
        }
        let rests = (0..<count).map { t in
          zip(chosen, weights).reduce(-problem.labels[t]) { $0 + limit[t * count + $1.0] * $1.1 }
        }
        let error = rests.reduce(0) { $0 + $1 * $1 } / Double(count)
        #expect((try service.sample("log_det", 1, record: record)[0] / logDet - 1).magnitude < 1e-10, "\(keys), \(m)")
        #expect((try service.sample("test_error", 1, record: record)[0] / error - 1).magnitude < 1e-8, "\(keys), \(m)")
      }
    }
  }

  /// All points alike: the first ones, in their order, none twice.
  @Test func tiesGoToTheFirst() {
    let selection = GreedySelection(points: 5, picks: 4)
    for offDiagonal in [0.0, 1.0] {
      selection.choose(noise: 0.1, diagonal: { _ in 1 }) { b, column in
        for a in 0..<5 { column[a] = a == b ? 1 : offDiagonal }
      }
      #expect((0..<4).map { selection.picks[$0] } == [0, 1, 2, 3])
    }
  }
}
