/// When a run ends before all its draws are made: it looks at its result at fixed numbers of draws, each twice the one before, and ends at the
/// first look at which what was asked for is reached.
///
/// Whoever looks K times at the level alpha, and stops when the answer pleases, errs with a probability of up to K alpha. So
/// the level is spent over the looks: look k judges at the level alpha w_k with sum_k w_k = 1. The probability that any look makes a false
/// statement is then at most sum_k alpha w_k = alpha (Bonferroni's inequality), whatever the statistics are and
/// however they depend on each other, and so is that of a false statement at the look at which the run happens to end. (Spending functions:
/// Lan and DeMets, Biometrika 70, 659, 1983; the joint law of the looks that they use to spend less is that of Brownian motion, which
/// Kolmogorov-Smirnov distances and rows of many observables do not have.) The last look has half the level, the one before it a quarter, ...: early looks
/// are for what is plain, and a run that goes to its end loses little.
///
/// The looks and the level of each are part of the job's identity, so that a result is a pure function of the job.
public struct StopRule: Sendable, Codable, Equatable {
  /// A standard error that is wanted.
  public struct Wanted: Sendable, Codable, Equatable {
    /// As people write it: `E rho[0,1]`, of the last record of the finite leg.
    public let quantity: String
    public let standardError: Double

    public init(quantity: String, standardError: Double) {
      self.quantity = quantity
      self.standardError = standardError
    }
  }

  /// Whether every verdict must be other than undecided.
  public let decided: Bool
  /// All must be reached.
  public let wanted: [Wanted]
  /// Number of looks, in 2...30; the last one is at all draws.
  public let looks: Int

  public init(decided: Bool, wanted: [Wanted], looks: Int) {
    precondition((2...30).contains(looks))
    self.decided = decided
    self.wanted = wanted
    self.looks = looks
  }

  /// Draws at a look, of `draws` at the last one.
  public func draws(_ draws: UInt64, atLook look: Int) -> UInt64 {
    let shift = UInt64(looks - 1 - look)
    return max(1, (draws >> shift) + (draws & ((1 << shift) - 1) == 0 ? 0 : 1))
  }

  /// Share of the level that a look spends; the first has as much as the second, so that the sum is 1.
  public func share(ofLook look: Int) -> Double {
    Double(sign: .plus, exponent: max(look, 1) - looks, significand: 1)
  }

  /// Everything that decides where a run ends, a line.
  public var identity: String {
    "stop = \(decided ? "decided, " : "")\(wanted.map { "\($0.quantity) to \($0.standardError), " }.joined())\(looks) looks"
  }
}
