import Experiments

/// O(k) spins on a weighted graph: H = 1/2 sum over the edges of w_ij v_i . v_j, so the field is 1/2 sum_j w_ij v_j. What systems of spins are made
/// of.
package final class SpinGraph: ManifoldSystem {
  package let graph: WeightedGraph
  package let manifold: any Manifold
  private let rank: Int

  package init(_ graph: WeightedGraph, rank: Int) {
    self.graph = graph
    self.rank = rank
    manifold = Sphere(rank)
  }

  package var sites: Int { graph.count }
  package var degree: Int { 2 }

  package let observables = [
    Observable("cosine", "mean over the edges of v_i . v_j"),
    Observable("m^2", "square of the length of the mean spin"),
  ]

  package func neighbours(of site: Int) -> [Int] {
    graph.neighbours[graph.starts[site]..<graph.starts[site + 1]].map { Int($0) }
  }

  package func fields(_ batch: SiteBatch, _ x: UnsafePointer<Double>, to rows: UnsafeMutablePointer<Double>) {
    graph.addProducts(of: batch, x, rowLength: rowLength, scale: 0.5, to: rows)
  }

  package func measure(_ x: UnsafePointer<Double>, energy: Double, into values: UnsafeMutablePointer<Double>) {
    let length = rowLength
    var cosine = 0.0
    for i in 0..<sites {
      for edge in graph.starts[i]..<graph.starts[i + 1] where Int(graph.neighbours[edge]) > i {
        let (a, b) = (x + i * length, x + Int(graph.neighbours[edge]) * length)
        for c in 0..<rank { cosine += a[c] * b[c] }
      }
    }
    var square = 0.0
    for c in 0..<rank {
      var total = 0.0
      for i in 0..<sites { total += x[i * length + c] }
      square += total * total
    }
    values[0] = cosine / Double(max(graph.edgeCount, 1))
    values[1] = square / Double(sites * sites)
  }
}

extension WeightedGraph {
  /// Rows of `scale` times the matrix times x, for some vertices.
  func addProducts(
    of batch: SiteBatch, _ x: UnsafePointer<Double>, rowLength: Int, scale: Double,
    to rows: UnsafeMutablePointer<Double>
  ) {
    // A length that the compiler knows keeps a short row in registers.
    switch rowLength {
    case 2: products(of: batch, x, 2, scale, to: rows)
    case 3: products(of: batch, x, 3, scale, to: rows)
    case 4: products(of: batch, x, 4, scale, to: rows)
    default:
      withEdges { starts, neighbours, weights in
        for b in 0..<batch.count {
          let (site, row) = (Int(batch.sites[b]), rows + b &* rowLength)
          for c in 0..<rowLength { row[c] = 0 }
          for edge in starts[site]..<starts[site &+ 1] {
            let (other, weight) = (x + Int(neighbours[edge]) &* rowLength, scale * weights[edge])
            for c in 0..<rowLength { row[c] = row[c].addingProduct(weight, other[c]) }
          }
        }
      }
    }
  }

  /// The same for rows of two to four numbers.
  @inline(__always)
  private func products(
    of batch: SiteBatch, _ x: UnsafePointer<Double>, _ length: Int, _ scale: Double,
    to rows: UnsafeMutablePointer<Double>
  ) {
    withEdges { starts, neighbours, weights in
      for b in 0..<batch.count {
        let (site, row) = (Int(batch.sites[b]), rows + b &* length)
        var (s0, s1, s2, s3) = (0.0, 0.0, 0.0, 0.0)
        for edge in starts[site]..<starts[site &+ 1] {
          let (other, weight) = (x + Int(neighbours[edge]) &* length, scale * weights[edge])
          s0 = s0.addingProduct(weight, other[0])
          s1 = s1.addingProduct(weight, other[1])
          if length > 2 { s2 = s2.addingProduct(weight, other[2]) }
          if length > 3 { s3 = s3.addingProduct(weight, other[3]) }
        }
        row[0] = s0
        row[1] = s1
        if length > 2 { row[2] = s2 }
        if length > 3 { row[3] = s3 }
      }
    }
  }

  @inline(__always)
  private func withEdges(
    _ body: (UnsafeBufferPointer<Int>, UnsafeBufferPointer<Int32>, UnsafeBufferPointer<Double>) -> Void
  ) {
    starts.withUnsafeBufferPointer { starts in
      neighbours.withUnsafeBufferPointer { neighbours in
        weights.withUnsafeBufferPointer { weights in body(starts, neighbours, weights) }
      }
    }
  }
}
