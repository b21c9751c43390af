/// Standard error of the mean of a correlated series by batch means, in constant memory: batches are joined in pairs when
/// there are too many, so their length grows with the series (between 32 and 64 batches once it is long enough).
public struct BatchMeans: Sendable, Equatable {
  public static let capacity = 64
  /// Numbers that `words` holds.
  public static let wordCount = capacity + 4

  /// Subtracted from every value, so that sums of a nearly constant series lose nothing.
  private var shift = 0.0
  private var sums: [Double] = []
  private var current = 0.0
  private var inCurrent = 0
  private var length = 1
  private var total = 0

  public init() { sums.reserveCapacity(Self.capacity) }

  public mutating func add(_ x: Double) {
    if total == 0 { shift = x }
    total += 1
    current += x - shift
    inCurrent += 1
    guard inCurrent == length else { return }
    sums.append(current)
    current = 0
    inCurrent = 0
    if sums.count == Self.capacity {
      sums = (0..<Self.capacity / 2).map { sums[2 * $0] + sums[2 * $0 + 1] }
      length *= 2
    }
  }

  /// Standard error of the mean of the series; NaN below 16 batches.
  public var standardError: Double {
    guard sums.count >= 16 else { return .nan }
    let means = sums.map { $0 / Double(length) }
    let k = Double(means.count)
    let mean = means.reduce(0, +) / k
    let variance = means.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (k - 1)
    return (variance / k).squareRoot()
  }

  /// Whether these may be `words`: two counts among them, the second not the smaller.
  public static func areWords(_ words: [Double]) -> Bool {
    words.count == wordCount && Int(exactly: words[2]).map { $0 >= 0 } ?? false && words[3] >= words[2]
      && Int(exactly: words[3]) != nil
  }

  /// The state, for checkpoints.
  public var words: [Double] {
    get {
      [shift, current, Double(inCurrent), Double(total)] + sums
        + Array(repeating: .nan, count: Self.capacity - sums.count)
    }
    set {
      precondition(newValue.count == Self.wordCount)
      shift = newValue[0]
      current = newValue[1]
      inCurrent = Int(newValue[2])
      total = Int(newValue[3])
      sums = Array(newValue[4...].prefix { !$0.isNaN })
      let whole = total - inCurrent
      length = sums.isEmpty ? 1 : whole / sums.count
    }
  }
}
