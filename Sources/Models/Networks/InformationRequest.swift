import Experiments

/// `[information]`: what groups of units tell of each other, by the law of log V of their layer (docs/limits.md, `UnitInformation`).
package struct InformationRequest: Sendable {
  /// $m_1$ and $m_2$.
  package let units: [Int]
  package let estimands: [Estimand]

  package static let table = TableEntry(
    name: "information",
    summary:
      "asks for the mutual information of two groups of units of a layer, and for what its fluctuations take of it; takes every architecture with Gaussian readout, with log_V among the observables",
    parameters: [
      Parameter(
        "units", .structured("an array of two numbers of units in [1, 1000]"),
        default: .list([.integer(1), .integer(1)]),
        "m_1 and m_2, units of the groups")
    ])

  package static func fluctuationName(_ a: Int) -> String { "fluctuation[\(a)]" }
  package static func informationName(_ a: Int) -> String { "information[\(a)]" }
  package static func seriesName(_ a: Int) -> String { "information_series[\(a)]" }

  /// The checked table for a network.
  init(_ p: Parameters, _ network: NetworkModel) throws {
    guard network.architecture.hasGaussianReadout else {
      throw Failure.invalid(
        key: "network.architecture", value: network.parameters["architecture"]?.description,
        allowed: "cannot be given together with [information]: given its layers, units are no normals of variance V")
    }
    guard network.settings.measured.families.contains(.logNorm) else {
      throw network.parameters.invalid(
        "observables", "must hold log_V for [information], which is a functional of its law")
    }
    guard network.settings.measured.bound == .infinity else {
      throw network.parameters.invalid(
        "bound", "cannot be given together with [information], which needs the whole law")
    }
    guard case .list(let items)? = p["units"], items.count == 2 else {
      throw p.invalid("units", "must be an array of two numbers of units in [1, 1000]")
    }
    let units = try items.map { item -> Int in
      guard let number = item.integer, (1...1000).contains(number) else {
        throw p.invalid("units", "must be an array of two numbers of units in [1, 1000]")
      }
      return Int(number)
    }
    self.units = units
    let (m1, m2) = (units[0], units[1])
    let groups = "\(m1) and \(m2) unit\(m1 + m2 == 2 ? "" : "s")"
    estimands = (0..<network.settings.count).flatMap { a -> [Estimand] in
      func estimand(
        _ name: String, _ kind: LawFunctional.Kind, _ formula: String, unit: String = "1", _ summary: String
      ) -> Estimand {
        Estimand(
          name, LawFunctional(kind, of: "log_V[\(a)]", units: units), formula: formula, unit: unit, summary)
      }
      return [
        estimand(Self.fluctuationName(a), .fluctuation, "Var V/(E V)^2", "v of input \(a)"),
        estimand(
          Self.informationName(a), .information, "E log p(z_1, z_2)/(p(z_1) p(z_2))", unit: "nat",
          "mutual information of \(groups), input \(a)"),
        estimand(
          Self.seriesName(a), .informationSeries, "m_1 m_2 v^2 (1 - k v)/8", unit: "nat",
          "the same to the third order in v, input \(a)"),
      ]
    }
  }
}
