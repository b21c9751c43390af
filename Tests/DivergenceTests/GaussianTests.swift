import Experiments
import Kernels
import Testing

/// Gaussian laws, steps to epsilon, particles.
@Suite struct GaussianTests {
  private static func steps(_ integrator: String, _ kappa: Int, _ epsilon: String) throws -> Known {
    try Known("law = \"steps-to-epsilon\"\nintegrator = \"\(integrator)\"\nkappa = \(kappa)\nepsilon = [\(epsilon)]")
  }

  /// shared: certificates, section 3: the table, but for three of its entries, for which a second program gave the values here.
  @Test(arguments: [
    ("lmc", 10, [36, 668]), ("lmc", 100, [391, 7010]), ("lmc", 1000, [3942, 70431]), ("ulmc", 10, [36, 537]),
    ("ulmc", 100, [369, 5442]), ("ulmc", 1000, [3882, 60697]), ("obabo", 10, [7, 26]), ("obabo", 100, [22, 84]),
    ("obabo", 1000, [68, 263]), ("baoab", 10, [4, 6]), ("baoab", 100, [10, 16]), ("baoab", 1000, [32, 46]),
  ])
  func printedSteps(integrator: String, kappa: Int, steps: [Int]) throws {
    let law = try Self.steps(integrator, kappa, "0.01, 1e-4")
    for r in 0..<2 {
      #expect(try law("steps", r) == Double(steps[r]))
      #expect(try law("KL", r) < [0.01, 1e-4][r])
    }
  }

  @Test func aFixedSettingTakesItsSteps() throws {
    let law = try Known(
      "law = \"gaussian\"\nintegrator = \"baoab\"\ncurvatures = [1, 100]\nstep = 0.141421\nsteps = 10\nrecords = [9, 10]\nstart_mean = 0\nstart_std = 0.1"
    )
    #expect(try law("KL", 0) >= 0.01)
    #expect(try law("KL", 1) < 0.01)
  }

  /// KL and R_2 of LMC in the closed form of one coordinate.
  @Test func lmcInClosedForm() throws {
    let law = try Known(
      "law = \"gaussian\"\ncurvatures = [0.5, 2]\nstep = 0.3\nsteps = 7\nrecords = [7]\nstart_mean = 1\nstart_std = 0.8\norders = [2]"
    )
    var (kl, renyi) = (0.0, 0.0)
    for a in [0.5, 2] {
      var (m, v) = (1.0, 0.64)
      for _ in 0..<7 { (m, v) = ((1 - 0.3 * a) * m, (1 - 0.3 * a) * (1 - 0.3 * a) * v + 0.6) }
      let s = a * v
      kl += (s - 1 - Elementary.log(s) + a * m * m) / 2
      renyi += a * m * m / (2 - s) - Elementary.log(s * (2 - s)) / 2
    }
    let found = (kl: try law("KL"), renyi: try law("renyi[2]"))
    #expect((found.kl - kl).magnitude < 1e-13)
    #expect((found.renyi - renyi).magnitude < 1e-13)
  }

  /// KL and Fisher information of k particles from the covariance matrix of all N, by linear algebra.
  @Test(arguments: [1, 2, 4, 5]) func marginalsByLinearAlgebra(k: Int) throws {
    let (n, lambda, theta) = (5, 0.8, 1.7)
    let a = lambda + theta
    let law = try Known(
      "law = \"particles\"\nintegrator = \"baoab\"\nnumber = \(n)\nlambda = \(lambda)\ntheta = \(theta)\nmarginals = [\(k)]\nstep = 0.3\nsteps = 400\nrecords = \"last\""
    )
    let precision = (0..<n).map { i in (0..<n).map { (i == $0 ? a : 0) - theta / Double(n) } }
    let marginal = invert(precision).0.prefix(k).map { Array($0.prefix(k)) }
    let (inverse, determinant) = invert(marginal)
    var (trace, fisher) = (0.0, 0.0)
    for i in 0..<k {
      trace += a * marginal[i][i]
      for j in 0..<k {
        // tr (a - C^-1)^2 C = tr(a^2 C - 2 a + C^-1)
        fisher += i == j ? a * a * marginal[i][i] - 2 * a + inverse[i][i] : 0
      }
    }
    let kl = 0.5 * (trace - Double(k) - Elementary.log(determinant) - Double(k) * Elementary.log(a))
    let u = Double(k) * theta / (lambda * Double(n))
    let expected = [
      ("KL", kl), ("FI", fisher), ("KL_end", 0.5 * (u - Elementary.log(1 + u))), ("FI_end", a * u * u / (1 + u)),
    ]
    for (name, value) in expected {
      let found = try law("\(name)[\(k)]")
      #expect((found - value).magnitude < 1e-12, "\(name): \(found), \(value)")
    }
  }

  /// Inverse and determinant, by elimination: of small, well-conditioned matrices.
  private func invert(_ matrix: [[Double]]) -> ([[Double]], Double) {
    let n = matrix.count
    var rows = matrix.enumerated().map { i, row in row + (0..<n).map { i == $0 ? 1 : 0 } }
    var determinant = 1.0
    for i in 0..<n {
      let pivot = rows[i][i]
      determinant *= pivot
      rows[i] = rows[i].map { $0 / pivot }
      for j in 0..<n where j != i {
        let factor = rows[j][i]
        rows[j] = zip(rows[j], rows[i]).map { $0 - factor * $1 }
      }
    }
    return (rows.map { Array($0.suffix(n)) }, determinant)
  }

  /// Chaos in nats: N^2 KL_1 -> (theta/lambda)^2/4 under a method without error, and gradients to epsilon grow as they must.
  @Test func gradientsToEpsilon() throws {
    var found: [String: [Double]] = [:]
    for integrator in ["lmc", "ulmc", "obabo", "baoab"] {
      let law = try Known("law = \"particles-to-epsilon\"\nintegrator = \"\(integrator)\"\nepsilon = [0.01, 1e-4]")
      found[integrator] = [try law("gradients", 0), try law("gradients", 1)]
      for r in 0..<2 {
        let (n, epsilon) = (try law("number", r), [0.01, 1e-4][r])
        #expect(try law("KL", r) < epsilon)
        #expect(try law("gradients", r) == n * law("steps", r))
        // (u - log(1 + u))/2 < epsilon.
        let u = 1 / n
        #expect(0.5 * (u - Elementary.log(1 + u)) < epsilon)
      }
    }
    // From one epsilon to a hundredth: about 100 times for first order, 10 times for BAOAB, which has no error in x.
    for name in ["lmc", "ulmc"] { #expect(found[name]![1] > 60 * found[name]![0]) }
    #expect(found["baoab"]![1] < 20 * found["baoab"]![0])
    #expect(found["baoab"]![1] < found["obabo"]![1])
  }
}
