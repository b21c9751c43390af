import Experiments
import Foundation
import Jobs
import Testing

/// Where data files are looked for, NumPy arrays, and what the log says.
@Suite(.serialized) final class DataFilesTests {
  private let folder = NSTemporaryDirectory() + "fathom-data-" + UUID().uuidString

  init() throws { try FileManager.default.createDirectory(atPath: folder + "/jobs", withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(atPath: folder) }

  private func write(_ bytes: [UInt8], _ name: String) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
  }

  private func table(_ file: String, dataset: String = "", header: Bool? = nil, drop: [String] = []) throws -> DataTable
  {
    try DataFiles(job: folder + "/jobs/job.toml").table(
      TableRequest(file: file, dataset: dataset, header: header, drop: drop))
  }

  private func refusal(_ bytes: [UInt8], _ name: String = "x.npy") throws -> String {
    try write(bytes, "jobs/" + name)
    do { return "read as \(try table(name))" } catch { return "\(error)" }
  }

  /// `numpy.save`, version 1 of the format.
  private static func npy(_ descr: String, _ shape: String, fortran: Bool = false, _ body: [UInt8]) -> [UInt8] {
    var header = "{'descr': \(descr), 'fortran_order': \(fortran ? "True" : "False"), 'shape': \(shape), }"
    while (10 + header.utf8.count + 1) % 64 != 0 { header += " " }
    header += "\n"
    let length = header.utf8.count
    return [0x93] + "NUMPY".utf8 + [1, 0, UInt8(length & 255), UInt8(length >> 8)] + header.utf8 + body
  }

  private static func body<T: FixedWidthInteger>(_ values: [T], big: Bool = false) -> [UInt8] {
    values.flatMap { value in withUnsafeBytes(of: big ? value.bigEndian : value.littleEndian) { Array($0) } }
  }

  @Test func filesAreRelativeToTheJob() throws {
    _ = Notes.take()
    try write(Array("a,b\n1,2\n".utf8), "jobs/t.csv")
    #expect(try table("t.csv").rows == [[1, 2]])
    #expect(Notes.take() == ["read \(folder)/jobs/t.csv: 2 columns, 1 row, header: a, b"])
    #expect(try table("../jobs/t.csv", drop: ["a"]).rows == [[2]])
    #expect(Notes.take() == ["read \(folder)/jobs/../jobs/t.csv: 2 columns, 1 row, header: a, b; left out: a"])
    #expect(throws: Failure.self) { try table("none.csv") }
    do { _ = try table("none.csv") } catch {
      #expect("\(error)".contains("none.csv: no such file, neither beside the job file (\(folder)/jobs/none.csv)"))
    }
    // What is only where the program was started is read, and said.
    let here = FileManager.default.currentDirectoryPath
    let name = "fathom-\(UUID().uuidString).csv"
    try Data("5,6\n".utf8).write(to: URL(fileURLWithPath: "\(here)/\(name)"))
    defer { try? FileManager.default.removeItem(atPath: "\(here)/\(name)") }
    #expect(try table(name).rows == [[5, 6]])
    let notes = Notes.take()
    #expect(
      notes.count == 2 && notes[0].contains("found in the folder fathom is run in")
        && notes[1].hasPrefix("read \(name): "))
    // Of two, the one beside the job.
    try write(Array("7,8\n".utf8), "jobs/\(name)")
    #expect(try table(name).rows == [[7, 8]])
    #expect(Notes.take().first?.contains("there are two of this name") == true)
  }

  @Test func arraysOfNumPy() throws {
    let doubles = [1.5, -2, 3e300, 4, 5, -0.0].map(\.bitPattern)
    for (descr, big) in [("'<f8'", false), ("'>f8'", true)] {
      try write(Self.npy(descr, "(2, 3)", Self.body(doubles, big: big)), "jobs/a.npy")
      #expect(try table("a.npy").rows == [[1.5, -2, 3e300], [4, 5, -0.0]], "\(descr)")
    }
    try write(Self.npy("'<f8'", "(2, 3)", fortran: true, Self.body(doubles)), "jobs/a.npy")
    #expect(try table("a.npy").rows == [[1.5, 3e300, 5], [-2, 4, -0.0]])
    try write(Self.npy("'>f4'", "(3,)", Self.body([Float(0.1), 2, 3].map(\.bitPattern), big: true)), "jobs/a.npy")
    _ = Notes.take()
    #expect(try table("a.npy").rows == [[Double(Float(0.1))], [2], [3]])
    #expect(Notes.take() == ["read \(folder)/jobs/a.npy: 1 column, 3 rows, no header, f4"])
    try write(Self.npy("'|i1'", "(2, 1)", [0xFF, 0x7F]), "jobs/a.npy")
    #expect(try table("a.npy").rows == [[-1], [127]])
    try write(Self.npy("'|b1'", "(1, 2)", [1, 0]), "jobs/a.npy")
    #expect(try table("a.npy").rows == [[1, 0]])
    for (descr, values) in [
      ("'<i2'", Self.body([Int16.min, 5])), ("'>i4'", Self.body([Int32(-32768), 5], big: true)),
      ("'<i8'", Self.body([Int64(-32768), 5])),
    ] {
      try write(Self.npy(descr, "(1, 2)", values), "jobs/a.npy")
      #expect(try table("a.npy").rows == [[-32768, 5]], "\(descr)")
    }
    for (descr, values) in [
      ("'|u1'", [250, 5]), ("'>u2'", Self.body([UInt16(250), 5], big: true)), ("'<u4'", Self.body([UInt32(250), 5])),
      ("'>u8'", Self.body([UInt64(250), 5], big: true)),
    ] as [(String, [UInt8])] {
      try write(Self.npy(descr, "(2,)", values), "jobs/a.npy")
      #expect(try table("a.npy").rows == [[250], [5]], "\(descr)")
    }
    // In C order the last axis runs fastest, in Fortran order the first.
    let eight = Self.body((0..<8).map { Int64($0) })
    try write(Self.npy("'<i8'", "(2, 2, 2)", eight), "jobs/a.npy")
    #expect(try table("a.npy").rows == [[0, 1, 2, 3], [4, 5, 6, 7]])
    try write(Self.npy("'<i8'", "(2, 2, 2)", fortran: true, eight), "jobs/a.npy")
    #expect(try table("a.npy").rows == [[0, 4, 2, 6], [1, 5, 3, 7]])
  }

  @Test func whatIsNoPlainArrayIsRefusedByName() throws {
    let one = Self.body([Double(1).bitPattern])
    for (bytes, words) in [
      (Self.npy("'|O'", "(1,)", [0x80]), "Python objects, which are never unpickled"),
      (Self.npy("'<c16'", "(1,)", one + one), "are complex"), (Self.npy("'<U3'", "(1,)", one), "are texts"),
      (Self.npy("'<f2'", "(1,)", [0, 0]), "of a size that is not read"),
      (Self.npy("'<M8[ns]'", "(1,)", one), "no real numbers"),
      (Self.npy("[('a', '<f8')]", "(1,)", one), "not that of a plain array"),
      (Self.npy("'<f8'", "(2, 2)", one), "is cut short: 8 bytes of 4 entries"),
      (Self.npy("'<f8'", "(1,)", one + one), "8 bytes after its array"), (Self.npy("'<f8'", "()", one), "has shape []"),
      (Self.npy("'<f8'", "(0, 3)", []), "has shape [0, 3]"),
      (Self.npy("'<f8'", "(4611686018427387904, 4)", one), "is absurd"),
      (Self.npy("'<u8'", "(1,)", Self.body([UInt64(1) << 53 + 1])), "no double holds exactly"),
      (Self.npy("'<f8'", "(1, 2)", one + Self.body([Double.nan.bitPattern])), "[0, 1] = nan is not a finite number"),
      (Array("1,2\n".utf8), "is not a file of numpy.save"),
      (Array(Self.npy("'<f8'", "(1,)", one).prefix(40)), "cut short"),
    ] {
      let message = try refusal(bytes)
      #expect(message.hasPrefix("\(folder)/jobs/x.npy") && message.contains(words), "\(words): \(message)")
    }
    try write(Self.npy("'<f8'", "(1,)", one), "jobs/a.npy")
    #expect(throws: Failure.self) { try table("a.npy", header: true) }
    #expect(throws: Failure.self) { try table("a.npy", drop: ["a"]) }
    // Cut anywhere, or with any byte of the header changed: an error or a table, never a crash.
    let whole = Self.npy("'<f8'", "(1, 2)", one + one)
    for end in whole.indices { #expect(try !refusal(Array(whole.prefix(end))).hasPrefix("read as"), "\(end)") }
    var random = SplitMix(state: 3)
    for place in 0..<128 {
      var bytes = whole
      bytes[place] = UInt8(random.below(256))
      _ = try refusal(bytes)
    }
  }
}
