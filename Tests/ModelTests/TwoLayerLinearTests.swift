import Experiments
import Kernels
import Randomness
import Statistics
import Testing
import Training

/// Two-layer linear networks in training: the reduction R1 in replay and in law, and printed values of the limit.
@Suite struct TwoLayerLinearTests {
  static let inputs = [[1.0, 0, 0.5], [0.5, 1, -0.5]]

  static func keys(width: Int = 16, gamma: Double = 1, sampler: String = "reduced") -> [String: JobValue] {
    [
      "width": .integer(Int64(width)), "gamma": .real(gamma), "sampler": .text(sampler), "steps": .integer(20),
      "records": steps([1, 5, 20]), "learning_rate": .real(0.2),
      "data": .table(["inputs": rows(inputs), "targets": numbers([1, -0.5])]),
    ]
  }

  /// The recursion at infinite width in NumPy, six digits (`shared` theory of training, T2).
  @Test func printedValuesAtInfiniteWidth() throws {
    let found = try prediction("infinite-width-training", of: training("two-layer-linear", Self.keys()))
    let printed: [(String, Int, Double, Double)] = [
      ("f[0]", 0, 0.225, 1e-12), ("f[1]", 0, -0.1, 1e-12), ("f[0]", 1, 0.753618, 5e-7), ("f[1]", 1, -0.359530, 5e-7),
      ("f[0]", 2, 0.999024, 5e-7), ("f[1]", 2, -0.499347, 5e-7), ("readout_norm", 2, 1.438924, 5e-7),
      ("loss", 1, 0.0201089, 5e-8),
    ]
    for (name, record, value, tolerance) in printed {
      #expect((found.value(.mean, name, record: record) - value).magnitude < tolerance, "\(name) at record \(record)")
    }
    for (gamma, value) in [(0.25, 0.720185), (4, 0.994683)] {
      let found = try prediction("infinite-width-training", of: training("two-layer-linear", Self.keys(gamma: gamma)))
      #expect((found.value(.mean, "f[0]", record: 1) - value).magnitude < 5e-7, "gamma = \(gamma)")
    }
  }

  /// The Gram matrix of explicit weights, moved by the reduction, stays that of the weights, moved by their gradient: 50 steps, two outputs.
  @Test func reductionReplaysTheWeights() {
    let data = TrainingData(inputs: Self.inputs, targets: [[1, 0.3], [-0.5, 0.7]])
    let plain = TwoLayerLinear(width: 7, richness: 1.3, data: data, sampler: .weights)
    let reduced = TwoLayerLinear(width: 7, richness: 1.3, data: data, sampler: .reduced)
    let (a, b) = (plain.makeState(), reduced.makeState())
    var stream = Stream(key: 5)
    stream.start(draw: 0)
    plain.start(a, &stream)
    reduced.start(b, &stream)
    _ = plain.loss(a, &stream, step: 1)
    for i in 0..<25 { b.gram[i] = a.gram[i] }
    for step in 1...50 {
      let losses = (plain.loss(a, &stream, step: step), reduced.loss(b, &stream, step: step))
      #expect((losses.0 - losses.1).magnitude <= 1e-12 * losses.0.magnitude + 1e-26, "step \(step)")
      plain.step(a, &stream, rate: 0.1)
      reduced.step(b, &stream, rate: 0.1)
    }
    #expect(plain.loss(a, &stream, step: 51) < 1e-3)
  }

  /// One step of explicit weights against differences of the loss over every weight: the plain sampler is gradient descent.
  @Test func plainStepIsTheGradient() {
    let data = TrainingData(inputs: Self.inputs, targets: [[1, 0.3], [-0.5, 0.7]])
    let plain = TwoLayerLinear(width: 4, richness: 0.8, data: data, sampler: .weights)
    let state = plain.makeState()
    var stream = Stream(key: 6)
    stream.start(draw: 0)
    plain.start(state, &stream)
    let weights = state.weights!
    let before = (0..<20).map { weights[$0] }
    let (h, rate) = (1e-5, 0.01)
    let slopes = (0..<20).map { i -> Double in
      let losses = [h, -h].map { shift -> Double in
        weights[i] = before[i] + shift
        return plain.loss(state, &stream, step: 1)
      }
      weights[i] = before[i]
      return (losses[0] - losses[1]) / (2 * h)
    }
    _ = plain.loss(state, &stream, step: 1)
    plain.step(state, &stream, rate: rate)
    for i in 0..<20 {
      let expected = -rate * 0.8 * 0.8 * 4 * slopes[i]
      #expect((weights[i] - before[i] - expected).magnitude < 1e-9, "weight \(i)")
    }
  }

  /// Both samplers have the same law: 6 means and 6 second moments of 4,000 draws each, below 4 standard errors; a false alarm has probability 8e-4.
  @Test func samplersAgreeInLaw() throws {
    let draws: UInt64 = validating ? 40_000 : 4000
    let tallies = try ["reduced", "weights"].map {
      sample(try training("two-layer-linear", Self.keys(width: 5, sampler: $0)).experiment, draws, name: "R1 \($0)")
    }
    let schema = try training("two-layer-linear", Self.keys(width: 5)).experiment.schema
    for name in ["f[0]", "readout_norm", "weight_norm"] {
      for record in [0, 2] {
        let place = schema.index(record, schema.place(of: name)!)
        let (a, b) = (tallies[0].moments(place), tallies[1].moments(place))
        #expect(zScore(a, b).magnitude < 4, "\(name) at record \(record)")
        let error = (a.varianceError * a.varianceError + b.varianceError * b.varianceError).squareRoot()
        #expect((a.variance - b.variance).magnitude < 4 * error, "variance of \(name) at record \(record)")
      }
    }
  }

  /// E f_1(5) and n Var f_1(5) of networks, printed with their errors, within 4 standard errors of both: 6 tests.
  @Test func printedValuesOfNetworks() throws {
    let draws: UInt64 = validating ? 400_000 : 20_000
    let printed = [
      (16, 0.71602, 0.00021, 0.032982, 0.000044), (64, 0.74409, 0.00010, 0.023179, 0.000018),
      (256, 0.75116, 0.00005, 0.020871, 0.000008),
    ]
    for (width, value, error, loss, lossError) in printed {
      let model = try training("two-layer-linear", Self.keys(width: width))
      let tally = sample(model.experiment, draws, name: "R1 \(width)")
      let schema = model.experiment.schema
      for (name, value, error) in [("f[0]", value, error), ("loss", loss, lossError)] {
        let found = tally.moments(schema.index(1, schema.place(of: name)!))
        let both = (error * error + found.meanError * found.meanError).squareRoot()
        #expect((found.mean - value).magnitude < 4 * both, "\(name) at width \(width): \(found.mean)")
      }
    }
  }
}
