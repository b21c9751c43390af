import Archive
import Experiments

/// A Gram matrix as a sealed file: K over row and column, with the condition number, the jitter and the job that it was made of.
package struct GramFile: Sendable {
  package let title, of: String
  /// P x P, row by row, symmetric to the bit.
  package let matrix: [Double]
  package let rows: [Int]
  package let labels: [Double]?
  package let jitter: Double
  /// Ends of the spectrum with the jitter; NaN where they were not asked for, and a least one of NaN where the matrix is not positive definite in double precision.
  package let largest, least: Double
  /// Rows that are equal points, as "3 = 17".
  package let equalRows: [String]
  package let prediction: GramPrediction?
  package let identity: [String]
  package let text: String

  package var count: Int { rows.count }
  /// Infinite where the matrix is not positive definite.
  package var condition: Double { largest.isNaN ? .nan : least.isNaN ? .infinity : largest / least }

  package init(
    title: String, of: String, matrix: [Double], rows: [Int], labels: [Double]?, jitter: Double, largest: Double,
    least: Double, equalRows: [String] = [], prediction: GramPrediction? = nil, identity: [String], text: String
  ) {
    (self.title, self.of, self.matrix, self.rows, self.labels) = (title, of, matrix, rows, labels)
    (self.jitter, self.largest, self.least, self.identity, self.text) = (jitter, largest, least, identity, text)
    (self.equalRows, self.prediction) = (equalRows, prediction)
  }

  private static let kind = "gram"

  /// The identity and the bits: what a digest is of.
  package func digest() throws -> String {
    var hasher = try SHA256()
    try hasher.update(Array(identity.joined(separator: "\n").utf8))
    for values in [matrix, rows.map(Double.init), labels ?? [], [jitter, largest, least], prediction?.values ?? []] {
      try values.withUnsafeBytes { try hasher.update($0) }
    }
    return try hasher.finalize()
  }

  package func save(_ path: String, creator: String, provenance: [(key: String, value: String)]) throws {
    do {
      var writer = try ArchiveWriter(path: path)
      try writer.setAttribute("/", "title", title)
      try writer.setAttribute("/", "creator", creator)
      try writer.setAttribute("/", "format_version", ResultFile.formatVersion)
      try writer.setAttribute("/", "kind", Self.kind)
      var job = Table(group: "provenance")
      job.attributes = provenance.map { ($0.key, .text($0.value)) }
      job.axes = [
        .init("key", .integers(identity.indices.map(Int64.init)), axes: ["key"]),
        .init("text", .integers([0]), axes: ["text"]),
      ]
      job.columns = [
        .init("resolved", .texts(identity), axes: ["key"], "everything that decides an entry"),
        .init("job_text", .texts([text]), axes: ["text"], "the job file"),
      ]
      var table = Table(group: "kernel")
      let numbers = Table.Values.integers(rows.map(Int64.init))
      table.axes = [
        .init("row", numbers, axes: ["row"], "row of the data file"),
        .init("column", numbers, axes: ["column"], "row of the data file"),
      ]
      table.columns = [.init("K", .numbers(matrix), axes: ["row", "column"], "the kernel \(of), without jitter")]
      if let labels { table.columns.append(.init("label", .numbers(labels), "the column that is no feature")) }
      table.attributes = [
        ("of", .text(of)), ("jitter", .number(jitter)), ("largest_eigenvalue", .number(largest)),
        ("least_eigenvalue", .number(least)), ("condition", .number(condition)),
        ("equal_rows", .text(equalRows.joined(separator: ", "))),
      ]
      if let prediction {
        table.columns.append(
          .init("prediction", .numbers(prediction.values), "kernel ridge regression from the rows `trained`"))
        table.columns.append(.init("trained", .integers(prediction.isTrained.map { $0 ? 1 : 0 }), "1 of those rows"))
        table.attributes += [("ridge", .number(prediction.ridge)), ("test_error", .number(prediction.error))]
      }
      try TableWriter.write([job, table], to: &writer)
      try writer.publish()
    } catch {
      throw Failure(.inputOutput, "the Gram matrix was not written: \(error); rerun the command to resume")
    }
  }

  /// The same; nil also where nothing can be read, for those who try another kind of file next.
  package static func at(_ path: String) throws -> GramFile? {
    guard FileSystem.exists(path), (try? Seal.check(path)) != nil else { return nil }
    return try load(path)
  }

  /// A Gram matrix read back; nil of another sealed file.
  package static func load(_ path: String) throws -> GramFile? {
    do {
      let reader = try ArchiveReader(sealed: path)
      guard try reader.attribute("/", "kind") == kind else { return nil }
      let (shape, matrix) = try reader.read("/kernel/K", as: Double.self)
      let rows = try reader.read("/kernel/row", as: Int64.self).values.map(Int.init)
      let labels = reader.contains("/kernel/label") ? try reader.read("/kernel/label", as: Double.self).values : nil
      guard shape == [rows.count, rows.count], labels.map({ $0.count == rows.count }) ?? true else {
        throw ArchiveError("\(path): K of /kernel does not fit its rows")
      }
      let equal = try reader.attribute("/kernel", "equal_rows") ?? ""
      return GramFile(
        title: try reader.attribute("/", "title") ?? "", of: try reader.attribute("/kernel", "of") ?? "",
        matrix: matrix, rows: rows, labels: labels,
        jitter: try reader.numberAttribute("/kernel", "jitter"),
        largest: try reader.numberAttribute("/kernel", "largest_eigenvalue"),
        least: try reader.numberAttribute("/kernel", "least_eigenvalue"),
        equalRows: equal.isEmpty ? [] : [equal], prediction: try prediction(reader),
        identity: try reader.readStrings("/provenance/resolved"),
        text: try reader.readStrings("/provenance/job_text").first ?? "")
    } catch let error as SystemError {
      throw Failure(.inputOutput, error.description)
    } catch {
      throw Failure(.badData, "\(path): \(error)")
    }
  }

  private static func prediction(_ reader: borrowing ArchiveReader) throws -> GramPrediction? {
    guard reader.contains("/kernel/prediction") else { return nil }
    return GramPrediction(
      values: try reader.read("/kernel/prediction", as: Double.self).values,
      isTrained: try reader.read("/kernel/trained", as: Int64.self).values.map { $0 == 1 },
      ridge: try reader.numberAttribute("/kernel", "ridge"),
      error: try reader.numberAttribute("/kernel", "test_error"))
  }

  /// Throws where an entry is not its mirror, or no number.
  package func verify(_ path: String) throws {
    for a in 0..<count {
      for b in 0...a {
        let (x, y) = (matrix[a * count + b], matrix[b * count + a])
        guard x.isFinite, x.bitPattern == y.bitPattern else {
          throw Failure(.badData, "\(path): K[\(a), \(b)] is \(x) and its mirror \(y)")
        }
      }
    }
  }

  /// What people read of it.
  package var summary: String {
    let diagonal = (0..<count).map { matrix[$0 * count + $0] }
    var lines = [
      "\(title): the kernel \(of) of \(count) points",
      "diagonal from \(diagonal.min()!) to \(diagonal.max()!), largest entry \(matrix.max()!), least \(matrix.min()!)",
    ]
    let jitter = self.jitter == 0 ? "" : " with jitter \(self.jitter)"
    if least.isNaN && !largest.isNaN {
      lines.append(
        "condition\(jitter): not positive definite in double precision; largest eigenvalue \(largest); give jitter")
    } else if !largest.isNaN {
      lines.append("condition\(jitter): \(condition), eigenvalues from \(least) to \(largest)")
    }
    if !equalRows.isEmpty { lines.append("equal points: rows \(equalRows.joined(separator: ", "))") }
    if let prediction {
      lines.append(
        "kernel ridge regression from \(prediction.isTrained.count { $0 }) rows, ridge \(prediction.ridge): mean square error \(prediction.error)"
      )
    }
    return lines.joined(separator: "\n")
  }
}
