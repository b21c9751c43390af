extension Graph {
  /// What names mean.
  struct Scope {
    let variables: [String: Int]
    let parameters: [String: Double]

    var names: [String] { variables.keys.sorted() + parameters.keys.sorted() + FormulaFunction.constants.keys.sorted() }
  }

  /// Adds the nodes of a tree.
  /// - Throws: `FormulaError` for a name that the scope does not have.
  mutating func add(_ tree: FormulaTree, _ scope: Scope) throws -> ID {
    switch tree.kind {
    case .number(let value): return make(value)
    case .name(let name):
      column = tree.column
      if let number = scope.variables[name] { return makeVariable(number) }
      guard let value = scope.parameters[name] ?? FormulaFunction.constants[name] else {
        throw FormulaError.unknown(tree.column, "name", name, among: scope.names)
      }
      return make(value)
    case .negated(let inner):
      let a = try add(inner, scope)
      column = tree.column
      return make(.negate, a)
    case .binary(let symbol, let left, let right):
      let (a, b) = (try add(left, scope), try add(right, scope))
      column = tree.column
      switch symbol {
      case .plus: return make(.add, a, b)
      case .minus: return make(.subtract, a, b)
      case .times: return make(.multiply, a, b)
      case .over: return make(.divide, a, b)
      case .power: return make(.raise, a, b)
      case .less: return make(.less, a, b)
      case .lessOrEqual: return make(.lessOrEqual, a, b)
      case .greater: return make(.less, b, a)
      case .greaterOrEqual: return make(.lessOrEqual, b, a)
      case .and: return make(.both, a, b)
      case .or: return make(.either, a, b)
      }
    case .call(let name, let list):
      let arguments = try list.map { try add($0, scope) }
      column = tree.column
      return call(name, arguments)
    }
  }

  /// A function of `FormulaFunction.all`, with as many arguments as it takes.
  private mutating func call(_ name: String, _ list: [ID]) -> ID {
    let x = list[0]
    switch name {
    case "exp": return make(.exponential, x)
    case "expm1": return make(.expm1, x)
    case "log": return make(.logarithm, x)
    case "log1p": return make(.log1p, x)
    case "sqrt": return make(.squareRoot, x)
    case "abs": return make(.magnitude, x)
    case "sign": return make(.sign, x)
    case "min": return list.dropFirst().reduce(x) { make(.minimum, $0, $1) }
    case "max": return list.dropFirst().reduce(x) { make(.maximum, $0, $1) }
    case "sin": return make(.sine, x)
    case "cos": return make(.cosine, x)
    case "tan": return make(.tangent, x)
    case "atan":
      let one = make(1)
      return make(.angle, x, one)
    case "atan2": return make(.angle, x, list[1])
    case "sinh": return make(.sinh, x)
    case "cosh": return make(.cosh, x)
    case "tanh": return make(.tanh, x)
    case "erf": return make(.erf, x)
    case "normcdf": return make(.normal, x)
    case "sigmoid": return make(.sigmoid, x)
    case "softplus": return make(.softplus, x)
    case "relu":
      let zero = make(0)
      return make(.maximum, x, zero)
    case "silu": return make(.silu, x)
    case "gelu":
      let normal = make(.normal, x)
      return make(.multiply, x, normal)
    case "digamma": return make(.digamma, x)
    case "trigamma": return make(.trigamma, x)
    case FormulaFunction.choice: return make(.choose, x, list[1], list[2])
    default: preconditionFailure("\(name) is in the table of functions, and its node is not")
    }
  }

  /// Adds a part of another graph, whole powers as products.
  mutating func add(_ other: Graph, _ root: ID) -> ID {
    let needed = other.needed(by: [root])
    var images = [ID](repeating: -1, count: other.nodes.count)
    for k in other.nodes.indices where needed[k] {
      let node = other.nodes[k]
      func image(_ id: ID) -> ID { id < 0 ? -1 : images[Int(id)] }
      column = Int(other.columns[k])
      images[k] =
        switch node.operation {
        case .constant, .variable: intern(node)
        case .power: product(image(node.a), exponent: node.exponent)
        default: make(node.operation, image(node.a), image(node.b), image(node.c), exponent: node.exponent)
        }
    }
    return images[Int(root)]
  }
}
