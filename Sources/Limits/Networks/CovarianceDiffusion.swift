import Kernels
import Networks
import Randomness
import Experiments

/// The drift of a covariance diffusion, and what of its noise is not that of Gaussian weights.
public protocol CovarianceDrift: Sendable {
  /// Moves V along `dV/dt = b(V)` for a time h, on its factor, with a local error of order h^3.
  func move(_ lower: UnsafeMutablePointer<Double>, _ m: Int, _ h: Double, _ scratch: DiffusionScratch)
  /// A step of further noise; none unless implemented.
  func addNoise(
    _ stream: inout Stream, _ lower: UnsafeMutablePointer<Double>, _ m: Int, _ h: Double, _ scratch: DiffusionScratch)
  /// Weak order of the splitting with it.
  var order: Int { get }
  /// Relative error of the rows of L that a step leaves, for m inputs; 0 where every entry keeps its own accuracy.
  func rounding(_ m: Int) -> Double
}

extension CovarianceDrift {
  @inlinable
  public func addNoise(
    _ stream: inout Stream, _ lower: UnsafeMutablePointer<Double>, _ m: Int, _ h: Double, _ scratch: DiffusionScratch
  ) {}
  public var order: Int { 2 }
  /// That of a Cholesky factorisation.
  @inlinable public func rounding(_ m: Int) -> Double { 0x1p-50 * Double(m) }
}

/// Buffers of one path.
public final class DiffusionScratch {
  @usableFromInline let lower, first, second, third: UnsafeMutablePointer<Double>
  @usableFromInline let work: UnsafeMutablePointer<Double>
  @usableFromInline let columns: Columns
  @usableFromInline let sum: FactorSum

  @usableFromInline init(_ m: Int) {
    func square() -> UnsafeMutablePointer<Double> {
      let p = UnsafeMutablePointer<Double>.allocate(capacity: m * m)
      p.initialize(repeating: 0, count: m * m)
      return p
    }
    (lower, first, second, third) = (square(), square(), square(), square())
    work = .allocate(capacity: m * m + 2 * m + 1)
    columns = Columns(m, rows: m)
    sum = FactorSum(m)
  }

  deinit { for p in [lower, first, second, third, work] { p.deallocate() } }
}

/// Diffusions of the covariance matrix in t = layer / width,
///
///     dV = b(V) dt + kappa^{1/2} (Sigma(V)^{1/2} dB),   Sigma_{ab,cd} = V_ac V_bd + V_ad V_bc,
///
/// integrated on the Cholesky factor L of V, so V is positive semi-definite by construction. Two ways, which share nothing
/// but the drift:
/// - `splitting`, weak order 2: the generator is split into flows that are each solved in closed form. Diagonal noise:
///   column i of L times `exp(sqrt(h/2) g_i - (1 + i) h/2)`; noise below the diagonal, column j:
///   `L_aj += sum_{i>j} L_ai sqrt(h) g_ij`. They run forwards or backwards by a fair coin (Ninomiya and Victoir, 2008)
///   between half drifts. Nothing in it is a finite network, so it is an independent witness of the limit.
/// - `wishart`, weak order 1: `V <- L T T^T L^T kappa h`, T Bartlett's factor with 1/(kappa h) degrees of freedom: exact
///   conditional mean and covariance, but it is the finite network of width 1/(kappa h).
public struct CovarianceDiffusion<D: CovarianceDrift>: Draw {
  public enum Integrator: String, CaseIterable, Sendable { case splitting, wishart }

  public let drift: D
  public let settings: NetworkSettings
  /// kappa.
  public let noise: Double
  /// Largest step size, in units of t.
  public let step: Double
  public let integrator: Integrator
  public let observables: [Observable]
  public var layers: [Int] { settings.layers }
  public var schema: Schema { Schema(axis: .layers(layers), observables: observables) }

  public init(
    _ drift: D, settings: NetworkSettings, noise: Double = 1, step: Double, integrator: Integrator = .splitting
  ) {
    self.drift = drift
    self.settings = settings
    self.noise = noise
    self.step = step
    self.integrator = integrator
    observables = settings.measured.observables
  }

  public func makeScratch() -> DiffusionScratch { DiffusionScratch(settings.count) }

  @inlinable
  public func draw(
    using stream: inout Stream, scratch: DiffusionScratch, into values: UnsafeMutablePointer<Double>
  ) -> DrawEvents {
    let lower = scratch.lower
    let m = settings.count
    let width = Double(settings.width)
    for i in 0..<m &* m { lower[i] = settings.initialFactor[i] }
    var events: DrawEvents = []
    var out = values
    var time = Double(settings.inputs.layer) / width
    var crossing = Double.infinity
    var coins: UInt64 = 0
    var coinsLeft = 0
    // Steps, each of which rounds.
    var made = 1.0
    for layer in settings.layers {
      let span = Double(layer) / width - time
      let steps = max(1, Int((span / step - 1e-9).rounded(.up)))
      let h = span / Double(steps)
      let bounded = settings.measured.bound < .infinity
      if crossing == .infinity { drift.move(lower, m, 0.5 * h, scratch) }
      for i in 0..<steps where crossing == .infinity {
        made += 1
        if coinsLeft == 0 {
          coins = stream.word()
          coinsLeft = 64
        }
        if integrator == .splitting {
          splitNoise(&stream, lower, noise * h, forwards: coins & 1 == 1)
        } else {
          Bartlett.write(&stream, m, degrees: 1 / (noise * h), to: scratch.first)
          Triangular.multiplyLower(lower, scratch.first, m: m, scale: (noise * h).squareRoot())
        }
        coins &>>= 1
        coinsLeft &-= 1
        drift.addNoise(&stream, lower, m, h, scratch)
        drift.move(lower, m, i == steps &- 1 || bounded ? 0.5 * h : h, scratch)
        if bounded {
          if settings.measured.stops(lower) { crossing = (time + Double(i &+ 1) * h) * width }
          if i < steps &- 1 && crossing == .infinity { drift.move(lower, m, 0.5 * h, scratch) }
        }
      }
      time = Double(layer) / width
      events.formUnion(
        settings.measured.write(
          lower: lower, layer: Double(layer), crossing: crossing, rounding: drift.rounding(m) * made,
          work: scratch.work,
          to: out))
      out += observables.count
    }
    return events
  }

  @inlinable @inline(__always)
  func splitNoise(_ stream: inout Stream, _ lower: UnsafeMutablePointer<Double>, _ h: Double, forwards: Bool) {
    let m = settings.count
    let g = stream.normals(m &* (m &+ 1) / 2)
    let rootH = h.squareRoot()
    let rootHalf = (0.5 * h).squareRoot()
    if forwards { diagonal(g, lower, h, rootHalf) }
    var offset = forwards ? m : m &* (m &+ 1) / 2
    for index in 0..<m &- 1 {
      let j = forwards ? index : m &- 2 &- index
      let below = m &- 1 &- j
      if !forwards { offset &-= below }
      for a in j &+ 1..<m {
        var sum = 0.0
        for i in j &+ 1...a { sum += lower[a &* m &+ i] * g[offset &+ i &- j &- 1] }
        lower[a &* m &+ j] += rootH * sum
      }
      if forwards { offset &+= below }
    }
    if !forwards { diagonal(g, lower, h, rootHalf) }
  }

  @inlinable @inline(__always)
  func diagonal(
    _ g: UnsafePointer<Double>, _ lower: UnsafeMutablePointer<Double>, _ h: Double, _ rootHalf: Double
  ) {
    let m = settings.count
    for i in 0..<m {
      let factor = Elementary.exp(rootHalf * g[i] - 0.5 * h * Double(i &+ 1))
      for a in i..<m { lower[a &* m &+ i] *= factor }
    }
  }
}
