import Kernels

/// Second moments of a gas of Maxwell molecules, exact at every N: $s_a = E|v_i|^2$ and $c_{ab} = E v_i \cdot v_j$ of two particles close.
///
/// A collision of i and j leaves $E|v_i'|^2 = E V^2 + \mu_b^2 E g^2$, $E v_i' \cdot v_j' = E V^2 - \mu_a \mu_b E g^2$, and towards a third particle $E v_i' = V$. So
///
/// $$ \dot s_a = \sum_b \frac{C_{ab}(N_b - \delta_{ab})}{N} [E V^2 + \mu_b^2 E g^2 - s_a], $$
/// $$ \dot c_{ab} = \frac{C_{ab}}{N} [E V^2 - \mu_a \mu_b E g^2 - c_{ab}] + \sum_k \frac{C_{ak}}{N} [\mu_a c_{ab} + \mu_k c_{kb} - c_{ab}] + (a \leftrightarrow b), $$
///
/// k over the particles that are neither. The same algebra gives the moments after a step of the time-stepped gas (`step`).
package struct MixtureMoments: Sendable {
  package let gas: MixtureGas

  package init(_ gas: MixtureGas) { self.gas = gas }

  /// Unknowns: s of each species, then c of each pairing.
  private var count: Int { gas.species + gas.pairings.count }

  private func c(_ a: Int, _ b: Int) -> Int {
    gas.species + gas.pairings.firstIndex { ($0.a, $0.b) == (min(a, b), max(a, b)) }!
  }

  /// A row of coefficients of the unknowns.
  private typealias Row = [Double]

  private func unit(_ place: Int) -> Row {
    var row = Row(repeating: 0, count: count)
    row[place] = 1
    return row
  }

  private func sum(_ terms: [(Double, Row)]) -> Row {
    var row = Row(repeating: 0, count: count)
    for (factor, term) in terms { for i in row.indices { row[i] += factor * term[i] } }
    return row
  }

  /// $E V^2$ and $E g^2$ of a particle of a and one of b.
  private func pair(_ a: Int, _ b: Int) -> (centre: Row, relative: Row) {
    let (x, y) = (gas.share(a, of: b), gas.share(b, of: a))
    let (sa, sb, cross) = (unit(a), unit(b), unit(c(a, b)))
    return (sum([(x * x, sa), (y * y, sb), (2 * x * y, cross)]), sum([(1, sa), (1, sb), (-2, cross)]))
  }

  /// $E|v'|^2$ of the particle of a, and $E v' \cdot w'$, after a collision with one of b.
  private func collided(_ a: Int, _ b: Int) -> (square: Row, product: Row) {
    let (x, y) = (gas.share(a, of: b), gas.share(b, of: a))
    let (centre, relative) = pair(a, b)
    return (sum([(1, centre), (y * y, relative)]), sum([(1, centre), (-x * y, relative)]))
  }

  /// At the start.
  package var initial: [Double] {
    var y = [Double](repeating: 0, count: count)
    for a in 0..<gas.species {
      y[a] = 3 * gas.temperatures[a] / gas.masses[a]
      if gas.start.isScaled && gas.numbers[a] > 1 { y[c(a, a)] = -y[a] / Double(gas.numbers[a] - 1) }
    }
    return y
  }

  package func temperatures(_ y: [Double]) -> [Double] { (0..<gas.species).map { gas.masses[$0] * y[$0] / 3 } }

  /// The matrix of the equations.
  package var generator: [[Double]] {
    let n = Double(gas.total)
    var rows = [Row](repeating: Row(repeating: 0, count: count), count: count)
    func add(_ place: Int, _ factor: Double, _ terms: [(Double, Row)]) {
      let row = sum(terms)
      for i in row.indices { rows[place][i] += factor * row[i] }
    }
    for a in 0..<gas.species {
      for b in 0..<gas.species {
        let others = Double(gas.numbers[b] - (a == b ? 1 : 0))
        add(a, gas.rate(a, b) * others / n, [(1, collided(a, b).square), (-1, unit(a))])
      }
    }
    for pairing in gas.pairings {
      let (a, b) = (pairing.a, pairing.b)
      let place = c(a, b)
      // Two of one species, of which there is one only, are none.
      guard !pairing.isWithin || gas.numbers[a] > 1 else { continue }
      add(place, gas.rate(a, b) / n, [(1, collided(a, b).product), (-1, unit(place))])
      for k in 0..<gas.species {
        let others = Double(gas.numbers[k] - (k == a ? 1 : 0) - (k == b ? 1 : 0))
        guard others > 0 else { continue }
        for (from, to) in [(a, b), (b, a)] {
          add(
            place, gas.rate(from, k) / n * others,
            [(gas.share(from, of: k) - 1, unit(place)), (gas.share(k, of: from), unit(c(k, to)))])
        }
      }
    }
    return rows
  }

  /// The moments at each of the times, ascending.
  package func at(_ times: [Double]) -> [[Double]] {
    let matrix = generator
    var (now, y) = (0.0, initial)
    return times.map { time in
      if time > now { y = Self.propagate(matrix, over: time - now, y) }
      now = time
      return y
    }
  }

  /// $e^{At} y$: the Taylor series to order 20 in equal steps of norm below 1/2.
  static func propagate(_ matrix: [[Double]], over time: Double, _ y: [Double]) -> [Double] {
    let norm = matrix.map { $0.reduce(0) { $0 + $1.magnitude } }.max()! * time
    let steps = max(1, Int((2 * norm).rounded(.up)))
    let step = time / Double(steps)
    var y = y
    for _ in 0..<steps {
      var term = y
      for k in 1...20 {
        term = matrix.map { row in
          zip(row, term).reduce(0) { $0 + $1.0 * $1.1 } * step / Double(k)
        }
        for i in y.indices { y[i] += term[i] }
      }
    }
    return y
  }

  /// Collisions per particle up to a time.
  package func collisions(by time: Double) -> Double {
    gas.pairings.reduce(0) { $0 + gas.rate($1.a, $1.b) * gas.pairs($1) } / (Double(gas.total) * Double(gas.total))
      * time
  }

  /// The map of one step of the time-stepped gas, within each species, then across; within a species no second moment changes.
  /// - Parameter probability: of a collision of each pairing.
  package func step(_ probability: (MixtureGas.Pairing) -> Double) -> [[Double]] {
    var map = (0..<count).map(unit)
    for pairing in gas.pairings where !pairing.isWithin {
      let phase = across(pairing.a, pairing.b, probability(pairing))
      map = phase.map { row in
        sum(row.enumerated().map { ($0.element, map[$0.offset]) })
      }
    }
    return map
  }

  /// Across two species: $n = \min(N_a, N_b)$ pairs, each particle in one at most, collide with probability p.
  private func across(_ a: Int, _ b: Int, _ p: Double) -> [[Double]] {
    let (na, nb) = (Double(gas.numbers[a]), Double(gas.numbers[b]))
    let n = min(na, nb)
    let (x, y) = (gas.share(a, of: b), gas.share(b, of: a))
    let (aa, bb, ab) = (unit(c(a, a)), unit(c(b, b)), unit(c(a, b)))
    var rows = (0..<count).map(unit)
    /// A row that becomes another one in part: of the events with these probabilities.
    func mix(_ place: Int, _ events: [(Double, Row)]) {
      let own = unit(place)
      rows[place] = sum([(1, own)] + events.flatMap { [($0.0, $0.1), (-$0.0, own)] })
    }
    mix(a, [(n / na * p, collided(a, b).square)])
    mix(b, [(n / nb * p, collided(b, a).square)])
    // What a particle's expected velocity becomes, times another particle that does not collide.
    func moved(_ from: Double, _ own: Row, _ to: Double, _ other: Row) -> Row { sum([(from, own), (to, other)]) }
    let both = sum([(2 * x * y, ab), (x * x, aa), (y * y, bb)])
    func within(_ place: Int, _ number: Double, _ own: Double, _ other: Double, _ row: Row) {
      guard number > 1 else { return }
      let together = n * (n - 1) / (number * (number - 1))
      let single = moved(own, row, other, ab)
      let twice = sum([(own * own, row), (2 * own * other, ab), (other * other, place == c(a, a) ? bb : aa)])
      // Both in pairs and both collide; one of them collides.
      mix(place, [(together * p * p, twice), (2 * (n / number - together) * p + 2 * together * p * (1 - p), single)])
    }
    within(c(a, a), na, x, y, aa)
    within(c(b, b), nb, y, x, bb)
    let met = n / (na * nb)
    let others = n * (n - 1) / (na * nb)
    let (first, second) = (moved(x, ab, y, bb), moved(y, ab, x, aa))
    mix(
      c(a, b),
      [
        (met * p, collided(a, b).product), (others * p * p, both),
        ((n / na - met - others) * p + others * p * (1 - p), first),
        ((n / nb - met - others) * p + others * p * (1 - p), second),
      ])
    for k in 0..<gas.species where k != a && k != b {
      mix(c(a, k), [(n / na * p, moved(x, unit(c(a, k)), y, unit(c(b, k))))])
      mix(c(b, k), [(n / nb * p, moved(y, unit(c(b, k)), x, unit(c(a, k))))])
    }
    return rows
  }

  /// The moments after each of the numbers of steps, ascending.
  package func after(_ steps: [Int], _ probability: (MixtureGas.Pairing) -> Double) -> [[Double]] {
    let map = step(probability)
    var (made, y) = (0, initial)
    return steps.map { target in
      while made < target {
        y = map.map { row in zip(row, y).reduce(0) { $0 + $1.0 * $1.1 } }
        made += 1
      }
      return y
    }
  }
}
