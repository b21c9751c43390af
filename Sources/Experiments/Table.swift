/// A table of results: named columns over labelled axes. Analyses and recorders make tables; one writer puts them into HDF5 with dimension
/// scales, one into JSON, one into text.
public struct Table: Sendable {
  public enum Values: Sendable, Equatable {
    case numbers([Double])
    case integers([Int64])
    case texts([String])
    /// Nothing where a row has none.
    case optionalIntegers([Int64?])
    case optionalTexts([String?])
    case flags([Bool])

    public var count: Int {
      switch self {
      case .numbers(let values): values.count
      case .integers(let values): values.count
      case .texts(let values): values.count
      case .optionalIntegers(let values): values.count
      case .optionalTexts(let values): values.count
      case .flags(let values): values.count
      }
    }
  }

  public struct Column: Sendable {
    public let name: String
    public let values: Values
    /// Names of its axes, slowest first.
    public let axes: [String]
    public let unit: String
    public let summary: String

    public init(_ name: String, _ values: Values, axes: [String] = ["row"], unit: String = "1", _ summary: String = "")
    {
      self.name = name
      self.values = values
      self.axes = axes
      self.unit = unit
      self.summary = summary
    }
  }

  public enum Attribute: Sendable, Equatable {
    case text(String)
    case number(Double)
    case integer(Int64)
  }

  /// How people read it: a column of text from one or two columns of numbers.
  public struct Field: Sendable {
    public enum Format: Sendable {
      /// As it is.
      case plain
      /// Six significant digits, with the error of another column in the last digits if one is named.
      case value(error: String?)
      /// `printf` format, and what stands for a number that is none.
      case format(String, missing: String)
    }
    public let heading: String
    public let column: String
    public let format: Format

    public init(_ heading: String, _ column: String, _ format: Format = .plain) {
      self.heading = heading
      self.column = column
      self.format = format
    }
  }

  /// Group of the file, without the slash in front, e.g. `comparison/0`. Several tables may go into one group.
  public let group: String
  public var attributes: [(name: String, value: Attribute)] = []
  public var axes: [Column] = []
  public var columns: [Column] = []
  /// What is printed; nothing if empty.
  public var fields: [Field] = []
  /// Rows that are printed unless all are asked for; nil for all.
  public var shown: [Int]?
  /// Lines above and below the printed table.
  public var heading: String?
  public var notes: [String] = []

  public init(group: String) { self.group = group }

  /// A table of rows.
  public init(group: String, attributes: [(name: String, value: Attribute)] = [], rows columns: [Column]) {
    self.group = group
    self.attributes = attributes
    self.columns = columns
    axes = [.init("row", .integers((0..<Int64(columns.first?.values.count ?? 0)).map { $0 }), axes: ["row"])]
  }

  public subscript(column name: String) -> Column? { (columns + axes).first { $0.name == name } }
}
