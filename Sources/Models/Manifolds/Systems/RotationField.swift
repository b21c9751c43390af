import Experiments

/// Rotations with the law exp(kappa tr R) on SO(3): a unit quaternion q with the Bingham law exp(4 kappa q_0^2).
enum RotationField {
  static let entry = SystemEntry(
    name: "rotations", summary: "rotations around the identity", equation: "H = -kappa tr R",
    reference: "Mardia, Jupp, Directional Statistics (2000)",
    parameters: [SystemEntry.concentration, SystemEntry.copies]
  ) { p in
    let (kappa, copies) = (p.real("concentration"), p.integer("copies"))
    return SystemModel(
      exact: { beta in
        let (first, second) = cosines(beta * kappa)
        let trace = 1 + 2 * first
        return ExactMeans(
          ["trace": trace, "trace^2": 1 + 4 * first + 4 * second, "energy": -kappa * trace],
          equation: "angle of density (1 - cos t) exp(2 kappa cos t)", reference: "docs/manifolds.md")
      },
      make: {
        OuterField(
          Rotations(), copies: copies, field: (0..<9).map { $0 % 4 == 0 ? -kappa : 0 },
          [Observable("trace", "mean of tr R"), Observable("trace^2", "mean of its square")]
        ) { x, sums in
          let trace = x[0] + x[4] + x[8]
          sums[0] += trace
          sums[1] += trace * trace
        }
      })
  }

  /// E cos and E cos^2 of the angle, by I_n(2 kappa)/I_0(2 kappa).
  static func cosines(_ kappa: Double) -> (first: Double, second: Double) {
    // Angles of the uniform law; the ratios below lose digits near it.
    if kappa < 1e-8 { return (-0.5 + 0.5 * kappa, 0.5) }
    let one = BesselRatio.next(0, 2 * kappa)
    let two = one * BesselRatio.next(1, 2 * kappa)
    let three = two * BesselRatio.next(2, 2 * kappa)
    let norm = 1 - one
    return ((one - 0.5 * (1 + two)) / norm, (0.5 * (1 + two) - 0.25 * (3 * one + three)) / norm)
  }
}
