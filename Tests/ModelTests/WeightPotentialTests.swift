import Foundation
import Kernels
import Networks
import Testing

/// The energy of all weights and its gradient: against a network of plain loops, and against differences.
@Suite struct WeightPotentialTests {
  struct Network: Sendable, CustomTestStringConvertible {
    let activation: any Activation
    let width, depth, examples: Int
    let gain, bias: Double
    let likelihood: Likelihood
    var testDescription: String { "\(type(of: activation)), width \(width), depth \(depth), \(examples) examples" }

    /// Inputs of three features, and targets.
    func vectors(_ count: Int, from start: Int = 0) -> [[Double]] {
      (start..<start + count).map { p in (0..<3).map { cos(1.7 * Double(p) + 0.9 * Double($0 * $0) + 0.3) } }
    }
    var targets: [Double] {
      (0..<examples).map { p in
        if case .logistic = likelihood { p % 2 == 0 ? 1 : -1 } else { sin(2.3 * Double(p) + 0.4) }
      }
    }
    var potential: WeightPotential {
      WeightPotential(
        Perceptron(activation: activation, gain: gain, bias: bias), width: width, depth: depth,
        train: vectors(examples), targets: targets, test: vectors(3, from: 50), likelihood: likelihood)
    }

    /// f of an input, weight by weight in the order of `WeightLayout.scatter`, and the squares of the weights.
    func output(_ x: [Double], _ weights: [Double]) -> Double {
      var rest = weights[...]
      func next() -> Double { rest.removeFirst() }
      var z = Array(repeating: 0.0, count: width)
      for feature in x { for j in 0..<width { z[j] += feature * next() } }
      for _ in 1..<depth {
        let post = z.map { (gain / Double(width)).squareRoot() * activation.value($0) }
        z = Array(repeating: 0.0, count: width)
        for one in post { for j in 0..<width { z[j] += one * next() } }
        if bias != 0 { for j in 0..<width { z[j] += bias * next() } }
      }
      var f = 0.0
      for one in z { f += (gain / Double(width)).squareRoot() * activation.value(one) * next() }
      if bias != 0 { f += bias * next() }
      #expect(rest.isEmpty)
      return f
    }

    func energy(_ weights: [Double]) -> Double {
      var sum = weights.reduce(0) { $0 + $1 * $1 / 2 }
      for (x, y) in zip(vectors(examples), targets) {
        let f = output(x, weights)
        switch likelihood {
        case .gaussian(let noise): sum += (f - y) * (f - y) / (2 * noise)
        case .logistic: sum += log(1 + exp(-y * f))
        }
      }
      return sum
    }
  }

  static let networks = [
    Network(
      activation: Erf(ActivationScaling()), width: 8, depth: 1, examples: 4, gain: 1, bias: 0,
      likelihood: .gaussian(noise: 0.01)),
    Network(
      activation: SlopeActivation(plus: 1, minus: 1), width: 4, depth: 2, examples: 5, gain: 1, bias: 0,
      likelihood: .gaussian(noise: 0.25)),
    Network(
      activation: Tanh(ActivationScaling()), width: 11, depth: 3, examples: 9, gain: 1.7, bias: 0.3,
      likelihood: .gaussian(noise: 0.1)),
    Network(
      activation: Tanh(ActivationScaling()), width: 5, depth: 2, examples: 1, gain: 1.2, bias: 0.4,
      likelihood: .logistic),
    Network(
      activation: Sigmoid(ActivationScaling()), width: 17, depth: 2, examples: 6, gain: 2.5, bias: 0,
      likelihood: .logistic),
    Network(
      activation: Sigmoid(ActivationScaling()), width: 1, depth: 4, examples: 2, gain: 2.5, bias: 0.2,
      likelihood: .logistic),
  ]

  private func weights(_ layout: WeightLayout) -> [Double] {
    (0..<layout.dimension).map { sin(1.3 * Double($0 * $0) + 0.7 * Double($0)) }
  }

  /// Energy, outputs and gradient. The units of widths 1, 5, 11 and 17 do not fill their lanes.
  @Test(arguments: networks)
  func thePlainNetwork(network: Network) {
    let potential = network.potential
    let layout = potential.layout
    let weights = weights(layout)
    func vector(_ weights: [Double]) -> [Double] {
      // What was there is no number, as after a trajectory that left the range of numbers.
      var x = Array(repeating: Double.nan, count: layout.size)
      for i in (layout.outputBias)..<layout.size { x[i] = 0 }
      layout.scatter(weights, to: &x)
      return x
    }
    let x = vector(weights)
    var gradient = Array(repeating: 0.0, count: layout.size)
    potential.evaluate(x, to: &gradient)
    let energy = potential.energy(x)
    #expect((energy / network.energy(weights) - 1).magnitude < 1e-12)
    var outputs = Array(repeating: 0.0, count: 3)
    potential.predict(x, to: &outputs)
    for (f, input) in zip(outputs, network.vectors(3, from: 50)) {
      #expect((f - network.output(input, weights)).magnitude < 1e-12)
    }
    #expect(potential.energy(x) == energy, "predictions leave the energy as it is")
    // Every weight by a difference of order h^4, put where scatter puts it.
    var places = Array(repeating: 0.0, count: layout.size)
    layout.scatter((0..<layout.dimension).map { Double($0 + 1) }, to: &places)
    var seen = 0
    for (place, number) in places.enumerated() {
      guard number > 0 else {
        #expect(gradient[place] == 0, "behind the units, \(place)")
        continue
      }
      seen += 1
      let i = Int(number) - 1
      func energy(_ shift: Double) -> Double {
        var moved = weights
        moved[i] += shift
        return network.energy(moved)
      }
      let h = 1e-3
      let difference = (8 * (energy(h) - energy(-h)) - (energy(2 * h) - energy(-2 * h))) / (12 * h)
      #expect((gradient[place] - difference).magnitude < 1e-7 * max(1, difference.magnitude), "weight \(i)")
    }
    #expect(seen == layout.dimension)
  }

  /// Leapfrog may be run backwards, and its error in the energy is of order h^2.
  @Test func leapfrogIsReversible() {
    let potential = Self.networks[2].potential
    let layout = potential.layout
    func state(velocity: [Double]? = nil, position: UnsafePointer<Double>? = nil) -> HamiltonianState {
      let state = HamiltonianState(size: layout.size)
      layout.scatter(weights(layout).map { 0.3 * $0 }, to: state.position)
      if let position { state.position.update(from: position, count: layout.size) }
      layout.scatter(Array(weights(layout).reversed()), to: state.velocity)
      if let velocity { for (i, v) in velocity.enumerated() { state.velocity[i] = v } }
      state.prepare(potential)
      return state
    }
    func kinetic(_ state: HamiltonianState) -> Double {
      0.5 * LaneSum.ofProducts(state.velocity, state.velocity, layout.size)
    }
    let errors = [0.02, 0.01].map { h -> Double in
      let one = state()
      let before = one.energy + kinetic(one)
      #expect(one.move(potential, step: h, leapfrog: Int((0.4 / h).rounded()), uniform: 1e-300))
      return one.energy + kinetic(one) - before
    }
    #expect(errors[1].magnitude > 1e-9 && (errors[0] / errors[1] - 4).magnitude < 0.5, "\(errors)")
    let (start, there) = (state(), state())
    #expect(there.move(potential, step: 0.01, leapfrog: 40, uniform: 1e-300))
    let back = state(velocity: (0..<layout.size).map { -there.velocity[$0] }, position: there.position)
    #expect(back.move(potential, step: 0.01, leapfrog: 40, uniform: 1e-300))
    for i in 0..<layout.size { #expect((back.position[i] - start.position[i]).magnitude < 1e-10) }
    // Rejected: nothing has moved.
    let rejected = state()
    #expect(!rejected.move(potential, step: 3, leapfrog: 40, uniform: 0.5))
    #expect(rejected.position[0] == start.position[0] && rejected.energy == start.energy && rejected.probability == 0)
  }
}
