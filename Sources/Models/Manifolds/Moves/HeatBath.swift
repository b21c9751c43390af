import Experiments

/// One site after another given all others, colour by colour: sites that do not feel each other are drawn together. No step, no bias.
final class HeatBath: Move {
  private let rows: UnsafeMutablePointer<Double>

  init(_ array: SiteArray) { rows = .allocateZeros(Lanes.width * array.rowLength) }

  deinit { rows.deallocate() }

  func step(_ array: SiteArray, _ moment: Moment) {
    let (x, field, places, length, width) = (array.point, array.vector, array.x, array.rowLength, array.width)
    array.forEachIndependentBatch { batch in
      array.system.fields(batch, places, to: rows)
      for i in 0..<batch.count {
        let row = rows + i &* length
        for c in 0..<width { field[c &* Lanes.width &+ i] = row[c] }
      }
      array.load(batch, places, to: x)
      array.manifold.renew(
        x, field: field, beta: array.inverseTemperature, array.noise, batch.count, room: array.room)
      array.place(x, batch)
    }
    array.hasFields = false
  }

  static let entry = MoveEntry(
    name: "heat-bath", summary: "a sweep of exact draws of each site given the others",
    equation: "x_i ~ exp(-beta g_i . x_i): von Mises-Fisher on spheres; in planes of rows on frames and rotations",
    reference: "Wood, Commun. Stat. Simul. 23 (1994) 157",
    parameters: [
      Parameter(
        "step", .real(.init(0, 1e3, openBelow: true)), optional: true,
        "not used: a heat bath has no step; taken so that a sweep over integrators and steps can hold it")
    ]
  ) { _ in
    MoveModel(order: nil, needsTemperature: false) { HeatBath($0) }
  }
}
