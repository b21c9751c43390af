/// Ratios of modified Bessel functions: what exact means on spheres are made of. No overflow at any argument.
package enum BesselRatio {
  /// I_(nu + 1)(x)/I_nu(x) for nu >= -1/2 and x >= 0, to 1e-12: the continued fraction
  /// 1/(2(nu+1)/x + 1/(2(nu+2)/x + ...)) from its end.
  package static func next(_ nu: Double, _ x: Double) -> Double {
    if x == 0 { return 0 }
    // What the end starts from lies between the bounds of Amos (1974) and has all terms to 1/x^2 of large arguments; its error falls by ratio^2 a term.
    let terms = 40 + Int(min(8 * x.squareRoot(), 1500))
    let last = nu + Double(terms)
    var ratio = x / (last + 0.5 + ((last + 0.5) * (last + 1.5) + x * x).squareRoot())
    for j in stride(from: terms, through: 1, by: -1) { ratio = 1 / (2 * (nu + Double(j)) / x + ratio) }
    return ratio
  }

  /// A_k(kappa) = E mu . x of the von Mises-Fisher law on S^(k-1); odd in kappa.
  package static func mean(rank k: Int, _ kappa: Double) -> Double {
    let ratio = next(0.5 * Double(k) - 1, kappa.magnitude)
    return kappa < 0 ? -ratio : ratio
  }
}

/// Rings of spins on S^(k-1) by their transfer operator exp(-K x . y).
package enum TransferSeries {
  /// E v_i . v_(i+1) in a ring of n spins of law exp(-K sum v_i . v_(i+1)).
  ///
  /// The eigenvalue of the harmonics of degree l is, up to a factor, (-1)^l K^(-nu) I_(l+nu)(K) with nu = k/2 - 1; its logarithmic derivative is
  /// r_l + l/K, r_l = I_(l+nu+1)/I_(l+nu); there are C(l+k-1, k-1) - C(l+k-3, k-1) of them.
  package static func cosine(length n: Int, rank k: Int, _ coupling: Double) -> Double {
    let x = coupling.magnitude
    if x == 0 { return 0 }
    let nu = 0.5 * Double(k) - 1
    // Repelling spins alternate: an odd ring is frustrated.
    let alternates = coupling > 0 && n % 2 == 1
    var (power, total, weighted) = (1.0, 0.0, 0.0)
    var l = 0.0
    while true {
      let ratio = BesselRatio.next(l + nu, x)
      let term = (alternates && Int(l) % 2 == 1 ? -1 : 1) * power * multiplicity(l, k)
      total += term
      weighted += term * (ratio + l / x)
      power *= pow(ratio, n)
      l += 1
      if power * multiplicity(l, k) * (1 + l / x) < 1e-18 * total.magnitude || l > 1e5 { break }
    }
    return (coupling > 0 ? -1 : 1) * weighted / total
  }

  private static func pow(_ x: Double, _ n: Int) -> Double {
    var (result, base, left) = (1.0, x, n)
    while left > 0 {
      if left % 2 == 1 { result *= base }
      base *= base
      left /= 2
    }
    return result
  }

  /// Harmonics of degree l on S^(k-1).
  private static func multiplicity(_ l: Double, _ k: Int) -> Double {
    if l == 0 { return 1 }
    if k == 2 { return 2 }
    // (2l + k - 2)/(k - 2) C(l + k - 3, l).
    var result = (2 * l + Double(k) - 2) / Double(k - 2)
    for j in 1...max(k - 3, 1) where k > 3 { result *= (l + Double(j)) / Double(j) }
    return result
  }
}
