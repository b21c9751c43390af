import Analyses
import Engine
import Experiments
import Foundation
import Graphs
import Jobs
import Kernels
import Randomness
import Semidefinite
import Testing

/// What a proof rests on, term by term: margins, diagonals, replicas, stored graphs.
@Suite struct ProofTests {
  private static func path(_ n: Int) -> SparseSymmetric {
    SparseSymmetric(
      count: n, first: (0..<n - 1).map { Int32($0) }, second: (1..<n).map { Int32($0) },
      values: Array(repeating: 1, count: n - 1))
  }

  /// A matrix within the margin of rounding is not proved, although its factorisation runs to its end: eigenvalue 2 cos(pi n/(n + 1)) of a path.
  @Test func theMarginIsPartOfTheProof() {
    let n = 60
    let factor = SparseFactor(Self.path(n))
    let edge = 2 * Elementary.sinCos(Double.pi * Double(n) / Double(n + 1)).cos
    let margin = factor.margin(trace: -edge * Double(n))
    let within = Array(repeating: -edge + 0.5 * margin, count: n)
    #expect(factor.factorise(diagonal: within))
    #expect(!PositiveShift.proves(factor, diagonal: within))
    #expect(PositiveShift.proves(factor, diagonal: Array(repeating: -edge + 2 * margin, count: n)))
    #expect(!PositiveShift.proves(factor, diagonal: Array(repeating: -edge - 1e-3, count: n)))
  }

  /// The longest column, which the margin is made of: 2 of a path, n of a complete graph, 3 of a cycle.
  @Test func longestColumns() {
    let n = 40
    #expect(SparseFactor(Self.path(n)).longestColumn == 2)
    let pairs = (0..<n).flatMap { i in (i + 1..<n).map { (Int32(i), Int32($0)) } }
    let complete = SparseSymmetric(
      count: n, first: pairs.map(\.0), second: pairs.map(\.1), values: pairs.map { _ in 0.01 })
    #expect(SparseFactor(complete).longestColumn == n)
    // The edge between the ends comes after (0, 1).
    let first: [Int32] = [0, 0] + (1..<n - 1).map { Int32($0) }
    let second: [Int32] = [1, Int32(n - 1)] + (2..<n).map { Int32($0) }
    let cycle = SparseSymmetric(count: n, first: first, second: second, values: first.map { _ in 1.0 })
    #expect(SparseFactor(cycle).longestColumn == 3)
  }

  @Test func radiiAreOfMagnitudes() {
    let a = SparseSymmetric(count: 3, first: [0, 1], second: [1, 2], values: [-2, 3], scale: 0.5)
    #expect(a.rowSums == [1, 2.5, 1.5])
    // The step of the cooling is that of the stiffest spin: 4 sum |C_ij|.
    let graph = EdgeList(vertices: 3, first: [0, 1], second: [1, 2], weights: [-2, 3])
    #expect(SpinProgram(.maxCut, graph).largestWeight == 5)
  }

  /// The shift of a proof is within a millionth of the best one, from multipliers that are far off.
  @Test func shiftsAreSharp() throws {
    let n = 60
    let a = Self.path(n)
    let edge = 2 * Elementary.sinCos(Double.pi * Double(n) / Double(n + 1)).cos
    for start in [0.0, 7, 1e3] {
      let proof = try #require(
        PositiveShift(
          SparseFactor(a), diagonal: Array(repeating: start, count: n), radii: a.rowSums, tolerance: 1e-10))
      #expect((proof.diagonal[0] + edge).magnitude < 1e-6 * max(1, 1e-6 * start), "\(proof.diagonal[0]), \(-edge)")
      #expect(proof.diagonal[0] == start + proof.shift)
      #expect(PositiveShift.proves(SparseFactor(a), diagonal: proof.diagonal))
    }
  }

  /// An energy with a diagonal, against all signs: values, bounds and what is rounded count it once.
  @Test func diagonalsCount() throws {
    let plain = CertificateTests.graph(9, density: 0.7, seed: 3)
    let diagonal = (0..<9).map { 0.5 * Double($0) - 1.2 }
    let graph = EdgeList(
      vertices: 9, first: plain.first, second: plain.second, weights: plain.weights, diagonal: diagonal)
    let program = SpinProgram(.ising, graph)
    let signs = (0..<9).map { $0 % 3 == 0 ? -1.0 : 1 }
    var energy = diagonal.reduce(0, +)
    for e in graph.weights.indices {
      energy += 2 * graph.weights[e] * signs[Int(graph.first[e])] * signs[Int(graph.second[e])]
    }
    #expect((program.value(signs: signs) - energy).magnitude < 1e-12)
    let v = CertificateTests.spins(9, rank: 6, seed: 4)
    defer { v.base.deallocate() }
    for _ in 0..<500 { v.relax(program.matrix) }
    var y = [Double](repeating: 0, count: 9)
    v.alignments(program.matrix, into: &y)
    #expect((program.value(y) - diagonal.reduce(0, +) - y.reduce(0, +)).magnitude < 1e-12)
    let (bound, optimum) = (CertificateTests.certificate(program, v).bound, CertificateTests.optimum(program))
    #expect(bound <= optimum && bound > optimum - 0.2 * optimum.magnitude, "\(bound), \(optimum)")
  }

  /// The best of many planes is the best of the same planes one by one, and 1-opt leaves no flip that gains.
  @Test(arguments: [SpinProgram.Objective.maxCut, .ising]) func bestOfManyPlanes(objective: SpinProgram.Objective) {
    let program = SpinProgram(objective, CertificateTests.graph(40, density: 0.3, seed: 8))
    let v = CertificateTests.spins(40, rank: 6, seed: 5)
    defer { v.base.deallocate() }
    func stream() -> Randomness.Stream {
      var stream = Randomness.Stream(key: 12)
      stream.start(draw: 0)
      return stream
    }
    var (one, many) = (SignRounding(program), SignRounding(program))
    var first = stream()
    var second = stream()
    let isMaximised = program.objective.isMaximised
    let all = (0..<30).map { _ in one.best(of: 1, v, rank: 6, &first) }
    let best = many.best(of: 30, v, rank: 6, &second)
    #expect(best.plain == (isMaximised ? all.map(\.plain).max()! : all.map(\.plain).min()!))
    #expect(best.improved == (isMaximised ? all.map(\.improved).max()! : all.map(\.improved).min()!))
    for i in 0..<40 {
      var flipped = best.signs
      flipped[i] = -flipped[i]
      let gain = (program.value(signs: flipped) - best.improved) * (isMaximised ? 1 : -1)
      #expect(gain <= 1e-9, "flip \(i) gains \(gain)")
    }
  }

  // MARK: Jobs

  private static let small =
    "graph = \"erdos-renyi\"\nvertices = 14\ndegree = 5\nweights = \"signs\"\nanneal = 40\nmixing = 200\nrecords = 6\nreplicas = 2"

  /// What a record says of itself.
  @Test(arguments: ["max-cut", "ising", "synchronisation"]) func recordsFitEachOther(problem: String) throws {
    let snapshot = try FamilyTests.run("problem = \"\(problem)\"\n\(Self.small)")
    let leg = snapshot.job.cases[0].finite!
    let name = ["max-cut": "cut", "ising": "energy", "synchronisation": "alignment"][problem]!
    let vertices = problem == "synchronisation" ? 28.0 : 14
    for draw in snapshot.states[0].rows.draws {
      let row = snapshot.states[0].rows.values[draw]!
      for record in 0..<leg.axis.count {
        func value(_ name: String) -> Double { row[leg.schema.index(record, leg.schema.place(of: name)!)] }
        let gap = (value("bound") - value("relaxed_\(name)")).magnitude
        #expect(value("gap") == gap && gap >= 0)
        #expect((value("gap/bound") - gap / value("bound").magnitude).magnitude <= 1e-15)
        let steps = vertices * vertices / pow(value("gap/bound"), 3)
        #expect((value("theorem_steps") / steps - 1).magnitude < 1e-12)
        // The first of six records of 240 steps ends at step 40, the last of the cooling.
        #expect(value("temperature") == (record == 0 ? 1 / 20480.0 : 0), "record \(record)")
      }
    }
  }

  /// Replicas that are resumed on the way are the same replicas.
  @Test func resumesBitByBit() throws {
    let job = try FamilyTests.job("\(Self.small)\nroundings = 3")
    let whole = try LocalRun.run(job, ranks: 1).snapshot.states[0]
    var restored: [LegState]?
    for ranks in [2, 1, 3] {
      var options = LocalRun.Options()
      let asked = Questions()
      options.stopRequested = { asked.next() > 2 }
      let stopped = try LocalRun.run(job, ranks: ranks, restored: restored, options: options).snapshot.states
      restored = try zip(stopped, job.sampledLegs).map { state, entry in
        var encoder = StateEncoder()
        state.encode(to: &encoder, entry.leg)
        return try LegState(from: StateDecoder(bytes: encoder.bytes), path: state.path, entry.leg, of: job)
      }
    }
    let resumed = try LocalRun.run(job, ranks: 2, restored: restored).snapshot.states[0]
    // Bits: what was measured once has no variance, which is no number.
    func bits(_ state: LegState) -> [UInt64: [UInt64]] { state.rows.values.mapValues { $0.map(\.bitPattern) } }
    #expect(bits(resumed) == bits(whole))
  }

  /// The planes of a measurement are those of its replica and its step: of the same vectors two replicas find other cuts on one of eight graphs at least.
  @Test func replicasHavePlanesOfTheirOwn() throws {
    var found: [[Double]] = [[], []]
    for seed in 1...8 {
      let model = try SemidefiniteFamily.read(
        .table([
          "graph": .text("torus"), "rows": .integer(8), "columns": .integer(9), "graph_seed": .integer(Int64(seed)),
          "weights": .text("signs"), "roundings": .integer(1),
        ]), JobContext(path: "semidefinite", options: [:], data: DataFiles(job: ""))
      ).model
      func dynamics(_ replica: UInt64, _ saved: StateDecoder?) throws -> SemidefiniteDynamics {
        try model.experiment.begin(ReplicaContext(replica: replica, key: 9, group: SelfCommunicator()), from: saved)
      }
      var encoder = StateEncoder()
      try dynamics(0, nil).encode(to: &encoder)
      for replica in 0..<2 {
        let same = try dynamics(UInt64(replica), encoder.decoder(place: "vectors"))
        var values = [Double](repeating: 0, count: model.experiment.observables.count)
        same.measure((), into: &values)
        found[replica].append(values[4])
      }
    }
    #expect(found[0] != found[1], "\(found)")
  }

  private final class Questions: @unchecked Sendable {
    private let lock = NSLock()
    private var count = 0
    func next() -> Int {
      lock.withLock {
        count += 1
        return count
      }
    }
  }

  /// The sharpest bound and the best cut of the replicas are what a claim says, the printed bound is no sharper than the proved one, and a bound that is a thousandth too low is not proved.
  @Test(arguments: ["max-cut", "ising"]) func claimsOfSeveralReplicas(problem: String) throws {
    let snapshot = try FamilyTests.run("problem = \"\(problem)\"\n\(Self.small)")
    let leg = snapshot.job.cases[0].finite!
    let isUpper = problem == "max-cut"
    let name = isUpper ? "cut" : "energy"
    func claim(_ changes: [(replica: UInt64, name: String, value: Double)]) -> Claims {
      var changed = snapshot
      for change in changes {
        let place = leg.schema.index(leg.axis.count - 1, leg.schema.place(of: change.name)!)
        changed.states[0].rows.values[change.replica]![place] = change.value
      }
      return Analyses.claims(changed)[0]
    }
    let whole = claim([])
    #expect(whole.verdict == .proved)
    let (bound, found) = (whole.bounds[0], whole.found[0])
    func printed(_ claim: Claims, after word: String) throws -> Double {
      let rest = try #require(claim.sentence.range(of: word)).upperBound
      return try #require(Double(claim.sentence[rest...].prefix { "-+.e0123456789".contains($0) }))
    }
    // A bound with more digits than are printed.
    let sharp = bound + (isUpper ? -1 : 1) * 1e-7 / 3
    let wide = bound + (isUpper ? 5.0 : -5)
    let two = claim([(0, "bound", sharp), (1, "bound", wide)])
    let said = try printed(two, after: "\(name) \(isUpper ? "<=" : ">=") ")
    #expect(isUpper ? said >= sharp && said < bound : said <= sharp && said > bound, "\(two.sentence), \(sharp)")
    #expect(two.verdict == .proved && two.sentence.contains("sharpest of 2 replicas"))
    let worse = claim([(1, "rounded_\(name)", found + (isUpper ? -3.0 : 3))])
    #expect(try printed(worse, after: "best \(name) found ") == found, "\(worse.sentence)")
    #expect(claim([(1, "bound", .nan)]).verdict == .undecided)
    // As signs attain the relaxed value here but for the gap, a thousandth less is contradicted.
    let exact = claim([
      (0, "bound", bound - (isUpper ? 1e-3 : -1e-3) * bound.magnitude), (0, "rounded_\(name)", bound),
    ])
    #expect(exact.verdict == .differs)
  }

  /// Multipliers a thousandth too high prove nothing, nor does a file with another graph, half a vertex or vectors of another number.
  @Test func storedProofsAreChecked() throws {
    let snapshot = try FamilyTests.run(Self.small)
    let leg = snapshot.job.cases[0].finite!
    let claim = try #require(leg.claim)
    let proof = try #require(Proof(leg, snapshot.states[0]))
    let size = proof.multipliers.reduce(0) { $0 + $1.magnitude } / Double(proof.multipliers.count)
    var state = snapshot.states[0]
    let width = proof.dimension + 1
    for i in proof.multipliers.indices {
      state.trajectories.replicas[0]!.positions[i * width + width - 1] += 1e-3 * size
    }
    let high = try #require(Proof(leg, state))
    let failure = #expect(throws: Failure.self) { try SemidefiniteFamily.recheck(claim, high) }
    #expect(failure?.message.contains("do not prove") ?? false)
    func refuses(_ words: String, _ name: String, _ change: ([Double]) -> [Double]) {
      var givens = claim.givens
      givens[name] = change(givens[name] ?? [])
      let other = Claim(
        quantity: claim.quantity, isUpper: claim.isUpper, bound: claim.bound, attained: claim.attained,
        found: claim.found, givens: givens)
      let failure = #expect(throws: Failure.self, "\(name)") { try SemidefiniteFamily.recheck(other, proof) }
      #expect(failure?.status == .badData)
      #expect(failure?.message.contains(words) ?? false, "\(name): \(failure?.message ?? "")")
    }
    refuses("has 15 vectors, the proof 14", "vertices") { [$0[0] + 1] }
    refuses("first holds 0.5", "first") { [0.5] + $0.dropFirst() }
    refuses("it has no objective", "objective") { _ in [7] }
    refuses("the file says", "weights") { $0.map { 0.999 * $0 } }
    refuses("first", "second") { $0.map { _ in 99 } }
  }

  /// The limit of equipartition: n(k - 1) directions less those that turn the minimum alike, 1/(2 beta) each.
  @Test func equipartitionInNumbers() throws {
    func limit(_ rank: Int, problem: String = "max-cut") throws -> Double {
      let job = try JobReader(data: DataFiles(job: "\(FamilyTests.root)/jobs/job.toml")).read(
        """
        seed = 1
        [semidefinite]
        problem = "\(problem)"
        graph = "torus"
        rows = 4
        columns = 5
        rank = 8
        inverse_temperature = 100
        final_inverse_temperature = 100
        anneal = 200
        mixing = 0
        warm_up = 100
        records = 1
        [[limit]]
        equation = "equipartition"
        optimum = 30.0
        optimum_rank = \(rank)
        """, name: "test.toml"
      ).job
      let known = try #require(job.cases[0].legs.first { $0.name == "equipartition" }?.known)
      return try #require(known.mean(of: known.observables[0].name, record: 0))
    }
    // 20 vertices, k = 8: 140 - (56 - (8 - r)(7 - r))/2.
    #expect((try limit(8) - (30 - 112 / 200.0)).magnitude < 1e-12)
    #expect((try limit(3) - (30 - 122 / 200.0)).magnitude < 1e-12)
    #expect((try limit(3, problem: "ising") - (30 + 122 / 200.0)).magnitude < 1e-12)
    let failure = #expect(throws: Failure.self) { try limit(9) }
    #expect(failure?.message.contains("at most the rank of the run, 8") ?? false, "\(failure?.message ?? "")")
  }

  /// Differences that are drawn have their noise: of a standard deviation s, |z| < 4.5.
  @Test func differencesAreNoisy() throws {
    func model(_ noise: Double) throws -> SemidefiniteModel {
      try SemidefiniteFamily.read(
        .table([
          "problem": .text("synchronisation"), "graph": .text("torus"), "rows": .integer(20), "columns": .integer(20),
          "noise": .real(noise),
        ]), JobContext(path: "semidefinite", options: [:], data: DataFiles(job: ""))
      ).model
    }
    let (clean, noisy) = (try model(0).program.graph, try model(0.3).program.graph)
    #expect(clean.first == noisy.first && clean.count == 800)
    let square = zip(noisy.weights, clean.weights).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / 800
    // Var of a normal square is 2 s^4.
    #expect((square / 0.09 - 1).magnitude < 4.5 * (2 / 800.0).squareRoot(), "\(square)")
  }

  // MARK: Files

  private static func inputs(_ text: String, _ keys: String = "") throws -> Job {
    let path = NSTemporaryDirectory() + "graph-\(UUID().uuidString)"
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try FamilyTests.job("file = \"\(path)\"\n\(keys)")
  }

  @Test func filesThatFitNoProblem() throws {
    let matrix = "%%MatrixMarket matrix coordinate real symmetric\n"
    for (text, keys, words) in [
      (matrix + "2 2 2\n1 1 5\n2 1 7\n", "", "the matrix has a diagonal"),
      ("2 1\n1 2 1e300\n", "problem = \"synchronisation\"", "the weights are angles here"),
      ("2 1\n1 2 0\n", "", "no edge with a weight other than 0"),
      (matrix + "2 3 1\n2 1 7\n", "", "2 x 3 is no symmetric matrix"),
      (matrix + "2 2 2\n2 1 7\n", "", "the file says 2 entries, but 1 follow"),
      (matrix + "2 2 1\n2 1 7\n", "header = true", "header speaks of edge lists"),
      ("2 1\n1 2 1\n\u{0}\n", "", "bytes that are no text"),
      ("0 1 1\n1 2 1 1\n", "", "4 numbers; the edges above have 3"),
    ] {
      let failure = #expect(throws: Failure.self, "\(text)") { try Self.inputs(text, keys) }
      #expect(failure?.status == .badData)
      #expect(failure?.message.contains(words) ?? false, "\(failure?.message ?? "") should say: \(words)")
    }
    #expect(try Self.inputs(matrix + "2 2 2\n1 1 5\n2 1 7\n", "problem = \"ising\"").cases.count == 1)
  }
}
