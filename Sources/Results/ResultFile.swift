import Archive
import Experiments
import Foundation

/// The result file: one HDF5 file, sealed and replaced as a whole at every checkpoint. Its layout stands in
/// docs/file-format.md; `formatVersion` changes with it.
package struct ResultFile: ResultStore {
  package static let formatVersion: Int64 = 3
  package let path: String
  /// Version of the program, for the provenance.
  package let creator: String

  package init(path: String, creator: String) {
    self.path = path
    self.creator = creator
  }

  package func save(_ snapshot: Snapshot) throws {
    do {
      var writer = try ArchiveWriter(path: path)
      try write(snapshot, to: &writer)
      try writer.publish()
    } catch {
      throw Failure(
        .inputOutput, "the checkpoint was not written: \(error); the file of the last checkpoint is as it was")
    }
  }

  /// Group of a leg's tables, without the slash in front: no two legs of a job that the reader accepts share one.
  package static func group(_ item: Case, _ leg: Leg) -> String { ResultTables.group(of: item, leg) }

  /// Reads a result back. Throws `Failure` with status 65 for anything that is not a whole result file.
  package static func load(_ path: String) throws -> Snapshot {
    try reading(path) { try read(ArchiveReader(sealed: path), path) }
  }

  /// The path of the job file, as the run was given it; nil where the file does not say: merged files, and those of earlier programs.
  package static func jobFile(of path: String) throws -> String? {
    try reading(path) { try ArchiveReader(sealed: path).attribute("/provenance", "job_file") }
  }

  /// Reads a file, makes every table again from the exact state and compares it with the one in the file; throws at the first that
  /// differs. One file throughout, even while a run puts others at its path.
  package static func verified(_ path: String) throws -> Snapshot {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("fathom-verify-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    return try reading(path) {
      let reader = try ArchiveReader(sealed: path)
      let snapshot = try read(reader, path)
      if try version(reader) == FormatTwo.version {
        try FormatTwo.compare(ResultTables(snapshot), snapshot.job, with: reader)
      } else {
        try remake(reader, path, snapshot, in: folder).compare(with: reader)
      }
      return snapshot
    }
  }

  private static func remake(
    _ reader: borrowing ArchiveReader, _ path: String, _ snapshot: Snapshot, in folder: URL
  ) throws -> ArchiveWriter {
    let creator = try reader.attribute("/", "creator") ?? ""
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      var writer = try ArchiveWriter(path: folder.appendingPathComponent("again.h5").path)
      try ResultFile(path: path, creator: creator).write(snapshot, to: &writer)
      return writer
    } catch {
      throw Failure(.inputOutput, "\(path): the tables could not be made again in \(folder.path): \(error)")
    }
  }

  // MARK: Writing

  private func write(_ snapshot: Snapshot, to writer: inout ArchiveWriter) throws {
    try writer.setAttribute("/", "title", snapshot.job.title)
    try writer.setAttribute("/", "creator", creator)
    try writer.setAttribute("/", "format_version", Self.formatVersion)
    try writeProvenance(snapshot, to: &writer)
    try writer.makeGroup("/state")
    for (index, state) in snapshot.states.enumerated() {
      let group = "/state/\(index)"
      try writer.makeGroup(group)
      try writer.setAttribute(group, "path", state.path)
      guard let leg = snapshot.job.sampledLegs.first(where: { $0.path == state.path })?.leg else {
        throw Failure(.bug, "\(state.path) is no leg of the job")
      }
      var encoder = StateEncoder()
      state.encode(to: &encoder, leg)
      try StateFile.write(encoder, group: group, to: &writer)
    }
    let tables = ResultTables(snapshot)
    try TableWriter.write(tables.all, to: &writer)
    try TrajectoryTables.write(snapshot, creator: creator, to: &writer)
    // A report for programs that read the file is made once all draws are there; `fathom show` makes its own at any time.
    guard snapshot.isFinished else { return }
    let report = try Report(snapshot, tables)
    try writer.makeGroup("/report")
    try writer.write("/report/text", strings: [report.storedText])
    try writer.write("/report/json", strings: [try report.json()])
    try writer.write("/report/whole", shape: [1], [Int64(0)])
    try writer.makeScale("/report/whole", name: "whole")
    for name in ["text", "json"] { try writer.attachScales(["/report/whole"], to: "/report/\(name)") }
  }

  private func writeProvenance(_ snapshot: Snapshot, to writer: inout ArchiveWriter) throws {
    try writer.makeGroup("/provenance")
    try writer.write("/provenance/job", strings: [try JobCoding.text(snapshot.job)])
    try writer.write("/provenance/job_text", strings: [snapshot.job.text])
    try writer.write("/provenance/resolved", strings: snapshot.job.identity)
    // Every dataset of a group at the top has labelled axes, so that readers that open all groups can open these.
    try writer.write("/provenance/text", shape: [1], [Int64(0)])
    try writer.write(
      "/provenance/key", shape: [snapshot.job.identity.count], snapshot.job.identity.indices.map(Int64.init))
    for (name, axis) in [("job", "text"), ("job_text", "text"), ("resolved", "key")] {
      if name != "job_text" { try writer.makeScale("/provenance/\(axis)", name: axis) }
      try writer.attachScales(["/provenance/\(axis)"], to: "/provenance/\(name)")
    }
    for entry in snapshot.provenance { try writer.setAttribute("/provenance", entry.key, entry.value) }
    guard snapshot.division > 1 else { return }
    let parts = snapshot.partsBegun.list
    try writer.setAttribute("/provenance", "part", "\(parts.isEmpty ? "none" : parts)/\(snapshot.division)")
  }

  // MARK: Reading

  /// Gives every error the path and the exit code of its kind.
  private static func reading<Value>(_ path: String, _ body: () throws -> Value) throws -> Value {
    guard FileSystem.exists(path) else {
      if let target = try? FileSystem.destination(of: path), target != path {
        throw Failure(.badData, "\(path) is a symbolic link to \(target), which is not there")
      }
      throw Failure(.badData, "\(path): no such file\(Nearest.fileHint(path, suffix: ".h5"))")
    }
    do { return try body() } catch let failure as Failure {
      throw failure
    } catch let error as SystemError {
      throw Failure(.inputOutput, error.description)
    } catch {
      let text = "\(error)"
      throw Failure(.badData, text.contains(path) ? text : "\(path): \(text)")
    }
  }

  private static func version(_ reader: borrowing ArchiveReader) throws -> Int64 {
    try reader.integerAttribute("/", "format_version")
  }

  /// Of how many parts the file holds some, by its attribute `part`, e.g. `3/8`.
  private static func division(_ reader: borrowing ArchiveReader, _ path: String) throws -> Int {
    guard let part = try reader.attribute("/provenance", "part") else { return 1 }
    guard let count = part.split(separator: "/").last.flatMap({ Int($0) }), DrawPart.counts.contains(count) else {
      throw ArchiveError("\(path): part of /provenance is \(part)")
    }
    return count
  }

  private static func read(_ reader: borrowing ArchiveReader, _ path: String) throws -> Snapshot {
    let version = try version(reader)
    guard [FormatTwo.version, formatVersion].contains(version) else {
      throw ArchiveError(
        "\(path) has format version \(version); this program reads \(FormatTwo.version) and \(formatVersion)")
    }
    guard let text = try reader.readStrings("/provenance/job").first else {
      throw ArchiveError("\(path): /provenance/job is empty")
    }
    let isOld = version == FormatTwo.version
    let job = try isOld ? FormatTwo.job(text) : JobCoding.job(text)
    let legs = job.sampledLegs
    let names = try reader.list("/state")
    guard names.count == legs.count else {
      throw ArchiveError("\(path): /state has \(names.count) legs, the job in the file \(legs.count)")
    }
    let states = try legs.enumerated().map { index, entry in
      let group = "/state/\(index)"
      guard try reader.attribute(group, "path") == entry.path else {
        throw ArchiveError("\(path): path of \(group) is not \(entry.path), as the job in the file has it")
      }
      let entries = try isOld ? FormatTwo.entries(reader, group) : StateFile.entries(reader, group: group)
      return try state(entries, "\(path): \(group)", entry, job)
    }
    return Snapshot(job: job, states: states, provenance: [], division: try division(reader, path))
  }

  private static func state(
    _ entries: [String: StateValue], _ place: String, _ entry: (path: String, leg: Leg), _ job: Job
  ) throws -> LegState {
    let decoder = StateDecoder(entries, place: place)
    // Before anything is made that is as large as the job says.
    let layout = job.layout(of: entry.leg, centres: try decoder.doubles("centres", count: entry.leg.schema.width))
    guard try decoder.integers("words").count >= layout.sums else { throw decoder.unfit("words") }
    return try LegState(from: decoder, path: entry.path, entry.leg, of: job)
  }
}
