import Chemotaxis
import Experiments
import Foundation
import Jobs
import Limits
import Randomness
import Statistics
import Testing

/// `make validate` draws more.
let validating = ProcessInfo.processInfo.environment["FATHOM_VALIDATE"] != nil

/// No data files.
struct NoData: DataSource {
  func table(_ request: TableRequest) throws -> DataTable { throw Failure(.bug, "no data") }
  func samples(_ request: SampleRequest) throws -> SampleTable { throw Failure(.bug, "no data") }
  func graph(_ request: GraphRequest) throws -> EdgeList { throw Failure(.bug, "no data") }
}

/// Jobs of the family, and their draws.
enum Chemo {
  static func job(_ keys: String, limits: String = "", settings: [String] = []) throws -> Job {
    try JobReader(families: Registry.families, data: NoData()).read(
      "seed = 2026\n[chemotaxis]\n\(keys)\n\(limits)", name: "test.toml", settings: settings, check: false
    ).job
  }

  static func legs(_ keys: String, limits: String = "") throws -> [Leg] {
    try job(keys, limits: limits).cases[0].legs
  }

  /// The particles of the printed values: L = 4, M = 1.5 below the threshold, tau = 1/2.
  static let calm = "domain = \"box\"\nlength = 4\nmass = 1.5\ntau = 0.5\nmodes = 8\n"
  /// Above it: M = 3.5, and a start of one wave.
  static let growing =
    "domain = \"box\"\nlength = 4\nmass = 3.5\ntau = 0.5\nmodes = 32\nstart_amplitude = 0.5\ndraws = 2\n"

  /// All values of the replicas or draws of the first leg, record by record.
  static func rows(_ keys: String, key: String = "chemotaxis") throws -> (leg: Leg, rows: [[Double]]) {
    let leg = try legs(keys)[0]
    let experiment = try #require(leg.experiment)
    let stream = Stream.key(seed: 2026, path: key)
    if let runner = experiment.makeRunner(key: stream) {
      return (leg, (0..<leg.draws).map { runner.values($0) })
    }
    let factory = try #require(experiment.replicas)
    return (
      leg,
      try (0..<leg.draws).map { id in
        let replica = try factory.begin(ReplicaContext(replica: id, key: stream, group: SelfCommunicator()), nil)
        try replica.advance(factory.steps)
        return try replica.finish().row
      }
    )
  }

  static func moments(_ found: (leg: Leg, rows: [[Double]]), _ name: String, record: Int = 0) throws -> Moments {
    let place = try #require(found.leg.schema.place(of: name))
    return Moments(values: found.rows.map { $0[found.leg.schema.index(record, place)] })
  }

  /// Expects a mean.
  /// - Parameters:
  ///   - errors: the number of standard errors, from the number of tests.
  ///   - further: another standard error, or an offset, of the expected number.
  static func expect(
    _ found: (leg: Leg, rows: [[Double]]), _ name: String, record: Int = 0, _ expected: Double, errors: Double = 4,
    further: Double = 0, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let m = try moments(found, name, record: record)
    let error = (m.meanError * m.meanError + further * further).squareRoot()
    #expect(
      (m.mean - expected).magnitude < errors * error, "\(name) at \(record): \(m.mean) +- \(m.meanError), \(expected)",
      sourceLocation: sourceLocation)
  }
}
