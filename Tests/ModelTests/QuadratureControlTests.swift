import Analyses
import Engine
import Experiments
import Jobs
import Kernels
import Limits
import Networks
import Statistics
import Testing

/// A control of the verdict on `finite-width`: with a quadrature that does not check itself in its place, a job that is right fails.
///
/// 24 Gauss-Hermite nodes are 3.0e-4 off for E tanh^2 at variance 1.65, and 2.8e-3 off at variance 3: half a percent of V, which is 0.13 of its
/// standard deviation at width 256. 20,000 networks see that.
@Suite struct QuadratureControlTests {
  static let text = """
    seed = 2026
    [network]
    architecture = "mlp"
    activation = "tanh"
    c = 1.0
    width = 256
    depth = 1
    inputs = { gram = [[3.0]] }
    observables = ["V"]
    draws = 20_000
    [[limit]]
    equation = "finite-width"
    [comparison]
    mean = 0.06
    """

  /// Nodes and weights of the standard normal law by Newton's method, from the largest zero down.
  static func hermite(_ n: Int) -> (points: [Double], weights: [Double]) {
    /// Orthonormal polynomials of degree n and n - 1.
    func polynomial(_ x: Double) -> (value: Double, before: Double) {
      var (before, value) = (0.0, 1.0)
      for k in 0..<n {
        (before, value) = (value, (x * value - Double(k).squareRoot() * before) / Double(k + 1).squareRoot())
      }
      return (value, before)
    }
    var (points, weights): ([Double], [Double]) = ([], [])
    // Zeros between changes of sign on a fine grid.
    let (reach, parts) = (2 * Double(n).squareRoot(), 4000)
    for k in -parts..<parts {
      var (low, high) = (reach * Double(k) / Double(parts), reach * Double(k + 1) / Double(parts))
      guard polynomial(low).value * polynomial(high).value < 0 else { continue }
      let sign = polynomial(low).value
      for _ in 0..<60 {
        let middle = 0.5 * (low + high)
        if polynomial(middle).value * sign > 0 { low = middle } else { high = middle }
      }
      points.append(low)
      let before = polynomial(low).before
      weights.append(1 / (Double(n) * before * before))
    }
    return (points, weights)
  }

  /// The verdict of the job, and of its draws against the same theory with other expectations.
  private func verdicts(_ moments: [UnitMoments]) throws -> [Equivalence] {
    let file = try JobReader(families: Registry.families, data: NoData()).read(Self.text, name: "job.toml")
    let (snapshot, _) = try LocalRun.run(file.job, ranks: 1)
    return try [#require(Analyses.comparisons(snapshot).first).verdict]
      + moments.map { try verdict(snapshot, file, $0) }
  }

  private func verdict(_ snapshot: Snapshot, _ file: JobFile, _ moments: UnitMoments) throws -> Equivalence {
    let layer = Perceptron(activation: Tanh(), gain: 1)
    let settings = try network(
      .text("tanh"), width: 256, depth: 1, inputs: table(["gram": .list([.list([.real(3)])])]),
      extra: ["c": .real(1), "observables": .list([.text("V")])]
    ).settings
    let known = try #require(FiniteWidth(layer, width: 256, moments: moments).values(settings, []))
    let item = file.job.cases[0]
    let legs = item.legs.map { leg in
      leg.isSampled
        ? leg : Leg(name: leg.name, role: leg.role, content: .known(known), attributes: leg.attributes)
    }
    let job = Job(
      title: "", seed: file.job.seed, cases: [Case(label: item.label, swept: item.swept, legs: legs)],
      tolerances: file.job.tolerances, covarianceLimit: file.job.covarianceLimit, text: "", identity: [])
    let found = Analyses.comparisons(Snapshot(job: job, states: snapshot.states, provenance: []))
    return try #require(found.first).verdict
  }

  @Test func theRuleIsHermites() {
    let (points, weights) = Self.hermite(24)
    #expect(points.count == 24)
    for (power, moment) in [(0, 1.0), (2, 1), (4, 3), (10, 945)] {
      let sum = zip(points, weights).reduce(0) { $0 + $1.1 * ExactMoments.power($1.0, power) }
      #expect((sum / moment - 1).magnitude < 1e-10)
    }
    // 3e-4 off, as the theory page says.
    let value = zip(points, weights).reduce(0) {
      let y = Elementary.tanh(1.65.squareRoot() * $1.0)
      return $0 + $1.1 * y * y
    }
    #expect((value - 0.4855601119524309 - 3.007e-4).magnitude < 1e-6)
  }

  @Test func anUncheckedRuleMakesTheJobFail() throws {
    let nodes = Self.hermite(24)
    let found = try verdicts([UnitMoments(Tanh()), UnitMoments(Tanh()) { _, _, _ in nodes }])
    #expect(found == [.agrees, .agrees, .differs])
  }

  /// The same nodes under the check: doubled until the values stay, they are never taken.
  @Test func theCheckSeesIt() {
    let rules = [1, 2, 4, 8].reduce(into: [:]) { $0[$1] = Self.hermite(24 * $1) }
    #expect(UnitMoments(Tanh()) { _, _, parts in rules[parts]! }.single(1.65) == nil)
  }
}
