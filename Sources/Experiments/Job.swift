import Statistics

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
  public private(set) var cases: [Case]
  public let tolerances: Tolerances
  /// Pair covariances are kept for records with at most this many observables, and for those that estimands are made of.
  public let covarianceLimit: Int
  /// Probability at which a failure counts as reached, for jobs that ask for a health report.
  public let healthThreshold: Double?
  /// For jobs that ask for laws over depth.
  public let exponents: DepthLawRequest?
  /// Keys of this job that tend to 0 or infinity in a limit.
  public let smallParameters: [SmallParameter]
  /// Keys that are tuned; nil in files of before.
  public let tunedKeys: [String]?
  /// What the job's `[expect]` says of its verdicts, in its order.
  public let expectations: [Expectation]
  /// When the run ends before all draws are made; nil for never.
  public let stop: StopRule?
  /// The look that the draws of the legs belong to, counted from 0; nil without a rule, and for the job as it was asked for.
  public private(set) var look: Int?
  /// The text of the job file, with `--set` keys applied after it.
  public let text: String
  /// One line a key, defaults filled in, of everything that decides a draw: two runs may be joined if
  /// and only if these are equal.
  public let identity: [String]

  public init(
    title: String, seed: UInt64, cases: [Case], tolerances: Tolerances, covarianceLimit: Int,
    healthThreshold: Double? = nil, exponents: DepthLawRequest? = nil, smallParameters: [SmallParameter] = [],
    tunedKeys: [String] = [], expectations: [Expectation] = [], stop: StopRule? = nil, text: String,
    identity: [String]
  ) {
    self.stop = stop
    self.healthThreshold = healthThreshold
    self.exponents = exponents
    self.smallParameters = smallParameters
    self.tunedKeys = tunedKeys.isEmpty ? nil : tunedKeys
    self.expectations = expectations
    self.title = title
    self.seed = seed
    self.cases = cases
    self.tolerances = tolerances
    self.covarianceLimit = covarianceLimit
    self.text = text
    self.identity = identity
  }

  /// Version of the streams: what draws a (seed, stream, index) gives. It changes whenever a golden digest changes.
  public static let streamVersion = 4

  /// The identity line of a version of the streams.
  public static func identityLine(streamVersion: Int) -> String { "stream = \(streamVersion)" }

  /// The version of the streams that the job was made with.
  public var streamVersion: Int {
    identity.lazy.compactMap { line in
      line.hasPrefix("stream = ") ? Int(line.dropFirst("stream = ".count)) : nil
    }.first ?? 1
  }

  /// The jobs of the looks, one after another: the same legs with as many draws as each look asks for. This job alone without a rule.
  public var looks: [Job] {
    guard let stop else { return [self] }
    return (0..<stop.looks).map { look in
      var result = self
      result.look = look
      result.cases = cases.map { item in
        Case(
          label: item.label, swept: item.swept, legs: item.legs.map { $0.drawing(stop.draws($0.draws, atLook: look)) })
      }
      return result
    }
  }

  /// Share of the level of every test that this look may spend, 1 without a rule.
  public var levelShare: Double { stop.map { $0.share(ofLook: look ?? $0.looks - 1) } ?? 1 }

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

  /// Layout of the tally of a leg.
  public func layout(of leg: Leg, centres: [Double]) -> Tally.Layout {
    Tally.Layout(
      perGroup: leg.observables.count, groups: leg.axis.count,
      covariances: leg.observables.count <= covarianceLimit || leg.schema.estimands != nil, centres: centres,
      jointPairs: leg.jointPairs)
  }
}

/// What a job says will come out: a verdict of a comparison, or a value with its tolerance.
public struct Expectation: Sendable, Codable, Equatable {
  /// Name of a reference, or of an observable of the finite leg in its last record.
  public let subject: String
  /// `agrees`, `differs` or `undecided`; nil for a value.
  public let verdict: String?
  public let value, tolerance: Double?

  public init(subject: String, verdict: String? = nil, value: Double? = nil, tolerance: Double? = nil) {
    self.subject = subject
    self.verdict = verdict
    self.value = value
    self.tolerance = tolerance
  }
}

/// The state of one leg: the draws that went in, and what was kept of them.
public struct LegState {
  public let path: String
  public var done: IntervalSet
  /// On rank 0 of all ranks. Of replicas it is made from their rows.
  public internal(set) var tally: Tally
  public var rows: Rows
  public var histograms: Histograms
  public var trajectories: Trajectories
  public var series: Series
  /// Replicas under way.
  public var begun: [ReplicaState]

  public init(
    path: String, done: IntervalSet, tally: Tally, rows: Rows = Rows(),
    histograms: Histograms = Histograms(marginals: 0),
    trajectories: Trajectories = Trajectories(), series: Series = Series(), begun: [ReplicaState] = []
  ) {
    self.path = path
    self.done = done
    self.tally = tally
    self.rows = rows
    self.histograms = histograms
    self.trajectories = trajectories
    self.series = series
    self.begun = begun
  }

  public var shards: [String] { begun.flatMap(\.shards) }

  /// Makes the tally of a process from its rows.
  public mutating func tallyRows(_ leg: Leg, of job: Job) {
    tally = rows.tally({ job.layout(of: leg, centres: $0) }, width: leg.schema.width)
  }

  /// Adds the draws of another state of the same leg; they must share none.
  public mutating func formUnion(_ other: LegState, _ leg: Leg, of job: Job) {
    done.formUnion(other.done)
    rows.merge(other.rows)
    histograms.merge(other.histograms)
    trajectories.merge(other.trajectories)
    series.merge(other.series)
    series.fit(leg)
    // Shards stay with their own file; what they hold begins from the start.
    begun = (begun + other.begun).filter { rows.values[$0.replica] == nil && $0.shards.isEmpty }
    if leg.process == nil { tally.merge(other.tally) } else { tallyRows(leg, of: job) }
  }
}

/// All that a result file is made from.
public struct Snapshot {
  public let job: Job
  /// States of the sampled legs, in the order of the job.
  public var states: [LegState]
  /// Descriptive facts (hosts, times, version): not part of the digest.
  public var provenance: [(key: String, value: String)]
  /// Number of equal parts that the draws are made in, 1 unless by `--part`: parts of different divisions overlap.
  public var division: Int

  public init(job: Job, states: [LegState], provenance: [(key: String, value: String)], division: Int = 1) {
    self.division = division
    self.job = job
    self.states = states
    self.provenance = provenance
  }

  public func state(_ path: String) -> LegState? { states.first { $0.path == path } }

  /// When two laws count as the same, at the level of this look.
  public var tolerances: Tolerances {
    let asked = job.tolerances
    return Tolerances(distance: asked.distance, mean: asked.mean, alpha: asked.alpha * job.levelShare)
  }

  /// Whether every draw that the job asks for is there.
  public var isFinished: Bool {
    job.sampledLegs.allSatisfy { entry in state(entry.path).map { UInt64($0.done.count) >= entry.leg.draws } ?? false }
  }
}

/// Writes checkpoints. Called on rank 0 only.
public protocol ResultStore {
  /// Replaces the stored result by this one, or leaves it as it was and throws.
  func save(_ snapshot: Snapshot) throws
}
