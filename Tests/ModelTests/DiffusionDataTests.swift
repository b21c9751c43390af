import Diffusions
import Experiments
import Foundation
import Limits
import Statistics
import Testing

/// Diffusions on data of files, and what limits say of the data: against closed forms.
@Suite struct DiffusionDataTests {
  private struct Rows: DataSource {
    let columns: [String]
    let rows: [[Double]]
    func table(_ request: TableRequest) throws -> DataTable { DataTable(columns: columns, rows: rows) }
  }

  private static func read(_ keys: [String: Any], _ data: any DataSource = NoData()) throws -> DrawnProblemModel {
    try DiffusionFamily.read(
      ProblemRuns.value(["draws": 2].merging(keys) { $1 }), JobContext(path: "diffusion", options: [:], data: data)
    ).model
  }

  private static func rows(_ experiment: Experiment, _ draws: Int) -> [[Double]] {
    let runner = experiment.makeRunner(key: 2026)!
    return (0..<draws).map { runner.values(UInt64($0)) }
  }

  private static func classes(_ keys: [String: Any], _ rows: [[Double]]) throws -> GeneratedClasses {
    let usual: [String: Any] = [
      "process": "generated-classes", "file": "data.csv", "samples": 5, "tests": 4, "ridge": 0.3, "steps": 12,
      "from": 0.01, "to": 1e3,
    ]
    let data = Rows(columns: ["a", "b", "label"], rows: rows)
    return try #require(try read(usual.merging(keys) { $1 }, data).problem as? GeneratedClasses)
  }

  /// Classes of one point each without a bandwidth are generated as they are, so the whole draw is ridge regression in closed form, by elimination here.
  @Test func classesOfOnePointInClosedForm() throws {
    let points = [[1.0, 0.5], [-0.5, 2], [0.3, -1]]
    let table = points.enumerated().map { $1.map { 2 * $0 } + [Double($0)] }
    let problem = try Self.classes(["bandwidth": 0.0, "scale": 2.0], table)
    let found = Self.rows(Experiment(ProblemDraw(problem)), 2)
    let features = points.map { $0 + [1] }
    // (1/3) X^T X + 0.3, as each class has as many samples as the others.
    var system: [[Double]] = (0..<3).map { i in
      var row = Array(repeating: 0.0, count: 6)
      for j in 0..<3 {
        for x in features { row[j] += x[i] * x[j] / 3 }
        row[3 + j] = features[j][i] / 3
      }
      row[i] += 0.3
      return row
    }
    for i in 0..<3 {
      let pivot = system[i][i]
      system[i] = system[i].map { $0 / pivot }
      for k in 0..<3 where k != i {
        let factor = system[k][i]
        system[k] = zip(system[k], system[i]).map { $0 - factor * $1 }
      }
    }
    var (square, wrong) = (0.0, 0.0)
    for (own, x) in features.enumerated() {
      let outputs: [Double] = (0..<3).map { c in
        var output = 0.0
        for j in 0..<3 { output += x[j] * system[j][3 + c] }
        return output
      }
      for c in 0..<3 { square += pow(outputs[c] - (c == own ? 1 : 0), 2) }
      if outputs.indices.max(by: { outputs[$0] < outputs[$1] }) != own { wrong += 1 }
    }
    for row in found {
      #expect(row[0] == wrong / 3)
      #expect((row[1] - square / 9).magnitude < 1e-12, "\(row[1]), \(square / 9)")
    }
    #expect(wrong == 0 && square > 0.1)
  }

  /// Classes of one point with a bandwidth are normal, so that the twin with normal classes has their law: means and covariances of the generated samples are those of the recursion of one component, and both
  /// errors agree, with few samples to learn from. 4 comparisons, |z| < 4.5.
  @Test func twinsOfNormalClasses() throws {
    let table = [[0.6, 0, 0], [-0.6, 0.2, 1]] as [[Double]]
    let problem = try Self.classes(["bandwidth": 0.7, "tests": 20, "to": 30.0, "from": 0.05], table)
    let twin = problem.gaussian(moments: 200_000)
    let (a, b) = (
      Self.rows(Experiment(ProblemDraw(problem)), 3000), Self.rows(Experiment(ProblemDraw(twin)), 3001)
    )
    for place in 0..<2 {
      let (x, y) = (Moments(values: a.map { $0[place] }), Moments(values: b.dropFirst().map { $0[place] }))
      #expect(zScore(x, y).magnitude < 4.5, "\(place): \(x.mean) +- \(x.meanError), \(y.mean) +- \(y.meanError)")
    }
    // What is generated from one component, coordinate by coordinate: `additive` with that mean and variance.
    let one = Additive(
      data: .mixture(NormalMixture([.init(weight: 1, mean: 0.6, variance: 0.49)])), variance: .exploding, start: .usual,
      steps: 12, from: 0.05, to: 30, tail: 10)
    let (m, v) = try #require(one.moments)
    let normal = NormalClasses(means: [[m, 0], [-m, m / 3]], variance: v)
    let exact = normal.errors(samples: 5, tests: 20, ridge: 0.3, draws: 3000)
    for place in 0..<2 {
      let (x, y) = (Moments(values: a.map { $0[place] }), Moments(values: exact.map { $0[place] }))
      #expect(zScore(x, y).magnitude < 4.5, "\(place): \(x.mean) +- \(x.meanError), \(y.mean) +- \(y.meanError)")
    }
  }

  /// The same regression on normal samples, by another program: Cramer's rule for three coefficients.
  private struct NormalClasses {
    let means: [[Double]]
    let variance: Double

    func errors(samples: Int, tests: Int, ridge: Double, draws: Int) -> [[Double]] {
      var generator = SystemLike(state: 12345)
      func sample(_ c: Int) -> [Double] {
        means[c].map { $0 + variance.squareRoot() * generator.normal() } + [1]
      }
      return (0..<draws).map { _ in
        var (gram, sides) = (
          [[Double]](repeating: [0, 0, 0], count: 3), [[Double]](repeating: [0, 0, 0], count: 2)
        )
        let scale = 1 / Double(2 * samples)
        for c in 0..<2 {
          for _ in 0..<samples {
            let x = sample(c)
            for i in 0..<3 {
              sides[c][i] += scale * x[i]
              for j in 0..<3 { gram[i][j] += scale * x[i] * x[j] }
            }
          }
        }
        for i in 0..<3 { gram[i][i] += ridge }
        func determinant(_ m: [[Double]]) -> Double {
          m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) - m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0])
            + m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0])
        }
        let whole = determinant(gram)
        let weights = sides.map { side in
          (0..<3).map { k in
            determinant(gram.indices.map { i in gram[i].indices.map { $0 == k ? side[i] : gram[i][$0] } }) / whole
          }
        }
        var (wrong, square) = (0.0, 0.0)
        for c in 0..<2 {
          for _ in 0..<tests {
            let x = sample(c)
            let outputs = weights.map { w in (0..<3).reduce(0) { $0 + w[$1] * x[$1] } }
            if (outputs[1] > outputs[0] ? 1 : 0) != c { wrong += 1 }
            for k in 0..<2 { square += pow(outputs[k] - (k == c ? 1 : 0), 2) }
          }
        }
        return [wrong / Double(2 * tests), square / Double(4 * tests)]
      }
    }
  }

  /// Normals by Box and Muller from a linear congruential generator: nothing of the program's own.
  private struct SystemLike {
    var state: UInt64
    mutating func uniform() -> Double {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (Double(state >> 11) + 0.5) * 0x1p-53
    }
    mutating func normal() -> Double {
      let r = (-2 * log(uniform())).squareRoot()
      return r * cos(2 * Double.pi * uniform())
    }
  }

  /// Two points of a file, off the origin and of any size, with a label and a column that never changes: centred, scaled to E|x|^2 = d, the label left out, they are two points along a line.
  @Test func filesAreCentredAndScaled() throws {
    let data = Rows(columns: ["a", "b", "class"], rows: [[7, 1, 0], [3, 4, 9]])
    let keys: [String: Any] = [
      "process": "kinetic-path", "data": "file", "file": "x.csv", "label": "class", "signals": [0.4, 0.9],
    ]
    let problem = try #require(try Self.read(keys, data).problem as? KineticPath)
    #expect(problem.dimension == 2)
    let rows = Self.rows(Experiment(ProblemDraw(problem)), 8000)
    let exact = KineticPath(.twoPoints(dimension: 2), signals: [0.4, 0.9])
    for (record, s) in [0.4, 0.9].enumerated() {
      let rest = try #require(exact.unexplained(s))
      expectMean(rows.map { $0[2 * record] }, 1 - rest, 0, "explained \(s)")
      expectMean(rows.map { $0[2 * record + 1] }, rest, 0, "unexplained \(s)")
    }
    for (columns, words) in [(["a", "b", "clas"], "did you mean clas"), (["a", "b", "c"], "label")] {
      let failure = #expect(throws: Failure.self) {
        try Self.read(keys, Rows(columns: columns, rows: [[7, 1, 0], [3, 4, 9]]))
      }
      #expect(failure?.message.contains(words) ?? false, "\(failure?.message ?? "")")
    }
    let flat = #expect(throws: Failure.self) {
      try Self.read(keys, Rows(columns: ["a", "b", "class"], rows: [[1, 1, 0], [1, 1, 1]]))
    }
    #expect(flat?.message.contains("all equal") ?? false)
  }

  /// Angles are in the middle of m equal parts of a quarter turn.
  @Test func anglesAreInTheMiddle() {
    let found = KineticPath(.normal(dimension: 1), angles: 4).signals
    for (i, s) in found.enumerated() { #expect((s - tan((Double(i) + 0.5) * Double.pi / 8)).magnitude < 1e-14 * s) }
  }

  private static func limit(_ name: String, _ model: DrawnProblemModel) throws -> ReferenceValues {
    let entry = try #require(DiffusionLimits.all.first { $0.name == name })
    let p = try Parameters(.table(["equation": .text(name)]), path: "limit", allowed: entry.parameters)
    guard case .known(let values) = try entry.make(p, model).content else { throw Failure(.bug, "no values") }
    return values
  }

  /// Moments of the data and their tails; weights are taken over their sum.
  @Test func limitsAreTheData() throws {
    let data: [String: Any] = ["weights": [2.0, 6.0], "means": [-1.0, 0.5], "variances": [0.3, 0.8], "steps": 4]
    let line = try Self.limit(
      "line-data", Self.read(data.merging(["process": "additive", "tail_above": 1.5]) { $1 }))
    let mean = 0.25 * -1 + 0.75 * 0.5
    let second = 0.25 * (1 + 0.3) + 0.75 * (0.25 + 0.8)
    func above(_ m: Double, _ v: Double) -> Double {
      0.5 * (erfc((1.5 - m) / (2 * v).squareRoot()) + erfc((1.5 + m) / (2 * v).squareRoot()))
    }
    for (name, value) in [
      ("x", mean), ("square", second), ("tail", 0.25 * above(-1, 0.3) + 0.75 * above(0.5, 0.8)),
    ] { #expect((try #require(line.mean(of: name, record: 0)) - value).magnitude < 1e-12, "\(name)") }
    #expect(line.remainder == [Remainder("steps", order: 1)])
    // What no run will see is not compared.
    let far = try Self.limit("line-data", Self.read(data.merging(["process": "additive", "tail_above": 20.0]) { $1 }))
    #expect(far.mean(of: "tail", record: 0) == nil)
    let logNormal = try Self.limit("log-normal-data", Self.read(data.merging(["process": "multiplicative"]) { $1 }))
    let exact = 0.25 * exp(-1 + 0.15) + 0.75 * exp(0.5 + 0.4)
    #expect((try #require(logNormal.mean(of: "x", record: 0)) - exact).magnitude < 1e-12)
    #expect((try #require(logNormal.mean(of: "log_x", record: 0)) - mean).magnitude < 1e-12)
    #expect((try #require(logNormal.mean(of: "square_log_x", record: 0)) - second).magnitude < 1e-12)
    #expect(logNormal.remainder == [Remainder("steps", order: 1)])
  }

  /// Conditional means of Student data by a sum written out, near, far and beyond the table.
  @Test(arguments: [1e-4, 0.5, 40]) func conditionalMeansOfStudentData(t: Double) {
    let table = ConditionalMean(student: 3, signal: t)
    for y in [-3.0 * t, 0.2 * t, 1.7 * t, 30 * t, t + 2 * t.squareRoot()] {
      let z = y / t
      // Nodes in arsinh around 0 and, dense, around z.
      let width = 1 / t.squareRoot()
      var (mass, sum) = (0.0, 0.0)
      let (low, high) = (asinh(min(-60, z - 12 * width)), asinh(max(60, z + 12 * width)))
      let count = 200_000
      for i in 0...count {
        let v = low + (high - low) * Double(i) / Double(count)
        let x = sinh(v)
        let weight = pow(1 + x * x / 3, -2) * exp(-0.5 * t * (x - z) * (x - z)) * cosh(v)
        mass += weight
        sum += weight * x
      }
      #expect((table(y) - sum / mass).magnitude < 2e-4 * (1 + abs(z)), "t = \(t), z = \(z): \(table(y)), \(sum / mass)")
    }
    #expect(table(2e6 * t) == 2e6)
  }
}
