import Formulas

/// Random numbers of the tests: a linear congruence, its upper bits.
struct Generator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func below(_ bound: Int) -> Int {
    state = state &* 0x5851_f42d_4c95_7f2d &+ 0x1405_7b7e_f767_814f
    return Int((state >> 33) % UInt64(bound))
  }

  mutating func real(_ range: ClosedRange<Double>) -> Double {
    let share = (Double(below(1 << 30)) + Double(below(1 << 20)) * 0x1p-20) * 0x1p-30
    return range.lowerBound + (range.upperBound - range.lowerBound) * share
  }

  mutating func pick<T>(_ list: [T]) -> T { list[below(list.count)] }

  /// Any tree that the grammar can say.
  mutating func tree(depth: Int) -> FormulaTree {
    let leaf = depth == 0 || below(5) == 0
    if leaf {
      switch below(4) {
      case 0:
        return FormulaTree(
          .number(pick([0, 1, 2, 0.5, 1e-300, 1e300, 3.25, .pi, Double.leastNonzeroMagnitude, 1e22, 123_456_789])))
      case 1: return FormulaTree(.number(real(0...10)))
      default: return FormulaTree(.name(pick(Self.names)))
      }
    }
    switch below(8) {
    case 0: return FormulaTree(.negated(tree(depth: depth - 1)))
    case 1...4:
      let symbol = pick([FormulaTree.Operator.plus, .minus, .times, .over, .power])
      return FormulaTree(.binary(symbol, tree(depth: depth - 1), tree(depth: depth - 1)))
    case 5:
      return FormulaTree(
        .call("where", [condition(depth: depth - 1), tree(depth: depth - 1), tree(depth: depth - 1)]))
    default:
      let function = pick(FormulaFunction.all.filter { $0.name != "where" })
      let count = function.arity.lowerBound + below(min(3, function.arity.count))
      return FormulaTree(.call(function.name, (0..<count).map { _ in tree(depth: depth - 1) }))
    }
  }

  static let names = ["x", "y", "V[0,1]", "a.b", "log_lambda[3]"]

  private mutating func condition(depth: Int) -> FormulaTree {
    if depth > 1 && below(3) == 0 {
      return FormulaTree(
        .binary(pick([.and, .or]), condition(depth: depth - 1), condition(depth: depth - 1)))
    }
    let symbol = pick([FormulaTree.Operator.less, .lessOrEqual, .greater, .greaterOrEqual])
    let inner = max(depth - 1, 0)
    return FormulaTree(.binary(symbol, tree(depth: inner), tree(depth: inner)))
  }
}
