/// Moments from the sums of a tally, and from its histogram where powers have left the range of numbers.
///
/// A power of a deviation is rounded to a Double before it is added. Of deviations near 1e-168 the squares are 0, of those near 1e45 the
/// eighth powers are infinite; their sums then say nothing of the moments. The histogram knows every value to one part in 256, which is
/// enough for a standard error: where the values spread over many of its buckets their powers are summed in units of the spread. Where
/// they do not, the moments are not known, hence NaN, and nothing that needs them is tested.
extension Tally {
  /// Whether typical products of deviations, given their binary exponent, are kept with all their digits.
  static func isHeld(_ exponent: Int) -> Bool { exponent >= -960 }

  /// Moments of one observable.
  public func moments(_ observable: Int) -> Moments {
    carry()
    let count = counter(.draws) - notFinite[observable]
    let centre = layout.centres[observable]
    func sum(_ power: Int, exponent: Int = 0) -> Double {
      ExactSum.value(sums + (observable * 8 + power - 1) * ExactSum.words, exponent: -power * exponent)
    }
    let powers = (1...8).map { sum($0) }
    let variance = powers[1] / Double(count)
    let isConstant = powers[0] == 0 && powers[1] == 0
    let isInRange = isConstant || Self.isHeld(4 * Moments.exponent(variance)) && variance > 0
    if count < 2 || isInRange && powers.allSatisfy(\.isFinite) {
      return Moments(count: count, centre: centre, powers: powers)
    }
    let grouped = GroupedDeviations(histograms[observable], centre: centre)
    let exponent =
      variance.isFinite && variance >= 0x1p-960 ? Moments.exponent(variance.squareRoot()) : grouped.largestExponent
    let scaled = (1...8).map { power -> Double in
      let exact = sum(power, exponent: exponent)
      return Self.isHeld(power * exponent) && exact.isFinite || power == 1
        ? exact : grouped.sum(power, exponent: exponent)
    }
    return Moments(count: count, centre: centre, powers: scaled, exponent: exponent)
  }
}

/// Deviations from a centre, each that of the middle of its bucket.
private struct GroupedDeviations {
  private let deviations: [(value: Double, width: Double, count: Double)]
  /// Binary exponent of the largest.
  let largestExponent: Int

  init(_ histogram: BitHistogram, centre: Double) {
    deviations = histogram.buckets().map {
      (0.5 * $0.lower + 0.5 * $0.upper - centre, $0.upper - $0.lower, Double($0.count))
    }
    largestExponent = Moments.exponent(deviations.reduce(0) { max($0, $1.value.magnitude) })
  }

  /// The sum of powers in units of `2^exponent`; NaN where the buckets are too wide for the spread of the values.
  func sum(_ power: Int, exponent: Int) -> Double {
    let scaled = deviations.map { entry in
      (
        x: Moments.scale(entry.value, -exponent), width: Moments.scale(entry.width, -exponent), count: entry.count
      )
    }
    let mean = scaled.reduce(0) { $0 + $1.count * $1.x } / scaled.reduce(0) { $0 + $1.count }
    let spread = scaled.reduce(0) { $0 + $1.count * ($1.x - mean) * ($1.x - mean) }
    let within = scaled.reduce(0) { $0 + $1.count * $1.width * $1.width / 12 }
    // The variance within buckets, at most a thousandth of the whole.
    guard within <= 1e-3 * spread else { return .nan }
    return scaled.reduce(0) { total, entry in total + (0..<power).reduce(entry.count) { term, _ in term * entry.x } }
  }
}
