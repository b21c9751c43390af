import Kernels

/// A law on the line by its quantiles at j/2048, j = 1 ... 2047.
public struct TabulatedLaw: Sendable, Codable, Equatable {
  public static let levels = 2048
  public let name: String
  public let quantiles: [Double]
  /// Variance, for a normal law of mean 0.
  public let normalVariance: Double?

  /// From a density, normalised or not, on [lower, upper]; the mass outside must be negligible.
  public init(
    name: String, from lower: Double, to upper: Double, normalVariance: Double? = nil, density: (Double) -> Double
  ) {
    self.name = name
    self.normalVariance = normalVariance
    let count = 1 << 16
    let width = (upper - lower) / Double(count)
    var values = (0...count).map { density(lower + width * Double($0)) }
    // Trapezoidal rule; linear inside a cell is far below the noise of any sample.
    var cumulative = [0.0]
    for i in 0..<count { cumulative.append(cumulative[i] + 0.5 * (values[i] + values[i + 1])) }
    let total = cumulative[count]
    values = []
    var result: [Double] = []
    var cell = 0
    for level in 1..<Self.levels {
      let wanted = total * Double(level) / Double(Self.levels)
      while cumulative[cell + 1] < wanted { cell += 1 }
      let mass = cumulative[cell + 1] - cumulative[cell]
      result.append(lower + width * (Double(cell) + (mass > 0 ? (wanted - cumulative[cell]) / mass : 0.5)))
    }
    quantiles = result
  }

  /// A law that is symmetric about 0, from $P(|X| > x)$, which falls from 1 at 0; by bisection to 1e-9 of each quantile.
  public init(name: String, symmetric tail: (_ x: Double) -> Double) {
    self.name = name
    normalVariance = nil
    let half = Self.levels / 2
    var above: [Double] = []
    var reach = 1.0
    while tail(reach) > 1 / Double(half) { reach *= 2 }
    while reach > 0x1p-1000, tail(0.5 * reach) <= 1 / Double(half) { reach *= 0.5 }
    for level in 1..<half {
      // P(|X| > x) = 2 (1 - p), p = 1/2 + level / levels.
      let wanted = 1 - Double(level) / Double(half)
      var (low, high) = (above.last ?? 0, reach)
      while high - low > 1e-9 * high {
        let middle = 0.5 * (low + high)
        if tail(middle) > wanted { low = middle } else { high = middle }
      }
      above.append(0.5 * (low + high))
    }
    quantiles = above.reversed().map { -$0 } + [0] + above
  }

  public func quantile(_ level: Int) -> Double { quantiles[level - 1] }

  /// What the table says of the distribution function at x: linear between two quantiles; the whole jump at an atom, where
  /// quantiles repeat; from 0 to 1/2048 below the first quantile, and the like above the last.
  public func probability(below x: Double) -> ClosedRange<Double> {
    /// Quantiles that are less than x, or not greater.
    func count(_ isBelow: (Double) -> Bool) -> Int {
      var (low, high) = (0, quantiles.count)
      while low < high {
        let middle = (low + high) / 2
        if isBelow(quantiles[middle]) { low = middle + 1 } else { high = middle }
      }
      return low
    }
    let step = 1 / Double(Self.levels)
    let (less, notGreater) = (count { $0 < x }, count { $0 <= x })
    if notGreater > less {
      // x is a quantile. One alone is the border of two pieces; several are an atom, known to the levels around it.
      let isAtom = notGreater - less > 1
      return Double(isAtom ? less : less + 1) * step...Double(isAtom ? notGreater + 1 : notGreater) * step
    }
    if less == 0 { return 0...step }
    if less == quantiles.count { return 1 - step...1 }
    let (lower, upper) = (quantiles[less - 1], quantiles[less])
    let value = (Double(less) + (x - lower) / (upper - lower)) * step
    return value...value
  }
}

/// Distances of a sample, given as a histogram, from a known law, and its entropy.
public enum MarginalDistance {
  /// Squared Wasserstein-2 distance: the mean of the squared difference of the quantiles at (j + 1/2)/1024. What lies beyond
  /// the outermost two of them is left out.
  public static func squaredW2(_ sample: BitHistogram, _ law: TabulatedLaw) -> Double {
    let places = stride(from: 1, to: TabulatedLaw.levels, by: 2)
    let levels = places.map { Double($0) / Double(TabulatedLaw.levels) }
    let mine = sample.quantiles(levels)
    let squares = zip(mine, places).map { entry, place in
      (entry.value - law.quantile(place)) * (entry.value - law.quantile(place))
    }
    return squares.reduce(0, +) / Double(squares.count)
  }

  /// Kullback-Leibler divergence KL(sample | law) on the 64 bins that are equally likely under the law.
  public static func divergence(_ sample: BitHistogram, _ law: TabulatedLaw) -> Double {
    let bins = 64
    let edges = (1..<bins).map { law.quantile($0 * TabulatedLaw.levels / bins) }
    let mass = sample.mass(below: edges) + [1]
    var previous = 0.0
    var total = 0.0
    for value in mass {
      let p = value - previous
      previous = value
      if p > 0 { total += p * log(p * Double(bins)) }
    }
    return total
  }

  /// Differential entropy by spacings of quantiles (after Vasicek, 1976): sum of p log(width/p) over pieces of probability p = 1/128,
  /// ever smaller ones towards the tails, down to 2^-14; what lies beyond takes the width of its neighbour.
  public static func entropy(_ sample: BitHistogram) -> Double {
    let tail = (7...14).map { Double(sign: .plus, exponent: -$0, significand: 1) }
    let levels = tail.reversed() + (2...126).map { Double($0) / 128 } + tail.map { 1 - $0 }
    let values = sample.quantiles(levels).map(\.value)
    var total = 0.0
    for i in 1..<levels.count {
      let p = levels[i] - levels[i - 1]
      let outermost = i == 1 || i == levels.count - 1
      total += (outermost ? p + tail.last! : p) * log((values[i] - values[i - 1]) / p)
    }
    return total
  }

  private static func log(_ x: Double) -> Double { x > 0 ? Elementary.log(x) : 0 }

  /// The estimate from all folds with its standard error and its bias taken off, by leaving out one fold at a time.
  public static func jackknife(
    _ folds: [BitHistogram], _ estimate: (BitHistogram) -> Double
  ) -> (value: Double, error: Double) {
    let used = folds.filter { !$0.pages.isEmpty }
    func joined(without left: Int?) -> BitHistogram {
      var result = BitHistogram()
      for (i, fold) in used.enumerated() where i != left {
        for page in fold.pages { result.add(page: page, counts: fold.page(page)) }
      }
      return result
    }
    guard !used.isEmpty else { return (.nan, .nan) }
    let whole = estimate(joined(without: nil))
    guard used.count >= 2 else { return (whole, .nan) }
    let k = Double(used.count)
    let parts = used.indices.map { estimate(joined(without: $0)) }
    let mean = parts.reduce(0, +) / k
    let variance = parts.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } * (k - 1) / k
    return (k * whole - (k - 1) * mean, variance.squareRoot())
  }
}

extension BitHistogram {
  /// Share of the values below each of the ascending edges, linear within a bucket.
  public func mass(below edges: [Double]) -> [Double] {
    let all = buckets()
    let total = Double(all.reduce(0) { $0 + $1.count })
    var result: [Double] = []
    var index = 0
    var before = 0.0
    for edge in edges {
      while index < all.count, all[index].upper <= edge {
        before += Double(all[index].count)
        index += 1
      }
      var share = before
      if index < all.count, all[index].lower < edge {
        let bucket = all[index]
        share += Double(bucket.count) * (edge - bucket.lower) / (bucket.upper - bucket.lower)
      }
      result.append(share / total)
    }
    return result
  }
}
