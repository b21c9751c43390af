import Formulas
import Kernels

/// A quantity of the law of a draw that is a smooth function of means of observables, and no mean itself: a ratio of means, the logarithm of
/// a mean, a variance under weights.
///
/// Tallies hold all that it needs, sums over the draws in any order: the means and the covariances of the observables of a record. So it has the same
/// bits on any number of ranks, and its draws can be resumed, extended and merged.
public struct Estimand: Sendable, Equatable, Codable {
  /// As comparisons, expectations and tables name it; different from those of the observables.
  public let name: String
  /// In the names of the observables, e.g. `weighted[0]/weight`: a function of their means.
  public let formula: String
  /// What is added to the formula, record by record; zeros where it is empty.
  public let offsets: [Double]
  /// Observables whose expectation is exactly 0: what their means are off, in as far as it goes with the estimate, is taken off it.
  public let controls: [String]
  /// The observable that weights the draws, if they are weighted: its effective number of draws decides whether anything is concluded.
  public let weight: String?
  public let unit: String
  public let summary: String
  /// Whether the unit of its tolerance is the predicted value, not what a draw deviates by: for what is far smaller than that, such as a high cumulant. Nil, as in files of
  /// before: it is not.
  public let isRelative: Bool?
  /// Where it is a functional of the law of one observable and no formula in means: which, and of what; nil otherwise, as in files of before.
  public let functional: LawFunctional?

  public init(
    _ name: String, _ formula: String, offsets: [Double] = [], controls: [String] = [], weight: String? = nil,
    isRelative: Bool = false, unit: String = "1", _ summary: String
  ) {
    (self.name, self.formula, self.offsets, self.controls) = (name, formula, offsets, controls)
    (self.weight, self.unit, self.summary) = (weight, unit, summary)
    self.isRelative = isRelative ? true : nil
    functional = nil
  }

  /// - Parameter formula: what it is, for people.
  public init(_ name: String, _ functional: LawFunctional, formula: String, unit: String = "1", _ summary: String) {
    (self.name, self.formula, self.unit, self.summary) = (name, formula, unit, summary)
    (offsets, controls, weight, isRelative) = ([], [], nil, nil)
    self.functional = functional
  }

  public func offset(record: Int) -> Double { offsets.isEmpty ? 0 : offsets[record] }
}

/// A smooth functional of the law of an observable, log V of a layer of which units are normal given V (`UnitInformation`).
public struct LawFunctional: Sendable, Equatable, Codable {
  public enum Kind: String, Sendable, Codable {
    /// $v = \operatorname{Var} V / (E V)^2$.
    case fluctuation
    /// The mutual information of two groups of units, and its series to the third order in v.
    case information
    case informationSeries = "information-series"
  }

  public let kind: Kind
  /// The observable log V.
  public let observable: String
  /// $m_1$ and $m_2$, units of the groups.
  public let units: [Int]

  public init(_ kind: Kind, of observable: String, units: [Int]) {
    precondition(units.count == 2 && units.allSatisfy { $0 > 0 })
    (self.kind, self.observable, self.units) = (kind, observable, units)
  }
}

/// The formula of an estimand with its gradient, over the observables of a record.
public struct EstimandFormula: Sendable {
  /// Places of its variables among the observables.
  public let places: [Int]
  private let program: FormulaProgram

  /// - Throws: `FormulaError` where the formula names what is no observable, or has no derivative.
  public init(_ estimand: Estimand, of observables: [Observable]) throws {
    let names = observables.map { DerivedObservables.variable($0.name) }
    let tree = try FormulaTree(parsing: estimand.formula)
    let used = tree.names.filter { name in names.contains { $0 == name } }
    let formula = try Formula(tree, variables: used)
    places = used.map { name in names.firstIndex { $0 == name }! }
    program = FormulaProgram([formula] + (try used.map { try formula.derivative($0) }))
  }

  /// Value and gradient at the means of its variables.
  public func callAsFunction(_ means: [Double]) -> (value: Double, gradient: [Double]) {
    let all = program(means)
    return (all[0], Array(all.dropFirst()))
  }
}
