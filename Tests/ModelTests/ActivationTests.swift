import Experiments
import Kernels
import Limits
import Networks
import Testing

/// What every activation owes, over the catalog: derivatives, how smooth it is, expectations, and its closed kernel if it has one.
@Suite struct ActivationTests {
  /// Parameters of activations that need some, or have more than one form; all others as they are.
  static let tables: [String: [JobValue]] = [
    "leaky-relu": [table(["name": .text("leaky-relu"), "plus": .real(1.2), "minus": .real(-0.4)])],
    "relu-power": (1...4).map { table(["name": .text("relu-power"), "power": .integer($0)]) },
    "polynomial": [[0.3, -1, 0.5, 0.2], [2], [0, 0, 0, 1]].map { (list: [Double]) in
      table(["name": .text("polynomial"), "coefficients": .list(list.map { .real($0) })])
    },
  ]

  /// As in the catalog, and shaped with s = 1.3 sqrt(7).
  static func functions(_ name: String) throws -> [any Activation] {
    var values = tables[name] ?? [.text(name)]
    if ActivationEntry.all.first(where: { $0.name == name })!.derivatives != nil {
      values.append(table(["name": .text(name), "a": .real(1.3)]))
    }
    return try values.map { try ActivationChoice($0, path: "activation", width: 7).function }
  }

  static let names = ActivationEntry.all.map(\.name)
  /// Off the kinks at 0, by more than the steps of the differences.
  static let points = (-40...40).map { Double($0) / 8 + 0.03 }

  /// Variances and correlation.
  static let places: [(Double, Double, Double)] = [
    (1.0, 0.8, 0.3), (1, 0.8, -1), (0.01, 4, -0.7), (0.01, 4, 0.999), (2, 2, -1 + 1e-8), (2, 2, 1),
  ]

  @Test(arguments: names) func derivativesAreThoseOfTheFunction(name: String) throws {
    let h = 1e-3
    for f in try Self.functions(name) {
      for x in Self.points {
        func difference(_ g: (Double) -> Double) -> Double {
          (8 * (g(x + h) - g(x - h)) - (g(x + 2 * h) - g(x - 2 * h))) / (12 * h)
        }
        let size = max(1, f.value(x).magnitude, f.derivative(x).magnitude)
        let (first, second) = (difference(f.value), difference(f.derivative))
        #expect((f.derivative(x) - first).magnitude < 2e-9 * size, "\(name)'(\(x)): \(f.derivative(x)) \(first)")
        #expect((f.curvature(x) - second).magnitude < 2e-9 * size, "\(name)''(\(x)): \(f.curvature(x)) \(second)")
      }
    }
  }

  /// Blocks give the bits of single values, of any length; NaN stays NaN.
  @Test(arguments: names) func blocksAreTheSameBitsAsValues(name: String) throws {
    for f in try Self.functions(name) {
      for count in [1, 7, 81, 600] {
        let points = (0..<count).map { Self.points[$0 % 81] * (1 + Double($0 / 81)) }
        var (values, both, slopes, bends) = (points, points, points, points)
        values.withUnsafeMutableBufferPointer { f.apply($0.baseAddress!, count) }
        bends.withUnsafeMutableBufferPointer { f.applyCurvature($0.baseAddress!, count) }
        both.withUnsafeMutableBufferPointer { both in
          slopes.withUnsafeMutableBufferPointer { f.apply(both.baseAddress!, slopes: $0.baseAddress!, count) }
        }
        #expect(values.map(\.bitPattern) == points.map { f.value($0).bitPattern })
        #expect(both.map(\.bitPattern) == values.map(\.bitPattern))
        #expect(slopes.map(\.bitPattern) == points.map { f.derivative($0).bitPattern })
        #expect(bends.map(\.bitPattern) == points.map { f.curvature($0).bitPattern })
      }
      if name != "polynomial" { #expect(f.value(.nan).isNaN) }
    }
  }

  /// The derivative that is said to jump at 0 does, and those below it do not; of an analytic function none does.
  @Test(arguments: names) func smoothnessIsWhatItIs(name: String) throws {
    for f in try Self.functions(name) {
      let h = 1e-9
      let gaps = [f.value, f.derivative, f.curvature].map { ($0(h) - $0(-h)).magnitude }
      let jumps =
        switch f.smoothness {
        case .jump: 0
        case .kink(let order): order
        default: Int.max
        }
      for (order, gap) in gaps.enumerated() where order <= jumps {
        #expect(order == jumps ? gap > 0.1 : gap < 1e-6, "\(name): derivative \(order) by \(gap)")
      }
      #expect(f.kinks == (jumps == .max ? [] : [0]))
      #expect((f.missingDerivative != nil) == (jumps == 0) && (f.missingCurvature != nil) == (jumps == 0))
    }
  }

  @Test(arguments: names) func secondMoments(name: String) throws {
    for f in try Self.functions(name) {
      let panels = try #require(UnitMoments(f).single(1)).square
      #expect((f.secondMoment - panels).magnitude < 1e-11 * panels, "\(name): \(f.secondMoment) \(panels)")
    }
  }

  /// Closed kernels and their derivatives against quadrature to 1e-11, up to equal and opposite inputs, plain and shaped; and the derivative against
  /// differences of the kernel where it is smooth.
  @Test(arguments: names) func closedKernels(name: String) throws {
    var tested = 0
    for f in try Self.functions(name) {
      guard let closed = f as? any ClosedKernel else { continue }
      let isPlain = (f as? any SmoothActivation)?.scaling.outer ?? 1 == 1
      for (p, q, rho) in isPlain ? Self.places : Array(Self.places.prefix(2)) {
        let scale = (p * q).squareRoot()
        /// By panels, which the trapezoidal rule of analytic functions has nothing in common with.
        func panels(_ g: any Activation, _ k: GaussianPair) -> Double {
          SplitExpectation.ofProduct(kinks: g.kinks, varianceU: k.p, varianceV: k.q, covariance: k.r, g.apply)
        }
        func size(_ kernel: (GaussianPair) -> Double) -> Double {
          (kernel(GaussianPair(p, p, p)) * kernel(GaussianPair(q, q, q))).squareRoot()
        }
        let (values, slopes) = (size(closed.product), f.smoothness == .jump ? 1 : size(closed.slope))
        let pair = GaussianPair(p, q, rho * scale)
        let place = "\(name) \(p) \(q) \(rho)"
        let (product, mine) = (panels(f, pair), closed.product(pair))
        tested += 1
        #expect((mine - product).magnitude <= 1e-11 * values, "\(place): \(mine) \(product)")
        if f.smoothness != .jump {
          let (slope, mine) = (panels(SlopeFunction(f), pair), closed.slope(pair))
          #expect((mine - slope).magnitude <= 1e-11 * slopes, "\(place)': \(mine) \(slope)")
        }
        guard rho.magnitude < 0.9 else { continue }
        let h = 1e-3 * scale
        func at(_ step: Double) -> Double { closed.product(GaussianPair(p, q, rho * scale + step * h)) }
        let difference = (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * h)
        #expect((closed.slope(pair) - difference).magnitude < 1e-9 * max(values / scale, 1), "\(place)': \(difference)")
      }
    }
    let open = ["tanh", "silu", "softplus", "gelu-tanh", "sigmoid"]
    #expect(open.contains(name) ? tested == 0 : tested >= 6, "\(name): \(tested)")
  }

  /// The loop over a row has the bits of single pairs, also where variances are 0, out of the range of their product, or inputs equal and opposite; so has the
  /// mirrored part.
  @Test(arguments: names) func rowsOfKernels(name: String) throws {
    let variances = [1, 0.8, 0, 1e-300, 3, 1e-170, 1e200, 0.05] + (1...30).map { 0.1 * Double($0) }
    let m = variances.count
    let correlations = [0.3, -0.9, 1, -1, 0, 0.999_999, 0.6, -0.2, 0.97]
    var k = Array(repeating: 0.0, count: m * m)
    for a in 0..<m {
      for b in 0...a {
        let rho = a == b ? 1 : correlations[(a * 7 + b * 3) % correlations.count]
        k[a * m + b] = rho * (variances[a].squareRoot() * variances[b].squareRoot())
        k[b * m + a] = k[a * m + b]
      }
      k[a * m + a] = variances[a]
    }
    for f in try Self.functions(name) {
      guard let closed = f as? any ClosedKernel else { continue }
      let kernel = ActivationKernel(f)
      let products = kernel.apply(k, m)
      let (same, slopes) = kernel.applyWithDerivative(k, m)
      #expect(same.map(\.bitPattern) == products.map(\.bitPattern))
      for a in 0..<m {
        for b in 0..<m {
          let pair = GaussianPair(variances[max(a, b)], variances[min(a, b)], k[a * m + b])
          let (u, v) = (products[a * m + b], closed.product(pair))
          #expect(u.bitPattern == v.bitPattern || u.isNaN && v.isNaN, "\(name) \(a) \(b): \(u) \(v)")
          let (x, y) = (slopes[a * m + b], closed.slope(pair))
          #expect(x.bitPattern == y.bitPattern || x.isNaN && y.isNaN, "\(name)' \(a) \(b): \(x) \(y)")
        }
      }
    }
  }

  /// Printed values for variances 1 and 0.8 and covariance 0.3, by an independent program.
  @Test(arguments: [
    ("relu", 0.225437575191, 0.304437454758), ("erf", 0.137842397237, 0.466792264916),
    ("gelu", 0.150966449145, 0.309432424062),
  ])
  func printedKernels(name: String, product: Double, slope: Double) throws {
    let closed = try #require(try Self.functions(name)[0] as? any ClosedKernel)
    let pair = GaussianPair(1, 0.8, 0.3)
    #expect((closed.product(pair) - product).magnitude < 6e-13 && (closed.slope(pair) - slope).magnitude < 6e-13)
  }

  /// Large and small variances, where the formulas as they are printed cancel: GELU is ReLU of large inputs, x/2 + x^2/sqrt(2 pi) of small ones.
  @Test func kernelsFarFromOne() throws {
    let (gelu, relu) = (Gelu(), SlopeActivation(plus: 1, minus: 0))
    for rho in [-1, -0.4, 0, 0.6, 1.0] {
      let large = GaussianPair(1e12, 1e12, rho * 1e12)
      #expect((gelu.product(large) - relu.product(large)).magnitude < 2e-6 * 1e12)
      let small = GaussianPair(1e-8, 1e-8, rho * 1e-8)
      // E (u/2 + u^2/sqrt(2 pi))(v/2 + v^2/sqrt(2 pi)).
      let series = 0.25 * rho * 1e-8 + (1 + 2 * rho * rho) * 1e-16 / (2 * Double.pi)
      #expect((gelu.product(small) - series).magnitude < 1e-23, "\(gelu.product(small)) \(series)")
    }
    let far = GaussianPair(2000, 2000, 2000 - 1)
    #expect((Sin().product(far) / (0.5 * Elementary.exp(-1)) - 1).magnitude < 1e-12)
    #expect((Sin().product(GaussianPair(1e-9, 1e-9, 1e-12)) / 1e-12 - 1).magnitude < 1e-8)
  }

  /// Where there is no closed kernel the two rules agree, and the derivative is that of the kernel.
  @Test(arguments: ["tanh", "silu", "gelu-tanh"]) func quadratures(name: String) throws {
    for f in try Self.functions(name) {
      let kernel = ActivationKernel(f)
      for (p, q, r) in [(1.0, 0.8, 0.3), (2, 0.5, -0.7)] {
        let panels = SplitExpectation.ofProduct(kinks: [], varianceU: p, varianceV: q, covariance: r, f.apply)
        #expect((kernel.product(p, q, r) - panels).magnitude < 1e-11, "\(name): \(panels)")
        let h = 1e-3
        func at(_ step: Double) -> Double { kernel.product(p, q, r + step * h) }
        let difference = (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * h)
        #expect((kernel.derivativeProduct(p, q, r) - difference).magnitude < 1e-9, "\(name)': \(difference)")
      }
    }
  }

  /// The trapezoidal rule halves its step where a pole is near, and gives up at a kink.
  @Test func quadratureChecksItself() {
    // E 1/(1 + a^2 g^2) = sqrt(pi/2) e^(1/2a^2) erfc(1/(a sqrt 2))/a; the step that is tried first is 8% off.
    let a = 20.0
    let exact =
      (Double.pi / 2).squareRoot() * Elementary.exp(0.5 / (a * a)) * (1 - Elementary.erf(0.5.squareRoot() / a)) / a
    let found = GaussianExpectation.of { 1 / (1 + a * a * $0 * $0) }
    #expect((found - exact).magnitude < 1e-13, "\(found) \(exact)")
    #expect(GaussianExpectation.of(\.magnitude).isNaN)
    #expect(GaussianExpectation.ofProduct({ $0.magnitude }, varianceU: 1, varianceV: 1, covariance: 0.3).isNaN)
    // What lies beyond its reach is no value: E e^(u + v) of large variances.
    #expect(GaussianExpectation.ofProduct(Elementary.exp, varianceU: 25, varianceV: 25, covariance: 20).isNaN)
  }

  @Test func whatIsRefused() throws {
    func refusal(_ value: JobValue, _ extra: [String: JobValue] = [:], limit: String? = nil) -> String {
      do {
        let model = try network(
          value, width: 8, depth: 2, inputs: correlated(0.3), extra: ["c": .real(1)].merging(extra) { $1 })
        if let limit {
          _ = try limitLegs(table(["equation": .text(limit)]), path: "limit", network: model, networkDraws: 2)
        }
      } catch let failure as Failure {
        #expect(failure.status == .badData)
        return failure.message
      } catch { return "\(error)" }
      return ""
    }
    func probes(_ names: String...) -> [String: JobValue] { ["probes": .list(names.map { .text($0) })] }
    for probe in ["ntk", "dntk", "jacobian", "spectrum"] {
      let said = refusal(.text("sign"), probes("covariance", probe))
      #expect(said.contains("network.activation = \"sign\": needs a derivative for the probe"), "\(probe): \(said)")
      #expect(said.contains("it jumps at x = 0"), "\(probe): \(said)")
      let step = refusal(table(["formula": .text("where(x > 0.5, 1, 0)")]), probes("covariance", probe))
      #expect(step.contains("it jumps at x = 0.5"), "\(probe): \(step)")
      #expect(refusal(.text("relu"), probes("covariance", probe)) == "")
    }
    #expect(refusal(.text("sign"), probes("covariance", "output")) == "")
    #expect(refusal(.text("sign"), limit: "infinite-width") == "")
    let kink = refusal(
      table(["formula": .text("abs(x) + 1")]), probes("dntk").merging(["observables": .list([.text("f_dntk")])]) { $1 },
      limit: "finite-width")
    #expect(kink.contains("needs phi = 0 where phi' jumps") && kink.contains("phi(0.0) = 1.0"), "\(kink)")
    func polynomial(_ list: JobValue) -> String {
      refusal(table(["name": .text("polynomial"), "coefficients": list]))
    }
    for wrong: JobValue in [
      .list([]), .list([.real(0)]), .list([.text("x")]), .real(1), .list(Array(repeating: .real(1), count: 18)),
    ] {
      let said = polynomial(wrong)
      #expect(said.contains("network.activation.coefficients") && said.contains("1 to 17 finite numbers"), "\(said)")
    }
    #expect(refusal(.text("polynomial")).contains("network.activation.coefficients"))
    let power = refusal(table(["name": .text("relu-power"), "power": .integer(5)]))
    #expect(power.contains("network.activation.power = 5") && power.contains("1"), "\(power)")
    #expect(refusal(table(["name": .text("cos"), "a": .real(1)])).contains("unknown key"))
    #expect(refusal(.text("sine")).contains("did you mean"))
  }
}
