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
/// are estimands. Each has a control variate (`PosteriorControls`).
///
/// By chains over the weights instead (`WeightChains`), the same table with another method: `chains` says how they move, and none of this is measured.
///
/// Where draws have the tangent kernel $\Theta$ as well, the mean of $f_0$ trained by gradient flow about its initialisation is beside it, regression with
/// $\Theta$: $f_* = f_{0*} + \Theta_{*y} (\Theta_{yy} + s^2)^{-1} (y - f_{0y})$ (arXiv:1902.06720, eq. 14), of which $f_0$ drops out since -v is as likely as v.
public struct Posterior: Sendable {
  public let regression: GaussianRegression
  /// $l_0$, by measured layer.
  @usableFromInline let centres: [Double]
  let controls: PosteriorControls?
  /// Whether draws have a tangent kernel.
  public let isTangent: Bool
  /// The divergence within which hypotheses are counted, by measured layer; nil where the targets are not those of a truth.
  package let divergences: [Double]?
  /// How chains over the weights move; nil where networks at initialisation are weighted.
  package let chains: ChainSettings?
  /// $V_{yy} + s^2$ at infinite width in the last layer: ratio of its largest to its smallest eigenvalue.
  package let condition: Double

  package static let weight = Observable(
    "weight", role: .auxiliary, "likelihood of the targets over that of infinite width")

  /// Also the expected log of p(y | f) / p(y | layers) over outputs and targets of the prior: what it costs not to know the hypothesis.
  package static let information = Observable(
    "information", "(1/2) log det(1 + V_yy / s^2), nats that the targets tell of the outputs given the layers")

  package static let regret = Observable(
    "regret",
    "nats that it costs to average over outputs given the layers instead of knowing that the targets are true, but for noise"
  )
  package static let mass = Observable(
    "hypothesis_mass", role: .auxiliary,
    "probability, given the layers, of outputs whose divergence from the targets is at most that of regret_bound")

  init(
    _ regression: GaussianRegression, centres: [Double], controls: PosteriorControls? = nil,
    condition: Double = .nan, isTangent: Bool = false, divergences: [Double]? = nil, chains: ChainSettings? = nil
  ) {
    (self.regression, self.centres, self.controls, self.condition) = (regression, centres, controls, condition)
    (self.isTangent, self.divergences, self.chains) = (isTangent, divergences, chains)
  }

  /// What is weighted, in the order of `write`: 1, and of each test input m and S + m^2.
  private var numerators: [Observable] {
    [Self.weight]
      + regression.test.flatMap { a in
        [
          Observable("weighted_mean", [a], role: .auxiliary, "weight m, the predictive mean of input \(a)"),
          Observable(
            "weighted_square", [a], role: .auxiliary, "weight (S + m^2), the predictive second moment of input \(a)"),
        ]
      }
  }

  private var controlObservables: [Observable] {
    controls == nil
      ? []
      : numerators.map {
        Observable(
          "\($0.family)_control", $0.indices, role: .auxiliary, "what varies with \($0.name) and has expectation 0")
      }
  }

  /// The numbers of a draw at one layer, in the order of `write`.
  public var observables: [Observable] {
    numerators + controlObservables + (regression.noise > 0 ? [Self.information] : [])
      + (divergences == nil ? [] : [Self.regret, Self.mass]) + tangentObservables
  }

  /// Predictions of networks that are trained.
  package var tangentObservables: [Observable] {
    isTangent
      ? regression.test.map {
        Observable(
          "trained_mean", [$0],
          "mean over the output at initialisation of what the network, linearised there, predicts of input \($0) after gradient flow"
        )
      } : []
  }

  public var estimands: [Estimand] {
    let weight = Self.weight.name
    let controls = controlObservables.map(\.name)
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
      + (divergences.map {
        [
          Estimand(
            Self.boundName, "-log(\(Self.mass.name))", offsets: $0,
            "e - log P(divergence of the outputs from the targets <= e) over networks, above the regret at every e; e is the best of infinite width"
          )
        ]
      } ?? [])
  }

  package static func meanName(_ a: Int) -> String { "posterior_mean[\(a)]" }
  package static func varianceName(_ a: Int) -> String { "posterior_variance[\(a)]" }
  package static let evidenceName = "log_evidence"
  package static let boundName = "regret_bound"

  /// A reference that predicts estimands, record by record, besides what another one does.
  package func reference(
    _ values: [[String: Double]], like known: ReferenceValues?, axis: Axis, remainder: [Remainder] = []
  ) -> ReferenceValues {
    let before = known?.observables ?? []
    let names = chains == nil ? estimands.map(\.name) : WeightChains.estimands(regression.test).map(\.name)
    let predicted = values.enumerated().flatMap { record, own in
      names.compactMap { name in own[name].flatMap { $0.isFinite ? (name, $0) : nil } }.map {
        PredictedStatistic(.estimand($0.0), record: record, observable: before.count, value: $0.1 + 0)
      }
    }
    return ReferenceValues(
      schema: Schema(axis: axis, observables: before + [anchor]), statistics: (known?.statistics ?? []) + predicted,
      remainder: remainder)
  }

  /// The observable under which estimands stand in references.
  private var anchor: Observable { chains == nil ? Self.weight : WeightChains.output(regression.test[0]) }

  /// Buffers of one draw.
  public final class Work {
    @usableFromInline let solving, predictions: UnsafeMutablePointer<Double>
    /// The tangent kernel, then its factor.
    @usableFromInline let tangent: UnsafeMutablePointer<Double>?
    let controls: PosteriorControls.Work?
    let hypotheses: Hypotheses?

    init(_ posterior: Posterior) {
      let count = posterior.regression.test.count
      solving = .allocate(capacity: posterior.regression.room)
      predictions = .allocate(capacity: 2 * count)
      solving.initialize(repeating: 0, count: posterior.regression.room)
      predictions.initialize(repeating: 0, count: 2 * count)
      controls = posterior.controls.map(PosteriorControls.Work.init)
      hypotheses = posterior.divergences.map { _ in Hypotheses(inputs: posterior.regression.inputs) }
      let size = posterior.regression.inputs * posterior.regression.inputs
      tangent = posterior.isTangent ? .allocate(capacity: size) : nil
      tangent?.initialize(repeating: 0, count: size)
    }

    deinit {
      solving.deallocate()
      predictions.deallocate()
      tangent?.deallocate()
    }
  }

  /// Whether it must see every layer.
  public var needsLayers: Bool { controls != nil }

  /// Keeps what a layer tells.
  /// - Parameters:
  ///   - layer: from 1 for the first that is drawn.
  ///   - lower: the factor of its V.
  public func add(layer: Int, lower: UnsafePointer<Double>, _ work: Work) {
    controls?.add(layer: layer, lower: lower, regression.inputs, work.controls!)
  }

  /// Writes the observables of a layer.
  /// - Parameters:
  ///   - lower: the factor of its V.
  ///   - record: its place among the measured ones; `work.tangent` holds the kernel where there is one.
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
    if let controls {
      for k in 0..<controls.numerators { out[k] = work.controls!.controls[record &* controls.numerators &+ k] }
      out += controls.numerators
    }
    if regression.noise > 0 {
      out[0] = regression.information(work.solving)
      out += 1
    }
    if let divergences, let hypotheses = work.hypotheses {
      hypotheses.take(lower: lower, train: regression.train, truth: regression.targets)
      out[0] = hypotheses.regret(noise: regression.noise)
      out[1] = hypotheses.mass(within: 2 * regression.noise * divergences[record])
      out += 2
    }
    if let kernel = work.tangent {
      Triangular.clippedCholesky(kernel, m: regression.inputs, into: kernel)
      _ = regression.solve(lower: kernel, work: work.solving, means: means, variances: variances)
      for c in 0..<count { out[c] = means[c] }
    }
    return weight.isFinite ? [] : .overflowed
  }
}
