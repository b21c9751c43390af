import Experiments
import Samples

/// A family and the limits of its models, with their types erased: a line of the registry.
package struct RegisteredFamily: Sendable {
  package let table, summary: String
  /// Lines of the catalog: models, tables, then limits.
  package let entries: [any Entry]
  package let options: [TableEntry]
  package let smallParameters: [SmallParameter]
  /// Dotted keys of its table and of its limits, for messages.
  let keys: [String]
  /// Those that hold integers.
  let integerKeys: Set<String>
  /// The key that says how many draws are made, as it is declared.
  let draws: Parameter?
  let expand: @Sendable (JobValue, [String: Parameters]) throws -> JobValue
  package let recheck: @Sendable (Claim, Proof) throws -> String?
  let healthThreshold: Double?
  /// Dotted keys that are tuned.
  let tunedKeys: [String]
  /// The legs of one case, and its lines of the identity.
  /// - Parameter samples: the table `[samples]` that stands beside that of the family.
  let read:
    @Sendable (JobValue, JobContext, _ limits: [(path: String, table: JobValue)], _ samples: JobValue?) throws -> (
      [Leg], [String]
    )

  package init<F: Family>(_ family: F.Type, limits: [LimitEntry<F.Model>]) {
    table = F.table
    summary = F.summary
    entries = F.entries + limits
    options = F.options
    smallParameters = F.smallParameters
    let named =
      Self.dotted(F.table, F.entries) + Self.dotted("limit", limits) + Self.dotted("limit", [SampleReference.entry])
    keys = named.map(\.key).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    integerKeys = Set(keys).subtracting(named.filter { !$0.parameter.isInteger }.map(\.key))
    draws = F.drawsKey.flatMap { key in F.entries.lazy.flatMap(\.parameters).first { $0.name == key } }
    healthThreshold = F.healthThreshold
    tunedKeys = Set(F.entries.flatMap(\.parameters).filter(\.isTuned).map { "\(F.table).\($0.name)" }).sorted()
    expand = { try F.expand($0, options: $1) }
    recheck = { try F.recheck($0, $1) }
    read = { given, context, asked, samples in
      let (table, derived) = try DerivedObservables.split(given, path: context.path, choices: F.observables)
      var found = try F.read(table, context)
      guard let own = found.legs.first else { throw Failure(.bug, "\(F.table): a family without a finite leg") }
      if let samples { try found.replaceDraws(by: samples, context.data) }
      let finite = found.legs[0]
      var (legs, identity) = (found.legs.filter { $0.role != .exact }, found.identity)
      var subjects: [LimitModel.Subject] = []
      func refuseTwice(_ name: String, _ key: String) throws {
        guard !(legs + found.legs).contains(where: { $0.name == name }) else {
          throw Failure.invalid(
            key: key, value: "\"\(name)\"",
            allowed: name == SampleReference.name
              ? "two references need different names: give name" : "every limit can be asked for once")
        }
      }
      func add(_ table: JobValue, _ path: String, implied: Bool) throws {
        if table["equation"] == .text(SampleReference.name) {
          let rows = try SampleReference.read(table, path: path, finite: finite, data: context.data)
          try refuseTwice(rows.leg.name, "\(path).\(table["name"] == nil ? "equation" : "name")")
          legs.append(rows.leg)
          identity += rows.identity
          return
        }
        let (added, resolved, subject) = try Self.limit(table, path: path, found.model, limits, draws: own.draws)
        let name = added[0].name
        try refuseTwice(name, "\(path).equation")
        legs += added
        subjects += subject.map { [$0] } ?? []
        if !implied {
          identity += resolved.lines(prefix: name).filter { !$0.hasPrefix("\(name).draws = ") }
        }
      }
      for (path, table) in asked { try add(table, path, implied: false) }
      legs += found.legs.filter { $0.role == .exact }
      if asked.isEmpty {
        for name in found.impliedLimits { try add(.table(["equation": .text(name)]), "limit", implied: true) }
      }
      identity += derived.map { $0.identity(prefix: F.table) }
      if !derived.isEmpty { legs = try legs.map { try $0.adding(derived) } }
      let names = legs[0].observables.map(\.name)
      for subject in subjects where !names.contains(subject.name) {
        throw Failure.unknown(key: subject.key, value: .text(subject.name), names: names)
      }
      return (legs, identity)
    }
  }

  /// The legs of a `[limit]` table, one, or two where it asks for extrapolation; a missing number of draws is that of the finite leg.
  package static func limit<Model>(
    _ table: JobValue, path: String, _ model: Model, _ entries: [LimitEntry<Model>], draws: UInt64
  ) throws -> (legs: [Leg], resolved: JobValue, subject: LimitModel.Subject?) {
    guard case .text(let name)? = table["equation"], let entry = entries.first(where: { $0.name == name }) else {
      throw Failure.unknown(
        key: "\(path).equation", value: table["equation"], names: entries.map(\.name) + [SampleReference.name])
    }
    let p = try Parameters(table, path: path, allowed: entry.parameters)
    let limit = try entry.make(p, model)
    let count = p["draws"].map { _ in UInt64(p.integer("draws")) } ?? draws
    var resolved = p.resolved.withCanonicalFormulas
    if entry.parameters.contains(where: { $0.name == "draws" }) {
      resolved = try resolved.setting("draws", to: .integer(Int64(count)))
    }
    var attributes = ["equation": entry.equation, "reference": entry.reference, "limit": name]
    for line in resolved.lines() {
      let parts = line.split(separator: " = ", maxSplits: 1)
      if parts.count == 2 && parts[0] != "equation" && parts[0] != "draws" {
        attributes[String(parts[0])] = String(parts[1])
      }
    }
    attributes.merge(limit.attributes) { $1 }
    func leg(
      _ name: String, _ content: Leg.Content, refines: Refinement? = nil, speaksOfMeans: Bool = false
    ) -> Leg {
      Leg(
        name: name, role: refines == nil ? .limit : .refinement, content: content, attributes: attributes,
        expectedOffset: limit.offset, refines: refines, speaksOfMeans: speaksOfMeans)
    }
    switch limit.content {
    case .known(let values): return ([leg(name, .known(values))], resolved, limit.subject)
    case .exact(let experiment): return ([leg(name, .sampled(experiment, draws: count))], resolved, limit.subject)
    case .mean(let experiment):
      return ([leg(name, .sampled(experiment, draws: count), speaksOfMeans: true)], resolved, limit.subject)
    case .integrated(let order, let make):
      let step = p.real("step")
      var legs = [leg(name, .sampled(make(step), draws: count))]
      if p.boolean("extrapolate") {
        legs.append(
          leg(
            name + "-half-step", .sampled(make(0.5 * step), draws: count),
            refines: Refinement(leg: name, parameter: "step", symbol: "h", order: order)))
      }
      return (legs, resolved, limit.subject)
    }
  }

  /// The keys of some entries below a table.
  private static func dotted(_ table: String, _ entries: [any Entry]) -> [(key: String, parameter: Parameter)] {
    entries.flatMap { entry in entry.parameters.map { (key: "\(entry.table ?? table).\($0.name)", parameter: $0) } }
  }
}

extension FamilyCase {
  /// Puts the rows of a file in the place of the family's own draws, which become a reference.
  fileprivate mutating func replaceDraws(by samples: JobValue, _ data: any DataSource) throws {
    let own = legs[0]
    guard let experiment = own.experiment, !legs.contains(where: { $0.role == .refinement }) else {
      throw Failure.invalid(
        key: SamplesFamily.table, value: samples.description,
        allowed: "the rows of a file cannot be refined: leave out the tables that ask for refinements, such as [bias]")
    }
    let rows = try SamplesFamily.read(samples, data: data, partner: own)
    let reference = Leg(
      name: own.name, role: .limit, content: .sampled(experiment, draws: own.draws), attributes: own.attributes,
      marginalLaw: own.marginalLaw)
    // What is known of other observables is compared with nothing.
    legs = [rows.leg, reference] + legs.dropFirst().filter { $0.known?.speaks(of: rows.leg.schema) ?? true }
    identity += rows.identity
  }
}

extension ReferenceValues {
  /// Whether something is predicted of an observable at a point of a schema.
  fileprivate func speaks(of other: Schema) -> Bool {
    statistics.contains {
      other.place(of: observables[$0.observable].name) != nil
        && other.axis.values.contains(schema.axis.values[$0.record])
    }
  }
}
