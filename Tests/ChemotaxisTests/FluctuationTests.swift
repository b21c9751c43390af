import Chemotaxis
import Experiments
import Kernels
import Testing

/// Fluctuations about the uniform density, and where it is unstable.
@Suite struct FluctuationTests {
  private static let q = (Double.pi / 4) * (Double.pi / 4)

  private static func factor(_ epsilon: Double, mass: Double = 1.5) -> StructureFactor {
    StructureFactor(q: q, mass: mass, tau: 0.5, epsilon: epsilon)
  }

  @Test("Printed values in the limit of small steps", arguments: [(0.0, 3.43693), (0.1, 3.24434), (1.0, 2.28362)])
  func continuous(epsilon: Double, printed: Double) throws {
    #expect((try #require(Self.factor(epsilon).continuous) - printed).magnitude < 6e-6)
  }

  @Test(
    "Printed values of the scheme with its step",
    arguments: [(0.0, 0.05, 3.27778), (0.1, 0.05, 3.09955), (1.0, 0.05, 2.20516), (0.1, 0.2, 2.7265)])
  func discrete(epsilon: Double, step: Double, printed: Double) throws {
    let tolerance = step == 0.2 ? 6e-5 : 6e-6
    #expect((try #require(Self.factor(epsilon).discrete(step: step)) - printed).magnitude < tolerance)
  }

  /// Two routes to one number: Lyapunov's equation in time, and the scheme with smaller and smaller steps.
  @Test(arguments: [0.0, 0.03, 0.1, 1, 7]) func smallStepsTendToIt(epsilon: Double) throws {
    let limit = try #require(Self.factor(epsilon).continuous)
    let errors = try [1e-3, 5e-4].map { try #require(Self.factor(epsilon).discrete(step: $0)) - limit }
    #expect(errors[0].magnitude < 0.01 * limit)
    #expect((errors[0] / errors[1] - 2).magnitude < 0.01, "order 1: \(errors)")
  }

  @Test(arguments: [0.0, 1e-3, 0.1, 1, 30]) func theThresholdDoesNotDependOnEps(epsilon: Double) throws {
    let threshold = Self.factor(epsilon).threshold
    #expect(threshold == (1 + Self.q) * (1 + 0.5 * Self.q))
    #expect(Self.factor(epsilon, mass: threshold).continuous == nil)
    // Euler's step of the particles moves it by q h/2, up.
    #expect(Self.factor(epsilon, mass: 1.01 * threshold).discrete(step: 0.01) == nil)
    #expect(try #require(Self.factor(epsilon, mass: 0.9999 * threshold).continuous) > 100)
    #expect(try #require(Self.factor(epsilon, mass: 0.9999 * threshold).discrete(step: 0.01)) > 10)
    // Without interaction particles are independent.
    #expect((try #require(Self.factor(epsilon, mass: 1e-12).continuous) - 1).magnitude < 1e-9)
    #expect((try #require(Self.factor(epsilon, mass: 1e-12).discrete(step: 0.3)) - 1).magnitude < 1e-9)
  }

  /// Six of the family's comparisons of means of replicas by chance (Student's law, 23 degrees of freedom): 4.5 errors have the probability 2e-4 each. The scheme's own S, less what is of order 1/N: the page
  /// measured 3.204(51), 3.029(50), 2.153(40) at N = 500 and 2.712(25) at N = 500, h = .2.
  @Test(
    "Simulated at N = 500",
    arguments: [
      (0.0, 0.05, 3.204, 0.051), (0.1, 0.05, 3.029, 0.05), (1.0, 0.05, 2.153, 0.04), (0.1, 0.2, 2.712, 0.025),
    ])
  func simulated(epsilon: Double, step: Double, printed: Double, error: Double) throws {
    let time = validating ? 8000.0 : 800
    let found = try Chemo.rows(
      Chemo.calm
        + "eps = \(epsilon)\nnumber = 500\nstep = \(step)\nwarm_up = \(Int(30 / step))\nsteps = \(Int(time / step))\nmeasure_every = 4\ndraws = 24",
      key: "S \(epsilon) \(step)")
    try Chemo.expect(found, "S[1]", printed, errors: 4.5, further: error)
    // 1/N of it is within 5%.
    let exact = try #require(Self.factor(epsilon).discrete(step: step))
    try Chemo.expect(found, "S[1]", exact, errors: 4.5, further: 0.05 * exact / 3)
    try Chemo.expect(found, "mean_c", 1.5, errors: 1, further: 1e-8)
    try Chemo.expect(found, "mean_w", 1.5, errors: 1, further: 1e-8)
  }

  /// In two and three dimensions the modes along one axis have the same S, and those along diagonals that of their q.
  @Test(arguments: [2, 3]) func dimensions(d: Int) throws {
    let keys =
      "domain = \"box\"\ndimension = \(d)\nlength = 4\nmass = 1.5\ntau = 0.5\neps = 0.1\nmodes = 2\nnumber = 1000\nstep = 0.2\nwarm_up = 150\nsteps = 400\nmeasure_every = 4\ndraws = 24"
    let found = try Chemo.rows(keys, key: "S in \(d)")
    let numbers = d == 2 ? [[1, 0], [0, 1], [1, 1]] : [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 1, 1]]
    for k in numbers {
      let q = Self.q * Double(k.reduce(0) { $0 + $1 * $1 })
      let exact = try #require(
        StructureFactor(q: q, mass: 1.5, tau: 0.5, epsilon: 0.1).discrete(step: 0.2))
      let name = "S[\(k.map(String.init).joined(separator: ","))]"
      try Chemo.expect(found, name, exact, errors: 4.5, further: 0.05 * exact / 3)
    }
  }
}
