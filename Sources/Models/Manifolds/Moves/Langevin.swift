import Experiments
import Kernels

/// Overdamped Langevin dynamics, all sites at once: the tangent part of -h g + sqrt(2h/beta) xi, along a geodesic or followed by a
/// retraction. Stationary means are off by O(h).
///
/// Gradient and noise share one exponential: with two, the bias of a pair of spins is larger (measured).
final class Langevin: Move {
  private let retracts: Bool

  init(retracts: Bool) { self.retracts = retracts }

  func step(_ array: SiteArray, _ moment: Moment) {
    let (manifold, width, h) = (array.manifold, array.width, array.stepSize)
    let amplitude = (2 * h / array.inverseTemperature).squareRoot()
    let (x, u, room) = (array.point, array.vector, array.room)
    array.evaluate()
    let (places, fields) = (array.x, array.fields)
    array.forEachBatch { batch in
      array.load(batch, places, to: x)
      array.load(batch, fields, to: u)
      let normals = array.noise.normals(0, width &* batch.count)
      for c in 0..<width {
        let (row, own) = (u + c &* Lanes.width, normals + c &* batch.count)
        for i in 0..<batch.count { row[i] = (-h * row[i]).addingProduct(amplitude, own[i]) }
      }
      manifold.project(u, at: x, batch.count, room: room)
      if retracts {
        manifold.retract(x, by: u, batch.count, room: room)
      } else {
        manifold.flow(x, u, time: 1, batch.count, room: room)
      }
      array.place(x, batch)
    }
    array.hasFields = false
  }

  static let geodesic = MoveEntry(
    name: "langevin", summary: "geodesic Langevin, all sites at once",
    equation: "u = P(-h g + sqrt(2h/beta) xi), x' = exp_x(u)", reference: "arXiv:2010.11176",
    parameters: [MoveEntry.step]
  ) { _ in
    MoveModel(order: 1, needsGeodesics: true) { _ in Langevin(retracts: false) }
  }

  static let retracted = MoveEntry(
    name: "retracted", summary: "Langevin with the polar retraction, all sites at once",
    equation: "u = P(-h g + sqrt(2h/beta) xi), x' the nearest point to x + u", reference: "arXiv:2010.11176",
    parameters: [MoveEntry.step]
  ) { _ in
    MoveModel(order: 1) { _ in Langevin(retracts: true) }
  }
}
