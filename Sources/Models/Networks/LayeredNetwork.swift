import Randomness
import Experiments

/// A kind of network at initialisation: how a layer follows from the one before. One conforming type a file.
///
/// **Required**: `settings`, as they were given; `State`, the buffers of a draw; `makeState`; `advance`, one layer.
///
/// **Optional**: `start`, where the inputs themselves are needed and not their covariance only; `ownObservables` with
/// `writeOwn`, for what is measured besides the covariance; `hasGaussianReadout`, `layerMean` and the tangent kernel, for posteriors.
///
/// **Lifecycle** of a draw, as `LayeredNetwork` drives it:
/// 1. `makeState` once a thread. The state is used again for every draw, so nothing in it may outlast one.
/// 2. `state.lower` is set to L_0, then `start`.
/// 3. `advance` for the layers `inputs.layer + 1 ... depth` in order, up to the last one that is measured. Once some V_aa
///    reaches the bound there are no further calls, and the draw keeps its last values.
/// 4. After a layer that is measured the observables of V are written from `state.lower`, then `writeOwn` is called.
///
/// A draw is a pure function of its stream: what is random comes from the stream, nothing else may decide a bit, and
/// nothing is allocated after `makeState`.
///
/// An architecture enters the catalog by an `ArchitectureEntry` and a line of `NetworkCatalog.architectures`. Its limit at
/// infinite width is a conformance to `CovarianceRecursive`; a probe is a `NetworkDraws` of its entry.
public protocol Architecture: Sendable {
  /// Buffers of one draw, and the layer it is at.
  associatedtype State: NetworkState

  var settings: NetworkSettings { get }
  /// What it measures besides the covariance, in the order of `writeOwn`; nothing unless implemented.
  var ownObservables: [Observable] { get }
  /// Whether, given the layers up to one, the outputs of a readout of that layer are Gaussian with covariance V: then `[posterior]` may be asked
  /// for. False unless implemented.
  var hasGaussianReadout: Bool { get }
  /// The mean of V given that of the layer before, where it depends on nothing else, at every width; nil unless implemented.
  var layerMean: LayerMean? { get }
  /// Whether draws have a tangent kernel at the last layer, which `writeTangentKernel` gives; false unless implemented.
  var hasTangentKernel: Bool { get }
  func makeState() -> State
  /// Puts the inputs in; `state.lower` holds L_0 already. Does nothing unless implemented.
  func start(_ state: State, _ stream: inout Stream)
  /// One layer on.
  /// - Parameter measure: whether `state.lower` must hold the factor of V afterwards; it may in any case.
  func advance(_ state: State, _ stream: inout Stream, layer: Int, measure: Bool)
  /// Writes `ownObservables.count` numbers for the layer that was made last.
  func writeOwn(_ state: State, to values: UnsafeMutablePointer<Double>)
  /// Writes the tangent kernel, m x m, after the last layer.
  func writeTangentKernel(_ state: State, to kernel: UnsafeMutablePointer<Double>)
}

extension Architecture {
  public var ownObservables: [Observable] { [] }
  public var hasGaussianReadout: Bool { false }
  public var layerMean: LayerMean? { nil }
  public var hasTangentKernel: Bool { false }
  @inlinable public func start(_ state: State, _ stream: inout Stream) {}
  @inlinable public func writeOwn(_ state: State, to values: UnsafeMutablePointer<Double>) {}
  @inlinable public func writeTangentKernel(_ state: State, to kernel: UnsafeMutablePointer<Double>) {}
}

/// The factor L of the covariance, `V = L L^T`, and room for its observables.
open class NetworkState {
  public let count: Int
  /// m x m lower triangular, row by row.
  public let lower: UnsafeMutablePointer<Double>
  @usableFromInline let work: UnsafeMutablePointer<Double>
  /// Relative error of the rows of `lower` as vectors; 0 where every entry is accurate by itself, as in products of triangular
  /// matrices. What depends on a smaller difference of rows is rounding and nothing else.
  @usableFromInline var rounding = 0.0
  /// Where a posterior is measured.
  @usableFromInline var posterior: Posterior.Work?

  public init(inputs m: Int) {
    count = m
    lower = .allocate(capacity: m * m)
    work = .allocate(capacity: m * m + 2 * m)
    lower.initialize(repeating: 0, count: m * m)
    work.initialize(repeating: 0, count: m * m + 2 * m)
  }

  deinit {
    lower.deallocate()
    work.deallocate()
  }

  /// Puts the factor of V in `lower`, `V = scale^2 R^T R`; inputs that depend on those before them to rounding do so exactly.
  /// - Parameter layers: layers whose roundings the columns have gathered: of a residual stream, or where the units
  ///   themselves are kept, all of them; 1 where each layer is made from `lower` alone.
  package func take(_ sum: FactorSum, scale: Double, layers: Int = 1) {
    rounding = sum.clearDependent(layers: layers)
    sum.write(lower: lower, scale: scale)
  }
}

/// The experiment of drawing a network: layer after layer, measured at some, stopped at the bound.
public struct LayeredNetwork<A: Architecture>: Draw {
  public let architecture: A
  public let observables: [Observable]
  public let layers: [Int]
  @usableFromInline let settings: NetworkSettings
  /// Observables of the covariance, and of its moments.
  @usableFromInline let shared, moments: Int
  @usableFromInline let posterior: Posterior?
  /// Place of its observables, behind all others.
  @usableFromInline let before: Int
  let estimands: [Estimand]

  /// - Parameter estimands: besides those of the moments and of the posterior.
  public init(_ architecture: A, posterior: Posterior? = nil, estimands: [Estimand] = []) {
    self.architecture = architecture
    self.posterior = posterior
    settings = architecture.settings
    self.estimands = settings.moments.estimands + (posterior?.estimands ?? []) + estimands
    layers = settings.layers
    shared = settings.measured.observables.count
    moments = settings.moments.observables.count
    let own = settings.measured.observables + settings.moments.observables + architecture.ownObservables
    before = own.count
    observables = own + (posterior?.observables ?? [])
  }

  public var schema: Schema {
    Schema(axis: .layers(layers), observables: observables, estimands: estimands)
  }

  public func makeScratch() -> A.State {
    let state = architecture.makeState()
    state.posterior = posterior.map(Posterior.Work.init)
    return state
  }

  @inlinable
  public func draw(
    using stream: inout Stream, scratch state: A.State, into values: UnsafeMutablePointer<Double>
  ) -> DrawEvents {
    let lower = state.lower
    for i in 0..<state.count &* state.count { lower[i] = settings.initialFactor[i] }
    architecture.start(state, &stream)
    let bounded = settings.measured.bound < .infinity
    let needsLayers = posterior?.needsLayers ?? false
    var events: DrawEvents = []
    var out = values
    var observed = 0
    var crossing = Double.infinity
    for layer in settings.inputs.layer &+ 1...settings.depth {
      let measure = layer == layers[observed]
      if crossing == .infinity {
        architecture.advance(state, &stream, layer: layer, measure: measure || bounded || needsLayers)
        if needsLayers { posterior!.add(layer: layer &- settings.inputs.layer, lower: lower, state.posterior!) }
        if bounded && settings.measured.stops(lower) { crossing = Double(layer) }
      }
      if measure {
        events.formUnion(
          settings.measured.write(
            lower: lower, layer: Double(layer), crossing: crossing, rounding: state.rounding, work: state.work, to: out)
        )
        if moments > 0 { settings.moments.write(lower: lower, to: out + shared) }
        architecture.writeOwn(state, to: out + shared + moments)
        if let posterior {
          if let kernel = state.posterior!.tangent { architecture.writeTangentKernel(state, to: kernel) }
          events.formUnion(posterior.write(lower: lower, record: observed, state.posterior!, to: out + before))
        }
        out += observables.count
        observed &+= 1
        if observed == layers.count { break }
      }
    }
    return events
  }
}
