import Experiments
import Kernels
import Particles
import Statistics

/// A chain on a Gaussian target, coordinate by coordinate: its law is normal after every step.
enum GaussianChain {
  struct Ratio: LogRatio {
    /// Record by record.
    let laws: [[NormalLaw]]
    let curvatures: [Double]

    func logRatio(record: Int, coordinate: Int, _ x: Double) -> Double {
      laws[record][coordinate].logRatio(x, curvature: curvatures[coordinate])
    }
  }

  private static let mostCurvatures = 16

  static let entry = LawEntry(
    name: "gaussian", summary: "a chain on a Gaussian target of given curvatures, its law by coordinate",
    equation:
      "U = sum a_i x_i^2/2; m' = M m, S' = M S M^T + Q for (x_i, v_i); x_i ~ N(start_mean, start_std^2), v_i ~ N(0, 1)",
    reference: "arXiv:2112.12662", integrators: ["lmc", "ulmc", "obabo", "baoab"],
    parameters: [
      Parameter(
        "curvatures", .structured("an array of at most \(mostCurvatures) positive numbers"),
        "a_i, one for each coordinate"),
      LawEntry.step, LawEntry.friction, Parameter("steps", .integer(1...10_000_000), unit: "steps", "steps of a chain"),
      StepRecords.parameter,
      Parameter("start_mean", .real(.finite), default: .real(3), "mean of the start, of every coordinate"),
      Parameter("start_std", .real(.above(0)), default: .real(0.5), "standard deviation of the start"),
      DivergenceColumns.parameter,
    ]
  ) { p, _ in
    guard case .list(let items)? = p["curvatures"], (1...mostCurvatures).contains(items.count),
      items.allSatisfy({ ($0.number ?? 0) > 0 && $0.number!.isFinite })
    else { throw p.invalid("curvatures", "must be an array of at most \(mostCurvatures) positive numbers") }
    let (curvatures, h, name) = (items.map { $0.number! }, p.real("step"), p.text("integrator"))
    let method = try Methods.model(name, friction: p.real("friction"))
    if let stable = method.stableStep(below: h, curvature: curvatures.max()!) {
      throw p.invalid(
        "step", "must be below \(stable): \(name) is unstable beyond, where the curvature is \(curvatures.max()!)")
    }
    let records = try StepRecords.read(p, steps: p.integer("steps"))
    let columns = try DivergenceColumns(p, hasVariation: curvatures.count == 1)
    let start = NormalLaw(mean: p.real("start_mean"), variance: p.real("start_std") * p.real("start_std"))
    var laws = curvatures.map { LinearLaw(method, step: h, curvature: $0, start: start)! }
    let stationary = curvatures.map {
      NormalLaw(mean: 0, variance: method.oscillator(h, $0).moments(curvature: $0)!.x)
    }
    let floor = zip(stationary, curvatures).reduce(0) { $0 + NormalLaw.divergence($1.0.variance * $1.1) }
    var (rows, found, constants, rises, last) = ([[NormalLaw]](), [Divergences](), [Double](), 0, Double.infinity)
    for step in 0...records.last! {
      if step > 0 { for k in laws.indices { laws[k].step() } }
      let row = laws.map(\.position)
      let kl = zip(row, curvatures).reduce(0) { $0 + $1.0.divergence(curvature: $1.1) }
      if kl > last + 1e-12 * (1 + last) { rises += 1 }
      last = kl
      guard records.contains(step) else { continue }
      rows.append(row)
      let all = Divergences.product(
        zip(row, curvatures).map { $0.divergences(curvature: $1, orders: columns.orders) }, orders: columns.orders.count
      )
      found.append(all)
      let own = zip(row, stationary).reduce(0) { $0 + $1.0.divergence(from: $1.1) }
      constants += columns.values(all) + [own, Double(rises), floor]
    }
    typealias Chain = ChainDraw<Harmonic, Ratio>
    let schema = Schema(
      axis: .steps(records),
      observables: Chain.sampled(curvatures.count) + columns.observables + [
        .exact("KL_own", unit: "nat", "KL to the stationary law of the chain itself, exact"),
        .exact("rises", "steps so far in which KL to the target rose"),
        .exact("floor", unit: "nat", "KL of the chain's stationary law to the target, exact"),
      ])
    let rule = ChainRule(name, step: h, friction: p.real("friction"))!
    let experiment = Experiment(
      Chain(
        schema: schema, targets: curvatures.map(Harmonic.init), starts: curvatures.map { _ in start },
        parts: Chain.parts(rule, records: records), law: Ratio(laws: rows, curvatures: curvatures), constants: constants
      ))
    var model = DivergenceModel(experiment, known: known(rows, found, schema))
    model.smallStepDivergence = ReferenceValues(
      schema: Schema(axis: schema.axis, observables: schema.observables),
      statistics: [
        .init(.mean, record: records.count - 1, observable: schema.place(of: "floor")!, value: 0)
      ], remainder: [Remainder("step", order: 2 * Double(method.order!))])
    if let words = columns.infinities(found, steps: records) {
      Notes.add("\(p.path): \(words)")
      model.attributes["infinite"] = words
    }
    return model
  }

  /// Moments and laws of the coordinates, and the divergence as the mean of the log ratio.
  static func known(_ laws: [[NormalLaw]], _ found: [Divergences], _ schema: Schema) -> ReferenceValues {
    var statistics: [PredictedStatistic] = []
    for (r, row) in laws.enumerated() {
      let d = row.count
      for (k, law) in row.enumerated() {
        statistics.append(.init(.mean, record: r, observable: k, value: law.mean))
        statistics.append(.init(.mean, record: r, observable: d + k, value: law.mean * law.mean + law.variance))
        // A coordinate more is a table more in the file.
        guard laws.count * d <= 24 else { continue }
        statistics.append(.init(.law, record: r, observable: k, value: .nan, law: law.tabulated))
      }
      statistics.append(.init(.mean, record: r, observable: 2 * d, value: found[r].kl))
    }
    return ReferenceValues(
      schema: Schema(axis: schema.axis, observables: schema.observables), statistics: statistics)
  }
}
