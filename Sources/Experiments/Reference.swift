import Statistics

/// What a reference may predict of an observable.
public enum Statistic: Sendable, Hashable, Codable {
  case mean, variance, standardDeviation, skewness, kurtosis, secondMoment
  /// With another observable of the same record, by name.
  case covariance(String)
  case correlation(String)
  /// The value below which an observable is with this probability.
  case quantile(Double)
  /// The whole law.
  case law
  /// A function of means of several observables, by its name in the schema of the draws.
  case estimand(String)

  /// As tables name it; the kurtosis is the excess kurtosis.
  public var name: String {
    switch self {
    case .mean: "mean"
    case .variance: "variance"
    case .standardDeviation: "standard_deviation"
    case .skewness: "skewness"
    case .kurtosis: "kurtosis"
    case .secondMoment: "second_moment"
    case .covariance: "covariance"
    case .correlation: "correlation"
    case .quantile: "quantile"
    case .law: "law"
    case .estimand: "estimand"
    }
  }

  /// What it is taken with: the other observable, the probability, the name of the estimand.
  public var argument: String {
    switch self {
    case .covariance(let other), .correlation(let other), .estimand(let other): other
    case .quantile(let level): "\(level)"
    default: ""
    }
  }
}

/// A statistic of one observable at one point of the axis, known without drawing.
public struct PredictedStatistic: Sendable, Equatable, Codable {
  public let statistic: Statistic
  /// Indices into the schema of the reference.
  public let record, observable: Int
  /// NaN for a law.
  public let value: Double
  public let law: TabulatedLaw?

  public init(_ statistic: Statistic, record: Int, observable: Int, value: Double, law: TabulatedLaw? = nil) {
    self.statistic = statistic
    self.record = record
    self.observable = observable
    self.value = value
    self.law = law
  }
}

extension Schema {
  /// The pairs of observables that references predict a covariance or a correlation of, point by point; each pair once, in order.
  public func jointPairs(predictedBy references: [ReferenceValues]) -> [Tally.JointPair] {
    var found: Set<Tally.JointPair> = []
    for known in references {
      for entry in known.statistics {
        let name: String
        switch entry.statistic {
        case .covariance(let other), .correlation(let other): name = other
        default: continue
        }
        guard let record = axis.values.firstIndex(of: known.schema.axis.values[entry.record]),
          let a = place(of: known.observables[entry.observable].name), let b = place(of: name), a != b
        else { continue }
        found.insert(Tally.JointPair(group: record, i: min(a, b), j: max(a, b)))
      }
    }
    return found.sorted { ($0.group, $0.i, $0.j) < ($1.group, $1.i, $1.j) }
  }
}

/// The order of what a prediction leaves out: `small^order` of a small parameter, 1/n for widths, h for step sizes.
public struct Remainder: Sendable, Equatable, Codable {
  /// What is held as the parameter tends to its limit, where another key may grow with it: a depth in a fixed ratio to the width.
  public enum Path: String, Sendable, Codable { case fixedValues, fixedRatios }

  /// Name of the parameter that declares itself small, without its table, e.g. `width` or `step`.
  public let parameter: String
  public let order: Double
  /// Along which path the order is promised; nil where none of the keys that may keep a ratio matters.
  public let path: Path?

  public init(_ parameter: String, order: Double, along path: Path? = nil) {
    self.parameter = parameter
    self.order = order
    self.path = path
  }
}

/// What is known without drawing: statistics of observables at points of the axis, and the order of what they leave out.
public protocol Reference: Sendable {
  var observables: [Observable] { get }
  /// Empty for what is exact.
  var remainder: [Remainder] { get }
  func statistics(on axis: Axis) throws -> [PredictedStatistic]
}

extension Reference {
  public var remainder: [Remainder] { [] }
}

/// A reference whose statistics have been worked out.
public struct ReferenceValues: Reference, Equatable, Codable {
  public let schema: Schema
  public let statistics: [PredictedStatistic]
  public let remainder: [Remainder]
  /// Of replicas: whether it holds from the start on, so that chains need not have mixed. Nil, as in files of before: it does not.
  public let holdsFromTheStart: Bool?
  /// Why nothing is concluded from a comparison with it, as half a sentence: a hypothesis of its formulas that does not hold here. Nil, as in files of before, where all hold.
  public let withheld: String?

  public var observables: [Observable] { schema.observables }

  public init(
    schema: Schema, statistics: [PredictedStatistic], remainder: [Remainder] = [], holdsFromTheStart: Bool? = nil,
    withheld: String? = nil
  ) {
    precondition(
      statistics.allSatisfy {
        schema.axis.values.indices.contains($0.record) && schema.observables.indices.contains($0.observable)
      })
    self.schema = schema
    self.statistics = statistics
    self.remainder = remainder
    self.holdsFromTheStart = holdsFromTheStart
    self.withheld = withheld
  }

  public init(_ reference: some Reference, on axis: Axis) throws {
    self.init(
      schema: Schema(axis: axis, observables: reference.observables), statistics: try reference.statistics(on: axis),
      remainder: reference.remainder)
  }

  /// Means, and second moments where they are known: record by record, NaN where nothing is known. What is infinite is not known, nor
  /// is a second moment of 0 of what has another mean than 0: it is out of the range of numbers.
  public init(
    axis: Axis, observables: [Observable], means: [Double], secondMoments: [Double] = [], remainder: [Remainder] = []
  ) {
    let schema = Schema(axis: axis, observables: observables)
    precondition(means.count == schema.width && [0, schema.width].contains(secondMoments.count))
    var found: [PredictedStatistic] = []
    for (statistic, values) in [(Statistic.mean, means), (.secondMoment, secondMoments)] {
      for (i, value) in values.enumerated() where value.isFinite {
        if statistic == .secondMoment && !value.isNormal && means[i] != 0 { continue }
        found.append(
          PredictedStatistic(
            statistic, record: i / observables.count, observable: i % observables.count,
            // Never -0.
            value: value + 0))
      }
    }
    self.init(schema: schema, statistics: found, remainder: remainder)
  }

  public func statistics(on axis: Axis) -> [PredictedStatistic] { statistics }

  /// The values of one statistic, record by record; NaN where it is not predicted.
  public func values(of statistic: Statistic) -> [Double] {
    var result = Array(repeating: Double.nan, count: schema.width)
    for entry in statistics where entry.statistic == statistic {
      result[schema.index(entry.record, entry.observable)] = entry.value
    }
    return result
  }

  /// Mean and second moment by observable name at a record; NaN where one of them is not predicted.
  public func moments(record: Int) -> [String: (mean: Double, second: Double)] {
    var result: [String: (mean: Double, second: Double)] = [:]
    for entry in statistics where entry.record == record && [.mean, .secondMoment].contains(entry.statistic) {
      let name = observables[entry.observable].name
      let old = result[name] ?? (.nan, .nan)
      result[name] = entry.statistic == .mean ? (entry.value, old.second) : (old.mean, entry.value)
    }
    return result
  }

  /// The predicted mean of an observable at a record, if there is one.
  public func mean(of name: String, record: Int) -> Double? {
    guard let place = schema.place(of: name) else { return nil }
    return statistics.first { $0.statistic == .mean && $0.record == record && $0.observable == place }?.value
  }
}
