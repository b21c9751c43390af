import Spelling

public typealias Nearest = Spelling.Nearest

extension Nearest {
  /// The end of a sentence for a text, or for the first of a list that is none of the names.
  public static func hint(_ given: JobValue?, among names: [String]) -> String {
    let items = if case .list(let list)? = given { list } else { [given].compactMap { $0 } }
    for case .text(let text) in items where !names.contains(text) {
      guard let near = name(to: text, among: names) else { continue }
      return items.count > 1 ? "; for \(text), did you mean \(near)?" : "; did you mean \(near)?"
    }
    return ""
  }
}
