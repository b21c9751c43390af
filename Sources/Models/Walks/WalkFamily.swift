import Experiments

/// Walks on graphs that avoid where they have been, and what they learn on the way: the table `[walk]`. A draw is a walk.
package enum WalkFamily: DrawnProblemFamily {
  package static let table = "walk"
  package static let summary = "a self-repellent walk on a graph, a draw a walk; takes the keys of its problem"
  package static let page = "docs/walks.md"
  package static let kind = "problem"
  package static let draws = "independent walks"

  package static let problems: [DrawnProblemEntry] = [SelfRepellentWalk.entry, TokenLearning.entry]
}
