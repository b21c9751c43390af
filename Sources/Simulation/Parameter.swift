/// One key of a job table: what it may hold, what it means, and what it is when absent. The catalog and
/// the docs are printed from these, and the reader checks against them, so the three cannot differ.
public struct Parameter: Sendable {
  public enum Kind: Sendable {
    case integer(ClosedRange<Int64>)
    case real(Interval)
    case text
    case choice([String])
    case boolean
    /// Anything, read by the model itself; the text says what is allowed.
    case structured(String)
  }

  /// An interval of numbers whose ends may be left out.
  public struct Interval: Sendable {
    public let lower, upper: Double
    public let openBelow, openAbove: Bool

    public init(_ lower: Double, _ upper: Double, openBelow: Bool = false, openAbove: Bool = false) {
      self.lower = lower
      self.upper = upper
      self.openBelow = openBelow
      self.openAbove = openAbove
    }

    /// Every finite number above `lower`.
    public static func above(_ lower: Double) -> Interval {
      Interval(lower, .infinity, openBelow: true, openAbove: true)
    }

    public static let finite = Interval(-.infinity, .infinity, openBelow: true, openAbove: true)

    public func contains(_ x: Double) -> Bool {
      (openBelow ? x > lower : x >= lower) && (openAbove ? x < upper : x <= upper)
    }

    public var description: String {
      if lower == -.infinity && upper == .infinity { return "any finite number" }
      return (openBelow ? "(" : "[") + "\(lower), \(upper)" + (openAbove ? ")" : "]")
    }
  }

  public let name: String
  public let kind: Kind
  /// Value when the key is absent; nil for a key that must be given, unless it is optional.
  public let standard: JobValue?
  public let optional: Bool
  public let unit: String
  public let summary: String

  public init(
    _ name: String, _ kind: Kind, standard: JobValue? = nil, optional: Bool = false, unit: String = "1",
    _ summary: String
  ) {
    self.name = name
    self.kind = kind
    self.standard = standard
    self.optional = optional
    self.unit = unit
    self.summary = summary
  }

  /// The range in words, as errors and the catalog say it.
  public var allowed: String {
    switch kind {
    case .integer(let range): "an integer in [\(range.lowerBound), \(range.upperBound)]"
    case .real(let interval): "a number in \(interval.description)"
    case .text: "a string"
    case .choice(let names): "one of " + names.joined(separator: ", ")
    case .boolean: "true or false"
    case .structured(let words): words
    }
  }
}

/// The checked values of one table.
public struct Parameters: Sendable {
  /// Path of the table in the job, for messages.
  public let path: String
  private let values: [String: JobValue]

  /// Checks a table against the parameters that it may have: unknown keys, types, ranges, and
  /// keys that are missing. Defaults are filled in.
  public init(_ value: JobValue?, path: String, allowed parameters: [Parameter]) throws {
    self.path = path
    guard case .table(let table) = value ?? .table([:]) else {
      throw Failure.invalid(key: path, value: value!.description, allowed: "must be a table")
    }
    let known = parameters.map(\.name)
    for key in table.keys.sorted() where !known.contains(key) {
      throw Failure.invalid(
        key: "\(path).\(key)", value: table[key]!.description,
        allowed: "unknown key; \(path) takes " + known.joined(separator: ", "))
    }
    var checked: [String: JobValue] = [:]
    for parameter in parameters {
      guard let given = table[parameter.name] ?? parameter.standard else {
        if parameter.optional { continue }
        throw Failure.invalid(
          key: "\(path).\(parameter.name)", value: "(missing)", allowed: "must be \(parameter.allowed)")
      }
      checked[parameter.name] = try Self.check(given, parameter, path: path)
    }
    values = checked
  }

  private static func check(_ value: JobValue, _ parameter: Parameter, path: String) throws -> JobValue {
    func fail() -> Failure {
      .invalid(
        key: "\(path).\(parameter.name)", value: value.description, allowed: "must be \(parameter.allowed)")
    }
    switch (parameter.kind, value) {
    case (.integer(let range), .integer(let number)):
      guard range.contains(number) else { throw fail() }
    case (.real(let interval), .real(let number)):
      guard interval.contains(number) else { throw fail() }
    case (.real(let interval), .integer(let number)):
      guard interval.contains(Double(number)) else { throw fail() }
      return .real(Double(number))
    case (.choice(let names), .text(let name)):
      guard names.contains(name) else { throw fail() }
    case (.text, .text), (.boolean, .boolean), (.structured, _): break
    default: throw fail()
    }
    return value
  }

  public subscript(_ name: String) -> JobValue? { values[name] }

  /// The checked table, defaults included.
  public var resolved: JobValue { .table(values) }

  public func integer(_ name: String) -> Int {
    guard case .integer(let value) = values[name] else { preconditionFailure("no integer \(name)") }
    return Int(value)
  }

  public func real(_ name: String) -> Double {
    guard case .real(let value) = values[name] else { preconditionFailure("no number \(name)") }
    return value
  }

  public func text(_ name: String) -> String {
    guard case .text(let value) = values[name] else { preconditionFailure("no string \(name)") }
    return value
  }

  public func boolean(_ name: String) -> Bool {
    guard case .boolean(let value) = values[name] else { preconditionFailure("no boolean \(name)") }
    return value
  }

  /// An error about one key of this table.
  public func invalid(_ name: String, _ allowed: String) -> Failure {
    .invalid(key: "\(path).\(name)", value: values[name]?.description ?? "(missing)", allowed: allowed)
  }
}
