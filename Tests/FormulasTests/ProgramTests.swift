import Formulas
import Kernels
import Testing

@Suite struct ProgramTests {
  static let texts = [
    "tanh(x)", "x*0.5*(1+erf(x/sqrt(2)))", "sp*max(x,0) + sm*min(x,0)", "where(x > 0, sp*x, sm*x)", "x*sigmoid(1.7*x)",
    "softplus(2*x) - log(2)", "x^3 - 3*x + 1", "sin(x)*cos(3*x) + tan(x/2)", "exp(-x^2/2)*abs(x)",
    "where(x^2 < 1 & x > -0.5, x, sm)",
    "sqrt(1 + x^2) - x^-2 + (1 + x^2)^0.3", "log1p(x^2) + expm1(x) + cosh(x) - sinh(x)",
    "atan(x) + atan2(x, 2 - x) + sign(x)",
    "min(x, 1, sm*x^2)", "digamma(2 + x^2) + trigamma(1 + x^2)", "gelu(x) + silu(x) + relu(-x) + normcdf(3*x)", "x",
    "2.5",
    "1/x + x/3", "2^x - x^x", "max(x, 0.1*x)", "where(x > 1 | x < -1, 1, x)", "exp(x) - x", "x/(2 + x^2)",
    "x^2 - exp(x)", "where(x > sin(x), x, exp(x))",
  ]
  static let parameters = ["sp": 1.1, "sm": 0.3]

  private func program(_ text: String, order: Int = 0) throws -> FormulaProgram {
    let formula = try Formula(text, variables: ["x"], parameters: Self.parameters.filter { text.contains($0.key) })
    return FormulaProgram(try formula.derivatives("x", upTo: order))
  }

  private static let points: [Double] = {
    var random = Generator(seed: 5)
    return (0..<1500).map { _ in random.real(-4...4) } + [
      0, -0.0, 1, -1, 1e-300, 1e300, -1e300, .infinity, -.infinity, .nan,
    ]
  }()

  private func bits(_ x: Double) -> UInt64 { x.isNaN ? 0 : x.bitPattern }

  /// A value does not depend on the length of the buffer, on the place in it, on being in place, or on company.
  @Test(arguments: texts)
  func valuesDoNotDependOnTheirPlace(text: String) throws {
    let program = try program(text)
    let each = Self.points.map { bits(program($0)) }
    for start in [0, 1, 7, 500, 1003] {
      for count in [1, 3, 31, 33, 255, 256, 257, 511, 513, 1510 - start] where start + count <= Self.points.count {
        var values = Array(Self.points[start..<start + count])
        values.withUnsafeMutableBufferPointer { program.apply($0.baseAddress!, count) }
        #expect(values.map(bits) == Array(each[start..<start + count]), "\(start), \(count)")
      }
    }
    #expect(program([Self.points])[0].map(bits) == each)
  }

  @Test(arguments: texts.filter { !$0.contains("trigamma") })
  func valueAndSlopeTogetherAreThoseOfEach(text: String) throws {
    let (both, value, slope) = try (program(text, order: 1), program(text), derivative(text))
    var (values, slopes) = (Self.points, [Double](repeating: 0, count: Self.points.count))
    values.withUnsafeMutableBufferPointer { values in
      slopes.withUnsafeMutableBufferPointer { both.apply(values.baseAddress!, slopes: $0.baseAddress!, values.count) }
    }
    #expect(values.map(bits) == Self.points.map { bits(value($0)) })
    #expect(slopes.map(bits) == Self.points.map { bits(slope($0)) })
  }

  private func derivative(_ text: String) throws -> FormulaProgram {
    let formula = try Formula(text, variables: ["x"], parameters: Self.parameters.filter { text.contains($0.key) })
    return FormulaProgram(try formula.derivative("x"))
  }

  /// Formulas of the built-in activations give the same bits.
  @Test func builtInsHaveTheSameBits() throws {
    let pairs: [(String, (Double) -> Double)] = [
      ("tanh(x)", Elementary.tanh), ("erf(x)", Elementary.erf), ("x*0.5*(1+erf(x/sqrt(2)))", Elementary.gelu),
      ("0.5*x*(1 + erf(x/2^0.5))", Elementary.gelu), ("x*(1 + erf(0.7071067811865476*x))/2", Elementary.gelu),
      ("gelu(x)", Elementary.gelu), ("x*normcdf(x)", Elementary.gelu), ("silu(x)", Elementary.silu),
      ("x/(1 + exp(-x))", Elementary.silu), ("softplus(x)", Elementary.softplus), ("sinh(x)", Elementary.sinh),
      ("sigmoid(x)", Elementary.sigmoid), ("exp(x)", Elementary.exp),
      ("sp*max(x,0) + sm*min(x,0)", { $0 * ($0 > 0 ? 1.1 : 0.3) }),
      ("sm*min(0,x) + sp*relu(x)", { $0 * ($0 > 0 ? 1.1 : 0.3) }),
      ("where(x > 0, sp*x, sm*x)", { $0 * ($0 > 0 ? 1.1 : 0.3) }),
      ("where(x < 0, sm*x, sp*x)", { $0 * ($0 > 0 ? 1.1 : 0.3) }),
      ("x*where(x > 0, sp, sm)", { $0 * ($0 > 0 ? 1.1 : 0.3) }),
      ("max(sm*x, sp*x)", { $0 * ($0 > 0 ? 1.1 : 0.3) }), ("max(x, sm*x)", { $0 * ($0 > 0 ? 1 : 0.3) }),
      ("sp*tanh(sm*x) + 2", { 1.1 * Elementary.tanh(0.3 * $0) + 2 }),
    ]
    for (text, function) in pairs {
      let program = try program(text)
      for x in Self.points where x.isFinite && abs(x) < 700 {
        // Signs of zeros may differ.
        #expect(bits(program(x) + 0) == bits(function(x) + 0), "\(text) at \(x)")
      }
    }
  }

  /// The same bits on every CPU: FNV-1a over values, slopes and second derivatives on a grid. A change of the formulas' arithmetic
  /// changes the numbers; an instruction set must not.
  @Test func bitsOfAGrid() throws {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for text in Self.texts where !text.contains("trigamma") {
      let program = try program(text, order: 2)
      for value in program([(0...2000).map { Double($0) / 256 - 3.9 }]).joined() {
        for shift in stride(from: 0, to: 64, by: 8) { hash = (hash ^ (bits(value) >> shift & 255)) &* 0x100_0000_01b3 }
      }
    }
    #expect(String(hash, radix: 16) == "7f7c7c94417e66d0")
  }

  @Test func severalVariablesAndResultsInPlace() throws {
    let names = ["x", "y"]
    let formulas = try ["x + y", "x", "x*y", "3"].map { try Formula($0, variables: names) }
    let program = FormulaProgram(formulas)
    let (x, y) = ((0..<700).map { Double($0) }, (0..<700).map { 0.5 * Double($0) - 7 })
    let outputs = (0..<4).map { _ in UnsafeMutablePointer<Double>.allocateAligned(capacity: 700) }
    defer { for output in outputs { output.deallocate() } }
    // The first result takes the place of x.
    outputs[0].update(from: x, count: 700)
    y.withUnsafeBufferPointer {
      program.evaluate([UnsafePointer(outputs[0]), $0.baseAddress!], outputs, count: 700)
    }
    let results = outputs.map { Array(UnsafeBufferPointer(start: $0, count: 700)) }
    #expect(results[0] == zip(x, y).map { $0 + $1 } && results[1] == x)
    #expect(results[2] == zip(x, y).map { $0 * $1 } && results[3] == [Double](repeating: 3, count: 700))
    #expect(program([2, 5]) == [7, 2, 10, 3])
  }

  @Test func simplificationLeavesShortPrograms() throws {
    func count(_ text: String) throws -> Int { try program(text).description.split(separator: ";").count }
    #expect(try count("1*x*0.5*(1 + erf(x/sqrt(2))) + 0") == 1)
    #expect(try count("sp*max(x,0) + sm*min(x,0)") == 1)
    #expect(try count("2*(3*x + 1)") == 2)
    #expect(try count("exp(x)*exp(x) + exp(x)") == 3)
    #expect(try count("(1 + 2)*sin(2*x)") == 2)
    #expect(try count("x^8") == 3)
  }
}
