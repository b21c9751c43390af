import Experiments
import Kernels
import Randomness

/// Kernel density estimates in large dimension as a random energy model (arXiv:2408.05807): $n = e^{\alpha d}$ points and x from N(0, 1_d), a Gaussian kernel of width h,
///
/// $$ \rho = \frac1n \sum_i \frac{e^{-D_i/2h^2}}{(2\pi h^2)^{d/2}}, \qquad D_i = |x_i - x|^2, \qquad Y_2 = \sum_i w_i^2 \Big/ \Big(\sum_i w_i\Big)^2 . $$
///
/// Given $\lambda = |x|^2 \sim \chi^2_d$ the D_i are independent and noncentral chi-square. The reduced sampler draws the smallest ones as quantiles of uniform order statistics and counts the others in cells of
/// log D; of a cell the sum of the weights has its mean and variance (`NoncentralCells`). All sums are scaled by the largest weight: nothing overflows.
package struct KernelDensity: DrawnProblem {
  package let dimension: Int
  /// n.
  package let points: Int
  /// h, ascending.
  package let bandwidths: [Double]
  let isReduced: Bool

  /// Points that are drawn one by one.
  private static let single = 200

  package final class State {
    fileprivate let cells: NoncentralCells
    /// Squared distances; x and a point of the plain sampler.
    fileprivate let distances, centre: UnsafeMutablePointer<Double>

    fileprivate init(_ p: KernelDensity) {
      cells = NoncentralCells(dimension: p.dimension)
      distances = .allocateZeros(p.isReduced ? KernelDensity.single : p.points)
      centre = .allocateZeros(p.dimension)
    }

    deinit { for place in [distances, centre] { place.deallocate() } }
  }

  package var axis: Axis {
    Axis(name: "bandwidth", summary: "h, width of the kernel", values: bandwidths)
  }

  package let observables = [
    Observable("log_density", "log rho(x)/d"),
    Observable("participation", "Y_2, the share of the largest terms: sum w^2/(sum w)^2"),
    Observable("divergence", role: .objective, "log p(x)/rho(x) over d, of which the mean is KL(p | rho)/d"),
  ]

  package var known: [KnownStatistic] {
    let exact = KernelDensityIntegrals(dimension: dimension, points: Double(points))
    return bandwidths.enumerated().flatMap { record, h in
      let found = exact.values(bandwidth: h)
      return [
        KnownStatistic(.mean, of: "log_density", record: record, found.logDensity),
        KnownStatistic(.mean, of: "participation", record: record, found.participation),
        KnownStatistic(.mean, of: "divergence", record: record, exact.entropy - found.logDensity),
      ]
    }
  }

  package func makeState() -> State { State(self) }

  package func draw(_ state: State, _ stream: inout Stream, into values: UnsafeMutablePointer<Double>) {
    let (distances, d) = (state.distances, Double(dimension))
    var lambda = 0.0
    var drawn = points
    if isReduced {
      lambda = stream.chiSquare(dimension)
      state.cells.tabulate(lambda)
      drawn = state.cells.draw(&stream, points: points, single: Self.single, into: distances)
    } else {
      lambda = drawPoints(state, &stream)
    }
    var least = distances[0]
    for i in 1..<max(drawn, 1) { least = min(least, distances[i]) }
    let own = -0.5 * (lambda / d + Self.logTwoPi)
    for (record, h) in bandwidths.enumerated() {
      let rate = 0.5 / (h * h)
      var (sum, squares) = (0.0, 0.0)
      for i in 0..<drawn {
        let w = Elementary.exp(rate * (least - distances[i]))
        sum += w
        squares += w * w
      }
      if isReduced { state.cells.addRest(rate: rate, least: least, &sum, &squares) }
      let place = values + 3 * record
      let log = Elementary.log(sum) - rate * least - Elementary.log(Double(points))
      place[0] = log / d - 0.5 * (Self.logTwoPi + 2 * Elementary.log(h))
      place[1] = squares / (sum * sum)
      place[2] = own - place[0]
    }
  }

  static let logTwoPi = 1.8378770664093453

  private func drawPoints(_ state: State, _ stream: inout Stream) -> Double {
    var lambda = 0.0
    for i in 0..<dimension {
      state.centre[i] = stream.normal()
      lambda += state.centre[i] * state.centre[i]
    }
    for a in 0..<points {
      var sum = 0.0
      for i in 0..<dimension {
        let difference = stream.normal() - state.centre[i]
        sum += difference * difference
      }
      state.distances[a] = sum
    }
    return lambda
  }
}

extension KernelDensity {
  /// alpha = log(n)/d, and r with $\alpha = \frac12 [\log(1 + r) - r/(1 + r)^2]$.
  package var rate: Double { Elementary.log(Double(points)) / Double(dimension) }

  package static func root(rate: Double) -> Double {
    func alpha(_ r: Double) -> Double { 0.5 * (Elementary.log(1 + r) - r / ((1 + r) * (1 + r))) }
    var (low, high) = (0.0, 1.0)
    while alpha(high) < rate { high *= 2 }
    for _ in 0..<80 {
      let middle = 0.5 * (low + high)
      if alpha(middle) < rate { low = middle } else { high = middle }
    }
    return 0.5 * (low + high)
  }

  /// What is left at infinite dimension.
  package struct Regimes {
    /// $h_G = r^{-1/2}$, below which few points count; $h_{CLT} = (2/r)^{1/2}$, above which fluctuations are normal; the best width.
    package let condensation, normal, best: Double
    /// Smallest D/d.
    package let smallest: Double
    private let rate: Double

    package init(rate: Double) {
      let r = KernelDensity.root(rate: rate)
      self.rate = rate
      smallest = (2 + r) / ((1 + r) * (1 + r))
      (condensation, normal, best) = (1 / r.squareRoot(), (2 / r).squareRoot(), smallest.squareRoot())
    }

    package func logDensity(_ h: Double) -> Double {
      let square = h * h
      return h >= condensation
        ? -0.5 * (KernelDensity.logTwoPi + Elementary.log(1 + square)) - 1 / (2 + 2 * square)
        : -rate - 0.5 * (KernelDensity.logTwoPi + Elementary.log(square)) - 0.5 * smallest / square
    }

    /// $Y_2 \to (1 - h^2 r)^+$.
    package func participation(_ h: Double) -> Double { max(0, 1 - h * h / (condensation * condensation)) }
  }

  static let entry = EstimationFamily.entry(
    name: "kernel-density", summary: "a kernel density estimate of a normal law in large dimension, by width",
    equation: "rho = (1/n) sum exp(-|x_i - x|^2/2h^2)/(2 pi h^2)^(d/2); Y_2 = sum w^2/(sum w)^2",
    reference: "arXiv:2408.05807; docs/estimation.md",
    samplers: [
      ("reduced", "order statistics of the distances, and counts in cells: whatever n"),
      ("data", "every point, O(n d)"),
    ],
    observables: ["log_density", "participation", "divergence"],
    parameters: [
      Parameter(
        "dimension", .integer(1...400), small: .init(.inverse, "d", companions: ["draws", "points"]), "d, of x"),
      Parameter("points", .integer(2...1_000_000_000_000), optional: true, "n; exp(rate d), rounded, unless given"),
      Parameter("rate", .real(.above(0)), optional: true, "alpha = log(n)/d, instead of n"),
      Parameter("bandwidths", .structured("an ascending array of at most 256 positive numbers"), "h"),
    ]
  ) { p, _ in
    let dimension = p.integer("dimension")
    guard (p["points"] == nil) != (p["rate"] == nil) else {
      throw p.invalid("points", "or rate must be given, and not both")
    }
    var points = 0.0
    if p["points"] != nil {
      points = Double(p.integer("points"))
    } else {
      points = Elementary.exp(min(p.real("rate") * Double(dimension), 700)).rounded()
      guard (2...1e12).contains(points) else {
        throw p.invalid("rate", "makes exp(rate dimension) = \(Float(points)) points; a draw has 2 to 1e12")
      }
    }
    guard case .list(let items)? = p["bandwidths"], (1...256).contains(items.count),
      items.allSatisfy({ ($0.number ?? 0) > 0 && $0.number!.isFinite }),
      zip(items, items.dropFirst()).allSatisfy({ $0.number! < $1.number! })
    else { throw p.invalid("bandwidths", "must be an ascending array of at most 256 positive numbers") }
    let isReduced = p.text("sampler") == "reduced" && points > 2 * Double(single)
    guard isReduced || points <= 1e8 else {
      throw p.invalid("sampler", "draws every one of the \(Int(points)) points; at most 1e8")
    }
    return DrawnProblemModel(
      KernelDensity(
        dimension: dimension, points: Int(points), bandwidths: items.map { $0.number! }, isReduced: isReduced), p)
  }
}
