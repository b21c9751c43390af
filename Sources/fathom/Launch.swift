import Experiments
import Foundation
import MessagePassing

extension Communicator: Collectives {
  public func sumToRoot(_ values: [Int64]) throws -> [Int64] { try reduce(values, .sum, to: .root) }
  public func bitwiseOr(_ values: [Int64]) throws -> [Int64] { try reduce(values, .bitwiseOr, to: .all) }
  public func group(color: Int) throws -> any Collectives { try split(color: color) }
}

/// How the process was started.
enum Launch {
  /// The words of the command line. The kernel's copy: libraries that a cluster preloads may move the environment, and beside it
  /// Swift looks for its arguments.
  static let arguments: [String] = {
    guard let line = try? Data(contentsOf: URL(fileURLWithPath: "/proc/self/cmdline")), !line.isEmpty else {
      return CommandLine.arguments
    }
    return line.dropLast().split(separator: 0, omittingEmptySubsequences: false).map {
      String(decoding: $0, as: UTF8.self)
    }
  }()

  /// Refuses to run as several worlds of one process each, which is what the launcher of another MPI
  /// makes of this program: every process would write the same file.
  static func refuseForeignLauncher(worldSize: Int) throws {
    let environment = ProcessInfo.processInfo.environment
    guard worldSize == 1, environment["OMPI_COMM_WORLD_SIZE"] == nil else { return }
    let hints = ["PMI_SIZE", "MPI_LOCALNRANKS", "MV2_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS"]
    for name in hints {
      if name == "SLURM_STEP_NUM_TASKS" && environment["SLURM_STEP_ID"] == nil { continue }
      if let value = environment[name].flatMap(Int.init), value > 1 {
        throw Failure(
          .usage,
          "started \(value) times by a launcher of another MPI (\(name) = \(value)), each process a world of its own; use the mpirun of Open MPI, which this program is built with (mpirun.openmpi on Debian)"
        )
      }
    }
  }

  /// Hosts and how many ranks each has, in order of rank.
  static func hosts(_ world: Communicator) throws -> [(name: String, ranks: Int)] {
    var name = Array(try world.processorName().utf8.prefix(255))
    name += Array(repeating: 0, count: 256 - name.count)
    let all = try world.gatherAll(name)
    var result: [(name: String, ranks: Int)] = []
    for rank in 0..<world.size {
      let host = String(decoding: all[rank * 256..<(rank + 1) * 256].prefix { $0 != 0 }, as: UTF8.self)
      if let index = result.firstIndex(where: { $0.name == host }) {
        result[index].ranks += 1
      } else {
        result.append((host, 1))
      }
    }
    return result
  }
}
