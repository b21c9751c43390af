import Experiments
import Kernels

/// What is measured of the tangent kernel of the examples, of a network as of its limit.
struct KernelMeasures {
  /// Examples of training and test; those of training come first.
  let count, train: Int

  static let families = ["kernel", "kernel_change", "log_kernel_change", "kernel_shift", "kernel_alignment"]

  init(_ data: TrainingData) {
    (count, train) = (data.train + data.test, data.train)
  }

  var observables: [Observable] {
    var found: [Observable] = []
    for a in 0..<count {
      for b in a..<count {
        found.append(
          Observable("kernel", [a, b], "tangent kernel: f(a) moves by -eta kernel[a,b] f'(b)/P in a step"))
      }
    }
    found.append(Observable("kernel_change", "|kernel_t - kernel_0| / |kernel_0| (Frobenius)"))
    found.append(
      Observable("log_kernel_change", role: .logarithm, "logarithm of kernel_change; not a number at the start"))
    found.append(Observable("kernel_shift", "trace of kernel_t - kernel_0"))
    found.append(
      Observable(
        "kernel_alignment", "y.kernel y / (|y|^2 |kernel|) of the examples of training (Cristianini et al., NIPS 2001)")
    )
    return found
  }

  /// Writes `observables`, and returns the place behind them.
  /// - Parameters:
  ///   - kernel: now and at the start, count x count.
  ///   - targets: a number an example.
  ///   - isStart: whether no step has been made.
  func write(
    _ kernel: [Double], start: [Double], targets: UnsafePointer<Double>, isStart: Bool,
    to values: UnsafeMutablePointer<Double>
  ) -> UnsafeMutablePointer<Double> {
    var place = values
    func add(_ x: Double) {
      place[0] = x
      place += 1
    }
    var (change, size, shift) = (0.0, 0.0, 0.0)
    for a in 0..<count {
      for b in 0..<count {
        if b >= a { add(kernel[a * count + b]) }
        let d = kernel[a * count + b] - start[a * count + b]
        change += d * d
        size += start[a * count + b] * start[a * count + b]
        if a == b { shift += d }
      }
    }
    add((change / size).squareRoot())
    add(isStart ? .nan : 0.5 * Elementary.log(change / size))
    add(shift)
    var (along, square, length) = (0.0, 0.0, 0.0)
    for a in 0..<train {
      length += targets[a] * targets[a]
      for b in 0..<train {
        let k = kernel[a * count + b]
        along += targets[a] * k * targets[b]
        square += k * k
      }
    }
    add(along / (length * square.squareRoot()))
    return place
  }
}
