import Experiments
import Kernels
import Networks
import Randomness
import Tangent
import Testing

import Limits

/// The kernel of a drawn network of one hidden layer: against plain sums, against the passes of the catalog's networks, and against its exact mean.
@Suite struct NetworkTests {
  private static let points = [[0.6, 0.8], [1.0, 0.0], [-0.28, 0.96]]

  private static func network(_ activation: any Activation, gain: Double, weight: Double, bias: Double)
    -> ShallowNetwork
  {
    ShallowNetwork(
      points, areNormalised: true, activation: activation, gain: gain, weight: weight, bias: bias)
  }

  /// A draw with plain loops, from the same numbers.
  @Test(arguments: [0.0, 0.7])
  func kernelIsThatOfPlainSums(bias: Double) {
    let (n, phi) = (11, Erf())
    let network = Self.network(phi, gain: 1.3, weight: 1.7, bias: bias)
    let state = ShallowNetwork.State(network, width: n)
    var stream = Stream(key: 5)
    stream.start(draw: 3)
    network.draw(state, &stream)
    var (kernel, room) = (Array(repeating: 0.0, count: 9), Array(repeating: 0.0, count: 9))
    network.tangent(state, rows: 0..<3, columns: 0..<3, into: &kernel, stride: 3, room: &room)
    var outputs = Array(repeating: 0.0, count: network.stride)
    network.outputs(state, into: &outputs)

    stream.start(draw: 3)
    let d = bias == 0 ? 2 : 3
    let v = (0..<n).map { _ in stream.normals(1)[0] }
    let w = (0..<n).map { _ in (0..<d).map { _ in stream.normals(1)[0] } }
    for (a, x) in Self.points.enumerated() {
      let extended = [1.7 * x[0], 1.7 * x[1], bias]
      func u(_ j: Int, _ x: [Double]) -> Double { (0..<d).reduce(0) { $0 + w[j][$1] * x[$1] } }
      let f = (0..<n).reduce(0) { $0 + v[$1] * phi.value(u($1, extended)) } * (1.3 / Double(n)).squareRoot()
      #expect((outputs[a] - f).magnitude < 1e-13)
      for (b, y) in Self.points.enumerated() {
        let other = [1.7 * y[0], 1.7 * y[1], bias]
        let q = (0..<3).reduce(0) { $0 + extended[$1] * other[$1] }
        var sum = 0.0
        for j in 0..<n {
          let (s, t) = (u(j, extended), u(j, other))
          sum += phi.value(s) * phi.value(t) + v[j] * v[j] * phi.derivative(s) * phi.derivative(t) * q
        }
        #expect((kernel[a * 3 + b] - 1.3 / Double(n) * sum).magnitude < 1e-13)
      }
    }
  }

  /// Mean and second moment of every entry: those of the passes of the catalog's perceptron, and the limit.
  @Test func lawIsThatOfPasses() throws {
    let (n, draws) = (6, 3000)
    let network = Self.network(SlopeActivation(plus: 1, minus: 0), gain: 2, weight: 1, bias: 0)
    let state = ShallowNetwork.State(network, width: n)
    var stream = Stream(key: 9)
    var room = Array(repeating: 0.0, count: 9)
    let shallow = (0..<draws).map { draw -> [Double] in
      var kernel = Array(repeating: 0.0, count: 9)
      stream.start(draw: UInt64(draw))
      network.draw(state, &stream)
      network.tangent(state, rows: 0..<3, columns: 0..<3, into: &kernel, stride: 3, room: &room)
      return kernel
    }
    let table: JobValue = .table([
      "architecture": .text("mlp"), "activation": .text("relu"), "depth": .integer(1), "width": .integer(Int64(n)),
    ])
    let passes = try (0..<draws).map { draw -> [Double] in
      let gram = try NetworkGram.make(
        table, .finite, Self.points, normalise: true, seed: 3, draw: UInt64(draw))
      var kernel = Array(repeating: 0.0, count: 9)
      try kernel.withUnsafeMutableBufferPointer { buffer in
        try gram.write(0..<3, to: try #require(buffer.baseAddress), stride: 3)
      }
      return kernel
    }
    let limit = network.limits().tangent
    for (a, b) in [(0, 0), (1, 0), (2, 1)] {
      let place = a * 3 + b
      expect(shallow.map { $0[place] }, limit[place], 0, "limit \(a), \(b)")
      let other = Sample(passes.map { $0[place] })
      expect(shallow.map { $0[place] }, other.mean, other.error, "passes \(a), \(b)")
      let square = Sample(passes.map { $0[place] * $0[place] })
      expect(shallow.map { $0[place] * $0[place] }, square.mean, square.error, "squares \(a), \(b)")
    }
  }

  /// Points that are equal have the same kernel to the bit, and a normalised diagonal is exact.
  @Test func equalPointsHaveTheVarianceItself() {
    let points = [[0.6, 0.8], [1.0, 0.0], [0.6, 0.8]].map { x in x.map { $0 * (1 + 0x1p-52) } }
    let network = ShallowNetwork(
      points, areNormalised: true, activation: SlopeActivation(plus: 1, minus: 0), gain: 2, weight: 1, bias: 0)
    let theta = network.limits().tangent
    #expect(theta[0] == 2 && theta[4] == 2 && theta[8] == 2 && theta[2] == 2 && theta[6] == 2)
    #expect(theta[1] == theta[7])
  }

  /// $\mathbb E |\nabla f|^2$: of ReLU without biases half of the weights, whatever the point; of linear networks all of them.
  @Test func gradientsOfSlopes() {
    for (phi, expected) in [
      (SlopeActivation(plus: 1, minus: 0), 2 * 2.25), (SlopeActivation(plus: 1, minus: 1), 2 * 2 * 2.25),
    ] {
      let network = Self.network(phi, gain: 2, weight: 1.5, bias: 0)
      let found = network.gradientSquare(1, dimension: 2, squaredLength: 1)
      #expect((found - expected).magnitude < 1e-9, "\(found)")
    }
  }
}
