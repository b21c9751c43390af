import Kernels
import Statistics

/// One observable in one layer, finite system against a reference.
public struct ComparisonRow: Sendable {
  public let observable: String
  public let layer: Int
  /// `mean`, or `second_moment` for exact references that know it.
  public let statistic: String
  public let finite, finiteError: Double
  public let reference, referenceError: Double
  /// Difference in combined standard errors; NaN if draws are too few or tails too heavy for the errors to mean anything.
  public let z: Double
  /// Difference of the means in standard deviations of the finite system.
  public let shift: Double
  /// Two-sample Kolmogorov-Smirnov; nil against a reference without draws.
  public let ks: KolmogorovSmirnov?
  public let verdict: Equivalence?

  public var difference: Double { finite - reference }
}

/// A finite system against one reference: the rows, and what they say.
public struct Comparison: Sendable {
  public let caseLabel: String
  public let reference: String
  public let role: Leg.Role
  public let rows: [ComparisonRow]
  public let verdict: Equivalence
  /// The verdict in one sentence.
  public let sentence: String
  /// `|z|` above which a difference counts as detected: alpha shared among the rows.
  public let criticalZ: Double
  /// Half-width of the confidence band of the KS distances.
  public let ksMargin: Double
}

extension Comparison {
  /// All comparisons of a result, for the legs that have draws.
  public static func all(_ snapshot: Snapshot) -> [Comparison] {
    snapshot.job.cases.flatMap { item -> [Comparison] in
      guard let finite = item.legs.first(where: { $0.role == .finite }),
        let state = snapshot.state(item.path(of: finite)), state.tally.counter(.draws) > 1
      else { return [] }
      return item.legs.filter { $0.role != .finite }.flatMap { leg -> [Comparison] in
        let other = snapshot.state(item.path(of: leg))
        if leg.isSampled && (other?.tally.counter(.draws) ?? 0) < 2 { return [] }
        if let refines = leg.refines {
          guard refines.kind == .integrator, let coarse = item.legs.first(where: { $0.name == refines.leg }),
            let coarseState = snapshot.state(item.path(of: coarse)), let other
          else { return [] }
          return [
            Comparison(
              label: item.label, finite: finite, state: state, coarse: coarse, coarseState: coarseState,
              fineState: other, order: refines.order, tolerances: snapshot.job.tolerances)
          ]
        }
        return [
          Comparison(
            label: item.label, finite: finite, state: state, reference: leg, referenceState: other,
            tolerances: snapshot.job.tolerances)
        ]
      }
    }
  }

  init(
    label: String, finite: Leg, state: LegState, reference: Leg, referenceState: LegState?,
    tolerances: Tolerances
  ) {
    let pairs = Self.pairs(finite, reference)
    let tests = max(1, pairs.count * (reference.role == .exact && !finite.isReplicated ? 2 : 1))
    let critical = Gaussian.critical(tolerances.alpha / Double(tests))
    let margin =
      referenceState.map {
        KolmogorovSmirnov.band(
          state.tally.counter(.draws), $0.tally.counter(.draws), alpha: tolerances.alpha / Double(tests))
      } ?? 0
    let rows = pairs.flatMap { pair -> [ComparisonRow] in
      Self.rows(
        pair, finite, state.tally, reference, referenceState?.tally, tolerances, critical: critical, margin: margin)
    }
    let verdicts = rows.compactMap(\.verdict)
    caseLabel = label
    self.reference = reference.name
    role = reference.role
    self.rows = rows
    criticalZ = critical
    ksMargin = margin
    verdict =
      verdicts.contains(.differs)
      ? .differs : (verdicts.isEmpty || verdicts.contains(.undecided) ? .undecided : .agrees)
    sentence = Self.sentence(
      finite: finite, reference: reference, rows: rows, verdict: verdict, tolerances: tolerances,
      critical: critical, margin: margin)
  }

  /// Against the means of an integrator at step h and h/2, extrapolated to step 0 (Richardson).
  init(
    label: String, finite: Leg, state: LegState, coarse: Leg, coarseState: LegState, fineState: LegState, order: Int,
    tolerances: Tolerances
  ) {
    let pairs = Self.pairs(finite, coarse)
    let critical = Gaussian.critical(tolerances.alpha / Double(max(1, pairs.count)))
    let factor = Double(1 << order)
    let rows = pairs.map { pair -> ComparisonRow in
      let index = pair.layer * finite.observables.count + pair.observable
      let moments = state.tally.moments(index)
      let (h, half) = (coarseState.tally.moments(pair.otherIndex), fineState.tally.moments(pair.otherIndex))
      let reference = (factor * half.mean - h.mean) / (factor - 1)
      let error =
        (factor * factor * half.meanError * half.meanError + h.meanError * h.meanError).squareRoot() / (factor - 1)
      let both = (moments.meanError * moments.meanError + error * error).squareRoot()
      let observable = finite.observables[pair.observable]
      let testable = !observable.heavyTailed && Double(moments.count) >= Self.leastDraws && moments.variance > 0
      let difference = moments.mean - reference
      return ComparisonRow(
        observable: observable.name, layer: finite.layers[pair.layer], statistic: "mean", finite: moments.mean,
        finiteError: moments.meanError, reference: reference, referenceError: error,
        z: testable ? Self.ratio(difference, both) : .nan,
        shift: Self.ratio(difference, moments.standardDeviation), ks: nil,
        verdict: testable
          ? Equivalence(
            difference: Self.ratio(difference, moments.standardDeviation),
            margin: Self.ratio(critical * both, moments.standardDeviation), tolerance: tolerances.mean) : nil)
    }
    let reference = Leg(
      name: "\(coarse.name) at step 0", role: .limit,
      content: .known(
        KnownValues(observables: [], layers: [], means: [], secondMoments: [])), attributes: [:],
      expectedOffset: coarse.expectedOffset)
    let verdicts = rows.compactMap(\.verdict)
    caseLabel = label
    self.reference = reference.name
    role = .limit
    self.rows = rows
    criticalZ = critical
    ksMargin = 0
    verdict =
      verdicts.contains(.differs)
      ? .differs : (verdicts.isEmpty || verdicts.contains(.undecided) ? .undecided : .agrees)
    sentence = Self.sentence(
      finite: finite, reference: reference, rows: rows, verdict: verdict, tolerances: tolerances, critical: critical,
      margin: 0)
  }

  /// Below this many draws the standard errors themselves are too uncertain for a z-score.
  static let leastDraws = 200.0

  /// Indices of the same observable and layer on both sides.
  private static func pairs(_ a: Leg, _ b: Leg) -> [(layer: Int, observable: Int, otherIndex: Int)] {
    let places = Dictionary(uniqueKeysWithValues: b.observables.enumerated().map { ($1.name, $0) })
    return a.layers.enumerated().flatMap { index, layer -> [(layer: Int, observable: Int, otherIndex: Int)] in
      guard let other = b.layers.firstIndex(of: layer) else { return [] }
      return a.observables.enumerated().compactMap { i, observable in
        places[observable.name].map { (index, i, other * b.observables.count + $0) }
      }
    }
  }

  private static func rows(
    _ pair: (layer: Int, observable: Int, otherIndex: Int), _ finite: Leg, _ tally: Tally, _ reference: Leg,
    _ other: Tally?, _ tolerances: Tolerances, critical: Double, margin: Double
  ) -> [ComparisonRow] {
    let index = pair.layer * finite.observables.count + pair.observable
    let observable = finite.observables[pair.observable]
    let layer = finite.layers[pair.layer]
    let moments = tally.moments(index)
    let n = Double(moments.count)
    // A mean is near enough to Gaussian for a z-score when the skewness of the sum is small.
    let enough = n >= Self.leastDraws
    let meanTestable = enough && (moments.skewness.magnitude / n.squareRoot() < 0.05 || moments.variance == 0)
    if finite.isReplicated, let known = reference.known {
      return replicaRow(
        observable, layer, moments, known.means[pair.otherIndex], reference.role, tolerances, critical: critical)
    }
    if let other {
      let theirs = other.moments(pair.otherIndex)
      let ks = KolmogorovSmirnov(tally.histograms[index], other.histograms[pair.otherIndex])
      let error = (moments.meanError * moments.meanError + theirs.meanError * theirs.meanError).squareRoot()
      return [
        ComparisonRow(
          observable: observable.name, layer: layer, statistic: "mean", finite: moments.mean,
          finiteError: moments.meanError, reference: theirs.mean, referenceError: theirs.meanError,
          z: meanTestable && Double(theirs.count) >= Self.leastDraws ? ratio(moments.mean - theirs.mean, error) : .nan,
          shift: ratio(moments.mean - theirs.mean, moments.standardDeviation), ks: ks,
          verdict: Equivalence(difference: ks.distance, margin: margin, tolerance: tolerances.distance))
      ]
    }
    guard let known = reference.known else { return [] }
    var result: [ComparisonRow] = []
    let mean = known.means[pair.otherIndex]
    if !mean.isNaN {
      let z = meanTestable ? ratio(moments.mean - mean, moments.meanError) : .nan
      let shift = ratio(moments.mean - mean, moments.standardDeviation)
      let verdict: Equivalence? =
        reference.role == .exact
        ? (z.isNaN ? nil : (z.magnitude <= critical ? .agrees : .differs))
        : (observable.heavyTailed || z.isNaN || moments.variance == 0
          ? nil
          : Equivalence(
            difference: shift, margin: critical / n.squareRoot(), tolerance: tolerances.mean))
      result.append(
        ComparisonRow(
          observable: observable.name, layer: layer, statistic: "mean", finite: moments.mean,
          finiteError: moments.meanError, reference: mean, referenceError: 0, z: z, shift: shift, ks: nil,
          verdict: verdict))
    }
    let second = known.secondMoments[pair.otherIndex]
    if reference.role == .exact, !second.isNaN {
      let testable = enough && moments.kurtosis.magnitude / n.squareRoot() < 0.05
      let z = testable ? ratio(moments.secondMoment - second, moments.secondMomentError) : .nan
      result.append(
        ComparisonRow(
          observable: observable.name, layer: layer, statistic: "second_moment", finite: moments.secondMoment,
          finiteError: moments.secondMomentError, reference: second, referenceError: 0, z: z, shift: .nan,
          ks: nil, verdict: z.isNaN ? nil : (z.magnitude <= critical ? .agrees : .differs)))
    }
    return result
  }

  /// A mean over replicas against a known one. Each replica is itself a long average, near enough to Gaussian for Student's
  /// test from four on; differences are judged relative to the known value, absolutely where that is 0.
  private static func replicaRow(
    _ observable: Observable, _ layer: Int, _ moments: Moments, _ mean: Double, _ role: Leg.Role,
    _ tolerances: Tolerances,
    critical: Double
  ) -> [ComparisonRow] {
    let freedom = Int(moments.count) - 1
    let testable = freedom >= 3
    let difference = moments.mean - mean
    // Exact values are exact to rounding only.
    let error = max(moments.meanError, 1e-12 * mean.magnitude)
    let z = testable ? Student.equivalentZ(ratio(difference, error), degreesOfFreedom: freedom) : .nan
    let scale = mean == 0 ? 1 : mean.magnitude
    let margin = testable ? Student.equivalentT(critical, degreesOfFreedom: freedom) * error / scale : .nan
    let verdict: Equivalence? =
      !testable
      ? nil
      : role == .exact
        ? (z.magnitude <= critical ? .agrees : .differs)
        : Equivalence(difference: difference / scale, margin: margin, tolerance: tolerances.mean)
    return [
      ComparisonRow(
        observable: observable.name, layer: layer, statistic: "mean", finite: moments.mean,
        finiteError: moments.meanError, reference: mean, referenceError: 0, z: z, shift: difference / scale, ks: nil,
        verdict: verdict)
    ]
  }

  /// a / b, 0 for 0/0 so that equal constants agree.
  private static func ratio(_ a: Double, _ b: Double) -> Double { a == 0 ? 0 : a / b }

  private static func sentence(
    finite: Leg, reference: Leg, rows: [ComparisonRow], verdict: Equivalence, tolerances: Tolerances,
    critical: Double, margin: Double
  ) -> String {
    let detected = rows.filter { $0.z.magnitude > critical }
    func strongest(_ rows: [ComparisonRow]) -> ComparisonRow? { rows.max { $0.z.magnitude < $1.z.magnitude } }
    var text: String
    let subject = "\(finite.name) against \(reference.name): "
    if reference.role == .exact {
      let tested = rows.filter { !$0.z.isNaN }
      if tested.isEmpty {
        return subject + "undecided: too few draws, or tails too heavy, for the moments to be tested"
      }
      let worst = strongest(tested)!
      text =
        subject
        + (verdict == .agrees ? "agrees with the exact moments" : "DIFFERS from the exact moments")
        + ", largest |z| = \(format(worst.z.magnitude, 3)) in \(worst.statistic) of \(worst.observable) at \(finite.axis) \(worst.layer) (\(tested.count) tests, |z| < \(format(critical, 3)))"
      if tested.count < rows.count { text += "; \(rows.count - tested.count) too heavy-tailed to test" }
      return text
    }
    let judged = rows.filter { $0.verdict != nil }
    func size(_ row: ComparisonRow) -> Double { row.ks?.distance ?? row.shift.magnitude }
    guard let worst = judged.max(by: { size($0) < size($1) }) else { return subject + "undecided: nothing to compare" }
    let measure =
      worst.ks != nil
      ? "KS distance \(format(size(worst), 3)) +- \(format(margin, 2))"
      : finite.isReplicated
        ? "relative difference \(format(worst.shift, 3))" : "mean off by \(format(worst.shift, 3)) standard deviations"
    let tolerance = worst.ks != nil ? tolerances.distance : tolerances.mean
    switch verdict {
    case .agrees:
      text =
        subject
        + "agrees within the tolerance \(tolerance): largest \(measure) in \(worst.observable) at \(finite.axis) \(worst.layer)"
    case .differs:
      let first = judged.filter { $0.verdict == .differs }.min { $0.layer < $1.layer }!
      text =
        subject
        + "differs by more than \(tolerance): \(measure) in \(worst.observable) at \(finite.axis) \(worst.layer); first in \(first.observable) at \(finite.axis) \(first.layer)"
    case .undecided:
      text =
        subject
        + "undecided at tolerance \(tolerance): \(measure) in \(worst.observable) at \(finite.axis) \(worst.layer); more draws would tell"
    }
    // Skip what is heavy-tailed: its means say little.
    let means = detected.filter { row in
      !(finite.observables.first { $0.name == row.observable }?.heavyTailed ?? false)
    }
    if let most = strongest(means) {
      text +=
        "; a shift of the mean is detected: E \(most.observable) at \(finite.axis) \(most.layer) is off by \(format(most.difference, 2)), z = \(format(most.z, 3))"
      if !reference.expectedOffset.isEmpty { text += "; \(reference.expectedOffset)" }
    }
    return text
  }

  /// A number to some significant digits, for sentences.
  public static func format(_ x: Double, _ digits: Int) -> String {
    guard x.isFinite, x != 0 else { return x == 0 ? "0" : "\(x)" }
    var scale = 1.0
    var magnitude = x.magnitude
    var places = digits - 1
    while magnitude >= 10 {
      magnitude /= 10
      places -= 1
    }
    while magnitude < 1 {
      magnitude *= 10
      places += 1
    }
    for _ in 0..<max(places, 0) { scale *= 10 }
    let rounded = (x * scale).rounded() / scale
    return places <= 0 && x.magnitude < 1e15 ? "\(Int64(rounded))" : "\(rounded)"
  }
}
