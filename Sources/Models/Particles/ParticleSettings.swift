import Experiments
import Randomness

/// The keys that every particle job has.
package struct ParticleSettings: Sendable {
  package let number: Int
  package let inverseTemperature: Double
  package let step: Double
  package let schedule: Schedule
  package let startMean: Double
  /// nil for that of the system.
  package let startStd: Double?
  /// Particles in a frame of the trajectory of replica 0.
  let framed: Int

  /// Most coordinates of one system: 64 GiB an array, over all ranks.
  static let mostCoordinates = 1 << 33
  /// Largest number of doubles kept of a trajectory.
  static let mostFramed = 1 << 27

  /// A finer system is run longer: these keys do not tell the cases of a sweep apart.
  private static let companions = ["steps", "warm_up", "measure_every", "replicas"]

  static let parameters: [Parameter] =
    [
      Parameter(
        "number", .integer(1...Int64(Noise.mostTiles * Tiling.width)),
        small: .init(.inverse, "N", companions: companions, fluctuations: true), "N, particles of one system"),
      Parameter(
        "inverse_temperature", .real(.init(0, 1e12, openBelow: true)), default: .real(1),
        "beta: the law is exp(-beta H)"
      ),
      Parameter(
        "step", .real(.init(0, 1e6, openBelow: true)), unit: "time",
        small: .init(.direct, "h", companions: companions), "step size h"),
    ] + Schedule.parameters + [
      Parameter(
        "histogram_every", .integer(1...1_000_000_000), default: .integer(10), unit: "measurements",
        "time between counts of the one-particle law"),
      Parameter(
        "replicas", .integer(1...100_000), default: .integer(16), "independent systems; error bars come from them"),
      Parameter("start_mean", .real(.finite), default: .real(0), "mean of every initial coordinate"),
      Parameter(
        "start_std", .real(.init(0, 1e9)), optional: true, aliases: ["start_spread"],
        "standard deviation of the initial coordinates, normal; that of the system unless given"),
      Parameter(
        "frame_every", .integer(1...1_000_000_000), optional: true, unit: "steps",
        "steps between frames: the trajectory of replica 0 and a series of every replica are kept"),
      Parameter(
        "framed_particles", .integer(1...1_000_000), default: .integer(64),
        "particles of the trajectory, the first ones"
      ),
    ]

  init(_ p: Parameters, dimension: Int) throws {
    number = p.integer("number")
    inverseTemperature = p.real("inverse_temperature")
    step = p.real("step")
    startMean = p.real("start_mean")
    startStd = p["start_std"] == nil ? nil : p.real("start_std")
    framed = min(p.integer("framed_particles"), number)
    guard number <= Self.mostCoordinates / dimension else {
      throw p.invalid("number", "times \(dimension) coordinates must be at most \(Self.mostCoordinates)")
    }
    schedule = try Schedule(p, histogramEvery: p.integer("histogram_every"))
    if let frameEvery = schedule.frameEvery {
      let frames = schedule.steps / frameEvery
      guard frames <= Self.mostFramed / (framed * dimension) else {
        throw p.invalid("frame_every", "would keep \(frames) frames of \(framed) particles, more than 1 GiB")
      }
    }
  }

  static func target(_ usual: Double) -> Parameter {
    Parameter(
      "target_acceptance", .real(.init(0, 1, openBelow: true, openAbove: true)), optional: true,
      "if given, the step size is adapted in warm-up, and only there, to this acceptance rate; \(usual) is usual")
  }

  static func target(_ p: Parameters) -> Double? { p["target_acceptance"] == nil ? nil : p.real("target_acceptance") }
}
