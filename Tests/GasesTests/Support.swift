import Engine
import Experiments
import Foundation
import Gases
import Randomness
import Statistics
import Testing

/// `make validate` draws more.
let validating = ProcessInfo.processInfo.environment["FATHOM_VALIDATE"] != nil

/// Gases with printed values.
enum Gas {
  static let two = MixtureGas(
    masses: [0.1, 1], numbers: [5, 5], temperatures: [2, 1], rates: [1, 1, 1, 1], exponent: 0)
  static let light = MixtureGas(
    masses: [0.01, 1], numbers: [20, 80], temperatures: [2, 0.5], rates: [1, 1, 1, 1], exponent: 0)
  /// Three species, with an odd number of two of them, and rates of their own.
  static func three(_ exponent: Double = 0, scaled: Bool = true) -> MixtureGas {
    MixtureGas(
      masses: [0.2, 1, 3], numbers: [3, 4, 5], temperatures: [2, 1, 0.5],
      rates: [1, 0.7, 1.3, 0.7, 2, 0.4, 1.3, 0.4, 0.9], exponent: exponent, start: .init(isScaled: scaled))
  }
  static func spheres(_ ratio: Double, _ number: Int = 1_000, exponent: Double = 1) -> MixtureGas {
    MixtureGas(
      masses: [ratio, 1], numbers: [number, number], temperatures: [2, 1], rates: [1, 1, 1, 1], exponent: exponent)
  }
  /// One species at rest, so to speak, and a hot one of the same mass: bounds that do not rise with the first collisions are far too low.
  static func cold(_ first: Double, _ second: Double, _ number: Int) -> MixtureGas {
    MixtureGas(
      masses: [1, 1], numbers: [number, number], temperatures: [first, second], rates: [1, 1, 1, 1], exponent: 1)
  }
  static func steps(
    _ gas: MixtureGas, _ step: Double, _ count: Int, linear: Bool = false, records: Int = 1, tails: [Double] = []
  ) -> MixtureSteps {
    MixtureSteps(
      gas, MixtureMeasurement(gas: gas, tails: tails), step: step, isLinear: linear,
      schedule: Schedule(steps: count, records: records, measureEvery: count / records))
  }
}

/// Values of replicas.
struct Sample {
  let names: [String]
  let rows: [[Double]]

  /// Of a gas exact in time.
  init(_ problem: MixtureProblem, _ draws: Int, key: String = "gases") {
    names = problem.observables.map(\.name)
    let runner = Experiment(ProblemDraw(problem)).makeRunner(key: Randomness.Stream.key(seed: 2026, path: key))
    rows = (0..<draws).compactMap { runner?.values(UInt64($0)) }
  }

  /// Of a time-stepped gas after all of its steps.
  init(_ process: MixtureSteps, _ draws: Int, key: String = "steps") throws {
    names = process.observables.map(\.name)
    let (key, count) = (Randomness.Stream.key(seed: 2026, path: key), process.observables.count)
    rows = try (0..<draws).map { draw in
      let context = ReplicaContext(replica: UInt64(draw), key: key, group: SelfCommunicator())
      let replica = try process.begin(context, from: nil)
      for step in 1...process.schedule.steps { try replica.advance(to: step) }
      var values = [Double](repeating: 0, count: count)
      try values.withUnsafeMutableBufferPointer { try replica.measure((), into: $0.baseAddress!) }
      return values
    }
  }

  /// Of rows of values of the same names.
  init(names: [String], rows: [[Double]]) { (self.names, self.rows) = (names, rows) }

  func moments(_ name: String, record: Int = 0) -> Moments {
    let place = record * names.count + names.firstIndex(of: name)!
    return Moments(values: rows.map { $0[place] })
  }

  /// Expects a mean.
  /// - Parameter further: another standard error, that of the expected number.
  func expect(
    _ name: String, record: Int = 0, _ expected: Double, errors: Double, further: Double = 0,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let found = moments(name, record: record)
    let error = (found.meanError * found.meanError + further * further).squareRoot()
    #expect(
      (found.mean - expected).magnitude < errors * error + 1e-12,
      "\(name) at \(record): \(found.mean) +- \(found.meanError), \(expected)", sourceLocation: sourceLocation)
  }

  /// Expects the means of another sample.
  func expect(
    _ name: String, record: Int = 0, as other: Sample, record otherRecord: Int = 0, errors: Double,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let theirs = other.moments(name, record: otherRecord)
    expect(
      name, record: record, theirs.mean, errors: errors, further: theirs.meanError, sourceLocation: sourceLocation)
  }
}
