import Archive
import Experiments
import Foundation

/// The data files of a job: text (`DelimitedText`), NumPy arrays (`NumPyArray`) and HDF5 datasets. Every file is read once, and a note says
/// what was read.
package final class DataFiles: DataSource {
  /// A file as it was read.
  private enum Content {
    case text(DelimitedText)
    case array(NumberArray)
  }

  private struct Place: Hashable {
    let path, dataset: String
    let header: Bool?
  }

  private let job: String
  private var contents: [Place: Content] = [:]

  /// - Parameter job: path of the job file, which data files are relative to.
  package init(job: String) { self.job = job }

  /// The requested rows and columns; throws `Failure` with the file, line and column of what is wrong.
  package func table(_ request: TableRequest) throws -> DataTable {
    let path = try locate(request.file)
    let place = Place(path: path, dataset: request.dataset, header: request.header)
    let content = try contents[place] ?? read(place)
    contents[place] = content
    switch content {
    case .text(let text):
      let table = try text.table(drop: request.drop, rows: request.rows)
      let dropped = request.drop.isEmpty ? "" : "; left out: " + DataTable.list(request.drop, atMost: 10)
      Notes.add("read \(path): \(text.summary)\(dropped)")
      return table
    case .array(let array):
      guard request.drop.isEmpty, request.header == nil else {
        let key = request.drop.isEmpty ? "header" : "drop"
        throw Failure(.badData, "\(path): \(key) speaks of the names of columns; an array has none")
      }
      let table = try array.table(rows: request.rows)
      Notes.add("read \(path): \(array.summary)")
      return table
    }
  }

  /// Where the file is: beside the job file, or else in the folder that the program was started in, with a note.
  func locate(_ file: String) throws -> String {
    guard !file.isEmpty else { throw Failure(.badData, "file = \"\": must name a data file") }
    if file.hasPrefix("/") {
      guard FileSystem.exists(file) else { throw Failure(.badData, "\(file): no such file") }
      return file
    }
    let folder = job.lastIndex(of: "/").map { String(job[...$0]) } ?? ""
    let beside = folder + file
    if FileSystem.exists(beside) {
      if !folder.isEmpty, FileSystem.exists(file), Self.real(file) != Self.real(beside) {
        Notes.add("\(file): there are two of this name; the one beside the job file is read, \(beside)")
      }
      return beside
    }
    guard !folder.isEmpty else { throw Failure(.badData, "\(file): no such file beside the job file") }
    guard FileSystem.exists(file) else {
      throw Failure(
        .badData, "\(file): no such file, neither beside the job file (\(beside)) nor in the folder fathom is run in")
    }
    Notes.add(
      "\(file): found in the folder fathom is run in, not beside the job file (\(beside)), which files are relative to")
    return file
  }

  private static func real(_ path: String) -> String { URL(fileURLWithPath: path).resolvingSymlinksInPath().path }

  /// Reads a file by what it holds; its name counts only where that is not clear.
  private func read(_ place: Place) throws -> Content {
    let (path, name) = (place.path, place.path.lowercased())
    if [".h5", ".hdf5"].contains(where: name.hasSuffix) { return .array(try hdf5(place)) }
    guard let data = FileManager.default.contents(atPath: path) else {
      throw Failure(.inputOutput, "\(path): cannot be read")
    }
    let bytes = [UInt8](data)
    if bytes.starts(with: [0x89] + Array("HDF\r\n".utf8)) { return .array(try hdf5(place)) }
    if name.hasSuffix(".npy") || bytes.starts(with: NumPyArray.magic) {
      return .array(try NumPyArray.read(bytes, file: path))
    }
    return .text(try DelimitedText(bytes, file: path, header: place.header))
  }

  private func hdf5(_ place: Place) throws -> NumberArray {
    guard !place.dataset.isEmpty else {
      throw Failure(.badData, "\(place.path): the key dataset must name a dataset of the file")
    }
    do {
      let reader = try ArchiveReader(unsealed: place.path)
      let (shape, values) = try reader.read(place.dataset, as: Double.self)
      return try NumberArray(file: place.path, name: place.dataset, type: "", shape: shape, values: values)
    } catch let failure as Failure {
      throw failure
    } catch {
      throw Failure(.badData, "\(place.path): \(error)")
    }
  }
}

/// Data files that rank 0 reads for all: one request, one message.
package final class SharedData: DataSource {
  let source: any DataSource
  let world: any Collectives
  private var tables: [TableRequest: DataTable] = [:]
  var sampleTables: [SampleRequest: SampleTable] = [:]
  var graphs: [GraphRequest: EdgeList] = [:]

  package init(_ source: any DataSource, _ world: any Collectives) {
    self.source = source
    self.world = world
  }

  package func table(_ request: TableRequest) throws -> DataTable {
    // Every rank makes the same requests, so all of them find a table here, or none.
    if let table = tables[request] { return table }
    var encoder = StateEncoder()
    try world.onRoot {
      let table = try source.table(request)
      encoder.add("columns", table.columns)
      encoder.add("lengths", table.rows.map { Int64($0.count) })
      encoder.add("values", table.rows.flatMap { $0 })
    }
    let decoder = StateDecoder(bytes: try world.broadcast(world.isRoot ? encoder.bytes : []))
    var rest = try decoder.doubles("values")[...]
    let rows = try decoder.integers("lengths").map { length -> [Double] in
      defer { rest = rest.dropFirst(Int(length)) }
      return Array(rest.prefix(Int(length)))
    }
    let table = DataTable(columns: try decoder.texts("columns"), rows: rows)
    tables[request] = table
    return table
  }
}
