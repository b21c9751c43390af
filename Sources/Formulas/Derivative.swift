/// Symbolic derivatives. Where a function has a kink, the slope is the one below it: the limit from smaller values of the variable.
extension Graph {
  /// - Returns: nil where the derivative is 0 by its form.
  /// - Throws: `FormulaError` where an operation has no derivative, or the graph becomes too large.
  mutating func derivative(of root: ID, variable: Int) throws -> ID? {
    let marks = needed(by: [root])
    var slopes = [ID?](repeating: nil, count: marks.count)
    for k in marks.indices where marks[k] {
      let node = nodes[k]
      column = Int(columns[k])
      let (du, dv, dw) = (known(slopes, node.a), known(slopes, node.b), known(slopes, node.c))
      if node.operation == .variable {
        slopes[k] = node.exponent == variable ? make(1) : nil
      } else if du != nil || dv != nil || dw != nil {
        let value = try slope(of: ID(k), node, du, dv, dw, variable: variable)
        slopes[k] = value.flatMap { constant($0) == 0 ? nil : $0 }
      }
      guard nodes.count <= Self.largest else {
        throw FormulaError(column, "the derivative has more than \(Self.largest) parts; a lower order is needed")
      }
    }
    return slopes[Int(root)]
  }

  private func known(_ slopes: [ID?], _ id: ID) -> ID? { id < 0 ? nil : slopes[Int(id)] }

  private mutating func sum(_ a: ID?, _ b: ID?) -> ID? {
    guard let a else { return b }
    guard let b else { return a }
    return make(.add, a, b)
  }

  private mutating func difference(_ a: ID?, _ b: ID?) -> ID? {
    guard let b else { return a }
    guard let a else { return make(.negate, b) }
    return make(.subtract, a, b)
  }

  private mutating func product(_ a: ID?, _ b: ID?) -> ID? {
    guard let a, let b else { return nil }
    return make(.multiply, a, b)
  }

  private mutating func oneMinus(_ a: ID) -> ID {
    let one = make(1)
    return make(.subtract, one, a)
  }

  /// The derivative of a node y with arguments u, v, w from their slopes, at least one of them not 0.
  private mutating func slope(
    of y: ID, _ node: Node, _ du: ID?, _ dv: ID?, _ dw: ID?, variable: Int
  ) throws -> ID? {
    let (u, v) = (node.a, node.b)
    switch node.operation {
    case .constant, .variable: return nil
    case .negate: return difference(nil, du)
    case .add: return sum(du, dv)
    case .subtract: return difference(du, dv)
    case .multiply:
      let (left, right) = (product(du, v), product(u, dv))
      return sum(left, right)
    case .divide:
      guard let dv else { return make(.divide, du!, v) }
      // (u' - y v')/v.
      let lost = product(y, dv)
      return difference(du, lost).map { make(.divide, $0, v) }
    case .raise: return raisedSlope(of: y, u, v, du, dv)
    case .minimum, .maximum: return extremeSlope(node, du, dv)
    case .angle: return angleSlope(u, v, du, dv)
    case .magnitude:
      let opposite = make(.negate, u)
      return extremeSlope(Node(operation: .maximum, a: u, b: opposite), du, difference(nil, du))
    case .sign, .less, .lessOrEqual, .both, .either: return nil
    case .choose:
      if dv == nil && dw == nil { return nil }
      let condition = try below(u, variable)
      let zero = make(0)
      return make(.choose, condition, dv ?? zero, dw ?? zero)
    default:
      let outer = try outerSlope(of: y, node)
      return product(outer, du)
    }
  }

  /// f'(u) of a node y = f(u).
  private mutating func outerSlope(of y: ID, _ node: Node) throws -> ID {
    let u = node.a
    let one = make(1)
    switch node.operation {
    case .power:
      let factor = make(Double(node.exponent))
      let lower = make(.power, u, exponent: node.exponent - 1)
      return make(.multiply, factor, lower)
    case .squareRoot:
      let half = make(0.5)
      return make(.divide, half, y)
    case .exponential: return y
    case .expm1: return make(.add, y, one)
    case .logarithm: return make(.divide, one, u)
    case .log1p:
      let shifted = make(.add, one, u)
      return make(.divide, one, shifted)
    case .sine: return make(.cosine, u)
    case .cosine:
      let sine = make(.sine, u)
      return make(.negate, sine)
    case .tangent:
      let square = make(.power, y, exponent: 2)
      return make(.add, one, square)
    case .sinh: return make(.cosh, u)
    case .cosh: return make(.sinh, u)
    case .tanh:
      let square = make(.power, y, exponent: 2)
      return oneMinus(square)
    // 2/sqrt(pi) e^(-u^2) and e^(-u^2/2)/sqrt(2 pi).
    case .erf: return bell(u, height: 0x1.20dd750429b6dp+0, rate: 1)
    case .normal: return bell(u, height: 0x1.9884533d43651p-2, rate: 0.5)
    case .sigmoid:
      let rest = oneMinus(y)
      return make(.multiply, y, rest)
    case .softplus: return make(.sigmoid, u)
    case .silu:
      let s = make(.sigmoid, u)
      let rest = oneMinus(s)
      let second = make(.multiply, y, rest)
      return make(.add, s, second)
    case .digamma: return make(.trigamma, u)
    default: throw FormulaError(column, "\(node.operation.name) has no derivative here")
    }
  }

  private mutating func bell(_ u: ID, height: Double, rate: Double) -> ID {
    let square = make(.power, u, exponent: 2)
    let (minus, scale) = (make(-rate), make(height))
    let inner = make(.multiply, minus, square)
    let bell = make(.exponential, inner)
    return make(.multiply, scale, bell)
  }

  /// `v u^(v-1) u' + u^v log(u) v'`.
  private mutating func raisedSlope(of y: ID, _ u: ID, _ v: ID, _ du: ID?, _ dv: ID?) -> ID? {
    let minusOne = make(-1)
    let lower = make(.add, v, minusOne)
    let power = make(.raise, u, lower)
    let outer = make(.multiply, v, power)
    let first = product(outer, du)
    guard let dv else { return first }
    let logarithm = make(.logarithm, u)
    let growth = make(.multiply, y, logarithm)
    let second = product(growth, dv)
    return sum(first, second)
  }

  /// `(x y' - y x')/(x^2 + y^2)` of the angle of (x, y); u is y and v is x.
  private mutating func angleSlope(_ u: ID, _ v: ID, _ du: ID?, _ dv: ID?) -> ID? {
    let (first, second) = (product(v, du), product(u, dv))
    let (vv, uu) = (make(.power, v, exponent: 2), make(.power, u, exponent: 2))
    let square = make(.add, vv, uu)
    return difference(first, second).map { make(.divide, $0, square) }
  }

  /// The slope of min or max: that of the chosen argument. Where both are equal, just below the point the maximum has the smaller
  /// slope of the two, the minimum the larger one.
  private mutating func extremeSlope(_ node: Node, _ du: ID?, _ dv: ID?) -> ID? {
    let zero = make(0)
    let (left, right) = (du ?? zero, dv ?? zero)
    let isMaximum = node.operation == .maximum
    let leftWins = isMaximum ? make(.less, node.b, node.a) : make(.less, node.a, node.b)
    let rightWins = isMaximum ? make(.less, node.a, node.b) : make(.less, node.b, node.a)
    if let l = constant(left), let r = constant(right) {
      let tieIsRight = isMaximum ? l > r : l < r
      return tieIsRight ? make(.choose, leftWins, left, right) : make(.choose, rightWins, right, left)
    }
    let tie = make(isMaximum ? .minimum : .maximum, left, right)
    let otherwise = make(.choose, rightWins, right, tie)
    return make(.choose, leftWins, left, otherwise)
  }

  /// What a condition is just below the point, where its sides are equal at the point itself.
  private mutating func below(_ condition: ID, _ variable: Int) throws -> ID {
    let node = self[condition]
    switch node.operation {
    case .both, .either:
      let (left, right) = (try below(node.a, variable), try below(node.b, variable))
      return make(node.operation, left, right)
    case .less, .lessOrEqual:
      // u < v with d = v - u: below a point with d = 0 it holds if d falls.
      let (du, dv) = (try derivative(of: node.a, variable: variable), try derivative(of: node.b, variable: variable))
      guard let change = difference(dv, du) else { return condition }
      if let c = constant(change) {
        return c == 0 ? condition : make(c > 0 ? .less : .lessOrEqual, node.a, node.b)
      }
      let (strict, weak) = (make(.less, node.a, node.b), make(.lessOrEqual, node.a, node.b))
      let zero = make(0)
      let falls = make(.less, change, zero)
      let touching = make(.both, weak, falls)
      return make(.either, strict, touching)
    default: return condition
    }
  }
}
