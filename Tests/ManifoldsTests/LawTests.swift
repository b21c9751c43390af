import Experiments
import Foundation
import Manifolds
import Testing

/// Stationary laws: every system under every move that takes it, against exact means at this size, and printed values of biased moves.
@Suite struct LawTests {
  struct Setting: Sendable, CustomTestStringConvertible {
    let system: String
    let keys: [String: JobValue]
    var moves = ["heat-bath", "hmc"]
    var testDescription: String { "\(system) \(keys.sorted { $0.key < $1.key })" }
  }

  static let settings: [Setting] = [
    Setting(system: "von-mises-fisher", keys: ["rank": .integer(2), "concentration": .real(1.5)]),
    Setting(
      system: "von-mises-fisher",
      keys: [
        "rank": .integer(3), "concentration": .real(2), "direction": .list([.real(-1), .integer(2), .real(0.5)]),
      ]),
    Setting(system: "von-mises-fisher", keys: ["rank": .integer(10), "concentration": .real(10)]),
    Setting(system: "sphere-pair", keys: ["rank": .integer(3), "inverse_temperature": .real(4)]),
    Setting(
      system: "sphere-pair", keys: ["rank": .integer(5), "inverse_temperature": .real(3), "coupling": .real(-2)]),
    Setting(
      system: "sphere-ring", keys: ["length": .integer(3), "rank": .integer(3), "inverse_temperature": .real(4)]),
    Setting(
      system: "sphere-ring", keys: ["length": .integer(5), "rank": .integer(2), "inverse_temperature": .real(3)]),
    Setting(
      system: "sphere-ring",
      keys: ["length": .integer(6), "rank": .integer(4), "inverse_temperature": .real(3), "coupling": .real(-2)]),
    Setting(system: "stiefel", keys: ["concentration": .real(3)]),
    Setting(system: "stiefel", keys: ["rows": .integer(6), "columns": .integer(4), "concentration": .real(5)]),
    Setting(system: "rotations", keys: ["concentration": .real(0.5)]),
    Setting(system: "rotations", keys: ["concentration": .real(2)]),
    Setting(system: "compact-u1", keys: ["length": .integer(4), "inverse_temperature": .real(1)]),
    Setting(system: "compact-u1", keys: ["length": .integer(3), "inverse_temperature": .real(2)]),
    Setting(system: "compact-u1", keys: ["length": .integer(2), "inverse_temperature": .real(0.5)]),
  ]

  /// At most five means of each of 30 runs of twelve replicas; 150 tests, |z| < 4.5 (1e-3 for any).
  @Test(arguments: settings) func movesWithoutBiasAreExact(setting: Setting) throws {
    let large = validating ? 20 : 1
    for move in setting.moves {
      var keys = setting.keys
      keys["system"] = .text(setting.system)
      keys["integrator"] = .text(move)
      keys["warm_up"] = .integer(100)
      keys["steps"] = .integer(Int64(300 * large))
      keys["replicas"] = .integer(12)
      let hasCopies = setting.system != "compact-u1"
      if hasCopies {
        keys["copies"] = .integer(move == "hmc" ? 4 : 64)
      } else {
        keys["steps"] = .integer(Int64(1500 * large))
      }
      if move == "hmc" {
        keys["step"] = .real(0.25)
        keys["leapfrog_steps"] = .integer(5)
      }
      let outcome = try Outcome(keys)
      #expect(outcome.known.contains { $0.name == "residual" && $0.value == 0 } && outcome.known.count >= 3)
      for (name, value) in outcome.known {
        let z = outcome.z(name, value)
        #expect(z.magnitude < 4.5, "\(setting) \(move): \(name) \(outcome.mean(name)), exact \(value), z = \(z)")
      }
      if move == "hmc" {
        let rate = outcome.mean("acceptance").value
        #expect(rate > 0.5 && rate < 1, "\(setting): \(rate)")
      }
    }
  }

  /// Printed means of biased moves, with the errors printed beside them: five tests, |z| < 4.
  @Test(arguments: [
    ("sphere-pair", 0.4, -0.4523, 0.0004), ("sphere-pair", 0.2, -0.4969, 0.0005), ("sphere-pair", 0.1, -0.5179, 0.0004),
    ("stiefel", 0.05, 0.5222, 0.0010), ("stiefel", 0.025, 0.5069, 0.0007),
  ])
  func biasesAreThosePrinted(system: String, step: Double, printed: Double, error: Double) throws {
    let isPair = system == "sphere-pair"
    let outcome = try Outcome([
      "system": .text(system), "integrator": .text(isPair ? "langevin" : "retracted"), "step": .real(step),
      "copies": .integer(64), "warm_up": .integer(300), "steps": .integer(validating ? 30_000 : 1500),
      "replicas": .integer(16),
      isPair ? "inverse_temperature" : "concentration": .real(isPair ? 4 : 3),
    ])
    let found = outcome.mean("cosine")
    let z = (found.value - printed) / (found.error * found.error + error * error).squareRoot()
    #expect(z.magnitude < 4, "\(system) \(step): \(found), printed \(printed)(\(error))")
  }

  /// The bias of Langevin steps is of order h: two step sizes extrapolate to the exact mean, and one does not reach it, but for the retraction on
  /// spheres, whose bias is several times smaller here. |z| < 4 and > 5.
  @Test(arguments: [
    ("sphere-pair", "langevin"), ("sphere-pair", "retracted"), ("rotations", "langevin"), ("stiefel", "retracted"),
  ])
  func biasesAreOfFirstOrder(system: String, move: String) throws {
    let name = system == "rotations" ? "trace" : "cosine"
    func run(_ step: Double) throws -> Outcome {
      try Outcome([
        "system": .text(system), "integrator": .text(move), "step": .real(step), "copies": .integer(64),
        system == "sphere-pair" ? "inverse_temperature" : "concentration": .real(system == "sphere-pair" ? 4 : 1),
        "warm_up": .integer(300), "steps": .integer(validating ? 40_000 : 3000), "replicas": .integer(16),
      ])
    }
    let (coarse, fine) = (try run(0.1), try run(0.05))
    let (a, b) = (coarse.mean(name), fine.mean(name))
    let known = try Outcome([
      "system": .text(system), "warm_up": .integer(1), "steps": .integer(2), "replicas": .integer(2),
      system == "sphere-pair" ? "inverse_temperature" : "concentration": .real(system == "sphere-pair" ? 4 : 1),
    ]).known.first { $0.name == name }!.value
    let error = (4 * b.error * b.error + a.error * a.error).squareRoot()
    // The next order adds a few times h^2.
    let rest = 2 * b.value - a.value - known
    #expect(rest.magnitude < 4 * error + 0.012, "\(system) \(move): \(rest) +- \(error)")
    if move == "retracted" && system == "sphere-pair" { return }
    #expect(coarse.z(name, known).magnitude > 5, "\(system) \(move): \(a), exact \(known)")
  }

  /// Printed traces on SO(3).
  @Test(arguments: [(0.5, 0.61265), (1, 1.30879), (2, 2.16361)]) func tracesAreThosePrinted(
    kappa: Double, value: Double
  ) throws {
    let legs = try legs([
      "system": .text("rotations"), "concentration": .real(kappa), "warm_up": .integer(1), "steps": .integer(2),
    ])
    #expect((legs[1].known!.mean(of: "trace", record: 0)! - value).magnitude < 6e-6)
  }

  /// Rotations as unit quaternions: uniform ones accepted with probability exp(4 kappa (q_0^2 - 1)) have tr R = 4 q_0^2 - 1. |z| < 4.
  @Test func rotationsAreBinghamQuaternions() throws {
    let (noise, kappa) = (noise("quaternions"), 1.0)
    let batch = Batch(Sphere(4))
    var traces: [Double] = []
    while traces.count < (validating ? 200_000 : 10_000) {
      batch.drawUniform(noise)
      for i in 0..<batch.count {
        let square = batch.x[i] * batch.x[i]
        if noise.uniform() < exp(4 * kappa * (square - 1)) { traces.append(4 * square - 1) }
      }
    }
    let legs = try legs([
      "system": .text("rotations"), "concentration": .real(kappa), "warm_up": .integer(1), "steps": .integer(2),
    ])
    for (name, power) in [("trace", 1), ("trace^2", 2)] {
      let values = traces.map { power == 1 ? $0 : $0 * $0 }
      let mean = values.reduce(0, +) / Double(values.count)
      let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)
      let z = (mean - legs[1].known!.mean(of: name, record: 0)!) / (variance / Double(values.count)).squareRoot()
      #expect(z.magnitude < 4, "\(name): \(z)")
    }
  }

  /// Frames drawn otherwise: x_1 by the heat bath of the sphere, x_2 uniform in its complement. E (mu . x_1)^2 (mu . x_2)^2 of both, |z| < 4.
  @Test func framesAreVonMisesFisherAndAComplement() throws {
    let (n, kappa, noise) = (5, 3.0, noise("frames"))
    func products(
      _ draw: (Batch, Batch) -> Void, _ manifold: any Manifold, _ pick: (Batch, Batch, Int) -> (Double, Double)
    )
      -> [Double]
    {
      let (batch, other) = (Batch(manifold), Batch(Sphere(n)))
      var result: [Double] = []
      batch.drawUniform(noise)
      for round in 0..<(validating ? 20_000 : 1000) {
        draw(batch, other)
        if round < 20 { continue }
        var total = 0.0
        for i in 0..<batch.count {
          let (a, b) = pick(batch, other, i)
          total += a * a * b * b
        }
        result.append(total / Double(batch.count))
      }
      return result
    }
    let direct = products(
      { batch, other in
        for c in 0..<n { for i in 0..<batch.count { batch.u[c * Lanes.width + i] = c == 0 ? -kappa : 0 } }
        batch.manifold.renew(batch.x, field: batch.u, beta: 1, noise, batch.count, room: batch.room)
        other.fill(other.x, noise)
        other.manifold.project(other.x, at: batch.x, batch.count, room: batch.room)
        other.manifold.normalise(other.x, batch.count, room: other.room)
      }, Sphere(n), { ($0.x[$2], $1.x[$2]) })
    let bath = products(
      { batch, _ in
        for c in 0..<2 * n { for i in 0..<batch.count { batch.u[c * Lanes.width + i] = c == 0 ? -kappa : 0 } }
        batch.manifold.renew(batch.x, field: batch.u, beta: 1, noise, batch.count, room: batch.room)
      }, Frames(rows: n, columns: 2), { batch, _, i in (batch.x[i], batch.x[Lanes.width + i]) })
    func moments(_ values: [Double]) -> (mean: Double, variance: Double) {
      // Batches of 20 rounds: the rotations of rows keep some memory.
      let means = stride(from: 0, to: values.count - 19, by: 20).map { values[$0..<$0 + 20].reduce(0, +) / 20 }
      let mean = means.reduce(0, +) / Double(means.count)
      return (mean, means.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(means.count * (means.count - 1)))
    }
    let (a, b) = (moments(direct), moments(bath))
    let z = (a.mean - b.mean) / (a.variance + b.variance).squareRoot()
    #expect(z.magnitude < 4, "\(a.mean) \(b.mean)")
  }
}
