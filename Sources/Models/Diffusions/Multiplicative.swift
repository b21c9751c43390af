import Experiments
import Kernels
import Randomness

/// A generative diffusion with multiplicative noise (arXiv:2510.02730): forward $dX = \mu X dt + \sigma X dW$ up to T, from data that are a mixture of log-normal laws, and backward in K steps of size $\delta$,
///
/// $$ x \leftarrow x \exp\big(\delta [-\mu + \tfrac32 \sigma^2 + \sigma^2 x\, s_t(x)] + \sigma \sqrt\delta\, \xi\big), \qquad s_t = \partial_x \log p_t, $$
///
/// with the exact score. In y = log x both are additive, $c = \mu - \sigma^2/2$: forward $N(m + ct, v + \sigma^2 t)$ of each component, backward $y \leftarrow y + \delta(-c + \sigma^2 \partial_y \log q_t) + \sigma\sqrt\delta\, \xi$. Of one
/// component a step is affine and the law stays normal: $A = 1 - \delta\sigma^2/v_t$, $M \leftarrow A M + \delta(-c + \sigma^2 m_t/v_t)$, $V \leftarrow A^2 V + \sigma^2 \delta$. Of several it is followed on a grid.
package struct Multiplicative: DrawnProblem {
  package enum Start: String, CaseIterable, Sendable {
    /// The law of the data at time T.
    case exact
    /// LN(0, sigma^2 T), which knows nothing of the data; the process has no stationary law.
    case logNormal = "log-normal"
  }
  package enum Scheme: String, CaseIterable, Sendable {
    case exponential
    /// Euler's in x, which may leave the positive numbers.
    case euler
  }

  package let data: NormalMixture
  let drift, diffusion, horizon: Double
  let steps: Int
  let start: Start
  let scheme: Scheme
  /// Law of log x at the end, its divergence from the data and W2; nil for Euler's scheme.
  private var generated: LineLaw?
  package private(set) var divergence = Double.nan
  package private(set) var wasserstein = Double.nan

  private var delta: Double { horizon / Double(steps) }
  private var c: Double { drift - 0.5 * diffusion * diffusion }
  private func law(at step: Int) -> NormalMixture {
    let t = delta * Double(step)
    return data.spread(plus: c * t, variance: diffusion * diffusion * t)
  }
  private var first: NormalMixture {
    start == .exact
      ? law(at: steps)
      : NormalMixture([.init(weight: 1, mean: 0, variance: diffusion * diffusion * horizon)])
  }

  package init(
    data: NormalMixture, drift: Double, diffusion: Double, horizon: Double, steps: Int, start: Start, scheme: Scheme
  ) {
    (self.data, self.drift, self.diffusion, self.horizon) = (data, drift, diffusion, horizon)
    (self.steps, self.start, self.scheme) = (steps, start, scheme)
    let generated = scheme == .exponential ? generate() : nil
    self.generated = generated
    (divergence, wasserstein) = generated?.distances(from: data) ?? (.nan, .nan)
  }

  /// The law of log x at the end.
  private func generate() -> LineLaw {
    // All laws on the way, and some room.
    let ends = [first.support, data.support, law(at: steps).support]
    let range = ends.map(\.lowerBound).min()! - 1...ends.map(\.upperBound).max()! + 1
    let narrowest = (data.components.map(\.variance) + [diffusion * diffusion * delta]).min()!.squareRoot()
    let spacing = max(narrowest / 5, (range.upperBound - range.lowerBound) / 12_000)
    var found = LineLaw(range, spacing: spacing) { Elementary.exp(max(first.score($0).log, -740)) }
    let square = diffusion * diffusion
    for step in (1...steps).reversed() {
      let law = law(at: step)
      found.step(variance: square * delta) { $0 + delta * (square * law.score($0).slope - c) }
    }
    return found
  }

  /// Mean and variance of log x of one component, by the recursion.
  package var moments: (mean: Double, variance: Double)? {
    guard data.components.count == 1, scheme == .exponential else { return nil }
    var (m, v) = (first.mean, first.variance)
    let square = diffusion * diffusion
    for step in (1...steps).reversed() {
      let law = law(at: step).components[0]
      let a = 1 - delta * square / law.variance
      m = a * m + delta * (square * law.mean / law.variance - c)
      v = a * a * v + square * delta
    }
    return (m, v)
  }

  package final class State {
    /// The laws of log x at every step, from T down.
    fileprivate let laws: [NormalMixture]
    fileprivate init(_ laws: [NormalMixture]) { self.laws = laws }
  }

  package var axis: Axis { .steps(of: steps) }
  package var observables: [Observable] {
    [
      Observable("log_x", "log of the generated sample"),
      Observable("square_log_x", "its square"),
      Observable("x", "the generated sample"),
    ]
      + (scheme == .exponential
        ? [
          Observable(
            "divergence",
            "log p/q at a sample of the data, p the law of the data, q of what is generated: its mean is KL(p | q)")
        ]
        : [
          Observable(
            "negative", role: .event, "1 where x was not positive on the way, which ends the path without a value")
        ])
  }

  package var attributes: [String: String] {
    scheme == .exponential ? ["wasserstein": "\(Float(wasserstein)), W2 of log x from the data"] : [:]
  }

  package var known: [KnownStatistic] {
    guard let generated else { return [] }
    let (mean, square) =
      moments.map { ($0.mean, $0.variance + $0.mean * $0.mean) } ?? (generated.mean { $0 }, generated.mean { $0 * $0 })
    return [
      KnownStatistic(.mean, of: "log_x", mean), KnownStatistic(.mean, of: "square_log_x", square),
      KnownStatistic(.mean, of: "x", generated.mean { Elementary.exp($0) }),
      KnownStatistic(lawOf: "log_x", generated.law), KnownStatistic(.mean, of: "divergence", divergence),
    ]
  }

  package func makeState() -> State { State((1...steps).reversed().map(law)) }

  package func draw(_ state: State, _ stream: inout Stream, into values: UnsafeMutablePointer<Double>) {
    var y = first.draw(&stream)
    let square = diffusion * diffusion
    let spread = diffusion * delta.squareRoot()
    guard let generated else {
      var x = Elementary.exp(y)
      for law in state.laws {
        // x s(x) is the slope in y less 1.
        let slope = law.score(Elementary.log(x)).slope - 1
        x *= 1 + delta * (2 * square - drift + square * slope) + spread * stream.normal()
        guard x > 0 else {
          (values[0], values[1], values[2], values[3]) = (.nan, .nan, .nan, 1)
          return
        }
      }
      y = Elementary.log(x)
      (values[0], values[1], values[2], values[3]) = (y, y * y, x, 0)
      return
    }
    for law in state.laws { y += delta * (square * law.score(y).slope - c) + spread * stream.normal() }
    (values[0], values[1], values[2]) = (y, y * y, Elementary.exp(y))
    let sample = data.draw(&stream)
    values[3] = data.score(sample).log - generated.logDensity(sample)
  }

  static let entry = DiffusionFamily.entry(
    name: "multiplicative", summary: "a diffusion with multiplicative noise, data a mixture of log-normal laws",
    equation:
      "forward dX = drift X dt + diffusion X dW; back x = x exp(delta [-drift + 3 diffusion^2/2 + diffusion^2 x s_t(x)] + diffusion sqrt(delta) xi)",
    reference: "arXiv:2510.02730; docs/diffusions.md",
    observables: ["log_x", "square_log_x", "x", "divergence", "negative"],
    parameters: NormalMixture.parameters + [
      Parameter("drift", .real(.finite), default: .real(0.5), "mu"),
      Parameter("diffusion", .real(.above(0)), default: .real(1), "sigma"),
      Parameter("horizon", .real(.above(0)), default: .real(2), "T"),
      Parameter(
        "steps", .integer(1...10_000), unit: "steps", small: .init(.inverse, "K", companions: ["draws"]),
        "K, of size T/K"),
      Parameter(
        "start", .choice(Start.allCases.map(\.rawValue)), default: .text("exact"),
        "law at T; exact: that of the data there, so that all error is of the steps; log-normal: LN(0, sigma^2 T)"),
      Parameter(
        "scheme", .choice(Scheme.allCases.map(\.rawValue)), default: .text("exponential"),
        "exponential: in log x; euler: in x, which may become negative"),
    ]
  ) { p, _ in
    let data = try NormalMixture(p)
    guard data.components.allSatisfy({ $0.variance > 0 }) else {
      throw p.invalid("variances", "must be positive: what is generated has a density")
    }
    return DrawnProblemModel(
      Multiplicative(
        data: data, drift: p.real("drift"), diffusion: p.real("diffusion"), horizon: p.real("horizon"),
        steps: p.integer("steps"), start: Start(rawValue: p.text("start"))!,
        scheme: Scheme(rawValue: p.text("scheme"))!), p)
  }
}
