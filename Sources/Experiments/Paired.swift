import Randomness
import Statistics

extension Schema {
  /// A schema with a difference behind it for every observable that a paired reference has as well, and where these
  /// stand on both sides.
  @usableFromInline
  func paired(with other: Schema, reference: String, isExact: Bool) -> (
    schema: Schema, common: [(mine: Int, theirs: Int)]
  ) {
    precondition(axis == other.axis, "a pair has one axis")
    // Failures are events of each side.
    let common = observables.enumerated().filter { $1.role != .failure && $1.role != .event }.compactMap {
      mine, observable in
      other.place(of: observable.name).map { (mine: mine, theirs: $0) }
    }
    let differences = common.map {
      Observable.difference(of: observables[$0.mine], reference: reference, isExact: isExact)
    }
    return (Schema(axis: axis, observables: observables + differences, estimands: estimands ?? []), common)
  }
}

/// A finite system and a reference computed on the same draw: the same stream, from the same start, so that both see
/// the same weights, data and noise. Its observables are those of the finite system and, for each one that both have,
/// the difference, e.g. `V[0,1] - linearised`.
///
/// Both must take what they share from the stream in the same order. What they share cancels in the difference, whose
/// error is then far smaller than that of two independent legs.
public struct Paired<Finite: Draw, Other: Draw>: Draw {
  public final class Scratch {
    @usableFromInline let finite: Finite.Scratch
    @usableFromInline let other: Other.Scratch
    @usableFromInline let mine: UnsafeMutablePointer<Double>
    @usableFromInline let theirs: UnsafeMutablePointer<Double>

    init(_ finite: Finite.Scratch, _ other: Other.Scratch, widths: (Int, Int)) {
      self.finite = finite
      self.other = other
      mine = .allocate(capacity: max(widths.0, 1))
      theirs = .allocate(capacity: max(widths.1, 1))
      mine.initialize(repeating: 0, count: max(widths.0, 1))
      theirs.initialize(repeating: 0, count: max(widths.1, 1))
    }

    deinit {
      mine.deallocate()
      theirs.deallocate()
    }
  }

  public let schema: Schema
  @usableFromInline let finite: Finite
  @usableFromInline let other: Other
  @usableFromInline let common: [(mine: Int, theirs: Int)]
  @usableFromInline let counts: (mine: Int, theirs: Int)

  /// - Parameters:
  ///   - reference: its name in comparisons; `isExact`: whether any difference is a fault.
  public init(_ finite: Finite, _ other: Other, reference: String, isExact: Bool = false) {
    self.finite = finite
    self.other = other
    let (mine, theirs) = (finite.schema, other.schema)
    (schema, common) = mine.paired(with: theirs, reference: reference, isExact: isExact)
    counts = (mine.observables.count, theirs.observables.count)
  }

  public func makeScratch() -> Scratch {
    let records = schema.axis.count
    return Scratch(
      finite.makeScratch(), other.makeScratch(), widths: (records * counts.mine, records * counts.theirs))
  }

  @inlinable
  public func draw(
    using stream: inout Stream, scratch: Scratch, into values: UnsafeMutablePointer<Double>
  ) -> DrawEvents {
    let events = finite.draw(using: &stream, scratch: scratch.finite, into: scratch.mine)
    stream.restart()
    let others = other.draw(using: &stream, scratch: scratch.other, into: scratch.theirs)
    var place = values
    for record in 0..<schema.axis.count {
      let (mine, theirs) = (scratch.mine + record * counts.mine, scratch.theirs + record * counts.theirs)
      for i in 0..<counts.mine { place[i] = mine[i] }
      place += counts.mine
      for (i, pair) in common.enumerated() { place[i] = mine[pair.mine] - theirs[pair.theirs] }
      place += common.count
    }
    return events.union(others)
  }
}

/// The same of two processes: each step is made of both, with the streams of the same replica. Marginals, frames and
/// temperature are those of the finite one.
public struct PairedProcess<Finite: Process, Other: Process>: Process {
  public let observables: [Observable]
  private let finite: Finite
  private let other: Other
  private let common: [(mine: Int, theirs: Int)]

  public init(_ finite: Finite, _ other: Other, reference: String, isExact: Bool = false) {
    precondition(finite.schedule == other.schedule, "a pair has one schedule")
    self.finite = finite
    self.other = other
    let axis = finite.schedule.axis
    let (schema, common) = Schema(axis: axis, observables: finite.observables).paired(
      with: Schema(axis: axis, observables: other.observables), reference: reference, isExact: isExact)
    observables = schema.observables
    self.common = common
  }

  public var schedule: Schedule { finite.schedule }
  public var marginals: [String] { finite.marginals }
  public var frame: FrameShape? { finite.frame }
  public var pieces: Int { min(finite.pieces, other.pieces) }
  public var advice: String { finite.advice }
  public var inverseTemperature: Double? { finite.inverseTemperature }

  public func begin(_ context: ReplicaContext, from saved: StateDecoder?) throws -> System {
    // Shards have one name for a replica, so both states are kept whole.
    let own = ReplicaContext(replica: context.replica, key: context.key, group: context.group)
    return System(
      try finite.begin(own, from: saved?.nested("finite")), try other.begin(own, from: saved?.nested("reference")),
      common: common, counts: (finite.observables.count, other.observables.count))
  }

  public final class System: Dynamics {
    public typealias Info = (finite: Finite.System.Info, other: Other.System.Info)
    private let finite: Finite.System
    private let other: Other.System
    private let common: [(mine: Int, theirs: Int)]
    private let count: Int
    private var theirs: [Double]

    init(
      _ finite: Finite.System, _ other: Other.System, common: [(mine: Int, theirs: Int)],
      counts: (mine: Int, theirs: Int)
    ) {
      self.finite = finite
      self.other = other
      self.common = common
      count = counts.mine
      theirs = Array(repeating: 0, count: counts.theirs)
    }

    public func step(_ moment: Moment) throws -> Info { (try finite.step(moment), try other.step(moment)) }

    public func measure(_ info: Info, into values: UnsafeMutablePointer<Double>) throws {
      try finite.measure(info.finite, into: values)
      try theirs.withUnsafeMutableBufferPointer { try other.measure(info.other, into: $0.baseAddress!) }
      for (i, pair) in common.enumerated() { values[count + i] = values[pair.mine] - theirs[pair.theirs] }
    }

    public func encode(to encoder: inout StateEncoder) throws {
      try encoder.nest("finite") { try finite.encode(to: &$0) }
      try encoder.nest("reference") { try other.encode(to: &$0) }
    }

    public var fault: Fault? { finite.fault ?? other.fault }
    public func count(into histograms: UnsafeMutablePointer<BitHistogram>, stride: Int) {
      finite.count(into: histograms, stride: stride)
    }
    public func frame() -> [Double] { finite.frame() }
    public func frameLengths() -> [Int] { finite.frameLengths() }
  }
}
