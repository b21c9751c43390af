import Experiments
import Kernels
import Randomness

/// A network of which passes are made, for the probes of `Probe.ofPasses`: its type says what it is, its `draws` how it is drawn.
public protocol PassArchitecture: Architecture where State == Passes {
  var draws: PassDraws { get }
}

extension PassArchitecture {
  package var passes: PassSettings { draws.passes }
  public var settings: NetworkSettings { draws.passes.network }
  public var ownObservables: [Observable] { draws.probes.flatMap(\.observables) }

  public func makeState() -> Passes { makeState(draws.makeMatrices()) }

  package func makeState(_ matrices: [any WeightMatrix]) -> Passes {
    Passes(passes, draws.needs, matrices: matrices, probes: draws.probes)
  }

  public func start(_ state: Passes, _ stream: inout Stream) {
    stream.prepare(draws.ahead)
    // The residual stream at the inputs.
    if passes.residual != nil { state.forward(1, &stream) }
  }

  public func advance(_ state: Passes, _ stream: inout Stream, layer: Int, measure: Bool) {
    state.forward(layer &+ passes.depth &- settings.depth, &stream)
    guard layer == settings.depth else { return }
    state.covariance(passes.depth)
    state.finish(&stream)
    state.measure(&stream, draws.counts)
  }

  public func writeOwn(_ state: Passes, to values: UnsafeMutablePointer<Double>) {
    values.update(from: state.measured, count: draws.total)
  }

  /// What is measured of the tangent kernel; nil if nothing is.
  package var measuredKernel: TangentKernelObservables? {
    draws.probes.contains { $0 is TangentKernelPass }
      ? TangentKernelObservables(settings, groups: passes.groups) : nil
  }
}

/// How passes are drawn, and what is measured of them.
///
/// Each weight matrix is known by its answers only (`LazyMatrix`), so a pass costs O(n r) a layer after r of them, with the law of drawing every
/// weight, which `explicit` draws do.
public struct PassDraws: Sendable {
  /// Numbers that a draw may hold at once: 2 GiB.
  private static let most = 0x1p28

  package let passes: PassSettings
  let explicit: Bool
  let probes: [any PassProbe]
  let needs: PassNeeds
  let counts: [Int]
  let total: Int
  /// Normals of a draw that are asked for layer by layer, as far as they can be made at once.
  let ahead: Int

  /// - Parameters:
  ///   - p: the whole table; `asked`: the probes of passes that it names.
  /// - Throws: `Failure` naming the key.
  init(_ passes: PassSettings, _ asked: [Probe], _ p: Parameters) throws {
    self.passes = passes
    explicit = p.text("sampler") == "weights"
    probes = try asked.map { try $0.passes!.init(p, passes) }
    needs = probes.map(\.needs).reduce(PassNeeds(), +)
    counts = probes.map(\.observables.count)
    total = counts.reduce(0, +)
    let (m, d, k) = (passes.network.count, passes.depth, passes.outputs)
    let answers = d * (m + needs.forward) + (needs.gradients ? (d - 1) * m * k : 0)
    ahead = explicit ? 0 : min(Stream.capacity, passes.network.width * (answers + k))
    let names = asked.map(\.name).joined(separator: ", ")
    if needs.gradients, let missing = passes.activation.missingDerivative {
      throw p.invalid("activation", "needs a derivative for the probes \(names): \(missing)")
    }
    if needs.curvature, let missing = passes.activation.missingCurvature {
      throw p.invalid("activation", "needs a second derivative for the probes \(names): \(missing)")
    }
    guard numbers <= Self.most else {
      throw p.invalid(
        "width",
        "must be such that a draw keeps at most \(Int(Self.most)) numbers; \(Int(numbers)) with this depth and these probes"
      )
    }
  }

  /// Numbers that a draw keeps.
  private var numbers: Double {
    let (m, n, d) = (Double(passes.network.count), Double(passes.network.width), Double(passes.depth))
    let asked = Double(needs.forward + needs.backward) + m + (needs.gradients ? m * Double(passes.outputs) : 0)
    let ofMatrix = explicit ? n : 2 * min(asked, n)
    // The first matrix has n0 columns.
    let first = max(0, Double(passes.features) - n) * (explicit ? n : asked)
    return d * n * (4 * m + m * Double(passes.outputs) + ofMatrix) + first + needs.numbers
  }

  func makeMatrices() -> [any WeightMatrix] {
    let (m, n) = (passes.network.count, passes.network.width)
    return (1...passes.depth).map { layer -> any WeightMatrix in
      let (law, columns) = layer == 1 ? (passes.firstLaw, passes.features) : (passes.law, n)
      if explicit { return ExplicitMatrix(law, rows: n, columns: columns) }
      return LazyMatrix(
        law, rows: n, columns: columns, forward: m + needs.forward,
        backward: (needs.gradients ? m * passes.outputs : 0) + needs.backward)
    }
  }

  // MARK: - Reading

  static let samplers: [(name: String, summary: String)] = [
    ("conditional", "the exact reduced law of every pass, O(n r) a layer after r passes"),
    ("weights", "every weight drawn and kept, O(n^2) a pass and layer, O(n^3) if orthogonal"),
  ]

  static let outputs = Parameter(
    "outputs", .integer(1...1024), default: .integer(1), "number of outputs f_o")
  static let features = Parameter(
    "input_dimension", .integer(1...1_000_000), optional: true,
    "n0, components of an input in Jacobians; those of a file's rows, or the width, unless given")

  /// Throws where passes cannot be made.
  static func check(_ p: Parameters, _ settings: NetworkSettings) throws {
    guard settings.inputs.layer == 0 else {
      throw p.invalid("inputs", "must enter at layer 0: passes need every layer")
    }
    guard settings.layers == [settings.depth] else {
      throw p.invalid("layers", "must be \"last\": passes are those of the whole network")
    }
    guard p["bound"] == nil else { throw p.invalid("bound", "cannot be given: passes need every layer") }
  }

  /// n0.
  /// - Parameter law: that of the first matrix; `words`: where it is orthogonal.
  static func dimension(
    _ p: Parameters, _ settings: NetworkSettings, _ law: WeightLaw, _ words: String = "for orthogonal weights"
  ) throws -> Int {
    let least = settings.inputs.features
    if law == .orthogonal {
      guard least <= settings.width else {
        throw p.invalid("width", "must be at least the number of components of an input, \(least), \(words)")
      }
      guard p["input_dimension"] == nil || p.integer("input_dimension") == settings.width else {
        throw p.invalid("input_dimension", "is the width, \(settings.width), \(words)")
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
