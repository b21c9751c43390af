import Analyses
import Experiments
import Randomness
import Statistics
import Testing

/// Extrapolations in sweeps whose values are known functions of the size.
@Suite struct ScalingTests {
  private static let width = SmallParameter(
    "width", table: "network", Parameter.Smallness(.inverse, "n", companions: ["inputs"], ratios: ["depth"]))
  private static let step = SmallParameter(
    "step", table: "particles", Parameter.Smallness(.direct, "h", companions: ["steps"]))
  private static let number = SmallParameter(
    "number", table: "particles", Parameter.Smallness(.inverse, "N", fluctuations: true))

  /// Cases at the sizes of one key, of a normal quantity with this mean and standard deviation, and a reference of mean
  /// 1 (variance 1).
  private static func sweep(
    _ parameter: SmallParameter, _ sizes: [Double], draws: UInt64 = 100_000, remainder: [Remainder] = [],
    swept: (Double) -> [String: String] = { _ in [:] }, spread: @escaping @Sendable (Double) -> Double = { _ in 1 },
    _ mean: @escaping @Sendable (Double) -> Double
  ) -> Job {
    let schema = Schema(axis: point, observables: observables("x"))
    let cases = sizes.map { size -> Case in
      let draw = ClosureDraw(schema: schema) { stream, values in
        values[0] = mean(size) + spread(size) * stream.normals(1)[0]
      }
      let theory = predict(schema, [("x", .mean, 1)], remainder: remainder)
      return Case(
        label: "size=\(size)", swept: [parameter.key: Axis.label(size)].merging(swept(size)) { $1 },
        legs: [finite(draw, draws: draws), reference("theory", .limit, theory)])
    }
    return makeJob(cases, small: [parameter])
  }

  private static func scalings(_ job: Job, _ kind: Scaling.Kind, seed: UInt64 = 6) -> [Scaling] {
    Analyses.scalings(run(job, seed: seed)).filter { $0.kind == kind }
  }

  private static let sizes: [Double] = [8, 16, 32, 64, 128]

  @Test("A limit with an error c/n is recovered, with the coefficient")
  func inverse() throws {
    let found = try #require(Self.scalings(Self.sweep(Self.width, Self.sizes) { 1 + 3 / $0 }, .sizes).first)
    let row = try #require(found.rows.first)
    #expect(found.verdict == .agrees && row.fit.order == 1 && row.fit.isDetermined, "\(row)")
    #expect((row.fit.coefficient - 3).magnitude < 5 * row.fit.coefficientError && row.fit.coefficientError < 0.5)
    #expect((row.recovered - 1).magnitude < 5 * row.fit.limitError && row.fit.limitError < 0.03)
    #expect(
      found.sentence.hasPrefix("width -> infinity against theory (fixed depth): the limit is recovered, largest |z| = ")
        && found.sentence.contains("the leading error is of order 1/n"), "\(found.sentence)")
    #expect(found.verdicts.first?.subject == "theory scaling")
  }

  @Test("An error c/sqrt(n) is named as such")
  func root() throws {
    let found = try #require(
      Self.scalings(Self.sweep(Self.width, Self.sizes) { 1 + 1 / $0.squareRoot() }, .sizes).first)
    let row = try #require(found.rows.first)
    #expect(found.verdict == .agrees && row.fit.order == 0.5 && row.fit.isDetermined, "\(row)")
    #expect((row.fit.coefficient - 1).magnitude < 5 * row.fit.coefficientError && row.fit.coefficientError < 0.2)
    #expect(found.sentence.contains("of order n^-1/2 in x"), "\(found.sentence)")
  }

  @Test("A wrong limit is not recovered; sizes that tell nothing are undecided")
  func wrong() throws {
    let found = try #require(Self.scalings(Self.sweep(Self.width, Self.sizes) { 1.2 + 3 / $0 }, .sizes).first)
    #expect(
      found.verdict == .differs && found.sentence.contains("the limit is NOT recovered: E x tends to a difference of "),
      "\(found.sentence)")
    #expect(
      (found.rows[0].fit.limit - 0.2).magnitude < 5 * found.rows[0].fit.limitError
        && found.rows[0].fit.limitError < 0.02)
    let near = try #require(
      Self.scalings(Self.sweep(Self.width, [100, 101, 102], draws: 2000) { 1 + 3 / $0 }, .sizes).first)
    #expect(
      near.verdict == .undecided && !near.rows[0].hasPower && !near.sentence.contains("of order"), "\(near.sentence)")
  }

  @Test("Groups: at a fixed depth, at a fixed ratio to the size; companions do not tell cases apart")
  func groups() throws {
    let job = Self.sweep(
      Self.width, [8, 16, 32], draws: 5000,
      swept: { ["network.depth": Axis.label($0 / 4), "network.inputs": "i\($0)", "network.activation": "relu"] }
    ) { 1 + 3 / $0 }
    #expect(Self.scalings(job, .sizes).map(\.label) == ["network.activation=relu, depth/width = 0.25"])
    let fixed = Self.sweep(Self.width, [8, 16, 32], draws: 5000, swept: { _ in ["network.depth": "4"] }) { 1 + 3 / $0 }
    #expect(Self.scalings(fixed, .sizes).map(\.label) == ["depth = 4"])
    // Two sizes are too few; so are sizes in different groups.
    #expect(Self.scalings(Self.sweep(Self.width, [8, 16], draws: 5000) { 1 + 3 / $0 }, .sizes).isEmpty)
    let apart = Self.sweep(Self.width, [8, 16, 32], draws: 5000, swept: { ["network.c": "\($0)"] }) { 1 + 3 / $0 }
    #expect(Self.scalings(apart, .sizes).isEmpty)
  }

  @Test("Numbers of draws that move with the size, or are swept besides, do not hide it")
  func draws() throws {
    func width(companions: [String]) -> SmallParameter {
      SmallParameter(
        "width", table: "network",
        Parameter.Smallness(.inverse, "n", companions: companions, ratios: ["depth"]))
    }
    let zipped = Self.sweep(
      width(companions: ["draws"]), Self.sizes, draws: 20_000, swept: { ["network.draws": Axis.label(1000 * $0)] }
    ) { 1 + 3 / $0 }
    #expect(Self.scalings(zipped, .sizes).map(\.label) == ["fixed depth"])
    // Every size with either number of draws: one sweep for each.
    let parameter = width(companions: ["draws"])
    let both = ["1000", "2000"].flatMap { draws in
      Self.sweep(parameter, [8, 16, 32], draws: 5000, swept: { _ in ["network.draws": draws] }) { 1 + 3 / $0 }.cases.map
      {
        Case(label: "\($0.label),\(draws)", swept: $0.swept, legs: $0.legs)
      }
    }
    #expect(
      Self.scalings(makeJob(both, small: [parameter]), .sizes).map(\.label)
        == ["fixed depth, network.draws=1000", "fixed depth, network.draws=2000"])
  }

  @Test("A sweep that is not extrapolated says why")
  func reasons() throws {
    func reason(_ job: Job) -> String { Self.scalings(job, .none).map(\.sentence).joined() }
    #expect(
      reason(Self.sweep(Self.width, [8, 16], draws: 5000) { 1 + 3 / $0 })
        == "width is swept and not extrapolated: 2 values are too few, three or more are needed")
    #expect(
      reason(Self.sweep(Self.width, [8, 16, 32], draws: 5000, swept: { ["network.c": "\($0)"] }) { 1 + 3 / $0 })
        .hasSuffix("no three of its values are in cases that differ in nothing else; network.c moves with it"))
    #expect(
      reason(
        Self.sweep(Self.width, [8, 16, 32], draws: 5000, remainder: [Remainder("step", order: 1)]) { 1 + 3 / $0 }
      )
      .hasSuffix("the job has no limit that leaves out nothing but the width"))
    #expect(reason(Self.sweep(Self.width, [8, 16, 32], draws: 50) { 1 + 3 / $0 }).contains("too few draws"))
    #expect(reason(Self.sweep(Self.width, Self.sizes) { 1 + 3 / $0 }).isEmpty)
    let table = try #require(
      Self.scalings(Self.sweep(Self.width, [8, 16], draws: 5000) { 1 + 3 / $0 }, .none).first?.tables.first)
    #expect(table.notes.count == 1 && table[column: "size"]?.values.count == 2)
  }

  /// 100 sweeps at alpha = 0.01: one false alarm is expected, four standard deviations more are 5. Three terms in 1/n, as those of
  /// a deep narrow network; widths 8, 16, 32 and 4,000 draws as in the report of a false alarm.
  @Test("A true limit is not rejected, a false one is not recovered, over 100 seeds")
  func manySeeds() throws {
    for widths in [[8.0, 16, 32], [8, 16, 32, 64]] {
      var rejected = 0
      for seed in 1...100 as ClosedRange<UInt64> {
        let job = Self.sweep(Self.width, widths, draws: 4000) { n in 1 - 4 / n - 8 / (n * n) - 40 / (n * n * n) }
        if try #require(Self.scalings(job, .sizes, seed: seed).first).verdict == .differs { rejected += 1 }
      }
      #expect(rejected <= 5, "\(widths): \(rejected) of 100")
    }
    for seed in 1...20 as ClosedRange<UInt64> {
      let job = Self.sweep(Self.width, Self.sizes, draws: 40_000) { 1.3 + 3 / $0 }
      #expect(try #require(Self.scalings(job, .sizes, seed: seed).first).verdict == .differs)
    }
  }

  @Test("Heavy-tailed observables have rows and decide nothing")
  func heavyTails() throws {
    let schema = Schema(axis: point, observables: observables("x") + [Observable("V", role: .heavyTailed, "")])
    // V does not depend on the size, so that its limit is far less certain than that of x.
    let cases = Self.sizes.map { size -> Case in
      let draw = ClosureDraw(schema: schema) { stream, values in
        let g = stream.normals(2)
        (values[0], values[1]) = (1 + 3 / size + g[0], 1 + 100 * g[1])
      }
      return Case(
        label: "size=\(size)", swept: ["network.width": Axis.label(size)],
        legs: [
          finite(draw, draws: 100_000),
          reference("theory", .limit, predict(schema, [("x", .mean, 1), ("V", .mean, 1)])),
        ])
    }
    let found = try #require(Self.scalings(makeJob(cases, small: [Self.width]), .sizes).first)
    #expect(found.rows.map(\.observable) == ["x", "V"] && !found.rows[1].hasPower)
    #expect(found.verdict == .agrees && found.sentence.contains("(1 tests"), "\(found.sentence)")
  }

  @Test("Local slopes stand beside the fit, size by size")
  func slopes() throws {
    let job = Self.sweep(Self.step, [0.25, 0.5, 1, 2], draws: 200_000, remainder: [Remainder("step", order: 2)]) {
      1 + 0.5 * $0 * $0
    }
    let table = try #require(Self.scalings(job, .orders).first?.tables.first)
    guard case .numbers(let slopes) = table[column: "local_slope"]?.values,
      case .numbers(let errors) = table[column: "local_slope_error"]?.values
    else { throw Failure(.bug, "no slopes") }
    #expect(slopes.count == 4 && slopes[3].isNaN)
    for (slope, error) in zip(slopes, errors).prefix(3) { #expect((slope - 2).magnitude < 5 * error && error < 0.5) }
    let sizes = try #require(
      Self.scalings(Self.sweep(Self.width, Self.sizes) { 1 + 3 / $0 }, .sizes).first?.tables.first)
    guard case .numbers(let own) = sizes[column: "local_slope"]?.values else { throw Failure(.bug, "no slopes") }
    #expect((own[0] - 1).magnitude < 0.1 && own[4].isNaN && sizes.fields.contains { $0.column == "slope_list" })
  }

  @Test("An order that nothing is seen of, or that has no bound, is not printed")
  func unseen() throws {
    let job = Self.sweep(Self.step, [0.25, 0.5, 1, 2], draws: 2000, remainder: [Remainder("step", order: 2)]) { _ in 1 }
    let table = try #require(Self.scalings(job, .orders).first?.tables.first)
    guard case .numbers(let orders) = table[column: "order"]?.values,
      case .texts(let findings) = table[column: "finding"]?.values
    else { throw Failure(.bug, "no orders") }
    #expect(orders.allSatisfy(\.isNaN) && findings == ["no error seen"])
  }

  @Test("An order that is promised at a fixed depth is not asked of a fixed ratio")
  func paths() {
    let promise = [Remainder("width", order: 1, along: .fixedValues)]
    func remainders(_ depth: @escaping (Double) -> String) -> [String] {
      let job = Self.sweep(
        Self.width, [8, 16, 32], draws: 5000, remainder: promise, swept: { ["network.depth": depth($0)] }
      ) { 1 + 3 / $0 }
      return Self.scalings(job, .remainders).map(\.label)
    }
    #expect(remainders { _ in "4" } == ["depth = 4"])
    #expect(remainders { Axis.label($0 / 4) } == [])
  }

  @Test("A promised order is confirmed, or contradicted, or left open")
  func promises() throws {
    let promise = [Remainder("width", order: 1)]
    func judge(_ remainder: [Remainder], _ mean: @escaping @Sendable (Double) -> Double) throws -> Scaling {
      let job = Self.sweep(Self.width, Self.sizes, draws: 400_000, remainder: remainder, mean)
      return try #require(Self.scalings(job, .remainders).first)
    }
    let kept = try judge(promise) { 1 + 3 / $0 }
    #expect(kept.verdict == .agrees && kept.rows[0].promise?.verdict == .consistent, "\(kept.sentence)")
    #expect(kept.sentence.contains("consistent with the promised order 1/n in 1 of 1"), "\(kept.sentence)")
    #expect(kept.verdicts.first?.subject == "theory remainder")
    let broken = try judge(promise) { 1 + 1 / $0.squareRoot() }
    #expect(broken.verdict == .differs && broken.rows[0].promise?.verdict == .contradicted, "\(broken.sentence)")
    #expect(
      (broken.rows[0].fit.order - 0.5).magnitude < 0.1 && broken.sentence.contains("NOT of the promised order 1/n"),
      "\(broken.sentence)")
    let open = try judge(promise) { _ in 1 }
    #expect(open.verdict == .undecided, "\(open.sentence)")
    let square = try judge([Remainder("width", order: 2)]) { 1 + 30 / ($0 * $0) }
    #expect(square.verdict == .agrees && square.sentence.contains("n^-2"), "\(square.sentence)")
    #expect(square.rows[0].promise?.promised == 2 && square.rows[0].promise?.verdict == .consistent)
    // Nothing is promised, or something else is left out as well: nothing is judged.
    for remainder in [[], [Remainder("width", order: 1), Remainder("step", order: 1)]] {
      #expect(
        Self.scalings(Self.sweep(Self.width, Self.sizes, draws: 5000, remainder: remainder) { 1 + 3 / $0 }, .remainders)
          .isEmpty)
    }
  }

  @Test("Free orders of a step: known limit, or fitted where more is left out than the step")
  func orders() throws {
    let steps: [Double] = [0.25, 0.5, 1, 2]
    let job = Self.sweep(Self.step, steps, draws: 200_000, remainder: [Remainder("step", order: 2)]) {
      1 + 0.5 * $0 * $0
    }
    let found = try #require(Self.scalings(job, .orders).first)
    let row = try #require(found.rows.first)
    #expect(found.key == "particles.step" && found.rows.count == 1 && found.label.isEmpty)
    #expect((row.fit.order - 2).magnitude < 5 * row.fit.orderError && row.fit.orderError < 0.3, "\(row)")
    #expect(row.fit.limit == 1 && row.fit.limitError == 0 && row.fit.isSeen)
    #expect(Self.scalings(job, .sizes).isEmpty)
    let other = Self.sweep(
      Self.step, steps, draws: 200_000, remainder: [Remainder("step", order: 2), Remainder("number", order: 1)]
    ) { 1.3 + 0.5 * $0 * $0 }
    let fitted = try #require(Self.scalings(other, .orders).first?.rows.first)
    #expect(fitted.fit.limitError > 0 && (fitted.fit.limit - 1.3).magnitude < 5 * fitted.fit.limitError)
  }

  @Test("Fluctuations: variances over the draws have an order of their own; quantities of the method have none")
  func fluctuations() throws {
    let job = Self.sweep(Self.number, [10, 40, 160, 640], draws: 20_000, spread: { 2 / $0.squareRoot() }) { 1 + 1 / $0 }
    let found = try #require(Self.scalings(job, .orders).first)
    #expect(found.rows.map(\.quantity) == ["x", "var(x)"])
    let own = found.rows[1].fit
    #expect(
      (own.order - 1).magnitude < 5 * own.orderError && own.orderError < 0.1 && (own.coefficient - 4).magnitude < 0.4,
      "\(own)")
  }

  @Test("Refined legs: the N-bias and the step-size bias apart, and the value without both; physical quantities only")
  func refinements() throws {
    let schema = Schema(
      axis: point, observables: observables("x") + [Observable("acceptance", role: .acceptanceRate, "")])
    // 1 + 2/N + 3h at N = 10, h = 0.1; the acceptance rate has a bias as well.
    func draw(_ number: Double, _ step: Double) -> ClosureDraw {
      ClosureDraw(schema: schema) { stream, values in
        let g = stream.normals(2)
        values[0] = 1 + 2 / number + 3 * step + 0.1 * g[0]
        values[1] = 1 - step + 0.1 * g[1]
      }
    }
    func leg(_ name: String, _ role: Leg.Role, _ draw: ClosureDraw, _ refines: Refinement? = nil) -> Leg {
      Leg(name: name, role: role, content: .sampled(Experiment(draw), draws: 20_000), attributes: [:], refines: refines)
    }
    for (limit, word) in [(1.0, Equivalence.agrees), (1.1, .differs)] {
      let legs = [
        leg("particles", .finite, draw(10, 0.1)),
        leg(
          "double", .refinement, draw(20, 0.1), Refinement(leg: "particles", parameter: "number", symbol: "N", order: 1)
        ),
        leg(
          "half", .refinement, draw(10, 0.05), Refinement(leg: "particles", parameter: "step", symbol: "h", order: 1)),
        reference("theory", .limit, predict(schema, [("x", .mean, limit)])),
      ]
      let snapshot = run(makeJob([Case(label: "main", swept: [:], legs: legs)]), seed: 1)
      // Refinements of the finite leg are compared with nothing.
      #expect(Analyses.comparisons(snapshot).map(\.reference) == ["theory"])
      let found = try #require(Analyses.scalings(snapshot).first)
      #expect(found.kind == .refinements && found.refined.map(\.observable) == ["x"] && found.verdict == word)
      let row = found.refined[0]
      #expect((row.biases[0].bias - 0.2).magnitude < 5 * row.biases[0].biasError && row.biases[0].biasError < 0.01)
      #expect((row.biases[1].bias - 0.3).magnitude < 5 * row.biases[1].biasError && row.biases[1].biasError < 0.01)
      #expect((row.extrapolated - 1).magnitude < 5 * row.extrapolatedError)
      #expect(
        found.sentence.hasPrefix("bias in N seen in x; bias in h seen in x; the extrapolated values ")
          && !found.sentence.contains("acceptance"), "\(found.sentence)")
      let table = try #require(found.tables.first)
      #expect(
        table.group == "scaling/0" && table[column: "number_bias"] != nil && table[column: "step_bias_error"] != nil)
    }
  }

  @Test("Every table has columns of one length, a group of its own, and fields that exist")
  func tables() throws {
    let job = Self.sweep(Self.width, Self.sizes, draws: 20_000, remainder: [Remainder("width", order: 1)]) {
      1 + 3 / $0
    }
    let all = Analyses.all(run(job, seed: 6))
    #expect(all.count == 5 + 2)
    #expect(Set(all.flatMap(\.tables).map(\.group)).count == all.count)
    for table in all.flatMap(\.tables) {
      let lengths = Dictionary(uniqueKeysWithValues: table.axes.map { ($0.name, $0.values.count) })
      #expect(Set(table.columns.map(\.name)).count == table.columns.count)
      for column in table.columns {
        #expect(
          column.values.count == column.axes.reduce(1) { $0 * (lengths[$1] ?? 0) }, "\(table.group) \(column.name)")
      }
      for field in table.fields {
        #expect(table[column: field.column] != nil, "\(table.group) \(field.column)")
        if case .value(let error?) = field.format { #expect(table[column: error] != nil) }
      }
    }
    let sizes = try #require(all.compactMap { $0 as? Scaling }.first { $0.kind == .sizes }?.tables.first)
    for name in [
      "observable", "layers", "widths", "reference", "difference", "difference_error", "z", "order", "coefficient",
      "coefficient_error", "chi_square", "degrees_of_freedom",
    ] { #expect(sizes[column: name] != nil, "\(name)") }
  }
}
