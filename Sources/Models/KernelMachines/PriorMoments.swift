import Experiments
import Kernels

/// What is known of the prior at finite N.
///
/// Whatever the kernel, $k(G_{l-1})^{-1} G_l$ has the law of $W/N$, W ~ Wishart(1, N), so $E\,\mathrm{complexity} = -\frac12 E \log\det W/N = -\frac12 \sum_{i<P} [\psi((N-i)/2) + \log(2/N)]$. With the
/// linear kernel $E G_l = K_0$, and second moments follow layer by layer from $E[G_{ab} G_{cd} \mid S] = S_{ab} S_{cd} + (S_{ac} S_{bd} + S_{ad} S_{bc})/N$.
package struct PriorMoments {
  let settings: MachineSettings

  package init(_ settings: MachineSettings) { self.settings = settings }

  package var complexity: Double {
    let n = Double(settings.width)
    return (0..<settings.points).reduce(0.0) { sum, i in
      sum - 0.5 * (Elementary.digamma(0.5 * (n - Double(i))) + Elementary.log(2 / n))
    }
  }

  /// $E G_{l,ab}^2$ of the linear kernel by layer, entries row by row.
  package var squares: [[Double]] {
    let p = settings.points
    // E G_ab G_cd at ((a p + b) p + c) p + d.
    var t = (0..<p * p * p * p).map { settings.start[$0 / (p * p)] * settings.start[$0 % (p * p)] }
    func at(_ t: [Double], _ a: Int, _ b: Int, _ c: Int, _ d: Int) -> Double { t[((a * p + b) * p + c) * p + d] }
    return (0..<settings.depth).map { _ in
      let before = t
      for i in t.indices {
        let (a, b, c, d) = (i / (p * p * p), i / (p * p) % p, i / p % p, i % p)
        t[i] = before[i] + (at(before, a, c, b, d) + at(before, a, d, b, c)) / Double(settings.width)
      }
      return (0..<p).flatMap { a in (0...a).map { at(t, a, $0, a, $0) } }
    }
  }

  /// The most points whose second moments are worked out: P^4 numbers.
  private static let mostPoints = 16

  package func statistics(_ schema: Schema) -> [PredictedStatistic] {
    var found: [PredictedStatistic] = []
    func add(_ statistic: Statistic, _ place: Int, _ value: Double) {
      found.append(PredictedStatistic(statistic, record: 0, observable: place, value: value))
    }
    if settings.kernel == .linear {
      let (entries, p) = (settings.entries, settings.points)
      let squares = p <= Self.mostPoints ? self.squares : []
      for place in 0..<settings.coordinates {
        let indices = schema.observables[place].indices
        add(.mean, place, settings.start[indices[1] * p + indices[2]])
        if !squares.isEmpty { add(.secondMoment, place, squares[place / entries][place % entries]) }
      }
    }
    for l in 0..<settings.depth { add(.mean, settings.coordinates + l, complexity) }
    return found
  }
}
