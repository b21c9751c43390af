import Kernels
import Networks
import Randomness
import Simulation

/// Neural Covariance SDE of shaped ReLU networks (arXiv:2206.02768, Theorem 3.2), in t = layer / width:
///
///     dV_ab = sqrt(V_aa V_bb) nu(rho_ab) dt + (Sigma(V)^{1/2} dB)_ab,   Sigma_{ab,cd} = V_ac V_bd + V_ad V_bc,
///     nu(rho) = (c_plus - c_minus)^2 / (2 pi) (sqrt(1 - rho^2) - rho arccos rho).
///
/// Integrated on the Cholesky factor L of V, so V is positive semi-definite by construction, by splitting
/// the generator into flows that are each solved in closed form or keep the cone:
/// - drift: correlations by Heun's method. An Euler step maps rho to `rho + h nu(rho)`, a power series with
///   non-negative coefficients for `h (c_plus - c_minus)^2 <= 4`, so it keeps positive semi-definiteness
///   (Schur); Heun is an average of two such maps.
/// - diagonal noise: column i of L times `exp(sqrt(h/2) g_i - (1 + i) h/2)`.
/// - noise below the diagonal, column j: `L_aj += sum_{i>j} L_ai sqrt(h) g_ij`.
/// The noise flows run forwards or backwards by a fair coin (Ninomiya and Victoir, 2008) between half
/// drifts: weak order 2. Nothing in it is a finite network, so it is an independent witness of the limit.
public struct CovarianceSDE: Experiment {
  public let inputs: Int
  /// L_0, m x m.
  public let initialFactor: [Double]
  /// `(c_plus - c_minus)^2 / 2`, the factor of `(sin - t cos)/pi`.
  public let strength: Double
  public let width: Double
  /// Largest step size, in units of t.
  public let step: Double
  public let layers: [Int]
  public let measured: CovarianceObservables
  public let observables: [Observable]

  public init(
    inputs: Int, initialFactor: [Double], strength: Double, width: Int, step: Double, layers: [Int],
    measured: CovarianceObservables
  ) {
    self.inputs = inputs
    self.initialFactor = initialFactor
    self.strength = strength
    self.width = Double(width)
    self.step = step
    self.layers = layers
    self.measured = measured
    observables = measured.observables
  }

  public final class Scratch {
    @usableFromInline let lower, correlation, first: UnsafeMutablePointer<Double>
    @usableFromInline let count: Int

    @usableFromInline init(_ m: Int) {
      count = m * m
      lower = .allocate(capacity: count)
      correlation = .allocate(capacity: count)
      first = .allocate(capacity: count)
    }

    deinit { for p in [lower, correlation, first] { p.deallocate() } }
  }

  public func makeScratch() -> Scratch { Scratch(inputs) }

  @inlinable
  public func draw(
    using stream: inout Stream, scratch: Scratch, into values: UnsafeMutablePointer<Double>
  ) -> DrawEvents {
    let lower = scratch.lower
    for i in 0..<scratch.count { lower[i] = initialFactor[i] }
    var events: DrawEvents = []
    var out = values
    var time = 0.0
    var coins: UInt64 = 0
    var coinsLeft = 0
    for layer in layers {
      let span = Double(layer) / width - time
      let steps = max(1, Int((span / step - 1e-9).rounded(.up)))
      let h = span / Double(steps)
      drift(scratch, 0.5 * h)
      for i in 0..<steps {
        if coinsLeft == 0 {
          coins = stream.word()
          coinsLeft = 64
        }
        noise(&stream, lower, h, forwards: coins & 1 == 1)
        coins &>>= 1
        coinsLeft &-= 1
        drift(scratch, i == steps &- 1 ? 0.5 * h : h)
      }
      time = Double(layer) / width
      events.formUnion(measured.write(lower: lower, layer: Double(layer), to: out))
      out += observables.count
    }
    return events
  }

  @inlinable @inline(__always)
  func noise(_ stream: inout Stream, _ lower: UnsafeMutablePointer<Double>, _ h: Double, forwards: Bool) {
    let m = inputs
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
    let m = inputs
    for i in 0..<m {
      let factor = Elementary.exp(rootHalf * g[i] - 0.5 * h * Double(i &+ 1))
      for a in i..<m { lower[a &* m &+ i] *= factor }
    }
  }

  /// Moves the correlations along `d rho / dt = nu(rho)`, at fixed variances.
  @inlinable @inline(__always)
  func drift(_ scratch: Scratch, _ h: Double) {
    if strength == 0 || inputs == 1 { return }
    if inputs == 2 { driftOfTwo(scratch.lower, h) } else { driftOfMany(scratch, h) }
  }

  /// Two inputs: on (rho, sine), with no cancellation as rho -> 1.
  @inlinable @inline(__always)
  func driftOfTwo(_ lower: UnsafeMutablePointer<Double>, _ h: Double) {
    let norm = (lower[2] * lower[2] + lower[3] * lower[3]).squareRoot()
    if norm == 0 { return }
    let rho = lower[2] / norm
    let sine = lower[3] / norm
    let first = h * nu(rho, sine)
    let middle = rho + first
    let middleSine = max(sine * sine - first * (2 * rho + first), 0).squareRoot()
    let change = 0.5 * (first + h * nu(middle, middleSine))
    lower[2] = norm * (rho + change)
    lower[3] = norm * max(sine * sine - change * (2 * rho + change), 0).squareRoot()
  }

  @inlinable
  func driftOfMany(_ scratch: Scratch, _ h: Double) {
    let m = inputs
    let lower = scratch.lower
    let rho = scratch.correlation
    for a in 0..<m {
      var square = 0.0
      for k in 0...a { square += lower[a &* m &+ k] * lower[a &* m &+ k] }
      scratch.first[a] = square.squareRoot()
      let inverse = square > 0 ? 1 / scratch.first[a] : 0
      for k in 0...a { lower[a &* m &+ k] *= inverse }
    }
    for a in 0..<m {
      for b in 0..<a {
        var r = 0.0
        for k in 0...b { r += lower[a &* m &+ k] * lower[b &* m &+ k] }
        let first = h * nu(r, max(1 - r * r, 0).squareRoot())
        let middle = r + first
        let second = h * nu(middle, max(1 - middle * middle, 0).squareRoot())
        rho[a &* m &+ b] = r + 0.5 * (first + second)
      }
      rho[a &* m &+ a] = 1
    }
    // Cholesky in place; the average of Euler maps is positive semi-definite up to rounding.
    for j in 0..<m {
      for a in j..<m {
        var sum = rho[a &* m &+ j]
        for k in 0..<j { sum -= lower[a &* m &+ k] * lower[j &* m &+ k] }
        if a == j {
          lower[j &* m &+ j] = max(sum, 0).squareRoot()
        } else {
          let pivot = lower[j &* m &+ j]
          lower[a &* m &+ j] = pivot > 0 ? sum / pivot : 0
        }
      }
    }
    for a in 0..<m {
      for k in 0...a { lower[a &* m &+ k] *= scratch.first[a] }
    }
  }

  @inlinable @inline(__always)
  func nu(_ rho: Double, _ sine: Double) -> Double {
    strength * Elementary.arcCosineDefect(rho: rho, sine: sine)
  }
}
