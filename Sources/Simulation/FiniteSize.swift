import Statistics

/// The difference between finite networks of several widths and a limit, extrapolated to infinite width.
public struct FiniteSizeRow: Sendable {
  public let observable: String
  /// Layers of the widths, from the narrowest on.
  public let layers: [Int]
  public let widths: [Int]
  /// Extrapolated difference, 0 if the limit is right.
  public let fit: SizeFit
  /// Value of the limit at the widest network.
  public let reference: Double

  public var z: Double { fit.limit == 0 ? 0 : fit.limit / fit.error }
  /// The limit as the finite networks give it.
  public var recovered: Double { reference + fit.limit }
}

/// A width sweep against one limit.
public struct FiniteSize: Sendable {
  /// What the cases of the sweep have in common besides width and depth.
  public let label: String
  public let reference: String
  public let rows: [FiniteSizeRow]
  public let criticalZ: Double
  public let sentence: String

  /// All width sweeps of a result: at least three widths at one depth, or at one depth / width.
  public static func all(_ snapshot: Snapshot, _ comparisons: [Comparison]) -> [FiniteSize] {
    var order: [String] = []
    var groups: [String: [(width: Int, item: Case)]] = [:]
    for item in snapshot.job.cases {
      guard let text = item.swept["network.width"], let width = Int(text) else { continue }
      // A start layer that moves with the width is part of the fixed depth / width.
      let kept = item.swept.filter { !["network.width", "network.depth", "network.inputs"].contains($0.key) }
      let rest = kept.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
      var labels = [(rest + ["fixed depth"]).joined(separator: ",")]
      if let depth = item.swept["network.depth"].flatMap(Int.init) {
        labels = ["depth/width = \(Double(depth) / Double(width))", "depth = \(depth)"].map {
          (rest + [$0]).joined(separator: ", ")
        }
      }
      for label in labels {
        if groups[label] == nil { order.append(label) }
        groups[label, default: []].append((width, item))
      }
    }
    return order.flatMap { label -> [FiniteSize] in
      let cases = groups[label]!.sorted { $0.width < $1.width }
      guard Set(cases.map(\.width)).count == cases.count, cases.count >= 3 else { return [] }
      let names = cases[0].item.legs.filter { $0.role == .limit && $0.refines == nil }.map(\.name)
      return names.compactMap { name in
        let mine = cases.compactMap { entry in
          comparisons.first { $0.caseLabel == entry.item.label && $0.reference == name }.map {
            (width: entry.width, comparison: $0)
          }
        }
        return FiniteSize(label: label, reference: name, mine, tolerances: snapshot.job.tolerances)
      }
    }
  }

  init?(
    label: String, reference: String, _ sweep: [(width: Int, comparison: Comparison)], tolerances: Tolerances
  ) {
    guard sweep.count >= 3 else { return nil }
    let layerLists = sweep.map { entry in Set(entry.comparison.rows.map(\.layer)).sorted() }
    guard let count = layerLists.first?.count, layerLists.allSatisfy({ $0.count == count }) else { return nil }
    var rows: [FiniteSizeRow] = []
    for place in 0..<count {
      for row in sweep[0].comparison.rows where row.layer == layerLists[0][place] && row.statistic == "mean" {
        let points = zip(sweep, layerLists).compactMap { entry, layers -> (Int, ComparisonRow)? in
          entry.comparison.rows.first {
            $0.observable == row.observable && $0.layer == layers[place] && $0.statistic == "mean" && !$0.z.isNaN
          }.map { (entry.width, $0) }
        }
        let fit = SizeFit(
          points.map { width, row in
            (
              n: Double(width), value: row.difference,
              error: (row.finiteError * row.finiteError + row.referenceError * row.referenceError).squareRoot()
            )
          }, expected: 0)
        if let fit {
          rows.append(
            FiniteSizeRow(
              observable: row.observable, layers: layerLists.map { $0[place] }, widths: points.map(\.0), fit: fit,
              reference: points.last!.1.reference))
        }
      }
    }
    guard !rows.isEmpty else { return nil }
    self.label = label
    self.reference = reference
    self.rows = rows
    criticalZ = Gaussian.critical(tolerances.alpha / Double(rows.count))
    let worst = rows.max { $0.z.magnitude < $1.z.magnitude }!
    let roots = rows.filter { $0.fit.order == .inverseRoot }
    let unclear = rows.filter { $0.fit.order == .undetermined }
    var text = "width -> infinity against \(reference)\(label.isEmpty ? "" : " (\(label))"): "
    text +=
      worst.z.magnitude <= criticalZ
      ? "the limit is recovered, largest |z| = \(Comparison.format(worst.z.magnitude, 3))"
      : "the limit is NOT recovered: E \(worst.observable) tends to a difference of \(Comparison.format(worst.fit.limit, 2)), z = \(Comparison.format(worst.z, 3))"
    text += " in \(worst.observable) (\(rows.count) tests, |z| < \(Comparison.format(criticalZ, 3)))"
    text +=
      "; the leading error is of order "
      + (roots.isEmpty ? "1/n" : "n^-1/2 in " + roots.map { "\($0.observable)" }.joined(separator: ", "))
    if !unclear.isEmpty { text += "; the order is not determined in \(unclear.count) of \(rows.count)" }
    sentence = text
  }
}
