import Experiments

/// The cases of a job that differ in one small parameter only, or in it and what goes with it.
struct Sweep {
  let parameter: SmallParameter
  /// What the cases have in common among the swept keys.
  let label: String
  /// Ascending in size.
  let cases: [(size: Double, item: Case)]

  /// As the catalog names it.
  var name: String { parameter.name }
  var sizes: [Double] { cases.map(\.size) }
  /// Where the parameter tends to, as people write it.
  var limit: String { parameter.isInverse ? "\(name) -> infinity" : "\(name) -> 0" }

  /// Whether a reference leaves out nothing but what vanishes in this sweep.
  func isLimit(_ remainder: [Remainder]) -> Bool { remainder.allSatisfy { $0.parameter == name } }

  /// All sweeps with at least three sizes.
  ///
  /// Companions of a parameter are ignored. A key that may be held in a fixed ratio to it makes two groups where it is
  /// swept, one with the ratio held and one with the key itself.
  static func all(_ job: Job) -> [Sweep] {
    job.smallParameters.flatMap { parameter -> [Sweep] in
      var order: [String] = []
      var groups: [String: [(size: Double, item: Case)]] = [:]
      for item in job.cases {
        guard let size = item.swept[parameter.key].flatMap(Double.init) else { continue }
        for label in labels(item, parameter, size) {
          if groups[label] == nil { order.append(label) }
          groups[label, default: []].append((size, item))
        }
      }
      return order.compactMap { label in
        let cases = groups[label]!.sorted { $0.size < $1.size }
        guard Set(cases.map(\.size)).count == cases.count, cases.count >= 3 else { return nil }
        return Sweep(parameter: parameter, label: label, cases: cases)
      }
    }
  }

  private static func labels(_ item: Case, _ parameter: SmallParameter, _ size: Double) -> [String] {
    let ignored = [parameter.key] + parameter.companions + parameter.ratios
    let rest = item.swept.filter { !ignored.contains($0.key) }.sorted { $0.key < $1.key }.map {
      "\($0.key)=\($0.value)"
    }
    var labels = [rest]
    for key in parameter.ratios {
      let name = key.split(separator: ".").last.map(String.init) ?? key
      let pieces: [String]
      if let text = item.swept[key], let value = Double(text) {
        pieces = ["\(name)/\(parameter.name) = \(value / size)", "\(name) = \(text)"]
      } else {
        pieces = ["fixed \(name)"]
      }
      labels = labels.flatMap { label in pieces.map { label + [$0] } }
    }
    return labels.map { $0.joined(separator: ", ") }
  }
}
