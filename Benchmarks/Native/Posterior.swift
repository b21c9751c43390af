import Experiments
import Kernels
import Networks

/// Chains over the weights of a Bayesian network of 8 units and 4 targets (jobs/bnn-posterior.toml): gradients of all weights a second, and seconds a trajectory of 30 gradients with its decision and measurement.
func bayesTimes() throws {
  func network(width: Int) throws -> Experiment {
    let x = [-2.0, -0.6, 0.8, 2.2, -1.3, 0.1, 4.0]
    let keys: [String: JobValue] = [
      "method": .text("hmc"), "train": .list([.integer(0), .integer(1), .integer(2), .integer(3)]),
      "targets": .list([.real(-0.8), .real(0.6), .real(0.9), .real(-0.5)]), "noise": .real(0.01),
      "test": .list([.integer(4), .integer(5), .integer(6)]), "step": .real(0.035), "steps": .integer(1_000_000_000),
    ]
    let posterior = try Parameters(.table(keys), path: "posterior", allowed: Posterior.table.parameters)
    let table: [String: JobValue] = [
      "architecture": .text("mlp"), "activation": .text("erf"), "c": .real(1), "width": .integer(Int64(width)),
      "depth": .integer(1), "draws": .integer(2),
      "inputs": .table(["vectors": .list(x.map { .list([.real($0), .real(1)]) })]),
    ]
    let context = JobContext(path: NetworkFamily.table, options: ["posterior": posterior], data: NoData())
    return try NetworkFamily.read(.table(table), context).legs[0].experiment!
  }
  for width in [8, 32, 128] {
    let potential = WeightPotential(
      Perceptron(activation: Erf(ActivationScaling()), gain: 1), width: width, depth: 1,
      train: [-2.0, -0.6, 0.8, 2.2].map { [$0, 1] }, targets: [-0.8, 0.6, 0.9, -0.5], test: [[-1.3, 1]],
      likelihood: .gaussian(noise: 0.01))
    let size = potential.layout.size
    let position = UnsafeMutablePointer<Double>.allocateZeros(2 * size)
    defer { position.deallocate() }
    potential.layout.scatter(
      (0..<potential.layout.dimension).map { Elementary.sinCosTurns(0.618034 * Double($0)).sin }, to: position)
    let calls = 20_000
    let gradient = best(total: 1) {
      for _ in 0..<calls { potential.evaluate(position, to: position + size) }
      sink += position[size]
    }
    let chain = try network(width: width)
    let replica = try chain.replicas!.begin(ReplicaContext(replica: 0, key: 7, group: SelfCommunicator()), nil)
    var failure: (any Error)?
    let trajectory = best(total: 1) {
      do { try replica.advance(1000) } catch { failure = error }
    }
    if let failure { throw failure }
    report(
      "bayes-hmc",
      [
        ("width", "\(width)"), ("gradients_per_second", "\(Double(calls) / gradient)"),
        ("trajectory", "\(trajectory / 1000)"),
      ])
  }
}
