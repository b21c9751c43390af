import Analyses
import Coulomb
import Engine
import Experiments
import Foundation
import Jobs
import Kernels
import Testing

/// Coulomb gases where the exact cumulants say nothing: starts, acceptance, functions of the radius on blocks, and what no formula is promised for.
@Suite struct CoulombFormulaTests {
  private static func text(_ keys: [String: String]) -> String {
    let all = [
      "dimension": "2", "number": "64", "inverse_temperature": "2.0", "draws": "12", "steps": "4", "warm_up": "1",
    ].merging(keys) { $1 }
    return "seed = 5\n[coulomb]\n" + all.sorted { $0.key < $1.key }.map { "\($0.key) = \($0.value)\n" }.joined()
  }

  private static func snapshot(_ keys: [String: String]) throws -> Snapshot {
    try LocalRun.run(job(text(keys)).job, ranks: 1).snapshot
  }

  private static func mean(_ snapshot: Snapshot, _ name: String) throws -> (mean: Double, error: Double) {
    let leg = snapshot.job.cases[0].legs[0]
    let moments = snapshot.states[0].tally.moments(leg.schema.index(0, try #require(leg.schema.place(of: name))))
    return (moments.mean, moments.meanError)
  }

  /// A start is uniform in its ball: E r^2 = R^2 d/(d + 2), by steps that move nothing. Three tests, |z| < 4.5.
  @Test(arguments: [1, 2, 3]) func ballsAreFilledUniformly(d: Int) throws {
    let found = try Self.mean(
      Self.snapshot(["dimension": "\(d)", "start_radius": "30.0", "step": "1e-7", "steps": "1", "cumulants": "1"]), "l")
    let exact = 900 * Double(d) / Double(d + 2)
    #expect((found.mean - exact).magnitude < 4.5 * found.error, "\(found), \(exact)")
    // The confinement is r^2/2, and N V alone is the energy of distant points but for logarithms.
    #expect(found.error < 0.1 * exact)
  }

  /// Acceptance is 1 of steps that are small, and falls to nothing of those that are too large.
  @Test func acceptanceRates() throws {
    for (step, range) in [("1e-6", 0.999...1.0), ("0.2", 0.2...0.999), ("8.0", 0.0...0.02)] {
      let found = try Self.mean(Self.snapshot(["step": step, "warm_up": "40", "steps": "20"]), "acceptance")
      #expect(range.contains(found.mean), "\(step): \(found)")
    }
  }

  /// A rejection in warm-up halves the step: 40 of them reach any start, here one whose forces are 10^4 times those of the droplet.
  @Test func warmUpFindsItsStep() throws {
    let energies = try ["1", "80"].map {
      try Self.mean(Self.snapshot(["start_radius": "1e-4", "step": "0.5", "warm_up": $0, "steps": "1"]), "l").mean
    }
    #expect(energies[0] < 1e-3 && energies[1] > 0.01, "\(energies)")
  }

  /// A resumed chain is the chain: stopped after every few questions, on other ranks, coded and read back.
  @Test(arguments: ["hmc", "mala"]) func resumesBitByBit(sampler: String) throws {
    let file = try job(
      Self.text(["number": "12", "sampler": "\"\(sampler)\"", "steps": "24", "draws": "3", "measure_every": "3"]))
    let whole = try digest(file, ranks: 1)
    let stopped = try stoppedDigest(file, questions: [2, 3, 5])
    #expect(stopped.stops > 0)
    #expect(stopped.digest == whole)
  }

  /// Blocks of values, slopes over r and second derivatives are those of the function at each point.
  @Test func blocksAreTheFunction() throws {
    func formula(_ text: String) throws -> RadialFunction {
      let model = try CoulombTests.model(["statistic": "{ formula = \"\(text)\" }"])
      return model.gas.statistic
    }
    let functions =
      try [1, 1.5, 2, 3, 4, 5, 16].map { RadialFunction(power: $0, scale: 0.7) } + [
        formula("r^2 + cos(r^2)"), formula("exp(-r)"),
      ]
    let count = 16
    for f in functions {
      let squares = (0..<count).map { 0.09 * Double($0 + 1) }
      var (values, slopes, curvatures) = (squares, squares, squares)
      var room = [Double](repeating: 0, count: RadialFunction.roomFactor * count)
      f.write(squares, count, values: &values, slopes: &slopes, curvatures: &curvatures, room: &room)
      for i in 0..<count {
        let r = squares[i].squareRoot()
        let jet = f.jet(r)
        for (found, exact) in [(values[i], jet[0]), (slopes[i], jet[1] / r), (curvatures[i], jet[2])] {
          #expect((found - exact).magnitude < 1e-12 * (1 + exact.magnitude), "\(f.text) at \(r): \(found), \(exact)")
        }
      }
    }
  }

  /// Statistics for which nothing is promised, each for a reason of its own: a cubic cusp at 0, a kink at r = 1/2, points that are flat around 0.
  @Test(arguments: [
    (["statistic": "{ formula = \"r^2 + r^3\" }"], "not smooth at 0"),
    (["statistic": "{ formula = \"r^2 + r^5\" }"], "not smooth at 0"),
    (["statistic": "{ formula = \"abs(r^2 - 0.25)\" }"], "not smooth at r = 0.5"),
    (["statistic": "2", "confinement": "4"], "is flat"),
  ])
  func withheldVerdicts(keys: [String: String], words: String) throws {
    let snapshot = try Self.snapshot(keys.merging(["number": "12", "steps": "60", "warm_up": "40"]) { $1 })
    let limit = try #require(Analyses.comparisons(snapshot).first { $0.reference == "droplet-cumulants" })
    #expect(limit.verdict == .undecided)
    #expect(limit.sentence.contains("withheld") && limit.sentence.contains(words), "\(limit.sentence)")
  }

  /// Where the points leave the middle there is no ball, and no limit is compared with.
  @Test func annuliHaveNoLimit() throws {
    let keys = ["confinement": "{ formula = \"r^4/4 - r^2/2\" }"]
    #expect(try CoulombTests.model(keys).gas.droplet == nil)
    let item = try job(Self.text(keys)).job.cases[0]
    #expect(!item.legs.contains { $0.name == "droplet-cumulants" })
    #expect(try job(Self.text([:])).job.cases[0].legs.contains { $0.name == "droplet-cumulants" })
  }

  /// In dimensions other than two against differences of the droplet: kappa_{q+1} = -(1/(beta N)) d kappa_q/de of the confinement V + e f.
  @Test(arguments: [1, 2, 3]) func cumulantsAreDerivatives(d: Int) throws {
    let (v, f) = (RadialFunction(power: 2, scale: 0.5), RadialFunction(power: 4))
    let (n, beta, h) = (50, 1.5, 1e-4)
    func cumulants(_ e: Double) throws -> [Double] {
      try #require(Droplet(dimension: d, [(v, 1), (f, e)])).cumulants(f, number: n, beta: beta)
    }
    let (below, here, above) = (try cumulants(0.3 - h), try cumulants(0.3), try cumulants(0.3 + h))
    for q in 0..<3 {
      let slope = -(above[q] - below[q]) / (2 * h) / (beta * Double(n))
      #expect((here[q + 1] / slope - 1).magnitude < 1e-5, "kappa_\(q + 2) in d = \(d): \(here[q + 1]), \(slope)")
    }
  }
}
