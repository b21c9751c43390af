import Experiments
import Jobs

/// The works behind a job: those that the lines of the catalog which it used refer to, and its legs.
struct Citations {
  struct Citation {
    let work: Work
    /// The lines of the catalog that refer to it: `limit covariance-sde`.
    fileprivate(set) var citedBy: [String]
  }

  private(set) var list: [Citation] = []
  /// The lines of the catalog that the job used, whether they refer to anything or not.
  private(set) var entries: [String] = []

  /// - Parameters:
  ///   - identity: lines `CASE: TABLE.KEY = VALUE`, with defaults filled in.
  ///   - cases: of the job; none of a Gram matrix.
  init(identity: [String], cases: [Case]) {
    let named = Self.named(identity, labels: cases.map(\.label))
    for family in Registry.families {
      for entry in family.entries {
        let keys = [entry.kind, entry.kind == family.table ? "model" : entry.kind].flatMap { [$0, $0 + ".name"] }
        let isLimit =
          entry.kind == "limit"
          && cases.contains { item in
            item.legs.contains { $0.attributes["limit"] == entry.name } && item.finite?.name == family.table
          }
        guard isLimit || keys.contains(where: { named["\(family.table).\($0)"]?.contains(entry.name) == true }) else {
          continue
        }
        add(entry)
      }
      // The kernel of a Gram matrix is the limit of that name.
      for kernel in named["kernel.of"] ?? [] where family.table == "network" {
        let limit = kernel.hasPrefix("ntk") ? "infinite-width-ntk" : "infinite-width"
        family.entries.first { $0.kind == "limit" && $0.name == limit }.map { add($0) }
      }
    }
    // Probes and exact values have references of their own.
    for leg in cases.flatMap(\.legs) {
      let reference = leg.attributes["reference"] ?? ""
      add(reference, leg.attributes["limit"].map { "limit \($0)" } ?? "leg \(leg.name)", onlyNew: true)
    }
  }

  /// The whole catalog, then what only the documentation refers to.
  init() {
    for entry in Registry.entries { add(entry) }
    for work in Bibliography.all where !list.contains(where: { $0.work == work }) {
      list.append(Citation(work: work, citedBy: ["the documentation"]))
    }
  }

  /// An activation has its reference in its summary.
  private mutating func add(_ entry: any Entry) {
    let name = "\(entry.kind) \(entry.name)"
    entries.append(name)
    add([entry.reference, entry.equation, entry.summary].joined(separator: " "), name)
  }

  private mutating func add(_ reference: String, _ name: String, onlyNew: Bool = false) {
    for work in Bibliography.works(in: reference) {
      if let place = list.firstIndex(where: { $0.work == work }) {
        if !onlyNew, !list[place].citedBy.contains(name) { list[place].citedBy.append(name) }
      } else {
        list.append(Citation(work: work, citedBy: [name]))
      }
    }
  }

  /// Values that are texts, by their dotted key.
  private static func named(_ identity: [String], labels: [String]) -> [String: Set<String>] {
    var result: [String: Set<String>] = [:]
    for line in identity {
      let label = labels.first { line.hasPrefix($0 + ": ") }
      let parts = line.dropFirst(label.map { $0.count + 2 } ?? 0).split(separator: " = ", maxSplits: 1)
      guard parts.count == 2, parts[1].hasPrefix("\""), parts[1].hasSuffix("\""), parts[1].count > 2 else { continue }
      result[String(parts[0]), default: []].insert(String(parts[1].dropFirst().dropLast()))
    }
    return result
  }
}
