import Experiments

/// The von Mises-Fisher law exp(kappa mu . x) on S^(k-1), at any mean.
enum VonMisesFisher {
  static let entry = SystemEntry(
    name: "von-mises-fisher", summary: "independent points of a von Mises-Fisher law", equation: "H = -kappa mu . x",
    reference: "Mardia, Jupp, Directional Statistics (2000)",
    parameters: [
      SpherePair.rank, SystemEntry.concentration,
      Parameter(
        "direction", .structured("an array of k numbers, not all 0"), optional: true,
        "mu, which is normalised; the first axis unless given"),
      SystemEntry.copies,
    ]
  ) { p in
    let (k, kappa) = (p.integer("rank"), p.real("concentration"))
    let copies = try SystemEntry.copies(p, of: padded(k))
    let mean = try direction(p, k)
    return SystemModel(
      exact: { beta in
        let x = beta * kappa
        let ratio = BesselRatio.mean(rank: k, x)
        let square = x > 0 ? 1 - Double(k - 1) * ratio / x : 1 / Double(k)
        return ExactMeans(
          ["cosine": ratio, "cosine^2": square, "energy": -kappa * ratio],
          equation: "E mu . x = A_k(kappa), E (mu . x)^2 = 1 - (k-1) A_k/kappa",
          reference: "Mardia, Jupp, Directional Statistics (2000)")
      },
      make: {
        OuterField(
          Sphere(k), copies: copies, field: mean.map { -kappa * $0 },
          [Observable("cosine", "mean of mu . x"), Observable("cosine^2", "mean of its square")]
        ) { x, sums in
          var cosine = 0.0
          for c in 0..<k { cosine += mean[c] * x[c] }
          sums[0] += cosine
          sums[1] += cosine * cosine
        }
      })
  }

  private static func direction(_ p: Parameters, _ k: Int) throws -> [Double] {
    guard let given = p["direction"] else { return (0..<k).map { $0 == 0 ? 1 : 0 } }
    guard case .list(let items) = given, items.count == k, case let numbers = items.compactMap(\.number),
      numbers.count == k, let largest = numbers.map(\.magnitude).max(), largest > 0, largest.isFinite
    else { throw p.invalid("direction", "must be an array of \(k) finite numbers, not all 0") }
    let scaled = numbers.map { $0 / largest }
    let length = scaled.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return scaled.map { $0 / length }
  }
}
