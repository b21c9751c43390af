import Experiments
import Foundation
import Gases
import Testing

/// Closed equations: printed values, several routes to each.
@Suite struct MomentTests {
  @Test func temperaturesAreThosePrinted() {
    let printed: [(MixtureGas, [Double])] = [
      (Gas.two, [1.93276, 1.79139, 1.65226, 1.63640]), (Gas.light, [1.97689, 1.88951, 1.61629, 1.17982]),
    ]
    for (gas, values) in printed {
      let moments = MixtureMoments(gas)
      let found = moments.at([1, 5, 20, 60]).map { moments.temperatures($0)[0] }
      for (own, value) in zip(found, values) { #expect((own - value).magnitude < 6e-6, "\(own), \(value)") }
    }
  }

  /// The end of the moment equations, by their own formula; unequal at finite N.
  @Test func finalTemperatures() {
    for gas in [Gas.two, Gas.light, Gas.three()] {
      let moments = MixtureMoments(gas)
      let end = moments.temperatures(moments.at([4_000])[0])
      for (a, b) in zip(end, gas.finalTemperatures) { #expect((a - b).magnitude < 1e-9, "\(a), \(b)") }
      #expect(Set(end.map { ($0 * 1e4).rounded() }).count == gas.species)
    }
  }

  /// Energy and momentum are kept by the equations and by the map of a step.
  @Test func invariantsAreKept() {
    for gas in [Gas.two, Gas.light, Gas.three(), Gas.three(scaled: false)] {
      let moments = MixtureMoments(gas)
      func energy(_ y: [Double]) -> Double {
        zip(moments.temperatures(y), gas.numbers).reduce(0) { $0 + $1.0 * Double($1.1) }
      }
      // E|sum m v|^2.
      func momentum(_ y: [Double]) -> Double {
        var total = 0.0
        for a in 0..<gas.species { total += Double(gas.numbers[a]) * gas.masses[a] * gas.masses[a] * y[a] }
        for (i, pair) in gas.pairings.enumerated() {
          total += 2 * gas.pairs(pair) * gas.masses[pair.a] * gas.masses[pair.b] * y[gas.species + i]
        }
        return total
      }
      let start = moments.initial
      let steps = Gas.steps(gas, 0.3, 7)
      for y in moments.at([0.3, 4]) + moments.after([1, 7], steps.probability) {
        #expect((energy(y) / energy(start) - 1).magnitude < 1e-13)
        #expect((momentum(y) - momentum(start)).magnitude < 1e-12 * energy(start))
      }
    }
  }

  /// A step of length h -> 0 is h times the equations.
  @Test func stepsTendToTheEquations() {
    for gas in [Gas.two, Gas.light, Gas.three()] {
      let moments = MixtureMoments(gas)
      let generator = moments.generator
      let errors = [1e-3, 5e-4].map { h -> Double in
        let map = moments.step(Gas.steps(gas, h, 1).probability)
        var worst = 0.0
        for i in map.indices {
          for j in map.indices {
            worst = max(worst, ((map[i][j] - (i == j ? 1 : 0)) / h - generator[i][j]).magnitude)
          }
        }
        return worst
      }
      #expect(errors[0] < 1e-2 && (errors[0] / errors[1] - 2).magnitude < 0.02, "\(errors)")
    }
  }

  /// h = 1 at equal numbers: a step takes 2 p kappa off the difference.
  @Test func stepsOfEqualNumbers() {
    let gas = Gas.spheres(0.1, 1_000_000, exponent: 0)
    let moments = MixtureMoments(gas)
    for (linear, printed) in [(true, 1.7042), (false, 1.7496)] {
      let steps = Gas.steps(gas, 1, 5, linear: linear)
      let found = moments.temperatures(moments.after([5], steps.probability)[0])
      let p = linear ? 0.5 : 1 - exp(-0.5)
      let expected = pow(1 - 2 * p * 2 * 0.1 / (1.1 * 1.1), 5)
      #expect((found[0] - found[1] - expected).magnitude < 1e-5)
      // The printed values are of a simulation, with an error of 0.0012.
      #expect((found[0] - printed).magnitude < 4 * 0.0012)
    }
    #expect(
      (moments.temperatures(moments.at([5])[0])[0] - (1.5 + 0.5 * exp(-5 * 2 * 0.1 / (1.1 * 1.1)))).magnitude < 1e-5)
  }

  @Test func infinitelyMany() {
    let gas = MixtureGas(
      masses: [0.01, 1], numbers: [1_000, 4_000], temperatures: [2, 0.5], rates: [1, 1, 1, 1], exponent: 0)
    let found = MixtureRelaxation.maxwell(gas, [1, 5, 20, 60])
    for (own, value) in zip(found.fourth, [58.623, 53.514, 38.992, 20.558]) {
      #expect((own[0] - value).magnitude < 6e-4, "\(own[0]), \(value)")
    }
    // The temperatures are those of the moment equations as N grows, with a difference of order 1/N.
    func difference(_ n: Int) -> Double {
      let own = Gas.spheres(0.1, n, exponent: 0)
      let moments = MixtureMoments(own)
      return MixtureRelaxation.maxwell(own, [5]).temperatures[0][0] - moments.temperatures(moments.at([5])[0])[0]
    }
    #expect((difference(1_000) / difference(2_000) - 2).magnitude < 1e-2)
    // BKW is the one solution of which the fourth moment is known in closed form.
    let bkw = MixtureGas(
      masses: [2], numbers: [10], temperatures: [1.5], rates: [0.7], exponent: 0, start: .init(.bkw, shape: 0.6))
    for time in [0.0, 2, 9] {
      let solution = BKWSolution(start: 0.6, rate: 0.7, time: time)
      #expect((MixtureRelaxation.maxwell(bkw, [time]).fourth[0][0] - 2.25 * solution.fourth).magnitude < 1e-8)
    }
  }

  @Test func bobylevKrookWu() {
    for (time, sixth, tail) in [(2.0, 84.068, 0.018630), (6, 98.848, 0.026466), (12, 104.110, 0.028926)] {
      let solution = BKWSolution(start: 0.6, rate: 1, time: time)
      #expect((solution.sixth - sixth).magnitude < 6e-4 && (solution.tail(3) - tail).magnitude < 6e-7)
      // The tail by summing the density, 4 pi v^2 f.
      let k = solution.shape
      let h = 1e-3
      let sum = (0..<9_000).reduce(0.0) { sum, i in
        let v = 3 + h * (Double(i) + 0.5)
        let gauss = exp(-v * v / (2 * k)) / pow(2 * Double.pi * k, 1.5)
        return sum + h * 4 * Double.pi * v * v * gauss * ((5 * k - 3) / (2 * k) + (1 - k) * v * v / (2 * k * k))
      }
      #expect((sum - solution.tail(3)).magnitude < 1e-7)
    }
  }

  /// The closure: printed values, and at exponent 0 the moment equations.
  @Test func maxwellians() {
    for (ratio, value) in [(0.1, 1.6090), (0.01, 1.7818)] {
      let found = MixtureRelaxation.maxwellians(Gas.spheres(ratio), [1]).temperatures[0][0]
      #expect((found - value).magnitude < 6e-5, "\(found), \(value)")
    }
    #expect((MixtureRelaxation.constant(0) - 3).magnitude < 1e-12)
    for exponent in [0, 0.3, 1] {
      #expect(
        (MixtureRelaxation.constant(exponent) / (pow(2, 1 + exponent / 2) * tgamma((5 + exponent) / 2) / tgamma(1.5))
          - 1).magnitude < 1e-12)
    }
    let gas = Gas.three()
    let (a, b) = (MixtureRelaxation.maxwellians(gas, [0.5, 3]), MixtureRelaxation.maxwell(gas, [0.5, 3]))
    for (x, y) in zip(a.temperatures.joined(), b.temperatures.joined()) { #expect((x - y).magnitude < 1e-8) }
  }
}
