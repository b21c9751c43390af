import Foundation
import Kernels
import Testing

/// Golden values (analysis/reference/golden.py): an argument, then values to 30 digits, each with the rest
/// that its nearest Double leaves.
struct Golden {
  struct Row {
    let x: Double
    let values: [(high: Double, low: Double)]
  }

  static func rows(_ name: String) throws -> [Row] {
    let url = Bundle.module.url(forResource: "Golden/\(name)", withExtension: "csv")!
    return try String(contentsOf: url, encoding: .utf8).split(separator: "\n").map { line in
      let parts = line.split(separator: ",").map { Double($0)! }
      return Row(x: parts[0], values: stride(from: 1, to: parts.count, by: 2).map { (parts[$0], parts[$0 + 1]) })
    }
  }

  /// Error of `computed` in units of the last place of the true value.
  static func ulps(_ computed: Double, _ truth: (high: Double, low: Double)) -> Double {
    if truth.high == computed && truth.low == 0 { return 0 }
    return abs((computed - truth.high) - truth.low) / max(truth.high.ulp, .leastNonzeroMagnitude)
  }
}

@Suite struct ElementaryTests {
  static let bound = 2.0

  /// Worst error over the golden values, of a loop over a buffer: the form the draws use.
  private func worst(_ name: String, _ column: Int, _ f: (Double) -> Double) throws -> (ulps: Double, x: Double) {
    let rows = try Golden.rows(name)
    #expect(rows.count > 2000)
    let input = rows.map(\.x)
    var output = [Double](repeating: 0, count: input.count)
    for i in input.indices { output[i] = f(input[i]) }
    var result = (ulps: 0.0, x: 0.0)
    for (row, value) in zip(rows, output) {
      let error = Golden.ulps(value, row.values[column])
      if !(error <= result.ulps) { result = (error, row.x) }
    }
    print("\(name)[\(column)]: worst \(result.ulps) ULP at \(result.x)")
    return result
  }

  @Test func exponential() throws { #expect(try worst("exp", 0, Elementary.exp).ulps <= Self.bound) }
  #if arch(x86_64)
    /// More points than a golden file holds, against 64-bit mantissas.
    @Test(arguments: [0.05, 0.3, 1.2, 20])
    func tanhEverywhere(top: Double) {
      var state: UInt64 = 9
      var worst = 0.0
      for _ in 0..<200_000 {
        state = state &* 0x5851_f42d_4c95_7f2d &+ 0x1405_7b7e_f767_814f
        let x = Double(state >> 11) * 0x1p-53 * top
        // Below 0.02 the difference would lose what the longer mantissa has more.
        if x < 0.02 { continue }
        let e = Foundation.exp(2 * Float80(x))
        let value = (e - 1) / (e + 1)
        worst = max(worst, Double((Float80(Elementary.tanh(x)) - value).magnitude / Float80(Double(value).ulp)))
      }
      #expect(worst <= Self.bound)
    }
  #endif

  @Test func quotients() {
    // The remainder n - q d of the fused step is exact, so the error is known to all digits.
    var state: UInt64 = 1
    func next(_ exponents: ClosedRange<Int>) -> Double {
      state = state &* 0x5851_f42d_4c95_7f2d &+ 0x1405_7b7e_f767_814f
      let mantissa = Double(bitPattern: (state >> 12) | (1.0).bitPattern)
      return mantissa
        * Double(sign: .plus, exponent: exponents.lowerBound + Int(state % UInt64(exponents.count)), significand: 1)
    }
    var worst = 0.0
    for _ in 0..<200_000 {
      let (n, d) = (next(-900...900), next(-60...60))
      let q = Elementary.quotient(n, d)
      worst = max(worst, (n.addingProduct(-q, d) / d).magnitude / q.ulp)
    }
    #expect(worst < 0.52)
    #expect(Elementary.quotient(0, 3) == 0 && Elementary.quotient(-1, 4) == -0.25)
  }

  @Test func logarithm() throws { #expect(try worst("log", 0, Elementary.log).ulps <= Self.bound) }
  @Test func sine() throws { #expect(try worst("sincos", 0) { Elementary.sinCos($0).sin }.ulps <= Self.bound) }
  @Test func cosine() throws { #expect(try worst("sincos", 1) { Elementary.sinCos($0).cos }.ulps <= Self.bound) }
  @Test func sineOfTurns() throws {
    #expect(try worst("sincosturns", 0) { Elementary.sinCosTurns($0).sin }.ulps <= Self.bound)
  }
  @Test func cosineOfTurns() throws {
    #expect(try worst("sincosturns", 1) { Elementary.sinCosTurns($0).cos }.ulps <= Self.bound)
  }
  @Test func hyperbolicTangent() throws { #expect(try worst("tanh", 0, Elementary.tanh).ulps <= Self.bound) }
  @Test func errorFunction() throws { #expect(try worst("erf", 0, Elementary.erf).ulps <= Self.bound) }
  @Test func gaussianErrorLinearUnit() throws {
    #expect(try worst("gelu", 0, Elementary.gelu).ulps <= Self.bound)
    for row in try Golden.rows("gelutail") {
      let truth = row.values[0].high
      #expect(abs(Elementary.gelu(row.x) / truth - 1) < 1e-12, "at \(row.x)")
    }
  }

  @Test func manyGaussianIntegralsAreTheSameBitsAsEach() throws {
    let points = try Golden.rows("gelu").map(\.x) + [.nan, .infinity, -.infinity, 0, -0.0, 1e300, -1e300]
    for (integral, magnitudes) in [(GaussianIntegral.erf, true), (.normal, false)] {
      for scale in [1, 0.3] {
        var many = points
        var seen: [Int] = []
        many.withUnsafeMutableBufferPointer {
          integral.apply($0.baseAddress!, $0.count, scale: scale, magnitudes: magnitudes) { k, x, value in
            seen.append(k)
            return x.isNaN ? x : value
          }
        }
        let each = points.map { x -> Double in
          x.isNaN ? x : integral.value(magnitudes ? (scale * x).magnitude : scale * x)
        }
        #expect(many.map(\.bitPattern) == each.map(\.bitPattern))
        #expect(seen == Array(points.indices))
      }
    }
  }

  @Test func edgesOfExponentialAndLogarithm() {
    #expect(Elementary.exp(0) == 1 && Elementary.exp(-0.0) == 1)
    #expect(Elementary.exp(.infinity) == .infinity && Elementary.exp(-.infinity) == 0)
    #expect(Elementary.exp(710) == .infinity && Elementary.exp(-746) == 0)
    #expect(Elementary.exp(709.782712893384).isFinite && Elementary.exp(-745) > 0)
    #expect(Elementary.exp(.nan).isNaN)
    #expect(Elementary.log(0) == -.infinity && Elementary.log(-0.0) == -.infinity)
    #expect(Elementary.log(1) == 0 && Elementary.log(.infinity) == .infinity)
    #expect(Elementary.log(-1).isNaN && Elementary.log(.nan).isNaN && Elementary.log(-.infinity).isNaN)
  }

  @Test func edgesOfSineAndCosine() {
    #expect(Elementary.sinCos(0).sin == 0 && Elementary.sinCos(0).cos == 1)
    #expect(Elementary.sinCos(-0.0).sin.sign == .minus)
    for x in [Double.infinity, -.infinity, .nan, 0x1p21] {
      #expect(Elementary.sinCos(x).sin.isNaN && Elementary.sinCos(x).cos.isNaN)
    }
    for (t, s, c) in [(0.0, 0.0, 1.0), (0.25, 1, 0), (0.5, 0, -1), (0.75, -1, 0), (1e300, 0, 1)] {
      #expect(Elementary.sinCosTurns(t).sin == s && Elementary.sinCosTurns(t).cos == c, "at \(t)")
    }
    #expect(Elementary.sinCosTurns(.infinity).sin.isNaN && Elementary.sinCosTurns(.nan).cos.isNaN)
  }

  @Test func edgesOfSigmoids() {
    for f in [Elementary.tanh, Elementary.erf] {
      #expect(f(0) == 0 && f(-0.0).sign == .minus)
      #expect(f(.infinity) == 1 && f(-.infinity) == -1 && f(40) == 1 && f(-40) == -1)
      #expect(f(.nan).isNaN)
      #expect(f(.leastNonzeroMagnitude) >= 0)
    }
    #expect(Elementary.gelu(0) == 0 && Elementary.gelu(40) == 40 && Elementary.gelu(-40) == 0)
    #expect(Elementary.gelu(.infinity) == .infinity && Elementary.gelu(-.infinity) == 0 && Elementary.gelu(.nan).isNaN)
  }

  @Test func angleAgreesWithCosineAndKeepsSmallAngles() {
    for k in 0...2000 {
      let t = Double.pi * Double(k) / 2000
      let (s, c) = Elementary.sinCos(t)
      #expect(abs(Elementary.angle(x: c, y: max(s, 0)) - t) <= 1e-15 * max(t, 0.5))
    }
    for e in [1e-8, 1e-100, 1e-300] { #expect(abs(Elementary.angle(x: 1, y: e) / e - 1) < 1e-15) }
    #expect(Elementary.angle(x: -1, y: 0) == Double.pi)
  }

  @Test func arcCosineDefectIsSmoothAcrossItsSwitch() {
    // (sin t - t cos t)/pi at t on either side of 0.25, against its derivative t sin t / pi.
    let step = 1e-4
    for t in stride(from: 0.2, through: 0.3, by: 0.01) {
      func f(_ t: Double) -> Double {
        let (s, c) = Elementary.sinCos(t)
        return Elementary.arcCosineDefect(rho: c, sine: s)
      }
      let slope = (f(t + step) - f(t - step)) / (2 * step)
      #expect(abs(slope - t * Elementary.sinCos(t).sin / Double.pi) < 1e-8)
    }
    let tiny = 1e-5
    #expect(
      abs(Elementary.arcCosineDefect(rho: 1 - 0.5e-10, sine: tiny) / (tiny * tiny * tiny / 3 / Double.pi) - 1) < 1e-9)
  }
}
