import Archive
import Experiments
import Statistics

/// Trajectories for the programs of the field: H5MD for MDAnalysis, `posterior` and `sample_stats` for ArviZ. They show the
/// finite leg of the first case that keeps frames.
enum TrajectoryTables {
  static func write(_ snapshot: Snapshot, creator: String, to writer: inout ArchiveWriter) throws {
    for item in snapshot.job.cases {
      guard let leg = item.finite, let process = leg.process,
        let trajectories = snapshot.state(item.path(of: leg))?.trajectories.replicas, !trajectories.isEmpty
      else { continue }
      if let first = trajectories[0], let frame = process.frame {
        try writeH5MD(first, frame, every: process.schedule.frameEvery, creator: creator, to: &writer)
      }
      try writeChains(trajectories, leg, process, to: &writer)
      return
    }
  }

  /// H5MD 1.1 (de Buyl, Colberg, Höfling, 2014): positions in three dimensions, the missing ones 0, those beyond left out.
  private static func writeH5MD(
    _ trajectory: Trajectory, _ frame: FrameShape, every: Int?, creator: String, to writer: inout ArchiveWriter
  ) throws {
    let (d, particles, frames) = (frame.dimension, frame.particles, trajectory.steps.count)
    guard frames > 0, particles > 0, trajectory.positions.count == frames * frame.width else { return }
    for group in [
      "/h5md", "/h5md/author", "/h5md/creator", "/particles/trajectory/box", "/particles/trajectory/position",
      "/observables/dt",
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
    var values = Array(repeating: 0.0, count: frames * particles * 3)
    for row in 0..<frames * particles {
      for k in 0..<min(d, 3) { values[3 * row + k] = trajectory.positions[row * (d + 1) + k] }
    }
    let place = "/particles/trajectory/position"
    try writer.write("\(place)/step", shape: [frames], trajectory.steps.map(Int64.init))
    try writer.write("\(place)/time", shape: [frames], trajectory.steps.map { frame.timeStep * Double($0) })
    try writer.write("\(place)/value", shape: [frames, particles, 3], values)
    // MDAnalysis takes the time between frames from an observable of this name, and 1 where there is none.
    let between = every ?? (frames > 1 ? trajectory.steps[1] - trajectory.steps[0] : 1)
    try writer.write("/observables/dt/step", shape: [frames], trajectory.steps.map(Int64.init))
    try writer.write("/observables/dt/time", shape: [frames], trajectory.steps.map { frame.timeStep * Double($0) })
    try writer.write(
      "/observables/dt/value", shape: [frames], Array(repeating: frame.timeStep * Double(between), count: frames))
  }

  private static func writeChains(
    _ trajectories: [UInt64: Trajectory], _ leg: Leg, _ process: ProcessFacts, to writer: inout ArchiveWriter
  ) throws {
    let order = trajectories.keys.sorted()
    guard let any = trajectories[order[0]], !any.steps.isEmpty else { return }
    let (frames, schema) = (any.steps.count, leg.schema)
    let count = schema.observables.count
    func series(_ place: Int, _ replica: UInt64) -> [Double] {
      (0..<frames).map { trajectories[replica]!.series[$0 * count + place] }
    }
    // Particles without interaction are chains of their own.
    let single = trajectories[0].flatMap { first -> (frame: FrameShape, positions: [Double])? in
      guard let frame = process.frame, frame.independent, first.positions.count == frames * frame.width else {
        return nil
      }
      return (frame, first.positions)
    }
    let chains = single?.frame.particles ?? order.count
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
    func statistic(_ name: String, _ role: Observable.Role) throws {
      guard let place = schema.place(of: role) else { return }
      let values =
        single == nil ? order.flatMap { series(place, $0) } : (0..<chains).flatMap { _ in series(place, 0) }
      try table("/sample_stats", name, values)
    }
    if let (frame, positions) = single {
      let d = frame.dimension
      try writer.write("/posterior/coordinate", shape: [d], (0..<d).map(Int64.init))
      try writer.makeScale("/posterior/coordinate", name: "coordinate")
      func number(_ frame: Int, _ chain: Int, _ k: Int) -> Double {
        positions[(frame * chains + chain) * (d + 1) + k]
      }
      try writer.write(
        "/posterior/x", shape: [chains, frames, d],
        (0..<chains).flatMap { chain in (0..<frames).flatMap { frame in (0..<d).map { number(frame, chain, $0) } } })
      try writer.attachScales(["/posterior/chain", "/posterior/draw", "/posterior/coordinate"], to: "/posterior/x")
      let beta = process.inverseTemperature ?? 1
      try table(
        "/sample_stats", "lp", (0..<chains).flatMap { chain in (0..<frames).map { -beta * number($0, chain, d) } })
    } else {
      for (place, observable) in schema.observables.enumerated() where observable.isPhysical {
        let name = observable.name.replacing("/", with: "_")
        try table("/posterior", name, order.flatMap { series(place, $0) })
      }
      try statistic("energy", .energy)
    }
    try statistic("acceptance_rate", .acceptanceRate)
    try statistic("step_size", .setting)
  }
}
