import Chemotaxis
import Foundation
import Randomness

/// One step of particles in the plane as the page says it, pair by pair.
struct PlainPlane {
  private(set) var spread = 0.0
  private(set) var closest = Double.infinity

  init(_ plane: PlaneSettings, key: UInt64, draw: UInt64) {
    let n = plane.number
    let points = (0..<n).map { (i: Int) -> (Double, Double) in
      let angle = 2 * Double.pi * Double(i) / Double(n)
      return (plane.radius * cos(angle), plane.radius * sin(angle))
    }
    var stream = Stream(key: key)
    stream.start(draw: draw)
    let xs = Array(UnsafeBufferPointer(start: stream.normals(n), count: n))
    let ys = Array(UnsafeBufferPointer(start: stream.normals(n), count: n))
    var moved: [(Double, Double)] = []
    for i in 0..<n {
      var (dx, dy) = (0.0, 0.0)
      for j in 0..<n where j != i {
        let (p, q) = (points[i].0 - points[j].0, points[i].1 - points[j].1)
        let r = (p * p + q * q).squareRoot()
        let drift = min(plane.mass * plane.step / (2 * Double.pi * Double(n)) / r, r / 4)
        dx -= drift * p / r
        dy -= drift * q / r
      }
      let noise = (2 * plane.step).squareRoot()
      moved.append((points[i].0 + dx + noise * xs[i], points[i].1 + dy + noise * ys[i]))
    }
    let (x, y) = (moved.reduce(0) { $0 + $1.0 } / Double(n), moved.reduce(0) { $0 + $1.1 } / Double(n))
    spread = moved.reduce(0) { $0 + ($1.0 - x) * ($1.0 - x) + ($1.1 - y) * ($1.1 - y) }
    for i in 0..<n {
      for j in 0..<i {
        let (p, q) = (moved[i].0 - moved[j].0, moved[i].1 - moved[j].1)
        closest = min(closest, (p * p + q * q).squareRoot())
      }
    }
  }
}
