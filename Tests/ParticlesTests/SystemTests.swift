import Experiments
import Particles
import Statistics
import Testing

/// Every system of the catalog: its gradient is that of its energy, and its certificate holds in its law.
@Suite struct SystemTests {
  /// Keys that a system needs, beyond those with defaults.
  static let needed: [String: [String: JobValue]] = [
    "two-layer": ["file": .text("data"), "classes": .list([.integer(0), .integer(1)])],
    "logistic-regression": ["file": .text("data"), "classes": .list([.integer(0), .integer(1)])],
    "least-squares": [
      "inputs": .list([1, -1, 2].map { .real($0) }), "targets": .list([0, 1, 1].map { .real($0) }),
    ],
    "gaussian-mean": ["values": .list([0.5, -1, 2.5, 0.7].map { .real($0) }), "precision": .real(1.5)],
    "gaussian": ["dimension": .integer(3), "condition": .real(10)], "power-law": ["alpha": .real(1.5)],
    "two-well": ["dimension": .integer(2)],
    "own": [
      "potential": .table(["formula": .text("a*x^4/4 - x^2/2"), "a": .real(1.5)]),
      "pair": .table(["formula": .text("exp(-r^2)")]), "dimension": .integer(2),
    ],
  ]
  static let smooth = ParticleCatalog.systems.map(\.name).filter { $0 != "curie-weiss" }

  static func model(_ name: String, number: Int, _ more: [String: JobValue] = [:]) throws -> SystemModel {
    let entry = ParticleCatalog.systems.first { $0.name == name }!
    let table: [String: JobValue] = [
      "system": .text(name), "number": .integer(Int64(number)), "step": .real(0.1), "steps": .integer(1),
    ].merging(needed[name] ?? [:]) { $1 }.merging(more) { $1 }
    let p = try Parameters(
      .table(table), path: ParticleFamily.table, allowed: ParticleCatalog.parameters + entry.parameters)
    return try entry.read(p) { Examples().table($0) }
  }

  /// Energy of all particles.
  static func energy(_ ensemble: Ensemble) throws -> Double {
    try ensemble.evaluate(at: ensemble.positions, gradient: ensemble.gradient, potential: ensemble.potential)
    return try ensemble.sum(ensemble.potential) + Double(ensemble.number) * ensemble.system.fieldEnergy(ensemble.field)
  }

  @Test("Gradient against differences of the energy", arguments: smooth)
  func gradient(_ name: String) throws {
    var variants: [[String: JobValue]] = [[:]]
    if name == "two-layer" { variants = [[:], ["unit": .text("relu"), "loss": .text("squared")]] }
    if name == "log-gas" || name == "gaussian-kernel" { variants = [[:], ["dimension": .integer(3)]] }
    for more in variants {
      // 300 particles: a full tile and a part of one.
      let model = try Self.model(name, number: 300, more)
      let ensemble = Ensemble(
        model, number: 300, hasVelocities: false, inverseTemperature: 1, stepSize: 0.1, key: 7, replica: 0,
        group: SelfCommunicator())
      ensemble.draw(mean: 0.1, std: 0.8)
      _ = try Self.energy(ensemble)
      for (tile, lane, k) in [(0, 0, 0), (0, 255, ensemble.tiling.dimension - 1), (1, 3, 0)] {
        let x = ensemble.positions[tile][k]
        let analytic = ensemble.gradient[tile][k][lane]
        let (start, d) = (x[lane], 1e-5)
        x[lane] = start + d
        let above = try Self.energy(ensemble)
        x[lane] = start - d
        let below = try Self.energy(ensemble)
        x[lane] = start
        _ = try Self.energy(ensemble)
        let numeric = (above - below) / (2 * d)
        let scale = max(1, analytic.magnitude)
        #expect((numeric - analytic).magnitude < 2e-5 * scale, "\(name) \(more): \(analytic) and \(numeric)")
      }
    }
  }

  /// The certificate has mean zero in exp(-beta H), which MALA samples without error: 14 systems, all |z| < 4 with probability 0.999.
  @Test("Certificate under MALA", arguments: smooth)
  func certificate(_ name: String) throws {
    let slow = ["two-layer", "log-gas", "gaussian-kernel"].contains(name)
    var keys: [String: JobValue] = [
      "system": .text(name), "integrator": .text("mala"), "number": .integer(slow ? 8 : 40), "step": .real(0.02),
      "steps": .integer(validating ? 40_000 : 15_000), "warm_up": .integer(4000), "replicas": .integer(8),
      "target_acceptance": .real(0.6),
      "measure_every": .integer(5), "inverse_temperature": .real(1.3),
    ].merging(Self.needed[name] ?? [:]) { $1 }
    if name == "two-layer" { keys["regularisation"] = .real(1) }
    if name == "log-gas" { keys["softening"] = .real(0.3) }
    let all = try legs(keys)
    let state = try run(all[0], name: "certificate/\(name)")
    let found = z(moments(state, all[0], "residual"), 0)
    #expect(found.magnitude < 4, "\(name): z = \(found)")
  }

  @Test("Curie-Weiss under the heat bath has its exact law; m = .65856966 at beta 1.2 and .85855964 at 1.5")
  func curieWeiss() throws {
    for (beta, m) in [(1.2, 0.65856966), (1.5, 0.85855964)] {
      let all = try legs([
        "system": .text("curie-weiss"), "integrator": .text("heat-bath"), "number": .integer(100), "step": .real(1),
        "steps": .integer(20_000), "warm_up": .integer(200), "replicas": .integer(12),
        "inverse_temperature": .real(beta),
      ])
      #expect((known(all, "stationary-limit", "|m|") - m).magnitude < 5e-9)
      let state = try run(all[0], name: "curie-weiss/\(beta)")
      for observable in all.first(where: { $0.role == .exact })!.observables.map(\.name) where observable != "m" {
        let found = z(moments(state, all[0], observable), known(all, "exact", observable))
        #expect(found.magnitude < 4, "beta = \(beta), \(observable): z = \(found)")
      }
    }
  }

  /// 8 runs, 5 observables each: all |z| < 4 with probability 0.997.
  @Test("Gaussian with attraction: the exact moments at N = 4, 16, 64, 256, h = 0.1 and without error in h")
  func attraction() throws {
    for (integrator, h) in [("lmc", 0.1), ("mala", 0.05)] {
      for number in [4, 16, 64, 256] {
        let n = Double(number)
        let all = try legs([
          "system": .text("gaussian-attraction"), "integrator": .text(integrator), "number": .integer(Int64(number)),
          "step": .real(integrator == "mala" ? h / n.squareRoot() : h),
          "steps": .integer(validating ? 40_000 : 10_000), "warm_up": .integer(500), "replicas": .integer(12),
          "measure_every": .integer(2), "histogram_every": .integer(100),
        ])
        // (1/N)/lambda + (1 - 1/N)/(lambda + theta), every curvature a as a (1 - h a/2).
        let lmc = (1 / n) / (1 - h / 2) + (1 - 1 / n) / (2 * (1 - h))
        let variance = integrator == "lmc" ? lmc : 1 / n + (1 - 1 / n) / 2
        #expect((known(all, "exact", "x^2") - variance).magnitude < 1e-12)
        let state = try run(all[0], name: "attraction/\(integrator)/\(number)")
        for observable in all.first(where: { $0.role == .exact })!.observables.map(\.name) {
          let found = z(moments(state, all[0], observable), known(all, "exact", observable))
          #expect(found.magnitude < 4, "\(integrator), N = \(number), \(observable): z = \(found)")
        }
      }
    }
  }

  @Test("Self-consistent values of the mean-field limits")
  func limits() throws {
    func limit(_ keys: [String: JobValue], _ name: String) throws -> Double {
      let all = try legs(
        keys.merging(["number": .integer(10), "step": .real(0.1), "steps": .integer(1), "warm_up": .integer(1)]) { $1 })
      return known(all, "stationary-limit", name)
    }
    let well: [String: JobValue] = ["system": .text("double-well"), "inverse_temperature": .real(1.5 * 2.1884396)]
    #expect((try limit(well, "|m|") - 0.69676071).magnitude < 2e-8)
    #expect((try limit(well, "x^2") - 0.69400474).magnitude < 2e-8)
    // beta_c = 2.1884396: a little below nothing, a little above something.
    #expect(try limit(["system": .text("double-well"), "inverse_temperature": .real(2.188)], "m^2") == 0)
    #expect(try limit(["system": .text("double-well"), "inverse_temperature": .real(2.189)], "m^2") > 2e-5)
    let oscillators: [String: JobValue] = [
      "system": .text("kuramoto"), "coupling": .real(4), "inverse_temperature": .real(1),
    ]
    #expect((try limit(oscillators, "r") - 0.83146202).magnitude < 1e-8)
    #expect(try limit(oscillators.merging(["coupling": .real(1.99)]) { $1 }, "r^2") == 0)
    // Gamma((p+1)/alpha)/Gamma(1/alpha): 2 for the Laplace law, 1/2 for alpha = 2.
    let laplace: [String: JobValue] = ["system": .text("power-law"), "integrator": .text("mala")]
    #expect((try limit(laplace, "x^2") - 2).magnitude < 1e-12)
    #expect((try limit(laplace, "x^4") - 24).magnitude < 1e-10)
    #expect((try limit(laplace.merging(["alpha": .real(2)]) { $1 }, "x^2") - 0.5).magnitude < 1e-13)
  }
}
