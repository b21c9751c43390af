/// One measured quantity: a family of names and the indices within it, e.g. `V` and (0, 1).
public struct Observable: Sendable, Equatable, Codable {
  /// What an observable is for. Analyses ask for roles, never for names.
  public enum Role: String, Sendable, Codable {
    /// A quantity of the system.
    case quantity
    /// What is to be made small, such as a training loss: its least value tells which setting is best.
    case objective
    /// The logarithm of a size, whose slope in the logarithm of a swept parameter says whether the size grows, shrinks or stays.
    case logarithm
    /// Of a family too heavy-tailed for its mean to decide a verdict, like V itself.
    case heavyTailed = "heavy-tailed"
    /// 1 where something happened, else 0: its mean is a probability.
    case event
    /// The same of a failure, of initialisation or of training: a health report counts it.
    case failure
    /// Energy per particle, from which free energies are made.
    case energy
    /// Has mean zero in the stationary law, whatever the system: a certificate of stationarity.
    case certificate
    /// Acceptance rate of a sampler.
    case acceptanceRate = "acceptance-rate"
    /// A tuned setting, not a quantity of the system: a step size.
    case setting
    /// What an estimand is made of, not a quantity of the system: a weight, a control variate.
    case auxiliary
    /// The value of the finite system less what a paired reference computes on the same draw: its mean is 0 where both
    /// agree.
    case difference
    /// The same where the reference is exact: any significant difference is a fault.
    case exactDifference = "exact-difference"
  }

  /// Name with indices, e.g. `rho[0,1]`: unique within a leg.
  public let name: String
  public let family: String
  public let indices: [Int]
  public let role: Role
  /// `1` for pure numbers.
  public let unit: String
  public let summary: String
  /// For a difference: the name of the paired reference.
  public let reference: String?
  /// Whether it is worked out without sampling, and so the same in every draw; nil if not, as in files of before.
  public let isExact: Bool?

  /// - Parameter name: the family with the indices in brackets unless given.
  public init(
    _ family: String, _ indices: [Int], role: Role = .quantity, unit: String = "1", name: String? = nil,
    reference: String? = nil, isExact: Bool = false, _ summary: String
  ) {
    self.family = family
    self.indices = indices
    self.role = role
    self.unit = unit
    self.name =
      name ?? (indices.isEmpty ? family : family + "[" + indices.map(String.init).joined(separator: ",") + "]")
    self.reference = reference
    self.isExact = isExact ? true : nil
    self.summary = summary
  }

  /// Without indices.
  public init(
    _ family: String, role: Role = .quantity, unit: String = "1", name: String? = nil, isExact: Bool = false,
    _ summary: String
  ) {
    self.init(family, [], role: role, unit: unit, name: name, isExact: isExact, summary)
  }

  public var isHeavyTailed: Bool { role == .heavyTailed }
  /// Whether it is a quantity of the system, rather than of the method that samples it.
  public var isPhysical: Bool { role != .acceptanceRate && role != .setting && role != .auxiliary }
  public var isDifference: Bool { role == .difference || role == .exactDifference }

  /// The value of an observable less that of a paired reference on the same draw.
  public static func difference(of observable: Observable, reference: String, isExact: Bool = false) -> Observable {
    Observable(
      "\(observable.family) - \(reference)", observable.indices, role: isExact ? .exactDifference : .difference,
      unit: observable.unit, name: "\(observable.name) - \(reference)", reference: reference,
      "\(observable.name) less that of \(reference) on the same draw")
  }
}

/// What a draw yields: `axis.count * observables.count` numbers, record by record.
public struct Schema: Sendable, Equatable, Codable {
  public let axis: Axis
  public let observables: [Observable]
  /// What is made of means of the observables; nil if there is nothing, as in files of before.
  public let estimands: [Estimand]?

  public init(axis: Axis, observables: [Observable], estimands: [Estimand] = []) {
    let names = observables.map(\.name) + estimands.map(\.name)
    precondition(Set(names).count == names.count, "two observables of one name")
    precondition(estimands.allSatisfy { $0.offsets.isEmpty || $0.offsets.count == axis.count })
    self.axis = axis
    self.observables = observables
    self.estimands = estimands.isEmpty ? nil : estimands
  }

  /// Numbers of one draw.
  public var width: Int { axis.count * observables.count }

  /// Place of an observable at a record among the numbers of a draw.
  public func index(_ record: Int, _ observable: Int) -> Int { record * observables.count + observable }

  public func place(of name: String) -> Int? { observables.firstIndex { $0.name == name } }
  public func estimand(_ name: String) -> Estimand? { estimands?.first { $0.name == name } }
  public func place(of role: Observable.Role) -> Int? { observables.firstIndex { $0.role == role } }
  /// Place of the observable that a difference is of.
  public func minuend(of difference: Int) -> Int? {
    guard let reference = observables[difference].reference else { return nil }
    return observables.firstIndex { "\($0.name) - \(reference)" == observables[difference].name }
  }
}
