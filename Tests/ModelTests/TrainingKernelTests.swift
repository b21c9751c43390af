import Experiments
import Kernels
import Networks
import Randomness
import Statistics
import Testing
import Training

/// Tangent kernels in training, their limits, and orthogonal weights.
@Suite struct TrainingKernelTests {
  private static func keys(_ more: [String: JobValue]) -> [String: JobValue] {
    let usual: [String: JobValue] = [
      "width": .integer(6), "activation": .text("tanh"), "steps": .integer(3), "records": steps([0, 3]),
      "learning_rate": .real(0.3),
      "observables": .list(
        ["kernel", "kernel_change", "log_kernel_change", "kernel_shift", "kernel_alignment"].map { .text($0) }),
      "data": .table([
        "inputs": rows([[1, 0.2], [-0.3, 1], [0.4, -0.8]]), "targets": numbers([1, -0.5, 2]), "test": .integer(1),
      ]),
    ]
    return usual.merging(more) { $1 }
  }

  /// Shift, change and alignment are those of the kernel that is measured.
  @Test func measuresOfTheKernel() throws {
    let model = try training("mlp", Self.keys([:]))
    let (start, end) = (run(model, record: 0), run(model))
    func entry(_ found: [String: Double], _ a: Int, _ b: Int) -> Double { found["kernel[\(min(a, b)),\(max(a, b))]"]! }
    var (shift, change, size) = (0.0, 0.0, 0.0)
    for a in 0..<3 {
      shift += entry(end, a, a) - entry(start, a, a)
      for b in 0..<3 {
        let d = entry(end, a, b) - entry(start, a, b)
        change += d * d
        size += entry(start, a, b) * entry(start, a, b)
      }
    }
    #expect(shift.magnitude > 1e-3 && (end["kernel_shift"]! - shift).magnitude < 1e-13)
    #expect((end["kernel_change"]! - (change / size).squareRoot()).magnitude < 1e-14)
    let y = [1, -0.5]
    var (along, square) = (0.0, 0.0)
    for a in 0..<2 {
      for b in 0..<2 {
        along += y[a] * entry(end, a, b) * y[b]
        square += entry(end, a, b) * entry(end, a, b)
      }
    }
    #expect((end["kernel_alignment"]! - along / (1.25 * square.squareRoot())).magnitude < 1e-14)
    #expect(start["kernel_shift"] == 0 && start["kernel_change"] == 0)
  }

  /// The kernel of a linear network at infinite width, by the mean over units, against the recursion of the Gram matrix G of its weights from G = 1: $\Theta_{ab} = x_a \cdot
  /// (G_{UU} + G_{vv}) x_b/d$.
  @Test func kernelAtInfiniteWidth() throws {
    let (rate, gamma) = (0.3, 1.4)
    let model = try training(
      "mlp", Self.keys(["activation": .text("linear"), "gamma": .real(gamma), "c": .real(1)]))
    let found = try prediction("infinite-width-training", of: model)
    let root = Double(2).squareRoot()
    let x = [[1, 0.2], [-0.3, 1], [0.4, -0.8]].map { $0.map { $0 / root } }
    let y = [1, -0.5]
    var g = (0..<3).map { i in (0..<3).map { i == $0 ? 1.0 : 0 } }
    for _ in 0..<3 {
      var s = (0..<3).map { i in (0..<3).map { i == $0 ? 1.0 : 0 } }
      for a in 0..<2 {
        let f = (g[2][0] * x[a][0] + g[2][1] * x[a][1]) / gamma
        for i in 0..<2 {
          let move = -rate * gamma * (f - y[a]) * x[a][i] / 2
          s[i][2] += move
          s[2][i] += move
        }
      }
      func product(_ a: [[Double]], _ b: [[Double]]) -> [[Double]] {
        (0..<3).map { i in (0..<3).map { j in (0..<3).reduce(0) { $0 + a[i][$1] * b[$1][j] } } }
      }
      g = product(product(s, g), s)
    }
    var shift = 0.0
    for a in 0..<3 {
      for b in a..<3 {
        var theta = 0.0
        for i in 0..<2 { for j in 0..<2 { theta += x[a][i] * (g[i][j] + (i == j ? g[2][2] : 0)) * x[b][j] } }
        if a == b { shift += theta - 2 * (x[a][0] * x[a][0] + x[a][1] * x[a][1]) }
        #expect((found.value(.mean, "kernel[\(a),\(b)]", record: 1) - theta).magnitude < 1e-7, "\(a), \(b)")
      }
    }
    #expect((found.value(.mean, "kernel_shift", record: 1) - shift).magnitude < 3e-7)
  }

  /// Columns or rows are orthogonal, of the length that the variance of an entry says, whichever side is longer; the readout is not.
  @Test(arguments: [(3, 8), (8, 3), (5, 5)]) func weightsAreOrthogonal(features: Int, width: Int) {
    let problem = TrainedMLP(
      shape: NetworkShape(features: features, width: width, depth: 2, outputs: 1, bias: 0.5),
      activation: Tanh(ActivationScaling()), gain: 1, gamma: 1, parametrisation: Parametrisation.named[0].value,
      data: TrainingData(inputs: [Array(repeating: 1, count: features)], targets: [[1]]), loss: .squared,
      optimiser: Optimiser(), start: .random, isOrthogonal: true, measured: .init(nil))
    var stream = Stream(key: 3)
    stream.start(draw: 0)
    let state = problem.makeState()
    problem.start(state, &stream)
    // Standard deviations are 1 and 1/sqrt(n).
    for (layer, rows, square) in [(1, features, 1.0), (2, width, 1 / Double(width))] {
      let weights = state.stack.weights[layer - 1]
      let (short, long) = (min(rows, width), max(rows, width))
      func entry(_ i: Int, _ k: Int) -> Double {
        rows <= width ? weights[i * problem.shape.stride + k] : weights[k * problem.shape.stride + i]
      }
      for i in 0..<short {
        for j in 0...i {
          let product = (0..<long).reduce(0) { $0 + entry(i, $1) * entry(j, $1) }
          #expect((product - (i == j ? square * Double(long) : 0)).magnitude < 1e-12, "layer \(layer), \(i), \(j)")
        }
      }
      #expect(weights[rows * problem.shape.stride] != 0)
    }
  }

  /// Haar measure on O(4): the trace t has E t = 0, E t^2 = 1, E t^4 = 3. Four standard errors, 3 tests; a QR without the sign of its diagonal has E t beside 0.
  @Test func orthogonalWeightsAreUniform() {
    let problem = TrainedMLP(
      shape: NetworkShape(features: 4, width: 4, depth: 1, outputs: 1), activation: Tanh(ActivationScaling()), gain: 1,
      gamma: 1, parametrisation: Parametrisation.named[0].value,
      data: TrainingData(inputs: [[1, 1, 1, 1]], targets: [[1]]), loss: .squared, optimiser: Optimiser(),
      start: .random, isOrthogonal: true, measured: .init(nil))
    var stream = Stream(key: 5)
    let state = problem.makeState()
    let traces = (0..<4000).map { draw -> Double in
      stream.start(draw: UInt64(draw))
      problem.start(state, &stream)
      return 0.5 * (0..<4).reduce(0) { $0 + state.stack.weights[0][$1 * problem.shape.stride + $1] }
    }
    for (power, expected) in [(1, 0.0), (2, 1), (4, 3)] {
      let found = Moments(values: traces.map { t in (0..<power).reduce(1) { x, _ in x * t } })
      #expect((found.mean - expected).magnitude < 4 * found.meanError, "E t^\(power): \(found.mean)")
    }
  }
}
