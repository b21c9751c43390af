#if canImport(Glibc)
  import Glibc
#endif

/// A text of 512 bytes before the HDF5 data (its user block), with the SHA-256 of all that follows: any change of
/// any byte is found before the library sees the file. Readers of HDF5 skip it.
public enum Seal {
  public static let length = 512
  static let magic = "fathom sealed file 1"

  /// Why a file is not what was sealed.
  public enum Fault: Error, CustomStringConvertible, Sendable, Equatable {
    case foreign(String)
    case truncated(String, expected: UInt64, found: UInt64)
    case altered(String)

    public var description: String {
      switch self {
      case .foreign(let path): "\(path) is not a fathom result file"
      case .truncated(let path, let expected, let found):
        "\(path) is truncated or was added to: it has \(found) bytes and should have \(expected)"
      case .altered(let path): "\(path) is damaged: its contents do not match its SHA-256"
      }
    }
  }

  private static func block(hash: String, size: UInt64) -> [UInt8] {
    let text = "\(magic)\nsha256 = \(hash)\nbytes = \(size)\n"
    var bytes = Array(text.utf8)
    bytes += Array(repeating: UInt8(ascii: " "), count: length - bytes.count - 1)
    return bytes + [UInt8(ascii: "\n")]
  }

  /// Hashes the data of a file and writes the block, durably.
  static func write(_ path: String) throws {
    let file = try FileSystem.Descriptor(path, O_RDWR)
    let (hash, size) = try digest(file)
    let bytes = block(hash: hash, size: size)
    try file.write(bytes, at: 0)
    try file.synchronise()
    guard try file.read(length, at: 0) == bytes else { throw Fault.altered(path) }
  }

  /// Throws a `Fault` unless the file is exactly what was sealed.
  public static func check(_ path: String) throws { try check(FileSystem.Descriptor(path, O_RDONLY)) }

  /// One descriptor throughout: a run may put another file at the path at any moment.
  static func check(_ file: borrowing FileSystem.Descriptor) throws {
    let header = try file.read(length, at: 0)
    let lines = String(decoding: header, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.first.map(String.init) == magic else { throw Fault.foreign(file.path) }
    let (hash, size) = try digest(file)
    guard lines.count > 2, lines[2].hasPrefix("bytes = "), let expected = UInt64(lines[2].dropFirst(8)) else {
      throw Fault.altered(file.path)
    }
    guard expected == size else { throw Fault.truncated(file.path, expected: expected, found: size) }
    // The whole block must be the one that would be written now: padding included.
    guard header == block(hash: hash, size: size) else { throw Fault.altered(file.path) }
  }

  private static func digest(_ file: borrowing FileSystem.Descriptor) throws -> (hash: String, size: UInt64) {
    var hasher = try SHA256()
    var offset = UInt64(length)
    while true {
      let piece = try file.read(1 << 20, at: offset)
      if piece.isEmpty { break }
      try hasher.update(piece)
      offset += UInt64(piece.count)
    }
    return (try hasher.finalize(), try file.size())
  }
}
