import Experiments
import Kernels

/// Sites on a manifold, moved and measured: the process behind a leg of the family.
package struct ManifoldExperiment: Process {
  let system: SystemModel
  let move: MoveModel
  let settings: ManifoldSettings
  package let observables: [Observable]
  package let frame: FrameShape?
  package let stateSize: Int

  init(_ system: SystemModel, _ move: MoveModel, _ settings: ManifoldSettings) {
    self.system = system
    self.move = move
    self.settings = settings
    let instance = system.make()
    var all = instance.observables
    all.append(Observable("energy", "H per site"))
    all.append(
      Observable(
        "residual", role: .certificate,
        "certificate of stationarity, beta (beta |grad H|^2 - Lap H) per degree of freedom: 0 in the law exp(-beta H)"))
    if move.accepts { all.append(Observable("acceptance", role: .acceptanceRate, "acceptance rate of the proposals")) }
    observables = all
    frame = FrameShape(
      particles: settings.framed, dimension: instance.manifold.width, timeStep: settings.step > 0 ? settings.step : 1)
    stateSize = 2 * instance.sites * instance.rowLength
  }

  package var schedule: Schedule { settings.schedule }
  package var advice: String {
    "the step size \(settings.step) is too large for the energy and temperature; a smaller one would help"
  }

  package func begin(_ context: ReplicaContext, from saved: StateDecoder?) throws -> ManifoldDynamics {
    try ManifoldDynamics(self, context, from: saved)
  }
}

/// One replica: the sites, and the move that takes them on.
package final class ManifoldDynamics: Dynamics {
  private let experiment: ManifoldExperiment
  private let group: any Collectives
  private let array: SiteArray
  private let move: any Move
  private var step = 0

  init(_ experiment: ManifoldExperiment, _ context: ReplicaContext, from saved: StateDecoder?) throws {
    self.experiment = experiment
    group = context.group
    array = SiteArray(
      experiment.system.make(), inverseTemperature: experiment.settings.inverseTemperature,
      stepSize: experiment.settings.step, key: context.key, replica: context.replica)
    move = experiment.move.make(array)
    if let saved {
      step = try saved.count("step")
      try array.restore(from: saved)
    } else {
      array.drawUniform()
      if !experiment.settings.startsUniform { array.align() }
    }
  }

  package var fault: Fault? { array.badSite.map { Fault(step: step, particle: $0) } }

  package func step(_ moment: Moment) {
    step = moment.step
    move.step(array, moment)
    if moment.isWarmUp { (array.accepted, array.tried) = (0, 0) }
  }

  package func measure(_ info: Void, into values: UnsafeMutablePointer<Double>) {
    array.evaluate()
    let (energy, residual) = array.certified()
    array.system.measure(array.x, energy: energy, into: values)
    var next = values + array.system.observables.count
    next[0] = energy / Double(array.sites)
    next[1] = residual
    next += 2
    if experiment.move.accepts {
      next[0] = Double(array.accepted) / Double(max(array.tried, 1))
      (array.accepted, array.tried) = (0, 0)
    }
  }

  package func encode(to encoder: inout StateEncoder) {
    encoder.add("step", step)
    array.encode(to: &encoder)
  }

  /// Coordinates of the first sites, and of each its share g . x / degree of the energy; ranks that share a replica have it alike, so its root tells.
  package func frame() -> [Double] {
    guard group.isRoot else { return [] }
    array.evaluate()
    var result: [Double] = []
    for i in 0..<experiment.settings.framed {
      let (x, g) = (array.x + i * array.rowLength, array.fields + i * array.rowLength)
      var share = 0.0
      for c in 0..<array.manifold.width {
        result.append(x[c])
        share += x[c] * g[c]
      }
      result.append(share / Double(array.system.degree))
    }
    return result
  }

  package func frameLengths() -> [Int] {
    (0..<group.size).map { $0 == 0 ? experiment.settings.framed * (array.manifold.width + 1) : 0 }
  }
}

extension SiteArray {
  /// All sites where the first one is.
  func align() {
    for i in 1..<max(sites, 1) { (x + i * rowLength).update(from: x, count: rowLength) }
    hasFields = false
  }

  /// H, and the certificate of stationarity: E beta |grad H|^2 = E Lap H on a manifold without border, and Lap H = -c sum_i g_i . x_i because H is
  /// affine in every site. Needs the fields.
  package func certified() -> (energy: Double, residual: Double) {
    let (beta, curvature) = (inverseTemperature, manifold.curvature)
    let (products, width) = (room + 3 * manifold.width * Lanes.width, manifold.width)
    var (energy, residual) = (0.0, 0.0)
    forEachBatch { batch in
      load(batch, x, to: point)
      load(batch, fields, to: vector)
      laneProducts(point, vector, width, batch.count, into: products)
      for i in 0..<batch.count {
        energy += products[i]
        residual += beta * curvature * products[i]
      }
      manifold.project(vector, at: point, batch.count, room: room)
      laneProducts(vector, vector, width, batch.count, into: products)
      for i in 0..<batch.count { residual += beta * beta * products[i] }
    }
    return (energy / Double(system.degree), residual / Double(sites * manifold.dimension))
  }
}
