import Engine
import Experiments
import Filters
import Kernels
import Randomness
import Testing

/// Filters whose particles ranks share: the bits of the filter that is not shared, on any number of ranks, suspended or not.
@Suite struct SharedFilterTests {
  private static let key = Stream.key(seed: 2026, path: "shared")

  /// What a rank has of a replica: every rank measures the same.
  private static func run(
    _ factory: ReplicaFactory, replica: UInt64, ranks: Int, steps: Int, from saved: ReplicaState? = nil
  ) throws -> (values: [Double], saved: ReplicaState?) {
    let box = Box(factory, saved)
    let all = try ThreadWorld.run(ranks: ranks) { group -> Left in
      let context = ReplicaContext(replica: replica, key: Self.key, group: group)
      let own = try box.factory.begin(context, box.saved)
      try own.advance(steps - own.step)
      if steps == box.factory.steps { return Left(values: try own.finish().row, saved: nil) }
      return Left(values: [], saved: try own.save())
    }
    for other in all { #expect(Self.bits(other.values) == Self.bits(all[0].values)) }
    return (all[0].values, all[0].saved)
  }

  private struct Left: @unchecked Sendable {
    let values: [Double]
    let saved: ReplicaState?
  }

  private final class Box: @unchecked Sendable {
    let factory: ReplicaFactory
    let saved: ReplicaState?
    init(_ factory: ReplicaFactory, _ saved: ReplicaState?) { (self.factory, self.saved) = (factory, saved) }
  }

  private static func bits(_ values: [Double]) -> [UInt64] { values.map(\.bitPattern) }

  private static func check(
    _ model: some StateSpaceModel, _ plan: FilterPlan, _ name: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let filter = ParticleFilter(model, plan)
    let alone = Experiment(ProblemDraw(filter)).makeRunner(key: key)
    let factory = try #require(Experiment(SharedFilter(filter)).replicas)
    for replica in [UInt64(0), 5] {
      let expected = try #require(alone?.values(replica))
      for ranks in [1, 2, 3, 7] {
        let found = try run(factory, replica: replica, ranks: ranks, steps: factory.steps).values
        #expect(
          bits(Array(found.prefix(expected.count))) == bits(expected),
          "\(name), \(ranks) ranks: \(found.prefix(expected.count)), \(expected)", sourceLocation: sourceLocation)
      }
    }
  }

  /// Every scheme, proposal and model, with numbers of particles that no number of ranks divides, fewer than there are ranks among them.
  @Test(arguments: [Selection.Scheme.systematic, .multinomial, .residual], [4, 61, 1000])
  func ranksFindTheBitsOfOne(scheme: Selection.Scheme, n: Int) throws {
    for proposal in FilterPlan.Proposal.allCases {
      for threshold in [1, 0.6] {
        let plan = FilterPlan(particles: n, proposal: proposal, scheme: scheme, threshold: threshold)
        let name = "\(scheme) \(n) \(proposal) \(threshold)"
        try Self.check(Known.linear, plan, "linear \(name)")
        try Self.check(Known.hidden, plan, "hidden \(name)")
        try Self.check(Known.vectors, plan, "vectors \(name)")
        try Self.check(Known.volatility, plan, "volatility \(name)")
      }
    }
  }

  /// Observations that say much: nearly all children are of a few particles, all of them on one rank.
  @Test(arguments: [Selection.Scheme.systematic, .multinomial, .residual])
  func weightsMayLieOnOneRank(scheme: Selection.Scheme) throws {
    let model = ScalarLinearGaussian(
      coefficient: 0.9, noise: 0.5, gain: 1, error: 1e-3, spread: 1, observations: Known.ten)
    try Self.check(model, FilterPlan(particles: 500, scheme: scheme), "\(scheme)")
  }

  /// Suspended after every observation and resumed on another number of ranks.
  @Test(arguments: [Selection.Scheme.systematic, .multinomial, .residual])
  func runsAreResumedOnOtherRanks(scheme: Selection.Scheme) throws {
    func check(_ model: some StateSpaceModel, _ proposal: FilterPlan.Proposal, _ threshold: Double) throws {
      let filter = ParticleFilter(
        model, FilterPlan(particles: 61, proposal: proposal, scheme: scheme, threshold: threshold))
      let factory = try #require(Experiment(SharedFilter(filter)).replicas)
      let whole = try Self.run(factory, replica: 3, ranks: 2, steps: factory.steps).values
      for step in 1..<factory.steps {
        let saved = try Self.run(factory, replica: 3, ranks: 1 + step % 3, steps: step).saved
        let found = try Self.run(factory, replica: 3, ranks: 1 + (step + 1) % 4, steps: factory.steps, from: saved)
          .values
        #expect(Self.bits(found) == Self.bits(whole), "after \(step)")
      }
    }
    try check(Known.linear, .bootstrap, 1)
    try check(Known.volatility, .bootstrap, 0.6)
    try check(Known.vectors, .auxiliary, 0.6)
  }

  /// Where all weights become 0, every rank stops.
  @Test func runsStopOnAllRanks() throws {
    let model = HiddenMarkov(
      initial: [1, 0], transition: [[0.9, 0.1], [0, 1]], emission: [[1, 0], [0, 1]],
      observations: Observations([0, 1, 1]))
    for scheme in [Selection.Scheme.systematic, .multinomial, .residual] {
      try Self.check(model, FilterPlan(particles: 3, scheme: scheme), "\(scheme)")
    }
  }

  /// Each model takes as many numbers of the stream for each particle as it says.
  @Test func modelsTakeWhatTheySay() {
    func check(_ model: some StateSpaceModel, _ name: String) {
      for n in [1, 2, 3, 130] {
        for before in 0..<2 {
          let (x, y) = (
            Cloud(particles: n, dimension: model.dimension), Cloud(particles: n, dimension: model.dimension)
          )
          defer {
            x.x.deallocate()
            y.x.deallocate()
          }
          let ancestors = (0..<n).map { Int32($0) }
          var logWeights = Array(repeating: 0.0, count: n)
          var stream = Stream(key: Self.key)
          func skipped(_ taken: Taken, _ from: Stream.Position) -> Stream.Position {
            var other = Stream(key: Self.key)
            other.start(draw: 1)
            other.position = from
            other.skip(taken, particles: n)
            return other.position
          }
          stream.start(draw: 1)
          for _ in 0..<before { _ = stream.normal() }
          var place = stream.position
          model.start(x, 0..<n, &stream)
          #expect(stream.position == skipped(model.taken.start, place), "\(name) starts")
          place = stream.position
          model.move(1, x, ancestors, y, 0..<n, &stream)
          #expect(stream.position == skipped(model.taken.move, place), "\(name) moves")
          guard model.isGuided else { continue }
          for t in 0..<2 {
            place = stream.position
            model.moveGuided(t, x, ancestors, y, 0..<n, &logWeights, &stream)
            #expect(stream.position == skipped(model.taken.guided, place), "\(name), guided at \(t)")
          }
        }
      }
    }
    check(Known.linear, "linear")
    check(Known.vectors, "vectors")
    check(Known.hidden, "hidden")
    check(Known.volatility, "volatility")
  }

  /// Equal weights and u = 0: every pointer lies on a border, and only exact sums say the same on any number of ranks.
  @Test func pointersOnBordersAreOfTheSameParticles() throws {
    let n = 1000
    let filter = ParticleFilter(
      HiddenMarkov(
        initial: [0.5, 0.5], transition: [[0.5, 0.5], [0.5, 0.5]], emission: [[0.3, 0.7], [0.3, 0.7]],
        observations: Observations([0, 1])), FilterPlan(particles: n, scheme: .systematic))
    func ancestors(ranks: Int) throws -> [[Double]] {
      try ThreadWorld.run(ranks: ranks) { group in
        let run = try SharedRun(filter, ReplicaContext(replica: 0, key: Self.key, group: group), from: nil)
        // Each particle's state is its number.
        let first = n * group.rank / ranks
        for i in 0..<run.own { run.current.x[i] = Double(first + i) }
        let logs = Array(repeating: Elementary.log(0.1), count: run.own)
        run.logWeights.update(from: logs, count: run.own)
        try run.select(word: 0)
        return (0..<run.own).map { run.ancestors.x[$0] }
      }
    }
    for ranks in [1, 2, 3, 7] {
      #expect(try ancestors(ranks: ranks).flatMap { $0 } == (0..<n).map(Double.init), "\(ranks) ranks")
    }
  }
}
