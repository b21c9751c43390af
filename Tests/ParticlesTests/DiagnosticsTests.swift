import Kernels
import Particles
import Simulation
import Statistics
import Testing

/// What the replicas say about themselves, where the truth is known.
@Suite struct DiagnosticsTests {
  private func diagnose(_ keys: [String: JobValue]) throws -> Diagnostics {
    let all = try legs(keys)
    let state = try run(all[0], name: "main/particles")
    let job = Job(
      title: "", seed: 2026, cases: [Case(label: "main", swept: [:], legs: all)],
      tolerances: Tolerances(distance: 0.01, mean: 0.05, alpha: 0.01), covarianceLimit: 24, text: "", identity: [])
    return try #require(Diagnostics.all(Snapshot(job: job, states: [state], provenance: [])).first)
  }

  private static let chains: [String: JobValue] = [
    "system": .text("cosine-well"), "integrator": .text("mala"), "number": .integer(512), "step": .real(0.15),
    "steps": .integer(4000), "warm_up": .integer(300), "replicas": .integer(8), "histogram_every": .integer(10),
  ]

  @Test("An exact sampler: the law at distance 0, R-hat 1, entropy and free energy of exp(-U)")
  func exact() throws {
    let found = try diagnose(Self.chains)
    let law = try #require(found.marginals.first)
    // KL of binned counts against the law: 5 of its errors, with the noise of some 16,000 effective values left over.
    #expect(law.divergence.magnitude < 5 * law.divergenceError + 2e-4, "\(law)")
    #expect(law.w2 < 0.03, "\(law)")
    // -log Z is the free energy at beta = 1; its terms by quadrature.
    let points = (0...8000).map { -10 + 0.0025 * Double($0) }
    let z = points.reduce(0) { $0 + 0.0025 * Elementary.exp(-0.5 * $1 * $1 - Elementary.sinCos(2 * $1).cos) }
    let free = try #require(found.freeEnergy)
    #expect((free.value + Elementary.log(z)).magnitude < 5 * free.error + 5e-3, "\(free) \(-Elementary.log(z))")
    for row in found.rows where row.observable != "acceptance" {
      #expect(row.rHat < 1.1 && row.rHat >= 1, "\(row)")
      // Two estimates of one error: the replicas' has 7 degrees of freedom, batch means some 300.
      #expect(row.error / row.batchMeansError > 0.3 && row.error / row.batchMeansError < 2.5, "\(row)")
      // 4,000 values in each of 8 replicas, correlated.
      #expect(row.effectiveSamples > 200 && row.effectiveSamples < 40_000, "\(row)")
    }
    #expect(found.sentence.contains("nothing speaks against"), "\(found.sentence)")
  }

  @Test("A step that is too large, and a start that is far away, are named")
  func faults() throws {
    let biased = try diagnose(Self.chains.merging(["integrator": .text("lmc")]) { $1 })
    #expect(biased.sentence.contains("is not exp(-beta H)"), "\(biased.sentence)")
    let law = try #require(biased.marginals.first)
    #expect(law.divergence > 10 * law.divergenceError, "\(law)")
    let far = try diagnose(
      Self.chains.merging([
        "start_mean": .real(8), "step": .real(0.002), "warm_up": .integer(1), "steps": .integer(400),
        "histogram_every": .integer(1),
      ]) { $1 })
    #expect(far.sentence.contains("longer runs are needed"), "\(far.sentence)")
  }
}
