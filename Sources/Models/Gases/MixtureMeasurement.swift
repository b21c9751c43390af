import Experiments

/// What is measured of a mixture, of either dynamics.
package struct MixtureMeasurement: Sendable {
  let gas: MixtureGas
  /// Speeds beyond which particles are counted.
  package let tails: [Double]

  package init(gas: MixtureGas, tails: [Double]) { (self.gas, self.tails) = (gas, tails) }

  /// Numbers of each species: sums of |v|^2, |v|^4 and |v|^6, of the coordinates, of those beyond each speed.
  var width: Int { 6 + tails.count }

  /// Pairs of species whose candidates may be refused.
  var refusing: [Int] {
    gas.isMaxwell ? [] : gas.pairings.indices.filter { gas.pairs(gas.pairings[$0]) > 0 }
  }

  static let names = [
    "temperature", "fourth_moment", "sixth_moment", "excess", "tail", "collisions", "energy_drift", "momentum_drift",
    "acceptance",
  ]

  package var observables: [Observable] {
    var found: [Observable] = []
    for a in 0..<gas.species {
      found.append(Observable("temperature", [a], "T_a = m_a <|v|^2>/3, of species \(a)"))
      found.append(Observable("fourth_moment", [a], "m_a^2 <|v|^4>; 15 T^2 in a Maxwellian"))
      found.append(Observable("sixth_moment", [a], "m_a^3 <|v|^6>; 105 T^3 in a Maxwellian"))
      found.append(
        Observable("excess", [a], "m_a^2 <|v|^4>/15 T_a^2 - 1 of a replica; 0 in a Maxwellian of many particles"))
      for k in tails.indices {
        found.append(Observable("tail", [a, k], "share of species \(a) with a speed above tails[\(k)] = \(tails[k])"))
      }
    }
    found.append(Observable("collisions", "collisions so far, per particle"))
    found.append(
      Observable("energy_drift", role: .auxiliary, "change of the energy since the start, over the energy"))
    found.append(
      Observable(
        "momentum_drift", role: .auxiliary,
        "length of the change of the momentum since the start, over sqrt(2 M E), M the mass of all and E the energy"))
    for c in refusing {
      found.append(
        Observable(
          "acceptance", [gas.pairings[c].a, gas.pairings[c].b], role: .acceptanceRate,
          "share of the candidates of these two species that collided"))
    }
    return found
  }

  /// Energy and momentum.
  struct Invariants: Equatable {
    var energy = 0.0
    var momentum = (0.0, 0.0, 0.0)

    static func == (a: Invariants, b: Invariants) -> Bool { a.energy == b.energy && a.momentum == b.momentum }
    var numbers: [Double] { [energy, momentum.0, momentum.1, momentum.2] }
    init() {}
    init(_ numbers: [Double]) { (energy, momentum) = (numbers[0], (numbers[1], numbers[2], numbers[3])) }
  }

  /// The sums of the velocities of this rank, tile by tile. Collective.
  func sum(_ all: [Velocities], _ sums: MixtureSums) throws {
    for (a, own) in all.enumerated() {
      let s = sums.tile + a * width
      forEachTile(own) { base, count in
        for i in 0..<count {
          let v = base + Velocities.stride &* i
          let q = square(v)
          s[0] += q
          s[1] += q * q
          s[2] += q * q * q
          s[3] += v[0]
          s[4] += v[1]
          s[5] += v[2]
          for k in tails.indices where q > tails[k] * tails[k] { s[6 &+ k] += 1 }
        }
        sums.addTile(a * width, (a + 1) * width)
      }
    }
    try sums.finish()
  }

  func invariants(_ sums: MixtureSums) -> Invariants {
    var found = Invariants()
    for a in 0..<gas.species {
      let (s, m) = (sums.totals + a * width, gas.masses[a])
      found.energy += 0.5 * m * s[0]
      found.momentum.0 += m * s[3]
      found.momentum.1 += m * s[4]
      found.momentum.2 += m * s[5]
    }
    return found
  }

  /// Writes the values, from the sums.
  /// - Parameters:
  ///   - collisions: so far, by pair of species.
  ///   - candidates: the same of those that might have collided.
  func write(
    _ sums: MixtureSums, start: Invariants, collisions: UnsafePointer<Int64>, candidates: UnsafePointer<Int64>,
    into values: UnsafeMutablePointer<Double>
  ) {
    var out = values
    var mass = 0.0
    for a in 0..<gas.species {
      let (s, n, m) = (sums.totals + a * width, Double(gas.numbers[a]), gas.masses[a])
      mass += n * m
      let (second, fourth) = (m * s[0] / n, m * m * s[1] / n)
      out[0] = second / 3
      out[1] = fourth
      out[2] = m * m * m * s[2] / n
      out[3] = second > 0 ? fourth / (second * second * (15.0 / 9)) - 1 : 0
      out += 4
      for k in tails.indices {
        out[0] = s[6 + k] / n
        out += 1
      }
    }
    var total: Int64 = 0
    for c in gas.pairings.indices { total += collisions[c] }
    out[0] = Double(total) / Double(gas.total)
    let now = invariants(sums)
    out[1] = start.energy > 0 ? (now.energy - start.energy) / start.energy : 0
    let (x, y, z) = (
      now.momentum.0 - start.momentum.0, now.momentum.1 - start.momentum.1, now.momentum.2 - start.momentum.2
    )
    out[2] = start.energy > 0 ? ((x * x + y * y + z * z) / (2 * mass * start.energy)).squareRoot() : 0
    out += 3
    for c in refusing {
      out[0] = candidates[c] > 0 ? Double(collisions[c]) / Double(candidates[c]) : 0
      out += 1
    }
  }
}
