import Experiments
import Gases

/// What mixtures are compared with: closed equations of infinitely many particles, and, for the time-stepped gas, the same gas exactly in time.
enum MixtureLimits {
  static let all: [LimitEntry<DrawnProblemModel>] = [moments, bkw, maxwellians, momentEquations, eventDriven]

  private static let reference = "docs/gases.md"
  private static let ofMixture = "system = \"mixture\""

  /// Orders of what a mixture adds to its limit: 1/N, and h of the time-stepped one.
  private static func remainder(_ problem: MixtureProblem) -> [Remainder] {
    [Remainder("multiple", order: 1)] + ofStep(problem)
  }

  private static func ofStep(_ problem: MixtureProblem) -> [Remainder] {
    problem.steps == nil ? [] : [Remainder("step", order: 1)]
  }

  private static func offset(_ problem: MixtureProblem) -> String {
    "of order 1/N" + (problem.steps == nil ? "" : " and of order h")
  }

  private static func known(_ name: String, _ values: [[Double]]) -> [KnownStatistic] {
    values.enumerated().flatMap { record, own in
      own.enumerated().map { KnownStatistic(.mean, of: "\(name)[\($0)]", record: record, $1) }
    }
  }

  private static let moments = LimitEntry.of(
    MixtureProblem.self, named: ofMixture, "boltzmann-moments",
    summary: "temperatures and fourth moments of Maxwell molecules as N goes to infinity; no randomness",
    equation:
      "s_a' = sum_b C_ab n_b (E|v'|^2 - s_a), q_a' = sum_b C_ab n_b (E|v'|^4 - q_a), v and w independent; Runge-Kutta of order 4",
    reference: reference
  ) { p, problem in
    guard problem.gas.isMaxwell else { throw p.invalid("equation", "is a limit of gas.exponent = 0 only") }
    let values = MixtureRelaxation.maxwell(problem.gas, problem.times)
    return LimitModel(
      .known(
        problem.reference(
          known("temperature", values.temperatures) + known("fourth_moment", values.fourth),
          remainder: remainder(problem))), offset: offset(problem))
  }

  private static let bkw = LimitEntry.of(
    MixtureProblem.self, named: ofMixture, "bkw",
    summary: "the exact solution of Bobylev, Krook and Wu: fourth and sixth moments, tails; no randomness",
    equation: "f = N(0, K) [(5K-3)/2K + (1-K) v^2/2K^2], K = 1 - (1-K_0) exp(-Ct/6), in units of sqrt(T/m)",
    reference: reference
  ) { p, problem in
    let gas = problem.gas
    guard gas.isMaxwell, gas.start.law == .bkw else {
      throw p.invalid("equation", "is a limit of gas.exponent = 0 with gas.start = \"bkw\" only")
    }
    let t = gas.temperatures[0]
    let speed = (t / gas.masses[0]).squareRoot()
    var found: [KnownStatistic] = []
    for (record, time) in problem.times.enumerated() {
      let solution = BKWSolution(start: gas.start.shape, rate: gas.rate(0, 0), time: time)
      found.append(KnownStatistic(.mean, of: "temperature[0]", record: record, t))
      found.append(KnownStatistic(.mean, of: "fourth_moment[0]", record: record, t * t * solution.fourth))
      found.append(KnownStatistic(.mean, of: "sixth_moment[0]", record: record, t * t * t * solution.sixth))
      for (k, tail) in problem.measurement.tails.enumerated() {
        found.append(KnownStatistic(.mean, of: "tail[0,\(k)]", record: record, solution.tail(tail / speed)))
      }
    }
    return LimitModel(
      .known(problem.reference(found, remainder: remainder(problem))), offset: offset(problem))
  }

  private static let maxwellians = LimitEntry.of(
    MixtureProblem.self, named: ofMixture, "two-maxwellians",
    summary:
      "temperatures if every species is a Maxwellian of its own, as the ratio of masses goes to 0; no randomness",
    equation:
      "T_a' = -(2/3) sum_b (N_b/N) c C_ab m_a m_b/(m_a+m_b)^2 (T_a/m_a + T_b/m_b)^(gamma/2) (T_a - T_b), c = 2^(1+gamma/2) Gamma((5+gamma)/2)/Gamma(3/2); Runge-Kutta of order 4",
    reference: reference
  ) { _, problem in
    LimitModel(
      .known(
        problem.reference(
          known("temperature", MixtureRelaxation.maxwellians(problem.gas, problem.times).temperatures))),
      offset: "an offset that vanishes as the ratio of masses goes to 0 is expected, and ones \(offset(problem))")
  }

  private static let momentEquations = LimitEntry.of(
    MixtureProblem.self, named: ofMixture, "moment-equations",
    summary: "temperatures of a gas of N Maxwell molecules, exact in time, as the step goes to 0; no randomness",
    equation: "s_a' and c_ab' closed at every N, s_a = E|v_i|^2, c_ab = E v_i.v_j; exponential of the matrix",
    reference: reference
  ) { p, problem in
    guard problem.gas.isMaxwell, problem.steps != nil else {
      throw p.invalid(
        "equation",
        "is a limit of gas.exponent = 0 with dynamics = \"steps\" only; with \"events\" it is the exact leg")
    }
    let solver = MixtureMoments(problem.gas)
    let found = solver.at(problem.times).map(solver.temperatures)
    return LimitModel(
      .known(problem.reference(known("temperature", found), remainder: ofStep(problem))),
      offset: "of order h")
  }

  private static let eventDriven = LimitEntry.of(
    MixtureProblem.self, named: ofMixture, "event-driven",
    summary: "the same gas collision by collision, exact in time, as the step goes to 0; sampled",
    equation: "pairs collide at rate C_ab |g|^gamma/N", reference: reference,
    parameters: [
      Parameter(
        "draws", .integer(2...Int64.max), optional: true,
        "independent replicas; as many as of the time-stepped gas unless given")
    ]
  ) { p, problem in
    guard problem.steps != nil else { throw p.invalid("equation", "is a limit of dynamics = \"steps\" only") }
    return LimitModel(.mean(Experiment(ProblemDraw(problem))), offset: "of order h")
  }
}
