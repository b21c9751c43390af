import Experiments
import Kernels
import Randomness

/// Magnitude of n random points, $\mathbf 1^T Z^{-1} \mathbf 1$ with $Z_{ij} = e^{-t |x_i - x_j|}$: how many points they look like at scale t. On a line it is
/// $1 + \sum_i \tanh(t\, b_i/2)$ over the gaps $b_i$ between neighbours, so that of uniform points its mean is $1 + (n - 1)\, \mathbb E \tanh(t B/2)$, B ~ Beta(1, n).
///
/// In the plane also the convex hull, as the points order themselves (arXiv:1908.02692, arXiv:2006.14063): of its h vertices, the share among the h points of the largest weights $w = Z^{-1} \mathbf 1$, and of
/// the largest $w_a^2/(Z^{-1})_{aa}$, which is what the magnitude loses without a.
package struct Magnitude: DrawnProblem {
  package let samples, dimension: Int
  /// t.
  package let scale: Double
  let isReduced: Bool

  package final class State {
    /// Points, a row each; Z and its factor; L^-1 1, of the plane then the weights; of the plane, what the magnitude loses without a point.
    fileprivate let points, matrix, solved, losses: UnsafeMutablePointer<Double>
    /// Of the plane: the vertices of the hull.
    fileprivate let hull: UnsafeMutablePointer<Int>

    fileprivate init(_ p: Magnitude) {
      let n = p.isReduced ? 0 : p.samples
      (points, matrix, solved) = (.allocateZeros(n * p.dimension), .allocateZeros(n * n), .allocateZeros(n))
      losses = .allocateZeros(p.hasHull ? n : 0)
      hull = .allocate(capacity: p.hasHull ? n : 0)
    }

    deinit {
      for place in [points, matrix, solved, losses] { place.deallocate() }
      hull.deallocate()
    }
  }

  package var axis: Axis { .samples(samples) }
  var hasHull: Bool { dimension == 2 }
  private static let hullObservables = [
    Observable("hull_size", "h, vertices of the convex hull"),
    Observable("weight_recall", "share of the vertices among the h points of the largest weights Z^-1 1"),
    Observable("loss_recall", "share among the h points without which the magnitude loses most"),
  ]
  package var observables: [Observable] {
    [Observable("magnitude", "1^T Z^-1 1, between 1 and n")] + (hasHull ? Self.hullObservables : [])
  }

  package var known: [KnownStatistic] {
    if hasHull, let size = Self.hullSizes[samples] { return [KnownStatistic(.mean, of: "hull_size", size)] }
    guard dimension == 1 else { return [] }
    // With s = n B of density (1 - s/n)^(n-1), below e^-60 beyond s = 60.
    let n = Double(samples)
    var mean = 0.0
    GaussLegendre.forEachNode(in: 0...min(n, 64), breaks: [], panel: min(1, n / scale)) { s, weight in
      let density = n == 1 ? 1 : Elementary.exp((n - 1) * Elementary.log(max(1 - s / n, 1e-300)))
      mean += weight * density * Elementary.tanh(0.5 * scale * s / n)
    }
    return [KnownStatistic(.mean, of: "magnitude", 1 + (n - 1) * mean)]
  }

  /// Mean numbers of vertices of points of a disc: by Efron's identity $\mathbb E h_{n+1} = (n + 1)(1 - \mathbb E A_n)$, A_n the share of the hull in the area, with $\mathbb E A_3 = 35/(48\pi^2)$ and
  /// $\mathbb E A_4 = 2\, \mathbb E A_3$ (Efron 1965).
  private static let hullSizes: [Int: Double] = {
    let triangle = 35 / (48 * Double.pi * Double.pi)
    return [1: 1, 2: 2, 3: 3, 4: 4 * (1 - triangle), 5: 5 * (1 - 2 * triangle)]
  }()

  package func makeState() -> State { State(self) }

  package func draw(_ state: State, _ stream: inout Stream, into values: UnsafeMutablePointer<Double>) {
    isReduced ? drawGaps(&stream, into: values) : drawPoints(state, &stream, into: values)
  }

  /// Gaps of sorted uniform points are exponential numbers over their sum.
  private func drawGaps(_ stream: inout Stream, into values: UnsafeMutablePointer<Double>) {
    // The sum is Gamma(n + 1) and independent of the shares; the shares come one by one as Beta(1, rest).
    var (sum, left) = (1.0, 1.0)
    for i in 0..<samples {
      let share = 1 - Elementary.exp(Elementary.log(stream.uniform()) / Double(samples - i))
      // The first is the gap before the first point.
      if i > 0 { sum += Elementary.tanh(0.5 * scale * left * share) }
      left *= 1 - share
    }
    values[0] = sum
  }

  private func drawPoints(_ state: State, _ stream: inout Stream, into values: UnsafeMutablePointer<Double>) {
    let (x, z, n, d) = (state.points, state.matrix, samples, dimension)
    for a in 0..<n {
      let row = x + a * d
      if d == 1 {
        row[0] = stream.uniform()
        continue
      }
      var square = 0.0
      for i in 0..<d {
        row[i] = stream.normal()
        square += row[i] * row[i]
      }
      let radius = Elementary.exp(Elementary.log(stream.uniform()) / Double(d)) / square.squareRoot()
      for i in 0..<d { row[i] *= radius }
    }
    for a in 0..<n {
      for b in 0...a {
        var square = 0.0
        for i in 0..<d {
          let difference = x[a * d + i] - x[b * d + i]
          square += difference * difference
        }
        z[a * n + b] = Elementary.exp(-scale * square.squareRoot())
      }
    }
    Triangular.clippedCholesky(UnsafePointer(z), m: n, into: z)
    var sum = 0.0
    for a in 0..<n {
      var rest = 1.0
      for b in 0..<a { rest -= z[a * n + b] * state.solved[b] }
      let pivot = z[a * n + a]
      state.solved[a] = pivot > 0 ? rest / pivot : 0
      sum += state.solved[a] * state.solved[a]
    }
    values[0] = sum
    guard hasHull else { return }
    weigh(state)
    let size = PlanarHull.find(x, count: n, into: state.hull)
    values[1] = Double(size)
    values[2] = recall(UnsafePointer(state.solved), state.hull, size)
    values[3] = recall(UnsafePointer(state.losses), state.hull, size)
  }

  /// Weights and losses from the factor: column a of L^-1 times L^-1 1 is the weight of a, and its square is (Z^-1)_aa.
  private func weigh(_ state: State) {
    let (l, n) = (state.matrix, samples)
    // The strict upper triangle is free: row a holds column a of L^-1 behind the diagonal.
    for a in 0..<n {
      let column = l + a * n
      let own = column[a] > 0 ? 1 / column[a] : 0
      var (weight, square) = (own * state.solved[a], own * own)
      for i in a + 1..<max(n, a + 1) {
        let row = l + i * n
        var rest = row[a] * own
        for k in a + 1..<max(i, a + 1) { rest += row[k] * column[k] }
        let entry = row[i] > 0 ? -rest / row[i] : 0
        column[i] = entry
        weight += entry * state.solved[i]
        square += entry * entry
      }
      state.losses[a] = square > 0 ? weight * weight / square : 0
      // Later columns need L^-1 1 from their own place on only.
      state.solved[a] = weight
    }
  }

  /// Share of the vertices among as many points of the largest scores; of equal ones the first.
  private func recall(_ scores: UnsafePointer<Double>, _ hull: UnsafePointer<Int>, _ size: Int) -> Double {
    var found = 0
    for i in 0..<size {
      let (a, score) = (hull[i], scores[hull[i]])
      var before = 0
      for b in 0..<samples where scores[b] > score || (scores[b] == score && b < a) { before += 1 }
      if before < size { found += 1 }
    }
    return Double(found) / Double(size)
  }

  /// Magnitude of the whole body that the points fill: the interval, $1 + t/2$; the ball of $\mathbb R^3$, $1 + 2t + t^2 + t^3/6$.
  package var limit: Double? {
    let t = scale
    return switch dimension {
    case 1: 1 + 0.5 * t
    case 3: 1 + 2 * t + t * t + t * t * t / 6
    default: nil
    }
  }

  static let entry = EstimationFamily.entry(
    name: "magnitude", summary: "magnitude of random points of an interval or a ball",
    equation: "1^T Z^-1 1, Z_ij = exp(-t |x_i - x_j|), x uniform on [0, 1] or on the unit ball of R^d",
    reference: "arXiv:1507.02502; arXiv:1908.02692; docs/estimation.md",
    samplers: [
      ("reduced", "the gaps of an interval, O(n); of a ball every point"), ("data", "every point, O(n^3)"),
    ],
    observables: ["magnitude"] + hullObservables.map(\.name),
    parameters: [
      Parameter("samples", .integer(1...100_000), small: .init(.inverse, "n", companions: ["draws"]), "n, points"),
      Parameter(
        "dimension", .integer(1...100), default: .integer(1), "d; 1: the interval [0, 1], else the unit ball of R^d"),
      Parameter("scale", .real(.init(1e-3, 1e3)), default: .real(1), "t"),
    ]
  ) { p, _ in
    let (samples, dimension) = (p.integer("samples"), p.integer("dimension"))
    let isReduced = dimension == 1 && p.text("sampler") == "reduced"
    guard isReduced || samples <= 4096 else {
      throw p.invalid("samples", "must be at most 4096 where the matrix of the points is factorised")
    }
    return DrawnProblemModel(
      Magnitude(samples: samples, dimension: dimension, scale: p.real("scale"), isReduced: isReduced), p)
  }
}
