import Experiments
import Kernels
import Networks
import Randomness

/// Risk of the maximum-likelihood estimate of n examples, $\mathbb E\, \mathrm{KL}(p \,|\, p_{\hat\theta})$.
///
/// Of normal laws in p dimensions with unknown mean and covariance it is exactly
///
/// $$ \tfrac12 \Big[ \sum_{i=1}^p \psi\big(\tfrac{n-i}2\big) + p \log \tfrac2n + \frac{(n+1) p}{n-p-2} - p \Big]; $$
///
/// a draw needs Bartlett's factor T of the scatter matrix and a normal vector g:
/// $\mathrm{KL} = \tfrac12 [\log |T T^T/n| + n |T^{-1}|_F^2 + |T^{-1} g|^2 - p]$. Of gamma laws of known shape k and unknown rate it is
/// $k [\psi(nk) - \log nk + nk/(nk-1) - 1]$; a draw needs the sum of the examples.
package struct MaximumLikelihoodRisk: DrawnProblem {
  package enum Model: Sendable {
    case normal(dimension: Int)
    case gamma(shape: Double)
  }

  package let model: Model
  package let samples: Int
  let isReduced: Bool

  package final class State {
    /// T, then its inverse applied to a vector; of the plain sampler the examples.
    fileprivate let factor, column, data: UnsafeMutablePointer<Double>

    fileprivate init(dimension p: Int, examples: Int) {
      (factor, column, data) = (.allocateZeros(p * p), .allocateZeros(p), .allocateZeros(examples * p))
    }

    deinit { for place in [factor, column, data] { place.deallocate() } }
  }

  package var axis: Axis { .samples(samples) }
  package let observables = [
    Observable("risk", role: .heavyTailed, "KL(true law | estimate)"),
    Observable("log_risk", role: .logarithm, "its logarithm"),
  ]

  package var known: [KnownStatistic] { [KnownStatistic(.mean, of: "risk", exact)] }

  package var exact: Double {
    let n = Double(samples)
    switch model {
    case .normal(let p):
      let degrees = (1...p).reduce(0.0) { $0 + Elementary.digamma(0.5 * (n - Double($1))) }
      let d = Double(p)
      return 0.5 * (degrees + d * Elementary.log(2 / n) + (n + 1) * d / (n - d - 2) - d)
    case .gamma(let shape):
      let x = n * shape
      return shape * (Elementary.digamma(x) - Elementary.log(x) + x / (x - 1) - 1)
    }
  }

  package func makeState() -> State {
    guard case .normal(let p) = model else { return State(dimension: 0, examples: 0) }
    return State(dimension: p, examples: isReduced ? 0 : samples)
  }

  package func draw(_ state: State, _ stream: inout Stream, into values: UnsafeMutablePointer<Double>) {
    switch model {
    case .normal(let p): values[0] = normalRisk(state, &stream, p)
    case .gamma(let shape):
      let x = Double(samples) * shape
      var sum = 0.0
      if isReduced { sum = stream.gamma(shape: x) } else { for _ in 0..<samples { sum += stream.gamma(shape: shape) } }
      let rate = x / sum
      values[0] = shape * (rate - 1 - Elementary.log(rate))
    }
    values[1] = Elementary.log(values[0])
  }

  private func normalRisk(_ state: State, _ stream: inout Stream, _ p: Int) -> Double {
    let (t, g) = (state.factor, state.column)
    let n = Double(samples)
    if isReduced {
      Bartlett.write(&stream, p, degrees: n - 1, to: t)
      for i in 0..<p { g[i] = stream.normal() }
    } else {
      scatter(state, &stream, p)
    }
    // T^-1 g, then the columns of T^-1.
    var (logarithm, rest) = (0.0, 0.0)
    for i in 0..<p {
      for j in 0..<i { g[i] -= t[i * p + j] * g[j] }
      g[i] /= t[i * p + i]
      rest += g[i] * g[i]
      logarithm += 2 * Elementary.log(t[i * p + i])
    }
    var trace = 0.0
    for j in 0..<p {
      for i in j..<p {
        var entry = i == j ? 1.0 : 0
        for l in j..<i { entry -= t[i * p + l] * g[l] }
        g[i] = entry / t[i * p + i]
        trace += g[i] * g[i]
      }
    }
    return 0.5 * (logarithm - Double(p) * Elementary.log(n) + n * trace + rest - Double(p))
  }

  /// The factor of the scatter matrix of drawn examples, and sqrt(n) times their mean.
  private func scatter(_ state: State, _ stream: inout Stream, _ p: Int) {
    let (t, mean, x) = (state.factor, state.column, state.data)
    mean.update(repeating: 0, count: p)
    for a in 0..<samples {
      for i in 0..<p {
        x[a * p + i] = stream.normal()
        mean[i] += x[a * p + i]
      }
    }
    for i in 0..<p { mean[i] /= Double(samples) }
    for i in 0..<p {
      for j in 0...i {
        var sum = 0.0
        for a in 0..<samples { sum += (x[a * p + i] - mean[i]) * (x[a * p + j] - mean[j]) }
        t[i * p + j] = sum
      }
    }
    Triangular.clippedCholesky(UnsafePointer(t), m: p, into: t)
    for i in 0..<p { mean[i] *= Double(samples).squareRoot() }
  }
}

extension MaximumLikelihoodRisk {
  /// Coefficients of 1/n and 1/n^2 of the mean risk.
  package var expansion: (first: Double, second: Double) {
    switch model {
    case .normal(let dimension):
      let p = Double(dimension)
      let logarithms = p * (p + 1) * (2 * p + 1) / 12 + p * (p + 1) / 2 + p / 3
      return (p * (p + 3) / 4, 0.5 * (p * (p + 3) * (p + 2) - logarithms))
    case .gamma(let shape): return (0.5, 11 / (12 * shape))
    }
  }

  static let entry = EstimationFamily.entry(
    name: "mle-risk", summary: "the risk of the maximum-likelihood estimate of a normal or a gamma law",
    equation:
      "E KL(p | p_mle): normal, (1/2) [sum_i psi((n-i)/2) + p log(2/n) + (n+1) p/(n-p-2) - p]; gamma of known shape k, k [psi(nk) - log nk + nk/(nk-1) - 1]",
    reference: "docs/estimation.md",
    samplers: [("reduced", "sufficient statistics"), ("data", "every example")], observables: ["risk", "log_risk"],
    parameters: [
      Parameter("model", .choice(["normal", "gamma"]), default: .text("normal"), "law of the examples"),
      Parameter("dimension", .integer(1...256), default: .integer(1), "p, of a normal law"),
      Parameter("shape", .real(.init(0.5, 1e6)), default: .real(1), "k, of a gamma law; 1: exponential"),
      Parameter(
        "samples", .integer(2...1_000_000), small: .init(.inverse, "n", companions: ["draws"]),
        "n, examples; above p + 2 of a normal law, more than 1/k of a gamma law: with fewer the mean is infinite"),
    ]
  ) { p, _ in
    let samples = p.integer("samples")
    let model: Model =
      p.text("model") == "normal" ? .normal(dimension: p.integer("dimension")) : .gamma(shape: p.real("shape"))
    switch model {
    case .normal(let dimension):
      guard samples > dimension + 2 else {
        throw p.invalid(
          "samples", "must be at least \(dimension + 3), dimension and 3: with fewer the mean is infinite")
      }
    case .gamma(let shape):
      guard Double(samples) * shape > 1 else {
        throw p.invalid("samples", "must be above \(1 / shape), 1/shape: with fewer the mean is infinite")
      }
    }
    return DrawnProblemModel(
      MaximumLikelihoodRisk(model: model, samples: samples, isReduced: p.text("sampler") == "reduced"), p)
  }
}
