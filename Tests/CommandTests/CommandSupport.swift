import Foundation
import Support
import Testing

/// Runs of the program, one after another: each takes up to all cores.
@Suite(.serialized) enum Commands {}

/// Runs under injected faults, one after another.
@Suite(.serialized) enum Faults {}

/// A folder with a job in it, and the program run there.
struct Workplace: ~Copyable {
  let folder: String

  init() throws { folder = try Shell.temporaryFolder() }
  deinit { Shell.cleanUp(folder) }

  static let job = """
    title = "test"
    seed = 7
    [network]
    architecture = "mlp"
    activation = { name = "shaped-relu", c_plus = 0.5, c_minus = -0.5 }
    width = 24
    depth = 24
    inputs = { correlation = 0.3 }
    layers = [12, 24]
    draws = 20000
    [[limit]]
    equation = "covariance-sde"
    step = 0.05
    [run]
    output = "out.h5"
    """

  func write(_ text: String, _ name: String = "job.toml") throws {
    try text.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
  }

  /// Runs `fathom` with arguments on a number of ranks; 0 without mpirun.
  func fathom(_ arguments: [String], ranks: Int = 0, extra: [String: String] = [:]) throws -> Shell.Result {
    try Shell.run(Shell.launch("fathom", ranks: ranks, arguments), in: folder, extra: extra)
  }

  func digest(_ file: String = "out.h5") throws -> String {
    let result = try fathom(["digest", file])
    return result.status == 0 ? result.output.trimmingCharacters(in: .whitespacesAndNewlines) : "error: \(result.error)"
  }

  func names() -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { !$0.hasPrefix(".") }.sorted()
  }
}

/// `--set key=value` for several keys.
func settings(_ pairs: [String]) -> [String] { pairs.flatMap { ["--set", $0] } }
