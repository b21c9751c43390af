/// How far the draws of a leg are from independent, where that cannot be taken for granted: rows that another program made, perhaps one
/// after the other along a chain. Worked out once, of all rows, when they are read.
public struct Dependence: Sendable, Equatable, Codable {
  /// One observable at one point of the axis.
  public struct Column: Sendable, Equatable, Codable {
    /// How many independent rows would give the same error of the mean, and of whatever else is asked of the law; at most the rows.
    public let forMeans, forLaws: Double
    /// Lag-1 autocorrelation of the normal scores of the ranks, in the order of the file; nil of chains, and of what does not vary.
    public let lagOne: Double?
    /// Of chains: the larger of bulk and folded rank-normalised split R-hat; bulk effective rows; effective rows as if the chains agreed.
    /// Nil without chains, and of what does not vary.
    public let rHat, bulk, within: Double?

    public init(
      forMeans: Double, forLaws: Double, lagOne: Double? = nil, rHat: Double? = nil, bulk: Double? = nil,
      within: Double? = nil
    ) {
      self.forMeans = forMeans
      self.forLaws = forLaws
      self.lagOne = lagOne
      self.rHat = rHat
      self.bulk = bulk
      self.within = within
    }
  }

  public let rows: Int
  /// Nil for rows that are said to be independent.
  public let chains: Int?
  /// As the numbers of a draw: point by point of the axis, the observables.
  public let columns: [Column]

  public init(rows: Int, chains: Int?, columns: [Column]) {
    precondition(rows > 0)
    self.rows = rows
    self.chains = chains
    self.columns = columns
  }

  /// The share of the rows that counts as independent, at most 1.
  public func share(_ column: Int, isMean: Bool) -> Double {
    min(1, (isMean ? columns[column].forMeans : columns[column].forLaws) / Double(rows))
  }

  /// What errors of independent rows are multiplied by.
  func growth(_ column: Int, isMean: Bool) -> Double {
    let share = share(column, isMean: isMean)
    return share < 1 ? 1 / share.squareRoot() : 1
  }

  /// Whether it can be that of a leg whose draws have this many numbers.
  public func isSound(width: Int) -> Bool {
    let most = Double(rows)
    return rows > 0 && chains.map { (1...rows).contains($0) } ?? true && columns.count == width
      && columns.allSatisfy { (0...most).contains($0.forMeans) && (0...most).contains($0.forLaws) }
  }
}

extension Dependence {
  /// Columns of the tables of a leg.
  func columns(axes: [String]) -> [Table.Column] {
    func column(_ name: String, _ summary: String, _ value: (Column) -> Double?) -> Table.Column {
      .init(name, .numbers(columns.map { value($0) ?? .nan }), axes: axes, summary)
    }
    let effective = [
      column("effective_rows", "independent rows that give the same error of the mean") { $0.forMeans },
      column("effective_rows_of_law", "the same of squares and shares below quantiles, the smallest") { $0.forLaws },
    ]
    guard chains != nil else {
      return [column("lag_1", "correlation of the ranks' scores from one row to the next") { $0.lagOne }]
    }
    return effective + [
      column("r_hat", "rank-normalised split R-hat over the chains, the larger of bulk and folded") { $0.rHat }
    ]
  }
}
