import Experiments
import Kernels
import Statistics

/// A chain on the line whose law is followed by quadrature.
enum LineChain {
  /// log q of the records on the grid, and the target.
  struct Ratio<T: LineTarget>: LogRatio {
    let grid: LineGrid
    let logs: [[Double]]
    let target: T

    func logRatio(record: Int, coordinate: Int, _ x: Double) -> Double {
      logs[record].withUnsafeBufferPointer { grid.interpolate($0.baseAddress!, at: x) } + target.energy(x)
        + grid.logNormalisation
    }
  }

  /// Points to a standard deviation of the noise, of the grid that counts and of the one that it is compared with.
  private static func resolutions(_ target: any LineTarget, accepts: Bool) -> (fine: Double, coarse: Double) {
    !target.isSmooth ? (40, 24) : accepts ? (20, 12) : (6, 4)
  }
  private static let mostEntries = 30_000_000
  private static let mostWork = 3e11
  /// Records of which the whole law is kept.
  private static let mostLaws = 12

  private static let columns: [Observable] = [
    .exact("KL_own", unit: "nat", "KL to the stationary law of the chain itself, exact"),
    .exact("rises", "steps so far in which KL to the target rose"),
    .exact("own_rises", "steps so far in which KL to the chain's own stationary law rose: none by data processing"),
    .exact(
      "decay_ratio",
      "rate at which KL to the chain's own stationary law fell since the record before, over twice the spectral gap of Langevin dynamics; 0 at the start"
    ),
    .exact("floor", unit: "nat", "KL of the chain's stationary law to the target, exact"),
    .exact("bias", "E x^2 in the chain's stationary law less that in the target, exact"),
    .exact("gap", role: .setting, "spectral gap of Langevin dynamics"),
    .exact("numerical_error", role: .auxiliary, "largest difference of KL, or of the floor, on two grids"),
  ]

  static let entry = LawEntry(
    name: "line", summary: "a chain on the line, its law by quadrature without a draw",
    equation: "q_{k+1}(y) = int K(y, x) q_k(x) dx, K the step of the integrator; x_0 ~ N(start_mean, start_std^2)",
    reference: "arXiv:2112.12662, arXiv:2302.08049", hasTarget: true, integrators: ["lmc", "mala"],
    parameters: [
      LawEntry.step, Parameter("steps", .integer(1...1_000_000), unit: "steps", "steps of a chain"),
    ] + keys(startMean: 3)
  ) { p, entry in
    guard let entry else { preconditionFailure("a law on the line has a target") }
    let target = try entry.make(p)
    func open<T: LineTarget>(_ target: T) throws -> DivergenceModel { try model(p, target) }
    return try open(target)
  }

  /// Keys of every chain on the line: its records, its start, and how far its law is followed.
  static func keys(startMean: Double) -> [Parameter] {
    [
      StepRecords.parameter, Parameter("start_mean", .real(.finite), default: .real(startMean), "mean of the start"),
      Parameter("start_std", .real(.above(0)), default: .real(0.5), "standard deviation of the start"),
      DivergenceColumns.parameter,
      Parameter(
        "reach", .real(.above(0)), optional: true,
        "half-width of the grid; where nothing is left of the target and the start unless given"),
    ]
  }

  private static func model<T: LineTarget>(_ p: Parameters, _ target: T) throws -> DivergenceModel {
    let (h, accepts, columns) = (
      p.real("step"), p.text("integrator") == "mala", try DivergenceColumns(p, hasVariation: true)
    )
    let curvature = target.curvatureAtInfinity
    if !accepts && h * curvature >= 2 {
      throw p.invalid(
        "step",
        curvature.isFinite
          ? "must be below \(2 / curvature): the chain is unstable beyond, where U'' tends to \(curvature)"
          : "leaves no stationary law at any size: U grows faster than x^2; take integrator = \"mala\"")
    }
    let request = LineLaw.Request(
      target: target, step: h, accepts: accepts, mean: p.real("start_mean"), std: p.real("start_std"),
      records: try StepRecords.read(p, steps: p.integer("steps")), orders: columns.orders,
      reach: try reach(p, target), resolution: resolutions(target, accepts: accepts).fine)
    try check(p, request)
    let law = LineLaw(request)
    let other = LineLaw(request.with(resolution: resolutions(target, accepts: accepts).coarse))
    guard law.isSettled else {
      throw p.invalid("step", "leaves no stationary law that is found in hundreds of thousands of steps")
    }
    guard law.lost < 1e-9 else {
      throw p.invalid(
        "reach", "must be larger: \(law.lost) of the mass leaves the grid, whose half-width is \(request.reach)")
    }
    let gap = SpectralGap.of(target, reach: request.reach)
    let error = zip(law.records, other.records).map { ($0.divergences.kl - $1.divergences.kl).magnitude }.max()!
    let numerical = max(error, (law.floor - other.floor).magnitude)
    let records = request.records
    var constants: [Double] = []
    for (r, record) in law.records.enumerated() {
      var decay = 0.0
      if records[r] > 0 {
        let (before, steps) =
          r == 0 ? (law.ownStart, records[0]) : (law.records[r - 1].own, records[r] - records[r - 1])
        // Below, KL is left by rounding.
        decay =
          min(record.own, before) > 1e-13
          ? Elementary.log(before / record.own) / (2 * gap * h * Double(steps)) : .nan
      }
      constants +=
        columns.values(record.divergences) + [
          record.own, Double(law.rises[r]), Double(law.ownRises[r]), decay, law.floor, law.bias, gap, numerical,
        ]
    }
    let schema = Schema(
      axis: .steps(records), observables: ChainDraw<T, Ratio<T>>.sampled(1) + columns.observables + self.columns)
    let rule = ChainRule(p.text("integrator"), step: h, friction: 1)!
    let experiment = Experiment(
      ChainDraw(
        schema: schema, targets: [target], starts: [NormalLaw(mean: request.mean, variance: request.std * request.std)],
        parts: ChainDraw<T, Ratio<T>>.parts(rule, records: records),
        law: Ratio(grid: law.grid, logs: law.records.map(\.logs), target: target), constants: constants))
    var model = DivergenceModel(
      experiment,
      known: known(law.records.map { ($0.mean, $0.second, $0.divergences.kl, $0.logs) }, on: law.grid, schema))
    if !accepts {
      model.smallStep = last("bias", 0, schema, order: 1)
      model.smallStepDivergence = last("floor", 0, schema, order: target.divergenceOrder)
      model.spectralGap = last("decay_ratio", 1, schema)
    }
    if let words = columns.infinities(law.records.map(\.divergences), steps: records) {
      Notes.add("\(p.path): \(words)")
      model.attributes["infinite"] = words
    }
    model.attributes["numerical_error"] = "KL differs by at most \(Float(numerical)) on two grids"
    return model
  }

  /// What the law says of the draws.
  /// - Parameter records: mean, second moment, KL to the target and log of the density.
  static func known(
    _ records: [(mean: Double, second: Double, divergence: Double, logs: [Double])], on grid: LineGrid, _ schema: Schema
  ) -> ReferenceValues {
    let observables = schema.observables
    var found: [PredictedStatistic] = []
    let laws = records.count <= mostLaws ? Set(records.indices) : [records.count - 1]
    for (r, record) in records.enumerated() {
      func add(_ name: String, _ value: Double) {
        guard let place = schema.place(of: name) else { return }
        found.append(PredictedStatistic(.mean, record: r, observable: place, value: value))
      }
      add("x", record.mean)
      add("x^2", record.second)
      add("log_ratio", record.divergence)
      // Where it is counted.
      add("own_rises", 0)
      guard laws.contains(r), let place = schema.place(of: "x") else { continue }
      let table = record.logs.withUnsafeBufferPointer { logs in
        TabulatedLaw(
          name: "after \(Axis.label(schema.axis.values[r])) steps", from: -grid.reach, to: grid.reach
        ) { x in logs.baseAddress.map { Elementary.exp(grid.interpolate($0, at: x)) } ?? 0 }
      }
      found.append(PredictedStatistic(.law, record: r, observable: place, value: .nan, law: table))
    }
    return ReferenceValues(
      schema: Schema(axis: schema.axis, observables: observables), statistics: found)
  }

  /// A mean at the last record.
  static func last(_ name: String, _ value: Double, _ schema: Schema, order: Double? = nil) -> ReferenceValues {
    ReferenceValues(
      schema: Schema(axis: schema.axis, observables: schema.observables),
      statistics: [.init(.mean, record: schema.axis.count - 1, observable: schema.place(of: name)!, value: value)],
      remainder: order.map { [Remainder("step", order: $0)] } ?? [])
  }

  /// Where nothing is left of the target on either side, nor of the start.
  static func reach(_ p: Parameters, _ target: any LineTarget) throws -> Double {
    let (mean, std) = (p.real("start_mean").magnitude, p.real("start_std"))
    if p["reach"] != nil {
      let given = p.real("reach")
      guard given > mean + 6 * std else {
        throw p.invalid("reach", "must be above \(mean + 6 * std): the start lies within")
      }
      return given
    }
    let least = (-400...400).map { target.energy(0.05 * Double($0)) }.min()!
    var reach = max(1, mean + 9 * std)
    while min(target.energy(reach), target.energy(-reach)) < least + 40 {
      reach *= 1.05
      guard reach < 1e5 else {
        throw p.invalid("target", "has tails that no grid holds: give reach, where the mass outside can be neglected")
      }
    }
    // The chain's own stationary law is wider.
    let curvature = target.curvatureAtInfinity
    guard p.text("integrator") == "lmc", curvature > 0 else { return reach }
    return reach / (1 - 0.5 * p.real("step") * curvature).squareRoot()
  }

  private static func check(_ p: Parameters, _ request: LineLaw.Request) throws {
    let spread = (2 * request.step).squareRoot()
    let count = LineLaw.count(request)
    let least = 1.5 * spread / resolutions(request.target, accepts: request.accepts).coarse
    guard request.std >= least else {
      throw p.invalid("start_std", "must be at least \(least), or the grid of this step does not see the start")
    }
    let entries = Double(count) * (2 * GridKernel.standardDeviations * request.resolution)
    guard entries <= Double(mostEntries) else {
      throw p.invalid(
        "step",
        "is too small for a grid of half-width \(request.reach): \(count) points would need \(Int(entries)) numbers, at most \(mostEntries)"
      )
    }
    guard entries * Double(request.records.last!) <= mostWork else {
      throw p.invalid("steps", "must be at most \(Int(mostWork / entries)) on the \(count) points that this step needs")
    }
  }
}
