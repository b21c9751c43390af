/// A line of a catalog.
public protocol Entry: Sendable {
  /// What it is a line of: architecture, limit, integrator, …
  var kind: String { get }
  var name: String { get }
  var summary: String { get }
  var equation: String { get }
  var reference: String { get }
  var parameters: [Parameter] { get }
  /// Dotted name of the table that its keys belong to; that of the family, or `limit`, unless implemented.
  var table: String? { get }
}

extension Entry {
  public var table: String? { nil }

  /// The line of a catalog that a key of a table names.
  /// - Parameter otherwise: what the key is unless it is given.
  /// - Throws: `Failure` with the nearest name.
  public static func named(
    by key: String, of table: JobValue, path: String, among entries: [Self], otherwise: JobValue? = nil
  ) throws -> Self {
    let given = table[key] ?? otherwise
    guard case .text(let name)? = given, let found = entries.first(where: { $0.name == name }) else {
      throw Failure.unknown(key: "\(path).\(key)", value: given, names: entries.map(\.name))
    }
    return found
  }
}

/// A table of a job, as the catalog prints it.
public struct TableEntry: Entry {
  public var kind: String { "table" }
  public let name, summary: String
  public let parameters: [Parameter]
  public var equation: String { "" }
  public var reference: String { "" }
  public var table: String? { name }

  public init(name: String, summary: String, parameters: [Parameter]) {
    self.name = name
    self.summary = summary
    self.parameters = parameters
  }
}

/// Where data files are read from: on rank 0, and sent to the others.
public protocol DataSource {
  func table(_ request: TableRequest) throws -> DataTable
  /// Rows that another program made.
  func samples(_ request: SampleRequest) throws -> SampleTable
  /// A graph, or a symmetric matrix.
  func graph(_ request: GraphRequest) throws -> EdgeList
}

/// What a family is given besides its own table.
public struct JobContext {
  /// Path of the family's table, for messages.
  public let path: String
  /// The checked tables of its options that the job has, by name.
  public let options: [String: Parameters]
  public let data: any DataSource

  public init(path: String, options: [String: Parameters], data: any DataSource) {
    self.path = path
    self.options = options
    self.data = data
  }
}

/// The finite side of a case, read.
public struct FamilyCase<Model: Sendable>: Sendable {
  /// What limits read.
  public let model: Model
  /// The finite leg first, then refinements of it, then what is exact at this size.
  public var legs: [Leg]
  /// One line a key of everything that decides a draw.
  public var identity: [String]
  /// Limits that are compared with unless the job names some.
  public var impliedLimits: [String]

  public init(model: Model, legs: [Leg], identity: [String], impliedLimits: [String] = []) {
    self.model = model
    self.legs = legs
    self.identity = identity
    self.impliedLimits = impliedLimits
  }
}

/// A kind of work and its table at the top of a job: `[network]`, `[particles]`, …
///
/// Required: `table`, `summary`, `entries` and `read`. A family is made known by a line of the registry, with its limits.
public protocol Family: SendableMetatype {
  associatedtype Model: Sendable

  /// Name of its table, and of the finite leg.
  static var table: String { get }
  static var summary: String { get }
  /// Lines of the catalog: its models and the tables below its own.
  static var entries: [any Entry] { get }
  /// Further tables of the job that only this family reads, such as `[bias]`; none unless implemented.
  static var options: [TableEntry] { get }
  /// Keys of its models that declare themselves small; those of `entries` unless implemented.
  static var smallParameters: [SmallParameter] { get }

  /// Names that its key `observables` takes; nil, unless implemented, of a family that measures all it has.
  static var observables: [String]? { get }

  /// Key of its table that says how many draws are made, which `stop.at_most` stands for; nil, unless implemented, of a family whose draws are
  /// given otherwise, such as rows of a file.
  static var drawsKey: String? { get }

  /// Probability of a failure from which on a system counts as unhealthy, for families whose jobs always have a health report; nil unless implemented.
  static var healthThreshold: Double? { get }

  static func read(_ table: JobValue, _ context: JobContext) throws -> FamilyCase<Model>
  /// Checks the proof of a claim of its legs from what the file holds, and says what is proved, in one sentence; nil, unless implemented, for a family that
  /// claims nothing. Throws where the proof fails.
  static func recheck(_ claim: Claim, _ proof: Proof) throws -> String?
  /// Rewrites a whole job before its sweep is read, for options that stand for keys; nothing unless implemented.
  static func expand(_ job: JobValue, options: [String: Parameters]) throws -> JobValue
}

extension Family {
  public static var options: [TableEntry] { [] }
  public static var observables: [String]? { nil }
  public static var drawsKey: String? { nil }
  public static var healthThreshold: Double? { nil }
  public static var smallParameters: [SmallParameter] {
    var found: [SmallParameter] = []
    for parameter in entries.flatMap(\.parameters) {
      guard let small = parameter.small else { continue }
      let own = SmallParameter(parameter.name, table: table, small)
      if !found.contains(where: { $0.key == own.key }) { found.append(own) }
    }
    return found
  }
  public static func expand(_ job: JobValue, options: [String: Parameters]) throws -> JobValue { job }
}

/// What a limit is, once read.
public struct LimitModel: Sendable {
  public enum Content: Sendable {
    /// Values without sampling.
    case known(ReferenceValues)
    /// Draws of the limit law itself.
    case exact(Experiment)
    /// Draws whose mean is the limit; their spread says how well it is known.
    case mean(Experiment)
    /// Paths of an integrator of the given weak order, for a step size.
    case integrated(order: Int, @Sendable (_ step: Double) -> Experiment)
  }

  public let content: Content
  /// What is known of the distance of a finite system, as half a sentence.
  public let offset: String
  /// Further labels for the file.
  public var attributes: [String: String]
  /// The only observable that it speaks of, which the finite leg must have, and the key that names it.
  public let subject: Subject?

  public struct Subject: Sendable {
    package let key, name: String

    public init(key: String, name: String) {
      self.key = key
      self.name = name
    }
  }

  public init(_ content: Content, offset: String, attributes: [String: String] = [:], subject: Subject? = nil) {
    self.content = content
    self.offset = offset
    self.attributes = attributes
    self.subject = subject
  }
}

/// A line of the catalog of limits of one family's models.
public struct LimitEntry<Model: Sendable>: Entry {
  public var kind: String { "limit" }
  public let name, summary, equation, reference: String
  public let parameters: [Parameter]
  /// Reads a checked `[limit]` table for a model; throws where the limit does not apply.
  public let make: @Sendable (_ p: Parameters, _ model: Model) throws -> LimitModel

  public init(
    name: String, summary: String, equation: String, reference: String, parameters: [Parameter],
    make: @escaping @Sendable (_ p: Parameters, _ model: Model) throws -> LimitModel
  ) {
    self.name = name
    self.summary = summary
    self.equation = equation
    self.reference = reference
    self.parameters = [Parameter("equation", .choice([name]), "limit")] + parameters
    self.make = make
  }
}
