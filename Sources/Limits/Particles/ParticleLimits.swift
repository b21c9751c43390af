import Experiments
import Particles

/// All limits of particle systems.
package enum ParticleLimits {
  package static let all: [LimitEntry<ParticleModel>] = [stationaryLimit, modifiedLaw, gaussianMoments]
}
