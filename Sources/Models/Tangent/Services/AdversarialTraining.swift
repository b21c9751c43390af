import Experiments
import Kernels
import Networks
import Randomness
import Regression

/// Training on adversarial examples, linearised, from a network's own outputs and with its own tangent kernel:
///
/// $$ f_t = f_0 - \Theta_{*X} \Theta^{-1} (1 - e^{-\Theta \Xi t})(f_0(X) - y), \qquad \Xi_i = e^{\eta\, \mathbb E |\nabla f(x_i)|^2} . $$
///
/// $\Xi$ is a model of our own: an example at which the function is steep is learned faster; $\eta = 0$ is plain training. As t grows it is forgotten, and $f_t$ interpolates.
///
/// The signs of the output weights leave $\Theta$ alone, so that given the kernel f has the mean $B_t y$ and the variance
/// $(c/n) \sum_j v_j^2 (\phi_j(x_*) - B_t \phi_j(X))^2$, which are measured as well: they have the mean of f and its second moment with a fraction of the noise.
package struct AdversarialTraining: DrawnProblem {
  package let network: ShallowNetwork
  package let width: Int
  package let targets, times: [Double]
  /// $\Xi$.
  package let rates: [Double]
  private var examples: Int { targets.count }
  private var points: Int { network.count - examples }

  /// - Parameters:
  ///   - network: at the examples, then at the points whose outputs are wanted.
  ///   - rates: $\Xi$ of the examples.
  package init(_ network: ShallowNetwork, width: Int, targets: [Double], rates: [Double], times: [Double]) {
    (self.network, self.width, self.targets, self.rates, self.times) = (network, width, targets, rates, times)
  }

  package final class State {
    fileprivate let network: ShallowNetwork.State
    fileprivate let flow: LinearisedFlow
    fileprivate let kernel, room, outputs: UnsafeMutablePointer<Double>

    fileprivate init(_ p: AdversarialTraining) {
      network = ShallowNetwork.State(p.network, width: p.width)
      flow = LinearisedFlow(rates: p.rates, points: p.points)
      let size = p.network.count * p.examples
      (kernel, room, outputs) = (.allocateZeros(size), .allocateZeros(size), .allocateZeros(p.network.stride))
    }

    deinit { for place in [kernel, room, outputs] { place.deallocate() } }
  }

  package var axis: Axis { Axis(name: "time", summary: "t, of gradient flow with rate 1", values: times) }

  /// Three of every point, then that of the kernel.
  package var observables: [Observable] {
    (0..<points).flatMap {
      [
        Observable("f", [$0], "output at test point \($0)"),
        Observable("mean", [$0], "its mean given the kernel"),
        Observable("variance", [$0], "its variance given the kernel"),
      ]
    } + [Observable("diagonal", "mean of the tangent kernel's diagonal over the examples")]
  }

  package var known: [KnownStatistic] {
    let (count, theta) = (network.count, network.limits().tangent)
    let mean = (0..<examples).reduce(0) { $0 + theta[$1 * count + $1] } / Double(examples)
    return times.indices.map { KnownStatistic(.mean, of: "diagonal", record: $0, mean) }
  }

  package func makeState() -> State { State(self) }

  package func draw(_ s: State, _ stream: inout Stream, into values: UnsafeMutablePointer<Double>) {
    let (n, map) = (examples, s.flow.map)
    network.draw(s.network, &stream)
    network.outputs(s.network, into: s.outputs)
    network.tangent(
      s.network, rows: 0..<network.count, columns: 0..<n, into: s.kernel, stride: n, room: s.room)
    s.flow.prepare(s.kernel, stride: n)
    var diagonal = 0.0
    for i in 0..<n { diagonal += s.kernel[i * (n + 1)] }
    for (record, t) in times.enumerated() {
      s.flow.move(to: t)
      let place = values + record * (3 * points + 1)
      for a in 0..<points {
        var (f, mean, variance) = (s.outputs[n + a], 0.0, 0.0)
        for i in 0..<n {
          let share = map[a * n + i]
          f -= share * (s.outputs[i] - targets[i])
          mean += share * targets[i]
        }
        for j in 0..<width {
          let posts = s.network.posts + j * network.stride
          var rest = posts[n + a]
          for i in 0..<n { rest -= map[a * n + i] * posts[i] }
          rest *= s.network.readout[j]
          variance += rest * rest
        }
        (place[3 * a], place[3 * a + 1], place[3 * a + 2]) = (f, mean, network.gain / Double(width) * variance)
      }
      place[3 * points] = diagonal / Double(n)
    }
  }

  /// Mean and variance of every output at infinite width, record by record: $B_t y$ and $K_{**} - 2 B_t K_{X*} + B_t K_{XX} B_t^T$.
  package var limit: [KnownStatistic] {
    let (n, count, limits) = (examples, network.count, network.limits())
    let flow = LinearisedFlow(rates: rates, points: points)
    flow.prepare(limits.tangent, stride: count)
    return times.enumerated().flatMap { record, t in
      flow.move(to: t)
      return (0..<points).flatMap { a -> [KnownStatistic] in
        // The output is a sum over the examples and the point itself.
        let shares = (0..<n).map { -flow.map[a * n + $0] } + [1]
        let places = Array(0..<n) + [n + a]
        var variance = 0.0
        for (i, x) in zip(places, shares) {
          for (j, y) in zip(places, shares) { variance += x * y * limits.outputs[i * count + j] }
        }
        let mean = (0..<n).reduce(0) { $0 + flow.map[a * n + $1] * targets[$1] }
        return [
          KnownStatistic(.mean, of: "f[\(a)]", record: record, mean),
          KnownStatistic(.variance, of: "f[\(a)]", record: record, variance),
          KnownStatistic(.mean, of: "mean[\(a)]", record: record, mean),
          KnownStatistic(.mean, of: "variance[\(a)]", record: record, variance),
        ]
      }
    }
  }
}

extension AdversarialTraining {
  /// Examples whose kernel is turned by rotations in every draw.
  private static let mostExamples = 64

  static let entry = TangentFamily.entry(
    name: "adversarial-training",
    summary: "linearised training on adversarial examples, with a network's own outputs and tangent kernel",
    equation:
      "f_t = f_0 - Th(., X) Th^-1 (1 - exp(-Th Xi t)) (f_0(X) - y), Xi = exp(strength E |df/dx|^2), a model of our own",
    reference: "docs/tangent.md", observables: ["f", "mean", "variance", "diagonal"],
    parameters: [
      TangentFamily.width,
      Parameter("points", .structured("an array of points, each an array of numbers"), "x, the examples"),
      Parameter("targets", .structured("an array of numbers, one a point"), "y"),
      Parameter("test", .structured("an array of points, each an array of numbers"), "where outputs are wanted"),
      Parameter("times", .structured("an ascending array of 1 to 64 numbers of at least 0"), "t"),
      Parameter("strength", .real(.init(0, 100)), default: .real(0.3), "eta; 0 is plain training"),
      Parameter("activation", .structured(ActivationChoice.words), default: .text("erf"), "phi"),
    ] + ShallowNetwork.parameters
  ) { p, _ in
    let (examples, test) = (try points(p, "points"), try points(p, "test"))
    let dimension = examples[0].count
    guard examples.count <= mostExamples else { throw p.invalid("points", "must be at most \(mostExamples)") }
    guard test[0].count == dimension else { throw p.invalid("test", "must have \(dimension) numbers a point") }
    guard Set(examples).count == examples.count else { throw p.invalid("points", "must differ from each other") }
    guard let targets = p.numbers("targets"), targets.count == examples.count else {
      throw p.invalid("targets", "must be \(examples.count) finite numbers, one a point")
    }
    let times = try p.ascending("times", least: 0, atMost: 64, words: "numbers of at least 0")
    let width = p.integer("width")
    let choice = try ActivationChoice(p["activation"] ?? .text("erf"), path: "\(p.path).activation", width: width)
    let network = try ShallowNetwork(
      examples + test, areNormalised: false, activation: choice.function, of: p, p)
    guard network.size(width: width) <= ShallowNetwork.mostNumbers else {
      throw p.invalid(
        "width", "makes \(network.size(width: width)) numbers a draw; at most \(ShallowNetwork.mostNumbers)")
    }
    let rates = examples.indices.map { a in
      let square = examples[a].reduce(0) { $0 + $1 * $1 }
      return Elementary.exp(
        p.real("strength") * network.gradientSquare(a, dimension: dimension, squaredLength: square))
    }
    guard rates.allSatisfy({ $0.isFinite && $0 > 0 }) else {
      throw p.invalid("strength", "makes Xi = \(rates.max() ?? .infinity): it must be finite")
    }
    return DrawnProblemModel(
      AdversarialTraining(network, width: width, targets: targets, rates: rates, times: times), p)
  }

  private static func points(_ p: Parameters, _ key: String) throws -> [[Double]] {
    let wrong = p.invalid(key, "must be an array of points, each an array of as many finite numbers")
    guard case .list(let items)? = p[key], !items.isEmpty else { throw wrong }
    let found = try items.map { item -> [Double] in
      guard case .list(let numbers) = item else { throw wrong }
      let point = numbers.compactMap(\.number).filter(\.isFinite)
      guard point.count == numbers.count, !point.isEmpty else { throw wrong }
      return point
    }
    guard found.allSatisfy({ $0.count == found[0].count }) else { throw wrong }
    return found
  }
}
