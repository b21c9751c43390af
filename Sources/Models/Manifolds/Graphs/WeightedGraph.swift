/// A sparse symmetric matrix with an empty diagonal: the neighbours of every vertex, in order, and the weights of the edges.
package struct WeightedGraph: Sendable, Equatable {
  package let count: Int
  /// The neighbours of vertex i are `neighbours[starts[i]..<starts[i + 1]]`.
  package let starts: [Int]
  package let neighbours: [Int32]
  package let weights: [Double]

  /// - Parameter edges: each pair once.
  package init(count: Int, edges: [(i: Int, j: Int, weight: Double)]) {
    precondition(edges.allSatisfy { $0.i != $0.j && (0..<count).contains($0.i) && (0..<count).contains($0.j) })
    self.count = count
    var degrees = Array(repeating: 0, count: count + 1)
    for edge in edges {
      degrees[edge.i + 1] += 1
      degrees[edge.j + 1] += 1
    }
    for i in 0..<count { degrees[i + 1] += degrees[i] }
    starts = degrees
    var entries = Array(repeating: (neighbour: Int32(0), weight: 0.0), count: 2 * edges.count)
    var next = degrees
    for edge in edges {
      entries[next[edge.i]] = (Int32(edge.j), edge.weight)
      entries[next[edge.j]] = (Int32(edge.i), edge.weight)
      next[edge.i] += 1
      next[edge.j] += 1
    }
    for i in 0..<count { entries[starts[i]..<starts[i + 1]].sort { $0.neighbour < $1.neighbour } }
    neighbours = entries.map(\.neighbour)
    weights = entries.map(\.weight)
  }

  package var edgeCount: Int { neighbours.count / 2 }
}
