import Experiments
import Foundation
import Graphs
import Jobs
import Testing

/// Readers of graph files, and graphs that are drawn.
@Suite struct GraphFileTests {
  private func read(_ text: String, header: Bool? = nil) throws -> EdgeList {
    let path = NSTemporaryDirectory() + "graph-\(UUID().uuidString)"
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try DataFiles(job: "").graph(GraphRequest(file: path, header: header))
  }

  @Test func formatsGiveTheSameGraph() throws {
    let expected = EdgeList(vertices: 4, first: [0, 0, 1], second: [1, 3, 2], weights: [1, -2.5, 3])
    let texts = [
      "4 3\n1 2 1\n2 3 3\n4 1 -2.5\n",
      "# a comment\n4 3\n\n2 1 1\n3\t2 3e0\n1 4 -2.5",
      "source,target,weight\n0,1,1\n1,2,3\n0,3,-2.5\n",
      "1 2 1\n2 3 3\n1 4 -2.5\n",
      "%%MatrixMarket matrix coordinate real symmetric\n% comment\n4 4 3\n2 1 1\n3 2 3\n4 1 -2.5\n",
    ]
    for text in texts { #expect(try read(text) == expected, "\(text)") }
    #expect(try read("3 2\n1 2\n2 3\n").weights == [1, 1])
    #expect(try read("1 2\n2 3\n", header: false).vertices == 3)
    let matrix = try read("%%MatrixMarket matrix coordinate integer symmetric\n2 2 2\n1 1 5\n2 1 7\n")
    #expect(matrix.diagonal == [5, 0])
    #expect(matrix.weights == [7])
  }

  @Test func whatIsWrongIsNamed() throws {
    let cases: [(String, String)] = [
      ("3 2\n1 1 1\n1 2 1\n", "line 2: 1 1 is a loop"),
      ("3 2\n1 2 1\n2 1 1\n", "line 3: the edge 1 2 is on line 2 already"),
      ("3 2\n1 2 1\n2 4 1\n", "line 3: there is no vertex 4; they are numbered 1 to 3"),
      ("3 2\n1 2 1\n0 1 1\n", "line 3: there is no vertex 0"),
      ("-3 2\n1 2 1\n2 3 1\n", "line 1: -3 vertices"),
      ("3 -2\n1 2 1\n2 3 1\n", "line 1: -2 edges"),
      ("3 3\n1 2 1\n2 3 1\n", "line 1: the header says 3 edges, but 2 follow"),
      ("3 2\n1 2 nan\n2 3 1\n", "line 2: the weight nan is no finite number"),
      ("3 2\n1 2 1e999\n2 3 1\n", "line 2: the weight 1e999 is no finite number"),
      ("3 2\n1 2.5 1\n2 3 1\n", "line 2: 2.5 is no number of a vertex"),
      ("3 2\n1 2 1\n2 3\n", "line 3: 2 numbers; the edges above have 3"),
      ("5 3\n1 2\n2 3\n", "line 1: may be a header"),
      ("", "has no edges"),
      ("%%MatrixMarket matrix coordinate real general\n2 2 1\n1 2 1\n", "line 1: the matrix is general"),
      ("%%MatrixMarket matrix array real symmetric\n2 2\n", "line 1: `matrix coordinate`"),
      ("%%MatrixMarket matrix coordinate complex symmetric\n2 2 1\n1 2 1 1\n", "its entries are complex"),
      ("%%MatrixMarket matrix coordinate real symmetric\n2 3 1\n1 2 1\n", "line 2: 2 x 3 is no symmetric matrix"),
      (
        "%%MatrixMarket matrix coordinate real symmetric\n2 2 2\n1 2 1\n",
        "line 2: the file says 2 entries, but 1 follow"
      ),
      ("%%MatrixMarket matrix coordinate real symmetric\n2 2 2\n1 2 1\n2 1 1\n", "line 4: the edge 1 2 is on line 3"),
    ]
    for (text, words) in cases {
      let failure = #expect(throws: Failure.self, "\(text)") { try read(text) }
      #expect(failure?.status == .badData)
      #expect(failure?.message.contains(words) ?? false, "\(failure?.message ?? "") should say: \(words)")
    }
  }

  @Test func threeGraphsOfTheGset() throws {
    let folder = URL(fileURLWithPath: #filePath).pathComponents.dropLast(3).joined(separator: "/").dropFirst()
    let expected = [("G1", 800, 19176, 19176.0), ("G11", 800, 1600, nil), ("G14", 800, 4694, 4694.0)]
    for (name, vertices, edges, total) in expected {
      let graph = try DataFiles(job: "").graph(GraphRequest(file: "\(folder)/jobs/data/gset/\(name)"))
      #expect(graph.vertices == vertices)
      #expect(graph.count == edges)
      if let total { #expect(graph.weights.reduce(0, +) == total) }
    }
  }

  private func drawn(_ keys: [String: JobValue]) throws -> EdgeList {
    try GraphKeys.read(
      Parameters(.table(keys), path: "semidefinite", allowed: GraphKeys.parameters), data: DataFiles(job: ""))
  }

  @Test func drawnGraphs() throws {
    let torus = try drawn(["graph": .text("torus"), "rows": .integer(4), "columns": .integer(5)])
    #expect(torus.count == 40)
    for (kind, degree) in [("regular", 3.0), ("erdos-renyi", 4.5), ("erdos-renyi", 15)] {
      let keys: [String: JobValue] = [
        "graph": .text(kind), "vertices": .integer(20), "degree": .real(degree), "weights": .text("signs"),
        "graph_seed": .integer(5),
      ]
      let graph = try drawn(keys)
      let (again, other) = (try drawn(keys), try drawn(keys.merging(["graph_seed": .integer(6)]) { $1 }))
      #expect(graph == again)
      #expect(graph != other)
      #expect(graph.count == Int(10 * degree))
      #expect(graph.weights.contains(1) && graph.weights.contains(-1))
      var degrees = Array(repeating: 0, count: 20)
      for e in graph.weights.indices {
        #expect(graph.first[e] < graph.second[e])
        degrees[Int(graph.first[e])] += 1
        degrees[Int(graph.second[e])] += 1
      }
      if kind == "regular" { #expect(Set(degrees) == [3]) }
    }
    for (keys, words) in [
      (["graph": .text("regular"), "vertices": .integer(5), "degree": .real(3)], "even where vertices = 5 is odd"),
      (["graph": .text("erdos-renyi"), "vertices": .integer(5), "degree": .real(5)], "at most vertices - 1 = 4"),
      (["graph": .text("torus"), "rows": .integer(5)], "columns is missing"),
      (["graph": .text("torus"), "rows": .integer(3), "columns": .integer(3), "degree": .real(2)], "takes rows"),
    ] as [([String: JobValue], String)] {
      let failure = #expect(throws: Failure.self) { try drawn(keys) }
      #expect(failure?.message.contains(words) ?? false, "\(failure?.message ?? "")")
    }
  }
}
