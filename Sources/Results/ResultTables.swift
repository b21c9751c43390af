import Archive
import Simulation
import Statistics

/// The tables that people read: a group a leg with labelled axes, and `/comparison`. Made from the state
/// at every checkpoint, never read back.
enum ResultTables {
  static let quantileLevels = [0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999]
  static let bins = 80

  private static func writeAxes(_ leg: Leg, group: String, to writer: inout ArchiveWriter) throws {
    try writer.makeGroup(group)
    for (name, value) in leg.attributes.sorted(by: { $0.key < $1.key }) {
      try writer.setAttribute(group, name, value)
    }
    try writer.setAttribute(group, "role", leg.role.rawValue)
    try writer.write("\(group)/\(leg.axis)", shape: [leg.layers.count], leg.layers.map(Int64.init))
    try writer.makeScale("\(group)/\(leg.axis)", name: leg.axis)
    try writer.write("\(group)/observable", strings: leg.observables.map(\.name))
    try writer.makeScale("\(group)/observable", name: "observable")
    let isLayer = leg.axis == "layer"
    try writer.setAttribute(
      "\(group)/\(leg.axis)", "long_name",
      isLayer ? "number of hidden layers passed" : "steps made at the end of the record")
    try writer.setAttribute(
      "\(group)/observable", "long_name", isLayer ? "measured quantity; [a,b] are inputs" : "measured quantity")
  }

  static func write(_ leg: Leg, _ tally: Tally, group: String, to writer: inout ArchiveWriter) throws {
    try writeAxes(leg, group: group, to: &writer)
    let axes = ["\(group)/\(leg.axis)", "\(group)/observable"]
    let shape = [leg.layers.count, leg.observables.count]
    let moments = (0..<tally.layout.observables).map { tally.moments($0) }
    func table(_ name: String, _ summary: String, _ value: (Moments) -> Double) throws {
      try writer.write("\(group)/\(name)", shape: shape, moments.map(value))
      try writer.attachScales(axes, to: "\(group)/\(name)")
      try writer.setAttribute("\(group)/\(name)", "long_name", summary)
      try writer.setAttribute("\(group)/\(name)", "units", "1")
    }
    try table("mean", "mean over draws", \.mean)
    try table("standard_error", "standard error of the mean", \.meanError)
    try table("standard_deviation", "standard deviation of a draw", \.standardDeviation)
    try table("variance", "variance of a draw", \.variance)
    try table("variance_error", "standard error of the variance", \.varianceError)
    try table("skewness", "skewness", \.skewness)
    try table("skewness_error", "standard error of the skewness", \.skewnessError)
    try table("kurtosis", "excess kurtosis", \.kurtosis)
    try table("kurtosis_error", "standard error of the excess kurtosis", \.kurtosisError)
    try table("second_moment", "mean of the square", \.secondMoment)
    try table("second_moment_error", "standard error of the mean of the square", \.secondMomentError)
    func counts(_ name: String, _ summary: String, _ values: [Int64]) throws {
      try writer.write("\(group)/\(name)", shape: shape, values)
      try writer.attachScales(axes, to: "\(group)/\(name)")
      try writer.setAttribute("\(group)/\(name)", "long_name", summary)
    }
    try counts("count", "finite values", moments.map(\.count))
    try counts(
      "not_finite", "values that were infinite or not a number",
      (0..<tally.layout.observables).map { tally.notFiniteCount($0) })
    try writer.setAttribute(group, "draws", tally.counter(.draws))
    try writer.setAttribute(group, "draws_overflowed", tally.counter(.overflowed))
    try writer.setAttribute(group, "draws_underflowed", tally.counter(.underflowed))
    try writeQuantiles(leg, tally, group: group, axes: axes, to: &writer)
    if tally.layout.covariances {
      try writer.write("\(group)/observable_2", strings: leg.observables.map(\.name))
      try writer.makeScale("\(group)/observable_2", name: "observable_2")
      try writer.write(
        "\(group)/covariance", shape: shape + [leg.observables.count],
        (0..<leg.layers.count).flatMap { tally.covariance(group: $0) })
      try writer.attachScales(axes + ["\(group)/observable_2"], to: "\(group)/covariance")
      try writer.setAttribute("\(group)/covariance", "long_name", "covariance of two observables of a layer")
    }
  }

  private static func writeQuantiles(
    _ leg: Leg, _ tally: Tally, group: String, axes: [String], to writer: inout ArchiveWriter
  ) throws {
    let shape = [leg.layers.count, leg.observables.count]
    var values: [Double] = []
    var errors: [Double] = []
    var edges: [Double] = []
    var densities: [Double] = []
    for histogram in tally.histograms {
      let quantiles = histogram.quantiles(quantileLevels + [0.0005, 0.9995])
      values += quantiles.dropLast(2).map(\.value)
      errors += quantiles.dropLast(2).map(\.standardError)
      let density = histogram.density(
        from: quantiles[quantiles.count - 2].value, to: quantiles[quantiles.count - 1].value, bins: bins)
      edges += density.edges
      densities += density.values
    }
    func axis(_ name: String, _ values: [Double], _ summary: String) throws {
      try writer.write("\(group)/\(name)", shape: [values.count], values)
      try writer.makeScale("\(group)/\(name)", name: name)
      try writer.setAttribute("\(group)/\(name)", "long_name", summary)
    }
    func table(_ name: String, _ last: String, _ size: Int, _ values: [Double], _ summary: String) throws {
      try writer.write("\(group)/\(name)", shape: shape + [size], values)
      try writer.attachScales(axes + ["\(group)/\(last)"], to: "\(group)/\(name)")
      try writer.setAttribute("\(group)/\(name)", "long_name", summary)
    }
    try axis("quantile_level", quantileLevels, "probability below the quantile")
    try axis("bin", (0..<bins).map(Double.init), "bin of the density, from the 0.05% to the 99.95% quantile")
    try axis("edge", (0...bins).map(Double.init), "border of the bins of the density")
    try table("quantile", "quantile_level", quantileLevels.count, values, "quantiles, from the bit histogram")
    try table("quantile_error", "quantile_level", quantileLevels.count, errors, "standard errors of the quantiles")
    try table("density_edge", "edge", bins + 1, edges, "borders of the bins of the density")
    try table("density", "bin", bins, densities, "probability density in each bin")
  }

  static func write(_ leg: Leg, _ known: KnownValues, group: String, to writer: inout ArchiveWriter) throws {
    try writeAxes(leg, group: group, to: &writer)
    for (name, values, summary) in [
      ("mean", known.means, "mean, known without draws"),
      ("second_moment", known.secondMoments, "mean of the square, known without draws"),
    ] {
      try writer.write("\(group)/\(name)", shape: [leg.layers.count, leg.observables.count], values)
      try writer.attachScales(["\(group)/\(leg.axis)", "\(group)/observable"], to: "\(group)/\(name)")
      try writer.setAttribute("\(group)/\(name)", "long_name", summary)
      try writer.setAttribute("\(group)/\(name)", "units", "1")
    }
  }

  static func write(_ comparisons: [Comparison], to writer: inout ArchiveWriter) throws {
    try writer.makeGroup("/comparison")
    for (index, comparison) in comparisons.enumerated() {
      let group = "/comparison/\(index)"
      try writer.makeGroup(group)
      try writer.setAttribute(group, "case", comparison.caseLabel)
      try writer.setAttribute(group, "reference", comparison.reference)
      try writer.setAttribute(group, "verdict", comparison.verdict.rawValue)
      try writer.setAttribute(group, "sentence", comparison.sentence)
      try writer.setAttribute(group, "critical_z", comparison.criticalZ)
      try writer.setAttribute(group, "ks_margin", comparison.ksMargin)
      let rows = comparison.rows
      try writer.write("\(group)/row", shape: [rows.count], rows.indices.map(Int64.init))
      try writer.makeScale("\(group)/row", name: "row")
      try writer.write("\(group)/observable", strings: rows.map(\.observable))
      try writer.write("\(group)/statistic", strings: rows.map(\.statistic))
      try writer.write("\(group)/verdict", strings: rows.map { $0.verdict?.rawValue ?? "not tested" })
      try writer.write("\(group)/layer", shape: [rows.count], rows.map { Int64($0.layer) })
      let columns: [(String, (ComparisonRow) -> Double)] = [
        ("finite", \.finite), ("finite_error", \.finiteError), ("reference", \.reference),
        ("reference_error", \.referenceError), ("z", \.z), ("shift", \.shift),
        ("ks_distance", { $0.ks?.distance ?? .nan }), ("ks_p_value", { $0.ks?.pValue ?? .nan }),
      ]
      for (name, value) in columns { try writer.write("\(group)/\(name)", shape: [rows.count], rows.map(value)) }
      for name in ["observable", "statistic", "verdict", "layer"] + columns.map(\.0) {
        try writer.attachScales(["\(group)/row"], to: "\(group)/\(name)")
      }
    }
  }
}

extension BitHistogram {
  /// Density in equal bins, bucket counts spread evenly over their width.
  func density(from low: Double, to high: Double, bins: Int) -> (edges: [Double], values: [Double]) {
    let width = (high - low) / Double(bins)
    let edges = (0...bins).map { low + width * Double($0) }
    guard width > 0, width.isFinite else {
      return (edges, Array(repeating: .nan, count: bins))
    }
    var values = Array(repeating: 0.0, count: bins)
    var total = 0.0
    for bucket in buckets() {
      total += Double(bucket.count)
      let size = bucket.upper - bucket.lower
      let first = max(0, Int(max(min((bucket.lower - low) / width, 1e6), -1)))
      var bin = first
      while bin < bins, edges[bin] < bucket.upper {
        let overlap = min(edges[bin + 1], bucket.upper) - max(edges[bin], bucket.lower)
        if overlap > 0 { values[bin] += Double(bucket.count) * overlap / size }
        bin += 1
      }
    }
    return (edges, values.map { $0 / (total * width) })
  }
}
