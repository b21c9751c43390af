import Kernels

/// Robbins-Monro adaptation of the step size to an acceptance rate, in warm-up only: log h moves by the excess of the
/// acceptance times a falling gain; the second half of the warm-up is averaged.
package struct Adaptation {
  package let target: Double
  private var logStep: Double
  private var sum = 0.0
  private var count = 0.0

  package init(target: Double?, step: Double) {
    self.target = target ?? .nan
    logStep = Elementary.log(step)
  }

  /// The next step size, after step `step` of `warmUp`.
  package mutating func next(_ rate: Double, step: Int, of warmUp: Int) -> Double {
    let gain = 1 / (1 + 0.02 * Double(step)).squareRoot()
    logStep += gain * (rate - target)
    if 2 * step > warmUp {
      sum += logStep
      count += 1
    }
    return Elementary.exp(step == warmUp ? sum / count : logStep)
  }

  package func encode(to encoder: inout StateEncoder) { encoder.add("adaptation", [logStep, sum, count]) }

  package mutating func restore(from decoder: StateDecoder) throws {
    let words = try decoder.doubles("adaptation", count: 3)
    (logStep, sum, count) = (words[0], words[1], words[2])
  }
}
