import Experiments
import Graphs
import Kernels
import Randomness

/// A job of the family, read.
package struct SemidefiniteModel: Sendable {
  package let program: SpinProgram
  package let settings: SemidefiniteSettings
  /// One line a key of everything that decides a draw.
  let identity: [String]
  package let experiment: SemidefiniteExperiment
  private let attributes: [String: String]
  private let replicas: Int

  init(_ table: JobValue, path: String, name: String, data: any DataSource) throws {
    let entry = try ProblemEntry.named(
      by: "problem", of: table, path: path, among: SemidefiniteCatalog.problems, otherwise: .text("max-cut"))
    let p = try Parameters(table, path: path, allowed: SemidefiniteCatalog.parameters + entry.parameters)
    var graph = try GraphKeys.read(p, data: data)
    guard graph.diagonal.isEmpty || entry.objective == .ising else {
      throw p.invalid("problem", "the matrix has a diagonal, which is for ising; a graph has no loops")
    }
    var truth: [Double]?
    if entry.objective == .synchronisation { (graph, truth) = try Self.measured(graph, p) }
    guard graph.count > 0, entry.objective == .synchronisation || graph.weights.contains(where: { $0 != 0 }) else {
      throw p.invalid(p["file"] == nil ? "graph" : "file", "the graph has no edge with a weight other than 0")
    }
    program = SpinProgram(entry.objective, graph)
    settings = try SemidefiniteSettings(p, program)
    experiment = SemidefiniteExperiment(program, settings, truth: truth)
    replicas = p.integer("replicas")
    var lines = p.resolved.lines(prefix: name).filter { !$0.hasPrefix("\(name).replicas = ") }
    lines.append("\(name).graph fingerprint = \(graph.fingerprint)")
    identity = lines
    attributes = [
      "problem": entry.name, "equation": entry.equation, "reference": entry.reference,
      "vertices": "\(graph.vertices)", "edges": "\(graph.count)", "rank": "\(settings.rank)",
      "graph": p["file"] == nil ? p.text("graph") : p.text("file"),
    ]
  }

  /// Noisy differences of angles along the edges, for drawn graphs, and the angles.
  private static func measured(_ graph: EdgeList, _ p: Parameters) throws -> (EdgeList, [Double]?) {
    guard p["file"] == nil else {
      guard graph.weights.allSatisfy({ $0.magnitude <= Elementary.largestAngle }) else {
        throw p.invalid("file", "the weights are angles here: numbers of at most \(Elementary.largestAngle)")
      }
      return (graph, nil)
    }
    let seed = p["graph_seed"] == nil ? 1 : p.integer("graph_seed")
    var stream = Stream(key: Stream.key(seed: UInt64(seed), path: "graph/angles"))
    stream.start(draw: 0)
    let angles = (0..<graph.vertices).map { _ in 2 * Double.pi * stream.uniform() }
    let noise = p.real("noise")
    let measured = graph.weights.indices.map {
      angles[Int(graph.first[$0])] - angles[Int(graph.second[$0])] + noise * stream.normal()
    }
    return (
      EdgeList(vertices: graph.vertices, first: graph.first, second: graph.second, weights: measured), angles
    )
  }

  func leg(_ name: String) -> Leg {
    Leg(
      name: name, role: .finite, content: .sampled(Experiment(experiment), draws: UInt64(replicas)),
      attributes: attributes, claim: experiment.claim)
  }
}
