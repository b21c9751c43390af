import Kernels

/// Thresholds, growth and the stationary state of a tagged particle among Maxwell molecules in a shear of strength K, $\dot w_1 = -K w_2$. By symmetry every flow with $L_0^2 = 0$ is one, with $K = |L_0|$.
///
/// With $a = C (1 - \mu_a^2)$ and $b = C \mu_b^2/3$ the growth rate $\lambda$ of tr S is $z - a$ for the positive root of $z^3 = 3 b z^2 + 2 K^2 b$, which is 0 at $K_2 = a \sqrt{(a - 3b)/2b}$.
package struct TaggedShear: Sendable {
  let law: TaggedCollisions
  private let a, b: Double

  package init(_ law: TaggedCollisions) {
    self.law = law
    a = law.rate * law.bath * (1 + law.own)
    b = law.rate * law.bath * law.bath / 3
  }

  /// $K_2$: the second moments stay bounded below it.
  package var critical: Double { a * ((a - 3 * b) / (2 * b)).squareRoot() }

  /// The growth rate of tr S; below 0 it is the slowest rate at which tr S comes to rest.
  package func growth(_ shear: Double) -> Double {
    // The root is simple, and Newton's steps from above fall onto it.
    let c = 2 * shear * shear * b
    var z = 3 * b + Elementary.power(max(c, 1e-300), 1.0 / 3) + 1e-300
    for _ in 0..<100 {
      let next = z - (z * z * (z - 3 * b) - c) / (z * (3 * z - 6 * b))
      if !(next < z) { break }
      z = next
    }
    return z - a
  }

  /// The growth rate of the moments of degree four.
  package func fourthGrowth(_ shear: Double) -> Double {
    Self.fourthGrowth(TaggedMoments(law, tracked: false), shear)
  }

  private static func fourthGrowth(_ moments: TaggedMoments, _ shear: Double) -> Double {
    let rows = moments.monomials.indices.filter { moments.monomials[$0].count == 4 }
    return LinearFlow.growth(block(moments, shear, rows, rows), rows.count)
  }

  /// $K_4$: the moments of degree four stay bounded below it; by bisection.
  package var fourthCritical: Double {
    let moments = TaggedMoments(law, tracked: false)
    var (low, high) = (0.0, critical)
    for _ in 0..<48 {
      let middle = 0.5 * (low + high)
      if Self.fourthGrowth(moments, middle) < 0 { low = middle } else { high = middle }
    }
    return 0.5 * (low + high)
  }

  static func flow(_ shear: Double) -> Matrix3 { Matrix3(SIMD3(0, shear, 0), .zero, .zero) }

  private static func block(_ moments: TaggedMoments, _ shear: Double, _ rows: [Int], _ columns: [Int]) -> [Double] {
    let all = moments.generator(flow(shear))
    return rows.flatMap { i in columns.map { all[i * moments.count + $0] } }
  }

  /// The moments of degree two, and below $K_4$ of degree four, that they come to; nil from $K_2$ on.
  func stationary(_ deformation: Deformation) -> (moments: TaggedMoments, values: [Double])? {
    let shear = deformation.start.norm
    guard deformation.kind != .general, shear < critical else { return nil }
    let moments = TaggedMoments(law, tracked: false)
    let (n, all) = (moments.count, moments.generator(deformation.start))
    var values = Array(repeating: Double.nan, count: n)
    values[0] = 1
    for i in 1...3 { values[i] = 0 }
    for degree in shear < fourthCritical ? [2, 4] : [2] {
      let rows = moments.monomials.indices.filter { moments.monomials[$0].count == degree }
      let known = moments.monomials.indices.filter { moments.monomials[$0].count < degree }
      let right = rows.map { i in -known.reduce(0) { $0 + all[i * n + $1] * values[$1] } }
      guard let found = LinearFlow.solve(rows.flatMap { i in rows.map { all[i * n + $0] } }, right) else { return nil }
      for (i, value) in zip(rows, found) { values[i] = value }
    }
    return (moments, values)
  }
}
