import Experiments
import Kernels
import Networks
import Randomness

/// Perceptrons and residual networks of any depth in muP, their units sampled: dynamical mean-field theory of training (arXiv:2309.16620, section 3; arXiv:2205.09653), in one pass,
/// forward in time, without a fixed point.
///
/// As the width grows the units of all layers become independent copies of one site. In $h_{l+1} = s h_l + \beta \sqrt c\, \chi_l$ and
/// $g_l = s g_{l+1} + \beta \sqrt c\, \phi'(h_l)\, \xi_l$, s = 1 of residual networks and 0 of others,
///
/// $$ \chi_l(t) = u_l(t) + \sum_{s<t} A_l(t,s)\, g_{l+1}(s) + \frac{\eta \gamma \beta \sqrt c}{P} \sum_{s<t} D(s)\, \Phi_l(t,s)\, g_{l+1}(s), $$
///
/// $$ \xi_l(t) = r_l(t) + \sum_{s \le t} B_l(t,s)\, \phi(h_l(s)) + \frac{\eta \gamma \beta \sqrt c}{P} \sum_{s<t} D(s)\, G_{l+1}(t,s)\, \phi(h_l(s)), $$
///
/// with u_l ~ GP(0, Phi_l), r_l ~ GP(0, G_{l+1}), $A_l(t,s) = \mathbb E\, \partial \phi(h_l(t))/\partial r_l(s)$ and $B_l(t,s) = \mathbb E\, \partial g_{l+1}(t)/\partial u_l(s)$; sums run over
/// examples too, and D = -l'. Where phi is not linear B does not vanish at s = t. Every average at t is one of sites at t or before. By Stein's lemma $A_l$ and $B_l$ are covariances with
/// the sources, and the sum over them is what a normal matrix does that is revealed where it is applied (`RevealedMatrix`): no derivative is taken and no Gram matrix inverted.
///
/// With the sources **matched** (orthogonal over the sites, of variance 1) a linear network has no sampling error left, and others some tenth of it.
/// Unmatched, the law is exactly that of `TrainedMLP` with a given number of units.
package struct MeanFieldNetwork: TrainingProblem {
  let network: TrainedMLP
  let units: Int
  let isMatched: Bool
  /// K = X X^T/d, count x count, and F with K = F F^T.
  private let covariance: [Double]
  private let factor: [[Double]]
  private let steps: Int

  /// Matrices between hidden layers.
  private var matrices: Int { network.depth - 1 }
  private var count: Int { factor.count }
  private var train: Int { network.data.train }
  private var length: Int { Triangular.padded(units) }
  private var isResidual: Bool { network.shape.branch != nil }
  /// What an image of a hidden matrix is multiplied by.
  private var branch: Double { network.gain * (network.shape.branch ?? 1) }
  private var readoutGain: Double { isResidual ? 1 : network.gain }

  /// Independent normals of a site.
  package var sources: Int {
    factor[0].count + 1 + matrices * ((steps + 1) * count + steps * train)
  }

  /// Most numbers of the sources: 512 MiB. The bases take as many again, twice.
  private static let mostNumbers = 1 << 26

  /// - Parameters:
  ///   - steps: of the longest run.
  ///   - refuse: makes a failure of the reason why there is no such law.
  package init(
    _ network: TrainedMLP, units: Int, steps: Int, isMatched: Bool = true, refuse: (String) -> Failure
  ) throws {
    try network.requireKnown(refuse)
    guard network.shape.outputs == 1 else { throw refuse("needs one output") }
    guard
      network.depth == 1 ? network.parametrisation.isMeanField : network.parametrisation.isMaximalUpdate
    else { throw refuse("needs parametrisation = \"mup\"; of a kernel regime use ntk-training") }
    guard network.optimiser.isPlain else {
      throw refuse("needs the optimiser descent of all examples, without weight_decay")
    }
    let examples = network.data.train + network.data.test
    guard let factor = network.data.factor(most: examples) else { throw refuse("needs inputs that are not all 0") }
    self.network = network
    (self.units, self.steps, self.isMatched, self.factor) = (units, steps, isMatched, factor)
    covariance = (0..<examples * examples).map { place in
      zip(factor[place / examples], factor[place % examples]).reduce(0) { $0 + $1.0 * $1.1 }
    }
    let (numbers, overflow) = sources.multipliedReportingOverflow(by: length)
    guard !isMatched || 2 * sources <= units else {
      throw refuse(
        "needs at least \(2 * sources) units, twice the sources of each (depth x steps x examples): there are \(units)")
    }
    guard !overflow, numbers <= Self.mostNumbers else {
      throw refuse(
        "has \(sources) sources a unit (depth x steps x examples): with \(units) units more than \(Self.mostNumbers) numbers"
      )
    }
  }

  package final class State {
    /// Columns of `length`, and how many of them have been used.
    let sources: UnsafeMutablePointer<Double>
    fileprivate var used = 0
    fileprivate let triangle: UnsafeMutablePointer<Double>
    fileprivate let matrices: [RevealedMatrix]
    /// h_1 of every example; what the readout sees of them; the readout w.
    fileprivate let inputs, features, readout: UnsafeMutablePointer<Double>
    /// phi' of the examples of training, layer by layer; g_1 of them.
    fileprivate let slopes, back: UnsafeMutablePointer<Double>
    /// Of a unit vector: the stream, phi of it or phi' xi, and an image.
    fileprivate let stream, field, image: UnsafeMutablePointer<Double>
    /// Coordinates of phi(h_l) and of g_{l+1} in the bases of the matrices: matrix by matrix, example by example.
    fileprivate let right, left: UnsafeMutablePointer<Double>
    fileprivate var outputs, first, derivatives, sizes: [Double]
    fileprivate var isEvaluated = false

    init(_ problem: MeanFieldNetwork) {
      let (length, count, train) = (problem.length, problem.count, problem.train)
      sources = .allocateZeros(problem.sources * length)
      triangle = .allocateZeros(problem.isMatched ? problem.sources * problem.sources : 0)
      matrices = (0..<problem.matrices).map { _ in
        RevealedMatrix(
          units: problem.units, length: length, right: problem.mostRight, left: problem.mostLeft)
      }
      (inputs, features) = (.allocateZeros(count * length), .allocateZeros(count * length))
      readout = .allocateZeros(length)
      slopes = .allocateZeros((problem.matrices + 1) * train * length)
      back = .allocateZeros(train * length)
      (stream, field, image) = (.allocateZeros(length), .allocateZeros(length), .allocateZeros(length))
      right = .allocateZeros(problem.matrices * count * problem.mostRight)
      left = .allocateZeros(problem.matrices * train * problem.mostLeft)
      outputs = Array(repeating: 0, count: count)
      first = outputs
      derivatives = Array(repeating: 0, count: train)
      sizes = Array(repeating: 0, count: problem.matrices + 1)
    }

    deinit {
      for place in [
        sources, triangle, inputs, features, readout, slopes, back, stream, field, image, right, left,
      ] { place.deallocate() }
    }
  }

  private var mostRight: Int { (steps + 1) * count }
  private var mostLeft: Int { steps * train }

  package func makeState() -> State { State(self) }

  // MARK: Start

  private func next(_ state: State) -> UnsafePointer<Double> {
    defer { state.used += 1 }
    return UnsafePointer(state.sources + state.used * length)
  }

  package func start(_ state: State, _ stream: inout Stream) {
    drawSources(state, &stream)
    for matrix in state.matrices { matrix.start() }
    let directions = factor[0].count
    for a in 0..<count {
      factor[a].withUnsafeBufferPointer {
        Triangular.combine(
          state.sources, stride: length, $0.baseAddress!, count: directions, into: state.inputs + a * length)
      }
      state.first[a] = 0
    }
    state.used = directions
    let readout = next(state)
    for i in 0..<length { state.readout[i] = network.start == .zero ? 0 : readout[i] }
    state.isEvaluated = false
    guard network.start == .centred else { return }
    evaluate(state)
    for a in 0..<count {
      state.first[a] = state.outputs[a]
      state.outputs[a] = 0
    }
  }

  private func drawSources(_ state: State, _ stream: inout Stream) {
    for column in 0..<sources {
      let place = state.sources + column * length
      for first in Swift.stride(from: 0, to: units, by: 1024) {
        let part = min(1024, units - first)
        (place + first).update(from: stream.normals(part), count: part)
      }
    }
    guard isMatched else { return }
    // Gram-Schmidt of independent columns, far fewer than units: once is orthogonal to rounding.
    Triangular.factor(columns: state.sources, stride: length, count: length, m: sources, into: state.triangle)
    let root = Double(units).squareRoot()
    for column in 0..<sources {
      let scale = root / state.triangle[column * sources + column]
      for i in column * length..<(column + 1) * length { state.sources[i] *= scale }
    }
  }

  // MARK: Passes

  private func slope(_ state: State, _ layer: Int, _ example: Int) -> UnsafeMutablePointer<Double> {
    state.slopes + (layer * train + example) * length
  }

  private func right(_ state: State, _ layer: Int, _ example: Int) -> UnsafeMutablePointer<Double> {
    state.right + (layer * count + example) * mostRight
  }

  private func left(_ state: State, _ layer: Int, _ example: Int) -> UnsafeMutablePointer<Double> {
    state.left + (layer * train + example) * mostLeft
  }

  /// phi of h in its place, and phi' of it for training; 0 beyond the units.
  private func activate(_ state: State, _ h: UnsafeMutablePointer<Double>, _ layer: Int, _ example: Int) {
    if example < train {
      network.activation.apply(h, slopes: slope(state, layer, example), length)
    } else {
      network.activation.apply(h, length)
    }
    for i in units..<length { h[i] = 0 }
  }

  private func evaluate(_ state: State) {
    guard !state.isEvaluated else { return }
    state.isEvaluated = true
    let n = Double(units)
    for l in state.sizes.indices { state.sizes[l] = 0 }
    for a in 0..<count {
      let (h, x) = (state.stream, state.field)
      h.update(from: state.inputs + a * length, count: length)
      for l in 0..<matrices {
        state.sizes[l] += Triangular.dot(h, h, length)
        x.update(from: h, count: length)
        activate(state, x, l, a)
        state.matrices[l].apply(.right, x, to: state.image, coordinates: right(state, l, a)) { next(state) }
        if isResidual {
          for i in 0..<length { h[i] += branch * state.image[i] }
        } else {
          for i in 0..<length { h[i] = branch * state.image[i] }
        }
      }
      state.sizes[matrices] += Triangular.dot(h, h, length)
      let feature = state.features + a * length
      feature.update(from: h, count: length)
      if !isResidual { activate(state, feature, matrices, a) }
      let product = Triangular.dot(feature, state.readout, length) / n
      state.outputs[a] = readoutGain / network.gamma * product - state.first[a]
    }
  }

  package func loss(_ state: State, _ stream: inout Stream, step: Int) -> Double {
    evaluate(state)
    var sum = 0.0
    for a in 0..<train {
      var f = state.outputs[a]
      sum += withUnsafePointer(to: network.data.targets[a]) { network.loss.derive(&f, $0, 1) }
      state.derivatives[a] = f
    }
    return sum / Double(train)
  }

  package func step(_ state: State, _ stream: inout Stream, rate: Double) {
    let scale = -rate * network.gamma / Double(train)
    for a in 0..<train { backPropagate(state, a) }
    for a in 0..<train {
      let move = scale * state.derivatives[a]
      for l in 0..<matrices {
        state.matrices[l].add(branch * move, left: left(state, l, a), right: right(state, l, a))
      }
      for b in 0..<count {
        let (h, g) = (state.inputs + b * length, state.back + a * length)
        let weight = move * covariance[a * count + b]
        for i in 0..<length { h[i] += weight * g[i] }
      }
      let feature = state.features + a * length
      for i in 0..<length { state.readout[i] += readoutGain * move * feature[i] }
    }
    state.isEvaluated = false
  }

  /// From the readout to g_1 of an example.
  private func backPropagate(_ state: State, _ a: Int) {
    let g = state.back + a * length
    g.update(from: state.readout, count: length)
    if !isResidual {
      let slope = slope(state, matrices, a)
      for i in 0..<length { g[i] *= readoutGain * slope[i] }
    }
    for l in (0..<matrices).reversed() {
      state.matrices[l].apply(.left, g, to: state.image, coordinates: left(state, l, a)) { next(state) }
      let slope = slope(state, l, a)
      if isResidual {
        for i in 0..<length { g[i] += branch * slope[i] * state.image[i] }
      } else {
        for i in 0..<length { g[i] = branch * slope[i] * state.image[i] }
      }
    }
  }

  // MARK: Measures

  package var observables: [Observable] {
    network.outputObservables + (network.measured.coordinates ? network.coordinateSizes : [])
  }

  package func measure(_ state: State, into values: UnsafeMutablePointer<Double>) {
    evaluate(state)
    let place = state.outputs.withUnsafeBufferPointer {
      network.measureOutputs($0.baseAddress!, network.data.targets, to: values)
    }
    guard network.measured.coordinates else { return }
    for l in state.sizes.indices { place[l] = (state.sizes[l] / Double(count * units)).squareRoot() }
  }
}
