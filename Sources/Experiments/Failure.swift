/// Exit codes of the program, after sysexits.h.
public enum ExitStatus: Int32, Sendable {
  case done = 0
  case usage = 64
  case badData = 65
  case bug = 70
  case inputOutput = 74
  /// Stopped early; rerunning the command resumes from the checkpoint.
  case resumable = 75
}

/// An error that ends the program with a message for its user and a documented exit code.
public struct Failure: Error, CustomStringConvertible, Sendable {
  public let status: ExitStatus
  public let message: String

  public init(_ status: ExitStatus, _ message: String) {
    self.status = status
    self.message = message
  }

  /// A job value that cannot be used: names the key, the value and what is allowed.
  /// - Parameter value: nil if the key is missing.
  public static func invalid(key: String, value: String?, allowed: String) -> Failure {
    Failure(.badData, (value.map { "\(key) = \($0)" } ?? "\(key) is missing") + ": \(allowed)")
  }

  /// A value that is none of the names that there are: names them, and the nearest.
  public static func unknown(key: String, value: JobValue?, names: [String]) -> Failure {
    var hint = ""
    if case .text(let text)? = value { hint = Nearest.hint(text, among: names) }
    if case .list(let items)? = value, items.allSatisfy({ item in names.contains { item == .text($0) } }) {
      hint = Parameters.sweepHint(key, value!)
    }
    return invalid(
      key: key, value: value?.description, allowed: "must be one of " + names.joined(separator: ", ") + hint)
  }

  public var description: String { message }
}

extension Failure {
  /// Any error as a failure: what is none already is a bug.
  public init(wrapping error: any Error) {
    self = error as? Failure ?? Failure(.bug, String(describing: error))
  }
}
