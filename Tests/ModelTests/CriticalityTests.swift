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

  @Test func scaleInvariantFunctions() throws {
    let relu = try #require(try found(.text("relu")))
    #expect(relu.universality == .scaleInvariant && relu.gain == 2 && relu.biasVariance == 0 && relu.fixedPoint == nil)
  }

  /// Neither a fixed point with biases nor phi(0) = 0.
  @Test(arguments: ["sigmoid(x)", "softplus(x)", "exp(x)"]) func whatCannotBeTuned(text: String) throws {
    #expect(try found(formula(text)) == nil)
  }

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
    #expect(refusal("mlp", ["c": .real(2)]).contains("c = 2.0: cannot be given together with tune"))
    #expect(refusal("mlp", ["bias": .real(0.1)]).contains("bias = 0.1: cannot be given together with tune"))
    #expect(refusal("orthogonal-mlp", [:]).contains("needs biases of variance 0.1729"))
  }
}
