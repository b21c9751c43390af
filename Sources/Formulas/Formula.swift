/// A function of named variables, given as text: `Formula("tanh(a*x)", variables: ["x"], parameters: ["a": 1.5])`.
///
/// It is a value: derivatives are formulas again, and a `FormulaProgram` evaluates one or several of them for many points. The grammar
/// is in docs/formulas.md.
public struct Formula: Sendable {
  /// The tree of the text; that of the formula whose derivative it is.
  public let tree: FormulaTree
  /// Its variables, in the order in which values are given.
  public let variables: [String]
  /// Parameters that do not occur in it.
  public let unusedParameters: [String]
  let graph: Graph
  let root: Graph.ID

  /// - Parameters:
  ///   - text: at most 10,000 characters.
  ///   - variables: names that values are given for later, with indices if they have them: `x`, `V[0,1]`.
  ///   - parameters: names that are numbers. Finite.
  /// - Throws: `FormulaError`: a syntax error with its column, a name that does not exist with the nearest one, a condition in place
  ///   of a number. Column 0 stands for a name of a variable or parameter that formulas use themselves, such as `exp` or `pi`.
  public init(_ text: String, variables: [String], parameters: [String: Double] = [:]) throws {
    try self.init(FormulaTree(parsing: text), variables: variables, parameters: parameters)
  }

  /// - Throws: as for a text.
  public init(_ tree: FormulaTree, variables: [String], parameters: [String: Double] = [:]) throws {
    for name in variables + parameters.keys.sorted() {
      if FormulaFunction.isReserved(name) { throw FormulaError(0, "the name \(name) has a meaning in every formula") }
    }
    for (name, value) in parameters.sorted(by: { $0.key < $1.key }) {
      if variables.contains(name) { throw FormulaError(0, "\(name) is both a variable and a parameter") }
      if !value.isFinite { throw FormulaError(0, "the parameter \(name) is \(value), not a finite number") }
    }
    if tree.isCondition {
      throw FormulaError(tree.column, "the formula is a comparison, not a number; write where(condition, 1, 0)")
    }
    var numbers: [String: Int] = [:]
    for (k, name) in variables.enumerated() where numbers[name] == nil { numbers[name] = k }
    var graph = Graph()
    root = try graph.add(tree, Graph.Scope(variables: numbers, parameters: parameters))
    self.graph = graph
    self.tree = tree
    self.variables = variables
    let used = Set(tree.names)
    unusedParameters = parameters.keys.filter { !used.contains($0) }.sorted()
  }

  private init(of formula: Formula, graph: Graph, root: Graph.ID) {
    (tree, variables, unusedParameters) = (formula.tree, formula.variables, formula.unusedParameters)
    (self.graph, self.root) = (graph, root)
  }

  /// The derivative in a variable; at a kink the slope below it. Derivatives of derivatives give any order.
  /// - Throws: `FormulaError` if it has none (`trigamma`), or more than 50,000 parts.
  public func derivative(_ variable: String) throws -> Formula {
    guard let number = variables.firstIndex(of: variable) else {
      throw FormulaError.unknown(0, "variable", variable, among: variables)
    }
    var graph = graph
    let slope = try graph.derivative(of: root, variable: number)
    let root = slope ?? graph.make(0)
    return Formula(of: self, graph: graph, root: root)
  }

  /// The function and its derivatives up to an order, 0 first.
  public func derivatives(_ variable: String, upTo order: Int) throws -> [Formula] {
    var all = [self]
    for _ in 0..<order { all.append(try all.last!.derivative(variable)) }
    return all
  }

  /// Variables that its value depends on, as far as its form tells, in the order of `variables`.
  public var dependencies: [String] {
    let marks = graph.needed(by: [root])
    let used = graph.nodes.indices.filter { marks[$0] && graph.nodes[$0].operation == .variable }
      .map { graph.nodes[$0].exponent }
    return used.sorted().map { variables[$0] }
  }

  /// Its value, if it is a number whatever the variables are.
  public var constant: Double? { graph.constant(root) }
}

extension FormulaTree {
  /// Every name in it that is no function, once, in the order of the text.
  public var names: [String] {
    var seen = Set<String>()
    var names: [String] = []
    forEachName { name in if seen.insert(name).inserted { names.append(name) } }
    return names
  }
}
