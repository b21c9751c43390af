/// Rows that another program made, as a job asks for them.
public struct SampleRequest: Sendable, Hashable {
  /// As the job writes it: relative to the job file, or absolute.
  public let file: String
  /// Names of the columns of a file that has none.
  public let columns: [String]?

  public init(file: String, columns: [String]? = nil) {
    self.file = file
    self.columns = columns
  }
}

/// A file of rows: a draw a row, and a column for each observable at each point of the axis.
public struct SampleTable: Sendable {
  public struct Column: Sendable, Hashable {
    /// Of the observable, such as `V[0,1]`; or of an index of chains.
    public let name: String
    /// The point of the axis; nil where there is none.
    public let point: Double?

    public init(_ name: String, at point: Double? = nil) {
      self.name = name
      self.point = point
    }

    /// `name`, or `name@point`; nil if what stands behind the @ is no finite number.
    public init?(_ text: String) {
      guard let at = text.lastIndex(of: "@") else {
        self.init(text, at: nil)
        return
      }
      guard let point = Double(text[text.index(after: at)...]), point.isFinite else { return nil }
      self.init(String(text[..<at]), at: point)
    }

    public var text: String { point.map { "\(name)@\(Axis.label($0))" } ?? name }
  }

  /// Where it was found.
  public let path: String
  /// SHA-256 of the bytes of the file.
  public let digest: String
  /// What the axis is called; nil where the file does not say.
  public let axis: String?
  public let columns: [Column]
  /// Row by row; never NaN.
  public let values: [Double]

  public init(path: String, digest: String, axis: String?, columns: [Column], values: [Double]) {
    precondition(!columns.isEmpty && values.count % columns.count == 0)
    self.path = path
    self.digest = digest
    self.axis = axis
    self.columns = columns
    self.values = values
  }

  public var rows: Int { values.count / columns.count }
}

extension DataSource {
  /// For sources that have tables only.
  public func samples(_ request: SampleRequest) throws -> SampleTable {
    throw Failure(.badData, "\(request.file): files of rows are not read here")
  }
}
