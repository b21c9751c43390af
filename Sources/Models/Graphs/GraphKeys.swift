import Experiments
import Randomness

/// The keys of every table that takes a weighted graph: of a file, named, or drawn by a seed of its own, so that all replicas have the same one.
package enum GraphKeys {
  private static let kinds = ["file", "torus", "ring", "complete", "petersen", "karate", "regular", "erdos-renyi"]
  /// Most edges of a drawn graph.
  private static let mostEdges = 1 << 26

  package static let parameters: [Parameter] = [
    Parameter("graph", .choice(kinds), default: .text("file"), "where the graph comes from"),
    Parameter(
      "file", .text, optional: true,
      "graph file: Gset, edge list or symmetric Matrix Market; relative to the job file (docs/graphs.md)"),
    Parameter(
      "header", .boolean, optional: true,
      "whether the first line of numbers of an edge list is `vertices edges`; found out if clear"),
    Parameter(
      "vertices", .integer(2...100_000_000), optional: true,
      "n, vertices of a ring, a complete or a drawn graph; of a torus the product of rows and columns"),
    Parameter("rows", .integer(3...100_000), optional: true, "of a torus, in which every vertex has four neighbours"),
    Parameter("columns", .integer(3...100_000), optional: true, "of a torus"),
    Parameter(
      "degree", .real(.init(0, 1e6, openBelow: true)), optional: true,
      "neighbours of every vertex of a regular graph, mean number of those of an Erdos-Renyi graph"),
    Parameter(
      "weights", .choice(["ones", "signs"]), optional: true,
      "of a graph that is no file: 1, or 1 and -1 with equal probability"),
    Parameter("graph_seed", .integer(0...Int64.max), optional: true, "seed of a drawn graph, or of its weights"),
  ]

  /// Reads the keys of `parameters`.
  package static func read(_ p: Parameters, data: any DataSource) throws -> EdgeList {
    let kind = p.text("graph")
    let own: [String: [String]] = [
      "file": ["file", "header"], "torus": ["rows", "columns", "weights", "graph_seed"],
      "ring": ["vertices", "weights", "graph_seed"], "complete": ["vertices", "weights", "graph_seed"],
      "petersen": ["weights", "graph_seed"], "karate": ["weights", "graph_seed"],
      "regular": ["vertices", "degree", "weights", "graph_seed"],
      "erdos-renyi": ["vertices", "degree", "weights", "graph_seed"],
    ]
    let needed = own[kind]!.filter { $0 != "header" && $0 != "weights" && $0 != "graph_seed" }
    for name in needed where p[name] == nil { throw p.invalid(name, "graph = \"\(kind)\" needs it") }
    for parameter in parameters.dropFirst() where p[parameter.name] != nil && !own[kind]!.contains(parameter.name) {
      throw p.invalid(parameter.name, "graph = \"\(kind)\" takes \(own[kind]!.joined(separator: ", "))")
    }
    if kind == "file" {
      let header = p["header"].map { _ in p.boolean("header") }
      return try data.graph(GraphRequest(file: p.text("file"), header: header))
    }
    let seed = p["graph_seed"] == nil ? 1 : p.integer("graph_seed")
    var drawn = DrawnGraph(kind: kind, seed: UInt64(seed))
    switch kind {
    case "torus": drawn.torus(rows: p.integer("rows"), columns: p.integer("columns"))
    case "petersen": drawn.join(NamedGraphs.petersen, vertices: 10)
    case "karate": drawn.join(NamedGraphs.karate, vertices: 34)
    case "ring":
      let n = p.integer("vertices")
      guard n >= 3 else { throw p.invalid("vertices", "must be at least 3 for a ring") }
      drawn.join(NamedGraphs.ring(n), vertices: n)
    case "complete":
      let n = p.integer("vertices")
      guard n * (n - 1) / 2 <= mostEdges else {
        throw p.invalid("vertices", "must be such that a complete graph has at most \(mostEdges) edges")
      }
      drawn.erdosRenyi(n, edges: n * (n - 1) / 2)
    default:
      let (n, degree) = (p.integer("vertices"), p.real("degree"))
      guard degree <= Double(n - 1) else { throw p.invalid("degree", "must be at most vertices - 1 = \(n - 1)") }
      guard degree * Double(n) <= 2 * Double(mostEdges) else {
        throw p.invalid("degree", "times vertices must be at most \(2 * mostEdges)")
      }
      if kind == "regular" {
        guard let d = Int(exactly: degree), n * d % 2 == 0, d >= 1 else {
          throw p.invalid("degree", "must be an integer, and even where vertices = \(n) is odd")
        }
        guard drawn.regular(n, degree: d) else {
          throw p.invalid("degree", "no simple graph was found; a smaller degree would help")
        }
      } else {
        drawn.erdosRenyi(n, edges: Int((0.5 * degree * Double(n)).rounded()))
      }
    }
    return drawn.finish(signs: p["weights"] == .text("signs"))
  }
}

/// A graph while it is drawn.
private struct DrawnGraph: ~Copyable {
  private var stream: Stream
  private var vertices = 0
  private var edges: Set<UInt64> = []

  init(kind: String, seed: UInt64) {
    stream = Stream(key: Stream.key(seed: seed, path: "graph/\(kind)"))
    stream.start(draw: 0)
  }

  private static func key(_ i: Int, _ j: Int) -> UInt64 { UInt64(min(i, j)) << 32 | UInt64(max(i, j)) }

  private mutating func number(below n: Int) -> Int {
    Int(stream.word().multipliedFullWidth(by: UInt64(n)).high)
  }

  mutating func join(_ pairs: [(Int, Int)], vertices: Int) {
    self.vertices = vertices
    for (i, j) in pairs { edges.insert(Self.key(i, j)) }
  }

  mutating func torus(rows: Int, columns: Int) {
    vertices = rows * columns
    for r in 0..<rows {
      for c in 0..<columns {
        edges.insert(Self.key(r * columns + c, r * columns + (c + 1) % columns))
        edges.insert(Self.key(r * columns + c, (r + 1) % rows * columns + c))
      }
    }
  }

  /// G(n, M): uniform among the graphs of a given number of edges.
  mutating func erdosRenyi(_ n: Int, edges count: Int) {
    vertices = n
    // Of a dense graph the edges that are left out are drawn.
    let all = n * (n - 1) / 2
    let isDense = 2 * count > all
    var drawn: Set<UInt64> = []
    while drawn.count < (isDense ? all - count : count) {
      let (i, j) = (number(below: n), number(below: n))
      if i != j { drawn.insert(Self.key(i, j)) }
    }
    guard isDense else { return edges = drawn }
    for i in 0..<n { for j in i + 1..<n where !drawn.contains(Self.key(i, j)) { edges.insert(Self.key(i, j)) } }
  }

  /// Half-edges joined at random; those that give loops or double edges are exchanged with others until none is left. Uniform for large n only.
  mutating func regular(_ n: Int, degree d: Int) -> Bool {
    vertices = n
    var ends = (0..<n * d).map { $0 / d }
    for i in (1..<ends.count).reversed() { ends.swapAt(i, number(below: i + 1)) }
    var counts: [UInt64: Int] = [:]
    let pairs = ends.count / 2
    func key(_ e: Int) -> UInt64 { Self.key(ends[2 * e], ends[2 * e + 1]) }
    func isBad(_ e: Int) -> Bool { ends[2 * e] == ends[2 * e + 1] || counts[key(e)]! > 1 }
    for e in 0..<pairs { counts[key(e), default: 0] += 1 }
    var bad = (0..<pairs).filter(isBad)
    var tries = 0
    while let e = bad.last {
      guard isBad(e) else {
        bad.removeLast()
        continue
      }
      tries += 1
      guard tries < 1000 * (pairs + 100) else { return false }
      let f = number(below: pairs)
      let (new1, new2) = (Self.key(ends[2 * e], ends[2 * f]), Self.key(ends[2 * e + 1], ends[2 * f + 1]))
      let loops = ends[2 * e] == ends[2 * f] || ends[2 * e + 1] == ends[2 * f + 1]
      if e == f || loops || new1 == new2 || counts[new1, default: 0] > 0 || counts[new2, default: 0] > 0 { continue }
      counts[key(e)]! -= 1
      counts[key(f)]! -= 1
      ends.swapAt(2 * e + 1, 2 * f)
      counts[key(e), default: 0] += 1
      counts[key(f), default: 0] += 1
    }
    edges = Set((0..<pairs).map(key))
    return true
  }

  consuming func finish(signs: Bool) -> EdgeList {
    let sorted = edges.sorted()
    var weights = Array(repeating: 1.0, count: sorted.count)
    if signs { for e in weights.indices where stream.word() >> 63 == 1 { weights[e] = -1 } }
    return EdgeList(
      vertices: vertices, first: sorted.map { Int32($0 >> 32) }, second: sorted.map { Int32($0 & 0xffff_ffff) },
      weights: weights)
  }
}
