import Analyses
import Engine
import Experiments
import Randomness
import Statistics
import Testing

/// Sampled references, extrapolated ones, replicas, pairs on the same draws; and what the tallies keep for all of it.
@Suite struct LegTests {
  private static let schema = Schema(axis: point, observables: observables("x", "y"))

  /// Two independent normals about `mean`.
  private static func normals(_ mean: Double, spread: Double = 1) -> ClosureDraw {
    ClosureDraw(schema: schema) { stream, values in
      let g = stream.normals(2)
      values[0] = mean + spread * g[0]
      values[1] = g[1]
    }
  }

  private static func sampled(
    _ name: String, _ role: Leg.Role, _ draw: ClosureDraw, _ draws: UInt64, refines: Refinement? = nil
  ) -> Leg {
    Leg(name: name, role: role, content: .sampled(Experiment(draw), draws: draws), attributes: [:], refines: refines)
  }

  @Test("A sampled limit: the laws decide, and a shift of the mean is detected")
  func sampledLimit() throws {
    for (mean, word) in [(0.0, Equivalence.agrees), (0.3, .differs)] {
      let legs = [finite(Self.normals(0), draws: 200_000), Self.sampled("sde", .limit, Self.normals(mean), 200_000)]
      let found = try #require(
        Analyses.comparisons(run(makeJob([Case(label: "main", swept: [:], legs: legs)]), seed: 3)).first)
      #expect(found.verdict == word && found.ksMargin > 0 && found.rows.count == 2)
      #expect(
        found.sentence.hasPrefix(
          word == .agrees
            ? "network against sde: agrees within the tolerance 0.02: largest KS distance"
            : "network against sde: differs by more than 0.02: KS distance 0.1"), "\(found.sentence)")
      if word == .differs {
        // Phi(0.15) - Phi(-0.15).
        #expect((found.rows[0].ks!.distance - 0.1192).magnitude < 0.006)
        #expect(
          found.sentence.contains("a shift of the mean is detected: E x at layer 1 is off by -0.3"), "\(found.sentence)"
        )
      }
    }
  }

  @Test("A sampled limit that speaks of means: the spread of its draws is an error, and no law")
  func limitOfMeans() throws {
    for (mean, draws, word) in [
      (0.0, 20_000, Equivalence.agrees), (0.3, 20_000, .differs), (0.0, 100, .undecided),
    ] as [(Double, UInt64, Equivalence)] {
      let limit = Leg(
        name: "means", role: .limit,
        content: .sampled(Experiment(Self.normals(mean, spread: 0.1)), draws: draws), attributes: [:],
        speaksOfMeans: true)
      let legs = [finite(Self.normals(0), draws: 50_000), limit]
      let found = try #require(
        Analyses.comparisons(run(makeJob([Case(label: "main", swept: [:], legs: legs)]), seed: 3)).first)
      #expect(found.verdict == word, "\(found.sentence)")
      let row = found.rows[0]
      #expect(row.ks == nil && row.statistic == .mean)
      if draws == 20_000 {
        // 0.1 of the root of 50,000/20,000.
        #expect((row.referenceError / row.finiteError - 0.1 * 2.5.squareRoot()).magnitude < 0.01)
      }
    }
  }

  @Test("A sampled limit at two steps is extrapolated to step 0")
  func extrapolated() throws {
    // Means 1 + h and 1 + h/2 for h = 0.2: the limit is 1.
    let refines = Refinement(leg: "sde", parameter: "step", symbol: "h", order: 1)
    for (mean, word) in [(1.0, Equivalence.agrees), (1.2, .differs)] {
      let legs = [
        finite(Self.normals(mean), draws: 50_000), Self.sampled("sde", .limit, Self.normals(1.2), 50_000),
        Self.sampled("sde-half-step", .refinement, Self.normals(1.1), 50_000, refines: refines),
      ]
      let found = Analyses.comparisons(run(makeJob([Case(label: "main", swept: [:], legs: legs)], mean: 0.1), seed: 4))
      #expect(found.map(\.reference) == ["sde", "sde at step 0"])
      let own = found[1]
      #expect(own.verdict == word, "\(own.sentence)")
      #expect((own.rows[0].reference - 1).magnitude < 5 * own.rows[0].referenceError)
      // sqrt(4 + 1) times the error of a mean.
      #expect((own.rows[0].referenceError / own.rows[0].finiteError - 5.squareRoot()).magnitude < 0.05)
    }
  }

  // MARK: Replicas

  private static func rows(_ count: Int, key: UInt64, mean: Double = 2, spread: Double = 0.5) -> [[Double]] {
    var stream = Stream(key: key)
    return (0..<count).map { index in
      stream.start(draw: UInt64(index))
      let g = stream.normals(2)
      return [mean + spread * g[0], mean + spread * (0.6 * g[0] + 0.8 * g[1])]
    }
  }
  // Without warm-up nothing is asked of mixing.
  private static let process = NoProcess(observables: observables("x", "y"), schedule: Schedule(steps: 100))
  private static let records = Schema(axis: process.schedule.axis, observables: process.observables)

  @Test("Replicas: Student's test of a mean is as strict as it says, with four of them")
  func student() throws {
    var alarms = 0
    for seed in 0..<600 {
      let theory = reference("theory", .exact, predict(Self.records, [("x", .mean, 2)]))
      let snapshot = replicas(Self.process, Self.rows(4, key: UInt64(seed)), [theory])
      let row = try #require(Analyses.comparisons(snapshot).first?.rows.first)
      #expect(row.degreesOfFreedom == 3)
      if row.z.magnitude > 1.959964 { alarms += 1 }
    }
    // A z-test would have 14.5% of them. Wallace's approximation is good to 0.04 in z.
    #expect(range(600, 0.05).contains(Double(alarms)), "\(alarms)")
  }

  @Test("Replicas: means, variances, covariances and correlations from the rows, by the jackknife")
  func rows() throws {
    let truths: [(String, Statistic, Double)] = [
      ("x", .mean, 2), ("x", .variance, 0.25), ("x", .standardDeviation, 0.5), ("x", .secondMoment, 4.25),
      ("x", .covariance("y"), 0.15), ("x", .correlation("y"), 0.6), ("x", .skewness, 0), ("x", .kurtosis, 0),
    ]
    for wrong in [nil] + truths.indices.prefix(6).map(Optional.some) {
      var predictions = truths
      if let wrong { predictions[wrong].2 *= 1.1 }
      let theory = reference("theory", .exact, predict(Self.records, predictions))
      let found = try #require(
        Analyses.comparisons(replicas(Self.process, Self.rows(8000, key: 11), [theory], mean: 0.5)).first)
      #expect(found.rows.count == truths.count && found.rows.allSatisfy { $0.degreesOfFreedom != nil && !$0.z.isNaN })
      #expect(found.verdict == (wrong == nil ? .agrees : .differs), "\(wrong ?? -1) \(found.sentence)")
      #expect(found.rows.indices.filter { found.rows[$0].verdict == .differs } == (wrong.map { [$0] } ?? []))
      // Errors of a normal sample: spread^2 sqrt(2/n), (1 - rho^2)/sqrt(n).
      #expect((found.rows[1].finiteError / (0.25 * (2 / 8000.0).squareRoot()) - 1).magnitude < 0.4)
      #expect((found.rows[5].finiteError / (0.64 / 8000.squareRoot()) - 1).magnitude < 0.4)
    }
    // Too few for their spread to be tested, enough for their mean.
    let theory = reference("theory", .exact, predict(Self.records, truths))
    let few = Analyses.comparisons(replicas(Self.process, Self.rows(8, key: 11), [theory]))[0]
    #expect(few.rows.filter { !$0.z.isNaN }.map(\.statistic) == [.mean], "\(few.rows)")
  }

  @Test("Replicas against a limit: relative to the known value")
  func relative() throws {
    for (value, word) in [(2.0, Equivalence.agrees), (2.2, .differs)] {
      let theory = reference("theory", .limit, predict(Self.records, [("x", .mean, value)]))
      let found = Analyses.comparisons(replicas(Self.process, Self.rows(2000, key: 5), [theory]))[0]
      #expect(found.verdict == word && found.sentence.contains("relative difference"), "\(found.sentence)")
      #expect((found.rows[0].shift - (2 / value - 1)).magnitude < 0.02 && found.rows[0].degreesOfFreedom == 1999)
    }
  }

  // MARK: Joint moments

  @Test("Joint moments are kept of the predicted pairs alone, and survive a checkpoint")
  func jointPairs() throws {
    let schema = PredictionTests.schema
    let plain = finite(PredictionTests.draw, draws: 500)
    let values = predict(schema, [("u", .mean, 0), ("w", .covariance("u"), 0.6), ("u", .correlation("w"), 0.6)])
    let with = Case(label: "main", swept: [:], legs: [plain, reference("theory", .exact, values)])
    let without = Case(
      label: "main", swept: [:], legs: [plain, reference("theory", .exact, predict(schema, [("u", .mean, 0)]))])
    let (job, simple) = (makeJob([with]), makeJob([without]))
    let centres = Array(repeating: 0.0, count: schema.width)
    #expect(job.layout(of: with.finite!, centres: centres).jointPairs == [Tally.JointPair(group: 0, i: 0, j: 1)])
    #expect(
      simple.layout(of: without.finite!, centres: centres)
        == Tally.Layout(perGroup: 4, groups: 1, covariances: false, centres: centres))
    // Two runs may be joined only if they keep the same.
    #expect(with.identity == ["main/network: joint pairs = 0/0/1"] && without.identity.isEmpty)
    for (job, item) in [(job, with), (simple, without)] {
      let state = run(job, seed: 2).states[0]
      var encoder = StateEncoder()
      state.encode(to: &encoder, item.finite!)
      #expect(encoder.entries.contains { $0.name == "joint_pairs" } == (item.finite!.jointPairs.count == 1))
      let decoder = encoder.decoder(place: "test")
      let back = try LegState(from: decoder, path: state.path, item.finite!, of: job)
      #expect(back.tally.words == state.tally.words && back.tally.layout == state.tally.layout)
    }
    // The state of a job with other predictions does not fit.
    var encoder = StateEncoder()
    run(job, seed: 2).states[0].encode(to: &encoder, with.finite!)
    #expect(throws: Failure.self) {
      _ = try LegState(from: encoder.decoder(place: "test"), path: "main/network", without.finite!, of: simple)
    }
    let other = Case(
      label: "main", swept: [:],
      legs: [plain, reference("theory", .exact, predict(schema, [("c", .covariance("g"), 0)]))])
    #expect(throws: Failure.self) {
      _ = try LegState(from: encoder.decoder(place: "test"), path: "main/network", other.finite!, of: makeJob([other]))
    }
  }

  @Test("Joint moments and pairs through the engine: the same on any number of ranks")
  func ranks() throws {
    let values = predict(PredictionTests.schema, [("u", .covariance("w"), 0.6)])
    let theory = reference("theory", .exact, values)
    let pair = Leg(
      name: "network", role: .finite, content: .sampled(Experiment(Self.expansion(0)), draws: 3000), attributes: [:])
    let job = makeJob([
      Case(label: "a", swept: [:], legs: [finite(PredictionTests.draw, draws: 3000), theory]),
      Case(label: "b", swept: [:], legs: [pair]),
    ])
    let one = run(job, seed: 1)
    for ranks in [1, 3] {
      let found = try LocalRun.run(job, ranks: ranks).snapshot
      #expect(found.states.map(\.tally.words) == one.states.map(\.tally.words), "\(ranks)")
      #expect(Analyses.comparisons(found).map(\.sentence) == Analyses.comparisons(one).map(\.sentence))
    }
  }

  // MARK: Pairs

  /// f = x + x^2/1000 and its linearisation, with other observables beside it.
  private static func expansion(_ shift: Double) -> Paired<ClosureDraw, ClosureDraw> {
    let mine = Schema(axis: point, observables: observables("f", "g"))
    let theirs = Schema(axis: point, observables: observables("other", "f"))
    return Paired(
      ClosureDraw(schema: mine) { stream, values in
        let x = stream.normals(1)[0]
        values[0] = x + 1e-3 * x * x
        values[1] = stream.uniform()
      },
      ClosureDraw(schema: theirs) { stream, values in
        _ = stream.uniform()
        values[0] = 7
        values[1] = stream.normals(1)[0] + shift
      }, reference: "linearised")
  }

  @Test("Paired legs: the same noise on both sides, the verdict by the difference")
  func paired() throws {
    let pair = Self.expansion(0)
    #expect(pair.schema.observables.map(\.name) == ["f", "g", "f - linearised"])
    #expect(pair.schema.observables[2].role == .difference && pair.schema.minuend(of: 2) == 0)
    for (shift, word) in [(0.0, Equivalence.agrees), (0.2, .differs)] {
      let leg = Leg(
        name: "network", role: .finite, content: .sampled(Experiment(Self.expansion(shift)), draws: 10_000),
        attributes: [:])
      let found = Analyses.comparisons(run(makeJob([Case(label: "main", swept: [:], legs: [leg])]), seed: 8))
      #expect(found.count == 1 && found[0].reference == "linearised" && found[0].rows.count == 1)
      let row = try #require(found[0].rows.first)
      #expect(found[0].verdict == word, "\(found[0].sentence)")
      #expect(found[0].sentence.hasPrefix("network against linearised on the same draws: "), "\(found[0].sentence)")
      #expect((row.finite - (1e-3 - shift)).magnitude < 5 * row.finiteError)
      // The error is sqrt(2) 1e-3/sqrt(n); of independent legs it would be sqrt(2/n), a thousand times as much.
      #expect(row.finiteError < 2e-3 * (2 / 10_000.0).squareRoot(), "\(row)")
    }
    // Two independent legs of as many draws cannot tell.
    let schema = Schema(axis: point, observables: observables("f"))
    func one(_ a: Double) -> ClosureDraw {
      ClosureDraw(schema: schema) { stream, values in
        let x = stream.normals(1)[0]
        values[0] = x + a * x * x
      }
    }
    let legs = [finite(one(1e-3), draws: 10_000), Self.sampled("linearised", .limit, one(0), 10_000)]
    let apart = Analyses.comparisons(run(makeJob([Case(label: "main", swept: [:], legs: legs)]), seed: 8))[0]
    #expect(apart.verdict == .undecided && apart.rows[0].differenceError > 0.01)
  }

  @Test("A paired reference that is declared exact: any significant difference is a fault, rounding is none")
  func exactPair() throws {
    for (error, word) in [(0.0, Equivalence.agrees), (1e-15, .agrees), (1e-6, .differs)] {
      let schema = Schema(axis: point, observables: observables("f"))
      func draw(_ error: Double) -> ClosureDraw {
        ClosureDraw(schema: schema) { stream, values in values[0] = (2 + stream.normals(1)[0]) * (1 + error) }
      }
      let leg = Leg(
        name: "network", role: .finite,
        content: .sampled(
          Experiment(Paired(draw(error), draw(0), reference: "closed form", isExact: true)), draws: 1000),
        attributes: [:])
      let found = Analyses.comparisons(run(makeJob([Case(label: "main", swept: [:], legs: [leg])]), seed: 8))[0]
      #expect(found.role == .exact && found.verdict == word, "\(error) \(found.sentence)")
    }
  }

  /// x <- x + h g, observed after each step.
  private struct Walk: Process {
    let scale: Double
    var observables: [Observable] { [Observable("x", "")] }
    var schedule: Schedule { Schedule(steps: 40) }
    final class System: Dynamics {
      var x = 0.0
      let scale: Double
      var stream: Stream
      let key: UInt64
      init(_ scale: Double, _ context: ReplicaContext, _ saved: StateDecoder?) throws {
        self.scale = scale
        key = context.replica
        stream = Stream(key: context.key)
        if let saved { x = try saved.doubles("x", count: 1)[0] }
      }
      func step(_ moment: Moment) {
        stream.start(draw: key << 32 | UInt64(moment.step))
        x += scale * stream.normals(1)[0]
      }
      func measure(_ info: Void, into values: UnsafeMutablePointer<Double>) { values[0] = x }
      func encode(to encoder: inout StateEncoder) { encoder.add("x", [x]) }
    }
    func begin(_ context: ReplicaContext, from saved: StateDecoder?) throws -> System {
      try System(scale, context, saved)
    }
  }

  @Test("Paired processes: the same noise, and a replica that is suspended ends as one that is not")
  func pairedProcess() throws {
    let process = PairedProcess(Walk(scale: 1), Walk(scale: 0.9), reference: "damped")
    #expect(process.observables.map(\.name) == ["x", "x - damped"])
    let factory = try #require(Experiment(process).replicas)
    for replica in 0..<3 as Range<UInt64> {
      let context = ReplicaContext(replica: replica, key: 77, group: SelfCommunicator())
      let whole = try factory.begin(context, nil)
      try whole.advance(40)
      let first = try factory.begin(context, nil)
      try first.advance(17)
      let second = try factory.begin(context, try first.save())
      try second.advance(23)
      let (a, b) = (try whole.finish().row, try second.finish().row)
      #expect(a == b)
      // x less 0.9 x of the same noise.
      #expect((a[1] - 0.1 * a[0]).magnitude < 1e-12 && a[0] != 0)
    }
  }
}
