import Randomness
import Statistics

/// What happened in a draw besides its values.
public struct DrawEvents: OptionSet, Sendable {
  public let rawValue: UInt8
  @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }
  /// Something became infinite or not a number.
  public static let overflowed = DrawEvents(rawValue: 1)
  /// Something positive became zero: underflow, or all units dead.
  public static let underflowed = DrawEvents(rawValue: 2)
}

/// A short random experiment whose draws are independent, each a pure function of its stream: a network, an SDE path.
///
/// Required: `schema`, `makeScratch` and `draw`. Lifecycle: a rank makes one scratch and then calls `draw` for one index after another,
/// with the stream at the start of that index; nothing may be carried over from one draw to the next.
public protocol Draw: Sendable {
  /// Buffers of one thread. A class, so that a draw allocates nothing.
  associatedtype Scratch: AnyObject

  var schema: Schema { get }

  func makeScratch() -> Scratch

  /// How many draws `drawTogether` makes side by side; 1, none, unless implemented.
  var together: Int { get }
  /// Makes a few draws at once, at most `together`, each the same as alone.
  /// - Parameters:
  ///   - streams: one for each draw, at its start.
  ///   - values: room for `schema.width` numbers of each draw, draw by draw.
  func drawTogether(
    using streams: UnsafeMutablePointer<Stream>, _ count: Int, scratch: Scratch,
    into values: UnsafeMutablePointer<Double>)

  /// Makes one draw.
  /// - Parameter values: room for `schema.width` numbers, record by record.
  func draw(
    using stream: inout Stream, scratch: Scratch, into values: UnsafeMutablePointer<Double>
  ) -> DrawEvents
}

extension Draw {
  @inlinable public var together: Int { 1 }
  @inlinable
  public func drawTogether(
    using streams: UnsafeMutablePointer<Stream>, _ count: Int, scratch: Scratch,
    into values: UnsafeMutablePointer<Double>
  ) { preconditionFailure("no draws side by side") }
}

/// Makes the draws of one experiment on one thread.
public struct Runner {
  /// Makes a range of draws and tallies them; the first of all draws are kept as rows besides, if asked for.
  public let run: (Range<UInt64>, Tally, KeptRows?) -> Void
  /// Makes one draw, and puts its values there.
  let draw: (UInt64, UnsafeMutablePointer<Double>) -> DrawEvents
  /// Numbers of one draw.
  let width: Int
  /// Draws that it makes side by side: ranges of so many waste nothing.
  public let together: Int

  /// - Parameter width: numbers of one draw.
  @usableFromInline
  init(
    run: @escaping (Range<UInt64>, Tally, KeptRows?) -> Void,
    draw: @escaping (UInt64, UnsafeMutablePointer<Double>) -> DrawEvents, width: Int, together: Int = 1
  ) {
    self.run = run
    self.draw = draw
    self.width = width
    self.together = together
  }

  /// The values of one draw.
  public func values(_ index: UInt64) -> [Double] {
    [Double](unsafeUninitializedCapacity: width) { buffer, count in
      buffer.initialize(repeating: 0)
      if width > 0 { _ = draw(index, buffer.baseAddress!) }
      count = width
    }
  }

  /// Centres of the tallies: the median of five pilot draws at indices that no job reaches, so a pure function of the key.
  public func centres(_ width: Int) -> [Double] {
    let pilots = (0..<5).map { values(UInt64.max - UInt64($0)) }
    return (0..<width).map { i in
      let sorted = pilots.map { $0[i] }.filter(\.isFinite).sorted()
      return sorted.isEmpty ? 0 : sorted[sorted.count / 2]
    }
  }
}

/// The values of the first draws, as one rank makes them.
public final class KeptRows {
  /// Draws below this number are kept.
  public let limit: UInt64
  public private(set) var rows: [UInt64: [Double]] = [:]

  public init(limit: UInt64) { self.limit = limit }

  @usableFromInline
  func add(_ index: UInt64, _ values: UnsafePointer<Double>, _ count: Int) {
    rows[index] = Array(UnsafeBufferPointer(start: values, count: count))
  }

  /// Takes the rows out.
  public func take() -> [UInt64: [Double]] {
    defer { rows = [:] }
    return rows
  }
}

/// What one runner owns.
@usableFromInline
final class RunBuffers {
  @usableFromInline var stream: Stream
  @usableFromInline let values: UnsafeMutablePointer<Double>
  /// Of draws side by side.
  @usableFromInline let streams: UnsafeMutablePointer<Stream>
  private let together: Int

  @usableFromInline
  init(key: UInt64, width: Int, together: Int = 1) {
    stream = Stream(key: key)
    let room = max(width * together, 1)
    values = .allocate(capacity: room)
    values.initialize(repeating: 0, count: room)
    self.together = together > 1 ? together : 0
    streams = .allocate(capacity: max(self.together, 1))
    for k in 0..<self.together { (streams + k).initialize(to: Stream(key: key)) }
  }

  deinit {
    values.deallocate()
    streams.deinitialize(count: together)
    streams.deallocate()
  }
}
