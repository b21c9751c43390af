import Archive
import Foundation
import Simulation

/// Shards as sealed files in a folder beside the result file. Each carries the hash of its job, so that none of another job is taken.
public struct ShardFolder: ShardStore {
  public let threshold: Int
  private let folder: String
  private let job: String

  public init(output: String, threshold: Int, job: String) {
    folder = output + ".shards"
    self.threshold = threshold
    self.job = job
  }

  public func write(_ arrays: [String: [Double]], name: String) throws {
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      var writer = try ArchiveWriter(path: "\(folder)/\(name)")
      try writer.setAttribute("/", "job", job)
      for (key, values) in arrays.sorted(by: { $0.key < $1.key }) {
        try writer.write("/\(key)", shape: [values.count], values)
      }
      try writer.publish()
    } catch {
      throw Failure(
        .inputOutput, "a shard of the checkpoint was not written: \(error); the last checkpoint is as it was")
    }
  }

  public func read(_ name: String) throws -> [String: [Double]] {
    let path = "\(folder)/\(name)"
    do {
      let reader = try ArchiveReader(sealed: path)
      guard try reader.attribute("/", "job") == job else { throw ArchiveError("\(path) belongs to another job") }
      var arrays: [String: [Double]] = [:]
      for key in try reader.list("/") { arrays[key] = try reader.read("/\(key)", as: Double.self).values }
      return arrays
    } catch {
      throw Failure(
        .badData,
        "\(path): \(error); without it the replicas under way are lost: --fresh starts anew and keeps the file aside")
    }
  }

  public func prune(keeping names: Set<String>) {
    for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] where !names.contains(name) {
      try? FileManager.default.removeItem(atPath: "\(folder)/\(name)")
    }
    // Only an empty folder goes.
    if names.isEmpty { rmdir(folder) }
  }
}
