import Experiments
import Statistics

/// The biases of one case, separated: three runs (N, h), (2N, h), (N, h/2) give the N-bias, the step-size bias, and the
/// value without both.
extension Scaling {
  static func refinements(of item: Case, _ snapshot: Snapshot) -> Scaling? {
    func tally(_ leg: Leg) -> Tally? {
      snapshot.state(item.path(of: leg)).map(\.tally).flatMap { $0.counter(.draws) > 1 ? $0 : nil }
    }
    guard let finite = item.finite, let coarse = tally(finite) else { return nil }
    let legs = item.legs.filter { $0.refines?.leg == finite.name }
    let tallies = legs.compactMap(tally)
    guard !legs.isEmpty, tallies.count == legs.count else { return nil }
    let refinements = legs.map { $0.refines! }
    let limit = item.legs.first { $0.role == .limit && $0.known != nil }?.known
    // Of a limit that is sampled, one that speaks of means has some to compare with.
    let sampled = item.legs.first { $0.role == .limit && $0.speaksOfMeans == true && $0.known == nil }
      .flatMap { leg in tally(leg).map { (leg: leg, tally: $0) } }
    let freedom = Int(([coarse] + tallies).map { $0.counter(.draws) }.min()!) - 1
    var rows: [Refined] = []
    for (record, coordinate) in finite.axis.values.enumerated() {
      for (place, observable) in finite.observables.enumerated() where observable.isPhysical {
        let index = finite.schema.index(record, place)
        func value(_ tally: Tally, _ place: Int? = nil) -> (value: Double, error: Double) {
          let moments = tally.moments(place ?? index)
          return (moments.mean, moments.meanError)
        }
        let own = value(coarse)
        // A method without error in a parameter has none to take off; the difference is shown.
        let used = zip(refinements, tallies).filter { $0.0.order > 0 }.map { refinement, tally in
          let fine = value(tally)
          return (value: fine.value, error: fine.error, ratio: 2.0, order: Double(refinement.order))
        }
        let found = Extrapolation.richardson(coarse: own, refined: used)
        var biases = found.biases.makeIterator()
        let all = zip(refinements, tallies).map { refinement, tally -> (bias: Double, biasError: Double) in
          if refinement.order > 0 { return biases.next()! }
          let fine = value(tally)
          return (own.value - fine.value, Estimate.combined(own.error, fine.error))
        }
        let reference: (value: Double, error: Double)?
        if let limit {
          reference = limit.schema.axis.values.firstIndex(of: coordinate)
            .flatMap { limit.mean(of: observable.name, record: $0) }.map { ($0, 0) }
        } else {
          reference = sampled.flatMap { leg, tally in
            guard let place = leg.schema.place(of: observable.name),
              let record = leg.axis.values.firstIndex(of: coordinate)
            else { return nil }
            return value(tally, leg.schema.index(record, place))
          }
        }
        let ratio = reference.map {
          Estimate.ratio(found.limit - $0.value, Estimate.combined(found.limitError, $0.error))
        }
        rows.append(
          Refined(
            observable: observable.name, coordinate: coordinate, value: own.value, valueError: own.error, biases: all,
            extrapolated: found.limit, extrapolatedError: found.limitError, reference: reference?.value ?? .nan,
            z: found.limitError > 0 && freedom >= 3
              ? ratio.map { Student.equivalentZ($0, degreesOfFreedom: freedom) } ?? .nan : .nan))
      }
    }
    let tested = rows.filter { !$0.z.isNaN }
    let critical = Gaussian.critical(snapshot.tolerances.alpha / Double(max(1, tested.count)))
    var parts = refinements.enumerated().map { place, refinement -> String in
      let seen = rows.filter {
        $0.biases[place].biasError > 0 && $0.biases[place].bias.magnitude > critical * $0.biases[place].biasError
      }
      return seen.isEmpty
        ? "no bias in \(refinement.symbol) seen"
        : "bias in \(refinement.symbol) seen in " + Words.list(seen.map(\.observable))
    }
    let worst = tested.max { $0.z.magnitude < $1.z.magnitude }
    if let worst {
      parts.append(
        worst.z.magnitude <= critical
          ? "the extrapolated values agree with the limit, largest |z| = \(Words.format(worst.z.magnitude, 3)) in \(worst.observable)"
          : "the extrapolated values DIFFER from the limit: \(worst.observable), z = \(Words.format(worst.z, 3)) (terms beyond the leading order, or a limit that does not hold)"
      )
    }
    return Scaling(
      caseLabel: item.label, axis: finite.axis, refinements: refinements, refined: rows, criticalZ: critical,
      verdict: worst.map { $0.z.magnitude <= critical ? .agrees : .differs }, sentence: parts.joined(separator: "; "))
  }
}
