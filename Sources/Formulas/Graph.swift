/// Formulas as a graph in which equal parts are one node, with parameters put in.
///
/// Arguments come before the node that takes them, so that a loop over the nodes replaces recursion: derivatives can be deep.
/// The `make…` functions simplify, and never change a value (zeros may change their sign).
struct Graph: Sendable {
  typealias ID = Int32

  struct Node: Hashable, Sendable {
    let operation: Operation
    var a: ID = -1
    var b: ID = -1
    var c: ID = -1
    /// Bits of a constant, number of a variable, exponent of a power.
    var payload: UInt64 = 0

    var exponent: Int { Int(Int64(bitPattern: payload)) }

    /// Calls `body` with each argument, from left to right.
    @inline(__always)
    func forEachArgument(_ body: (ID) throws -> Void) rethrows {
      let arity = operation.arity
      if arity > 0 { try body(a) }
      if arity > 1 { try body(b) }
      if arity > 2 { try body(c) }
    }
  }

  /// Nodes of a graph: a derivative of high order grows without bound.
  static let largest = 50_000

  private(set) var nodes: [Node] = []
  /// The column in the text that each node comes from.
  private(set) var columns: [Int32] = []
  private var ids: [Node: ID] = [:]
  /// Given to new nodes.
  var column: Int = 0

  /// The node, made if there is none like it.
  mutating func intern(_ node: Node) -> ID {
    if let id = ids[node] { return id }
    let id = ID(nodes.count)
    nodes.append(node)
    columns.append(Int32(column))
    ids[node] = id
    return id
  }

  subscript(id: ID) -> Node { nodes[Int(id)] }

  /// The value of a node that is a constant.
  func constant(_ id: ID) -> Double? {
    let node = self[id]
    return node.operation == .constant ? Double(bitPattern: node.payload) : nil
  }

  /// Which nodes these depend on, themselves included.
  func needed(by roots: [ID]) -> [Bool] {
    var marks = [Bool](repeating: false, count: nodes.count)
    for root in roots { marks[Int(root)] = true }
    for k in stride(from: nodes.count - 1, through: 0, by: -1) where marks[k] {
      nodes[k].forEachArgument { marks[Int($0)] = true }
    }
    return marks
  }

  /// The values of all nodes that are needed, the others 0.
  func values(at variables: [Double], needed: [Bool]) -> [Double] {
    var values = [Double](repeating: 0, count: nodes.count)
    for k in nodes.indices where needed[k] {
      let node = nodes[k]
      func of(_ id: ID) -> Double { id < 0 ? 0 : values[Int(id)] }
      values[k] =
        switch node.operation {
        case .constant: Double(bitPattern: node.payload)
        case .variable: variables[node.exponent]
        default: node.operation.value(of(node.a), of(node.b), of(node.c), exponent: node.exponent)
        }
    }
    return values
  }

  // MARK: Making nodes

  mutating func make(_ value: Double) -> ID { intern(Node(operation: .constant, payload: value.bitPattern)) }

  mutating func makeVariable(_ number: Int) -> ID { intern(Node(operation: .variable, payload: UInt64(number))) }

  /// Any operation, simplified where there is a rule for it.
  mutating func make(_ operation: Operation, _ a: ID, _ b: ID = -1, _ c: ID = -1, exponent: Int = 0) -> ID {
    // Powers have rules that come first: 2^3 is a product.
    if operation == .raise { return makeRaised(a, b) }
    if let folded = folded(operation, a, b, c, exponent) { return folded }
    switch operation {
    case .negate: return makeNegative(a)
    case .add: return makeSum(a, b)
    case .subtract: return makeDifference(a, b)
    case .multiply: return makeProduct(a, b)
    case .divide: return makeQuotient(a, b)
    case .power:
      if exponent == 0 { return make(1) }
      if exponent == 1 { return a }
    case .minimum, .maximum:
      if a == b { return a }
      // A constant stands last, where the loops take it as a number.
      if constant(a) != nil { return intern(Node(operation: operation, a: b, b: a)) }
    case .magnitude:
      if self[a].operation == .magnitude { return a }
      if self[a].operation == .negate { return make(.magnitude, self[a].a) }
    case .choose:
      if b == c { return b }
      if let condition = constant(a) { return condition != 0 ? b : c }
    default: break
    }
    if operation.isCommutative && a > b { return intern(Node(operation: operation, a: b, b: a)) }
    return intern(Node(operation: operation, a: a, b: b, c: c, payload: UInt64(bitPattern: Int64(exponent))))
  }

  /// Constants of constants; not where they are no numbers, so that an event can say where.
  private mutating func folded(_ operation: Operation, _ a: ID, _ b: ID, _ c: ID, _ exponent: Int) -> ID? {
    guard a >= 0, let x = constant(a) else { return nil }
    var (y, z) = (0.0, 0.0)
    if operation.arity > 1 {
      guard let value = constant(b) else { return nil }
      y = value
    }
    if operation.arity > 2 {
      guard let value = constant(c) else { return nil }
      z = value
    }
    let value = operation.value(x, y, z, exponent: exponent)
    return value.isFinite ? make(value) : nil
  }

  private mutating func makeNegative(_ a: ID) -> ID {
    let node = self[a]
    switch node.operation {
    case .negate: return node.a
    case .subtract: return make(.subtract, node.b, node.a)
    case .multiply:
      if let c = constant(node.a) {
        let minus = make(-c)
        return make(.multiply, minus, node.b)
      }
    default: break
    }
    return intern(Node(operation: .negate, a: a))
  }

  private mutating func makeSum(_ a: ID, _ b: ID) -> ID {
    if constant(a) == 0 { return b }
    if constant(b) == 0 { return a }
    if self[b].operation == .negate { return make(.subtract, a, self[b].a) }
    if self[a].operation == .negate { return make(.subtract, b, self[a].a) }
    if let normal = normalFromErf(a, b) ?? normalFromErf(b, a) { return normal }
    if let merged = merged(.add, a, b) { return merged }
    return intern(Node(operation: .add, a: min(a, b), b: max(a, b)))
  }

  private mutating func makeDifference(_ a: ID, _ b: ID) -> ID {
    if constant(a) == 0 { return make(.negate, b) }
    if let c = constant(b) {
      if c == 0 { return a }
      let minus = make(-c)
      return make(.add, a, minus)
    }
    if self[b].operation == .negate { return make(.add, a, self[b].a) }
    if self[a].operation == .negate {
      let sum = make(.add, self[a].a, b)
      return make(.negate, sum)
    }
    if constant(a) == 1, self[b].operation == .erf {
      // 1 - erf(u) = 1 + erf(-u).
      let opposite = make(.negate, self[b].a)
      let one = make(1)
      let erf = make(.erf, opposite)
      if let normal = normalFromErf(one, erf) { return normal }
    }
    return merged(.subtract, a, b) ?? intern(Node(operation: .subtract, a: a, b: b))
  }

  /// A product has its constant first; a sign and a power of two are taken out of the factors.
  private mutating func makeProduct(_ a: ID, _ b: ID) -> ID {
    if constant(b) != nil && constant(a) == nil { return make(.multiply, b, a) }
    if constant(a) == 1 { return b }
    if constant(a) == -1 { return make(.negate, b) }
    if self[a].operation == .negate || self[b].operation == .negate {
      let bare = { (graph: Graph, id: ID) in graph[id].operation == .negate ? graph[id].a : id }
      let product = make(.multiply, bare(self, a), bare(self, b))
      return self[a].operation == self[b].operation ? product : make(.negate, product)
    }
    if let c = constant(a) {
      if let (d, rest) = factor(b), Self.isPowerOfTwo(c) || Self.isPowerOfTwo(d) {
        let both = make(c * d)
        return make(.multiply, both, rest)
      }
      if let merged = merged(.multiply, a, b) { return merged }
    } else {
      for (one, other) in [(a, b), (b, a)] {
        guard let (c, rest) = factor(one), Self.isPowerOfTwo(c) else { continue }
        let product = make(.multiply, rest, other)
        return make(.multiply, self[one].a, product)
      }
    }
    return constant(a) != nil
      ? intern(Node(operation: .multiply, a: a, b: b))
      : intern(Node(operation: .multiply, a: min(a, b), b: max(a, b)))
  }

  private mutating func makeQuotient(_ a: ID, _ b: ID) -> ID {
    if let c = constant(b), Self.isPowerOfTwo(c) || c.magnitude == 1 {
      let inverse = make(1 / c)
      return make(.multiply, inverse, a)
    }
    if self[a].operation == .negate {
      let quotient = make(.divide, self[a].a, b)
      return make(.negate, quotient)
    }
    if let (c, rest) = factor(a), Self.isPowerOfTwo(c) {
      let quotient = make(.divide, rest, b)
      return make(.multiply, self[a].a, quotient)
    }
    return intern(Node(operation: .divide, a: a, b: b))
  }

  /// The largest whole exponent that becomes products.
  static let largestExponent = 1024

  private mutating func makeRaised(_ a: ID, _ b: ID) -> ID {
    guard let v = constant(b), v.magnitude <= Double(Self.largestExponent) else {
      return folded(.raise, a, b, -1, 0) ?? intern(Node(operation: .raise, a: a, b: b))
    }
    if v == v.rounded() { return make(.power, a, exponent: Int(v)) }
    guard v * 2 == (v * 2).rounded() else {
      return folded(.raise, a, b, -1, 0) ?? intern(Node(operation: .raise, a: a, b: b))
    }
    // Half of an odd number: whole powers and a square root, far more accurate than a logarithm.
    let root = make(.squareRoot, a)
    let whole = make(.power, a, exponent: Int(v.magnitude))
    let positive = make(.multiply, whole, root)
    if v > 0 { return positive }
    let one = make(1)
    return make(.divide, one, positive)
  }

  // MARK: Rules

  /// c and u of a node c u with a constant c.
  private func factor(_ id: ID) -> (Double, ID)? {
    let node = self[id]
    guard node.operation == .multiply, let c = constant(node.a) else { return nil }
    return (c, node.b)
  }

  /// Whether products with it are exact, far from the ends of the range.
  private static func isPowerOfTwo(_ x: Double) -> Bool {
    x.isNormal && x.significand == 1 && abs(x.exponent) <= 64
  }

  /// `1 + erf(u/sqrt(2)) = 2 normcdf(u)`, which is accurate far below 0 where the sum has lost every digit; so a formula of GELU
  /// is the built-in one.
  private mutating func normalFromErf(_ one: ID, _ erf: ID) -> ID? {
    guard constant(one) == 1, self[erf].operation == .erf else { return nil }
    let node = self[self[erf].a]
    let root = 2.0.squareRoot()
    var (inner, sign) = (node, false)
    if node.operation == .negate { (inner, sign) = (self[node.a], true) }
    let u: ID
    if inner.operation == .divide, constant(inner.b) == root {
      u = inner.a
    } else if inner.operation == .multiply, let c = constant(inner.a), (c.magnitude - 1 / root).magnitude <= 0x1p-53 {
      u = inner.b
      if c < 0 { sign.toggle() }
    } else {
      return nil
    }
    let argument = sign ? make(.negate, u) : u
    let two = make(2)
    let normal = make(.normal, argument)
    return make(.multiply, two, normal)
  }

  /// A sum, difference or product of two choices by one condition, or of a choice and a constant, where all are constants.
  private mutating func merged(_ operation: Operation, _ a: ID, _ b: ID) -> ID? {
    func parts(_ id: ID) -> (condition: ID?, Double, Double)? {
      if let c = constant(id) { return (nil, c, c) }
      let node = self[id]
      guard node.operation == .choose, let p = constant(node.b), let q = constant(node.c) else { return nil }
      return (node.a, p, q)
    }
    guard let left = parts(a), let right = parts(b), let condition = left.condition ?? right.condition,
      left.condition == nil || right.condition == nil || left.condition == right.condition
    else { return nil }
    let first = operation.value(left.1, right.1, 0, exponent: 0)
    let second = operation.value(left.2, right.2, 0, exponent: 0)
    guard first.isFinite, second.isFinite else { return nil }
    let (p, q) = (make(first), make(second))
    return make(.choose, condition, p, q)
  }

  /// u^n as products, in the order of `Scalar.power`.
  mutating func product(_ u: ID, exponent n: Int) -> ID {
    var (rest, square) = (n.magnitude, u)
    var result: ID?
    while rest > 0 {
      if rest & 1 == 1 { result = result.map { make(.multiply, $0, square) } ?? square }
      rest >>= 1
      if rest > 0 { square = make(.multiply, square, square) }
    }
    let value = result ?? make(1)
    guard n < 0 else { return value }
    let one = make(1)
    return make(.divide, one, value)
  }
}
