import Experiments
import Foundation
import Kernels
import Limits
import Networks
import Randomness
import Statistics
import Testing

/// Diffusions by formula. Of about 60 z scores in all each must be below 5, of 6 Kolmogorov-Smirnov tests p above 1e-6: a false alarm in 15,000
/// runs.
@Suite struct OwnSDETests {
  static func formula(_ text: String, _ parameters: [String: Double] = [:]) -> JobValue {
    .table(parameters.mapValues { .real($0) }.merging(["formula": .text(text)]) { $1 })
  }

  /// The legs of a limit `sde` of log V of a linear network of width 100 and depth 100: t = 1 at the last layer.
  static func legs(
    _ drift: JobValue, _ diffusion: JobValue, _ extra: [String: JobValue] = [:], layers: [Int64] = [100]
  ) throws -> [Leg] {
    let model = try network(
      .text("linear"), width: 100, depth: 100, inputs: correlated(0, count: 1),
      extra: ["layers": .list(layers.map { .integer($0) }), "observables": .list([.text("log_V")])])
    let keys: [String: JobValue] = [
      "equation": .text("sde"), "observable": .text("log_V[0]"), "drift": drift, "diffusion": diffusion,
    ]
    return try limitLegs(.table(keys.merging(extra) { $1 }), path: "limit", network: model, networkDraws: 10).legs
  }

  private func z(_ value: Double, _ error: Double, _ truth: Double) -> Double { abs(value - truth) / error }

  // MARK: - Closed forms

  /// An equation whose moments are known, of its solution and of the steps of the integrator.
  struct Known: Sendable, CustomTestStringConvertible {
    let name, drift, diffusion: String
    let start: Double
    let mean, second: Double
    /// Moments after a step from the moments before it.
    let step: @Sendable (_ mean: Double, _ second: Double, _ h: Double) -> (Double, Double)
    var testDescription: String { name }
  }

  static let known: [Known] = ["", "-"].flatMap { sign in
    [
      // dX = -X dt + dB: E X = x e^-t, Var X = (1 - e^-2t)/2.
      Known(
        name: "Ornstein-Uhlenbeck \(sign)", drift: "-theta*x", diffusion: "\(sign)sigma", start: 2,
        mean: 2 * Elementary.exp(-1), second: 4 * Elementary.exp(-2) + 0.5 * (1 - Elementary.exp(-2)),
        step: { m, q, h in ((1 - h) * m, (1 - h) * (1 - h) * q + h) }),
      // dX = X dt + X/2 dB: E X = x e^t, E X^2 = x^2 e^{(2 + 1/4) t}. A step of Milstein's method: factors 1 + h + g sqrt(h)/2 + h (g^2 - 1)/8.
      Known(
        name: "geometric Brownian motion \(sign)", drift: "theta*x", diffusion: "\(sign)sigma*x", start: 1,
        mean: Elementary.exp(1), second: Elementary.exp(2.25),
        step: { m, q, h in ((1 + h) * m, ((1 + h) * (1 + h) + h / 4 + h * h / 32) * q) }),
    ]
  }

  /// Means and second moments are those of the steps at either size, fall to those of the solution with order 1, and extrapolate to them.
  @Test(arguments: known)
  func closedForms(item: Known) throws {
    let sigma = item.diffusion.hasSuffix("x") ? 0.5 : 1
    let legs = try Self.legs(
      Self.formula(item.drift, ["theta": 1]), Self.formula(item.diffusion, ["sigma": sigma]),
      ["step": .real(0.05), "extrapolate": .boolean(true), "start": .real(item.start)])
    #expect(legs.count == 2 && legs[1].refines?.order == 1 && legs[0].attributes["integrator"] == "milstein")
    let draws: UInt64 = validating ? 10_000_000 : 500_000
    let found = legs.map { sample($0.experiment!, draws, name: $0.name + item.name).moments(0) }
    for (m, (steps, h)) in zip(found, [(20, 0.05), (40, 0.025)]) {
      let exact = (0..<steps).reduce((item.start, item.start * item.start)) { now, _ in item.step(now.0, now.1, h) }
      #expect(z(m.mean, m.meanError, exact.0) < 5, "\(m.mean) +- \(m.meanError), \(exact.0)")
      #expect(z(m.secondMoment, m.secondMomentError, exact.1) < 5, "\(m.secondMoment) \(exact.1)")
    }
    let biases = found.map { $0.mean - item.mean }
    #expect(abs(biases[1]) > 8 * found[1].meanError, "there must be a bias to see")
    let spread =
      abs(biases[0] / biases[1]) * (found[0].meanError / abs(biases[0]) + found[1].meanError / abs(biases[1]))
    #expect(abs(biases[0] / biases[1] - 2) < 0.15 + 4 * spread, "the bias falls by \(biases[0] / biases[1])")
    // What extrapolation leaves is of order h^2: a twentieth of the bias at most.
    func extrapolated(_ f: (Moments) -> Double) -> Double { 2 * f(found[1]) - f(found[0]) }
    func error(_ f: (Moments) -> Double) -> Double {
      (4 * f(found[1]) * f(found[1]) + f(found[0]) * f(found[0])).squareRoot()
    }
    let mean = extrapolated(\.mean)
    #expect(abs(mean - item.mean) < 5 * error(\.meanError) + abs(biases[0]) / 20, "\(mean) \(item.mean)")
    let second = extrapolated(\.secondMoment)
    let left = abs(found[0].secondMoment - item.second) / 10
    #expect(abs(second - item.second) < 5 * error(\.secondMomentError) + left, "\(second) \(item.second)")
  }

  /// Milstein's method has strong order 1, that of Euler and Maruyama 1/2: halving the step divides the mean square of the distance from
  /// exp(B_t/2 - t/8) along the same Brownian path by 4 and by 2. Over 10,240 paths the ratio has a relative error of about 0.03.
  @Test(arguments: [("milstein", 4.0), ("euler-maruyama", 2)])
  func strongOrder(integrator: String, ratio: Double) throws {
    func meanSquare(_ step: Double, _ steps: Int) throws -> Double {
      let leg = try Self.legs(
        Self.formula("0"), Self.formula("x/2"),
        ["step": .real(step), "start": .real(1), "integrator": .text(integrator)])[0]
      let runner = leg.experiment!.makeRunner(77)
      var stream = Stream(key: 77)
      var normals = [Double](repeating: 0, count: 128)
      var total = 0.0
      for block in 0..<UInt64(80) {
        stream.start(draw: block)
        var sums = [Double](repeating: 0, count: 128)
        for k in 0..<steps {
          stream.fill(&normals, chunks: 1, from: UInt64(k))
          for lane in 0..<128 { sums[lane] += step.squareRoot() * normals[lane] }
        }
        for lane in 0..<128 {
          let exact = Elementary.exp(0.5 * sums[lane] - 0.125)
          let distance = runner.values(block * 128 + UInt64(lane))[0] - exact
          total += distance * distance
        }
      }
      return total / (80 * 128)
    }
    let found = try meanSquare(1 / 16.0, 16) / meanSquare(1 / 32.0, 32)
    #expect(abs(found / ratio - 1) < 0.2, "\(found) instead of \(ratio)")
  }

  // MARK: - The catalog's own equations

  /// dV = k V (V - 1) dt + sqrt2 V dB of tanh, k = -2, against its explicit solution; atanh rho of shaped ReLU and log V against the covariance
  /// diffusion. The right formula has the same law, a wrong one has another.
  @Test func equationsOfTheCatalog() throws {
    let cases: [(JobValue, Int, limit: String, observable: String, drift: String, wrong: String, diffusion: String)] = [
      (
        .table(["name": .text("tanh"), "a": .real(1)]), 1, "explosion-law", "V[0,0]", "-2*x*(x - 1)", "-x*(x - 1)",
        "sqrt(2)*x"
      ),
      (
        .table(["name": .text("shaped-relu"), "c_plus": .real(1), "c_minus": .real(-1)]), 2, "covariance-sde",
        "atanh_rho[0,1]", "2/pi*cosh(x)*(1 - sinh(x)*atan2(1, sinh(x))) + tanh(x)/2",
        "2/pi*cosh(x)*(1 - sinh(x)*atan2(1, sinh(x)))", "1"
      ),
      (.text("linear"), 1, "covariance-sde", "log_V[0]", "-1", "-0.9", "sqrt(2)"),
    ]
    for item in cases {
      let model = try network(item.0, width: 50, depth: 50, inputs: correlated(0.3, count: item.1))
      func law(_ keys: [String: JobValue], _ name: String) throws -> BitHistogram {
        let table = JobValue.table(["step": .real(0.01)].merging(keys) { $1 })
        let experiment = try limitLegs(table, path: "limit", network: model, networkDraws: 10).legs[0].experiment!
        return sample(experiment, validating ? 500_000 : 40_000, name: name).histograms[
          index(experiment, item.observable)]
      }
      func own(_ drift: String) throws -> BitHistogram {
        try law(
          [
            "equation": .text("sde"), "observable": .text(item.observable), "drift": Self.formula(drift),
            "diffusion": Self.formula(item.diffusion),
          ], "own \(drift)")
      }
      let catalog = try law(["equation": .text(item.limit)], item.limit)
      let (right, wrong) = try (own(item.drift), own(item.wrong))
      let same = KolmogorovSmirnov(right, catalog)
      #expect(same.pValue > 1e-6, "\(item.observable): distance \(same.distance)")
      #expect(KolmogorovSmirnov(wrong, catalog).pValue < 1e-9, "\(item.wrong) goes unnoticed")
    }
  }

  // MARK: - Draws

  /// Steps written out for single paths, from the normals of their lane; on both sides of a border of blocks, at two records.
  @Test func lanesArePaths() throws {
    let leg = try Self.legs(
      Self.formula("sin(x) + t"), Self.formula("cos(x)"), ["step": .real(0.125), "start": .real(0.25)],
      layers: [50, 100])[0]
    let runner = leg.experiment!.makeRunner(9)
    var stream = Stream(key: 9)
    var normals = [Double](repeating: 0, count: 128)
    for number in [0, 1, 127, 128, 129, 1000] as [UInt64] {
      stream.start(draw: number / 128)
      var (x, records) = (0.25, [Double]())
      for k in 0..<8 {
        stream.fill(&normals, chunks: 1, from: UInt64(k))
        let (g, h) = (normals[Int(number % 128)], 0.125)
        let (b, s, slope) = (sin(x) + Double(k) * h, cos(x), -sin(x))
        x += b * h + s * h.squareRoot() * g + 0.5 * s * slope * h * (g * g - 1)
        if k % 4 == 3 { records.append(x) }
      }
      for (found, plain) in zip(runner.values(number), records) { #expect(abs(found - plain) < 1e-13, "\(number)") }
    }
  }

  /// Whatever was drawn before, and by whatever key: the scratch keeps a block.
  @Test func drawsArePure() throws {
    let experiment = try Self.legs(Self.formula("-x"), Self.formula("1 + x*x"), ["step": .real(0.1)])[0].experiment!
    let numbers: [UInt64] = [0, 5, 127, 128, 300, 4000]
    let (one, two, other) = (experiment.makeRunner(5), experiment.makeRunner(5), experiment.makeRunner(6))
    let forwards = numbers.map { one.values($0) }
    let backwards = numbers.reversed().map { two.values($0) }.reversed()
    #expect(forwards == Array(backwards))
    #expect(numbers.allSatisfy { other.values($0) != one.values($0) })
    #expect(Set(forwards.map { $0[0] }).count == numbers.count)
  }

  @Test func aScratchServesSeveralKeys() throws {
    let paths = ItoPaths(
      ItoEquation(
        drift: try .init("-x", variables: ItoEquation.variables),
        diffusion: try .init("1", variables: ItoEquation.variables), slope: nil),
      start: 0, origin: 0, times: [1], step: 0.1, path: "limit",
      schema: Schema(axis: .layers([1]), observables: [Observable("x", "x")]))
    let scratch = paths.makeScratch()
    var (found, value) = ([Double](), 0.0)
    for key in [1, 2, 1] as [UInt64] {
      var stream = Stream(key: key)
      stream.start(draw: 3)
      _ = paths.draw(using: &stream, scratch: scratch, into: &value)
      found.append(value)
    }
    #expect(found[0] == found[2] && found[0] != found[1])
  }

  // MARK: - Clock, start, what leaves the numbers

  /// dX = t dt is T^2/2 less half a step of rounding down; `time` sets T.
  @Test(arguments: [(nil, 1.0), (3.0, 3)])
  func clock(time: Double?, end: Double) throws {
    let extra: [String: JobValue] = time.map { ["time": .real($0)] } ?? [:]
    let legs = try Self.legs(
      Self.formula("t"), Self.formula("0"), extra.merging(["step": .real(0.25), "extrapolate": .boolean(true)]) { $1 })
    let values = legs.map { $0.experiment!.makeRunner(1).values(0)[0] }
    #expect(abs(2 * values[1] - values[0] - 0.5 * end * end) < 1e-14, "\(values)")
  }

  @Test(arguments: [("V[0,1]", 0.3), ("log_V[1]", 0), ("rho[0,1]", 0.3), ("atanh_rho[0,1]", 0.30951960420311175)])
  func startsAtTheInputs(observable: String, value: Double) throws {
    let model = try network(.text("linear"), width: 10, depth: 10, inputs: correlated(0.3))
    let keys: [String: JobValue] = [
      "equation": .text("sde"), "observable": .text(observable), "drift": Self.formula("0"),
      "diffusion": Self.formula("0"),
    ]
    let leg = try limitLegs(.table(keys), path: "limit", network: model, networkDraws: 10).legs[0]
    #expect(abs(leg.experiment!.makeRunner(1).values(0)[0] - value) < 1e-15)
    #expect(leg.observables.map(\.name) == [observable])
  }

  /// Half of the paths reach 0, where the logarithm ends: they are counted, and the log says where. The rest has its values.
  @Test func leavingTheNumbersIsCounted() throws {
    _ = Notes.take()
    let leg = try Self.legs(Self.formula("0*log(x)"), Self.formula("1"), ["step": .real(0.01), "start": .real(0.5)])[0]
    let tally = sample(leg.experiment!, 20_000, name: "events")
    // P(min of B over [0, 1] < -a) = 2 P(B_1 < -a); steps see the barrier 0.5826 sqrt(h) further off (Broadie, Glasserman and Kou, 1997).
    // The 20,000 paths have a standard error of 0.0035, the correction is good to h.
    let share = Double(tally.counter(.overflowed)) / 20_000
    let known = erfc(0.55826 / 2.0.squareRoot())
    #expect(abs(share - known) < 5 * 0.0035 + 0.01, "\(share) \(known)")
    #expect(tally.moments(0).count == 20_000 - Int(tally.counter(.overflowed)))
    let note = Notes.take().first { $0.contains("left the numbers") } ?? ""
    #expect(note.contains("log(-0.") && note.contains("of the drift") && note.contains("t = 0."), "\(note)")
  }
}
