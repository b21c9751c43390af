/// One loop over a block: an operation on whole registers and numbers, or a few operations that often come together.
///
/// Every fused form gives the bits of the operations one after the other (but for signs of zeros).
struct Instruction: Sendable {
  /// Which operands of a binary operation are a register, which a number.
  enum Form: UInt8, Sendable {
    case registers, registerNumber, numberRegister
  }

  enum Code: Sendable {
    case copy
    case fill
    /// `f(k a)`, k = 1 but where the function is in `Code.scales`.
    case unary(Operation)
    case binary(Operation, Form)
    /// `k a + l`.
    case affine
    /// `a (a > 0 ? k : l)`.
    case slopes
    /// `a normcdf(a)`.
    case gaussianUnit
    /// `a < b ? c : d` or with `<=`; the comparison has a form, and c and d may be the numbers l and m.
    case choose(Operation, Form, Bool, Bool)
    /// `a != 0 ? c : d`.
    case chooseMarked(Bool, Bool)

    /// Whether the function takes its argument times a number.
    static func scales(_ operation: Operation) -> Bool {
      switch operation {
      case .exponential, .sine, .cosine, .sinh, .tanh, .erf, .normal, .sigmoid, .softplus, .silu: true
      default: false
      }
    }
  }

  let code: Code
  /// Registers by their slots; -1 where there is none.
  var out: Int32 = -1
  var a: Int32 = -1
  var b: Int32 = -1
  var c: Int32 = -1
  var d: Int32 = -1
  /// Numbers: of a binary operation or comparison k, of a choice l and m.
  var k = 1.0
  var l = 0.0
  var m = 0.0

  var operands: [Int32] { [a, b, c, d].filter { $0 >= 0 } }

  /// Whether its loop is vector code where the result is one of the operands.
  var writesInPlace: Bool {
    switch code {
    case .choose, .chooseMarked: operands.count <= 1
    default: true
    }
  }

  /// Whether it looks up a `GaussianIntegral`, which needs room.
  var needsRoom: Bool {
    switch code {
    case .gaussianUnit, .unary(.erf), .unary(.normal): true
    default: false
    }
  }
}
