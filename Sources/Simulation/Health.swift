import Statistics

/// Whether the outputs of a network are usable before training: probabilities of collapse, explosion and vanishing, and the
/// depth at which each reaches a threshold.
public struct Health: Sendable {
  /// One kind of failure at one width.
  public struct Row: Sendable {
    public let failure: String
    public let depth: Int
    /// Probability at the depth, with its 95% interval (Wilson).
    public let probability, lower, upper: Double
    /// First measured layer at which the probability is at the threshold or above, and the one before it; nil if none is.
    public let reached: Int?
    public let before: Int?
  }

  public static let failures = ["collapsed", "exploded", "vanished"]

  public let caseLabel: String
  public let rows: [Row]
  public let threshold: Double
  /// In one sentence.
  public let sentence: String

  /// Health of every case of a job that asks for it.
  public static func all(_ snapshot: Snapshot) -> [Health] {
    guard let threshold = snapshot.job.healthThreshold else { return [] }
    return snapshot.job.cases.compactMap { item in
      guard let leg = item.legs.first(where: { $0.role == .finite }),
        let tally = snapshot.state(item.path(of: leg))?.tally, tally.counter(.draws) > 0
      else { return nil }
      return Health(label: item.label, leg: leg, tally: tally, threshold: threshold)
    }
  }

  init(label: String, leg: Leg, tally: Tally, threshold: Double) {
    self.threshold = threshold
    caseLabel = label
    rows = Self.failures.compactMap { failure in
      guard let place = leg.observables.firstIndex(where: { $0.name == failure }) else { return nil }
      let path = leg.layers.indices.map { tally.moments($0 * leg.observables.count + place) }
      let last = path.last!
      let (n, p) = (Double(last.count), last.mean)
      let z = 1.959963984540054
      let centre = (p + z * z / (2 * n)) / (1 + z * z / n)
      let half = z / (1 + z * z / n) * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
      let index = path.firstIndex { $0.mean >= threshold }
      return Row(
        failure: failure, depth: leg.layers.last!, probability: p, lower: p == 0 ? 0 : max(centre - half, 0),
        upper: p == 1 ? 1 : min(centre + half, 1), reached: index.map { leg.layers[$0] },
        before: index.flatMap { $0 > 0 ? leg.layers[$0 - 1] : nil })
    }
    func percent(_ x: Double) -> String { Comparison.format(100 * x, 3) + "%" }
    let words = rows.map { row -> String in
      let reached =
        row.reached.map { layer in
          ", \(percent(threshold)) reached "
            + (row.before.map { "between layers \($0) and \(layer)" } ?? "by layer \(layer)")
        } ?? ", \(percent(threshold)) not reached"
      return
        "\(row.failure) \(percent(row.probability)) [\(percent(row.lower)), \(percent(row.upper))]\(reached)"
    }
    let failing = rows.filter { $0.lower > threshold }
    let judged =
      failing.isEmpty
      ? (rows.allSatisfy { $0.upper < threshold } ? "healthy" : "at the threshold")
      : "unhealthy: " + failing.map(\.failure).joined(separator: ", ")
    sentence = "depth \(leg.layers.last!): \(judged) (" + words.joined(separator: "; ") + ")"
  }
}
