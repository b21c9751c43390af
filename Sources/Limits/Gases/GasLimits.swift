import Experiments
import Gases

/// All limits of gases.
package enum GasLimits {
  package static let all: [LimitEntry<DrawnProblemModel>] = MixtureLimits.all + TaggedParticleLimits.all
}
