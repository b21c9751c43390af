import Experiments

/// Gases by their collisions: the table `[gas]`. A draw is a history of the gas, or of one particle of it.
package enum GasFamily: DrawnProblemFamily {
  package static let table = "gas"
  package static let summary = "a gas by its collisions, a draw a history; takes the keys of its system"
  package static let page = "docs/tagged-particle.md"
  package static let kind = "system"
  package static let draws = "independent histories"

  package static let problems: [DrawnProblemEntry] = [TaggedParticle.entry]
}
