import Spelling

/// What is wrong with the text of a formula, and where.
public struct FormulaError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The place in the text, in characters from 1; one past the end where the text stops too early.
  public let column: Int
  /// What is wrong there, without the column.
  public let message: String

  init(_ column: Int, _ message: String) {
    self.column = column
    self.message = message
  }

  public var description: String { "column \(column): \(message)" }

  /// A name that nothing has, with the nearest one that exists.
  static func unknown(_ column: Int, _ kind: String, _ name: String, among names: [String]) -> FormulaError {
    let near = Nearest.hint(name, among: names)
    let listed = near.isEmpty && !names.isEmpty ? " (there are \(names.joined(separator: ", ")))" : near
    return FormulaError(column, "unknown \(kind) \(name)\(listed)")
  }
}
