import Experiments

/// What is measured of an ensemble: means over the particles, exactly summed over tiles and ranks.
final class Measurement {
  /// The names, for any instance of the system.
  static func observables(
    _ system: any ParticleSystem, _ integrator: IntegratorModel, isEstimated: Bool
  ) -> [Observable] {
    var result: [Observable] = []
    if system.hasMoments {
      for (k, suffix) in suffixes(system).enumerated() {
        let what = suffix.isEmpty && system.dimension > 1 ? "a coordinate, all together" : "coordinate\(suffix)"
        func add(_ power: String, _ words: String) {
          result.append(
            Observable(
              "x\(power)", suffix.isEmpty ? [] : [k], name: "x\(suffix)\(power)",
              "mean over the particles of \(words)\(what)"))
        }
        add("", "")
        add("^2", "the square of ")
        add("^4", "the fourth power of ")
      }
    }
    if integrator.hasVelocities { result.append(Observable("v^2", "mean square of a component of the velocity")) }
    result += system.orderParameters
    result.append(Observable("energy", role: .energy, "energy of the system per particle"))
    result.append(
      Observable("residual", role: .certificate, "certificate of stationarity: 0 in the law exp(-beta H)"))
    if isEstimated {
      result.append(
        Observable(
          "gradient_variance", "mean square of what a component of the gradient of a batch is off"))
    }
    if integrator.accepts {
      result.append(Observable("acceptance", role: .acceptanceRate, "acceptance rate of the proposals"))
    }
    if integrator.target != nil {
      result.append(Observable("step_size", role: .setting, unit: "time", "step size after warm-up"))
    }
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

  init(_ ensemble: Ensemble, _ model: IntegratorModel) {
    self.model = model
    suffixes = ensemble.system.hasMoments ? Self.suffixes(ensemble.system).count : 0
    orders = ensemble.system.orderParameters.count
    reducer = Reducer(
      3 * suffixes + (model.hasVelocities ? 1 : 0) + ensemble.system.measuredFeatures + 6, ensemble.tiling,
      ensemble.group)
    sums = .allocate(capacity: reducer.count)
    sums.initialize(repeating: 0, count: reducer.count)
  }

  deinit { sums.deallocate() }

  /// One value for each observable, on every rank of the group.
  func take(_ ensemble: Ensemble, into values: UnsafeMutablePointer<Double>) throws {
    let system = ensemble.system
    let perSuffix = suffixes > 0 ? system.dimension / suffixes : 0
    reducer.start()
    for t in ensemble.tiles {
      let x = ensemble.positions[t]
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
      if let velocities = ensemble.velocities {
        for k in 0..<x.dimension {
          let row = velocities[t][k]
          next[0] += laneSum(x.count) { row[$0] * row[$0] }
        }
        next += 1
      }
      system.addMeasured(x, to: next)
      next += system.measuredFeatures
      let (left, right) = system.certificate(
        x, gradient: (ensemble.whole ?? ensemble.gradient)[t].base, field: ensemble.field,
        inverseTemperature: ensemble.inverseTemperature)
      next[0] = left
      next[1] = right
      let potential = ensemble.potential[t].base
      next[2] = laneSum(x.count) { potential[$0] }
      next[3] = ensemble.whole.map { squaredDistance($0[t], ensemble.gradient[t]) } ?? 0
      next += 4
      // Joint proposals are counted by every rank alike, others by the rank of the particle.
      let joint = !ensemble.jointProbability.isNaN
      next[0] = joint && x.index > 0 || t > 0 ? 0 : Double(ensemble.accepted)
      next[1] = joint && x.index > 0 || t > 0 ? 0 : Double(ensemble.tried)
      reducer.addTile()
    }
    ensemble.accepted = 0
    ensemble.tried = 0
    try reducer.finish(into: sums)

    let number = Double(ensemble.tiling.number)
    let coordinates = number * Double(max(perSuffix, 1))
    var from = sums
    var to = values
    for _ in 0..<3 * suffixes {
      to[0] = from[0] / coordinates
      (to, from) = (to + 1, from + 1)
    }
    if ensemble.velocities != nil {
      to[0] = from[0] / (number * Double(system.dimension))
      (to, from) = (to + 1, from + 1)
    }
    for i in 0..<system.measuredFeatures { from[i] /= number }
    system.order(ensemble.field, measured: from, to: to)
    to += orders
    from += system.measuredFeatures
    to[0] = from[2] / number + system.fieldEnergy(ensemble.field)
    to[1] = (from[0] - from[1]) / (number * Double(system.dimension))
    to += 2
    if ensemble.whole != nil {
      to[0] = from[3] / (number * Double(system.dimension))
      to += 1
    }
    if model.accepts {
      to[0] = from[5] > 0 ? from[4] / from[5] : 0
      to += 1
    }
    if model.target != nil { to[0] = ensemble.stepSize }
  }

  /// Sum over particles and coordinates.
  private func squaredDistance(_ a: Tile, _ b: Tile) -> Double {
    (0..<a.dimension).reduce(0) { sum, k in
      let (left, right) = (a[k], b[k])
      return sum + laneSum(a.count) { (left[$0] - right[$0]) * (left[$0] - right[$0]) }
    }
  }
}
