import Kernels
import Experiments

/// The inputs of a network: m vectors of n0 features, scaled so that the pre-activations of the first layer
/// have covariance `V_0 = X X^T`.
public struct Inputs: Sendable {
  /// Most inputs of one job.
  public static let largestCount = 64
  /// Most entries of a vector that a job gives.
  private static let mostEntries = 4096

  public let count: Int
  public let features: Int
  /// X, count x features, row by row.
  public let rows: [Double]
  /// Layer at which the inputs enter; 0 but for a start from q.
  public let layer: Int
  /// The factor of `V_0` where it is known better than from the Gram matrix.
  public let exactFactor: [Double]?

  public init(rows: [[Double]], layer: Int = 0, exactFactor: [Double]? = nil) {
    self.layer = layer
    self.exactFactor = exactFactor
    count = rows.count
    features = rows.first?.count ?? 0
    self.rows = rows.flatMap { $0 }
  }

  /// `V_0`, count x count.
  public var gram: [Double] {
    let rows = gramRows
    return [Double](unsafeUninitializedCapacity: count * count) { buffer, initialised in
      let entries = buffer.baseAddress!
      SymmetricMatrix.fill(entries, count) { a in rows.write(a, to: entries + a &* count) }
      initialised = count * count
    }
  }

  /// `V_0` row by row, where the whole of it need not be kept.
  package var gramRows: GramRows { GramRows(self) }

  package struct GramRows {
    private let rows, columns: [Double]
    private let count, features: Int

    fileprivate init(_ inputs: Inputs) {
      (rows, count, features) = (inputs.rows, inputs.count, inputs.features)
      // Feature by feature, so that the loop over the entries of a row is one of vectors.
      let (rows, features) = (rows, features)
      columns = (0..<count * features).map { [count] in rows[$0 % count * features + $0 / count] }
    }

    /// The entries on the diagonal, as `write` has them.
    package var variances: [Double] {
      (0..<count).map { a in
        func square(_ f: Int) -> Double { rows[a &* features &+ f] * rows[a &* features &+ f] }
        let fours = features & ~3
        let sum = stride(from: 0, to: fours, by: 4).reduce(0.0) {
          $0 + square($1) + square($1 &+ 1) + square($1 &+ 2) + square($1 &+ 3)
        }
        return (fours..<features).reduce(sum) { $0 + square($1) }
      }
    }

    /// Writes the entries 0 ... a of row a.
    package func write(_ a: Int, to row: UnsafeMutablePointer<Double>) {
      let filled = a &+ 1
      columns.withUnsafeBufferPointer { columns in
        rows.withUnsafeBufferPointer { rows in
          for b in 0..<filled { row[b] = 0 }
          func at(_ f: Int) -> (Double, UnsafePointer<Double>) {
            (rows[a &* features &+ f], columns.baseAddress! + f &* count)
          }
          var f = 0
          while f &+ 4 <= features {
            let (u, v, x, y) = (at(f), at(f &+ 1), at(f &+ 2), at(f &+ 3))
            for b in 0..<filled { row[b] = row[b] + u.0 * u.1[b] + v.0 * v.1[b] + x.0 * x.1[b] + y.0 * y.1[b] }
            f &+= 4
          }
          while f < features {
            let x = at(f)
            for b in 0..<filled { row[b] += x.0 * x.1[b] }
            f &+= 1
          }
        }
      }
    }
  }

  /// `L_0` by Gram-Schmidt on the vectors, for those that are almost linearly dependent.
  var orthogonalisedFactor: [Double] {
    let stride = Triangular.padded(features)
    let columns = UnsafeMutablePointer<Double>.allocateZeros(count * stride)
    defer { columns.deallocate() }
    for a in 0..<count { for i in 0..<features { columns[a * stride + i] = rows[a * features + i] } }
    var upper = Array(repeating: 0.0, count: count * count)
    upper.withUnsafeMutableBufferPointer {
      Triangular.factor(columns: columns, stride: stride, count: stride, m: count, into: $0.baseAddress!)
    }
    return (0..<count * count).map { upper[$0 % count * count + $0 / count] }
  }

  public static let words =
    "a table: { count = 1 }, { correlation = 0.3, count = 2 }, { q = 44.4, layer = 100 }, { gram = [[1.0, 0.3], [0.3, 1.0]] }, { vectors = [[1.0, 0.0], [0.6, 0.8]] } or { file = \"digits.csv\", rows = [0, 7], drop = [\"label\"], normalise = true }"

  public static let parameters = given + TableRequest.parameters + ofFile

  private static let given: [Parameter] = [
    Parameter("count", .integer(1...64), optional: true, "number of inputs, all pairs equally correlated"),
    Parameter(
      "correlation", .real(.init(-1, 1)), optional: true,
      "rho_0 of every pair, unit variances; at least -1/(count - 1)"),
    Parameter(
      "gram", .structured("a symmetric positive semi-definite matrix of up to 64 rows"), optional: true,
      "V_0 itself"),
    Parameter(
      "vectors", .structured("an array of up to 64 vectors of as many finite numbers, none of them 0"), optional: true,
      "the inputs as they are, X: V_0 = X X^T; a last entry of 1 in each is a bias of the first layer"),
    Parameter(
      "q", .real(.init(0, 1e18, openBelow: true)), optional: true,
      "two inputs of unit variance with layer^2 (1 - rho) = q; needs layer"),
    Parameter(
      "layer", .integer(1...1_000_000_000), optional: true, "layer at which inputs given by q enter the network"),
  ]

  private static let ofFile: [Parameter] = [
    Parameter("rows", .structured("an array of 1 to 64 row numbers, from 0"), optional: true, "rows of the file"),
    Parameter(
      "normalise", .boolean, default: .boolean(true),
      "scale every row to |x|^2 = n0, so V_aa = 1; otherwise V_0 = X X^T / n0"),
  ]

  /// Reads the `inputs` table of a network.
  /// - Parameter source: gives the requested rows of a file.
  public static func read(
    _ value: JobValue?, path: String, data source: any DataSource
  ) throws -> Inputs {
    let p = try Parameters(value, path: path, allowed: parameters)
    let given = ["correlation", "gram", "vectors", "q", "file"].filter { p[$0] != nil }
    guard given.count <= 1 else {
      throw p.invalid(given[1], "cannot be given together with \(given[0])")
    }
    let factor: [[Double]]
    if p["gram"] != nil {
      factor = try readGram(p)
    } else if p["vectors"] != nil {
      factor = try readVectors(p)
    } else if p["q"] != nil || p["layer"] != nil {
      return try readStart(p)
    } else if p["file"] != nil {
      return try readFile(p, data: source)
    } else if p["correlation"] != nil || p["count"] != nil {
      let count = p["count"] != nil ? p.integer("count") : 2
      guard count == 1 || p["correlation"] != nil else {
        throw p.invalid("correlation", "must be given for more than one input: a number in [-1, 1]")
      }
      let rho = p["correlation"] != nil ? p.real("correlation") : 1
      let gram = (0..<count * count).map { $0 / count == $0 % count ? 1.0 : rho }
      guard let lower = Triangular.cholesky(gram, m: count) else {
        throw p.invalid(
          "correlation", "must be at least -1/(count - 1) = \(-1 / Double(count - 1)) for \(count) inputs")
      }
      factor = split(lower, count)
    } else {
      throw Failure.invalid(key: path, value: value?.description, allowed: "must be " + words)
    }
    return Inputs(rows: factor)
  }

  private static func split(_ flat: [Double], _ m: Int) -> [[Double]] {
    (0..<m).map { Array(flat[$0 * m..<($0 + 1) * m]) }
  }

  /// `rho = 1 - delta`, `delta = q / layer^2`: the sine `sqrt(delta (2 - delta))` without cancellation.
  private static func readStart(_ p: Parameters) throws -> Inputs {
    guard p["q"] != nil, p["layer"] != nil else {
      throw p.invalid(p["q"] == nil ? "q" : "layer", "q and layer must be given together")
    }
    let layer = p.integer("layer")
    let delta = p.real("q") / (Double(layer) * Double(layer))
    guard delta <= 2 else {
      throw p.invalid("q", "must be at most 2 layer^2 = \(2 * Double(layer) * Double(layer)), where rho = -1")
    }
    let sine = (delta * (2 - delta)).squareRoot()
    return Inputs(rows: [[1, 0], [1 - delta, sine]], layer: layer, exactFactor: [1, 0, 1 - delta, sine])
  }

  private static func readGram(_ p: Parameters) throws -> [[Double]] {
    let wrong = p.invalid("gram", "must be an array of 1 to 64 rows of as many finite numbers")
    guard case .list(let rows)? = p["gram"], (1...largestCount).contains(rows.count) else { throw wrong }
    let m = rows.count
    var gram: [Double] = []
    for row in rows {
      guard case .list(let entries) = row, entries.count == m else { throw wrong }
      for entry in entries {
        switch entry {
        case .real(let x) where x.isFinite: gram.append(x)
        case .integer(let x): gram.append(Double(x))
        default: throw wrong
        }
      }
    }
    for a in 0..<m {
      guard gram[a * m + a] > 0 else { throw p.invalid("gram", "entry [\(a), \(a)] must be positive") }
      for b in 0..<a where gram[a * m + b] != gram[b * m + a] {
        throw p.invalid("gram", "must be symmetric, but entries [\(a), \(b)] and [\(b), \(a)] differ")
      }
    }
    guard let lower = Triangular.cholesky(gram, m: m) else {
      throw p.invalid("gram", "must be positive semi-definite")
    }
    return split(lower, m)
  }

  private static func readVectors(_ p: Parameters) throws -> [[Double]] {
    let wrong = p.invalid(
      "vectors", "must be an array of 1 to \(largestCount) vectors of as many finite numbers, 1 to \(mostEntries)")
    guard case .list(let items)? = p["vectors"], (1...largestCount).contains(items.count) else { throw wrong }
    let vectors = try items.map { item -> [Double] in
      guard case .list(let entries) = item, (1...mostEntries).contains(entries.count) else { throw wrong }
      return try entries.map {
        guard let x = $0.number, x.isFinite else { throw wrong }
        return x
      }
    }
    guard Set(vectors.map(\.count)).count == 1 else { throw wrong }
    for (a, x) in vectors.enumerated() where !x.reduce(0, { $0 + $1 * $1 }).isNormal {
      throw p.invalid("vectors", "has the vector \(a), the square of which is 0 or out of range")
    }
    return vectors
  }

  private static func readFile(
    _ p: Parameters, data source: any DataSource
  ) throws -> Inputs {
    guard case .list(let list)? = p["rows"], (1...largestCount).contains(list.count) else {
      throw p.invalid("rows", "must be an array of 1 to 64 row numbers, from 0")
    }
    let rows = try list.map { item -> Int in
      guard let row = item.integer, row >= 0 else {
        throw p.invalid("rows", "must be an array of 1 to 64 row numbers, from 0")
      }
      return Int(row)
    }
    let data = try source.table(TableRequest(p, rows: rows)).rows
    let normalise = p.boolean("normalise")
    let scaled = try zip(data, rows).map { values, row -> [Double] in
      let largest = values.reduce(0) { max($0, $1.magnitude) }
      guard largest > 0 else {
        throw p.invalid("rows", "row \(row) is zero: an input must have an entry that is not 0")
      }
      let scale = normalise ? 1 / values.reduce(0) { $0 + $1 * $1 }.squareRoot() : 1 / Double(values.count).squareRoot()
      // Rows whose squares are out of range: by way of their largest entry if they are scaled, else V_0 has no value.
      let isInRange = scale.isNormal && values.reduce(0) { $0 + $1 * scale * $1 * scale }.isNormal
      if isInRange { return values.map { $0 * scale } }
      guard normalise else {
        throw p.invalid(
          "rows", "row \(row) has entries up to \(largest): the mean of their squares must be in [2.3e-308, 1.7e308]")
      }
      let parts = values.map { $0 / largest }
      let length = parts.reduce(0) { $0 + $1 * $1 }.squareRoot()
      return parts.map { $0 / length }
    }
    return Inputs(rows: scaled)
  }
}
