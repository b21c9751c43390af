import Experiments
import Kernels
import Networks
import Randomness

/// Kernels of networks between the rows of a data file.
package enum NetworkGram {
  package enum Kind: String, CaseIterable, Sendable {
    case nngp, ntk
    case finite = "finite-ntk"
    case sketched = "sketched-ntk"

    /// Whether it is the kernel of a drawn network.
    fileprivate var isDrawn: Bool { self == .finite || self == .sketched }
  }

  /// Keys of `[network]` that a Gram matrix sets itself.
  private static let reserved = ["inputs", "draws", "layers", "probes", "observables", "sampler", "bound"]
  /// The width where none is given: at infinite width it matters to functions of it only.
  private static let width = JobValue.integer(1024)

  /// The rows of a kernel.
  /// - Parameters:
  ///   - table: `[network]`, without inputs.
  ///   - points: as the file has them; scaled to |x| = 1 if they are normalised, else over $\sqrt{n_0}$.
  ///   - sketch: of a sketched kernel.
  ///   - seed, draw: of a finite network: the one that a job with this seed draws first, second, ... with `sampler = "weights"`.
  /// - Throws: `Failure` naming the key.
  package static func make(
    _ table: JobValue, _ kind: Kind, _ points: [[Double]], normalise: Bool, seed: UInt64, draw: UInt64,
    sketch: SketchChoice? = nil
  ) throws -> any GramRows {
    let source = Rows(rows: points)
    func network(_ range: Range<Int>) throws -> NetworkModel {
      try NetworkCatalog.read(
        try full(table, kind, rows: Array(range), normalise: normalise), path: NetworkFamily.table, data: source)
    }
    func refuse(_ words: String) -> Failure {
      Failure.invalid(
        key: "\(NetworkFamily.table).architecture", value: table["architecture"]?.description, allowed: words)
    }
    let entry = NetworkCatalog.architectures.first { table["architecture"] == .text($0.name) }
    guard kind == .nngp || entry?.probes.contains(.tangentKernel) ?? true else {
      throw refuse("has no tangent kernel; kernel.of = \"nngp\" asks for the covariance of its outputs")
    }
    let architecture = try network(0..<min(2, points.count)).architecture
    guard !(architecture is any TokenArchitecture) else {
      throw refuse("has its inputs as tokens of one sequence: the points of a Gram matrix are inputs of their own")
    }
    if let normalised = architecture as? NormalisedMLP, normalised.normalisation == .batch {
      throw refuse(
        "normalises over a batch, which the points of a Gram matrix are not: normalisation = \"layer\" is known")
    }
    if kind.isDrawn {
      guard architecture is any PassArchitecture else {
        throw refuse("has no passes, which kernel.of = \"\(kind.rawValue)\" needs")
      }
      func features(_ range: Range<Int>) throws -> TangentFeatures {
        try TangentFeatures(
          count: range.count, key: Stream.key(seed: seed, path: "main/\(NetworkFamily.table)"), draw: draw
        ) { part in
          let rows = part.lowerBound + range.lowerBound..<part.upperBound + range.lowerBound
          guard let network = try network(rows).architecture as? any PassArchitecture else {
            throw Failure(.bug, "an architecture has passes of some points only")
          }
          return network
        }
      }
      guard let sketch else { return FiniteGram(try features(0..<points.count)) }
      return try SketchedGram(
        count: points.count, sketch, key: Stream.key(seed: seed, path: "main/kernel/sketch/\(draw)"),
        features: features)
    }
    guard let recursive = architecture as? any CovarianceRecursive, recursive.covarianceRecursion() != nil else {
      throw refuse((architecture as? any CovarianceRecursive)?.noRecursion ?? "has no recursion at infinite width")
    }
    if let pair = recursive as? any PairRecursive {
      guard kind == .nngp || pair.pairTangent != nil else { throw refuse("has no tangent kernel at infinite width") }
      if let activation = pair.pairActivation, !ActivationKernel(activation).product(1, 1, 0.5).isFinite {
        throw Failure.invalid(
          key: "\(NetworkFamily.table).activation", value: table["activation"]?.description,
          allowed: "must have Gaussian expectations that are finite and found to 1e-12")
      }
      return PairGram(
        pair, GramPoints(scaled(points, normalise: normalise), areNormalised: normalise), tangent: kind == .ntk)
    }
    guard kind == .nngp else { throw refuse("has no tangent kernel at infinite width") }
    let together = Inputs.largestCount / ((architecture as? ConvolutionalResNet)?.positions ?? 1)
    return BlockGram(count: points.count, features: points[0].count, side: max(1, together / 2)) { rows in
      let model = try NetworkCatalog.read(
        try full(table, kind, rows: rows, normalise: normalise), path: NetworkFamily.table, data: source)
      let recursion = (model.architecture as! any CovarianceRecursive).covarianceRecursion()!
      let k = (0..<model.settings.depth).reduce(recursion.start) { recursion.next($0, $1 + 1) }
      return recursion.covariance(k)
    }
  }

  private struct Rows: DataSource {
    let rows: [[Double]]
    func table(_ request: TableRequest) throws -> DataTable {
      DataTable(columns: [], rows: (request.rows ?? Array(rows.indices)).map { rows[$0] })
    }
    func samples(_ request: SampleRequest) throws -> SampleTable { throw Failure(.bug, "a Gram matrix has no samples") }
  }

  private static func full(_ table: JobValue, _ kind: Kind, rows: [Int], normalise: Bool) throws -> JobValue {
    for key in reserved {
      if let value = table[key] {
        throw Failure.invalid(
          key: "\(NetworkFamily.table).\(key)", value: value.description,
          allowed: "is set by fathom kernel: leave it out")
      }
    }
    var keys: [String: JobValue] = [
      "inputs": .table([
        "file": .text("points"), "rows": .list(rows.map { .integer(Int64($0)) }), "normalise": .boolean(normalise),
      ]), "draws": .integer(2),
    ]
    switch kind {
    case .nngp: keys["observables"] = .list([.text("log_V")])
    case .ntk: (keys["probes"], keys["observables"]) = (.list([.text("ntk")]), .list([.text("log_ntk")]))
    case .finite, .sketched:
      keys["probes"] = .list([.text("ntk"), .text("output")])
      (keys["observables"], keys["sampler"]) = (.list([.text("log_ntk")]), .text("weights"))
    }
    if !kind.isDrawn && table["width"] == nil { keys["width"] = width }
    return try keys.reduce(table) { try $0.setting($1.key, to: $1.value) }
  }

  private static func scaled(_ points: [[Double]], normalise: Bool) -> [[Double]] {
    points.map { x in
      let length = normalise ? x.reduce(0) { $0 + $1 * $1 }.squareRoot() : Double(x.count).squareRoot()
      return x.map { $0 / length }
    }
  }
}

/// Architectures whose inputs are the tokens of one sequence.
private protocol TokenArchitecture {}
extension Transformer: TokenArchitecture {}
extension PreLNTransformer: TokenArchitecture {}
extension TangentTransformer: TokenArchitecture {}

/// Kernels of any recursion, by blocks of some points with some others.
final class BlockGram: GramRows {
  let count: Int
  private let features: Int
  private let kernel: ([Int]) throws -> [Double]
  /// Points of a block on either side.
  private let side: Int

  init(count: Int, features: Int, side: Int, kernel: @escaping ([Int]) throws -> [Double]) {
    (self.count, self.features, self.side, self.kernel) = (count, features, side, kernel)
  }

  func write(_ rows: Range<Int>, to band: UnsafeMutablePointer<Double>, stride length: Int) throws {
    for top in Swift.stride(from: rows.lowerBound, to: rows.upperBound, by: side) {
      let mine = top..<min(top + side, rows.upperBound)
      for left in Swift.stride(from: 0, to: mine.upperBound, by: side) {
        let others = left..<min(left + side, mine.upperBound)
        let points = Set(mine).union(others).sorted()
        let k = try kernel(points)
        for a in mine {
          let place = points.firstIndex(of: a)!
          for b in others where b <= a {
            band[(a - rows.lowerBound) * length + b] = k[place * points.count + points.firstIndex(of: b)!]
          }
        }
      }
    }
  }

  var bytes: Double { Double(8 * count * features) }
}
