#if canImport(Glibc)
  import Glibc
#endif

/// A call of the operating system that failed.
public struct SystemError: Error, CustomStringConvertible, Sendable {
  public let call: String
  public let path: String
  public let code: Int32

  init(_ call: String, _ path: String) {
    self.call = call
    self.path = path
    code = errno
  }

  public var description: String { "\(path): \(String(cString: strerror(code))) (\(call))" }
}

/// Durable file operations, every status checked.
public enum FileSystem {
  /// An open file.
  public struct Descriptor: ~Copyable {
    let number: Int32
    let path: String

    public init(_ path: String, _ flags: Int32) throws {
      self.path = path
      number = open(path, flags | O_CLOEXEC, 0o644)
      if number < 0 { throw SystemError("open", path) }
    }

    deinit { close(number) }

    /// Up to `count` bytes from an offset; fewer only at the end of the file.
    public func read(_ count: Int, at offset: UInt64) throws -> [UInt8] {
      var failure: SystemError?
      let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
        while filled < count {
          let got = pread(number, buffer.baseAddress! + filled, count - filled, off_t(offset) + off_t(filled))
          if got < 0 {
            if errno == EINTR { continue }
            failure = SystemError("pread", path)
            break
          }
          if got == 0 { break }
          filled += got
        }
      }
      if let failure { throw failure }
      return bytes
    }

    public func write(_ bytes: [UInt8], at offset: UInt64) throws {
      var done = 0
      while done < bytes.count {
        let put = bytes.withUnsafeBytes {
          pwrite(number, $0.baseAddress! + done, bytes.count - done, off_t(offset) + off_t(done))
        }
        if put < 0 {
          if errno == EINTR { continue }
          throw SystemError("pwrite", path)
        }
        done += put
      }
    }

    public func size() throws -> UInt64 {
      var info = stat()
      if fstat(number, &info) != 0 { throw SystemError("fstat", path) }
      return UInt64(info.st_size)
    }

    public func synchronise() throws {
      if fsync(number) != 0 { throw SystemError("fsync", path) }
    }

    /// Whether the path still names this file.
    public func isStillAt(_ path: String) -> Bool {
      var (mine, there) = (stat(), stat())
      return fstat(number, &mine) == 0 && stat(path, &there) == 0 && mine.st_ino == there.st_ino
        && mine.st_dev == there.st_dev
    }

    /// Takes an exclusive lock that ends with this descriptor; false if another process has it.
    public func lock() throws -> Bool {
      if flock(number, LOCK_EX | LOCK_NB) == 0 { return true }
      if errno == EWOULDBLOCK { return false }
      throw SystemError("flock", path)
    }
  }

  public static func size(_ path: String) throws -> UInt64 {
    var info = stat()
    if stat(path, &info) != 0 { throw SystemError("stat", path) }
    return UInt64(info.st_size)
  }

  /// What changes when another file is put at a path, or is written to; nil if there is none.
  public static func generation(_ path: String) -> [Int]? {
    var info = stat()
    return stat(path, &info) == 0
      ? [Int(bitPattern: UInt(info.st_ino)), info.st_mtim.tv_sec, info.st_mtim.tv_nsec] : nil
  }

  public static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// The file that stands for `path` when it is written: symbolic links are followed, even if the target does not exist yet.
  /// Throws for links that form a loop, and for what is no file, such as a folder or a device.
  public static func destination(of path: String) throws -> String {
    var place = path
    // As many links as Linux follows.
    for _ in 0...40 {
      var info = stat()
      if lstat(place, &info) != 0 {
        if errno == ENOENT { return place }
        if errno == ELOOP { break }
        throw SystemError("lstat", place)
      }
      switch info.st_mode & S_IFMT {
      case S_IFREG: return place
      case S_IFLNK: place = try target(ofLink: place)
      case S_IFDIR: throw ArchiveError("\(path) is a folder, not a file")
      default: throw ArchiveError("\(path) is a device, a pipe or a socket, not a file")
      }
    }
    throw ArchiveError("\(path) is a symbolic link that leads back to itself")
  }

  private static func target(ofLink path: String) throws -> String {
    var bytes = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let length = bytes.withUnsafeMutableBytes { readlink(path, $0.bindMemory(to: CChar.self).baseAddress!, $0.count) }
    if length < 0 { throw SystemError("readlink", path) }
    let target = String(decoding: bytes[..<length], as: UTF8.self)
    let folder = folder(of: path)
    return target.hasPrefix("/") || folder == "." ? target : "\(folder)/\(target)"
  }

  /// The folder a path lies in.
  public static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// Renames `source` to `path`; what stood there becomes `previous`. At no moment is `path` absent or partial.
  public static func replace(_ path: String, by source: String, keepingPrevious previous: String) throws {
    if exists(path) {
      // link + rename: a power cut between them leaves two names of one good file.
      if unlink(previous) != 0 && errno != ENOENT { throw SystemError("unlink", previous) }
      if link(path, previous) != 0 { throw SystemError("link", previous) }
    }
    if rename(source, path) != 0 { throw SystemError("rename", path) }
    try synchroniseFolder(of: path)
  }

  public static func move(_ source: String, to path: String) throws {
    if rename(source, path) != 0 { throw SystemError("rename", path) }
    try synchroniseFolder(of: path)
  }

  private static func synchroniseFolder(of path: String) throws {
    try Descriptor(folder(of: path), O_RDONLY | O_DIRECTORY).synchronise()
  }
}
