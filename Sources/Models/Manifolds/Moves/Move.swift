import Experiments

/// A rule that makes one step. One conforming type a file, and a line of `ManifoldCatalog.moves`; an instance belongs to one replica, and keeps
/// nothing from step to step but room.
package protocol Move: AnyObject {
  func step(_ array: SiteArray, _ moment: Moment)
}

/// A move with its parameters.
package struct MoveModel: Sendable {
  /// Weak order in the step size of means in the stationary law; nil for moves that have no such error.
  package let order: Int?
  /// Whether it accepts and rejects.
  let accepts: Bool
  /// Whether it needs geodesics, and a temperature that is finite.
  let needsGeodesics, needsTemperature: Bool
  package let make: @Sendable (SiteArray) -> any Move

  package init(
    order: Int?, accepts: Bool = false, needsGeodesics: Bool = false, needsTemperature: Bool = true,
    make: @escaping @Sendable (SiteArray) -> any Move
  ) {
    self.order = order
    self.accepts = accepts
    self.needsGeodesics = needsGeodesics
    self.needsTemperature = needsTemperature
    self.make = make
  }
}

/// A line of the catalog of moves.
package struct MoveEntry: Entry {
  package var kind: String { "integrator" }
  package let name, summary, equation, reference: String
  package let parameters: [Parameter]
  package let read: @Sendable (_ p: Parameters) throws -> MoveModel

  /// The step size of the moves that have one.
  static let step = Parameter(
    "step", .real(.init(0, 1e3, openBelow: true)), unit: "time",
    small: .init(.direct, "h", companions: ["steps", "warm_up", "measure_every", "replicas"]), "step size h")
}
