import Experiments
import Networks
import Testing

/// Critical initialisations against arXiv:2106.10165, table 1 (eight digits, by an independent program).
@Suite struct CriticalityTests {
  private func found(_ activation: JobValue) throws -> Criticality? {
    Criticality(try ActivationChoice(activation, path: "activation", width: 8).function)
  }

  private func formula(_ text: String) -> JobValue { table(["formula": .text(text)]) }

  @Test(arguments: [
    ("gelu(x)", 3.56155281, 1.98305826, 0.17292239), ("x*sigmoid(x)", 14.32017362, 1.98800468, 0.55514317),
  ])
  func halfStableFixedPoints(text: String, k: Double, gain: Double, bias: Double) throws {
    let critical = try #require(try found(formula(text)))
    #expect(critical.universality == .halfStable)
    #expect((critical.fixedPoint! / k - 1).magnitude < 5e-9 && (critical.gain / gain - 1).magnitude < 5e-9)
    #expect((critical.biasVariance / bias - 1).magnitude < 5e-8)
  }

  @Test(arguments: [("tanh(x)", 1.0), ("sin(x)", 1), ("0.5*tanh(2*x)", 1), ("erf(x)", 0.785398163397448)])
  func fixedPointsAtZero(text: String, gain: Double) throws {
    let critical = try #require(try found(formula(text)))
    #expect(critical.universality == .zero && critical.fixedPoint == 0 && critical.biasVariance == 0)
    #expect((critical.gain / gain - 1).magnitude < 1e-12)
  }

  @Test(arguments: [("relu", 2.0), ("abs", 1), ("linear", 1)]) func scaleInvariantFunctions(name: String, gain: Double)
    throws
  {
    let found = try #require(try found(.text(name)))
    #expect(found.universality == .scaleInvariant && found.gain == gain)
    #expect(found.biasVariance == 0 && found.fixedPoint == nil)
  }

  /// Homogeneous on either side of 0, by formula: the gain is that of the name, though the slopes at 0 differ.
  @Test(arguments: [
    ("max(x, 0)", 0.5), ("abs(x)", 1.0), ("x", 1.0), ("max(x, 0) + 0.1*min(x, 0)", 0.505), ("-3*x", 9.0),
  ])
  func scaleInvariantFormulas(text: String, square: Double) throws {
    let found = try #require(try found(formula(text)))
    #expect(found.universality == .scaleInvariant && found.fixedPoint == nil && found.biasVariance == 0)
    #expect((found.gain * square - 1).magnitude < 1e-12)
  }

  /// The class at K* = 0 is what the recursion does from K = 0.1: towards 0, or away, by a_1 = phi'''/phi' + (3/4) (phi''/phi')^2 at 0 of a
  /// smooth function (ch. 5.3.3).
  @Test(arguments: [
    ("tanh", -2.0), ("sin", -1), ("erf", -2), ("sinh", 1), ("sinh(x)", 1), ("x + x^3", 6), ("x + x^2 - x^3/4", 1.5),
  ])
  func theFixedPointZero(text: String, rate: Double) throws {
    let activation = text.contains("x") ? formula(text) : .text(text)
    let function = try ActivationChoice(activation, path: "activation", width: 8).function
    let critical = try #require(Criticality(function))
    #expect(critical.universality == (rate < 0 ? .zero : .unstable) && critical.fixedPoint == 0)
    #expect(critical.biasVariance == 0)
    let moments = UnitMoments(function)
    func next(_ k: Double) throws -> Double { critical.gain * (try #require(moments.single(k)).square) }
    let small = 1e-4
    #expect(((try next(small) / small - 1) / (rate * small) - 1).magnitude < 0.01)
    var k = 0.02
    for _ in 0..<40 {
      let after = try next(k)
      #expect(rate < 0 ? after < k : after > k)
      k = min(after, 1)
    }
  }

  /// Neither smooth nor homogeneous: cut off at 1 on either side, K shrinks by what is beyond.
  @Test func cutOff() throws {
    let found = try #require(try found(formula("max(-1, min(1, x))")))
    #expect(found.universality == .zero && found.gain == 1 && found.biasVariance == 0)
  }

  /// By name as by formula: K* = 0 and c = 1/phi'(0)^2 for sin; x/2 - x^3/10 is half-stable at K = 5/3, where E phi phi'' = 0, E phi'^2 = 1/2 and
  /// E phi^2 = 5/18.
  @Test func whatIsInTheCatalog() throws {
    let sin = try #require(try found(.text("sin")))
    #expect(sin.universality == .zero && sin.fixedPoint == 0 && sin.biasVariance == 0 && sin.gain == 1)
    let polynomial = try #require(
      try found(
        table(["name": .text("polynomial"), "coefficients": .list([0, 0.5, 0, -0.1].map { .real($0) })])))
    #expect(polynomial.universality == .halfStable)
    #expect((polynomial.fixedPoint! - 5.0 / 3).magnitude < 1e-10 && (polynomial.gain - 2).magnitude < 1e-10)
    #expect((polynomial.biasVariance - 10.0 / 9).magnitude < 1e-10)
    let gelu = try #require(try found(.text("gelu-tanh")))
    let formula = try #require(try found(formula("0.5*x*(1 + tanh(sqrt(2/pi)*(x + 0.044715*x^3)))")))
    #expect(gelu.universality == .halfStable && formula.universality == .halfStable)
    #expect((gelu.fixedPoint! / formula.fixedPoint! - 1).magnitude < 1e-9)
    // Near that of GELU, 3.5616, and no nearer than the approximation is.
    #expect((gelu.fixedPoint! - 3.56155281).magnitude < 0.05 && (gelu.fixedPoint! - 3.56155281).magnitude > 1e-5)
  }

  /// Neither a fixed point with biases nor phi(0) = 0.
  @Test(arguments: ["sigmoid(x)", "softplus(x)", "exp(x)"]) func whatCannotBeTuned(text: String) throws {
    #expect(try found(formula(text)) == nil)
  }

  @Test(arguments: ["sigmoid", "exp", "cos", "sin-plus-cos", "gaussian", "relu-power"])
  func whatOfTheCatalogCannotBeTuned(name: String) throws { #expect(try found(.text(name)) == nil) }

  @Test func whatIsRefused() throws {
    func refusal(_ architecture: String, _ extra: [String: JobValue]) -> String {
      do {
        let entries: [String: JobValue] = [
          "architecture": .text(architecture), "activation": .text("gelu"), "width": .integer(16), "depth": .integer(2),
          "inputs": correlated(0.3), "draws": .integer(10), "tune": .text("critical"),
        ]
        _ = try NetworkCatalog.read(
          .table(entries.merging(extra) { $1 }), path: "network", data: NoData())
      } catch { return "\(error)" }
      return ""
    }
    #expect(refusal("mlp", [:]) == "")
    #expect(refusal("mlp", ["activation": .text("sign")]).contains("needs the derivative of the activation: it jumps"))
    #expect(refusal("mlp", ["activation": .text("cos")]).contains("finds no critical initialisation"))
    #expect(refusal("mlp", ["c": .real(2)]).contains("c = 2.0: cannot be given together with tune"))
    #expect(refusal("mlp", ["bias": .real(0.1)]).contains("bias = 0.1: cannot be given together with tune"))
    #expect(refusal("orthogonal-mlp", [:]).contains("needs biases of variance 0.1729"))
  }
}
