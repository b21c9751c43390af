import Experiments
import Kernels
import Networks
import Randomness

extension NetworkLimits {
  static let linearFlow = LimitEntry<NetworkModel>(
    name: "linear-flow",
    summary:
      "what a linear network of one hidden layer has learned at the end of gradient flow on one example, its exact law at every width, O(1) a draw",
    equation:
      "NTK_end / NTK = sqrt(Y^2 + 4 P M) / (P + M), P, M ~ chi2_n, Y = 2 y n^((1+s)/2) / sqrt(c V_0); learned = n^(1-s) (NTK_end / NTK - 1)",
    reference: "arXiv:2210.04909; docs/limits.md", parameters: [draws]
  ) { p, network in
    let passes = network.architecture as? PassMLP
    guard let passes, let targets = passes.targets, let slopes = passes.perceptron.activation as? SlopeActivation,
      slopes.plus == 1, slopes.minus == 1, passes.settings.depth == 1, passes.settings.count == 1
    else {
      throw p.invalid(
        "equation",
        "needs probes = [\"\(Probe.descent.name)\"] of a perceptron with activation = \"linear\", depth = 1 and one input"
      )
    }
    let perceptron = passes.perceptron
    guard perceptron.law == .gaussian, perceptron.readout == .gaussian, perceptron.bias == 0,
      perceptron.metric == .variances
    else {
      throw p.invalid("equation", "needs Gaussian weights without biases, and without lambda_b, lambda_w")
    }
    guard passes.ownObservables.contains(where: { $0.family == "learned" }) else {
      throw p.invalid("equation", "needs learned among the observables")
    }
    let flow = LinearFlow(
      settings: passes.settings, target: targets[0], exponent: passes.passes.exponent,
      kernel: perceptron.gain * passes.settings.inputs.gram[0])
    return LimitModel(
      .exact(Experiment(flow)),
      offset: "an offset of order eta, and what the last step has left of the residual, are expected of descent")
  }
}

/// With $f_0 = \sqrt{k/n} \, u \cdot v$ of standard normal u and v gradient flow keeps $P M$, $P = |u + v|^2/2$ and $M
/// = |u - v|^2/2$, and ends where $P - M = Y$; the kernel is $k (P + M)/n$.
struct LinearFlow: Draw {
  private let width: Int
  private let layers: [Int]
  /// Y, and $n^{1-s}$.
  private let end, scale: Double

  final class Scratch {}

  /// - Parameter kernel: $k = c V_0$.
  init(settings: NetworkSettings, target: Double, exponent: Double, kernel: Double) {
    (width, layers) = (settings.width, settings.layers)
    let log = Elementary.log(Double(settings.width))
    end = 2 * target * Elementary.exp(0.5 * (1 + exponent) * log) / kernel.squareRoot()
    scale = Elementary.exp((1 - exponent) * log)
  }

  var schema: Schema {
    Schema(axis: .layers(layers), observables: [Observable("learned", [0], "n^(1-s) (NTK_end / NTK - 1)")])
  }

  func makeScratch() -> Scratch { Scratch() }

  func draw(
    using stream: inout Stream, scratch: Scratch, into values: UnsafeMutablePointer<Double>
  ) -> DrawEvents {
    let (p, m) = (stream.chiSquare(width), stream.chiSquare(width))
    values[0] = scale * ((end * end + 4 * p * m).squareRoot() / (p + m) - 1)
    return values[0].isFinite ? [] : .overflowed
  }
}
