import Archive
import Foundation
import Simulation
import Statistics

/// The result file: one HDF5 file, sealed and replaced as a whole at every checkpoint. Its layout stands in
/// docs/file-format.md; `formatVersion` changes with it.
public struct ResultFile: ResultStore {
  public static let formatVersion: Int64 = 2
  public let path: String
  /// Version of the program, for the provenance.
  public let creator: String

  public init(path: String, creator: String) {
    self.path = path
    self.creator = creator
  }

  public func save(_ snapshot: Snapshot) throws {
    do {
      var writer = try ArchiveWriter(path: path)
      try write(snapshot, to: &writer)
      try writer.publish()
    } catch {
      throw Failure(
        .inputOutput, "the checkpoint was not written: \(error); the file of the last checkpoint is as it was")
    }
  }

  /// Reads a file, makes every table anew from the exact state and holds it against the one in the file; throws at the first that
  /// differs. One file throughout, even while a run puts others at its path.
  public static func verified(_ path: String) throws -> Snapshot {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("fathom-verify-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    return try reading(path) {
      let reader = try ArchiveReader(sealed: path)
      let snapshot = try read(reader, path)
      try remake(reader, path, snapshot, in: folder).compare(with: reader)
      return snapshot
    }
  }

  private static func remake(
    _ reader: borrowing ArchiveReader, _ path: String, _ snapshot: Snapshot, in folder: URL
  ) throws -> ArchiveWriter {
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      var writer = try ArchiveWriter(path: folder.appendingPathComponent("again.h5").path)
      let creator = try reader.attribute("/", "creator")
      try ResultFile(path: path, creator: creator ?? "").write(snapshot, to: &writer)
      return writer
    } catch {
      throw Failure(.inputOutput, "\(path): the tables could not be made anew in \(folder.path): \(error)")
    }
  }

  private func write(_ snapshot: Snapshot, to writer: inout ArchiveWriter) throws {
    try writer.setAttribute("/", "title", snapshot.job.title)
    try writer.setAttribute("/", "creator", creator)
    try writer.setAttribute("/", "format_version", Self.formatVersion)
    try writer.makeGroup("/provenance")
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    try writer.write("/provenance/job", strings: [String(decoding: try encoder.encode(snapshot.job), as: UTF8.self)])
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

    for (index, state) in snapshot.states.enumerated() {
      let group = "/state/\(index)"
      try writer.makeGroup(group)
      try writer.setAttribute(group, "path", state.path)
      let layout = state.tally.layout
      let words = state.tally.words
      let pages = state.tally.pages
      try writer.write(
        "\(group)/layout", shape: [3], [Int64(layout.perGroup), Int64(layout.groups), layout.covariances ? 1 : 0])
      try writer.write("\(group)/centres", shape: [layout.centres.count], layout.centres)
      try writer.write("\(group)/words", shape: [words.count], words)
      try writer.write(
        "\(group)/pages", shape: [pages.count, 2], pages.flatMap { [Int64($0.observable), Int64($0.page)] })
      try writer.write(
        "\(group)/counts", shape: [pages.count, BitHistogram.pageSize], state.tally.counts(of: pages))
      try writer.write(
        "\(group)/intervals", shape: [state.done.intervals.count, 2],
        state.done.intervals.flatMap { [$0.lowerBound, $0.upperBound] })
      if let replicas = state.replicas {
        try ReplicaTables.writeState(replicas, group: "\(group)/replicas", to: &writer)
      }
    }

    let diagnostics = Diagnostics.all(snapshot)
    for item in snapshot.job.cases {
      for leg in item.legs {
        if let state = snapshot.state(item.path(of: leg)) {
          let group = Self.group(item, leg)
          try ResultTables.write(leg, state.tally, group: group, to: &writer)
          if let replicas = state.replicas {
            let own = diagnostics.first { $0.caseLabel == item.label && $0.leg == leg.name }
            try ReplicaTables.write(leg, replicas, own, group: group, to: &writer)
          }
        } else if let known = leg.known {
          try ResultTables.write(leg, known, group: Self.group(item, leg), to: &writer)
        }
      }
    }
    try ResultTables.write(Comparison.all(snapshot), to: &writer)
    try ReplicaTables.write(Bias.all(snapshot), OrderSweep.all(snapshot), to: &writer)
    try TrajectoryTables.write(snapshot, creator: creator, to: &writer)
    // A report for programs that read the file is made once all draws are there; `fathom show` makes its own at any time.
    guard snapshot.isFinished else { return }
    let report = try Report(snapshot)
    try writer.makeGroup("/report")
    try writer.write("/report/text", strings: [report.text])
    try writer.write("/report/json", strings: [try report.json()])
    try writer.write("/report/whole", shape: [1], [Int64(0)])
    try writer.makeScale("/report/whole", name: "whole")
    for name in ["text", "json"] { try writer.attachScales(["/report/whole"], to: "/report/\(name)") }
  }

  /// Group of a leg's tables; slashes in labels would make groups of their own.
  public static func group(_ item: Case, _ leg: Leg) -> String {
    "/cases/\(item.label.replacing("/", with: "_"))/\(leg.name)"
  }

  /// Reads a result back. Throws `Failure` with status 65 for anything that is not a whole result file.
  public static func load(_ path: String) throws -> Snapshot {
    try reading(path) { try read(ArchiveReader(sealed: path), path) }
  }

  /// Gives every error the path and the exit code of its kind.
  private static func reading(_ path: String, _ body: () throws -> Snapshot) throws -> Snapshot {
    guard FileSystem.exists(path) else { throw Failure(.badData, "\(path): no such file") }
    do { return try body() } catch let failure as Failure {
      throw failure
    } catch let error as SystemError {
      throw Failure(.inputOutput, error.description)
    } catch {
      let text = "\(error)"
      throw Failure(.badData, text.contains(path) ? text : "\(path): \(text)")
    }
  }

  private static func read(_ reader: borrowing ArchiveReader, _ path: String) throws -> Snapshot {
    let version = try reader.integerAttribute("/", "format_version")
    guard version == formatVersion else {
      throw ArchiveError("\(path) has format version \(version); this program reads \(formatVersion)")
    }
    guard let text = try reader.readStrings("/provenance/job").first else {
      throw ArchiveError("\(path): /provenance/job is empty")
    }
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    let job = try decoder.decode(Job.self, from: Data(text.utf8))
    let states = try (try reader.list("/state")).sorted { Int($0) ?? 0 < Int($1) ?? 0 }.map {
      try loadState(reader, "/state/\($0)", path)
    }
    for (path, leg) in job.sampledLegs {
      guard let state = states.first(where: { $0.path == path }), state.fits(leg) else {
        throw ArchiveError("the state of \(path) does not fit the job in the file")
      }
    }
    return Snapshot(job: job, states: states, provenance: [])
  }

  private static func loadState(_ reader: borrowing ArchiveReader, _ group: String, _ path: String) throws -> LegState {
    func wrong(_ what: String) -> ArchiveError {
      ArchiveError("\(path): \(group)/\(what) does not fit the other tables")
    }
    guard let name = try reader.attribute(group, "path") else { throw wrong("path") }
    let layoutWords = try reader.read("\(group)/layout", as: Int64.self).values
    let centres = try reader.read("\(group)/centres", as: Double.self).values
    guard layoutWords.count == 3, (1...1 << 24).contains(layoutWords[0]), (1...1 << 24).contains(layoutWords[1]),
      layoutWords[0] * layoutWords[1] == centres.count
    else { throw wrong("layout") }
    let tally = Tally(
      layout: .init(
        perGroup: Int(layoutWords[0]), groups: Int(layoutWords[1]), covariances: layoutWords[2] == 1, centres: centres))
    let words = try reader.read("\(group)/words", as: Int64.self).values
    guard words.count == tally.wordCount else { throw wrong("words") }
    tally.words = words
    let pages = try reader.read("\(group)/pages", as: Int64.self).values
    let counts = try reader.read("\(group)/counts", as: Int64.self).values
    guard pages.count % 2 == 0, counts.count == pages.count / 2 * BitHistogram.pageSize else { throw wrong("pages") }
    guard BitHistogram.areCounts(counts) else { throw wrong("counts") }
    let entries = stride(from: 0, to: pages.count, by: 2).map { (observable: Int(pages[$0]), page: Int(pages[$0 + 1])) }
    guard
      entries.allSatisfy({
        (0..<centres.count).contains($0.observable) && (0..<BitHistogram.pageCount).contains($0.page)
      })
    else { throw wrong("pages") }
    tally.add(counts: counts, to: entries)
    let borders = try reader.read("\(group)/intervals", as: UInt64.self).values
    guard borders.count % 2 == 0,
      stride(from: 0, to: borders.count, by: 2).allSatisfy({ borders[$0] < borders[$0 + 1] }),
      let done = IntervalSet(
        disjoint: stride(from: 0, to: borders.count, by: 2).map { borders[$0]..<borders[$0 + 1] }),
      tally.counter(.draws) >= 0, done.count == UInt64(tally.counter(.draws))
    else { throw wrong("intervals") }
    let place = "\(group)/replicas"
    // Of each observable the values of the records, and the diagnostics.
    let width = tally.layout.observables + tally.layout.perGroup * ReplicaRecord.diagnostics.count
    let replicas =
      reader.contains(place)
      ? try ReplicaTables.readState(
        reader, place, width: width, observables: tally.layout.perGroup) : nil
    if let replicas {
      guard UInt64(replicas.rows.count) == done.count,
        (Array(replicas.rows.keys) + Array(replicas.trajectories.keys)).allSatisfy({ done.contains($0) }),
        !replicas.inFlight.contains(where: { done.contains($0.replica) })
      else { throw wrong("replicas") }
    }
    return LegState(path: name, tally: tally, done: done, replicas: replicas)
  }
}

extension LegState {
  /// Whether the tables have the shapes that a leg asks for.
  fileprivate func fits(_ leg: Leg) -> Bool {
    guard tally.layout.perGroup == leg.observables.count, tally.layout.groups == leg.layers.count,
      leg.isReplicated == (replicas != nil)
    else { return false }
    let histograms = leg.marginals.count * ReplicaRecord.folds
    // Coordinates and potential of each kept particle.
    let frame = ["framed_particles", "particle_dimension"].map { leg.attributes[$0].flatMap { Int($0) } ?? 0 }
    return replicas.map { record in
      record.marginals.count == histograms
        && record.trajectories.values.allSatisfy {
          $0.positions.isEmpty || $0.positions.count == $0.steps.count * frame[0] * (frame[1] + 1)
        }
        && record.inFlight.allSatisfy { [0, histograms].contains($0.marginals.count) }
    } ?? true
  }
}
