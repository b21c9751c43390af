import Experiments
import Kernels
import Randomness

/// Queries that were chosen by the answers to others: k signs $x_j$ and a sign y, all independent and fair, so that every $x_j y$ has mean 0; n examples answer with
/// $a_j = \bar{x_j y} + S g_j$, and the last query is $k^{-1/2} \sum_j \mathrm{sign}(a_j)\, x_j y$, of mean 0 as well. On the examples that chose it it comes out at
///
/// $$ \mathbb E\, \text{bias} = \sqrt k\; \mathbb E\, \bar a\, \mathrm{erf}(\bar a/(S \sqrt 2)) \approx \sqrt{2k/\pi}\big/\big(n \sqrt{1/n + S^2}\big), \qquad \bar a = (2 B - n)/n, $$
///
/// B binomial: noise on the answers protects the examples.
package struct AdaptiveQueries: DrawnProblem {
  package let samples, queries: Int
  /// S.
  package let noise: Double
  let isReduced: Bool

  /// The signs of a query, a bit an example.
  package final class State {
    fileprivate let labels: UnsafeMutablePointer<UInt64>
    fileprivate init(words: Int) {
      labels = .allocate(capacity: words)
      labels.initialize(repeating: 0, count: words)
    }
    deinit { labels.deallocate() }
  }

  private var words: Int { (samples + 63) / 64 }

  package var axis: Axis { .samples(samples) }
  package let observables = [
    Observable("bias", "the last query on the examples that chose it; its true mean is 0"),
    Observable("fresh", "the same query on examples of its own"),
  ]

  package var known: [KnownStatistic] {
    let mean = meanOfOne
    return [
      KnownStatistic(.mean, of: "bias", Double(queries).squareRoot() * mean),
      KnownStatistic(.variance, of: "bias", 1 / Double(samples) - mean * mean), KnownStatistic(.mean, of: "fresh", 0),
      KnownStatistic(.variance, of: "fresh", 1 / Double(samples)),
    ]
  }

  /// E of sign(a) times the mean of one x y, by the sum over the binomial law.
  private var meanOfOne: Double {
    let n = Double(samples)
    // P(B = b) over P(n/2), from the middle on: the law is symmetric, and what is beyond 12 deviations does not count.
    var (mass, total, sum) = (1.0, 0.0, 0.0)
    var b = samples / 2
    let reach = Int(6 * n.squareRoot()) + 2
    for _ in 0...min(samples - b, reach) {
      let mean = (2 * Double(b) - n) / n
      let agreement = noise > 0 ? Elementary.erf(mean / (noise * 2.0.squareRoot())) : (mean < 0 ? -1 : 1)
      // Of an even number of examples the middle counts once, else every b has its mirror image.
      let weight = samples % 2 == 0 && b == samples / 2 ? 1.0 : 2
      if !(samples % 2 == 1 && b == samples / 2) {
        total += weight * mass
        sum += weight * mass * mean * agreement
      }
      mass *= (n - Double(b)) / (Double(b) + 1)
      b += 1
    }
    return sum / total
  }

  package func makeState() -> State { State(words: isReduced ? 1 : words) }

  package func draw(_ state: State, _ stream: inout Stream, into values: UnsafeMutablePointer<Double>) {
    let n = Double(samples)
    if !isReduced { for i in 0..<words { state.labels[i] = stream.word() } }
    var bias = 0.0
    for _ in 0..<queries {
      let count = isReduced ? stream.binomial(samples, 0.5) : agreements(state, &stream)
      let mean = (2 * Double(count) - n) / n
      let answer = noise > 0 ? mean + noise * stream.normal() : mean
      bias += answer < 0 ? -mean : mean
    }
    values[0] = bias / Double(queries).squareRoot()
    // The signs chosen do not matter for fresh examples: their n k products are fair signs.
    var fresh = 0.0
    if isReduced {
      fresh = 2 * Double(stream.binomial(samples * queries, 0.5)) - n * Double(queries)
    } else {
      for _ in 0..<queries { fresh += 2 * Double(agreements(state, &stream)) - n }
    }
    values[1] = fresh / (n * Double(queries).squareRoot())
  }

  /// Examples where a fresh x has the sign of y.
  private func agreements(_ state: State, _ stream: inout Stream) -> Int {
    var count = 0
    for i in 0..<words {
      let live = i + 1 < words || samples % 64 == 0 ? UInt64.max : (1 << UInt64(samples % 64)) - 1
      count += (~(state.labels[i] ^ stream.word()) & live).nonzeroBitCount
    }
    return count
  }

  static let entry = EstimationFamily.entry(
    name: "adaptive-queries",
    summary: "a query chosen by the answers to others, on the same examples and on fresh ones",
    equation: "a_j = mean x_j y + noise g_j; bias = k^-1/2 sum_j sign(a_j) mean x_j y, true mean 0",
    reference: "docs/estimation.md",
    samplers: [("reduced", "binomial counts"), ("data", "every sign")], observables: ["bias", "fresh"],
    parameters: [
      Parameter(
        "samples", .integer(1...1_000_000), small: .init(.inverse, "n", companions: ["draws"], ratios: ["queries"]),
        "n, examples"),
      Parameter("queries", .integer(1...1_000_000), "k, first queries"),
      Parameter("noise", .real(.init(0, 1e6)), default: .real(0), "S, standard deviation of the noise on each answer"),
    ]
  ) { p, _ in
    DrawnProblemModel(
      AdaptiveQueries(
        samples: p.integer("samples"), queries: p.integer("queries"), noise: p.real("noise"),
        isReduced: p.text("sampler") == "reduced"), p)
  }
}
