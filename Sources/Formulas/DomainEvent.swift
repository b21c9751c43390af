/// Where a formula left the numbers: the first part of it that is not finite though all its arguments are.
public struct DomainEvent: Equatable, Sendable, CustomStringConvertible {
  /// The place of the part in the text, from 1.
  public let column: Int
  /// What happened there: `log(-0.5) = nan`.
  public let part: String

  public var description: String { "\(part) at column \(column)" }
}

extension Formula {
  /// What made its value, or that of any of its parts, infinite or no number at a point; nil if nothing did. Parts of branches that
  /// are not taken do not count.
  /// - Parameter point: a value for each variable, in their order. Finite: an argument that is not belongs to whoever made it.
  public func domainEvent(at point: [Double]) -> DomainEvent? {
    let values = graph.values(at: point, needed: graph.needed(by: [root]))
    // Only what the value was really made of: of a choice the condition and the branch taken.
    var marks = [Bool](repeating: false, count: graph.nodes.count)
    marks[Int(root)] = true
    for k in stride(from: marks.count - 1, through: 0, by: -1) where marks[k] {
      let node = graph.nodes[k]
      if node.operation == .choose {
        marks[Int(node.a)] = true
        marks[Int(values[Int(node.a)] != 0 ? node.b : node.c)] = true
      } else {
        node.forEachArgument { marks[Int($0)] = true }
      }
    }
    for k in marks.indices where marks[k] && !values[k].isFinite {
      let node = graph.nodes[k]
      var arguments: [Double] = []
      node.forEachArgument { arguments.append(values[Int($0)]) }
      guard !arguments.isEmpty, arguments.allSatisfy(\.isFinite) else { continue }
      let column = Int(graph.columns[k])
      return DomainEvent(
        column: column, part: "\(Self.written(node, arguments)) = \(values[k].isNaN ? "nan" : "\(values[k])")")
    }
    return nil
  }

  private static func written(_ node: Graph.Node, _ arguments: [Double]) -> String {
    let name = node.operation.name
    let list = arguments.map { "\($0)" } + (node.operation == .power ? ["\(node.exponent)"] : [])
    if name.first?.isLetter ?? false { return "\(name)(\(list.joined(separator: ", ")))" }
    return list.map { $0.hasPrefix("-") ? "(\($0))" : $0 }.joined(separator: name)
  }
}
