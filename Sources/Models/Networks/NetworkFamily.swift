import Experiments

/// Random networks at initialisation: the table `[network]`.
public enum NetworkFamily: Family {
  public static let table = "network"
  public static let summary = "a random network at initialisation; takes the keys of its architecture"

  public static var entries: [any Entry] {
    let inputs = TableEntry(name: "\(table).inputs", summary: "the inputs of a network", parameters: Inputs.parameters)
    return NetworkCatalog.architectures as [any Entry] + ActivationEntry.all as [any Entry]
      + [ActivationFormula.entry, inputs, ScaleMixture.entry]
  }

  public static var observables: [String]? {
    NetworkCatalog.architectures.flatMap { entry in entry.draws.flatMap { $0.probes.flatMap(\.observables) + $0.own } }
  }

  public static let drawsKey: String? = "draws"

  public static let options = [
    TableEntry(
      name: "health", summary: "asks for a health report: which failures, how likely, from which depth on",
      parameters: [
        Parameter(
          "threshold", .real(.init(0, 1, openBelow: true, openAbove: true)), default: .real(0.05),
          "probability of a failure whose depth is reported"),
        Parameter(
          "widths", .structured("an array of widths"), default: .list([]), "other widths at which the same is asked"),
      ]),
    Posterior.table, InformationRequest.table, DepthLawRequest.table,
  ]

  public static func read(_ table: JobValue, _ context: JobContext) throws -> FamilyCase<NetworkModel> {
    var model = try NetworkCatalog.read(table, path: context.path, data: context.data)
    if let asked = context.options[Posterior.table.name] { model = try model.adding(asked) }
    if model.posterior?.chains != nil {
      for table in [InformationRequest.table, DepthLawRequest.table] where context.options[table.name] != nil {
        throw Failure.invalid(
          key: "\(Posterior.table.name).method", value: "\"\(ChainSettings.method)\"",
          allowed: "cannot be given together with [\(table.name)]: chains measure outputs, and no V")
      }
    }
    if let asked = context.options[InformationRequest.table.name] { model = try model.adding(information: asked) }
    let laws = context.options[DepthLawRequest.table.name].map { DepthLawRequest($0).form }.flatMap(model.depthLaws)
    var legs = [
      Leg(
        name: self.table, role: .finite,
        content: .sampled(model.experiment, draws: UInt64(model.parameters.integer("draws"))),
        attributes: model.attributes.merging(laws?.attributes ?? [:]) { $1 }, asymptotics: laws?.laws ?? [])
    ]
    if let known = model.knownPosterior {
      legs.append(
        Leg(
          name: "linear-posterior", role: .exact, content: .known(known),
          attributes: [
            "equation": "f | u ~ GP(0, u V_0), u a product of chi^2_n/n: an integral over one number",
            "reference": "docs/posterior.md",
          ]))
    }
    if let known = model.known, model.posterior?.chains == nil {
      legs.append(
        Leg(
          name: "exact", role: .exact, content: .known(known),
          attributes: [
            "equation": "moments at this very width and depth", "reference": "docs/architectures.md",
          ]))
    }
    let prefix = self.table
    let resolved = model.parameters.resolved.withCanonicalFormulas
    var lines = resolved.lines(prefix: prefix).filter { !$0.hasPrefix("\(prefix).draws = ") }
    lines.append("\(prefix).V_0 = \(model.attributes["V_0"] ?? "")")
    if let asked = context.options[Posterior.table.name] { lines += asked.resolved.lines(prefix: Posterior.table.name) }
    if let chains = model.posterior?.chains { lines += chains.identity.filter { !lines.contains($0) } }
    return FamilyCase(model: model, legs: legs, identity: lines)
  }

  /// A health report is a sweep over widths that measures failures along the depth.
  public static func expand(_ job: JobValue, options: [String: Parameters]) throws -> JobValue {
    guard let health = options["health"], let network = job[table] else { return job }
    var result = job
    let failures = [CovarianceObservables.Family.collapsed, .exploded, .vanished].map { JobValue.text($0.rawValue) }
    var observables = failures
    if case .list(let items)? = network["observables"] { observables = items + failures.filter { !items.contains($0) } }
    result = try result.setting("\(table).observables", to: .list(observables))
    // By name: the layers follow from the depth of each case, which may be swept.
    if network["layers"] == nil { result = try result.setting("\(table).layers", to: .text("octaves")) }
    guard case .list(let widths)? = health["widths"], !widths.isEmpty else { return result }
    let key = "\(table).width"
    var sweep: [String: JobValue] = [:]
    if case .table(let given)? = job["sweep"] { sweep = given }
    guard job["sweep"]?[key] == nil, !sweep.keys.contains(where: { $0.contains(key) }) else {
      throw health.invalid("widths", "cannot be given together with a sweep of \(key)")
    }
    let own = network["width"].map { widths.contains($0) ? [] : [$0] } ?? []
    sweep[key] = .list(own + widths)
    return try result.setting("sweep", to: .table(sweep))
  }
}
