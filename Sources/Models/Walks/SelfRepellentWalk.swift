import Experiments
import Kernels
import Randomness

/// A walk that avoids where it has been (arXiv:2305.05097): from vertex i it goes to j with probability
///
/// $$ K[x]_{ij} \propto P_{ij} (x_j/\mu_j)^{-\alpha}, $$
///
/// P a chain reversible for $\mu$ and x the shares of its visits, of which there are $N n_0 \mu_j$ before it starts (N vertices). A common factor of x does not matter, so the weight of a vertex,
/// $(n_0 + v_j/N\mu_j)^{-\alpha}$ after $v_j$ visits, changes at a visit only: a step costs the degree of a vertex and one power.
///
/// After n steps $n \mathrm{Cov}(x) \to V(\alpha)$ (`WalkSpectrum`). What is measured has x without the visits before the start.
package struct SelfRepellentWalk: DrawnProblem {
  package let chain: BaseChain
  package let alpha: Double
  /// $n_0$.
  let pseudoVisits: Double
  let start: WalkStart
  /// f, and its mean under $\mu$.
  package let function: [Double]
  package let mean: Double
  package let records: [Int]
  package let attributes: [String: String]
  package let together: Int

  /// Vertices up to which walks go side by side: beyond them their weights would take hundreds of megabytes.
  private static let mostTogether = 1 << 20
  /// Least power of a weight: the greatest number of visits is beyond it nowhere.
  static let least = 1e-250

  package init(
    _ chain: BaseChain, alpha: Double, pseudoVisits: Double = 1, start: WalkStart, function: [Double], records: [Int],
    attributes: [String: String] = [:]
  ) {
    (self.chain, self.alpha, self.pseudoVisits, self.start) = (chain, alpha, pseudoVisits, start)
    (self.function, self.records, self.attributes) = (function, records, attributes)
    mean = chain.mean(function)
    // Rows of several walks are as long as the longest: worth it unless few vertices have many neighbours.
    var degree = 0.0
    for i in 0..<chain.count {
      degree = degree.addingProduct(chain.target[i], Double(chain.offsets[i + 1] - chain.offsets[i]))
    }
    together = Double(chain.largestDegree) <= 2 * degree + 8 && chain.count <= Self.mostTogether ? WalkLanes.count : 1
  }

  package final class State {
    /// Of each vertex: $(x_j/\mu_j)^{-\alpha}$ up to a common factor, its visits, and $1/N\mu_j$.
    fileprivate let weights, visits, inverses: UnsafeMutablePointer<Double>
    fileprivate let room: BaseChain.StepRoom
    /// Of walks side by side: they, and where they are.
    fileprivate let lanes: WalkLanes?
    fileprivate let at: UnsafeMutablePointer<Int>

    fileprivate init(_ walk: SelfRepellentWalk) {
      let (chain, n) = (walk.chain, walk.chain.count)
      (weights, visits, inverses) = (.allocateZeros(n), .allocateZeros(n), .allocateZeros(n))
      for i in 0..<n { inverses[i] = 1 / (Double(n) * chain.target[i]) }
      room = BaseChain.StepRoom(chain)
      lanes = walk.together > 1 ? WalkLanes(walk) : nil
      at = .allocate(capacity: WalkLanes.count)
      at.initialize(repeating: 0, count: WalkLanes.count)
    }

    deinit {
      for place in [weights, visits, inverses] { place.deallocate() }
      at.deallocate()
    }
  }

  package var axis: Axis { .steps(records) }
  package let observables = [
    Observable("scaled_error", "n |x - mu|^2"),
    Observable("scaled_variation", "sqrt(n) times the total variation between x and mu, sum |x - mu|/2"),
    Observable("scaled_square", "n (x f - mu f)^2"),
    Observable("mean", "x f, the mean of f over the steps"),
  ]

  package func makeState() -> State { State(self) }

  package func draw(_ state: State, _ stream: inout Stream, into values: UnsafeMutablePointer<Double>) {
    state.visits.update(repeating: 0, count: chain.count)
    state.weights.update(repeating: Elementary.power(pseudoVisits, -alpha), count: chain.count)
    var (vertex, made, out) = (start.draw(&stream), 0, values)
    _ = chain.withMoves { moves in
      for record in records {
        walk(state, moves, record - made, &vertex, &stream)
        made = record
        measure(state.visits, Double(made), into: out)
        out += 4
      }
    }
  }

  package func drawTogether(
    _ state: State, _ streams: UnsafeMutablePointer<Stream>, _ count: Int, into values: UnsafeMutablePointer<Double>
  ) {
    guard let lanes = state.lanes else { preconditionFailure("walks of this chain go alone") }
    lanes.start()
    for l in 0..<count { state.at[l] = start.draw(&streams[l]) }
    // Those that are not asked for go with the words of before.
    for l in count..<WalkLanes.count { state.at[l] = state.at[0] }
    var made = 0
    for (r, record) in records.enumerated() {
      lanes.walk(record - made, state.at, streams, count)
      made = record
      for l in 0..<count {
        measure(lanes.visits + l * chain.count, Double(made), into: values + 4 * (l * records.count + r))
      }
    }
  }

  /// $(x_j/\mu_j)^{-\alpha}$ up to a common factor.
  /// - Parameter inverse: $1/N\mu_j$.
  @inline(__always)
  func weight(visits: Double, inverse: Double) -> Double {
    Elementary.power(pseudoVisits.addingProduct(visits, inverse), -alpha)
  }

  private func walk(
    _ state: State, _ moves: BaseChain.Moves, _ steps: Int, _ vertex: inout Int, _ stream: inout Stream
  ) {
    let (weights, visits, inverses, room) = (state.weights, state.visits, state.inverses, state.room)
    for _ in 0..<steps {
      vertex = moves.step(from: vertex, room, &stream) { weights[$0] }
      visits[vertex] += 1
      weights[vertex] = weight(visits: visits[vertex], inverse: inverses[vertex])
    }
  }

  private func measure(_ visits: UnsafePointer<Double>, _ n: Double, into values: UnsafeMutablePointer<Double>) {
    var (square, sum, mean) = (0.0, 0.0, 0.0)
    for i in 0..<chain.count {
      let distance = visits[i] / n - chain.target[i]
      square = square.addingProduct(distance, distance)
      sum += distance.magnitude
      mean = mean.addingProduct(distance, function[i])
    }
    (values[0], values[1]) = (n * square, n.squareRoot() * 0.5 * sum)
    (values[2], values[3]) = (n * mean * mean, self.mean + mean)
  }

  /// Without repulsion a walk that starts in $\mu$ is a stationary chain: $n E (x f - \mu f)^2 = \sum_i (u_i \cdot f)^2 [\frac{1+\lambda_i}{1-\lambda_i} - \frac{2\lambda_i (1-\lambda_i^n)}{n (1-\lambda_i)^2}]$.
  package var known: [KnownStatistic] {
    guard alpha == 0, start.isStationary, let ofFunction = chain.measure(of: function) else { return [] }
    let ofAll = chain.evenMeasure
    return records.enumerated().flatMap { record, n in
      var found = [
        KnownStatistic(.mean, of: "mean", record: record, mean),
        KnownStatistic(
          .mean, of: "scaled_square", record: record,
          ofFunction.sum { SpectralMeasure.finite($0, steps: n) }),
      ]
      if let ofAll {
        found.append(
          KnownStatistic(
            .mean, of: "scaled_error", record: record, ofAll.sum { SpectralMeasure.finite($0, steps: n) }))
      }
      return found
    }
  }

  static let entry = WalkFamily.entry(
    name: "self-repellent", summary: "the shares of its visits of a walk that avoids where it has been",
    equation: "K[x]_ij ~ P_ij (x_j/mu_j)^-alpha, x the shares of the visits, N n_0 mu_j of them before the start",
    reference: "arXiv:2305.05097; docs/walks.md",
    observables: ["scaled_error", "scaled_variation", "scaled_square", "mean"],
    parameters: WalkKeys.parameters + [
      WalkKeys.function,
      Parameter(
        "pseudo_visits", .real(.init(1e-3, 1e6)), default: .real(1),
        "n_0, visits of a vertex before the start, in the mean over the vertices"),
    ]
  ) { p, data in
    let (graph, chain, attributes) = try WalkKeys.chain(p, data: data)
    let (alpha, pseudoVisits) = (p.real("alpha"), p.real("pseudo_visits"))
    let rarest = Double(chain.count) * (chain.target.min() ?? 1)
    let farthest = pseudoVisits + Double(p.integer("steps")) / rarest
    guard alpha * Elementary.log(max(farthest, 1 / pseudoVisits)) < -Elementary.log(least) else {
      throw p.invalid(
        "alpha",
        "must be such that weights stay above \(least): (n_0 + steps/(N least mu))^-alpha, \(farthest)^-alpha here")
    }
    return DrawnProblemModel(
      SelfRepellentWalk(
        chain, alpha: alpha, pseudoVisits: pseudoVisits, start: try WalkKeys.start(p, chain),
        function: try WalkKeys.function(p, graph), records: try WalkKeys.records(p), attributes: attributes),
      p)
  }
}
