import Experiments
import Kernels
import Statistics

/// What the replicas of a leg say about themselves: errors, effective sample sizes, convergence, distance of the
/// one-particle law from the known one, free energy, and a certificate of stationarity.
package struct Diagnostics: Analysis {
  /// One observable in the last record; sizes and R-hat are those of the whole run.
  package struct Row: Sendable {
    package let observable: String
    package let role: Observable.Role
    package let mean: Double
    /// From the spread of the replicas where there are at least four, else by batch means over the run if it is one
    /// record.
    package let error: Double
    package let batchMeansError: Double
    /// Effective number of independent values in the series of all replicas, by batch means.
    package let effectiveSamples: Double
    /// Split R-hat over the replicas (Gelman et al., 2013, section 11.4): 1 where all halves of all replicas agree.
    package let rHat: Double
  }

  /// The law of one coordinate.
  package struct Marginal: Sendable {
    package let name: String
    package let law: String?
    package let w2, w2Error, divergence, divergenceError: Double
    package let entropy, entropyError: Double
    /// KL of two normal laws with these second moments, where the known law is normal: as good as the other where the
    /// sample is normal as well, and far more precise.
    package let normalDivergence, normalDivergenceError: Double
  }

  package internal(set) var index = 0
  package let caseLabel: String
  package let leg: String
  package let isFinite: Bool
  package let replicas: Int
  package let rows: [Row]
  package let marginals: [Marginal]
  /// Mean-field free energy per particle, $E - S/\beta$, where one coordinate is the whole particle.
  package let freeEnergy: (value: Double, error: Double)?
  /// Whether the run is consistent with the stationary law; nil where nothing certifies it.
  package let verdict: Equivalence?
  /// The certificate in one sentence.
  package let sentence: String

  /// A certificate further than this from 0, in standard errors, is not consistent with stationarity.
  static let criticalZ = 3.0  // as the sentence says
  /// Split R-hat above which longer runs are asked for.
  static let largestRHat = 1.05

  /// Nil without replicas.
  package init?(caseLabel: String, leg: Leg, state: LegState) {
    guard let process = leg.process, !state.rows.isEmpty else { return nil }
    let order = state.rows.draws
    self.caseLabel = caseLabel
    self.leg = leg.name
    isFinite = leg.role == .finite
    replicas = order.count
    let found = leg.observables.indices.map { Self.row(leg, state, order, $0) }
    rows = found
    let laws = process.marginals.enumerated().map { index, name in
      Self.marginal(name, state.histograms.folds(of: index), leg.marginalLaw, found)
    }
    marginals = laws
    if let energy = found.first(where: { $0.role == .energy }), let beta = process.inverseTemperature, laws.count == 1,
      process.frame?.dimension ?? 1 == 1, let entropy = laws.first
    {
      let own = entropy.entropyError / beta
      freeEnergy = (
        energy.mean - entropy.entropy / beta, (energy.error * energy.error + own * own).squareRoot()
      )
    } else {
      freeEnergy = nil
    }
    (verdict, sentence) = Self.certificate(found, replicas: order.count, hasWarmUp: process.schedule.warmUp > 0)
  }

  private static func row(_ leg: Leg, _ state: LegState, _ order: [UInt64], _ place: Int) -> Row {
    let moments = state.tally.moments(leg.schema.index(leg.axis.count - 1, place))
    let kinds = Rows.diagnostics.count
    func column(_ kind: Int) -> [Double] {
      order.map { state.rows.values[$0]![leg.schema.width + place * kinds + kind] }
    }
    let m = Double(order.count)
    let halves = column(1) + column(2)
    let within = column(3).reduce(0, +) / m
    let squares = column(0).reduce(0) { $0 + $1 * $1 }
    let batchError = squares.squareRoot() / m
    let mean = halves.reduce(0, +) / Double(halves.count)
    let between = halves.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(halves.count - 1, 1))
    let observable = leg.observables[place]
    return Row(
      observable: observable.name, role: observable.role, mean: moments.mean,
      error: order.count >= 4 ? moments.meanError : (leg.axis.count == 1 ? batchError : .nan),
      batchMeansError: batchError,
      // A constant series has no error and no need of one.
      effectiveSamples: within == 0 ? .nan : within * m * m / squares,
      rHat: within == 0 ? (between == 0 ? 1 : .infinity) : (1 + between / within).squareRoot())
  }

  private static func marginal(
    _ name: String, _ folds: [BitHistogram], _ law: TabulatedLaw?, _ rows: [Row]
  ) -> Marginal {
    let entropy = MarginalDistance.jackknife(folds, MarginalDistance.entropy)
    var w2 = (value: Double.nan, error: Double.nan)
    var (divergence, normal) = (w2, w2)
    if let law {
      let square = MarginalDistance.jackknife(folds) { MarginalDistance.squaredW2($0, law) }
      let root = max(square.value, 0).squareRoot()
      w2 = (root, root > 0 ? 0.5 * square.error / root : square.error.squareRoot())
      divergence = MarginalDistance.jackknife(folds) { MarginalDistance.divergence($0, law) }
    }
    // A process that measures the square of a coordinate names it after the coordinate.
    if let variance = law?.normalVariance, let square = rows.first(where: { $0.observable == name + "^2" }) {
      // (r - 1 - log r)/2 for the ratio r of the variances; its mean exceeds it by a quarter of the variance of r.
      let (r, error) = (square.mean / variance, square.error / variance)
      normal = (0.5 * (r - 1 - Elementary.log(r)) - 0.25 * error * error, 0.5 * (1 - 1 / r).magnitude * error)
    }
    return Marginal(
      name: name, law: law?.name, w2: w2.value, w2Error: w2.error, divergence: divergence.value,
      divergenceError: divergence.error, entropy: entropy.value, entropyError: entropy.error,
      normalDivergence: normal.value, normalDivergenceError: normal.error)
  }

  private static func certificate(_ rows: [Row], replicas: Int, hasWarmUp: Bool) -> (Equivalence?, String) {
    guard hasWarmUp, let residual = rows.first(where: { $0.role == .certificate }) else {
      return (
        nil,
        hasWarmUp
          ? "none: nothing measured has a known mean"
          : "none: without warm-up the run shows the way to the stationary law"
      )
    }
    var verdict: Equivalence? = .undecided
    var text =
      "\(residual.observable) \(Words.format(residual.mean, 3)) +- \(Words.format(residual.error, 2))"
    if residual.error > 0 && replicas >= 4 {
      let t = residual.mean / residual.error
      let z = Student.equivalentZ(t, degreesOfFreedom: replicas - 1)
      let isConsistent = z.magnitude < criticalZ
      verdict = isConsistent ? .agrees : .differs
      text +=
        isConsistent
        ? ": consistent with stationarity (|z| < 3)"
        : ": NOT consistent with the stationary law, z = \(Words.format(z, 3)) (a smaller step, or a longer warm-up, may help)"
    } else {
      text += ": undecided, four replicas that differ are needed"
    }
    // A tuned setting is constant in each chain and another in the next.
    if let worst = rows.filter({ !$0.rHat.isNaN && $0.role != .setting }).max(by: { $0.rHat < $1.rHat }) {
      text += "; largest split R-hat \(Words.format(worst.rHat, 4)) in \(worst.observable)"
      if worst.rHat > largestRHat {
        text += ", so longer runs are needed"
        if verdict == .agrees { verdict = .undecided }
      }
    }
    return (verdict, text)
  }

  package var verdicts: [Verdict] {
    guard isFinite, let verdict else { return [] }
    return [Verdict(subject: "stationarity", caseLabel: caseLabel, word: verdict, sentence: sentence)]
  }
}

extension Diagnostics {
  /// Rows over observables; and, where one-particle laws are counted, rows over marginals, in the same group.
  package var tables: [Table] {
    func numbers(_ name: String, _ summary: String, _ value: (Row) -> Double) -> Table.Column {
      .init(name, .numbers(rows.map(value)), summary)
    }
    var table = Table(
      group: "diagnostics/\(index)",
      attributes: [
        ("case", .text(caseLabel)), ("leg", .text(leg)), ("replicas", .integer(Int64(replicas))),
        ("certificate", .text(sentence)), ("free_energy", .number(freeEnergy?.value ?? .nan)),
        ("free_energy_error", .number(freeEnergy?.error ?? .nan)),
      ],
      rows: [
        .init("observable", .texts(rows.map(\.observable)), "measured quantity"),
        numbers("mean", "mean in the last record", \.mean),
        numbers("standard_error", "its standard error, from the spread of the replicas", \.error),
        numbers("batch_means_error", "its standard error by batch means", \.batchMeansError),
        numbers(
          "effective_samples", "effective number of independent values in the series of all replicas",
          \.effectiveSamples),
        numbers("split_r_hat", "split R-hat over the replicas", \.rHat),
      ])
    var result = [table]
    if !marginals.isEmpty { result.append(marginalTable) }
    // References are diagnosed for the file; people read about the finite leg.
    guard isFinite else { return result }
    table.fields = [
      .init("observable", "observable"), .init("mean", "mean", .value(error: "standard_error")),
      .init("batch means", "mean", .value(error: "batch_means_error")),
      .init("effective samples", "effective_samples", .format("%.4g", missing: "-")),
      .init("split R-hat", "split_r_hat", .format("%.4f", missing: "-")),
    ]
    if marginals.isEmpty { table.notes = notes } else { result[1].notes = notes }
    result[0] = table
    return result
  }

  private var notes: [String] {
    let free = freeEnergy.map {
      "free energy per particle \(Words.format($0.value, 6)) +- \(Words.format($0.error, 2))"
    }
    return (free.map { [$0] } ?? []) + ["certificate: \(sentence)."]
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

  /// What readers of the leg's own group look for there: effective samples, R-hat and the certificate.
  package func legTable(group: String) -> Table {
    var table = Table(group: group)
    table.attributes = [("certificate", .text(sentence))]
    table.columns = [
      .init(
        "effective_samples", .numbers(rows.map(\.effectiveSamples)), axes: ["observable"],
        "effective number of independent values in the series of all replicas"),
      .init("split_r_hat", .numbers(rows.map(\.rHat)), axes: ["observable"], "split R-hat over the replicas"),
    ]
    return table
  }
}
