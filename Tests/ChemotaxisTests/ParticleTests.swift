import Chemotaxis
import Experiments
import Foundation
import Kernels
import Randomness
import Testing

/// Particles in a box, against plain sums.
@Suite struct ParticleTests {
  private func process(_ keys: String) throws -> (leg: Leg, factory: ReplicaFactory) {
    let leg = try Chemo.legs(keys)[0]
    return (leg, try #require(leg.experiment?.replicas))
  }

  private func context(_ name: String = "particles", shards: (any ShardStore)? = nil) -> ReplicaContext {
    ReplicaContext(replica: 1, key: Stream.key(seed: 2026, path: name), group: SelfCommunicator(), shards: shards)
  }

  /// Positions, c and w in a saved state.
  private func state(_ replica: any Replica) throws -> (x: [Int64], c: [Double], w: [Double]) {
    let system = try replica.save().decoder.nested("system")
    return (try system.integers("places"), try system.doubles("c"), try system.doubles("w"))
  }

  /// Dimensions and modes.
  private static let boxes = [(1, 1), (1, 9), (2, 5), (3, 3)]

  /// One step from a state with its own normals: sums of cosines by the library, Euler's step in double numbers, folded.
  @Test(arguments: boxes, [0.0, 0.3]) func aStepIsThePlainOne(own: (Int, Int), epsilon: Double) throws {
    let (leg, factory) = try process(
      "domain = \"box\"\ndimension = \(own.0)\nmodes = \(own.1)\nlength = 1.3\nmass = 40\ntau = 0.4\neps = \(epsilon)\nnumber = 300\nstep = 0.02\nsteps = 4\nrecords = 4\nstart_amplitude = 0.7\ndraws = 2"
    )
    let modes = CosineModes(dimension: own.0, highest: own.1, length: 1.3)
    let (d, n, mass) = (own.0, 300, 40.0)
    let replica = try factory.begin(context(), nil)
    try replica.advance(2)
    let before = try state(replica)
    try replica.advance(1)
    let after = try state(replica)
    let row: [Double] = try {
      try replica.advance(1)
      return try replica.finish().row
    }()
    func places(_ x: [Int64]) -> [[Double]] {
      (0..<n).map { (i: Int) -> [Double] in
        (0..<d).map { (j: Int) -> Double in
          let place: Int = (i / 256 * d + j) * 256 + i % 256
          return Double(x[place]) / 0x1p63
        }
      }
    }
    let (x, y) = (places(before.x), places(after.x))
    #expect(after.x.allSatisfy { $0 >= 0 } && y.joined().allSatisfy { $0 <= 1 })
    // The lanes behind the last particle stand at the wall.
    for j in 0..<d {
      let first = (d + j) * 256
      #expect(after.x[(first + 44)..<(first + 256)].allSatisfy { $0 == 0 })
    }
    let numbers = [Array(repeating: 0, count: d)] + modes.multiples(upTo: own.1)
    func wave(_ k: [Int], _ x: [Double]) -> Double {
      zip(k, x).reduce(1) { $0 * cos(Double.pi * Double($1.0) * $1.1) }
    }
    let a = numbers.indices.map { m in
      mass * modes.norms[m] * x.reduce(0) { $0 + wave(numbers[m], $1) } / Double(n)
    }
    var mean = Array(repeating: 0.0, count: a.count)
    for m in a.indices {
      let s = SignalStep(q: modes.squares[m], epsilon: epsilon, tau: 0.4, step: 0.02)
      let next = epsilon == 0 ? s.ca * a[m] : s.cc * before.c[m] + s.cw * before.w[m] + s.ca * a[m]
      mean[m] = epsilon == 0 ? next : 0.5 * (before.c[m] + next)
      if epsilon > 0 { #expect((next - after.c[m]).magnitude < 1e-9) }
    }
    let noise = Noise(key: Stream.key(seed: 2026, path: "particles"), replica: 1, tiles: 0..<2)
    for tile in 0..<2 {
      noise.taken[tile] = UInt64(2 * 256 * d)
      let normals = noise.normals(tile, 256 * d)
      for i in (256 * tile)..<min(n, 256 * (tile + 1)) {
        for j in 0..<d {
          var slope = 0.0
          for m in a.indices where numbers[m][j] > 0 {
            let k = Double(numbers[m][j])
            var factor = -Double.pi * k / modes.length * sin(Double.pi * k * x[i][j])
            for other in 0..<d where other != j { factor *= cos(Double.pi * Double(numbers[m][other]) * x[i][other]) }
            slope += mean[m] * factor
          }
          let shift = (0.02 * slope + 0.04.squareRoot() * normals[j * 256 + i % 256]) / modes.length
          var place = (x[i][j] + shift).truncatingRemainder(dividingBy: 2)
          if place < 0 { place += 2 }
          if place > 1 { place = 2 - place }
          #expect((place - y[i][j]).magnitude < 1e-10, "particle \(i), coordinate \(j)")
        }
      }
    }
    // What is measured at the end of the third record.
    let schema = leg.schema
    for (m, k) in numbers.enumerated() where k.allSatisfy({ $0 <= 1 }) && k.contains(1) {
      let measured = row[schema.index(2, schema.place(of: Observable("a", k, "").name)!)]
      let plain = mass * modes.norms[m] * y.reduce(0) { $0 + wave(k, $1) } / Double(n)
      #expect((measured - plain).magnitude < 1e-9)
      let factor = row[schema.index(2, schema.place(of: Observable("S", k, "").name)!)]
      #expect((factor - Double(n) * plain * plain / (mass * mass * modes.norms[m])).magnitude < 1e-8)
    }
    for j in 0..<d {
      let name = d == 1 ? "x^2" : "x^2[\(j)]"
      let plain = y.reduce(0) { $0 + $1[j] * $1[j] } / Double(n)
      #expect((row[schema.index(2, schema.place(of: name)!)] - plain).magnitude < 1e-11)
    }
  }

  /// Where the mass is small nothing draws the particles: a wave decays as exp(-q t) whatever the step, E x^2 follows. 24 replicas, two tests.
  @Test func freeParticlesDiffuse() throws {
    let found = try Chemo.rows(
      "domain = \"box\"\nmass = 1e-6\neps = 0.1\nlength = 2\nmodes = 4\nnumber = 4000\nstep = 0.1\nsteps = 4\nrecords = 4\nstart_amplitude = 0.8\ndraws = 24"
    )
    let q = (Double.pi / 2) * (Double.pi / 2)
    for record in [0, 3] {
      try Chemo.expect(
        found, "a[1]", record: record, 0.8e-6 * Elementary.exp(-q * 0.1 * Double(record + 1)), errors: 4.5)
    }
    // (x/L)^2 of the law 1 + A cos: 1/3 - 2A/pi^2.
    let a = 0.8 * Elementary.exp(-q * 0.4)
    try Chemo.expect(found, "x^2", record: 3, 1.0 / 3 - 2 * a / (Double.pi * Double.pi), errors: 4.5)
  }

  /// The start has its density: all modes of 1 + A cos(pi m x), m = 3, at the first step of a short one.
  @Test func startsHaveTheirDensity() throws {
    let found = try Chemo.rows(
      "domain = \"box\"\nmass = 1e-6\neps = 0\nmodes = 4\nobserved_modes = 4\nnumber = 20000\nstep = 1e-9\nsteps = 1\nstart_amplitude = -1\nstart_mode = 3\ndraws = 12"
    )
    for k in 1...4 { try Chemo.expect(found, "a[\(k)]", k == 3 ? -1e-6 : 0, errors: 5.5) }
  }

  @Test("Means of the signals are exact at every N and h") func means() throws {
    let found = try Chemo.rows(
      "domain = \"box\"\nmass = 2\neps = 0.5\ntau = 0.7\nlength = 3\nmodes = 3\nnumber = 37\nstep = 0.1\nsteps = 10\nrecords = 10\ndraws = 2"
    )
    for record in 0..<10 {
      let s = 0.1 * Double(record + 1) / 0.5
      let (c, w) = (2 * (1 - (1 + s) * Elementary.exp(-s)), 2 * (1 - Elementary.exp(-s)))
      #expect((try Chemo.moments(found, "mean_c", record: record).mean - c).magnitude < 1e-13)
      #expect((try Chemo.moments(found, "mean_w", record: record).mean - w).magnitude < 1e-13)
    }
  }

  /// A large kick wraps around at both walls.
  @Test func largeStepsAreFolded() throws {
    let (_, factory) = try process(
      "domain = \"box\"\nmass = 1\neps = 0\nlength = 0.01\nmodes = 2\nnumber = 200\nstep = 10\nsteps = 4\ndraws = 2")
    let replica = try factory.begin(context(), nil)
    try replica.advance(3)
    let x = try state(replica).x.prefix(200).map { Double($0) / 0x1p63 }
    #expect(x.allSatisfy { $0 >= 0 && $0 <= 1 })
    let mean = x.reduce(0, +) / 200
    // Uniform: 5 errors.
    #expect((mean - 0.5).magnitude < 5 * (1.0 / 12 / 200).squareRoot())
  }

  @Test("Suspended at once, between measurements and at the end, whole and in shards", arguments: boxes)
  func resumed(own: (Int, Int)) throws {
    let (_, factory) = try process(
      "domain = \"box\"\ndimension = \(own.0)\nmodes = \(own.1)\nmass = 3\neps = 0.1\nnumber = 300\nstep = 0.01\nwarm_up = 3\nsteps = 12\nrecords = 2\nmeasure_every = 2\nframe_every = 4\nstart_amplitude = 0.5\ndraws = 2"
    )
    let context = ReplicaContext(
      replica: 0, key: Stream.key(seed: 2026, path: "resume"), group: SelfCommunicator(), shards: nil)
    let whole = try factory.begin(context, nil)
    try whole.advance(factory.steps)
    let expected = try whole.finish()
    var stopped = try factory.begin(context, nil)
    for step in [0, 2, 3, 8, 9, 15] {
      try stopped.advance(step - stopped.step)
      let saved = try stopped.save()
      let coded = StateDecoder(bytes: saved.encoded.bytes).encoder
      stopped = try factory.begin(context, ReplicaState(replica: 0, step: saved.step, encoded: coded))
    }
    let found = try stopped.finish()
    #expect(found.row.map(\.bitPattern) == expected.row.map(\.bitPattern))
    #expect(found.trajectory!.positions.map(\.bitPattern) == expected.trajectory!.positions.map(\.bitPattern))
    #expect(found.trajectory!.steps == [7, 11, 15] && !found.trajectory!.positions.isEmpty)
  }
}
