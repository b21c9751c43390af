/// Products of a sparse symmetric matrix A with rows of k numbers: the fields \(g_i = \sum_j a_{ij} v_j\) of spins on a graph.
///
/// Goals, in this order: the same bits on every CPU; one pass over the neighbours of a spin with its field in registers; no allocation.
/// Vectors lie along the k numbers, in eights, and every one of them adds its neighbours in their order: one chain of fused multiply-adds.
/// The alternative, one coordinate of eight spins at a time, gathers its neighbours lane by lane.
public struct SpinRows {
  /// Row i at `i * stride`; what is beyond the first k numbers of a row is zero.
  public let base: UnsafeMutablePointer<Double>
  public let count: Int
  /// A multiple of 8.
  public let stride: Int

  public init(_ base: UnsafeMutablePointer<Double>, count: Int, stride: Int) {
    precondition(stride % 8 == 0 && stride > 0)
    self.base = base
    self.count = count
    self.stride = stride
  }

  /// The next multiple of 8.
  public static func stride(_ k: Int) -> Int { (k + 7) & ~7 }

  /// Coordinate descent for \(\sum_{ij} a_{ij} v_i \cdot v_j\) on the product of spheres, the mixing method (arXiv:1706.00476): one vertex after another,
  /// \(v_i \leftarrow -g_i/|g_i|\). A spin without a field stays.
  /// - Returns: what the sum has fallen by.
  @discardableResult
  public func relax(_ a: SparseSymmetric) -> Double {
    var fall = 0.0
    withFields(a) { i, g in
      let v = base + i &* stride
      let norm = Self.dot(g, g, stride).squareRoot()
      // 2 (g.v + |g|) is what this move gains.
      fall += norm + Self.dot(g, v, stride)
      guard norm > 0 else { return }
      let s = -1 / norm
      for c in Swift.stride(from: 0, to: stride, by: 8) { (Vector8(s) * Vector8(g + c)).store(v + c) }
    }
    return 2 * fall
  }

  /// \(y_i = g_i \cdot v_i\).
  public func alignments(_ a: SparseSymmetric, into y: UnsafeMutablePointer<Double>) {
    withFields(a) { i, g in y[i] = Self.dot(g, base + i &* stride, stride) }
  }

  /// All fields.
  /// - Parameter g: rows of `stride` numbers.
  public func fields(_ a: SparseSymmetric, into out: UnsafeMutablePointer<Double>) {
    withFields(a) { i, g in (out + i &* stride).update(from: g, count: stride) }
  }

  /// \(v_i \cdot v_j\).
  public func dot(_ i: Int, _ j: Int) -> Double { Self.dot(base + i &* stride, base + j &* stride, stride) }

  /// The products of all rows with one row.
  public func project(_ g: UnsafePointer<Double>, into out: UnsafeMutablePointer<Double>) {
    for i in 0..<count { out[i] = Self.dot(base + i &* stride, g, stride) }
  }

  /// Scales every row to length 1; a row of zeros stays.
  public func normalise() {
    for i in 0..<count {
      let v = base + i &* stride
      let norm = Self.dot(v, v, stride).squareRoot()
      guard norm > 0 else { continue }
      let s = 1 / norm
      for c in Swift.stride(from: 0, to: stride, by: 8) { (Vector8(s) * Vector8(v + c)).store(v + c) }
    }
  }

  @inline(__always)
  static func dot(_ x: UnsafePointer<Double>, _ y: UnsafePointer<Double>, _ stride: Int) -> Double {
    var sum = Vector8(x) * Vector8(y)
    var c = 8
    while c < stride {
      sum.add(Vector8(x + c), Vector8(y + c))
      c &+= 8
    }
    return sum.total
  }

  /// Hands out the field of one row after another; the body may change that row.
  @inline(__always)
  private func withFields(_ a: SparseSymmetric, _ body: (Int, UnsafeMutablePointer<Double>) -> Void) {
    precondition(a.count == count)
    withAlignedRoom(stride) { g in
      a.offsets.withUnsafeBufferPointer { offsets in
        a.columns.withUnsafeBufferPointer { columns in
          a.values.withUnsafeBufferPointer { values in
            for i in 0..<count {
              let row = Row(
                columns: columns.baseAddress, values: values.baseAddress, first: offsets[i], end: offsets[i &+ 1])
              var c = 0
              while c < stride {
                let octets = min((stride &- c) &>> 3, 4)
                switch octets {
                case 4: add(row, c, Beside4<Vector8>.self, g)
                case 3: add(row, c, Beside3<Vector8>.self, g)
                case 2: add(row, c, Beside2<Vector8>.self, g)
                default: add(row, c, Vector8.self, g)
                }
                c &+= 8 &* octets
              }
              body(i, g)
            }
          }
        }
      }
    }
  }

  private struct Row {
    let columns: UnsafePointer<Int32>?
    let values: UnsafePointer<Double>?
    let first, end: Int
  }

  /// Numbers c, c + 1, … of a field.
  @inline(__always)
  private func add<L: Lanes>(_ row: Row, _ c: Int, _: L.Type, _ g: UnsafeMutablePointer<Double>)
  where L.Scalar == Double {
    var sum = L(0)
    if let columns = row.columns, let values = row.values {
      let origin = base + c
      for e in row.first..<row.end { sum.add(values[e], L(origin + Int(columns[e]) &* stride)) }
    }
    sum.store(g + c)
  }
}
