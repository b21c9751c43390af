import Experiments
import Kernels
import Randomness

/// Regressions, ready to be drawn and to be compared with what is known of them.
package struct RegressionModel: Sendable {
  package let experiment: Experiment
  /// What learns: limits cast it to the types that they belong to.
  package let problem: any RegressionProblem
  package let settings: RegressionSettings
  /// All keys of the table, defaults filled in.
  package let parameters: Parameters
  /// Labels for the file.
  package let attributes: [String: String]
  /// Lines of the identity besides the keys: the data that was read.
  package let data: [String]
}

/// A kind of regression with errors at a list of ridges.
///
/// A draw writes all that can be measured, and what is not asked for is left out by `RegressionExperiment`.
package protocol RegressionProblem: Sendable {
  /// delta, ascending.
  var ridges: [Double] { get }
  /// What can be measured, in the order in which a draw writes it.
  var observables: [Observable] { get }
  /// The draws, all observables of every ridge.
  func experiment(_ schema: Schema) -> RegressionExperiment
}

/// How an experiment is made of draws: inside the module, so that no existential is left in a draw.
package struct RegressionExperiment: Sendable {
  /// Keeps some of the observables of each record.
  package let make: @Sendable (_ kept: Schema, _ places: [Int]) -> Experiment

  init<D: Draw>(_ draw: D) {
    make = { kept, places in
      places.count == draw.schema.observables.count
        ? Experiment(WithSchema(draw: draw, schema: kept))
        : Experiment(Selection(draw: draw, schema: kept, places: places))
    }
  }
}

/// A draw of which other words are kept: its estimands.
private struct WithSchema<Whole: Draw>: Draw {
  let draw: Whole
  let schema: Schema

  func makeScratch() -> Whole.Scratch { draw.makeScratch() }

  func draw(
    using stream: inout Stream, scratch: Whole.Scratch, into values: UnsafeMutablePointer<Double>
  ) -> DrawEvents {
    draw.draw(using: &stream, scratch: scratch, into: values)
  }
}

/// A draw of which some observables are kept.
private struct Selection<Whole: Draw>: Draw {
  let draw: Whole
  let schema: Schema
  let places: [Int]

  final class Scratch {
    let whole: Whole.Scratch
    let values: UnsafeMutablePointer<Double>

    init(_ draw: Whole) {
      whole = draw.makeScratch()
      values = .allocateZeros(draw.schema.width)
    }

    deinit { values.deallocate() }
  }

  func makeScratch() -> Scratch { Scratch(draw) }

  func draw(
    using stream: inout Stream, scratch: Scratch, into values: UnsafeMutablePointer<Double>
  ) -> DrawEvents {
    let events = draw.draw(using: &stream, scratch: scratch.whole, into: scratch.values)
    let width = draw.schema.observables.count
    for record in 0..<schema.axis.count {
      for (i, place) in places.enumerated() {
        values[record * places.count + i] = scratch.values[record * width + place]
      }
    }
    return events
  }
}

/// A line of the catalog of regressions.
package struct RegressionEntry: Entry {
  package var kind: String { "regression" }
  package let name, summary, equation, reference: String
  package let observables: [String]
  /// Of which sum the ridge is a part.
  let ridge: String
  /// Whether a best ridge is known beforehand.
  let hasBestRidge: Bool
  private let own: [Parameter]
  private let make: @Sendable (Parameters, RegressionSettings, any DataSource) throws -> Made

  /// What an entry makes of its keys.
  struct Made {
    let problem: any RegressionProblem
    var data: [String] = []
    var attributes: [String: String] = [:]
  }

  init(
    name: String, summary: String, equation: String, reference: String, ridge: String, hasBestRidge: Bool = false,
    observables: [String] = RegressionSettings.names, parameters: [Parameter],
    make: @escaping @Sendable (Parameters, RegressionSettings, any DataSource) throws -> Made
  ) {
    (self.name, self.summary, self.equation, self.reference) = (name, summary, equation, reference)
    (self.ridge, self.hasBestRidge, self.observables) = (ridge, hasBestRidge, observables)
    own = parameters
    self.make = make
  }

  /// Keys of its own, behind those that all share.
  package var parameters: [Parameter] { RegressionSettings.parameters(self) + own }

  func read(_ table: JobValue, path: String, data: any DataSource) throws -> RegressionModel {
    let p = try Parameters(table, path: path, allowed: parameters)
    let settings = try RegressionSettings(p, self)
    let made = try make(p, settings, data)
    let all = made.problem.observables
    let places = all.indices.filter { settings.measured.contains(all[$0].family) }
    let kept = Schema(
      axis: settings.axis, observables: places.map { all[$0] },
      estimands: Self.estimands.filter { (try? EstimandFormula($0, of: places.map { all[$0] })) != nil })
    let whole = Schema(axis: settings.axis, observables: all)
    var attributes = made.attributes
    attributes["model"] = name
    if p["sampler"] != nil { attributes["sampler"] = attributes["sampler"] ?? p.text("sampler") }
    return RegressionModel(
      experiment: made.problem.experiment(whole).make(kept, places), problem: made.problem, settings: settings,
      parameters: p, attributes: attributes, data: made.data)
  }

  private static let estimands = [
    Estimand("fitting_ratio", "train/test", "mean training error over mean test error")
  ]
}

/// All regressions.
package enum RegressionCatalog {
  package static let entries: [RegressionEntry] = [
    EigenbasisRegression.entry, DataRegression.entry, BandlimitedRegression.entry,
  ]
}
