import Experiments
import Kernels
import Randomness
import Statistics

/// A mixture of normal laws on the line: what is known of the data in closed form.
package struct NormalMixture: Sendable {
  package struct Component: Sendable {
    package let weight, mean, variance: Double

    package init(weight: Double, mean: Double, variance: Double) {
      (self.weight, self.mean, self.variance) = (weight, mean, variance)
    }
  }

  package let components: [Component]

  package init(_ components: [Component]) { self.components = components }

  package static let parameters: [Parameter] = [
    Parameter(
      "weights", .structured("an array of 1 to 64 positive numbers, taken over their sum"), default: .list([.real(1)]),
      "of the components of the data"),
    Parameter("means", .structured("an array of as many numbers"), default: .list([.real(0)]), "of the components"),
    Parameter(
      "variances", .structured("an array of as many numbers, not negative"), default: .list([.real(1)]),
      "of the components"),
  ]

  init(_ p: Parameters) throws {
    func numbers(_ key: String, _ isAllowed: (Double) -> Bool, _ words: String, _ count: ClosedRange<Int>) throws
      -> [Double]
    {
      guard case .list(let items)? = p[key], count.contains(items.count),
        items.allSatisfy({ ($0.number?.isFinite ?? false) && isAllowed($0.number!) })
      else { throw p.invalid(key, "must be \(words)") }
      return items.map { $0.number! }
    }
    let weights = try numbers("weights", { $0 > 0 }, "an array of 1 to 64 positive numbers", 1...64)
    let (count, total) = (weights.count, weights.reduce(0, +))
    let means = try numbers("means", { _ in true }, "an array of \(count) numbers, as many as weights", count...count)
    let variances = try numbers(
      "variances", { $0 >= 0 }, "an array of \(count) numbers, as many as weights, none negative", count...count)
    self.init((0..<count).map { Component(weight: weights[$0] / total, mean: means[$0], variance: variances[$0]) })
  }

  /// The law of a x + N(b, variance).
  package func spread(times a: Double = 1, plus b: Double = 0, variance: Double) -> NormalMixture {
    NormalMixture(
      components.map { Component(weight: $0.weight, mean: a * $0.mean + b, variance: a * a * $0.variance + variance) })
  }

  package var mean: Double { components.reduce(0) { $0 + $1.weight * $1.mean } }
  package var secondMoment: Double { components.reduce(0) { $0 + $1.weight * ($1.mean * $1.mean + $1.variance) } }
  package var variance: Double {
    let mean = mean
    return components.reduce(0) { $0 + $1.weight * (($1.mean - mean) * ($1.mean - mean) + $1.variance) }
  }

  /// Where all of its mass but e^-50 lies.
  package var support: ClosedRange<Double> {
    let ends = components.flatMap { c in [-10, 10].map { c.mean + $0 * c.variance.squareRoot() } }
    return ends.min()!...ends.max()!
  }

  /// log density and its derivative.
  @inline(__always)
  package func score(_ x: Double) -> (log: Double, slope: Double) {
    if components.count == 1 {
      let (difference, v) = (x - components[0].mean, components[0].variance)
      return (-0.5 * (difference * difference / v + Elementary.log(v) + Self.logTwoPi), -difference / v)
    }
    var (top, sum, slope) = (-Double.infinity, 0.0, 0.0)
    for c in components {
      let difference = x - c.mean
      let log = Elementary.log(c.weight) - 0.5 * (difference * difference / c.variance + Elementary.log(c.variance))
      if log > top {
        let scale = top == -.infinity ? 0 : Elementary.exp(max(top - log, -740))
        (sum, slope, top) = (sum * scale, slope * scale, log)
      }
      let weight = Elementary.exp(max(log - top, -740))
      sum += weight
      slope -= weight * difference / c.variance
    }
    return (top + Elementary.log(sum) - 0.5 * Self.logTwoPi, slope / sum)
  }

  static let logTwoPi = 1.8378770664093453

  package func draw(_ stream: inout Stream) -> Double {
    var c = components[components.count - 1]
    if components.count > 1 {
      var u = stream.uniform()
      for item in components {
        c = item
        u -= item.weight
        if u < 0 { break }
      }
    }
    return c.mean + c.variance.squareRoot() * stream.normal()
  }

  package var law: TabulatedLaw {
    let range = support
    return TabulatedLaw(name: "the data", from: range.lowerBound, to: range.upperBound) {
      Elementary.exp(max(score($0).log, -740))
    }
  }
}
