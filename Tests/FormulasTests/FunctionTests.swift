import Formulas
import Foundation
import Testing

/// Each function against known values, and those that Kernels lacks against 64-bit mantissas.
@Suite struct FunctionTests {
  private static func program(_ text: String) throws -> FormulaProgram {
    FormulaProgram(try Formula(text, variables: ["x"]))
  }

  private static let known: [(String, Double, Double)] = [
    ("exp(x)", 1.5, 4.4816890703380648), ("exp(x)", -30, 9.3576229688401746e-14),
    ("expm1(x)", 1e-10, 1.00000000005e-10),
    ("expm1(x)", -2, -0.86466471676338731), ("log(x)", 10, 2.302585092994046), ("log1p(x)", 1e-10, 9.9999999995e-11),
    ("log1p(x)", -0.5, -0.69314718055994531), ("sqrt(x)", 2, 1.4142135623730950), ("abs(x)", -2.5, 2.5),
    ("sign(x)", -3, -1),
    ("sign(x)", 3, 1), ("sign(x)", 0, 0), ("min(x, 1)", 2, 1), ("max(x, 1)", 2, 2), ("sin(x)", 2, 0.90929742682568170),
    ("cos(x)", 2, -0.41614683654714239), ("tan(x)", 2, -2.1850398632615190), ("atan(x)", 2, 1.1071487177940905),
    ("atan(x)", -0.1, -0.099668652491162027), ("atan2(x, -1)", 1, 2.3561944901923449),
    ("atan2(x, -1)", -1, -2.3561944901923449),
    ("sinh(x)", 1.5, 2.1292794550948175), ("cosh(x)", 1.5, 2.3524096152432472), ("tanh(x)", 0.7, 0.60436777711716350),
    ("erf(x)", 0.7, 0.67780119383741847), ("normcdf(x)", -3, 0.0013498980316300945),
    ("sigmoid(x)", -2, 0.11920292202211755),
    ("softplus(x)", 1.2, 1.4632824673380311), ("relu(x)", -1, 0), ("relu(x)", 1.5, 1.5),
    ("silu(x)", -2, -0.23840584404423511),
    ("gelu(x)", -3, -0.0040496940948902836), ("digamma(x)", 2.5, 0.70315664064524319),
    ("trigamma(x)", 2.5, 0.49035775610023486),
    ("where(x > 1, 2, 3)", 1, 3), ("x^2.5", 3, 15.588457268119896), ("x^-0.5", 4, 0.5),
    ("x^0.3", 10, 1.9952623149688796),
    ("x^7", -1.5, -17.0859375), ("x^-3", 2, 0.125), ("2^x", 0.5, 1.4142135623730950), ("x^x", 2.5, 9.8821176880261852),
    ("x^0", 0, 1), ("1 - erf(x/sqrt(2))", 3, 0.0026997960632601891), ("1 + erf(-x/sqrt(2))", 3, 0.0026997960632601891),
    ("1 + erf(x*-0.5^0.5)", 3, 0.0026997960632601891), ("1 - erf(x)", 0.5, 0.47950012218695346),
  ]

  /// Values to 17 digits from mpmath.
  @Test(arguments: known)
  func knownValues(text: String, x: Double, expected: Double) throws {
    let value = try Self.program(text)(x)
    #expect(abs(value - expected) <= 6e-16 * abs(expected), "\(text) at \(x): \(value)")
  }

  @Test func nonFiniteArguments() throws {
    for text in [
      "max(x, 1)", "max(1, x)", "min(x, 1)", "relu(x)", "abs(x)", "sign(x)", "exp(x)", "cosh(x)", "log1p(x)",
      "expm1(x)",
      "atan(x)", "normcdf(x)", "gelu(x)", "digamma(x)", "x^3", "x^0.3", "erf(x)",
    ] { #expect(try Self.program(text)(.nan).isNaN, "\(text)") }
    #expect(try Self.program("expm1(x)")(.infinity) == .infinity && Self.program("expm1(x)")(-.infinity) == -1)
    #expect(try Self.program("log1p(x)")(.infinity) == .infinity && Self.program("log1p(x)")(-1) == -.infinity)
    #expect(try Self.program("log1p(x)")(-2).isNaN && Self.program("digamma(x)")(-1e300).isNaN)
    #expect(try Self.program("atan(x)")(-.infinity) == -.pi / 2)
    #expect(try Self.program("normcdf(x)")(.infinity) == 1 && Self.program("normcdf(x)")(-.infinity) == 0)
  }

  #if arch(x86_64)
    private static let ranges: [(String, Double, Double, Double)] = [
      ("tan(x)", -1.5, 1.5, 4.0), ("cosh(x)", -700, 700, 2), ("cosh(x)", -2, 2, 2), ("log1p(x)", -0.9, 3, 4),
      ("log1p(x)", -1e-3, 1e-3, 4),
      ("expm1(x)", -2, 2, 4), ("expm1(x)", -30, 700, 4), ("atan(x)", -3, 3, 5), ("x^0.3", 0.01, 100, 4),
      ("x^7", -3, 3, 6),
      ("x^2.5", 0.01, 100, 3),
    ]

    /// Worst error in units of the last place over 20,000 points, at most what docs/formulas.md says.
    @Test(arguments: ranges)
    func errors(text: String, low: Double, high: Double, bound: Double) throws {
      let long: (Float80) -> Float80 =
        switch text {
        case "tan(x)": Foundation.tan
        case "cosh(x)": Foundation.cosh
        case "log1p(x)": Foundation.log1p
        case "expm1(x)": Foundation.expm1
        case "atan(x)": Foundation.atan
        case "x^0.3": { Foundation.pow($0, Float80(0.3)) }
        case "x^7": { Foundation.pow($0, 7) }
        default: { Foundation.pow($0, 2.5) }
        }
      var random = Generator(seed: 4)
      let program = try Self.program(text)
      var worst = (0.0, 0.0)
      for _ in 0..<20_000 {
        let x = random.real(low...high)
        let truth = long(Float80(x))
        let error = Double(
          (Float80(program(x)) - truth).magnitude / Float80(max(Double(truth).ulp, Double.leastNonzeroMagnitude)))
        if !(error <= worst.0) { worst = (error, x) }
      }
      print("\(text) on \(low)...\(high): worst \(worst.0) ULP at \(worst.1)")
      #expect(worst.0 <= bound)
    }
  #endif
}
