import Experiments

/// A controlled network, ready to be drawn and to be compared with limits.
package struct SignatureModel: Sendable {
  package let settings: SignatureSettings
  package let parameters: Parameters
  let attributes: [String: String]
  let identity: [String]

  package init(_ table: JobValue, path: String, name: String, data: any DataSource) throws {
    let p = try Parameters(table, path: path, allowed: SignatureSettings.parameters)
    let (settings, attributes, files) = try SignatureSettings.read(p, data: data)
    (self.settings, parameters) = (settings, p)
    self.attributes = attributes.merging(["equation": SignatureFamily.equation, "reference": "docs/signatures.md"]) {
      a, _ in a
    }
    identity = p.resolved.lines(prefix: name).filter { !$0.hasPrefix("\(name).draws = ") } + files
  }

  func leg(_ name: String, role: Leg.Role, refines: Refinement? = nil) -> Leg {
    Leg(
      name: name, role: role,
      content: .sampled(Experiment(ControlledNetwork(settings)), draws: UInt64(parameters.integer("draws"))),
      attributes: attributes, refines: refines)
  }

  /// Values of all pairs at the records, from those at every step.
  package func values(_ kernels: [[Double]], every: Int = 1, remainder: [Remainder] = []) -> ReferenceValues {
    ReferenceValues(
      axis: settings.axis, observables: settings.observables,
      means: settings.records.flatMap { step in kernels.map { $0[step * every] } }, remainder: remainder)
  }
}

/// Neural signature kernels of finite networks: the table `[signature]`.
package enum SignatureFamily: Family {
  package static let table = "signature"
  package static let summary =
    "a controlled residual network along paths, a draw a network; its neural signature kernel"
  static let equation =
    "Y_0 = sigma_a xi, Y_{s+1} = Y_s + sum_k (sigma_A A_k phi(Y_s)/sqrt(N) + sigma_b b_k) dx^k_s; K_ab = <Y^a, Y^b>/N"

  package static let entries: [any Entry] = [
    TableEntry(name: table, summary: summary, parameters: SignatureSettings.parameters)
  ]

  package static let drawsKey: String? = "draws"

  package static func read(_ table: JobValue, _ context: JobContext) throws -> FamilyCase<SignatureModel> {
    let (path, name) = (context.path, self.table)
    let model = try SignatureModel(table, path: path, name: name, data: context.data)
    var found = FamilyCase(model: model, legs: [model.leg(name, role: .finite)], identity: model.identity)
    if model.parameters.boolean("extrapolate") {
      for (key, symbol) in [("width", "N"), ("steps", "M")] {
        let twice = try table.setting(key, to: .integer(2 * Int64(model.parameters.integer(key))))
        let own = try SignatureModel(twice, path: path, name: "\(name)-2\(symbol)", data: context.data)
        found.legs.append(
          own.leg(
            "\(name)-2\(symbol)", role: .refinement,
            refines: Refinement(leg: name, parameter: key, symbol: symbol, order: 1)))
        found.identity += own.identity
      }
    }
    let equation = SignatureEquation(model.settings)
    if equation.isExactAtEveryWidth {
      let known = model.values(equation.kernels(model.settings.paths, steps: model.settings.steps, .euler))
      found.legs.append(
        Leg(
          name: "exact", role: .exact, content: .known(known),
          attributes: [
            "equation": "K' = K + (sigma_A^2 c K + sigma_b^2) dx . dy / dt", "reference": "docs/signatures.md",
          ]))
    }
    return found
  }
}
