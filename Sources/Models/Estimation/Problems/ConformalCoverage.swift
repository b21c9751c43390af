import Experiments
import Kernels
import Randomness
import Statistics

/// Split conformal prediction: the interval $|y - f(x)| \le q$, q the k-th smallest score of n calibration examples, $k = \lceil (n+1)(1-\alpha) \rceil$. Given the calibration, the probability that it
/// covers a fresh example follows exactly Beta(k, n + 1 - k), whatever f is, at every width, trained or not, as long as scores have no ties.
///
/// The plain sampler draws x uniform on [-1, 1], $y = \sin \pi x + (0.1 + 0.3 |x|) \varepsilon$, a network f of one hidden layer of ReLU units, whose output weights are fitted by ridge regression to `train`
/// examples (0: stay random), and the scores; the coverage is then an integral over x.
package struct ConformalCoverage: DrawnProblem {
  package let samples: Int
  let level: Double
  let width, train: Int
  let isReduced: Bool

  /// k.
  private var rank: Int { Int((Double(samples + 1) * (1 - level) - 1e-9).rounded(.up)) }
  private static let nodes = 1024

  package final class State {
    /// Of the hidden units: weights and biases; output weights. Scores. Of the fit: a row of features, its normal equations.
    fileprivate let weights, biases, outputs, scores, row, gram: UnsafeMutablePointer<Double>

    fileprivate init(_ p: ConformalCoverage) {
      let w = p.isReduced ? 0 : p.width
      (weights, biases, outputs) = (.allocateZeros(w), .allocateZeros(w), .allocateZeros(w))
      (row, gram) = (.allocateZeros(w), .allocateZeros(w * w))
      scores = .allocateZeros(p.isReduced ? 0 : p.samples)
    }

    deinit { for place in [weights, biases, outputs, scores, row, gram] { place.deallocate() } }
  }

  package var axis: Axis { .samples(samples) }
  package var observables: [Observable] {
    [Observable("coverage", "probability, given the calibration, that the interval covers a fresh example")]
      + (isReduced ? [] : [Observable("half_width", "q, half the length of the interval")])
  }

  package var known: [KnownStatistic] {
    let (n, k) = (Double(samples), Double(rank))
    return [
      KnownStatistic(lawOf: "coverage", law), KnownStatistic(.mean, of: "coverage", k / (n + 1)),
      KnownStatistic(.variance, of: "coverage", k * (n + 1 - k) / ((n + 1) * (n + 1) * (n + 2))),
    ]
  }

  private var law: TabulatedLaw {
    let (a, b) = (Double(rank) - 1, Double(samples - rank))
    // Relative to its value at the mode, so that no size overflows.
    let mode = a + b > 0 ? a / (a + b) : 0.5
    func term(_ power: Double, _ x: Double, _ most: Double) -> Double {
      power == 0 ? 0 : x > 0 ? power * Elementary.log(x / most) : -.infinity
    }
    return TabulatedLaw(name: "Beta(\(rank), \(samples + 1 - rank))", from: 0, to: 1) {
      Elementary.exp(max(term(a, $0, mode) + term(b, 1 - $0, 1 - mode), -1000))
    }
  }

  package func makeState() -> State { State(self) }

  package func draw(_ state: State, _ stream: inout Stream, into values: UnsafeMutablePointer<Double>) {
    guard !isReduced else {
      let (above, below) = (stream.gamma(shape: Double(rank)), stream.gamma(shape: Double(samples + 1 - rank)))
      values[0] = above / (above + below)
      return
    }
    drawNetwork(state, &stream)
    if train > 0 { fit(state, &stream) }
    for a in 0..<samples {
      let (x, y) = example(&stream)
      state.scores[a] = (y - output(state, x)).magnitude
    }
    let q = Self.smallest(rank, of: state.scores, count: samples)
    var sum = 0.0
    let step = 2 / Double(Self.nodes)
    for i in 0..<Self.nodes {
      let x = -1 + step * (Double(i) + 0.5)
      let scale = 1 / (deviation(x) * 2.0.squareRoot())
      let offset = output(state, x) - target(x)
      sum += Elementary.erf((q + offset) * scale) + Elementary.erf((q - offset) * scale)
    }
    values[0] = 0.5 * sum / Double(Self.nodes)
    values[1] = q
  }

  private func target(_ x: Double) -> Double { Elementary.sinCosTurns(0.5 * x).sin }
  private func deviation(_ x: Double) -> Double { 0.1 + 0.3 * x.magnitude }

  private func example(_ stream: inout Stream) -> (x: Double, y: Double) {
    let x = 2 * stream.uniform() - 1
    return (x, target(x) + deviation(x) * stream.normal())
  }

  private func drawNetwork(_ state: State, _ stream: inout Stream) {
    let scale = 1 / Double(width).squareRoot()
    for j in 0..<width {
      (state.weights[j], state.biases[j]) = (stream.normal(), stream.normal())
      state.outputs[j] = scale * stream.normal()
    }
  }

  private func output(_ state: State, _ x: Double) -> Double {
    var sum = 0.0
    for j in 0..<width { sum += state.outputs[j] * max(0, state.weights[j] * x + state.biases[j]) }
    return sum
  }

  /// Ridge regression of the output weights, one unit of ridge.
  private func fit(_ state: State, _ stream: inout Stream) {
    let (w, g, row) = (width, state.gram, state.row)
    g.update(repeating: 0, count: w * w)
    state.outputs.update(repeating: 0, count: w)
    for _ in 0..<train {
      let (x, y) = example(&stream)
      for j in 0..<w { row[j] = max(0, state.weights[j] * x + state.biases[j]) }
      for j in 0..<w {
        state.outputs[j] += row[j] * y
        for l in 0...j { g[j * w + l] += row[j] * row[l] }
      }
    }
    for j in 0..<w { g[j * w + j] += 1 }
    Triangular.clippedCholesky(UnsafePointer(g), m: w, into: g)
    for j in 0..<w {
      for l in 0..<j { state.outputs[j] -= g[j * w + l] * state.outputs[l] }
      state.outputs[j] /= g[j * w + j]
    }
    for j in (0..<w).reversed() {
      for l in j + 1..<max(w, j + 1) { state.outputs[j] -= g[l * w + j] * state.outputs[l] }
      state.outputs[j] /= g[j * w + j]
    }
  }

  /// The k-th smallest number, by Hoare's selection; they are moved about.
  private static func smallest(_ k: Int, of x: UnsafeMutablePointer<Double>, count: Int) -> Double {
    var (low, high) = (0, count - 1)
    while low < high {
      let pivot = x[(low + high) / 2]
      var (i, j) = (low, high)
      while i <= j {
        while x[i] < pivot { i += 1 }
        while x[j] > pivot { j -= 1 }
        if i <= j {
          (x[i], x[j]) = (x[j], x[i])
          i += 1
          j -= 1
        }
      }
      if k - 1 <= j { high = j } else if k - 1 >= i { low = i } else { break }
    }
    return x[k - 1]
  }

  static let entry = EstimationFamily.entry(
    name: "conformal", summary: "coverage of split conformal prediction, given the calibration",
    equation:
      "P(|y - f(x)| <= q | calibration) ~ Beta(k, n + 1 - k), q the k-th smallest score, k = ceil((n + 1)(1 - level))",
    reference: "docs/estimation.md",
    samplers: [("reduced", "the order statistic itself"), ("data", "a network, its scores and its coverage")],
    observables: ["coverage", "half_width"],
    parameters: [
      Parameter("samples", .integer(1...1_000_000), "n, calibration examples, at least 1/level - 1"),
      Parameter(
        "level", .real(.init(0, 1, openBelow: true, openAbove: true)), default: .real(0.1),
        "alpha, allowed probability of a miss"),
      Parameter("width", .integer(1...512), default: .integer(32), "of the network that the plain sampler draws"),
      Parameter(
        "train", .integer(0...1_000_000), default: .integer(0),
        "examples that its output weights are fitted to; 0: they stay random"),
    ]
  ) { p, _ in
    let problem = ConformalCoverage(
      samples: p.integer("samples"), level: p.real("level"), width: p.integer("width"), train: p.integer("train"),
      isReduced: p.text("sampler") == "reduced")
    guard problem.rank <= problem.samples else {
      throw p.invalid(
        "samples", "must be at least 1/level - 1 = \(1 / problem.level - 1): with fewer every interval is infinite")
    }
    return DrawnProblemModel(problem, p)
  }
}
