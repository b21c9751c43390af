import Experiments
import Statistics

extension Dependence {
  /// What the rows of a file say about how far they depend on each other.
  /// - Parameters:
  ///   - values: row by row, `width` numbers each.
  ///   - chains: the rows of each chain, in order, equally many; nil if the rows are said to be independent.
  init(of values: [Double], width: Int, chains: [[Int]]?) {
    let rows = values.count / width
    self.init(
      rows: rows, chains: chains?.count,
      columns: (0..<width).map { column in
        func value(_ row: Int) -> Double { values[row * width + column] }
        guard let chains else { return Self.independent((0..<rows).map(value)) }
        return Self.chained(chains.flatMap { $0.map(value) }, count: chains.count)
      })
  }

  /// Rows in the order of the file.
  private static func independent(_ values: [Double]) -> Column {
    let n = Double(values.count)
    return Column(forMeans: n, forLaws: n, lagOne: rankCorrelation(values))
  }

  /// sum s_k s_{k+1} / sum s_k^2 of the normal scores s of the ranks (Blom, 1958; equal values share their mean rank). Of independent rows
  /// its law does not depend on theirs, heavy tails and infinite values included. Nil if all values are the same.
  static func rankCorrelation(_ values: [Double]) -> Double? {
    let order = values.indices.sorted { values[$0] < values[$1] }
    var scores = values
    var first = 0
    while first < order.count {
      var end = first + 1
      while end < order.count, values[order[end]] == values[order[first]] { end += 1 }
      let rank = 0.5 * Double(first + 1 + end)
      let score = Gaussian.quantile((rank - 0.375) / (Double(order.count) + 0.25))
      for place in order[first..<end] { scores[place] = score }
      first = end
    }
    let mean = scores.reduce(0, +) / Double(scores.count)
    let square = scores.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    guard square > 0 else { return nil }
    return zip(scores, scores.dropFirst()).reduce(0) { $0 + ($1.0 - mean) * ($1.1 - mean) } / square
  }

  /// Chain by chain, in order.
  private static func chained(_ values: [Double], count: Int) -> Column {
    let n = Double(values.count)
    // Too short, or the same everywhere.
    guard let chains = Chains(values, count: count) else { return Column(forMeans: n, forLaws: n) }
    let scales = [chains.mixing(.bulk), chains.mixing(.folded)]
    let mean = chains.mean
    let squares = Chains(values.map { ($0 - mean) * ($0 - mean) }, count: count)
    let forMeans = atMost(n, [chains.effectiveSamples, batchMeans(values, count: count)])
    let quantiles = [0.05, 0.5, 0.95].map { chains.quantile($0).effectiveSamples }
    return Column(
      forMeans: forMeans, forLaws: atMost(forMeans, quantiles + [squares?.effectiveSamples ?? n]),
      rHat: scales.map(\.rHat).filter { !$0.isNaN }.max(), bulk: scales[0].effectiveSamples,
      within: scales.filter { !$0.rHat.isNaN }.map(\.effectiveSamplesWithin).min())
  }

  /// The smallest of some sizes that are known.
  private static func atMost(_ n: Double, _ sizes: [Double]) -> Double {
    sizes.filter(\.isFinite).reduce(n) { min($0, max($1, 0)) }
  }

  /// Effective rows by batch means: the variance of a row over that of the mean of all chains.
  private static func batchMeans(_ values: [Double], count: Int) -> Double {
    let length = values.count / count
    let mean = values.reduce(0, +) / Double(values.count)
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)
    let squares = (0..<count).reduce(0.0) { sum, chain in
      var batches = BatchMeans()
      for value in values[chain * length..<(chain + 1) * length] { batches.add(value) }
      return sum + batches.standardError * batches.standardError
    }
    return variance * Double(count * count) / squares
  }
}
