import Formulas
import Foundation

/// Formulas by plain recursion over their tree, with the functions of the system's library.
struct Reference {
  /// Where the sign of a zero decides, or nothing is known: not compared.
  struct Undetermined: Error {}

  private let point: [Double]
  private let nudge: Double
  private var random = Generator(seed: 11)

  /// - Parameter nudge: every intermediate result is moved by up to this share of it: what that changes is how well the value is
  ///   determined.
  static func value(_ tree: FormulaTree, _ point: [Double], nudge: Double = 0) throws -> Double {
    var reference = Reference(point: point, nudge: nudge)
    return try reference.value(tree)
  }

  private init(point: [Double], nudge: Double) {
    self.point = point
    self.nudge = nudge
  }

  private mutating func moved(_ x: Double) -> Double { nudge == 0 ? x : x * (1 + nudge * random.real(-1...1)) }

  private mutating func value(_ tree: FormulaTree) throws -> Double {
    switch tree.kind {
    case .number(let value): return value
    case .name(let name): return point[Generator.names.firstIndex(of: name)!]
    case .negated(let a): return try -value(a)
    case .binary(let symbol, let a, let b):
      let (x, y) = (try value(a), try value(b))
      switch symbol {
      case .plus: return moved(x + y)
      case .minus: return moved(x - y)
      case .times: return moved(x * y)
      case .over:
        if y == 0 { throw Undetermined() }
        return moved(x / y)
      case .power:
        // A negative base needs an exponent that is a whole number by its form; the power of 1 is not NaN for the system.
        if x == 0 || !x.isFinite || !y.isFinite || x < 0 && (abs(y) > 1024 || !b.names.isEmpty) { throw Undetermined() }
        return moved(pow(x, y))
      case .less: return x < y ? 1 : 0
      case .lessOrEqual: return x <= y ? 1 : 0
      case .greater: return x > y ? 1 : 0
      case .greaterOrEqual: return x >= y ? 1 : 0
      case .and: return x * y
      case .or: return max(x, y)
      }
    case .call(let name, let list):
      let arguments = try list.map { try value($0) }
      if name.hasSuffix("gamma") || name == "atan2" && arguments[0] == 0 { throw Undetermined() }
      return moved(Self.call(name, arguments))
    }
  }

  private static func call(_ name: String, _ list: [Double]) -> Double {
    let x = list[0]
    switch name {
    case "exp": return exp(x)
    case "expm1": return expm1(x)
    case "log": return log(x)
    case "log1p": return log1p(x)
    case "sqrt": return x.squareRoot()
    case "abs": return abs(x)
    case "sign": return x > 0 ? 1 : (x < 0 ? -1 : x)
    case "min": return list.contains(where: \.isNaN) ? .nan : list.min()!
    case "max": return list.contains(where: \.isNaN) ? .nan : list.max()!
    case "sin": return abs(x) > 0x1p20 ? .nan : sin(x)
    case "cos": return abs(x) > 0x1p20 ? .nan : cos(x)
    case "tan": return abs(x) > 0x1p20 ? .nan : tan(x)
    case "atan": return atan(x)
    case "atan2": return atan2(x, list[1])
    case "sinh": return abs(x) > 709 ? (x < 0 ? -.infinity : .infinity) : sinh(x)
    case "cosh": return abs(x) > 709 ? .infinity : cosh(x)
    case "tanh": return tanh(x)
    case "erf": return erf(x)
    case "normcdf": return 0.5 * erfc(-x / 2.0.squareRoot())
    case "sigmoid": return 1 / (1 + exp(-x))
    case "softplus": return max(x, 0) + log(1 + exp(-abs(x)))
    case "relu": return x.isNaN ? x : max(x, 0)
    case "silu": return x / (1 + exp(-x))
    case "gelu": return x * 0.5 * erfc(-x / 2.0.squareRoot())
    case "where": return x != 0 ? list[1] : list[2]
    default: preconditionFailure(name)
    }
  }

  /// Whether two values agree as far as the formula determines its value: a thousand times what relative changes of 1e-13 of all
  /// intermediate results make of it, plus 1e-12.
  static func agree(_ value: Double, _ plain: Double, _ tree: FormulaTree, _ point: [Double]) -> Bool {
    let moved = [1e-13, 2e-13, 3e-13].map { (try? Self.value(tree, point, nudge: $0)) ?? .nan }
    guard moved.allSatisfy(\.isFinite) else { return true }
    let spread = moved.map { abs($0 - plain) }.max()!
    return abs(value - plain) <= 1e-12 * abs(plain) + 1000 * spread + 1e-300
  }
}
