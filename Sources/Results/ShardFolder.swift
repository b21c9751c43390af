import Archive
import Experiments
import Foundation

/// Shards as sealed files in a folder beside the result file, a dataset an entry. Each carries the hash of its job, so that none of
/// another job is taken.
package struct ShardFolder: ShardStore {
  package let threshold: Int
  private let folder: String
  private let job: String

  package init(output: String, threshold: Int, job: String) {
    folder = output + ".shards"
    self.threshold = threshold
    self.job = job
  }

  package func write(_ state: StateEncoder, name: String) throws {
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      var writer = try ArchiveWriter(path: "\(folder)/\(name)")
      try writer.setAttribute("/", "job", job)
      try StateFile.write(state, group: "/", to: &writer)
      try writer.publish()
    } catch {
      throw Failure(
        .inputOutput, "a shard of the checkpoint was not written: \(error); the last checkpoint is as it was")
    }
  }

  package func read(_ name: String) throws -> StateDecoder {
    let path = "\(folder)/\(name)"
    do {
      // Names come from a file, and must not lead out of the folder.
      guard !name.isEmpty, !name.contains("/"), !name.hasPrefix(".") else {
        throw ArchiveError("\(name) is no name of a shard")
      }
      let reader = try ArchiveReader(sealed: path)
      guard try reader.attribute("/", "job") == job else { throw ArchiveError("\(path) belongs to another job") }
      return try StateFile.read(reader, group: "/", place: path)
    } catch {
      throw Failure(
        .badData,
        "\(path): \(error); without it the replicas under way are lost: --fresh starts from scratch and keeps this file"
      )
    }
  }

  package func prune(keeping names: Set<String>) {
    for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] where !names.contains(name) {
      try? FileManager.default.removeItem(atPath: "\(folder)/\(name)")
    }
    // Only an empty folder goes.
    if names.isEmpty { rmdir(folder) }
  }
}
