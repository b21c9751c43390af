import Experiments

/// The mean of a normal law: f_i = a (w - z_i)^2/2. Batches vary its force only, and control variates take all of their noise away.
enum GaussianMean {
  static let entry = SystemEntry(
    name: "gaussian-mean", summary: "independent chains on the posterior of the mean of a normal law",
    equation: "H = (1/n) sum a (w - z_i)^2/2", reference: "arXiv:2102.06229; docs/sgld.md",
    parameters: [Parameter("precision", .real(.above(0)), default: .real(1), "a, one over the variance of an example")]
      + ExampleColumns.parameters("values", "z_i") + Subsample.parameters
  ) { p, load in
    let (a, z) = (p.real("precision"), try ExampleColumns.read(p, ["values"], load)[0])
    return QuadraticLoss(
      z.map { (a: a, b: a * $0, c: 0.5 * a * $0 * $0) }, try Subsample(p, examples: z.count),
      hasControl: Subsample.hasControl(p)
    ).model(p)
  }
}
