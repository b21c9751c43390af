import Experiments
import Foundation
import Limits
import Networks
import Signatures

/// A job of `fathom kernel`: the table `[kernel]`, data and which kernel, beside `[network]` or `[signature]`, what it is the kernel of.
package struct GramJob: Sendable {
  package let title, text, output, of: String
  /// Rows of the file that are the points.
  package let rows: [Int]
  /// Values of the column `label`.
  package let labels: [Double]?
  package let jitter: Double
  /// Rows that are equal points, as "3 = 17"; there are some with jitter only.
  package let equalRows: [String]
  package let regression: GramRegression?
  package let hasCondition: Bool
  /// One line a key of everything that decides an entry.
  package let identity: [String]
  package let expectations: [Expectation]
  /// Rows of the matrix that are made and kept together.
  package let bands: [Range<Int>]
  /// Makes what a rank needs.
  package let make: @Sendable () throws -> any GramRows

  package var count: Int { rows.count }

  /// Bytes on the rank that puts the matrix together: the matrix, and once more for its factor, or to read it back.
  package var bytes: Double { Self.bytes(count) }
  private static func bytes(_ count: Int) -> Double { 16 * Double(count) * Double(count) }

  package static let table = "kernel"
  private static let kinds = NetworkGram.Kind.allCases.map(\.rawValue) + [SignatureFamily.table]
  private static let signatureKeys = ["activation", "weights", "sigma_start", "sigma_weight", "sigma_bias"]

  package static let entry = TableEntry(
    name: table, summary: "a Gram matrix over a data file, for fathom kernel; beside [network] or [signature]",
    parameters: [
      Parameter(
        "of", .choice(kinds),
        "nngp: covariance of the outputs at infinite width; ntk: the tangent kernel there; finite-ntk: that of a drawn network; sketched-ntk: a sketch of it; signature: of paths"
      )
    ] + TableRequest.parameters + [
      Parameter(
        "rows", .structured("an array of different row numbers, from 0, or { from = 0, to = 100, every = 2 }"),
        optional: true,
        "rows of the file; all unless given"),
      Parameter("label", .text, optional: true, "a column whose values are no features: they stand beside the rows"),
      Parameter(
        "normalise", .boolean, default: .boolean(true), "of networks: scale every row to |x| = 1; else over sqrt(n0)"),
      Parameter(
        "components", .integer(1...64), default: .integer(1),
        "of signatures: d; a row holds the points of its path one after another"),
      Parameter("time", .boolean, default: .boolean(false), "of signatures: the time, 0 to 1, is one more component"),
      Parameter(
        "refine", .integer(1...4096), default: .integer(4),
        "of signatures: steps of the coarse grid for each straight piece; the fine one has twice as many"),
      Parameter(
        "draw", .integer(0...Int64.max), default: .integer(0),
        "of finite-ntk and sketched-ntk: the number of the network"),
      Parameter("sketch", .integer(1...1_000_000), optional: true, "of sketched-ntk: p, its columns"),
      Parameter(
        "columns", .choice(SketchChoice.Columns.allCases.map(\.rawValue)), optional: true,
        "of sketched-ntk: gaussian, the least variance; product, O(n) instead of O(n^2) a point and column; gaussian unless given"
      ),
      Parameter(
        "predict", .structured(GramPrediction.words), optional: true,
        "kernel ridge regression with the matrix: the labels, +1 of those of positive and -1 of others if that is given, from some rows on all; its error on others"
      ),
      Parameter(
        "jitter", .real(.init(0, .infinity, openAbove: true)), default: .real(0),
        "what is added to the diagonal before the condition number is taken; stated in the file, not in the matrix"),
      Parameter("condition", .boolean, default: .boolean(true), "whether the condition number is found, in O(P^3)"),
      Parameter(
        "block", .integer(1...4096), default: .integer(64), "rows that a rank makes and keeps at once. Changes no bit"),
    ])

  /// Whether the text of a job has the table.
  package static func isOne(_ text: String, name: String) -> Bool { (try? TOML.parse(text, name: name))?[table] != nil }

  /// - Parameter memory: of this machine, in bytes.
  package static func read(
    _ text: String, name: String, settings: [String] = [], output: String? = nil, check: Bool = false,
    data: any DataSource, memory: Double = Double(ProcessInfo.processInfo.physicalMemory)
  ) throws -> GramJob {
    var value = try TOML.parse(text, name: name)
    let reduced = try Expect.reduced(value)
    if check { value = reduced }
    for setting in settings {
      let parts = setting.split(separator: "=", maxSplits: 1).map { $0.trimming(" ") }
      guard parts.count == 2, !parts[0].isEmpty else {
        throw Failure(.usage, "--set \(setting): must be key=value, as in --set kernel.block=128")
      }
      value = try value.setting(parts[0], to: TOML.value(parts[1]))
    }
    guard case .table(let job) = value else { preconditionFailure("a TOML file is a table") }
    let known = ["title", "seed", table, NetworkFamily.table, SignatureFamily.table, "run", "expect", "check"]
    for key in job.keys.sorted() where !known.contains(key) {
      throw Failure.invalid(
        key: key, value: job[key]!.description,
        allowed:
          "unknown key\(Nearest.remark(key, among: known)); a job with [kernel] takes \(known.joined(separator: ", "))")
    }
    guard job[table] != nil else { throw Failure(.badData, "\(name) has no table [kernel]; fathom run takes it") }
    let top = try Parameters(
      .table(job.filter { ["title", "seed"].contains($0.key) }), path: "", allowed: JobReader.topParameters,
      isSwept: false)
    let run = try Parameters(
      job["run"], path: "run", allowed: JobReader.runParameters.filter { $0.name == "output" }, isSwept: false)
    let p = try Parameters(job[table], path: table, allowed: entry.parameters, isSwept: false)
    let isSignature = p.text("of") == SignatureFamily.table
    let (own, other) =
      isSignature
      ? (SignatureFamily.table, NetworkFamily.table) : (NetworkFamily.table, SignatureFamily.table)
    if let wrong = job[other] {
      throw Failure.invalid(
        key: other, value: wrong.description, allowed: "is no table of kernel.of = \"\(p.text("of"))\"")
    }
    guard let model = job[own] else {
      throw Failure.invalid(key: own, value: nil, allowed: "must be a table: what it is the kernel of")
    }

    let points = try GramData(p, data: data)
    let most = Int((memory / 16).squareRoot())
    guard bytes(points.count) <= memory else {
      throw Failure.invalid(
        key: "kernel.rows", value: "\(points.count) points",
        allowed:
          "need \(GramData.size(bytes(points.count))) on one rank, and this machine has \(GramData.size(memory)): at most \(most) points fit"
      )
    }
    let seed = UInt64(top.integer("seed"))
    let regression = try GramRegression(p, points)
    let sketch = try sketch(p)
    var equalRows: [String] = []
    let make: @Sendable () throws -> any GramRows
    if isSignature {
      let (equation, paths, moves) = try signatures(p, model, points)
      equalRows = try points.equalRows(p, moves)
      make = { SignatureGram(equation, paths, refine: p.integer("refine")) }
    } else {
      try points.refuseZeros(p)
      equalRows = try points.equalRows(p, points.scaled(p.boolean("normalise")))
      guard let kind = NetworkGram.Kind(rawValue: p.text("of")) else {
        preconditionFailure("a checked choice is one of its names")
      }
      make = {
        try NetworkGram.make(
          model, kind, points.rows, normalise: p.boolean("normalise"), seed: seed, draw: UInt64(p.integer("draw")),
          sketch: sketch)
      }
      // Mistakes of the table come out before any work.
      _ = try NetworkGram.make(
        model, kind, Array(points.rows.prefix(2)), normalise: p.boolean("normalise"), seed: seed,
        draw: UInt64(p.integer("draw")), sketch: sketch.map { SketchChoice(dimension: 1, columns: $0.columns) })
    }
    let ownKeys = ["block", "jitter", "condition", "label"]
    let lines = p.resolved.lines(prefix: table).filter { line in
      !ownKeys.contains { line.hasPrefix("\(table).\($0) = ") }
    }
    let block = p.integer("block")
    let file = name.split(separator: "/").last.map(String.init) ?? name
    let stem = file.hasSuffix(".toml") ? String(file.dropLast(5)) : file
    return GramJob(
      title: top["title"] == nil ? name : top.text("title"),
      text: text + settings.map { "\n# --set \($0)" }.joined(),
      output: output ?? (run["output"] != nil ? run.text("output") : stem + ".h5"), of: p.text("of"),
      rows: points.numbers, labels: points.labels, jitter: p.real("jitter"), equalRows: equalRows,
      regression: regression, hasCondition: p.boolean("condition"),
      identity: ["seed = \(seed)", Job.identityLine(streamVersion: Job.streamVersion)] + lines
        + model.withCanonicalFormulas.lines(prefix: own) + ["kernel.data = \(points.fingerprint)"],
      expectations: try Expect.read(value["expect"], path: "expect"),
      bands: stride(from: 0, to: points.count, by: block).map { $0..<min($0 + block, points.count) }, make: make)
  }

  private static func signatures(
    _ p: Parameters, _ model: JobValue, _ points: GramData
  ) throws -> (SignatureEquation, [SignaturePath], moves: [[Double]]) {
    let keys = try Parameters(
      model, path: SignatureFamily.table,
      allowed: SignatureSettings.parameters.filter { signatureKeys.contains($0.name) })
    let choice = try ActivationChoice(keys["activation"]!, path: "\(keys.path).activation", width: 1024)
    let d = p.integer("components")
    let length = points.rows[0].count
    guard length % d == 0 else {
      throw p.invalid("components", "must divide the \(length) numbers of a row")
    }
    guard length / d > 1 else {
      throw p.invalid("components", "leave 1 point of each path; a path needs at least 2")
    }
    let count = length / d
    let hasTime = p.boolean("time")
    let paths = points.rows.map { row -> [[Double]] in
      (0..<count).map { t -> [Double] in
        let point = Array(row[t * d..<(t + 1) * d])
        return hasTime ? point + [Double(t) / Double(count - 1)] : point
      }
    }
    // A kernel sees the increments only.
    let moves = paths.map { path -> [Double] in
      path.dropFirst().flatMap { point -> [Double] in zip(point, path[0]).map { $0 - $1 } }
    }
    let equation = SignatureEquation(
      choice.function, start: square(keys.real("sigma_start")), weight: square(keys.real("sigma_weight")),
      bias: square(keys.real("sigma_bias")), isHomogeneous: keys.text("weights") == "homogeneous")
    return (equation, paths.map(SignaturePath.init(points:)), moves)
  }

  private static func sketch(_ p: Parameters) throws -> SketchChoice? {
    guard p.text("of") == NetworkGram.Kind.sketched.rawValue else {
      for key in ["sketch", "columns"] where p[key] != nil {
        throw p.invalid(key, "is a key of kernel.of = \"sketched-ntk\" only")
      }
      return nil
    }
    guard p["sketch"] != nil else { throw p.invalid("sketch", "must be given with kernel.of = \"sketched-ntk\"") }
    let columns = p["columns"].flatMap { _ in SketchChoice.Columns(rawValue: p.text("columns")) } ?? .gaussian
    return SketchChoice(dimension: p.integer("sketch"), columns: columns)
  }

  private static func square(_ x: Double) -> Double { x * x }
}
