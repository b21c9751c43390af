import Experiments
import Kernels
import Randomness

/// Multilayer perceptron of which any derivative can be asked: each weight matrix is known by its answers only (`LazyMatrix`), so a pass
/// costs O(n r) a layer after r of them, with the law of drawing every weight.
///
///     z_1 = W_1 x,   z_{l+1} = sqrt(c/n) W_{l+1} phi(z_l) + sigma_b b_{l+1},   f_o = sqrt(c/n) v_o . phi(z_d) + sigma_b b_o
///
/// With a random variance v (`ScaleMixture`) f, or every layer, is multiplied by sqrt(v). W_1 is n x n0, the others n x n; entries have variance 1, or W is sqrt(n) times uniform on O(n). What is measured are the probes of `Probe.ofPasses`.
public struct PassMLP: Architecture {
  package let passes: PassSettings
  let explicit: Bool
  let probes: [any PassProbe]
  private let needs: PassNeeds
  private let counts: [Int]
  private let total: Int
  /// Normals of a draw that are asked for layer by layer, as far as they can be made at once.
  private let ahead: Int

  public var settings: NetworkSettings { passes.network }
  public var ownObservables: [Observable] { probes.flatMap(\.observables) }

  package init(_ passes: PassSettings, explicit: Bool, probes: [any PassProbe]) {
    self.passes = passes
    self.explicit = explicit
    self.probes = probes
    needs = probes.map(\.needs).reduce(PassNeeds(), +)
    counts = probes.map(\.observables.count)
    total = counts.reduce(0, +)
    let (m, d, k) = (passes.network.count, passes.network.depth, passes.outputs)
    let answers = d * (m + needs.forward) + (needs.gradients ? (d - 1) * m * k : 0)
    ahead = explicit ? 0 : min(Stream.capacity, passes.network.width * (answers + k))
  }

  /// Whether the derivative of the activation, or the second one, is needed.
  var derivatives: (first: Bool, second: Bool) { (needs.gradients, needs.curvature) }

  /// What is measured of the tangent kernel; nil if nothing is.
  package var measuredKernel: TangentKernelObservables? {
    probes.contains { $0 is TangentKernelPass } ? TangentKernelObservables(settings) : nil
  }

  /// y of the probe `descent`; nil if it is not measured.
  package var targets: [Double]? { probes.compactMap { ($0 as? DescentPass)?.targets }.first }

  /// Numbers that a draw keeps.
  var numbers: Double {
    let (m, n, d) = (Double(settings.count), Double(settings.width), Double(settings.depth))
    let asked = Double(needs.forward + needs.backward) + m + (needs.gradients ? m * Double(passes.outputs) : 0)
    let ofMatrix = explicit ? n : 2 * min(asked, n)
    // The first matrix has n0 columns.
    let first = max(0, Double(passes.features) - n) * (explicit ? n : asked)
    return d * n * (4 * m + m * Double(passes.outputs) + ofMatrix) + first + needs.numbers
  }

  public func makeState() -> Passes {
    let m = settings.count
    return makeState(
      (1...settings.depth).map { layer -> any WeightMatrix in
        let columns = layer == 1 ? passes.features : settings.width
        if explicit { return ExplicitMatrix(passes.law, rows: settings.width, columns: columns) }
        return LazyMatrix(
          passes.law, rows: settings.width, columns: columns, forward: m + needs.forward,
          backward: (needs.gradients ? m * passes.outputs : 0) + needs.backward)
      })
  }

  package func makeState(_ matrices: [any WeightMatrix]) -> Passes {
    Passes(passes, needs, matrices: matrices, probes: probes)
  }

  public func start(_ state: Passes, _ stream: inout Stream) { stream.prepare(ahead) }

  public func advance(_ state: Passes, _ stream: inout Stream, layer: Int, measure: Bool) {
    state.forward(layer, &stream)
    guard layer == settings.depth else { return }
    state.covariance(layer)
    state.finish(&stream)
    state.measure(&stream, counts)
  }

  public func writeOwn(_ state: Passes, to values: UnsafeMutablePointer<Double>) {
    values.update(from: state.measured, count: total)
  }
}

extension PassMLP {
  /// Numbers that a draw may hold at once: 2 GiB.
  private static let most = 0x1p28

  static let ensemble = Parameter(
    "ensemble", .choice(WeightLaw.allCases.map(\.rawValue)), default: .text(WeightLaw.gaussian.rawValue),
    "with probes of passes: law of the weights; independent normals, sqrt(n) times uniform on O(n), or independent uniform or signs of variance 1 (these with sampler = \"weights\")"
  )

  private static let readout = Parameter(
    "readout", .choice(WeightLaw.allCases.map(\.rawValue)), optional: true,
    "law of the weights of the outputs; that of the others unless given")
  private static let outputs = Parameter(
    "outputs", .integer(1...1024), default: .integer(1), "number of outputs f_o")
  private static let features = Parameter(
    "input_dimension", .integer(1...1_000_000), optional: true,
    "n0, components of an input in Jacobians; those of a file's rows, or the width, unless given")

  private static let exponent = Parameter(
    "s", .real(.init(0, 1)), optional: true,
    "s of f = n^(-s/2) f_0 and learning rates times n^s: 0 of the NTK parametrisation, 1 of the mean-field one; 0 unless given"
  )

  /// Draws that make passes, for the probes of `Probe.ofPasses`.
  /// - Parameter ensemble: law of the weights and sigma_b that a table asks for.
  static func draws(
    parameters: [Parameter] = [], law: @escaping @Sendable (Parameters) -> (weights: WeightLaw, bias: Double?)
  ) -> NetworkDraws {
    NetworkDraws(
      probes: [.covariance] + Probe.ofPasses,
      samplers: [
        ("conditional", "the exact reduced law of every pass, O(n r) a layer after r passes"),
        ("weights", "every weight drawn and kept, O(n^2) a pass and layer, O(n^3) if orthogonal"),
      ],
      parameters: parameters + [readout, outputs, features, ScaleMixture.parameter, exponent]
        + LearningMetric.parameters
        + Probe.ofPasses.flatMap(\.parameters)
    ) { p, settings in
      let (weights, bias) = law(p)
      return try model(p, settings, law: weights, bias: bias)
    }
  }

  private static func model(
    _ p: Parameters, _ settings: NetworkSettings, law: WeightLaw, bias: Double?
  ) throws -> NetworkModel {
    let choice = try ActivationChoice(p["activation"]!, path: "\(p.path).activation", width: settings.width)
    let (gain, bias, attributes) = try choice.initialisation(p, bias: bias)
    let explicit = p.text("sampler") == "weights"
    guard settings.inputs.layer == 0 else {
      throw p.invalid("inputs", "must enter at layer 0: passes need every layer")
    }
    guard settings.layers == [settings.depth] else {
      throw p.invalid("layers", "must be \"last\": passes are those of the whole network")
    }
    guard p["bound"] == nil else { throw p.invalid("bound", "cannot be given: passes need every layer") }
    var mixture = try ScaleMixture.read(p)
    let asked = Probe.asked(p)
    if mixture != nil, let other = asked.first(where: { $0 != .output }) {
      throw p.invalid(ScaleMixture.key, "is known to the probe \(Probe.output.name) only: leave out \(other.name)")
    }
    try mixture?.check(p, settings, choice.function)
    let exponent = p["s"] != nil ? p.real("s") : 0
    if exponent != 0 {
      guard mixture == nil else { throw p.invalid("s", "cannot be given with \(ScaleMixture.key)") }
      if asked.contains(.jacobian) {
        throw p.invalid("s", "is not known to the probe \(Probe.jacobian.name): leave it out")
      }
      mixture = ScaleMixture(.fixed(Elementary.exp(-exponent * Elementary.log(Double(settings.width)))))
    }
    guard explicit || law.isInvariant else {
      throw p.invalid("ensemble", "\(law.rawValue) needs sampler = \"weights\": their law depends on every entry")
    }
    let network = try PassSettings(
      network: settings, activation: choice.function, gain: gain, bias: bias, law: law,
      readout: p["readout"] != nil ? WeightLaw(rawValue: p.text("readout"))! : law, outputs: p.integer("outputs"),
      features: dimension(p, settings, law), metric: LearningMetric(p, settings, bias: bias), mixture: mixture,
      exponent: exponent)
    guard network.readout != .orthogonal || network.outputs <= settings.width else {
      throw p.invalid("outputs", "must be at most the width, \(settings.width), for orthogonal weights")
    }
    let mlp = PassMLP(network, explicit: explicit, probes: try asked.map { try $0.passes!.init(p, network) })
    let names = asked.map(\.name).joined(separator: ", ")
    if mlp.derivatives.first, let missing = choice.function.missingDerivative {
      throw p.invalid("activation", "needs a derivative for the probes \(names): \(missing)")
    }
    if mlp.derivatives.second, let missing = choice.function.missingCurvature {
      throw p.invalid("activation", "needs a second derivative for the probes \(names): \(missing)")
    }
    guard mlp.numbers <= most else {
      throw p.invalid(
        "width",
        "must be such that a draw keeps at most \(Int(most)) numbers; \(Int(mlp.numbers)) with this depth and these probes"
      )
    }
    return NetworkModel(
      mlp, parameters: p, activation: choice, known: mlp.known(), attributes: attributes)
  }

  /// What is exact at this width: with slopes.
  private func known() -> ReferenceValues? {
    guard let exact = ExactDerivatives(passes, perceptron), let slopes = passes.activation as? SlopeActivation else {
      return nil
    }
    let covariance =
      passes.bias == 0 && passes.law == .gaussian ? ExactMoments.mlp(settings, slopes: slopes, gain: passes.gain) : nil
    return ReferenceValues(settings, own: ownObservables) { _ in
      var values = (0..<settings.count).reduce(into: [String: (Double, Double)]()) { all, a in
        all.merge(exact.values(a)) { $1 }
      }
      for (name, own) in covariance?.moments(record: 0) ?? [:] { values[name] = (own.mean, own.second) }
      return values
    }
  }

  private static func dimension(_ p: Parameters, _ settings: NetworkSettings, _ law: WeightLaw) throws -> Int {
    let least = settings.inputs.features
    if law == .orthogonal {
      guard least <= settings.width else {
        throw p.invalid(
          "width", "must be at least the number of components of an input, \(least), for orthogonal weights")
      }
      guard p["input_dimension"] == nil || p.integer("input_dimension") == settings.width else {
        throw p.invalid("input_dimension", "is the width, \(settings.width), for orthogonal weights")
      }
      return settings.width
    }
    guard p["input_dimension"] != nil else {
      return p["inputs"]?["file"] != nil ? least : max(least, settings.width)
    }
    guard p.integer("input_dimension") >= least else {
      throw p.invalid("input_dimension", "must be at least \(least), the number of components that the inputs have")
    }
    return p.integer("input_dimension")
  }
}
