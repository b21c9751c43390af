import Experiments
import Kernels

/// Eigenvalues of the covariance of the features, in blocks of equal ones, and a teacher: blocks make 10^18 modes as cheap as some hundred.
package struct Spectrum: Sendable, Equatable {
  package struct Block: Sendable, Equatable {
    package let eigenvalue: Double
    /// Modes with it.
    package let count: Double
    /// $|v|^2$ of the teacher in these modes; its expectation where the teacher is drawn.
    package let teacher: Double

    package init(eigenvalue: Double, count: Double = 1, teacher: Double) {
      (self.eigenvalue, self.count, self.teacher) = (eigenvalue, count, teacher)
    }
  }

  package let blocks: [Block]

  package init(_ blocks: [Block]) { self.blocks = blocks }

  package var modes: Double { blocks.reduce(0) { $0 + $1.count } }
  /// tr Lambda.
  package var trace: Double { blocks.reduce(0) { $0 + $1.count * $1.eigenvalue } }
  /// |v|^2.
  package var teacher: Double { blocks.reduce(0) { $0 + $1.teacher } }
  package var hasMultiplicities: Bool { blocks.contains { $0.count > 1 } }
}

/// $\lambda_i = i^{-a}$ and $v_i^2 = i^{-b}$: modes one by one, then in blocks that are equally wide in log i and have the sums of what they stand for.
package struct PowerLaw: Sendable, Equatable {
  /// Most modes that are kept one by one.
  package static let mostSingle = 4096
  package static let mostModes = 1e18

  package let decay: Double
  /// b; nil of a teacher that is drawn from N(0, Lambda).
  package let teacher: Double?
  package let modes: Double
  package let single: Int
  package let perDecade: Int

  package init(decay: Double, teacher: Double?, modes: Double, single: Int = 1000, perDecade: Int = 16) {
    (self.decay, self.teacher, self.modes, self.single, self.perDecade) = (decay, teacher, modes, single, perDecade)
  }

  package var spectrum: Spectrum {
    let b = teacher ?? decay
    let alone = modes <= Double(Self.mostSingle) ? Int(modes) : single
    var blocks = (0..<alone).map { i in
      let x = Double(i + 1)
      return Spectrum.Block(eigenvalue: Self.power(x, -decay), teacher: Self.power(x, -b))
    }
    var first = Double(alone)
    while first < modes {
      // A whole number of modes, as far as doubles have whole numbers.
      let last = min(modes, (first * Self.power(10, 1 / Double(perDecade))).rounded(.up))
      let count = last - first
      blocks.append(
        Spectrum.Block(
          eigenvalue: Self.sum(decay, from: first, to: last) / count, count: count,
          teacher: Self.sum(b, from: first, to: last)))
      first = last
    }
    return Spectrum(blocks)
  }

  private static func power(_ x: Double, _ exponent: Double) -> Double { Elementary.exp(exponent * Elementary.log(x)) }

  /// $\sum_{p < i \le q} i^{-a}$ by the midpoint rule and its first correction (Euler and Maclaurin): far enough out, to rounding.
  static func sum(_ a: Double, from p: Double, to q: Double) -> Double {
    let (low, high) = (p + 0.5, q + 0.5)
    let (s, t) = (Elementary.log(low), Elementary.log(high))
    // The integral of e^{(1 - a) t}: a quotient of differences that loses nothing at a = 1.
    let half = 0.5 * (1 - a) * (t - s)
    var (series, term) = (1.0, 1.0)
    for k in 1...16 {
      term *= half * half / Double(2 * k * (2 * k + 1))
      series += term
    }
    let integral = Elementary.exp(0.5 * (1 - a) * (s + t)) * (t - s) * series
    return integral + a / 24 * (power(high, -a - 1) - power(low, -a - 1))
  }
}

/// $\lambda_j = (1 + x_j)^{-a}$ and $v_j^2 = (1 + x_j)^{-b}/n$ at $x_j = (j - 1/2)/n$: a spectrum that grows with the samples n, so that every quantity has a limit and corrections of order 1/n.
package struct ScaledPowerLaw: Sendable, Equatable {
  package let decay, teacher: Double
  package let samples, modes: Int

  package var spectrum: Spectrum {
    Spectrum(
      (0..<modes).map { j in
        let x = Elementary.log(1 + (Double(j) + 0.5) / Double(samples))
        return Spectrum.Block(
          eigenvalue: Elementary.exp(-decay * x), teacher: Elementary.exp(-teacher * x) / Double(samples))
      })
  }
}
