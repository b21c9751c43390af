import Foundation
import Simulation
import Statistics

/// What `fathom show` prints, as text and as JSON; made when the file is written and stored in it.
public struct Report {
  public static let schema = "fathom-report/1"
  let snapshot: Snapshot
  /// Whether tables show every layer, or only the last.
  let allLayers: Bool
  let comparisons: [Comparison]
  let finiteSizes: [FiniteSize]
  let diagnostics: [Diagnostics]
  let biases: [Bias]
  let orders: [OrderSweep]
  let digest: String

  public init(_ snapshot: Snapshot, allLayers: Bool = false) throws {
    self.snapshot = snapshot
    self.allLayers = allLayers
    comparisons = Comparison.all(snapshot)
    finiteSizes = FiniteSize.all(snapshot, comparisons)
    diagnostics = Diagnostics.all(snapshot)
    biases = Bias.all(snapshot)
    orders = OrderSweep.all(snapshot)
    digest = try Digest.of(snapshot.states)
  }

  /// A number with its standard error in the last digits, e.g. `0.5226(15)`.
  public static func withError(_ value: Double, _ error: Double) -> String {
    guard value.isFinite else { return "\(value)" }
    guard error.isFinite, error > 0 else { return String(format: "%.6g", value) }
    var places = max(0, Int((1 - log10(error)).rounded(.up)))
    places = min(places, 15)
    let last = (error * pow(10, Double(places))).rounded()
    let digits = places > 0 ? String(format: "%.0f", last) : String(format: "%.0f", error)
    return String(format: "%.\(places)f", value) + "(\(digits))"
  }

  public var text: String {
    var lines: [String] = []
    for item in snapshot.job.cases {
      let mine = comparisons.filter { $0.caseLabel == item.label }
      if snapshot.job.cases.count > 1 { lines.append("case \(item.label)") }
      for leg in item.legs {
        guard let state = snapshot.state(item.path(of: leg)) else { continue }
        let tally = state.tally
        var line = "\(leg.name): \(tally.counter(.draws)) of \(leg.draws) \(leg.isReplicated ? "replicas" : "draws")"
        let bad = [("overflowed", tally.counter(.overflowed)), ("underflowed or died", tally.counter(.underflowed))]
        for (what, count) in bad where count > 0 { line += ", \(count) \(what)" }
        lines.append(line)
      }
      if mine.isEmpty, let leg = item.legs.first, let tally = snapshot.state(item.path(of: leg))?.tally {
        lines += table(leg, tally)
      }
      for comparison in mine { lines += table(comparison) }
      for own in diagnostics where own.caseLabel == item.label && own.leg == "particles" { lines += table(own) }
      for comparison in mine { lines.append("verdict: " + comparison.sentence + ".") }
      lines.append("")
    }
    for bias in biases {
      lines += table(bias)
      lines.append("bias: " + bias.sentence + ".")
      lines.append("")
    }
    for sweep in orders {
      lines += table(sweep)
      lines.append("")
    }
    for sweep in finiteSizes {
      lines += table(sweep)
      lines.append("verdict: " + sweep.sentence + ".")
      lines.append("")
    }
    let health = Health.all(snapshot)
    for item in health { lines.append("health: \(item.caseLabel): " + item.sentence) }
    if !health.isEmpty { lines.append("") }
    lines.append("digest \(digest)")
    return lines.joined(separator: "\n")
  }

  private func table(_ comparison: Comparison) -> [String] {
    var rows = [["observable", axis(comparison), "finite", comparison.reference, "z", "KS", "p", "verdict"]]
    // The last layer is what a person reads first.
    let last = comparison.rows.map(\.layer).max() ?? 0
    let shown = allLayers ? comparison.rows : Array(comparison.rows.filter { $0.layer == last }.prefix(40))
    for row in shown {
      rows.append([
        (row.statistic == "mean" ? "E " : "E sq. ") + row.observable, String(row.layer),
        Self.withError(row.finite, row.finiteError), Self.withError(row.reference, row.referenceError),
        row.z.isNaN ? "untested" : String(format: "%+.2f", row.z),
        row.ks.map { String(format: "%.4f", $0.distance) } ?? "-",
        row.ks.map { String(format: "%.2g", $0.pValue) } ?? "-", row.verdict?.rawValue ?? "-",
      ])
    }
    var lines = Self.aligned(rows)
    if shown.count < comparison.rows.count {
      lines.append("(\(comparison.rows.count - shown.count) more rows: fathom show --all)")
    }
    return lines
  }

  private func axis(_ comparison: Comparison) -> String {
    snapshot.job.cases.first { $0.label == comparison.caseLabel }?.legs.first?.axis ?? "layer"
  }

  /// What was measured, where there is nothing to compare it with.
  private func table(_ leg: Leg, _ tally: Tally) -> [String] {
    var rows = [["observable", leg.axis, "mean", "standard deviation"]]
    let places = leg.layers.indices.flatMap { g in leg.observables.indices.map { (g, $0) } }
    let shown = allLayers ? places : Array(places.suffix(max(40, leg.observables.count)))
    for (g, i) in shown {
      let index = g * leg.observables.count + i
      let m = tally.moments(index)
      rows.append([
        leg.observables[i].name, String(leg.layers[g]), Self.withError(m.mean, m.meanError),
        Self.withError(m.standardDeviation, m.varianceError / (2 * m.standardDeviation)),
      ])
    }
    return Self.aligned(rows)
      + (shown.count < places.count ? ["(\(places.count - shown.count) more rows: fathom show --all)"] : [])
  }

  private func table(_ sweep: FiniteSize) -> [String] {
    var rows = [["observable", "widths", sweep.reference, "from widths", "z", "order", "chi2/dof"]]
    for row in sweep.rows.suffix(allLayers ? sweep.rows.count : 40) {
      rows.append([
        "E \(row.observable)", row.widths.map(String.init).joined(separator: " "),
        String(format: "%.6g", row.reference),
        Self.withError(row.recovered, row.fit.error), String(format: "%+.2f", row.z), row.fit.order.rawValue,
        String(format: "%.2g/%d", row.fit.chiSquare, row.fit.degreesOfFreedom),
      ])
    }
    return Self.aligned(rows)
  }

  static func aligned(_ rows: [[String]]) -> [String] {
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max()! }
    return rows.map { row in
      zip(row, widths).map { $0.padding(toLength: $1, withPad: " ", startingAt: 0) }.joined(separator: "  ")
    }
  }

  /// The stable JSON format of docs/json.md.
  public func json() throws -> String {
    func number(_ x: Double) -> Any { x.isFinite ? x : NSNull() }
    let cases = snapshot.job.cases.map { item -> [String: Any] in
      [
        "label": item.label, "swept": item.swept,
        "legs": item.legs.map { leg -> [String: Any] in
          var entry: [String: Any] = [
            "name": leg.name, "role": leg.role.rawValue, "attributes": leg.attributes, "draws_asked": leg.draws,
          ]
          if let tally = snapshot.state(item.path(of: leg))?.tally {
            entry["draws"] = tally.counter(.draws)
            entry["draws_overflowed"] = tally.counter(.overflowed)
            entry["draws_underflowed"] = tally.counter(.underflowed)
            entry["observables"] = leg.layers.enumerated().flatMap { g, layer in
              leg.observables.enumerated().map { i, observable -> [String: Any] in
                let index = g * leg.observables.count + i
                let m = tally.moments(index)
                return [
                  "name": observable.name, "layer": layer, "count": m.count, "mean": number(m.mean),
                  "standard_error": number(m.meanError), "standard_deviation": number(m.standardDeviation),
                  "variance": number(m.variance), "variance_error": number(m.varianceError),
                  "skewness": number(m.skewness), "skewness_error": number(m.skewnessError),
                  "kurtosis": number(m.kurtosis), "kurtosis_error": number(m.kurtosisError),
                  "second_moment": number(m.secondMoment), "second_moment_error": number(m.secondMomentError),
                  "not_finite": tally.notFiniteCount(index),
                  "quantiles": tally.histograms[index].quantiles(ResultTables.quantileLevels).enumerated().map {
                    [
                      "level": ResultTables.quantileLevels[$0], "value": number($1.value),
                      "standard_error": number($1.standardError),
                    ]
                  },
                ]
              }
            }
          } else if let known = leg.known {
            entry["observables"] = leg.layers.enumerated().flatMap { g, layer in
              leg.observables.enumerated().map { i, observable -> [String: Any] in
                let index = g * leg.observables.count + i
                return [
                  "name": observable.name, "layer": layer, "mean": number(known.means[index]),
                  "second_moment": number(known.secondMoments[index]),
                ]
              }
            }
          }
          return entry
        },
        "comparisons": comparisons.filter { $0.caseLabel == item.label }.map { comparison -> [String: Any] in
          [
            "reference": comparison.reference, "role": comparison.role.rawValue,
            "verdict": comparison.verdict.rawValue, "sentence": comparison.sentence,
            "critical_z": number(comparison.criticalZ), "ks_margin": number(comparison.ksMargin),
            "rows": comparison.rows.map { row -> [String: Any] in
              [
                "observable": row.observable, "layer": row.layer, "statistic": row.statistic,
                "finite": number(row.finite), "finite_error": number(row.finiteError),
                "reference": number(row.reference), "reference_error": number(row.referenceError),
                "z": number(row.z), "shift": number(row.shift), "ks_distance": number(row.ks?.distance ?? .nan),
                "ks_p_value": number(row.ks?.pValue ?? .nan), "verdict": row.verdict?.rawValue as Any? ?? NSNull(),
              ]
            },
          ]
        },
      ]
    }
    let whole: [String: Any] = [
      "schema": Self.schema, "title": snapshot.job.title, "seed": String(snapshot.job.seed), "digest": digest,
      "cases": cases,
      "finite_size": finiteSizes.map { sweep -> [String: Any] in
        [
          "label": sweep.label, "reference": sweep.reference, "sentence": sweep.sentence,
          "critical_z": number(sweep.criticalZ),
          "rows": sweep.rows.map { row -> [String: Any] in
            [
              "observable": row.observable, "layers": row.layers, "widths": row.widths,
              "reference": number(row.reference), "difference": number(row.fit.limit),
              "difference_error": number(row.fit.error), "z": number(row.z), "order": row.fit.order.rawValue,
              "coefficient": number(row.fit.coefficient), "coefficient_error": number(row.fit.coefficientError),
              "chi_square": number(row.fit.chiSquare), "degrees_of_freedom": row.fit.degreesOfFreedom,
            ]
          },
        ]
      },
      "health": Health.all(snapshot).map { item -> [String: Any] in
        [
          "label": item.caseLabel, "threshold": item.threshold, "sentence": item.sentence,
          "rows": item.rows.map { row -> [String: Any] in
            [
              "failure": row.failure, "depth": row.depth, "probability": number(row.probability),
              "lower": number(row.lower), "upper": number(row.upper), "reached": row.reached as Any? ?? NSNull(),
              "before": row.before as Any? ?? NSNull(),
            ]
          },
        ]
      },
    ]
    let data = try JSONSerialization.data(
      withJSONObject: whole.merging(particleEntries(number)) { $1 },
      options: [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes])
    return String(decoding: data, as: UTF8.self)
  }
}
