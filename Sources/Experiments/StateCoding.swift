import Statistics

/// A row of numbers or texts of a saved state.
public enum StateValue: Sendable, Equatable {
  case doubles([Double])
  case integers([Int64])
  case words([UInt64])
  case texts([String])
}

/// Collects what a checkpoint needs under names, `a/b` for groups. The one coding of states: messages between ranks are its bytes, files
/// have a dataset for each entry.
public struct StateEncoder: Sendable {
  public private(set) var entries: [(name: String, value: StateValue)] = []
  private var prefix = ""

  public init() {}

  fileprivate init(entries: [(name: String, value: StateValue)]) { self.entries = entries }

  public mutating func add(_ name: String, _ values: [Double]) { entries.append((prefix + name, .doubles(values))) }
  public mutating func add(_ name: String, _ values: [Int64]) { entries.append((prefix + name, .integers(values))) }
  public mutating func add(_ name: String, _ values: [UInt64]) { entries.append((prefix + name, .words(values))) }
  public mutating func add(_ name: String, _ values: [String]) { entries.append((prefix + name, .texts(values))) }
  public mutating func add(_ name: String, _ value: Int) { add(name, [Int64(value)]) }

  /// Entries below `name`.
  public mutating func nest(_ name: String, _ body: (inout StateEncoder) throws -> Void) rethrows {
    let outer = prefix
    prefix += name + "/"
    defer { prefix = outer }
    try body(&self)
  }

  /// Histograms: the pages that are there, and their counts.
  public mutating func add(_ name: String, _ histograms: [BitHistogram]) {
    nest(name) { encoder in
      let pages = histograms.enumerated().flatMap { entry in entry.element.pages.map { (entry.offset, $0) } }
      encoder.add("number", histograms.count)
      encoder.add("pages", pages.flatMap { [Int64($0.0), Int64($0.1)] })
      encoder.add("counts", pages.flatMap { histograms[$0.0].page($0.1) })
    }
  }

  /// All entries of a decoder, below `name`.
  public mutating func add(_ name: String, _ decoder: StateDecoder) {
    for (entry, value) in decoder.entries { entries.append((prefix + name + "/" + entry, value)) }
  }

  /// Reads these entries.
  public func decoder(place: String) -> StateDecoder {
    StateDecoder(Dictionary(entries.map { ($0.name, $0.value) }) { $1 }, place: place)
  }

  /// As one message; `StateDecoder(bytes:)` reads it.
  public var bytes: [UInt8] {
    var result: [UInt8] = []
    func put<T: BitwiseCopyable>(_ value: T) { withUnsafeBytes(of: value) { result.append(contentsOf: $0) } }
    func put<T: BitwiseCopyable>(all values: [T]) {
      put(values.count)
      values.withUnsafeBytes { result.append(contentsOf: $0) }
    }
    put(entries.count)
    for (name, value) in entries {
      put(all: Array(name.utf8))
      switch value {
      case .doubles(let values):
        put(0)
        put(all: values)
      case .integers(let values):
        put(1)
        put(all: values)
      case .words(let values):
        put(2)
        put(all: values)
      case .texts(let values):
        put(3)
        put(values.count)
        for text in values { put(all: Array(text.utf8)) }
      }
    }
    return result
  }
}

/// Reads a state back; everything that does not fit is a failure that names the entry.
public struct StateDecoder: Sendable {
  private let values: [String: StateValue]
  private let prefix: String
  /// What the state is of, for messages.
  private let place: String

  public init(_ values: [String: StateValue], place: String) {
    self.values = values
    self.place = place
    prefix = ""
  }

  private init(_ outer: StateDecoder, _ name: String) {
    values = outer.values
    place = outer.place
    prefix = outer.prefix + name + "/"
  }

  /// A message of another rank of this program.
  public init(bytes: [UInt8], place: String = "message") {
    var cursor = 0
    func take<T: BitwiseCopyable>(_ count: Int, _ zero: T) -> [T] {
      let length = count * MemoryLayout<T>.stride
      var result = Array(repeating: zero, count: count)
      result.withUnsafeMutableBytes { target in
        bytes.withUnsafeBytes {
          target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[cursor..<cursor + length]))
        }
      }
      cursor += length
      return result
    }
    func integer() -> Int { take(1, 0)[0] }
    func text() -> String { String(decoding: take(integer(), UInt8(0)), as: UTF8.self) }
    var values: [String: StateValue] = [:]
    for _ in 0..<(bytes.isEmpty ? 0 : integer()) {
      let name = text()
      switch integer() {
      case 0: values[name] = .doubles(take(integer(), 0.0))
      case 1: values[name] = .integers(take(integer(), Int64(0)))
      case 2: values[name] = .words(take(integer(), UInt64(0)))
      default: values[name] = .texts((0..<integer()).map { _ in text() })
      }
    }
    self.init(values, place: place)
  }

  public func unfit(_ name: String) -> Failure {
    Failure(
      .badData, "\(place): \(prefix)\(name) does not fit the other tables or the job; --fresh starts from scratch")
  }

  public func contains(_ name: String) -> Bool {
    values[prefix + name] != nil || values.keys.contains { $0.hasPrefix(prefix + name + "/") }
  }

  /// Names at this level, numbers in their order.
  public var names: [String] {
    let below = values.keys.filter { $0.hasPrefix(prefix) }.map { $0.dropFirst(prefix.count).prefix { $0 != "/" } }
    return Set(below).map(String.init).sorted { (UInt64($0) ?? 0, $0) < (UInt64($1) ?? 0, $1) }
  }

  /// What is at this level and below, by name.
  public var entries: [(name: String, value: StateValue)] {
    values.filter { $0.key.hasPrefix(prefix) }.map { (String($0.key.dropFirst(prefix.count)), $0.value) }
      .sorted { $0.name < $1.name }
  }

  /// The same entries, to be coded again.
  public var encoder: StateEncoder { StateEncoder(entries: entries) }

  public func nested(_ name: String) -> StateDecoder { StateDecoder(self, name) }

  private func checked<T>(_ name: String, _ values: [T]?, _ count: Int?) throws -> [T] {
    guard let values, count.map({ $0 == values.count }) ?? true else { throw unfit(name) }
    return values
  }

  public func doubles(_ name: String, count: Int? = nil) throws -> [Double] {
    guard case .doubles(let found)? = values[prefix + name] else { throw unfit(name) }
    return try checked(name, found, count)
  }

  public func integers(_ name: String, count: Int? = nil) throws -> [Int64] {
    guard case .integers(let found)? = values[prefix + name] else { throw unfit(name) }
    return try checked(name, found, count)
  }

  public func words(_ name: String, count: Int? = nil) throws -> [UInt64] {
    guard case .words(let found)? = values[prefix + name] else { throw unfit(name) }
    return try checked(name, found, count)
  }

  public func texts(_ name: String, count: Int? = nil) throws -> [String] {
    guard case .texts(let found)? = values[prefix + name] else { throw unfit(name) }
    return try checked(name, found, count)
  }

  /// One integer that is not negative.
  public func count(_ name: String) throws -> Int {
    let value = try integers(name, count: 1)[0]
    guard value >= 0 else { throw unfit(name) }
    return Int(value)
  }

  /// - Parameter number: of the histograms, if it is known.
  public func histograms(_ name: String, number: Int? = nil) throws -> [BitHistogram] {
    let own = nested(name)
    let found = try own.count("number")
    let (pages, counts) = (try own.integers("pages"), try own.integers("counts"))
    guard found <= 1 << 24, number.map({ $0 == found }) ?? true else { throw unfit("\(name)/number") }
    guard pages.count % 2 == 0, counts.count == pages.count / 2 * BitHistogram.pageSize else {
      throw unfit("\(name)/pages")
    }
    guard BitHistogram.areCounts(counts) else { throw unfit("\(name)/counts") }
    var result = Array(repeating: BitHistogram(), count: found)
    for i in 0..<pages.count / 2 {
      guard (0..<Int64(found)).contains(pages[2 * i]), (0..<Int64(BitHistogram.pageCount)).contains(pages[2 * i + 1])
      else { throw unfit("\(name)/pages") }
      let start = i * BitHistogram.pageSize
      result[Int(pages[2 * i])].add(
        page: Int(pages[2 * i + 1]), counts: counts[start..<start + BitHistogram.pageSize])
    }
    return result
  }
}
