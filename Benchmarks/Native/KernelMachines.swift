import Experiments
import KernelMachines

/// Steps of one chain a second of the posterior of a deep kernel machine of three points and two layers, linear: eight chains a replica.
func kernelMachineTimes() throws {
  let gram: [JobValue] = [[1, 0.5, 0.2], [0.5, 1, 0.3], [0.2, 0.3, 1]].map { .list($0.map { .real($0) }) }
  for kernel in ["linear", "relu"] {
    for sampler in ["metropolis", "hmc"] {
      let model = try KernelMachineFamily.read(
        .table([
          "inputs": .table(["gram": .list(gram)]), "kernel": .text(kernel), "depth": .integer(2), "width": .integer(32),
          "targets": .list([.real(1), .real(-1), .real(0.5)]), "noise": .real(0.1), "draws": .integer(2),
          "sampler": .text(sampler), "steps": .integer(1_000_000_000_000),
          // Rarely: the time is that of steps.
          "measure_every": .integer(1_000_000),
        ]), JobContext(path: KernelMachineFamily.table, options: [:], data: NoData())
      ).model
      guard let factory = model.experiment.replicas else { continue }
      let replica = try factory.begin(ReplicaContext(replica: 0, key: 7, group: SelfCommunicator()), nil)
      let steps = sampler == "hmc" ? 5000 : 50_000
      let seconds = try best { try replica.advance(steps) }
      report(
        "kernel-machine",
        [
          ("kernel", "\"\(kernel)\""), ("sampler", "\"\(sampler)\""),
          ("steps_per_second", "\(Double(steps * MachineChains.chains) / seconds)"),
        ])
    }
  }
}
