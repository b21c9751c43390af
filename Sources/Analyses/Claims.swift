import Experiments
import Statistics

/// What a leg proves: the sharpest bound of its replicas, beside the values that they attained and found. A proof is no test: there is no error bar and no
/// level, and a replica without a proof leaves the claim undecided.
package struct Claims: Analysis {
  package internal(set) var index = 0
  package let caseLabel, leg: String
  package let claim: Claim
  package let replicas: [UInt64]
  /// Of each replica at its end; NaN where nothing was proved.
  package let bounds, attained, found: [Double]
  /// What the file holds of replica 0.
  package let proof: Proof?
  package let verdict: Verdict.Word
  package let sentence: String

  /// Nil for a leg that claims nothing, and without replicas.
  init?(caseLabel: String, leg: Leg, state: LegState) {
    guard let claim = leg.claim, !state.rows.isEmpty else { return nil }
    self.caseLabel = caseLabel
    self.leg = leg.name
    self.claim = claim
    let order = state.rows.draws
    func last(_ name: String) -> [Double] {
      let place = leg.schema.index(leg.axis.count - 1, leg.schema.place(of: name)!)
      return order.map { state.rows.values[$0]![place] }
    }
    (replicas, bounds, attained, found) = (order, last(claim.bound), last(claim.attained), last(claim.found))
    proof = Proof(leg, state)
    (verdict, sentence) = Self.judge(claim, bounds, attained, found)
  }

  private static func judge(
    _ claim: Claim, _ bounds: [Double], _ attained: [Double], _ found: [Double]
  ) -> (Verdict.Word, String) {
    func best(_ values: [Double], isLarge: Bool) -> Double {
      values.filter { !$0.isNaN }.reduce(isLarge ? -Double.infinity : .infinity) { isLarge ? max($0, $1) : min($0, $1) }
    }
    let (bound, value) = (best(bounds, isLarge: !claim.isUpper), best(attained, isLarge: claim.isUpper))
    let solution = best(found, isLarge: claim.isUpper)
    let statement = "\(claim.quantity) \(claim.relation) \(outwards(bound, isUp: claim.isUpper))"
    let unproved = bounds.count { !$0.isFinite }
    guard unproved == 0 else {
      return (.undecided, "\(claim.quantity): not proved in \(unproved) of \(bounds.count) replicas")
    }
    // A value beyond a proved bound: one of the two is wrong.
    guard claim.isUpper ? solution <= bound : solution >= bound else {
      return (.differs, "\(statement) is contradicted by a \(claim.quantity) of \(Words.format(solution, 10))")
    }
    let gap = (bound - value).magnitude / bound.magnitude
    let who = bounds.count == 1 ? "proved" : "proved; the sharpest of \(bounds.count) replicas"
    return (
      .proved,
      "\(statement) (\(who)), relaxed \(claim.quantity) \(Words.format(value, 10)), gap/bound \(Words.format(gap, 3)); "
        + "best \(claim.quantity) found \(Words.format(solution, 10))"
    )
  }

  /// A bound to nine decimals or fewer, rounded so that the sentence is still true.
  static func outwards(_ bound: Double, isUp: Bool) -> String {
    guard bound.magnitude < 1e15 else { return "\(bound)" }
    var scale = 1e9
    while scale > 1, bound.magnitude * scale > 1e12 { scale /= 10 }
    let rounded = (bound * scale).rounded(isUp ? .up : .down) / scale
    // The division may have rounded back.
    return "\(isUp ? max(rounded, bound) : min(rounded, bound))"
  }

  package var verdicts: [Verdict] {
    [Verdict(subject: claim.bound, caseLabel: caseLabel, word: verdict, sentence: sentence)]
  }

  package var tables: [Table] {
    func numbers(_ name: String, _ values: [Double], _ summary: String) -> Table.Column {
      .init(name, .numbers(values), axes: ["replica"], summary)
    }
    var table = Table(group: "claims/\(index)")
    table.attributes = [
      ("case", .text(caseLabel)), ("leg", .text(leg)), ("quantity", .text(claim.quantity)),
      ("relation", .text(claim.relation)), ("verdict", .text(verdict.rawValue)), ("sentence", .text(sentence)),
    ]
    table.axes = [.init("replica", .integers(replicas.map { Int64($0) }), axes: ["replica"])]
    table.columns = [
      numbers("bound", bounds, "what each replica proves; NaN where it proves nothing"),
      numbers("attained", attained, "value of its vectors"),
      numbers("found", found, "best \(claim.quantity) that it found"),
    ]
    table.notes = ["claim: \(sentence)"]
    guard let proof else { return [table] }
    let count = proof.multipliers.count
    var stored = Table(group: table.group)
    stored.axes = [
      .init("vertex", .integers((0..<count).map { Int64($0) }), axes: ["vertex"]),
      .init("coordinate", .integers((0..<proof.dimension).map { Int64($0) }), axes: ["coordinate"]),
    ]
    stored.columns = [
      .init("vector", .numbers(proof.vectors), axes: ["vertex", "coordinate"], "final vectors of replica 0"),
      .init("multiplier", .numbers(proof.multipliers), axes: ["vertex"], "of each vertex: the proof of replica 0"),
    ]
    return [table, stored]
  }
}
