import Experiments
import Statistics

/// What chains, health reports and rules for the end of a run say.
extension Explanation {
  mutating func explain(_ diagnostics: [Diagnostics]) {
    let finite = diagnostics.filter { own in
      own.isFinite && item(own.caseLabel)?.finite?.process?.schedule.warmUp ?? 0 > 0
    }
    for own in finite where !own.mixing.isMixed { mixing(own) }
    for word in [Equivalence.agrees, .differs, .undecided] {
      let mine = finite.filter { $0.verdict == word && ($0.mixing.isMixed || word == .differs) }
      guard let one = mine.first else { continue }
      let share =
        mine.count == 1
        ? place(one.caseLabel)
        : mine.count == finite.count
          ? " (all \(mine.count) cases; here \(one.caseLabel))"
          : " (\(mine.count) of \(finite.count) cases: \(Self.list(mine.map(\.caseLabel))); here the first)"
      let text = "Certificate of stationarity\(share): \(one.sentence)"
      say(
        word == .undecided ? .open : .shows, word == .differs ? "not_stationary" : "stationarity", "stationarity", text)
      if word == .undecided, one.replicas < Measured.leastReplicas.mean {
        advise(
          .draws(factor: Double(Measured.leastReplicas.mean) / Double(one.replicas)),
          "\(Measured.leastReplicas.mean) replicas give the certificate an error")
      }
      if word == .differs, let own = mine.first(where: \.mixing.isMixed) { halveStep(own, "stationarity") }
    }
  }

  mutating func explain(_ claims: [Claims]) {
    for own in claims {
      let isProved = own.verdict == .proved
      say(
        isProved ? .shows : .open, isProved ? "proved" : "not_proved", own.claim.bound,
        "Claim\(place(own.caseLabel)): \(own.sentence)")
    }
  }

  private mutating func mixing(_ own: Diagnostics) {
    say(
      .open, Reason.notMixed.rawValue, "stationarity",
      "The chains have not mixed\(place(own.caseLabel)) (\(own.mixing.reason)): \(own.mixing.sentence); the errors of their means cannot be relied on"
    )
    switch own.mixing.code {
    case .acceptance, .noChainMoved, .stuckChains: halveStep(own, "whether the chains then move")
    case .effectiveSamples:
      let judged = own.mixing.rows.filter { $0.isJudged && $0.state == .moving }
      let least = judged.map { ($0.bulkEffectiveSamples ?? $0.effectiveSamples) / Double(own.replicas) }.min() ?? .nan
      let factor = 2 * Mixing.leastEffectiveSamples / least
      guard factor.isFinite, factor < 1e6 else { return }
      advise(
        .steps(factor: max(2, Int(factor.rounded(.up)))),
        "run longer: twice the \(Words.format(Mixing.leastEffectiveSamples, 2)) effective samples a chain that are needed, from \(Words.format(least, 2))",
        item(own.caseLabel))
    default:
      advise(.steps(factor: 4), "run longer: R-hat does not say how much, four times is a start", item(own.caseLabel))
    }
  }

  /// Biases and rejections of an integrator fall with its step. Where it is swept, the sweep says how.
  private mutating func halveStep(_ own: Diagnostics, _ purpose: String) {
    guard let item = item(own.caseLabel),
      let parameter = snapshot.job.smallParameters.first(where: { !$0.isInverse }),
      item.swept[parameter.key] == nil, let step = item.finite?.attributes[parameter.name].flatMap(Double.init)
    else { return }
    let what = purpose == "stationarity" ? "whether the run is then consistent with stationarity" : purpose
    advise(
      .refined(Setting(key: parameter.key, value: Axis.label(0.5 * step))),
      "halve the \(parameter.name), and see \(what)",
      item)
  }

  mutating func explain(_ health: [Health]) {
    for own in health {
      let isOpen = own.verdict == .undecided
      say(
        isOpen ? .open : .shows, isOpen ? "no_power" : "health", "health",
        "Health\(place(own.caseLabel)), \(own.sentence)")
      guard isOpen, let item = item(own.caseLabel),
        let factor = Growth.factor(own, level: 0.05 * snapshot.job.levelShare)
      else { continue }
      let draws = Int64(Growth.rounded(factor * Double(made(item))))
      advise(
        .draws(factor: factor),
        "about \(Words.count(draws, "draw")) decide about the health with probability \(Growth.probability), if the probabilities stay as they are"
      )
    }
  }

  /// Of a run with a rule for its end.
  mutating func explainEnd() {
    guard let rule = snapshot.job.stop, let look = snapshot.job.look, snapshot.isFinished else { return }
    let missing = Decision(snapshot).missing
    let start = "Look \(look + 1) of \(rule.looks): "
    if missing.isEmpty {
      say(.shows, "decided", "stop", start + "the run has what [stop] asks for, and ended")
      return
    }
    say(.open, "not_decided", "stop", start + missing.brief)
    guard look + 1 < rule.looks else {
      if let draws = Decision.draws(from: snapshot), draws.isFinite, let most = snapshot.job.cases.map(made).max(),
        most > 0,
        draws > Double(most)
      {
        advise(
          .draws(factor: draws / Double(most)),
          "about \(Words.count(Int64(Growth.rounded(draws)), "draw")) reach what [stop] asks for")
      }
      return
    }
    advise(.resume, "go on to the next look")
  }
}
