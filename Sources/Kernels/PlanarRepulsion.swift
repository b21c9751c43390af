/// The repulsion (u - s)/(|u - s|^2 + e^2) between two tiles of points of the plane: each pair once, for both of its points.
///
/// The points u of one tile are lanes; those s of the other come four at a time and share one division,
/// 1/a = b c d/(a b c d). A step divides for eight lanes, makes the differences of those two octets ahead, and adds the forces. In
/// one piece, the chain of products around the division is longer than what a core looks ahead, and takes 1.7 times as long.
///
/// What the lanes get is added source by source; what a source gets stays apart in eight running sums, eight lanes at a time. Both
/// orders are those of the points, so the bits do not tell which of the two was asked for.
package struct PlanarRepulsion {
  /// Coordinates of the lanes, whole octets.
  let x, y: UnsafePointer<Double>
  let octets: Int
  /// Coordinates of the sources; `lookahead` numbers behind them are read too.
  let sx, sy: UnsafePointer<Double>
  let sources: Int
  /// One number, e^2: an operand in memory costs less than a copy of a register.
  let least: UnsafePointer<Double>
  /// Room for `ringSize` numbers: the octets under way.
  let ring: UnsafeMutablePointer<Double>

  /// Running sums of a source: eight of each coordinate.
  package static let sumsOfSource = 16
  package static let ringSize = 3 * slot
  package static let lookahead = 4
  private static let slot = 112

  package init(
    x: UnsafePointer<Double>, y: UnsafePointer<Double>, octets: Int, sx: UnsafePointer<Double>,
    sy: UnsafePointer<Double>, sources: Int, least: UnsafePointer<Double>, ring: UnsafeMutablePointer<Double>
  ) {
    (self.x, self.y, self.octets) = (x, y, octets)
    (self.sx, self.sy, self.sources) = (sx, sy, sources)
    (self.least, self.ring) = (least, ring)
  }

  /// Adds to the force on every lane: `fx` and `fy`, whole octets.
  @inline(never)
  package func addToLanes(_ fx: UnsafeMutablePointer<Double>, _ fy: UnsafeMutablePointer<Double>) { add(fx, fy, nil) }

  /// Adds what the lanes get from every source to its running sums: the force on it is minus their total.
  @inline(never)
  package func addToSources(_ sums: UnsafeMutablePointer<Double>) { add(nil, nil, sums) }

  @inline(never)
  package func addToBoth(
    _ fx: UnsafeMutablePointer<Double>, _ fy: UnsafeMutablePointer<Double>, _ sums: UnsafeMutablePointer<Double>
  ) { add(fx, fy, sums) }

  /// The force on a source.
  package static func force(_ sums: UnsafePointer<Double>) -> (x: Double, y: Double) {
    (-Vector8(sums).total, -Vector8(sums + 8).total)
  }

  @inline(__always)
  private func add(
    _ fx: UnsafeMutablePointer<Double>?, _ fy: UnsafeMutablePointer<Double>?, _ sums: UnsafeMutablePointer<Double>?
  ) {
    let inFours = octets > 1 ? sources & ~3 : 0
    if inFours > 0 {
      var (sx, sy, sums) = (sx, sy, sums)
      var ahead = Ahead(
        slot: ring, second: ring + Self.slot, third: ring + 2 &* Self.slot, product: spread(0, sx, sy, ring),
        productAfter: spread(1, sx, sy, ring + Self.slot))
      for _ in 0..<inFours / 4 {
        var kept = Sums(sums)
        for k in 0..<octets &- 2 { step(k, &ahead, k &+ 2, sx, sy, fx, fy, &kept) }
        // The first octets of the next four sources.
        sx += 4
        sy += 4
        for k in 0..<2 { step(octets &- 2 &+ k, &ahead, k, sx, sy, fx, fy, &kept) }
        if let place = sums {
          kept.store(place)
          sums = place + 4 &* Self.sumsOfSource
        }
      }
    }
    for j in inFours..<sources { addOne(sx[j], sy[j], fx, fy, sums.map { $0 + j &* Self.sumsOfSource }) }
  }

  /// The slots and products of the octet that is due and of those after it.
  private struct Ahead {
    var slot, second, third: UnsafeMutablePointer<Double>
    var product, productAfter: Vector8
  }

  /// Adds the forces of octet k, and makes the differences of octet `next` to the sources at `sx`, `sy`.
  @inline(__always)
  private func step(
    _ k: Int, _ ahead: inout Ahead, _ next: Int, _ sx: UnsafePointer<Double>, _ sy: UnsafePointer<Double>,
    _ fx: UnsafeMutablePointer<Double>?, _ fy: UnsafeMutablePointer<Double>?, _ sums: inout Sums
  ) {
    let inverse = ahead.product.inverse
    ahead.product = ahead.productAfter
    ahead.productAfter = spread(next, sx, sy, ahead.third)
    collect(inverse, ahead.slot, fx.map { $0 + 8 &* k }, fy.map { $0 + 8 &* k }, &sums)
    (ahead.slot, ahead.second, ahead.third) = (ahead.second, ahead.third, ahead.slot)
  }

  /// Leaves in a slot the differences to four sources, their squares a, b, c, d with e^2, a b and c d; returns a b c d.
  @inline(__always)
  private func spread(
    _ k: Int, _ sx: UnsafePointer<Double>, _ sy: UnsafePointer<Double>, _ slot: UnsafeMutablePointer<Double>
  ) -> Vector8 {
    let (u, v) = (Vector8(x + 8 &* k), Vector8(y + 8 &* k))
    let (a, b) = (square(u, v, sx[0], sy[0], slot), square(u, v, sx[1], sy[1], slot + 16))
    let (c, d) = (square(u, v, sx[2], sy[2], slot + 32), square(u, v, sx[3], sy[3], slot + 48))
    a.store(slot + 64)
    b.store(slot + 72)
    c.store(slot + 80)
    d.store(slot + 88)
    let (ab, cd) = (a * b, c * d)
    ab.store(slot + 96)
    cd.store(slot + 104)
    return ab * cd
  }

  @inline(__always)
  private func square(
    _ u: Vector8, _ v: Vector8, _ sx: Double, _ sy: Double, _ slot: UnsafeMutablePointer<Double>
  ) -> Vector8 {
    let (p, q) = (u - sx, v - sy)
    p.store(slot)
    q.store(slot + 8)
    var sum = Vector8(least[0])
    sum.add(p, p)
    sum.add(q, q)
    return sum
  }

  /// Adds the forces of the differences in a slot.
  @inline(__always)
  private func collect(
    _ inverse: Vector8, _ slot: UnsafePointer<Double>, _ fx: UnsafeMutablePointer<Double>?,
    _ fy: UnsafeMutablePointer<Double>?, _ sums: inout Sums
  ) {
    let (first, second) = (inverse * Vector8(slot + 104), inverse * Vector8(slot + 96))
    let (a, b) = (first * Vector8(slot + 72), first * Vector8(slot + 64))
    let (c, d) = (second * Vector8(slot + 88), second * Vector8(slot + 80))
    let (px, py, qx, qy) = (Vector8(slot), Vector8(slot + 8), Vector8(slot + 16), Vector8(slot + 24))
    let (rx, ry, tx, ty) = (Vector8(slot + 32), Vector8(slot + 40), Vector8(slot + 48), Vector8(slot + 56))
    if let fx, let fy {
      var (u, v) = (Vector8(fx), Vector8(fy))
      u.add(a, px)
      v.add(a, py)
      u.add(b, qx)
      v.add(b, qy)
      u.add(c, rx)
      v.add(c, ry)
      u.add(d, tx)
      v.add(d, ty)
      u.store(fx)
      v.store(fy)
    }
    sums.first.a.add(a, px)
    sums.first.b.add(a, py)
    sums.first.c.add(b, qx)
    sums.first.d.add(b, qy)
    sums.second.a.add(c, rx)
    sums.second.b.add(c, ry)
    sums.second.c.add(d, tx)
    sums.second.d.add(d, ty)
  }

  /// A source beyond a multiple of four.
  private func addOne(
    _ sx: Double, _ sy: Double, _ fx: UnsafeMutablePointer<Double>?, _ fy: UnsafeMutablePointer<Double>?,
    _ sums: UnsafeMutablePointer<Double>?
  ) {
    for k in 0..<octets {
      let factor = square(Vector8(x + 8 &* k), Vector8(y + 8 &* k), sx, sy, ring).inverse
      add(factor, ring, to: fx.map { $0 + 8 &* k })
      add(factor, ring + 8, to: fy.map { $0 + 8 &* k })
      add(factor, ring, to: sums)
      add(factor, ring + 8, to: sums.map { $0 + 8 })
    }
  }

  @inline(__always)
  private func add(_ factor: Vector8, _ difference: UnsafePointer<Double>, to place: UnsafeMutablePointer<Double>?) {
    guard let place else { return }
    var sum = Vector8(place)
    sum.add(factor, Vector8(difference))
    sum.store(place)
  }

  /// Running sums of four sources, two by two: x and y of the first, x and y of the second.
  private struct Sums {
    var first, second: Vector32

    @inline(__always)
    init(_ p: UnsafePointer<Double>?) {
      (first, second) = p.map { (Vector32($0), Vector32($0 + 32)) } ?? (Vector32(0), Vector32(0))
    }

    @inline(__always)
    func store(_ p: UnsafeMutablePointer<Double>) {
      first.store(p)
      second.store(p + 32)
    }
  }
}
