import Archive
import Experiments
import Foundation

/// Files of rows that another program made: text with a line of names, NumPy arrays, and HDF5 as `fathom.samples` writes it
/// (docs/samples.md).
extension DataFiles {
  /// Most numbers of a file: 1 GiB.
  static let mostSamples = 1 << 27

  package func samples(_ request: SampleRequest) throws -> SampleTable {
    let path = try locate(request.file)
    guard let data = FileManager.default.contents(atPath: path) else {
      throw Failure(.inputOutput, "\(path): cannot be read")
    }
    let bytes = [UInt8](data)
    var hash = try SHA256()
    try hash.update(bytes)
    let digest = try hash.finalize()
    let name = path.lowercased()
    let table: SampleTable
    if bytes.starts(with: Array("fathom sealed file".utf8)) {
      throw Failure(.badData, "\(path): is a result of fathom, not a file of rows")
    } else if SampleArchive.isHDF5(bytes) {
      guard request.columns == nil else { throw Self.named(path, "an HDF5 file") }
      table = try SampleArchive.read(path, digest: digest)
    } else if [".h5", ".hdf5"].contains(where: name.hasSuffix) {
      throw Failure(.badData, "\(path): is no HDF5 file")
    } else if name.hasSuffix(".npy") || bytes.starts(with: NumPyArray.magic) {
      let array = try NumPyArray.read(bytes, file: path)
      guard array.shape.count <= 2 else {
        throw Failure(.badData, "\(path): its shape is \(array.shape); an array of rows and columns is read")
      }
      table = try Self.table(array.table(rows: nil), request, path, digest)
    } else {
      table = try Self.table(
        DelimitedText(bytes, file: path, header: request.columns == nil ? nil : false).table(drop: [], rows: nil),
        request, path, digest)
    }
    try Self.check(table)
    Notes.add(
      "read \(path): \(counted(table.rows, "row")), \(counted(table.columns.count, "column")): "
        + DataTable.list(table.columns.map(\.text), atMost: 10))
    return table
  }

  private static func named(_ path: String, _ what: String) -> Failure {
    Failure(.badData, "\(path): columns names those of a file without names; \(what) has its own")
  }

  /// The columns of a plain table, named by itself or by the job.
  private static func table(
    _ table: DataTable, _ request: SampleRequest, _ path: String, _ digest: String
  ) throws -> SampleTable {
    let width = table.rows.first?.count ?? 0
    guard width > 0 else { throw Failure(.badData, "\(path): there are no rows") }
    let names = request.columns ?? table.columns
    if request.columns != nil, !table.columns.isEmpty { throw named(path, "this one") }
    guard !names.isEmpty else {
      throw Failure(
        .badData,
        "\(path): its \(width == 1 ? "column has no name" : "\(width) columns have no names"); give columns = [\"NAME@POINT\", …]"
      )
    }
    guard names.count == width else {
      throw Failure.invalid(
        key: "columns", value: JobValue.list(names.map { .text($0) }).description,
        allowed: "\(names.count) names for the \(counted(width, "column")) of \(path)")
    }
    let columns = try names.map { text in
      guard let column = SampleTable.Column(text) else {
        throw Failure(
          .badData, "\(path): column \(text): what is behind @ must be a finite number, the point of the axis")
      }
      return column
    }
    return SampleTable(path: path, digest: digest, axis: nil, columns: columns, values: table.rows.flatMap { $0 })
  }

  private static func check(_ table: SampleTable) throws {
    var seen: Set<SampleTable.Column> = []
    for column in table.columns {
      guard !column.name.isEmpty else { throw Failure(.badData, "\(table.path): a column has no name") }
      guard seen.insert(column).inserted else {
        throw Failure(.badData, "\(table.path): the column \(column.text) is there twice")
      }
    }
    guard table.values.count <= mostSamples else {
      throw Failure(.badData, "\(table.path): \(table.values.count) numbers; at most \(mostSamples) are read")
    }
    guard let bad = table.values.firstIndex(where: \.isNaN) else { return }
    let (row, column) = (bad / table.columns.count, table.columns[bad % table.columns.count])
    throw Failure(
      .badData,
      "\(table.path): row \(row) (from 0), column \(column.text) is NaN; leave out the rows that have no value, or write what they stand for"
    )
  }
}

/// The layout of `fathom.samples` in HDF5: a dataset for each observable, (rows) or (rows, points), `axis` with its name, `chain`.
private enum SampleArchive {
  private static let magic: [UInt8] = [0x89] + Array("HDF\r\n".utf8)
  static let attribute = "fathom_samples"
  static let version: Int64 = 1
  static let (axis, chain) = ("axis", "chain")

  /// Whether the format begins at the start or behind a block of the user's.
  static func isHDF5(_ bytes: [UInt8]) -> Bool {
    [0, 512, 1024, 2048].contains { bytes.dropFirst($0).starts(with: magic) }
  }

  static func read(_ path: String, digest: String) throws -> SampleTable {
    do { return try table(path, digest) } catch let failure as Failure { throw failure } catch {
      throw Failure(.badData, "\(path): \(error)")
    }
  }

  private static func table(_ path: String, _ digest: String) throws -> SampleTable {
    func refused(_ words: String) -> Failure { Failure(.badData, "\(path): \(words)") }
    let reader = try ArchiveReader(unsealed: path)
    guard let found = try? reader.integerAttribute("/", attribute) else {
      throw refused("has no attribute \(attribute): it was not written by fathom.samples (docs/samples.md)")
    }
    guard found == version else { throw refused("has version \(found) of the layout of rows; \(version) is read") }
    let names = try reader.list("/")
    var points: [Double] = []
    var axisName: String?
    if names.contains(axis) {
      points = try reader.read(axis).values
      axisName = try reader.attribute(axis, "name")
    }
    var columns: [SampleTable.Column] = []
    var parts: [(values: [Double], width: Int)] = []
    var first: (name: String, rows: Int)?
    for name in names where name != axis {
      let (shape, values) = try reader.read(name, as: Double.self)
      guard shape.count == 1 || (shape.count == 2 && name != chain) else {
        throw refused("\(name) has the shape \(shape); (rows) or (rows, points of the axis) is read")
      }
      if shape.count == 2, shape[1] != points.count {
        throw refused("\(name) has \(shape[1]) points of the axis, which has \(points.count)")
      }
      if let first, first.rows != shape[0] {
        throw refused("\(name) has \(shape[0]) rows, \(first.name) has \(first.rows); they must have as many")
      }
      first = first ?? (name, shape[0])
      columns += shape.count == 1 ? [.init(name)] : points.map { .init(name, at: $0) }
      parts.append((values, shape.count == 1 ? 1 : points.count))
    }
    guard let first, first.rows > 0, !columns.isEmpty else { throw refused("there are no rows") }
    var values: [Double] = []
    values.reserveCapacity(first.rows * columns.count)
    for row in 0..<first.rows {
      for part in parts { values += part.values[row * part.width..<(row + 1) * part.width] }
    }
    return SampleTable(path: path, digest: digest, axis: axisName, columns: columns, values: values)
  }
}
