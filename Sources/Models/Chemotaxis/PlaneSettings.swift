import Experiments
import Kernels

/// Particles of the plane that attract each other directly, $\varepsilon = 0$:
///
/// $$ dX_i = -\frac{M}{2 \pi N} \sum_j \frac{X_i - X_j}{|X_i - X_j|^2} dt + \sqrt 2 \, dB_i. $$
package struct PlaneSettings: Sendable {
  package let number: Int
  /// M, the mass of all particles.
  package let mass: Double
  package let step: Double
  /// Steps after which it is measured.
  package let records: [Int]
  /// Particles start on a circle of this radius.
  package let radius: Double
  /// A system has collapsed when R is below this share of that at the start.
  package let collapse: Double

  private static let companions = ["steps", "records", "draws"]

  static let parameters: [Parameter] = [
    Parameter(
      "number", .integer(2...4096), small: .init(.inverse, "N", companions: companions, fluctuations: true),
      "N, particles"),
    Parameter(
      "mass", .real(.init(0, 1e9, openBelow: true)),
      "M, mass of all particles together; below 8 pi N/(N-1), where all of them would stick together at once"),
    Parameter(
      "step", .real(.init(0, 1e6, openBelow: true)), unit: "time",
      small: .init(.direct, "h", companions: companions), "step size h"),
    Parameter("steps", .integer(1...1_000_000_000_000), "steps of a draw"),
    StepRecords.parameter,
    Parameter(
      "start_radius", .real(.init(0, 1e6, openBelow: true)), default: .real(1),
      "r: particles start at equal distances on a circle, so R = N r^2"),
    Parameter(
      "collapse", .real(.init(0, 1, openBelow: true, openAbove: true)), default: .real(0.01),
      "a system has collapsed once R is below this share of that at the start"),
  ]

  init(_ p: Parameters) throws {
    (number, mass, step) = (p.integer("number"), p.real("mass"), p.real("step"))
    (radius, collapse) = (p.real("start_radius"), p.real("collapse"))
    let bound = Self.bound(number)
    guard mass < bound else {
      throw p.invalid(
        "mass",
        "must be below 8 pi N/(N-1) = \(bound) for N = \(number): beyond, all particles stick together at once, and nothing is known of R after"
      )
    }
    records = try StepRecords.read(p, steps: p.integer("steps"))
  }

  package init(
    number: Int, mass: Double, step: Double, records: [Int], radius: Double = 1, collapse: Double = 0.01
  ) {
    (self.number, self.mass, self.step, self.records) = (number, mass, step, records)
    (self.radius, self.collapse) = (radius, collapse)
  }

  /// The mass at which all particles together stick.
  package static func bound(_ number: Int) -> Double { 8 * Double.pi * Double(number) / Double(number - 1) }

  /// R at the start.
  package var start: Double { Double(number) * radius * radius }
  /// Dimension of R as a squared Bessel process: $\delta = (N-1)(2 - M/4\pi)$.
  package var dimension: Double { Double(number - 1) * (2 - mass / (4 * Double.pi)) }
  package func time(_ record: Int) -> Double { Double(records[record]) * step }
}
