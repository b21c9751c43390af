import Randomness
import Statistics

/// One measured quantity.
public struct Observable: Sendable, Equatable, Codable {
  /// Name with indices, e.g. `rho[0,1]`: unique within a leg.
  public let name: String
  public let summary: String
  /// Whether it belongs to a family too heavy-tailed for its mean to decide a verdict, like V itself.
  public let heavyTailed: Bool

  public init(_ name: String, _ summary: String, heavyTailed: Bool = false) {
    self.name = name
    self.summary = summary
    self.heavyTailed = heavyTailed
  }
}

/// What happened in a draw besides its values.
public struct DrawEvents: OptionSet, Sendable {
  public let rawValue: UInt8
  @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }
  /// Something became infinite or not a number.
  public static let overflowed = DrawEvents(rawValue: 1)
  /// Something positive became zero: underflow, or all units dead.
  public static let underflowed = DrawEvents(rawValue: 2)
}

/// A random experiment whose draws are independent: each a pure function of its stream.
public protocol Experiment: Sendable {
  /// Buffers of one thread. A class, so that a draw allocates nothing.
  associatedtype Scratch: AnyObject

  /// What is measured in each layer, and the layers (or times) at which.
  var observables: [Observable] { get }
  var layers: [Int] { get }

  func makeScratch() -> Scratch

  /// Makes one draw. `values` has room for `layers.count * observables.count` numbers, layer by layer.
  func draw(
    using stream: inout Stream, scratch: Scratch, into values: UnsafeMutablePointer<Double>
  ) -> DrawEvents
}

/// An experiment with its type erased, one call for a range of draws.
///
/// Make it in the module of the model: `init` is inlinable, so the loop below is then specialised to the
/// model, and no existential is left inside a draw.
public struct AnyExperiment: Sendable {
  public let observables: [Observable]
  public let layers: [Int]
  /// Makes the runner of one thread for the stream key.
  public let makeRunner: @Sendable (_ key: UInt64) -> Runner

  @inlinable
  public init<E: Experiment>(_ experiment: E) {
    observables = experiment.observables
    layers = experiment.layers
    let width = experiment.observables.count * experiment.layers.count
    makeRunner = { key in
      let buffers = RunBuffers(key: key, width: width)
      let scratch = experiment.makeScratch()
      return Runner(
        run: { range, tally in
          // Draws work on memory of these two, which must outlast the last pointer to it.
          defer { withExtendedLifetime((buffers, scratch)) {} }
          for index in range {
            buffers.stream.start(draw: index)
            let events = experiment.draw(
              using: &buffers.stream, scratch: scratch, into: buffers.values)
            tally.record(
              buffers.values, overflowed: events.contains(.overflowed),
              underflowed: events.contains(.underflowed))
          }
        },
        values: { index in
          defer { withExtendedLifetime((buffers, scratch)) {} }
          buffers.stream.start(draw: index)
          _ = experiment.draw(using: &buffers.stream, scratch: scratch, into: buffers.values)
          return Array(UnsafeBufferPointer(start: buffers.values, count: width))
        })
    }
  }

  /// Centres of the tallies: the median of five pilot draws at indices that no job reaches, so a pure
  /// function of the key.
  public func centres(key: UInt64) -> [Double] {
    let runner = makeRunner(key)
    let pilots = (0..<5).map { runner.values(UInt64.max - UInt64($0)) }
    return (0..<observables.count * layers.count).map { i in
      let sorted = pilots.map { $0[i] }.filter(\.isFinite).sorted()
      return sorted.isEmpty ? 0 : sorted[sorted.count / 2]
    }
  }
}

/// Makes the draws of one experiment on one thread.
public struct Runner {
  /// Makes a range of draws and tallies them.
  public let run: (Range<UInt64>, Tally) -> Void
  /// The values of one draw.
  public let values: (UInt64) -> [Double]

  @inlinable
  public init(
    run: @escaping (Range<UInt64>, Tally) -> Void, values: @escaping (UInt64) -> [Double]
  ) {
    self.run = run
    self.values = values
  }
}

/// What one runner owns.
@usableFromInline
final class RunBuffers {
  @usableFromInline var stream: Stream
  @usableFromInline let values: UnsafeMutablePointer<Double>

  @usableFromInline
  init(key: UInt64, width: Int) {
    stream = Stream(key: key)
    values = .allocate(capacity: max(width, 1))
    values.initialize(repeating: 0, count: max(width, 1))
  }

  deinit { values.deallocate() }
}
