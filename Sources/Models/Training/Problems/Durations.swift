import Experiments
import Kernels
import Randomness

/// Autoregressive conditional durations (Engle and Russell, Econometrica 66, 1127, 1998): events with waiting times
///
///     x_i = psi_i e_i,   psi_{i+1} = omega + a x_i + b psi_i,   e ~ Exp(1),
///
/// so that $\psi' = \omega + (a e + b) \psi$ has the tail index k of $E (a e + b)^k = 1$ (`TailIndex`). Where k < 1 waiting times have no mean, and the number of events
/// by time t grows as t^k and not as t; the quasi maximum likelihood estimate from the events by time t then has a random number of them at any
/// t, of which what is left are its own standard errors. Whether intervals by these cover is what is measured.
///
/// The estimate maximises $-\sum \log \psi_i + x_i/\psi_i$ in (omega, a, b), or in (omega, a) where b = 0, by scoring with the information $J = \sum (\partial \psi_i)(\partial
/// \psi_i)^T/\psi_i^2$; intervals are $\pm 1.96$ roots of the diagonal of $J^{-1}$, and the region of all is Wald's, both of 95 %.
package struct Durations: TrainingProblem {
  let intercept, response, memory: Double
  /// psi_1.
  let start: Double
  /// t_0 < t_1 < ...
  package let times: [Double]
  package let tail: TailIndex
  let mostEvents: Int

  package final class State {
    let durations: UnsafeMutablePointer<Double>
    var psi = 0.0
    var time = 0.0
    var count = 0
    /// Events by each of the times that have passed, and their number.
    var events: [Int]
    var passed = 0

    fileprivate init(_ p: Durations) {
      durations = .allocateZeros(p.mostEvents)
      events = p.times.map { _ in 0 }
    }

    deinit { durations.deallocate() }
  }

  /// Fewer events are not fitted.
  static let fewest = 10

  package var observables: [Observable] {
    [
      Observable("log_psi", "log of the mean of the next waiting time"), Observable("exponent", "k, the tail index"),
    ]
      + times.indices.flatMap { j in
        [
          Observable("events", [j], "events by time \(j)"),
          Observable("complete", [j], role: .event, "1 where time \(j) was reached within the steps, else 0"),
          Observable(
            "fitted", [j], role: .event,
            "1 where \(Self.fewest) or more events by time \(j) have an estimate within the parameters, else 0"),
          Observable(
            "covered", [j], role: .event, "1 where the interval of the estimate of a at time \(j) has a in it, else 0"),
          Observable(
            "covered_all", [j], role: .event, "1 where the region of all parameters at time \(j) has them, else 0"),
        ]
      }
  }

  package var estimands: [Estimand] {
    times.indices.flatMap { j in
      [
        Estimand(
          "coverage[\(j)]", "covered[\(j)] / fitted[\(j)]",
          "coverage of the interval of a at time \(j)"),
        Estimand(
          "coverage_all[\(j)]", "covered_all[\(j)] / fitted[\(j)]",
          "coverage of the region of all parameters at time \(j)"),
      ]
    }
      + zip(times.indices, times.indices.dropFirst()).map { i, j in
        Estimand(
          "growth[\(i)]", "log(events[\(j)] / events[\(i)]) / \(Elementary.log(times[j] / times[i]))",
          "exponent of the events in time between times \(i) and \(j)")
      }
  }

  package func makeState() -> State { State(self) }

  package func start(_ state: State, _ stream: inout Stream) {
    (state.psi, state.time, state.count, state.passed) = (start, 0, 0, 0)
    for j in times.indices { state.events[j] = 0 }
  }

  package func loss(_ state: State, _ stream: inout Stream, step: Int) -> Double { Elementary.log(state.psi) }

  /// The next event, until the last of the times has passed.
  package func step(_ state: State, _ stream: inout Stream, rate: Double) {
    guard state.passed < times.count else { return }
    let x = -state.psi * Elementary.log(stream.uniform())
    state.time += x
    while state.passed < times.count && state.time > times[state.passed] {
      state.events[state.passed] = state.count
      state.passed += 1
    }
    state.durations[state.count] = x
    state.count += 1
    state.psi = intercept + response * x + memory * state.psi
  }

  package func measure(_ state: State, into values: UnsafeMutablePointer<Double>) {
    (values[0], values[1]) = (Elementary.log(state.psi), tail.index)
    for j in times.indices {
      let place = values + 2 + 5 * j
      let isComplete = j < state.passed
      let events = isComplete ? state.events[j] : state.count
      (place[0], place[1]) = (Double(events), isComplete ? 1 : 0)
      let fit = isComplete && events >= Self.fewest ? Fit(self, state.durations, events) : nil
      place[2] = fit == nil ? 0 : 1
      place[3] = fit?.coversResponse ?? false ? 1 : 0
      place[4] = fit?.coversAll ?? false ? 1 : 0
    }
  }
}

extension Durations {
  /// The quasi maximum likelihood estimate.
  struct Fit {
    /// omega, a and b, or the first two of them.
    private(set) var parameters: SIMD3<Double>
    /// The information, row by row.
    private(set) var information = (SIMD3<Double>.zero, SIMD3<Double>.zero, SIMD3<Double>.zero)
    private let truth: SIMD3<Double>
    private let isShort: Bool

    /// nil where no maximum is found within positive parameters.
    init?(_ p: Durations, _ x: UnsafePointer<Double>, _ count: Int) {
      truth = SIMD3(p.intercept, p.response, p.memory)
      isShort = p.memory == 0
      parameters = truth
      var value = -Double.infinity
      var score = SIMD3<Double>.zero
      /// Log-likelihood, score and information at some parameters.
      func evaluate(_ theta: SIMD3<Double>) -> (Double, SIMD3<Double>, (SIMD3<Double>, SIMD3<Double>, SIMD3<Double>)) {
        var (psi, slope) = (p.start, SIMD3<Double>.zero)
        var (sum, first) = (0.0, SIMD3<Double>.zero)
        var second = (SIMD3<Double>.zero, SIMD3<Double>.zero, SIMD3<Double>.zero)
        // Products of a few psi at a time have one logarithm.
        var product = 1.0
        for i in 0..<count {
          let inverse = 1 / psi
          let (ratio, scaled) = (x[i] * inverse, slope * inverse)
          product *= psi
          if !(1e-250..<1e250 ~= product) || i & 7 == 7 {
            sum -= Elementary.log(product)
            product = 1
          }
          sum -= ratio
          first += scaled * (ratio - 1)
          second.0 += scaled * scaled[0]
          second.1 += scaled * scaled[1]
          second.2 += scaled * scaled[2]
          slope = SIMD3(1, x[i], isShort ? 0 : psi) + theta[2] * slope
          psi = theta[0] + theta[1] * x[i] + theta[2] * psi
        }
        return (sum - Elementary.log(product), first, second)
      }
      (value, score, information) = evaluate(parameters)
      for _ in 0..<100 {
        guard let move = solve(score) else { return nil }
        // The gain that the quadratic model promises, in units of the likelihood.
        if (move * score).sum() < 1e-8 { return }
        var size = 1.0
        while true {
          let trial = parameters + size * move
          if trial[0] > 0 && trial[1] > 0 && (isShort || trial[2] > 0) {
            let found = evaluate(trial)
            if found.0 >= value {
              (parameters, value, score, information) = (trial, found.0, found.1, found.2)
              break
            }
          }
          size *= 0.5
          if size < 1e-6 { return nil }
        }
      }
      return nil
    }

    /// J^-1 y.
    private func solve(_ y: SIMD3<Double>) -> SIMD3<Double>? {
      let (r0, r1, r2) = (information.0, information.1, information.2)
      let minor = r0[0] * r1[1] - r0[1] * r0[1]
      guard r0[0] > 0, minor > 0 else { return nil }
      if isShort { return SIMD3(r1[1] * y[0] - r0[1] * y[1], r0[0] * y[1] - r0[1] * y[0], 0) / minor }
      let cofactors = (
        SIMD3(r1[1] * r2[2] - r1[2] * r1[2], r0[2] * r1[2] - r0[1] * r2[2], r0[1] * r1[2] - r0[2] * r1[1]),
        SIMD3(r0[2] * r1[2] - r0[1] * r2[2], r0[0] * r2[2] - r0[2] * r0[2], r0[1] * r0[2] - r0[0] * r1[2]),
        SIMD3(r0[1] * r1[2] - r0[2] * r1[1], r0[1] * r0[2] - r0[0] * r1[2], minor)
      )
      let determinant = (r0 * cofactors.0).sum()
      guard determinant > 0 else { return nil }
      return SIMD3((cofactors.0 * y).sum(), (cofactors.1 * y).sum(), (cofactors.2 * y).sum()) / determinant
    }

    var coversResponse: Bool {
      guard let column = solve(SIMD3(0, 1, 0)) else { return false }
      let off = parameters[1] - truth[1]
      return off * off <= 1.959963984540054 * 1.959963984540054 * column[1]
    }

    var coversAll: Bool {
      let off = parameters - truth
      let image = SIMD3((information.0 * off).sum(), (information.1 * off).sum(), (information.2 * off).sum())
      // Of chi-square with 2 and 3 degrees of freedom.
      return (off * image).sum() <= (isShort ? 5.991464547107979 : 7.814727903251179)
    }
  }
}

extension Durations {
  /// Most events of a run: 1 GiB.
  private static let mostKept = 1 << 27

  static let entry = ProblemEntry(
    name: "durations",
    summary:
      "waiting times whose mean feeds on them: events by time t, and whether intervals cover where waiting has no mean",
    equation:
      "x_i = psi_i e_i, psi_{i+1} = omega + learning_rate x_i + b psi_i, e ~ Exp(1); E (learning_rate e + b)^k = 1",
    reference: "Engle and Russell, Econometrica 66, 1127 (1998); docs/sgld.md",
    observables: ["log_psi", "exponent", "events", "complete", "fitted", "covered", "covered_all"],
    parameters: [
      Parameter("omega", .real(.above(0)), default: .real(1), "what each step adds"),
      Parameter(
        "memory", .real(.init(0, .infinity, openAbove: true)), default: .real(0),
        "b, the part of the factor that is not random; not estimated where it is 0"),
      Parameter("start", .real(.above(0)), default: .real(1), "psi of the first event"),
      Parameter(
        "times", .structured("an ascending array of 1 to 20 positive numbers"), "t, where events are counted and fitted"
      ),
    ]
  ) { p, settings, _ in
    guard settings.stopBelow == nil else { throw p.invalid("stop_below", "has no meaning here: there is no loss") }
    guard case .constant = settings.schedule else {
      throw p.invalid("schedule", "must be constant: a tail index belongs to one learning rate")
    }
    try settings.requireOneRate(p, "learning_rate")
    let times = try p.positives("times", most: 20)
    guard zip(times, times.dropFirst()).allSatisfy(<) else { throw p.invalid("times", "must be ascending") }
    let most = settings.records.last!
    guard most <= mostKept else {
      throw p.invalid("steps", "must be at most \(mostKept): the events of a run are kept")
    }
    let (rate, memory) = (settings.rate(1), p.real("memory"))
    let tail: TailIndex
    switch TailIndex.find(.exponential(rate, memory)) {
    case .found(let index): tail = index
    case .notStationary(let growth):
      throw p.invalid("learning_rate", "leaves no stationary law: E log (a e + b) = \(growth) must be negative")
    case .tooLarge:
      throw p.invalid("learning_rate", "makes a tail index above \(TailIndex.largest): no power tail can be seen")
    }
    let problem = Durations(
      intercept: p.real("omega"), response: rate, memory: memory, start: p.real("start"), times: times, tail: tail,
      mostEvents: max(most, 1))
    return TrainingModel(problem, settings, p)
  }
}
