/// Joint moments of chosen pairs. They have sums of their own for everything they need, also for what other sums of the tally
/// hold, because those are over other draws: the powers over the draws in which one observable is finite, the products over
/// those in which the whole group is.
extension Tally {
  /// Adds a draw to the sums of the joint pairs.
  @usableFromInline @inline(never)
  func recordPairs(_ values: UnsafePointer<Double>) {
    var sum = sums + layout.sumsBeforePairs * ExactSum.words
    for (place, pair) in layout.jointPairs.enumerated() {
      let (i, j) = (pair.group * layout.perGroup + pair.i, pair.group * layout.perGroup + pair.j)
      let (x, y) = (values[i], values[j])
      guard x.isFinite && y.isFinite else {
        incompletePairs[place] &+= 1
        sum += JointMoments.powers.count * ExactSum.words
        continue
      }
      JointMoments.forEachPower(x - layout.centres[i], y - layout.centres[j]) { power in
        ExactSum.add(power, to: sum)
        sum += ExactSum.words
      }
    }
  }

  /// Covariance and correlation of two observables of a group, with errors; nil if the layout does not have the pair (in
  /// either order).
  public func jointMoments(group: Int, i: Int, j: Int) -> JointMoments? {
    let wanted = [JointPair(group: group, i: i, j: j), JointPair(group: group, i: j, j: i)]
    guard let place = layout.jointPairs.firstIndex(where: wanted.contains) else { return nil }
    carry()
    let first = layout.sumsBeforePairs + place * JointMoments.powers.count
    let exponents = [i, j].map { Moments.exponent(moments(group * layout.perGroup + $0).standardDeviation) }
    let (x, y) = wanted[0] == layout.jointPairs[place] ? (exponents[0], exponents[1]) : (exponents[1], exponents[0])
    return JointMoments(
      count: counter(.draws) - incompletePairs[place],
      sums: JointMoments.powers.enumerated().map { index, power in
        let exponent = power.0 * x + power.1 * y
        return Self.isHeld(exponent)
          ? ExactSum.value(sums + (first + index) * ExactSum.words, exponent: -exponent) : .nan
      }, exponents: (x, y))
  }
}
