/// The convex hull of points of a plane, by gift wrapping: O(n h) for h vertices, without a sort and without memory of its own.
package enum PlanarHull {
  /// The vertices, from the leftmost point on, counterclockwise. Points on an edge are none; of equal points the first is one.
  /// - Parameters:
  ///   - points: x and y, a pair a point; finite.
  ///   - count: at least 1.
  ///   - vertices: room for `count` indices.
  /// - Returns: how many there are.
  package static func find(
    _ points: UnsafePointer<Double>, count: Int, into vertices: UnsafeMutablePointer<Int>
  ) -> Int {
    func x(_ a: Int) -> Double { points[2 * a] }
    func y(_ a: Int) -> Double { points[2 * a + 1] }
    var first = 0
    for a in 1..<max(count, 1) where x(a) < x(first) || (x(a) == x(first) && y(a) < y(first)) { first = a }
    var (size, at) = (0, first)
    repeat {
      vertices[size] = at
      size += 1
      var next = at
      for b in 0..<count where x(b) != x(at) || y(b) != y(at) {
        if next == at {
          next = b
          continue
        }
        let (ux, uy, vx, vy) = (x(next) - x(at), y(next) - y(at), x(b) - x(at), y(b) - y(at))
        let turn = ux * vy - uy * vx
        // Clockwise of the best so far, or behind it on the same ray.
        if turn < 0 || (turn == 0 && vx * vx + vy * vy > ux * ux + uy * uy) { next = b }
      }
      at = next
    } while at != first && size < count && (x(at) != x(first) || y(at) != y(first))
    return size
  }
}
