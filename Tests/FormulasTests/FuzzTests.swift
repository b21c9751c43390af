import Formulas
import Testing

@Suite struct FuzzTests {
  private static let words = [
    "x", "y", "V[0,1]", "V[", "]", "[", "(", ")", "+", "-", "*", "**", "/", "^", "<", "<=", ">", ">=", "&", "|", ",",
    ".", " ",
    "1", "2.5", "1e", "1e5", "1e-5", ".5", "e", "exp(", "tanh(", "where(", "max(", "pi", "=", "!", "é", "\u{301}",
    "\u{1F600}", "\t",
    "\n", "\u{0}", "#", "\"", "sigmoid", "0x1p3", "inf", "nan", "1_000", "a.b", "..", "'", "\\",
  ]

  /// No crash and no hang; what parses is printed and read again.
  @Test func randomStrings() throws {
    var random = Generator(seed: 1)
    var parsed = 0
    for k in 0..<10_000 {
      var text = ""
      for _ in 0..<random.below(k % 100 == 0 ? 2_000 : 14) {
        // Mostly words of the grammar, so that many strings come near to formulas.
        if random.below(8) == 0 {
          text.unicodeScalars.append(Unicode.Scalar(UInt32(random.below(0x500))) ?? " ")
        } else {
          text += random.pick(Self.words)
        }
      }
      guard let tree = try? FormulaTree(parsing: text) else { continue }
      parsed += 1
      #expect(try FormulaTree(parsing: tree.description) == tree, "\(text)")
      if let formula = try? Formula(tree, variables: ["x", "y", "V[0,1]"]) {
        _ = FormulaProgram(formula)([0.5, 2, -1])
      }
    }
    #expect(parsed > 300)
  }

  /// Strings that are formulas but for one character.
  @Test func damagedFormulas() {
    var random = Generator(seed: 2)
    for _ in 0..<2_000 {
      var text = Array(random.tree(depth: 4).description.unicodeScalars.prefix(400))
      text[random.below(text.count)] = Unicode.Scalar(UInt32(random.below(128)))!
      _ = try? FormulaTree(parsing: String(String.UnicodeScalarView(text)))
    }
  }

  /// A tree is printed and read again; compiled, its value is that of plain recursion; its derivatives do not crash.
  @Test func randomTrees() throws {
    var random = Generator(seed: 3)
    var finite = 0
    for k in 0..<10_000 {
      let tree = random.tree(depth: 1 + k % 6)
      #expect(try FormulaTree(parsing: tree.description) == tree, "\(tree)")
      let formula = try Formula(tree, variables: Generator.names)
      let point = Generator.names.map { _ in random.real(-3...3) }
      let value = FormulaProgram(formula)(point)[0]
      if let plain = try? Reference.value(tree, point), plain.isFinite {
        finite += 1
        #expect(Reference.agree(value, plain, tree, point), "\(tree) at \(point): \(value), not \(plain)")
      }
      if k % 10 == 0, let slope = try? formula.derivative("x") { _ = FormulaProgram([formula, slope])(point) }
    }
    #expect(finite > 5_000)
  }

  /// Derivatives of random trees against differences, wherever differences of two widths say the same.
  @Test func randomDerivatives() throws {
    var random = Generator(seed: 4)
    var compared = 0
    for k in 0..<8_000 {
      let tree = random.tree(depth: 2 + k % 3)
      let formula = try Formula(tree, variables: Generator.names)
      let point = Generator.names.map { _ in random.real(-3...3) }
      guard formula.dependencies.contains("x"), let derivative = try? formula.derivative("x") else { continue }
      let program = FormulaProgram(formula)
      func value(_ shift: Double) -> Double { program([point[0] + shift] + point.dropFirst())[0] }
      let (h, size) = (1e-4, abs(value(0)))
      let wide = (value(2 * h) - value(-2 * h)) / (4 * h)
      let narrow = (value(h) - value(-h)) / (2 * h)
      // Rounding of the values, and terms of the next order.
      let tolerance = 1e-5 * abs(narrow) + 1e-11 * size / h + 1e-290
      guard wide.isFinite, narrow.isFinite, abs(wide - narrow) <= tolerance,
        // 0^-1 times 0, overflow: the slope is finite, a part of it is not.
        derivative.domainEvent(at: point) == nil
      else { continue }
      compared += 1
      let slope = FormulaProgram(derivative)(point)[0]
      #expect(abs(slope - narrow) <= 4 * tolerance, "\(tree) at \(point): \(slope), not \(narrow)")
    }
    #expect(compared > 1_500)
  }
}
