import Experiments

extension EdgeList {
  /// The vertices of the smallest part that no edge joins to the rest; nil for a connected graph.
  package var separatePart: [Int]? {
    // A forest of the vertices: every tree is a part.
    var parent = Array(0..<vertices)
    func root(_ vertex: Int) -> Int {
      var v = vertex
      while parent[v] != v {
        parent[v] = parent[parent[v]]
        v = parent[v]
      }
      return v
    }
    for e in weights.indices where weights[e] != 0 {
      let (a, b) = (root(Int(first[e])), root(Int(second[e])))
      if a != b { parent[max(a, b)] = min(a, b) }
    }
    let roots = (0..<vertices).map(root)
    var sizes: [Int: Int] = [:]
    for r in roots { sizes[r, default: 0] += 1 }
    guard sizes.count > 1, let least = sizes.min(by: { ($0.value, $0.key) < ($1.value, $1.key) })?.key else {
      return nil
    }
    return (0..<vertices).filter { roots[$0] == least }
  }
}
