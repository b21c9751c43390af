import Experiments
import Kernels
import Randomness
import Statistics

/// A tagged particle in a gas whose flow is deformed (the Rayleigh-Boltzmann equation; arXiv:2506.15449). With w its velocity relative to the flow,
///
/// $$ \dot w = -L(t) w, \qquad L(t) = L_0 (I + t L_0)^{-1}, $$
///
/// between collisions with molecules of the gas, $u \sim N(0, \theta I)$ relative to the flow, at rate $C |w - u|^\gamma$, $-1 < \gamma \le 1$ (`TaggedCollisions`). The gas itself is kept as it is: the particle does not heat it.
///
/// Times of collisions are exact, without a time step. A draw is one path from x = 0 on.
package struct TaggedParticle: DrawnProblem {
  package let deformation: Deformation
  package let law: TaggedCollisions
  package let start: TaggedStart
  /// Ascending, above 0.
  package let times: [Double]
  /// Whether moments of the velocity are measured, and of the place.
  let hasMoments, isTracked: Bool
  package let attributes: [String: String]
  /// Whether tails may be too heavy for means of squares.
  private let isHeavy: Bool

  package init(
    _ deformation: Deformation, _ law: TaggedCollisions, start: TaggedStart, times: [Double], moments: Bool = true,
    positions: Bool = false
  ) {
    (self.deformation, self.law, self.start, self.times) = (deformation, law, start, times)
    (hasMoments, isTracked) = (moments, positions)
    var (labels, heavy) = ([String: String](), law.gamma < 0 && deformation.kind != .none)
    if law.gamma == 0 && deformation.kind != .none {
      let shear = TaggedShear(law)
      if deformation.kind == .shear {
        labels["K_2"] = "\(shear.critical)"
        labels["K_4"] = "\(shear.fourthCritical)"
        labels["growth_rate"] = "\(shear.growth(deformation.start.norm))"
        heavy = shear.fourthGrowth(deformation.start.norm) > 0
      } else {
        heavy = true
      }
    }
    (attributes, isHeavy) = (labels, heavy)
  }

  package var axis: Axis { Axis(name: "time", summary: "time since the start", values: times) }

  private static let pairs = [(1, 1), (2, 2), (3, 3), (1, 2), (1, 3), (2, 3)]
  private static let places = [(1, 1), (2, 2), (3, 3), (1, 2)]
  /// Whether log t is above 0 at every record.
  var hasDrift: Bool { law.gamma < 0 && times[0] >= 2 }

  package var observables: [Observable] {
    let role = isHeavy ? Observable.Role.heavyTailed : .quantity
    var found: [Observable] = []
    if hasMoments {
      found += (1...3).map { Observable("w", [$0], "component of the velocity relative to the flow") }
      found += Self.pairs.map { Observable("S", [$0.0, $0.1], role: role, "w_\($0.0) w_\($0.1)") }
      let four: Observable.Role = law.gamma <= 0 && deformation.kind != .none ? .heavyTailed : .quantity
      found += [Observable("square", role: role, "|w|^2, tr S"), Observable("fourth", role: four, "|w|^4")]
    }
    found.append(Observable("log_speed", role: .logarithm, "log |w|"))
    if hasDrift { found.append(Observable("drift", "log |w| / log t")) }
    found += [
      Observable("collisions", "number of collisions since the start"),
      Observable("collision_rate", "collisions since the last record over the time since then"),
      Observable("candidates", role: .auxiliary, "proposed collisions since the start: what a path costs"),
    ]
    if isTracked {
      found += Self.places.map {
        Observable("X", [$0.0, $0.1], role: role, "x_\($0.0) x_\($0.1), x the place in the laboratory")
      }
      found.append(Observable("V", [1, 2], role: role, "v_1 x_2, v the velocity in the laboratory"))
    }
    return found
  }

  package var estimands: [Estimand] {
    isTracked
      ? [Estimand("profile", "V[1,2]/X[2,2]", "E v_1 x_2/E x_2^2: the slope of the line of the mean of v_1 given x_2")]
      : []
  }

  package func makeState() -> NoState { NoState() }

  package func draw(_ state: NoState, _ stream: inout Stream, into values: UnsafeMutablePointer<Double>) {
    var flight = TaggedFlight(velocity: start.draw(&stream), position: .zero)
    var out = values
    for time in times {
      let (before, collided) = (flight.time, flight.collisions)
      law.advance(&flight, to: time, deformation, tracked: isTracked, &stream)
      measure(flight, rate: (flight.collisions - collided) / (time - before), into: &out)
    }
  }

  private func measure(_ flight: TaggedFlight, rate: Double, into out: inout UnsafeMutablePointer<Double>) {
    func put(_ value: Double) {
      out[0] = value
      out += 1
    }
    let (w, x) = (flight.velocity, flight.position)
    let size = square(w)
    if hasMoments {
      for i in 0..<3 { put(w[i]) }
      for (i, j) in Self.pairs { put(w[i - 1] * w[j - 1]) }
      put(size)
      put(size * size)
    }
    let log = 0.5 * Elementary.log(size)
    put(log)
    if hasDrift { put(log / Elementary.log(flight.time)) }
    put(flight.collisions)
    put(rate)
    put(flight.candidates)
    if isTracked {
      for (i, j) in Self.places { put(x[i - 1] * x[j - 1]) }
      put((w.x + dot(deformation.rate(at: flight.time).rows.0, x)) * x.y)
    }
  }

  package var known: [KnownStatistic] {
    law.gamma == 0 ? momentsKnown : isInEquilibrium ? equilibriumKnown : []
  }

  /// Whether it stays in equilibrium.
  var isInEquilibrium: Bool { deformation.kind == .none && start.isIsotropic(variance: law.equilibrium) }

  /// Of Maxwell molecules: the linear equations of the moments, at every time. The number of collisions has the law of Poisson.
  private var momentsKnown: [KnownStatistic] {
    var found: [KnownStatistic] = []
    func add(_ name: String, _ record: Int, _ value: Double, _ statistic: Statistic = .mean) {
      // What overflows is not known.
      if value.isFinite { found.append(KnownStatistic(statistic, of: name, record: record, value + 0)) }
    }
    var rows: [[Double]?] = times.map { _ in nil }
    let moments = TaggedMoments(law, tracked: isTracked)
    if hasMoments || isTracked {
      rows = moments.values(
        deformation, rate: law.rate,
        from: moments.start(mean: (0..<3).map { start.mean[$0] }, covariance: start.covariance), at: times)
    }
    for (record, t) in times.enumerated() {
      add("collisions", record, law.rate * t)
      add("collisions", record, law.rate * t, .variance)
      add("collision_rate", record, law.rate)
      guard let m = rows[record] else { continue }
      if hasMoments {
        for i in 1...3 { add("w[\(i)]", record, m[moments[[i - 1]]]) }
        append(moments, m, record, &found)
      }
      guard isTracked else { continue }
      for (i, j) in Self.places { add("X[\(i),\(j)]", record, m[moments[[i + 2, j + 2]]]) }
      let rate = deformation.rate(at: t)
      let both = (0..<3).reduce(m[moments[[0, 4]]]) { $0 + rate[0, $1] * m[moments[[$1 + 3, 4]]] }
      add("V[1,2]", record, both)
      add("V[1,2]", record, both / m[moments[[4, 4]]], .estimand("profile"))
    }
    return found
  }

  /// S, its trace and the fourth moment from a row of moments, as far as they are known.
  private func append(_ moments: TaggedMoments, _ m: [Double], _ record: Int, _ found: inout [KnownStatistic]) {
    var entries = Self.pairs.map { ("S[\($0.0),\($0.1)]", m[moments[[$0.0 - 1, $0.1 - 1]]]) }
    entries.append(("square", (0..<3).reduce(0) { $0 + m[moments[[$1, $1]]] }))
    let four = (0..<9).reduce(0) { $0 + m[moments[[$1 / 3, $1 / 3, $1 % 3, $1 % 3]]] }
    entries.append(("fourth", four))
    for (name, value) in entries where value.isFinite {
      found.append(KnownStatistic(.mean, of: name, record: record, value + 0))
    }
  }

  private var equilibriumKnown: [KnownStatistic] {
    let variance = law.equilibrium
    let density = TabulatedLaw(
      name: "N(0, \(variance))", from: -9 * variance.squareRoot(), to: 9 * variance.squareRoot(),
      normalVariance: variance
    ) { Elementary.exp(-0.5 * $0 * $0 / variance) }
    return times.enumerated().flatMap { record, t in
      var found = equilibrium(record)
      if hasMoments { found.append(KnownStatistic(lawOf: "w[1]", record: record, density)) }
      found.append(KnownStatistic(.mean, of: "collisions", record: record, law.equilibriumRate * t))
      return found
    }
  }

  /// Means in equilibrium without a flow, at a record.
  package func equilibrium(_ record: Int) -> [KnownStatistic] {
    let v = law.equilibrium
    var found = [
      KnownStatistic(
        .mean, of: "log_speed", record: record, 0.5 * (Elementary.log(2 * v) + Elementary.digamma(1.5))),
      KnownStatistic(.mean, of: "collision_rate", record: record, law.equilibriumRate),
    ]
    if hasMoments {
      found += Self.pairs.map {
        KnownStatistic(.mean, of: "S[\($0.0),\($0.1)]", record: record, $0.0 == $0.1 ? v : 0)
      }
      found.append(KnownStatistic(.mean, of: "square", record: record, 3 * v))
      found.append(KnownStatistic(.mean, of: "fourth", record: record, 15 * v * v))
    }
    return found
  }

  /// The stationary moments of Maxwell molecules in a shear below $K_2$, at the last record; nil where there are none.
  package var stationary: [KnownStatistic]? {
    guard law.gamma == 0, hasMoments, deformation.kind == .shear,
      let (moments, values) = TaggedShear(law).stationary(deformation)
    else { return nil }
    var found: [KnownStatistic] = []
    append(moments, values, times.count - 1, &found)
    return found
  }

  /// The exponent of $|w| \sim t^p$ in a shear for $\gamma < 0$, as a mean over log log t (heuristic). A flight of a particle with $w_2$ lasts $t \sim w_2^{|\gamma|/(1-|\gamma|)}$, in which |w| becomes $t w_2 = t^{1/|\gamma|}$; a collision turns that into the next $w_2$.
  /// So log|w|/log t falls from $1 + 1/|\gamma|$ to $1/|\gamma|$ while log t grows by the factor $1/(1 - |\gamma|)$, and its mean is $1 - 1/\log(1 - |\gamma|)$.
  package var driftExponent: Double? {
    guard hasDrift, deformation.kind == .shear else { return nil }
    return 1 - 1 / Elementary.log(1 + law.gamma)
  }
}
