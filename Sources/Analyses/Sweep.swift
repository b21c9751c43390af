import Experiments

/// The cases of a job that differ in one small parameter only, or in it and what goes with it.
struct Sweep {
  let parameter: SmallParameter
  /// What the cases have in common among the swept keys.
  let label: String
  /// Whether a key keeps its ratio to the parameter.
  let holdsRatio: Bool
  /// Ascending in size.
  let cases: [(size: Double, item: Case)]

  /// As the catalog names it.
  var name: String { parameter.name }
  var sizes: [Double] { cases.map(\.size) }
  /// Where the parameter tends to, as people write it.
  var limit: String { parameter.isInverse ? "\(name) -> infinity" : "\(name) -> 0" }

  /// Whether a reference leaves out nothing but what vanishes in this sweep.
  func isLimit(_ remainder: [Remainder]) -> Bool { remainder.allSatisfy { $0.parameter == name } }

  /// Whether the order that a reference promises is one along this sweep.
  func isPromised(_ remainder: Remainder) -> Bool {
    remainder.parameter == name && remainder.path != (holdsRatio ? .fixedValues : .fixedRatios)
  }

  /// All sweeps with at least three sizes.
  ///
  /// Companions of a parameter (numbers of draws among them) are ignored, unless a size occurs with several of their values. A
  /// key that may be held in a fixed ratio to it makes two groups where it is swept, one with the ratio held and one with the key
  /// itself.
  static func all(_ job: Job) -> [Sweep] { job.smallParameters.flatMap { all(job, $0) } }

  static func all(_ job: Job, _ parameter: SmallParameter) -> [Sweep] {
    var order: [Group] = []
    var groups: [Group: [(size: Double, item: Case)]] = [:]
    for item in job.cases {
      guard let size = size(of: item, parameter) else { continue }
      for group in Group.all(item, parameter, size) {
        if groups[group] == nil { order.append(group) }
        groups[group, default: []].append((size, item))
      }
    }
    return order.flatMap { group in
      isSimple(groups[group]!) ? [(group, groups[group]!)] : split(groups[group]!, group, parameter)
    }.compactMap { group, cases in
      guard isSimple(cases), cases.count >= 3 else { return nil }
      return Sweep(
        parameter: parameter, label: group.label, holdsRatio: group.holdsRatio,
        cases: cases.sorted { $0.size < $1.size })
    }
  }

  static func size(of item: Case, _ parameter: SmallParameter) -> Double? {
    item.swept[parameter.key].flatMap(Double.init)
  }

  /// Whether each size occurs once.
  private static func isSimple(_ cases: [(size: Double, item: Case)]) -> Bool {
    Set(cases.map(\.size)).count == cases.count
  }

  /// By the values of the companions.
  private static func split(
    _ cases: [(size: Double, item: Case)], _ group: Group, _ parameter: SmallParameter
  ) -> [(Group, [(size: Double, item: Case)])] {
    var order: [Group] = []
    var found: [Group: [(size: Double, item: Case)]] = [:]
    for entry in cases {
      let own = Group.settings(entry.item.swept.filter { parameter.companions.contains($0.key) })
      let part = Group(pieces: group.pieces + own, holdsRatio: group.holdsRatio)
      if found[part] == nil { order.append(part) }
      found[part, default: []].append(entry)
    }
    return order.map { ($0, found[$0]!) }
  }

  /// What cases have in common.
  private struct Group: Hashable {
    let pieces: [String]
    let holdsRatio: Bool

    var label: String { pieces.joined(separator: ", ") }

    static func settings(_ swept: [String: String]) -> [String] {
      swept.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    }

    static func all(_ item: Case, _ parameter: SmallParameter, _ size: Double) -> [Group] {
      let ignored = [parameter.key] + parameter.companions + parameter.ratios
      var groups = [Group(pieces: settings(item.swept.filter { !ignored.contains($0.key) }), holdsRatio: false)]
      for key in parameter.ratios {
        let name = key.split(separator: ".").last.map(String.init) ?? key
        let pieces: [(String, isRatio: Bool)]
        if let text = item.swept[key], let value = Double(text) {
          pieces = [("\(name)/\(parameter.name) = \(value / size)", true), ("\(name) = \(text)", false)]
        } else {
          pieces = [("fixed \(name)", false)]
        }
        groups = groups.flatMap { group in
          pieces.map { Group(pieces: group.pieces + [$0.0], holdsRatio: group.holdsRatio || $0.isRatio) }
        }
      }
      return groups
    }
  }
}
