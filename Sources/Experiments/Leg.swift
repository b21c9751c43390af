import Statistics

/// A leg that repeats another with one small parameter refined: half the step of an integrator, twice the particles.
/// Its order is known, so the two together give the value without that error.
public struct Refinement: Sendable, Equatable, Codable {
  /// Name of the leg that is refined.
  public let leg: String
  /// The small parameter, as the catalog names it, and its symbol in sentences.
  public let parameter, symbol: String
  /// Order of the error that the refinement lowers; 0 if there is none.
  public let order: Int

  public init(leg: String, parameter: String, symbol: String, order: Int) {
    self.leg = leg
    self.parameter = parameter
    self.symbol = symbol
    self.order = order
  }
}

/// One side of a comparison. A leg read back from a file has no experiment.
public struct Leg: Sendable, Codable {
  public enum Content: Sendable {
    case sampled(Experiment, draws: UInt64)
    case known(ReferenceValues)
  }

  /// What a leg is to the comparison.
  public enum Role: String, Sendable, Codable {
    /// The finite system that is compared with the others.
    case finite
    /// A scaling limit: agreement is asked for within the tolerance.
    case limit
    /// Exact at this very size: any significant difference is a fault.
    case exact
    /// The finite system again with a small parameter refined: compared with nothing by itself.
    case refinement
  }

  public let name: String
  public let role: Role
  public let schema: Schema
  /// Draws asked for; 0 for a leg whose values are known.
  public private(set) var draws: UInt64
  /// Of how many draws the values are kept as rows; a process keeps those of every replica.
  public private(set) var keep: UInt64
  /// Pairs of observables whose joint moments are kept: those of which a reference of the case predicts a covariance or
  /// correlation.
  public private(set) var jointPairs: [Tally.JointPair] = []
  public let known: ReferenceValues?
  /// Labels for the file: equation, reference, sampler, …
  public let attributes: [String: String]
  /// What is known of the distance of a limit from finite size, as half a sentence; empty if nothing.
  public let expectedOffset: String
  public let refines: Refinement?
  /// What is behind the draws if they are replicas of a process.
  public let process: ProcessFacts?
  /// Law of one coordinate of a particle, where it is known.
  public let marginalLaw: TabulatedLaw?
  /// Of draws that may depend on each other: rows of a file.
  public let dependence: Dependence?
  /// Laws that statistics are known to follow as the axis goes to infinity; nil if none, as in files of before.
  public let asymptotics: [DepthLaw]?
  /// Of a reference whose draws have a mean that is known to be the limit, and a spread that is no more than their sampling error: means are compared. Nil, as in files of before:
  /// laws are.
  public let speaksOfMeans: Bool?
  /// What its replicas prove; nil for nearly all, and in files of before.
  public let claim: Claim?
  public let experiment: Experiment?

  enum CodingKeys: String, CodingKey {
    case name, role, schema, draws, keep, jointPairs, known, attributes, expectedOffset, refines, process, marginalLaw,
      dependence, asymptotics, speaksOfMeans, claim
  }

  public init(
    name: String, role: Role, content: Content, attributes: [String: String], expectedOffset: String = "",
    refines: Refinement? = nil, marginalLaw: TabulatedLaw? = nil, dependence: Dependence? = nil,
    asymptotics: [DepthLaw] = [], speaksOfMeans: Bool = false, claim: Claim? = nil
  ) {
    self.name = name
    self.role = role
    self.attributes = attributes
    self.expectedOffset = expectedOffset
    self.refines = refines
    self.marginalLaw = marginalLaw
    self.dependence = dependence
    self.asymptotics = asymptotics.isEmpty ? nil : asymptotics
    self.speaksOfMeans = speaksOfMeans ? true : nil
    self.claim = claim
    switch content {
    case .sampled(let experiment, let draws):
      schema = experiment.schema
      self.draws = draws
      keep = 0
      known = nil
      process = experiment.replicas?.facts
      self.experiment = experiment
    case .known(let values):
      schema = values.schema
      draws = 0
      keep = 0
      known = values
      process = nil
      experiment = nil
    }
  }

  public init(from decoder: any Decoder) throws {
    let box = try decoder.container(keyedBy: CodingKeys.self)
    name = try box.decode(String.self, forKey: .name)
    role = try box.decode(Role.self, forKey: .role)
    schema = try box.decode(Schema.self, forKey: .schema)
    draws = try box.decode(UInt64.self, forKey: .draws)
    keep = try box.decode(UInt64.self, forKey: .keep)
    jointPairs = try box.decodeIfPresent([Tally.JointPair].self, forKey: .jointPairs) ?? []
    known = try box.decodeIfPresent(ReferenceValues.self, forKey: .known)
    attributes = try box.decode([String: String].self, forKey: .attributes)
    expectedOffset = try box.decode(String.self, forKey: .expectedOffset)
    refines = try box.decodeIfPresent(Refinement.self, forKey: .refines)
    process = try box.decodeIfPresent(ProcessFacts.self, forKey: .process)
    marginalLaw = try box.decodeIfPresent(TabulatedLaw.self, forKey: .marginalLaw)
    dependence = try box.decodeIfPresent(Dependence.self, forKey: .dependence)
    asymptotics = try box.decodeIfPresent([DepthLaw].self, forKey: .asymptotics)
    speaksOfMeans = try box.decodeIfPresent(Bool.self, forKey: .speaksOfMeans)
    claim = try box.decodeIfPresent(Claim.self, forKey: .claim)
    experiment = nil
  }

  /// The same, with the values of a given number of draws kept as rows.
  public func keeping(_ draws: UInt64) -> Leg {
    var result = self
    if isSampled && process == nil { result.keep = draws }
    return result
  }

  /// The same, with a given number of draws; what is not sampled has none.
  public func drawing(_ draws: UInt64) -> Leg {
    var result = self
    if isSampled { result.draws = draws }
    return result
  }

  /// The same, with the joint moments that these references predict. Replicas have their rows.
  func tallying(predictionsOf references: [ReferenceValues]) -> Leg {
    guard role == .finite && isSampled && process == nil else { return self }
    var result = self
    result.jointPairs = schema.jointPairs(predictedBy: references)
    return result
  }

  public var axis: Axis { schema.axis }
  public var observables: [Observable] { schema.observables }
  public var isSampled: Bool { known == nil }
  /// What one draw is called.
  public var drawName: String { process == nil ? "draw" : "replica" }
}

/// One point of a sweep: its legs are compared with each other.
public struct Case: Sendable, Codable {
  /// `key=value, …` of the swept keys; `main` without a sweep. Part of the streams' identity.
  public let label: String
  /// The swept keys and their values, as text.
  public let swept: [String: String]
  public let legs: [Leg]

  public init(label: String, swept: [String: String], legs: [Leg]) {
    self.label = label
    self.swept = swept
    let references = legs.compactMap(\.known)
    self.legs = legs.map { $0.tallying(predictionsOf: references) }
  }

  /// Lines of a job's identity: what is kept of the draws besides what its keys say. None without predicted covariances.
  public var identity: [String] {
    legs.filter { !$0.jointPairs.isEmpty }.map { leg in
      let pairs = leg.jointPairs.map { "\($0.group)/\($0.i)/\($0.j)" }.joined(separator: " ")
      return "\(path(of: leg)): joint pairs = \(pairs)"
    }
  }

  /// Name of the stream of a leg.
  public func path(of leg: Leg) -> String { "\(label)/\(leg.name)" }
  /// Its group in a file: slashes would make groups of their own.
  public var group: String { label.replacing("/", with: "_") }
  public var finite: Leg? { legs.first { $0.role == .finite } }
}
