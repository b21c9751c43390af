import Kernels
import Randomness
import Experiments

/// Residual network at initialisation (arXiv:2106.04013, arXiv:2302.00453):
///
///     z_{l+1} = alpha z_l + lambda_l sqrt(c/n) W_l phi(s_l z_l),   z_0 = W_in x,
///
/// with s_l = 1 (vanilla) or fresh random signs, one a unit (Balanced). Measured: `V_l = z_l^T z_l / n`.
///
/// Given z_l the branch is Gaussian with the covariance of the post-activations, so n m normals a layer replace n^2
/// (docs/architectures.md).
public struct ResNet: Architecture {
  public let settings: NetworkSettings
  package let activation: any Activation
  package let strength: ResidualStrength
  package let gain: Double
  package let balanced: Bool
  package let embedding: Embedding
  let weights: Bool
  /// Distances at which the covariance of the energy fractions of two layers is measured.
  package let lags: [Int]

  public final class State: NetworkState {
    /// The residual stream.
    let stream: Columns
    /// Post-activations: one tile, or the whole layer (weights).
    let branch: Columns
    let sum: FactorSum
    let factor: UnsafeMutablePointer<Double>
    /// Active units, and energy fraction `2 |relu(s z)|^2 / |z|^2 - 1` of the last layers, for every input.
    let active: UnsafeMutablePointer<Double>
    let energy: UnsafeMutablePointer<Double>
    let history: Int
    var layer = 0

    init(_ network: ResNet) {
      let m = network.settings.count
      let n = network.settings.width
      stream = Columns(m, rows: n)
      branch = Columns(m, rows: network.weights ? n : GaussianRows.tile(m), apart: !network.weights)
      sum = FactorSum(m)
      history = (network.lags.max() ?? 0) + 1
      factor = .allocate(capacity: m * m)
      active = .allocate(capacity: m)
      energy = .allocate(capacity: m * history)
      super.init(inputs: m)
    }

    deinit {
      factor.deallocate()
      active.deallocate()
      energy.deallocate()
    }
  }

  public var hasGaussianReadout: Bool { true }

  public func makeState() -> State { State(self) }

  public func start(_ state: State, _ stream: inout Stream) {
    embedding.write(
      state.stream, rows: settings.width, lower: state.lower, settings.count, scratch: state.factor, &stream)
    state.layer = 0
  }

  public func advance(_ state: State, _ stream: inout Stream, layer: Int, measure: Bool) {
    let m = settings.count
    let n = settings.width
    let columns = state.stream
    let branch = state.branch
    let scale = strength.lambda(layer) * (gain / Double(n)).squareRoot()
    let counting = !settings.own.isEmpty
    state.layer = layer
    if counting { for a in 0..<m { clear(state, a) } }
    state.sum.reset()
    var done = 0
    while done < n {
      let count = weights ? n : min(GaussianRows.tile(m), n &- done)
      branch.take(columns, columns: m, from: done, count: count)
      if balanced { flipSigns(branch, count, &stream) }
      for a in 0..<m {
        if counting { tally(state, a, branch[a], count) }
        activation.apply(branch[a], count)
        // Activations may move the padding off zero.
        for i in count..<Triangular.padded(count) { branch[a][i] = 0 }
      }
      if !weights { state.sum.add(branch.data, stride: branch.stride, count: count) }
      done &+= count
    }
    if counting { finish(state) }
    if weights {
      Weights.multiply(
        &stream, branch, fanIn: n, to: columns, fanOut: n, columns: m, scale: scale, keep: strength.alpha)
    } else {
      // Equal inputs get equal branches.
      state.sum.clearDependent(layers: layer)
      state.sum.write(lower: state.factor, scale: scale)
      done = 0
      while done < n {
        let count = min(GaussianRows.tile(m), n &- done)
        GaussianRows.add(
          state.factor, m, stream.normals(m &* count), count, keep: strength.alpha, to: columns.data + done,
          stride: columns.stride)
        done &+= count
      }
    }
    if measure { covariance(state) }
  }

  /// A fresh random sign for every unit, the same for all inputs: 64 from a word.
  private func flipSigns(_ branch: Columns, _ count: Int, _ stream: inout Stream) {
    for start in Swift.stride(from: 0, to: count, by: 64) {
      let word = stream.word()
      for a in 0..<settings.count {
        let column = branch[a] + start
        for i in 0..<min(64, count &- start) {
          let sign = (word &>> UInt64(i)) &<< 63
          column[i] = Double(bitPattern: column[i].bitPattern ^ sign)
        }
      }
    }
  }

  /// The factor of `z^T z / n`, from a copy: the factorisation overwrites its columns.
  private func covariance(_ state: State) {
    let m = settings.count
    let n = settings.width
    let branch = state.branch
    let tile = weights ? n : GaussianRows.tile(m)
    state.sum.reset()
    var done = 0
    while done < n {
      let count = min(tile, n &- done)
      branch.take(state.stream, columns: m, from: done, count: count)
      state.sum.add(branch.data, stride: branch.stride, count: count)
      done &+= count
    }
    state.take(state.sum, scale: 1 / Double(n).squareRoot(), layers: state.layer + 1)
  }
}

// MARK: - Active units and energy fraction

extension ResNet {
  static let ownNames = ["active_fraction", "energy_fraction", "interlayer"]

  public var ownObservables: [Observable] {
    settings.own.flatMap { name -> [Observable] in
      (0..<settings.count).flatMap { a -> [Observable] in
        switch name {
        case "active_fraction":
          [Observable("active_fraction", [a], "fraction of units of input \(a) above 0 where they enter the layer")]
        case "energy_fraction":
          [Observable("energy_fraction", [a], "2 |relu(z)|^2 / |z|^2 of input \(a) where it enters the layer")]
        default:
          lags.map {
            Observable(
              "interlayer", [a, $0], "product of the energy fractions less one of input \(a), \($0) layers apart")
          }
        }
      }
    }
  }

  private func clear(_ state: State, _ a: Int) {
    state.active[a] = 0
    // Numerator here, squared norm in the next place of the ring: both are replaced by `finish`.
    state.energy[a * state.history + state.layer % state.history] = 0
    state.work[a] = 0
  }

  private func tally(_ state: State, _ a: Int, _ z: UnsafePointer<Double>, _ count: Int) {
    let (active, positive, all) = Triangular.positivePart(z, Triangular.padded(count))
    state.active[a] += active
    state.energy[a * state.history + state.layer % state.history] += positive
    state.work[a] += all
  }

  private func finish(_ state: State) {
    for a in 0..<settings.count {
      state.active[a] /= Double(settings.width)
      let place = a * state.history + state.layer % state.history
      state.energy[place] = 2 * state.energy[place] / state.work[a] - 1
    }
  }

  public func writeOwn(_ state: State, to values: UnsafeMutablePointer<Double>) {
    var out = values
    func energy(_ a: Int, _ layer: Int) -> Double { state.energy[a * state.history + layer % state.history] }
    for name in settings.own {
      for a in 0..<settings.count {
        switch name {
        case "active_fraction": out.pointee = state.active[a]
        case "energy_fraction": out.pointee = 1 + energy(a, state.layer)
        default:
          for lag in lags {
            out.pointee = energy(a, state.layer) * energy(a, state.layer - lag)
            out += 1
          }
          continue
        }
        out += 1
      }
    }
  }
}

extension ResNet {
  package static let entry = ArchitectureEntry(
    name: "resnet",
    summary: "residual network, vanilla or Balanced, with constant branches or such that are scaled with the depth",
    equation: "z_{l+1} = alpha z_l + lambda_l sqrt(c/n) W_l phi(s_l z_l); V_l = z_l^T z_l / n",
    reference: "arXiv:2106.04013, eq. 2 and section 4 (Balanced); arXiv:2302.00453 (1/sqrt(depth))",
    samplers: [("conditional", "the exact reduced law, O(n m^2) a layer"), ("weights", "every weight drawn")],
    parameters: [.activation] + ResidualStrength.parameters + [
      Parameter("c", .real(.above(0)), optional: true, "gain c of the branch; 1 / E phi(g)^2 unless given"),
      Parameter(
        "balanced", .boolean, default: .boolean(false), "a fresh random sign a unit and layer before the activation"),
      Embedding.parameter,
      Parameter(
        "lags", .structured("an array of different layer distances in [1, 1000]"), default: .list([.integer(1)]),
        "distances of the observable interlayer"),
    ],
    probes: [.covariance, .gram],
    own: ownNames, further: [PassResNet.networkDraws]
  ) { p, settings in
    let (resnet, choice) = try read(p, settings)
    return NetworkModel(
      resnet, parameters: p, activation: choice, known: resnet.known, attributes: resnet.attributes)
  }

  var attributes: [String: String] { strength.attributes.merging(["c": gain.description]) { $1 } }

  /// The network of a table, and its activation as the table gives it.
  static func read(_ p: Parameters, _ settings: NetworkSettings) throws -> (ResNet, ActivationChoice) {
    guard settings.inputs.layer == 0 else { throw p.invalid("inputs", "must enter at layer 0: not q with layer") }
    let choice = try ActivationChoice(p["activation"]!, path: "\(p.path).activation", width: settings.width)
    let gain = try choice.gain(p)
    let embedding = try Embedding.read(p, settings)
    let strength = try ResidualStrength(p, depth: settings.depth)
    let lags = settings.own.contains("interlayer") ? try readLags(p, settings) : []
    let resnet = ResNet(
      settings: settings, activation: choice.function, strength: strength, gain: gain,
      balanced: p.boolean("balanced"), embedding: embedding, weights: p.text("sampler") == "weights", lags: lags)
    return (resnet, choice)
  }

  private static func readLags(_ p: Parameters, _ settings: NetworkSettings) throws -> [Int] {
    let wrong = p.invalid(
      "lags",
      "must be an array of different layer distances in [1, \(min(1000, settings.layers[0] - 1))]: measured layers less one"
    )
    guard case .list(let items)? = p["lags"], !items.isEmpty else { throw wrong }
    let lags = try items.map { item -> Int in
      guard case .integer(let lag) = item, lag >= 1, lag <= 1000, lag < settings.layers[0] else { throw wrong }
      return Int(lag)
    }
    guard Set(lags).count == lags.count else { throw wrong }
    return lags
  }

  /// `E V_aa` at every width, for activations with slopes: `E |phi(z)|^2 = (s+^2 + s-^2)/2 |z|^2` where the signs of the units
  /// are independent of their sizes. With slopes of one size or with fresh signs that is so in every layer, else in the first
  /// only: a unit above 0 has made the noise of all units larger.
  private var known: ReferenceValues? {
    guard let slopes = activation as? SlopeActivation, settings.measured.bound == .infinity else { return nil }
    let m = settings.count
    let v0 = settings.inputs.gram
    let everywhere = balanced || slopes.plus.magnitude == slopes.minus.magnitude
    return ReferenceValues(settings) { layer in
      guard everywhere || layer == 1 else { return [:] }
      let growth = strength.product(to: layer, branch: gain * slopes.secondMoment)
      return Dictionary(
        uniqueKeysWithValues: (0..<m).map {
          ("V[\($0),\($0)]", (ExactMoments.product(growth, v0[$0 * m + $0]), Double.nan))
        })
    }
  }
}
