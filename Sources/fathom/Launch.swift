import CTarget
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
    let own = Implementation.current
    guard worldSize == 1, environment[own.sizeVariable] == nil else { return }
    let others = Implementation.allCases.map(\.sizeVariable).filter { $0 != own.sizeVariable }
    for name in others + ["MPI_LOCALNRANKS", "MV2_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS"] {
      if name == "SLURM_STEP_NUM_TASKS" && environment["SLURM_STEP_ID"] == nil { continue }
      if let value = environment[name].flatMap(Int.init), value > 1 {
        throw Failure(
          .usage,
          "started \(value) times by a launcher of another MPI (\(name) = \(value)), each process a world of its own; this program is built with \(own.name): use \(own.launcher)"
        )
      }
    }
  }

  /// A host, how many ranks it has, and how many of these are of a build with AVX-512.
  struct Host {
    let name: String
    var ranks = 0
    var wideRanks = 0
  }

  /// Hosts in order of rank.
  static func hosts(_ world: Communicator) throws -> [Host] {
    var name = Array(try world.processorName().utf8.prefix(254))
    name += Array(repeating: 0, count: 255 - name.count)
    let all = try world.gatherAll(name + [UInt8(CTARGET_WIDE)])
    var result: [Host] = []
    for rank in 0..<world.size {
      let bytes = all[rank * 256..<(rank + 1) * 256]
      let host = String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      let index = result.firstIndex { $0.name == host } ?? result.endIndex
      if index == result.endIndex { result.append(Host(name: host)) }
      result[index].ranks += 1
      result[index].wideRanks += Int(bytes.last!)
    }
    return result
  }

  /// The instruction sets of the builds that the ranks are of. They have no part in the result.
  static func vectors(_ hosts: [Host]) -> String {
    let (ranks, wide) = (hosts.map(\.ranks).reduce(0, +), hosts.map(\.wideRanks).reduce(0, +))
    return wide == 0 ? "no AVX-512" : wide == ranks ? "AVX-512" : "AVX-512 on \(wide) of \(ranks) ranks"
  }
}
