import Experiments
import Graphs
import Kernels
import Randomness

/// A Markov chain on the vertices of a connected graph, reversible for a law $\mu$: the simple walk, $P_{ij} = w_{ij}/d_i$ and $\mu_i \propto d_i = \sum_j w_{ij}$, or that of Metropolis to any $\mu$,
///
/// $$ P_{ij} = \min\Big(\frac{w_{ij}}{d_i}, \frac{\mu_j w_{ij}}{\mu_i d_j}\Big) \quad (i \ne j), \qquad P_{ii} = 1 - \sum_{j \ne i} P_{ij} . $$
package struct BaseChain: Sendable {
  package enum Kind: String, CaseIterable, Sendable { case simple, metropolis }

  /// $\mu$, of sum 1.
  package let target: [Double]
  /// Moves of vertex i are those from `offsets[i]` to `offsets[i + 1]`; a vertex may be its own neighbour.
  package let offsets: [Int]
  package let columns: [Int32]
  package let probabilities: [Double]

  package var count: Int { target.count }

  /// Least probability of staying that is no rounding of 0.
  private static let stay = 1e-14

  /// - Parameter target: what $\mu$ is proportional to; nil for the simple walk.
  package init(_ graph: EdgeList, target: [Double]?) {
    let matrix = SparseSymmetric(
      count: graph.vertices, first: graph.first, second: graph.second, values: graph.weights)
    let degrees = matrix.rowSums
    let law = target ?? degrees
    let total = law.reduce(0, +)
    self.target = law.map { $0 / total }
    var (offsets, columns, probabilities) = ([0], [Int32](), [Double]())
    columns.reserveCapacity(matrix.columns.count)
    probabilities.reserveCapacity(matrix.columns.count)
    for i in 0..<graph.vertices {
      var rest = 1.0
      for e in matrix.entries(of: i) {
        let j = Int(matrix.columns[e])
        let proposed = matrix.values[e] / degrees[i]
        let p = target == nil ? proposed : min(proposed, law[j] * matrix.values[e] / (law[i] * degrees[j]))
        columns.append(Int32(j))
        probabilities.append(p)
        rest -= p
      }
      if target != nil, rest > Self.stay {
        columns.append(Int32(i))
        probabilities.append(rest)
      }
      offsets.append(columns.count)
    }
    (self.offsets, self.columns, self.probabilities) = (offsets, columns, probabilities)
  }

  /// Most moves of a vertex.
  package var largestDegree: Int { zip(offsets, offsets.dropFirst()).reduce(0) { max($0, $1.1 - $1.0) } }

  /// Whether $\mu$ is the same everywhere.
  package var isUniform: Bool { target.allSatisfy { ($0 * Double(count) - 1).magnitude < 1e-12 } }

  package func mean(_ f: [Double]) -> Double {
    var sum = 0.0
    for i in target.indices { sum = sum.addingProduct(target[i], f[i]) }
    return sum
  }

  // MARK: Steps

  /// The moves as pointers, for the length of a draw.
  package struct Moves {
    package let offsets: UnsafePointer<Int>
    package let columns: UnsafePointer<Int32>
    package let probabilities: UnsafePointer<Double>
    package let target: UnsafePointer<Double>

    /// The next vertex: j with probability proportional to $P_{ij}$ weight(j), of which the integers $\lfloor 2^{40} P_{ij} \text{weight}_j/\max \rfloor$ decide: their sums are exact.
    @inline(__always)
    package func step(
      from i: Int, _ room: StepRoom, _ stream: inout Stream, weight: (Int) -> Double
    ) -> Int {
      let first = offsets[i]
      let (columns, probabilities, count) = (columns + first, probabilities + first, offsets[i &+ 1] &- first)
      var most = 0.0
      for k in 0..<count {
        let value = probabilities[k] * weight(Int(columns[k]))
        room.values[k] = value
        most = max(most, value)
      }
      let scale = 0x1p40 / most
      var sum: UInt64 = 0
      for k in 0..<count {
        sum &+= UInt64(room.values[k] * scale)
        room.sums[k] = sum
      }
      let pointer = stream.word().multipliedFullWidth(by: sum).high
      var k = 0
      while room.sums[k] <= pointer { k &+= 1 }
      return Int(columns[k])
    }
  }

  /// What a step needs besides: one number and one sum a neighbour.
  package final class StepRoom {
    package let values: UnsafeMutablePointer<Double>
    package let sums: UnsafeMutablePointer<UInt64>

    package init(_ chain: BaseChain) {
      let degree = max(1, chain.largestDegree)
      values = .allocateZeros(degree)
      sums = .allocate(capacity: degree)
      sums.initialize(repeating: 0, count: degree)
    }

    deinit {
      values.deallocate()
      sums.deallocate()
    }
  }

  package func withMoves<R>(_ body: (Moves) -> R) -> R? {
    offsets.withUnsafeBufferPointer { offsets in
      columns.withUnsafeBufferPointer { columns in
        probabilities.withUnsafeBufferPointer { probabilities in
          target.withUnsafeBufferPointer { target in
            guard let a = offsets.baseAddress, let b = columns.baseAddress, let c = probabilities.baseAddress,
              let d = target.baseAddress
            else { return nil }
            return body(Moves(offsets: a, columns: b, probabilities: c, target: d))
          }
        }
      }
    }
  }
}

/// Where a walk begins: at a vertex, or in the law of its chain.
package struct WalkStart: Sendable {
  /// $\sum_{k \le j} \lfloor 2^{40} \mu_k/\max \mu \rfloor$; empty for a vertex.
  private let sums: [UInt64]
  private let vertex: Int
  package var isStationary: Bool { !sums.isEmpty }

  package init(vertex: Int) { (sums, self.vertex) = ([], vertex) }

  package init(stationary chain: BaseChain) {
    let scale = 0x1p40 / (chain.target.max() ?? 1)
    var sum: UInt64 = 0
    sums = chain.target.map {
      sum += UInt64($0 * scale)
      return sum
    }
    vertex = 0
  }

  package func draw(_ stream: inout Stream) -> Int {
    guard let total = sums.last else { return vertex }
    let pointer = stream.word().multipliedFullWidth(by: total).high
    var (low, high) = (0, sums.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if sums[middle] > pointer { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
