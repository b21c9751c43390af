import Kernels

/// What a node of a graph does with its arguments.
enum Operation: UInt8, Sendable {
  case constant, variable
  case negate, add, subtract, multiply, divide
  /// u^n, n a whole number in the payload.
  case power
  /// u^v.
  case raise
  case squareRoot, exponential, expm1, logarithm, log1p
  case sine, cosine, tangent, angle, sinh, cosh, tanh
  case erf, normal, sigmoid, softplus, silu, digamma, trigamma
  case magnitude, sign, minimum, maximum
  /// Conditions are 1 or 0.
  case less, lessOrEqual, both, either
  /// Where the first argument is not 0 the second, elsewhere the third.
  case choose

  var arity: Int {
    switch self {
    case .constant, .variable: 0
    case .add, .subtract, .multiply, .divide, .raise, .angle, .minimum, .maximum, .less, .lessOrEqual, .both, .either: 2
    case .choose: 3
    default: 1
    }
  }

  var isCommutative: Bool {
    switch self {
    case .add, .multiply, .both, .either: true
    default: false
    }
  }

  /// How messages call it.
  var name: String {
    switch self {
    case .constant, .variable: ""
    case .negate: "-"
    case .add: "+"
    case .subtract: "-"
    case .multiply: "*"
    case .divide: "/"
    case .power, .raise: "^"
    case .squareRoot: "sqrt"
    case .exponential: "exp"
    case .expm1: "expm1"
    case .logarithm: "log"
    case .log1p: "log1p"
    case .sine: "sin"
    case .cosine: "cos"
    case .tangent: "tan"
    case .angle: "atan2"
    case .sinh: "sinh"
    case .cosh: "cosh"
    case .tanh: "tanh"
    case .erf: "erf"
    case .normal: "normcdf"
    case .sigmoid: "sigmoid"
    case .softplus: "softplus"
    case .silu: "silu"
    case .digamma: "digamma"
    case .trigamma: "trigamma"
    case .magnitude: "abs"
    case .sign: "sign"
    case .minimum: "min"
    case .maximum: "max"
    case .less: "<"
    case .lessOrEqual: "<="
    case .both: "&"
    case .either: "|"
    case .choose: "where"
    }
  }

  /// The value at one point, by the functions of the block loops. Constants are folded with it, and domain events found.
  func value(_ a: Double, _ b: Double, _ c: Double, exponent: Int) -> Double {
    switch self {
    case .constant, .variable: a
    case .negate: -a
    case .add: a + b
    case .subtract: a - b
    case .multiply: a * b
    case .divide: a / b
    case .power: Scalar.power(a, exponent)
    case .raise: Scalar.raise(a, b)
    case .squareRoot: a.squareRoot()
    case .exponential: Elementary.exp(a)
    case .expm1: Scalar.expm1(a)
    case .logarithm: Elementary.log(a)
    case .log1p: Scalar.log1p(a)
    case .sine: Elementary.sinCos(a).sin
    case .cosine: Elementary.sinCos(a).cos
    case .tangent: Scalar.tangent(a)
    case .angle: Scalar.angle(a, b)
    case .sinh: Elementary.sinh(a)
    case .cosh: Scalar.cosh(a)
    case .tanh: Elementary.tanh(a)
    case .erf: Elementary.erf(a)
    case .normal: Scalar.normal(a)
    case .sigmoid: Elementary.sigmoid(a)
    case .softplus: Elementary.softplus(a)
    case .silu: Elementary.silu(a)
    case .digamma: Scalar.digamma(a)
    case .trigamma: Scalar.trigamma(a)
    case .magnitude: a.magnitude
    case .sign: Scalar.sign(a)
    case .minimum: Scalar.minimum(a, b)
    case .maximum: Scalar.maximum(a, b)
    case .less: a < b ? 1 : 0
    case .lessOrEqual: a <= b ? 1 : 0
    case .both: a * b
    case .either: a > b ? a : b
    case .choose: a != 0 ? b : c
    }
  }
}
