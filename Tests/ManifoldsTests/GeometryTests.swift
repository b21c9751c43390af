import Experiments
import Foundation
import Manifolds
import Randomness
import Testing

/// Every manifold: tangent parts, geodesics and retractions, against plain formulas.
@Suite struct GeometryTests {
  static let all: [any Manifold] = [
    Sphere(2), Sphere(3), Sphere(11), Frames(rows: 5, columns: 2), Frames(rows: 6, columns: 4), Rotations(),
  ]

  /// How far a point is from the manifold.
  private func defect(_ x: [Double], _ manifold: any Manifold) -> Double {
    let (n, p) = shape(manifold)
    var worst = 0.0
    for a in 0..<p {
      for b in 0..<p {
        let product = (0..<n).reduce(0.0) { $0 + x[$1 * p + a] * x[$1 * p + b] }
        worst = max(worst, (product - (a == b ? 1 : 0)).magnitude)
      }
    }
    return worst
  }

  private func shape(_ manifold: any Manifold) -> (n: Int, p: Int) {
    if let frames = manifold as? Frames { return (frames.rows, frames.columns) }
    return manifold is Rotations ? (3, 3) : (manifold.width, 1)
  }

  private func determinant(_ x: [Double]) -> Double {
    x[0] * (x[4] * x[8] - x[5] * x[7]) - x[1] * (x[3] * x[8] - x[5] * x[6]) + x[2] * (x[3] * x[7] - x[4] * x[6])
  }

  @Test(arguments: all.indices) func tangentPartsAndMoves(index: Int) {
    let manifold = Self.all[index]
    let noise = noise("geometry \(index)")
    let batch = Batch(manifold)
    batch.drawUniform(noise)
    let start = (0..<batch.count).map { batch[batch.x, $0] }
    for x in start { #expect(defect(x, manifold) < 1e-14) }
    batch.fill(batch.u, noise)
    manifold.project(batch.u, at: batch.x, batch.count, room: batch.room)
    let tangent = (0..<batch.count).map { batch[batch.u, $0] }
    // X^T U is antisymmetric, and projecting again changes nothing.
    let (n, p) = shape(manifold)
    for (x, u) in zip(start, tangent) {
      for a in 0..<p {
        for b in 0..<p {
          let product = (0..<n).reduce(0.0) { $0 + x[$1 * p + a] * u[$1 * p + b] + x[$1 * p + b] * u[$1 * p + a] }
          #expect(product.magnitude < 1e-13)
        }
      }
    }
    manifold.project(batch.u, at: batch.x, batch.count, room: batch.room)
    for i in 0..<batch.count { #expect(zip(batch[batch.u, i], tangent[i]).allSatisfy { ($0 - $1).magnitude < 1e-13 }) }
    if manifold.hasGeodesics {
      // There and back, at constant speed, and in two halves as in one.
      manifold.flow(batch.x, batch.u, time: 0.7, batch.count, room: batch.room)
      let (there, velocity) = (
        (0..<batch.count).map { batch[batch.x, $0] }, (0..<batch.count).map { batch[batch.u, $0] }
      )
      for i in 0..<batch.count {
        #expect(defect(there[i], manifold) < 1e-14)
        #expect((dot(velocity[i], velocity[i]) - dot(tangent[i], tangent[i])).magnitude < 1e-12)
      }
      manifold.flow(batch.x, batch.u, time: -0.7, batch.count, room: batch.room)
      for i in 0..<batch.count { #expect(zip(batch[batch.x, i], start[i]).allSatisfy { ($0 - $1).magnitude < 1e-13 }) }
      manifold.flow(batch.x, batch.u, time: 0.35, batch.count, room: batch.room)
      manifold.flow(batch.x, batch.u, time: 0.35, batch.count, room: batch.room)
      for i in 0..<batch.count { #expect(zip(batch[batch.x, i], there[i]).allSatisfy { ($0 - $1).magnitude < 1e-13 }) }
      // Its first derivative is the velocity.
      for i in 0..<batch.count {
        for c in 0..<manifold.width {
          batch.x[c * Lanes.width + i] = start[i][c]
          batch.u[c * Lanes.width + i] = tangent[i][c]
        }
      }
      manifold.flow(batch.x, batch.u, time: 1e-6, batch.count, room: batch.room)
      for i in 0..<batch.count {
        for c in 0..<manifold.width {
          #expect((batch[batch.x, i][c] - start[i][c] - 1e-6 * tangent[i][c]).magnitude < 1e-10)
        }
      }
      if manifold is Rotations {
        for i in 0..<batch.count { #expect((determinant(batch[batch.x, i]) - 1).magnitude < 1e-13) }
      }
    }
  }

  /// Y = X + U has the polar factor Y (Y^T Y)^(-1/2): so X^T-free, Y = Q S with S symmetric and positive. Steps up to a hundred times the manifold.
  @Test(arguments: all.indices, [0.01, 1, 100]) func retractionsAreNearest(index: Int, scale: Double) {
    let manifold = Self.all[index]
    let noise = noise("retract \(index) \(scale)")
    let batch = Batch(manifold)
    batch.drawUniform(noise)
    batch.fill(batch.u, noise)
    manifold.project(batch.u, at: batch.x, batch.count, room: batch.room)
    for i in 0..<manifold.width * Lanes.width { batch.u[i] *= scale }
    let sums = (0..<batch.count).map { i in zip(batch[batch.x, i], batch[batch.u, i]).map { $0 + $1 } }
    manifold.retract(batch.x, by: batch.u, batch.count, room: batch.room)
    let (n, p) = shape(manifold)
    for (i, y) in sums.enumerated() {
      let q = batch[batch.x, i]
      #expect(defect(q, manifold) < 2e-14)
      // S = Q^T Y is symmetric and Q S = Y.
      var s = Array(repeating: 0.0, count: p * p)
      for a in 0..<p { for b in 0..<p { s[a * p + b] = (0..<n).reduce(0.0) { $0 + q[$1 * p + a] * y[$1 * p + b] } } }
      for a in 0..<p {
        #expect(s[a * p + a] > 0)
        for b in 0..<p { #expect((s[a * p + b] - s[b * p + a]).magnitude < 1e-12 * (1 + scale)) }
      }
      for r in 0..<n {
        for b in 0..<p {
          let product = (0..<p).reduce(0.0) { $0 + q[r * p + $1] * s[$1 * p + b] }
          #expect((product - y[r * p + b]).magnitude < 1e-12 * (1 + scale))
        }
      }
    }
  }

  /// One step of noise alone: c = E cos = 1F1((k-1)/2; 1/2; -h), not the e^(-(k-1)h) of Brownian motion. Pairs without a coupling that start at one
  /// point have E v_1 . v_2 = c^2 after it. Five tests, |z| < 4.
  @Test(arguments: [(2, 0.1), (3, 0.1), (3, 0.5), (6, 0.1), (20, 0.05)])
  func aStepOfNoiseHasItsLaw(k: Int, h: Double) throws {
    // 1F1 by Kummer's series.
    let a = 0.5 * Double(k - 1)
    var (term, expected) = (1.0, 1.0)
    for j in 0..<200 {
      term *= (a + Double(j)) / (0.5 + Double(j)) * -h / Double(j + 1)
      expected += term
    }
    if k == 3 && h == 0.1 { #expect((expected - 0.81281491).magnitude < 6e-9) }
    let outcome = try Outcome([
      "system": .text("sphere-pair"), "rank": .integer(Int64(k)), "coupling": .real(0), "start": .text("aligned"),
      "integrator": .text("langevin"), "step": .real(h), "copies": .integer(validating ? 100_000 : 2000),
      "steps": .integer(1), "replicas": .integer(16),
    ])
    let z = outcome.z("cosine", expected * expected)
    #expect(z.magnitude < 4, "\(outcome.mean("cosine")), \(expected * expected)")
  }
}
