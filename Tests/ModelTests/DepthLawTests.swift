import Experiments
import Jobs
import Kernels
import Limits
import Networks
import Testing

/// Fixed points, susceptibilities and universality classes against the recursions of infinite width and of order 1/n.
@Suite struct DepthLawTests {
  private func function(_ name: String) throws -> any Activation {
    try ActivationChoice(.text(name), path: "activation", width: 8).function
  }

  /// The recursion itself, and differences of it, at tanh (arXiv:1606.05340: ordered and chaotic) and GELU at its half-stable point.
  @Test(arguments: [(0.8, 0.0), (0.5, 0.3), (1.5, 0.0), (2.5, 0.1), (1.7, 0.2)])
  func fixedPoints(gain: Double, biasVariance: Double) throws {
    let tanh = try function("tanh")
    let found = try #require(FixedPoint(tanh, gain: gain, biasVariance: biasVariance, start: 1))
    let moments = UnitMoments(tanh)
    var k = 1.0
    for _ in 0..<400 { k = k < 1e-12 ? 0 : gain * moments.single(k)!.square + biasVariance }
    #expect((found.variance - k).magnitude < 1e-9, "\(found.variance), \(k)")
    guard k > 0 else {
      #expect(found.parallel == gain && found.perpendicular == gain && found.phase == .ordered)
      return
    }
    let step = 1e-4 * k
    let difference = gain * (moments.single(k + step)!.square - moments.single(k - step)!.square) / (2 * step)
    #expect((found.parallel - difference).magnitude < 1e-7)
    // Two inputs of correlation 1 - e: C' = C_b + C_W E s s, so that e grows like chi_perp.
    let e = 1e-4
    let pair = moments.pair(k, k * (1 - e), k)!
    let grown = (k - gain * pair.product - biasVariance) / (k * e)
    #expect((found.perpendicular - grown).magnitude < 2e-3)
    #expect(found.phase == (grown > 1 ? .chaotic : .ordered))
  }

  @Test func criticalPointsAreCritical() throws {
    for name in ["gelu", "silu"] {
      let gelu = try function(name)
      let critical = try #require(Criticality(gelu))
      let found = try #require(
        FixedPoint(gelu, gain: critical.gain, biasVariance: critical.biasVariance, start: critical.fixedPoint!))
      #expect((found.perpendicular - 1).magnitude < 1e-7 && (found.parallel - 1).magnitude < 1e-7)
    }
    // Every point of the line is critical, and the line of tanh starts at C_W = 1.
    let tanh = try function("tanh")
    let line = FixedPoint.criticalLine(tanh, upTo: 4, points: 9)
    #expect(line.count == 9 && (line[0].gain - 1).magnitude < 3e-3 && line[0].biasVariance < 1e-5)
    for point in line {
      let found = try #require(
        FixedPoint(tanh, gain: point.gain, biasVariance: point.biasVariance, start: point.variance))
      #expect((found.perpendicular - 1).magnitude < 1e-6, "\(point): \(found)")
    }
    #expect(FixedPoint(try function("exp"), gain: 2, biasVariance: 0, start: 1) == nil)
  }

  private func laws(
    _ activation: String, start: Double, extra: [String: JobValue] = [:], form: DepthLaw.Form = .power
  ) throws -> [DepthLaw] {
    let keys: [String: JobValue] = [
      "architecture": .text("mlp"), "activation": .text(activation), "tune": .text("critical"), "width": .integer(1000),
      "depth": .integer(2000), "inputs": table(["gram": .list([.list([.real(start)])])]), "draws": .integer(2),
      "observables": .list([.text("V"), .text("log_V")]),
    ]
    let read = try NetworkFamily.read(
      .table(keys.merging(extra) { $1 }),
      JobContext(
        path: "network",
        options: [
          "exponents": try Parameters(
            table(["law": .text(form.rawValue)]), path: "exponents", allowed: DepthLawRequest.table.parameters)
        ],
        data: NoData()))
    return read.legs[0].asymptotics ?? []
  }

  /// 1,500 layers of the theory of order 1/n: printed are l K, V/(l K^2) of the classes (1/2 and 2/3 of tanh, 1 and 2/3 of sin, 5 of relu) within 1%.
  @Test(arguments: [("tanh", 1.0), ("sin", 1), ("relu", 1), ("gelu", 3.56155281)])
  func powersOfTheClasses(name: String, start: Double) throws {
    let activation = try function(name)
    let critical = try #require(Criticality(activation))
    let theory = FiniteWidth(
      Perceptron(activation: activation, gain: critical.gain, bias: critical.biasVariance.squareRoot()), width: 1000)
    let from = critical.fixedPoint.map { $0 > 0 ? $0 : start } ?? start
    var state = FiniteWidth.Single(variance: from)
    let moments = UnitMoments(activation)
    for _ in 0..<1500 { state = try #require(theory.next(state, moments)) }
    let found = try laws(name, start: from)
    #expect(found.map(\.observable) == ["V[0,0]", "V[0,0]", "log_V[0]"])
    let values = [state.variance, state.vertex / 1000, state.vertex / (1000 * state.variance * state.variance)]
    for (law, value) in zip(found, values) {
      let constant = try #require(law.constant)
      let predicted = constant * Elementary.exp(law.exponent * Elementary.log(1500))
      #expect((predicted / value - 1).magnitude < 0.012, "\(name) \(law): \(predicted), \(value)")
    }
    let printed: [String: (Double, Double)] = ["tanh": (0.5, 2.0 / 3), "sin": (1, 2.0 / 3), "relu": (1, 5)]
    guard let (size, vertex) = printed[name] else { return }
    #expect((found[0].constant! - size).magnitude < 1e-5 && (1000 * found[2].constant! - vertex).magnitude < 1e-9)
  }

  /// Nothing is said of what is not critical, nor of orthogonal weights; rates are those of the fixed point.
  @Test func whereNothingIsKnown() throws {
    #expect(
      try laws(
        "tanh", start: 1,
        extra: ["tune": .text("critical"), "probes": .list([.text("ntk")]), "ensemble": .text("orthogonal")]
      ).isEmpty)
    let other = try network(
      .text("tanh"), width: 8, depth: 4, inputs: correlated(0.999), extra: ["c": .real(1.2)])
    #expect(other.architecture.settings.width == 8)
    #expect(try laws("gelu", start: 1).isEmpty)
    let rates = try laws("tanh", start: 1, form: .rate)
    #expect(rates.map(\.observable) == ["log_V[0]"])
  }
}
