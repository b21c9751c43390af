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
      if lower == -.infinity && upper == .infinity { return "a finite number" }
      if upper == .infinity { return "a finite number \(openBelow ? "above" : "of at least") \(lower)" }
      return "a number in " + (openBelow ? "(" : "[") + "\(lower), \(upper)" + (openAbove ? ")" : "]")
    }

    /// The end that is nearest to a number outside; nil if that end does not belong to the interval.
    func nearest(to x: Double) -> Double? {
      if x < lower { return openBelow ? nil : lower }
      if x > upper { return openAbove ? nil : upper }
      return nil
    }
  }

  /// How a small parameter enters: s in `value = limit + c s^p`.
  public struct Smallness: Sendable, Equatable {
    public enum Kind: Sendable { case inverse, direct }
    /// s is one over the value (a width, a number of particles), or the value itself (a step size).
    public let kind: Kind
    /// In sentences: n, N, h.
    public let symbol: String
    /// Other keys that go with it and do not tell cases apart.
    public let companions: [String]
    /// Other keys whose ratio to it may be what is held fixed.
    public let ratios: [String]
    /// Whether fluctuations between draws are of this order as well.
    public let fluctuations: Bool

    public init(
      _ kind: Kind, _ symbol: String, companions: [String] = [], ratios: [String] = [], fluctuations: Bool = false
    ) {
      self.kind = kind
      self.symbol = symbol
      self.companions = companions
      self.ratios = ratios
      self.fluctuations = fluctuations
    }
  }

  public let name: String
  public let kind: Kind
  /// Value when the key is absent; nil for a key that must be given, unless it is optional.
  public let `default`: JobValue?
  public let optional: Bool
  public let unit: String
  public let summary: String
  /// Former names, which are still read.
  public let aliases: [String]
  /// Whether, and how, it tends to 0 or infinity in a limit.
  public let small: Smallness?
  /// Whether it is a setting that people tune: over a sweep its best value is looked for.
  public let isTuned: Bool

  public init(
    _ name: String, _ kind: Kind, default: JobValue? = nil, optional: Bool = false, unit: String = "1",
    aliases: [String] = [], small: Smallness? = nil, isTuned: Bool = false, _ summary: String
  ) {
    self.name = name
    self.kind = kind
    self.default = `default`
    self.optional = optional
    self.unit = unit
    self.aliases = aliases
    self.small = small
    self.isTuned = isTuned
    self.summary = summary
  }

  /// The range in words, as errors and the catalog say it.
  public var allowed: String {
    switch kind {
    case .integer(let range): "an integer in [\(range.lowerBound), \(range.upperBound)]"
    case .real(let interval): interval.description
    case .text: "a string"
    case .choice(let names): "one of " + names.joined(separator: ", ")
    case .boolean: "true or false"
    case .structured(let words): words
    }
  }
}

extension Parameter {
  public var isInteger: Bool { if case .integer = kind { true } else { false } }

  /// A value as it is kept, nil if it is not allowed. Reals that are exactly integers are taken as such, and integers as reals.
  func taking(_ value: JobValue) -> JobValue? {
    switch (kind, value) {
    case (.integer(let range), _): value.integer.flatMap { range.contains($0) ? .integer($0) : nil }
    case (.real(let interval), _): value.number.flatMap { interval.contains($0) ? .real($0) : nil }
    case (.choice(let names), .text(let name)): names.contains(name) ? value : nil
    case (.text, .text), (.boolean, .boolean), (.structured, _): value
    default: nil
    }
  }

  /// The nearest value that is allowed, as the end of a sentence; empty if there is none.
  func hint(_ value: JobValue) -> String {
    switch (kind, value) {
    case (.integer(let range), .integer(let x)):
      return "; the nearest is \(min(max(x, range.lowerBound), range.upperBound))"
    case (.integer(let range), .real(let x)) where x.isFinite:
      let inside = min(max(x.rounded(), Double(range.lowerBound)), Double(range.upperBound))
      return "; the nearest is \(Int64(exactly: inside) ?? range.upperBound)"
    case (.real(let interval), .real), (.real(let interval), .integer):
      return interval.nearest(to: value.number!).map { "; the nearest is \($0)" } ?? ""
    case (.integer, .text(let text)), (.real, .text(let text)):
      let bare = Double(text.replacing("_", with: "")).map { _ in "; a number is written without quotes" }
      return bare ?? ""
    case (.choice(let names), .text(let text)): return Nearest.hint(text, among: names)
    case (.boolean, .text(let text)): return Nearest.hint(text, among: ["true", "false"])
    default: return ""
    }
  }
}

/// The checked values of one table.
public struct Parameters: Sendable {
  /// Path of the table in the job, for messages; empty for the job itself.
  public let path: String
  private let values: [String: JobValue]

  /// Checks a table against the parameters that it may have: unknown keys, types, ranges, and
  /// keys that are missing. Defaults are filled in.
  /// - Parameter isSwept: whether a sweep may go over its keys.
  public init(_ value: JobValue?, path: String, allowed parameters: [Parameter], isSwept: Bool = true) throws {
    self.path = path
    guard case .table(var table) = value ?? .table([:]) else {
      throw Failure.invalid(key: path, value: value!.description, allowed: "must be a table")
    }
    for parameter in parameters {
      for alias in parameter.aliases {
        guard let value = table[alias] else { continue }
        guard table[parameter.name] == nil else {
          throw Failure.invalid(
            key: "\(path).\(alias)", value: value.description,
            allowed: "is the former name of \(parameter.name), which is given as well")
        }
        table[parameter.name] = value
        table[alias] = nil
        Notes.add("\(path).\(alias) is now called \(parameter.name); the former name is still read")
      }
    }
    let known = parameters.map(\.name)
    for key in table.keys.sorted() where !known.contains(key) {
      throw Failure.invalid(
        key: Self.key(key, in: path), value: table[key]!.description,
        allowed: "unknown key\(Nearest.remark(key, among: known)); \(path) takes \(known.joined(separator: ", "))")
    }
    var checked: [String: JobValue] = [:]
    for parameter in parameters {
      guard let given = table[parameter.name] ?? parameter.default else {
        if parameter.optional { continue }
        throw Failure.invalid(
          key: Self.key(parameter.name, in: path), value: nil, allowed: "must be \(parameter.allowed)")
      }
      guard let value = parameter.taking(given) else {
        let key = Self.key(parameter.name, in: path)
        var hint = parameter.hint(given)
        if case .list(let items) = given, isSwept, !items.isEmpty, items.allSatisfy({ parameter.taking($0) != nil }) {
          hint = Self.sweepHint(key, given)
        }
        throw Failure.invalid(key: key, value: given.description, allowed: "must be \(parameter.allowed)\(hint)")
      }
      checked[parameter.name] = value
    }
    values = checked
  }

  private static func key(_ name: String, in path: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

  /// For a list where one value belongs.
  public static func sweepHint(_ key: String, _ value: JobValue) -> String {
    "; for a case with each of these values, write \"\(key)\" = \(value) under [sweep]"
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
    .invalid(key: Self.key(name, in: path), value: values[name]?.description, allowed: allowed)
  }
}

/// A key of a job that tends to 0 or infinity in a limit.
public struct SmallParameter: Sendable, Equatable, Codable {
  /// Dotted, e.g. `network.width`.
  public let key: String
  public let symbol: String
  /// Whether s is one over the value.
  public let isInverse: Bool
  /// Dotted keys that go with it, and those whose ratio to it may be held fixed.
  public private(set) var companions: [String]
  public private(set) var ratios: [String]
  public let fluctuations: Bool

  public init(_ name: String, table: String, _ small: Parameter.Smallness) {
    key = "\(table).\(name)"
    symbol = small.symbol
    isInverse = small.kind == .inverse
    companions = small.companions.map { "\(table).\($0)" }
    ratios = small.ratios.map { "\(table).\($0)" }
    fluctuations = small.fluctuations
  }

  /// The same with further dotted keys that go with it.
  public func accompanied(by further: [String]) -> SmallParameter {
    var result = self
    result.companions += further
    return result
  }

  /// The same for a model that has only some of the keys whose ratio to it may be held: models of one family may share its name.
  public func holding(_ isKey: (String) -> Bool) -> SmallParameter {
    var result = self
    result.ratios = ratios.filter(isKey)
    return result
  }

  /// The parameter without its table.
  public var name: String { String(key.split(separator: ".").last!) }
  public func small(_ value: Double) -> Double { isInverse ? 1 / value : value }
}
