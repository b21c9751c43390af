import Experiments

/// Frames x_1, ..., x_p in R^n whose first vector is drawn to mu: x_1 is von Mises-Fisher, and given it the others are uniform in its complement.
enum StiefelField {
  static let entry = SystemEntry(
    name: "stiefel", summary: "orthonormal frames, the first vector in a field", equation: "H = -kappa mu . x_1",
    reference: "docs/manifolds.md",
    parameters: [
      Parameter("rows", .integer(2...256), default: .integer(5), "n: vectors of a frame are in R^n"),
      Parameter("columns", .integer(2...256), default: .integer(2), "p, vectors of a frame, below n"),
      SystemEntry.concentration, SystemEntry.copies,
    ]
  ) { p in
    let (n, columns, kappa) = (p.integer("rows"), p.integer("columns"), p.real("concentration"))
    guard columns < n else { throw p.invalid("columns", "must be below rows = \(n)") }
    let copies = try SystemEntry.copies(p, of: padded(n * columns))
    let field = (0..<n * columns).map { $0 == 0 ? -kappa : 0 }
    return SystemModel(
      exact: { beta in
        let x = beta * kappa
        let ratio = BesselRatio.mean(rank: n, x)
        let other = x > 0 ? ratio / x : 1 / Double(n)
        return ExactMeans(
          [
            "cosine": ratio, "cosine^2": 1 - Double(n - 1) * other, "second^2": other, "energy": -kappa * ratio,
          ], equation: "E mu . x_1 = A_n(kappa), E (mu . x_2)^2 = A_n/kappa", reference: "docs/manifolds.md")
      },
      make: {
        OuterField(
          Frames(rows: n, columns: columns), copies: copies, field: field,
          [
            Observable("cosine", "mean of mu . x_1"), Observable("cosine^2", "mean of its square"),
            Observable("second^2", "mean of (mu . x_2)^2"),
          ]
        ) { x, sums in
          sums[0] += x[0]
          sums[1] += x[0] * x[0]
          sums[2] += x[1] * x[1]
        }
      })
  }
}
