import Experiments

/// What tangent kernels of drawn networks are used for: the table `[tangent]`. A draw is a network, or a sketch.
package enum TangentFamily: DrawnProblemFamily {
  package static let table = "tangent"
  package static let summary =
    "what the tangent kernel of a drawn network, or a sketch of one, is used for; takes the keys of its service"
  package static let page = "docs/tangent.md"
  package static let kind = "service"
  package static let draws = "independent networks"

  package static let problems: [DrawnProblemEntry] = [
    AdversarialTraining.entry,
    DistilledLabels.entry,
    ActiveLearning.entry,
    KernelSketch.entry,
  ]

  static let width = Parameter(
    "width", .integer(1...1_000_000), small: .init(.inverse, "n", companions: ["draws"], fluctuations: true),
    "n, hidden units of a network")
}

extension Parameters {
  /// Finite numbers in ascending order, at least `least`.
  func ascending(_ key: String, least: Double, atMost most: Int, words: String) throws -> [Double] {
    let found = numbers(key) ?? []
    guard (1...most).contains(found.count), found.allSatisfy({ $0 >= least }),
      zip(found, found.dropFirst()).allSatisfy(<)
    else { throw invalid(key, "must be an ascending array of 1 to \(most) \(words)") }
    return found
  }
}
