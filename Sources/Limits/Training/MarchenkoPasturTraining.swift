import Experiments
import Kernels
import Training

extension TrainingLimits {
  static let marchenkoPastur = LimitEntry<TrainingModel>(
    name: "marchenko-pastur-training",
    summary: "training and test error of a linear student of many weights, after the same discrete steps",
    equation:
      "E_g = int rho [(s_w^2 + s_0^2) dec^2 + s_e^2 (1 - dec)^2 / l] + (1 - a)^+ (s_w^2 + s_0^2) + s_e^2, dec(l) = prod (1 - eta l), rho the Marchenko-Pastur law of a = P/N",
    reference: "arXiv:1710.03667, eq. 7 (of the flow); docs/training-problems.md", parameters: []
  ) { p, model in
    guard let problem = model.problem as? LeastSquaresDynamics else {
      throw p.invalid("equation", "needs problem = \"least-squares\"")
    }
    guard model.settings.stopBelow == nil else { throw p.invalid("equation", "needs runs without stop_below") }
    try model.settings.requireOneRate(p, "equation")
    let dynamics = MarchenkoPasturDynamics(problem)
    let schema = model.experiment.schema
    var found: [PredictedStatistic] = []
    dynamics.forEachRecord(model.settings) { record, train, test in
      for (name, value) in [("loss", 0.5 * train), ("train_error", train), ("test_error", test)] {
        guard let place = schema.place(of: name) else { continue }
        found.append(PredictedStatistic(.mean, record: record, observable: place, value: value))
      }
    }
    let values = ReferenceValues(
      schema: schema, statistics: found.filter(\.value.isFinite), remainder: [Remainder("dimension", order: 1)])
    return LimitModel(.known(values), offset: "an offset of order 1/N is expected")
  }
}

/// Mean errors at N = infinity: integrals over the Marchenko-Pastur law, whose density has the form sin^2 in the angle of $l = c + r \cos \theta$.
package struct MarchenkoPasturDynamics {
  private let problem: LeastSquaresDynamics
  private let ratio: Double
  /// l and its share of the law, without the mass at 0.
  private let nodes: [(l: Double, weight: Double)]

  package init(_ problem: LeastSquaresDynamics, nodes count: Int = 4096) {
    self.problem = problem
    let a = Double(problem.samples) / Double(problem.dimension)
    ratio = a
    let (centre, radius) = (1 + a, 2 * a.squareRoot())
    // The midpoint rule: what is integrated is smooth and periodic.
    nodes = (0..<count).map { k in
      let (sine, cosine) = Elementary.sinCosTurns((Double(k) + 0.5) / Double(2 * count))
      let l = centre + radius * cosine
      return (l, l > 0 ? radius * radius * sine * sine / (2 * l * Double(count)) : 0)
    }
  }

  /// Calls `body` with E_t and E_g at each record.
  package func forEachRecord(
    _ settings: TrainingSettings, _ body: (_ record: Int, _ train: Double, _ test: Double) -> Void
  ) {
    var decays = nodes.map { _ in 1.0 }
    var made = 0
    for (record, step) in settings.records.enumerated() {
      while made < step {
        made += 1
        let rate = settings.rate(made)
        for i in decays.indices { decays[i] *= 1 - rate * nodes[i].l }
      }
      let (train, test) = errors(decays)
      body(record, train, test)
    }
  }

  private func errors(_ decays: [Double]) -> (train: Double, test: Double) {
    let (signal, noise) = (problem.teacher + problem.start, problem.noise)
    var (train, test) = (0.0, 0.0)
    for (node, decay) in zip(nodes, decays) where node.weight > 0 {
      test += node.weight * (signal * decay * decay + noise * (1 - decay) * (1 - decay) / node.l)
      train += node.weight * (node.l * signal + noise) * decay * decay
    }
    return ((train + max(0, ratio - 1) * noise) / ratio, test + max(0, 1 - ratio) * signal + noise)
  }
}
