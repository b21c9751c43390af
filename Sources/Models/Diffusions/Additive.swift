import Experiments
import Kernels
import Randomness
import Statistics

/// Generative diffusions with additive noise on the line and exact scores. Variance exploding, as a process in the signal (arXiv:2501.07741): from $Y \sim N(t_1 \mathbb E x, t_1)$,
///
/// $$ Y \leftarrow Y + (t_{k+1} - t_k)\, \mathbb E[x | Y, t_k] + \sqrt{t_{k+1} - t_k}\; \xi, \qquad Y_t = t x + W_t, $$
///
/// at K geometric times, and at the end $x = \mathbb E[x | Y, t_K]$. Variance preserving: $X_\tau = e^{-\tau} x + \sqrt{1 - e^{-2\tau}}\, g$ backward from tau = T by exponential steps,
/// $X \leftarrow e^\delta X + 2 (e^\delta - 1) s(X) + \sqrt{e^{2\delta} - 1}\, \xi$, from N(0, 1) or the exact law.
///
/// Of one normal component every step is affine and the law stays normal: mean and variance by the recursion.
package struct Additive: DrawnProblem {
  package enum Variance: String, CaseIterable, Sendable { case exploding, preserving }
  package enum Start: String, CaseIterable, Sendable { case usual, exact }

  package enum Data: Sendable {
    case mixture(NormalMixture)
    /// Student's law with a given number of degrees of freedom: its conditional means are tabulated.
    case student(Double)
  }

  package let data: Data
  let variance: Variance
  let start: Start
  /// K signal times, or K + 1 times of the preserving process from T to 0.
  let times: [Double]
  package let tail: Double
  private let steps: Int
  private let tables: [ConditionalMean]

  package init(data: Data, variance: Variance, start: Start, steps: Int, from: Double, to: Double, tail: Double) {
    (self.data, self.variance, self.start, self.steps, self.tail) = (data, variance, start, steps, tail)
    switch variance {
    case .exploding:
      times = (0..<steps).map { from * Elementary.exp(Elementary.log(to / from) * Double($0) / Double(steps - 1)) }
    case .preserving: times = (0...steps).map { to * (1 - Double($0) / Double(steps)) }
    }
    tables =
      if case .student(let degrees) = data { times.map { ConditionalMean(student: degrees, signal: $0) } } else { [] }
  }

  package var axis: Axis { .steps(of: steps) }
  package var observables: [Observable] {
    [
      Observable("x", "the generated sample"),
      Observable("square", role: isHeavy ? .heavyTailed : .quantity, "its square"),
      Observable("tail", role: .event, "1 where |x| > \(tail)"),
    ]
  }
  private var isHeavy: Bool { if case .student = data { true } else { false } }

  package func makeState() -> NoState { NoState() }

  /// E[x | Y, t] at the k-th time.
  private func mean(_ y: Double, _ k: Int) -> Double {
    guard case .mixture(let mixture) = data else { return tables[k](y) }
    let t = times[k]
    var (top, sum, value) = (-Double.infinity, 0.0, 0.0)
    for c in mixture.components {
      let (spread, difference) = (t * (1 + t * c.variance), y - t * c.mean)
      let log = Elementary.log(c.weight) - 0.5 * (difference * difference / spread + Elementary.log(spread))
      if log > top {
        let scale = top == -.infinity ? 0 : Elementary.exp(max(top - log, -740))
        (sum, value, top) = (sum * scale, value * scale, log)
      }
      let weight = Elementary.exp(max(log - top, -740))
      sum += weight
      value += weight * (c.mean + c.variance * y) / (1 + t * c.variance)
    }
    return value / sum
  }

  package func draw(_ state: NoState, _ stream: inout Stream, into values: UnsafeMutablePointer<Double>) {
    var x = 0.0
    switch variance {
    case .exploding:
      var y = 0.0
      if start == .exact, case .mixture(let mixture) = data {
        y = times[0] * mixture.draw(&stream) + times[0].squareRoot() * stream.normal()
      } else {
        y = times[0] * centre + times[0].squareRoot() * stream.normal()
      }
      for k in 0..<times.count - 1 {
        let step = times[k + 1] - times[k]
        y += step * mean(y, k) + step.squareRoot() * stream.normal()
      }
      x = mean(y, times.count - 1)
    case .preserving:
      guard case .mixture(let mixture) = data else { preconditionFailure("refused") }
      x = start == .exact ? law(mixture, times[0]).draw(&stream) : stream.normal()
      for k in 0..<times.count - 1 {
        let growth = Elementary.exp(times[k] - times[k + 1])
        let slope = law(mixture, times[k]).score(x).slope
        x = growth * x + 2 * (growth - 1) * slope + (growth * growth - 1).squareRoot() * stream.normal()
      }
    }
    (values[0], values[1], values[2]) = (x, x * x, x.magnitude > tail ? 1 : 0)
  }

  private var centre: Double { if case .mixture(let mixture) = data { mixture.mean } else { 0 } }

  private func law(_ mixture: NormalMixture, _ time: Double) -> NormalMixture {
    let a = Elementary.exp(-time)
    return mixture.spread(times: a, variance: 1 - a * a)
  }

  /// Mean and variance of what is generated from one component.
  package var moments: (mean: Double, variance: Double)? {
    guard case .mixture(let mixture) = data, mixture.components.count == 1 else { return nil }
    let own = mixture.components[0]
    var m = 0.0
    var v = 0.0
    switch variance {
    case .exploding:
      m = times[0] * own.mean
      v = times[0] + (start == .exact ? times[0] * times[0] * own.variance : 0)
      for k in 0..<times.count - 1 {
        let step = times[k + 1] - times[k]
        let gain = own.variance / (1 + times[k] * own.variance)
        m += step * (own.mean / (1 + times[k] * own.variance) + gain * m)
        v = (1 + step * gain) * (1 + step * gain) * v + step
      }
      let t = times[times.count - 1]
      let gain = own.variance / (1 + t * own.variance)
      return (own.mean / (1 + t * own.variance) + gain * m, gain * gain * v)
    case .preserving:
      let first = law(mixture, times[0]).components[0]
      (m, v) = start == .exact ? (first.mean, first.variance) : (0, 1)
      for k in 0..<times.count - 1 {
        let growth = Elementary.exp(times[k] - times[k + 1])
        let here = law(mixture, times[k]).components[0]
        let a = growth - 2 * (growth - 1) / here.variance
        m = a * m + 2 * (growth - 1) * here.mean / here.variance
        v = a * a * v + growth * growth - 1
      }
      return (m, v)
    }
  }

  package var known: [KnownStatistic] {
    guard let (m, v) = moments else { return [] }
    let law = NormalMixture([.init(weight: 1, mean: m, variance: v)]).law
    return [
      KnownStatistic(.mean, of: "x", m), KnownStatistic(.mean, of: "square", v + m * m),
      KnownStatistic(lawOf: "x", law),
    ]
  }

  static let entry = DiffusionFamily.entry(
    name: "additive", summary: "a diffusion with additive noise on the line, variance exploding or preserving",
    equation:
      "exploding: Y = Y + (t' - t) E[x|Y, t] + sqrt(t' - t) xi, geometric times; preserving: X = e^delta X + 2 (e^delta - 1) s(X) + sqrt(e^(2 delta) - 1) xi",
    reference: "arXiv:2501.07741; docs/diffusions.md", observables: ["x", "square", "tail"],
    parameters: NormalMixture.parameters + [
      Parameter(
        "student", .real(.init(1, 100, openBelow: true)), optional: true,
        "degrees of freedom of Student's law, which the data then have instead; variance = \"exploding\" only"),
      Parameter(
        "variance", .choice(Variance.allCases.map(\.rawValue)), default: .text("exploding"), "of the noise in time"),
      Parameter(
        "steps", .integer(2...10_000), unit: "steps", small: .init(.inverse, "K", companions: ["draws"]),
        "K: times of the exploding process, steps of the preserving one"),
      Parameter(
        "start", .choice(Start.allCases.map(\.rawValue)), default: .text("usual"),
        "usual: N(t_1 E x, t_1), or N(0, 1); exact: the law of the data there"),
      Parameter("from", .real(.above(0)), default: .real(1e-3), "t_1, of the exploding process"),
      Parameter(
        "to", .real(.above(0)), optional: true,
        "t_K of the exploding process, 1e4 unless given; T of the preserving one, 5"),
      Parameter("tail_above", .real(.above(0)), default: .real(10), "beyond which |x| counts as in the tail"),
    ]
  ) { p, _ in
    let variance = Variance(rawValue: p.text("variance"))!
    var data = Data.mixture(try NormalMixture(p))
    if p["student"] != nil {
      guard variance == .exploding, p.text("start") == "usual" else {
        throw p.invalid("student", "needs variance = \"exploding\" and start = \"usual\"")
      }
      data = .student(p.real("student"))
    }
    let to = p["to"] == nil ? (variance == .exploding ? 1e4 : 5) : p.real("to")
    guard variance == .preserving || to > p.real("from") else {
      throw p.invalid("from", "must be below to = \(to)")
    }
    return DrawnProblemModel(
      Additive(
        data: data, variance: variance, start: Start(rawValue: p.text("start"))!, steps: p.integer("steps"),
        from: p.real("from"), to: to, tail: p.real("tail_above")), p)
  }
}

extension Additive {
  /// P(|x| > tail) of the data.
  package var tailProbability: Double {
    switch data {
    case .mixture(let mixture):
      return mixture.components.reduce(0) { sum, c in
        let scale = 1 / (2 * max(c.variance, 1e-300)).squareRoot()
        return sum + c.weight
          * (1 - 0.5 * (Elementary.erf((tail - c.mean) * scale) + Elementary.erf((tail + c.mean) * scale)))
      }
    case .student(let degrees):
      // By x = tail/u on (0, 1], over the same integral of the whole law.
      func density(_ x: Double) -> Double { Elementary.exp(-0.5 * (degrees + 1) * Elementary.log(1 + x * x / degrees)) }
      var (outside, inside) = (0.0, 0.0)
      GaussLegendre.forEachNode(in: 0...1, breaks: [], panel: 0.02) { u, weight in
        outside += weight * tail * density(tail / u) / (u * u)
        inside += weight * tail * density(tail * u)
      }
      return outside / (outside + inside)
    }
  }
}
