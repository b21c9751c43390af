import CHDF5

#if canImport(Glibc)
  import Glibc
#endif

/// Writes one HDF5 file that is whole or not there.
///
/// The file is made beside its final place, with chunks, checksums and early allocation. `publish` closes it,
/// reads every dataset back against what was written (a full disk can pass for success in HDF5 1.10), seals
/// it (`Seal`), and renames it into place; the file that stood there stays as `<name>.previous`.
public struct ArchiveWriter: ~Copyable {
  private let file: Handle
  private let path: String
  private let temporary: String
  /// Shape and hash of the bytes of every dataset, in the order of writing.
  private var written: [Written] = []
  /// Attributes: the library puts no checksum on these.
  private var attributes: [Attribute] = []

  private struct Written {
    let path: String
    let shape: [Int]
    let values: UInt64
  }

  private struct Attribute {
    enum Value {
      case text(String)
      case number(UInt64)
      case integer(Int64)
    }
    let object, name: String
    let value: Value
  }

  public static func temporaryPath(for path: String) -> String { path + ".partial" }
  public static func previousPath(for path: String) -> String { path + ".previous" }

  /// Starts a file that will stand at `path`; where that is a symbolic link, at its target, beside which the file is then made.
  public init(path: String) throws { try self.init(at: FileSystem.destination(of: path)) }

  private init(at path: String) throws {
    self.path = path
    let temporary = Self.temporaryPath(for: path)
    self.temporary = temporary
    let create = try Handle("H5Pcreate", temporary, .propertyList) { H5Pcreate(chdf5_file_create()) }
    _ = try Library.call("H5Pset_userblock", temporary) { H5Pset_userblock(create.id, hsize_t(Seal.length)) }
    let access = try Handle("H5Pcreate", temporary, .propertyList) { H5Pcreate(chdf5_file_access()) }
    _ = try Library.call("H5Pset_libver_bounds", temporary) {
      H5Pset_libver_bounds(access.id, H5F_LIBVER_V110, H5F_LIBVER_V110)
    }
    file = try Handle("H5Fcreate", temporary, .file) {
      H5Fcreate(temporary, chdf5_truncate(), create.id, access.id)
    }
  }

  /// Makes a group and those above it.
  public func makeGroup(_ group: String) throws {
    let links = try Handle("H5Pcreate", group, .propertyList) { H5Pcreate(chdf5_link_create()) }
    _ = try Library.call("H5Pset_create_intermediate_group", group) {
      H5Pset_create_intermediate_group(links.id, 1)
    }
    let made = try Handle("H5Gcreate2", group, .group) {
      H5Gcreate2(file.id, group, links.id, chdf5_default(), chdf5_default())
    }
    try made.close()
  }

  /// Writes an array; `shape` multiplies to its length.
  public mutating func write<T: ArchiveElement>(_ name: String, shape: [Int], _ values: [T]) throws {
    precondition(shape.reduce(1, *) == values.count, "shape of \(name)")
    let type = try Handle("H5Tcopy", name, .type) { H5Tcopy(T.fileType) }
    var fill = T.fill
    let set = try make(name, shape: shape, type: type, fill: { H5Pset_fill_value($0, T.memoryType, &fill) })
    if !values.isEmpty {
      _ = try Library.call("H5Dwrite", name) {
        H5Dwrite(set.id, T.memoryType, chdf5_all(), chdf5_all(), chdf5_default(), values)
      }
    }
    try set.close()
    written.append(Written(path: name, shape: shape, values: Self.hash(values)))
  }

  /// Writes strings, a list of them unless a shape is given.
  public mutating func write(_ name: String, shape: [Int]? = nil, strings: [String]) throws {
    let shape = shape ?? [strings.count]
    precondition(shape.reduce(1, *) == strings.count, "shape of \(name)")
    let type = try Self.stringType(name)
    let set = try make(name, shape: shape, type: type, checksums: false, fill: { _ in 0 })
    let transfer = try Library.textTransfer(of: strings.count, name)
    try Self.withCStrings(strings) { pointers in
      _ = try Library.call("H5Dwrite", name) {
        H5Dwrite(set.id, type.id, chdf5_all(), chdf5_all(), transfer.id, pointers)
      }
    }
    try set.close()
    // The library ends a text at its first NUL.
    written.append(
      Written(path: name, shape: shape, values: Self.hash(strings.map { String($0.prefix { $0 != "\0" }) })))
  }

  private func make(
    _ name: String, shape: [Int], type: borrowing Handle, checksums: Bool = true, fill: (hid_t) -> herr_t
  ) throws -> Handle {
    let create = try Handle("H5Pcreate", name, .propertyList) { H5Pcreate(chdf5_dataset_create()) }
    let dimensions = shape.map { hsize_t($0) }
    if !shape.contains(0) {
      // Chunks of at most 2^17 elements: rows of the first axis together.
      var chunk = dimensions
      let row = max(1, dimensions.dropFirst().reduce(1, *))
      chunk[0] = min(dimensions[0], max(1, (1 << 17) / row))
      _ = try Library.call("H5Pset_chunk", name) { H5Pset_chunk(create.id, Int32(chunk.count), chunk) }
      // Not possible for strings of variable length; the seal covers them.
      if checksums { _ = try Library.call("H5Pset_fletcher32", name) { H5Pset_fletcher32(create.id) } }
      _ = try Library.call("H5Pset_alloc_time", name) { H5Pset_alloc_time(create.id, H5D_ALLOC_TIME_EARLY) }
    }
    _ = try Library.call("H5Pset_fill_value", name) { fill(create.id) }
    let space = try Handle("H5Screate_simple", name, .space) {
      H5Screate_simple(Int32(dimensions.count), dimensions, nil)
    }
    let typeID = type.id
    return try Handle("H5Dcreate2", name, .dataset) {
      H5Dcreate2(file.id, name, typeID, space.id, chdf5_default(), create.id, chdf5_default())
    }
  }

  /// Gives an object a string attribute.
  public mutating func setAttribute(_ object: String, _ name: String, _ value: String) throws {
    let type = try Self.stringType(name)
    let target = try self.object(object)
    let space = try Handle("H5Screate", name, .space) { H5Screate(H5S_SCALAR) }
    let attribute = try Handle("H5Acreate2", name, .attribute) {
      H5Acreate2(target.id, name, type.id, space.id, chdf5_default(), chdf5_default())
    }
    try Self.withCStrings([value]) { pointers in
      _ = try Library.call("H5Awrite", name) { H5Awrite(attribute.id, type.id, pointers) }
    }
    try attribute.close()
    // The library ends a text at its first NUL.
    attributes.append(Attribute(object: object, name: name, value: .text(String(value.prefix { $0 != "\0" }))))
  }

  /// Gives an object a numeric attribute.
  public mutating func setAttribute<T: ArchiveElement>(_ object: String, _ name: String, _ value: T) throws {
    let target = try self.object(object)
    let space = try Handle("H5Screate", name, .space) { H5Screate(H5S_SCALAR) }
    let attribute = try Handle("H5Acreate2", name, .attribute) {
      H5Acreate2(target.id, name, T.fileType, space.id, chdf5_default(), chdf5_default())
    }
    var copy = value
    _ = try Library.call("H5Awrite", name) { H5Awrite(attribute.id, T.memoryType, &copy) }
    try attribute.close()
    if let number = value as? Double {
      attributes.append(Attribute(object: object, name: name, value: .number(number.bitPattern)))
    } else if let integer = value as? Int64 {
      attributes.append(Attribute(object: object, name: name, value: .integer(integer)))
    }
  }

  /// Gives an object an attribute of several integers.
  public func setAttribute(_ object: String, _ name: String, _ values: [Int64]) throws {
    let target = try self.object(object)
    let space = try Handle("H5Screate_simple", name, .space) { H5Screate_simple(1, [hsize_t(values.count)], nil) }
    let attribute = try Handle("H5Acreate2", name, .attribute) {
      H5Acreate2(target.id, name, Int64.fileType, space.id, chdf5_default(), chdf5_default())
    }
    _ = try Library.call("H5Awrite", name) { H5Awrite(attribute.id, Int64.memoryType, values) }
    try attribute.close()
  }

  /// Gives an object an attribute of strings of fixed length, as H5MD asks for.
  public func setAttribute(_ object: String, _ name: String, fixed values: [String], scalar: Bool) throws {
    precondition(!scalar || values.count == 1)
    let length = max(1, values.map(\.utf8.count).max() ?? 1)
    let target = try self.object(object)
    let type = try Handle("H5Tcopy", name, .type) { H5Tcopy(chdf5_c_string()) }
    _ = try Library.call("H5Tset_size", name) { H5Tset_size(type.id, length) }
    _ = try Library.call("H5Tset_strpad", name) { H5Tset_strpad(type.id, H5T_STR_NULLPAD) }
    let space = try Handle("H5Screate", name, .space) {
      scalar ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, [hsize_t(values.count)], nil)
    }
    let attribute = try Handle("H5Acreate2", name, .attribute) {
      H5Acreate2(target.id, name, type.id, space.id, chdf5_default(), chdf5_default())
    }
    let bytes = values.flatMap { Array($0.utf8) + Array(repeating: 0, count: length - $0.utf8.count) }
    _ = try Library.call("H5Awrite", name) { H5Awrite(attribute.id, type.id, bytes) }
    try attribute.close()
  }

  /// Makes a one-dimensional dataset a dimension scale of the given name.
  public func makeScale(_ dataset: String, name: String) throws {
    let set = try self.object(dataset)
    _ = try Library.call("H5DSset_scale", dataset) { H5DSset_scale(set.id, name) }
  }

  /// Attaches a scale to each axis of a dataset, in order.
  public func attachScales(_ scales: [String], to dataset: String) throws {
    let set = try self.object(dataset)
    for (axis, scale) in scales.enumerated() {
      let other = try self.object(scale)
      _ = try Library.call("H5DSattach_scale", dataset) { H5DSattach_scale(set.id, other.id, UInt32(axis)) }
    }
  }

  private func object(_ name: String) throws -> Handle {
    try Handle("H5Oopen", name, .object) { H5Oopen(file.id, name, chdf5_default()) }
  }

  /// Closes, checks, seals and puts the file into place.
  public consuming func publish() throws {
    let (path, temporary, written, attributes) = (path, temporary, written, attributes)
    _ = try Library.call("H5Fflush", temporary) { H5Fflush(file.id, H5F_SCOPE_GLOBAL) }
    try finish()
    do {
      let back = try ArchiveReader(unsealed: temporary)
      if let place = try Self.difference(back, written, attributes) {
        throw ArchiveError("\(temporary): \(place) does not read back as it was written")
      }
    }
    try Seal.write(temporary)
    try FileSystem.replace(path, by: temporary, keepingPrevious: Self.previousPath(for: path))
  }

  private consuming func finish() throws { try file.close() }

  /// Instead of publishing: compares what was written with a file, and throws at the first difference.
  public consuming func compare(with reader: borrowing ArchiveReader) throws {
    let (temporary, written, attributes) = (temporary, written, attributes)
    try finish()
    unlink(temporary)
    let wrong = "does not follow from the exact state; forged, or written by another version"
    let known = Set(written.map(\.path))
    for name in try reader.datasets() where !known.contains(name) { throw ArchiveError("\(name) \(wrong)") }
    if let place = try Self.difference(reader, written, attributes) { throw ArchiveError("\(place) \(wrong)") }
  }

  /// The first dataset or attribute that is not as it was written.
  private static func difference(
    _ reader: borrowing ArchiveReader, _ written: [Written], _ attributes: [Attribute]
  ) throws -> String? {
    for entry in written {
      let (shape, values) = try reader.values(entry.path)
      if shape != entry.shape || values.hash != entry.values { return entry.path }
    }
    for entry in attributes {
      let isSame: Bool
      switch entry.value {
      case .text(let value): isSame = try reader.attribute(entry.object, entry.name) == value
      case .number(let bits): isSame = try reader.numberAttribute(entry.object, entry.name).bitPattern == bits
      case .integer(let value): isSame = try reader.integerAttribute(entry.object, entry.name) == value
      }
      if !isSame { return "\(entry.name) of \(entry.object)" }
    }
    return nil
  }

  /// A fast hash for the read-back, which guards against faults, not against people (the seal does): FNV-1a over words.
  static func hash<T: ArchiveElement>(_ values: [T]) -> UInt64 {
    values.withUnsafeBytes { bytes in
      bytes.withMemoryRebound(to: UInt64.self) { $0.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ $1) &* 0x100_0000_01b3 } }
    }
  }

  static func hash(_ strings: [String]) -> UInt64 {
    strings.reduce(0xcbf2_9ce4_8422_2325) { hash, string in
      string.utf8.reduce(hash ^ 0xff) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
  }

  static func stringType(_ subject: String) throws -> Handle {
    let type = try Handle("H5Tcopy", subject, .type) { H5Tcopy(chdf5_c_string()) }
    _ = try Library.call("H5Tset_size", subject) { H5Tset_size(type.id, chdf5_variable()) }
    _ = try Library.call("H5Tset_cset", subject) { H5Tset_cset(type.id, H5T_CSET_UTF8) }
    return type
  }

  private static func withCStrings(
    _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) throws -> Void
  ) rethrows {
    let pointers = strings.map { strdup($0) }
    defer { for pointer in pointers { free(pointer) } }
    try body(pointers)
  }
}
