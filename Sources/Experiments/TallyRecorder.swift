import Statistics

/// Moments, quantiles and covariances of all draws of a leg.
extension Tally: Recorder {
  public static let quantileLevels = [0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999]
  static let bins = 80

  public func encode(to encoder: inout StateEncoder) {
    encoder.add("layout", [Int64(layout.perGroup), Int64(layout.groups), layout.covariances ? 1 : 0])
    if !layout.jointPairs.isEmpty { encoder.add("joint_pairs", layout.jointPairWords) }
    encoder.add("centres", layout.centres)
    encoder.add("words", words)
    let pages = pages
    encoder.add("pages", pages.flatMap { [Int64($0.observable), Int64($0.page)] })
    encoder.add("counts", counts(of: pages))
  }

  public convenience init(from decoder: StateDecoder, _ job: Job, _ leg: Leg) throws {
    let layoutWords = try decoder.integers("layout", count: 3)
    let centres = try decoder.doubles("centres", count: leg.schema.width)
    let layout = job.layout(of: leg, centres: centres)
    guard layoutWords == [Int64(layout.perGroup), Int64(layout.groups), layout.covariances ? 1 : 0] else {
      throw decoder.unfit("layout")
    }
    if !layout.jointPairs.isEmpty, try decoder.integers("joint_pairs") != layout.jointPairWords {
      throw decoder.unfit("joint_pairs")
    }
    self.init(layout: layout)
    words = try decoder.integers("words", count: wordCount)
    let pages = try decoder.integers("pages")
    let counts = try decoder.integers("counts")
    guard pages.count % 2 == 0, counts.count == pages.count / 2 * BitHistogram.pageSize else {
      throw decoder.unfit("pages")
    }
    guard BitHistogram.areCounts(counts) else { throw decoder.unfit("counts") }
    let entries = stride(from: 0, to: pages.count, by: 2).map { (observable: Int(pages[$0]), page: Int(pages[$0 + 1])) }
    guard
      entries.allSatisfy({
        centres.indices.contains($0.observable) && (0..<BitHistogram.pageCount).contains($0.page)
      })
    else { throw decoder.unfit("pages") }
    guard counter(.draws) >= 0 else { throw decoder.unfit("words") }
    add(counts: counts, to: entries)
  }

  public func tables(_ leg: Leg, group: String) -> [Table] {
    let axes = [leg.axis.name, "observable"]
    let moments = (0..<layout.observables).map { self.moments($0) }
    var table = Table(group: group)
    table.attributes = [
      ("draws", .integer(counter(.draws))), ("draws_overflowed", .integer(counter(.overflowed))),
      ("draws_underflowed", .integer(counter(.underflowed))),
    ]
    func column(_ name: String, _ summary: String, _ value: (Moments) -> Double) {
      table.columns.append(.init(name, .numbers(moments.map(value)), axes: axes, summary))
    }
    func error(_ name: String, _ summary: String, isMean: Bool = false, _ value: (Moments) -> Double) {
      let values = moments.enumerated().map { value($1) * (leg.dependence?.growth($0, isMean: isMean) ?? 1) }
      table.columns.append(.init(name, .numbers(values), axes: axes, summary))
    }
    column("mean", "mean over draws", \.mean)
    error("standard_error", "standard error of the mean", isMean: true, \.meanError)
    column("standard_deviation", "standard deviation of a draw", \.standardDeviation)
    column("variance", "variance of a draw", \.variance)
    error("variance_error", "standard error of the variance", \.varianceError)
    column("skewness", "skewness", \.skewness)
    error("skewness_error", "standard error of the skewness", \.skewnessError)
    column("kurtosis", "excess kurtosis", \.kurtosis)
    error("kurtosis_error", "standard error of the excess kurtosis", \.kurtosisError)
    column("second_moment", "mean of the square", \.secondMoment)
    error("second_moment_error", "standard error of the mean of the square", \.secondMomentError)
    table.columns += [
      .init("count", .integers(moments.map(\.count)), axes: axes, "finite values"),
      .init(
        "not_finite", .integers((0..<layout.observables).map { notFiniteCount($0) }), axes: axes,
        "values that were infinite or not a number"),
    ]
    addQuantiles(axes, of: leg, to: &table)
    if layout.covariances {
      table.axes.append(
        .init("observable_2", .texts(leg.observables.map(\.name)), axes: ["observable_2"], "the second observable"))
      table.columns.append(
        .init(
          "covariance", .numbers((0..<leg.axis.count).flatMap { covariance(group: $0) }), axes: axes + ["observable_2"],
          "covariance of two observables of a record"))
    }
    return [table]
  }

  private func addQuantiles(_ axes: [String], of leg: Leg, to table: inout Table) {
    var (values, errors, edges, densities): ([Double], [Double], [Double], [Double]) = ([], [], [], [])
    for (place, histogram) in histograms.enumerated() {
      let growth = leg.dependence?.growth(place, isMean: false) ?? 1
      let quantiles = histogram.quantiles(Self.quantileLevels + [0.0005, 0.9995])
      values += quantiles.dropLast(2).map(\.value)
      errors += quantiles.dropLast(2).map { $0.standardError * growth }
      let density = histogram.density(
        from: quantiles[quantiles.count - 2].value, to: quantiles[quantiles.count - 1].value, bins: Self.bins)
      edges += density.edges
      densities += density.values
    }
    func axis(_ name: String, _ values: [Double], _ summary: String) -> Table.Column {
      .init(name, .numbers(values), axes: [name], summary)
    }
    table.axes += [
      axis("quantile_level", Self.quantileLevels, "probability below the quantile"),
      axis("bin", (0..<Self.bins).map(Double.init), "bin of the density, from the 0.05% to the 99.95% quantile"),
      axis("edge", (0...Self.bins).map(Double.init), "border of the bins of the density"),
    ]
    table.columns += [
      .init("quantile", .numbers(values), axes: axes + ["quantile_level"], "quantiles, from the bit histogram"),
      .init("quantile_error", .numbers(errors), axes: axes + ["quantile_level"], "standard errors of the quantiles"),
      .init("density_edge", .numbers(edges), axes: axes + ["edge"], "borders of the bins of the density"),
      .init("density", .numbers(densities), axes: axes + ["bin"], "probability density in each bin"),
    ]
  }
}

extension Tally.Layout {
  fileprivate var jointPairWords: [Int64] { jointPairs.flatMap { [Int64($0.group), Int64($0.i), Int64($0.j)] } }
}

extension Leg {
  /// The tables of the leg, all in one group: its axes and labels first, then what its recorders kept or what is known of it.
  public func tables(_ state: LegState?, group: String) -> [Table] {
    var labels = Table(group: group)
    labels.attributes = attributes.sorted { $0.key < $1.key }.map { ($0.key, .text($0.value)) }
    labels.attributes.append(("role", .text(role.rawValue)))
    labels.axes = [
      .init(axis.name, .numbers(axis.values), axes: [axis.name], unit: axis.unit, axis.summary),
      .init("observable", .texts(observables.map(\.name)), axes: ["observable"], "measured quantity"),
    ]
    let most = observables.map(\.indices.count).max() ?? 0
    labels.columns = [
      .init("family", .texts(observables.map(\.family)), axes: ["observable"], "family of the observable"),
      .init("observable_role", .texts(observables.map(\.role.rawValue)), axes: ["observable"], "what it is for"),
      .init("observable_unit", .texts(observables.map(\.unit)), axes: ["observable"], "its unit"),
    ]
    if most > 0 {
      labels.axes.append(
        .init("place", .integers((0..<Int64(most)).map { $0 }), axes: ["place"], "place among the indices"))
      labels.columns.append(
        .init(
          "index",
          .integers(
            observables.flatMap { o in (0..<most).map { $0 < o.indices.count ? Int64(o.indices[$0]) : -1 } }),
          axes: ["observable", "place"], "indices within the family; -1 where there is none"))
    }
    if let dependence { labels.columns += dependence.columns(axes: [axis.name, "observable"]) }
    if let state {
      let kept: [any Recorder] = [state.tally, state.rows, state.histograms, state.trajectories, state.series]
      return [labels] + kept.flatMap { $0.tables(self, group: group) }
    }
    return [labels] + (known.map { [$0.table(group: group)] } ?? [])
  }
}

extension ReferenceValues {
  /// A column for each statistic: NaN where nothing is known.
  func table(group: String) -> Table {
    var table = Table(group: group)
    let axes = [schema.axis.name, "observable"]
    for statistic in [Statistic.mean, .variance, .standardDeviation, .skewness, .kurtosis, .secondMoment] {
      let values = values(of: statistic)
      guard [.mean, .secondMoment].contains(statistic) || values.contains(where: { !$0.isNaN }) else { continue }
      let summary = statistic.name.replacing("_", with: " ") + ", known without draws"
      table.columns.append(.init(statistic.name, .numbers(values), axes: axes, summary))
    }
    let others = schema.observables.map(\.name)
    let pairs = statistics.compactMap { entry -> (PredictedStatistic, Int)? in
      if case .covariance(let other) = entry.statistic { others.firstIndex(of: other).map { (entry, $0) } } else { nil }
    }
    guard !pairs.isEmpty else { return table }
    var covariance = Array(repeating: Double.nan, count: schema.width * others.count)
    for (entry, other) in pairs {
      covariance[schema.index(entry.record, entry.observable) * others.count + other] = entry.value
      covariance[schema.index(entry.record, other) * others.count + entry.observable] = entry.value
    }
    table.axes = [.init("observable_2", .texts(others), axes: ["observable_2"], "the second observable")]
    table.columns.append(
      .init("covariance", .numbers(covariance), axes: axes + ["observable_2"], "covariance, known without draws"))
    return table
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
