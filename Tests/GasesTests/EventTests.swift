import Experiments
import Foundation
import Gases
import Randomness
import Testing

/// Replicas collision by collision. Seeds are fixed; about 120 means are tested, at 4.5 standard errors each (a false alarm in 1,200 suites).
@Suite struct EventTests {
  private static let factor = validating ? 10 : 1

  /// Temperatures and numbers of collisions of Maxwell molecules, exact at every N.
  @Test(arguments: [0, 1, 2, 3])
  func momentsAreExact(which: Int) {
    let gas = [Gas.two, Gas.light, Gas.three(), Gas.three(scaled: false)][which]
    let times = [0.0, 1, 5, 20]
    let problem = MixtureProblem(gas, times: times)
    let sample = Sample(problem, [8_000, 1_000, 6_000, 6_000][which] * Self.factor, key: "moments \(which)")
    for known in problem.known where known.record > 0 || known.observable != "collisions" {
      sample.expect(known.observable, record: known.record, known.value, errors: 4.5)
    }
  }

  /// A scaled start has its temperatures exactly.
  @Test func startsAreScaled() {
    for gas in [Gas.two, Gas.three(1)] {
      let sample = Sample(MixtureProblem(gas, times: [0]), 20)
      for (a, t) in gas.temperatures.enumerated() {
        for row in sample.rows {
          #expect((row[sample.names.firstIndex(of: "temperature[\(a)]")!] - t).magnitude < 1e-14 * t * 10)
        }
      }
    }
  }

  /// The fourth moments of many particles.
  @Test func fourthMoments() {
    let gas = MixtureGas(
      masses: [0.01, 1], numbers: [1_000, 4_000], temperatures: [2, 0.5], rates: [1, 1, 1, 1], exponent: 0)
    let times = [1.0, 5, 20]
    let sample = Sample(MixtureProblem(gas, times: times), 40 * Self.factor, key: "fourth")
    let known = MixtureRelaxation.maxwell(gas, times)
    for record in times.indices {
      for a in 0..<2 { sample.expect("fourth_moment[\(a)]", record: record, known.fourth[record][a], errors: 4.5) }
    }
  }

  @Test func bobylevKrookWu() {
    let gas = MixtureGas(
      masses: [1], numbers: [10_000], temperatures: [1], rates: [1], exponent: 0, start: .init(.bkw, shape: 0.6))
    let times = [0.0, 2, 6, 12]
    let sample = Sample(MixtureProblem(gas, tails: [3, 1.5], times: times), 60 * Self.factor, key: "bkw")
    for (record, time) in times.enumerated() {
      let solution = BKWSolution(start: 0.6, rate: 1, time: time)
      // Sixth moments are 0.03 % low at N = 10,000.
      sample.expect("fourth_moment[0]", record: record, solution.fourth, errors: 4.5, further: 0.002)
      sample.expect("sixth_moment[0]", record: record, solution.sixth, errors: 4.5, further: 0.03)
      sample.expect("tail[0,0]", record: record, solution.tail(3), errors: 4.5)
      sample.expect("tail[0,1]", record: record, solution.tail(1.5), errors: 4.5)
    }
    // Eight particles that are not scaled: the printed value of a simulation.
    let eight = MixtureGas(
      masses: [1], numbers: [8], temperatures: [1], rates: [1], exponent: 0,
      start: .init(.bkw, shape: 0.6, isScaled: false))
    Sample(MixtureProblem(eight, times: [6]), 20_000 * Self.factor, key: "eight")
      .expect("fourth_moment[0]", 14.305, errors: 4.5, further: 0.008)
  }

  /// Hard and variable hard spheres against the plain process: every pair has its own clock, of rate C|g|^gamma/N, no bound and no candidate.
  @Test(arguments: [1.0, 0.4])
  func spheresAgainstThePlainProcess(exponent: Double) {
    let gas = Gas.three(exponent)
    let draws = 3_000 * Self.factor
    let fast = Sample(MixtureProblem(gas, tails: [1.5], times: [0.7, 3]), draws, key: "spheres")
    let plain = PlainGas.sample(gas, times: [0.7, 3], draws: draws)
    for record in 0..<2 {
      for name in plain.names {
        fast.expect(name, record: record, as: plain, record: record, errors: 4.5)
      }
    }
  }

  /// Fewer collisions than between two scans: the bounds rise with every one of them.
  @Test(arguments: [(1e-8, 1.0), (1, 1e-8)])
  func boundsRiseAtOnce(first: Double, second: Double) {
    let gas = Gas.cold(first, second, 6)
    let draws = 4_000 * Self.factor
    let fast = Sample(MixtureProblem(gas, times: [0.7, 1.5]), draws, key: "cold \(first)")
    let plain = PlainGas.sample(gas, times: [0.7, 1.5], draws: draws)
    #expect(plain.moments("collisions", record: 1).mean < 2)
    for record in 0..<2 {
      for name in plain.names { fast.expect(name, record: record, as: plain, record: record, errors: 4.5) }
    }
  }

  /// Moments of the directions of 200,000 words to degree 4; lengths.
  @Test func directionsAreUniform() {
    var stream = Randomness.Stream(key: Randomness.Stream.key(seed: 2026, path: "directions"))
    stream.start(draw: 0)
    let n = 200_000.0 * Double(Self.factor)
    var sums = Array(repeating: 0.0, count: 10)
    for _ in 0..<Int(n) {
      let (x, y, z) = direction(stream.word())
      #expect((x * x + y * y + z * z - 1).magnitude < 1e-15)
      let squares: [Double] = [x * x, y * y, z * z]
      let products: [Double] = [x * y, y * z, x * z, z * z * z * z]
      let terms: [Double] = [x, y, z] + squares + products
      for (i, term) in terms.enumerated() { sums[i] += term }
    }
    // Means and variances of the terms.
    let known: [(Double, Double)] =
      Array(repeating: (0, 1.0 / 3), count: 3) + Array(repeating: (1.0 / 3, 4.0 / 45), count: 3)
      + Array(repeating: (0, 1.0 / 15), count: 3) + [(0.2, 1.0 / 9 - 0.04)]
    for (i, sum) in sums.enumerated() {
      let (mean, variance) = known[i]
      #expect((sum / n - mean).magnitude < 4.5 * (variance / n).squareRoot(), "term \(i): \(sum / n), \(mean)")
    }
  }

  /// The printed temperatures of hard spheres, and the closure that they tend to as the masses part.
  @Test func hardSpheres() {
    for (ratio, value, error) in [(0.1, 1.6168, 0.0021), (0.01, 1.7826, 0.0029)] {
      let sample = Sample(MixtureProblem(Gas.spheres(ratio), times: [1]), 40 * Self.factor, key: "hard \(ratio)")
      sample.expect("temperature[0]", value, errors: 4.5, further: error)
      // A bound for each pair of species: more than a fifth of the candidates of every one of them collide.
      for name in ["acceptance[0,0]", "acceptance[0,1]", "acceptance[1,1]"] {
        let found = sample.moments(name).mean
        #expect(found > 0.2 && found < 0.6, "mass ratio \(ratio): \(name) \(found)")
      }
    }
  }

  /// In the law of a Maxwellian at the start nothing changes but the pairs.
  @Test func equilibriumStays() {
    let gas = MixtureGas(
      masses: [0.3, 2], numbers: [400, 300], temperatures: [1.3, 1.3], rates: [1, 2, 2, 0.5], exponent: 1,
      start: .init(isScaled: false))
    let sample = Sample(MixtureProblem(gas, tails: [3], times: [0, 4]), 200 * Self.factor, key: "equilibrium")
    for a in 0..<2 {
      sample.expect("temperature[\(a)]", record: 1, 1.3, errors: 4.5)
      sample.expect("fourth_moment[\(a)]", record: 1, 15 * 1.69, errors: 4.5)
      sample.expect("sixth_moment[\(a)]", record: 1, 105 * 1.3 * 1.3 * 1.3, errors: 4.5)
    }
    // Collisions of hard spheres in a Maxwellian: pairs times C E|g|/N a unit of time, E|g| = sqrt(8 theta/pi), theta = T/m_a + T/m_b.
    var rate = 0.0
    for pairing in gas.pairings {
      let theta = 1.3 / gas.masses[pairing.a] + 1.3 / gas.masses[pairing.b]
      rate += gas.pairs(pairing) * gas.rate(pairing.a, pairing.b) * (8 * theta / Double.pi).squareRoot()
    }
    sample.expect("collisions", record: 1, 4 * rate / (700.0 * 700), errors: 4.5)
  }

  /// Momentum and energy over ten million collisions (a hundred with `make validate`).
  @Test func invariantsAreKept() {
    for (gas, time) in [(Gas.spheres(0.01), 1_000.0), (Gas.spheres(0.01, exponent: 0), 10_000)] {
      let sample = Sample(MixtureProblem(gas, times: [time * Double(Self.factor)]), 1, key: "invariants")
      #expect(sample.moments("collisions").mean * Double(gas.total) > 9e6 * Double(Self.factor))
      #expect(sample.moments("energy_drift").mean.magnitude < 1e-13, "\(sample.moments("energy_drift").mean)")
      #expect(sample.moments("momentum_drift").mean < 1e-13, "\(sample.moments("momentum_drift").mean)")
    }
  }
}

/// The process by its definition: every pair waits for an exponential time of its own rate; libm, arrays, no bound.
private enum PlainGas {
  static func sample(_ gas: MixtureGas, times: [Double], draws: Int) -> Sample {
    let names = (0..<gas.species).flatMap { ["temperature[\($0)]", "fourth_moment[\($0)]"] } + ["collisions"]
    var stream = Randomness.Stream(key: Randomness.Stream.key(seed: 2026, path: "plain"))
    let rows = (0..<draws).map { draw -> [Double] in
      stream.start(draw: UInt64(draw))
      return run(gas, times, &stream)
    }
    return Sample(names: names, rows: rows)
  }

  private static func run(_ gas: MixtureGas, _ times: [Double], _ stream: inout Randomness.Stream) -> [Double] {
    var kinds: [Int] = []
    var v: [SIMD3<Double>] = []
    for a in 0..<gas.species {
      var own = (0..<gas.numbers[a]).map { _ in SIMD3<Double>(stream.normal(), stream.normal(), stream.normal()) }
      let mean = own.reduce(SIMD3<Double>.zero, +) / Double(own.count)
      own = own.map { $0 - mean }
      let square = own.reduce(0) { $0 + ($1 * $1).sum() }
      let factor = (3 * gas.temperatures[a] * Double(own.count) / gas.masses[a] / square).squareRoot()
      v += own.map { factor * $0 }
      kinds += own.map { _ in a }
    }
    var (now, values, collisions) = (0.0, [Double](), 0.0)
    func length(_ x: SIMD3<Double>) -> Double { (x * x).sum().squareRoot() }
    func rate(_ i: Int, _ j: Int) -> Double {
      gas.rate(kinds[i], kinds[j]) * pow(length(v[i] - v[j]), gas.exponent) / Double(gas.total)
    }
    var next = times.startIndex
    while next < times.endIndex {
      let pairs = v.indices.flatMap { i in (i + 1..<max(i + 1, v.count)).map { (i, $0) } }
      let rates = pairs.map { rate($0.0, $0.1) }
      let total = rates.reduce(0, +)
      now -= log(stream.uniform()) / total
      while next < times.endIndex && now > times[next] {
        for a in 0..<gas.species {
          let own = v.indices.filter { kinds[$0] == a }.map { gas.masses[a] * (v[$0] * v[$0]).sum() }
          values.append(own.reduce(0, +) / Double(3 * own.count))
          values.append(own.reduce(0) { $0 + $1 * $1 } / Double(own.count))
        }
        values.append(collisions / Double(gas.total))
        next += 1
      }
      var left = stream.uniform() * total
      var chosen = 0
      while chosen < pairs.count - 1 && left >= rates[chosen] {
        left -= rates[chosen]
        chosen += 1
      }
      let (i, j) = pairs[chosen]
      let (a, b) = (gas.share(kinds[i], of: kinds[j]), gas.share(kinds[j], of: kinds[i]))
      let (z, angle) = (2 * stream.uniform() - 1, 2 * Double.pi * stream.uniform())
      let r = (1 - z * z).squareRoot()
      let turned = length(v[i] - v[j]) * SIMD3(r * cos(angle), r * sin(angle), z)
      let centre = a * v[i] + b * v[j]
      (v[i], v[j]) = (centre + b * turned, centre - a * turned)
      collisions += 1
    }
    return values
  }
}
