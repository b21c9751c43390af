/// A function that formulas can call.
public struct FormulaFunction: Sendable {
  public let name: String
  /// How many arguments it takes.
  public let arity: ClosedRange<Int>
  public let summary: String

  private init(_ name: String, _ arity: ClosedRange<Int>, _ summary: String) {
    self.name = name
    self.arity = arity
    self.summary = summary
  }

  /// `where(condition, a, b)`: the only one whose first argument is a condition.
  static let choice = "where"

  /// All functions, in the order of the documentation.
  public static let all: [FormulaFunction] = [
    FormulaFunction("exp", 1...1, "e^x"),
    FormulaFunction("expm1", 1...1, "e^x - 1, accurate near 0"),
    FormulaFunction("log", 1...1, "natural logarithm"),
    FormulaFunction("log1p", 1...1, "log(1 + x), accurate near 0"),
    FormulaFunction("sqrt", 1...1, "square root"),
    FormulaFunction("abs", 1...1, "absolute value"),
    FormulaFunction("sign", 1...1, "-1, 0 or 1"),
    FormulaFunction("min", 2...16, "the smallest argument"),
    FormulaFunction("max", 2...16, "the largest argument"),
    FormulaFunction("sin", 1...1, "sine of radians, |x| <= 2^20"),
    FormulaFunction("cos", 1...1, "cosine of radians, |x| <= 2^20"),
    FormulaFunction("tan", 1...1, "sin(x)/cos(x)"),
    FormulaFunction("atan", 1...1, "arc tangent"),
    FormulaFunction("atan2", 2...2, "angle of the point (x, y) for atan2(y, x), in [-pi, pi]"),
    FormulaFunction("sinh", 1...1, "hyperbolic sine"),
    FormulaFunction("cosh", 1...1, "hyperbolic cosine"),
    FormulaFunction("tanh", 1...1, "hyperbolic tangent"),
    FormulaFunction("erf", 1...1, "error function"),
    FormulaFunction("normcdf", 1...1, "distribution function of the standard normal law"),
    FormulaFunction("sigmoid", 1...1, "1/(1 + e^-x)"),
    FormulaFunction("softplus", 1...1, "log(1 + e^x)"),
    FormulaFunction("relu", 1...1, "max(x, 0)"),
    FormulaFunction("silu", 1...1, "x/(1 + e^-x)"),
    FormulaFunction("gelu", 1...1, "x normcdf(x)"),
    FormulaFunction("digamma", 1...1, "derivative of the logarithm of the gamma function, x > 0"),
    FormulaFunction("trigamma", 1...1, "derivative of digamma, x > 0"),
    FormulaFunction(choice, 3...3, "where(condition, a, b): a where the condition holds, b elsewhere"),
  ]

  /// Their names.
  public static let names = all.map(\.name)

  static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

  /// Constants that have a name.
  static let constants: [String: Double] = ["pi": Double.pi]

  /// Whether a name means something in every formula, so that no variable and no parameter can have it.
  public static func isReserved(_ name: String) -> Bool { byName[name] != nil || constants[name] != nil }
}
