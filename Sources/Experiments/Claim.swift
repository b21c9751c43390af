/// A bound that each replica of a leg proves for itself, whatever its chain did. It is not a statistic and needs no test.
///
/// The last frame of replica 0 holds the proof: coordinates of its particles, and in the place of their potentials a multiplier for each. With what the
/// model was given it can be checked from the file alone (`Family.recheck`).
public struct Claim: Sendable, Equatable, Codable {
  /// What is bounded, as sentences name it: `cut`.
  public let quantity: String
  /// Whether nothing is above the bound, or nothing below it.
  public let isUpper: Bool
  /// Observables: the bound, the value that the vectors of the replica attain, and the best value found of what is bounded.
  public let bound, attained, found: String
  /// What the proof is of, as the family reads it.
  public let givens: [String: [Double]]

  public init(
    quantity: String, isUpper: Bool, bound: String, attained: String, found: String, givens: [String: [Double]]
  ) {
    self.quantity = quantity
    self.isUpper = isUpper
    self.bound = bound
    self.attained = attained
    self.found = found
    self.givens = givens
  }

  /// The sign before the bound in sentences.
  public var relation: String { isUpper ? "<=" : ">=" }
}

/// The stored proof of a claim.
public struct Proof: Sendable {
  /// particles x dimension.
  public let vectors: [Double]
  public let multipliers: [Double]
  public let dimension: Int
  /// Values of the observables at that moment, by name.
  public let values: [String: Double]

  /// Of the last frame of replica 0; nil if the leg claims nothing, or is not that far.
  public init?(_ leg: Leg, _ state: LegState) {
    guard leg.claim != nil, let frame = leg.process?.frame, let trajectory = state.trajectories.replicas[0],
      trajectory.positions.count >= frame.width, trajectory.series.count >= leg.observables.count
    else { return nil }
    let last = Array(trajectory.positions.suffix(frame.width))
    let width = frame.dimension + 1
    dimension = frame.dimension
    vectors = (0..<frame.particles).flatMap { last[$0 * width..<$0 * width + width - 1] }
    multipliers = (0..<frame.particles).map { last[$0 * width + width - 1] }
    let series = trajectory.series.suffix(leg.observables.count)
    values = Dictionary(uniqueKeysWithValues: zip(leg.observables.map(\.name), series))
  }
}

extension Family {
  public static func recheck(_ claim: Claim, _ proof: Proof) throws -> String? { nil }
}
