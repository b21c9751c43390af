/// An energy U with its gradient, of as many numbers as a chain has: a multiple of `LaneSum.lanes`, those behind the coordinates 0 in both.
package protocol PotentialEnergy: AnyObject {
  /// Writes grad U.
  func evaluate(_ x: UnsafePointer<Double>, to gradient: UnsafeMutablePointer<Double>)
  /// U of a position of which `evaluate` has just made the gradient; infinite, or no number, where it is out of range.
  func energy(_ x: UnsafePointer<Double>) -> Double
}

/// One chain of Hamiltonian Monte Carlo for the law exp(-U) (arXiv:1206.1901): a position with its gradient and energy, and trajectories of leapfrog with unit masses,
///
/// $$ v \leftarrow v - \tfrac h2 \nabla U(x), \qquad x \leftarrow x + h v, \qquad v \leftarrow v - \tfrac h2 \nabla U(x), $$
///
/// accepted with probability $\min(1, e^{-\Delta H})$, $H = U + v^2/2$: exact at any step. Nothing is allocated after `init`.
package final class HamiltonianState {
  package let size: Int
  package let position, gradient: UnsafeMutablePointer<Double>
  /// The caller puts fresh velocities here; zeros behind the coordinates.
  package let velocity: UnsafeMutablePointer<Double>
  private let proposal, slope: UnsafeMutablePointer<Double>
  /// U of the position.
  package private(set) var energy = 0.0
  /// The probability with which the last trajectory was accepted.
  package private(set) var probability = 0.0

  /// - Parameter size: a multiple of `LaneSum.lanes`.
  package init(size: Int) {
    precondition(size % LaneSum.lanes == 0)
    self.size = size
    position = .allocateZeros(5 * size)
    gradient = position + size
    velocity = gradient + size
    proposal = velocity + size
    slope = proposal + size
  }

  deinit { position.deallocate() }

  /// Finds gradient and energy of a position that was put there.
  package func prepare(_ potential: any PotentialEnergy) {
    potential.evaluate(position, to: gradient)
    energy = potential.energy(position)
  }

  /// One trajectory from the velocities, accepted or rejected.
  /// - Parameter uniform: on (0, 1), for the decision.
  package func move(_ potential: any PotentialEnergy, step h: Double, leapfrog steps: Int, uniform: Double) -> Bool {
    let before = energy + 0.5 * LaneSum.ofProducts(velocity, velocity, size)
    for i in 0..<size { velocity[i] = velocity[i].addingProduct(-0.5 * h, gradient[i]) }
    for i in 0..<size { proposal[i] = position[i].addingProduct(h, velocity[i]) }
    for _ in 1..<steps {
      potential.evaluate(proposal, to: slope)
      for i in 0..<size {
        velocity[i] = velocity[i].addingProduct(-h, slope[i])
        proposal[i] = proposal[i].addingProduct(h, velocity[i])
      }
    }
    potential.evaluate(proposal, to: slope)
    for i in 0..<size { velocity[i] = velocity[i].addingProduct(-0.5 * h, slope[i]) }
    let own = potential.energy(proposal)
    let after = own + 0.5 * LaneSum.ofProducts(velocity, velocity, size)
    // Written so that what is no number is rejected.
    guard after.isFinite else {
      probability = 0
      return false
    }
    probability = Elementary.exp(min(before - after, 0))
    guard Elementary.log(uniform) < before - after else { return false }
    position.update(from: proposal, count: size)
    gradient.update(from: slope, count: size)
    energy = own
    return true
  }
}
