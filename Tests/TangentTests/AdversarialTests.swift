import Kernels
import Tangent
import Testing

import Limits

/// Linearised training on adversarial examples.
@Suite struct AdversarialTests {
  static func job(width: Int, times: String, strength: Double = 0.3) -> String {
    """
    service = "adversarial-training"
    width = \(width)
    points = [[-1.0], [-0.3], [0.4], [1.1]]
    targets = [-0.8, 0.6, 0.9, -0.5]
    test = [[-0.65], [0.05], [2.0]]
    times = \(times)
    gain = 1.0
    sigma_weight = 2.0
    sigma_bias = 1.0
    strength = \(strength)
    draws = 2
    """
  }

  /// Printed values at infinite width (theory, kernels.md 7), to their digits.
  @Test func printedLimits() throws {
    let service = try Service(Self.job(width: 128, times: "[1.0, 1e6]"))
    let rates = (service.model.problem as? AdversarialTraining)?.rates ?? []
    for (found, printed) in zip(rates, [1.082620, 1.595915, 1.444146, 1.065602]) {
      #expect((found - printed).magnitude < 6e-7, "\(found)")
    }
    #expect(rates.count == 4)
    let clean = try Service(Self.job(width: 128, times: "[1.0, 1e6]", strength: 0))
    for (a, (adversarial, plain, last, variance)) in [
      (-0.053345, -0.117759, -0.215863, 0.009176), (0.596135, 0.450788, 1.063865, 0.039328),
      (-0.118588, -0.109935, -0.792808, 0.061379),
    ].enumerated() {
      let equation = "infinite-width-service"
      #expect((try service.limit(equation, "f[\(a)]") - adversarial).magnitude < 6e-7)
      #expect((try clean.limit(equation, "f[\(a)]") - plain).magnitude < 6e-7)
      #expect((try service.limit(equation, "f[\(a)]", record: 1) - last).magnitude < 6e-7)
      #expect((try clean.limit(equation, "f[\(a)]", record: 1) - last).magnitude < 6e-7)
      #expect((try service.limit(equation, "f[\(a)]", .variance) - variance).magnitude < 6e-7)
      #expect((try service.limit(equation, "variance[\(a)]") - variance).magnitude < 6e-7)
    }
  }

  /// Printed means and variances of networks of 128 units.
  @Test func printedDraws() throws {
    let service = try Service(Self.job(width: 128, times: "[1.0]"))
    for (a, (mean, error, variance, its)) in [
      (-0.0451, 0.0026, 0.0105, 0.0004), (0.5929, 0.0051, 0.0395, 0.0014), (-0.1104, 0.0074, 0.0824, 0.0030),
    ].enumerated() {
      let f = try service.sample("f[\(a)]", 4000)
      expect(f, mean, error, "mean of f[\(a)]")
      let centre = Sample(f).mean
      expect(f.map { ($0 - centre) * ($0 - centre) }, variance, its, "variance of f[\(a)]")
    }
    expect(try service.sample("diagonal", 4000), try service.exact("diagonal"), 0, "diagonal")
  }

  /// The law given the kernel against the outputs themselves: means and second moments, of few units, where the kernel fluctuates most.
  @Test(arguments: [2, 5, 40])
  func lawGivenTheKernelIsThatOfOutputs(width: Int) throws {
    let service = try Service(Self.job(width: width, times: "[0.0, 0.7, 20.0]"))
    for record in 0..<3 {
      for a in 0..<3 {
        let f = try service.sample("f[\(a)]", 6000, record: record)
        let mean = try service.sample("mean[\(a)]", 6000, record: record)
        let variance = try service.sample("variance[\(a)]", 6000, record: record)
        expect(zip(f, mean).map { $0 - $1 }, 0, 0, "n = \(width), mean of f[\(a)]")
        expect(
          f.indices.map { f[$0] * f[$0] - mean[$0] * mean[$0] - variance[$0] }, 0, 0, "n = \(width), square of f[\(a)]")
      }
    }
  }

  /// $B_t$ against the power series of $\Theta^{-1} (1 - e^{-\Theta \Xi t})$, and against plain interpolation.
  @Test func flowIsTheSeries() {
    let (n, rates, t) = (3, [0.5, 1.5, 2.0], 0.8)
    let kernel = [2.0, 0.3, -0.4, 0.3, 1.0, 0.2, -0.4, 0.2, 1.5, 0.7, -0.2, 0.9]
    let flow = LinearisedFlow(rates: rates, points: 1)
    flow.prepare(kernel, stride: n)
    flow.move(to: t)
    // Th^-1 (1 - e^(-Th Xi t)) = Xi t - Xi Th Xi t^2/2 + …
    var term = (0..<n * n).map { $0 % (n + 1) == 0 ? t * rates[$0 / n] : 0 }
    var sum = term
    for k in 2...60 {
      var next = Array(repeating: 0.0, count: n * n)
      for i in 0..<n {
        for j in 0..<n {
          for l in 0..<n { next[i * n + j] -= term[i * n + l] * kernel[l * n + j] * rates[j] * t / Double(k) }
        }
      }
      term = next
      for i in sum.indices { sum[i] += term[i] }
    }
    for j in 0..<n {
      let expected = (0..<n).reduce(0) { $0 + kernel[9 + $1] * sum[$1 * n + j] }
      #expect((flow.map[j] - expected).magnitude < 1e-12, "\(flow.map[j]), \(expected)")
    }
    // What B is of the kernel itself: at large times the rest of the training error is gone.
    flow.move(to: 1e9)
    for j in 0..<n {
      let product = (0..<n).reduce(0) { $0 + flow.map[$1] * kernel[$1 * n + j] }
      #expect((product - kernel[9 + j]).magnitude < 1e-11)
    }
  }

  /// Eigenvectors rebuild the matrix, whose eigenvalues span 18 decades with their relative accuracy.
  @Test func eigenvectors() {
    let n = 5
    // D H D, H the well-conditioned matrix 1 + 0.1, D diagonal.
    let scales = [1, 1e-3, 1e-9, 1e-6, 10]
    let matrix = (0..<n * n).map { (($0 % (n + 1) == 0 ? 1 : 0) + 0.1) * scales[$0 / n] * scales[$0 % n] }
    var (a, q) = (matrix, Array(repeating: 0.0, count: n * n))
    SymmetricEigenvectors.find(&a, count: n, vectors: &q)
    for i in 0..<n {
      for j in 0..<n {
        let rebuilt = (0..<n).reduce(0) { $0 + q[$1 * n + i] * a[$1 * (n + 1)] * q[$1 * n + j] }
        #expect((rebuilt - matrix[i * n + j]).magnitude < 1e-14 * scales[i] * scales[j] * 1e3 + 1e-13 * scales[i])
        let product = (0..<n).reduce(0) { $0 + q[i * n + $1] * q[j * n + $1] }
        #expect((product - (i == j ? 1 : 0)).magnitude < 1e-14)
      }
    }
    // The determinant: (1 + n/10) times the squares of the scales.
    let determinant = (0..<n).reduce(1) { $0 * a[$1 * (n + 1)] }
    let expected = scales.reduce(1.5) { $0 * $1 * $1 }
    #expect((determinant / expected - 1).magnitude < 1e-13, "\(determinant), \(expected)")
  }
}
