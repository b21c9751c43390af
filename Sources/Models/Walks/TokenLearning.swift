import Experiments
import Kernels
import Randomness

/// A token that learns on its walk (arXiv:2401.09665): at step n it moves by $K[x]$, x the weighted shares of its visits, and takes from the vertex where it is
///
/// $$ \theta \leftarrow \theta + \beta_n H(\theta, X_n), \quad x \leftarrow x + \gamma_n (\delta_{X_n} - x), \qquad \beta_n = g n^{-q}, \quad \gamma_n = (n+1)^{-p}, \quad x = \mu \text{ at the start} . $$
///
/// All shares but that of the visited vertex fall by the factor $1-\gamma_n$, which $K[x]$ does not see: kept are $\log(x_j/\mu_j)$ less the logarithm of all these factors, of which a step changes one.
package struct TokenLearning: DrawnProblem {
  package let chain: BaseChain
  package let objective: NodeObjective
  package let alpha: Double
  /// p, q, g.
  package let shareExponent, stepExponent, gain: Double
  let start: WalkStart
  package let records: [Int]
  package let attributes: [String: String]

  package init(
    _ chain: BaseChain, _ objective: NodeObjective, alpha: Double, shareExponent: Double, stepExponent: Double,
    gain: Double = 1, start: WalkStart, records: [Int], attributes: [String: String] = [:]
  ) {
    (self.chain, self.objective, self.alpha, self.start) = (chain, objective, alpha, start)
    (self.shareExponent, self.stepExponent, self.gain) = (shareExponent, stepExponent, gain)
    (self.records, self.attributes) = (records, attributes)
  }

  package final class State {
    /// theta and H; of each vertex $\log(x_j/\mu_j)$ less `fall`.
    fileprivate let theta, direction, levels: UnsafeMutablePointer<Double>
    /// $\sum \log(1-\gamma_n)$.
    fileprivate var fall = 0.0
    fileprivate let room: BaseChain.StepRoom

    fileprivate init(_ chain: BaseChain, _ dimension: Int) {
      (theta, direction) = (.allocateZeros(dimension), .allocateZeros(dimension))
      levels = .allocateZeros(chain.count)
      room = BaseChain.StepRoom(chain)
    }

    deinit { for place in [theta, direction, levels] { place.deallocate() } }
  }

  package var axis: Axis { .steps(records) }
  package let observables = [
    Observable("scaled_error", "|theta - theta*|^2/beta_n"),
    Observable("scaled_excess", "(F(theta) - F(theta*))/beta_n"),
    Observable("first", "theta_1"),
  ]

  package func makeState() -> State { State(chain, objective.dimension) }

  package func draw(_ state: State, _ stream: inout Stream, into values: UnsafeMutablePointer<Double>) {
    state.theta.update(repeating: 0, count: objective.dimension)
    state.levels.update(repeating: 0, count: chain.count)
    state.fall = 0
    var (vertex, made, out) = (start.draw(&stream), 0, values)
    _ = chain.withMoves { moves in
      for record in records {
        objective.withGradients { gradients in
          while made < record {
            made += 1
            step(state, moves, gradients, made, &vertex, &stream)
          }
        }
        measure(state, made, into: out)
        out += 3
      }
    }
  }

  private func rate(_ n: Int) -> Double { gain * Elementary.power(Double(n), -stepExponent) }

  @inline(__always)
  private func step(
    _ state: State, _ moves: BaseChain.Moves, _ gradients: NodeObjective.Gradients, _ n: Int, _ vertex: inout Int,
    _ stream: inout Stream
  ) {
    let (levels, alpha) = (state.levels, alpha)
    if alpha == 0 {
      vertex = moves.step(from: vertex, state.room, &stream) { _ in 1 }
    } else {
      // The least visited neighbour has the weight 1, so that nothing overflows however far behind another is.
      var least = Double.infinity
      for e in moves.offsets[vertex]..<moves.offsets[vertex &+ 1] { least = min(least, levels[Int(moves.columns[e])]) }
      vertex = moves.step(from: vertex, state.room, &stream) { Elementary.exp(alpha * (least - levels[$0])) }
      let gamma = Elementary.power(Double(n + 1), -shareExponent)
      let mu = moves.target[vertex]
      let share = (1 - gamma) * mu * Elementary.exp(levels[vertex] + state.fall) + gamma
      state.fall += Elementary.log(1 - gamma)
      levels[vertex] = Elementary.log(share / mu) - state.fall
    }
    gradients.write(state.theta, vertex: vertex, into: state.direction)
    let beta = rate(n)
    for k in 0..<gradients.dimension { state.theta[k] = state.theta[k].addingProduct(beta, state.direction[k]) }
  }

  private func measure(_ state: State, _ n: Int, into values: UnsafeMutablePointer<Double>) {
    var square = 0.0
    for k in 0..<objective.dimension {
      let distance = state.theta[k] - objective.minimiser[k]
      square = square.addingProduct(distance, distance)
    }
    let beta = rate(n)
    (values[0], values[1]) = (square / beta, (objective.value(state.theta) - objective.least) / beta)
    values[2] = state.theta[0]
  }

  /// With steps 1/n and no repulsion the mean of b over n steps of a stationary chain.
  package var known: [KnownStatistic] {
    guard alpha == 0, objective.kind == .mean, stepExponent == 1, gain == 1, start.isStationary,
      let measure = chain.measure(of: objective.noise(along: 0))
    else { return [] }
    return records.enumerated().flatMap { record, n in
      [
        KnownStatistic(.mean, of: "first", record: record, objective.minimiser[0]),
        KnownStatistic(
          .mean, of: "scaled_error", record: record, measure.sum { SpectralMeasure.finite($0, steps: n) }),
      ]
    }
  }

  /// Along each direction of the Hessian, the variance of theta over beta_n as n grows; nil where the method of Lanczos does not find it. With $\kappa$ the curvature, $s = (1+\lambda)/(1-\lambda)$, $c = \alpha(1+\lambda)$, e = 1 where the
  /// exponent is 1 and 0 below,
  ///
  /// $$ \sum_i \frac{(u_i \cdot h)^2 \, m_i}{2\kappa - e/g}, \qquad m = \frac{s}{(1+c)^2} \ (p < q), \quad s \ (p > q), \quad s - 2 c y \ (p = q), $$
  ///
  /// the solution of the Lyapunov equation in the basis of the Hessian; for p = q that of theta and x together, with $y = s [1 - \frac{c}{2(1+c) - e}]/(g\kappa + 1 + c - e)$.
  package var variances: [Double]? {
    let (p, q, g) = (shareExponent, stepExponent, gain)
    let e = q == 1 ? 1.0 : 0
    var found: [Double] = []
    for (k, curvature) in objective.curvatures.enumerated() {
      guard let measure = chain.measure(of: objective.noise(along: k)) else { return nil }
      let noise = measure.sum { x in
        let (s, c) = (SpectralMeasure.plain(x), alpha * (1 + x))
        if p < q { return s / ((1 + c) * (1 + c)) }
        if p > q { return s }
        return s - 2 * c * s * (1 - c / (2 * (1 + c) - e)) / (g * curvature + 1 + c - e)
      }
      found.append(noise / (2 * curvature - e / g))
    }
    return found
  }

  static let entry = WalkFamily.entry(
    name: "token", summary: "a parameter that a token learns on its self-repellent walk",
    equation: "theta += g n^-q H(theta, X_n), x += (n+1)^-p (delta_{X_n} - x), X_n by K[x]_ij ~ P_ij (x_j/mu_j)^-alpha",
    reference: "arXiv:2401.09665; docs/walks.md", observables: ["scaled_error", "scaled_excess", "first"],
    parameters: WalkKeys.parameters + [
      Parameter(
        "objective", .choice(NodeObjective.Kind.allCases.map(\.rawValue)), default: .text("mean"),
        "mean: of function; logistic: regression on an example a vertex"),
      WalkKeys.function,
      Parameter(
        "dimension", .integer(1...64), default: .integer(4), "d, features of an example of objective = \"logistic\""),
      Parameter(
        "ridge", .real(.init(0, 1e3, openBelow: true)), default: .real(0.1), "rho of objective = \"logistic\""),
      Parameter("data_seed", .integer(0...Int64.max), default: .integer(1), "seed of the examples"),
      Parameter(
        "share_exponent", .real(.init(0.5, 1, openBelow: true)), default: .real(0.6), "p, gamma_n = (n+1)^-p for x"),
      Parameter(
        "step_exponent", .real(.init(0.5, 1, openBelow: true)), default: .real(1), "q, beta_n = g n^-q for theta"),
      Parameter("gain", .real(.init(0, 1e3, openBelow: true)), default: .real(1), "g"),
    ]
  ) { p, data in
    let (graph, chain, attributes) = try WalkKeys.chain(p, data: data)
    let objective: NodeObjective
    if p.text("objective") == NodeObjective.Kind.mean.rawValue {
      objective = NodeObjective(mean: try WalkKeys.function(p, graph), chain)
    } else {
      objective = NodeObjective(
        logistic: p.integer("dimension"), ridge: p.real("ridge"), seed: UInt64(p.integer("data_seed")), chain)
    }
    return DrawnProblemModel(
      TokenLearning(
        chain, objective, alpha: p.real("alpha"), shareExponent: p.real("share_exponent"),
        stepExponent: p.real("step_exponent"), gain: p.real("gain"), start: try WalkKeys.start(p, chain),
        records: try WalkKeys.records(p), attributes: attributes), p)
  }
}
