import Archive
import Simulation

/// Trajectories for the programs of the field: H5MD for MDAnalysis, `posterior` and `sample_stats` for ArviZ. They show the
/// finite leg of the first case that keeps frames.
enum TrajectoryTables {
  static func write(_ snapshot: Snapshot, creator: String, to writer: inout ArchiveWriter) throws {
    for item in snapshot.job.cases {
      guard let leg = item.legs.first(where: { $0.role == .finite }), leg.isReplicated,
        let record = snapshot.state(item.path(of: leg))?.replicas, !record.trajectories.isEmpty
      else { continue }
      if let first = record.trajectories[0] { try writeH5MD(first, leg, creator: creator, to: &writer) }
      try writeChains(record, leg, to: &writer)
      return
    }
  }

  /// Dimension of a particle, and how many are kept: `positions` holds their coordinates and their potential.
  private static func shape(_ trajectory: Trajectory, _ leg: Leg) -> (dimension: Int, particles: Int) {
    let dimension = leg.attributes["particle_dimension"].flatMap { Int($0) } ?? 1
    return (dimension, trajectory.positions.count / (dimension + 1) / max(trajectory.steps.count, 1))
  }

  /// H5MD 1.1 (de Buyl, Colberg, Höfling, 2014): positions in three dimensions, the missing ones 0, those beyond left out.
  private static func writeH5MD(
    _ trajectory: Trajectory, _ leg: Leg, creator: String, to writer: inout ArchiveWriter
  ) throws {
    let (d, particles) = shape(trajectory, leg)
    guard !trajectory.steps.isEmpty, particles > 0 else { return }
    for group in [
      "/h5md", "/h5md/author", "/h5md/creator", "/particles/trajectory/box", "/particles/trajectory/position",
    ] {
      try writer.makeGroup(group)
    }
    try writer.setAttribute("/h5md", "version", [1, 1])
    try writer.setAttribute("/h5md/author", "name", fixed: ["unknown"], scalar: true)
    let words = creator.split(separator: " ").map(String.init)
    try writer.setAttribute("/h5md/creator", "name", fixed: [words.first ?? "fathom"], scalar: true)
    try writer.setAttribute("/h5md/creator", "version", fixed: [words.last ?? ""], scalar: true)
    try writer.setAttribute("/particles/trajectory/box", "dimension", Int64(3))
    try writer.setAttribute("/particles/trajectory/box", "boundary", fixed: ["none", "none", "none"], scalar: false)
    let frames = trajectory.steps.count
    var values = Array(repeating: 0.0, count: frames * particles * 3)
    for row in 0..<frames * particles {
      for k in 0..<min(d, 3) { values[3 * row + k] = trajectory.positions[row * (d + 1) + k] }
    }
    let place = "/particles/trajectory/position"
    let h = leg.attributes["step"].flatMap(Double.init) ?? 1
    try writer.write("\(place)/step", shape: [frames], trajectory.steps.map(Int64.init))
    try writer.write("\(place)/time", shape: [frames], trajectory.steps.map { h * Double($0) })
    try writer.write("\(place)/value", shape: [frames, particles, 3], values)
  }

  private static func writeChains(_ record: ReplicaRecord, _ leg: Leg, to writer: inout ArchiveWriter) throws {
    let order = record.trajectories.keys.sorted()
    guard let any = record.trajectories[order[0]], !any.steps.isEmpty else { return }
    let frames = any.steps.count
    let count = leg.observables.count
    let beta = leg.attributes["inverse_temperature"].flatMap(Double.init) ?? 1
    func series(_ name: String, _ replica: UInt64) -> [Double]? {
      guard let place = leg.observables.firstIndex(where: { $0.name == name }) else { return nil }
      return (0..<frames).map { record.trajectories[replica]!.series[$0 * count + place] }
    }
    let independent = leg.attributes["interaction"] == "none" && record.trajectories[0] != nil
    let (d, particles) = independent ? shape(record.trajectories[0]!, leg) : (0, 0)
    let chains = independent ? particles : order.count
    for group in ["/posterior", "/sample_stats"] {
      try writer.makeGroup(group)
      for (name, length) in [("chain", chains), ("draw", frames)] {
        try writer.write("\(group)/\(name)", shape: [length], (0..<length).map(Int64.init))
        try writer.makeScale("\(group)/\(name)", name: name)
      }
    }
    func table(_ group: String, _ name: String, _ values: [Double]) throws {
      try writer.write("\(group)/\(name)", shape: [chains, frames], values)
      try writer.attachScales(["\(group)/chain", "\(group)/draw"], to: "\(group)/\(name)")
    }
    func statistic(_ name: String, from observable: String) throws {
      guard series(observable, order[0]) != nil else { return }
      let values =
        independent
        ? (0..<chains).flatMap { _ in series(observable, 0)! } : order.flatMap { series(observable, $0)! }
      try table("/sample_stats", name, values)
    }
    if independent {
      try writer.write("/posterior/coordinate", shape: [d], (0..<d).map(Int64.init))
      try writer.makeScale("/posterior/coordinate", name: "coordinate")
      let positions = record.trajectories[0]!.positions
      func number(_ frame: Int, _ chain: Int, _ k: Int) -> Double {
        positions[(frame * particles + chain) * (d + 1) + k]
      }
      try writer.write(
        "/posterior/x", shape: [chains, frames, d],
        (0..<chains).flatMap { chain in (0..<frames).flatMap { frame in (0..<d).map { number(frame, chain, $0) } } })
      try writer.attachScales(["/posterior/chain", "/posterior/draw", "/posterior/coordinate"], to: "/posterior/x")
      try table(
        "/sample_stats", "lp", (0..<chains).flatMap { chain in (0..<frames).map { -beta * number($0, chain, d) } })
    } else {
      for observable in leg.observables where !["acceptance", "step_size"].contains(observable.name) {
        let name = observable.name.replacing("/", with: "_")
        try table("/posterior", name, order.flatMap { series(observable.name, $0)! })
      }
      try statistic("energy", from: "energy")
    }
    try statistic("acceptance_rate", from: "acceptance")
    try statistic("step_size", from: "step_size")
  }
}
