import Experiments
import Kernels
import Randomness

/// eta of a run.
package enum LearningRate: Sendable {
  /// The same for every run.
  case fixed(Double)
  /// Each run draws its own: log eta is uniform between the logarithms of two rates.
  case logUniform(Double, Double)

  private static let pair = "two finite numbers above 0, the lower one first"
  static let words =
    "a finite number above 0.0, or { log_uniform = [0.01, 1.0] }, of which each run draws its own, log eta uniform in between"

  init(_ value: JobValue?, path: String) throws {
    if case .table? = value {
      let p = try Parameters(
        value, path: path,
        allowed: [Parameter("log_uniform", .structured(Self.pair), "the least and the largest rate of a run")])
      let rates: [Double]? = if case .list(let items)? = p["log_uniform"] { items.compactMap(\.number) } else { nil }
      guard let rates, rates.count == 2, rates[0] > 0, rates[0] < rates[1], rates[1].isFinite else {
        throw p.invalid("log_uniform", "must be \(Self.pair)")
      }
      self = .logUniform(rates[0], rates[1])
      return
    }
    guard let rate = value?.number, rate > 0, rate.isFinite else {
      var hint = ""
      if let value, case .list = value { hint = Parameters.sweepHint(path, value) }
      throw Failure.invalid(key: path, value: value?.description, allowed: "must be \(Self.words)\(hint)")
    }
    self = .fixed(rate)
  }

  package var isFixed: Bool { if case .fixed = self { true } else { false } }

  /// Takes nothing from the stream where it is fixed.
  func draw(_ stream: inout Stream) -> Double {
    switch self {
    case .fixed(let rate): return rate
    case .logUniform(let lower, let upper):
      let (low, high) = (Elementary.log(lower), Elementary.log(upper))
      return Elementary.exp(low + stream.uniform() * (high - low))
    }
  }

  /// What is measured of a rate that is drawn.
  var observables: [Observable] {
    isFixed ? [] : [Observable("log_learning_rate", "logarithm of eta, which the run drew")]
  }
}
