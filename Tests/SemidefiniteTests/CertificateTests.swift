import Experiments
import Graphs
import Jobs
import Kernels
import Randomness
import Testing

import Semidefinite

/// The proof of a bound: factors, shifts, certificates.
@Suite struct CertificateTests {
  /// A graph of n vertices with signed weights of three digits.
  static func graph(_ n: Int, density: Double, seed: UInt64) -> EdgeList {
    var stream = Stream(key: Stream.key(seed: seed, path: "test graph"))
    stream.start(draw: 0)
    var (first, second, weights) = ([Int32](), [Int32](), [Double]())
    for i in 0..<n {
      for j in i + 1..<n where stream.uniform() < density {
        first.append(Int32(i))
        second.append(Int32(j))
        weights.append((stream.normal() * 100).rounded() / 100)
      }
    }
    return EdgeList(vertices: n, first: first, second: second, weights: weights)
  }

  static func spins(_ n: Int, rank: Int, seed: UInt64) -> SpinRows {
    let stride = SpinRows.stride(rank)
    let base = UnsafeMutablePointer<Double>.allocateZeros(n * stride)
    var stream = Stream(key: seed)
    stream.start(draw: 0)
    for i in 0..<n { for c in 0..<rank { base[i * stride + c] = stream.normal() } }
    let rows = SpinRows(base, count: n, stride: stride)
    rows.normalise()
    return rows
  }

  static func certificate(_ program: SpinProgram, _ v: SpinRows) -> DualCertificate {
    var y = [Double](repeating: 0, count: program.vertices)
    v.alignments(program.matrix, into: &y)
    return DualCertificate(
      program, SparseFactor(program.matrix), multipliers: y, radii: program.matrix.rowSums)
  }

  /// The best of all signs. Gray's code turns one sign at a time, so that a choice costs the neighbours of one vertex; the last sign is fixed. The signs that are found are valued from scratch.
  static func optimum(_ program: SpinProgram) -> Double {
    let n = program.vertices
    let matrix = program.matrix
    var fields = Array(repeating: 0.0, count: n)
    var signs = Array(repeating: 1.0, count: n)
    for i in 0..<n { for e in matrix.entries(of: i) { fields[i] += matrix.values[e] } }
    // sum_ij C_ij x_i x_j is smallest at the best choice.
    var (change, least, best) = (0.0, 0.0, signs)
    for word in 1..<1 << (n - 1) {
      let turned = word.trailingZeroBitCount
      let old = signs[turned]
      change -= 4 * old * fields[turned]
      signs[turned] = -old
      for e in matrix.entries(of: turned) { fields[Int(matrix.columns[e])] -= 2 * old * matrix.values[e] }
      if change < least { (least, best) = (change, signs) }
    }
    return program.value(signs: best)
  }

  /// One by one, from scratch.
  static func plainOptimum(_ program: SpinProgram) -> Double {
    let n = program.vertices
    let isMaximised = program.objective.isMaximised
    return (0..<1 << (n - 1)).reduce(isMaximised ? -Double.infinity : .infinity) { best, word in
      let value = program.value(signs: (0..<n).map { word >> $0 & 1 == 1 ? 1 : -1 })
      return isMaximised ? max(best, value) : min(best, value)
    }
  }

  @Test func enumerationByOneSignAtATime() {
    for seed in 0..<8 as Range<UInt64> {
      for objective in SpinProgram.Objective.allCases where objective.isOfSigns {
        let program = SpinProgram(objective, Self.graph(3 + Int(seed), density: 0.7, seed: 40 + seed))
        #expect(abs(Self.optimum(program) - Self.plainOptimum(program)) <= 1e-12, "\(objective), seed \(seed)")
      }
    }
  }

  /// Factors of several patterns solve what a plain dense elimination solves.
  @Test func factorAgainstPlainElimination() {
    for (n, density) in [(1, 0.0), (7, 0.3), (40, 0.05), (60, 0.2), (150, 0.03), (150, 0.9)] {
      let graph = Self.graph(n, density: density, seed: UInt64(n))
      let a = SparseSymmetric(count: n, first: graph.first, second: graph.second, values: graph.weights)
      let diagonal = a.rowSums.enumerated().map { $1 + 0.5 + Double($0 % 3) }
      var dense = (0..<n).map { i in (0..<n).map { $0 == i ? diagonal[i] : 0 } }
      for e in graph.weights.indices {
        let (i, j) = (Int(graph.first[e]), Int(graph.second[e]))
        (dense[i][j], dense[j][i]) = (graph.weights[e], graph.weights[e])
      }
      let x = (0..<n).map { Double($0 % 5) - 1.7 }
      var b = (0..<n).map { i in (0..<n).reduce(0) { $0 + dense[i][$1] * x[$1] } }
      let factor = SparseFactor(a)
      #expect(factor.factorise(diagonal: diagonal))
      factor.solve(&b)
      for i in 0..<n { #expect(abs(b[i] - x[i]) <= 1e-11, "n = \(n)") }
      #expect(factor.longestColumn <= n)
      // gamma/(1 - gamma) of sums of as many terms as the longest column has.
      let gamma = Double(factor.longestColumn + 1) * 0x1p-53
      #expect(factor.margin(trace: 3) > 3 * gamma / (1 - gamma))
    }
  }

  /// The factor is refused just below the smallest eigenvalue and taken just above it: a path has the eigenvalues 2 cos(pi j/(n + 1)).
  @Test func edgeOfAPath() throws {
    let n = 60
    let a = SparseSymmetric(
      count: n, first: (0..<n - 1).map { Int32($0) }, second: (1..<n).map { Int32($0) },
      values: Array(repeating: 1, count: n - 1))
    let edge = 2 * Elementary.sinCos(Double.pi * Double(n) / Double(n + 1)).cos
    let factor = SparseFactor(a)
    #expect(!PositiveShift.proves(factor, diagonal: Array(repeating: -edge - 1e-12, count: n)))
    #expect(PositiveShift.proves(factor, diagonal: Array(repeating: -edge + 1e-11, count: n)))
    let proof = try #require(
      PositiveShift(factor, diagonal: Array(repeating: 0, count: n), radii: a.rowSums, tolerance: 1e-10))
    #expect(abs(proof.shift + edge) <= 1e-9)
    #expect(proof.shift > -edge)
    #expect(
      PositiveShift(factor, diagonal: Array(repeating: .nan, count: n), radii: a.rowSums, tolerance: 1e-10) == nil)
  }

  /// Thirteen graphs with signed weights, of up to 20 vertices: a bound of any vectors, at random, mixed, of rank 1, and of corrupted multipliers, is above the best of all choices of signs.
  @Test func boundsHoldWhateverTheVectors() {
    for seed in 0..<13 as Range<UInt64> {
      for objective in SpinProgram.Objective.allCases where objective.isOfSigns {
        let n = 8 + Int(seed)
        let program = SpinProgram(objective, Self.graph(n, density: 0.6, seed: 100 + seed))
        let optimum = Self.optimum(program)
        func check(_ bound: Double, _ words: String) {
          if objective.isMaximised {
            #expect(bound >= optimum, Comment(rawValue: words))
          } else {
            #expect(bound <= optimum, Comment(rawValue: words))
          }
        }
        let v = Self.spins(n, rank: 6, seed: seed)
        defer { v.base.deallocate() }
        check(Self.certificate(program, v).bound, "vectors at random, seed \(seed)")
        for _ in 0..<300 { v.relax(program.matrix) }
        let sharp = Self.certificate(program, v)
        check(sharp.bound, "mixed, seed \(seed)")
        var y = [Double](repeating: 0, count: n)
        v.alignments(program.matrix, into: &y)
        #expect(abs(sharp.bound - program.value(y)) <= 1e-5 * optimum.magnitude)
        // Corrupted multipliers, some absurd.
        let factor = SparseFactor(program.matrix)
        for (name, change) in [
          ("one multiplier", { $0 == 3 ? 5 : 0 }), ("all", { Double($0) - 4 }), ("huge", { $0 == 1 ? 1e6 : 0 }),
        ] as [(String, (Int) -> Double)] {
          let wrong = y.enumerated().map { $1 + change($0) }
          check(
            DualCertificate(program, factor, multipliers: wrong, radii: program.matrix.rowSums).bound,
            "\(name), seed \(seed)")
        }
        // A dual vector that claims more than is true is refused, the true one is not.
        #expect(DualCertificate.proved(program, factor, dual: sharp.dual) == sharp.bound)
        let slack = (program.value(y) - optimum).magnitude / Double(n)
        #expect(
          DualCertificate.proved(program, factor, dual: sharp.dual.map { $0 + slack + 1e-4 }) == nil, "seed \(seed)")
      }
    }
  }

  @Test func roundingFindsTheOptimumOfSmallGraphs() {
    for seed in 0..<6 as Range<UInt64> {
      let program = SpinProgram(seed % 2 == 0 ? .maxCut : .ising, Self.graph(12, density: 0.5, seed: seed))
      let v = Self.spins(12, rank: 6, seed: seed)
      defer { v.base.deallocate() }
      for _ in 0..<200 { v.relax(program.matrix) }
      var stream = Stream(key: seed)
      stream.start(draw: 0)
      var rounding = SignRounding(program)
      let best = rounding.best(of: 200, v, rank: 6, &stream)
      #expect(abs(best.improved - Self.optimum(program)) <= 1e-9)
      #expect(abs(program.value(signs: best.signs) - best.improved) <= 1e-12)
      // The mean over planes against its formula: 4 standard errors.
      var (sum, squares) = (0.0, 0.0)
      let planes = 4000
      for _ in 0..<planes {
        let value = rounding.best(of: 1, v, rank: 6, &stream).plain
        sum += value
        squares += value * value
      }
      let mean = sum / Double(planes)
      let error = ((squares / Double(planes) - mean * mean) / Double(planes)).squareRoot()
      #expect(abs(program.meanRounded(v) - mean) <= 4 * error + 1e-12)
    }
  }

  /// Angles: the relaxation of structured vectors is the alignment, the bound holds, and without noise it is attained by the angles that were drawn.
  @Test func synchronisation() {
    let graph = Self.graph(12, density: 0.5, seed: 4)
    let program = SpinProgram(.synchronisation, graph)
    let angles = (0..<12).map { 0.7 * Double($0 * $0) }
    let stride = SpinRows.stride(5)
    let base = UnsafeMutablePointer<Double>.allocateZeros(24 * stride)
    defer { base.deallocate() }
    for i in 0..<12 {
      let (sine, cosine) = Elementary.sinCos(angles[i])
      (base[i * stride], base[i * stride + 1]) = (cosine, sine)
      (base[(12 + i) * stride], base[(12 + i) * stride + 1]) = (-sine, cosine)
    }
    let rows = SpinRows(base, count: 24, stride: stride)
    var y = [Double](repeating: 0, count: 24)
    rows.alignments(program.matrix, into: &y)
    let plain = graph.weights.indices.reduce(0) {
      $0 + Elementary.sinCos(angles[Int(graph.first[$1])] - angles[Int(graph.second[$1])] - graph.weights[$1]).cos
    }
    #expect(abs(program.value(y) - plain) <= 1e-12)
    // The best angles found lie below the bound, which is close.
    let free = Self.spins(24, rank: 8, seed: 6)
    defer { free.base.deallocate() }
    for _ in 0..<2000 { free.relax(program.matrix) }
    var stream = Stream(key: 9)
    stream.start(draw: 0)
    var rounding = AngleRounding(program)
    let best = rounding.best(of: 50, free, rank: 8, &stream)
    let bound = Self.certificate(program, free).bound
    #expect(best <= bound && best > 0.9 * bound)
    let exact = EdgeList(
      vertices: 12, first: graph.first, second: graph.second,
      weights: graph.weights.indices.map { angles[Int(graph.first[$0])] - angles[Int(graph.second[$0])] })
    let consistent = SpinProgram(.synchronisation, exact)
    let v = Self.spins(24, rank: 8, seed: 2)
    defer { v.base.deallocate() }
    for _ in 0..<500 { v.relax(consistent.matrix) }
    var angleRounding = AngleRounding(consistent)
    let found = angleRounding.best(of: 3, v, rank: 8, &stream)
    #expect(abs(found - Double(graph.count)) <= 1e-9)
    #expect(angleRounding.overlap(angles) > 1 - 1e-9)
    #expect(abs(Self.certificate(consistent, v).bound - Double(graph.count)) <= 1e-5)
  }

  /// Mixing against a plain loop, for ranks of one, several and many vectors.
  @Test func mixingAgainstAPlainLoop() {
    let n = 15
    let program = SpinProgram(.maxCut, Self.graph(n, density: 0.4, seed: 7))
    for rank in [2, 8, 13, 29, 40, 70] {
      let v = Self.spins(n, rank: rank, seed: 3)
      defer { v.base.deallocate() }
      var plain = (0..<n).map { i in (0..<rank).map { v.base[i * v.stride + $0] } }
      for i in 0..<n {
        var g = Array(repeating: 0.0, count: rank)
        for e in program.matrix.entries(of: i) {
          for c in 0..<rank { g[c] += program.matrix.values[e] * plain[Int(program.matrix.columns[e])][c] }
        }
        let norm = g.reduce(0) { $0 + $1 * $1 }.squareRoot()
        if norm > 0 { plain[i] = g.map { -$0 / norm } }
      }
      var y = [Double](repeating: 0, count: n)
      v.alignments(program.matrix, into: &y)
      let before = y.reduce(0, +)
      let fall = v.relax(program.matrix)
      v.alignments(program.matrix, into: &y)
      #expect(abs(before - y.reduce(0, +) - fall) <= 1e-12)
      for i in 0..<n { for c in 0..<rank { #expect(abs(v.base[i * v.stride + c] - plain[i][c]) <= 1e-14) } }
    }
  }
}
