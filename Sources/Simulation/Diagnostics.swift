import Kernels
import Statistics

/// What the replicas of a leg say about themselves: errors, effective sample sizes, convergence, distance of the one-particle law
/// from the known one, and a certificate of stationarity.
public struct Diagnostics: Sendable {
  /// One observable in the last record; sizes and R-hat are those of the whole run.
  public struct Row: Sendable {
    public let observable: String
    public let mean: Double
    /// From the spread of the replicas where there are at least four, else by batch means over the run if it is one record.
    public let error: Double
    public let batchMeansError: Double
    /// Effective number of independent values in the series of all replicas, by batch means.
    public let effectiveSamples: Double
    /// Split R-hat over the replicas (Gelman et al., 2013, section 11.4): 1 where all halves of all replicas agree.
    public let rHat: Double
  }

  /// The law of one coordinate.
  public struct Marginal: Sendable {
    public let name: String
    public let law: String?
    public let w2, w2Error, divergence, divergenceError: Double
    public let entropy, entropyError: Double
    /// KL of two normal laws with these second moments, where the known law is normal: as good as the other where the sample is
    /// normal as well, and far more precise.
    public let normalDivergence, normalDivergenceError: Double
  }

  public let caseLabel: String
  public let leg: String
  public let replicas: Int
  public let rows: [Row]
  public let marginals: [Marginal]
  /// Mean-field free energy per particle, E - S/beta, where one coordinate is the whole particle.
  public let freeEnergy: (value: Double, error: Double)?
  /// The certificate in one sentence.
  public let sentence: String

  public static func all(_ snapshot: Snapshot) -> [Diagnostics] {
    snapshot.job.cases.flatMap { item in
      item.legs.filter(\.isReplicated).compactMap { leg in
        snapshot.state(item.path(of: leg)).flatMap { Diagnostics(label: item.label, leg: leg, state: $0) }
      }
    }
  }

  init?(label: String, leg: Leg, state: LegState) {
    guard let record = state.replicas, !record.rows.isEmpty else { return nil }
    let order = record.rows.keys.sorted()
    let (count, records) = (leg.observables.count, leg.layers.count)
    let kinds = ReplicaRecord.diagnostics.count
    caseLabel = label
    self.leg = leg.name
    replicas = order.count
    let m = Double(order.count)
    let found = (0..<count).map { i -> Row in
      let moments = state.tally.moments((records - 1) * count + i)
      func column(_ kind: Int) -> [Double] { order.map { record.rows[$0]![count * records + i * kinds + kind] } }
      let batch = column(0)
      let halves = column(1) + column(2)
      let within = column(3).reduce(0, +) / m
      let squares = batch.reduce(0) { $0 + $1 * $1 }
      let batchError = squares.squareRoot() / m
      let mean = halves.reduce(0, +) / Double(halves.count)
      let between = halves.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(halves.count - 1, 1))
      return Row(
        observable: leg.observables[i].name, mean: moments.mean,
        error: order.count >= 4 ? moments.meanError : (records == 1 ? batchError : .nan),
        batchMeansError: batchError,
        // A constant series has no error and no need of one.
        effectiveSamples: within == 0 ? .nan : within * m * m / squares,
        rHat: within == 0 ? (between == 0 ? 1 : .infinity) : (1 + between / within).squareRoot())
    }
    rows = found
    marginals = leg.marginals.enumerated().map { index, name in
      let folds = Array(record.marginals[index * ReplicaRecord.folds..<(index + 1) * ReplicaRecord.folds])
      let entropy = MarginalDistance.jackknife(folds, MarginalDistance.entropy)
      var w2 = (value: Double.nan, error: Double.nan)
      var divergence = w2
      if let law = leg.marginalLaw {
        let square = MarginalDistance.jackknife(folds) { MarginalDistance.squaredW2($0, law) }
        let root = max(square.value, 0).squareRoot()
        w2 = (root, root > 0 ? 0.5 * square.error / root : square.error.squareRoot())
        divergence = MarginalDistance.jackknife(folds) { MarginalDistance.divergence($0, law) }
      }
      var normal = (value: Double.nan, error: Double.nan)
      if let variance = leg.marginalLaw?.normalVariance,
        let square = found.first(where: { $0.observable == name + "^2" })
      {
        // (r - 1 - log r)/2 for the ratio r of the variances; its mean exceeds it by a quarter of the variance of r.
        let (r, error) = (square.mean / variance, square.error / variance)
        normal = (0.5 * (r - 1 - Elementary.log(r)) - 0.25 * error * error, 0.5 * (1 - 1 / r).magnitude * error)
      }
      return Marginal(
        name: name, law: leg.marginalLaw?.name, w2: w2.value, w2Error: w2.error, divergence: divergence.value,
        divergenceError: divergence.error, entropy: entropy.value, entropyError: entropy.error,
        normalDivergence: normal.value, normalDivergenceError: normal.error)
    }
    let energy = rows.first { $0.observable == "energy" }
    if let energy, let beta = leg.attributes["inverse_temperature"].flatMap(Double.init), leg.marginals == ["x"],
      leg.attributes["dimension"] ?? "1" == "1", let entropy = marginals.first
    {
      freeEnergy = (
        energy.mean - entropy.entropy / beta,
        (energy.error * energy.error + entropy.entropyError * entropy.entropyError / (beta * beta)).squareRoot()
      )
    } else {
      freeEnergy = nil
    }
    sentence = Self.certificate(rows, replicas: order.count, starts: leg.attributes["warm_up"] == "0")
  }

  private static func certificate(_ rows: [Row], replicas: Int, starts: Bool) -> String {
    guard !starts, let residual = rows.first(where: { $0.observable == "residual" }) else {
      return "none: without warm-up the run is watched on its way to the stationary law"
    }
    let worst = rows.filter { $0.rHat.isFinite }.max { $0.rHat < $1.rHat }
    var text =
      "residual \(Comparison.format(residual.mean, 3)) +- \(Comparison.format(residual.error, 2))"
    if residual.error > 0 && replicas >= 4 {
      let z = Student.equivalentZ(residual.mean / residual.error, degreesOfFreedom: replicas - 1)
      text +=
        z.magnitude < 3
        ? ": nothing speaks against the stationary law"
        : ": the law that was sampled is not exp(-beta H), z = \(Comparison.format(z, 3)) (step size, or a run that is not stationary)"
    }
    if let worst {
      text += "; largest split R-hat \(Comparison.format(worst.rHat, 4)) in \(worst.observable)"
      if worst.rHat > 1.05 { text += ", so longer runs are needed" }
    }
    return text
  }
}
