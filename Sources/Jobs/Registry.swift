import Experiments
import Limits
import Networks
import Particles

/// The families that jobs may ask for: a line a kind of work.
package enum Registry {
  package static let families: [RegisteredFamily] = [
    RegisteredFamily(NetworkFamily.self, limits: NetworkLimits.all),
    RegisteredFamily(ParticleFamily.self, limits: ParticleLimits.all),
  ]

  /// Every line of the catalog, in the order in which it is printed.
  package static var entries: [any Entry] {
    families.flatMap(\.entries) + families.flatMap(\.options) + JobReader.tables
  }
}

extension JobReader {
  /// Tables that every job may have.
  static let tables: [TableEntry] = [
    TableEntry(name: "run", summary: "how a job runs", parameters: runParameters),
    TableEntry(name: "comparison", summary: "when two laws count as the same", parameters: comparisonParameters),
  ]

  static let runParameters: [Parameter] = [
    Parameter("output", .text, optional: true, "result file; the name of the job file with .h5 unless given"),
    Parameter("checkpoint_every", .text, default: .text("60s"), "time between checkpoints: a number with s, m or h"),
    Parameter(
      "covariance_limit", .integer(0...4096), default: .integer(24),
      "covariances of pairs of observables are kept for records with at most this many observables"),
    Parameter(
      "keep", .integer(0...10_000_000), default: .integer(0),
      "number of draws, the first ones, whose values are kept as a table of rows; replicas are all kept"),
    Parameter(
      "shards", .integer(0...1_000_000), default: .integer(0),
      "ranks that share one replica; 0: as many as there are too many. Changes no bit"),
    Parameter(
      "shard_above", .integer(0...Int64.max), default: .integer(50_000_000), unit: "coordinates",
      "replicas with more are suspended into a file for each rank, beside the result file. Changes no bit"),
  ]

  static let comparisonParameters: [Parameter] = [
    Parameter(
      "ks", .real(.init(0, 1, openBelow: true)), default: .real(0.01),
      "tolerance: largest Kolmogorov-Smirnov distance at which two laws count as the same"),
    Parameter(
      "mean", .real(.above(0)), default: .real(0.05),
      "tolerance: largest difference of means, in standard deviations, against a limit without draws"),
    Parameter(
      "alpha", .real(.init(0, 1, openBelow: true, openAbove: true)), default: .real(0.01),
      "probability of any false statement in one case, shared among its tests"),
  ]
}
