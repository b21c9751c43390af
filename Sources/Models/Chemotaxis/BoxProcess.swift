import Experiments
import Kernels

/// N particles in a box with two signals: the process behind `method = "particles"`. A replica is one system, shared by ranks tile by tile.
package struct BoxProcess: Process {
  package let box: BoxSettings
  package let number: Int
  let framed: Int
  package let observables: [Observable]

  init(_ box: BoxSettings, number: Int, framed: Int) {
    (self.box, self.number, self.framed) = (box, number, min(framed, number))
    observables = box.observables(hasFluctuations: true, isExact: false)
  }

  package var schedule: Schedule { box.schedule }
  package var pieces: Int { (number + BoxParticles.width - 1) / BoxParticles.width }
  package var stateSize: Int { 3 * number * box.modes.dimension }
  package var frame: FrameShape? {
    FrameShape(particles: framed, dimension: box.modes.dimension, timeStep: box.step)
  }

  package func begin(_ context: ReplicaContext, from saved: StateDecoder?) throws -> BoxDynamics {
    try BoxDynamics(self, context, from: saved)
  }
}

/// One replica.
package final class BoxDynamics: Dynamics {
  private let process: BoxProcess
  private let context: ReplicaContext
  private let particles: BoxParticles
  private let grid: CosineGrid
  private let density: UnsafeMutablePointer<Double>
  private let places: [Int]

  init(_ process: BoxProcess, _ context: ReplicaContext, from saved: StateDecoder?) throws {
    (self.process, self.context) = (process, context)
    let particles = BoxParticles(process.box, number: process.number, context)
    self.particles = particles
    grid = CosineGrid(process.box.modes)
    density = .allocateZeros(grid.count)
    places = process.box.observedModes.map { process.box.modes.place($0) }
    // A shard that one rank cannot read ends the replica on all of them.
    try context.group.agree {
      if let saved { try particles.restore(from: saved, shards: context.shards) }
    }
    if saved == nil { try particles.draw() } else { try particles.prepare() }
  }

  deinit { density.deallocate() }

  package func step(_ moment: Moment) throws { try particles.advance() }

  package func measure(_ info: Void, into values: UnsafeMutablePointer<Double>) throws {
    let (box, p) = (process.box, particles)
    var out = box.writeModes(a: p.a, c: p.c, w: p.w, places: places, to: values)
    let scale = Double(p.number) / (box.mass * box.mass)
    for k in places {
      out[0] = scale / box.modes.norms[k] * p.a[k] * p.a[k]
      out += 1
    }
    out[0] = p.c[0]
    out[1] = p.w[0]
    out[2] = box.peak(p.a, grid, density)
    try p.secondMoments(into: out + 3)
  }

  package func encode(to encoder: inout StateEncoder) throws {
    try particles.encode(to: &encoder, replica: context.replica, shards: context.shards)
  }

  /// Positions of the first particles, as far as they are on this rank, and c there.
  package func frame() -> [Double] {
    let (p, d) = (particles, process.box.modes.dimension)
    var result: [Double] = []
    for t in 0..<p.mine.count {
      let first = (p.mine.lowerBound + t) * BoxParticles.width
      for i in 0..<p.count(t) where first + i < process.framed {
        for j in 0..<d {
          result.append(
            process.box.modes.length * BoxParticles.fraction(p.places[t * p.tileSize + j * BoxParticles.width + i]))
        }
        result.append(p.signal(t, i))
      }
    }
    return result
  }

  package func frameLengths() -> [Int] {
    let (size, total) = (context.group.size, particles.total)
    return (0..<size).map { rank in
      let first = min(BoxParticles.border(rank, size, total) * BoxParticles.width, process.framed)
      let last = min(BoxParticles.border(rank + 1, size, total) * BoxParticles.width, process.framed)
      return (last - first) * (process.box.modes.dimension + 1)
    }
  }
}

extension BoxSettings {
  /// a, c, w of the observed modes.
  /// - Returns: the place behind them.
  func writeModes(
    a: UnsafePointer<Double>, c: UnsafePointer<Double>, w: UnsafePointer<Double>, places: [Int],
    to values: UnsafeMutablePointer<Double>
  ) -> UnsafeMutablePointer<Double> {
    var out = values
    for field in [a, c, w] {
      for k in places {
        out[0] = field[k]
        out += 1
      }
    }
    return out
  }

  /// The largest value of the density over its mean.
  /// - Parameter room: a number for each point of the grid.
  func peak(_ a: UnsafePointer<Double>, _ grid: CosineGrid, _ room: UnsafeMutablePointer<Double>) -> Double {
    grid.values(a, to: room)
    var largest = room[0]
    for i in 1..<grid.count { largest = max(largest, room[i]) }
    return largest / mass
  }
}
