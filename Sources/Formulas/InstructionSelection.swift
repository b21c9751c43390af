/// From a node to the loop that computes it, operands still being nodes.
extension Graph {
  /// - Parameter uses: how many nodes and results take each node.
  func instruction(for id: ID, uses: [Int]) -> Instruction {
    let node = self[id]
    switch node.operation {
    case .constant: return Instruction(code: .fill, k: Double(bitPattern: node.payload))
    case .variable, .power: preconditionFailure("no instruction for \(node.operation)")
    case .add:
      if let slopes = slopesOfSum(node) { return slopes }
      if let c = constant(node.a), let (k, u) = scaled(node.b) {
        return Instruction(code: .affine, a: u, k: k, l: c)
      }
      if let c = constant(node.b), let (k, u) = scaled(node.a) {
        return Instruction(code: .affine, a: u, k: k, l: c)
      }
    case .multiply:
      for (u, other) in [(node.a, node.b), (node.b, node.a)] {
        if self[other].operation == .normal, self[other].a == u, uses[Int(other)] == 1 {
          return Instruction(code: .gaussianUnit, a: u)
        }
        if let (plus, minus) = signChoice(self[other], u), let p = constant(plus), let m = constant(minus) {
          return Instruction(code: .slopes, a: u, k: p, l: m)
        }
      }
    case .minimum, .maximum:
      // max(k u, l u).
      for u in [node.a, node.b, scaled(node.a)?.1, scaled(node.b)?.1].compactMap({ $0 }) {
        guard let k = multiple(node.a, u), let l = multiple(node.b, u), k != 0, l != 0 else { continue }
        let (larger, smaller) = (max(k, l), min(k, l))
        return node.operation == .maximum
          ? Instruction(code: .slopes, a: u, k: larger, l: smaller)
          : Instruction(code: .slopes, a: u, k: smaller, l: larger)
      }
    case .choose: return choice(node)
    default: break
    }
    guard node.operation.arity == 2 else {
      if Instruction.Code.scales(node.operation), let (k, u) = scaled(node.a) {
        return Instruction(code: .unary(node.operation), a: u, k: k)
      }
      return Instruction(code: .unary(node.operation), a: node.a)
    }
    let (form, k) = form(node)
    return Instruction(
      code: .binary(node.operation, form), a: form == .numberRegister ? -1 : node.a,
      b: form == .registerNumber ? -1 : node.b, k: k)
  }

  private func form(_ node: Node) -> (Instruction.Form, Double) {
    if let k = constant(node.b) { return (.registerNumber, k) }
    if let k = constant(node.a) { return (.numberRegister, k) }
    return (.registers, 1)
  }

  /// k and u of a node k u.
  private func scaled(_ id: ID) -> (Double, ID)? {
    let node = self[id]
    guard node.operation == .multiply, let k = constant(node.a) else { return nil }
    return (k, node.b)
  }

  /// What is chosen above 0 and below, of a choice by the sign of u.
  private func signChoice(_ node: Node, _ u: ID) -> (plus: ID, minus: ID)? {
    guard node.operation == .choose else { return nil }
    let condition = self[node.a]
    guard condition.operation == .less || condition.operation == .lessOrEqual else { return nil }
    if condition.b == u, constant(condition.a) == 0 { return (node.b, node.c) }
    if condition.a == u, constant(condition.b) == 0 { return (node.c, node.b) }
    return nil
  }

  /// `k max(u, 0) + l min(u, 0)`.
  private func slopesOfSum(_ node: Node) -> Instruction? {
    for (first, second) in [(node.a, node.b), (node.b, node.a)] {
      let (k, top) = scaled(first) ?? (1, first)
      let (l, bottom) = scaled(second) ?? (1, second)
      let (maximum, minimum) = (self[top], self[bottom])
      if maximum.operation == .maximum, minimum.operation == .minimum, maximum.a == minimum.a,
        constant(maximum.b) == 0, constant(minimum.b) == 0
      {
        return Instruction(code: .slopes, a: maximum.a, k: k, l: l)
      }
    }
    return nil
  }

  private func choice(_ node: Node) -> Instruction {
    let condition = self[node.a]
    let isComparison = condition.operation == .less || condition.operation == .lessOrEqual
    if isComparison {
      // where(u > 0, k u, l u).
      for u in [condition.a, condition.b] {
        guard let (plus, minus) = signChoice(node, u), let k = multiple(plus, u), let l = multiple(minus, u)
        else { continue }
        return Instruction(code: .slopes, a: u, k: k, l: l)
      }
    }
    let (l, m) = (constant(node.b), constant(node.c))
    let (c, d) = (l == nil ? node.b : -1, m == nil ? node.c : -1)
    guard isComparison else {
      return Instruction(
        code: .chooseMarked(l != nil, m != nil), a: node.a, c: c, d: d, l: l ?? 0, m: m ?? 0)
    }
    let (form, k) = form(condition)
    return Instruction(
      code: .choose(condition.operation, form, l != nil, m != nil), a: form == .numberRegister ? -1 : condition.a,
      b: form == .registerNumber ? -1 : condition.b, c: c, d: d, k: k, l: l ?? 0, m: m ?? 0)
  }

  /// k of a node k u.
  private func multiple(_ id: ID, _ u: ID) -> Double? {
    if id == u { return 1 }
    if let (k, v) = scaled(id), v == u { return k }
    let node = self[id]
    return node.operation == .negate && node.a == u ? -1 : nil
  }
}
