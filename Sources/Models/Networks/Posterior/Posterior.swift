import Experiments
import Kernels

/// The posterior of a network's outputs, by weights over networks at initialisation.
///
/// Given the covariance V of its last layer, a network with Gaussian readout is a Gaussian process, of which regression is known: log likelihood l, predictive
/// mean m and variance S (`GaussianRegression`). Over networks each counts by its likelihood (arXiv:1910.00019),
///
/// $$ E[f | y] = \frac{E\, e^l m}{E\, e^l}, \qquad E[f^2 | y] = \frac{E\, e^l (S + m^2)}{E\, e^l}, \qquad \log p(y) = \log E\, e^l . $$
///
/// A draw measures the three numerators, with the weights $w = e^{l - l_0}$, $l_0$ that of the Gaussian process of infinite width; the rest
/// are estimands. Controls are the entries of the first layer's V less their means, which are exactly those of infinite width.
public struct Posterior: Sendable {
  public let regression: GaussianRegression
  /// $l_0$, by measured layer.
  @usableFromInline let centres: [Double]
  /// Entries of the first V whose means are known, and these.
  @usableFromInline let controls: [(a: Int, b: Int, mean: Double)]
  /// $V_{yy} + s^2$ at infinite width in the last layer: ratio of its largest to its smallest eigenvalue.
  package let condition: Double

  package static let weight = Observable(
    "weight", role: .auxiliary, "likelihood of the targets over that of infinite width")

  package init(
    _ regression: GaussianRegression, centres: [Double], controls: [(a: Int, b: Int, mean: Double)] = [],
    condition: Double = .nan
  ) {
    (self.regression, self.centres, self.controls, self.condition) = (regression, centres, controls, condition)
  }

  /// The numbers of a draw at one layer, in the order of `write`.
  public var observables: [Observable] {
    [Self.weight]
      + regression.test.flatMap { a in
        [
          Observable("weighted_mean", [a], role: .auxiliary, "weight m, the predictive mean of input \(a)"),
          Observable(
            "weighted_square", [a], role: .auxiliary, "weight (S + m^2), the predictive second moment of input \(a)"),
        ]
      }
      + controls.map {
        Observable("control", [$0.a, $0.b], role: .auxiliary, "V_\($0.a)\($0.b) of the first layer less its mean")
      }
  }

  public var estimands: [Estimand] {
    let weight = Self.weight.name
    let controls = controls.map { "control[\($0.a),\($0.b)]" }
    func estimand(_ name: String, _ formula: String, offsets: [Double] = [], _ summary: String) -> Estimand {
      Estimand(name, formula, offsets: offsets, controls: controls, weight: weight, summary)
    }
    return regression.test.flatMap { a in
      let mean = "weighted_mean[\(a)]/\(weight)"
      return [
        estimand(Self.meanName(a), mean, "E[f(x_\(a)) | y]"),
        estimand(
          Self.varianceName(a), "weighted_square[\(a)]/\(weight) - (\(mean))*(\(mean))",
          "Var[f(x_\(a)) | y], without noise"),
      ]
    } + [estimand(Self.evidenceName, "log(\(weight))", offsets: centres, "log p(y)")]
  }

  package static func meanName(_ a: Int) -> String { "posterior_mean[\(a)]" }
  package static func varianceName(_ a: Int) -> String { "posterior_variance[\(a)]" }
  package static let evidenceName = "log_evidence"

  /// Buffers of one draw.
  public final class Work {
    @usableFromInline let solving, predictions, deviations: UnsafeMutablePointer<Double>

    init(_ posterior: Posterior) {
      let count = posterior.regression.test.count
      solving = .allocate(capacity: posterior.regression.room)
      predictions = .allocate(capacity: max(2 * count, 1))
      deviations = .allocate(capacity: max(posterior.controls.count, 1))
      solving.initialize(repeating: 0, count: posterior.regression.room)
      predictions.initialize(repeating: 0, count: max(2 * count, 1))
      deviations.initialize(repeating: 0, count: max(posterior.controls.count, 1))
    }

    deinit {
      solving.deallocate()
      predictions.deallocate()
      deviations.deallocate()
    }
  }

  /// Keeps what the first layer tells.
  public func start(lower: UnsafePointer<Double>, _ work: Work) {
    let m = regression.inputs
    for (k, control) in controls.enumerated() {
      var v = 0.0
      for i in 0...control.a { v += lower[control.a &* m &+ i] * lower[control.b &* m &+ i] }
      work.deviations[k] = v - control.mean
    }
  }

  /// Writes the observables of a layer.
  /// - Parameters:
  ///   - lower: the factor of its V.
  ///   - record: its place among the measured ones.
  public func write(
    lower: UnsafePointer<Double>, record: Int, _ work: Work, to values: UnsafeMutablePointer<Double>
  ) -> DrawEvents {
    let count = regression.test.count
    let (means, variances) = (work.predictions, work.predictions + count)
    let likelihood = regression.solve(lower: lower, work: work.solving, means: means, variances: variances)
    let weight = Elementary.exp(likelihood - centres[record])
    var out = values
    out[0] = weight
    out += 1
    for c in 0..<count {
      out[0] = weight * means[c]
      out[1] = weight * (variances[c] + means[c] * means[c])
      out += 2
    }
    for k in controls.indices { out[k] = work.deviations[k] }
    return weight.isFinite ? [] : .overflowed
  }
}
