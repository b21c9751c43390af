import Experiments
import Kernels
import Networks
import Randomness
import Testing
import Training

/// Second derivatives of networks in training: the largest eigenvalue of the Hessian, and training with the norm of the Jacobian.
@Suite struct TrainingCurvatureTests {
  private static func problem(
    _ activation: String, depth: Int, outputs: Int = 1, loss: Loss = .squared, branch: Double? = nil, bias: Double = 0,
    jacobian: Double = 0, observables: [String] = [], examples: Int = 4
  ) throws -> TrainedMLP {
    let function = try ActivationChoice(.text(activation), path: "a", width: 5).function
    let plain = TrainedMLPTests.problem(function, depth: depth, outputs: outputs, loss: loss, examples: examples)
    let data = plain.data
    let rows = (0..<examples).map { a in
      (Array(data.inputs[3 * a..<3 * a + 3]), Array(data.targets[outputs * a..<outputs * (a + 1)]))
    }
    return TrainedMLP(
      shape: NetworkShape(features: 3, width: 5, depth: depth, outputs: outputs, branch: branch, bias: bias),
      activation: function, gain: 1.2, gamma: 1.3, parametrisation: Parametrisation.named[1].value,
      data: TrainingData(inputs: rows.map(\.0), targets: rows.map(\.1)), loss: loss, optimiser: Optimiser(),
      start: .random, jacobian: jacobian, measured: .init(observables))
  }

  private func begin(_ problem: TrainedMLP, _ stream: inout Stream) -> TrainedMLP.State {
    let state = problem.makeState()
    stream.start(draw: 0)
    problem.start(state, &stream)
    return state
  }

  /// The last values that are measured.
  private func measured(_ problem: TrainedMLP, _ state: TrainedMLP.State, last count: Int) -> [Double] {
    var values = Array(repeating: 0.0, count: problem.observables.count)
    values.withUnsafeMutableBufferPointer { problem.measure(state, into: $0.baseAddress!) }
    return Array(values.suffix(count))
  }

  /// Every weight, without what fills rows: its layer and its place.
  private func places(_ problem: TrainedMLP) -> [(layer: Int, place: Int)] {
    (1...problem.depth + 1).flatMap { layer in
      (0..<problem.shape.rows(layer)).flatMap { row in
        (0..<problem.width).map { (layer, row * problem.shape.stride + $0) }
      }
    }
  }

  static let kinds: [(String, Int, Int, Loss, Double?, Double)] = [
    ("tanh", 1, 1, .squared, nil, 0), ("gelu", 3, 2, .squared, nil, 0), ("sigmoid", 2, 1, .logistic, nil, 0.7),
    ("tanh", 2, 3, .crossEntropy, nil, 0), ("tanh", 4, 2, .squared, 0.6, 0), ("gelu", 3, 1, .squared, 0.6, 0.4),
    ("relu", 2, 1, .hinge, nil, 0), ("relu", 2, 2, .squared, nil, 0),
  ]

  /// Against the dense Hessian, by differences of gradients, of every loss, of perceptrons and residual networks, with biases and without, 130 examples in two blocks.
  @Test(arguments: kinds.indices) func sharpnessIsThatOfTheHessian(kind: Int) throws {
    let (activation, depth, outputs, loss, branch, bias) = Self.kinds[kind]
    let problem = try Self.problem(
      activation, depth: depth, outputs: outputs, loss: loss, branch: branch, bias: bias,
      observables: ["sharpness"], examples: kind == 0 ? 130 : 4)
    var stream = Stream(key: 3)
    let state = begin(problem, &stream)
    let found = measured(problem, state, last: 2)
    let places = places(problem)
    let scale = places.map { problem.rateScale.squareRoot() * problem.scales[$0.layer - 1].multiplier }
    func gradient() -> [Double] {
      _ = problem.loss(state, &stream, step: 1)
      return zip(places, scale).map { state.stack.gradients[$0.layer - 1][$0.place] * $1 }
    }
    var hessian: [[Double]] = []
    for (i, weight) in places.enumerated() {
      let pointer = state.stack.weights[weight.layer - 1] + weight.place
      let (value, h) = (pointer.pointee, 1e-5)
      pointer.pointee = value + h
      let above = gradient()
      pointer.pointee = value - h
      let below = gradient()
      pointer.pointee = value
      hessian.append(zip(above, below).map { scale[i] * ($0 - $1) / (2 * h) })
    }
    // H + s is positive definite with s above the modulus of every eigenvalue.
    let m = places.count
    let shift = hessian.map { $0.reduce(0) { $0 + $1.magnitude } }.max()!
    var shifted = hessian.flatMap { $0 }
    for i in 0..<m { shifted[i * (m + 1)] += shift }
    var squares = Array(repeating: 0.0, count: m)
    SingularValues.squares(&shifted, m: m, into: &squares)
    let largest = squares[0].squareRoot() - shift
    #expect((found[0] - largest).magnitude < 2e-6 * max(1, largest), "\(Self.kinds[kind]): \(found[0]), \(largest)")
    #expect(found[1] >= 0 && found[1] < 1e-6 * max(1, largest))
  }

  /// A linear network f = k p.q of one input and n units, k^2 = 1/n: with r = f - y and the tangent kernel Theta the Hessian has on the span of (q, p) and (p, q) the eigenvalue
  /// $(\Theta + \sqrt{\Theta^2 + 4 k^2 r (2 f + r)})/2$.
  @Test func sharpnessOfALinearNetwork() throws {
    let (width, y) = (9, 3.0)
    let model = try training(
      "mlp",
      [
        "width": .integer(Int64(width)), "activation": .text("linear"), "steps": .integer(2), "records": steps([0, 2]),
        "learning_rate": .real(0.05), "parametrisation": .text("ntk"),
        "observables": .list(["loss", "f", "kernel", "sharpness", "sharpness_residual"].map { .text($0) }),
        "data": .table(["inputs": rows([[1, -1]]), "targets": numbers([y])]),
      ])
    for draw in 0..<5 {
      for record in 0..<2 {
        let found = run(model, draw: UInt64(draw), record: record)
        let (f, theta) = (found["f[0]"]!, found["kernel[0,0]"]!)
        let r = f - y
        let expected = 0.5 * (theta + (theta * theta + 4 * r * (2 * f + r) / Double(width)).squareRoot())
        // The other eigenvalues are r/sqrt(n) and -r/sqrt(n).
        let known = max(expected, r.magnitude / Double(width).squareRoot())
        #expect((found["sharpness"]! - known).magnitude < 1e-7 * known, "draw \(draw), record \(record)")
        #expect(found["sharpness_residual"]! < 1e-6 * known)
      }
    }
  }

  /// The gradient of loss + lambda/2 |df/dx|^2 against differences, perceptrons and residual networks, one and two outputs.
  @Test(arguments: [0, 1, 2, 4, 5]) func penaltyHasItsGradient(kind: Int) throws {
    let (activation, depth, outputs, loss, branch, bias) = Self.kinds[kind]
    let lambda = 0.7
    let problem = try Self.problem(
      activation, depth: depth, outputs: outputs, loss: loss, branch: branch, bias: bias, jacobian: lambda,
      observables: ["jacobian_norm"])
    var stream = Stream(key: 3)
    let state = begin(problem, &stream)
    func objective() -> Double {
      let loss = problem.loss(state, &stream, step: 1)
      return loss + 0.5 * lambda * measured(problem, state, last: 1)[0]
    }
    let places = places(problem)
    _ = problem.loss(state, &stream, step: 1)
    let gradient = places.map { state.stack.gradients[$0.layer - 1][$0.place] }
    for (i, weight) in places.enumerated() {
      let pointer = state.stack.weights[weight.layer - 1] + weight.place
      let (value, h) = (pointer.pointee, 1e-5)
      pointer.pointee = value + h
      let above = objective()
      pointer.pointee = value - h
      let below = objective()
      pointer.pointee = value
      #expect(((above - below) / (2 * h) - gradient[i]).magnitude < 1e-7, "layer \(weight.layer), \(weight.place)")
    }
  }

  /// |df/dx|^2 against differences of the outputs.
  @Test func normOfTheJacobian() throws {
    let inputs = [[0.3, -1.2, 0.8], [1.0, 0.2, -0.5]]
    func values(_ inputs: [[Double]]) throws -> [String: Double] {
      run(
        try training(
          "mlp",
          [
            "width": .integer(7), "depth": .integer(2), "activation": .text("gelu"), "steps": .integer(1),
            "records": steps([0]), "learning_rate": .real(0.1), "gamma": .real(0.8),
            "observables": .list([.text("f"), .text("jacobian_norm")]),
            "data": .table(["inputs": rows(inputs), "targets": rows([[1, 0], [0, -1]])]),
          ]))
    }
    let h = 1e-5
    var sum = 0.0
    for a in 0..<2 {
      for i in 0..<3 {
        var (above, below) = (inputs, inputs)
        above[a][i] += h
        below[a][i] -= h
        let (up, down) = (try values(above), try values(below))
        for c in 0..<2 {
          let slope = (up["f[\(a),\(c)]"]! - down["f[\(a),\(c)]"]!) / (2 * h)
          sum += slope * slope
        }
      }
    }
    #expect((try values(inputs)["jacobian_norm"]! - sum / 2).magnitude < 1e-8)
  }

  @Test func whatIsRefused() {
    func refused(_ keys: [String: JobValue], _ words: String) {
      let usual: [String: JobValue] = [
        "width": .integer(5), "activation": .text("tanh"), "steps": .integer(1), "learning_rate": .real(0.1),
        "data": .table(["inputs": rows([[1, 0.2]]), "targets": numbers([1])]),
      ]
      do {
        _ = try training("mlp", usual.merging(keys) { $1 })
        Issue.record("\(keys) was taken")
      } catch { #expect("\(error)".contains(words), "\(error)") }
    }
    let sharpness: JobValue = .list([.text("sharpness")])
    refused(["precision": .text("single"), "observables": sharpness], "precision")
    refused(["precision": .text("single"), "jacobian": .real(0.1)], "precision")
    refused(["jacobian": .real(-1)], "jacobian")
    refused(["test_noise": .real(0.1)], "test_noise")
    refused(["weights": .text("orthogonl")], "orthogonal")
  }
}
