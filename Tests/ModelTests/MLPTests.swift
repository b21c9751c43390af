import Kernels
import Networks
import Randomness
import Experiments
import Statistics
import Testing

@Suite struct MLPTests {
  static let activations: [(String, JobValue)] = [
    ("relu", .text("relu")),
    ("shaped-relu", .table(["name": .text("shaped-relu"), "c_plus": .real(0.5), "c_minus": .real(-1)])),
    ("tanh", .text("tanh")),
  ]

  /// The reduced law is the law. 3 activations x 2 widths x 3 numbers of inputs, each with up to 15 observables and
  /// three statistics: about 700 tests. |z| < 5 and KS p > 1e-6 fail one true family in 1,000.
  @Test(arguments: [16, 64], [1, 2, 4])
  func conditionalEqualsWeightsInLaw(width: Int, count: Int) throws {
    let draws: UInt64 = validating ? 200_000 : 20_000
    for (name, activation) in Self.activations {
      let inputs = correlated(0.3, count: count)
      let a = try network(activation, width: width, depth: 3, inputs: inputs).experiment
      let b = try network(activation, width: width, depth: 3, inputs: inputs, sampler: "weights").experiment
      let (ta, tb) = (sample(a, draws, name: "\(name)/conditional"), sample(b, draws, name: "\(name)/weights"))
      for (i, observable) in a.observables.enumerated() {
        let (ma, mb) = (ta.moments(i), tb.moments(i))
        #expect(abs(zScore(ma, mb)) < 5, "\(name) n=\(width) m=\(count) E \(observable.name): \(ma.mean) \(mb.mean)")
        let spread = (ma.varianceError * ma.varianceError + mb.varianceError * mb.varianceError).squareRoot()
        #expect(abs(ma.variance - mb.variance) < 5 * spread + 1e-12, "\(name) n=\(width) var \(observable.name)")
        let ks = KolmogorovSmirnov(ta.histograms[i], tb.histograms[i])
        #expect(ks.pValue > 1e-6, "\(name) n=\(width) m=\(count) \(observable.name): KS \(ks.distance), p \(ks.pValue)")
      }
    }
  }

  /// A plain implementation, line by line from the equation, on the same random numbers.
  @Test(arguments: ["relu", "tanh", "gelu", "erf", "linear"])
  func theFastLayerIsThePlainLayer(activation: String) throws {
    let (n, depth, m) = (300, 3, 3)
    let model = try network(
      .text(activation), width: n, depth: depth, inputs: correlated(0.4, count: m),
      extra: ["bias": .real(activation == "tanh" ? 0.3 : 0), "observables": .list([.text("V")])])
    let mlp = try #require(model.architecture as? MLP)
    let (gain, bias) = (mlp.gain, mlp.bias)
    let values = model.experiment.makeRunner(99).values(5)
    var s = Stream(key: 99)
    s.start(draw: 5)
    var v = model.settings.inputs.gram
    for _ in 0..<depth {
      let l = Triangular.cholesky(v, m: m)!
      var phi = [[Double]](repeating: [], count: m)
      var done = 0
      while done < n {
        let count = min(512, n - done)
        let g = s.normals(m * count)
        for i in 0..<count {
          for a in 0..<m {
            let z = (0...a).reduce(0.0) { $0 + l[a * m + $1] * g[$1 * count + i] }
            phi[a].append(Self.plain(activation, z))
          }
        }
        done += count
      }
      for a in 0..<m {
        for b in 0..<m {
          let dot = zip(phi[a], phi[b]).reduce(0) { $0 + $1.0 * $1.1 }
          v[a * m + b] = gain / Double(n) * dot + bias * bias
        }
      }
    }
    var at = 0
    for a in 0..<m {
      for b in a..<m {
        #expect(abs(values[at] / v[a * m + b] - 1) < 1e-11, "V[\(a),\(b)] \(values[at]) \(v[a * m + b])")
        at += 1
      }
    }
  }

  static func plain(_ name: String, _ x: Double) -> Double {
    switch name {
    case "relu": max(x, 0)
    case "tanh": Elementary.tanh(x)
    case "gelu": x * 0.5 * (1 + Elementary.erf(x / 2.0.squareRoot()))
    case "erf": Elementary.erf(x)
    default: x
    }
  }

  /// E V = 1 and E V^2 = (1 + 5/n)^d for ReLU, (1 + 2/n)^d for linear, one input (docs/architectures.md), by the three samplers.
  @Test(arguments: ["relu", "linear"], ["conditional", "weights", "chi-square"])
  func exactMomentsOfOneInput(activation: String, sampler: String) throws {
    let draws: UInt64 = sampler == "weights" ? (validating ? 200_000 : 20_000) : (validating ? 1_000_000 : 200_000)
    let model = try network(.text(activation), width: 50, depth: 5, inputs: correlated(0, count: 1), sampler: sampler)
    let tally = sample(model.experiment, draws, name: "\(activation)/\(sampler)")
    let m = tally.moments(index(model.experiment, "V[0,0]"))
    let expected = activation == "relu" ? 1.61051 : 1.21665290240
    #expect(abs(m.mean - 1) < 4 * m.meanError)
    #expect(abs(m.secondMoment - expected) < 4 * m.secondMomentError, "\(m.secondMoment) +- \(m.secondMomentError)")
    #expect(abs(model.known!.secondMoments[0] - expected) < 1e-9 && abs(model.known!.means[0] - 1) < 1e-12)
  }

  /// The chi-square law against the conditional one, in law: 2 observables, 3 activations.
  @Test func chiSquareEqualsConditionalInLaw() throws {
    for activation in [JobValue.text("relu"), .text("leaky-relu"), .text("linear")] {
      let inputs = correlated(0, count: 1)
      let a = try network(activation, width: 30, depth: 8, inputs: inputs).experiment
      let b = try network(activation, width: 30, depth: 8, inputs: inputs, sampler: "chi-square").experiment
      let (ta, tb) = (sample(a, 100_000, name: "a"), sample(b, 100_000, name: "b"))
      let i = index(a, "log_V[0]")
      #expect(abs(zScore(ta.moments(i), tb.moments(i))) < 4)
      #expect(KolmogorovSmirnov(ta.histograms[i], tb.histograms[i]).pValue > 1e-5)
    }
  }

  /// Linear, two inputs: E V_01 and E V_01^2 by the Wishart recursion.
  @Test func exactMomentsOfTwoLinearInputs() throws {
    let model = try network(.text("linear"), width: 40, depth: 6, inputs: correlated(0.5))
    let tally = sample(model.experiment, 200_000, name: "linear")
    let i = index(model.experiment, "V[0,1]")
    let m = tally.moments(i)
    #expect(abs(m.mean - model.known!.means[i]) < 4 * m.meanError && model.known!.means[i] == 0.5)
    #expect(abs(m.secondMoment - model.known!.secondMoments[i]) < 4 * m.secondMomentError)
  }

  @Test func overAndUnderflowAreCounted() throws {
    let explode = try network(
      .text("relu"), width: 32, depth: 3000, inputs: correlated(0.3), extra: ["c": .real(64)])
    let up = sample(explode.experiment, 50, name: "up")
    #expect(up.counter(.overflowed) == 50 && up.notFiniteCount(0) == 50)
    let die = try network(.text("relu"), width: 1, depth: 60, inputs: correlated(0.3))
    let down = sample(die.experiment, 100, name: "down")
    #expect(down.counter(.underflowed) == 100 && down.counter(.overflowed) == 0)
    #expect(down.notFiniteCount(index(die.experiment, "log_V[0]")) == 100)
  }

  @Test func qIsComputedWithoutCancellation() throws {
    // Inputs 1e-12 apart: 1 - rho = 5e-25 is far below an ULP of rho.
    let tiny = 1e-12
    let measured = CovarianceObservables(
      inputs: 2, families: [.q, .correlation, .atanhCorrelation], initialNorms: [1, 1], width: 10)
    var out = [0.0, 0, 0]
    var work = Array(repeating: 0.0, count: 6)
    _ = measured.write(lower: [1, 0, 1, tiny], layer: 10, work: &work, to: &out)
    #expect(abs(out[0] / (100 * tiny * tiny / 2) - 1) < 1e-9 && out[1] == 1)
    #expect(abs(out[2] - 0.5 * Elementary.log(4 / (tiny * tiny))) < 1e-9)
  }
}
