/// Eight small symmetric or lower triangular matrices side by side, one a lane: products, Cholesky factors, solves, and the derivatives of each backwards.
///
/// Goals, in this order: the same bits on every CPU; a vector in every operation whatever the size, so that 3 x 3 matrices run at the rate of large ones; no room of its own.
/// (Loops along the rows of one small matrix are shorter than a vector.)
///
/// Entry (i, j), i >= j, of all eight is the octet at `8 (i (i + 1)/2 + j)`. Derivatives are by these entries: that by an entry off the diagonal of a symmetric matrix counts both of its places.
/// With $\bar x$ the derivative of a number by x, each function named `...Back` takes $\bar{\text{result}}$ to $\bar{\text{arguments}}$ (arXiv:1602.07527 for Cholesky). A matrix that is not
/// positive definite gives a root of a negative number: what follows is not a number, in its lane only.
public enum OctetTriangles {
  /// Numbers of the eight matrices.
  @inlinable public static func room(_ p: Int) -> Int { 4 &* p &* (p &+ 1) }

  /// The place of entry (i, j), i >= j.
  @inlinable @inline(__always) public static func place(_ i: Int, _ j: Int) -> Int {
    8 &* (i &* (i &+ 1) / 2 &+ j)
  }

  @inline(__always) private static func at(_ x: UnsafePointer<Double>, _ i: Int, _ j: Int) -> Vector8 {
    Vector8(x + place(i, j))
  }

  @inline(__always) private static func minus(_ x: Vector8) -> Vector8 { Vector8(-1) * x }

  /// Adds an octet to the one at a place.
  @inline(__always) private static func add(
    _ x: Vector8, _ y: Vector8, to out: UnsafeMutablePointer<Double>
  ) {
    var sum = Vector8(out)
    sum.add(x, y)
    sum.store(out)
  }

  // MARK: Products

  /// A = L T.
  public static func multiply(
    _ l: UnsafePointer<Double>, _ t: UnsafePointer<Double>, _ p: Int, into a: UnsafeMutablePointer<Double>
  ) {
    for i in 0..<p {
      for j in 0...i {
        var sum = at(l, i, j) * at(t, j, j)
        for k in j &+ 1..<max(i &+ 1, j &+ 1) { sum.add(at(l, i, k), at(t, k, j)) }
        sum.store(a + place(i, j))
      }
    }
  }

  /// $\bar T = \operatorname{lower}(L^T \bar A)$; $\operatorname{lower}(\bar A T^T)$ is written to $\bar L$ unless that is nil.
  public static func multiplyBack(
    _ l: UnsafePointer<Double>, _ t: UnsafePointer<Double>, _ aBar: UnsafePointer<Double>, _ p: Int,
    lBar: UnsafeMutablePointer<Double>?, tBar: UnsafeMutablePointer<Double>
  ) {
    for k in 0..<p {
      for j in 0...k {
        var sum = at(l, k, k) * at(aBar, k, j)
        for i in k &+ 1..<max(p, k &+ 1) { sum.add(at(l, i, k), at(aBar, i, j)) }
        sum.store(tBar + place(k, j))
      }
    }
    guard let lBar else { return }
    for i in 0..<p {
      for k in 0...i {
        var sum = at(aBar, i, 0) * at(t, k, 0)
        for j in 1..<max(k &+ 1, 1) { sum.add(at(aBar, i, j), at(t, k, j)) }
        sum.store(lBar + place(i, k))
      }
    }
  }

  /// $G = A A^T$.
  public static func square(_ a: UnsafePointer<Double>, _ p: Int, into g: UnsafeMutablePointer<Double>) {
    for i in 0..<p {
      for j in 0...i {
        var sum = at(a, i, 0) * at(a, j, 0)
        for k in 1..<max(j &+ 1, 1) { sum.add(at(a, i, k), at(a, j, k)) }
        sum.store(g + place(i, j))
      }
    }
  }

  /// Adds to $\bar A$.
  public static func squareBack(
    _ a: UnsafePointer<Double>, _ gBar: UnsafePointer<Double>, _ p: Int, aBar: UnsafeMutablePointer<Double>
  ) {
    for i in 0..<p {
      for j in 0...i {
        let g = at(gBar, i, j)
        for k in 0...j {
          add(g, at(a, j, k), to: aBar + place(i, k))
          add(g, at(a, i, k), to: aBar + place(j, k))
        }
      }
    }
  }

  // MARK: Factors

  /// $L L^T = G$; L may take the place of G.
  public static func factor(_ g: UnsafePointer<Double>, _ p: Int, into l: UnsafeMutablePointer<Double>) {
    for j in 0..<p {
      var pivot = at(g, j, j)
      for k in 0..<j {
        let x = at(l, j, k)
        pivot.add(minus(x), x)
      }
      pivot = pivot.squareRoot
      pivot.store(l + place(j, j))
      let inverse = pivot.inverse
      for i in j &+ 1..<max(p, j &+ 1) {
        var x = at(g, i, j)
        for k in 0..<j { x.add(minus(at(l, i, k)), at(l, j, k)) }
        (x * inverse).store(l + place(i, j))
      }
    }
  }

  /// $\bar L$ becomes $\bar G$.
  public static func factorBack(_ l: UnsafePointer<Double>, _ p: Int, _ bar: UnsafeMutablePointer<Double>) {
    for j in (0..<p).reversed() {
      let inverse = at(l, j, j).inverse
      var own = Vector8(bar + place(j, j))
      for i in j &+ 1..<max(p, j &+ 1) {
        let b = Vector8(bar + place(i, j)) * inverse
        b.store(bar + place(i, j))
        let minusB = minus(b)
        own.add(minusB, at(l, i, j))
        for k in 0..<j {
          add(minusB, at(l, j, k), to: bar + place(i, k))
          add(minusB, at(l, i, k), to: bar + place(j, k))
        }
      }
      let c = own * inverse
      (Vector8(0.5) * c).store(bar + place(j, j))
      for k in 0..<j { add(minus(c), at(l, j, k), to: bar + place(j, k)) }
    }
  }

  // MARK: Solves

  /// $L z = y$, one y for all eight.
  /// - Parameter z: receives the p octets.
  public static func solve(
    _ l: UnsafePointer<Double>, _ y: UnsafePointer<Double>, _ p: Int, into z: UnsafeMutablePointer<Double>
  ) {
    for i in 0..<p {
      var x = Vector8(y[i])
      for k in 0..<i { x.add(minus(at(l, i, k)), Vector8(z + 8 &* k)) }
      (x / at(l, i, i)).store(z + 8 &* i)
    }
  }

  /// Adds to $\bar L$; $\bar z$ is overwritten.
  public static func solveBack(
    _ l: UnsafePointer<Double>, _ z: UnsafePointer<Double>, _ zBar: UnsafeMutablePointer<Double>, _ p: Int,
    lBar: UnsafeMutablePointer<Double>
  ) {
    for i in (0..<p).reversed() {
      let w = minus(Vector8(zBar + 8 &* i) / at(l, i, i))
      for k in 0..<i {
        add(w, at(l, i, k), to: zBar + 8 &* k)
        add(w, Vector8(z + 8 &* k), to: lBar + place(i, k))
      }
      add(w, Vector8(z + 8 &* i), to: lBar + place(i, i))
    }
  }

  // MARK: Sums

  /// Adds scale |x|^2 of `count` octets to the octet `sum`.
  public static func addSquares(
    _ x: UnsafePointer<Double>, _ count: Int, scale: Double, to sum: UnsafeMutablePointer<Double>
  ) {
    var total = Vector8(0)
    for i in 0..<count {
      let v = Vector8(x + 8 &* i)
      total.add(v, v)
    }
    add(Vector8(scale), total, to: sum)
  }

  /// Adds s x of `count` octets to others.
  public static func add(
    _ x: UnsafePointer<Double>, _ count: Int, scale: Double, to out: UnsafeMutablePointer<Double>
  ) {
    let s = Vector8(scale)
    for i in 0..<count { add(s, Vector8(x + 8 &* i), to: out + 8 &* i) }
  }

  /// The scalar products of `count` octets, lane by lane, into the octet `sum`.
  public static func dot(
    _ x: UnsafePointer<Double>, _ y: UnsafePointer<Double>, _ count: Int, into sum: UnsafeMutablePointer<Double>
  ) {
    var total = Vector8(0)
    for i in 0..<count { total.add(Vector8(x + 8 &* i), Vector8(y + 8 &* i)) }
    total.store(sum)
  }
}
