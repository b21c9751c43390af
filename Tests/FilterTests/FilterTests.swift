import Experiments
import Filters
import Kernels
import Randomness
import Statistics
import Testing

/// Particle filters, PaRIS, Parisian particle Gibbs and learning against exact and printed values (arXiv:2301.00900).
///
/// Statistical tests: about 500 in this suite, 5 standard errors each: a false alarm has probability below 3e-4. Printed numbers that are means of simulations count with their own errors.
@Suite struct FilterTests {
  private static let errors = 5.0

  /// E Z^ = Z for every scheme, proposal, number of particles and threshold, on three models.
  @Test(arguments: Selection.Scheme.allCases, [2, 8, 32])
  func theEvidenceIsUnbiased(scheme: Selection.Scheme, n: Int) {
    for proposal in FilterPlan.Proposal.allCases {
      for threshold in [1, 0.5] {
        func check(_ model: some StateSpaceModel, _ draws: Int, _ name: String) {
          let plan = FilterPlan(particles: n, proposal: proposal, scheme: scheme, threshold: threshold)
          let sample = Sample(
            ParticleFilter(model, plan), draws, key: "\(name) \(scheme) \(n) \(proposal) \(threshold)")
          sample.expect("evidence_ratio", 1, errors: Self.errors)
        }
        // The fewer particles, the more draws their tails take.
        let draws = (validating ? 200_000 : 24_000) / n
        check(Known.hidden, draws, "hidden")
        check(Known.linear, draws, "linear")
        check(Known.volatility, draws, "volatility")
      }
    }
  }

  /// The guided and the auxiliary filter of vectors, with an observation missing in part.
  @Test(arguments: FilterPlan.Proposal.allCases)
  func vectorsAreUnbiased(proposal: FilterPlan.Proposal) {
    let plan = FilterPlan(particles: 16, proposal: proposal, backward: 2)
    let problem = ParticleFilter(Known.vectors, plan)
    let sample = Sample(problem, 20_000, key: "vectors \(proposal)")
    for known in problem.known { sample.expect(known.observable, known.value, errors: Self.errors) }
  }

  /// The variance of Z^ of the hidden Markov model is exact.
  @Test(arguments: [8, 32, 128])
  func theVarianceOfTheEvidenceIsExact(n: Int) throws {
    let problem = ParticleFilter(Known.hidden, FilterPlan(particles: n))
    let variance = try #require(problem.known.first { $0.statistic == .variance }).value
    Sample(problem, n == 8 ? 60_000 : 20_000, key: "variance").expectVariance(
      "evidence_ratio", variance, errors: Self.errors)
    #expect(
      ParticleFilter(Known.hidden, FilterPlan(particles: n, scheme: .systematic)).known.allSatisfy {
        $0.statistic == .mean
      })
  }

  /// Printed variances of Z^/Z at N = 64 on the line, and how low E log Z^ is.
  @Test func schemesHavePrintedVariances() {
    for (scheme, variance, error) in [
      (Selection.Scheme.multinomial, 0.271, 0.003), (.systematic, 0.225, 0.002), (.residual, 0.240, 0.002),
      (.pivotal, 0.225, 0.002),
    ] {
      let sample = Sample(
        ParticleFilter(Known.linear, FilterPlan(particles: 64, scheme: scheme)), 15_000, key: "schemes")
      sample.expectVariance("evidence_ratio", variance, errors: Self.errors, further: error)
      if scheme == .multinomial {
        sample.expect("log_evidence", -14.6326708839 - 0.12395, errors: Self.errors, further: 0.00208)
      }
    }
    // Printed to three digits.
    for (scheme, variance) in [
      (Selection.Scheme.multinomial, 0.066), (.systematic, 0.033), (.residual, 0.044), (.pivotal, 0.033),
    ] {
      Sample(ParticleFilter(Known.volatility, FilterPlan(particles: 32, scheme: scheme)), 15_000, key: "volatility")
        .expectVariance("evidence_ratio", variance, errors: Self.errors, further: 0.0005)
    }
  }

  /// The guided filter has less variance than the bootstrap filter, the auxiliary one less again.
  @Test func promisesReduceTheVariance() {
    func variance(_ proposal: FilterPlan.Proposal) -> Double {
      Sample(ParticleFilter(Known.linear, FilterPlan(particles: 32, proposal: proposal)), 4000, key: "proposals")
        .moments("evidence_ratio").variance
    }
    let (bootstrap, guided, auxiliary) = (variance(.bootstrap), variance(.guided), variance(.auxiliary))
    #expect(guided < 0.8 * bootstrap && auxiliary < 0.95 * guided, "\(bootstrap), \(guided), \(auxiliary)")
  }

  /// E[Z^ h^] = Z E[h | y] at few particles, for every scheme, proposal and functional.
  @Test(arguments: Selection.Scheme.allCases, FilterPlan.Proposal.allCases)
  func weightedFunctionalsAreUnbiased(scheme: Selection.Scheme, proposal: FilterPlan.Proposal) {
    func check(_ model: some StateSpaceModel, _ name: String) {
      let plan = FilterPlan(particles: 8, proposal: proposal, scheme: scheme, threshold: 0.7, backward: 2)
      let problem = ParticleFilter(model, plan)
      let sample = Sample(problem, validating ? 30_000 : 6000, key: "\(name) \(scheme) \(proposal)")
      for known in problem.known where known.observable.hasPrefix("weighted") {
        sample.expect(known.observable, known.value, errors: Self.errors)
      }
    }
    check(Known.hidden, "hidden")
    check(Known.linear, "linear")
    check(Known.volatility, "volatility")
  }

  /// Printed biases and proposals of PaRIS.
  @Test func smoothedFunctionalsHaveThePrintedBias() {
    for (n, bias, error) in [(4, 0.395, 0.002), (16, 0.0413, 0.0013), (64, 0.0056, 0.0011)] {
      let sample = Sample(
        ParticleFilter(Known.linear, FilterPlan(particles: n, backward: 2)), 160_000 / n, key: "paris")
      sample.expect("product", 1.48944584 + bias, errors: Self.errors, further: error)
    }
  }

  /// Rejection and the exact draw over all particles have one law.
  @Test func backwardDrawsAreThoseOverAllParticles() {
    let plan = FilterPlan(particles: 6, backward: 1)
    let fast = Sample(ParticleFilter(Known.linear, plan), 30_000, key: "rejection")
    let plain = Sample(ParticleFilter(Unbounded(base: Known.linear), plan), 30_000, key: "all")
    #expect(plain.moments("proposals").mean == 0 && plain.moments("exact_backward").mean == 1)
    #expect(fast.moments("exact_backward").mean < 0.05)
    for name in ["product", "square", "score"] {
      let other = plain.moments(name)
      fast.expect(name, other.mean, errors: Self.errors, further: other.meanError)
      let (a, b) = (fast.moments(name), plain.moments(name))
      #expect(
        (a.variance - b.variance).magnitude < Self.errors
          * (a.varianceError * a.varianceError + b.varianceError * b.varianceError).squareRoot())
    }
  }

  /// Printed biases over the sweeps from a prior path.
  @Test func sweepsForgetTheirStart() {
    for (n, draws, biases) in [
      (2, 30_000, [2.984, 1.545, 0.901, 0.559, 0.354, 0.224, 0.142, 0.091]), (4, 20_000, [0.822, 0.227, 0.071, 0.022]),
      (16, 6000, [0.051, 0.001]),
    ] {
      let problem = ParisianGibbs(
        Known.linear, FilterPlan(particles: n, backward: 2, isTraced: true), sweeps: biases.count, burnIn: 0,
        reference: .prior)
      let sample = Sample(problem, draws, key: "sweeps")
      for (sweep, bias) in biases.enumerated() {
        // Errors are printed of the first.
        sample.expect("product", record: sweep, 1.48944584 + bias, errors: Self.errors, further: 0.009)
      }
    }
  }

  /// From the smoothing law a sweep is unbiased with two particles.
  @Test func sweepsFromTheSmoothingLawAreUnbiased() {
    func problem(_ model: some StateSpaceModel) -> some DrawnProblem {
      ParisianGibbs(
        model, FilterPlan(particles: 2, backward: 2, isTraced: true), sweeps: 3, burnIn: 1,
        reference: .smoothing)
    }
    func check(_ problem: some DrawnProblem, _ draws: Int, _ key: String) {
      let sample = Sample(problem, draws, key: key)
      for known in problem.known {
        sample.expect(known.observable, record: known.record, known.value, errors: Self.errors)
      }
    }
    check(problem(Known.linear), 40_000, "unbiased line")
    check(problem(Known.hidden), 20_000, "unbiased states")
    check(problem(Known.vectors), 20_000, "unbiased vectors")
  }

  /// Beside a reference of the smoothing law E[Z/Z^] = 1. The wrong conditional selection, the last particle on the reference and the others systematic among themselves, has another mean, and the same check sees it. (Smoothed functionals hardly do:
  /// their bias is that of a variance.) From a dozen particles on the tails of 1/Z^ are light enough for an error bar.
  @Test(arguments: [12, 16, 32])
  func systematicSelectionBesideAReferenceIsSeen(n: Int) throws {
    let model = Known.linear
    let evidence = try #require(model.exact).logEvidence
    func distance(_ scheme: Selection.Scheme) -> Double {
      let pass = FilterPass(model, FilterPlan(particles: n, scheme: scheme, backward: 2, isTraced: true))
      var stream = Stream(key: Stream.key(seed: 2026, path: "beside a reference \(n)"))
      let ratios = (0..<(validating ? 100_000 : 16_000)).map { draw -> Double in
        stream.start(draw: UInt64(draw))
        model.drawSmoothed(pass.path, &stream)
        return pass.run(model, isConditional: true, &stream) ? Elementary.exp(evidence - pass.logEvidence) : .nan
      }
      let found = Moments(values: ratios)
      return (found.mean - 1).magnitude / found.meanError
    }
    let (right, wrong) = (distance(.multinomial), distance(.systematic))
    #expect(right < Self.errors, "\(right)")
    #expect(wrong > 1.5 * Self.errors, "\(wrong)")
  }

  /// Paths of the smoothing law have its functionals.
  @Test func pathsAreOfTheSmoothingLaw() throws {
    func check(_ model: some StateSpaceModel, _ draws: Int) throws {
      let exact = try #require(model.exact)
      let path = Cloud(particles: model.length, dimension: model.dimension)
      defer { path.x.deallocate() }
      var stream = Stream(key: Stream.key(seed: 2026, path: "smoothed paths"))
      var values = Array(repeating: [Double](), count: exact.functionals.count)
      for draw in 0..<draws {
        stream.start(draw: UInt64(draw))
        model.drawSmoothed(path, &stream)
        var sums = Array(repeating: 0.0, count: values.count)
        for t in 1..<model.length { model.addFunctionals(t, path, t - 1, path, t, &sums) }
        for f in sums.indices { values[f].append(sums[f]) }
      }
      for (f, expected) in exact.functionals.enumerated() {
        let found = Moments(values: values[f])
        #expect((found.mean - expected).magnitude < Self.errors * found.meanError, "\(f): \(found.mean), \(expected)")
      }
    }
    try check(Known.linear, 20_000)
    try check(Known.vectors, 20_000)
    try check(Known.hidden, 20_000)
  }

  /// The path that a sweep leaves is as the smoothing law has it, if the reference was: three sweeps later the average is unbiased still, and of one sweep the average is the estimate.
  @Test func averagesAreOverTheSweepsAfterTheBurnIn() {
    let problem = ParisianGibbs(
      Known.linear, FilterPlan(particles: 4, backward: 2, isTraced: true), sweeps: 5, burnIn: 2, reference: .filter)
    let sample = Sample(problem, 20)
    for draw in 0..<20 {
      let own = (0..<5).map { sample.values("product", record: $0)[draw] }
      let average = (0..<5).map { sample.values("averaged_product", record: $0)[draw] }
      #expect(average[0] == own[0] && average[1] == own[1] && average[2] == own[2])
      #expect((average[4] - (own[2] + own[3] + own[4]) / 3).magnitude < 1e-12)
    }
  }

  /// EM by sweeps finds the printed parameter.
  @Test func learningFindsThePrintedParameter() {
    for (n, printed, error, draws) in [(8, 0.77806, 0.00053, 24), (32, 0.78254, 0.00025, 12)] {
      let problem = Learning(
        Known.waves(0.5), FilterPlan(particles: n, backward: 2, isTraced: true), iterations: 200, constant: 20,
        exponent: 0.7, isGibbs: true)
      Sample(problem, draws, key: "learning").expect(
        "learned", record: 199, printed, errors: Self.errors, further: error)
    }
  }

  /// A filter whose particles cannot have emitted an observation stops there; Z is estimated as 0, which keeps the mean.
  @Test func weightsThatAreAllZeroStopTheFilter() {
    let model = HiddenMarkov(
      initial: [1, 0], transition: [[0.9, 0.1], [0, 1]], emission: [[1, 0], [0, 1]],
      observations: Observations([0, 1, 1]))
    let sample = Sample(ParticleFilter(model, FilterPlan(particles: 2, backward: 2)), 4000, key: "stop")
    // Two children of state 0 stay there with probability .81.
    sample.expect("stopped", 0.81, errors: Self.errors)
    sample.expect("evidence_ratio", 1, errors: Self.errors)
    sample.expect("weighted_transitions[0,1]", 1, errors: Self.errors)
    for (used, stopped) in zip(sample.values("observations_used"), sample.values("stopped")) {
      #expect(used == (stopped == 1 ? 1 : 3))
    }
    #expect(zip(sample.values("log_evidence"), sample.values("stopped")).allSatisfy { ($0 == -.infinity) == ($1 == 1) })
  }
}

/// A model without a bound of its transition density: its backward draws look at all particles.
private struct Unbounded<Base: StateSpaceModel>: StateSpaceModel {
  let base: Base
  var dimension: Int { base.dimension }
  var length: Int { base.length }
  var functionals: [Functional] { base.functionals }
  var isBounded: Bool { false }
  var exact: SmoothedValues? { base.exact }

  func start(_ x: Cloud, _ range: Range<Int>, _ stream: inout Stream) { base.start(x, range, &stream) }
  func move(
    _ t: Int, _ from: Cloud, _ ancestors: UnsafePointer<Int32>, _ x: Cloud, _ range: Range<Int>,
    _ stream: inout Stream
  ) { base.move(t, from, ancestors, x, range, &stream) }
  func weigh(_ t: Int, _ x: Cloud, _ range: Range<Int>, _ logWeights: UnsafeMutablePointer<Double>) {
    base.weigh(t, x, range, logWeights)
  }
  func emit(_ t: Int, _ x: Cloud, _ i: Int, _ stream: inout Stream) -> [Double] { base.emit(t, x, i, &stream) }
  func logTransition(_ t: Int, _ from: Cloud, _ i: Int, _ to: Cloud, _ j: Int) -> Double {
    // Up to a function of x_t: any.
    base.logTransition(t, from, i, to, j) + 3 * to.x[j]
  }
  func addFunctionals(
    _ t: Int, _ from: Cloud, _ i: Int, _ to: Cloud, _ j: Int, _ values: UnsafeMutablePointer<Double>
  ) { base.addFunctionals(t, from, i, to, j, values) }
}
