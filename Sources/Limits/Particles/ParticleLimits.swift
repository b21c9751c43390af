import Experiments
import Particles

/// All limits of particle systems.
public enum ParticleLimits {
  public static let all: [LimitEntry<ParticleModel>] = [stationaryLimit, gaussianMoments]
}
