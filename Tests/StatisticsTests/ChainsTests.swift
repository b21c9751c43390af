import Foundation
import Randomness
import Statistics
import Testing

/// R-hat, effective samples and Monte Carlo errors of chains against ArviZ, and what they are where ArviZ says nothing.
@Suite struct ChainsTests {
  /// What ArviZ says, by the name of the set: the numbers in the order of `columns`.
  static let reference: [String: [Double]] = {
    guard let url = Bundle.module.url(forResource: "ArviZ/chains", withExtension: "csv"),
      let text = try? String(contentsOf: url, encoding: .utf8)
    else { return [:] }
    let rows = text.split(separator: "\n").dropFirst().map { $0.split(separator: ",") }
    return Dictionary(
      uniqueKeysWithValues: rows.map { (String($0[0]), $0.dropFirst().map { Double($0) ?? .nan }) })
  }()
  static let columns = [
    "rhat", "ess_bulk", "ess_tail", "ess_mean", "mcse_mean", "mcse_q05", "mcse_q50", "mcse_q95",
  ]

  /// Writes the sets for analysis/reference/chains.py, which says how.
  @Test(.enabled(if: ProcessInfo.processInfo.environment["FATHOM_CHAINS"] != nil))
  func write() throws {
    let lines = ChainSet.all.map { set in
      ([set.name, "\(set.count)"] + set.values.map(\.description)).joined(separator: ",")
    }
    let path = try #require(ProcessInfo.processInfo.environment["FATHOM_CHAINS"])
    try lines.joined(separator: "\n").write(toFile: path, atomically: true, encoding: .utf8)
  }

  @Test("Forty sets of chains: the numbers of ArviZ", arguments: ChainSet.all.map(\.name))
  func arviz(name: String) throws {
    let set = try #require(ChainSet.all.first { $0.name == name })
    let chains = try #require(Chains(set.values, count: set.count))
    let known = try #require(Self.reference[name])
    let bulk = chains.mixing(.bulk)
    let quantiles = [0.05, 0.5, 0.95].map { chains.quantile($0) }
    let found =
      [
        max(bulk.rHat, chains.mixing(.folded).rHat), bulk.effectiveSamples, chains.tailEffectiveSamples,
        chains.effectiveSamples, chains.meanError(effectiveSamples: chains.effectiveSamples),
      ] + quantiles.map(\.error)
    try #require(known.count == found.count)
    for (i, column) in Self.columns.enumerated() {
      // Where ArviZ divides by the rounding of a mean R-hat is infinite.
      let isSame =
        known[i] == found[i] || (i == 0 && found[i] == .infinity && known[i] > 1e12)
        || (found[i] - known[i]).magnitude <= 1e-6 * known[i].magnitude
      #expect(isSame, "\(column) of \(name): \(found[i]), ArviZ \(known[i])")
    }
  }

  @Test("There are forty sets, of which some did not mix")
  func sets() {
    #expect(ChainSet.all.count == 40 && Self.reference.count == 40)
    #expect(Self.reference.values.contains { $0[0] > 1e12 })
    #expect(Self.reference.values.count { $0[0] > 1.1 } >= 12)
  }

  @Test("About one effective sample a chain where each sits in a mode of its own")
  func modes() throws {
    for set in ChainSet.all where set.name.hasPrefix("bimodal") || set.name.hasPrefix("constant") {
      let chains = try #require(Chains(set.values, count: set.count))
      let sizes = [chains.mixing(.bulk).effectiveSamples, chains.effectiveSamples, chains.tailEffectiveSamples]
      #expect(sizes.prefix(2).allSatisfy { $0 <= 2 * Double(set.count) }, "\(set.name): \(sizes)")
      // Within their modes they move.
      if set.name.hasPrefix("bimodal") { #expect(chains.effectiveSamplesWithin > 100 * Double(set.count)) }
    }
  }

  @Test("Nothing is said of constants, of values that are not finite, and of three values")
  func nothing() {
    #expect(Chains(Array(repeating: 1, count: 40), count: 4) == nil)
    #expect(Chains([1, 2, 3, .nan, 5, 6, 7, 8], count: 2) == nil)
    #expect(Chains([1, 2, 3, 4, 5, 6], count: 2) == nil)
    #expect(Chains([1, 2, 3, 4, 5, 6, 7], count: 2) == nil)
  }

  /// Values: scipy.stats.norm.ppf and scipy.stats.beta.ppf.
  @Test func quantilesOfLaws() {
    for (p, x) in [
      (0.5, 0.0), (0.975, 1.959963984540054), (0.1, -1.2815515655446004), (1e-5, -4.264890793922825),
      (1e-15, -7.941345326170998),
    ] { #expect((Gaussian.quantile(p) - x).magnitude <= 1e-14 * max(1, x.magnitude), "\(p)") }
    for (p, a, b, x) in betas {
      #expect((BetaLaw.quantile(p, a, b) - x).magnitude <= 1e-10 * x, "\(p) \(a) \(b): \(BetaLaw.quantile(p, a, b))")
    }
  }

  private let betas = [
    (0.1586553, 2.5, 40.0, 0.024915533063246613),
    (0.8413447, 2.5, 40.0, 0.09303548006109377),
    (0.1586553, 1.05, 1.95, 0.09372116080910284),
    (0.5, 3.0, 3.0, 0.5),
    (0.8413447, 51.0, 951.0, 0.05782260705770927),
    (0.1586553, 95001.0, 5001.0, 0.9493017655636427),
  ]
}
