import Statistics

/// Values known without sampling, for each layer and observable; NaN where nothing is known.
public struct KnownValues: Sendable, Equatable, Codable {
  public let observables: [Observable]
  public let layers: [Int]
  /// Means and second moments, layer by layer, `layers.count * observables.count` numbers each.
  public let means: [Double]
  public let secondMoments: [Double]

  public init(observables: [Observable], layers: [Int], means: [Double], secondMoments: [Double]) {
    precondition(means.count == observables.count * layers.count)
    precondition(secondMoments.count == means.count)
    self.observables = observables
    self.layers = layers
    self.means = means
    self.secondMoments = secondMoments
  }
}

/// A leg that integrates with half the step of another, whose weak order is known: together they give step 0.
/// Or a leg that repeats the finite system with twice the particles or half the step, to tell its biases apart.
public struct Refinement: Sendable, Equatable, Codable {
  public enum Kind: String, Sendable, Codable { case integrator, number, step }

  public let leg: String
  /// Order of the error that the refinement lowers; 0 if there is none.
  public let order: Int
  public let kind: Kind

  public init(leg: String, order: Int, kind: Kind = .integrator) {
    self.leg = leg
    self.order = order
    self.kind = kind
  }
}

/// One side of a comparison. A leg read back from a file has no experiment.
public struct Leg: Sendable, Codable {
  public enum Content: Sendable {
    case sampled(AnyExperiment, draws: UInt64)
    /// Replicas of a particle system; `marginal` is the known law of one coordinate, if any.
    case replicas(any ReplicaExperiment, count: UInt64, marginal: TabulatedLaw?)
    case known(KnownValues)
  }

  /// What a leg is to the comparison.
  public enum Role: String, Sendable, Codable {
    /// The finite system that is held against the others.
    case finite
    /// A scaling limit: agreement is asked for within the tolerance.
    case limit
    /// Exact at this very size: any significant difference is a fault.
    case exact
  }

  public let name: String
  public let role: Role
  public let observables: [Observable]
  public let layers: [Int]
  /// Draws asked for; 0 for a leg whose values are known.
  public let draws: UInt64
  public let known: KnownValues?
  /// Labels for the file: equation, reference, sampler, …
  public let attributes: [String: String]
  /// What is known of the distance of a limit from finite size, as half a sentence; empty if nothing.
  public let expectedOffset: String
  public let refines: Refinement?
  public let experiment: AnyExperiment?
  public let replicas: (any ReplicaExperiment)?
  /// What the records are numbered by: `layer` of networks, `step` of particles.
  public let axis: String
  /// Coordinates whose one-particle law is counted, and that law where it is known.
  public let marginals: [String]
  public let marginalLaw: TabulatedLaw?

  enum CodingKeys: String, CodingKey {
    case name, role, observables, layers, draws, known, attributes, expectedOffset, refines, axis, marginals,
      marginalLaw
  }

  public init(
    name: String, role: Role, content: Content, attributes: [String: String], expectedOffset: String = "",
    refines: Refinement? = nil, axis: String = "layer"
  ) {
    self.refines = refines
    self.axis = axis
    self.name = name
    self.role = role
    self.attributes = attributes
    self.expectedOffset = expectedOffset
    switch content {
    case .sampled(let experiment, let draws):
      observables = experiment.observables
      layers = experiment.layers
      self.draws = draws
      known = nil
      self.experiment = experiment
      replicas = nil
      marginals = []
      marginalLaw = nil
    case .known(let values):
      observables = values.observables
      layers = values.layers
      draws = 0
      known = values
      experiment = nil
      replicas = nil
      marginals = []
      marginalLaw = nil
    case .replicas(let replicas, let count, let law):
      observables = replicas.observables
      layers = replicas.records
      draws = count
      known = nil
      experiment = nil
      self.replicas = replicas
      marginals = replicas.marginals
      marginalLaw = law
    }
  }

  public init(from decoder: any Decoder) throws {
    let box = try decoder.container(keyedBy: CodingKeys.self)
    name = try box.decode(String.self, forKey: .name)
    role = try box.decode(Role.self, forKey: .role)
    observables = try box.decode([Observable].self, forKey: .observables)
    layers = try box.decode([Int].self, forKey: .layers)
    draws = try box.decode(UInt64.self, forKey: .draws)
    known = try box.decodeIfPresent(KnownValues.self, forKey: .known)
    attributes = try box.decode([String: String].self, forKey: .attributes)
    expectedOffset = try box.decode(String.self, forKey: .expectedOffset)
    refines = try box.decodeIfPresent(Refinement.self, forKey: .refines)
    axis = try box.decode(String.self, forKey: .axis)
    marginals = try box.decode([String].self, forKey: .marginals)
    marginalLaw = try box.decodeIfPresent(TabulatedLaw.self, forKey: .marginalLaw)
    experiment = nil
    replicas = nil
  }

  public var isSampled: Bool { known == nil }
  /// Whether the draws are replicas of a particle system.
  public var isReplicated: Bool { axis == "step" && isSampled }
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
    self.legs = legs
  }

  /// Name of the stream of a leg.
  public func path(of leg: Leg) -> String { "\(label)/\(leg.name)" }
}

/// When two laws count as the same.
public struct Tolerances: Sendable, Codable {
  /// Largest Kolmogorov-Smirnov distance.
  public let distance: Double
  /// Largest difference of means, in standard deviations of the finite system.
  public let mean: Double
  /// Probability of any false statement in one case, shared among its tests.
  public let alpha: Double

  public init(distance: Double, mean: Double, alpha: Double) {
    self.distance = distance
    self.mean = mean
    self.alpha = alpha
  }
}

/// A job: all that a result file says of what was asked.
public struct Job: Sendable, Codable {
  public let title: String
  public let seed: UInt64
  public let cases: [Case]
  public let tolerances: Tolerances
  /// Pair covariances are kept for layers with at most this many observables.
  public let covarianceLimit: Int
  /// Probability at which a failure counts as reached, for jobs that ask for a health report.
  public let healthThreshold: Double?
  /// The text of the job file, with `--set` keys applied after it.
  public let text: String
  /// One line a key, defaults filled in, of everything that decides a draw: two runs may be joined if
  /// and only if these are equal.
  public let identity: [String]

  public init(
    title: String, seed: UInt64, cases: [Case], tolerances: Tolerances, covarianceLimit: Int,
    healthThreshold: Double? = nil, text: String, identity: [String]
  ) {
    self.healthThreshold = healthThreshold
    self.title = title
    self.seed = seed
    self.cases = cases
    self.tolerances = tolerances
    self.covarianceLimit = covarianceLimit
    self.text = text
    self.identity = identity
  }

  /// Version of the random streams: which draws a (seed, stream, index) gives. It changes whenever a golden digest changes.
  public static let streamVersion = 2

  /// The line of the identity that tells the version of the streams.
  public static let streamLine = "stream = \(streamVersion)"

  /// The version of the streams that the draws of this job are of.
  public var streamVersion: Int {
    identity.lazy.compactMap { $0.hasPrefix("stream = ") ? Int($0.dropFirst("stream = ".count)) : nil }.first ?? 1
  }

  /// Sampled legs with their stream paths, in order.
  public var sampledLegs: [(path: String, leg: Leg)] {
    cases.flatMap { item in item.legs.filter(\.isSampled).map { (item.path(of: $0), $0) } }
  }

  /// The first line in which the identity of another job differs, nil if they are the same.
  public func firstDifference(from other: Job) -> (mine: String, other: String)? {
    let theirs = Set(other.identity)
    let mine = Set(identity)
    let added = identity.first { !theirs.contains($0) }
    let removed = other.identity.first { !mine.contains($0) }
    return added == nil && removed == nil ? nil : (added ?? "(no such key)", removed ?? "(no such key)")
  }
}
