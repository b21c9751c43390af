import Foundation

/// What a binomial count may be.
package enum Binomial {
  /// The counts of n trials that are not too few or too many at a level: fewer than the lower bound have at most half of it, more than the upper one
  /// as well.
  /// - Parameters:
  ///   - probability: of one trial, in 0...1.
  ///   - level: probability of a count outside, in (0, 1).
  package static func range(_ trials: Int, _ probability: Double, level: Double) -> ClosedRange<Int> {
    guard trials > 0, probability > 0 else { return 0...0 }
    guard probability < 1 else { return trials...trials }
    let n = Double(trials)
    let (success, failure) = (log(probability), log1p(-probability))
    let mass = (0...trials).map { count -> Double in
      let k = Double(count)
      let ways: Double = lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
      return exp(ways + k * success + (n - k) * failure)
    }
    func first(_ masses: some Sequence<Double>) -> Int {
      var below = 0.0
      var count = 0
      for value in masses {
        below += value
        if below > 0.5 * level { break }
        count += 1
      }
      return count
    }
    return first(mass)...(trials - first(mass.reversed()))
  }
}
