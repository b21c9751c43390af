import Experiments
import Kernels
import Statistics

/// Whether sizes keep their order of magnitude along a sweep: of every observable of role `logarithm` the slope of its mean in the logarithm of the swept
/// parameter, point by point of the axis. Of the moves of pre-activations in training this is the coordinate check of arXiv:2203.03466, appendix D.1, with
/// error bars.
package struct Trends: Analysis {
  package enum Finding: String, Sendable { case flat, grows, shrinks, undecided }

  package struct Row: Sendable {
    package let observable: String
    package let coordinate: Double
    package let slope, error: Double
    /// What the interval of the slope reaches to either side.
    package let margin: Double
    package let chiSquare: Double
    package let degreesOfFreedom: Int
    package let finding: Finding
    /// From each size to the next, without the fit.
    package let localSlopes: [LocalSlope]
  }

  /// A slope whose interval is within it counts as flat.
  package static let tolerance = 0.05

  package internal(set) var index = 0
  package let rows: [Row]
  package let key, symbol, label: String
  package let sizes: [Double]
  package let axis: Axis
  package let verdict: Equivalence
  package let sentence: String

  /// Nil where nothing is there to be judged.
  init?(_ sweep: Sweep, _ snapshot: Snapshot) {
    guard let leg = sweep.cases.first?.item.finite else { return nil }
    let places = leg.schema.observables.indices.filter { leg.schema.observables[$0].role == .logarithm }
    let tallies = sweep.cases.compactMap { entry in
      entry.item.finite.flatMap { snapshot.state(entry.item.path(of: $0))?.tally }
    }
    let isSame = sweep.cases.allSatisfy { $0.item.finite?.schema == leg.schema }
    guard !places.isEmpty, isSame, tallies.count == sweep.cases.count else { return nil }
    let points = leg.axis.values.indices.flatMap { record in places.map { (record, $0) } }
    let fits = points.compactMap { record, place -> (Int, Int, Fit)? in
      let moments = tallies.map { $0.moments(leg.schema.index(record, place)) }
      let isExact = leg.schema.observables[place].isExact ?? false
      return Fit(sizes: sweep.sizes, moments, isExact: isExact).map { (record, place, $0) }
    }
    guard !fits.isEmpty else { return nil }
    // The probability of any false statement is shared by all rows.
    let alpha = snapshot.tolerances.alpha * snapshot.job.levelShare / Double(fits.count)
    let rows = fits.map { record, place, fit in
      // Without sampling error, what the slopes between neighbours differ by is all there is.
      let margin =
        fit.isExact
        ? fit.error : Student.equivalentT(Gaussian.critical(alpha), degreesOfFreedom: fit.smallest - 1) * fit.error
      return Row(
        observable: leg.schema.observables[place].name, coordinate: leg.axis.values[record], slope: fit.slope,
        error: fit.error, margin: margin, chiSquare: fit.chiSquare, degreesOfFreedom: fit.degreesOfFreedom,
        finding: Self.judge(fit.slope, margin), localSlopes: fit.localSlopes)
    }
    self.rows = rows
    (key, symbol, label) = (sweep.parameter.key, sweep.parameter.symbol, sweep.label)
    sizes = sweep.sizes
    axis = leg.axis
    func names(_ finding: Finding) -> [String] {
      rows.filter { $0.finding == finding }.map { "\($0.observable) at \(leg.axis.name) \(Axis.label($0.coordinate))" }
    }
    func list(_ names: [String]) -> String {
      names.prefix(3).joined(separator: ", ") + (names.count > 3 ? " and \(names.count - 3) more" : "")
    }
    let moving = [Finding.grows, .shrinks].filter { !names($0).isEmpty }
    let what = "slopes in log \(sweep.name)"
    if !moving.isEmpty {
      verdict = .differs
      sentence = "\(what): " + moving.map { "\($0.rawValue) in \(list(names($0)))" }.joined(separator: "; ")
    } else if names(.undecided).isEmpty {
      verdict = .agrees
      sentence = "\(what): flat within \(Self.tolerance) in all \(rows.count)"
    } else {
      verdict = .undecided
      sentence = "\(what): undecided in \(list(names(.undecided))): more draws are needed, or sizes further apart"
    }
  }

  static func judge(_ slope: Double, _ margin: Double) -> Finding {
    guard margin.isFinite else { return .undecided }
    if slope - margin > tolerance { return .grows }
    if slope + margin < -tolerance { return .shrinks }
    return slope.magnitude + margin < tolerance ? .flat : .undecided
  }

  /// A straight line by weighted least squares; its error grows where the line is not as good as the errors of its points allow. Of values without a sampling error it is the largest
  /// difference of the slope between neighbours from that of the line.
  private struct Fit {
    let isExact: Bool
    let slope, error, chiSquare: Double
    let degreesOfFreedom: Int
    let localSlopes: [LocalSlope]
    /// Fewest draws of a point.
    let smallest: Int

    init?(sizes: [Double], _ moments: [Moments], isExact: Bool) {
      guard
        moments.allSatisfy({
          $0.count > 1 && $0.mean.isFinite && (isExact || $0.meanError > 0 && $0.meanError.isFinite)
        })
      else { return nil }
      let x = sizes.map { Elementary.log($0) }
      let weights = moments.map { isExact ? 1 : 1 / ($0.meanError * $0.meanError) }
      let total = weights.reduce(0, +)
      let centre = zip(weights, x).reduce(0) { $0 + $1.0 * $1.1 } / total
      let mean = zip(weights, moments).reduce(0) { $0 + $1.0 * $1.1.mean } / total
      let spread = zip(weights, x).reduce(0) { $0 + $1.0 * ($1.1 - centre) * ($1.1 - centre) }
      var along = 0.0
      for i in x.indices { along += weights[i] * (x[i] - centre) * (moments[i].mean - mean) }
      let slope = along / spread
      var sum = 0.0
      for i in x.indices {
        let rest = moments[i].mean - mean - slope * (x[i] - centre)
        sum += weights[i] * rest * rest
      }
      (self.isExact, self.slope, degreesOfFreedom) = (isExact, slope, x.count - 2)
      localSlopes = x.indices.dropFirst().map { i in
        let (near, far, width) = (moments[i], moments[i - 1], x[i] - x[i - 1])
        let error = (near.meanError * near.meanError + far.meanError * far.meanError).squareRoot()
        return LocalSlope(
          from: sizes[i - 1], to: sizes[i], slope: (near.mean - far.mean) / width, error: error / width)
      }
      chiSquare = isExact ? .nan : sum
      error =
        isExact
        ? localSlopes.map { ($0.slope - slope).magnitude }.max()!
        : (1 / spread).squareRoot() * max(1, (sum / Double(x.count - 2)).squareRoot())
      smallest = Int(moments.map(\.count).min()!)
    }
  }

  package var verdicts: [Verdict] {
    [Verdict(subject: "trend", caseLabel: label, word: verdict, sentence: sentence)]
  }

  package var tables: [Table] {
    func numbers(_ name: String, _ summary: String, _ value: (Row) -> Double) -> Table.Column {
      .init(name, .numbers(rows.map(value)), summary)
    }
    var table = Table(
      group: "trend/\(index)",
      attributes: [
        ("label", .text(label)), ("key", .text(key)), ("symbol", .text(symbol)), ("tolerance", .number(Self.tolerance)),
        ("verdict", .text(verdict.rawValue)), ("sentence", .text(sentence)),
      ],
      rows: [
        .init("observable", .texts(rows.map(\.observable)), "logarithm whose slope it is"),
        numbers(axis.name, axis.summary, \.coordinate),
        numbers("slope", "slope of its mean in the logarithm of \(key)", \.slope),
        numbers("slope_error", "its standard error, larger where a straight line does not fit", \.error),
        numbers("margin", "what its interval reaches to either side", \.margin),
        numbers("chi_square", "chi-square of the straight line", \.chiSquare),
        .init("degrees_of_freedom", .integers(rows.map { Int64($0.degreesOfFreedom) }), "of the fit"),
        .init("finding", .texts(rows.map(\.finding.rawValue)), "flat, grows, shrinks or undecided"),
      ])
    table.axes.append(.init("size", .numbers(sizes), axes: ["size"], "values of \(key)"))
    table.columns += [
      .init(
        "local_slope", .numbers(rows.flatMap { $0.localSlopes.map(\.slope) + [.nan] }), axes: ["row", "size"],
        "slope from this size to the next"),
      .init(
        "local_slope_error", .numbers(rows.flatMap { $0.localSlopes.map(\.error) + [.nan] }), axes: ["row", "size"],
        "its standard error; neighbouring slopes share a size"),
      .init(
        "slope_list",
        .texts(
          rows.map { row in
            row.localSlopes.map { "\(Words.format($0.slope, 2)) +- \(Words.format($0.error, 1))" }.joined(
              separator: ", ")
          }),
        "the same as people write them"),
    ]
    table.fields = [
      .init("observable", "observable"), .init(axis.name, axis.name),
      .init("slope in log \(symbol)", "slope", .value(error: "slope_error")), .init("finding", "finding"),
      .init("local slopes", "slope_list"), .init("chi2", "chi_square", .format("%.2g", missing: "-")),
      .init("dof", "degrees_of_freedom"),
    ]
    table.heading = "trend, \(key) swept\(label.isEmpty ? "" : ", \(label)")"
    table.notes = ["verdict: \(sentence)."]
    return [table]
  }
}
