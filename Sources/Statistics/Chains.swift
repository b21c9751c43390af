import Kernels

/// Several chains of the same length, and what they say about how well they mix: rank-normalised split R-hat, effective sample sizes and Monte
/// Carlo errors as Vehtari, Gelman, Simpson, Carpenter and Bürkner define them (arXiv:1903.08008); the variance between the chains enters.
///
/// Every chain is split into halves (an odd value in the middle is left out), so that a drift counts as disagreement.
public struct Chains: Sendable {
  /// Chain by chain.
  public let values: [Double]
  public let count, length: Int
  private let sorted: [Double]
  private let halves: SplitChains

  /// What of a chain is ranked: its values, or their distances from the median, which tell chains of different width apart.
  public enum Scale: Sendable { case bulk, folded }

  /// Nil for chains of fewer than four values, with a value that is not finite, or without any variation.
  public init?(_ values: [Double], count: Int) {
    guard count > 0, values.count % count == 0, values.count / count >= 4, values.allSatisfy(\.isFinite) else {
      return nil
    }
    self.values = values
    self.count = count
    length = values.count / count
    // The only sort: what is ranked below follows from this order.
    let order = values.enumerated().map { (value: $0.element, place: Int32($0.offset)) }.sorted { $0.value < $1.value }
    sorted = order.map(\.value)
    guard sorted.first! < sorted.last! else { return nil }
    halves = SplitChains(values, chains: count, order: order.map(\.place))
  }

  /// Mean over all chains and its Monte Carlo error: the standard deviation of all values over the root of the effective samples.
  public var mean: Double { values.reduce(0, +) / Double(values.count) }
  public func meanError(effectiveSamples: Double) -> Double { (variance / effectiveSamples).squareRoot() }

  private var variance: Double {
    let mean = mean
    return values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)
  }

  /// Effective sample size for the mean.
  public var effectiveSamples: Double { halves.effectiveSamples().total }
  /// The same as if the chains agreed: from the correlation within them.
  public var effectiveSamplesWithin: Double { halves.effectiveSamples().within }

  /// R-hat and the effective sample size of the rank-normalised values; the latter on the bulk scale is the bulk effective sample size.
  public func mixing(_ scale: Scale) -> Mixing {
    let ranked = scale == .bulk ? halves.rankNormalised : halves.folded.rankNormalised
    let size = ranked.effectiveSamples()
    return Mixing(rHat: ranked.rHat, effectiveSamples: size.total, effectiveSamplesWithin: size.within)
  }

  public struct Mixing: Sendable {
    /// 1 where the half chains agree, infinite if each is constant and they differ; NaN if all values are the same.
    public let rHat: Double
    public let effectiveSamples, effectiveSamplesWithin: Double
  }

  /// The smaller of the effective sample sizes of the 5% and of the 95% quantile.
  public var tailEffectiveSamples: Double { min(quantile(0.05).effectiveSamples, quantile(0.95).effectiveSamples) }

  public struct Quantile: Sendable {
    /// Of chains that are not known.
    public static let unknown = Quantile(value: .nan, effectiveSamples: .nan, error: .nan)
    public let value, effectiveSamples: Double
    /// Monte Carlo error: half the distance of the quantiles at the borders of the central 68% of a beta law (section 4.3 there).
    public let error: Double
  }

  /// A quantile of the values of all chains, linear between order statistics.
  public func quantile(_ level: Double) -> Quantile {
    let last = Double(sorted.count - 1)
    let place = level * last
    let below = min(Int(place), sorted.count - 2)
    let value = sorted[below] + (place - Double(below)) * (sorted[below + 1] - sorted[below])
    let size = SplitChains(values.map { $0 <= value ? 1 : 0 }, chains: count).effectiveSamples().total
    func bound(_ p: Double) -> Double {
      BetaLaw.quantile(p, size * level + 1, size * (1 - level) + 1) * Double(sorted.count) - 1
    }
    let low = sorted[Int(max(bound(0.1586553), 0))]
    let high = sorted[Int(min(bound(0.8413447), last).rounded(.up))]
    return Quantile(value: value, effectiveSamples: size, error: 0.5 * (high - low))
  }
}

/// The halves of chains.
private struct SplitChains {
  let values: [Double]
  let count, length: Int
  /// Places of the values, ascending by value; empty where nothing is to be ranked.
  private let order: [Int32]

  /// - Parameter order: places in `whole`, ascending by value.
  init(_ whole: [Double], chains: Int, order: [Int32] = []) {
    let full = whole.count / chains
    let length = full / 2
    self.length = length
    count = 2 * chains
    guard full > 2 * length else {
      (values, self.order) = (whole, order)
      return
    }
    var kept: [Double] = []
    kept.reserveCapacity(count * length)
    for chain in 0..<chains {
      kept += whole[chain * full..<chain * full + length]
      kept += whole[(chain + 1) * full - length..<(chain + 1) * full]
    }
    values = kept
    self.order = order.compactMap { place in
      let (chain, i) = (Int(place) / full, Int(place) % full)
      return i == length ? nil : Int32(chain * 2 * length + (i < length ? i : i - 1))
    }
  }

  private init(_ values: [Double], like other: SplitChains, order: [Int32] = []) {
    (self.values, count, length, self.order) = (values, other.count, other.length, order)
  }

  /// Distances from the median.
  var folded: SplitChains {
    func value(_ rank: Int) -> Double { values[Int(order[rank])] }
    let median = 0.5 * (value((order.count - 1) / 2) + value(order.count / 2))
    let distances = values.map { ($0 - median).magnitude }
    // Below the median they ascend downwards.
    var above = order.firstIndex { values[Int($0)] >= median } ?? order.count
    var below = above - 1
    var merged: [Int32] = []
    merged.reserveCapacity(order.count)
    while below >= 0 || above < order.count {
      if above == order.count || (below >= 0 && distances[Int(order[below])] < distances[Int(order[above])]) {
        merged.append(order[below])
        below -= 1
      } else {
        merged.append(order[above])
        above += 1
      }
    }
    return SplitChains(distances, like: self, order: merged)
  }

  /// Normal scores of the ranks among all values, equal values sharing their mean rank (Blom, 1958; equation 14).
  var rankNormalised: SplitChains {
    var scores = values
    var first = 0
    while first < order.count {
      let value = values[Int(order[first])]
      var end = first + 1
      while end < order.count, values[Int(order[end])] == value { end += 1 }
      let rank = 0.5 * Double(first + 1 + end)
      let score = Gaussian.quantile((rank - 0.375) / (Double(order.count) + 0.25))
      for i in first..<end { scores[Int(order[i])] = score }
      first = end
    }
    return SplitChains(scores, like: self)
  }

  /// From the first value on, so that the mean of equal values is that value.
  private var means: [Double] {
    (0..<count).map { chain in
      let own = values[chain * length..<(chain + 1) * length]
      return own.reduce(0) { $0 + ($1 - own.first!) } / Double(length) + own.first!
    }
  }

  private static func variance(_ x: some Collection<Double>, about mean: Double) -> Double {
    x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(x.count - 1)
  }

  /// Of the means.
  private static func variance(_ x: [Double]) -> Double { variance(x, about: x.reduce(0, +) / Double(x.count)) }

  /// R-hat (equation 4) of these halves as chains.
  var rHat: Double {
    let n = Double(length)
    let means = means
    let within =
      means.indices.reduce(0) {
        $0 + Self.variance(values[$1 * length..<($1 + 1) * length], about: means[$1])
      } / Double(count)
    let between = Self.variance(means)
    guard within > 0 else { return between > 0 ? .infinity : .nan }
    return (between / within + (n - 1) / n).squareRoot()
  }

  /// Effective samples by equations 10 to 13, with Geyer's initial monotone sequence; `within` leaves the variance between the chains out.
  func effectiveSamples() -> (total: Double, within: Double) {
    let means = means
    let centred = values.indices.map { values[$0] - means[$0 / length] }
    var lags: [Double] = []
    func covariance(_ lag: Int) -> Double {
      while lags.count <= lag { lags.append(Self.covariance(centred, lag: lags.count, chains: count, length: length)) }
      return lags[lag]
    }
    let biased = covariance(0)
    let between = Self.variance(means)
    let all = Double(values.count)
    func size(_ variance: Double) -> Double {
      // All values of each half are the same, and the halves agree.
      guard variance > 0 else { return all }
      let within = biased * Double(length) / Double(length - 1)
      let time = Self.time(length) { 1 - (within - covariance($0)) / variance }
      // Antithetic chains gain so much and no more.
      return all / max(time, Elementary.log(10) / Elementary.log(all))
    }
    return (size(biased + between), size(biased))
  }

  /// The integrated autocorrelation time: -1 + 2 sum rho_t, up to the first pair of lags with a negative sum.
  private static func time(_ length: Int, _ correlation: (Int) -> Double) -> Double {
    var rho = [1.0, correlation(1)]
    var (even, odd) = (rho[0], rho[1])
    var t = 1
    while t < length - 3, even + odd > 0 {
      (even, odd) = (correlation(t + 1), correlation(t + 2))
      rho += even + odd >= 0 ? [even, odd] : [0, 0]
      t += 2
    }
    let last = t - 2
    // One more lag of an even number lowers the variance of antithetic chains.
    rho += [0, 0]
    if even > 0 { rho[last + 1] = even }
    t = 1
    while t <= last - 2 {
      if rho[t + 1] + rho[t + 2] > rho[t - 1] + rho[t] {
        rho[t + 1] = 0.5 * (rho[t - 1] + rho[t])
        rho[t + 2] = rho[t + 1]
      }
      t += 2
    }
    return -1 + 2 * rho.prefix(last + 1).reduce(0, +) + rho[last + 1]
  }

  /// Mean over the chains of sum_i x_i x_{i+lag} / n.
  private static func covariance(_ x: [Double], lag: Int, chains: Int, length: Int) -> Double {
    let terms = length - lag
    let total = x.withUnsafeBytes { bytes in
      (0..<chains).reduce(0.0) { sum, chain in
        let size = MemoryLayout<Double>.size
        let start = chain * length * size
        var lanes = SIMD8<Double>.zero
        var i = 0
        while i + 8 <= terms {
          let a = bytes.loadUnaligned(fromByteOffset: start + i * size, as: SIMD8<Double>.self)
          let b = bytes.loadUnaligned(fromByteOffset: start + (i + lag) * size, as: SIMD8<Double>.self)
          lanes += a * b
          i += 8
        }
        var rest = lanes.sum()
        while i < terms {
          rest += x[chain * length + i] * x[chain * length + i + lag]
          i += 1
        }
        return sum + rest
      }
    }
    return total / Double(chains * length)
  }
}
