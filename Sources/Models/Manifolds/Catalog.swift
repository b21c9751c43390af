import Experiments

/// A line of the catalog of systems on manifolds.
package struct SystemEntry: Entry {
  package var kind: String { "system" }
  package let name, summary, equation, reference: String
  package let parameters: [Parameter]
  /// Reads the checked table of the family.
  package let read: @Sendable (_ p: Parameters) throws -> SystemModel

  static let copies = Parameter(
    "copies", .integer(1...1_000_000), default: .integer(1),
    "independent copies in one replica, all measured: more draws for the same overhead")

  /// Reads the copies of a system of a given size; refuses what is too large before anything is made.
  static func copies(_ p: Parameters, of numbers: Int) throws -> Int {
    let (copies, most) = (p.integer("copies"), ManifoldSettings.mostNumbers / numbers)
    guard copies <= most else { throw p.invalid("copies", "must be at most \(most) at this size") }
    return copies
  }
}

/// All systems and moves.
package enum ManifoldCatalog {
  package static let systems: [SystemEntry] = [
    VonMisesFisher.entry,
    SpherePair.entry,
    SphereRing.entry,
    StiefelField.entry,
    RotationField.entry,
    CompactU1.entry,
  ]

  package static let moves: [MoveEntry] = [
    Langevin.geodesic,
    Langevin.retracted,
    HeatBath.entry,
    GeodesicHMC.entry,
  ]

  /// Keys of every job of the family.
  package static var parameters: [Parameter] {
    [
      Parameter("system", .choice(systems.map(\.name)), "what is sampled"),
      Parameter("integrator", .choice(moves.map(\.name)), default: .text("heat-bath"), "how it moves"),
    ] + ManifoldSettings.parameters
  }
}
