import Formulas
import Kernels
import Testing

@Suite struct DerivativeTests {
  private func formula(_ text: String) throws -> Formula { try Formula(text, variables: ["x"]) }

  private static let smooth: [String] = [
    "exp(x)", "expm1(x)", "log(x)", "log1p(x)", "sqrt(x)", "abs(x)", "sin(x)", "cos(x)", "tan(x/2)", "atan(x)",
    "atan2(x^2, 1 + x)",
    "sinh(x)", "cosh(x)", "tanh(x)", "erf(x)", "normcdf(x)", "sigmoid(x)", "softplus(x)", "silu(x)", "gelu(x)",
    "relu(x - 0.5)",
    "x^3", "x^-2", "x^0.3", "x^2.5", "2^x", "x^x", "1/(1 + x^2)", "sin(x)/x", "x*exp(-x^2/2)", "min(x^2, 1)",
    "max(sin(x), cos(x))",
    "where(x < 1, x^2, 2 - x)", "tanh(2*x)*log(1 + x)", "x^4/4 - x^2/2", "-x + 3", "(x - 1)^2*-x", "exp(sin(x)) - 3*x",
  ]

  /// Each order against a difference quotient of the order below: (f(x - 2h) - 8 f(x - h) + 8 f(x + h) - f(x + 2h))/(12 h), error of
  /// order h^4 and rounding/h.
  @Test(arguments: smooth)
  func differences(text: String) throws {
    let all = try formula(text).derivatives("x", upTo: 4).map { FormulaProgram($0) }
    let h = 1e-3
    for x in [0.21, 0.9, 1.3, 2.2] {
      for order in 1...4 {
        let f = all[order - 1]
        let quotient = (f(x - 2 * h) - 8 * f(x - h) + 8 * f(x + h) - f(x + 2 * h)) / (12 * h)
        let slope = all[order](x)
        #expect(abs(quotient - slope) <= 1e-7 * max(1, abs(slope)), "order \(order) at \(x): \(slope), not \(quotient)")
      }
    }
  }

  @Test func digammaHasADerivativeAndTrigammaNone() throws {
    #expect(try FormulaProgram(formula("digamma(2*x)").derivative("x"))(1.25) == 2 * Elementary.trigamma(2.5))
    let error = #expect(throws: FormulaError.self) { try formula("x + trigamma(x)").derivative("x") }
    #expect(error?.description == "column 5: trigamma has no derivative here")
  }

  /// The derivatives of the built-in activations, written out.
  @Test func builtInDerivatives() throws {
    let density = { 0x1.9884533d43651p-2 * Elementary.exp(-0.5 * $0 * $0) }
    let rules: [(String, (Double) -> Double)] = [
      ("tanh(x)", { 1 - Elementary.tanh($0) * Elementary.tanh($0) }),
      ("erf(x)", { 0x1.20dd750429b6dp+0 * Elementary.exp(-$0 * $0) }),
      ("x*0.5*(1 + erf(x/sqrt(2)))", { GaussianIntegral.normal.value($0) + $0 * density($0) }),
      ("silu(x)", { Elementary.sigmoid($0) + Elementary.silu($0) * (1 - Elementary.sigmoid($0)) }),
      ("x*sigmoid(x)", { Elementary.sigmoid($0) + Elementary.silu($0) * (1 - Elementary.sigmoid($0)) }),
      ("softplus(x)", Elementary.sigmoid), ("log(1 + exp(x))", Elementary.sigmoid),
      ("sinh(x)", { (1 + Elementary.sinh($0) * Elementary.sinh($0)).squareRoot() }),
      ("1.1*max(x, 0) + 0.3*min(x, 0)", { $0 > 0 ? 1.1 : 0.3 }), ("relu(x)", { $0 > 0 ? 1 : 0 }),
      ("max(x, 0.01*x)", { $0 > 0 ? 1 : 0.01 }),
    ]
    for (text, rule) in rules {
      let slope = FormulaProgram(try formula(text).derivative("x"))
      for k in -600...600 {
        let x = Double(k) / 100
        #expect(abs(slope(x) - rule(x)) <= 1e-10 * max(abs(rule(x)), 1e-3), "\(text) at \(x)")
      }
    }
  }

  private static let corners: [(String, Double, Double)] = [
    ("abs(x)", 0, -1), ("abs(-x)", 0, -1), ("abs(2 - x)", 2, -1), ("relu(x)", 0, 0), ("relu(-x)", 0, -1),
    ("max(x, 0)", 0, 0),
    ("max(0, x)", 0, 0), ("min(x, 0)", 0, 1), ("min(0, x)", 0, 1), ("max(-x, 0)", 0, -1), ("max(x, 2*x)", 0, 1),
    ("min(x, 2*x)", 0, 2),
    ("where(x > 0, x, 2*x)", 0, 2), ("where(x >= 0, x, 2*x)", 0, 2), ("where(x < 0, 2*x, x)", 0, 2),
    ("where(x <= 0, 2*x, x)", 0, 2),
    ("where(0 < x, x, 2*x)", 0, 2), ("where(-x >= 0, 2*x, x)", 0, 2), ("max(x^2, x)", 1, 1), ("min(x^2, x)", 1, 2),
    ("max(x^2, x)", 0, 0),
    ("where(x^2 >= 1, x^2, x)", 1, 1), ("where(x^2 > 1, x^2, x)", -1, -2), ("where(x >= 0 & x < 1, 3*x, x)", 1, 3),
    ("where(x >= 0 & x < 1, 3*x, x)", 0, 1), ("abs(x^3 - x)", 1, 1 - 3), ("max(abs(x), 1)", 1, 0),
    ("max(abs(x), 1)", -1, -1),
  ]

  /// At a kink the slope below it, however the kink is written.
  @Test(arguments: corners)
  func slopesBelowKinks(text: String, x: Double, expected: Double) throws {
    #expect(try FormulaProgram(formula(text).derivative("x"))(x) == expected)
  }

  @Test func partialDerivatives() throws {
    let f = try Formula("x^2*y + sin(y)", variables: ["x", "y"])
    #expect(FormulaProgram(try f.derivative("x"))([3, 2]) == [12])
    #expect(FormulaProgram(try f.derivative("y"))([3, 2])[0] == 9 + Elementary.sinCos(2).cos)
    #expect(try f.derivative("x").derivative("x").derivative("x").constant == 0)
    #expect(try f.derivative("x").derivative("y").dependencies == ["x"])
    let error = #expect(throws: FormulaError.self) { try f.derivative("yy") }
    #expect(error?.message == "unknown variable yy; did you mean y?")
  }

  /// High orders stay exact and end.
  @Test func highOrders() throws {
    let p = try formula("(1 + x)^6").derivatives("x", upTo: 7)
    #expect(p[6].constant == 720 && p[7].constant == 0)
    let g = FormulaProgram(try formula("exp(2*x)").derivatives("x", upTo: 20))
    #expect(g([0.0]) == (0...20).map { Double(1 << $0) })
    #expect(throws: FormulaError.self) { try formula("tanh(sin(x)/(1 + x^2))^0.3").derivatives("x", upTo: 200) }
  }
}
