import Experiments
import Statistics

/// One replica of a particle system: the particles, the integrator that moves them, and what is measured of them.
package final class ParticleDynamics: Dynamics {
  private let experiment: ParticleExperiment
  private let context: ReplicaContext
  private let ensemble: Ensemble
  private let integrator: any Integrator
  private let measurement: Measurement
  private var adaptation: Adaptation

  init(_ experiment: ParticleExperiment, _ context: ReplicaContext, from saved: StateDecoder?) throws {
    self.experiment = experiment
    self.context = context
    let (settings, method) = (experiment.settings, experiment.integrator)
    let ensemble = Ensemble(
      experiment.system, number: settings.number, hasVelocities: method.hasVelocities,
      inverseTemperature: settings.inverseTemperature, stepSize: settings.step, key: context.key,
      replica: context.replica, group: context.group)
    var adaptation = Adaptation(target: method.target, step: settings.step)
    // A shard that one rank cannot read ends the replica on all of them.
    try context.group.agree {
      guard let saved else { return }
      try ensemble.restore(from: saved, shards: context.shards)
      try adaptation.restore(from: saved)
    }
    self.ensemble = ensemble
    self.adaptation = adaptation
    integrator = method.make(experiment.system)
    measurement = Measurement(ensemble, method)
    if saved == nil {
      ensemble.draw(mean: settings.startMean, std: settings.startStd ?? experiment.system.startStd)
    }
    try integrator.prepare(ensemble)
  }

  package var fault: Fault? { ensemble.fault }

  package func step(_ moment: Moment) throws {
    ensemble.wantsPotential = moment.isMeasured
    ensemble.step = moment.step
    try integrator.step(ensemble)
    if moment.isWarmUp { try adapt(moment) }
  }

  /// Adapts the step size to the acceptance rate of this step, if that is asked for.
  private func adapt(_ moment: Moment) throws {
    defer {
      ensemble.accepted = 0
      ensemble.tried = 0
    }
    guard experiment.integrator.target != nil else { return }
    var rate = ensemble.jointProbability
    if rate.isNaN {
      let (accepted, tried) = try ensemble.totalCounts()
      rate = Double(accepted) / Double(tried)
    }
    ensemble.stepSize = adaptation.next(rate, step: moment.step, of: moment.warmUp)
  }

  package func measure(_ info: Void, into values: UnsafeMutablePointer<Double>) throws {
    try measurement.take(ensemble, into: values)
  }

  package func encode(to encoder: inout StateEncoder) throws {
    try ensemble.encode(to: &encoder, replica: context.replica, shards: context.shards)
    adaptation.encode(to: &encoder)
  }

  package func count(into histograms: UnsafeMutablePointer<BitHistogram>, stride: Int) {
    let perMarginal = ensemble.tiling.dimension / experiment.marginals.count
    for t in ensemble.tiles {
      let x = ensemble.positions[t]
      for k in 0..<x.dimension {
        let row = x[k]
        let histogram = histograms + k / perMarginal * stride
        for i in 0..<x.count { histogram.pointee.add(row[i]) }
      }
    }
  }

  /// Coordinates and potential of the first particles of the system, as far as they are on this rank.
  package func frame() -> [Double] {
    var result: [Double] = []
    for t in ensemble.tiles {
      let x = ensemble.positions[t]
      for i in 0..<x.count where x.index * Tiling.width + i < experiment.settings.framed {
        for k in 0..<x.dimension { result.append(x[k][i]) }
        result.append(ensemble.potential[t].base[i])
      }
    }
    return result
  }

  package func frameLengths() -> [Int] {
    let framed = experiment.settings.framed
    var first = 0
    return ensemble.tiling.counts(ranks: context.group.size).map { tiles in
      defer { first += tiles }
      let begin = min(first * Tiling.width, framed)
      return (min((first + tiles) * Tiling.width, framed) - begin) * (ensemble.tiling.dimension + 1)
    }
  }
}
