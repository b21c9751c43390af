import Archive
import Foundation
import Networks
import Simulation

/// Rows of numbers from CSV and HDF5 files.
enum DataFiles {
  /// The requested rows; throws `Failure` with the file, line and column of what is wrong.
  static func rows(_ request: Inputs.FileRequest) throws -> [[Double]] {
    guard FileSystem.exists(request.file) else {
      throw Failure(.badData, "\(request.file): no such file (inputs.file is relative to the folder fathom is run in)")
    }
    let isHDF5 = [".h5", ".hdf5"].contains { request.file.lowercased().hasSuffix($0) }
    return try isHDF5 ? hdf5(request) : csv(request)
  }

  private static func csv(_ request: Inputs.FileRequest) throws -> [[Double]] {
    let file = request.file
    guard let data = FileManager.default.contents(atPath: file) else {
      throw Failure(.inputOutput, "\(file): cannot be read")
    }
    let lines = String(decoding: data, as: UTF8.self).split(omittingEmptySubsequences: false) { $0.isNewline }
      .enumerated().filter { !$0.element.allSatisfy(\.isWhitespace) }
    func fields(_ line: Substring) -> [String] {
      line.split(separator: ",", omittingEmptySubsequences: false).map { $0.trimmingCharacters(in: .whitespaces) }
    }
    guard let first = lines.first else { throw Failure(.badData, "\(file): is empty") }
    // A first line with anything that is no number is a header.
    let header = fields(first.element)
    let hasHeader = header.contains { Double($0) == nil }
    var kept = Array(header.indices)
    for name in request.drop {
      guard hasHeader, let index = header.firstIndex(of: name) else {
        throw Failure(.badData, "\(file): no column \(name) to drop")
      }
      kept.removeAll { $0 == index }
    }
    let body = Array(lines.dropFirst(hasHeader ? 1 : 0))
    return try request.rows.map { row in
      guard row < body.count else {
        throw Failure(.badData, "\(file): row \(row) was asked for, but there are \(body.count) rows (from 0)")
      }
      let line = body[row].offset + 1
      let parts = fields(body[row].element)
      guard parts.count == header.count else {
        throw Failure(.badData, "\(file), line \(line): \(parts.count) columns, the first line has \(header.count)")
      }
      return try kept.map { column in
        guard let value = Double(parts[column]), value.isFinite else {
          throw Failure(
            .badData, "\(file), line \(line), column \(column + 1): \"\(parts[column])\" is not a finite number")
        }
        return value
      }
    }
  }

  private static func hdf5(_ request: Inputs.FileRequest) throws -> [[Double]] {
    guard !request.dataset.isEmpty else {
      throw Failure(.badData, "\(request.file): inputs.dataset must name a dataset of the file")
    }
    guard request.drop.isEmpty else {
      throw Failure(.badData, "\(request.file): inputs.drop names columns of a CSV file; an HDF5 dataset has none")
    }
    let shape: [Int]
    let values: [Double]
    do {
      let reader = try ArchiveReader(unsealed: request.file)
      (shape, values) = try reader.read(request.dataset, as: Double.self)
    } catch {
      throw Failure(.badData, "\(request.file): \(error)")
    }
    guard let count = shape.first, shape.count >= 2, count > 0 else {
      throw Failure(.badData, "\(request.file): \(request.dataset) has shape \(shape); it must have rows and columns")
    }
    let features = values.count / count
    return try request.rows.map { row in
      guard row < count else {
        throw Failure(
          .badData, "\(request.file): row \(row) was asked for, but \(request.dataset) has \(count) rows (from 0)")
      }
      let part = Array(values[row * features..<(row + 1) * features])
      guard let bad = part.firstIndex(where: { !$0.isFinite }) else { return part }
      throw Failure(
        .badData, "\(request.file): \(request.dataset)[\(row), \(bad)] = \(part[bad]) is not a finite number")
    }
  }
}
