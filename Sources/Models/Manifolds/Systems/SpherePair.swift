import Experiments

/// Pairs of O(k) spins, law exp(-(beta w/2) v_1 . v_2): the simplest referee of a move.
enum SpherePair {
  static let rank = Parameter("rank", .integer(2...4096), default: .integer(3), "k: spins are unit vectors in R^k")

  static func coupling(_ summary: String) -> Parameter {
    Parameter("coupling", .real(.init(-1e9, 1e9)), default: .real(1), summary)
  }

  static let entry = SystemEntry(
    name: "sphere-pair", summary: "pairs of O(k) spins", equation: "H = (w/2) v_1 . v_2",
    reference: "docs/manifolds.md", parameters: [rank, coupling("w; repels if positive"), SystemEntry.copies]
  ) { p in
    let (k, weight) = (p.integer("rank"), p.real("coupling"))
    let copies = try SystemEntry.copies(p, of: 2 * padded(k))
    let graph = WeightedGraph(count: 2 * copies, edges: (0..<copies).map { (2 * $0, 2 * $0 + 1, weight) })
    return SystemModel(
      exact: { beta in
        let cosine = -BesselRatio.mean(rank: k, 0.5 * beta * weight)
        return ExactMeans(
          ["cosine": cosine, "energy": 0.25 * weight * cosine],
          equation: "E v_1 . v_2 = -A_k(beta w/2), A_k = I_(k/2)/I_(k/2-1)", reference: "docs/manifolds.md")
      },
      make: { SpinGraph(graph, rank: k) })
  }
}
