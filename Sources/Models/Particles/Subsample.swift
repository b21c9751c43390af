import Experiments
import Randomness

/// A few examples, drawn with replacement, whose gradients stand for those of all: stochastic gradient Langevin dynamics (Welling and Teh, ICML
/// 2011), in every integrator that does not accept or reject.
///
/// Particles that do not interact are chains of their own, and each draws a batch of its own; a network is one chain, whose neurons share one.
/// Every evaluation of the gradient has a new batch, a pure function of (key, replica, tile, evaluation): nothing of it is kept by a checkpoint.
package struct Subsample: Sendable, Equatable {
  /// b, examples of a batch.
  package let batch: Int
  /// n, all of them.
  let examples: Int

  static let batch = Parameter(
    "batch", .integer(1...1_000_000), optional: true,
    "b, examples of a gradient, drawn with replacement, new ones for each; all of them, each once, unless given")
  static let parameters = [
    batch,
    Parameter(
      "control_variates", .choice(["none", "mode"]), optional: true,
      "mode: g_B(x) - g_B(x*) + g(x*) with the minimum x* of the energy takes the place of the gradient g_B of a batch; none unless given"
    ),
  ]

  /// nil where all examples are used.
  init?(_ p: Parameters, examples: Int) throws {
    guard p["batch"] != nil else {
      guard !Self.hasControl(p) else {
        throw p.invalid("control_variates", "needs batch: the gradient of all examples has no noise to take away")
      }
      return nil
    }
    (batch, self.examples) = (p.integer("batch"), examples)
  }

  static func hasControl(_ p: Parameters) -> Bool {
    p["control_variates"] != nil && p.text("control_variates") == "mode"
  }

  /// Evaluations of a step: one at its end, and perhaps one within.
  private static let evaluationsPerStep = 2

  /// Refuses integrators that need the energy of all examples, and jobs with more draws than a tile has.
  func check(_ p: Parameters, _ method: IntegratorModel, _ schedule: Schedule, _ tiling: Tiling, name: String) throws {
    guard !method.accepts && !method.needsConvexity else {
      throw p.invalid(
        "batch",
        "cannot be given with \(name), which accepts or rejects by the energy of all examples; lmc, ulmc, baoab, obabo, randomized-midpoint and underdamped-midpoint take batches"
      )
    }
    let chunks = Noise.indexChunks(batch * tiling.lanes)
    let most = Int(Noise.indexChunksPerTile) / chunks / Self.evaluationsPerStep
    guard schedule.warmUp + schedule.steps < most else {
      throw p.invalid("steps", "with warm_up must be less than \(most) for batches of \(batch)")
    }
  }
}

/// A system whose particles are chains of their own, and whose gradient can be estimated from examples.
package protocol Subsampled: ParticleSystem {
  /// Writes the estimate for the particles of a tile: example j of particle i is number `picks[j * x.lanes + i]`.
  func estimate(_ x: Tile, picks: UnsafePointer<Int32>, batch: Int, to gradient: UnsafeMutablePointer<Double>)
}

/// A system that is one chain, whose energy and gradient are those of the examples that it took last.
package protocol SharesBatch: ParticleSystem {
  func take(_ picks: UnsafePointer<Int32>, batch: Int)
}

/// The batches of a replica.
final class Batches {
  let subsample: Subsample
  private let tiling: Tiling
  private let picks: UnsafeMutablePointer<Int32>

  init(_ subsample: Subsample, _ tiling: Tiling) {
    self.subsample = subsample
    self.tiling = tiling
    let room = Noise.indexRoom(subsample.batch * tiling.lanes)
    picks = .allocate(capacity: room)
    picks.initialize(repeating: 0, count: room)
  }

  deinit { picks.deallocate() }

  /// Batches of the particles of a tile, valid until the next call.
  func own(_ noise: Noise, tile: Int, evaluation: Int) -> UnsafePointer<Int32> {
    draw(noise, tile: tile, evaluation: evaluation, count: subsample.batch * tiling.lanes)
  }

  /// One batch of all particles.
  func shared(_ noise: Noise, evaluation: Int) -> UnsafePointer<Int32> {
    draw(noise, tile: 0, evaluation: evaluation, count: subsample.batch)
  }

  private func draw(_ noise: Noise, tile: Int, evaluation: Int, count: Int) -> UnsafePointer<Int32> {
    noise.indices(tile, set: evaluation, count: count, below: subsample.examples, to: picks)
    return UnsafePointer(picks)
  }
}
