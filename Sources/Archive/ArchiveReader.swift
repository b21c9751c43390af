import CHDF5

#if canImport(Glibc)
  import Glibc
#endif

/// Reads an HDF5 file.
///
/// Nothing in the file is trusted: only plain groups and datasets stored in this very file are
/// followed, and no array is allocated that is larger than the file could hold.
public struct ArchiveReader: ~Copyable {
  let file: Handle
  let path: String
  let fileSize: UInt64

  /// Opens a sealed file, after checking the seal: this very file, whatever a run puts at its path in the meantime.
  public init(sealed path: String) throws {
    var size: UInt64 = 0
    file = try Self.open(sealed: path, size: &size)
    self.path = path
    fileSize = size
  }

  /// Opens any HDF5 file.
  public init(unsealed path: String) throws {
    let size = try FileSystem.size(path)
    file = try Self.open(path, path)
    self.path = path
    fileSize = size
  }

  private static func open(_ place: String, _ path: String) throws -> Handle {
    try Handle("H5Fopen", path, .file) { H5Fopen(place, chdf5_readonly(), chdf5_default()) }
  }

  private static func open(sealed path: String, size: inout UInt64) throws -> Handle {
    var attempts = 0
    while true {
      let checked = try FileSystem.Descriptor(path, O_RDONLY)
      try Seal.check(checked)
      size = try checked.size()
      do { return try open("/proc/self/fd/\(checked.number)", path) } catch {
        // The library asks for the path again, which a file that was just replaced has no longer.
        attempts += 1
        if attempts == 10 || checked.isStillAt(path) { throw error }
      }
    }
  }

  /// Names in a group, sorted. Soft and external links are refused.
  public func list(_ group: String) throws -> [String] {
    let handle = try Handle("H5Gopen2", group, .group) {
      H5Gopen2(file.id, group, chdf5_default())
    }
    var info = H5G_info_t()
    _ = try Library.call("H5Gget_info", group) { H5Gget_info(handle.id, &info) }
    return try (0..<info.nlinks).map { index in
      let length = try Library.call("H5Lget_name_by_idx", group) {
        H5Lget_name_by_idx(handle.id, ".", H5_INDEX_NAME, H5_ITER_INC, index, nil, 0, chdf5_default())
      }
      var buffer = [CChar](repeating: 0, count: length + 1)
      _ = try Library.call("H5Lget_name_by_idx", group) {
        H5Lget_name_by_idx(handle.id, ".", H5_INDEX_NAME, H5_ITER_INC, index, &buffer, length + 1, chdf5_default())
      }
      return String(decoding: buffer.prefix(length).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
  }

  /// Groups within groups that are followed: hard links of a forged file may lead in a circle.
  static let deepest = 32

  /// Paths of all datasets. Throws at the first link that leads elsewhere, and where there are more than the file can hold.
  public func datasets(below group: String = "/") throws -> [String] {
    var found: [String] = []
    try collect(group, depth: 0, into: &found)
    return found
  }

  private func collect(_ group: String, depth: Int, into found: inout [String]) throws {
    guard depth < Self.deepest else { throw ArchiveError("\(path): the groups of \(group) lead in a circle") }
    for name in try list(group) {
      let place = group == "/" ? "/\(name)" : "\(group)/\(name)"
      try checkLinks(place)
      let object = try Handle("H5Oopen", place, .object) { H5Oopen(file.id, place, chdf5_default()) }
      if H5Iget_type(object.id) == H5I_GROUP {
        try collect(place, depth: depth + 1, into: &found)
      } else {
        // A dataset takes more than this many bytes.
        guard UInt64(found.count) < fileSize / 64 else {
          throw ArchiveError("\(path): more datasets below \(group) than the file can hold")
        }
        found.append(place)
      }
    }
  }

  /// Whether a name exists, without following anything but hard links.
  public func contains(_ name: String) -> Bool { (try? checkLinks(name)) != nil }

  /// Refuses paths that pass through soft or external links.
  private func checkLinks(_ name: String) throws {
    var prefix = ""
    for part in name.split(separator: "/") {
      prefix += "/" + part
      var info = H5L_info_t()
      _ = try Library.call("H5Lget_info", prefix) { H5Lget_info(file.id, prefix, &info, chdf5_default()) }
      guard info.type == H5L_TYPE_HARD else {
        throw ArchiveError("\(path): \(prefix) is a soft or external link, which is not followed")
      }
    }
  }

  func open(_ name: String) throws -> Handle {
    try checkLinks(name)
    let set = try Handle("H5Dopen2", name, .dataset) {
      H5Dopen2(file.id, name, chdf5_default())
    }
    let create = try Handle("H5Dget_create_plist", name, .propertyList) { H5Dget_create_plist(set.id) }
    let layout = H5Pget_layout(create.id)
    guard layout == H5D_CHUNKED || layout == H5D_CONTIGUOUS || layout == H5D_COMPACT,
      H5Pget_external_count(create.id) == 0
    else {
      throw ArchiveError("\(path): \(name) is a virtual dataset or stored in another file, which is not followed")
    }
    return set
  }

  func shape(_ set: borrowing Handle, _ name: String) throws -> [Int] {
    let id = set.id
    let space = try Handle("H5Dget_space", name, .space) { H5Dget_space(id) }
    let rank = try Library.call("H5Sget_simple_extent_ndims", name) { H5Sget_simple_extent_ndims(space.id) }
    var dimensions = [hsize_t](repeating: 0, count: max(Int(rank), 1))
    _ = try Library.call("H5Sget_simple_extent_dims", name) {
      H5Sget_simple_extent_dims(space.id, &dimensions, nil)
    }
    let shape = rank == 0 ? [1] : dimensions.map { Int(clamping: $0) }
    var elements: UInt64 = 1
    for extent in shape {
      let (product, overflow) = elements.multipliedReportingOverflow(by: UInt64(extent))
      guard !overflow else { throw ArchiveError("\(path): the shape of \(name) is absurd: \(shape)") }
      elements = product
    }
    // Nothing here is compressed beyond what a text file is: 64 times the file's size is more than any.
    guard elements <= fileSize &* 64 else {
      throw ArchiveError("\(path): \(name) declares \(elements) elements, more than the file can hold")
    }
    return shape
  }

  /// Reads a numeric dataset; numbers of another type are converted by the library.
  public func read<T: ArchiveElement>(_ name: String, as type: T.Type = T.self) throws -> (shape: [Int], values: [T]) {
    let set = try open(name)
    let shape = try shape(set, name)
    let stored = try Handle("H5Dget_type", name, .type) { H5Dget_type(set.id) }
    let kind = H5Tget_class(stored.id)
    guard kind == H5T_FLOAT || kind == H5T_INTEGER else {
      throw ArchiveError("\(path): \(name) does not hold numbers")
    }
    var values = Array(repeating: T.zero, count: shape.reduce(1, *))
    if !values.isEmpty {
      _ = try Library.call("H5Dread", name) {
        H5Dread(set.id, T.memoryType, chdf5_all(), chdf5_all(), chdf5_default(), &values)
      }
    }
    return (shape, values)
  }

  /// Reads a list of strings of variable length.
  public func readStrings(_ name: String) throws -> [String] {
    let set = try open(name)
    let count = try shape(set, name).reduce(1, *)
    let stored = try Handle("H5Dget_type", name, .type) { H5Dget_type(set.id) }
    guard H5Tget_class(stored.id) == H5T_STRING, H5Tis_variable_str(stored.id) > 0 else {
      throw ArchiveError("\(path): \(name) does not hold strings")
    }
    let type = try ArchiveWriter.stringType(name)
    // Many places may share one long text, which is read as often as it is named.
    let memory = TextMemory(limit: fileSize &* 64)
    let transfer = try Library.textTransfer(of: count, name)
    try memory.use(in: transfer, name)
    var pointers = [UnsafeMutablePointer<CChar>?](repeating: nil, count: count)
    do {
      _ = try Library.call("H5Dread", name) {
        H5Dread(set.id, type.id, chdf5_all(), chdf5_all(), transfer.id, &pointers)
      }
    } catch {
      guard memory.isExceeded else { throw error }
      throw ArchiveError("\(path): \(name) declares more text than the file can hold")
    }
    defer { withExtendedLifetime(memory) {} }
    return pointers.map { $0.map { String(cString: $0) } ?? "" }
  }

  /// A string attribute, nil if there is none.
  public func attribute(_ object: String, _ name: String) throws -> String? {
    try checkLinks(object)
    let target = try Handle("H5Oopen", object, .object) {
      H5Oopen(file.id, object, chdf5_default())
    }
    guard try Library.call("H5Aexists", name, { H5Aexists(target.id, name) }) > 0 else { return nil }
    let attribute = try Handle("H5Aopen", name, .attribute) {
      H5Aopen(target.id, name, chdf5_default())
    }
    let stored = try Handle("H5Aget_type", name, .type) { H5Aget_type(attribute.id) }
    guard H5Tget_class(stored.id) == H5T_STRING, H5Tis_variable_str(stored.id) > 0 else { return nil }
    let type = try ArchiveWriter.stringType(name)
    var pointer: UnsafeMutablePointer<CChar>?
    _ = try Library.call("H5Aread", name) { H5Aread(attribute.id, type.id, &pointer) }
    defer { H5free_memory(pointer) }
    return pointer.map { String(cString: $0) } ?? ""
  }

  /// An attribute of one number of floating point.
  public func numberAttribute(_ object: String, _ name: String) throws -> Double {
    try checkLinks(object)
    let attribute = try Handle("H5Aopen_by_name", name, .attribute) {
      H5Aopen_by_name(file.id, object, name, chdf5_default(), chdf5_default())
    }
    let space = try Handle("H5Aget_space", name, .space) { H5Aget_space(attribute.id) }
    let stored = try Handle("H5Aget_type", name, .type) { H5Aget_type(attribute.id) }
    guard H5Tget_class(stored.id) == H5T_FLOAT, H5Sget_simple_extent_npoints(space.id) == 1 else {
      throw ArchiveError("\(path): attribute \(name) of \(object) is not a number")
    }
    var value = 0.0
    _ = try Library.call("H5Aread", name) { H5Aread(attribute.id, chdf5_double(), &value) }
    return value
  }

  /// An integer attribute.
  public func integerAttribute(_ object: String, _ name: String) throws -> Int64 {
    try checkLinks(object)
    let attribute = try Handle("H5Aopen_by_name", name, .attribute) {
      H5Aopen_by_name(file.id, object, name, chdf5_default(), chdf5_default())
    }
    let space = try Handle("H5Aget_space", name, .space) { H5Aget_space(attribute.id) }
    let stored = try Handle("H5Aget_type", name, .type) { H5Aget_type(attribute.id) }
    guard H5Tget_class(stored.id) == H5T_INTEGER, H5Sget_simple_extent_npoints(space.id) == 1 else {
      throw ArchiveError("\(path): attribute \(name) of \(object) is not an integer")
    }
    var value: Int64 = 0
    _ = try Library.call("H5Aread", name) { H5Aread(attribute.id, chdf5_int64(), &value) }
    return value
  }

}
