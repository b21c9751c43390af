import Experiments
import Statistics

/// The comparisons of one case. What is tested is listed first, because alpha is shared among all of it; only then come
/// the rows.
struct CaseComparisons {
  private enum Plan {
    case predicted(Leg, ReferenceValues, [Prediction])
    case sampled(Measured, [Match])
    case extrapolated(coarse: Measured, fine: Measured, Refinement, [Match])
    case paired(reference: String, Leg.Role, [Pair])

    var tests: Int {
      switch self {
      case .predicted(_, _, let predictions): predictions.count
      case .sampled(_, let matches), .extrapolated(_, _, _, let matches): matches.count
      case .paired(_, _, let pairs): pairs.count
      }
    }
  }

  /// A prediction and its place in the finite leg.
  struct Prediction {
    let entry: PredictedStatistic
    let record, place: Int
  }

  /// The same observable at the same point of the axis on both sides.
  struct Match {
    let record, place: Int
    let otherRecord, otherPlace: Int
  }

  /// A difference and the finite observable that it belongs to, at a record.
  struct Pair {
    let record, difference, place: Int
  }

  let finite: Measured
  private let plans: [Plan]
  private(set) var setting: Setting
  /// Record by record, the size of each family too heavy-tailed for its own size to be 1: the largest mean among its members.
  let familySizes: [[String: Double]]

  /// Nil without draws of the finite leg.
  init?(_ item: Case, _ snapshot: Snapshot) {
    func measured(_ leg: Leg?) -> Measured? {
      guard let leg, let state = snapshot.state(item.path(of: leg)), state.tally.counter(.draws) > 1 else { return nil }
      return Measured(leg: leg, state: state)
    }
    guard let finite = measured(item.finite) else { return nil }
    var plans: [Plan] = []
    for leg in item.legs where leg.role != .finite {
      if let refines = leg.refines {
        // Refinements of the finite leg itself are not compared: they are extrapolated.
        guard refines.leg != finite.leg.name, refines.order > 0, let fine = measured(leg),
          let coarse = measured(item.legs.first { $0.name == refines.leg })
        else { continue }
        plans.append(.extrapolated(coarse: coarse, fine: fine, refines, Self.matches(finite.leg, coarse.leg)))
      } else if let known = leg.known {
        plans.append(.predicted(leg, known, Self.predictions(known, of: finite.leg, role: leg.role)))
      } else if let other = measured(leg) {
        plans.append(.sampled(other, Self.matches(finite.leg, leg)))
      }
    }
    self.finite = finite
    self.plans = plans + Self.pairs(finite.leg)
    setting = Setting(
      caseLabel: item.label, finite: finite, tolerances: snapshot.tolerances,
      tests: self.plans.reduce(0) { $0 + $1.tests }, hindrance: Hindrance(finite))
    familySizes = Self.familySizes(finite)
  }

  private static func familySizes(_ finite: Measured) -> [[String: Double]] {
    guard finite.leg.process == nil else { return [] }
    let heavy = finite.leg.observables.indices.filter { finite.leg.observables[$0].isHeavyTailed }
    return finite.leg.axis.values.indices.map { record in
      heavy.reduce(into: [:]) { sizes, place in
        let (size, family) = (finite.moments(record, place).mean.magnitude, finite.leg.observables[place].family)
        if size.isFinite { sizes[family] = max(size, sizes[family] ?? 0) }
      }
    }
  }

  /// The same for a reference that holds from the start on, for which replicas need not have mixed.
  private var withoutMixing: CaseComparisons {
    guard finite.leg.process != nil else { return self }
    return hindered(by: nil)
  }

  private func hindered(by hindrance: Hindrance?) -> CaseComparisons {
    var result = self
    result.setting.hindrance = hindrance
    return result
  }

  // MARK: What is tested

  private static func places(_ leg: Leg) -> [String: Int] {
    Dictionary(uniqueKeysWithValues: leg.observables.enumerated().map { ($1.name, $0) })
  }

  private static func matches(_ a: Leg, _ b: Leg) -> [Match] {
    let places = places(b)
    return a.axis.values.enumerated().flatMap { record, value -> [Match] in
      guard let other = b.axis.values.firstIndex(of: value) else { return [] }
      return a.observables.enumerated().compactMap { place, observable in
        places[observable.name].map {
          Match(record: record, place: place, otherRecord: other, otherPlace: $0)
        }
      }
    }
  }

  /// What a reference predicts of a leg, point by point. A second moment decides nothing about a limit: its mean does.
  private static func predictions(_ known: ReferenceValues, of finite: Leg, role: Leg.Role) -> [Prediction] {
    let places = places(finite)
    let records = known.schema.axis.values.map { finite.axis.values.firstIndex(of: $0) }
    let found = known.statistics.enumerated().compactMap { order, entry -> (Prediction, Int)? in
      guard entry.statistic == .law ? entry.law != nil : !entry.value.isNaN,
        entry.statistic != .secondMoment || role == .exact,
        entry.statistic.isOf(finite.schema), let record = records[entry.record],
        let place = places[known.observables[entry.observable].name]
      else { return nil }
      return (Prediction(entry: entry, record: record, place: place), order)
    }
    return found.sorted { ($0.0.record, $0.0.place, $0.1) < ($1.0.record, $1.0.place, $1.1) }.map(\.0)
  }

  /// References that the finite leg computes on its own draws.
  private static func pairs(_ finite: Leg) -> [Plan] {
    var names: [String] = []
    for observable in finite.observables where observable.isDifference {
      if let name = observable.reference, !names.contains(name) { names.append(name) }
    }
    return names.map { name in
      let mine = finite.observables.indices.filter { finite.observables[$0].reference == name }
      let isExact = mine.allSatisfy { finite.observables[$0].role == .exactDifference }
      let minuends = mine.compactMap { difference in finite.schema.minuend(of: difference).map { (difference, $0) } }
      let pairs = finite.axis.values.indices.flatMap { record in
        minuends.map { Pair(record: record, difference: $0, place: $1) }
      }
      return .paired(reference: name, isExact ? .exact : .limit, pairs)
    }
  }

  // MARK: Comparisons

  var results: [Comparison] {
    plans.map { plan in
      switch plan {
      case .predicted(let leg, let known, let predictions):
        var own = known.holdsFromTheStart == true ? withoutMixing : self
        if let reason = known.withheld { own = own.hindered(by: Hindrance(.withheld, "withheld, \(reason)")) }
        return Comparison(
          own.setting, reference: leg.name, kind: .predicted, role: leg.role,
          rows: predictions.map { own.row($0, role: leg.role) }, expectedOffset: leg.expectedOffset)
      case .sampled(let other, let matches):
        // Replicas of a sampled reference are asked by its own diagnostics; rows of a file are asked here, on either side.
        let own = setting.hindrance == nil && other.leg.dependence != nil ? hindered(by: Hindrance(other)) : self
        return Comparison(
          own.setting, reference: other.leg.name, kind: .sampled, role: other.leg.role,
          rows: matches.map { own.row($0, other) }, expectedOffset: other.leg.expectedOffset)
      case .extrapolated(let coarse, let fine, let refines, let matches):
        let name = refines.parameter.split(separator: ".").last.map(String.init) ?? refines.parameter
        return Comparison(
          setting, reference: "\(coarse.leg.name) at \(name) 0", kind: .extrapolated, role: .limit,
          rows: matches.map { row($0, coarse, fine, order: refines.order) }, expectedOffset: coarse.leg.expectedOffset)
      case .paired(let name, let role, let pairs):
        return Comparison(
          setting, reference: name, kind: .paired, role: role, rows: pairs.map { row($0, role: role) },
          expectedOffset: "")
      }
    }
  }
}

extension Statistic {
  /// Whether it can be estimated from draws of a schema, as far as names tell.
  fileprivate func isOf(_ schema: Schema) -> Bool {
    if case .estimand(let name) = self { schema.estimand(name) != nil } else { true }
  }
}
