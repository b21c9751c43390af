import Experiments
import Kernels

/// Hamiltonian Monte Carlo along geodesics: fresh tangent velocities N(0, 1/beta), kicks by the tangent part of the field and free flow between
/// them, then all sites accepted or rejected together. Exact at any step.
final class GeodesicHMC: Move {
  private let leaps: Int
  private var x, fields: UnsafeMutablePointer<Double>
  private let velocities: UnsafeMutablePointer<Double>

  init(_ array: SiteArray, leaps: Int) {
    self.leaps = leaps
    let count = array.sites * array.rowLength
    x = .allocateZeros(count)
    fields = .allocateZeros(count)
    velocities = .allocateZeros(count)
  }

  deinit { for memory in [x, fields, velocities] { memory.deallocate() } }

  func step(_ array: SiteArray, _ moment: Moment) {
    let (manifold, h, beta) = (array.manifold, array.stepSize, array.inverseTemperature)
    let (point, v, room) = (array.point, array.vector, array.room)
    let thermal = (1 / beta).squareRoot()
    array.evaluate()
    let before = array.energy(array.x, array.fields)
    x.update(from: array.x, count: array.sites * array.rowLength)
    var kinetic = 0.0
    array.forEachBatch { batch in
      array.load(batch, x, to: point)
      fillNormals(v, array.width, batch.count, array.noise)
      for c in 0..<array.width {
        let row = v + c &* Lanes.width
        for i in 0..<batch.count { row[i] *= thermal }
      }
      manifold.project(v, at: point, batch.count, room: room)
      kinetic -= squares(v, batch.count, array)
      array.store(v, batch, to: velocities)
    }
    kick(array, array.fields, 0.5 * h)
    for leap in 1...leaps {
      array.forEachBatch { batch in
        array.load(batch, x, to: point)
        array.load(batch, velocities, to: v)
        manifold.flow(point, v, time: h, batch.count, room: room)
        array.store(point, batch, to: x)
        array.store(v, batch, to: velocities)
        array.check(point, batch)
      }
      array.evaluate(at: x, into: fields)
      kick(array, fields, leap == leaps ? 0.5 * h : h)
    }
    array.forEachBatch { batch in
      array.load(batch, velocities, to: v)
      kinetic += squares(v, batch.count, array)
    }
    let cost = beta * (0.5 * kinetic + array.energy(x, fields) - before)
    array.tried += 1
    if array.noise.uniform() < (cost <= 0 ? 1 : Elementary.exp(-cost)) {
      array.accepted += 1
      array.swap(with: &x, &fields)
    }
  }

  private func squares(_ v: LaneBlock, _ count: Int, _ array: SiteArray) -> Double {
    laneProducts(v, v, array.width, count, into: array.room)
    return (0..<count).reduce(0) { $0 + array.room[$1] }
  }

  /// v <- v - time * the tangent part of the field.
  private func kick(_ array: SiteArray, _ fields: UnsafePointer<Double>, _ time: Double) {
    let manifold = array.manifold
    let (point, v, force) = (array.point, array.vector, array.force)
    array.forEachBatch { batch in
      array.load(batch, x, to: point)
      array.load(batch, velocities, to: v)
      array.load(batch, fields, to: force)
      manifold.project(force, at: point, batch.count, room: array.room)
      for c in 0..<array.width {
        let (row, own) = (v + c &* Lanes.width, force + c &* Lanes.width)
        for i in 0..<batch.count { row[i] = row[i].addingProduct(-time, own[i]) }
      }
      array.store(v, batch, to: velocities)
    }
  }

  static let entry = MoveEntry(
    name: "hmc", summary: "Hamiltonian Monte Carlo along geodesics; exact at any step",
    equation:
      "v ~ N(0, 1/beta) tangent, leapfrog_steps of kick, geodesic, kick; accepted with probability min(1, e^{-beta dE})",
    reference: "Byrne, Girolami, arXiv:1301.6064",
    parameters: [
      MoveEntry.step,
      Parameter("leapfrog_steps", .integer(1...100_000), default: .integer(10), "leapfrog steps of one trajectory"),
    ]
  ) { p in
    let leaps = p.integer("leapfrog_steps")
    return MoveModel(order: nil, accepts: true, needsGeodesics: true) { GeodesicHMC($0, leaps: leaps) }
  }
}
