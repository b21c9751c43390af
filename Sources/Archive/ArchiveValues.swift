import CHDF5

/// The contents of a dataset, as its stored type says.
public enum ArchiveValues: Sendable, Equatable {
  case doubles([Double])
  case integers([Int64])
  case words([UInt64])
  case texts([String])

  public var count: Int {
    switch self {
    case .doubles(let values): values.count
    case .integers(let values): values.count
    case .words(let values): values.count
    case .texts(let values): values.count
    }
  }

  /// A fast hash for the read-back, which guards against faults, not against people (the seal does).
  var hash: UInt64 {
    switch self {
    case .doubles(let values): ArchiveWriter.hash(values)
    case .integers(let values): ArchiveWriter.hash(values)
    case .words(let values): ArchiveWriter.hash(values)
    case .texts(let values): ArchiveWriter.hash(values)
    }
  }
}

extension ArchiveReader {
  /// What a dataset holds.
  public enum ElementKind: Sendable {
    case doubles, integers, words, texts
  }

  /// What the stored elements of a dataset are; throws for types that no sealed file has.
  public func kind(of name: String) throws -> ElementKind {
    let set = try open(name)
    let stored = try Handle("H5Dget_type", name, .type) { H5Dget_type(set.id) }
    switch H5Tget_class(stored.id) {
    case H5T_FLOAT: return .doubles
    case H5T_INTEGER: return H5Tget_sign(stored.id) == H5T_SGN_NONE ? .words : .integers
    case H5T_STRING where H5Tis_variable_str(stored.id) > 0: return .texts
    default: throw ArchiveError("\(path): \(name) holds neither numbers nor strings")
    }
  }

  /// Reads a dataset as what it is.
  public func values(_ name: String) throws -> (shape: [Int], values: ArchiveValues) {
    switch try kind(of: name) {
    case .doubles:
      let (shape, values) = try read(name, as: Double.self)
      return (shape, .doubles(values))
    case .integers:
      let (shape, values) = try read(name, as: Int64.self)
      return (shape, .integers(values))
    case .words:
      let (shape, values) = try read(name, as: UInt64.self)
      return (shape, .words(values))
    case .texts:
      let set = try open(name)
      return (try shape(set, name), .texts(try readStrings(name)))
    }
  }

  /// All datasets below a group, by their names from there. Together they are no larger than the file could hold.
  public func allValues(below group: String) throws -> [(name: String, values: ArchiveValues)] {
    var elements: UInt64 = 0
    return try datasets(below: group).map { name in
      let (_, values) = try values(name)
      elements += UInt64(values.count)
      guard elements <= fileSize &* 64 else {
        throw ArchiveError("\(path): \(name) and those before it hold more elements than the file")
      }
      return (String(name.dropFirst(group == "/" ? 1 : group.count + 1)), values)
    }
  }
}
