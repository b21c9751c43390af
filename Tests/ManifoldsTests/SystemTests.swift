import Experiments
import Foundation
import Manifolds
import Randomness
import Support
import Testing

/// Every line of the catalog of systems: fields against differences of an energy, and what bad keys say.
@Suite struct SystemTests {
  private static let least: [String: JobValue] = [
    "steps": .integer(4), "warm_up": .integer(2), "replicas": .integer(2),
  ]

  private func system(_ keys: [String: JobValue]) throws -> any ManifoldSystem {
    let entry = ManifoldCatalog.systems.first { .text($0.name) == keys["system"] }!
    let p = try Parameters(
      .table(keys.merging(Self.least) { own, _ in own }), path: "manifold",
      allowed: ManifoldCatalog.parameters + entry.parameters)
    return try entry.read(p).make()
  }

  /// sum g . x / degree changes by g_i . d when site i moves by d, however far: H is affine in every site.
  @Test(arguments: LawTests.settings) func energiesAreAffineInEverySite(setting: LawTests.Setting) throws {
    var keys = setting.keys
    keys["system"] = .text(setting.system)
    if setting.system != "compact-u1" { keys["copies"] = .integer(3) }
    let system = try system(keys)
    let array = SiteArray(
      system, inverseTemperature: 1, stepSize: 0.1, key: Stream.key(seed: 1, path: "affine \(setting)"), replica: 0)
    array.drawUniform()
    array.evaluate()
    let count = system.sites * array.rowLength
    let x = Array(UnsafeBufferPointer(start: array.x, count: count))
    let fields = Array(UnsafeBufferPointer(start: array.fields, count: count))
    let before = array.energy(array.x, array.fields)
    for site in 0..<system.sites {
      array.x.update(from: x, count: count)
      var expected = before
      for c in 0..<system.manifold.width {
        let move = 0.3 * Double(c + 1) - 0.5
        array.x[site * array.rowLength + c] += move
        expected += move * fields[site * array.rowLength + c]
      }
      array.hasFields = false
      array.evaluate()
      #expect((array.energy(array.x, array.fields) - expected).magnitude < 1e-12 * Double(system.sites), "site \(site)")
      // Others feel it if and only if they are neighbours.
      let felt = (0..<system.sites).filter { other in
        other != site
          && (0..<array.rowLength).contains {
            array.fields[other * array.rowLength + $0] != fields[other * array.rowLength + $0]
          }
      }
      #expect(Set(felt) == Set(system.neighbours(of: site)), "site \(site)")
    }
  }

  /// The energy of spins by the cosines of their edges, for rows of every kind of length.
  @Test(arguments: [2, 3, 4, 5, 8, 11]) func spinsHaveTheEnergyOfTheirEdges(rank: Int) throws {
    let weights = [0.7, -1.3, 2.1, 0.4]
    let pairs = [(0, 1), (1, 2), (0, 3), (2, 3)]
    let graph = WeightedGraph(count: 4, edges: zip(pairs, weights).map { ($0.0, $0.1, $1) })
    let array = SiteArray(
      SpinGraph(graph, rank: rank), inverseTemperature: 1, stepSize: 0.1, key: UInt64(rank), replica: 0)
    array.drawUniform()
    array.evaluate()
    let cosines = pairs.map { i, j in
      (0..<rank).reduce(0.0) { $0 + array.x[i * array.rowLength + $1] * array.x[j * array.rowLength + $1] }
    }
    #expect((array.energy(array.x, array.fields) - 0.5 * dot(cosines, weights)).magnitude < 1e-14)
  }

  /// The energy of a lattice by its angles.
  @Test func theLatticeIsThatOfAngles() throws {
    let length = 3
    let system = try system(["system": .text("compact-u1"), "length": .integer(3)])
    let array = SiteArray(system, inverseTemperature: 1, stepSize: 0.1, key: 5, replica: 0)
    array.drawUniform()
    array.evaluate()
    func angle(_ x: Int, _ y: Int, _ up: Int) -> Double {
      let link = 2 * (x % length + length * (y % length)) + up
      return atan2(array.x[2 * link + 1], array.x[2 * link])
    }
    var (energy, charge) = (0.0, 0.0)
    for x in 0..<length {
      for y in 0..<length {
        let turn = angle(x, y, 0) + angle(x + 1, y, 1) - angle(x, y + 1, 0) - angle(x, y, 1)
        energy -= cos(turn)
        charge += remainder(turn, 2 * Double.pi) / (2 * Double.pi)
      }
    }
    #expect((array.energy(array.x, array.fields) - energy).magnitude < 1e-12)
    var values = [0.0, 0.0]
    system.measure(array.x, energy: energy, into: &values)
    #expect((values[0] + energy / 9).magnitude < 1e-13 && (values[1] - charge * charge).magnitude < 1e-9)
    #expect(charge != 0)
  }

  @Test(
    arguments: [
      (["system": .text("sphere-ringg")], ["manifold.system = \"sphere-ringg\"", "did you mean sphere-ring?"]),
      (["integrator": .text("langevim"), "step": .real(0.1)], ["manifold.integrator", "did you mean langevin?"]),
      (["rank": .integer(1)], ["manifold.rank = 1", "[2, 4096]", "the nearest is 2"]),
      (["rnak": .integer(3)], ["manifold.rnak", "did you mean rank?"]),
      (["length": .integer(2)], ["manifold.length = 2", "the nearest is 3"]),
      (["coupling": .real(.nan)], ["manifold.coupling", "[-1000000000.0, 1000000000.0]"]),
      (["copies": .integer(0)], ["manifold.copies = 0", "the nearest is 1"]),
      (
        ["copies": .integer(1_000_000), "length": .integer(1_000_000)], ["manifold.copies", "at most 89 at this size"]
      ),
      (["inverse_temperature": .real(-1)], ["manifold.inverse_temperature = -1.0", "[0.0, "]),
      (
        ["integrator": .text("langevin"), "step": .real(0.1), "inverse_temperature": .real(0)],
        ["manifold.inverse_temperature = 0.0", "above 0 for langevin"]
      ),
      (["integrator": .text("langevin")], ["manifold.step is missing", "(0.0, 1000.0]"]),
      (["integrator": .text("langevin"), "step": .real(0)], ["manifold.step = 0.0"]),
      (["leapfrog_steps": .integer(5)], ["manifold.leapfrog_steps", "unknown key"]),
      (
        ["integrator": .text("hmc"), "step": .real(0.1), "leapfrog_steps": .integer(0)],
        ["manifold.leapfrog_steps = 0", "the nearest is 1"]
      ),
      (["start": .text("alinged")], ["manifold.start", "did you mean aligned?"]),
      (["steps": .integer(7), "records": .integer(2)], ["manifold.steps = 7", "the nearest is 8"]),
      (
        ["measure_every": .integer(2), "frame_every": .integer(3)],
        ["manifold.frame_every = 3", "multiple of measure_every"]
      ),
      (
        ["system": .text("von-mises-fisher"), "length": .integer(4)],
        ["manifold.length", "unknown key"]
      ),
    ] as [([String: JobValue], [String])])
  func badKeysAreNamed(keys: [String: JobValue], words: [String]) {
    var usual: [String: JobValue] = ["system": .text("sphere-ring"), "length": .integer(5)]
    if keys["system"] == .text("von-mises-fisher") { usual["length"] = nil }
    refused(usual.merging(keys) { $1 }, words)
  }

  @Test(
    arguments: [
      (
        "von-mises-fisher", ["direction": .list([.real(1), .real(0)])],
        ["manifold.direction", "3 finite numbers, not all 0"]
      ),
      ("von-mises-fisher", ["direction": .list([.real(0), .real(0), .real(0)])], ["manifold.direction", "not all 0"]),
      (
        "von-mises-fisher", ["direction": .list([.real(0), .text("a"), .real(1)])],
        ["manifold.direction", "3 finite numbers"]
      ),
      ("von-mises-fisher", ["direction": .real(1)], ["manifold.direction = 1.0", "an array of 3"]),
      ("von-mises-fisher", ["concentration": .real(-1)], ["manifold.concentration = -1.0", "[0.0, "]),
      ("stiefel", ["rows": .integer(3), "columns": .integer(3)], ["manifold.columns = 3", "below rows = 3"]),
      (
        "stiefel",
        ["rows": .integer(20), "columns": .integer(17), "integrator": .text("langevin"), "step": .real(0.1)],
        ["manifold.integrator", "more than 16 vectors", "retracted or heat-bath"]
      ),
      (
        "stiefel", ["rows": .integer(20), "columns": .integer(17), "integrator": .text("hmc"), "step": .real(0.1)],
        ["manifold.integrator", "more than 16 vectors", "retracted or heat-bath"]
      ),
      ("compact-u1", ["length": .integer(1)], ["manifold.length = 1", "the nearest is 2"]),
      ("compact-u1", ["copies": .integer(3)], ["manifold.copies", "unknown key"]),
      ("rotations", ["rank": .integer(3)], ["manifold.rank", "unknown key"]),
    ] as [(String, [String: JobValue], [String])])
  func badKeysOfOtherSystems(system: String, keys: [String: JobValue], words: [String]) {
    refused(keys.merging(["system": .text(system)]) { $1 }, words)
  }

  private func refused(_ keys: [String: JobValue], _ words: [String]) {
    #expect(complaint("\(keys)", says: words) { _ = try legs(keys.merging(Self.least) { own, _ in own }) } == nil)
  }

  /// A step so large that the angle leaves the range of sines is a fault, not a number.
  @Test func stepsBeyondAllRangesAreFaults() throws {
    let leg = try legs([
      "system": .text("sphere-pair"), "integrator": .text("langevin"), "step": .real(1000), "coupling": .real(1e9),
      "warm_up": .integer(0), "steps": .integer(10), "replicas": .integer(1),
    ])[0]
    let replica = try leg.experiment!.replicas!.begin(
      ReplicaContext(replica: 0, key: 3, group: SelfCommunicator()), nil)
    try replica.advance(3)
    #expect(replica.fault != nil)
  }

  /// Runs without warm-up are compared with nothing; moves with a bias with a limit, others with what is exact.
  @Test func referencesFollowFromTheMove() throws {
    func names(_ keys: [String: JobValue]) throws -> [String] {
      try legs(keys.merging(["system": .text("sphere-pair"), "steps": .integer(4)]) { $1 }).map(\.name)
    }
    #expect(try names([:]) == ["manifold"])
    #expect(try names(["warm_up": .integer(1)]) == ["manifold", "exact"])
    #expect(
      try names(["warm_up": .integer(1), "integrator": .text("langevin"), "step": .real(0.1)])
        == ["manifold", "gibbs-law"])
  }
}
