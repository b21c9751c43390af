import Experiments

/// Least squares of one feature: f_i = (x_i w - y_i)^2/2. Batches vary its curvature, and the step limit is smaller for it.
enum LeastSquares {
  static let entry = SystemEntry(
    name: "least-squares", summary: "independent chains on the posterior of least squares with one feature",
    equation: "H = (1/n) sum (x_i w - y_i)^2/2", reference: "arXiv:2102.06229; docs/sgld.md",
    parameters: ExampleColumns.parameters("inputs", "x_i, of the feature") + ExampleColumns.own("targets", "y_i")
      + Subsample.parameters
  ) { p, load in
    let columns = try ExampleColumns.read(p, ["inputs", "targets"], load)
    let (x, y) = (columns[0], columns[1])
    guard x.contains(where: { $0 != 0 }) else { throw p.invalid("inputs", "must have one that is not 0") }
    return QuadraticLoss(
      zip(x, y).map { (a: $0 * $0, b: $0 * $1, c: 0.5 * $1 * $1) }, try Subsample(p, examples: x.count),
      hasControl: Subsample.hasControl(p)
    ).model(p)
  }
}
