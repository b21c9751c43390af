import Statistics

/// The errors of a particle simulation told apart: three runs (N, h), (2N, h), (N, h/2) give the bias in N, that in h, and
/// the value without both.
public struct Bias: Sendable {
  public struct Row: Sendable {
    public let observable: String
    public let record: Int
    public let value, valueError: Double
    /// Value at (N, h) less its limit in N, for an error c/N; less its limit in h, for an error c h^order.
    public let numberBias, numberError, stepBias, stepError: Double
    public let extrapolated, extrapolatedError: Double
    /// Known limit, NaN if there is none, and the distance of the extrapolated value from it.
    public let reference, z: Double
  }

  public let caseLabel: String
  /// Order of the integrator; 0 if it has no error in the step.
  public let order: Int
  public let rows: [Row]
  public let sentence: String

  public static func all(_ snapshot: Snapshot) -> [Bias] {
    snapshot.job.cases.compactMap { Bias($0, snapshot) }
  }

  init?(_ item: Case, _ snapshot: Snapshot) {
    func find(_ kind: Refinement.Kind) -> (leg: Leg, tally: Tally)? {
      item.legs.first { $0.refines?.kind == kind }.flatMap { leg in
        snapshot.state(item.path(of: leg)).map { (leg, $0.tally) }
      }
    }
    guard let finite = item.legs.first(where: { $0.role == .finite }), let double = find(.number),
      let half = find(.step),
      let state = snapshot.state(item.path(of: finite)),
      [state.tally, double.tally, half.tally].allSatisfy({ $0.counter(.draws) > 1 })
    else { return nil }
    let order = half.leg.refines!.order
    let limit = item.legs.first { $0.role == .limit && !$0.isSampled }
    let k = order == 0 ? 1 : 1 / (1 - 1 / Double(1 << order))
    let freedom = Int([state.tally, double.tally, half.tally].map { $0.counter(.draws) }.min()!) - 1
    self.order = order
    caseLabel = item.label
    var rows: [Row] = []
    for (r, record) in finite.layers.enumerated() {
      for (i, observable) in finite.observables.enumerated() where observable.name != "step_size" {
        let index = r * finite.observables.count + i
        let (a, b, c) = (state.tally.moments(index), double.tally.moments(index), half.tally.moments(index))
        let (ea, eb, ec) = (a.meanError * a.meanError, b.meanError * b.meanError, c.meanError * c.meanError)
        let numberBias = 2 * (a.mean - b.mean)
        let stepBias = k * (a.mean - c.mean)
        // A method without error in the step has none to take off.
        let used = order == 0 ? 0 : k
        let extrapolated = a.mean - numberBias - used * (a.mean - c.mean)
        let error = ((1 + used) * (1 + used) * ea + 4 * eb + used * used * ec).squareRoot()
        var reference = Double.nan
        if let known = limit?.known, let place = known.observables.firstIndex(where: { $0.name == observable.name }) {
          reference = known.means[r * known.observables.count + place]
        }
        let z =
          error > 0 && freedom >= 3
          ? Student.equivalentZ((extrapolated - reference) / error, degreesOfFreedom: freedom) : .nan
        rows.append(
          Row(
            observable: observable.name, record: record, value: a.mean, valueError: a.meanError, numberBias: numberBias,
            numberError: 2 * (ea + eb).squareRoot(), stepBias: stepBias, stepError: k * (ea + ec).squareRoot(),
            extrapolated: extrapolated, extrapolatedError: error, reference: reference, z: z))
      }
    }
    self.rows = rows
    let tested = rows.filter { !$0.z.isNaN }
    let critical = Gaussian.critical(snapshot.job.tolerances.alpha / Double(max(1, tested.count)))
    func seen(_ what: String, _ value: (Row) -> (Double, Double)) -> String {
      let found = rows.filter { value($0).1 > 0 && value($0).0.magnitude > critical * value($0).1 }
      return found.isEmpty ? "no bias in \(what) seen" : "bias in \(what) seen in " + Self.names(found)
    }
    var text = seen("N") { ($0.numberBias, $0.numberError) } + "; " + seen("h") { ($0.stepBias, $0.stepError) }
    if let worst = tested.max(by: { $0.z.magnitude < $1.z.magnitude }) {
      text +=
        worst.z.magnitude <= critical
        ? "; the extrapolated values agree with the limit, largest |z| = \(Comparison.format(worst.z.magnitude, 3)) in \(worst.observable)"
        : "; the extrapolated values DIFFER from the limit: \(worst.observable), z = \(Comparison.format(worst.z, 3)) (terms beyond the leading order, or a limit that does not hold)"
    }
    sentence = text
  }

  private static func names(_ rows: [Row]) -> String {
    var names: [String] = []
    for row in rows where !names.contains(row.observable) { names.append(row.observable) }
    return names.joined(separator: ", ")
  }
}

/// Orders of the errors in N and in h, from a sweep over one of them.
public struct OrderSweep: Sendable {
  public struct Row: Sendable {
    /// An observable, or `var(...)`: its variance over the replicas.
    public let observable: String
    public let sizes: [Double]
    public let fit: PowerFit
  }

  /// What the cases have in common, and what is swept: `particles.step` or `particles.number`.
  public let label: String
  public let key: String
  public let rows: [Row]

  public static func all(_ snapshot: Snapshot) -> [OrderSweep] {
    ["particles.number", "particles.step"].flatMap { key -> [OrderSweep] in
      var labels: [String] = []
      var groups: [String: [(size: Double, item: Case)]] = [:]
      // Steps of a finer integrator go with its step; they do not tell cases apart.
      let follow = ["particles.steps", "particles.warm_up", "particles.measure_every", "particles.replicas"]
      for item in snapshot.job.cases {
        guard let size = item.swept[key].flatMap(Double.init) else { continue }
        let rest = item.swept.filter { $0.key != key && !follow.contains($0.key) }.sorted { $0.key < $1.key }
        let label = rest.map { "\($0.key)=\($0.value)" }.joined(separator: ", ")
        if groups[label] == nil { labels.append(label) }
        groups[label, default: []].append((size, item))
      }
      return labels.compactMap { OrderSweep(label: $0, key: key, groups[$0]!, snapshot) }
    }
  }

  init?(label: String, key: String, _ group: [(size: Double, item: Case)], _ snapshot: Snapshot) {
    guard Set(group.map(\.size)).count == group.count, group.count >= 3 else { return nil }
    let cases = group.sorted { $0.size < $1.size }
    guard let first = cases.first?.item.legs.first(where: { $0.role == .finite }) else { return nil }
    self.label = label
    self.key = key
    let inNumber = key == "particles.number"
    let names = first.observables.map(\.name).filter { !["acceptance", "step_size"].contains($0) }
    // Fluctuations between replicas of means over N particles: of variance O(1/N).
    let wanted = names.map { ($0, false) } + (inNumber ? names.map { ($0, true) } : [])
    rows = wanted.compactMap { observable, fluctuation in
      var limit: Double? = fluctuation ? 0 : nil
      let points = cases.compactMap { entry -> (s: Double, value: Double, error: Double)? in
        guard let leg = entry.item.legs.first(where: { $0.role == .finite }),
          let tally = snapshot.state(entry.item.path(of: leg))?.tally, tally.counter(.draws) > 3,
          let place = leg.observables.firstIndex(where: { $0.name == observable })
        else { return nil }
        let moments = tally.moments((leg.layers.count - 1) * leg.observables.count + place)
        if fluctuation { return (1 / entry.size, moments.variance, moments.varianceError) }
        if let reference = entry.item.legs.first(where: { $0.role == .limit && !$0.isSampled }),
          let known = reference.known,
          // A known limit counts where the size that is swept is all that keeps from it.
          !(reference.attributes["offset_in"] ?? "").contains(inNumber ? "step" : "number"),
          let place = known.observables.firstIndex(where: { $0.name == observable })
        {
          limit = known.means[place]
        }
        return (inNumber ? 1 / entry.size : entry.size, moments.mean, moments.meanError)
      }
      let name = fluctuation ? "var(\(observable))" : observable
      return PowerFit(points, limit: limit).map { Row(observable: name, sizes: cases.map(\.size), fit: $0) }
    }
    if rows.isEmpty { return nil }
  }
}
