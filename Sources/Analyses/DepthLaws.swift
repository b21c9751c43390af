import Experiments
import Kernels
import Statistics

/// Laws over depth: $a x^p$ of means and variances, or what means gain a layer, with errors that hold whatever the layers have in common.
///
/// Depths that are swept are independent. The layers of one leg are not: they are those of the same draws, and no correlation is assumed. Of
/// N values with any correlations $\operatorname{Var} \sum_i w_i x_i \le N \sum_i w_i^2 \sigma_i^2$ (Schwarz), so each error is taken
/// $\sqrt N$ times as large, and a rate between two layers has the sum of both errors.
package struct DepthLaws: Analysis {
  package static let group = "exponents"

  /// One statistic over depth.
  package struct Row: Sendable {
    package let observable: String
    package let statistic: Statistic
    package let quantity: String
    /// Depths that are used.
    package let depths: [Double]
    /// p or r, NaN where the data do not determine it; a.
    package let exponent, exponentError, constant, constantError: Double
    /// NaN where nothing is known.
    package let known, knownConstant: Double
    /// Against what is known; nil where nothing is.
    package let verdict: Equivalence?
    /// Half-width of the interval of the exponent that is judged.
    package let margin: Double
    /// Between neighbouring depths, without a fit; NaN where a value is within two errors of 0.
    package let slopes: [Double]
    package let isSinglePower: Bool
  }

  package internal(set) var index = 0
  /// Of the case, or what the cases of a sweep have in common.
  package let label: String
  package let leg: String
  package let form: DepthLaw.Form
  package let axis: Axis
  /// Whether the depths are of different draws.
  package let isSwept: Bool
  package let rows: [Row]
  package let tolerance: Double
  package let verdict: Equivalence?
  package let sentence: String

  /// Fewest depths, and the least ratio of the largest to the smallest, of which a power is fitted.
  static let leastPoints = 4
  static let leastRatio = 4.0
  /// Powers are fitted as orders in 1/x that are near this, of the values times a power of x.
  private static let order = 3.0

  struct Point {
    let depth, value, error: Double
  }

  /// One statistic of one leg at a depth.
  private struct Source {
    let depth: Double
    let measured: Measured
    let record: Int
  }

  static func all(_ snapshot: Snapshot, _ request: DepthLawRequest) -> [DepthLaws] {
    let found = snapshot.job.cases.compactMap { item -> DepthLaws? in
      guard let leg = item.finite, leg.process == nil, let state = snapshot.state(item.path(of: leg)) else {
        return nil
      }
      let measured = Measured(leg: leg, state: state)
      let sources = leg.axis.values.indices.map { Source(depth: leg.axis.values[$0], measured: measured, record: $0) }
      return DepthLaws(sources, item.label, isSwept: false, request, snapshot)
    }
    return found + sweeps(snapshot, request)
  }

  /// Cases that differ in nothing but a depth, the key that may keep its ratio to a small parameter.
  private static func sweeps(_ snapshot: Snapshot, _ request: DepthLawRequest) -> [DepthLaws] {
    let job = snapshot.job
    let keys = job.smallParameters.flatMap(\.ratios).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
    return keys.flatMap { key -> [DepthLaws] in
      var order: [String] = []
      var groups: [String: [Source]] = [:]
      let ignored = [key] + job.smallParameters.flatMap(\.companions)
      for item in job.cases where item.swept[key] != nil {
        guard let leg = item.finite, leg.process == nil, let state = snapshot.state(item.path(of: leg)) else {
          continue
        }
        let rest = item.swept.filter { !ignored.contains($0.key) }.sorted { $0.key < $1.key }
        let label = rest.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
        if groups[label] == nil { order.append(label) }
        groups[label, default: []].append(
          Source(
            depth: leg.axis.values.last!, measured: Measured(leg: leg, state: state), record: leg.axis.count - 1))
      }
      return order.compactMap { label in
        let sources = groups[label]!.sorted { $0.depth < $1.depth }
        // A depth that occurs twice is swept together with something that is ignored.
        guard Set(sources.map(\.depth)).count == sources.count else { return nil }
        return DepthLaws(sources, label, isSwept: true, request, snapshot)
      }
    }
  }

  private init?(
    _ given: [Source], _ label: String, isSwept: Bool, _ request: DepthLawRequest, _ snapshot: Snapshot
  ) {
    let sources = given.filter { $0.depth >= request.from }
    let least = request.form == .power ? Self.leastPoints : 3
    guard sources.count >= least, let last = sources.last else { return nil }
    let leg = last.measured.leg
    (self.label, self.leg, form, self.isSwept) = (label, leg.name, request.form, isSwept)
    (axis, tolerance) = (leg.axis, request.tolerance)
    // Of a sweep the deepest case says what is known: its constants hold for all where nothing else is swept.
    let known = (leg.asymptotics ?? []).filter { $0.form == request.form }
    let critical = Gaussian.critical(snapshot.tolerances.alpha / Double(max(1, known.count)))
    let statistics: [Statistic] = request.form == .power ? [.mean, .variance] : [.mean]
    rows = leg.observables.filter { [.quantity, .heavyTailed].contains($0.role) }.flatMap { observable in
      statistics.compactMap { statistic -> Row? in
        let points = sources.compactMap { source -> Point? in
          guard let place = source.measured.leg.schema.place(of: observable.name),
            let found = source.measured.estimate(statistic, source.record, place), found.failing == nil,
            found.error > 0 || found.value != 0
          else { return nil }
          return Point(depth: source.depth, value: found.value, error: found.error)
        }
        let law = known.first { $0.observable == observable.name && $0.statistic == statistic }
        let quantity = statistic == .mean ? "E \(observable.name)" : "Var \(observable.name)"
        let fitted =
          request.form == .power
          ? Self.power(points, isSwept: isSwept, law) : Self.rate(points, isSwept: isSwept)
        guard let fitted else { return nil }
        let margin = critical * fitted.exponent.error
        var verdict: Equivalence?
        if let law {
          let distance = (fitted.exponent.value - law.exponent).magnitude
          verdict =
            distance - margin > request.tolerance
            ? .differs : distance + margin <= request.tolerance ? .agrees : .undecided
        }
        return Row(
          observable: observable.name, statistic: statistic, quantity: quantity, depths: points.map(\.depth),
          exponent: fitted.exponent.value, exponentError: fitted.exponent.error, constant: fitted.constant.value,
          constantError: fitted.constant.error, known: law?.exponent ?? .nan, knownConstant: law?.constant ?? .nan,
          verdict: verdict, margin: margin, slopes: fitted.slopes, isSinglePower: fitted.isSinglePower)
      }
    }
    guard !rows.isEmpty else { return nil }
    // Heavy tails decide nothing, unless there is nothing else.
    let heavy = Set(leg.observables.filter(\.isHeavyTailed).map(\.name))
    let all = rows.filter { $0.verdict != nil }
    let light = all.filter { !heavy.contains($0.observable) }
    let judged = light.isEmpty ? all : light
    let words = judged.compactMap(\.verdict)
    verdict =
      words.isEmpty ? nil : words.contains(.differs) ? .differs : words.contains(.undecided) ? .undecided : .agrees
    sentence = Self.sentence(rows, judged, verdict, request, axis, isSwept: isSwept)
  }

  private typealias Number = (value: Double, error: Double)
  private typealias Fit = (exponent: Number, constant: Number, slopes: [Double], isSinglePower: Bool)

  /// Errors of values of the same draws count as if the worst correlation held.
  private static func bounded(_ points: [Point], isSwept: Bool) -> [Point] {
    let growth = isSwept ? 1 : Double(points.count).squareRoot()
    return points.map { Point(depth: $0.depth, value: $0.value, error: growth * $0.error) }
  }

  /// $a x^p (1 + e x_1/x)$ with $|e| \le 1/2$, $x_1$ the smallest depth.
  private static func power(_ given: [Point], isSwept: Bool, _ law: DepthLaw?) -> Fit? {
    let points = bounded(given, isSwept: isSwept)
    guard points.count >= leastPoints, points.last!.depth >= leastRatio * points[0].depth else { return nil }
    func scaled(_ power: Double) -> [Extrapolation.Point] {
      points.map {
        let factor = Elementary.exp(-power * Elementary.log($0.depth))
        return .init(small: 1 / $0.depth, value: factor * $0.value, error: factor * $0.error)
      }
    }
    let (first, last) = (points[0], points.last!)
    let slope = Elementary.log(last.value / first.value) / Elementary.log(last.depth / first.depth)
    let shift = order + (slope.isFinite ? slope.rounded() : 0)
    guard let fit = Extrapolation(scaled(shift), orders: .free(limit: 0)), fit.isSeen else { return nil }
    var constant: Number = (fit.coefficient, fit.coefficientError)
    // Of a known power, where x^-p times the values tends to.
    if let law, let limit = Extrapolation(scaled(law.exponent), orders: .candidates()) {
      constant = (limit.limit, limit.limitError)
    }
    let slopes = Extrapolation.localSlopes(scaled(0), limit: 0).reversed().map { -$0.slope }
    return ((shift - fit.order, fit.orderError), constant, slopes, fit.isSinglePower)
  }

  /// Over the second half of the depths; what it differs from the rate over the first half is part of its error, since what has not died out
  /// changes less from half to half.
  private static func rate(_ points: [Point], isSwept: Bool) -> Fit? {
    guard points.count >= 3, let first = points.first, let last = points.last else { return nil }
    let half = 0.5 * (first.depth + last.depth)
    let middle = points.dropFirst().dropLast().min { ($0.depth - half).magnitude < ($1.depth - half).magnitude }!
    func between(_ a: Point, _ b: Point) -> Number {
      let error = isSwept ? Estimate.combined(a.error, b.error) : a.error + b.error
      return ((b.value - a.value) / (b.depth - a.depth), error / (b.depth - a.depth))
    }
    let (early, late) = (between(first, middle), between(middle, last))
    let error = Estimate.combined(late.error, (late.value - early.value).magnitude)
    let slopes = zip(points, points.dropFirst()).map { between($0, $1).value }
    return (
      (late.value, error), (last.value - late.value * last.depth, Estimate.combined(last.error, error * last.depth)),
      slopes, true
    )
  }

  // MARK: Words

  private static func sentence(
    _ rows: [Row], _ judged: [Row], _ verdict: Equivalence?, _ request: DepthLawRequest, _ axis: Axis, isSwept: Bool
  ) -> String {
    let depths = rows.flatMap(\.depths)
    let range =
      "\(isSwept ? "depths" : "\(axis.name)s") \(Axis.label(depths.min()!)) to \(Axis.label(depths.max()!))"
    let what = request.form == .power ? "exponents" : "rates"
    func number(_ row: Row) -> String {
      let own =
        row.exponentError.isNaN
        ? "undetermined" : "\(Words.format(row.exponent, 3)) +- \(Words.format(row.exponentError, 2))"
      return "\(row.quantity) \(own)" + (row.known.isNaN ? "" : " against \(Words.format(row.known, 3))")
    }
    guard let verdict else { return "\(what) over \(range): \(words(rows.map(number)))" }
    let tolerance = Words.format(request.tolerance, 2)
    switch verdict {
    case .agrees: return "\(what) over \(range) agree within \(tolerance): \(words(judged.map(number)))"
    case .differs:
      let wrong = judged.filter { $0.verdict == .differs }
      return "\(what) over \(range) differ by more than \(tolerance): \(words(wrong.map(number)))"
    case .undecided:
      let open = judged.filter { $0.verdict == .undecided }
      return
        "\(what) over \(range) undecided at tolerance \(tolerance): \(words(open.map(number))); more draws, or larger depths, make the errors smaller"
    }
  }

  private static func words(_ all: [String]) -> String {
    all.prefix(4).joined(separator: ", ") + (all.count > 4 ? " and \(all.count - 4) more" : "")
  }

  package var verdicts: [Verdict] {
    verdict.map { [Verdict(subject: Self.group, caseLabel: label, word: $0, sentence: sentence)] } ?? []
  }

  package var tables: [Table] {
    func numbers(_ name: String, _ summary: String, _ value: (Row) -> Double) -> Table.Column {
      .init(name, .numbers(rows.map(value)), summary)
    }
    let isPower = form == .power
    func list(_ row: Row) -> String {
      let own = row.slopes.map { $0.isNaN ? "-" : Words.format($0, 2) }
      return (own.count > 6 ? own.prefix(2) + ["..."] + own.suffix(3) : own[...]).joined(separator: " ")
    }
    func finding(_ row: Row) -> String {
      row.exponentError.isNaN ? "undetermined" : !isPower ? "rate" : row.isSinglePower ? "power law" : "no single power"
    }
    var table = Table(
      group: "\(Self.group)/\(index)",
      attributes: [
        ("case", .text(label)), ("leg", .text(leg)), ("law", .text(form.rawValue)), ("tolerance", .number(tolerance)),
        ("swept", .text(isSwept ? "yes" : "no")), ("sentence", .text(sentence)),
      ] + (verdict.map { [("verdict", .text($0.rawValue))] } ?? []),
      rows: [
        .init("observable", .texts(rows.map(\.observable)), "measured quantity"),
        .init("statistic", .texts(rows.map(\.statistic.name)), "what of it is fitted"),
        .init("quantity", .texts(rows.map(\.quantity)), "statistic and observable as people write them"),
        numbers("first", "smallest depth that is used", { $0.depths.first ?? .nan }),
        numbers("last", "largest depth that is used", { $0.depths.last ?? .nan }),
        .init("points", .integers(rows.map { Int64($0.depths.count) }), "depths that are used"),
        numbers("exponent", isPower ? "p of a depth^p" : "what the mean gains a layer", \.exponent),
        numbers(
          "exponent_error", "its standard error, or a bound of it; NaN where it is undetermined", \.exponentError),
        numbers("known", "what is known of it; NaN where nothing is", \.known),
        numbers("margin", "half-width of its confidence interval", \.margin),
        numbers("constant", isPower ? "a of a depth^p" : "value that the line has at depth 0", \.constant),
        numbers("constant_error", "its standard error, or a bound of it", \.constantError),
        numbers("known_constant", "what is known of it; NaN where nothing is", \.knownConstant),
        .init("verdict", .optionalTexts(rows.map { $0.verdict?.rawValue }), "nothing where nothing is known"),
        .init("finding", .texts(rows.map(finding)), "what the fit says"),
        .init("slope_list", .texts(rows.map(list)), "between neighbouring depths, without a fit"),
      ])
    table.heading =
      "\(isPower ? "exponents" : "rates") over \(isSwept ? "a sweep of depths" : "the \(axis.name)s of \(leg)")"
      + (["", "main"].contains(label) ? "" : ", \(label)")
    table.fields = [
      .init("quantity", "quantity"), .init("from", "first"), .init("to", "last"),
      .init(isPower ? "exponent" : "rate", "exponent", .value(error: "exponent_error")),
      .init("known", "known", .format("%.5g", missing: "-")),
      .init("constant", "constant", .value(error: "constant_error")),
      .init("known", "known_constant", .format("%.5g", missing: "-")), .init("finding", "finding"),
      .init("verdict", "verdict"), .init("local slopes", "slope_list"),
    ]
    table.notes = ["\(Self.group): \(sentence)."]
    return [table]
  }
}
