import Experiments

/// N particles moved by an integrator and measured: the process behind a leg of a particle job.
package struct ParticleExperiment: Process {
  let system: SystemModel
  let integrator: IntegratorModel
  let settings: ParticleSettings
  package let observables: [Observable]
  package let marginals: [String]
  package let frame: FrameShape?
  package let inverseTemperature: Double?
  private let dimension: Int

  init(_ system: SystemModel, _ integrator: IntegratorModel, _ settings: ParticleSettings) {
    self.system = system
    self.integrator = integrator
    self.settings = settings
    let instance = system.make()
    dimension = instance.dimension
    observables = Measurement.observables(
      instance, integrator, isEstimated: system.subsample != nil && instance is any Subsampled)
    marginals = instance.hasMoments ? Measurement.suffixes(instance).map { "x\($0)" } : []
    frame = FrameShape(
      particles: settings.framed, dimension: instance.dimension, independent: instance.interaction == .none,
      timeStep: settings.step)
    // A free energy needs the law of a whole particle.
    inverseTemperature = instance.dimension == 1 && marginals == ["x"] ? settings.inverseTemperature : nil
  }

  package var schedule: Schedule { settings.schedule }
  package var pieces: Int { (settings.number + Tiling.width - 1) / Tiling.width }
  /// Positions, gradient, and potential or velocities.
  package var stateSize: Int { 3 * settings.number * dimension }
  package var advice: String {
    "the integrator has left the range where it is stable, or the energy is not finite there: a smaller step than \(settings.step), or a start nearer to the minimum, would help"
  }

  package func begin(_ context: ReplicaContext, from saved: StateDecoder?) throws -> ParticleDynamics {
    try ParticleDynamics(self, context, from: saved)
  }
}
