import Experiments

/// A line of the catalog of systems.
package struct SystemEntry: Entry {
  package var kind: String { "system" }
  package let name: String
  package let summary: String
  package let equation: String
  package let reference: String
  package let parameters: [Parameter]
  /// Reads the checked table of the family; `load` gives a table of a data file.
  package let read: @Sendable (_ p: Parameters, _ load: (TableRequest) throws -> DataTable) throws -> SystemModel

  static func dimension(_ usual: Int64) -> Parameter {
    Parameter("dimension", .integer(1...100_000), default: .integer(usual), "coordinates of a particle")
  }
}

/// All systems and integrators.
package enum ParticleCatalog {
  package static let systems: [SystemEntry] = [
    GaussianAttraction.entry,
    DoubleWell.entry,
    CurieWeiss.entry,
    Kuramoto.entry,
    GaussianKernel.entry,
    LogGas.entry,
    TwoLayer.entry,
    GaussianTarget.entry,
    CosineWell.entry,
    PowerLaw.entry,
    TwoWell.entry,
    LogisticRegression.entry,
    LeastSquares.entry,
    GaussianMean.entry,
    OwnSystem.entry,
  ]

  package static let integrators: [IntegratorEntry] = [
    LMC.entry,
    MALA.entry,
    ULMC.entry,
    BAOAB.entry,
    OBABO.entry,
    HMC.entry,
    RandomizedMidpoint.entry,
    UnderdampedMidpoint.entry,
    Proximal.entry,
    HeatBath.entry,
  ]

  /// Keys of every particle job.
  package static var parameters: [Parameter] {
    [
      Parameter("system", .choice(systems.map(\.name)), "what moves"),
      Parameter("integrator", .choice(integrators.map(\.name)), default: .text("lmc"), "how it moves"),
    ] + ParticleSettings.parameters
  }
}
