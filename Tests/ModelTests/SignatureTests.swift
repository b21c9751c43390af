import Experiments
import Kernels
import Limits
import Networks
import Randomness
import Signatures
import Statistics
import Testing

/// Rows of a file.
private struct Points: DataSource {
  let rows: [[Double]]
  func table(_ request: TableRequest) throws -> DataTable { DataTable(columns: [], rows: rows) }
}

/// Neural signature kernels: printed values of the recursion, of the differential equation and of networks.
@Suite struct SignatureTests {
  static var curves: [Any] { [["t", "t^2"], ["sin(2*t)", "1 - t"]] }

  static func legs(_ keys: [String: Any], _ data: any DataSource = NoData()) throws -> FamilyCase<SignatureModel> {
    let usual: [String: Any] = [
      "width": 16, "steps": 10, "activation": "linear", "paths": curves, "sigma_bias": 0.5, "draws": 2,
    ]
    return try SignatureFamily.read(
      ProblemRuns.value(usual.merging(keys) { $1 }), JobContext(path: "signature", options: [:], data: data))
  }

  /// Values of the first draws, a row a draw: K_00, K_01, K_11 at the last time.
  static func rows(_ keys: [String: Any], _ draws: Int, path: String = "signature") throws -> [[Double]] {
    let runner = try legs(keys).legs[0].experiment!.makeRunner(Stream.key(seed: 2026, path: path))
    return (0..<draws).map { runner.values(UInt64($0)) }
  }

  /// What a limit predicts of the pairs, at the last time.
  static func limit(_ name: String, _ keys: [String: Any]) throws -> [Double] {
    let entry = SignatureLimits.all.first { $0.name == name }!
    let p = try Parameters(.table(["equation": .text(name)]), path: "limit", allowed: entry.parameters)
    guard case .known(let values) = try entry.make(p, legs(keys).model).content else { return [] }
    return values.means
  }

  private static let activations = ["linear", "relu", "erf"]
  /// K^xx and K^xy at (1, 1): of the recursion of 10 steps, and of the differential equation.
  private static let recursion = [[4.732472, 0.754865], [2.855788, 0.862353], [2.463846, 0.979552]]
  private static let differential = [[5.180441, 0.785483], [2.962080, 0.861102], [2.477974, 0.987926]]

  // MARK: - Known values

  @Test func recursionIsAsPrinted() throws {
    for (activation, printed) in zip(Self.activations, Self.recursion) {
      let found = try Self.limit("infinite-width-signature", ["activation": activation])
      for (value, known) in zip(found.prefix(2), printed) {
        #expect((value - known).magnitude < 6e-7, "\(activation): \(value), printed \(known)")
      }
    }
    let fresh = try Self.limit("infinite-width-signature", ["weights": "inhomogeneous"])
    #expect((fresh[0] - 9.457267).magnitude < 6e-7, "\(fresh[0])")
  }

  @Test func differentialEquationIsAsPrinted() throws {
    for (activation, printed) in zip(Self.activations, Self.differential) {
      let found = try Self.limit("signature-kernel", ["activation": activation])
      for (value, known) in zip(found.prefix(2), printed) {
        #expect((value - known).magnitude < 6e-7, "\(activation): \(value), printed \(known)")
      }
    }
    let fresh = try Self.limit("signature-kernel", ["weights": "inhomogeneous"])
    // dK/dt = (K + 1/4)(1 + 4 t^2).
    #expect((fresh[0] - (1.25 * Elementary.exp(7.0 / 3) - 0.25)).magnitude < 1e-8, "\(fresh[0])")
  }

  private static let identity = SignatureEquation(
    SlopeActivation(plus: 1, minus: 1), start: 1, weight: 1, bias: 0)
  private static func line(_ slope: Double) -> SignaturePath { SignaturePath(points: [[0], [slope]]) }

  /// Of straight lines $K = I_0(2 \sqrt c)$, c = 1 here and 0.3.
  @Test func straightLinesHaveBesselsFunction() {
    func kernel(_ c: Double, _ steps: Int, _ scheme: SignatureEquation.Scheme) -> Double {
      Self.identity.kernels([Self.line(1), Self.line(c)], steps: steps, scheme)[1][steps]
    }
    for (steps, printed) in [(10, 2.279941), (20, 2.279674), (40, 2.279607)] {
      #expect((kernel(1, steps, .trapezoid) - printed).magnitude < 6e-7)
    }
    #expect((kernel(1, 40, .euler) - 2.26280).magnitude < 6e-6)
    for c in [1.0, 0.3] {
      var (bessel, term) = (0.0, 1.0)
      for k in 1...30 {
        bessel += term
        term *= c / Double(k * k)
      }
      let (coarse, fine) = (kernel(c, 128, .trapezoid), kernel(c, 256, .trapezoid))
      #expect((SignatureKernel.extrapolated(fine, coarse) - bessel).magnitude < 1e-9, "c = \(c)")
    }
  }

  /// Errors of the recursion fall as 1/M and those of the trapezoidal rule as 1/M^2: halved steps leave a half, and a quarter, of them, within a tenth. The kernel of
  /// ReLU is less smooth where the paths begin.
  @Test(arguments: ["linear", "erf", "relu"]) func orders(activation: String) throws {
    let settings = try Self.legs(["activation": activation]).model.settings
    let equation = SignatureEquation(settings)
    let exact = try Self.limit("signature-kernel", ["activation": activation])
    for (scheme, part) in [(SignatureEquation.Scheme.euler, 0.5), (.trapezoid, 0.25)] {
      let errors = [64, 128].map { steps in
        zip(equation.kernels(settings.paths, steps: steps, scheme), exact).map { $0[steps] - $1 }
      }
      for (coarse, fine) in zip(errors[0], errors[1]) {
        #expect((fine / coarse - part).magnitude < 0.1 * part, "\(activation) \(scheme): \(coarse), \(fine)")
      }
    }
  }

  /// A general activation goes through the same rows as one with a closed form: the quadrature of erf as a formula.
  @Test func quadratureAgreesWithTheClosedForm() throws {
    let formula: [String: Any] = ["activation": ["formula": "erf(x)"]]
    let (closed, found) = (
      try Self.limit("infinite-width-signature", ["activation": "erf"]),
      try Self.limit("infinite-width-signature", formula)
    )
    for (a, b) in zip(closed, found) { #expect((a - b).magnitude < 1e-10, "\(a), \(b)") }
  }

  // MARK: - Networks

  /// Printed means of networks of 10 steps; 24 comparisons with the errors of both.
  @Test func networksAreAsPrinted() throws {
    let printed: [(String, Int, xx: (Double, Double), xy: (Double, Double))] = [
      ("linear", 8, (5.422, 0.055), (0.996, 0.017)), ("linear", 32, (4.922, 0.041), (0.810, 0.013)),
      ("linear", 128, (4.803, 0.028), (0.767, 0.009)), ("relu", 8, (3.119, 0.031), (.nan, 0)),
      ("relu", 32, (2.892, 0.022), (.nan, 0)), ("relu", 128, (2.857, 0.015), (.nan, 0)),
      ("erf", 8, (2.464, 0.014), (.nan, 0)), ("erf", 32, (2.459, 0.013), (.nan, 0)),
      ("erf", 128, (2.450, 0.009), (.nan, 0)),
    ]
    for (activation, width, xx, xy) in printed {
      let rows = try Self.rows(["activation": activation, "width": width], validating ? 20_000 : 2000)
      expectMean(rows.map { $0[0] }, xx.0, xx.1, "\(activation) \(width) xx")
      if !xy.0.isNaN { expectMean(rows.map { $0[1] }, xy.0, xy.1, "\(activation) \(width) xy") }
    }
    let fresh = try Self.rows(["weights": "inhomogeneous", "width": 64], 4000)
    expectMean(fresh.map { $0[0] }, 9.479, 0.077, "inhomogeneous")
  }

  /// Both samplers have one law: means and variances of three entries, each within 4.5 errors (36 comparisons). At a width of 6 the paths span all units.
  @Test(arguments: ["homogeneous", "inhomogeneous"], [(6, "erf"), (24, "relu"), (9, "linear")])
  func samplersAgree(weights: String, network: (width: Int, activation: String)) throws {
    let keys: [String: Any] = [
      "weights": weights, "width": network.width, "activation": network.activation, "steps": 6,
    ]
    let draws = validating ? 40_000 : 4000
    let sides = try ["conditional", "weights"].map { name in
      try Self.rows(keys.merging(["sampler": name]) { $1 }, draws, path: name)
    }
    for place in 0..<3 {
      let (a, b) = (Moments(values: sides[0].map { $0[place] }), Moments(values: sides[1].map { $0[place] }))
      #expect(zScore(a, b).magnitude < 4.5, "\(weights) \(network) mean \(place): \(a.mean), \(b.mean)")
      let error = (a.varianceError * a.varianceError + b.varianceError * b.varianceError).squareRoot()
      #expect((a.variance - b.variance).magnitude < 4.5 * error, "\(weights) \(network) variance \(place)")
    }
  }

  /// A matrix that does not change.
  private final class Fixed: WeightMatrix {
    let matrix: ExplicitMatrix
    init(_ matrix: ExplicitMatrix) { self.matrix = matrix }
    var rows: Int { matrix.rows }
    var columns: Int { matrix.columns }
    func renew(_ stream: inout Stream) {}
    func multiply(_ v: UnsafePointer<Double>, into y: UnsafeMutablePointer<Double>, _ stream: inout Stream) {
      matrix.multiply(v, into: y, &stream)
    }
    func multiplyTransposed(_ v: UnsafePointer<Double>, into y: UnsafeMutablePointer<Double>, _ stream: inout Stream) {}
  }

  /// The weights that the reduced draw has asked for, filled in and driven again, give the same kernel.
  @Test(arguments: ["linear", "relu", "erf"]) func replay(activation: String) throws {
    let settings = try Self.legs(["activation": activation, "width": 40, "records": "all"]).model.settings
    let network = ControlledNetwork(settings)
    let lazy = LazyMatrix(.gaussian, rows: 80, columns: 40, forward: settings.questions, backward: 0)
    var stream = Stream(key: 7)
    func values(_ matrix: any WeightMatrix) -> [Double] {
      stream.start(draw: 3)
      var values = Array(repeating: 0.0, count: network.schema.width)
      values.withUnsafeMutableBufferPointer {
        _ = network.draw(
          using: &stream, scratch: ControlledNetwork.Scratch(settings, matrix: matrix), into: $0.baseAddress!)
      }
      return values
    }
    let reduced = values(lazy)
    let whole = Fixed(lazy.completed(&stream))
    for (a, b) in zip(reduced, values(whole)) {
      #expect((a - b).magnitude < 1e-12 * max(1, b.magnitude), "\(activation): \(a), \(b)")
    }
  }

  /// With fresh weights and the identity the mean is that of the recursion at every width: three entries, two widths, within 4 errors.
  @Test(arguments: [1, 5]) func linearInhomogeneousNetworksHaveAnExactMean(width: Int) throws {
    let keys: [String: Any] = ["weights": "inhomogeneous", "width": width, "steps": 4]
    let legs = try Self.legs(keys).legs
    let exact = try #require(legs.first { $0.role == .exact }?.known)
    let rows = try Self.rows(keys, 20_000)
    for place in 0..<3 {
      let found = Moments(values: rows.map { $0[place] })
      #expect((found.mean - exact.means[place]).magnitude < 4 * found.meanError, "\(width) \(place)")
    }
  }

  /// One unit: $Y = \xi (1 + A/M)^M$ along x = t, so that $E Y^x Y^y = E (1 + A/M)^M (1 + c A/M)^M \to e^{(1 + c)^2/2}$.
  @Test func oneUnitIsARecurrentNetwork() throws {
    let c = 0.3
    func exact(_ steps: Int) -> Double {
      GaussianExpectation.of { a in
        (0..<steps).reduce(1.0) { product, _ in
          product * (1 + a / Double(steps)) * (1 + c * a / Double(steps))
        }
      }
    }
    let limit = Elementary.exp(0.5 * (1 + c) * (1 + c))
    let extrapolated = 2 * exact(400) - exact(200)
    #expect((extrapolated - limit).magnitude < 1e-3, "\(extrapolated), \(limit)")
    let keys: [String: Any] = ["width": 1, "steps": 8, "sigma_bias": 0.0, "paths": [["t"], ["0.3*t"]]]
    for sampler in ["conditional", "weights"] {
      let rows = try Self.rows(keys.merging(["sampler": sampler]) { $1 }, 40_000, path: sampler)
      let found = Moments(values: rows.map { $0[1] })
      #expect((found.mean - exact(8)).magnitude < 4 * found.meanError, "\(sampler): \(found.mean), \(exact(8))")
    }
  }

  // MARK: - Paths and refusals

  @Test func pointsOfAFileAreAPath() throws {
    let points = (0...5).map { [Double($0) / 5, Double($0 * $0) / 25] }
    let keys: [String: Any] = ["paths": [["file": "path.csv"], ["t", "t^2"]], "steps": 5, "draws": 2]
    let model = try Self.legs(keys, Points(rows: points)).model
    let found = SignatureEquation(model.settings).kernels(model.settings.paths, steps: 5, .euler)
    for (a, b) in zip(found[0], found[2]) { #expect((a - b).magnitude < 1e-14) }
    // Between the points the path is straight.
    let half = model.settings.paths[0].points(steps: 10)
    #expect((half[2] - 0.1).magnitude < 1e-15 && (half[3] - 0.02).magnitude < 1e-15)
  }

  @Test func refusals() throws {
    let cases: [([String: Any], String)] = [
      (["paths": [["t"], ["t", "1"]]], "paths[1] = [\"t\", \"1\"]: has 2 components; must have 1, as paths[0]"),
      (["paths": [Any]()], "must be an array of 1 to 64 paths"),
      (["paths": [["t + u"]]], "is no formula in t"),
      (["paths": [["1/t"]]], "must be a finite number at every time, and is not at t = 0/10"),
      (
        ["paths": [["file": "a.csv"]], "steps": 9],
        "must be a multiple of 2, the straight pieces of a path from a file; the nearest is 10"
      ),
      (["records": [0.25]], "has 0.25, which is no multiple of 1/steps = 1/10; the nearest is 0.3"),
      (["records": "lst"], "did you mean last?"),
      (["width": 100_000, "sampler": "weights"], "must be such that a draw keeps at most 268435456 numbers"),
      (["sigma_start": 0.0], "sigma_start = 0.0: must be a finite number above 0"),
      (["weights": "homogenous"], "did you mean homogeneous"),
    ]
    for (keys, words) in cases {
      let error = #expect(throws: Failure.self) { try Self.legs(keys, Points(rows: [[0], [1], [2]])) }
      #expect(error?.status == .badData)
      #expect(error?.message.contains(words) ?? false, "\(error?.message ?? "")")
    }
  }

  @Test func pathsOfFilesMustFit() throws {
    for (rows, words) in [([[1.0, 2.0]], "has 1 point; a path needs at least 2"), ([], "has 0 point")] {
      let error = #expect(throws: Failure.self) { try Self.legs(["paths": [["file": "a.csv"]]], Points(rows: rows)) }
      #expect(error?.message.contains(words) ?? false, "\(error?.message ?? "")")
    }
    struct Two: DataSource {
      func table(_ request: TableRequest) throws -> DataTable {
        DataTable(columns: [], rows: request.file == "a.csv" ? [[0], [1]] : [[0], [1], [2]])
      }
    }
    let error = #expect(throws: Failure.self) {
      try Self.legs(["paths": [["file": "a.csv"], ["file": "b.csv"]]], Two())
    }
    #expect(error?.message.contains("has 3 points; must have 2, as paths[0]") ?? false, "\(error?.message ?? "")")
  }
}
