import Experiments
import Statistics

/// Why nothing can be concluded of the draws of a leg, whatever they are compared with.
struct Hindrance {
  let reason: Reason
  let sentence: String

  /// Nil where nothing hinders: independent draws, chains that have mixed, and replicas without warm-up, which look at the way to the
  /// stationary law, on which they are independent draws.
  init?(_ measured: Measured) {
    let leg = measured.leg
    if let dependence = leg.dependence {
      self.init(dependence, leg)
      return
    }
    guard let process = leg.process, process.schedule.warmUp > 0,
      let mixing = Mixing(leg: leg, state: measured.state), !mixing.isMixed
    else { return nil }
    self.init(.notMixed, "the chains have not mixed: \(mixing.sentence)")
  }

  /// Probability that independent rows are taken for autocorrelated ones, shared by all columns of a leg.
  static let falseAlarm = 1e-4
  /// Fewer rows than this are not asked: nothing is tested with them.
  static let leastRows = 20

  private init?(_ dependence: Dependence, _ leg: Leg) {
    let found =
      dependence.chains.map { Self.chains($0, dependence, leg) } ?? Self.independence(dependence, leg)
    guard let found else { return nil }
    self = found
  }

  init(_ reason: Reason, _ sentence: String) {
    self.reason = reason
    self.sentence = sentence
  }

  private static func name(_ index: Int, _ leg: Leg) -> String {
    let count = leg.observables.count
    let name = leg.observables[index % count].name
    return leg.axis.count == 1 ? name : "\(name) at \(leg.axis.name) \(Axis.label(leg.axis.values[index / count]))"
  }

  /// Of independent rows the lag-1 autocorrelation r of the ranks' scores has mean -1/n and variance 1/n, whatever the law.
  private static func independence(_ dependence: Dependence, _ leg: Leg) -> Hindrance? {
    guard dependence.rows >= leastRows else { return nil }
    let asked = dependence.columns.enumerated().compactMap { place, column in column.lagOne.map { (place, $0) } }
    let n = Double(dependence.rows)
    let bound = Gaussian.critical(falseAlarm / Double(max(asked.count, 1))) / n.squareRoot()
    guard let worst = asked.max(by: { ($0.1 + 1 / n).magnitude < ($1.1 + 1 / n).magnitude }),
      (worst.1 + 1 / n).magnitude > bound
    else { return nil }
    return Hindrance(
      .autocorrelated,
      "the rows of \(leg.name) look autocorrelated: from one row to the next the correlation is \(Words.format(worst.1, 2)) in \(name(worst.0, leg)), of independent rows within \(Words.format(bound, 2)); give a chain column, or thin them"
    )
  }

  private static func chains(_ count: Int, _ dependence: Dependence, _ leg: Leg) -> Hindrance? {
    let known = dependence.columns.enumerated().filter { $0.element.rHat != nil }
    let start = "the chains of \(leg.name) have not mixed: "
    if dependence.rows / count < 4 {
      return Hindrance(.notMixed, start + "\(dependence.rows / count) rows a chain are too few to tell")
    }
    func bound(_ column: Dependence.Column) -> Double {
      Mixing.bound(effectiveSamples: (column.within ?? .nan) / Double(2 * count), halves: 2 * count)
    }
    if let worst = known.filter({ !($0.element.rHat! <= bound($0.element)) }).max(by: {
      $0.element.rHat! < $1.element.rHat!
    }) {
      let who = count > 1 ? "they disagree" : "the halves of the chain disagree"
      return Hindrance(
        .notMixed,
        "\(start)\(who): R-hat is \(Words.format(worst.element.rHat!, 4)) in \(name(worst.offset, leg)), above \(Words.format(bound(worst.element), 3))"
      )
    }
    let each = known.map { (place: $0.offset, samples: ($0.element.bulk ?? .nan) / Double(count)) }
    if let least = each.min(by: { $0.samples < $1.samples }), !(least.samples >= Mixing.leastEffectiveSamples) {
      return Hindrance(
        .notMixed,
        "\(start)\(Words.format(least.samples, 2)) effective rows a chain in \(name(least.place, leg)), fewer than \(Words.format(Mixing.leastEffectiveSamples, 2))"
      )
    }
    return nil
  }
}
