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
