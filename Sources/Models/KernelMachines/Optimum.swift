import Kernels

/// The limit as N grows: the Gram matrices that maximise the objective
///
/// $$ -\frac\nu2 \bigl[\log\det C + \operatorname{tr} C^{-1} \hat Y\bigr] - \sum_l \frac12 \bigl[\operatorname{tr} S_l - \log\det S_l - P\bigr], \qquad S_l = k(G_{l-1})^{-1} G_l, $$
///
/// (arXiv:2108.13097, eq. 13, with $\hat Y$ in place of the likelihood of outputs), in Bartlett's coordinates by the method of Broyden, Fletcher, Goldfarb and Shanno with limited memory. A line
/// search is one evaluation: eight step lengths, one a lane. The norm of the gradient at its end is the certificate of a stationary point; that it is the highest one is not proved.
///
/// *Inducing points.* With $T_l$ free in the rows of the first m points and the identity in the others, $G_l = L T T^T L^T$ has the blocks $G_{ti} = k_{ti} k_{ii}^{-1} G_{ii}$ and
/// $G_{tt} = k_{tt} - k_{ti} k_{ii}^{-1} k_{it} + k_{ti} k_{ii}^{-1} G_{ii} k_{ii}^{-1} k_{it}$: the other points follow the m inducing ones as the prior has it (arXiv:2108.13097, section 4). The
/// maximum over these is a lower bound of that over all, with L m (m + 1)/2 coordinates.
package struct Optimum: Sendable {
  /// $G_l$ by layer, entries row by row; complexities by layer.
  package let grams: [[Double]]
  package let complexities: [Double]
  package let fit: Double
  /// Largest derivative of the objective by a coordinate.
  package let gradient: Double
  package let iterations: Int

  /// The maximum.
  package var objective: Double { fit - complexities.reduce(0, +) }

  /// A gradient that counts as 0.
  package static let tolerance = 1e-9

  /// - Parameter inducing: m; nil for all points.
  package init(_ settings: MachineSettings, inducing: Int? = nil, mostIterations: Int = 2000) {
    var search = Search(settings, inducing: inducing ?? settings.points)
    var steps = 0
    while steps < mostIterations, search.norm > 1e-13, search.advance() { steps += 1 }
    (gradient, iterations) = (search.norm, steps)
    let values = search.measured()
    let entries = settings.entries
    grams = (0..<settings.depth).map { Array(values[$0 * entries..<($0 + 1) * entries]) }
    complexities = Array(values[settings.coordinates..<settings.coordinates + settings.depth])
    fit = values[settings.coordinates + settings.depth]
  }

  /// The state of the search.
  private struct Search {
    private let landscape: Landscape
    private let settings: MachineSettings
    /// Coordinates in the rows of inducing points.
    private let free: [Bool]
    private var place, slope: [Double]
    private var value: Double
    /// Latest differences of places and of slopes.
    private var pairs: [(s: [Double], y: [Double], inverse: Double)] = []
    private static let memory = 30
    private static let lengths = [1, 0.5, 0.25, 0.0625, 2, 1.0 / 256, 0x1p-16, 0x1p-28]

    init(_ settings: MachineSettings, inducing m: Int) {
      self.settings = settings
      let p = settings.points
      let diagonal: [Bool] = (0..<p).map { $0 < m }
      let below: [Bool] = (0..<p).flatMap { i in Array(repeating: i < m, count: i) }
      free = (0..<settings.depth).flatMap { _ in diagonal } + (0..<settings.depth).flatMap { _ in below }
      landscape = Landscape(settings, ofLimit: true)
      place = Array(repeating: 0, count: settings.coordinates)
      (slope, value) = (place, .infinity)
      landscape.update(octets(along: place, [Double](repeating: 0, count: 8)), gradient: true)
      take(lane: 0)
    }

    var norm: Double { Self.norm(slope) }

    private func octets(along direction: [Double], _ lengths: [Double]) -> [Double] {
      place.indices.flatMap { i in lengths.map { place[i] + $0 * direction[i] } }
    }

    private mutating func take(lane: Int) {
      value = landscape.potential[lane]
      slope = gradient(lane)
    }

    private func gradient(_ lane: Int) -> [Double] {
      free.indices.map { free[$0] ? landscape.gradient[8 * $0 + lane] : 0 }
    }

    private static func norm(_ slope: [Double]) -> Double { slope.reduce(0) { max($0, $1.magnitude) } }

    /// - Returns: whether a lane was better.
    mutating func advance() -> Bool {
      let direction = self.direction()
      let trial = octets(along: direction, Self.lengths)
      landscape.update(trial, gradient: true)
      // Of values that are equal but for rounding, the one with the smallest gradient.
      let values = (0..<8).map { landscape.potential[$0] }
      let least = values.filter(\.isFinite).reduce(value, min)
      let slack = 1e-13 * (1 + least.magnitude)
      let norms = (0..<8).map { Self.norm(gradient($0)) }
      let good = (0..<8).filter { values[$0] <= least + slack && norms[$0].isFinite }
      guard let lane = good.min(by: { norms[$0] < norms[$1] }),
        values[lane] < value - slack || norms[lane] < norm
      else {
        // Forget a curvature that has misled.
        guard !pairs.isEmpty else { return false }
        pairs = []
        return true
      }
      let (before, old) = (place, slope)
      place = place.indices.map { trial[8 * $0 + lane] }
      take(lane: lane)
      let (s, y) = (zip(place, before).map { $0 - $1 }, zip(slope, old).map { $0 - $1 })
      let product = dot(s, y)
      if product > 1e-12 * (dot(s, s) * dot(y, y)).squareRoot() {
        pairs.append((s, y, 1 / product))
        if pairs.count > Self.memory { pairs.removeFirst() }
      }
      return true
    }

    private func dot(_ a: [Double], _ b: [Double]) -> Double { Cholesky.dot(a, b, a.count) }

    /// Minus the inverse Hessian of the pairs times the slope, by two loops.
    private func direction() -> [Double] {
      var d = slope
      var shares: [Double] = []
      for pair in pairs.reversed() {
        let share = pair.inverse * dot(pair.s, d)
        shares.append(share)
        for i in d.indices { d[i] -= share * pair.y[i] }
      }
      if let last = pairs.last {
        let scale = 1 / (last.inverse * dot(last.y, last.y))
        for i in d.indices { d[i] *= scale }
      } else {
        let scale = 1 / max(1, dot(d, d).squareRoot())
        for i in d.indices { d[i] *= scale }
      }
      for (pair, share) in zip(pairs, shares.reversed()) {
        let back = share - pair.inverse * dot(pair.y, d)
        for i in d.indices { d[i] += back * pair.s[i] }
      }
      return d.map { -$0 }
    }

    /// What `Landscape.write` tells of the place.
    func measured() -> [Double] {
      let q = octets(along: place, [Double](repeating: 0, count: 8))
      landscape.update(q, gradient: false)
      return [Double](unsafeUninitializedCapacity: settings.coordinates + settings.depth + 1) { buffer, count in
        buffer.initialize(repeating: 0)
        if let out = buffer.baseAddress { landscape.write(q, count: 1, to: out) }
        count = buffer.count
      }
    }
  }
}
