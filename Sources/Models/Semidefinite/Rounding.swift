import Kernels
import Randomness

/// Signs from unit vectors: on either side of random planes, then by single flips while they gain.
package struct SignRounding {
  private let program: SpinProgram
  /// \(\sum_j C_{ij} x_j\) of the signs at hand.
  private var fields: [Double]
  package private(set) var signs: [Double]

  package init(_ program: SpinProgram) {
    self.program = program
    fields = Array(repeating: 0, count: program.vertices)
    signs = fields
  }

  /// The best value of a given number of planes; after 1-opt as well.
  /// - Parameter rank: coordinates of a vector.
  package mutating func best(
    of planes: Int, _ v: SpinRows, rank: Int, _ stream: inout Stream
  ) -> (plain: Double, improved: Double, signs: [Double]) {
    let isMaximised = program.objective.isMaximised
    var (plain, improved) = (isMaximised ? -Double.infinity : .infinity, isMaximised ? -Double.infinity : .infinity)
    var best = signs
    func isBetter(_ x: Double, _ y: Double) -> Bool { isMaximised ? x > y : x < y }
    withAlignedRoom(v.stride) { g in
      g.update(repeating: 0, count: v.stride)
      for _ in 0..<planes {
        for c in 0..<rank { g[c] = stream.normal() }
        signs.withUnsafeMutableBufferPointer { x in
          v.project(g, into: x.baseAddress!)
          for i in x.indices { x[i] = x[i] < 0 ? -1 : 1 }
        }
        let value = program.value(signs: signs)
        if isBetter(value, plain) { plain = value }
        flip()
        let flipped = program.value(signs: signs)
        if isBetter(flipped, improved) { (improved, best) = (flipped, signs) }
      }
    }
    return (plain, improved, best)
  }

  /// Flips one sign after another while the form falls: each flip lowers it by \(4 x_i \sum_j C_{ij} x_j\). Gains of the size of rounding are none.
  package mutating func flip() {
    let a = program.matrix
    for i in 0..<a.count { fields[i] = a.entries(of: i).reduce(0) { $0 + a.values[$1] * signs[Int(a.columns[$1])] } }
    var moved = true
    while moved {
      moved = false
      for i in 0..<a.count {
        let gain = signs[i] * fields[i]
        guard gain > 0, gain > 1e-12 * a.entries(of: i).reduce(0, { $0 + a.values[$1].magnitude }) else { continue }
        signs[i] = -signs[i]
        for e in a.entries(of: i) { fields[Int(a.columns[e])] += 2 * a.values[e] * signs[i] }
        moved = true
      }
    }
  }
}

/// Angles from unit vectors: the phases of a random complex projection, then one angle after another at its best given the others.
package struct AngleRounding {
  private let program: SpinProgram
  /// Cosines and sines of the angles, which they stay: no angle is needed.
  package private(set) var cosines, sines: [Double]
  private let turns: [(sin: Double, cos: Double)]
  private let edges: [[Int32]]
  /// Sweeps after a projection at most, and the relative gain below which they end.
  private static let sweeps = 200
  private static let gain = 1e-12

  package init(_ program: SpinProgram) {
    self.program = program
    let graph = program.graph
    cosines = Array(repeating: 1, count: graph.vertices)
    sines = Array(repeating: 0, count: graph.vertices)
    turns = graph.weights.map { Elementary.sinCos($0) }
    var edges: [[Int32]] = Array(repeating: [], count: graph.vertices)
    for e in graph.weights.indices {
      edges[Int(graph.first[e])].append(Int32(e))
      edges[Int(graph.second[e])].append(Int32(e))
    }
    self.edges = edges
  }

  /// The best alignment of a given number of projections, each improved; `cosines` and `sines` are those of it.
  package mutating func best(of projections: Int, _ v: SpinRows, rank: Int, _ stream: inout Stream) -> Double {
    let n = program.graph.vertices
    var best = (value: -Double.infinity, cosines: cosines, sines: sines)
    withAlignedRoom(2 * v.stride + 2 * v.count) { room in
      let (g, h) = (room, room + v.stride)
      let (x, y) = (room + 2 * v.stride, room + 2 * v.stride + v.count)
      room.update(repeating: 0, count: 2 * v.stride)
      for _ in 0..<projections {
        for c in 0..<rank { (g[c], h[c]) = (stream.normal(), stream.normal()) }
        v.project(g, into: x)
        v.project(h, into: y)
        // (g + i h) . (a - i b) of the two vectors a and b of a vertex: the average over the turns of the relaxation, which has no direction of its own.
        for i in 0..<n { place(i, x[i] + y[n + i], y[i] - x[n + i]) }
        var value = self.value
        for _ in 0..<Self.sweeps {
          for i in 0..<n { improve(i) }
          let next = self.value
          if next - value <= Self.gain * next.magnitude { break }
          value = next
        }
        value = self.value
        if value > best.value { best = (value, cosines, sines) }
      }
    }
    (cosines, sines) = (best.cosines, best.sines)
    return best.value
  }

  /// The alignment of the angles at hand.
  package var value: Double {
    let graph = program.graph
    var total = 0.0
    for e in graph.weights.indices {
      let (i, j) = (Int(graph.first[e]), Int(graph.second[e]))
      let (cosine, sine) = (
        cosines[i] * cosines[j] + sines[i] * sines[j], sines[i] * cosines[j] - cosines[i] * sines[j]
      )
      total += cosine * turns[e].cos + sine * turns[e].sin
    }
    return total
  }

  /// \(|\sum_i e^{i(\theta_i - t_i)}|/n\) for other angles t.
  package func overlap(_ truth: [Double]) -> Double {
    var (x, y) = (0.0, 0.0)
    for (i, angle) in truth.enumerated() {
      let (sine, cosine) = Elementary.sinCos(angle)
      x += cosines[i] * cosine + sines[i] * sine
      y += sines[i] * cosine - cosines[i] * sine
    }
    return (x * x + y * y).squareRoot() / Double(truth.count)
  }

  private mutating func place(_ i: Int, _ x: Double, _ y: Double) {
    let norm = (x * x + y * y).squareRoot()
    if norm > 0 { (cosines[i], sines[i]) = (x / norm, y / norm) }
  }

  /// The direction of the sum of what the neighbours say.
  private mutating func improve(_ i: Int) {
    var (x, y) = (0.0, 0.0)
    for edge in edges[i] {
      let e = Int(edge)
      let isFirst = Int(program.graph.first[e]) == i
      let other = Int(isFirst ? program.graph.second[e] : program.graph.first[e])
      let (c, s) = (turns[e].cos, isFirst ? turns[e].sin : -turns[e].sin)
      x += cosines[other] * c - sines[other] * s
      y += sines[other] * c + cosines[other] * s
    }
    place(i, x, y)
  }
}
