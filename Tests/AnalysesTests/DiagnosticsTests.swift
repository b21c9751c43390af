import Analyses
import Experiments
import Kernels
import Randomness
import Statistics
import Testing

/// What replicas say about themselves, from rows and counts that the tests make; and health reports.
@Suite struct DiagnosticsTests {
  private static let process = NoProcess(
    observables: [
      Observable("x^2", ""), Observable("energy", role: .energy, ""), Observable("residual", role: .certificate, ""),
    ], marginals: ["x"], inverseTemperature: 2)

  /// Eight replicas: values, then batch-means error, means of the halves and variance within, of each observable.
  private static func rows(_ residual: Double, drift: Double = 0) -> (values: [[Double]], diagnostics: [[Double]]) {
    var stream = Stream(key: 9)
    var (values, diagnostics): ([[Double]], [[Double]]) = ([], [])
    for replica in 0..<8 {
      stream.start(draw: UInt64(replica))
      let g = stream.normals(3)
      let own = [1 + 0.01 * g[0], 0.5 + 0.01 * g[1], residual + 0.01 * g[2]]
      values.append(own)
      diagnostics.append(own.flatMap { x -> [Double] in [0.01, x - drift, x + drift, 1] })
    }
    return (values, diagnostics)
  }

  private static func diagnose(_ residual: Double, drift: Double = 0, process: NoProcess = process) throws
    -> Diagnostics
  {
    let (values, diagnostics) = rows(residual, drift: drift)
    var snapshot = replicas(process, values, [], diagnostics: diagnostics)
    // A normal law of variance 1 in each fold.
    var stream = Stream(key: 10)
    for fold in snapshot.states[0].histograms.folded.indices {
      stream.start(draw: UInt64(fold))
      for _ in 0..<20_000 { snapshot.states[0].histograms.folded[fold].add(stream.normal()) }
    }
    return try #require(Analyses.diagnostics(snapshot).first)
  }

  @Test("A stationary run: the certificate, R-hat 1, effective samples, entropy and free energy")
  func stationary() throws {
    let found = try Self.diagnose(0)
    #expect(
      found.verdict == .agrees && found.sentence.contains("consistent with stationarity (t = ")
        && found.sentence.contains("with 7 degrees of freedom"), "\(found.sentence)")
    #expect(found.mixing.isMixed && found.mixing.reason == "mixed", "\(found.mixing.sentence)")
    #expect(found.rows.allSatisfy { ($0.rHat - 1).magnitude < 0.01 })
    // 8 replicas of variance 1 within, each with an error of 0.01: 8 * 1e4.
    #expect(found.rows.allSatisfy { ($0.effectiveSamples / 80_000 - 1).magnitude < 1e-9 })
    let law = try #require(found.marginals.first)
    // log(2 pi e)/2.
    #expect((law.entropy - 1.4189385332).magnitude < 5 * law.entropyError + 0.01, "\(law)")
    let free = try #require(found.freeEnergy)
    #expect((free.value - (found.rows[1].mean - law.entropy / 2)).magnitude < 1e-12)
    #expect(found.verdicts.first?.subject == "stationarity")
  }

  @Test("A residual off zero, chains that drift, and a run without warm-up are named")
  func faults() throws {
    let biased = try Self.diagnose(0.05)
    #expect(
      biased.verdict == .differs && biased.sentence.contains("NOT consistent with the stationary law"),
      "\(biased.sentence)")
    let far = try Self.diagnose(0, drift: 1)
    #expect(far.verdict == .undecided && far.sentence.contains("longer runs are needed"), "\(far.sentence)")
    // Halves at -1 and 1 about each mean, variance 1 within: sqrt(1 + 16/15).
    #expect((far.rows[0].rHat - (1 + 16 / 15.0).squareRoot()).magnitude < 0.01, "\(far.rows[0])")
    var start = Self.process
    start.schedule = Schedule(steps: 100)
    let watched = try Self.diagnose(0, process: start)
    #expect(
      watched.verdict == nil && watched.verdicts.isEmpty && watched.sentence.hasPrefix("none"), "\(watched.sentence)")
  }

  @Test("The certificate is a t-test at the level that is left for it")
  func level() throws {
    let (values, diagnostics) = Self.rows(0.0)
    let spread = Moments(values: values.map { $0[2] })
    // Four standard errors off: Student's law with 7 degrees of freedom goes beyond in 1 of 190.
    let shift = 4 * spread.meanError - spread.mean
    let moved = values.map { [$0[0], $0[1], $0[2] + shift] }
    let snapshot = replicas(Self.process, moved, [], diagnostics: diagnostics)
    let (leg, state) = (snapshot.job.cases[0].legs[0], snapshot.states[0])
    for (alpha, word) in [(0.01, Equivalence.differs), (0.01 / 10, .agrees)] {
      let found = try #require(Diagnostics(caseLabel: "main", leg: leg, state: state, alpha: alpha))
      #expect(found.verdict == word && found.sentence.contains("t = 4.0"), "\(found.sentence)")
    }
    // A job of ten cases shares its level among them.
    let cases = (0..<10).map { Case(label: "c\($0)", swept: [:], legs: [leg]) }
    let states = cases.map {
      LegState(
        path: $0.path(of: leg), done: state.done, tally: state.tally, rows: state.rows,
        histograms: state.histograms)
    }
    let ten = Analyses.diagnostics(Snapshot(job: makeJob(cases), states: states, provenance: []))
    #expect(ten.count == 10 && ten.allSatisfy { $0.verdict == .agrees })
    #expect(Analyses.diagnostics(snapshot).first?.verdict == .differs)
  }

  @Test("Constant chains: frozen at different values or at one, some stuck, none left out of the largest R-hat")
  func constants() throws {
    let observables = Self.process.observables + [Observable("acceptance", role: .acceptanceRate, "")]
    let process = NoProcess(observables: observables, marginals: ["x"], inverseTemperature: 2)
    /// Replicas below `still` are constant in all; the acceptance rate of all is given.
    func mixing(still: Int, same: Bool = false, acceptance: Double) throws -> Diagnostics {
      let values: [[Double]] = Self.rows(0).values.map { (same ? [1, 0.5, -1] : $0) + [acceptance] }
      let diagnostics = values.enumerated().map { replica, own in
        own.enumerated().flatMap { place, x -> [Double] in
          replica < still || place == 3 ? [0, x, x, 0] : [0.01, x, x, 1]
        }
      }
      var snapshot = replicas(process, values, [], diagnostics: diagnostics)
      for fold in snapshot.states[0].histograms.folded.indices {
        for _ in 0..<100 { snapshot.states[0].histograms.folded[fold].add(1) }
      }
      return try #require(Analyses.diagnostics(snapshot).first)
    }
    let frozen = try mixing(still: 8, acceptance: 0.0001)
    #expect(frozen.mixing.code == .noChainMoved && frozen.verdict == .differs, "\(frozen.sentence)")
    #expect(frozen.mixing.worst?.rHat == .infinity && frozen.rows[0].mixing.state == .frozen)
    #expect(frozen.rows.prefix(3).allSatisfy { $0.effectiveSamples == 8 })
    let one = try mixing(still: 8, same: true, acceptance: 0)
    #expect(
      one.mixing.code == .noChainMoved && one.sentence.contains("NOT stationary, no chain moved"), "\(one.sentence)")
    #expect(one.rows[0].mixing.state == .constant && one.rows[0].rHat.isNaN && one.freeEnergy == nil)
    #expect(one.marginals[0].entropy.isNaN)
    // Proposals are never accepted, whatever else moves.
    #expect(try mixing(still: 0, acceptance: 0).mixing.code == .noChainMoved)
    #expect(try mixing(still: 2, acceptance: 0.5).mixing.code == .stuckChains)
    #expect(
      try mixing(still: 2, acceptance: 0.5).mixing.sentence.hasPrefix(
        "2 of 8 chains never moved; the largest R-hat is "))
    // 5 of 100 proposals.
    #expect(try mixing(still: 0, acceptance: 0.05).mixing.code == .acceptance)
    let moving = try mixing(still: 0, acceptance: 1)
    // A constant that is no quantity of the system, and the law of a point mass.
    #expect(moving.mixing.isMixed && moving.rows[3].mixing.state == .constant, "\(moving.mixing.sentence)")
    #expect(moving.marginals[0].entropy.isNaN && moving.freeEnergy == nil)
  }

  @Test("A setting that each chain tunes for itself is no reason for longer runs")
  func settings() throws {
    let process = NoProcess(
      observables: [
        Observable("step_size", role: .setting, ""), Observable("energy", role: .energy, ""),
        Observable("residual", role: .certificate, ""),
      ], marginals: ["x"], inverseTemperature: 2)
    let values = Self.rows(0).values
    var diagnostics = Self.rows(0).diagnostics
    for (replica, own) in values.enumerated() {
      // Constant in a chain: no error, no variance within, both halves its value.
      diagnostics[replica].replaceSubrange(0..<4, with: [0, own[0], own[0], 0])
    }
    let found = try #require(Analyses.diagnostics(replicas(process, values, [], diagnostics: diagnostics)).first)
    #expect(found.rows[0].rHat == .infinity)
    #expect(found.verdict == .agrees && !found.sentence.contains("step_size"), "\(found.sentence)")
  }

  @Test("No role, no statement: neither a certificate nor a free energy by name")
  func roles() throws {
    var plain = Self.process
    plain.observables = plain.observables.map { Observable($0.name, "") }
    let found = try Self.diagnose(0.05, process: plain)
    #expect(found.verdict == nil && found.freeEnergy == nil)
  }

  @Test("Health: failures by role, with Wilson's interval, and where the threshold is reached")
  func health() throws {
    let axis = Axis.layers([2, 4, 8])
    let schema = Schema(
      axis: axis, observables: [Observable("dead", role: .failure, ""), Observable("collapsed", role: .event, "")])
    let draw = ClosureDraw(schema: schema) { stream, values in
      let u = stream.uniform()
      for (i, p) in [0.01, 0.1, 0.4].enumerated() {
        values[2 * i] = u < p ? 1 : 0
        values[2 * i + 1] = 1
      }
    }
    for (threshold, word) in [(0.05, Equivalence.differs), (0.4, .undecided), (0.6, .agrees)] {
      let job = makeJob([Case(label: "main", swept: [:], legs: [finite(draw, draws: 4000)])], health: threshold)
      let found = try #require(Analyses.health(run(job, seed: 1)).first)
      #expect(found.verdict == word && found.rows.map(\.failure) == ["dead"], "\(found.sentence)")
      let row = found.rows[0]
      #expect(row.lower < 0.4 && row.upper > 0.4 && row.upper - row.lower < 0.04)
      if threshold == 0.05 {
        #expect(row.before == 2 && row.reached == 4)
        #expect(
          found.sentence.contains("unhealthy: dead") && found.sentence.contains("between layers 2 and 4"),
          "\(found.sentence)")
      }
    }
    #expect(
      Analyses.health(run(makeJob([Case(label: "main", swept: [:], legs: [finite(draw, draws: 10)])]), seed: 1)).isEmpty
    )
  }

  @Test("Health: probabilities are among the draws in which a failure is defined")
  func healthOfUndefinedFailures() throws {
    let schema = Schema(
      axis: point,
      observables: [
        Observable("never", role: .failure, ""), Observable("half", role: .failure, ""),
        Observable("dead", role: .failure, ""),
      ])
    func health(_ draws: UInt64, dead: Double, threshold: Double = 0.05) throws -> Health {
      let draw = ClosureDraw(schema: schema) { stream, values in
        let (u, v) = (stream.uniform(), stream.uniform())
        values[0] = .nan
        values[1] = u < 0.5 ? .nan : v < 0.2 ? 1 : 0
        values[2] = dead
      }
      let job = makeJob([Case(label: "main", swept: [:], legs: [finite(draw, draws: draws)])], health: threshold)
      return try #require(Analyses.health(run(job, seed: 4)).first)
    }
    let found = try health(2000, dead: 1)
    #expect(found.verdict == .differs && found.sentence.contains("never undefined in all 2000 draws"))
    #expect(found.rows[0].probability.isNaN && found.rows[0].lower.isNaN && found.rows[0].reached == nil)
    let half = try #require(found.tables[0].columns.first { $0.name == "defined" })
    guard case .integers(let defined) = half.values else { throw Failure(.bug, "not integers") }
    #expect(defined[0] == 0 && range(2000, 0.5).contains(Double(defined[1])) && defined[2] == 2000)
    #expect(range(Int(defined[1]), 0.2).contains(found.rows[1].probability * Double(defined[1])))
    #expect(found.sentence.contains("of the \(defined[1]) of 2000 draws where it is defined"), "\(found.sentence)")
    // What is not defined cannot be healthy.
    let unknown = try health(2000, dead: 0, threshold: 0.4)
    #expect(
      unknown.verdict == .undecided && unknown.sentence.contains("undecided: never is undefined"), "\(unknown.sentence)"
    )
  }

  /// Of n draws without a failure Wilson's interval ends at z^2/(n + z^2): below 5% from n = 73 on.
  @Test("Health: too few draws, and how many would do")
  func healthOfFewDraws() throws {
    let schema = Schema(axis: point, observables: [Observable("dead", role: .failure, "")])
    let draw = ClosureDraw(schema: schema) { _, values in values[0] = 0 }
    for (draws, word) in [(UInt64(2), Equivalence.undecided), (72, .undecided), (74, .agrees)] {
      let job = makeJob([Case(label: "main", swept: [:], legs: [finite(draw, draws: draws)])], health: 0.05)
      let found = try #require(Analyses.health(run(job, seed: 4)).first)
      #expect(found.verdict == word, "\(found.sentence)")
      #expect(found.sentence.contains("undecided: too few draws, about 73 would decide") == (word == .undecided))
      #expect(!found.sentence.contains("at the threshold"))
    }
  }
}
