import Experiments
import Kernels
import Randomness

/// A mixture whose draws are replicas, exact in time (`MixtureEvents`), with what is known of it.
package struct MixtureProblem: DrawnProblem {
  package let gas: MixtureGas
  package let measurement: MixtureMeasurement
  package let axis: Axis
  /// Times of the records.
  package let times: [Double]
  /// The time-stepped gas of which this is the limit h -> 0, if that is what the job draws.
  package let steps: MixtureSteps?

  package init(_ gas: MixtureGas, tails: [Double] = [], times: [Double]) {
    self.gas = gas
    measurement = MixtureMeasurement(gas: gas, tails: tails)
    self.times = times
    axis = Axis(name: "time", summary: "time since the start", values: times)
    steps = nil
  }

  package init(_ steps: MixtureSteps) {
    (gas, measurement, self.steps) = (steps.gas, steps.measurement, steps)
    axis = steps.schedule.axis
    times = axis.values.map { $0 * steps.step }
  }

  package var observables: [Observable] { measurement.observables }

  package var attributes: [String: String] {
    var found = [
      "species": "\(gas.species)", "particles": "\(gas.total)", "exponent": "\(gas.exponent)",
      "dynamics": steps == nil ? "events" : "steps",
    ]
    if let steps { found["step"] = "\(steps.step)" }
    return found
  }

  package func makeState() -> MixtureEvents { MixtureEvents(gas, measurement) }

  package func draw(_ state: MixtureEvents, _ stream: inout Stream, into values: UnsafeMutablePointer<Double>) {
    state.run(times, &stream, into: values)
  }

  /// Temperatures of Maxwell molecules at each record, exact at this N, and at this h if there are steps.
  private var moments: [[Double]] {
    let moments = MixtureMoments(gas)
    let found =
      steps.map { steps in moments.after(axis.values.map { Int($0) }, steps.probability) } ?? moments.at(times)
    return found.map(moments.temperatures)
  }

  /// What is known at this very size: of Maxwell molecules the temperatures and the number of collisions.
  package var known: [KnownStatistic] {
    guard gas.isMaxwell else { return [] }
    return moments.enumerated().flatMap { record, temperatures -> [KnownStatistic] in
      let collisions: Double
      if let steps {
        let perStep = gas.pairings.reduce(0) { $0 + Double(steps.pairs($1)) * steps.probability($1) }
        collisions = axis.values[record] * perStep / Double(gas.total)
      } else {
        collisions = MixtureMoments(gas).collisions(by: times[record])
      }
      return temperatures.enumerated().map { a, value in
        KnownStatistic(.mean, of: "temperature[\(a)]", record: record, value)
      } + [KnownStatistic(.mean, of: "collisions", record: record, collisions)]
    }
  }

  static let entry = GasFamily.entry(
    name: "mixture", summary: "a homogeneous gas of several species, from Maxwell molecules to hard spheres",
    equation:
      "pairs collide at rate C_ab |g|^gamma/N: v' = V + mu_b |g| s, w' = V - mu_a |g| s, V = mu_a v + mu_b w, s uniform on the sphere",
    reference: "docs/gases.md", observables: MixtureMeasurement.names, parameters: MixtureKeys.parameters
  ) { p, _ in try MixtureKeys.read(p) }
}
