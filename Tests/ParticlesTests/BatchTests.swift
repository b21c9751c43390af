import Experiments
import Foundation
import Limits
import Particles
import Testing

/// Which batch is drawn where, and the exact law of what batches do, where moments of the chains say little.
@Suite struct BatchTests {
  private static func numbers(_ values: [Double]) -> JobValue { .list(values.map { .real($0) }) }
  private static let parabolas: [String: JobValue] = [
    "system": .text("least-squares"), "inputs": numbers([1, -1, 2]), "targets": numbers([0, 1, 1]),
    "inverse_temperature": .real(50), "number": .integer(512), "warm_up": .integer(400), "step": .real(0.1),
    "steps": .integer(1000), "replicas": .integer(12), "batch": .integer(1),
  ]

  private static func ensemble(_ number: Int, batch: Int64) throws -> Ensemble {
    let values = numbers((0..<1000).map { Double($0) })
    let model = try SystemTests.model("gaussian-mean", number: number, ["values": values, "batch": .integer(batch)])
    let found = Ensemble(
      model, number: number, hasVelocities: false, inverseTemperature: 1, stepSize: 0.1, key: 7, replica: 0,
      group: SelfCommunicator())
    found.draw(mean: 0, std: 0)
    return found
  }

  /// Tiles, steps and evaluations within a step have batches of their own: of 1000 examples with gradients of their own, at one place.
  @Test func everyEvaluationHasItsBatch() throws {
    let ensemble = try Self.ensemble(600, batch: 1)
    func gradients(_ array: ParticleArray) -> [[Double]] {
      (0..<2).map { tile in (0..<256).map { array[tile][0][$0] } }
    }
    try ensemble.evaluateBatch(1)
    let first = gradients(ensemble.gradient)
    #expect(first[0] != first[1])
    try ensemble.evaluateBatch(2)
    #expect(gradients(ensemble.gradient)[0] != first[0])
    try ensemble.evaluateBatch(1)
    #expect(gradients(ensemble.gradient) == first)
    // Elsewhere, as within a step.
    let (within, slopes) = (ParticleArray(ensemble.tiling), ParticleArray(ensemble.tiling))
    try ensemble.evaluate(at: within, gradient: slopes)
    let inner = gradients(slopes)
    #expect(inner[0] != first[0] && inner[1] != first[1])
    // All examples come up, the last one too: 153,600 picks of 1000, each missing with probability e^-153.
    var seen: Set<Double> = []
    for step in 1...300 {
      try ensemble.evaluateBatch(step)
      for values in gradients(ensemble.gradient) { seen.formUnion(values) }
    }
    #expect(seen.count == 1000)
  }

  /// Moments of the mean curvature of batches, over all batches there are: 3 examples, b = 1, 2 and 3 drawn with replacement. What the rule of the step has must be theirs: E (1 - h A_B)^2 and ^4 decide
  /// where second moments and error bars end.
  @Test(arguments: [1, 2, 3]) func batchesOfFewExamples(batch: Int) throws {
    let squares = [1.0, 1, 4]
    var means: [Double] = [0]
    for _ in 0..<batch { means = means.flatMap { sum in squares.map { sum + $0 / Double(batch) } } }
    func growth(_ h: Double, _ power: Double) -> Double {
      means.reduce(0) { $0 + pow(1 - h * $1, power) } / Double(means.count)
    }
    func observables(_ h: Double) throws -> Int {
      let keys = Self.parabolas.merging(["batch": .integer(Int64(batch)), "step": .real(h)]) { $1 }
      return try legs(keys).first { $0.role == .exact }?.observables.count ?? 0
    }
    // The step at which E (1 - h A)^4 = 1.
    var (low, high) = (0.1, 1.0)
    for _ in 0..<60 {
      let middle = 0.5 * (low + high)
      if growth(middle, 4) < 1 { low = middle } else { high = middle }
    }
    #expect(growth(high, 2) < 1)
    #expect(try observables(0.999 * low) > 1)
    #expect(try observables(1.001 * high) == 1)
  }

  /// Exact values of least squares with a batch, by the closed form of LMC: A = 2, B/A = 1/6 of x = (1, -1, 2), y = (0, 1, 1).
  @Test func exactMeans() throws {
    let (beta, h, a, mode) = (50.0, 0.1, 2.0, 1.0 / 6)
    let variance = 2.0
    let forces = [1 * mode - 0, 1 * mode + 1, 4 * mode - 2]
    let force = forces.reduce(0) { $0 + $1 * $1 } / 3
    let v = (h * h * force + 2 * h / beta) / (2 * h * a - h * h * (a * a + variance))
    let all = try legs(Self.parabolas)
    let least = (0.0 + 1 + 1) / 6 - 0.5 * a * mode * mode
    for (name, value) in [
      ("x", mode), ("x^2", mode * mode + v), ("deviation^2", v), ("energy", least + 0.5 * a * v),
      ("residual", beta * a * v - 1), ("gradient_variance", variance * v + force),
    ] { #expect((known(all, "exact", name) - value).magnitude < 1e-12 * (1 + value.magnitude), "\(name)") }
    // Batches of few examples are no normal variables, and have no known fourth moment.
    #expect(!all.first { $0.role == .exact }!.observables.contains { $0.name == "x^4" })
    let whole = try legs(Self.parabolas.filter { $0.key != "batch" })
    let w = 2 * h / beta / (2 * h * a - h * h * a * a)
    #expect((known(whole, "exact", "x^4") - (pow(mode, 4) + 6 * mode * mode * w + 3 * w * w)).magnitude < 1e-14)
    // The law as h -> 0, by its density.
    let marginal = try #require(all[0].marginalLaw)
    let deviation = 1 / (beta * a).squareRoot()
    for z in [-1.5, 0, 1] {
      let below = 0.5 * (1 + erf(z / 2.0.squareRoot()))
      #expect((marginal.probability(below: mode + z * deviation).lowerBound - below).magnitude < 2e-3)
    }
  }

  /// A step that leaves squares without a variance is said beside the job.
  @Test func heavyTailsAreSaid() throws {
    _ = Notes.take()
    _ = try legs(Self.parabolas.merging(["step": .real(0.6)]) { $1 })
    #expect(Notes.take().contains { $0.contains("leaves the squares of the stationary law no variance") })
    _ = try legs(Self.parabolas)
    #expect(!Notes.take().contains { $0.contains("no variance") })
  }

  /// The modified law away from beta = 1: the harmonic one is exact, U'' counts over beta, and the order is 2.
  @Test func modifiedLawAtOtherTemperatures() throws {
    let (beta, h) = (4.0, 0.05)
    let own: [String: JobValue] = [
      "system": .text("own"), "potential": .table(["formula": .text("x^2/2 + cos(2*x)")]), "number": .integer(64),
      "inverse_temperature": .real(beta), "step": .real(h), "warm_up": .integer(100), "steps": .integer(100),
    ]
    let all = try legs(own, limits: ["modified-law"])
    var (mass, energy, residual) = (0.0, 0.0, 0.0)
    for i in -6000...6000 {
      let x = Double(i) * 1e-3
      let (u, slope, curvature) = (0.5 * x * x + cos(2 * x), x - 2 * sin(2 * x), 1 - 4 * cos(2 * x))
      let weight = exp(-beta * (u - h * (0.25 * slope * slope - 0.5 * curvature / beta)))
      mass += weight
      energy += weight * u
      residual += weight * x * slope
    }
    #expect((known(all, "modified-law", "energy") - energy / mass).magnitude < 1e-9)
    #expect((known(all, "modified-law", "residual") - (beta * residual / mass - 1)).magnitude < 1e-9)
    let limit = try #require(all.first { $0.name == "modified-law" }?.known)
    #expect(limit.remainder == [Remainder("step", order: 2)])
  }
}
