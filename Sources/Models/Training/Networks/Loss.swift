import Experiments
import Kernels

/// The loss of a network's output f for a target y; the training loss is its mean over the examples.
package enum Loss: String, CaseIterable, Sendable {
  /// $\frac12 |f - y|^2$.
  case squared
  /// $\log(1 + e^{-y f})$, y = ±1.
  case logistic
  /// $\max(0, 1 - y f)$, y = ±1.
  case hinge
  /// $-\sum_c y_c \log \mathrm{softmax}(f)_c$, y the probabilities of the classes.
  case crossEntropy = "cross-entropy"

  static let parameter = Parameter(
    "loss", .choice(allCases.map(\.rawValue)), default: .text(squared.rawValue),
    "squared: |f - y|^2/2; logistic: log(1 + exp(-y f)) and hinge: max(0, 1 - y f), of labels ±1; cross-entropy of several outputs, whose targets are probabilities"
  )

  /// Checks the targets of fixed data; those of teachers are known.
  func check(_ data: TrainingData, _ p: Parameters) throws {
    let labels =
      data.law.map { $0.teacher == .sign } ?? (data.targets.allSatisfy { $0.magnitude == 1 } && !data.isNoisy)
    switch self {
    case .squared: return
    case .logistic, .hinge:
      guard data.outputs == 1, labels else {
        throw p.invalid("loss", "needs one output and targets +1 and -1")
      }
    case .crossEntropy:
      let k = data.outputs
      let rows = stride(from: 0, to: data.targets.count, by: max(k, 1))
      guard k > 1, data.isFixed,
        rows.allSatisfy({ row in
          let y = data.targets[row..<row + k]
          return y.allSatisfy { $0 >= 0 } && (y.reduce(0, +) - 1).magnitude < 1e-12
        })
      else { throw p.invalid("loss", "needs at least two outputs and targets that are probabilities, with the sum 1") }
    }
  }

  /// The loss of an example; f is replaced by its derivative.
  @inline(__always)
  func derive(_ f: UnsafeMutablePointer<Double>, _ y: UnsafePointer<Double>, _ k: Int) -> Double {
    switch self {
    case .squared:
      var sum = 0.0
      for c in 0..<k {
        f[c] -= y[c]
        sum += f[c] * f[c]
      }
      return 0.5 * sum
    case .logistic:
      let margin = y[0] * f[0]
      f[0] = -y[0] * Elementary.sigmoid(-margin)
      return Elementary.softplus(-margin)
    case .hinge:
      let margin = y[0] * f[0]
      f[0] = margin < 1 ? -y[0] : 0
      return max(0, 1 - margin)
    case .crossEntropy:
      var largest = f[0]
      for c in 1..<k { largest = max(largest, f[c]) }
      var (sum, along) = (0.0, 0.0)
      for c in 0..<k {
        along += y[c] * (f[c] - largest)
        f[c] = Elementary.exp(f[c] - largest)
        sum += f[c]
      }
      for c in 0..<k { f[c] = f[c] / sum - y[c] }
      return Elementary.log(sum) - along
    }
  }

  /// Replaces a direction by the second derivative along it, $l'' r$.
  /// - Parameter slope: l', as `derive` left it.
  func bend(
    _ direction: UnsafeMutablePointer<Double>, slope: UnsafePointer<Double>, _ y: UnsafePointer<Double>, _ k: Int
  ) {
    switch self {
    case .squared: return
    case .logistic: direction[0] *= slope[0].magnitude * (1 - slope[0].magnitude)
    case .hinge: direction[0] = 0
    case .crossEntropy:
      // The probabilities are l' + y.
      var mean = 0.0
      for c in 0..<k { mean += (slope[c] + y[c]) * direction[c] }
      for c in 0..<k { direction[c] = (slope[c] + y[c]) * (direction[c] - mean) }
    }
  }

  /// By how much the class of the target is ahead: y f of one output, else its output less the largest other.
  static func margin(_ f: UnsafePointer<Double>, _ y: UnsafePointer<Double>, _ k: Int) -> Double {
    guard k > 1 else { return f[0] * y[0] }
    let target = (1..<k).reduce(0) { y[$1] > y[$0] ? $1 : $0 }
    let largest = (0..<k).reduce(-Double.infinity) { $1 == target ? $0 : max($0, f[$1]) }
    return f[target] - largest
  }
}
