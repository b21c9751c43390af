import Experiments
import Statistics

/// What extrapolations say.
extension Explanation {
  mutating func explain(_ scalings: [Scaling]) {
    for scaling in scalings {
      switch scaling.kind {
      case .refinements: refinements(scaling)
      case .sizes: sizes(scaling)
      case .orders: orders(scaling)
      case .remainders:
        say(
          scaling.verdict == .undecided ? .open : .shows, "remainder", scaling.subject,
          Words.capitalised(scaling.sentence))
      case .none: say(.open, "not_extrapolated", scaling.key, Words.capitalised(scaling.sentence))
      }
    }
  }

  private mutating func sizes(_ scaling: Scaling) {
    let isOpen = scaling.verdict == .undecided
    say(
      isOpen ? .open : .shows, isOpen ? "no_power" : "extrapolated", scaling.subject,
      Words.capitalised(scaling.sentence))
    guard isOpen, let parameter = scaling.parameter else { return }
    let weak = scaling.rows.filter { !$0.hasPower && $0.fit.degreesOfFreedom > 0 && $0.toldApart > 0 }
    if !scaling.rows.allSatisfy({ $0.fit.degreesOfFreedom > 0 }) {
      let item = snapshot.job.cases.first {
        $0.swept[parameter.key].flatMap(Double.init) == scaling.sizes.last && $0.swept.count == 1
      }
      guard let item, let last = scaling.sizes.last else { return }
      let sizes = scaling.sizes + [2 * last]
      advise(
        .sweep([Series(key: parameter.key, values: sizes.map { Axis.label($0) })]),
        "a further size gives the extrapolation something to check itself by", item)
    } else if let factor = weak.map({ ($0.detectable / $0.toldApart) * ($0.detectable / $0.toldApart) }).max(),
      factor.isFinite, factor < 1e6
    {
      let most = snapshot.job.cases.map(made).max() ?? 0
      advise(
        .draws(factor: 1.05 * factor),
        "about \(Words.count(Int64(Growth.rounded(1.05 * factor * Double(most))), "draw")) let the extrapolation in \(parameter.name) tell the limit apart"
      )
    }
  }

  private mutating func orders(_ scaling: Scaling) {
    guard let parameter = scaling.parameter else { return }
    let known = scaling.rows.filter {
      $0.fit.isSeen && $0.fit.isDetermined && $0.fit.isSinglePower && $0.fit.orderError < Extrapolation.uncertainOrder
    }
    let group = scaling.label.isEmpty ? "" : " (\(scaling.label))"
    if !known.isEmpty {
      let words = known.map {
        "\($0.quantity) \(Words.format($0.fit.order, 3)) +- \(Words.format($0.fit.orderError, 2))"
      }
      let sign = parameter.isInverse ? "-" : ""
      say(
        .shows, "order", scaling.subject,
        "The error, of var(...) the variance between draws, falls like \(parameter.symbol)^\(sign)p\(group), with p: \(Self.list(words))"
      )
    }
    let open = scaling.rows.filter { row in !known.contains { $0.quantity == row.quantity } }
    if !open.isEmpty {
      say(
        .open, "order", scaling.subject,
        "The order in \(parameter.symbol) of \(Self.list(open.map(\.quantity)))\(group) is not determined: no dependence is seen, no single power fits, or the error of the order exceeds \(Extrapolation.uncertainOrder)"
      )
    }
  }

  // MARK: Biases

  private mutating func refinements(_ scaling: Scaling) {
    let item = item(scaling.label)
    for (place, refinement) in scaling.refinements.enumerated() {
      let rows = scaling.refined.filter { $0.biases[place].biasError > 0 }
      func ratio(_ row: Scaling.Refined) -> Double {
        (row.biases[place].bias / row.biases[place].biasError).magnitude
      }
      guard let worst = rows.max(by: { ratio($0) < ratio($1) }) else { continue }
      let (bias, error) = worst.biases[place]
      let number =
        "\(Words.format(bias, 2)) +- \(Words.format(error, 2)) in \(worst.observable)\(self.place(scaling.label))"
      let name = "bias in \(refinement.symbol) (\(refinement.parameter))"
      let code = "bias_\(refinement.parameter)"
      guard ratio(worst) > scaling.criticalZ else {
        say(
          .open, code, scaling.subject,
          "No \(name) is seen: the largest is \(number), and one below \(Words.format(scaling.criticalZ * error, 2)) is not excluded there"
        )
        continue
      }
      let seen = Words.list(rows.filter { ratio($0) > scaling.criticalZ }.map(\.observable))
      let order = refinement.order
      say(
        .shows, code, scaling.subject,
        "The \(name) is \(number), of a value \(Words.format(worst.value, 4)) +- \(Words.format(worst.valueError, 2)); it is seen in \(seen)"
      )
      guard let parameter = snapshot.job.smallParameters.first(where: { $0.name == refinement.parameter }), order > 0,
        let text = item?.finite?.attributes[refinement.parameter], let value = Double(text)
      else { continue }
      let refined = parameter.isInverse ? 2 * value : 0.5 * value
      let share = order == 1 ? "half" : "1/\(1 << order)"
      let setting = Setting(key: parameter.key, value: Axis.label(refined))
      advise(
        parameter.isInverse ? .values([setting]) : .refined(setting),
        "\(parameter.isInverse ? "twice the \(parameter.name)" : "half the \(parameter.name)") leaves \(share) of the bias in \(refinement.symbol), about \(Words.format(bias / Double(1 << order), 2)) in \(worst.observable)",
        item)
    }
    guard let verdict = scaling.verdict,
      let worst = scaling.refined.filter({ !$0.z.isNaN }).max(by: { $0.z.magnitude < $1.z.magnitude })
    else { return }
    let numbers =
      "\(worst.observable) \(Words.format(worst.extrapolated, 5)) +- \(Words.format(worst.extrapolatedError, 2)) against \(Words.format(worst.reference, 6)), z = \(Words.format(worst.z, 3))"
    say(
      .shows, verdict == .agrees ? "extrapolated" : "detected", scaling.subject,
      verdict == .agrees
        ? "Without these biases the values agree with the known limit\(self.place(scaling.label)): the largest difference is in \(numbers)"
        : "Without these biases the values still differ from the known limit\(self.place(scaling.label)): \(numbers)")
  }
}
