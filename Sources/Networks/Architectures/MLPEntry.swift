import Kernels
import Simulation

/// The catalog line of the MLP: its keys, their ranges, and what is known of it exactly.
enum MLPEntry {
  static let entry = ArchitectureEntry(
    name: "mlp",
    summary: "multilayer perceptron at initialisation",
    equation: "z_{l+1} = sqrt(c/n) W_l phi(z_l) + sigma_b b_l; V_l = (c/n) phi(z_l)^T phi(z_l) + sigma_b^2",
    reference: "arXiv:2206.02768, eq. 1.1",
    parameters: parameters,
    make: make)

  static let parameters: [Parameter] = [
    Parameter("architecture", .choice(["mlp"]), "architecture"),
    Parameter(
      "activation", .structured("a name, or a table with a name and its parameters"), "activation function phi"),
    Parameter("width", .integer(1...1_000_000_000), "n, units of every hidden layer"),
    Parameter("depth", .integer(1...1_000_000_000), "d, number of hidden layers"),
    Parameter("inputs", .structured(Inputs.words), "the inputs"),
    Parameter("c", .real(.above(0)), optional: true, "gain c; 1 / E phi(g)^2 unless given"),
    Parameter(
      "bias", .real(.init(0, .infinity, openAbove: true)), standard: .real(0),
      "sigma_b, standard deviation of the biases"),
    Parameter(
      "sampler", .choice(NetworkSampler.allCases.map(\.rawValue)), standard: .text("conditional"),
      "conditional: the exact reduced law; weights: every weight drawn; chi-square: one input, homogeneous activation, no bias"
    ),
    Parameter(
      "layers", .structured("\"last\", \"all\" or an ascending array of layers in 1...depth"), standard: .text("last"),
      "layers that are measured"),
    Parameter(
      "observables",
      .structured("an array of " + CovarianceObservables.Family.allCases.map(\.rawValue).joined(separator: ", ")),
      standard: .list(["V", "log_V", "rho", "atanh_rho"].map { .text($0) }), "what is measured"),
    Parameter("draws", .integer(2...Int64.max), "independent networks"),
  ]

  static func make(
    table: JobValue, path: String, load: (Inputs.FileRequest) throws -> [[Double]]
  ) throws -> NetworkModel {
    let p = try Parameters(table, path: path, allowed: parameters)
    let width = p.integer("width")
    let depth = p.integer("depth")
    let activation = try ActivationEntry.read(p["activation"]!, path: "\(path).activation", width: width)
    let inputs = try Inputs.read(p["inputs"], path: "\(path).inputs", load: load)
    let moment = activation.choice.secondMoment
    guard p["c"] != nil || (moment > 0 && moment.isFinite) else {
      throw p.invalid("activation", "E phi(g)^2 is \(moment): give c")
    }
    let gain = p["c"] != nil ? p.real("c") : 1 / moment
    let sampler = NetworkSampler(rawValue: p.text("sampler"))!
    let bias = p.real("bias")
    if sampler == .chiSquare {
      guard case .slopes = activation.choice, inputs.count == 1, bias == 0 else {
        throw p.invalid(
          "sampler",
          "chi-square needs one input, an activation with slopes (linear, relu, leaky-relu, shaped-relu) and bias = 0")
      }
    }
    let measured = CovarianceObservables(
      inputs: inputs.count, families: try readFamilies(p, inputs: inputs.count))
    let shape = MLPShape(
      width: width, depth: depth, inputs: inputs, gain: gain, bias: bias,
      layers: try readLayers(p, depth: depth), measured: measured, sampler: sampler)
    return NetworkModel(
      experiment: activation.choice.accept(Maker(shape: shape)),
      known: known(shape, activation.choice),
      attributes: [
        "architecture": "mlp", "equation": entry.equation, "reference": entry.reference,
        "activation": activation.name, "sampler": sampler.rawValue, "width": String(width),
        "depth": String(depth), "c": gain.description, "V_0": inputs.gram.description,
      ],
      resolved: p.resolved,
      description: NetworkDescription(
        architecture: "mlp", activationName: activation.name, activationParameters: activation.parameters,
        activation: activation.choice, standardGain: p["c"] == nil, shape: shape))
  }

  struct Maker: ActivationVisitor {
    let shape: MLPShape
    func visit<A: Activation>(_ activation: A) -> AnyExperiment {
      AnyExperiment(MLP(shape: shape, activation: activation))
    }
  }

  private static func readLayers(_ p: Parameters, depth: Int) throws -> [Int] {
    let wrong = p.invalid("layers", "must be \"last\", \"all\" or an ascending array of layers in [1, \(depth)]")
    switch p["layers"] {
    case .text("last"): return [depth]
    case .text("all"): return Array(1...depth)
    case .list(let items):
      let layers = try items.map { item -> Int in
        guard case .integer(let layer) = item, (1...Int64(depth)).contains(layer) else { throw wrong }
        return Int(layer)
      }
      guard !layers.isEmpty, zip(layers, layers.dropFirst()).allSatisfy(<) else { throw wrong }
      return layers
    default: throw wrong
    }
  }

  private static func readFamilies(_ p: Parameters, inputs: Int) throws -> [CovarianceObservables.Family] {
    let names = CovarianceObservables.Family.allCases.map(\.rawValue)
    let wrong = p.invalid("observables", "must be an array of different names of " + names.joined(separator: ", "))
    guard case .list(let items)? = p["observables"] else { throw wrong }
    let families = try items.map { item -> CovarianceObservables.Family in
      guard case .text(let name) = item, let family = CovarianceObservables.Family(rawValue: name) else { throw wrong }
      return family
    }
    guard !families.isEmpty, Set(families).count == families.count else { throw wrong }
    // One input has no pairs.
    let useful = inputs > 1 ? families : families.filter { $0 == .covariance || $0 == .logNorm }
    guard !useful.isEmpty else { throw p.invalid("observables", "must hold V or log_V for a single input") }
    return useful
  }

  /// Exact moments at this width (theory A5): `E V_aa` and `E V_aa^2` for positively homogeneous
  /// activations without bias, and of every entry for linear ones.
  static func known(_ shape: MLPShape, _ activation: ActivationChoice) -> KnownValues? {
    guard case .slopes(let slopes) = activation, shape.bias == 0 else { return nil }
    let linear = slopes.plus == slopes.minus
    let n = Double(shape.width)
    let (p2, m2) = (slopes.plus * slopes.plus, slopes.minus * slopes.minus)
    let mean = shape.gain * 0.5 * (p2 + m2)
    let square = shape.gain * shape.gain * 1.5 * (p2 * p2 + m2 * m2)
    // E ratio^2 for one layer and one input.
    let ratio = mean * mean + (square - mean * mean) / n
    let m = shape.inputs.count
    let observables = shape.measured.observables
    let v0 = shape.inputs.gram
    var means: [Double] = []
    var seconds: [Double] = []
    for layer in shape.layers {
      var values: [String: (Double, Double)] = [:]
      let growth = power(mean, layer)
      for a in 0..<m {
        for b in a..<m {
          let (first, second): (Double, Double)
          if a == b {
            first = growth * v0[a * m + a]
            second = v0[a * m + a] * v0[a * m + a] * power(ratio, layer)
          } else if linear {
            // x = E V_ab^2 and y = E V_aa V_bb: x' = x + (x + y)/n, y' = y + 2x/n.
            var x = v0[a * m + b] * v0[a * m + b]
            var y = v0[a * m + a] * v0[b * m + b]
            for _ in 0..<layer { (x, y) = (mean * mean * (x + (x + y) / n), mean * mean * (y + 2 * x / n)) }
            first = growth * v0[a * m + b]
            second = x
          } else {
            continue
          }
          values["V[\(a),\(b)]"] = (first, second)
        }
      }
      for observable in observables {
        let value = values[observable.name] ?? (.nan, .nan)
        means.append(value.0)
        seconds.append(value.1)
      }
    }
    guard means.contains(where: { !$0.isNaN }) else { return nil }
    return KnownValues(observables: observables, layers: shape.layers, means: means, secondMoments: seconds)
  }

  /// `x^k` by squaring; no libm.
  static func power(_ x: Double, _ k: Int) -> Double {
    var (base, result, left) = (x, 1.0, k)
    while left > 0 {
      if left & 1 == 1 { result *= base }
      base *= base
      left >>= 1
    }
    return result
  }
}
