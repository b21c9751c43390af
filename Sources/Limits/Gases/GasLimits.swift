import Experiments

/// The limits of gases.
package enum GasLimits {
  package static let all: [LimitEntry<DrawnProblemModel>] = TaggedParticleLimits.all
}
