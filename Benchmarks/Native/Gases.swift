import Experiments
import Gases
import Randomness

/// Collisions a second of gases of two species of equal masses and temperatures, by events and in steps, and pairs a second of a keyed pairing.
func gasTimes() throws {
  for (number, exponent, collisions) in [
    (1_000, 0.0, 10_000_000.0), (1_000, 1, 4_000_000), (1_000_000, 0, 5_000_000), (1_000_000, 1, 2_000_000),
  ] {
    let gas = MixtureGas(
      masses: [1, 1], numbers: [number / 2, number / 2], temperatures: [1, 1], rates: [1, 1, 1, 1], exponent: exponent)
    // Collisions per particle and time: half of 1, or of E|g| = 4/sqrt(pi) for hard spheres.
    let time = collisions / Double(number) / (exponent == 0 ? 0.5 : 1.128)
    let problem = MixtureProblem(gas, times: [time])
    guard let place = problem.schema.place(of: "collisions"),
      let runner = Experiment(ProblemDraw(problem)).makeRunner(key: 7)
    else { continue }
    var (made, next) = (0.0, UInt64(0))
    // The start and its measurement are part of the time.
    let seconds = best {
      made = runner.values(next)[place] * Double(number)
      next += 1
    }
    report(
      "events",
      [("particles", "\(number)"), ("exponent", "\(exponent)"), ("collisions_per_second", "\(made / seconds)")])
  }
  for (number, exponent, step) in [(1_000_000, 0.0, 0.2), (1_000_000, 1, 0.1)] {
    let gas = MixtureGas(
      masses: [1], numbers: [number], temperatures: [1], rates: [1], exponent: exponent)
    let process = MixtureSteps(
      gas, MixtureMeasurement(gas: gas, tails: []), step: step, isLinear: false, schedule: Schedule(steps: 1_000_000))
    let replica = try process.begin(ReplicaContext(replica: 0, key: 7, group: SelfCommunicator()), from: nil)
    var step = 0
    let seconds = try best {
      for _ in 0..<20 {
        step += 1
        try replica.advance(to: step)
      }
    }
    report(
      "steps",
      [
        ("particles", "\(number)"), ("exponent", "\(exponent)"),
        ("collisions_per_second", "\(20 * replica.collisionsPerStep / seconds)"),
      ])
  }
  let words = KeyedWords(key: 7)
  for number in [100_000, 1_000_000] {
    var images = Array(repeating: UInt32(0), count: number)
    var step = 0
    let seconds = best {
      let permutation = KeyedPermutation(number, by: words, replica: 0, step: step, use: 0)
      images.withUnsafeMutableBufferPointer { permutation.fill(images: $0.baseAddress!, from: 0, count: number) }
      sink += Double(images[step % number])
      step += 1
    }
    report("pairing", [("particles", "\(number)"), ("pairs_per_second", "\(Double(number / 2) / seconds)")])
  }
}
