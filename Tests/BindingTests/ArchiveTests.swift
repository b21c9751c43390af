import Archive
import Foundation
import Support
import Testing

@Suite struct ArchiveTests {
  private func withFolder(_ body: (String) throws -> Void) throws {
    let folder = try Shell.temporaryFolder()
    defer { Shell.cleanUp(folder) }
    try body(folder)
  }

  private func write(_ path: String, seed: Double = 1) throws {
    var writer = try ArchiveWriter(path: path)
    try writer.makeGroup("/a/b")
    try writer.write("/a/b/x", shape: [3], [1.0, 2, 3])
    try writer.makeScale("/a/b/x", name: "x")
    try writer.write("/a/b/table", shape: [3, 2], (0..<6).map { seed * Double($0) })
    try writer.attachScales(["/a/b/x"], to: "/a/b/table")
    try writer.write("/a/words", shape: [2], [Int64.min, Int64.max])
    try writer.write("/a/unsigned", shape: [1], [UInt64.max])
    try writer.write("/a/none", shape: [0, 2], [Int64]())
    try writer.write("/a/names", strings: ["alpha", "β", ""])
    try writer.setAttribute("/a", "label", "text with ü")
    try writer.setAttribute("/", "version", Int64(3))
    try writer.publish()
  }

  @Test func whatIsWrittenReadsBack() throws {
    try withFolder { folder in
      let path = folder + "/f.h5"
      try write(path)
      let reader = try ArchiveReader(sealed: path)
      #expect(try reader.read("/a/b/table", as: Double.self).shape == [3, 2])
      #expect(try reader.read("/a/b/table", as: Double.self).values == [0, 1, 2, 3, 4, 5])
      #expect(try reader.read("/a/words", as: Int64.self).values == [.min, .max])
      #expect(try reader.read("/a/unsigned", as: UInt64.self).values == [.max])
      #expect(try reader.read("/a/none", as: Int64.self).shape == [0, 2])
      #expect(try reader.readStrings("/a/names") == ["alpha", "β", ""])
      #expect(try reader.attribute("/a", "label") == "text with ü")
      #expect(try reader.attribute("/a", "nothing") == nil)
      #expect(try reader.integerAttribute("/", "version") == 3)
      #expect(try reader.list("/a") == ["b", "names", "none", "unsigned", "words"])
      #expect(reader.contains("/a/b/x") && !reader.contains("/a/b/y"))
      #expect(!FileManager.default.fileExists(atPath: ArchiveWriter.temporaryPath(for: path)))
    }
  }

  /// A file written through links stands at their target, with what is made beside it; the links stay.
  @Test func linksAreFollowed() throws {
    try withFolder { folder in
      let files = FileManager.default
      try files.createDirectory(atPath: folder + "/there", withIntermediateDirectories: true)
      try files.createSymbolicLink(atPath: folder + "/f.h5", withDestinationPath: "there/g.h5")
      try files.createSymbolicLink(atPath: folder + "/there/g.h5", withDestinationPath: folder + "/there/real.h5")
      try files.createSymbolicLink(atPath: folder + "/a.h5", withDestinationPath: "b.h5")
      try files.createSymbolicLink(atPath: folder + "/b.h5", withDestinationPath: "a.h5")
      #expect(try FileSystem.destination(of: folder + "/plain.h5") == folder + "/plain.h5")
      for seed in [1.0, 2.0] {
        try write(folder + "/f.h5", seed: seed)
        #expect(try FileSystem.destination(of: folder + "/f.h5") == folder + "/there/real.h5")
        #expect(try ArchiveReader(sealed: folder + "/f.h5").read("/a/b/table", as: Double.self).values[1] == seed)
      }
      #expect(try files.contentsOfDirectory(atPath: folder).sorted() == ["a.h5", "b.h5", "f.h5", "there"])
      #expect(
        try files.contentsOfDirectory(atPath: folder + "/there").sorted() == ["g.h5", "real.h5", "real.h5.previous"])
      for name in ["a.h5", "there"] { #expect(throws: ArchiveError.self) { try write("\(folder)/\(name)") } }
    }
  }

  @Test func datasetsReadAsWhatTheyAre() throws {
    try withFolder { folder in
      let path = folder + "/f.h5"
      try write(path)
      let reader = try ArchiveReader(sealed: path)
      #expect(try reader.values("/a/b/table").values == .doubles([0, 1, 2, 3, 4, 5]))
      #expect(try reader.values("/a/words").values == .integers([.min, .max]))
      #expect(try reader.values("/a/unsigned").values == .words([.max]))
      #expect(try reader.values("/a/names").values == .texts(["alpha", "β", ""]))
      #expect(try reader.kind(of: "/a/none") == .integers)
      let all = try reader.allValues(below: "/a")
      #expect(all.map(\.name) == ["b/table", "b/x", "names", "none", "unsigned", "words"])
    }
  }

  @Test func errorsNameCallSubjectAndCause() throws {
    try withFolder { folder in
      let path = folder + "/f.h5"
      try write(path)
      let reader = try ArchiveReader(sealed: path)
      #expect { try reader.read("/a/nothing", as: Double.self) } throws: { error in
        let text = "\(error)"
        return text.contains("/a/nothing") && text.contains("H5")
      }
      #expect { try reader.read("/a/names", as: Double.self) } throws: { "\($0)".contains("does not hold numbers") }
      #expect(throws: (any Error).self) { _ = try ArchiveWriter(path: folder + "/missing/f.h5") }
    }
  }

  @Test func theGenerationBeforeIsKept() throws {
    try withFolder { folder in
      let path = folder + "/f.h5"
      try write(path, seed: 1)
      try write(path, seed: 2)
      #expect(try ArchiveReader(sealed: path).read("/a/b/table", as: Double.self).values[1] == 2)
      let previous = ArchiveWriter.previousPath(for: path)
      #expect(try ArchiveReader(sealed: previous).read("/a/b/table", as: Double.self).values[1] == 1)
    }
  }

  /// Every bit flip anywhere and every truncation is found before the HDF5 library sees the file.
  @Test func anyChangeIsFound() throws {
    try withFolder { folder in
      let path = folder + "/f.h5"
      try write(path)
      let good = [UInt8](FileManager.default.contents(atPath: path)!)
      let other = folder + "/g.h5"
      func check(_ bytes: [UInt8]) throws -> Bool {
        try Data(bytes).write(to: URL(fileURLWithPath: other))
        do {
          try Seal.check(other)
          return true
        } catch is Seal.Fault { return false }
      }
      #expect(try check(good))
      for offset in stride(from: 0, to: good.count, by: 97) {
        var bad = good
        bad[offset] ^= 1 << UInt8(offset % 8)
        #expect(try !check(bad), "flip at \(offset)")
      }
      for offset in 0..<512 {
        var bad = good
        bad[offset] ^= 4
        #expect(try !check(bad), "flip at \(offset)")
      }
      for length in stride(from: 0, to: good.count, by: 512) { #expect(try !check(Array(good[..<length]))) }
      #expect(try !check(good + [0]))
      #expect(try !check(Array("not an HDF5 file".utf8)))
    }
  }

  /// Files made by others: links out of the file and foreign storage are refused by name.
  @Test func hostileFilesAreRefused() throws {
    try withFolder { folder in
      let script = """
        import h5py, numpy as np
        with h5py.File('hostile.h5', 'w') as f:
            f['soft'] = h5py.SoftLink('/data')
            f['external'] = h5py.ExternalLink('/etc/passwd', '/x')
            f['data'] = np.arange(4.0)
            f.create_dataset('elsewhere', shape=(4,), dtype='f8', external=[('/etc/passwd', 0, 32)])
            layout = h5py.VirtualLayout(shape=(4,), dtype='f8')
            layout[:] = h5py.VirtualSource('other.h5', 'x', shape=(4,))
            f.create_virtual_dataset('virtual', layout)
            f.create_dataset('huge', shape=(1 << 50,), chunks=(1024,), dtype='f8')
            f['compound'] = np.zeros(3, dtype=[('a', 'f8'), ('b', 'i4')])
            f['circle/again'] = np.arange(2)
            f['circle/circle'] = f['circle']
        """
      let python = Shell.root + "/.venv/bin/python"
      let made = try Shell.run([python, "-c", script], in: folder)
      #expect(made.status == 0, "\(made.error)")
      let reader = try ArchiveReader(unsealed: folder + "/hostile.h5")
      for (name, word) in [
        ("soft", "link"), ("external", "link"), ("elsewhere", "another file"), ("virtual", "virtual"),
        ("huge", "more than the file can hold"),
      ] {
        #expect { try reader.read("/" + name, as: Double.self) } throws: {
          "\($0)".contains(word) && "\($0)".contains(name)
        }
      }
      #expect(try reader.read("/data", as: Double.self).values == [0, 1, 2, 3])
      #expect { try reader.values("/compound") } throws: { "\($0)".contains("neither numbers nor strings") }
      #expect { try reader.datasets(below: "/circle") } throws: { "\($0)".contains("circle") }
      #expect { _ = try ArchiveReader(sealed: folder + "/hostile.h5") } throws: {
        "\($0)".contains("is not a fathom result file")
      }
    }
  }

  /// Two hundred places that lead to one text of a hundred thousand letters: 20 MB out of a file of some hundred kilobytes.
  @Test func oneTextInManyPlacesIsRefused() throws {
    try withFolder { folder in
      let path = folder + "/f.h5"
      let length: UInt32 = 100_000
      let texts = [String(repeating: "x", count: Int(length))] + Array(repeating: "y", count: 199)
      var writer = try ArchiveWriter(path: path)
      try writer.write("/a", strings: texts)
      try writer.publish()
      #expect(try ArchiveReader(unsealed: path).readStrings("/a") == texts)
      var bytes = [UInt8](FileManager.default.contents(atPath: path) ?? Data())
      func word(_ place: Int) -> UInt32 { (0..<4).reduce(0) { $0 | UInt32(bytes[place + $1]) << (8 * $1) } }
      // A place has 16 bytes: the length of its text, and where that is.
      let first = try #require(bytes.indices.dropLast(20).first { word($0) == length && word($0 + 16) == 1 })
      for k in 1..<texts.count {
        bytes.replaceSubrange(first + 16 * k..<first + 16 * (k + 1), with: bytes[first..<first + 16])
      }
      try Data(bytes).write(to: URL(fileURLWithPath: path))
      #expect { try ArchiveReader(unsealed: path).readStrings("/a") } throws: {
        "\($0)".contains("/a declares more text than the file can hold")
      }
    }
  }

  @Test func locksExcludeEachOther() throws {
    try withFolder { folder in
      let first = try FileSystem.Descriptor(folder + "/lock", O_RDWR | O_CREAT)
      let second = try FileSystem.Descriptor(folder + "/lock", O_RDWR)
      #expect(try first.lock() && !second.lock())
    }
  }
}
