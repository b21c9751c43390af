import Kernels
import Limits
import Networks
import Experiments
import Statistics
import Testing

@Suite struct LimitTests {
  private func sde(
    plus: Double, minus: Double, rho: Double, time: Double, step: Double, count: Int = 2
  ) throws -> Experiment {
    let model = try network(
      .table(["name": .text("shaped-relu"), "c_plus": .real(plus), "c_minus": .real(minus)]), width: 1000,
      depth: Int(1000 * time), inputs: correlated(rho, count: count))
    let (legs, _) = try limitLegs(
      .table(["equation": .text("covariance-sde"), "step": .real(step)]), path: "limit", network: model,
      networkDraws: 10)
    return legs[0].experiment!
  }

  /// c = (1, -1), rho0 = .3, T = 1: E rho .5388(5), E rho^2 .4965(3), E atanh rho .9380(9); 4 combined errors.
  @Test func coupledMomentsAtTimeOne() throws {
    let experiment = try sde(plus: 1, minus: -1, rho: 0.3, time: 1, step: 0.01)
    let tally = sample(experiment, validating ? 1_000_000 : 100_000, name: "b1")
    let rho = tally.moments(index(experiment, "rho[0,1]"))
    let atanh = tally.moments(index(experiment, "atanh_rho[0,1]"))
    func within(_ value: Double, _ error: Double, _ truth: Double, _ truthError: Double) -> Bool {
      abs(value - truth) < 4 * (error * error + truthError * truthError).squareRoot()
    }
    #expect(within(rho.mean, rho.meanError, 0.5388, 0.0005), "\(rho.mean) +- \(rho.meanError)")
    #expect(within(rho.secondMoment, rho.secondMomentError, 0.4965, 0.0003), "\(rho.secondMoment)")
    #expect(within(atanh.mean, atanh.meanError, 0.9380, 0.0009), "\(atanh.mean) +- \(atanh.meanError)")
  }

  /// log V_aa ~ N(-T, 2T), whatever the number of inputs.
  @Test(arguments: [1, 2, 5])
  func logNormIsGaussian(count: Int) throws {
    let experiment = try sde(plus: 0, minus: -1, rho: 0.3, time: 0.5, step: 0.02, count: count)
    let tally = sample(experiment, 50_000, name: "log")
    for a in 0..<count {
      let m = tally.moments(index(experiment, "log_V[\(a)]"))
      #expect(abs(m.mean + 0.5) < 4.5 * m.meanError && abs(m.variance - 1) < 4.5 * m.varianceError)
      #expect(abs(m.skewness) < 4.5 * m.skewnessError && abs(m.kurtosis) < 4.5 * m.kurtosisError)
    }
  }

  /// Without drift V is a geometric Wishart process: E V = V_0, E V_ab^2 from d E V_ab^2 = (E V_ab^2 + E V_aa V_bb) dt,
  /// d E V_aa V_bb = 2 E V_ab^2 dt, so the sum and difference grow as e^{(1 +- sqrt2) t}-like modes; checked by their ODE.
  @Test func linearLimitHasTheWishartMoments() throws {
    let model = try network(.text("linear"), width: 1000, depth: 200, inputs: correlated(0.4, count: 3))
    let (legs, _) = try limitLegs(
      .table(["equation": .text("covariance-sde"), "step": .real(0.02)]), path: "limit", network: model,
      networkDraws: 10)
    let experiment = legs[0].experiment!
    let tally = sample(experiment, 200_000, name: "wishart")
    // x' = x + y, y' = 2x over t = 0.2 from x = rho^2, y = 1, by many small steps.
    var (x, y) = (0.16, 1.0)
    let h = 0.2 / 20000
    for _ in 0..<20000 { (x, y) = (x + h * (x + y) + h * h / 2 * (3 * x + y), y + h * 2 * x + h * h * (x + y)) }
    for name in ["V[0,1]", "V[0,2]", "V[1,2]"] {
      let m = tally.moments(index(experiment, name))
      #expect(abs(m.mean - 0.4) < 4.5 * m.meanError, "\(name) \(m.mean) +- \(m.meanError)")
      #expect(
        abs(m.secondMoment - x) < 4.5 * m.secondMomentError,
        "\(name)^2 \(m.secondMoment) +- \(m.secondMomentError), \(x)")
    }
  }

  /// Three inputs see the pairwise law of two: the m > 2 code against the m = 2 code.
  @Test func pairsOfManyInputsFollowTheLawOfTwo() throws {
    let many = try sde(plus: 0.7, minus: -0.9, rho: 0.3, time: 0.6, step: 0.02, count: 4)
    let two = try sde(plus: 0.7, minus: -0.9, rho: 0.3, time: 0.6, step: 0.02)
    let (tm, tt) = (sample(many, 50_000, name: "many"), sample(two, 50_000, name: "two"))
    let reference = index(two, "atanh_rho[0,1]")
    for pair in ["0,1", "0,3", "1,2", "2,3"] {
      let i = index(many, "atanh_rho[\(pair)]")
      #expect(abs(zScore(tm.moments(i), tt.moments(reference))) < 4.5, "pair \(pair)")
      #expect(KolmogorovSmirnov(tm.histograms[i], tt.histograms[reference]).pValue > 1e-5)
    }
  }

  /// Weak order 2. E log V_11 = -1 at t = 1 is known, and the splitting gets it wrong by a bias that must fall fourfold when
  /// the step is halved; order 1 would halve it. Full size tells the two apart by some 2 standard errors, the reduced size
  /// only sees that there is a bias and that it falls.
  @Test func weakOrderIsTwo() throws {
    let draws: UInt64 = validating ? 16_000_000 : 1_000_000
    func bias(_ step: Double) throws -> (value: Double, error: Double) {
      let experiment = try sde(plus: 1, minus: -1, rho: 0.0, time: 1, step: step)
      let m = sample(experiment, draws, name: "order \(step)").moments(index(experiment, "log_V[1]"))
      return (m.mean + 1, m.meanError)
    }
    let coarse = try bias(0.25)
    let fine = try bias(0.125)
    print("weak order: bias \(coarse.value) at step 1/4, \(fine.value) at 1/8, standard error \(fine.error)")
    #expect(abs(coarse.value) > 5 * coarse.error, "the coarse step shows no bias to measure")
    #expect(abs(fine.value) < abs(coarse.value) / 3 + 3 * fine.error)
  }

  /// V stays positive semi-definite for many, nearly dependent inputs and coarse steps.
  @Test func sixteenInputsStayPositive() throws {
    let experiment = try sde(plus: 1, minus: -1, rho: 0.999, time: 2, step: 0.25, count: 16)
    let tally = sample(experiment, 500, name: "sixteen")
    #expect(tally.counter(.overflowed) == 0 && tally.counter(.underflowed) == 0)
    for i in 0..<experiment.observables.count where experiment.observables[i].name.hasPrefix("rho") {
      let buckets = tally.histograms[i].buckets()
      #expect(buckets.first!.lower >= -1 && buckets.last!.lower <= 1)
    }
  }

  @Test func stepsThatBreakPositivityAreRefused() {
    #expect(throws: Failure.self) { try sde(plus: 3, minus: -3, rho: 0.3, time: 1, step: 0.5) }
  }
}

@Suite struct InfiniteWidthTests {
  private func next(_ activation: any Activation, c: Double, _ k: [Double]) -> [Double] {
    ActivationKernel(activation).apply(k, 2).map { c * $0 }
  }

  /// Arc-cosine kernel of ReLU at rho = 0 and 1/2: 1/pi and (sqrt(3)/2 + pi/3)/pi times 1 at c = 2.
  @Test func reluClosedForm() {
    let relu = SlopeActivation(plus: 1, minus: 0)
    #expect(abs(next(relu, c: 2, [1, 0, 0, 1])[1] - 1 / Double.pi) < 1e-15)
    #expect(abs(next(relu, c: 2, [1, 0.5, 0.5, 1])[1] - (3.0.squareRoot() / 2 + Double.pi / 3) / Double.pi) < 1e-15)
    #expect(abs(next(relu, c: 2, [4, -2, -2, 1])[0] - 4) < 1e-14)
  }

  /// The quadrature against closed forms: erf's arc sine, plain and shaped, and x Phi(x) at equal inputs by a
  /// one-dimensional sum.
  @Test func quadratureAgreesWithClosedForms() {
    for f in [Erf(), Erf(ActivationScaling(Erf.normalisation!, scale: 3))] {
      for (vu, vv, cov) in [(1.0, 1.0, 0.3), (2.0, 0.5, -0.7), (0.1, 3.0, 0.2)] {
        let numeric = GaussianExpectation.ofProduct({ f.value($0) }, varianceU: vu, varianceV: vv, covariance: cov)
        let closed = next(f, c: 1, [vu, cov, cov, vv])[1]
        #expect(abs(numeric - closed) < 1e-12, "\(numeric) \(closed)")
      }
    }
    let gelu = Gelu()
    let diagonal = GaussianExpectation.ofProduct({ gelu.value($0) }, varianceU: 1, varianceV: 1, covariance: 1)
    #expect(abs(diagonal - gelu.secondMoment) < 1e-12)
    // 15 digits of mpmath.quad (analysis/reference/golden.py prints them).
    #expect(abs(gelu.secondMoment - 0.425221482570299) < 1e-12)
    #expect(abs(Tanh().secondMoment - 0.394294490397841) < 1e-12)
  }

  /// Observables that need room to work in: three equally correlated inputs of a linear network keep V, whose eigenvalues are
  /// 1 + 2 rho once and 1 - rho twice.
  @Test func spectrumAtInfiniteWidth() throws {
    let families = ["log_lambda", "moment", "log_det"]
    let model = try network(
      .text("linear"), width: 100, depth: 3, inputs: correlated(0.3, count: 3),
      extra: ["observables": .list(families.map { .text($0) })])
    let (legs, _) = try limitLegs(
      .table(["equation": .text("infinite-width")]), path: "limit", network: model, networkDraws: 10)
    let (large, small) = (1.6, 0.7)
    let moments = (1...3).map { k in
      (ExactMoments.power(large, k) + 2 * ExactMoments.power(small, k)) / 3
    }
    let logs = [Elementary.log(large), Elementary.log(small), Elementary.log(small)]
    for (value, truth) in zip(legs[0].known!.means, logs + moments + [logs.reduce(0, +)]) {
      #expect(abs(value - truth) < 1e-14, "\(value) \(truth)")
    }
  }

  /// Eigenvalues that coincide at infinite width come apart like n^-1/2: an order 1/n is promised of log_lambda only where none do, and of smooth functions
  /// of V in any case.
  @Test func noOrderWhereEigenvaluesCoincide() throws {
    func orders(_ observables: [String], _ gram: [[Double]]) throws -> [Remainder] {
      let model = try network(
        .text("relu"), width: 100, depth: 2,
        inputs: table(["gram": .list(gram.map { .list($0.map { .real($0) }) })]),
        extra: ["observables": .list(observables.map { .text($0) })])
      return try limitLegs(
        .table(["equation": .text("infinite-width")]), path: "limit", network: model, networkDraws: 10
      ).legs[0].known!.remainder
    }
    let equal = [[1, 0.3, 0.3], [0.3, 1, 0.3], [0.3, 0.3, 1]]
    let different = [[1, 0.3, 0.1], [0.3, 1, 0.5], [0.1, 0.5, 1]]
    #expect(try orders(["log_lambda"], equal).isEmpty)
    #expect(try orders(["V", "log_lambda"], equal).isEmpty)
    for (names, gram) in [(["log_lambda"], different), (["V", "log_det", "moment"], equal), (["log_lambda"], [[1]])] {
      #expect(try orders(names, gram).map(\.order) == [1], "\(names) \(gram)")
    }
  }

  /// A wide network follows the recursion to order 1/n: every activation, two layers.
  @Test(arguments: ["relu", "tanh", "erf", "gelu", "linear"])
  func wideNetworksFollowTheRecursion(name: String) throws {
    let model = try network(.text(name), width: 20_000, depth: 2, inputs: correlated(0.3), extra: ["bias": .real(0.2)])
    let (legs, _) = try limitLegs(
      .table(["equation": .text("infinite-width")]), path: "limit", network: model, networkDraws: 10)
    let tally = sample(model.experiment, 400, name: name)
    for name in ["V[0,0]", "V[0,1]", "rho[0,1]"] {
      let i = index(model.experiment, name)
      let m = tally.moments(i)
      #expect(
        abs(m.mean - legs[0].known!.means[i]) < 4.5 * m.meanError + 1e-3 / 20,
        "\(name): \(m.mean) \(legs[0].known!.means[i])")
    }
  }
}
