import Experiments

/// The keys that every job of the family has.
package struct ManifoldSettings: Sendable {
  package let inverseTemperature: Double
  /// 0 for moves without one.
  package let step: Double
  package let schedule: Schedule
  package let startsUniform: Bool
  /// Sites in a frame of the trajectory of replica 0.
  let framed: Int

  /// Largest number of doubles kept of a trajectory.
  static let mostFramed = 1 << 27
  /// Most numbers of one system: 2 GiB an array.
  static let mostNumbers = 1 << 28

  static let parameters: [Parameter] =
    [
      Parameter(
        "inverse_temperature", .real(.init(0, 1e12)), default: .real(1),
        "beta: the law is exp(-beta H); 0 is the uniform law, for heat-bath")
    ] + Schedule.parameters + [
      Parameter(
        "replicas", .integer(1...100_000), default: .integer(16), "independent systems; error bars come from them"),
      Parameter(
        "start", .choice(["uniform", "aligned"]), default: .text("uniform"),
        "every site uniform, or all at one point"),
      Parameter(
        "frame_every", .integer(1...1_000_000_000), optional: true, unit: "steps",
        "steps between frames: the trajectory of replica 0 and a series of every replica are kept"),
      Parameter(
        "framed_sites", .integer(1...1_000_000), default: .integer(64), "sites of the trajectory, the first ones"),
    ]

  init(_ p: Parameters, _ system: any ManifoldSystem) throws {
    inverseTemperature = p.real("inverse_temperature")
    step = p["step"] == nil ? 0 : p.real("step")
    startsUniform = p.text("start") == "uniform"
    framed = min(p.integer("framed_sites"), system.sites)
    schedule = try Schedule(p)
    if let frameEvery = schedule.frameEvery {
      let frames = schedule.steps / frameEvery
      guard frames <= Self.mostFramed / (framed * system.manifold.width) else {
        throw p.invalid("frame_every", "would keep \(frames) frames of \(framed) sites, more than 1 GiB")
      }
    }
  }
}
