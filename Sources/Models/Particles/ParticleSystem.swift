import Experiments
import Statistics

/// How particles feel each other, and what it costs.
package enum Interaction: Sendable, Equatable {
  /// Not at all: every particle is a chain of its own.
  case none
  /// Through means over all particles of a few functions: O(N) a step.
  case features(Int)
  /// Each pair: O(N^2) a step.
  case pairs
}

/// N particles x_i in R^d with the energy H(x_1, ..., x_N); an integrator samples exp(-beta H). One conforming type a file, and a line of
/// `ParticleCatalog.systems`.
///
/// A system sees tiles of at most 256 particles, coordinate by coordinate, and never ranks. It may keep buffers, so every replica has an
/// instance of its own.
///
/// Required: `dimension`, `interaction` and `gradient`; with `interaction == .pairs` also `addPairs`. Optional: order parameters and what
/// they are made of, a `fieldEnergy`, a certificate other than the virial. Sums over lanes go through `laneSum`.
///
/// Lifecycle: `prepare` once; then, for every evaluation, `addFeatures` of all tiles (for mean-field systems), `gradient` of all tiles, and
/// `addPairs` (for pairs). `addMeasured`, `order` and `certificate` are called when the system is measured, at the last positions.
package protocol ParticleSystem: AnyObject {
  var dimension: Int { get }
  var interaction: Interaction { get }
  /// What it measures besides moments and energies: functions of the mean features, in the order of `order`.
  var orderParameters: [Observable] { get }
  /// Whether moments of the coordinates mean anything; they do not on a circle.
  var hasMoments: Bool { get }
  /// More means over the particles, taken when the system is measured.
  var measuredFeatures: Int { get }

  /// Told once, before anything else.
  func prepare(_ tiling: Tiling)
  /// Sums of the features over a tile; the coordinates, unless a system has others.
  func addFeatures(_ x: Tile, to sums: UnsafeMutablePointer<Double>)
  func addMeasured(_ x: Tile, to sums: UnsafeMutablePointer<Double>)
  /// The gradient of H in the particles of a tile, `field` being the mean features.
  /// - Parameter potential: if given, each particle's share of H that is not in `fieldEnergy`.
  func gradient(
    _ x: Tile, field: UnsafePointer<Double>, to gradient: UnsafeMutablePointer<Double>,
    potential: UnsafeMutablePointer<Double>?)
  /// Adds the forces of all particles (tile by tile, laid out like `x`) on those of this rank, for systems of pairs.
  func addPairs(_ x: ParticleArray, all: UnsafePointer<Double>, to gradient: ParticleArray, potential: ParticleArray?)
  /// H of the mean features, for each particle.
  func fieldEnergy(_ field: UnsafePointer<Double>) -> Double
  func order(
    _ field: UnsafePointer<Double>, measured: UnsafePointer<Double>, to values: UnsafeMutablePointer<Double>)
  /// Two sums over a tile whose expectations are equal in the stationary law of exp(-beta H): its certificate.
  func certificate(
    _ x: Tile, gradient: UnsafePointer<Double>, field: UnsafePointer<Double>, inverseTemperature: Double
  ) -> (left: Double, right: Double)
}

extension ParticleSystem {
  package var orderParameters: [Observable] { [] }
  package var hasMoments: Bool { true }
  package var measuredFeatures: Int { 0 }
  package func prepare(_ tiling: Tiling) {}
  /// The mean position: sums of the coordinates.
  package func addFeatures(_ x: Tile, to sums: UnsafeMutablePointer<Double>) {
    for k in 0..<x.dimension {
      let row = x[k]
      sums[k] += laneSum(x.count) { row[$0] }
    }
  }
  package func addMeasured(_ x: Tile, to sums: UnsafeMutablePointer<Double>) {}
  package func addPairs(
    _ x: ParticleArray, all: UnsafePointer<Double>, to gradient: ParticleArray, potential: ParticleArray?
  ) {}
  package func fieldEnergy(_ field: UnsafePointer<Double>) -> Double { 0 }
  package func order(
    _ field: UnsafePointer<Double>, measured: UnsafePointer<Double>, to values: UnsafeMutablePointer<Double>
  ) {}

  /// The virial: E sum x . grad H = N d / beta.
  package func certificate(
    _ x: Tile, gradient: UnsafePointer<Double>, field: UnsafePointer<Double>, inverseTemperature: Double
  ) -> (left: Double, right: Double) {
    var total = 0.0
    for k in 0..<x.dimension {
      let (position, force) = (x[k], gradient + k * x.lanes)
      total += laneSum(x.count) { position[$0] * force[$0] }
    }
    return (inverseTemperature * total, Double(x.count * x.dimension))
  }
}

/// Moments of the stationary law exp(-beta H), known without simulation.
package struct StationaryMoments: Sendable {
  /// Means of observables in the limit of the leg: infinitely many particles, step 0.
  package var means: [String: Double] = [:]
  /// Law of one coordinate in that limit.
  package var marginal: TabulatedLaw?
  /// Where it comes from, for the file.
  package var equation = ""
  package var reference = ""
  /// Means that hold exactly at this N for methods without error in the step.
  package var exact: [String: Double] = [:]
  package var exactEquation = ""

  package init(equation: String = "", reference: String = "") {
    self.equation = equation
    self.reference = reference
  }
}

/// A linear system splits in modes, each a harmonic oscillator of its curvature: what an integrator does to it, it does
/// mode by mode, so its stationary moments are known in closed form.
package struct LinearModes: Sendable {
  /// Curvature and share of each mode in the variance of a coordinate.
  let modes: [(curvature: Double, share: Double)]
  let dimension: Int
  /// Whether the modes are different coordinates, rather than parts of each.
  let mixture: Bool

  init(_ modes: [(curvature: Double, share: Double)], dimension: Int, mixture: Bool) {
    self.modes = modes
    self.dimension = dimension
    self.mixture = mixture
  }

  /// Curvatures of each coordinate: of the centre of mass, and of the motion relative to it.
  package var coordinates: [(centre: Double, rest: Double)] {
    mixture
      ? modes.map { ($0.curvature, $0.curvature) }
      : Array(repeating: (modes[0].curvature, modes[1].curvature), count: dimension)
  }

  /// Stationary means under an integrator; nil if it is unstable or its step is adapted.
  func means(_ settings: ParticleSettings, _ method: IntegratorModel) -> [String: Double]? {
    guard method.target == nil else { return nil }
    var moments: [(x: Double, v: Double)] = []
    for mode in modes {
      guard let own = method.oscillator(settings.step, mode.curvature).moments(curvature: mode.curvature) else {
        return nil
      }
      moments.append((own.x, own.v))
    }
    var result = means(moments, beta: settings.inverseTemperature, velocities: method.hasVelocities)
    if !method.oscillator(settings.step, 1).isGaussian {
      for name in result.keys where name.hasSuffix("^4") { result[name] = nil }
    }
    return result
  }

  /// The means of the law exp(-beta H) itself.
  package func limit(_ settings: ParticleSettings) -> [String: Double] {
    // In the limit of many particles the modes with a vanishing share are gone.
    let all = means(
      modes.map { (1 / $0.curvature, 1) }, beta: settings.inverseTemperature, velocities: false)
    return mixture ? all : [:]
  }

  private func means(_ moments: [(x: Double, v: Double)], beta: Double, velocities: Bool) -> [String: Double] {
    func total(_ f: (Int) -> Double) -> Double { modes.indices.reduce(0) { $0 + modes[$1].share * f($1) } }
    let square = total { moments[$0].x } / beta
    let fourth = mixture ? 3 * total { moments[$0].x * moments[$0].x } / (beta * beta) : 3 * square * square
    let spring = total { modes[$0].curvature * moments[$0].x }
    var result = ["energy": 0.5 * Double(dimension) * spring / beta, "residual": spring - 1]
    if velocities { result["v^2"] = total { moments[$0].v } / beta }
    if (2...3).contains(dimension) {
      for k in 0..<dimension {
        let own = mixture ? moments[k].x / beta : square
        result["x[\(k)]"] = 0
        result["x[\(k)]^2"] = own
        result["x[\(k)]^4"] = 3 * own * own
      }
    } else {
      result["x"] = 0
      result["x^2"] = square
      result["x^4"] = fourth
    }
    return result
  }
}

/// What a system is, once read: how to make an instance for a replica, and what is known.
package struct SystemModel: Sendable {
  package let make: @Sendable () -> any ParticleSystem
  /// Largest curvature of the energy, if it is bounded: decides whether a step size is stable.
  package var largestCurvature: Double?
  /// A lower bound of the curvature (negative if not convex), for the proximal sampler; nil if there is none.
  package var leastCurvature: Double?
  package var modes: LinearModes?
  /// A loss of which batches give the gradient, whose moments are known.
  var quadratic: QuadraticLoss?
  /// What a potential of one coordinate is made of, where particles do not interact.
  package var line: LinePotential?
  /// Where examples of a batch stand for all of them.
  package var subsample: Subsample?
  package var stationary: @Sendable (_ number: Int) -> StationaryMoments
  /// Standard deviation of the initial positions, which are normal.
  package var startStd: Double
  /// Spins rather than positions.
  package var isDiscrete: Bool

  package init(
    startStd: Double = 1, largestCurvature: Double? = nil, leastCurvature: Double? = nil, modes: LinearModes? = nil,
    quadratic: QuadraticLoss? = nil, line: LinePotential? = nil, subsample: Subsample? = nil,
    stationary: @escaping @Sendable (_ number: Int) -> StationaryMoments = { _ in StationaryMoments() },
    isDiscrete: Bool = false, make: @escaping @Sendable () -> any ParticleSystem
  ) {
    self.make = make
    self.largestCurvature = largestCurvature
    self.leastCurvature = leastCurvature
    self.modes = modes
    self.quadratic = quadratic
    self.line = line
    self.subsample = subsample
    self.stationary = stationary
    self.startStd = startStd
    self.isDiscrete = isDiscrete
  }
}
