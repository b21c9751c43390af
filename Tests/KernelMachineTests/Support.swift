import Analyses
import Engine
import Experiments
import Foundation
import Jobs
import KernelMachines
import Kernels

/// Jobs of deep kernel machines.
enum Machines {
  static let root = URL(fileURLWithPath: #filePath).pathComponents.dropFirst().dropLast(3).reduce("") { "\($0)/\($1)" }

  /// Three points of docs/kernel-machines.md.
  static let three = "[[1.0, 0.5, 0.2], [0.5, 1.0, 0.3], [0.2, 0.3, 1.0]]"

  static func text(_ keys: [String: String], chains: Bool = true) -> String {
    var all = [
      "inputs": "{ gram = \(three) }", "kernel": "\"linear\"", "depth": "1", "width": "64",
      "targets": "[1.0, -1.0, 0.5]", "noise": "0.1",
    ]
    if chains { all.merge(["draws": "24", "steps": "400", "warm_up": "50"]) { $1 } }
    all.merge(keys) { $1 }
    return "seed = 5\n[kernel-machine]\n"
      + all.sorted { $0.key < $1.key }.map { "\($0.key) = \($0.value)\n" }.joined()
  }

  /// One point with K_0 = 1 and Yh = 4.
  static let onePoint = ["inputs": "{ gram = [[1.0]] }", "targets": "[2.0]"]

  static func read(_ text: String) throws -> Job {
    try JobReader(data: DataFiles(job: "\(root)/jobs/job.toml")).read(text, name: "test.toml").job
  }

  static func run(_ text: String) throws -> Snapshot { try LocalRun.run(read(text), ranks: 2).snapshot }

  static let gram = [1, 0.5, 0.2, 0.5, 1, 0.3, 0.2, 0.3, 1]

  static func settings(
    _ kernel: PairKernel, depth: Int, width: Int = 64, nu: Double = 1, noise: Double = 0.1, gram: [Double] = gram,
    targets: [[Double]] = [[1, -1, 0.5]]
  ) -> MachineSettings {
    let bare = MachineSettings(
      width: width, depth: depth, kernel: kernel, outputRatio: nu, noise: noise, start: gram, startFactor: [],
      targets: targets)
    let factor = Triangular.cholesky(bare.kernelMatrix(gram), m: bare.points) ?? []
    return MachineSettings(
      width: width, depth: depth, kernel: kernel, outputRatio: nu, noise: noise, start: gram, startFactor: factor,
      targets: targets)
  }

  /// What a reference predicts of the first record, by the name of the observable or estimand.
  static func predicted(_ job: Job, _ leg: String) -> [String: Double] {
    guard let known = job.cases[0].legs.first(where: { $0.name == leg })?.known else { return [:] }
    return known.statistics.reduce(into: [:]) { found, entry in
      switch entry.statistic {
      case .mean: found[known.observables[entry.observable].name] = entry.value
      case .secondMoment: found["square of \(known.observables[entry.observable].name)"] = entry.value
      case .estimand(let name): found[name] = entry.value
      default: break
      }
    }
  }

  /// Mean and error of an observable of the finite leg.
  static func mean(_ snapshot: Snapshot, _ name: String) -> (value: Double, error: Double) {
    let schema = snapshot.job.cases[0].legs[0].schema
    guard let place = schema.place(of: name) else { return (.nan, .nan) }
    let moments = snapshot.states[0].tally.moments(schema.index(0, place))
    return (moments.mean, moments.meanError)
  }

  static func verdict(_ snapshot: Snapshot, _ reference: String) -> Comparison? {
    Analyses.comparisons(snapshot).first { $0.reference == reference }
  }
}

/// Numbers that are anything but special, the same everywhere.
func scattered(_ count: Int, scale: Double = 0.3) -> [Double] {
  (0..<count).map { i in
    let x = Double(i)
    return scale * sin(1.7 * x + 0.3) * cos(0.37 * x * x)
  }
}
