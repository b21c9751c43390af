import Experiments
import Graphs

/// Semidefinite programs with a unit diagonal on products of spheres, with proved bounds: the table `[semidefinite]`.
package enum SemidefiniteFamily: Family {
  package static let table = "semidefinite"
  package static let summary = "a quadratic form of signs, relaxed to unit vectors, with a proved bound"

  package static var entries: [any Entry] {
    SemidefiniteCatalog.problems as [any Entry]
      + [TableEntry(name: table, summary: summary, parameters: SemidefiniteCatalog.parameters)]
  }

  package static let drawsKey: String? = "replicas"

  package static func read(_ table: JobValue, _ context: JobContext) throws -> FamilyCase<SemidefiniteModel> {
    let model = try SemidefiniteModel(table, path: context.path, name: self.table, data: context.data)
    return FamilyCase(model: model, legs: [model.leg(self.table)], identity: model.identity)
  }

  package static func recheck(_ claim: Claim, _ proof: Proof) throws -> String? {
    try StoredProof(claim, proof).sentence()
  }
}

/// A line of the catalog of problems.
package struct ProblemEntry: Entry {
  package var kind: String { "problem" }
  package let name, summary, equation, reference: String
  package var parameters: [Parameter] = []
  package let objective: SpinProgram.Objective
}

package enum SemidefiniteCatalog {
  package static let problems: [ProblemEntry] = [
    ProblemEntry(
      name: "max-cut", summary: "the largest weight of the edges between two sets of vertices",
      equation: "max sum over edges of w_ij (1 - v_i . v_j)/2, |v_i| = 1 in R^k",
      reference: "Goemans, Williamson, J. ACM 42 (1995) 1115; arXiv:2010.11176", objective: .maxCut),
    ProblemEntry(
      name: "ising", summary: "the lowest energy of signs, for a symmetric matrix Q",
      equation: "min sum_i Q_ii + sum_{i != j} Q_ij v_i . v_j, |v_i| = 1 in R^k", reference: "arXiv:2010.11176",
      objective: .ising),
    ProblemEntry(
      name: "synchronisation", summary: "angles from noisy differences along the edges of a graph",
      equation: "max sum over edges of cos(t_i - t_j - t_ij), by two unit vectors a quarter turn apart for each t_i",
      reference: "Singer, Appl. Comput. Harmon. Anal. 30 (2011) 20; arXiv:2010.11176",
      parameters: [
        Parameter(
          "noise", .real(.init(0, 100)), default: .real(0.5), unit: "radians",
          "standard deviation of the normal errors of drawn differences; of a file the weights are the differences")
      ], objective: .synchronisation),
  ]

  /// Keys of every job of the family.
  package static var parameters: [Parameter] {
    [Parameter("problem", .choice(problems.map(\.name)), default: .text("max-cut"), "what is relaxed")]
      + GraphKeys.parameters + SemidefiniteSettings.parameters
  }
}
