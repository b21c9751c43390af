import Experiments
import Particles
import Randomness
import Synchronization
import Testing

/// A replica that is suspended and continued gives the bits of one that is not.
@Suite struct ResumeTests {
  static let cases: [[String: JobValue]] = {
    let interactions: [[String: JobValue]] = [
      ["system": .text("gaussian"), "dimension": .integer(2), "condition": .real(3), "number": .integer(300)],
      ["system": .text("gaussian-attraction"), "number": .integer(300)],
      ["system": .text("gaussian-kernel"), "number": .integer(40)],
    ]
    var result: [[String: JobValue]] = []
    for entry in ParticleCatalog.integrators where entry.name != "heat-bath" {
      for system in interactions where entry.name != "proximal" || system["system"] == .text("gaussian") {
        result.append(keys(entry.name, system))
        if entry.parameters.contains(where: { $0.name == "target_acceptance" }) {
          result.append(keys(entry.name, system.merging(["target_acceptance": .real(0.6)]) { $1 }))
        }
      }
    }
    // Batches of chains of their own, and one of a network; a midpoint method draws one within a step as well.
    let ends: JobValue = .list([.integer(0), .integer(1)])
    for integrator in ["lmc", "baoab", "underdamped-midpoint"] {
      result.append(
        keys(
          integrator,
          [
            "system": .text("least-squares"), "inputs": .list([1, -1, 2].map { .real($0) }),
            "targets": .list([0, 1, 1].map { .real($0) }), "batch": .integer(2), "number": .integer(300),
          ]))
      result.append(
        keys(
          integrator,
          [
            "system": .text("two-layer"), "file": .text("data"), "classes": ends, "batch": .integer(3),
            "number": .integer(270),
          ]))
    }
    return result + [keys("heat-bath", ["system": .text("curie-weiss"), "number": .integer(300)])]
  }()

  private static let schedule: [String: JobValue] = [
    "step": .real(0.05), "warm_up": .integer(12), "steps": .integer(24), "records": .integer(2),
    "measure_every": .integer(2), "histogram_every": .integer(1), "frame_every": .integer(4), "replicas": .integer(2),
  ]

  /// The state as another run reads it.
  private func coded(_ state: ReplicaState) -> ReplicaState {
    let decoder = StateDecoder(bytes: state.encoded.bytes)
    return ReplicaState(replica: state.replica, step: state.step, encoded: decoder.encoder)
  }

  private func sameBits(_ a: [Double], _ b: [Double]) -> Bool { a.map(\.bitPattern) == b.map(\.bitPattern) }

  @Test("Suspended at once, in warm-up, between measurements and at the end of a record", arguments: cases)
  func suspended(_ own: [String: JobValue]) throws {
    let leg = try legs(own.merging(Self.schedule) { $1 })[0]
    let factory = leg.experiment!.replicas!
    for store in [nil, MemoryShards()] {
      for id in [UInt64(0), 1] {
        func replica(_ saved: ReplicaState?) throws -> any Replica {
          try factory.begin(context(id, name: "resume", shards: store), saved)
        }
        let whole = try replica(nil)
        try whole.advance(factory.steps)
        let expected = try whole.finish()
        var stopped = try replica(nil)
        for step in [0, 7, 12, 13, 24, 31, 36] {
          try stopped.advance(step - stopped.step)
          stopped = try replica(coded(stopped.save()))
          #expect(stopped.step == step)
        }
        let found = try stopped.finish()
        #expect(sameBits(found.row, expected.row) && !found.row.contains { $0.isInfinite })
        #expect(found.trajectory!.steps == expected.trajectory!.steps)
        #expect(sameBits(found.trajectory!.positions, expected.trajectory!.positions))
        #expect(sameBits(found.trajectory!.series, expected.trajectory!.series))
        #expect(found.marginals.map(\.pages) == expected.marginals.map(\.pages))
        for (a, b) in zip(found.marginals, expected.marginals) {
          #expect(a.pages.allSatisfy { Array(a.page($0)) == Array(b.page($0)) })
        }
      }
    }
  }

  /// What a process of one coordinate needs of `Noise`: no tiles, and its state in a line.
  @Test("Noise is continued from its counters")
  func noise() throws {
    func values(_ noise: Noise, _ count: Int) -> [Double] {
      (0..<count).flatMap { _ in [noise.normals(0, 1)[0], noise.normals(0, 3)[2], noise.uniform()] }
    }
    let whole = values(Noise(key: 5, replica: 2), 200)
    let first = Noise(key: 5, replica: 2)
    var found = values(first, 67)
    var encoder = StateEncoder()
    first.encode(to: &encoder)
    let second = Noise(key: 5, replica: 2)
    try second.restore(from: StateDecoder(bytes: encoder.bytes))
    found += values(second, 133)
    #expect(sameBits(found, whole) && Set(whole).count == whole.count)
  }

  @Test("A state that does not fit is refused")
  func forged() throws {
    let own = keys("mala", ["system": .text("gaussian-attraction"), "number": .integer(300)])
    let leg = try legs(own.merging(Self.schedule) { $1 })[0]
    let factory = leg.experiment!.replicas!
    let replica = try factory.begin(context(0, name: "forged"), nil)
    try replica.advance(15)
    let state = try replica.save()
    func begin(_ name: String, _ value: StateValue?) throws {
      var values = Dictionary(uniqueKeysWithValues: state.encoded.entries.map { ($0.name, $0.value) })
      values["system/" + name] = value
      let encoder = StateDecoder(values, place: "test").encoder
      _ = try factory.begin(
        context(0, name: "forged"), ReplicaState(replica: 0, step: state.step, encoded: encoder))
    }
    try begin("step_size", .doubles([0.05]))
    for (name, value) in [
      ("positions", .doubles([1, 2])), ("positions", nil), ("uniforms_taken", .integers([-1])),
      ("normals_taken", .integers([1, -1])), ("normals_taken", .integers([1])), ("counters", .integers([1, -1, 0])),
      ("counters", .integers([0, 0, 2])), ("adaptation", .doubles([0])), ("step", .integers([-1])),
      ("step_size", .doubles([])), ("shards", .texts(["a"])),
    ] as [(String, StateValue?)] {
      let failure = #expect(throws: Failure.self, "\(name)") { try begin(name, value) }
      #expect(
        failure?.status == .badData && failure?.message.contains("does not fit") ?? false, "\(failure?.message ?? "")")
    }
  }
}

/// Shards in memory, for any number of coordinates.
final class MemoryShards: ShardStore {
  private let states = Mutex<[String: [UInt8]]>([:])
  let threshold = 0

  func write(_ state: StateEncoder, name: String) { states.withLock { $0[name] = state.bytes } }

  func read(_ name: String) throws -> StateDecoder {
    guard let bytes = states.withLock({ $0[name] }) else { throw Failure(.inputOutput, "\(name): no such shard") }
    return StateDecoder(bytes: bytes, place: name)
  }

  func prune(keeping names: Set<String>) {}
}
