import Formulas
import Testing

@Suite struct ParserTests {
  private func value(_ text: String, _ variables: [String: Double] = [:]) throws -> Double {
    let names = variables.keys.sorted()
    let formula = try Formula(text, variables: names)
    return FormulaProgram(formula)(names.map { variables[$0]! })[0]
  }

  private func failure(_ text: String, variables: [String] = ["x"], parameters: [String: Double] = [:]) -> FormulaError?
  {
    do {
      _ = try Formula(text, variables: variables, parameters: parameters)
      return nil
    } catch { return error as? FormulaError }
  }

  private static let products: [(String, Double)] = [
    ("1 + 2*3", 7), ("(1 + 2)*3", 9), ("2 - 3 - 4", -5), ("8/4/2", 1), ("2^3^2", 512), ("(2^3)^2", 64), ("-2^2", -4),
    ("(-2)^2", 4), ("2^-1", 0.5), ("2^-2^2", 0.0625), ("-3*-2", 6), ("--3", 3), ("+3 - +2", 1), ("2**3", 8),
    ("1.5e1", 15),
    (".5 + 1.", 1.5), ("1.e1", 10), ("2*3^2", 18), ("6/2*3", 9), ("1 - -1", 2), ("where(1 < 2, 3, 4)", 3),
    ("where(1 < 2 & 2 < 1, 3, 4)", 4), ("where(1 < 2 | 2 < 1 & 1 > 5, 3, 4)", 3),
    ("where((1 < 2 | 2 < 1) & 1 > 5, 3, 4)", 4),
    ("where(1 >= 1, 3, 4)", 3), ("where(1 > 1, 3, 4)", 4), ("max(1, 2, 3, 0)", 3), ("min(1, 2, -3, 0)", -3),
    ("2 * pi", 2 * Double.pi),
  ]

  /// As Python reads it (with ** for ^), but for & and |, which bind less than comparisons.
  @Test(arguments: products)
  func precedence(text: String, expected: Double) throws { #expect(try value(text) == expected) }

  @Test func namesHaveIndicesDotsAndLetters() throws {
    #expect(try value("V[0,0] - V[ 1 , 01 ]", ["V[0,0]": 5, "V[1,1]": 3]) == 2)
    #expect(try value("log_lambda[0]*x.y", ["log_lambda[0]": 5, "x.y": 3]) == 15)
    #expect(try value("σ_1^2", ["σ_1": 3]) == 9)
    #expect(try FormulaTree(parsing: "a*V[0,1] + exp(b*a) - pi").names == ["a", "V[0,1]", "b", "pi"])
  }

  private static let faults: [(String, Int, String)] = [
    ("", 1, "expected a number, a name or ( before the end"),
    ("x + ", 5, "expected a number, a name or ( before the end"),
    ("x + * 2", 5, "expected a number, a name or ( before *"),
    ("2x", 2, "expected an operator before x"),
    ("2e", 2, "expected an operator before e"),
    ("x y", 3, "expected an operator before y"),
    ("(x + 1", 7, "expected an operator or ) for the ( of column 1"),
    ("x + 1)", 6, "there is no ( for this )"),
    ("x, 1", 2, "a comma stands between arguments of a function only"),
    ("tanh(x, 1)", 1, "tanh takes 1 argument, not 2"),
    ("tanh()", 6, "tanh takes 1 argument, not 0"),
    ("max(x)", 1, "max takes 2 to 16 arguments, not 1"),
    ("where(x > 0, 1)", 1, "where takes 3 arguments, not 2"),
    ("tanh + 1", 6, "tanh is a function: expected ("),
    ("1 + sigmod(x)", 5, "unknown function sigmod; did you mean sigmoid?"),
    ("1 + alpa*x", 5, "unknown name alpa; did you mean alpha?"),
    ("1 + zzzzzz", 5, "unknown name zzzzzz (there are x, alpha, pi)"),
    ("x = 1", 3, "there is no comparison for equality; expected <, <=, > or >="),
    ("where(x, 1, 2)", 7, "the first argument of where must be a comparison, such as x > 0"),
    ("1 + (x > 2)", 8, "a comparison is no number; write where(condition, 1, 0)"),
    ("where(x & x > 1, 1, 2)", 7, "what & joins must be a comparison, such as x > 0"),
    ("where(0 < x < 1, 1, 2)", 13, "comparisons cannot be chained; join two of them with &"),
    ("x > 0", 3, "the formula is a comparison, not a number; write where(condition, 1, 0)"),
    ("x $ 1", 3, "the character $ has no meaning here"),
    ("x + \u{0}", 5, "a control character has no meaning here"),
    ("V[0,x]", 5, "expected an index of V, a whole number from 0"),
    ("V[0 1]", 5, "expected , or ] after an index of V"),
    ("1e999", 1, "the number is too large; expected at most 1.7976931348623157e+308"),
    ("x && x", 3, "&& is no operator; did you mean &?"),
    (".", 1, "expected a number or a name"),
  ]

  @Test(arguments: faults)
  func errorsSayWhere(text: String, column: Int, message: String) {
    let error = failure(text, parameters: ["alpha": 1])
    #expect(error?.column == column && error?.message == message, "\(String(describing: error))")
  }

  @Test func namesThatCannotBe() {
    #expect(
      failure("x", variables: ["x"], parameters: ["exp": 1])?.message == "the name exp has a meaning in every formula")
    #expect(failure("x", variables: ["pi"])?.message == "the name pi has a meaning in every formula")
    #expect(failure("x", parameters: ["x": 1])?.message == "x is both a variable and a parameter")
    #expect(failure("x", parameters: ["a": .nan])?.message == "the parameter a is nan, not a finite number")
  }

  @Test func parametersThatAreNotUsed() throws {
    let formula = try Formula("a*x", variables: ["x", "y"], parameters: ["a": 2, "b": 3, "c": 4])
    #expect(formula.unusedParameters == ["b", "c"])
    #expect(formula.dependencies == ["x"])
    #expect(try Formula("2*3", variables: ["x"]).constant == 6)
    #expect(formula.constant == nil)
  }

  /// Text that would exhaust the stack, or time.
  @Test func hostileTextIsRefused() throws {
    let many = 100_000
    for text in [
      String(repeating: "(", count: many), String(repeating: "(", count: 9_000),
      String(repeating: "-", count: 9_000) + "1",
      String(repeating: "2^", count: 4_000) + "2", String(repeating: "exp(", count: 2_000),
      String(repeating: "1+", count: 4_000) + "1", String(repeating: "x", count: many),
      String(repeating: "max(1,", count: 1_500) + "1", String(repeating: "V[", count: 3_000),
      "1" + String(repeating: "0", count: 9_000),
    ] {
      #expect(failure(text) != nil, "\(text.prefix(10))")
    }
    // Within the limits.
    #expect(try value(String(repeating: "(", count: 90) + "1" + String(repeating: ")", count: 90)) == 1)
    #expect(try value(String(repeating: "1+", count: 500) + "1") == 501)
    #expect(try value("max(" + (0..<16).map(String.init).joined(separator: ",") + ")") == 15)
    #expect(failure("max(" + (0..<17).map(String.init).joined(separator: ",") + ")") != nil)
  }
}
