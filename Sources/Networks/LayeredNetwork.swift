import Randomness
import Simulation

/// A kind of network at initialisation: how a layer follows from the one before. One conforming type a file.
public protocol Architecture: Sendable {
  /// Buffers of one draw, and the layer it is at.
  associatedtype State: NetworkState

  var settings: NetworkSettings { get }
  /// What it measures besides the covariance, in the order of `writeOwn`.
  var ownObservables: [Observable] { get }
  func makeState() -> State
  /// Puts the inputs in; `state.lower` holds L_0 already.
  func start(_ state: State, _ stream: inout Stream)
  /// One layer on.
  /// - Parameter measure: whether `state.lower` must hold the factor of V afterwards.
  func advance(_ state: State, _ stream: inout Stream, layer: Int, measure: Bool)
  func writeOwn(_ state: State, to values: UnsafeMutablePointer<Double>)
}

extension Architecture {
  public var ownObservables: [Observable] { [] }
  @inlinable public func start(_ state: State, _ stream: inout Stream) {}
  @inlinable public func writeOwn(_ state: State, to values: UnsafeMutablePointer<Double>) {}
}

/// The factor L of the covariance, `V = L L^T`, and room for its observables.
open class NetworkState {
  public let count: Int
  /// m x m lower triangular, row by row.
  public let lower: UnsafeMutablePointer<Double>
  @usableFromInline let work: UnsafeMutablePointer<Double>

  public init(inputs m: Int) {
    count = m
    lower = .allocate(capacity: m * m)
    work = .allocate(capacity: m * m + m)
    lower.initialize(repeating: 0, count: m * m)
    work.initialize(repeating: 0, count: m * m + m)
  }

  deinit {
    lower.deallocate()
    work.deallocate()
  }
}

/// The experiment of drawing a network: layer after layer, measured at some, stopped at the bound.
public struct LayeredNetwork<A: Architecture>: Experiment {
  public let architecture: A
  public let observables: [Observable]
  public let layers: [Int]
  @usableFromInline let settings: NetworkSettings
  @usableFromInline let shared: Int

  public init(_ architecture: A) {
    self.architecture = architecture
    settings = architecture.settings
    layers = settings.layers
    shared = settings.measured.observables.count
    observables = settings.measured.observables + architecture.ownObservables
  }

  public func makeScratch() -> A.State { architecture.makeState() }

  @inlinable
  public func draw(
    using stream: inout Stream, scratch state: A.State, into values: UnsafeMutablePointer<Double>
  ) -> DrawEvents {
    let lower = state.lower
    for i in 0..<state.count &* state.count { lower[i] = settings.initialFactor[i] }
    architecture.start(state, &stream)
    let bounded = settings.measured.bound < .infinity
    var events: DrawEvents = []
    var out = values
    var observed = 0
    var crossing = Double.infinity
    for layer in settings.inputs.layer &+ 1...settings.depth {
      let measure = layer == layers[observed]
      if crossing == .infinity {
        architecture.advance(state, &stream, layer: layer, measure: measure || bounded)
        if bounded && settings.measured.stops(lower) { crossing = Double(layer) }
      }
      if measure {
        events.formUnion(
          settings.measured.write(
            lower: lower, layer: Double(layer), crossing: crossing, work: state.work, to: out))
        architecture.writeOwn(state, to: out + shared)
        out += observables.count
        observed &+= 1
        if observed == layers.count { break }
      }
    }
    return events
  }
}
