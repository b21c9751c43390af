import Kernels

/// The loops: each over neighbouring numbers of a block, one function of `Elementary` inside, so that it becomes vector code. The same
/// bits come out of the vectors and of what is left at the end, so the length of a block does not matter.
enum Block {
  typealias Register = UnsafeMutablePointer<Double>

  /// One operand: a loop of its own where it is also the result, which the compiler could not tell otherwise.
  @inline(__always)
  private static func map(_ a: Register, _ out: Register, _ count: Int, _ f: (Double) -> Double) {
    if a == out {
      for i in 0..<count { out[i] = f(out[i]) }
    } else {
      for i in 0..<count { out[i] = f(a[i]) }
    }
  }

  /// Two operands, as `map`.
  @inline(__always)
  private static func zip(_ a: Register, _ b: Register, _ out: Register, _ count: Int, _ f: (Double, Double) -> Double)
  {
    if a == b {
      map(a, out, count) { f($0, $0) }
    } else if a == out {
      for i in 0..<count { out[i] = f(out[i], b[i]) }
    } else if b == out {
      for i in 0..<count { out[i] = f(a[i], out[i]) }
    } else {
      for i in 0..<count { out[i] = f(a[i], b[i]) }
    }
  }

  private protocol Operand {
    func at(_ i: Int) -> Double
  }

  private struct Many: Operand {
    let register: Register
    @inline(__always) func at(_ i: Int) -> Double { register[i] }
  }

  private struct One: Operand {
    let number: Double
    @inline(__always) func at(_ i: Int) -> Double { number }
  }

  /// - Parameters:
  ///   - slots: the registers.
  ///   - room: 3 numbers for each of the block, for look-ups.
  static func run(_ step: Instruction, _ slots: UnsafeMutablePointer<Register>, _ count: Int, room: Register) {
    let out = slots[Int(step.out)]
    switch step.code {
    case .copy:
      let a = slots[Int(step.a)]
      if a != out { out.update(from: a, count: count) }
    case .fill: out.update(repeating: step.k, count: count)
    case .unary(let operation): unary(operation, slots[Int(step.a)], step.k, out, count, room)
    case .binary(let operation, let form): binary(operation, form, step, slots, out, count)
    case .affine:
      let (k, l) = (step.k, step.l)
      map(slots[Int(step.a)], out, count) { k * $0 + l }
    case .slopes:
      let (k, l) = (step.k, step.l)
      map(slots[Int(step.a)], out, count) { $0 * ($0 > 0 ? k : l) }
    case .gaussianUnit:
      integral(.normal, slots[Int(step.a)], 1, out, count, room, magnitudes: false) { x, value in x * value }
    case .choose(let comparison, let form, let isNumber, let isOtherNumber):
      let condition = Condition.comparison(comparison, form)
      choose(condition, step, slots, out, count, isNumber, isOtherNumber)
    case .chooseMarked(let isNumber, let isOtherNumber):
      choose(.marked, step, slots, out, count, isNumber, isOtherNumber)
    }
  }

  private static func unary(
    _ operation: Operation, _ a: Register, _ k: Double, _ out: Register, _ count: Int, _ room: Register
  ) {
    switch operation {
    case .negate: map(a, out, count) { -$0 }
    case .squareRoot: map(a, out, count) { $0.squareRoot() }
    case .exponential: map(a, out, count) { Elementary.exp(k * $0) }
    case .expm1: map(a, out, count) { Scalar.expm1($0) }
    case .logarithm: map(a, out, count) { Elementary.log($0) }
    case .log1p: map(a, out, count) { Scalar.log1p($0) }
    case .sine: map(a, out, count) { Elementary.sinCos(k * $0).sin }
    case .cosine: map(a, out, count) { Elementary.sinCos(k * $0).cos }
    case .tangent: map(a, out, count) { Scalar.tangent($0) }
    case .sinh: map(a, out, count) { Elementary.sinh(k * $0) }
    case .cosh: map(a, out, count) { Scalar.cosh($0) }
    case .tanh: map(a, out, count) { Elementary.tanh(k * $0) }
    case .erf: integral(.erf, a, k, out, count, room, magnitudes: true) { Elementary.erf($0, $1) }
    case .normal: integral(.normal, a, k, out, count, room, magnitudes: false) { x, value in x != x ? x : value }
    case .sigmoid: map(a, out, count) { Elementary.sigmoid(k * $0) }
    case .softplus: map(a, out, count) { Elementary.softplus(k * $0) }
    case .silu: map(a, out, count) { Elementary.silu(k * $0) }
    case .digamma: map(a, out, count) { Scalar.digamma($0) }
    case .trigamma: map(a, out, count) { Scalar.trigamma($0) }
    case .magnitude: map(a, out, count) { $0.magnitude }
    case .sign: map(a, out, count) { Scalar.sign($0) }
    default: preconditionFailure("\(operation) does not take one operand")
    }
  }

  @inline(__always)
  private static func integral(
    _ table: GaussianIntegral, _ a: Register, _ k: Double, _ out: Register, _ count: Int, _ room: Register,
    magnitudes: Bool, _ finish: (Double, Double) -> Double
  ) {
    if a != out { out.update(from: a, count: count) }
    table.apply(out, count, scale: k, magnitudes: magnitudes, room: room) { _, x, value in finish(x, value) }
  }

  private static func binary(
    _ operation: Operation, _ form: Instruction.Form, _ step: Instruction, _ slots: UnsafeMutablePointer<Register>,
    _ out: Register, _ count: Int
  ) {
    @inline(__always)
    func loop(_ f: (Double, Double) -> Double) {
      let k = step.k
      switch form {
      case .registers:
        zip(slots[Int(step.a)], slots[Int(step.b)], out, count, f)
      case .registerNumber: map(slots[Int(step.a)], out, count) { f($0, k) }
      case .numberRegister: map(slots[Int(step.b)], out, count) { f(k, $0) }
      }
    }
    switch operation {
    case .add: loop { $0 + $1 }
    case .subtract: loop { $0 - $1 }
    case .multiply: loop { $0 * $1 }
    case .divide: loop { $0 / $1 }
    case .raise: loop { Scalar.raise($0, $1) }
    case .angle: loop { Scalar.angle($0, $1) }
    case .minimum: loop { Scalar.minimum($0, $1) }
    case .maximum: loop { Scalar.maximum($0, $1) }
    case .less: loop { $0 < $1 ? 1 : 0 }
    case .lessOrEqual: loop { $0 <= $1 ? 1 : 0 }
    case .both: loop { $0 * $1 }
    case .either: loop { $0 > $1 ? $0 : $1 }
    default: preconditionFailure("\(operation) does not take two operands")
    }
  }

  private enum Condition {
    case comparison(Operation, Instruction.Form)
    case marked
  }

  private static func choose(
    _ condition: Condition, _ step: Instruction, _ slots: UnsafeMutablePointer<Register>, _ out: Register,
    _ count: Int, _ isNumber: Bool, _ isOtherNumber: Bool
  ) {
    let (p, q) = (One(number: step.l), One(number: step.m))
    switch (isNumber, isOtherNumber) {
    case (true, true): choose(condition, step, slots, out, count, p, q)
    case (true, false): choose(condition, step, slots, out, count, p, Many(register: slots[Int(step.d)]))
    case (false, true): choose(condition, step, slots, out, count, Many(register: slots[Int(step.c)]), q)
    case (false, false):
      choose(
        condition, step, slots, out, count, Many(register: slots[Int(step.c)]), Many(register: slots[Int(step.d)]))
    }
  }

  @inline(__always)
  private static func choose<P: Operand, Q: Operand>(
    _ condition: Condition, _ step: Instruction, _ slots: UnsafeMutablePointer<Register>, _ out: Register,
    _ count: Int, _ p: P, _ q: Q
  ) {
    @inline(__always)
    func loop<A: Operand, B: Operand>(_ a: A, _ b: B, orEqual: Bool) {
      if orEqual {
        for i in 0..<count { out[i] = a.at(i) <= b.at(i) ? p.at(i) : q.at(i) }
      } else {
        for i in 0..<count { out[i] = a.at(i) < b.at(i) ? p.at(i) : q.at(i) }
      }
    }
    let k = One(number: step.k)
    switch condition {
    case .comparison(let comparison, let form):
      let orEqual = comparison == .lessOrEqual
      switch form {
      case .registers: loop(Many(register: slots[Int(step.a)]), Many(register: slots[Int(step.b)]), orEqual: orEqual)
      case .registerNumber: loop(Many(register: slots[Int(step.a)]), k, orEqual: orEqual)
      case .numberRegister: loop(k, Many(register: slots[Int(step.b)]), orEqual: orEqual)
      }
    case .marked:
      let a = slots[Int(step.a)]
      for i in 0..<count { out[i] = a[i] != 0 ? p.at(i) : q.at(i) }
    }
  }
}
