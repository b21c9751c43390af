import Experiments

/// Rings of N spins, neighbours coupled: solved by the transfer operator, whose eigenfunctions are the spherical harmonics.
enum SphereRing {
  static let entry = SystemEntry(
    name: "sphere-ring", summary: "rings of O(k) spins", equation: "H = (w/2) sum_i v_i . v_(i+1)",
    reference: "docs/manifolds.md",
    parameters: [
      Parameter("length", .integer(3...1_000_000), "N, spins of a ring"),
      SpherePair.rank, SpherePair.coupling("w; repels if positive"), SystemEntry.copies,
    ]
  ) { p in
    let (n, k, weight) = (p.integer("length"), p.integer("rank"), p.real("coupling"))
    let most = ManifoldSettings.mostNumbers / padded(k)
    guard n <= most else { throw p.invalid("length", "must be at most \(most) at this rank") }
    let copies = try SystemEntry.copies(p, of: n * padded(k))
    let graph = WeightedGraph(
      count: n * copies,
      edges: (0..<copies).flatMap { copy in (0..<n).map { (copy * n + $0, copy * n + ($0 + 1) % n, weight) } })
    return SystemModel(
      exact: { beta in
        let cosine = TransferSeries.cosine(length: n, rank: k, 0.5 * beta * weight)
        return ExactMeans(
          ["cosine": cosine, "energy": 0.5 * weight * cosine],
          equation: "Z = sum_l d_l [(-1)^l K^(1-k/2) I_(l+k/2-1)(K)]^N, K = beta w/2", reference: "docs/manifolds.md")
      },
      make: { SpinGraph(graph, rank: k) })
  }
}
