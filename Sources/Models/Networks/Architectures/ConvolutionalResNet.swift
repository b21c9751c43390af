import Kernels
import Randomness
import Experiments

/// One-dimensional convolutional residual network with circular padding, n channels at P positions:
///
///     z_{l+1}[p] = alpha z_l[p] + lambda_l sqrt(c/(k n)) sum_o W_{l,o} phi(z_l[p + o]),   o = -(k-1)/2 ... (k-1)/2.
///
/// Measured: `V_ab = sum_p z_a[p] . z_b[p] / (P n)`, the mean over positions.
///
/// Given z_l the channels of the branch are independent Gaussian vectors over the P m pairs of position and input, whose
/// covariance is the mean over offsets of the shifted covariance of the post-activations: n P m normals a layer
/// instead of k n^2. A residual Gaussian law at finite width of our own; the papers stop at infinite width
/// (arXiv:1810.05148).
public struct ConvolutionalResNet: Architecture {
  public let settings: NetworkSettings
  package let activation: any Activation
  package let strength: ResidualStrength
  package let gain: Double
  package let positions, kernel: Int
  let weights: Bool
  /// V_0 over sites.
  package let siteGram: [Double]

  /// Pairs of position and input; pair (p, a) is column p m + a.
  package var sites: Int { positions * settings.count }

  public final class State: NetworkState {
    let stream: Columns
    let branch: Columns
    let next: Columns?
    let sum: FactorSum
    let total: FactorSum
    /// Covariances over sites: of the post-activations, of the patches, and its factor.
    let factor, gram, patch: UnsafeMutablePointer<Double>

    init(_ network: ConvolutionalResNet) {
      let sites = network.sites
      let n = network.settings.width
      stream = Columns(sites, rows: n)
      branch = Columns(sites, rows: network.weights ? n : GaussianRows.tile(sites), apart: !network.weights)
      next = network.weights ? Columns(sites, rows: n) : nil
      sum = FactorSum(sites)
      total = FactorSum(network.settings.count)
      factor = .allocate(capacity: sites * sites)
      gram = .allocate(capacity: sites * sites)
      patch = .allocate(capacity: sites * sites)
      super.init(inputs: network.settings.count)
    }

    deinit { for p in [factor, gram, patch] { p.deallocate() } }
  }

  public func makeState() -> State { State(self) }

  /// z_0[p] = W_in x[p], one map for all positions: Gaussian over sites with the Gram matrix of the features there.
  public func start(_ state: State, _ stream: inout Stream) {
    for i in 0..<sites * sites { state.gram[i] = siteGram[i] }
    Triangular.clippedCholesky(state.gram, m: sites, into: state.factor)
    GaussianRows.fill(state.stream, rows: settings.width, lower: state.factor, sites, &stream)
  }

  /// Gram matrix over sites. Rows of a file are cut into P equal runs of features; given correlations hold at every
  /// position, and positions are orthogonal.
  static func siteGram(_ inputs: Inputs, positions: Int, cut: Bool) -> [Double] {
    let m = inputs.count
    let sites = positions * m
    let gram = inputs.gram
    let run = inputs.features / positions
    return (0..<sites * sites).map { index in
      let (s, t) = (index / sites, index % sites)
      let (p, a, q, b) = (s / m, s % m, t / m, t % m)
      guard cut else { return p == q ? gram[a * m + b] : 0 }
      return (0..<run).reduce(0) {
        $0 + inputs.rows[a * inputs.features + p * run + $1] * inputs.rows[b * inputs.features + q * run + $1]
      } * Double(positions)
    }
  }

  public func advance(_ state: State, _ stream: inout Stream, layer: Int, measure: Bool) {
    let n = settings.width
    let m = settings.count
    let half = kernel / 2
    let scale = strength.lambda(layer) * (gain / Double(kernel * n)).squareRoot()
    let branch = state.branch
    state.sum.reset()
    var done = 0
    while done < n {
      let count = weights ? n : min(GaussianRows.tile(sites), n &- done)
      branch.take(state.stream, columns: sites, from: done, count: count)
      for s in 0..<sites {
        activation.apply(branch[s], count)
        for i in count..<Triangular.padded(count) { branch[s][i] = 0 }
      }
      if !weights { state.sum.add(branch.data, stride: branch.stride, count: count) }
      done &+= count
    }
    if let next = state.next {
      // One matrix an offset; its image of position p + o is added to position p.
      for s in 0..<sites { for i in 0..<n { state.stream[s][i] *= strength.alpha } }
      for offset in -half...half {
        Weights.multiply(&stream, branch, fanIn: n, to: next, fanOut: n, columns: sites, scale: scale)
        for p in 0..<positions {
          let from = (p + offset + positions * kernel) % positions
          for a in 0..<m {
            for i in 0..<n { state.stream[p * m + a][i] += next[from * m + a][i] }
          }
        }
      }
    } else {
      patchFactor(state, scale: scale)
      done = 0
      while done < n {
        let count = min(GaussianRows.tile(sites), n &- done)
        GaussianRows.add(
          state.factor, sites, stream.normals(sites &* count), count, keep: strength.alpha,
          to: state.stream.data + done,
          stride: state.stream.stride)
        done &+= count
      }
    }
    if measure { covariance(state, layer: layer) }
  }

  /// The factor of `scale^2 sum_o K[s + o, t + o]`, K the Gram matrix of the post-activations.
  private func patchFactor(_ state: State, scale: Double) {
    let m = settings.count
    state.sum.write(lower: state.factor, scale: scale)
    for s in 0..<sites {
      for t in 0...s {
        var dot = 0.0
        for k in 0...t { dot += state.factor[s &* sites &+ k] * state.factor[t &* sites &+ k] }
        state.gram[s &* sites &+ t] = dot
        state.gram[t &* sites &+ s] = dot
      }
    }
    let half = kernel / 2
    for s in 0..<sites {
      for t in 0...s {
        var value = 0.0
        for offset in -half...half {
          let from = (s / m + offset + positions * kernel) % positions * m + s % m
          let to = (t / m + offset + positions * kernel) % positions * m + t % m
          value += state.gram[from &* sites &+ to]
        }
        state.patch[s &* sites &+ t] = value
        state.patch[t &* sites &+ s] = value
      }
    }
    Triangular.clippedCholesky(state.patch, m: sites, into: state.factor)
  }

  private func covariance(_ state: State, layer: Int) {
    let m = settings.count
    let n = settings.width
    let tile = weights ? n : GaussianRows.tile(sites)
    state.total.reset()
    for p in 0..<positions {
      var done = 0
      while done < n {
        let count = min(tile, n &- done)
        state.branch.take(state.stream, columns: m, from: done, count: count, first: p * m)
        state.total.add(state.branch.data, stride: state.branch.stride, count: count)
        done &+= count
      }
    }
    state.take(state.total, scale: 1 / Double(n * positions).squareRoot(), layers: layer + 1)
  }
}

extension ConvolutionalResNet {
  static let entry = ArchitectureEntry(
    name: "conv-resnet",
    summary: "one-dimensional convolutional residual network with circular padding",
    equation:
      "z_{l+1}[p] = alpha z_l[p] + lambda_l sqrt(c/(k n)) sum_o W_{l,o} phi(z_l[p + o]); V_l = mean over p of z_l[p]^T z_l[p] / n",
    reference: "arXiv:1810.05148 (infinite width); finite width: docs/architectures.md",
    samplers: [("conditional", "the exact reduced law over positions x inputs"), ("weights", "every weight drawn")],
    parameters: [.activation] + ResidualStrength.parameters + [
      Parameter("c", .real(.above(0)), optional: true, "gain c of the branch; 1 / E phi(g)^2 unless given"),
      Parameter("positions", .integer(1...64), default: .integer(8), "P; positions x inputs is at most 64"),
      Parameter("kernel", .integer(1...63), default: .integer(3), "k, odd, at most the number of positions"),
    ]
  ) { p, settings in
    guard settings.inputs.layer == 0 else { throw p.invalid("inputs", "must enter at layer 0: not q with layer") }
    let positions = p.integer("positions")
    let kernel = p.integer("kernel")
    guard positions * settings.count <= 64 else {
      throw p.invalid("positions", "positions x inputs must be at most 64, so at most \(64 / settings.count)")
    }
    guard kernel % 2 == 1, kernel <= positions else {
      throw p.invalid("kernel", "must be odd and at most the number of positions, \(positions)")
    }
    let fromFile = p["inputs"]?["file"] != nil
    guard !fromFile || settings.inputs.features % positions == 0 else {
      throw p.invalid("positions", "must divide the \(settings.inputs.features) features of an input")
    }
    let choice = try ActivationChoice(p["activation"]!, path: "\(p.path).activation", width: settings.width)
    let gain = try choice.gain(p)
    let strength = try ResidualStrength(p, depth: settings.depth)
    return NetworkModel(
      ConvolutionalResNet(
        settings: settings, activation: choice.function, strength: strength, gain: gain, positions: positions,
        kernel: kernel, weights: p.text("sampler") == "weights",
        siteGram: siteGram(settings.inputs, positions: positions, cut: fromFile)),
      parameters: p, activation: choice, attributes: strength.attributes.merging(["c": gain.description]) { $1 })
  }
}
