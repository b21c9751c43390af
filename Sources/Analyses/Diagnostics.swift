import Experiments
import Kernels
import Statistics

/// What the replicas of a leg say about themselves: errors, effective sample sizes, convergence, distance of the
/// one-particle law from the known one, free energy, and a certificate of stationarity.
package struct Diagnostics: Analysis {
  /// One observable: mean and error in the last record, all else over the whole run.
  package struct Row: Sendable {
    package let observable: String
    package let role: Observable.Role
    package let mean: Double
    /// From the spread of the replicas where there are at least four, else the Monte Carlo error of the mean over the run if it is one record.
    package let error: Double
    package let batchMeansError: Double
    package let mixing: Mixing.Row
    /// Monte Carlo error of the mean over the run and over all replicas.
    package let meanError: Double
    /// Of the levels of `Diagnostics.levels`; NaN where no single measurements are kept.
    package let quantiles: [Chains.Quantile]

    package var effectiveSamples: Double { mixing.effectiveSamples }
    package var tailEffectiveSamples: Double {
      guard [.frozen, .constant].contains(mixing.state) else {
        return min(quantiles.first!.effectiveSamples, quantiles.last!.effectiveSamples)
      }
      return effectiveSamples
    }
    package var rHat: Double { mixing.rHat }
  }

  /// The quantiles whose Monte Carlo errors are given; the outer two are the tails.
  package static let levels = [0.05, 0.5, 0.95]

  /// The law of one coordinate.
  package struct Marginal: Sendable {
    package let name: String
    package let law: String?
    package let w2, w2Error, divergence, divergenceError: Double
    package let entropy, entropyError: Double
    /// KL of two normal laws with these second moments, where the known law is normal: as good as the other where the
    /// sample is normal as well, and far more precise.
    package let normalDivergence, normalDivergenceError: Double
    /// Whether all that was counted of it is in one bucket.
    package let isPoint: Bool
  }

  package internal(set) var index = 0
  package let caseLabel: String
  package let leg: String
  package let isFinite: Bool
  package let replicas: Int
  package let mixing: Mixing
  package let rows: [Row]
  package let marginals: [Marginal]
  /// Mean-field free energy per particle, $E - S/\beta$, where one coordinate is the whole particle.
  package let freeEnergy: (value: Double, error: Double)?
  /// Whether the run is consistent with the stationary law; nil where nothing certifies it.
  package let verdict: Equivalence?
  /// The certificate in one sentence.
  package let sentence: String

  /// Nil without replicas.
  /// - Parameter alpha: probability of a false alarm of this certificate.
  package init?(caseLabel: String, leg: Leg, state: LegState, alpha: Double) {
    guard let process = leg.process, let mixing = Mixing(leg: leg, state: state) else { return nil }
    self.caseLabel = caseLabel
    self.leg = leg.name
    self.mixing = mixing
    isFinite = leg.role == .finite
    replicas = mixing.replicas
    let found = leg.observables.indices.map { Self.row(leg, state, mixing.rows[$0], $0) }
    rows = found
    let laws = process.marginals.enumerated().map { index, name in
      Self.marginal(
        name, state.histograms.folds(of: index), leg.marginalLaw, found, isStill: mixing.code == .noChainMoved)
    }
    marginals = laws
    if let energy = found.first(where: { $0.role == .energy }), let beta = process.inverseTemperature, laws.count == 1,
      process.frame?.dimension ?? 1 == 1, let entropy = laws.first, !entropy.entropy.isNaN
    {
      let own = entropy.entropyError / beta
      freeEnergy = (
        energy.mean - entropy.entropy / beta, Estimate.combined(energy.error, own)
      )
    } else {
      freeEnergy = nil
    }
    (verdict, sentence) = Self.certificate(found, mixing, alpha: alpha, hasWarmUp: process.schedule.warmUp > 0)
  }

  private static func row(_ leg: Leg, _ state: LegState, _ mixing: Mixing.Row, _ place: Int) -> Row {
    let moments = state.tally.moments(leg.schema.index(leg.axis.count - 1, place))
    let order = state.rows.draws
    let squares = order.reduce(0) { sum, id in
      let own = state.rows.values[id]![leg.schema.width + place * Rows.diagnostics.count]
      return sum + own * own
    }
    let batchError = squares.squareRoot() / Double(order.count)
    let meanError = mixing.chains?.meanError(effectiveSamples: mixing.effectiveSamples) ?? batchError
    return Row(
      observable: mixing.observable.name, role: mixing.observable.role, mean: moments.mean,
      error: order.count >= 4 ? moments.meanError : (leg.axis.count == 1 ? meanError : .nan),
      batchMeansError: batchError, mixing: mixing, meanError: meanError,
      quantiles: levels.map { mixing.chains?.quantile($0) ?? .unknown })
  }

  private static func marginal(
    _ name: String, _ folds: [BitHistogram], _ law: TabulatedLaw?, _ rows: [Row], isStill: Bool
  ) -> Marginal {
    let unknown = (value: Double.nan, error: Double.nan)
    var (w2, divergence, normal, entropy) = (unknown, unknown, unknown, unknown)
    // A point mass has neither a density nor, with respect to a law that has one, a divergence; where no chain moved, what was counted are the
    // starts.
    let isPoint = Self.isPoint(folds)
    let hasDensity = !isStill && !isPoint
    if hasDensity { entropy = MarginalDistance.jackknife(folds, MarginalDistance.entropy) }
    if let law {
      let square = MarginalDistance.jackknife(folds) { MarginalDistance.squaredW2($0, law) }
      let root = max(square.value, 0).squareRoot()
      w2 = (root, root > 0 ? 0.5 * square.error / root : square.error.squareRoot())
      if hasDensity { divergence = MarginalDistance.jackknife(folds) { MarginalDistance.divergence($0, law) } }
    }
    // A process that measures the square of a coordinate names it after the coordinate.
    if hasDensity, let variance = law?.normalVariance, let square = rows.first(where: { $0.observable == name + "^2" })
    {
      // (r - 1 - log r)/2 for the ratio r of the variances; its mean exceeds it by a quarter of the variance of r.
      let (r, error) = (square.mean / variance, square.error / variance)
      normal = (0.5 * (r - 1 - Elementary.log(r)) - 0.25 * error * error, 0.5 * (1 - 1 / r).magnitude * error)
    }
    return Marginal(
      name: name, law: law?.name, w2: w2.value, w2Error: w2.error, divergence: divergence.value,
      divergenceError: divergence.error, entropy: entropy.value, entropyError: entropy.error,
      normalDivergence: normal.value, normalDivergenceError: normal.error, isPoint: isPoint)
  }

  /// Whether all that was counted is in one bucket.
  private static func isPoint(_ folds: [BitHistogram]) -> Bool {
    var places: Set<Double> = []
    for fold in folds {
      for bucket in fold.buckets() {
        places.insert(bucket.lower)
        if places.count > 1 { return false }
      }
    }
    return places.count == 1
  }

  private static func certificate(
    _ rows: [Row], _ mixing: Mixing, alpha: Double, hasWarmUp: Bool
  ) -> (Equivalence?, String) {
    guard hasWarmUp, let residual = rows.first(where: { $0.role == .certificate }) else {
      return (
        nil,
        hasWarmUp
          ? "none: nothing measured has a known mean"
          : "none: without warm-up the run shows the way to the stationary law"
      )
    }
    let start = "\(residual.observable) \(Words.format(residual.mean, 3)) +- \(Words.format(residual.error, 2))"
    if mixing.code == .noChainMoved { return (.differs, "\(start): NOT stationary, no chain moved") }
    let degrees = mixing.replicas - 1
    let reason = mixing.isMixed ? mixing.sentence : "the chains have not mixed (\(mixing.sentence))"
    guard residual.error > 0 && mixing.replicas >= 4 else {
      return (.undecided, "\(start): undecided, four replicas that differ are needed; \(reason)")
    }
    let t = residual.mean / residual.error
    let critical = Student.equivalentT(Gaussian.critical(alpha), degreesOfFreedom: degrees)
    let test = "t = \(Words.format(t, 3)) with \(degrees) degrees of freedom, critical \(Words.format(critical, 3))"
    if t.magnitude >= critical {
      return (
        .differs,
        "\(start): NOT consistent with the stationary law (\(test), a false alarm in \(Words.format(alpha, 2)) of such runs; a smaller step, or a longer warm-up, may help); \(reason)"
      )
    }
    return mixing.isMixed
      ? (.agrees, "\(start): consistent with stationarity (\(test)); \(reason)")
      : (.undecided, "\(start): undecided, \(reason), so longer runs are needed")
  }

  package var verdicts: [Verdict] {
    guard isFinite, let verdict else { return [] }
    return [Verdict(subject: "stationarity", caseLabel: caseLabel, word: verdict, sentence: sentence)]
  }
}

extension Diagnostics {
  private static let columns: [(name: String, summary: String, value: @Sendable (Row) -> Double)] = [
    ("mean", "mean in the last record", { $0.mean }),
    ("standard_error", "its standard error, from the spread of the replicas", { $0.error }),
    (
      "batch_means_error", "standard error of the mean by batch means, as if the replicas agreed",
      { $0.batchMeansError }
    ),
    ("mean_mcse", "Monte Carlo error of the mean over the run and the replicas", { $0.meanError }),
    ("q05", "5% quantile of single measurements", { $0.quantiles[0].value }),
    ("q05_mcse", "its Monte Carlo error", { $0.quantiles[0].error }),
    ("median", "median of single measurements", { $0.quantiles[1].value }),
    ("median_mcse", "its Monte Carlo error", { $0.quantiles[1].error }),
    ("q95", "95% quantile of single measurements", { $0.quantiles[2].value }),
    ("q95_mcse", "its Monte Carlo error", { $0.quantiles[2].error }),
    ("effective_samples", "effective number of independent values for the mean", { $0.effectiveSamples }),
    (
      "bulk_effective_samples", "the same of the rank-normalised kept measurements",
      { $0.mixing.bulkEffectiveSamples ?? .nan }
    ),
    ("tail_effective_samples", "the smaller one of the 5% and the 95% quantile", { $0.tailEffectiveSamples }),
    ("split_r_hat", "split R-hat over the replicas, from means and variances of halves", { $0.mixing.splitRHat }),
    ("r_hat", "rank-normalised split R-hat, the larger of bulk and folded", { $0.rHat }),
    ("r_hat_bound", "what it may be at most", { $0.mixing.bound }),
  ]

  /// Rows over observables; and, where one-particle laws are counted, rows over marginals, in the same group.
  package var tables: [Table] {
    let known: [Table.Column] = [
      .init("observable", .texts(rows.map(\.observable)), "measured quantity"),
      .init("state", .texts(rows.map(\.mixing.state.rawValue)), "whether its series moves"),
    ]
    let numbers = Self.columns.map { Table.Column($0.name, .numbers(rows.map($0.value)), $0.summary) }
    var table = Table(
      group: "diagnostics/\(index)",
      attributes: [
        ("case", .text(caseLabel)), ("leg", .text(leg)), ("replicas", .integer(Int64(replicas))),
        ("certificate", .text(sentence)), ("mixing", .text(mixing.reason)), ("mixing_sentence", .text(mixing.sentence)),
        ("free_energy", .number(freeEnergy?.value ?? .nan)), ("free_energy_error", .number(freeEnergy?.error ?? .nan)),
      ], rows: known + numbers)
    var result = [table]
    if !marginals.isEmpty { result.append(marginalTable) }
    // References are diagnosed for the file; people read about the finite leg.
    guard isFinite else { return result }
    table.fields = [
      .init("observable", "observable"), .init("mean", "mean", .value(error: "standard_error")),
      .init("batch means", "mean", .value(error: "batch_means_error")),
      .init("effective samples", "effective_samples", .format("%.4g", missing: "unknown")),
      .init("tail", "tail_effective_samples", .format("%.4g", missing: "unknown")),
      .init("R-hat", "r_hat", .format("%.4f", missing: "none")), .init("series", "state"),
    ]
    if marginals.isEmpty { table.notes = notes } else { result[1].notes = notes }
    result[0] = table
    return result
  }

  private var notes: [String] {
    let free = freeEnergy.map {
      "free energy per particle \(Words.format($0.value, 6)) +- \(Words.format($0.error, 2))"
    }
    let points = marginals.filter(\.isPoint).map(\.name)
    let why =
      mixing.code == .noChainMoved
      ? "no chain moved" : points.isEmpty ? nil : "\(Words.list(points)) had one value at all times"
    let without = why.map { ["no entropy, divergence or free energy: \($0)"] } ?? []
    return (free.map { [$0] } ?? without) + ["certificate: \(sentence)."]
  }

  private var marginalTable: Table {
    func numbers(_ name: String, _ summary: String, _ value: (Marginal) -> Double) -> Table.Column {
      .init(name, .numbers(marginals.map(value)), axes: ["marginal"], summary)
    }
    var table = Table(group: "diagnostics/\(index)")
    table.axes = [
      .init("marginal", .texts(marginals.map(\.name)), axes: ["marginal"], "coordinate of a particle")
    ]
    table.columns = [
      .init(
        "known_law", .optionalTexts(marginals.map(\.law)), axes: ["marginal"], "its law where it is known"),
      numbers("w2", "Wasserstein-2 distance from the known law", \.w2),
      numbers("w2_error", "its standard error", \.w2Error),
      numbers("kl", "Kullback-Leibler divergence from the known law", \.divergence),
      numbers("kl_error", "its standard error", \.divergenceError),
      numbers("kl_normal", "the same from the second moment, where the known law is normal", \.normalDivergence),
      numbers("kl_normal_error", "its standard error", \.normalDivergenceError),
      numbers("entropy", "differential entropy", \.entropy),
      numbers("entropy_error", "its standard error", \.entropyError),
    ]
    if isFinite {
      table.fields = [
        .init("law of", "marginal"), .init("entropy", "entropy", .value(error: "entropy_error")),
        .init("known law", "known_law"), .init("W2", "w2", .value(error: "w2_error")),
        .init("KL", "kl", .value(error: "kl_error")),
        .init("KL by second moments", "kl_normal", .value(error: "kl_normal_error")),
      ]
    }
    return table
  }
}
