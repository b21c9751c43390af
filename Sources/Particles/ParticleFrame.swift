import Randomness
import Simulation

/// The keys that every particle job has.
struct ParticleFrame: Sendable {
  let number: Int
  let inverseTemperature: Double
  let step: Double
  let warmUp: Int
  let steps: Int
  let records: Int
  let measureEvery: Int
  let histogramEvery: Int
  let startMean: Double
  let startSpread: Double?
  /// Frames of the trajectory of replica 0, and how many particles of it; nil if none is kept.
  let frameEvery: Int?
  let framed: Int

  /// Most coordinates of one system: 64 GiB an array, over all ranks.
  static let mostCoordinates = 1 << 33
  /// Largest number of doubles kept of a trajectory.
  static let mostFramed = 1 << 27

  static let parameters: [Parameter] = [
    Parameter("number", .integer(1...Int64(Noise.mostTiles * Tiling.width)), "N, particles of one system"),
    Parameter(
      "inverse_temperature", .real(.init(0, 1e12, openBelow: true)), standard: .real(1), "beta: the law is exp(-beta H)"
    ),
    Parameter("step", .real(.init(0, 1e6, openBelow: true)), unit: "time", "step size h"),
    Parameter("steps", .integer(1...1_000_000_000_000), "steps that are measured, after warm-up"),
    Parameter("warm_up", .integer(0...1_000_000_000_000), standard: .integer(0), "steps before them"),
    Parameter(
      "records", .integer(1...10_000), standard: .integer(1),
      "equal pieces of the measured steps; a value is kept for each"),
    Parameter(
      "measure_every", .integer(1...1_000_000_000), standard: .integer(1), unit: "steps", "time between measurements"),
    Parameter(
      "histogram_every", .integer(1...1_000_000_000), standard: .integer(10), unit: "measurements",
      "time between counts of the one-particle law"),
    Parameter(
      "replicas", .integer(1...100_000), standard: .integer(16), "independent systems; error bars come from them"),
    Parameter("start_mean", .real(.finite), standard: .real(0), "mean of every initial coordinate"),
    Parameter(
      "start_spread", .real(.init(0, 1e9)), optional: true,
      "standard deviation of the initial coordinates, normal; that of the system unless given"),
    Parameter(
      "frame_every", .integer(1...1_000_000_000), optional: true, unit: "steps",
      "keeps a trajectory of replica 0 and a series of every replica, a frame each so many measured steps"),
    Parameter(
      "framed_particles", .integer(1...1_000_000), standard: .integer(64), "particles of the trajectory, the first ones"
    ),
  ]

  init(_ p: Parameters, dimension: Int) throws {
    number = p.integer("number")
    inverseTemperature = p.real("inverse_temperature")
    step = p.real("step")
    warmUp = p.integer("warm_up")
    steps = p.integer("steps")
    records = p.integer("records")
    measureEvery = p.integer("measure_every")
    histogramEvery = p.integer("histogram_every")
    startMean = p.real("start_mean")
    startSpread = p["start_spread"] == nil ? nil : p.real("start_spread")
    frameEvery = p["frame_every"] == nil ? nil : p.integer("frame_every")
    framed = min(p.integer("framed_particles"), number)
    guard number <= Self.mostCoordinates / dimension else {
      throw p.invalid("number", "times \(dimension) coordinates must be at most \(Self.mostCoordinates)")
    }
    guard steps % (records * measureEvery) == 0 else {
      throw p.invalid("steps", "must be a multiple of records x measure_every = \(records * measureEvery)")
    }
    if let frameEvery {
      guard frameEvery % measureEvery == 0, frameEvery <= steps else {
        throw p.invalid("frame_every", "must be a multiple of measure_every = \(measureEvery), and at most steps")
      }
      guard steps / frameEvery <= Self.mostFramed / (framed * dimension) else {
        throw p.invalid(
          "frame_every", "would keep \(steps / frameEvery) frames of \(framed) particles, more than 1 GiB")
      }
    }
  }

  /// Step of the whole replica at the end of record r.
  func end(ofRecord r: Int) -> Int { warmUp + steps / records * (r + 1) }

  static func target(_ usual: Double) -> Parameter {
    Parameter(
      "target_acceptance", .real(.init(0, 1, openBelow: true, openAbove: true)), optional: true,
      "if given, the step size is adapted in warm-up, and only there, to this acceptance rate; \(usual) is usual")
  }

  static func target(_ p: Parameters) -> Double? { p["target_acceptance"] == nil ? nil : p.real("target_acceptance") }
}
