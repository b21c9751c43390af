import Experiments

/// What is measured of an ensemble: means over the particles, exactly summed over tiles and ranks.
final class Measurement {
  /// The names, for any instance of the system.
  static func observables(_ system: any ParticleSystem, _ integrator: IntegratorModel) -> [Observable] {
    var result: [Observable] = []
    if system.hasMoments {
      for suffix in suffixes(system) {
        let what = suffix.isEmpty && system.dimension > 1 ? "a coordinate, all together" : "coordinate\(suffix)"
        result.append(Observable("x\(suffix)", "mean over the particles of \(what)"))
        result.append(Observable("x\(suffix)^2", "mean over the particles of the square of \(what)"))
        result.append(Observable("x\(suffix)^4", "mean over the particles of the fourth power of \(what)"))
      }
    }
    if integrator.hasVelocities { result.append(Observable("v^2", "mean square of a component of the velocity")) }
    result += system.orderParameters
    result.append(Observable("energy", "energy of the system per particle"))
    result.append(Observable("residual", "certificate of stationarity: 0 in the law exp(-beta H)"))
    if integrator.accepts { result.append(Observable("acceptance", "share of the proposals that were accepted")) }
    if integrator.target != nil { result.append(Observable("step_size", "step size after warm-up")) }
    return result
  }

  /// Up to three coordinates are told apart.
  static func suffixes(_ system: any ParticleSystem) -> [String] {
    (2...3).contains(system.dimension) ? (0..<system.dimension).map { "[\($0)]" } : [""]
  }

  private let reducer: Reducer
  private let sums: UnsafeMutablePointer<Double>
  private let model: IntegratorModel
  /// Coordinates told apart, and order parameters: the names themselves are made once.
  private let suffixes, orders: Int

  init(_ e: Ensemble, _ model: IntegratorModel) {
    self.model = model
    suffixes = e.system.hasMoments ? Self.suffixes(e.system).count : 0
    orders = e.system.orderParameters.count
    reducer = Reducer(3 * suffixes + (model.hasVelocities ? 1 : 0) + e.system.measuredFeatures + 5, e.tiling, e.group)
    sums = .allocate(capacity: reducer.count)
    sums.initialize(repeating: 0, count: reducer.count)
  }

  deinit { sums.deallocate() }

  /// One value for each observable, on every rank of the group.
  func take(_ e: Ensemble, into values: UnsafeMutablePointer<Double>) throws {
    let system = e.system
    let perSuffix = suffixes > 0 ? system.dimension / suffixes : 0
    reducer.start()
    for t in e.tiles {
      let x = e.positions[t]
      var next = reducer.tileSums
      for s in 0..<suffixes {
        for k in s * perSuffix..<(s + 1) * perSuffix {
          let row = x[k]
          next[0] += laneSum(x.count) { row[$0] }
          next[1] += laneSum(x.count) { row[$0] * row[$0] }
          next[2] += laneSum(x.count) {
            let square = row[$0] * row[$0]
            return square * square
          }
        }
        next += 3
      }
      if let velocities = e.velocities {
        for k in 0..<x.dimension {
          let row = velocities[t][k]
          next[0] += laneSum(x.count) { row[$0] * row[$0] }
        }
        next += 1
      }
      system.addMeasured(x, to: next)
      next += system.measuredFeatures
      let (left, right) = system.certificate(
        x, gradient: e.gradient[t].base, field: e.field, inverseTemperature: e.inverseTemperature)
      next[0] = left
      next[1] = right
      let potential = e.potential[t].base
      next[2] = laneSum(x.count) { potential[$0] }
      next += 3
      // Joint proposals are counted by every rank alike, others by the rank of the particle.
      let joint = !e.jointProbability.isNaN
      next[0] = joint && x.index > 0 || t > 0 ? 0 : Double(e.accepted)
      next[1] = joint && x.index > 0 || t > 0 ? 0 : Double(e.tried)
      reducer.addTile()
    }
    e.accepted = 0
    e.tried = 0
    try reducer.finish(into: sums)

    let number = Double(e.tiling.number)
    let coordinates = number * Double(max(perSuffix, 1))
    var from = sums
    var to = values
    for _ in 0..<3 * suffixes {
      to[0] = from[0] / coordinates
      (to, from) = (to + 1, from + 1)
    }
    if e.velocities != nil {
      to[0] = from[0] / (number * Double(system.dimension))
      (to, from) = (to + 1, from + 1)
    }
    for i in 0..<system.measuredFeatures { from[i] /= number }
    system.order(e.field, measured: from, to: to)
    to += orders
    from += system.measuredFeatures
    to[0] = from[2] / number + system.fieldEnergy(e.field)
    to[1] = (from[0] - from[1]) / (number * Double(system.dimension))
    to += 2
    if model.accepts {
      to[0] = from[4] > 0 ? from[3] / from[4] : 0
      to += 1
    }
    if model.target != nil { to[0] = e.stepSize }
  }
}
