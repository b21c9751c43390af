import Kernels
import Randomness
import Statistics
import Testing

@Suite struct WindowSumTests {
  @Test("The sum does not depend on the order, and is that of ExactSum")
  func order() {
    var stream = Stream(key: 5)
    stream.start(draw: 0)
    let values = (0..<2000).map { i in stream.normal() * Double(sign: .plus, exponent: i % 150 - 100, significand: 1) }
    func sum(_ values: [Double]) -> ([Int64], Double) {
      var words = Array(repeating: Int64(0), count: WindowSum.words)
      let total = words.withUnsafeMutableBufferPointer { buffer -> Double in
        for x in values { WindowSum.add(x, to: buffer.baseAddress!) }
        return WindowSum.value(buffer.baseAddress!)
      }
      return (words, total)
    }
    let (words, total) = sum(values)
    let (other, reversed) = sum(values.reversed())
    #expect(words == other && total == reversed)
    var exact = Array(repeating: Int64(0), count: ExactSum.words)
    let reference = exact.withUnsafeMutableBufferPointer { buffer -> Double in
      for x in values { ExactSum.add(x, to: buffer.baseAddress!) }
      ExactSum.carry(buffer.baseAddress!)
      return ExactSum.value(buffer.baseAddress!)
    }
    #expect((total - reference).magnitude <= 2 * total.ulp)
  }

  @Test("One number is its own sum; what does not fit makes NaN")
  func borders() {
    func alone(_ x: Double) -> Double {
      withUnsafeTemporaryAllocation(of: Int64.self, capacity: WindowSum.words) { words in
        words.initialize(repeating: 0)
        WindowSum.add(x, to: words.baseAddress!)
        return WindowSum.value(words.baseAddress!)
      }
    }
    for x in [0.0, 1, -1, 3.5e-38, -0x1.fffffffffffffp126, 0x1.123456789abcdp-130, 1 / 3.0] {
      #expect(WindowSum.holds(x) && alone(x) == x)
    }
    for x in [0x1p127, -Double.infinity, .nan, .greatestFiniteMagnitude] {
      #expect(!WindowSum.holds(x) && alone(x).isNaN)
    }
    #expect(alone(0x1p-300) == 0 && alone(.leastNonzeroMagnitude) == 0)
    #expect(alone(0x1.8p-192) == 0x1p-192)
  }
}

@Suite struct BatchMeansTests {
  @Test("Standard error of an autoregressive series, and the state suspended and resumed")
  func autoregression() {
    var stream = Stream(key: 6)
    stream.start(draw: 0)
    let rho = 0.9
    var (x, batches, copy) = (0.0, BatchMeans(), BatchMeans())
    let n = 200_000
    for i in 0..<n {
      x = rho * x + stream.normal()
      batches.add(x)
      copy.add(x)
      if i % 7919 == 0 {
        var fresh = BatchMeans()
        fresh.words = copy.words
        #expect(fresh == copy)
        copy = fresh
      }
    }
    // The spectral density at 0 is 1/(1 - rho)^2.
    let known = 1 / ((1 - rho) * Double(n).squareRoot())
    // With 32 to 64 batches the estimate is good to 13% at worst; 4 of them.
    #expect((batches.standardError / known - 1).magnitude < 0.5)
    #expect(copy == batches)
    var short = BatchMeans()
    for i in 0..<15 { short.add(Double(i)) }
    #expect(short.standardError.isNaN)
  }
}

@Suite struct StudentTests {
  @Test("Student's law by way of the normal one")
  func student() {
    // Two-sided 1% points of t.
    for (nu, t) in [(3, 5.8409), (5, 4.0321), (15, 2.9467), (100, 2.6259)] {
      #expect((Student.equivalentZ(t, degreesOfFreedom: nu) - 2.5758).magnitude < 0.04)
      #expect(
        (Student.equivalentT(Student.equivalentZ(t, degreesOfFreedom: nu), degreesOfFreedom: nu) - t).magnitude < 1e-9)
    }
  }
}

@Suite struct MarginalTests {
  static let normal = TabulatedLaw(name: "normal", from: -9, to: 9) { Elementary.exp(-0.5 * $0 * $0) }

  @Test("Quantiles of a tabulated law")
  func table() {
    #expect(Self.normal.quantile(1024).magnitude < 1e-9)
    #expect((Self.normal.quantile(2048 * 31 / 32) - 1.8627318675).magnitude < 1e-6)
  }

  @Test("W2, KL and entropy of normal samples: at the law itself, and for a shifted and a wider one")
  func distances() {
    var stream = Stream(key: 8)
    func folds(_ shift: Double, _ scale: Double) -> [BitHistogram] {
      (0..<8).map { fold in
        stream.start(draw: UInt64(fold))
        var histogram = BitHistogram()
        for _ in 0..<50_000 { histogram.add(shift + scale * stream.normal()) }
        return histogram
      }
    }
    let same = folds(0, 1)
    let none = MarginalDistance.jackknife(same) { MarginalDistance.divergence($0, Self.normal) }
    #expect(none.value.magnitude < 5 * none.error && none.error < 1e-4)
    let entropy = MarginalDistance.jackknife(same, MarginalDistance.entropy)
    // Widths that stand for a changing density cost some 0.001.
    #expect((entropy.value - 1.4189385).magnitude < 5 * entropy.error + 2e-3)
    let moved = MarginalDistance.jackknife(folds(0.1, 1)) { MarginalDistance.squaredW2($0, Self.normal) }
    #expect((moved.value - 0.01).magnitude < 5 * moved.error + 1e-4)
    // KL(N(0, 1.1^2) | N(0, 1)) = (1.21 - 1)/2 - log 1.1 = 0.0096898; binning loses a little.
    let wide = MarginalDistance.jackknife(folds(0, 1.1)) { MarginalDistance.divergence($0, Self.normal) }
    #expect(wide.value > 0.0085 && wide.value < 0.0098)
  }
}
