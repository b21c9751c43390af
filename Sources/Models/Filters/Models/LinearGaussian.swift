import Experiments
import Kernels
import Randomness

/// A linear Gaussian model of vectors: $x_0 \sim N(0, S_0)$, $x_t = A x_{t-1} + N(0, Q)$, $y_t = B x_t + N(0, R)$; an observation that is missing in part is missing.
///
/// The guided proposal is the law of x_t given x_{t-1} and y_t; the promise is N(y_t; B A x, B Q B^T + R): auxiliary particles are fully adapted.
package struct LinearGaussian: StateSpaceModel {
  package let dimension: Int
  package let observations: Observations
  private let kalman: KalmanSmoother
  /// B, and the factor of R.
  private let emission, error: Matrix
  /// Of what X_t is given X_{t-1}, X_0, and both given y_t as well: mean a x + k y, and the factor of the covariance.
  private let moved, started, guidedMove, guidedStart: Step
  /// log g(x, y) = c - |W y - V x|^2/2; the same of y_t given x_{t-1}, of y_0, and of x_t given x_{t-1}.
  private let seen, promised, first, transition: Density
  /// Backward draws from the smoothing law, by t: mean m + G (x - A m), and the factor of what is left; of the last time the filtered law.
  private let back: [Step]
  private let filtered: [[Double]]

  package var length: Int { observations.count }
  package var isGuided: Bool { true }
  package var drawsSmoothed: Bool { true }
  package let functionals = products

  /// Of every model on the line, too.
  static let products = [
    Functional("product", "sum of x_{t-1} . x_t over the steps"),
    Functional("square", "sum of |x_{t-1}|^2 over the steps"),
  ]

  /// x = a u + k y + L xi.
  private struct Step: Sendable {
    let a, k, lower: Matrix
  }

  /// log N(y; v x) by whitened rows.
  private struct Density: Sendable {
    let w, v: Matrix
    let constant: Double

    init(_ covariance: Matrix, of map: Matrix) {
      guard let white = Whitening(covariance) else { preconditionFailure("covariances are positive definite") }
      (w, v, constant) = (white.inverse, white.inverse * map, white.logNormaliser)
    }
  }

  /// - Parameters:
  ///   - transition: A, d x d.
  ///   - noise: Q, positive definite.
  ///   - emission: B, p x d.
  ///   - error: R, positive definite.
  ///   - start: S_0, positive definite.
  package init(
    transition a: [[Double]], noise: [[Double]], emission: [[Double]], error: [[Double]], start: [[Double]],
    observations: Observations
  ) {
    let (a, q, b, r, s) = (Matrix(a), Matrix(noise), Matrix(emission), Matrix(error), Matrix(start))
    let d = a.rows
    (dimension, self.observations) = (d, observations)
    let kalman = KalmanSmoother(transition: a, noise: q, emission: b, error: r, start: s, observations)
    self.kalman = kalman
    let nothing = Matrix(d, b.rows)
    func lower(_ m: Matrix) -> Matrix {
      guard let result = m.symmetric.cholesky else { preconditionFailure("covariances are positive") }
      return result
    }
    self.emission = b
    self.error = lower(r)
    moved = Step(a: a, k: nothing, lower: lower(q))
    started = Step(a: Matrix(d, d), k: nothing, lower: lower(s))
    /// The law of x given y, x ~ N(c u, p) and y ~ N(b x, r).
    func guided(_ c: Matrix, _ p: Matrix) -> Step {
      guard let white = Whitening((b * p * b.transposed + r).symmetric) else {
        preconditionFailure("errors are positive definite")
      }
      let gain = p * b.transposed * white.precision
      let rest = .identity(d) - gain * b
      return Step(
        a: rest * c, k: gain, lower: lower(rest * p * rest.transposed + gain * r * gain.transposed))
    }
    guidedMove = guided(a, q)
    guidedStart = guided(Matrix(d, d), s)
    seen = Density(r, of: b)
    promised = Density((b * q * b.transposed + r).symmetric, of: b * a)
    first = Density((b * s * b.transposed + r).symmetric, of: Matrix(b.rows, d))
    self.transition = Density(q, of: a)
    filtered = kalman.means.map(\.values)
    back = kalman.means.indices.map { t in
      guard t + 1 < kalman.means.count else {
        return Step(a: Matrix(d, d), k: nothing, lower: lower(kalman.covariances[t]))
      }
      let (gain, rest) = kalman.back(t + 1)
      return Step(a: gain, k: gain * a, lower: lower(rest))
    }
  }

  var smoothed: SmoothedValues {
    SmoothedValues(logEvidence: kalman.logEvidence, functionals: kalman.products)
  }
  package var exact: SmoothedValues? { smoothed }

  /// Draws particle i.
  @inline(__always)
  private func draw(
    _ step: Step, _ t: Int, seeing: Bool, _ from: Cloud, _ ancestor: Int?, _ x: Cloud, _ i: Int,
    _ stream: inout Stream
  ) {
    let xi = stream.normals(dimension)
    for c in 0..<dimension {
      var value = 0.0
      if let ancestor {
        for e in 0..<dimension {
          value += step.a.values[c &* dimension &+ e] * from.x[e &* from.stride &+ ancestor]
        }
      }
      if seeing {
        for e in 0..<observations.dimension {
          value += step.k.values[c &* observations.dimension &+ e] * observations[t, e]
        }
      }
      for e in 0...c { value += step.lower.values[c &* dimension &+ e] * xi[e] }
      x.x[c &* x.stride &+ i] = value
    }
  }

  /// The log density of y_t given particle i.
  @inline(__always)
  private func log(_ density: Density, _ t: Int, _ x: Cloud, _ i: Int) -> Double {
    let p = observations.dimension
    var sum = 0.0
    for c in 0..<p {
      var z = 0.0
      for e in 0...c { z += density.w.values[c &* p &+ e] * observations[t, e] }
      for e in 0..<dimension { z -= density.v.values[c &* dimension &+ e] * x.x[e &* x.stride &+ i] }
      sum += z * z
    }
    return density.constant - 0.5 * sum
  }

  package var taken: (start: Taken, move: Taken, guided: Taken) {
    (.normals(dimension), .normals(dimension), .normals(dimension))
  }

  package func start(_ x: Cloud, _ range: Range<Int>, _ stream: inout Stream) {
    for i in range { draw(started, 0, seeing: false, x, nil, x, i, &stream) }
  }

  package func move(
    _ t: Int, _ from: Cloud, _ ancestors: UnsafePointer<Int32>, _ x: Cloud, _ range: Range<Int>, _ stream: inout Stream
  ) {
    for i in range { draw(moved, t, seeing: false, from, Int(ancestors[i]), x, i, &stream) }
  }

  package func weigh(_ t: Int, _ x: Cloud, _ range: Range<Int>, _ logWeights: UnsafeMutablePointer<Double>) {
    if observations.isMissing(t) { return }
    for i in range { logWeights[i] += log(seen, t, x, i) }
  }

  package func emit(_ t: Int, _ x: Cloud, _ i: Int, _ stream: inout Stream) -> [Double] {
    let zeta = stream.normals(emission.rows)
    return (0..<emission.rows).map { c in
      (0..<dimension).reduce(0) { $0 + emission[c, $1] * x.x[$1 * x.stride + i] }
        + (0...c).reduce(0) { $0 + error[c, $1] * zeta[$1] }
    }
  }

  package func logTransition(_ t: Int, _ from: Cloud, _ i: Int, _ to: Cloud, _ j: Int) -> Double {
    var sum = 0.0
    for c in 0..<dimension {
      var z = 0.0
      for e in 0...c { z += transition.w.values[c &* dimension &+ e] * to.x[e &* to.stride &+ j] }
      for e in 0..<dimension { z -= transition.v.values[c &* dimension &+ e] * from.x[e &* from.stride &+ i] }
      sum += z * z
    }
    return -0.5 * sum
  }

  package func addFunctionals(
    _ t: Int, _ from: Cloud, _ i: Int, _ to: Cloud, _ j: Int, _ values: UnsafeMutablePointer<Double>
  ) {
    for c in 0..<dimension {
      let x = from.x[c &* from.stride &+ i]
      values[0] += x * to.x[c &* to.stride &+ j]
      values[1] += x * x
    }
  }

  package func moveGuided(
    _ t: Int, _ from: Cloud, _ ancestors: UnsafePointer<Int32>, _ x: Cloud, _ range: Range<Int>,
    _ logWeights: UnsafeMutablePointer<Double>, _ stream: inout Stream
  ) {
    let sees = !observations.isMissing(t)
    let step = sees ? (t == 0 ? guidedStart : guidedMove) : (t == 0 ? started : moved)
    for i in range {
      let ancestor = t == 0 ? nil : Int(ancestors[i])
      draw(step, t, seeing: sees, from, ancestor, x, i, &stream)
      // q/p = p(y_t | x_{t-1})/g.
      if sees {
        logWeights[i] += (ancestor.map { log(promised, t, from, $0) } ?? log(first, t, x, i)) - log(seen, t, x, i)
      }
    }
  }

  package func lookAhead(_ t: Int, _ from: Cloud, _ range: Range<Int>, _ logWeights: UnsafeMutablePointer<Double>) {
    let sees = !observations.isMissing(t)
    for i in range { logWeights[i] = sees ? log(promised, t, from, i) : 0 }
  }

  /// Backward draws from the filtered laws: $x_t = m_t + G (x_{t+1} - A m_t)$ and a normal of what is left.
  package func drawSmoothed(_ path: Cloud, _ stream: inout Stream) {
    for t in (0..<length).reversed() {
      draw(back[t], t, seeing: false, path, t + 1 < length ? t + 1 : nil, path, t, &stream)
      for c in 0..<dimension {
        var shift = filtered[t][c]
        if t + 1 < length {
          for e in 0..<dimension { shift -= back[t].k.values[c * dimension + e] * filtered[t][e] }
        }
        path.x[c * path.stride + t] += shift
      }
    }
  }
}
