import Engine
import Experiments
import Foundation
import Jobs

extension JobFile {
  /// Refuses replicas of which a rank's share is larger than this machine's memory, before any of it is asked for.
  func refuseLargeReplicas(ranks: Int) throws {
    let memory = Double(ProcessInfo.processInfo.physicalMemory)
    for (path, leg) in job.sampledLegs {
      guard let replicas = leg.experiment?.replicas else { continue }
      let sharing = min(Engine.groups(shards, replicas: leg.draws, ranks: ranks).size, replicas.pieces)
      let bytes = 8 * Double(replicas.stateSize) / Double(sharing)
      guard bytes > memory else { continue }
      throw Failure(
        .badData,
        "\(path): a replica needs at least \(Console.bytes(bytes)) on each of the \(Words.count(sharing, "rank")) that share it, "
          + "and this machine has \(Console.bytes(memory)): more ranks on more machines would help, or fewer particles")
    }
  }
}
