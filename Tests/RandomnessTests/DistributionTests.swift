import Kernels
import Randomness
import Statistics
import Testing

/// A family of 60 two-sided tests below: |z| < 4.5 fails one true family in 2,500.
let criticalZ = 4.5

/// One sample's mean and variance against the truth.
private func check(
  _ name: String, _ count: Int, mean: Double, variance: Double, fourth: Double, _ draw: () -> Double
) {
  var sum = 0.0
  var square = 0.0
  for _ in 0..<count {
    let x = draw() - mean
    sum += x
    square += x * x
  }
  let n = Double(count)
  let zMean = sum / n / (variance / n).squareRoot()
  let zVariance = (square / n - variance) / ((fourth - variance * variance) / n).squareRoot()
  #expect(abs(zMean) < criticalZ, "\(name): mean, z = \(zMean)")
  #expect(abs(zVariance) < criticalZ, "\(name): variance, z = \(zVariance)")
}

/// One-sample Kolmogorov-Smirnov: the scaled distance, 2.3 of which has probability 5e-5.
private func ksScaled(_ sample: [Double], _ cdf: (Double) -> Double) -> Double {
  let sorted = sample.sorted()
  let n = Double(sorted.count)
  var d = 0.0
  for (i, x) in sorted.enumerated() {
    let f = cdf(x)
    d = max(d, abs(f - Double(i) / n), abs(Double(i + 1) / n - f))
  }
  return d * n.squareRoot()
}

@Suite struct DistributionTests {
  @Test func normalMoments() {
    let count = 1 << 22
    var s = Stream(key: 1)
    s.start(draw: 0)
    var sums = [Double](repeating: 0, count: 9)
    var lagged = 0.0
    var paired = 0.0
    for _ in 0..<count / 4096 {
      let g = s.normals(4096)
      for i in 0..<4096 {
        var p = 1.0
        for k in 1...8 {
          p *= g[i]
          sums[k] += p
        }
      }
      for i in 0..<4095 { lagged += g[i] * g[i + 1] }
      for i in stride(from: 0, to: 4096, by: 128) { for j in 0..<64 { paired += g[i + j] * g[i + j + 64] } }
    }
    let n = Double(count)
    // E g^k and its variance E g^2k - (E g^k)^2 for k = 1...8; moments 1, 3, 15, 105, 945, 10395, 135135, 2027025.
    let even = [1.0, 1, 3, 15, 105, 945, 10395, 135135, 2_027_025]
    for k in 1...8 {
      let expected = k % 2 == 0 ? even[k / 2] : 0
      let z = (sums[k] / n - expected) / ((even[k] - expected * expected) / n).squareRoot()
      #expect(abs(z) < criticalZ, "moment \(k), z = \(z)")
    }
    #expect(abs(lagged / n.squareRoot()) < criticalZ)
    #expect(abs(paired / (n / 2).squareRoot()) < criticalZ)
  }

  @Test func normalLaw() {
    var s = Stream(key: 2)
    s.start(draw: 9)
    var sample: [Double] = []
    for _ in 0..<250 { sample += UnsafeBufferPointer(start: s.normals(4000), count: 4000) }
    let d = ksScaled(sample) { 0.5 * (1 + Elementary.erf($0 * 0.7071067811865476)) }
    #expect(d < 2.3, "KS \(d)")
    // Beyond 4.5 standard deviations 6.8 of a million are expected; 30 have probability 1e-10.
    #expect(sample.filter { abs($0) > 4.5 }.count < 30)
  }

  @Test func scalarNormalsAndUniforms() {
    var s = Stream(key: 3)
    s.start(draw: 0)
    check("uniform", 1_000_000, mean: 0.5, variance: 1.0 / 12, fourth: 1.0 / 80) { s.uniform() }
    check("scalar normal", 1_000_000, mean: 0, variance: 1, fourth: 3) { s.normal() }
    let uniforms = (0..<500_000).map { _ in s.uniform() }
    #expect(ksScaled(uniforms) { $0 } < 2.3)
    #expect(uniforms.allSatisfy { $0 > 0 && $0 < 1 })
  }

  @Test(arguments: [0.5, 1.0, 2.5, 30.0, 1e6])
  func gamma(shape: Double) {
    var s = Stream(key: 4)
    s.start(draw: UInt64(shape))
    check("gamma \(shape)", 300_000, mean: shape, variance: shape, fourth: 3 * shape * shape + 6 * shape) {
      s.gamma(shape: shape)
    }
  }

  @Test func gammaOfShapeOneIsExponential() {
    var s = Stream(key: 5)
    s.start(draw: 0)
    let sample = (0..<300_000).map { _ in s.gamma(shape: 1) }
    #expect(ksScaled(sample) { 1 - Elementary.exp(-$0) } < 2.3)
  }

  @Test(arguments: [1, 2, 7, 8, 9, 100, 1_000_000])
  func chiSquare(k: Int) {
    var s = Stream(key: 6)
    s.start(draw: UInt64(k))
    let n = Double(k)
    check("chi-square \(k)", 200_000, mean: n, variance: 2 * n, fourth: 12 * n * n + 48 * n) { s.chiSquare(k) }
    #expect(s.chiSquare(0) == 0)
  }

  @Test(arguments: [
    (10, 0.5), (512, 0.5), (513, 0.5), (1_000_000, 0.5), (1_000_000_000, 0.5), (20, 0.3), (1000, 0.002), (5000, 0.1),
    (300, 0.9),
  ])
  func binomial(n: Int, p: Double) {
    var s = Stream(key: 7)
    s.start(draw: UInt64(n))
    let variance = Double(n) * p * (1 - p)
    let fourth = variance * (1 + 3 * (Double(n) - 2) * p * (1 - p))
    check("binomial \(n) \(p)", 200_000, mean: Double(n) * p, variance: variance, fourth: fourth) {
      Double(s.binomial(n, p))
    }
  }

  @Test(arguments: [(12, 0.5), (40, 0.4), (30, 0.1)])
  func binomialLaw(n: Int, p: Double) {
    // Chi-square over the cells with at least 20 expected; its Wilson-Hilferty z against the family's bound.
    let count = 400_000
    var s = Stream(key: 8)
    s.start(draw: UInt64(n))
    var seen = [Int](repeating: 0, count: n + 1)
    for _ in 0..<count { seen[s.binomial(n, p)] += 1 }
    var statistic = 0.0
    var cells = 0.0
    var mass = Elementary.exp(Double(n) * Elementary.log(1 - p))
    for k in 0...n {
      let expected = mass * Double(count)
      if expected >= 20 {
        statistic += (Double(seen[k]) - expected) * (Double(seen[k]) - expected) / expected
        cells += 1
      }
      mass *= p / (1 - p) * Double(n - k) / Double(k + 1)
    }
    let free = cells - 1
    let cube = Elementary.exp(Elementary.log(statistic / free) / 3)
    let z = (cube - (1 - 2 / (9 * free))) / (2 / (9 * free)).squareRoot()
    #expect(z < criticalZ, "binomial \(n) \(p): z = \(z)")
  }
}
