import Experiments
import Formulas
import Kernels
import Limits
import Networks
import Statistics
import Testing

/// Activations by formula: the built-in ones written out, closed forms, and what is refused.
@Suite struct FormulaActivationTests {
  static func formula(_ text: String, _ more: [String: JobValue] = [:]) -> JobValue {
    table(["formula": .text(text)].merging(more) { $1 })
  }

  static let builtIn: [(name: String, formula: String)] = [
    ("tanh", "tanh(x)"), ("erf", "erf(x)"), ("gelu", "x*0.5*(1 + erf(x/sqrt(2)))"), ("silu", "x/(1 + exp(-x))"),
    ("softplus", "log1p(exp(x))"), ("sinh", "0.5*(exp(x) - exp(-x))"), ("relu", "max(x, 0)"), ("linear", "x"),
    ("leaky-relu", "where(x > 0, x, 0.01*x)"), ("abs", "abs(x)"), ("relu-power", "max(x, 0)^2"), ("sign", "sign(x)"),
    ("sin", "sin(x)"), ("cos", "cos(x)"), ("sin-plus-cos", "sin(x) + cos(x)"), ("exp", "exp(x)"),
    ("gaussian", "exp(-x^2)"), ("gelu-tanh", "0.5*x*(1 + tanh(sqrt(2/pi)*(x + 0.044715*x^3)))"),
    ("sigmoid", "1/(1 + exp(-x))"), ("normal-cdf", "0.5*(1 + erf(x/sqrt(2)))"),
  ]

  private static func failure(_ make: () throws -> some Any) -> String {
    do { _ = try make() } catch { return "\(error)" }
    return ""
  }

  /// Every value of every draw, whichever sampler: a relative 1e-12. c is that of the activation itself, so E phi^2 counts as well.
  @Test(arguments: builtIn.map(\.name)) func formulaOfABuiltIn(name: String) throws {
    let text = Self.builtIn.first { $0.name == name }!.formula
    for sampler in ["conditional", "weights"] {
      // What grows fast stays within the numbers; of sinh the formula cancels where x is small.
      let gains = ["sinh": 0.05, "exp": 0.01, "relu-power": 0.01]
      let extra: [String: JobValue] = gains[name].map { ["c": .real($0)] } ?? [:]
      let (one, two) = try (
        network(.text(name), width: 24, depth: 5, inputs: correlated(0.3), sampler: sampler, extra: extra),
        network(Self.formula(text), width: 24, depth: 5, inputs: correlated(0.3), sampler: sampler, extra: extra)
      )
      let (mine, theirs) = (two.experiment.makeRunner(5), one.experiment.makeRunner(5))
      for draw in 0..<50 as Range<UInt64> {
        for (a, b) in zip(mine.values(draw), theirs.values(draw)) {
          // log V may be 0 to rounding.
          #expect((a - b).magnitude <= 1e-12 * b.magnitude + 1e-14, "\(name) \(sampler): \(a) and \(b)")
        }
      }
    }
  }

  @Test(arguments: builtIn.map(\.name)) func derivativeOfABuiltIn(name: String) throws {
    let (mine, theirs) = try (
      ActivationChoice(Self.formula(Self.builtIn.first { $0.name == name }!.formula), path: "a", width: 4).function,
      ActivationChoice(.text(name), path: "a", width: 4).function
    )
    for k in -300...300 {
      let x = Double(k) / 32
      let (a, b) = (mine.derivative(x), theirs.derivative(x))
      #expect((a - b).magnitude <= 1e-10 * max(1, b.magnitude), "\(name)'(\(x)): \(a) and \(b)")
    }
  }

  @Test(arguments: ["tanh", "gelu", "silu", "relu"]) func tangentKernelOfABuiltIn(name: String) throws {
    let text = Self.builtIn.first { $0.name == name }!.formula
    let extra: [String: JobValue] = [
      "probes": .list([.text("covariance"), .text("ntk")]), "observables": .list(["V", "ntk"].map { .text($0) }),
    ]
    let (one, two) = try (
      network(.text(name), width: 20, depth: 4, inputs: correlated(0.3), extra: extra),
      network(Self.formula(text), width: 20, depth: 4, inputs: correlated(0.3), extra: extra)
    )
    for draw in 0..<20 as Range<UInt64> {
      for (a, b) in zip(two.experiment.makeRunner(5).values(draw), one.experiment.makeRunner(5).values(draw)) {
        #expect((a - b).magnitude <= 1e-10 * b.magnitude)
      }
    }
    let limit = table(["equation": .text("infinite-width-ntk")])
    let mine = try limitLegs(limit, path: "limit", network: two, networkDraws: 2).legs[0].known!
    let theirs = try limitLegs(limit, path: "limit", network: one, networkDraws: 2).legs[0].known!
    #expect(mine.means.count == theirs.means.count)
    for (a, b) in zip(mine.means, theirs.means) { #expect((a - b).magnitude <= 1e-10 * b.magnitude, "\(a) and \(b)") }
  }

  /// What is straight on both sides of 0 is the built-in of its slopes: the same bits, the same exact moments and samplers.
  @Test func slopesAreRecognised() throws {
    for (text, name) in [("max(x, 0)", "relu"), ("relu(x)", "relu"), ("0.5*(x + abs(x))", "relu"), ("x", "linear")] {
      let extra: [String: JobValue] = ["sampler": .text("chi-square")]
      let (one, two) = try (
        network(.text(name), width: 9, depth: 3, inputs: correlated(0, count: 1), extra: extra),
        network(Self.formula(text), width: 9, depth: 3, inputs: correlated(0, count: 1), extra: extra)
      )
      #expect(one.experiment.makeRunner(3).values(7) == two.experiment.makeRunner(3).values(7))
      #expect(one.known == two.known && two.known != nil)
    }
    for text in ["max(x, 0) + 1", "max(x, 1)", "abs(x)^2", "sign(x)", "where(x > 100, 2*x, x)", "tanh(x)"] {
      let choice = try ActivationChoice(Self.formula(text), path: "a", width: 9)
      #expect(!(choice.function is SlopeActivation), "\(text)")
    }
  }

  /// Quadratures that are split at kinks against the arc-cosine kernel and the arc sine, at all correlations and unequal variances.
  @Test func expectationsAgainstClosedForms() throws {
    let relu = ActivationKernel(FormulaActivation(try Formula("max(x, 0)", variables: ["x"]), kinks: [0]))
    let erf = ActivationKernel(FormulaActivation(try Formula("erf(x)", variables: ["x"]), kinks: []))
    let (slopes, exact) = (
      ActivationKernel(SlopeActivation(plus: 1, minus: 0)),
      ActivationKernel(try ActivationChoice(.text("erf"), path: "a", width: 4).function)
    )
    for (vu, vv) in [(1.0, 1.0), (0.01, 4), (25, 1)] {
      for rho in [-1, -0.999999, -0.5, 0, 0.3, 0.999, 1 - 1e-9, 1] {
        let cov = rho * (vu * vv).squareRoot()
        let scale = (vu * vv).squareRoot()
        let place = "\(vu) \(vv) \(rho)"
        #expect((relu.product(vu, vv, cov) - slopes.product(vu, vv, cov)).magnitude < 1e-11 * scale, "\(place)")
        let (a, b) = (relu.derivativeProduct(vu, vv, cov), slopes.derivativeProduct(vu, vv, cov))
        #expect((a - b).magnitude < 1e-11, "\(place): \(a) and \(b)")
        #expect((erf.product(vu, vv, cov) - exact.product(vu, vv, cov)).magnitude < 1e-11, "\(place)")
      }
    }
    // P(g > 1/2), and P(u > 1/2, v > 1/2) at correlation 0.
    let step = try Formula("where(x > 0.5, 1, 0)", variables: ["x"])
    let tail = 0.30853753872598690
    let jump = FormulaActivation(step, kinks: step.kinks("x", in: -8...8))
    #expect((jump.secondMoment - tail).magnitude < 1e-13)
    #expect((ActivationKernel(jump).product(1, 1, 0) - tail * tail).magnitude < 1e-13)
    // Without the kink the rule does not settle, and says so.
    #expect(FormulaActivation(step, kinks: []).secondMoment.isNaN)
  }

  /// `shape` is the `a` of the built-in functions: the same draws, and the limits of smooth shaped activations.
  @Test func shapedFormulas() throws {
    let shaped = Set(ActivationEntry.all.filter { $0.derivatives != nil }.map(\.name))
    for (name, text) in Self.builtIn where shaped.contains(name) {
      let (one, two) = try (
        network(table(["name": .text(name), "a": .real(1.2)]), width: 30, depth: 4, inputs: correlated(0.3)),
        network(Self.formula(text, ["shape": .real(1.2)]), width: 30, depth: 4, inputs: correlated(0.3))
      )
      for (a, b) in zip(two.experiment.makeRunner(5).values(1), one.experiment.makeRunner(5).values(1)) {
        #expect((a - b).magnitude <= 1e-11 * b.magnitude, "\(name): \(a) and \(b)")
      }
      let (mine, theirs) = (two.activation!.smoothShape!, one.activation!.smoothShape!)
      #expect(mine.a == theirs.a)
      #expect((mine.second - theirs.second).magnitude < 1e-14, "\(name): \(mine)")
      #expect((mine.third - theirs.third).magnitude < 1e-14, "\(name): \(mine)")
    }
    let model = try network(
      Self.formula("tanh(x)", ["shape": .real(1.2)]), width: 30, depth: 4, inputs: correlated(0.3))
    let limit = table(["equation": .text("smooth-covariance-sde")])
    #expect(try limitLegs(limit, path: "limit", network: model, networkDraws: 10).legs.count == 1)
    let plain = try network(Self.formula("tanh(x)"), width: 30, depth: 4, inputs: correlated(0.3))
    #expect(
      Self.failure { try limitLegs(limit, path: "limit", network: plain, networkDraws: 10) }.contains(
        "a formula: by shape"))
  }

  @Test func infiniteWidthOfAKink() throws {
    // |x| + 1: E phi(u) phi(v) = E|u v| + E|u| + E|v| + 1 in closed form.
    let model = try network(
      Self.formula("abs(x) + 1"), width: 8, depth: 1, inputs: correlated(0.3), extra: ["c": .real(1)])
    let known = try limitLegs(
      table(["equation": .text("infinite-width")]), path: "limit", network: model, networkDraws: 2
    ).legs[0].known!
    let mean = (2 / Double.pi).squareRoot()
    let product = ActivationKernel(SlopeActivation(plus: 1, minus: -1)).product(1, 1, 0.3)
    #expect((known.mean(of: "V[0,1]", record: 0)! - (product + 2 * mean + 1)).magnitude < 1e-11)
    #expect((known.mean(of: "V[0,0]", record: 0)! - (2 + 2 * mean)).magnitude < 1e-11)
  }

  @Test func whatIsRefused() throws {
    func make(_ value: JobValue, _ extra: [String: JobValue] = [:]) throws -> NetworkModel {
      try network(value, width: 8, depth: 2, inputs: correlated(0.3), extra: extra)
    }
    let wrong: [(JobValue, String)] = [
      (Self.formula("tanh(a*x"), "column 9"), (Self.formula("sigmod(x)"), "did you mean sigmoid?"),
      (Self.formula("tanh(a*x)"), "unknown name a"), (Self.formula("x", ["a": .real(1)]), "activation.a"),
      (Self.formula("tanh(a*x)", ["a": .text("1")]), "must be a finite number"),
      (Self.formula("x", ["name": .text("relu")]), "together with a formula"),
      (Self.formula("tanh(x)", ["kinks": .text("0")]), "array of finite numbers"),
      (Self.formula("exp(x^2)"), "E phi(g)^2 is inf"), (Self.formula("log(x)"), "log(0.0) = -inf at column 1"),
      (Self.formula("abs(x)", ["shape": .real(1)]), "smooth at 0"),
      (Self.formula("x^2", ["shape": .real(1)]), "slope at 0"),
      (.text("x*sigmoid(x)"), "a formula is written { formula"), (Self.formula("x > 0"), "comparison"),
      (table(["formula": .integer(1)]), "must be a string"),
      (table(["fomula": .text("x")]), "did you mean formula?"),
      (Self.formula("tanh(b*x)"), "give b = … beside the formula"),
      (Self.formula("tanh(a*x)", ["a": .list([.real(1), .real(2)])]), "[sweep]"),
    ]
    for (value, words) in wrong {
      let said = Self.failure { try make(value) }
      #expect(said.contains(words), "\(value): \(said)")
    }
    let kernel: [String: JobValue] = [
      "probes": .list([.text("covariance"), .text("ntk")]), "c": .real(1),
    ]
    let said = Self.failure { try make(Self.formula("trigamma(x^2 + 1)"), kernel) }
    #expect(said.contains("needs a derivative for the probe ntk"), "\(said)")
  }

  @Test func limitsSayWhatTheyLack() throws {
    let log = try network(
      Self.formula("log(x + 3)"), width: 8, depth: 2, inputs: correlated(0.3), extra: ["c": .real(1)])
    let said = Self.failure {
      try limitLegs(table(["equation": .text("infinite-width")]), path: "limit", network: log, networkDraws: 2)
    }
    #expect(said.contains("log(0.0) = -inf at column 1, for x = -3.0"), "\(said)")
    let relu = try network(Self.formula("max(x, 0) + 1"), width: 8, depth: 2, inputs: correlated(0.3))
    for limit in ["covariance-sde", "unshaped-q", "smooth-covariance-sde"] {
      let said = Self.failure {
        try limitLegs(table(["equation": .text(limit)]), path: "limit", network: relu, networkDraws: 2)
      }
      #expect(said.contains("limit.equation") && said.contains("needs"), "\(said)")
    }
  }

  /// Each draw in which log(x) meets a negative number counts, and the file says where that is in the formula.
  @Test func leavingTheNumbersIsAnEvent() throws {
    let model = try network(
      Self.formula("log(x)"), width: 8, depth: 2, inputs: correlated(0.3), extra: ["c": .real(1)])
    #expect(sample(model.experiment, 100, name: "log").counter(.overflowed) == 100)
    #expect(model.attributes["activation_domain"] == "log(0.0) = -inf at column 1, for x = 0.0")
  }
}
