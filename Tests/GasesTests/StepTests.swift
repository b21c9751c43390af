import Engine
import Experiments
import Foundation
import Gases
import Randomness
import Testing

/// The time-stepped gas. Seeds are fixed; about 70 means are tested, at 4.5 standard errors each (a false alarm in 2,100 suites).
@Suite struct StepTests {
  private static let factor = validating ? 10 : 1

  /// Maxwell molecules, whose moments are known after every step at every N: even and odd numbers, three species, both probabilities.
  @Test(arguments: [0, 1, 2, 3])
  func momentsAreExact(which: Int) throws {
    let process = [
      Gas.steps(Gas.two, 0.5, 6), Gas.steps(Gas.light, 1, 4), Gas.steps(Gas.three(), 0.8, 5),
      Gas.steps(Gas.three(scaled: false), 0.5, 3, linear: true),
    ][which]
    let sample = try Sample(process, [4_000, 1_000, 4_000, 6_000][which] * Self.factor, key: "moments \(which)")
    for known in MixtureProblem(process).known { sample.expect(known.observable, known.value, errors: 4.5) }
  }

  /// Hard and variable hard spheres against a plain step: a shuffle, every pair asked, libm.
  @Test(arguments: [(1.0, false), (1.0, true), (0.4, false)])
  func spheresAgainstPlainSteps(exponent: Double, linear: Bool) throws {
    let process = Gas.steps(Gas.three(exponent), linear ? 0.05 : 0.3, 4, linear: linear)
    let draws = 3_000 * Self.factor
    let fast = try Sample(process, draws, key: "spheres")
    let plain = PlainSteps.sample(process, draws: draws)
    for name in plain.names { fast.expect(name, as: plain, errors: 4.5) }
  }

  /// Fewer collisions than before the next scan: the bounds rise with every one of them.
  @Test(arguments: [(1e-8, 1.0), (1, 1e-8)])
  func boundsRiseAtOnce(first: Double, second: Double) throws {
    let process = Gas.steps(Gas.cold(first, second, 20), 0.15, 5)
    let draws = 2_000 * Self.factor
    let fast = try Sample(process, draws, key: "cold \(first)")
    let plain = PlainSteps.sample(process, draws: draws)
    #expect(plain.moments("collisions").mean < 1)
    for name in plain.names { fast.expect(name, as: plain, errors: 4.5) }
  }

  /// As h -> 0 the law is that of events, to order h.
  @Test func stepsTendToEvents() throws {
    let gas = Gas.spheres(0.1, 200)
    let draws = 200 * Self.factor
    let events = Sample(MixtureProblem(gas, times: [1]), 2 * draws, key: "events").moments("temperature[0]")
    let (coarse, fine) = (
      try Sample(Gas.steps(gas, 0.2, 5), draws, key: "coarse").moments("temperature[0]"),
      try Sample(Gas.steps(gas, 0.1, 10), draws, key: "fine").moments("temperature[0]")
    )
    let found = 2 * fine.mean - coarse.mean
    let error =
      (4 * fine.meanError * fine.meanError + coarse.meanError * coarse.meanError
      + events.meanError * events.meanError).squareRoot()
    #expect((found - events.mean).magnitude < 4.5 * error, "\(found) +- \(error), \(events.mean)")
    // The bias itself is seen.
    let own = (coarse.meanError * coarse.meanError + events.meanError * events.meanError).squareRoot()
    #expect(coarse.mean - events.mean > 3 * own, "\(coarse.mean), \(events.mean) +- \(own)")
  }

  /// The state after some steps, coded, with the values that were measured: on one rank.
  private static func run(
    _ process: MixtureSteps, ranks: Int, from saved: [UInt8]? = nil, steps: ClosedRange<Int>
  ) throws -> (state: [UInt8], values: [Double]) {
    let results = try ThreadWorld.run(ranks: ranks) { group -> ([UInt8], [Double]) in
      let context = ReplicaContext(replica: 5, key: 99, group: group)
      let replica = try process.begin(context, from: saved.map { StateDecoder(bytes: $0) })
      for step in steps { try replica.advance(to: step) }
      var values = [Double](repeating: 0, count: process.observables.count)
      try values.withUnsafeMutableBufferPointer { try replica.measure((), into: $0.baseAddress!) }
      var encoder = StateEncoder()
      try replica.encode(to: &encoder)
      return (encoder.bytes, values)
    }
    for other in results { #expect(other.1 == results[0].1) }
    return results[0]
  }

  /// Every bit of every particle, on any ranks, also after a stop: several tiles a species, numbers that do not divide, one species within one tile.
  @Test(arguments: [0.0, 1, 0.3])
  func bitsDoNotDependOnRanks(exponent: Double) throws {
    let gas = MixtureGas(
      masses: [0.1, 1, 2], numbers: [2_301, 1_100, 7], temperatures: [2, 1, 1],
      rates: [1, 2, 1, 2, 1, 1, 1, 1, 1], exponent: exponent)
    let process = Gas.steps(gas, 0.3, 8, tails: [1])
    let whole = try Self.run(process, ranks: 1, steps: 1...8)
    for ranks in [2, 3, 7] {
      let own = try Self.run(process, ranks: ranks, steps: 1...8)
      #expect(own.state == whole.state && own.values == whole.values, "\(ranks) ranks")
      let half = try Self.run(process, ranks: ranks, steps: 1...3)
      let rest = try Self.run(process, ranks: 8 - ranks, from: half.state, steps: 4...8)
      #expect(rest.state == whole.state && rest.values == whole.values, "\(ranks) ranks, stopped")
    }
    let start = try Self.run(process, ranks: 1, steps: 1...1)
    #expect(start.state != whole.state)
  }

  /// A start of the law bkw, whose particles have words of their own.
  @Test func startsDoNotDependOnRanks() throws {
    let gas = MixtureGas(
      masses: [1], numbers: [3_000], temperatures: [1], rates: [1], exponent: 0, start: .init(.bkw, shape: 0.6))
    let process = Gas.steps(gas, 0.5, 1)
    let whole = try Self.run(process, ranks: 1, steps: 1...1)
    for ranks in [2, 7] { #expect(try Self.run(process, ranks: ranks, steps: 1...1).state == whole.state) }
    let sample = try Sample(Gas.steps(gas, 1e-9, 1), 100, key: "bkw")
    let solution = BKWSolution(start: 0.6, rate: 1, time: 0)
    sample.expect("fourth_moment[0]", solution.fourth, errors: 4.5, further: 0.005)
    sample.expect("sixth_moment[0]", solution.sixth, errors: 4.5, further: 0.05)
  }

  /// A probability above 1 ends the run on every rank, with the key and what would do.
  @Test func probabilitiesAboveOneAreRefused() throws {
    let process = Gas.steps(Gas.spheres(0.01, 700), 0.5, 20, linear: true)
    for ranks in [1, 3] {
      do {
        _ = try Self.run(process, ranks: ranks, steps: 1...20)
        Issue.record("no failure on \(ranks) ranks")
      } catch let failure as Failure {
        #expect(failure.status == .badData && failure.message.contains("gas.step = 0.5"), "\(failure.message)")
        #expect(failure.message.contains("probability = \"exponential\""))
      }
    }
  }

  @Test func invariantsAreKept() throws {
    let sample = try Sample(Gas.steps(Gas.spheres(0.01), 0.2, 200), 1)
    #expect(sample.moments("energy_drift").mean.magnitude < 1e-13)
    #expect(sample.moments("momentum_drift").mean < 1e-13)
  }
}

/// A step by its definition: the particles are shuffled, every pair of neighbours is asked whether it collides.
private enum PlainSteps {
  static func sample(_ process: MixtureSteps, draws: Int) -> Sample {
    let gas = process.gas
    let names = (0..<gas.species).flatMap { ["temperature[\($0)]", "fourth_moment[\($0)]"] } + ["collisions"]
    var stream = Randomness.Stream(key: Randomness.Stream.key(seed: 2026, path: "plain steps"))
    let rows = (0..<draws).map { draw -> [Double] in
      stream.start(draw: UInt64(draw))
      return run(process, &stream)
    }
    return Sample(names: names, rows: rows)
  }

  private static func shuffled(_ n: Int, _ stream: inout Randomness.Stream) -> [Int] {
    var order = Array(0..<n)
    for i in stride(from: n - 1, to: 0, by: -1) { order.swapAt(i, Int(stream.uniform() * Double(i + 1))) }
    return order
  }

  private static func run(_ process: MixtureSteps, _ stream: inout Randomness.Stream) -> [Double] {
    let gas = process.gas
    var v: [[SIMD3<Double>]] = (0..<gas.species).map { a in
      var own = (0..<gas.numbers[a]).map { _ in SIMD3<Double>(stream.normal(), stream.normal(), stream.normal()) }
      let mean = own.reduce(SIMD3<Double>.zero, +) / Double(own.count)
      own = own.map { $0 - mean }
      let square = own.reduce(0) { $0 + ($1 * $1).sum() }
      let factor = (3 * gas.temperatures[a] * Double(own.count) / gas.masses[a] / square).squareRoot()
      return own.map { factor * $0 }
    }
    var collisions = 0.0
    for _ in 0..<process.schedule.steps {
      for pairing in gas.pairings {
        let (a, b) = (pairing.a, pairing.b)
        let (na, nb) = (gas.numbers[a], gas.numbers[b])
        let (first, second) = (shuffled(na, &stream), shuffled(nb, &stream))
        let pairs: [(Int, Int)] =
          a == b
          ? (0..<na / 2).map { (k: Int) in (first[2 * k], first[2 * k + 1]) }
          : (0..<min(na, nb)).map { (k: Int) in (first[k], second[k]) }
        let met = a == b ? (na % 2 == 0 ? na - 1 : na) : max(na, nb)
        for (i, j) in pairs {
          let g = v[a][i] - v[b][j]
          let speed = (g * g).sum().squareRoot()
          let x = gas.rate(a, b) * pow(speed, gas.exponent) * process.step * Double(met) / Double(gas.total)
          guard stream.uniform() < (process.isLinear ? x : 1 - exp(-x)) else { continue }
          let (z, angle) = (2 * stream.uniform() - 1, 2 * Double.pi * stream.uniform())
          let r = (1 - z * z).squareRoot()
          let turned = speed * SIMD3(r * cos(angle), r * sin(angle), z)
          let centre = gas.share(a, of: b) * v[a][i] + gas.share(b, of: a) * v[b][j]
          (v[a][i], v[b][j]) = (centre + gas.share(b, of: a) * turned, centre - gas.share(a, of: b) * turned)
          collisions += 1
        }
      }
    }
    return (0..<gas.species).flatMap { a -> [Double] in
      let own = v[a].map { gas.masses[a] * ($0 * $0).sum() }
      return [own.reduce(0, +) / Double(3 * own.count), own.reduce(0) { $0 + $1 * $1 } / Double(own.count)]
    } + [collisions / Double(gas.total)]
  }
}
