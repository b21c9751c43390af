import Experiments

/// An array of an HDF5 or a NumPy file as a table: the first axis numbers the rows, the others together the columns.
package struct NumberArray {
  let file: String
  /// Of the dataset; empty in a file of one array.
  let name: String
  /// Of the numbers as the file holds them, if it is worth saying.
  let type: String
  let shape: [Int]
  /// In C order.
  let values: [Double]

  init(file: String, name: String, type: String, shape: [Int], values: [Double]) throws {
    guard !shape.isEmpty, !values.isEmpty else {
      throw Failure(
        .badData, "\(file): \(name.isEmpty ? "its array" : name) has shape \(shape); it must have rows and columns")
    }
    self.file = file
    self.name = name
    self.type = type
    self.shape = shape
    self.values = values
  }

  private var columns: Int { values.count / shape[0] }

  /// As the log says it.
  var summary: String {
    let words = [name, counted(columns, "column"), counted(shape[0], "row"), "no header", type]
    let higher = shape.count > 2 ? ["of shape " + shape.map(String.init).joined(separator: " x ")] : []
    return (words.filter { !$0.isEmpty } + higher).joined(separator: ", ")
  }

  package func table(rows: [Int]?) throws -> DataTable {
    let width = columns
    return DataTable(
      columns: [],
      rows: try (rows ?? Array(0..<shape[0])).map { row in
        guard row < shape[0] else {
          throw Failure(
            .badData,
            "\(file): row \(row) was asked for, but \(name.isEmpty ? "there are" : name + " has") \(shape[0]) rows (from 0)"
          )
        }
        let part = Array(values[row * width..<(row + 1) * width])
        guard let bad = part.firstIndex(where: { !$0.isFinite }) else { return part }
        throw Failure(.badData, "\(file): \(name)[\(row), \(bad)] = \(part[bad]) is not a finite number")
      })
  }
}

/// `5 columns`, `1 column`.
func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }
