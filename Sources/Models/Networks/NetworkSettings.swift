import Kernels
import Experiments

/// What all architectures share: size, inputs, and what is measured where.
public struct NetworkSettings: Sendable {
  public let width, depth: Int
  public let inputs: Inputs
  /// L_0, m x m lower triangular, with `L_0 L_0^T = V_0`.
  public let initialFactor: [Double]
  /// Layers that are measured, ascending, in `inputs.layer + 1 ... depth`.
  public let layers: [Int]
  public let measured: CovarianceObservables
  /// What is measured of the probe `gram`.
  public let moments: GramObservables
  /// Names of the observables that the job asks for besides those of the covariance and of its moments.
  public let own: [String]

  /// Most layers that one job measures; each has a tally of its own.
  static let mostLayers = 10_000

  public var count: Int { inputs.count }

  /// The keys that every architecture takes.
  /// - Parameters:
  ///   - probes: those that are asked for, of the available ones.
  ///   - own: observables of the architecture itself.
  static func parameters(
    _ architecture: String, samplers: [(name: String, summary: String)], probes: [Probe], available: [Probe],
    own: [String]
  ) -> [Parameter] {
    [
      Parameter("architecture", .choice([architecture]), "architecture"),
      Parameter(
        "width", .integer(1...1_000_000_000),
        small: .init(.inverse, "n", companions: ["inputs", "draws"], ratios: ["depth"]), "n, units of every layer"),
      Parameter("depth", .integer(1...1_000_000_000), "d, number of layers"),
      Parameter("inputs", .structured(Inputs.words), "the inputs"),
      Parameter(
        "sampler", .choice(samplers.map(\.name)), default: .text(samplers[0].name),
        samplers.map { "\($0.name): \($0.summary)" }.joined(separator: "; ")),
      Parameter(
        "layers",
        .structured(
          "\"last\", \"all\", \"octaves\" or an ascending array of at most \(mostLayers) layers in 1...depth"),
        default: .text("last"),
        "layers that are measured; octaves: every layer to 8, then eight an octave, and the last"),
      Parameter(
        "probes", .structured("an array of " + available.map(\.name).joined(separator: ", ")),
        default: .list([.text(Probe.covariance.name)]),
        "quantities that can be measured; " + available.map { "\($0.name): \($0.summary)" }.joined(separator: "; ")),
      Parameter(
        "observables",
        .structured("an array of " + words(probes, available, own) + "; and { name = …, formula = … } of these"),
        default: .list(probes.flatMap(\.defaults).map { .text($0) }), "what is measured"),
      Parameter("clip", .real(.above(0)), default: .real(5), "ceiling of clipped_V"),
      Parameter("level", .real(.above(0)), default: .real(3), "threshold of `above`"),
      Parameter(
        "bound", .real(.above(0)), optional: true,
        "a draw stops where some V_aa reaches it, with V scaled back to it; none unless given"),
      Parameter("draws", .integer(2...Int64.max), "independent networks"),
    ]
  }

  /// The observables of the probes that are asked for, and those that others would add.
  private static func words(_ probes: [Probe], _ available: [Probe], _ own: [String]) -> String {
    let names = (probes.flatMap(\.observables) + own).joined(separator: ", ")
    return available.filter { !probes.contains($0) }.reduce(names) {
      $0 + "; with the probe \($1.name) also \($1.observables.joined(separator: ", "))"
    }
  }

  /// Reads the shared keys; the parameters are those of `parameters`.
  init(
    _ p: Parameters, probes: [Probe], available: [Probe], own: [String],
    data: any DataSource
  ) throws {
    width = p.integer("width")
    depth = p.integer("depth")
    inputs = try Inputs.read(p["inputs"], path: "\(p.path).inputs", data: data)
    // A Gram matrix of vectors is positive semi-definite up to rounding; a loose tolerance takes that in, and where it does not the vectors
    // themselves are orthogonalised.
    initialFactor =
      inputs.exactFactor ?? Triangular.cholesky(inputs.gram, m: inputs.count, tolerance: 1e-9)
      ?? inputs.orthogonalisedFactor
    layers = try Self.readLayers(
      p, after: inputs.layer, depth: depth, onlyLast: probes.contains(where: \.isOfWholeNetwork))
    let names = try Self.readNames(
      p, allowed: probes.flatMap(\.observables) + own, words: Self.words(probes, available, own))
    let pairs: [CovarianceObservables.Family] = [
      .correlation, .atanhCorrelation, .logDistance, .q, .inverseRootQ, .collapsed,
    ]
    let m = inputs.count
    let families = names.compactMap { CovarianceObservables.Family(rawValue: $0) }
      .filter { m > 1 || !pairs.contains($0) }
    self.own = names.filter { !(Probe.covariance.observables + Probe.gram.observables).contains($0) }
    let moments = names.compactMap(GramObservables.Family.init(rawValue:)).filter { m > 1 || $0 != .squareProduct }
    guard !families.isEmpty || !self.own.isEmpty || !moments.isEmpty else {
      throw p.invalid("observables", "must hold V or log_V for a single input, which has no pairs")
    }
    let gram = inputs.gram
    self.moments = GramObservables(inputs: m, families: moments, level: p.real("level"))
    guard moments.isEmpty || p["bound"] == nil else {
      throw p.invalid("bound", "cannot be given with the probe \(Probe.gram.name): draws that stop have no next layer")
    }
    measured = CovarianceObservables(
      inputs: m, families: families, initialNorms: (0..<m).map { gram[$0 * m + $0] }, width: width,
      clip: p.real("clip"), level: p.real("level"), bound: p["bound"] != nil ? p.real("bound") : .infinity)
  }

  /// - Parameter onlyLast: whether what is measured belongs to the whole network: then `octaves` means the last layer.
  private static func readLayers(
    _ p: Parameters, after start: Int, depth: Int, onlyLast: Bool
  ) throws -> [Int] {
    guard start < depth else {
      throw p.invalid("depth", "must be above the layer \(start) at which the inputs enter")
    }
    let first = start + 1
    let wrong = p.invalid(
      "layers",
      "must be \"last\", \"all\", \"octaves\" or an ascending array of layers in [\(first), \(depth)]"
        + Nearest.hint(p["layers"], among: ["last", "all", "octaves"]))
    switch p["layers"] {
    case .text("last"): return [depth]
    case .text("all"):
      guard depth - first < mostLayers else {
        throw p.invalid("layers", "would be \(depth - start) layers; at most \(mostLayers) can be measured: list those")
      }
      return Array(first...depth)
    case .text("octaves"):
      var layers: [Int] = []
      var next = 1.0
      while Int(next) < depth && !onlyLast {
        if Int(next) >= first { layers.append(Int(next)) }
        next = max(next + 1, (next * 1.0905).rounded())
      }
      return layers + [depth]
    case .list(let items):
      let layers = try items.map { item -> Int in
        guard let layer = item.integer, (Int64(first)...Int64(depth)).contains(layer) else { throw wrong }
        return Int(layer)
      }
      guard (1...mostLayers).contains(layers.count), zip(layers, layers.dropFirst()).allSatisfy(<) else { throw wrong }
      return layers
    default: throw wrong
    }
  }

  private static func readNames(_ p: Parameters, allowed: [String], words: String) throws -> [String] {
    let wrong = p.invalid(
      "observables", "must be an array of different names of \(words)\(Nearest.hint(p["observables"], among: allowed))")
    guard case .list(let items)? = p["observables"], !items.isEmpty else { throw wrong }
    let names = try items.map { item -> String in
      guard case .text(let name) = item, allowed.contains(name) else { throw wrong }
      return name
    }
    guard Set(names).count == names.count else { throw wrong }
    return names
  }
}
