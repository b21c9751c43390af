import CTarget
import Experiments
import Kernels
import Randomness

/// Euler's step for the particles of a plane, all pairs, with a limit: in a step no pair is drawn together by more than a quarter of its distance from either side. Without it two that nearly meet are thrown apart;
/// steps that shrink with the least distance never end.
package struct PlaneDraw: Draw {
  package let plane: PlaneSettings
  package let schema: Schema

  package init(_ plane: PlaneSettings) {
    self.plane = plane
    schema = Schema(
      axis: .steps(plane.records),
      observables: [
        Observable("R", "sum of |X_i - mean|^2"),
        Observable("shrunk", role: .event, "1 where R is below that at the start"),
        Observable("collapsed", role: .event, "1 where R has been below collapse times that at the start"),
        Observable(
          "collapse_time", unit: "time",
          "when R was first below collapse times that at the start; at most that of the record"),
        Observable("closest", "least distance of two particles"),
      ])
  }

  package final class Scratch {
    /// Coordinates, x then y, padded to octets by copies of particle 0, and what a step adds.
    let x, y, dx, dy: UnsafeMutablePointer<Double>
    let padded: Int
    private let room: UnsafeMutablePointer<Double>

    init(_ number: Int) {
      padded = (number + 7) / 8 * 8
      room = .allocateZeros(4 * padded)
      (x, y, dx, dy) = (room, room + padded, room + 2 * padded, room + 3 * padded)
    }

    deinit { room.deallocate() }
  }

  package func makeScratch() -> Scratch { Scratch(plane.number) }

  package func draw(
    using stream: inout Stream, scratch: Scratch, into values: UnsafeMutablePointer<Double>
  ) -> DrawEvents {
    let n = plane.number
    for i in 0..<n {
      let (s, c) = Elementary.sinCosTurns(Double(i) / Double(n))
      (scratch.x[i], scratch.y[i]) = (plane.radius * c, plane.radius * s)
    }
    let strength = plane.mass * plane.step / (2 * Double.pi * Double(n))
    let noise = (2 * plane.step).squareRoot()
    let least = plane.collapse * plane.start
    var (collapsed, out, step) = (0.0, values, 0)
    var hasCollapsed = false
    for record in plane.records {
      while step < record {
        move(scratch, strength, noise, &stream)
        step += 1
        guard !hasCollapsed, spread(scratch) < least else { continue }
        hasCollapsed = true
        collapsed = Double(step) * plane.step
      }
      let r = spread(scratch)
      out[0] = r
      out[1] = r < plane.start ? 1 : 0
      out[2] = hasCollapsed ? 1 : 0
      out[3] = hasCollapsed ? collapsed : Double(step) * plane.step
      out[4] = closest(scratch)
      out += 5
    }
    return []
  }

  /// Below, the square of an octet of distances that are 0.
  private static let tiny = 1e-300

  @inline(__always)
  private func move(_ s: Scratch, _ strength: Double, _ noise: Double, _ stream: inout Stream) {
    let n = plane.number
    for i in n..<s.padded { (s.x[i], s.y[i]) = (s.x[0], s.y[0]) }
    let (limit, all, tiny) = (Octet(repeating: 0.25), Octet(repeating: strength), Octet(repeating: Self.tiny))
    for o in stride(from: 0, to: s.padded, by: 8) {
      let (x, y) = (Octet.load(s.x + o), Octet.load(s.y + o))
      var (fx, fy) = (Octet.zero, Octet.zero)
      for j in 0..<n {
        let (p, q) = (x - Octet(repeating: s.x[j]), y - Octet(repeating: s.y[j]))
        let square = ctarget_add_product(ctarget_add_product(tiny, p, p), q, q)
        // At distance 0 the factor is the limit, and nothing is added.
        let raw = all / square
        let factor = raw.replacing(with: limit, where: raw .> limit)
        fx = ctarget_add_product(fx, factor, p)
        fy = ctarget_add_product(fy, factor, q)
      }
      fx.store(s.dx + o)
      fy.store(s.dy + o)
    }
    add(s.x, s.dx, n, noise, &stream)
    add(s.y, s.dy, n, noise, &stream)
  }

  @inline(__always)
  private func add(
    _ x: UnsafeMutablePointer<Double>, _ force: UnsafePointer<Double>, _ n: Int, _ noise: Double, _ stream: inout Stream
  ) {
    let normals = stream.normals(n)
    for i in 0..<n { x[i] = (x[i] - force[i]).addingProduct(noise, normals[i]) }
  }

  /// R.
  private func spread(_ s: Scratch) -> Double {
    let n = plane.number
    var (x, y) = (0.0, 0.0)
    for i in 0..<n {
      x += s.x[i]
      y += s.y[i]
    }
    x /= Double(n)
    y /= Double(n)
    var sum = 0.0
    for i in 0..<n {
      let (p, q) = (s.x[i] - x, s.y[i] - y)
      sum = sum.addingProduct(p, p).addingProduct(q, q)
    }
    return sum
  }

  private func closest(_ s: Scratch) -> Double {
    var least = Double.infinity
    for i in 1..<plane.number {
      for j in 0..<i {
        let (p, q) = (s.x[i] - s.x[j], s.y[i] - s.y[j])
        least = min(least, (p * p).addingProduct(q, q))
      }
    }
    return least.squareRoot()
  }
}
