import Formulas
import Testing

@Suite struct KinkTests {
  private func kinks(_ text: String, _ interval: ClosedRange<Double> = -10...10) throws -> [Double] {
    try Formula(text, variables: ["x"]).kinks("x", in: interval)
  }

  private static let points: [(String, [Double])] = [
    ("tanh(x)", []), ("abs(x)", [0]), ("relu(x - 1.5)", [1.5]), ("max(x, 2*x + 1)", [-1]), ("min(3, x)", [3]),
    ("sign(4*x + 1)", [-0.25]),
    ("where(x > 2, 1, x)", [2]), ("where(1 < x & x <= 2, 1, x)", [1, 2]), ("1.1*max(x, 0) + 0.3*min(x, 0)", [0]),
    ("abs(x) + abs(x - 1)", [0, 1]), ("abs(abs(x) - 1)", [-1, 0, 1]), ("abs(x^2 - 4)", [-2, 2]), ("relu(x - 20)", []),
    ("max(x, 3 + x)", []), ("abs(-x) + abs(x)", [0]), ("relu((x - 1)*(x + 3)*x/3)", [-3, 0, 1]), ("abs(relu(x))", [0]),
  ]

  @Test(arguments: points)
  func found(text: String, expected: [Double]) throws {
    let found = try kinks(text)
    #expect(found.count == expected.count && zip(found, expected).allSatisfy { abs($0 - $1) < 1e-14 }, "\(found)")
  }

  /// To neighbouring numbers where the argument is not linear.
  @Test func bisection() throws {
    let found = try kinks("abs(exp(x) - 2)")
    #expect(found.count == 1 && abs(found[0] - 0.69314718055994531) <= 2e-16)
    #expect(try kinks("max(sin(x), 0)").count == 7)
    #expect(try kinks("max(sin(x), 0)", 0.5...4).count == 1)
  }

  /// What the documentation says is missed: a zero that touches the axis between grid points.
  @Test func touchingZerosAreMissed() throws { #expect(try kinks("abs((x - 0.1234)^2)").isEmpty) }

  @Test func polynomials() throws {
    func p(_ text: String) throws -> [Double]? {
      try Formula(text, variables: ["x", "y"], parameters: ["a": 2]).polynomial(in: "x")
    }
    #expect(try p("x^4/4 - a*x^2/2 + 1") == [1, 0, -1, 0, 0.25])
    #expect(try p("(x - 1)*(x + 1)") == [-1, 0, 1])
    #expect(try p("(1 + x)^3 - 3*x") == [1, 0, 3, 1])
    #expect(try p("3") == [3] && p("x - x") == [0])
    #expect(try p("exp(x)") == nil && p("x*y") == nil && p("1/x") == nil && p("x^100") == nil)
  }

  private static let events: [(String, Double, String)] = [
    ("log(x)", -0.5, "log(-0.5) = nan at column 1"), ("1 + log(x + 1)", -1, "log(0.0) = -inf at column 5"),
    ("2*sqrt(x)", -2, "sqrt(-2.0) = nan at column 3"), ("1 + 3/x", 0, "3.0/0.0 = inf at column 6"),
    ("x/x", 0, "0.0/0.0 = nan at column 2"),
    ("x^-2", 0, "0.0^(-2) = inf at column 2"), ("x^0.3", -1, "(-1.0)^0.3 = nan at column 2"),
    ("exp(x^2)", 100, "exp(10000.0) = inf at column 1"),
    ("exp(log(x))", 0, "log(0.0) = -inf at column 5"), ("where(x > 0, 1, log(x))", -1, "log(-1.0) = nan at column 17"),
  ]

  @Test(arguments: events)
  func domainEvents(text: String, x: Double, expected: String) throws {
    #expect(try Formula(text, variables: ["x"]).domainEvent(at: [x])?.description == expected)
  }

  @Test func noEvents() throws {
    let formula = try Formula("where(x > 0, log(x), x)", variables: ["x"])
    // The logarithm of the branch that is not taken does not count.
    #expect(formula.domainEvent(at: [-1]) == nil && formula.domainEvent(at: [2]) == nil)
    // Neither does an argument that came in.
    #expect(try Formula("exp(x)", variables: ["x"]).domainEvent(at: [.nan]) == nil)
    #expect(
      try Formula("x + log(-1)", variables: ["x"]).domainEvent(at: [1])?.description == "log(-1.0) = nan at column 5")
  }
}
