import Experiments

/// Rows that another program made: the table `[samples]`. By itself it is the finite side of a job; beside the table of another family it
/// takes the place of that family's draws, which become a reference (docs/decisions/0006-samples.md).
package enum SamplesFamily: Family {
  package static let table = "samples"
  package static let summary =
    "rows that another program made, as the finite side; beside another table: draws of what that table describes"

  package static let entries: [any Entry] = [
    TableEntry(name: table, summary: summary, parameters: SampleLeg.parameters)
  ]

  /// - Parameter partner: the leg of another family whose place it takes.
  package static func read(
    _ table: JobValue, data: any DataSource, partner: Leg?
  ) throws -> SampleLeg {
    let p = try Parameters(table, path: self.table, allowed: SampleLeg.parameters)
    return try SampleLeg(p, name: self.table, role: .finite, partner: partner.map(SampleLeg.Partner.init), data: data)
  }

  package static func read(_ table: JobValue, _ context: JobContext) throws -> FamilyCase<Schema> {
    let found = try read(table, data: context.data, partner: nil)
    return FamilyCase(model: found.leg.schema, legs: [found.leg], identity: found.identity)
  }
}

/// The same as a reference, of any family: `[[limit]]` with `equation = "samples"`.
package struct SampleReference: Entry {
  package static let name = "samples"
  package static let entry = SampleReference()

  package var kind: String { "limit" }
  package var name: String { Self.name }
  package var table: String? { "limit" }
  package var summary: String { "rows that another program made; of any kind of work" }
  package var equation: String { "observables and points of the axis are compared by name" }
  package var reference: String { "docs/samples.md" }
  package var parameters: [Parameter] {
    [
      Parameter("equation", .choice([Self.name]), "limit"),
      Parameter(
        "name", .text, optional: true,
        "of the reference in verdicts; samples, or reference where the finite side is [samples]"),
    ] + SampleLeg.parameters
  }

  /// - Parameter finite: the leg that is compared with it.
  package static func read(
    _ table: JobValue, path: String, finite: Leg, data: any DataSource
  ) throws -> SampleLeg {
    let p = try Parameters(table, path: path, allowed: entry.parameters)
    var name = finite.name == Self.name ? "reference" : Self.name
    if p["name"] != nil {
      name = p.text("name")
      guard name.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9 _.-]*/) != nil else {
        throw p.invalid("name", "must be of letters, digits, blanks, -, _ and .")
      }
    }
    return try SampleLeg(p, name: name, role: .limit, partner: SampleLeg.Partner(finite), data: data)
  }
}
