import Experiments
import Kernels
import Randomness

/// How chains over the weights of a network move, and when they are measured.
package struct ChainSettings: Sendable {
  package let schedule: Schedule
  /// Step of leapfrog, multiplied by a uniform number in 1 - jitter ... 1 + jitter for every trajectory.
  let step, jitter: Double
  let leapfrog: Int
  /// Acceptance rate that the step is adapted to in warm-up; nil for a fixed one.
  let target: Double?
  package let likelihood: Likelihood
}

/// The posterior of a network by Markov chains over all of its weights: Hamiltonian Monte Carlo for $e^{-U}$ (`WeightPotential`). A replica is one chain, which begins at a draw from the prior.
///
/// Units may be exchanged, so a single weight has as many modes as there are units, and a chain need not visit them: what is judged is the function, outputs and energy.
package struct WeightChains: Process {
  package let settings: ChainSettings
  private let perceptron: Perceptron
  private let width, depth: Int
  private let train, test: [[Double]]
  private let targets: [Double]
  /// Inputs without targets, by their place.
  private let places: [Int]
  package let observables: [Observable]

  init(_ perceptron: Perceptron, _ network: NetworkSettings, _ problem: GaussianRegression, _ settings: ChainSettings) {
    self.perceptron = perceptron
    (width, depth) = (network.width, network.depth - network.inputs.layer)
    let inputs = network.inputs
    func vectors(_ places: [Int]) -> [[Double]] {
      places.map { Array(inputs.rows[$0 * inputs.features..<($0 + 1) * inputs.features]) }
    }
    (train, test) = (vectors(problem.train), vectors(problem.test))
    (targets, places) = (problem.targets, problem.test)
    self.settings = settings
    var found = places.map(Self.output)
    found += places.map { Observable("square", [$0], role: .auxiliary, "f(x_\($0))^2") }
    if case .logistic = settings.likelihood {
      found += places.map { Observable("probability", [$0], "1/(1 + e^{-f(x_\($0))}), of y = 1") }
    }
    found += [
      Observable("energy", role: .energy, "U, prior and loss, per weight"),
      Observable("residual", role: .certificate, "virial: 1 - theta . grad U/dimension, mean 0 in the law exp(-U)"),
      Observable("first_weight", role: .auxiliary, "weight of the first feature into unit 0: units may be exchanged"),
      Observable("last_weight", role: .auxiliary, "weight of unit 0 into the output"),
      Observable("acceptance", role: .acceptanceRate, "acceptance rate of the trajectories"),
    ]
    if settings.target != nil { found.append(Observable("step", role: .setting, "step of leapfrog after warm-up")) }
    observables = found
  }

  /// f of an input.
  static func output(_ a: Int) -> Observable { Observable("output", [a], "f(x_\(a)), a draw of the posterior") }

  package var schedule: Schedule { settings.schedule }
  package var layout: WeightLayout {
    WeightLayout(features: train[0].count, width: width, depth: depth, hasBias: perceptron.bias != 0)
  }
  package var stateSize: Int { 5 * layout.size }
  package var advice: String { "a smaller posterior.step would help" }

  package var estimands: [Estimand] { Self.estimands(places) }

  static func estimands(_ places: [Int]) -> [Estimand] {
    places.flatMap { a in
      [
        Estimand(Posterior.meanName(a), "output[\(a)]", isRelative: true, "E[f(x_\(a)) | y]"),
        Estimand(
          Posterior.varianceName(a), "square[\(a)] - output[\(a)]*output[\(a)]", isRelative: true,
          "Var[f(x_\(a)) | y], without noise"),
      ]
    }
  }

  package func makePotential() -> WeightPotential {
    WeightPotential(
      perceptron, width: width, depth: depth, train: train, targets: targets, test: test,
      likelihood: settings.likelihood)
  }

  package func begin(_ context: ReplicaContext, from saved: StateDecoder?) throws -> WeightChain {
    try WeightChain(self, context, from: saved)
  }
}

/// One chain.
package final class WeightChain: Dynamics {
  private let settings: ChainSettings
  private let layout: WeightLayout
  private let potential: WeightPotential
  private let state: HamiltonianState
  private let noise: Noise
  private let outputs: UnsafeMutablePointer<Double>
  private let tests: Int
  private var adaptation: Adaptation
  private var step: Double
  private var accepted = 0

  init(_ process: WeightChains, _ context: ReplicaContext, from saved: StateDecoder?) throws {
    settings = process.settings
    layout = process.layout
    potential = process.makePotential()
    state = HamiltonianState(size: layout.size)
    noise = Noise(key: context.key, replica: context.replica)
    tests = process.estimands.count / 2
    outputs = .allocateZeros(tests)
    adaptation = Adaptation(target: settings.target, step: settings.step)
    step = settings.step
    if let saved {
      let x = try saved.doubles("position", count: layout.size)
      state.position.update(from: x, count: layout.size)
      noise.taken = try saved.words("normals", count: 1)
      noise.uniforms = try saved.words("uniforms", count: 1)[0]
      accepted = Int(try saved.integers("accepted", count: 1)[0])
      guard accepted >= 0 else { throw saved.unfit("accepted") }
      try adaptation.restore(from: saved)
      step = try saved.doubles("step", count: 1)[0]
    } else {
      draw(to: state.position)
    }
    state.prepare(potential)
  }

  deinit { outputs.deallocate() }

  /// A standard normal for every weight. Whole chunks are taken, which takes no memory; what is left of the last one is not used.
  private func draw(to vector: UnsafeMutablePointer<Double>) {
    let chunk = NormalKernel.chunk
    layout.scatter(noise.normals(0, (layout.dimension + chunk - 1) / chunk * chunk), to: vector)
  }

  package func step(_ moment: Moment) throws {
    draw(to: state.velocity)
    let h = step * (1 + settings.jitter * (2 * noise.uniform() - 1))
    let isTaken = state.move(potential, step: h, leapfrog: settings.leapfrog, uniform: noise.uniform())
    if !moment.isWarmUp {
      if isTaken { accepted += 1 }
    } else if settings.target != nil {
      step = adaptation.next(state.probability, step: moment.step, of: moment.warmUp)
    }
  }

  package func measure(_ info: Void, into values: UnsafeMutablePointer<Double>) throws {
    potential.predict(state.position, to: outputs)
    var out = values
    for c in 0..<tests {
      out[c] = outputs[c]
      out[tests &+ c] = outputs[c] * outputs[c]
    }
    out += 2 &* tests
    if case .logistic = settings.likelihood {
      for c in 0..<tests { out[c] = Elementary.sigmoid(outputs[c]) }
      out += tests
    }
    let dimension = Double(layout.dimension)
    out[0] = state.energy / dimension
    out[1] = 1 - LaneSum.ofProducts(state.position, state.gradient, layout.size) / dimension
    out[2] = state.position[0]
    out[3] = state.position[layout.readout]
    out[4] = Double(accepted) / Double(settings.schedule.measureEvery)
    if settings.target != nil { out[5] = step }
    accepted = 0
  }

  package func encode(to encoder: inout StateEncoder) throws {
    encoder.add("position", Array(UnsafeBufferPointer(start: state.position, count: layout.size)))
    encoder.add("normals", noise.taken)
    encoder.add("uniforms", [noise.uniforms])
    encoder.add("accepted", [Int64(accepted)])
    adaptation.encode(to: &encoder)
    encoder.add("step", [step])
  }
}
