import Experiments
import Kernels
import Networks

/// A controlled network and its paths, as the table `[signature]` gives them.
package struct SignatureSettings: Sendable {
  /// N, M.
  package let width, steps: Int
  package let paths: [SignaturePath]
  package let activation: any Activation
  /// $\sigma_a$, $\sigma_A$, $\sigma_b$.
  package let start, weight, bias: Double
  package let isHomogeneous: Bool
  /// Whether every weight is drawn.
  let isExplicit: Bool
  /// Steps after which it is measured, ascending.
  package let records: [Int]

  /// d.
  var components: Int { paths[0].components }
  var isDrawnByCovariance: Bool { !isHomogeneous && !isExplicit }

  package var axis: Axis {
    Axis(
      name: "time", summary: "time t along the paths, from 0 to 1", values: records.map { Double($0) / Double(steps) })
  }

  package var observables: [Observable] {
    paths.indices.flatMap { a in
      (a..<paths.count).map { Observable("K", [a, $0], "<Y^a, Y^b> / N of the paths a and b") }
    }
  }

  /// Numbers that a draw may keep: 2 GiB.
  private static let most = 0x1p28

  /// The stacked weights of all components, N d x N; nil where none are drawn.
  func makeMatrix() -> (any WeightMatrix)? {
    if isDrawnByCovariance { return nil }
    let rows = components * width
    if isExplicit { return ExplicitMatrix(.gaussian, rows: rows, columns: width) }
    return LazyMatrix(.gaussian, rows: rows, columns: width, forward: questions, backward: 0)
  }

  /// What the weights are asked for: the start once, which all paths share.
  package var questions: Int { paths.count * (steps - 1) + 1 }

  package static let parameters = [
    Parameter(
      "width", .integer(1...1_000_000), small: .init(.inverse, "N", companions: ["draws"]), "N, units of the network"),
    Parameter(
      "steps", .integer(1...100_000), small: .init(.inverse, "M", companions: ["draws"]),
      "M, steps along the paths; of paths from files a multiple of their points less 1"),
    Parameter("paths", .structured(SignaturePath.words), "the paths; all have as many components"),
    Parameter("activation", .structured(ActivationChoice.words), "activation function phi"),
    Parameter(
      "weights", .choice(["homogeneous", "inhomogeneous"]), default: .text("homogeneous"),
      "homogeneous: the same weights at every step; inhomogeneous: fresh ones, and increments over sqrt(dt)"),
    Parameter("sigma_start", .real(.above(0)), default: .real(1), "sigma_a, standard deviation of Y_0"),
    Parameter(
      "sigma_weight", .real(.init(0, .infinity, openAbove: true)), default: .real(1),
      "sigma_A, standard deviation of the weights times sqrt(N)"),
    Parameter(
      "sigma_bias", .real(.init(0, .infinity, openAbove: true)), default: .real(0),
      "sigma_b, standard deviation of the biases"),
    Parameter(
      "records", .structured("\"last\", \"all\" or an ascending array of times in (0, 1], multiples of 1/steps"),
      default: .text("last"), "times at which it is measured"),
    Parameter(
      "sampler", .choice(["conditional", "weights"]), default: .text("conditional"),
      "conditional: the exact reduced law, N d m M normals of m paths; weights: every weight drawn, d N^2"),
    Parameter(
      "extrapolate", .boolean, default: .boolean(false),
      "draw (2N, M) and (N, 2M) as well, and separate the error in 1/N from that in 1/M"),
    Parameter("draws", .integer(2...Int64.max), "independent networks"),
  ]

  /// - Returns: the settings, labels for the file, and lines that identify data files.
  static func read(
    _ p: Parameters, data: any DataSource
  ) throws -> (settings: SignatureSettings, attributes: [String: String], files: [String]) {
    let (paths, files) = try SignaturePath.read(p, data: data)
    let choice = try ActivationChoice(p["activation"]!, path: "\(p.path).activation", width: p.integer("width"))
    let settings = try SignatureSettings(p, paths, choice.function)
    return (
      settings,
      [
        "width": String(settings.width), "steps": String(settings.steps), "activation": choice.name,
        "weights": p.text("weights"), "sampler": p.text("sampler"),
      ], files
    )
  }

  private init(_ p: Parameters, _ paths: [SignaturePath], _ activation: any Activation) throws {
    (width, steps) = (p.integer("width"), p.integer("steps"))
    (self.paths, self.activation) = (paths, activation)
    (start, weight, bias) = (p.real("sigma_start"), p.real("sigma_weight"), p.real("sigma_bias"))
    isHomogeneous = p.text("weights") == "homogeneous"
    isExplicit = p.text("sampler") == "weights"
    if let segments = paths.lazy.compactMap(\.segments).first, steps % segments != 0 {
      let nearest = max(1, (steps + segments / 2) / segments) * segments
      throw p.invalid(
        "steps",
        "must be a multiple of \(segments), the straight pieces of a path from a file; the nearest is \(nearest)"
      )
    }
    for (index, path) in paths.enumerated() { try path.check(steps: steps, key: "\(p.path).paths[\(index)]") }
    records = try Self.records(p, steps: steps)
    let (m, n, d) = (Double(paths.count), Double(width), Double(paths[0].components))
    let ofMatrix = isDrawnByCovariance ? 0 : (isExplicit ? n * d * n : min(Double(questions), n) * n * (d + 1))
    let numbers = 2 * m * n + 2 * d * n + ofMatrix
    guard numbers <= Self.most else {
      throw p.invalid("width", "must be such that a draw keeps at most \(Int(Self.most)) numbers, not \(Int(numbers))")
    }
  }

  private static func records(_ p: Parameters, steps: Int) throws -> [Int] {
    let allowed = "must be \"last\", \"all\" or an ascending array of times in (0, 1]"
    switch p["records"] {
    case .text("last"): return [steps]
    case .text("all"):
      guard steps <= 10_000 else { throw p.invalid("records", "would be \(steps) times; list at most 10000") }
      return Array(1...steps)
    case .list(let items):
      let found = try items.map { item -> Int in
        guard let time = item.number, time > 0, time <= 1 else { throw p.invalid("records", allowed) }
        let step = (time * Double(steps)).rounded()
        guard (time * Double(steps) - step).magnitude <= 1e-9 * Double(steps), step >= 1 else {
          throw p.invalid(
            "records",
            "has \(time), which is no multiple of 1/steps = 1/\(steps); the nearest is \(max(step, 1) / Double(steps))")
        }
        return Int(step)
      }
      guard (1...10_000).contains(found.count), zip(found, found.dropFirst()).allSatisfy(<) else {
        throw p.invalid("records", allowed)
      }
      return found
    default: throw p.invalid("records", allowed + Nearest.hint(p["records"], among: ["last", "all"]))
    }
  }
}
