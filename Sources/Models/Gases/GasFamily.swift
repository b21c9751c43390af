import Experiments

/// Gases by their collisions, without space: the table `[gas]`. A draw is a replica of the gas, or the history of one particle of it.
package enum GasFamily: DrawnProblemFamily {
  package static let table = "gas"
  package static let summary =
    "colliding particles without space, a draw a replica of the gas or a history of one particle of it; takes the keys of its system"
  package static let page = "docs/gases.md"
  package static let kind = "system"
  package static let draws = "independent replicas, or histories"

  package static let problems: [DrawnProblemEntry] = [MixtureProblem.entry, TaggedParticle.entry]

  package static let options = [
    TableEntry(
      name: "bias", summary: "separates the N-bias from the step-size bias",
      parameters: [
        Parameter(
          "enabled", .boolean, default: .boolean(true),
          "run a gas of dynamics = \"steps\" with (N, h/2) as well, and take the step-size bias off")
      ])
  ]

  package static func read(_ table: JobValue, _ context: JobContext) throws -> FamilyCase<DrawnProblemModel> {
    let (path, name) = (context.path, self.table)
    func model(_ table: JobValue) throws -> DrawnProblemModel {
      try DrawnProblemEntry.named(by: kind, of: table, path: path, among: problems)
        .read(table, path: path, data: context.data)
    }
    let own = try model(table)
    var result = found(own, page: page)
    guard context.options["bias"]?.boolean("enabled") ?? false else { return result }
    guard own.experiment.replicas != nil, let step = table["step"]?.number, let steps = table["steps"]?.integer else {
      throw Failure.invalid(
        key: "bias", value: nil, allowed: "needs \(name).dynamics = \"steps\": nothing else has a step to be halved")
    }
    let refined = try table.setting("step", to: .real(0.5 * step)).setting("steps", to: .integer(2 * steps))
    let half = try model(refined)
    result.legs.insert(
      Leg(
        name: "\(name)-half-step", role: .refinement,
        content: .sampled(half.experiment, draws: UInt64(half.parameters.integer("draws"))),
        attributes: half.attributes, refines: Refinement(leg: name, parameter: "step", symbol: "h", order: 1)), at: 1)
    result.identity += half.parameters.resolved.lines(prefix: "\(name)-half-step").filter {
      !$0.hasPrefix("\(name)-half-step.draws = ")
    }
    return result
  }
}
