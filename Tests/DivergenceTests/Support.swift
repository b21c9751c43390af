import Analyses
import Engine
import Experiments
import Jobs
import Support
import Testing

func read(_ keys: String, limits: String = "", settings: [String] = []) throws -> Job {
  let text = "seed = 2026\n[divergence]\ndraws = 2\n\(keys)\n\(limits)"
  return try JobReader(families: Registry.families, data: NoData()).read(
    text, name: "test.toml", settings: settings, check: false
  ).job
}

/// A law of the catalog: what every draw says alike, and what is known of the draws.
struct Known {
  let leg: Leg
  let exact: ReferenceValues
  private let row: [Double]

  init(_ keys: String, settings: [String] = []) throws {
    let item = try read(keys, settings: settings).cases[0]
    leg = try #require(item.finite)
    exact = try #require(item.legs.first { $0.role == .exact }?.known)
    row = try #require(leg.experiment?.makeRunner(key: 1)).values(0)
  }

  func callAsFunction(_ name: String, _ record: Int? = nil) throws -> Double {
    row[leg.schema.index(record ?? leg.axis.count - 1, try #require(leg.schema.place(of: name), "\(name)"))]
  }
}

/// Whether two numbers agree to a given number of units of the last digit that is printed, 0.6 unless given.
func expectPrinted(
  _ value: Double, _ printed: Double, _ unit: Double, _ what: String, location: SourceLocation = #_sourceLocation
) {
  #expect((value - printed).magnitude <= unit, "\(what): \(value), printed \(printed)", sourceLocation: location)
}
