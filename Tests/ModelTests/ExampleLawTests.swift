import Experiments
import Kernels
import Randomness
import Statistics
import Testing
import Training

/// Teachers that are a link function, or a Gaussian process.
@Suite struct ExampleLawTests {
  private static func data(_ keys: [String: Any]) throws -> TrainingData {
    let runs = try ProblemRuns(
      "mlp",
      [
        "width": 4, "activation": "relu", "steps": 1,
        "data": ["features": 3, "samples": 5, "test": 3].merging(keys) { $1 },
      ])
    return try #require(runs.model.problem as? TrainedMLP).data
  }

  /// y = T(w*.x/sqrt(d)): the same z as of the linear teacher with the same stream, through the link.
  @Test func aSingleIndexIsALinkOfTheLinearTeacher() throws {
    func targets(_ keys: [String: Any]) throws -> [Double] {
      let data = try Self.data(keys)
      let examples = data.makeExamples()
      var stream = Stream(key: 4)
      stream.start(draw: 3)
      data.draw(examples, &stream)
      return (0..<8).map { examples.targets[$0] }
    }
    let z = try targets(["teacher": "linear"])
    let y = try targets(["teacher": "single-index", "link": ["formula": "x^3 - 3*x"]])
    for (a, b) in zip(y, z) { #expect((a - (b * b * b - 3 * b)).magnitude < 1e-12 * max(1, a.magnitude)) }
  }

  /// Given the inputs y has the covariance of the process: y.K^-1 y is chi-square with as many degrees of freedom as examples, of mean m and variance 2 m, with
  /// K from the inputs by formulas of its own (arc-cosine kernels). Four tests, each within 4 standard errors; noise on the examples of training would show.
  @Test(arguments: ["nngp", "ntk"]) func processesHaveTheirCovariance(teacher: String) throws {
    let data = try Self.data(["teacher": teacher, "link": "relu", "teacher_depth": 2])
    let examples = data.makeExamples()
    let m = 8
    func arcCosine(_ p: Double, _ q: Double, _ r: Double) -> (product: Double, slope: Double) {
      let scale = (p * q).squareRoot()
      let rho = min(1, max(-1, r / scale))
      let sine = max(0, 1 - rho * rho).squareRoot()
      let angle = Elementary.angle(x: rho, y: sine)
      return (scale * (sine + (Double.pi - angle) * rho) / Double.pi, (Double.pi - angle) / Double.pi)
    }
    let values = (0..<3000).map { draw -> Double in
      var stream = Stream(key: 11)
      stream.start(draw: UInt64(draw))
      data.draw(examples, &stream)
      var k = (0..<m * m).map { i in
        (0..<3).reduce(0) { $0 + examples.inputs[i / m * 3 + $1] * examples.inputs[i % m * 3 + $1] } / 3
      }
      var theta = k
      for _ in 0..<2 {
        let pairs = (0..<m * m).map { arcCosine(k[$0 / m * (m + 1)], k[$0 % m * (m + 1)], k[$0]) }
        k = pairs.map(\.product)
        theta = (0..<m * m).map { k[$0] + pairs[$0].slope * theta[$0] }
      }
      let lower = Triangular.cholesky(teacher == "ntk" ? theta : k, m: m)!
      var sum = 0.0
      var solved: [Double] = []
      for a in 0..<m {
        let rest = (0..<a).reduce(examples.targets[a]) { $0 - lower[a * m + $1] * solved[$1] }
        solved.append(rest / lower[a * m + a])
        sum += solved[a] * solved[a]
      }
      return sum
    }
    let found = Moments(values: values)
    #expect((found.mean - 8).magnitude < 4 * found.meanError, "\(found.mean) +- \(found.meanError)")
    #expect((found.variance - 16).magnitude < 4 * found.varianceError, "\(found.variance) +- \(found.varianceError)")
  }

  @Test(
    arguments: [
      (["teacher": "linear", "link": "relu"], "training.data.link"), (["teacher": "nngp"], "training.data.link"),
      (["teacher": "ntk", "link": "sign"], "tangent kernel"),
      (["teacher": "nngp", "link": "relu", "fresh": true], "fresh"),
      (["teacher": "nngp", "link": "relu", "samples": 2000], "at most 1000"),
    ] as [([String: any Sendable], String)])
  func whatHasNoMeaningIsRefused(keys: [String: any Sendable], words: String) {
    #expect { try Self.data(keys) } throws: { "\($0)".contains(words) }
  }
}
