import Experiments
import Kernels
import Randomness
import Statistics

/// Scale-invariant weights, as below a normalisation, in pure gradient noise (PowerNorm, arXiv:2003.07845; normalise and project, arXiv:2407.01800): the gradient
/// is tangential and inversely proportional to the length of $w \in R^d$,
///
///     w' = (1 - eta lambda) w - eta g,   g = (1 - w w^T/|w|^2) xi/|w|,   xi ~ N(0, 1/d),
///
/// from |w| = 1; with `projection` w is brought back to that length after each step. What matters of a step is the effective rate $\eta/|w|^2$.
///
/// Exactly reduced: with $n = |w|^2$, $\zeta = |\xi_\perp|^2 \sim \chi^2_{d-1}/d$ and $c = 1 - \eta \lambda$
///
///     n' = c^2 n + eta^2 zeta/n,   tan(angle of the step) = eta sqrt(zeta)/(c n),
///
/// and the cosine a between w and its start moves by the part $y \sim N(0, 1/d)$ of $\xi_\perp$ along the start, $\zeta = y^2 + \chi^2_{d-2}/d$: O(1) a step whatever d.
package struct ScaleInvariant: TrainingProblem {
  package let dimension: Int
  /// lambda.
  let decay: Double
  let isProjected: Bool
  let isReduced: Bool
  /// Of the first step.
  let learningRate: Double

  package final class State {
    /// w and xi, then its tangential part; of the plain sampler.
    package let weights, noise: UnsafeMutablePointer<Double>
    /// |w|^2 and the cosine between w and its start.
    package var square = 1.0
    package var cosine = 1.0
    /// Parts of xi along the start, in the tangential plane, and its square across.
    package var along = 0.0
    package var across = 0.0
    /// Sum of the squared angles of the steps since the record before, and what was measured last.
    var angles = 0.0
    var steps = 0
    var kept = 0.0
    /// eta of the last step; at the start of the first.
    var rate: Double

    fileprivate init(_ p: ScaleInvariant) {
      let size = p.isReduced ? 0 : Triangular.padded(p.dimension)
      (weights, noise) = (.allocateZeros(size), .allocateZeros(size))
      rate = p.learningRate
    }

    deinit { for place in [weights, noise] { place.deallocate() } }
  }

  package var observables: [Observable] { Self.measured }

  private static let measured = [
    Observable("norm_squared", "|w|^2"),
    Observable("log_norm_squared", "log |w|^2"),
    Observable("norm_fourth", "|w|^4"),
    Observable("effective_rate", "eta / |w|^2 at the rate of the last step, at the start of the first"),
    Observable("squared_angle", "squared angle of a step, mean over the steps since the record before"),
    Observable("alignment", "cosine of the angle between w and its start"),
  ]

  package func makeState() -> State { State(self) }

  package func start(_ state: State, _ stream: inout Stream) {
    (state.square, state.cosine, state.angles, state.steps, state.kept) = (1, 1, 0, 0, 0)
    state.rate = learningRate
    guard !isReduced else { return }
    let entry = 1 / Double(dimension).squareRoot()
    for i in 0..<dimension { state.weights[i] = entry }
  }

  /// Draws the noise; |w|^2, as there is no loss.
  package func loss(_ state: State, _ stream: inout Stream, step: Int) -> Double {
    let d = Double(dimension)
    if isReduced {
      state.along = stream.normal() / d.squareRoot()
      state.across = stream.chiSquare(dimension - 2) / d
      return state.square
    }
    let scale = 1 / d.squareRoot()
    for i in 0..<dimension { state.noise[i] = scale * stream.normal() }
    let count = Triangular.padded(dimension)
    let radial = Triangular.dot(state.noise, state.weights, count) / state.square
    for i in 0..<dimension { state.noise[i] -= radial * state.weights[i] }
    return state.square
  }

  package func step(_ state: State, _ stream: inout Stream, rate: Double) {
    let (n, keep) = (state.square, 1 - rate * decay)
    let zeta: Double
    if isReduced {
      zeta = state.along * state.along + state.across
      state.square = keep * keep * n + rate * rate * zeta / n
      let sine = max(0, 1 - state.cosine * state.cosine).squareRoot()
      let root = n.squareRoot()
      let along = keep * root * state.cosine - rate / root * state.along * sine
      state.cosine = along / state.square.squareRoot()
    } else {
      let count = Triangular.padded(dimension)
      zeta = Triangular.dot(state.noise, state.noise, count)
      let scale = rate / n.squareRoot()
      for i in 0..<dimension { state.weights[i] = keep * state.weights[i] - scale * state.noise[i] }
      state.square = Triangular.dot(state.weights, state.weights, count)
    }
    let angle = Elementary.angle(x: keep * n, y: rate * zeta.squareRoot())
    state.angles += angle * angle
    state.steps += 1
    state.rate = rate
    guard isProjected else { return }
    if !isReduced {
      let scale = 1 / state.square.squareRoot()
      for i in 0..<dimension { state.weights[i] *= scale }
    }
    state.square = 1
  }

  package func measure(_ state: State, into values: UnsafeMutablePointer<Double>) {
    if state.steps > 0 {
      state.kept = state.angles / Double(state.steps)
      (state.angles, state.steps) = (0, 0)
    }
    let n = state.square
    if !isReduced {
      var sum = 0.0
      for i in 0..<dimension { sum += state.weights[i] }
      state.cosine = sum / (n * Double(dimension)).squareRoot()
    }
    (values[0], values[1], values[2]) = (n, Elementary.log(n), n * n)
    (values[3], values[4], values[5]) = (state.rate / n, state.kept, state.cosine)
  }
}

/// Exact means, step by step: the law of $n = |w|^2$ is kept as the Gauss nodes of its moments.
extension ScaleInvariant {
  private struct Means {
    /// The law of n.
    var nodes = [1.0]
    var weights = [1.0]
    /// Mean of the squared angle of the step made last.
    var angle = 0.0
    /// Mean cosine of all steps: what w keeps of its start.
    var kept = 1.0
  }

  /// Nodes of zeta, from its root, whose density r^{d-2} e^{-d r^2/2} is smooth.
  private func noiseNodes(_ count: Int) -> GaussNodes {
    let d = Double(dimension)
    let (centre, spread) = (((d - 2) / d).squareRoot(), 1 / d.squareRoot())
    var (points, weights): ([Double], [Double]) = ([], [])
    func exponent(_ r: Double) -> Double { (d - 2) * Elementary.log(r / centre) - 0.5 * d * (r * r - centre * centre) }
    GaussLegendre.forEachNode(
      in: max(0, centre - 9 * spread)...(centre + 9 * spread), breaks: [], panel: spread
    ) { r, weight in
      points.append(r * r)
      weights.append(weight * Elementary.exp(exponent(r)))
    }
    return GaussNodes(points: points, weights: weights, count: count)
  }

  /// Means of all observables at the records.
  /// - Parameter count: nodes of a law.
  private func means(_ settings: TrainingSettings, nodes count: Int) -> [Double] {
    let noise = noiseNodes(count)
    var law = Means()
    var values: [Double] = []
    var made = 0
    for step in settings.records {
      var angles = 0.0
      let steps = Double(step - made)
      while made < step {
        made += 1
        advance(&law, settings.rate(made), noise, count)
        angles += law.angle
      }
      func mean(_ f: (Double) -> Double) -> Double {
        zip(law.nodes, law.weights).reduce(0) { $0 + $1.1 * f($1.0) }
      }
      let rate = settings.rate(max(step, 1))
      let cosine = isProjected ? law.kept : law.kept * mean { 1 / $0.squareRoot() }
      values += [mean { $0 }, mean(Elementary.log), mean { $0 * $0 }, mean { rate / $0 }]
      values += [steps > 0 ? angles / steps : .nan, cosine]
    }
    return values
  }

  private func advance(_ law: inout Means, _ rate: Double, _ noise: GaussNodes, _ count: Int) {
    let keep = 1 - rate * decay
    var (points, weights): ([Double], [Double]) = ([], [])
    var (angle, cosine) = (0.0, 0.0)
    for (n, share) in zip(law.nodes, law.weights) {
      for (zeta, part) in zip(noise.nodes, noise.weights) {
        let step = Elementary.angle(x: keep * n, y: rate * zeta.squareRoot())
        let next = keep * keep * n + rate * rate * zeta / n
        angle += share * part * step * step
        cosine += share * part * keep * (n / next).squareRoot()
        points.append(next)
        weights.append(share * part)
      }
    }
    law.angle = angle
    // The cosines of the steps are independent where n is 1 at each; else their product is c^t/|w|, whatever the way.
    law.kept *= isProjected ? cosine : keep
    guard !isProjected else { return }
    let next = GaussNodes(points: points, weights: weights, count: count)
    (law.nodes, law.weights) = (next.nodes, next.weights)
  }

  /// Means that 8 nodes and 12 agree on to 1e-7 of their size; the others are left out.
  package func means(_ settings: TrainingSettings) -> ReferenceValues {
    let (rough, fine) = (means(settings, nodes: 8), means(settings, nodes: 12))
    let found = zip(rough, fine).map { ($0 - $1).magnitude <= 1e-7 * $1.magnitude ? $1 : .nan }
    return settings.known(Self.measured, means: found)
  }
}

extension ScaleInvariant {
  /// Most steps of which the exact means are worked out.
  private static let mostKnown = 10_000

  static let entry = ProblemEntry(
    name: "scale-invariant",
    summary: "weights whose length does not matter, in gradient noise: their growth and the effective learning rate",
    equation:
      "w' = (1 - learning_rate weight_decay) w - learning_rate (1 - w w^T/|w|^2) xi/|w|, xi ~ N(0, 1/d), |w| = 1 at the start",
    reference: "arXiv:2003.07845; arXiv:2407.01800; docs/training-problems.md",
    samplers: [
      ("reduced", "the length of w and its cosine with the start, O(1) a step whatever d"),
      ("weights", "every weight, O(d) a step"),
    ],
    observables: measured.map(\.family),
    parameters: [
      Parameter("dimension", .integer(3...1_000_000), "d, number of weights that share a length"),
      Parameter(
        "weight_decay", .real(.init(0, .infinity, openAbove: true)), default: .real(0),
        "lambda, with learning_rate weight_decay < 1"),
      Parameter(
        "projection", .boolean, default: .boolean(false), "whether w is brought back to length 1 after each step"),
    ]
  ) { p, settings, _ in
    let decay = p.real("weight_decay")
    try settings.requireOneRate(p, "learning_rate")
    guard settings.learningRate.largest * decay < 1 else {
      throw p.invalid("weight_decay", "must be below 1/learning_rate = \(1 / settings.learningRate.largest)")
    }
    guard settings.stopBelow == nil else { throw p.invalid("stop_below", "has no meaning here: there is no loss") }
    let problem = ScaleInvariant(
      dimension: p.integer("dimension"), decay: decay, isProjected: p.boolean("projection"),
      isReduced: p.text("sampler") == "reduced", learningRate: settings.rate(1))
    let isKnown = settings.records.last! <= mostKnown
    return TrainingModel(problem, settings, p, known: isKnown ? problem.means(settings) : nil)
  }
}
