import Kernels
import Randomness
import Experiments

/// Multilayer perceptron with orthogonal weights: `z_{l+1} = sqrt(c) W_l phi(z_l)`, W_l uniform on the orthogonal group.
///
/// `W Q` of an orthonormal n x m matrix Q is uniform on the Stiefel manifold, so a layer needs n m normals and their QR
/// factorisation instead of n^2 and its cube (docs/architectures.md).
public struct OrthogonalMLP: Architecture {
  public let settings: NetworkSettings
  package let activation: any Activation
  package let gain: Double
  let weights: Bool

  public final class State: NetworkState {
    let columns: Columns
    /// The n x n matrix of the reference, and its image of the layer.
    let matrix: Columns?
    let image: Columns?
    let factor: UnsafeMutablePointer<Double>
    let sum: FactorSum

    init(_ network: OrthogonalMLP) {
      let m = network.settings.count
      let n = network.settings.width
      columns = Columns(m, rows: n)
      matrix = network.weights ? Columns(n, rows: n) : nil
      image = network.weights ? Columns(m, rows: n) : nil
      factor = .allocate(capacity: network.weights ? n * n : m * m)
      sum = FactorSum(m)
      super.init(inputs: m)
    }

    deinit { factor.deallocate() }
  }

  public func makeState() -> State { State(self) }

  /// The reference starts from a set of n-vectors with Gram matrix n V_0 and keeps whole layers.
  public func start(_ state: State, _ stream: inout Stream) {
    guard let image = state.image else { return }
    let m = settings.count
    let root = Double(settings.width).squareRoot()
    for a in 0..<m {
      for i in 0..<image.stride { image[a][i] = i < m ? root * settings.initialFactor[a &* m &+ i] : 0 }
    }
  }

  public func advance(_ state: State, _ stream: inout Stream, layer: Int, measure: Bool) {
    let m = settings.count
    let n = settings.width
    let root = Double(n).squareRoot()
    let columns = state.columns
    if let matrix = state.matrix, let image = state.image {
      Self.orthonormalise(matrix, n, &stream, rows: n, factor: state.factor)
      for a in 0..<m {
        for i in 0..<columns.stride { columns[a][i] = 0 }
        for j in 0..<n {
          let x = image[a][j] / state.factor[j &* n &+ j] * (layer == 1 ? 1 : gain.squareRoot())
          for i in 0..<n { columns[a][i] += x * matrix[j][i] }
        }
      }
    } else {
      // columns_a = sqrt(n) sum_b L_ab q_b, from the last to the first, so that they may overwrite the q.
      Self.orthonormalise(columns, m, &stream, rows: n, factor: state.factor)
      for a in (0..<m).reversed() {
        let column = columns[a]
        let own = root * state.lower[a &* m &+ a] / state.factor[a &* m &+ a]
        for i in 0..<n { column[i] *= own }
        for b in 0..<a {
          let x = root * state.lower[a &* m &+ b] / state.factor[b &* m &+ b]
          let other = columns[b]
          for i in 0..<n { column[i] = column[i].addingProduct(x, other[i]) }
        }
      }
    }
    for a in 0..<m {
      activation.apply(columns[a], n)
      for i in n..<columns.stride { columns[a][i] = 0 }
      if let image = state.image { for i in 0..<n { image[a][i] = columns[a][i] } }
    }
    state.sum.reset()
    state.sum.add(columns.data, stride: columns.stride, count: n)
    state.take(state.sum, scale: (gain / Double(n)).squareRoot(), layers: weights ? layer : 1)
  }

  /// `count` orthogonal columns in the directions of Haar measure, each of length R_jj. The diagonal of R is positive,
  /// which is the sign convention that makes Q uniform.
  private static func orthonormalise(
    _ columns: Columns, _ count: Int, _ stream: inout Stream, rows: Int, factor: UnsafeMutablePointer<Double>
  ) {
    Weights.fill(columns, count, rows: rows, &stream)
    Triangular.factor(
      columns: columns.data, stride: columns.stride, count: columns.stride, m: count, into: factor)
  }
}

extension OrthogonalMLP {
  static let entry = ArchitectureEntry(
    name: "orthogonal-mlp",
    summary: "multilayer perceptron with orthogonal (Haar) weights",
    equation: "z_{l+1} = sqrt(c) W_l phi(z_l), W_l uniform on O(n); V_l = (c/n) phi(z_l)^T phi(z_l)",
    reference: "arXiv:1312.6120; arXiv:math-ph/0609050 (Haar measure by QR)",
    samplers: [
      ("conditional", "m columns on the Stiefel manifold, O(n m^2) a layer"),
      ("weights", "whole orthogonal matrices, O(n^3) a layer"),
    ],
    parameters: [
      .activation,
      .gain,
      .tune,
    ],
    further: [
      TangentMLP.draws(probes: [.covariance]) { _ in (.orthogonal, nil) },
      PassMLP.draws(probes: [.covariance]) { _ in (.orthogonal, nil) },
    ]
  ) { p, settings in
    guard settings.width >= settings.count else {
      throw p.invalid("width", "must be at least the number of inputs, \(settings.count)")
    }
    let choice = try ActivationChoice(p["activation"]!, path: "\(p.path).activation", width: settings.width)
    let (gain, _, attributes) = try choice.initialisation(p, bias: nil)
    return NetworkModel(
      OrthogonalMLP(
        settings: settings, activation: choice.function, gain: gain, weights: p.text("sampler") == "weights"),
      parameters: p, activation: choice, known: known(settings, choice, gain),
      attributes: attributes)
  }

  /// One input, positively homogeneous (docs/architectures.md): the ratio of a layer is `c [s+^2 B + s-^2 (1 - B)]`,
  /// B ~ Beta(K/2, (n-K)/2), K ~ Bin(n, 1/2), so E B = 1/2 and E B^2 = 1/4 + 3/(4 (n + 2)).
  private static func known(_ settings: NetworkSettings, _ choice: ActivationChoice, _ gain: Double) -> ReferenceValues?
  {
    guard let slopes = choice.function as? SlopeActivation, settings.measured.bound == .infinity else { return nil }
    let n = Double(settings.width)
    let (p2, m2) = (slopes.plus * slopes.plus, slopes.minus * slopes.minus)
    let mean = gain * 0.5 * (p2 + m2)
    // E B^2 = E K (K + 2) / (n (n + 2)) = (n + 5) / (4 (n + 2)).
    let variance = gain * gain * (p2 - m2) * (p2 - m2) * 0.75 / (n + 2)
    let m = settings.count
    let v0 = settings.inputs.gram
    return ReferenceValues(settings) { layer in
      let steps = layer - settings.inputs.layer
      var values: [String: (Double, Double)] = [:]
      for a in 0..<m {
        let v = v0[a * m + a]
        values["V[\(a),\(a)]"] = (
          ExactMoments.product(ExactMoments.power(mean, steps), v),
          v * v * ExactMoments.power(mean * mean + variance, steps)
        )
      }
      return values
    }
  }
}
