import Analyses
import Experiments

/// Every table of a result, made once: those of the legs and those of the analyses. They follow from the exact state.
package struct ResultTables {
  struct LegTables {
    let item: Case
    let leg: Leg
    let tables: [Table]
  }

  let legs: [LegTables]
  /// In the order in which people read them.
  let analyses: [Table]

  package init(_ snapshot: Snapshot) {
    let analyses = Analyses.all(snapshot).flatMap(\.tables)
    self.analyses = analyses
    legs = snapshot.job.cases.flatMap { item in
      item.legs.compactMap { leg in
        let state = snapshot.state(item.path(of: leg))
        guard state != nil || leg.known != nil else { return nil }
        let group = Self.group(of: item, leg)
        let own = Self.diagnostics(of: item, leg, in: analyses, group: group)
        return LegTables(item: item, leg: leg, tables: leg.tables(state, group: group) + own)
      }
    }
  }

  var all: [Table] { legs.flatMap(\.tables) + analyses }

  /// Group of a leg's tables. Labels of cases differ in their groups: the job reader refuses others.
  package static func group(of item: Case, _ leg: Leg) -> String { "cases/\(item.group)/\(leg.name)" }

  package func tables(of item: Case, _ leg: Leg) -> [Table] {
    legs.first { $0.item.label == item.label && $0.leg.name == leg.name }?.tables ?? []
  }

  /// Groups of a kind of analysis, e.g. `comparison`, each with its tables.
  package func groups(_ kind: String) -> [[Table]] {
    var order: [String] = []
    var groups: [String: [Table]] = [:]
    for table in analyses where table.kind == kind {
      if groups[table.group] == nil { order.append(table.group) }
      groups[table.group, default: []].append(table)
    }
    return order.map { groups[$0]! }
  }

  /// Columns of the diagnostics that readers of a leg look for there.
  static let mixing = [
    "effective_samples", "bulk_effective_samples", "tail_effective_samples", "split_r_hat", "r_hat", "mean_mcse",
  ]

  /// What diagnostics say of single observables and marginals stands beside the tables of the leg as well.
  private static func diagnostics(of item: Case, _ leg: Leg, in analyses: [Table], group: String) -> [Table] {
    let mine = analyses.filter {
      $0.kind == "diagnostics" && $0.text("case") == item.label && $0.text("leg") == leg.name
    }
    var table = Table(group: group)
    if let certificate = mine.lazy.compactMap({ $0.text("certificate") }).first {
      table.attributes = [("certificate", .text(certificate))]
    }
    let marginals = leg.process?.marginals ?? []
    for own in mine {
      let names = own[column: "observable"]?.values
      for name in Self.mixing where names == .texts(leg.observables.map(\.name)) {
        guard let column = own[column: name] else { continue }
        table.columns.append(
          .init(name, column.values, axes: ["observable"], unit: column.unit, column.summary))
      }
      guard !marginals.isEmpty, (own[column: "name"] ?? own[column: "marginal"])?.values == .texts(marginals) else {
        continue
      }
      for column in own.columns where !["name", "marginal"].contains(column.name) && column.axes.count == 1 {
        table.columns.append(.init(column.name, column.values, axes: ["marginal"], unit: column.unit, column.summary))
      }
    }
    return table.attributes.isEmpty && table.columns.isEmpty ? [] : [table]
  }
}
