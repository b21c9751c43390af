import Experiments
import Particles
import Randomness
import Statistics
import Testing

/// Gradients of batches: their law, what integrators make of them, and where they are refused.
@Suite struct SubsampleTests {
  private static func numbers(_ values: [Double]) -> JobValue { .list(values.map { .real($0) }) }
  private static let parabolas: [String: JobValue] = [
    "system": .text("least-squares"), "inputs": numbers([1, -1, 2]), "targets": numbers([0, 1, 1]),
    "inverse_temperature": .real(50), "number": .integer(512), "warm_up": .integer(400), "step": .real(0.1),
    "steps": .integer(validating ? 20_000 : 1000), "replicas": .integer(12), "histogram_every": .integer(1000),
  ]

  /// Whole numbers of batches: each as often as any other, sets and tiles of their own, below any bound. 5 chi-square tests, at 1e-4 each.
  @Test func indicesAreUniform() {
    let noise = Noise(key: 11, replica: 3)
    for bound in [1, 2, 3, 1000, Int(Int32.max)] {
      let count = 64_000
      let room = UnsafeMutablePointer<Int32>.allocate(capacity: Noise.indexRoom(count))
      defer { room.deallocate() }
      room.initialize(repeating: -1, count: Noise.indexRoom(count))
      noise.indices(2, set: 5, count: count, below: bound, to: room)
      let cells = min(bound, 100)
      var counts = Array(repeating: 0.0, count: cells)
      for i in 0..<count {
        #expect(room[i] >= 0 && Int(room[i]) < bound)
        counts[Int(room[i]) * cells / bound] += 1
      }
      let expected = Double(count) / Double(cells)
      let square = counts.reduce(0) { $0 + ($1 - expected) * ($1 - expected) / expected }
      let freedom = Double(cells - 1)
      // Wilson and Hilferty: 3.7 standard deviations.
      let cube = 1 - 2 / (9 * max(freedom, 1)) + 3.7 * (2 / (9 * max(freedom, 1))).squareRoot()
      #expect(square <= freedom * cube * cube * cube, "\(bound): \(square)")
    }
    func set(_ tile: Int, _ number: Int) -> [Int32] {
      let room = UnsafeMutablePointer<Int32>.allocate(capacity: 64)
      defer { room.deallocate() }
      room.initialize(repeating: 0, count: 64)
      noise.indices(tile, set: number, count: 10, below: 1_000_000, to: room)
      return (0..<10).map { room[$0] }
    }
    #expect(set(0, 1) == set(0, 1) && Set([set(0, 0), set(0, 1), set(1, 0), set(1, 1)]).count == 4)
  }

  /// Printed values of least squares, x = (1,-1,2), y = (0,1,1), beta = 50, in closed form to the digits printed.
  @Test func printedValues() throws {
    for (batch, h, value) in [
      (1, 0.1, 0.042810), (1, 0.4, 0.288889), (3, 0.4, 0.084722), (nil, 0.1, 0.0111), (nil, 0.4, 0.0167),
    ] as [(Int64?, Double, Double)] {
      var keys = Self.parabolas
      keys["step"] = .real(h)
      if let batch { keys["batch"] = .integer(batch) }
      let found = known(try legs(keys), "exact", "deviation^2")
      #expect((found - value).magnitude < (batch == nil ? 5e-5 : 5e-7), "b = \(batch ?? 0), h = \(h): \(found)")
    }
  }

  /// Chains against the closed forms, of every integrator that has them, with and without control variates: 24 runs of up to 6 means, all |z| < 4.2 with
  /// probability 0.996.
  @Test(
    arguments: ["lmc", "ulmc", "baoab", "obabo", "randomized-midpoint", "underdamped-midpoint"],
    ["least-squares", "gaussian-mean"])
  func chainsHaveTheExactMoments(integrator: String, system: String) throws {
    for control in ["none", "mode"] {
      var keys = Self.parabolas
      keys["integrator"] = .text(integrator)
      keys["batch"] = .integer(2)
      keys["control_variates"] = .text(control)
      keys["step"] = .real(0.3)
      if system == "gaussian-mean" {
        keys["system"] = .text(system)
        (keys["inputs"], keys["targets"]) = (nil, nil)
        (keys["values"], keys["precision"]) = (Self.numbers([0.5, -1, 2.5, 0.7]), .real(1.5))
      }
      let all = try legs(keys)
      let state = try run(all[0], name: "batches/\(integrator)/\(system)/\(control)")
      let exact = all.first { $0.role == .exact }!
      #expect(exact.observables.count >= 6)
      for observable in exact.observables.map(\.name) {
        let value = known(all, "exact", observable)
        if observable == "gradient_variance" && value == 0 {
          #expect(moments(state, all[0], observable).mean < 1e-25)
          continue
        }
        let found = z(moments(state, all[0], observable), value)
        #expect(found.magnitude < 4.2, "\(integrator), \(system), \(control), \(observable): z = \(found)")
      }
    }
  }

  /// Batches of examples that hardly differ do what full batches do, whose maps the integrators state themselves: two routes to one recursion.
  @Test(arguments: ["lmc", "ulmc", "baoab", "obabo", "randomized-midpoint", "underdamped-midpoint"])
  func batchesWithoutVariationAreFullBatches(integrator: String) throws {
    for step in [0.1, 0.5, 0.9] {
      var keys = Self.parabolas.merging(["integrator": .text(integrator), "step": .real(step)]) { $1 }
      (keys["inputs"], keys["targets"]) = (Self.numbers([1, 1.000001]), Self.numbers([0.3, 0.3]))
      let whole = try legs(keys)
      let batches = try legs(keys.merging(["batch": .integer(3)]) { $1 })
      let names = try #require(whole.first { $0.role == .exact }?.observables.map(\.name))
      #expect(
        names.contains("deviation^2") && (names.contains("v^2") || !["ulmc", "baoab", "obabo"].contains(integrator)))
      // Batches of few are no normal variables: no fourth moment.
      for name in names where name != "x^4" {
        let (found, expected) = (known(batches, "exact", name), known(whole, "exact", name))
        #expect(
          (found - expected).magnitude < 1e-5 * max(expected.magnitude, 1e-2), "\(step) \(name): \(found), \(expected)")
      }
    }
  }

  /// The mean of many estimates is the gradient of all examples: of logistic regression at 40 particles with and without control variates, of which the
  /// latter vary much less; |z| < 4.5 of 240.
  @Test func estimatesHaveTheGradientAsTheirMean() throws {
    var spreads: [Double] = []
    for control in ["none", "mode"] {
      let model = try SystemTests.model(
        "logistic-regression", number: 40,
        ["batch": .integer(4), "control_variates": .text(control), "prior": .real(1.5)])
      let ensemble = Ensemble(
        model, number: 40, hasVelocities: false, inverseTemperature: 1, stepSize: 0.1, key: 7, replica: 0,
        group: SelfCommunicator())
      ensemble.draw(mean: 0.1, std: 0.1)
      let all = ParticleArray(ensemble.tiling)
      ensemble.system.gradient(
        ensemble.positions[0], field: ensemble.field, to: all[0].base, potential: nil)
      var values = Array(repeating: [Double](), count: 120)
      for step in 1...2000 {
        try ensemble.evaluateBatch(step)
        for k in 0..<3 { for i in 0..<40 { values[40 * k + i].append(ensemble.gradient[0][k][i]) } }
      }
      let sums = values.map { Moments(values: $0) }
      for k in 0..<3 {
        for i in 0..<40 {
          let (found, exact) = (sums[40 * k + i], all[0][k][i])
          #expect((found.mean - exact).magnitude < 4.5 * found.meanError, "\(control), \(i), \(k)")
        }
      }
      spreads.append(sums.reduce(0) { $0 + $1.variance } / 120)
    }
    #expect(spreads[1] < 0.2 * spreads[0], "\(spreads)")
  }

  /// The same of a network, whose neurons share a batch of 3 of 8 examples: 15 weights of 5 neurons, |z| < 4.5, and each step its own batch.
  @Test func networksShareABatch() throws {
    func ensemble(_ keys: [String: JobValue]) throws -> Ensemble {
      let found = Ensemble(
        try SystemTests.model("two-layer", number: 5, keys), number: 5, hasVelocities: false, inverseTemperature: 1,
        stepSize: 0.1, key: 7, replica: 0, group: SelfCommunicator())
      found.draw(mean: 0.1, std: 0.8)
      try found.evaluateBatch(1)
      return found
    }
    let (whole, batches) = (try ensemble([:]), try ensemble(["batch": .integer(3)]))
    var values = Array(repeating: [Double](), count: 20)
    for step in 1...2000 {
      try batches.evaluateBatch(step)
      for k in 0..<4 { for i in 0..<5 { values[5 * k + i].append(batches.gradient[0][k][i]) } }
    }
    for k in 0..<4 {
      for i in 0..<5 {
        let (found, exact) = (Moments(values: values[5 * k + i]), whole.gradient[0][k][i])
        #expect((found.mean - exact).magnitude < 4.5 * found.meanError, "\(i), \(k): \(found.mean), \(exact)")
        #expect(found.variance > 0)
      }
    }
  }

  /// The noise of batches makes the error of every method one of order h.
  @Test func limitsHaveTheOrderOfBatches() throws {
    for (batch, order) in [(nil, 2), (.integer(2), 1)] as [(JobValue?, Double)] {
      var keys = Self.parabolas.merging(["integrator": .text("baoab")]) { $1 }
      keys["batch"] = batch
      let limit = try #require(try legs(keys).first { $0.name == "stationary-limit" }?.known)
      #expect(limit.remainder == [Remainder("step", order: order)])
    }
  }

  /// Chains of their own have batches of their own: particles of one start part where only batches move them.
  @Test func batchesAreOfTheirOwn() throws {
    let model = try SystemTests.model("least-squares", number: 20, ["batch": .integer(1)])
    let ensemble = Ensemble(
      model, number: 20, hasVelocities: false, inverseTemperature: 1e12, stepSize: 0.1, key: 7, replica: 0,
      group: SelfCommunicator())
    ensemble.draw(mean: 0.4, std: 0)
    try ensemble.evaluateBatch(1)
    #expect(Set((0..<20).map { ensemble.gradient[0][0][$0] }).count == 3)
  }

  /// The step limit 2A/(A^2 + var(A)/b) in the error, and a smaller one of the error bars of squares.
  @Test func stepLimits() throws {
    for (batch, limit) in [(1, "0.6667"), (2, "0.8"), (4, "0.8889")] as [(Int64, String)] {
      let keys = Self.parabolas.merging(["batch": .integer(batch), "step": .real(0.99)]) { $1 }
      let failure = #expect(throws: Failure.self) { _ = try legs(keys) }
      #expect(failure?.message.contains("must be below \(limit): lmc") ?? false, "\(failure?.message ?? "")")
      #expect(failure?.status == .badData)
    }
    // E (1 - h A)^4 > 1 with E (1 - h A)^2 < 1.
    let heavy = try legs(Self.parabolas.merging(["batch": .integer(1), "step": .real(0.6)]) { $1 })
    #expect(heavy.first { $0.role == .exact }?.observables.map(\.name) == ["x"])
    let light = try legs(Self.parabolas.merging(["batch": .integer(1), "step": .real(0.5)]) { $1 })
    #expect(light.first { $0.role == .exact }?.observables.count == 6)
  }

  @Test func refusals() throws {
    for (own, word) in [
      (["integrator": .text("mala")], "accepts or rejects by the energy of all examples"),
      (["integrator": .text("hmc")], "accepts or rejects"), (["integrator": .text("proximal")], "accepts or rejects"),
      (["batch": nil, "control_variates": .text("mode")], "needs batch"),
      (["batch": .integer(0)], "must be an integer in [1, 1000000]"),
      (["control_variates": .text("mod")], "did you mean mode?"),
      (["targets": Self.numbers([1])], "must be as many numbers as inputs, 3"),
      (["inputs": Self.numbers([0, 0, 0])], "must have one that is not 0"),
      (["inputs": .list([])], "must be an array of finite numbers"),
      (["file": .text("data"), "inputs": .text("c"), "targets": .text("a")], "no such column"),
      (["batch": .integer(1_000_000), "steps": .integer(10_000_000)], "must be less than"),
    ] as [([String: JobValue?], String)] {
      let keys = own.reduce(into: Self.parabolas.merging(["batch": .integer(1)]) { $1 }) { $0[$1.key] = $1.value }
      let failure = #expect(throws: Failure.self, "\(own)") { _ = try legs(keys) }
      #expect(failure?.message.contains(word) ?? false, "\(own): \(failure?.message ?? "")")
    }
    let found = try legs(
      Self.parabolas.merging(["file": .text("data"), "inputs": .text("a"), "targets": .text("b")]) { $1 })
    #expect(found.count == 3)
  }
}
