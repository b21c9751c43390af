import Chemotaxis
import Experiments

/// What chemotaxis tends to: of many particles, fast signals, small steps.
package enum ChemotaxisLimits {
  package static let all: [LimitEntry<ChemotaxisModel>] = [density, factors, factorsAtStep, layer, spread]

  private static func box(_ p: Parameters, _ model: ChemotaxisModel) throws -> BoxSettings {
    guard let box = model.box else { throw p.invalid("equation", "is a limit of domain = \"box\" only") }
    return box
  }

  // MARK: Many particles

  static let density = LimitEntry<ChemotaxisModel>(
    name: "chemotaxis-density",
    summary: "the density of infinitely many particles, by the same modes; also with other signals, eps = 0 above all",
    equation: "n_t = Lap n - div(n grad c), eps c_t = Lap c - c + w, eps w_t = tau Lap w - w + n",
    reference: "Cox, Matthews, J. Comput. Phys. 176 (2002) 430; docs/chemotaxis.md",
    parameters: [
      Parameter(
        "eps", .real(.init(0, 1e9)), optional: true, unit: "time", "of the limit; that of the job unless given"),
      Parameter("tau", .real(.init(0, 1e9)), optional: true, "of the limit; that of the job unless given"),
      Parameter("substeps", .integer(1...100_000), default: .integer(4), "steps of the limit for each one of the job"),
      Parameter(
        "resolution", .real(.init(0, 1, openBelow: true)), default: .real(0.001),
        "largest change of an observable, as a share of M, with twice the modes and with half the step; beyond, nothing is concluded"
      ),
    ]
  ) { p, model in
    let own = try box(p, model)
    let epsilon = p["eps"].map { _ in p.real("eps") }
    let other = own.with(tau: p["tau"].map { _ in p.real("tau") }, epsilon: epsilon)
    let resolved = ResolvedDensity(other, substeps: p.integer("substeps"))
    var remainder: [Remainder] = []
    if model.process != nil { remainder += [Remainder("number", order: 1), Remainder("step", order: 1)] }
    if epsilon == 0 { remainder.append(Remainder("eps", order: 1)) }
    let schema = DensityDraw.schema(of: other)
    // The largest value over points is no smooth function of the modes, and what noise adds to it is of order N^-1/2; the means of the signals are exact.
    let isOther = p["eps"] != nil || p["tau"] != nil
    let statistics = schema.observables.enumerated().flatMap { place, observable -> [PredictedStatistic] in
      let isLeftOut =
        observable.name.hasPrefix("mean") || observable.name == "peak" && (isOther || model.process != nil)
      return isLeftOut
        ? []
        : schema.axis.values.indices.map { record in
          PredictedStatistic(
            .mean, record: record, observable: place, value: resolved.values[schema.index(record, place)])
        }
    }
    return LimitModel(
      .known(
        ReferenceValues(
          schema: schema, statistics: statistics, remainder: remainder, holdsFromTheStart: true,
          withheld: resolved.worry(above: p.real("resolution")))),
      offset: "an offset of order 1/N and of order h is expected",
      attributes: [
        "change_with_twice_the_modes": "\(Float(resolved.modeChange))",
        "change_with_half_the_step": "\(Float(resolved.stepChange))",
      ])
  }

  // MARK: Fluctuations

  static let factors = factor(
    "structure-factor",
    "fluctuations of the modes about the uniform density, in the limit of small steps; no randomness",
    equation:
      "S_k = 1/(1 - M/((1+q)(1+tau q))) for eps = 0, q = |pi k/L|^2; else Lyapunov's equation of (a, c, w), noise 2q on a",
    remainder: [Remainder("number", order: 1), Remainder("step", order: 1)]
  ) { factor, _ in factor.continuous }

  static let factorsAtStep = factor(
    "structure-factor-at-step",
    "fluctuations of the modes about the uniform density under the scheme with its step; no randomness",
    equation:
      "S_k = (1 - e^{-2qh})/(1 - F^2), F = e^{-qh} (1 + qhM/((1+q)(1+tau q))) for eps = 0; else P = T P T^T + Q of (a, c, w)",
    remainder: [Remainder("number", order: 1)]
  ) { $0.discrete(step: $1) }

  private static func factor(
    _ name: String, _ summary: String, equation: String, remainder: [Remainder],
    _ value: @escaping @Sendable (StructureFactor, _ step: Double) -> Double?
  ) -> LimitEntry<ChemotaxisModel> {
    LimitEntry(
      name: name, summary: summary, equation: equation, reference: "docs/chemotaxis.md", parameters: []
    ) { p, model in
      let own = try box(p, model)
      guard let process = model.process else {
        throw p.invalid("equation", "needs chemotaxis.method = \"particles\": the density does not fluctuate")
      }
      guard own.mass < own.threshold else {
        throw p.invalid(
          "equation",
          "needs chemotaxis.mass below (1+q)(1+tau q) = \(own.threshold), q = (pi/L)^2: the uniform density is unstable"
        )
      }
      var observables: [Observable] = []
      var values: [Double] = []
      for k in own.observedModes {
        guard let found = value(own.structureFactor(k), own.step) else {
          throw p.invalid("equation", "needs a smaller chemotaxis.step: the scheme is not stable with \(own.step)")
        }
        observables.append(Observable("S", k, "structure factor"))
        values.append(found)
      }
      return LimitModel(
        .known(
          ReferenceValues(
            axis: process.schedule.axis, observables: observables,
            means: (0..<model.axis.count).flatMap { _ in values }, remainder: remainder)),
        offset: "an offset of order 1/N\(remainder.count > 1 ? " and of order h" : "") is expected")
    }
  }

  // MARK: Fast signals at the start

  static let layer = LimitEntry<ChemotaxisModel>(
    name: "initial-layer",
    summary: "the signals at times of the order of eps, tau and eps small: the density is still that of the start",
    equation:
      "w = a (1 - e^-s), c = a [(1 - e^{-(1+q)s})/(1+q) - (e^-s - e^{-(1+q)s})/q], s = t/eps",
    reference: "docs/chemotaxis.md", parameters: []
  ) { p, model in
    let own = try box(p, model)
    guard own.epsilon > 0, own.schedule.warmUp == 0, !own.startsInBalance else {
      throw p.invalid("equation", "needs eps above 0, no warm_up and start_signals = \"zero\": else there is no layer")
    }
    let a = own.startDensity
    let schema = DensityDraw.schema(of: own)
    let schedule = own.schedule
    let perRecord = schedule.measurements / schedule.records
    let statistics = own.observedModes.flatMap { k -> [PredictedStatistic] in
      let place = own.modes.place(k)
      return (0..<schedule.records).flatMap { record -> [PredictedStatistic] in
        var (c, w) = (0.0, 0.0)
        for i in 0..<perRecord {
          let time = Double((record * perRecord + i + 1) * schedule.measureEvery) * own.step
          let exact = SignalStep(q: own.modes.squares[place], epsilon: own.epsilon, tau: 0, step: time)
          c += exact.ca * a[place] / Double(perRecord)
          w += exact.wa * a[place] / Double(perRecord)
        }
        return [("c", c), ("w", w)].map { name, value in
          PredictedStatistic(
            .mean, record: record, observable: schema.place(of: Observable(name, k, "").name)!, value: value)
        }
      }
    }
    return LimitModel(
      .known(
        ReferenceValues(
          schema: schema, statistics: statistics, remainder: [Remainder("eps", order: 1)], holdsFromTheStart: true)),
      offset: "an offset of order eps and of order tau is expected")
  }

  // MARK: The plane

  static let spread = LimitEntry<ChemotaxisModel>(
    name: "collapsing-spread", summary: "the law of R = sum |X_i - mean|^2 at every N, in the limit of small steps",
    equation:
      "R = 2t chi'^2_delta(R_0/2t), delta = (N-1)(2 - M/4 pi); of delta <= 0, R = 0 from R_0/(4 Gamma_{1-delta/2}) on",
    reference: "Fournier, Jourdain, Ann. Appl. Probab. 27 (2017) 2807; docs/chemotaxis.md", parameters: []
  ) { p, model in
    guard let plane = model.plane else { throw p.invalid("equation", "is a limit of domain = \"plane\" only") }
    let schema = model.experiment.schema
    var statistics: [PredictedStatistic] = []
    for record in plane.records.indices where plane.records[record] > 0 {
      let law = SquaredBessel(dimension: plane.dimension, start: plane.start, time: plane.time(record))
      func add(_ statistic: Statistic, _ name: String, _ value: Double) {
        statistics.append(
          PredictedStatistic(statistic, record: record, observable: schema.place(of: name)!, value: value))
      }
      add(.mean, "R", law.mean)
      add(.mean, "shrunk", law.distribution(plane.start))
      for level in [0.1, 0.5, 0.9] where level > law.absorbed + 0.01 { add(.quantile(level), "R", law.quantile(level)) }
      if plane.dimension <= 0 { add(.mean, "collapsed", law.absorbed) }
    }
    return LimitModel(
      .known(
        ReferenceValues(
          schema: schema, statistics: statistics, remainder: [Remainder("step", order: 1)], holdsFromTheStart: true)),
      offset: plane.dimension > 0
        ? "an offset of order h is expected"
        : "an offset by the step is expected, and one by the share collapse, at which R is called 0")
  }
}

/// The density with what twice the modes and half the step would change.
package struct ResolvedDensity {
  package let values: [Double]
  /// Largest change of an observable over M.
  package let modeChange, stepChange: Double

  package init(_ box: BoxSettings, substeps: Int) {
    let own = DensityDraw.values(box, substeps: substeps)
    func change(_ other: [Double]) -> Double {
      let width = own.count / box.schedule.records
      return own.indices.reduce(0.0) { worst, i in
        // The last one of a record is the peak, a number of its own.
        if i % width == width - 1 { return worst }
        let difference = (own[i] - other[i]).magnitude / box.mass
        return difference.isNaN ? .infinity : max(worst, difference)
      }
    }
    modeChange = change(DensityDraw.values(box.with(highest: 2 * box.modes.highest), substeps: substeps))
    stepChange = change(DensityDraw.values(box, substeps: 2 * substeps))
    values = own
  }

  /// Why nothing is concluded, as half a sentence.
  func worry(above resolution: Double) -> String? {
    if !(modeChange <= resolution) {
      return
        "with twice the modes the limit moves by \(Float(modeChange)) of M: it is not resolved, and perhaps the density blows up"
    }
    if !(stepChange <= resolution) {
      return "with half the step the limit moves by \(Float(stepChange)) of M: more substeps would help"
    }
    return nil
  }
}
