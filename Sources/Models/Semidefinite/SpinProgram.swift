import Experiments
import Kernels
import Statistics

/// A quadratic form of signs on a graph, and its relaxation to unit vectors: \(\sum_{ij} C_{ij} x_i x_j\) is minimised, C symmetric without a diagonal. What people
/// read is `offset + factor` times it: a cut, an energy.
package struct SpinProgram: Sendable {
  package enum Objective: String, Sendable, CaseIterable {
    /// The weight of the edges between the signs, which is maximised: C = A/4.
    case maxCut = "max-cut"
    /// \(x^T Q x\), minimised: C = Q, and the diagonal of Q is added.
    case ising
    /// \(\sum \cos(\theta_i - \theta_j - \theta_{ij})\), which is maximised; the weights of the graph are the angles \(\theta_{ij}\). Vertex i is the two unit vectors
    /// \((\cos\theta_i, \sin\theta_i)\) and, n further on, the same a quarter turn on.
    case synchronisation

    /// What it is called in names and sentences.
    package var quantity: String {
      switch self {
      case .maxCut: "cut"
      case .ising: "energy"
      case .synchronisation: "alignment"
      }
    }
    package var isMaximised: Bool { self != .ising }
    /// Whether it is a form of signs.
    package var isOfSigns: Bool { self != .synchronisation }
  }

  package let objective: Objective
  package let graph: EdgeList
  /// C, every entry twice.
  package let matrix: SparseSymmetric

  package init(_ objective: Objective, _ graph: EdgeList) {
    self.objective = objective
    self.graph = graph
    guard objective == .synchronisation else {
      matrix = SparseSymmetric(
        count: graph.vertices, first: graph.first, second: graph.second, values: graph.weights,
        scale: objective == .maxCut ? 0.25 : 1)
      return
    }
    // cos(a - b - c) is half the sum of cos c times both products of like vectors, and of sin c times the difference of those of unlike ones.
    let n = Int32(graph.vertices)
    var entries: [(i: Int32, j: Int32, value: Double)] = []
    for e in graph.weights.indices {
      let (sine, cosine) = Elementary.sinCos(graph.weights[e])
      let (i, j) = (graph.first[e], graph.second[e])
      entries += [(i, j, -cosine), (n + i, n + j, -cosine), (i, n + j, -sine), (j, n + i, sine)]
    }
    entries.sort { ($0.i, $0.j) < ($1.i, $1.j) }
    matrix = SparseSymmetric(
      count: 2 * graph.vertices, first: entries.map(\.i), second: entries.map(\.j), values: entries.map(\.value),
      scale: 0.25)
  }

  /// Unit vectors.
  package var vertices: Int { matrix.count }
  /// Largest sum over the neighbours of a vertex of what multiplies their vectors in the gradient of an energy of spins, twice: \(\max_i 4 \sum_j |C_{ij}|\).
  package var largestWeight: Double { 4 * matrix.rowSums.reduce(0, max) }
  package var factor: Double { objective.isMaximised ? -1 : 1 }
  /// Terms whose sum is the offset: half the weights of all edges, or the diagonal.
  package var offsets: [Double] {
    switch objective {
    case .maxCut: graph.weights.map { 0.5 * $0 }
    case .ising: graph.diagonal
    case .synchronisation: []
    }
  }

  /// The smallest k with k(k+1)/2 > n: at this rank every local minimum that matters is a global one (Barvinok, Pataki; Burer, Monteiro).
  package static func sufficientRank(_ n: Int) -> Int {
    var k = 1
    while k * (k + 1) / 2 <= n { k += 1 }
    return k
  }

  /// The value of a form, \(\text{offset} + \text{factor} \cdot \sum_i y_i\) with \(y_i = \sum_j C_{ij} v_i \cdot v_j\): an exact sum, rounded once.
  package func value(_ y: [Double]) -> Double { Self.sum(offsets, y, factor) }

  /// The value for signs.
  package func value(signs: [Double]) -> Double {
    // Of an edge that is not cut nothing, or x_i x_j; small numbers of exact terms.
    var total = 0.0
    switch objective {
    case .maxCut:
      for e in graph.weights.indices where signs[Int(graph.first[e])] != signs[Int(graph.second[e])] {
        total += graph.weights[e]
      }
    case .ising:
      for e in graph.weights.indices {
        total += 2 * graph.weights[e] * signs[Int(graph.first[e])] * signs[Int(graph.second[e])]
      }
      total += graph.diagonal.reduce(0, +)
    case .synchronisation: preconditionFailure("a form of angles")
    }
    return total
  }

  /// The mean value of signs on either side of a random plane, without noise: \(E\,x_i x_j = 1 - (2/\pi) \arccos v_i \cdot v_j\) (Goemans, Williamson).
  package func meanRounded(_ v: SpinRows) -> Double {
    var terms = offsets
    terms.reserveCapacity(offsets.count + graph.count)
    let scale = objective == .maxCut ? -0.5 : 2.0
    for e in graph.weights.indices {
      let c = v.dot(Int(graph.first[e]), Int(graph.second[e]))
      let angle = Elementary.angle(x: c, y: max(0, (1 - c) * (1 + c)).squareRoot())
      terms.append(scale * graph.weights[e] * (1 - angle * 0x1.45f306dc9c883p-1))
    }
    return Self.sum(terms, [], 1)
  }

  static func sum(_ offsets: [Double], _ y: [Double], _ factor: Double) -> Double {
    var words = [Int64](repeating: 0, count: ExactSum.words)
    return words.withUnsafeMutableBufferPointer { buffer in
      let sum = buffer.baseAddress!
      var added = 0
      func add(_ x: Double) {
        ExactSum.add(x, to: sum)
        added += 1
        if added % ExactSum.room == 0 { ExactSum.carry(sum) }
      }
      offsets.forEach(add)
      for x in y { add(factor * x) }
      ExactSum.carry(sum)
      return ExactSum.value(sum)
    }
  }
}
