import Kernels
import Randomness

/// A velocity relative to the flow, the place in the laboratory, and how they came about.
struct TaggedFlight {
  var velocity, position: SIMD3<Double>
  var time = 0.0
  var collisions = 0.0
  /// Times at which a collision was proposed.
  var candidates = 0.0

  /// Moves on freely for a time: in the laboratory at a constant velocity, $\dot w = -L w$ relative to the flow.
  @inline(__always) mutating func move(_ path: FreePath, _ time: Double, _ deformation: Deformation, tracked: Bool) {
    if tracked { position += time * (velocity + deformation.rate(at: self.time) * position) }
    velocity = path(time)
    self.time += time
  }
}

/// Collisions with molecules of the gas, whose velocities relative to the flow are $u \sim N(0, \theta I)$, at rate $C |w - u|^\gamma$:
///
/// $$ w' = \mu_a w + \mu_b u + \mu_b |w - u| s = w - \mu_b (g - |g| s), \qquad g = w - u, \quad s \text{ uniform on the sphere}. $$
///
/// Every route samples times and partners exactly, by candidates at a rate that is above the true one along the whole path, accepted with the ratio of the two (thinning). None knows a time step.
package struct TaggedCollisions: Sendable {
  package enum Sampler: String, CaseIterable, Sendable {
    /// For each window the route with fewer candidates.
    case automatic
    /// One bound for the whole time to the next record.
    case plain
    /// Windows always.
    case windows
  }

  package let gamma, rate, theta: Double
  /// $\mu_a = m_a/(m_a + m_b)$ and $\mu_b$.
  package let own, bath: Double
  package let sampler: Sampler
  /// $E|u|^\gamma$.
  let fromRest: Double
  /// $-\gamma/2$ and $(1 + \gamma)/2$, of soft collisions.
  private let shape, power: Double
  /// $(2\theta)^{\gamma/2}/\Gamma(1 - \gamma/2)$, of soft collisions.
  private let near: Double
  private let spread: Double

  package init(gamma: Double, rate: Double, theta: Double, mass: Double, bathMass: Double, sampler: Sampler) {
    (self.gamma, self.rate, self.theta, self.sampler) = (gamma, rate, theta, sampler)
    (own, bath) = (mass / (mass + bathMass), bathMass / (mass + bathMass))
    let scale = Elementary.power(2 * theta, 0.5 * gamma)
    fromRest = scale * Elementary.exp(logGamma(0.5 * (3 + gamma)) - logGamma(1.5))
    (shape, power) = (-0.5 * gamma, 0.5 * (1 + gamma))
    near = gamma < 0 ? scale * Elementary.exp(-logGamma(1 - 0.5 * gamma)) : 0
    spread = theta.squareRoot()
  }

  /// Variance of a component of w in equilibrium, without a flow: $\theta m_b/m_a$.
  package var equilibrium: Double { theta * bath / own }

  /// Rate of collisions in equilibrium: $C (2\theta/\mu_a)^{\gamma/2}\, \Gamma(\frac{3+\gamma}{2})/\Gamma(\frac32)$.
  package var equilibriumRate: Double { rate * fromRest * Elementary.power(own, -0.5 * gamma) }

  func advance(
    _ flight: inout TaggedFlight, to end: Double, _ deformation: Deformation, tracked: Bool, _ stream: inout Stream
  ) {
    if gamma == 0 {
      constant(&flight, to: end, deformation, tracked: tracked, &stream)
    } else if gamma > 0 {
      hard(&flight, to: end, deformation, tracked: tracked, &stream)
    } else {
      soft(&flight, to: end, deformation, tracked: tracked, &stream)
    }
    flight.time = end
  }

  @inline(__always) private func scatter(
    _ w: SIMD3<Double>, _ g: SIMD3<Double>, along n: SIMD3<Double>
  ) -> SIMD3<Double> {
    w - bath * (g - (square(g) / square(n)).squareRoot() * n)
  }

  /// Maxwell molecules: the waiting time is half a chi-square of two degrees of freedom over C, so that a collision takes eight normals.
  private func constant(
    _ flight: inout TaggedFlight, to end: Double, _ deformation: Deformation, tracked: Bool, _ stream: inout Stream
  ) {
    let scale = 0.5 / rate
    var left = end - flight.time
    while true {
      let n = stream.normals(8)
      let wait = scale * (n[0] * n[0] + n[1] * n[1])
      let path = deformation.path(flight.velocity, at: flight.time)
      guard wait < left else {
        flight.move(path, left, deformation, tracked: tracked)
        return
      }
      flight.move(path, wait, deformation, tracked: tracked)
      left -= wait
      let g = flight.velocity - spread * SIMD3(n[2], n[3], n[4])
      flight.velocity = scatter(flight.velocity, g, along: SIMD3(n[5], n[6], n[7]))
      flight.collisions += 1
      flight.candidates += 1
    }
  }

  /// $0 < \gamma \le 1$, where $|w - u|^\gamma \le R^\gamma + |u|^\gamma$ with R the most that |w| reaches in a window: candidates at the rate of the right side, u of the law $\varphi(u) (R^\gamma + |u|^\gamma)$, a mixture
  /// of the normal law and one with $|u|^2 \sim \theta \chi^2_{3+\gamma}$.
  private func hard(
    _ flight: inout TaggedFlight, to end: Double, _ deformation: Deformation, tracked: Bool, _ stream: inout Stream
  ) {
    let half = 0.5 * gamma
    var left = end - flight.time
    while left > 0 {
      let path = deformation.path(flight.velocity, at: flight.time)
      var window = sampler == .plain ? left : min(left, path.window(share: 0.25, floor: spread))
      var most = path.bounds(window).most
      while most == .infinity {
        window *= 0.5
        most = path.bounds(window).most
      }
      let fast = Elementary.power(most * most, half)
      let total = fast + fromRest
      let scale = 0.5 / (rate * total)
      var elapsed = 0.0
      while true {
        let n = stream.normals(8)
        elapsed += scale * (n[0] * n[0] + n[1] * n[1])
        guard elapsed < window else {
          flight.move(path, window, deformation, tracked: tracked)
          left -= window
          break
        }
        flight.candidates += 1
        let w = path(elapsed)
        var u = spread * SIMD3(n[2], n[3], n[4])
        let direction = SIMD3(n[5], n[6], n[7])
        if stream.uniform() * total >= fast {
          u *= (2 * theta * stream.gamma(shape: 1.5 + half) / square(u)).squareRoot()
        }
        let g = w - u
        let bound = fast + Elementary.power(square(u), half)
        guard stream.uniform() * bound < Elementary.power(square(g), half) else { continue }
        flight.move(path, elapsed, deformation, tracked: tracked)
        flight.velocity = scatter(w, g, along: direction)
        flight.collisions += 1
        left -= elapsed
        break
      }
    }
  }

  /// $-1 < \gamma < 0$. With $a = -\gamma/2$ and $x = w^2/2\theta$,
  ///
  /// $$ \mathbb E |w - u|^\gamma = \frac{(2\theta)^{\gamma/2}}{\Gamma(a)} \int_0^1 y^{a-1} (1 - y)^{(1+\gamma)/2} e^{-xy}\, dy, \qquad w - u \mid y \sim N(w (1 - y), \theta (1 - y) I), $$
  ///
  /// from $|g|^\gamma = \Gamma(a)^{-1} \int \lambda^{a-1} e^{-\lambda g^2} d\lambda$ and $y = 2\lambda\theta/(1 + 2\lambda\theta)$: no function of w is needed but this exponential. Candidates have a density of y above this one.
  /// *Near*: $y^{a-1}$ on (0, 1), at the rate $C (2\theta)^{\gamma/2}/\Gamma(1 + a)$ whatever w is. *Far*, within a window in which x stays above $x_0$: $y^{a-1} e^{-x_0 y}$ on $(0, \infty)$, at the rate $C |w|_{\min}^\gamma$, so that
  /// windows and waiting times grow with the velocity and a path costs the logarithm of its time.
  private func soft(
    _ flight: inout TaggedFlight, to end: Double, _ deformation: Deformation, tracked: Bool, _ stream: inout Stream
  ) {
    var left = end - flight.time
    while left > 0 {
      let path = deformation.path(flight.velocity, at: flight.time)
      var (window, least, candidates) = (left, 0.0, near)
      if sampler != .plain {
        let part = min(left, path.window(share: 0.5, floor: 0))
        let bound = path.bounds(part).least
        let far = bound > 0 ? Elementary.power(bound * bound, 0.5 * gamma) : .infinity
        // A path may pass through zero, where only the near route has a bound.
        if far < (sampler == .windows ? 8 : 1) * near { (window, least, candidates) = (part, bound, far) }
      }
      let n = stream.normals(8)
      let wait = 0.5 * (n[0] * n[0] + n[1] * n[1]) / (rate * candidates)
      guard wait < window else {
        flight.move(path, window, deformation, tracked: tracked)
        left -= window
        continue
      }
      flight.move(path, wait, deformation, tracked: tracked)
      left -= wait
      flight.candidates += 1
      let (w, base) = (flight.velocity, 0.5 * least * least / theta)
      var y = Elementary.power(stream.uniform(), 1 / shape)
      if least > 0 { y *= stream.gamma(shape: 1 + shape) / base }
      guard y < 1 else { continue }
      let rest = 1 - y
      let excess = max(0, 0.5 * square(w) / theta - base)
      guard stream.uniform() < Elementary.exp(power * Elementary.log(rest) - excess * y) else { continue }
      let g = rest * w + (theta * rest).squareRoot() * SIMD3(n[2], n[3], n[4])
      flight.velocity = scatter(w, g, along: SIMD3(n[5], n[6], n[7]))
      flight.collisions += 1
    }
  }
}

/// log Gamma(x), x > 0, by Stirling's series above 16, to 1e-14.
func logGamma(_ x: Double) -> Double {
  var (y, shift) = (x, 0.0)
  while y < 16 {
    shift += Elementary.log(y)
    y += 1
  }
  let z = 1 / (y * y)
  let tail = (1.0 / 12 - z * (1.0 / 360 - z * (1.0 / 1260 - z / 1680))) / y
  return (y - 0.5) * Elementary.log(y) - y + 0.5 * Elementary.log(2 * Double.pi) + tail - shift
}
