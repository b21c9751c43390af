import Experiments
import Manifolds
import Randomness
import Statistics
import Testing

/// Geodesics of frames, and Hamiltonian Monte Carlo along them.
@Suite struct StiefelTests {
  /// X'' = -X V^T V by Runge and Kutta's method in 4,000 steps, of a time that is halved once and of one that is halved often.
  @Test(arguments: [(5, 2, 0.7), (6, 4, 0.3), (5, 2, 3.0), (9, 1, 1.0)])
  func geodesicsSolveTheirEquation(n: Int, p: Int, time: Double) {
    let frames = Frames(rows: n, columns: p)
    let noise = noise("geodesics \(n) \(p) \(time)")
    let batch = Batch(frames)
    batch.drawUniform(noise)
    batch.fill(batch.u, noise)
    frames.project(batch.u, at: batch.x, batch.count, room: batch.room)
    let starts = (0..<3).map { (batch[batch.x, $0], batch[batch.u, $0]) }
    frames.flow(batch.x, batch.u, time: time, batch.count, room: batch.room)
    func acceleration(_ x: [Double], _ v: [Double]) -> [Double] {
      var result = Array(repeating: 0.0, count: n * p)
      for a in 0..<p {
        for c in 0..<p {
          var product = 0.0
          for r in 0..<n { product += v[r * p + a] * v[r * p + c] }
          for r in 0..<n { result[r * p + c] -= x[r * p + a] * product }
        }
      }
      return result
    }
    func moved(_ a: [Double], _ h: Double, _ b: [Double]) -> [Double] { zip(a, b).map { $0 + h * $1 } }
    for (lane, start) in starts.enumerated() {
      var (x, v) = start
      let h = time / 4000
      for _ in 0..<4000 {
        let k1 = (v, acceleration(x, v))
        let (x2, v2) = (moved(x, 0.5 * h, k1.0), moved(v, 0.5 * h, k1.1))
        let k2 = (v2, acceleration(x2, v2))
        let (x3, v3) = (moved(x, 0.5 * h, k2.0), moved(v, 0.5 * h, k2.1))
        let k3 = (v3, acceleration(x3, v3))
        let (x4, v4) = (moved(x, h, k3.0), moved(v, h, k3.1))
        let k4 = (v4, acceleration(x4, v4))
        for (weight, k) in [(1.0, k1), (2, k2), (2, k3), (1, k4)] {
          x = moved(x, weight * h / 6, k.0)
          v = moved(v, weight * h / 6, k.1)
        }
      }
      for (found, expected) in [(batch[batch.x, lane], x), (batch[batch.u, lane], v)] {
        for k in 0..<n * p { #expect((found[k] - expected[k]).magnitude < 1e-8, "lane \(lane), entry \(k)") }
      }
    }
  }

  /// A trajectory from a fresh frame of the target exp(3 mu . x_1), by four sweeps of the heat bath, and the cells that it leads from and to: of mu . x_1 and (mu . x_2)^2, four each. What is measured is 1 where it goes from
  /// one cell to another, less 1 where it goes back.
  private struct Balance: Process {
    let system: SystemModel
    let trajectory, bath: MoveModel
    let schedule = Schedule(warmUp: 20, steps: 3000)
    static let pairs = (0..<2).flatMap { k in (0..<4).flatMap { a in (a + 1..<max(a + 1, 4)).map { (k, a, $0) } } }
    var observables: [Observable] {
      Self.pairs.map { Observable("flux", [$0.0, $0.1, $0.2], "net moves") } + [Observable("acceptance", "rate")]
    }

    func begin(_ context: ReplicaContext, from saved: StateDecoder?) -> Chain { Chain(self, context) }

    final class Chain: Dynamics {
      private let array: SiteArray
      private let trajectory, bath: any Move
      private var from: [Int] = []
      private var to: [Int] = []

      init(_ balance: Balance, _ context: ReplicaContext) {
        array = SiteArray(
          balance.system.make(), inverseTemperature: 1, stepSize: 0.8, key: context.key, replica: context.replica)
        (trajectory, bath) = (balance.trajectory.make(array), balance.bath.make(array))
        array.drawUniform()
      }

      private var cells: [Int] {
        let (first, second) = (array.x[0], array.x[1] * array.x[1])
        return [
          first < 0.3 ? 0 : first < 0.55 ? 1 : first < 0.75 ? 2 : 3,
          second < 0.02 ? 0 : second < 0.1 ? 1 : second < 0.3 ? 2 : 3,
        ]
      }

      func step(_ moment: Moment) {
        for _ in 0..<4 { bath.step(array, moment) }
        from = cells
        trajectory.step(array, moment)
        to = cells
      }

      func measure(_ info: Void, into values: UnsafeMutablePointer<Double>) {
        for (place, (k, a, b)) in Balance.pairs.enumerated() {
          values[place] = (from[k], to[k]) == (a, b) ? 1 : (from[k], to[k]) == (b, a) ? -1 : 0
        }
        values[Balance.pairs.count] = Double(array.accepted) / Double(array.tried)
      }

      func encode(to encoder: inout StateEncoder) {}
    }
  }

  /// Detailed balance: as many trajectories go from one cell to another as back. Three leaps of 0.8, of which a quarter is rejected; twelve pairs of cells, |z| < 4 for all with probability 0.999.
  @Test func trajectoriesAreInDetailedBalance() throws {
    func entry<E: Entry>(_ name: String, _ entries: [E]) throws -> E {
      try #require(entries.first { $0.name == name })
    }
    let (system, hmc) = (try entry("stiefel", ManifoldCatalog.systems), try entry("hmc", ManifoldCatalog.moves))
    let bath = try entry("heat-bath", ManifoldCatalog.moves)
    func parameters(_ keys: [String: JobValue], _ own: [Parameter]) throws -> Parameters {
      try Parameters(
        .table(["system": .text("stiefel"), "steps": .integer(1)].merging(keys) { $1 }), path: "manifold",
        allowed: ManifoldCatalog.parameters + own)
    }
    let balance = Balance(
      system: try system.read(parameters(["concentration": .real(3)], system.parameters)),
      trajectory: try hmc.read(parameters(["step": .real(0.8), "leapfrog_steps": .integer(3)], hmc.parameters)),
      bath: try bath.read(parameters([:], bath.parameters)))
    let factory = try #require(Experiment(balance).replicas)
    let rows = try (0..<12).map { id in
      let replica = try factory.begin(
        ReplicaContext(replica: UInt64(id), key: Stream.key(seed: 2026, path: "balance"), group: SelfCommunicator()),
        nil)
      try replica.advance(factory.steps)
      return try replica.finish().row
    }
    let rate = rows.reduce(0) { $0 + $1[Balance.pairs.count] } / 12
    #expect(rate > 0.65 && rate < 0.82, "\(rate)")
    for (place, pair) in Balance.pairs.enumerated() {
      let found = Moments(values: rows.map { $0[place] })
      let z = Student.equivalentZ(found.mean / found.meanError, degreesOfFreedom: 11)
      #expect(z.magnitude < 4, "\(pair): \(found.mean)(\(found.meanError))")
    }
  }

  /// Printed means of V_(5,2), kappa = 3, at a step that rejects: |z| < 4.
  @Test func printedMeans() throws {
    let outcome = try Outcome([
      "system": .text("stiefel"), "integrator": .text("hmc"), "concentration": .real(3), "step": .real(0.8),
      "leapfrog_steps": .integer(3), "warm_up": .integer(50), "steps": .integer(validating ? 40_000 : 4000),
      "replicas": .integer(12),
    ])
    for (name, value) in [("cosine", 0.48890), ("second^2", 0.48890 / 3)] {
      let z = outcome.z(name, value)
      #expect(z.magnitude < 4, "\(name): \(outcome.mean(name)), printed \(value)")
    }
  }
}
