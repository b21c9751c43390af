import Experiments
import Formulas
import Graphs

/// The keys of every walk: its graph, its chain, its length.
package enum WalkKeys {
  static let parameters: [Parameter] =
    GraphKeys.parameters + [
      Parameter(
        "chain", .choice(BaseChain.Kind.allCases.map(\.rawValue)), default: .text("simple"),
        "simple: to a neighbour, with probability proportional to the weight of the edge; metropolis: the same, accepted for target"
      ),
      Parameter(
        "target",
        .structured("\"uniform\", an array of a positive number for each vertex, or { formula = … } in i and d"),
        optional: true,
        "mu of chain = \"metropolis\", up to a factor; i is the number of a vertex, from 0, and d the sum of the weights of its edges"
      ),
      Parameter(
        "alpha", .real(.init(0, 100)), default: .real(0), "strength of the repulsion; 0: the chain itself"),
      Parameter(
        "start", .structured("\"stationary\", or the number of a vertex, from 0"), default: .text("stationary"),
        "where a walk begins; stationary: in a vertex of law mu"),
      Parameter(
        "steps", .integer(1...1_000_000_000_000), small: .init(.inverse, "n", companions: ["draws"]),
        "n, steps of a walk"
      ),
      StepRecords.parameter,
    ]

  static let function = Parameter(
    "function", .structured("an array of a number for each vertex, or { formula = … } in i and d"),
    default: .table(["formula": .text("where(i < 1, 1, 0)")]), "f; by default 1 in vertex 0 and 0 elsewhere")

  /// The graph and the chain of a job, and labels for its file.
  static func chain(
    _ p: Parameters, data: any DataSource
  ) throws -> (graph: EdgeList, chain: BaseChain, attributes: [String: String]) {
    let graph = try GraphKeys.read(p, data: data)
    let key = p["file"] == nil ? "graph" : "file"
    guard graph.diagonal.isEmpty else { throw p.invalid(key, "has a diagonal; the graph of a walk has no loops") }
    if let e = graph.weights.firstIndex(where: { $0 <= 0 }) {
      throw p.invalid(
        p["weights"] == nil ? key : "weights",
        "the edge between vertices \(graph.first[e]) and \(graph.second[e]) has the weight \(graph.weights[e]); a walk needs weights above 0"
      )
    }
    if let part = graph.separatePart {
      throw p.invalid(
        key,
        "the graph is not connected: \(part.count == 1 ? "vertex" : "the \(part.count) vertices") \(part.prefix(6).map(String.init).joined(separator: ", "))\(part.count > 6 ? ", …" : "") (from 0) \(part.count == 1 ? "is" : "are") joined to none of the other \(graph.vertices - part.count); a walk needs one component"
      )
    }
    let kind = p.text("chain")
    let chain: BaseChain
    if kind == BaseChain.Kind.simple.rawValue {
      guard p["target"] == nil else {
        throw p.invalid("target", "chain = \"simple\" takes none: its law is proportional to the degrees")
      }
      chain = BaseChain(graph, target: nil)
    } else {
      let target = p["target"] ?? .text("uniform")
      let values =
        target == .text("uniform")
        ? Array(repeating: 1.0, count: graph.vertices)
        : try Self.values(p, "target", target, graph, names: ["uniform"])
      if let i = values.firstIndex(where: { !($0 > 0) }) {
        throw p.invalid("target", "is \(values[i]) in vertex \(i); must be above 0 everywhere")
      }
      chain = BaseChain(graph, target: values)
    }
    return (
      graph, chain,
      [
        "data": graph.fingerprint, "graph": p["file"] == nil ? p.text("graph") : p.text("file"), "chain": kind,
        "vertices": "\(graph.vertices)", "edges": "\(graph.count)", "alpha": "\(p.real("alpha"))",
      ]
    )
  }

  /// A number for each vertex.
  static func function(_ p: Parameters, _ graph: EdgeList) throws -> [Double] {
    try values(p, "function", p["function"] ?? .list([]), graph, names: [])
  }

  private static func values(
    _ p: Parameters, _ key: String, _ value: JobValue, _ graph: EdgeList, names: [String]
  ) throws -> [Double] {
    let n = graph.vertices
    let words =
      "must be " + names.map { "\"\($0)\", " }.joined()
      + "an array of \(n) finite numbers, one for each vertex, or { formula = … } in i and d"
    switch value {
    case .list(let items):
      let found = items.compactMap(\.number).filter(\.isFinite)
      guard found.count == n, items.count == n else { throw p.invalid(key, words) }
      return found
    case .table(let table):
      guard let text = table["formula"] else { throw p.invalid(key, words) }
      let path = "\(p.path).\(key)"
      let formula = try FormulaKeys.read(
        text, key: "\(path).formula", variables: ["i", "d"],
        parameters: try FormulaKeys.parameters(table, except: ["formula"], path: path), table: path)
      var degrees = Array(repeating: 0.0, count: n)
      for e in graph.weights.indices {
        degrees[Int(graph.first[e])] += graph.weights[e]
        degrees[Int(graph.second[e])] += graph.weights[e]
      }
      let found = FormulaProgram([formula])([(0..<n).map(Double.init), degrees])[0]
      if let i = found.firstIndex(where: { !$0.isFinite }) {
        throw p.invalid(key, "is \(found[i]) in vertex \(i), i = \(i) and d = \(degrees[i]); must be finite")
      }
      return found
    default: throw p.invalid(key, words + Nearest.hint(value, among: names))
    }
  }

  static func start(_ p: Parameters, _ chain: BaseChain) throws -> WalkStart {
    switch p["start"] {
    case .text("stationary")?: return WalkStart(stationary: chain)
    case let value?:
      guard let vertex = value.integer, (0..<Int64(chain.count)).contains(vertex) else {
        throw p.invalid(
          "start",
          "must be \"stationary\", or a vertex in [0, \(chain.count - 1)]\(Nearest.hint(value, among: ["stationary"]))")
      }
      return WalkStart(vertex: Int(vertex))
    case nil: return WalkStart(stationary: chain)
    }
  }

  /// Steps after which a walk is measured: at the start there is nothing to measure.
  static func records(_ p: Parameters) throws -> [Int] {
    let found = try StepRecords.read(p, steps: p.integer("steps"))
    if case .list? = p["records"], found.first == 0 {
      throw p.invalid("records", "must be numbers of steps of at least 1: a walk of no step has been nowhere")
    }
    return found.filter { $0 > 0 }
  }
}
