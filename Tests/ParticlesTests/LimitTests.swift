import Experiments
import Particles
import Statistics
import Testing

/// What references of particle systems predict.
@Suite struct LimitTests {
  private static func prediction(_ leg: Leg, _ statistic: Statistic, _ observable: String, record: Int) -> Double {
    let place = leg.schema.place(of: observable)!
    return leg.known!.statistics.first {
      $0.statistic == statistic && $0.observable == place && $0.record == record
    }!.value
  }

  @Test("The stationary limit: means, their remainders, and a refusal without warm-up")
  func stationary() throws {
    let keys: [String: JobValue] = [
      "system": .text("gaussian-attraction"), "integrator": .text("baoab"), "number": .integer(10), "step": .real(0.1),
      "steps": .integer(10), "warm_up": .integer(1),
    ]
    for limits in [[], ["stationary-limit"]] {
      let all = try legs(keys, limits: limits)
      let limit = try #require(all.first { $0.name == "stationary-limit" })
      #expect(limit.role == .limit && limit.expectedOffset == "an offset of order 1/N + h^2 is expected")
      #expect(limit.known!.remainder == [Remainder("number", order: 1), Remainder("step", order: 2)])
      #expect(known(all, "stationary-limit", "x^2") == 0.5 && known(all, "stationary-limit", "v^2") == 1)
      #expect(known(all, "stationary-limit", "residual") == 0)
    }
    let started = keys.merging(["warm_up": .integer(0)]) { $1 }
    #expect(try legs(started).map(\.name) == ["particles"])
    let failure = #expect(throws: Failure.self) { _ = try legs(started, limits: ["stationary-limit"]) }
    #expect(failure?.message.contains("warm_up > 0") ?? false)
  }

  @Test("Refinements of [bias]: names, parameters, orders")
  func bias() throws {
    let all = try legs(
      [
        "system": .text("double-well"), "integrator": .text("obabo"), "number": .integer(10), "step": .real(0.1),
        "steps": .integer(10), "frame_every": .integer(5),
      ], bias: true)
    #expect(all.map(\.name) == ["particles", "particles-2N", "particles-half-step"])
    #expect(all.map(\.role) == [.finite, .refinement, .refinement])
    #expect(
      all[1].refines == Refinement(leg: "particles", parameter: "number", symbol: "N", order: 1)
        && all[2].refines == Refinement(leg: "particles", parameter: "step", symbol: "h", order: 2))
    #expect(all[1].attributes["number"] == "20" && all[2].attributes["step"] == "0.05")
    #expect(all[2].process!.schedule == Schedule(warmUp: 0, steps: 20, measureEvery: 2, frameEvery: 10))
    #expect(all[0].process!.frame == FrameShape(particles: 10, dimension: 1, timeStep: 0.1))
  }

  /// LMC on curvature a is an AR(1) process, and every double sum can be written out.
  @Test("Gaussian moments against the sums themselves, from a start that is not stationary")
  func sums() throws {
    let (n, h, beta, mu, std) = (5.0, 0.3, 1.7, 0.8, 0.4)
    let (warmUp, every, perRecord) = (3, 2, 6)
    let all = try legs(
      [
        "system": .text("gaussian-attraction"), "lambda": .real(0.7), "theta": .real(1.1), "number": .integer(5),
        "step": .real(h), "inverse_temperature": .real(beta), "start_mean": .real(mu), "start_std": .real(std),
        "warm_up": .integer(Int64(warmUp)), "steps": .integer(24), "measure_every": .integer(Int64(every)),
        "records": .integer(2),
      ], limits: ["gaussian-moments"])
    let leg = try #require(all.first { $0.name == "gaussian-moments" })
    for record in 0..<2 {
      let times = (1...perRecord).map { warmUp + every * (record * perRecord + $0) }
      func power(_ x: Double, _ k: Int) -> Double { (0..<k).reduce(1) { y, _ in y * x } }
      // Of a mode: variance at t and covariance in time.
      func covariance(_ a: Double, _ s: Int, _ t: Int) -> Double {
        let (first, r) = (min(s, t), 1 - h * a)
        let grown = (0..<first).reduce(0) { $0 + power(r * r, $1) * 2 * h / beta }
        return power(r, (s - t).magnitude.asInt) * (power(r * r, first) * std * std + grown)
      }
      func mean(_ t: Int) -> Double { mu * power(1 - h * 0.7, t) }
      let count = Double(perRecord)
      func average(_ f: (Int) -> Double) -> Double { times.reduce(0) { $0 + f($1) } / count }
      func double(_ f: (Int, Int) -> Double) -> Double { average { s in average { t in f(s, t) } } }
      func square(_ a: Double) -> Double { double { 2 * covariance(a, $0, $1) * covariance(a, $0, $1) } }
      let drift = double { 4 * mean($0) * mean($1) * covariance(0.7, $0, $1) }
      let (centre, rest) = (square(0.7) + n * drift, (n - 1) * square(1.8))
      let centreSquare = average { covariance(0.7, $0, $0) / n + mean($0) * mean($0) }
      let restSquare = (1 - 1 / n) * average { covariance(1.8, $0, $0) }
      for (statistic, observable, value) in [
        (.mean, "x", average(mean)), (.variance, "x", double { covariance(0.7, $0, $1) } / n),
        (.covariance("x^2"), "x", double { 2 * mean($1) * covariance(0.7, $0, $1) } / n),
        (.mean, "x^2", centreSquare + restSquare), (.variance, "x^2", (centre + rest) / (n * n)),
        (.covariance("energy"), "x^2", 0.5 * (0.7 * centre + 1.8 * rest) / (n * n)),
        (.mean, "energy", 0.5 * (0.7 * centreSquare + 1.8 * restSquare)),
        (.variance, "energy", 0.25 * (0.49 * centre + 3.24 * rest) / (n * n)),
        (.mean, "residual", beta * (0.7 * centreSquare + 1.8 * restSquare) - 1),
      ] as [(Statistic, String, Double)] {
        let found = Self.prediction(leg, statistic, observable, record: record)
        #expect(
          (found - value).magnitude < 1e-13 * max(1, value.magnitude),
          "\(statistic) of \(observable): \(found), \(value)")
      }
    }
  }

  /// The same numbers for one record whose start is near stationarity and whose warm-up is long: 1/(a (1 - ha/2)) and all.
  @Test("Gaussian moments of a long warm-up are the stationary ones")
  func longRuns() throws {
    for integrator in ["lmc", "ulmc", "baoab", "obabo"] {
      let all = try legs(
        [
          "system": .text("gaussian"), "dimension": .integer(2), "condition": .real(4), "number": .integer(7),
          "integrator": .text(integrator), "step": .real(0.1), "start_mean": .real(3),
          "warm_up": .integer(1_000_000_000), "steps": .integer(600), "records": .integer(3),
        ], limits: ["gaussian-moments"])
      let leg = all.first { $0.name == "gaussian-moments" }!
      for observable in ["x[0]^2", "x[1]^2", "energy", "residual"] + (integrator == "lmc" ? [] : ["v^2"]) {
        for record in 0..<3 {
          let found = Self.prediction(leg, .mean, observable, record: record)
          #expect((found - known(all, "exact", observable)).magnitude < 1e-11, "\(integrator), \(observable)")
        }
      }
    }
  }

  /// 8 jobs of 2,000 replicas with up to 17 statistics each: all |z| < 5 with probability 0.9999, were they normal.
  @Test("Gaussian moments against simulation", arguments: ["lmc", "ulmc", "baoab", "obabo"])
  func simulation(_ integrator: String) throws {
    for system in [
      ["system": .text("gaussian-attraction"), "dimension": .integer(2), "theta": .real(2)],
      ["system": .text("gaussian"), "dimension": .integer(4), "condition": .real(5)],
    ] as [[String: JobValue]] {
      let all = try legs(
        system.merging([
          "integrator": .text(integrator), "number": .integer(3), "step": .real(0.2), "start_mean": .real(0.5),
          "inverse_temperature": .real(1.4), "warm_up": .integer(2), "steps": .integer(20),
          "measure_every": .integer(2), "replicas": .integer(2000),
        ]) { $1 }, limits: ["gaussian-moments"])
      let leg = all.first { $0.name == "gaussian-moments" }!
      let state = try run(all[0], name: "moments/\(integrator)")
      let rows = state.rows.values.values
      let count = Double(rows.count)
      func column(_ name: String) -> [Double] {
        let place = all[0].schema.place(of: name)!
        let mean = rows.reduce(0) { $0 + $1[place] } / count
        return rows.map { $0[place] - mean }
      }
      var tested = 0
      for entry in leg.known!.statistics {
        let name = leg.observables[entry.observable].name
        let m = moments(state, all[0], name)
        var estimate = (value: m.mean, error: m.meanError)
        switch entry.statistic {
        case .mean: break
        case .variance: estimate = (m.variance, m.varianceError)
        case .covariance(let other):
          let products = zip(column(name), column(other)).map(*)
          let mean = products.reduce(0, +) / count
          let spread = products.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
          estimate = (mean, (spread / count).squareRoot())
        default: Issue.record("\(entry.statistic)")
        }
        let z = (estimate.value - entry.value) / estimate.error
        #expect(z.magnitude < 5, "\(integrator), \(entry.statistic) of \(name): \(estimate), \(entry.value)")
        tested += 1
      }
      #expect(tested > 8)
    }
  }

  @Test("Gaussian moments are refused where they do not hold")
  func refusals() throws {
    for (own, word) in [
      (["system": .text("double-well")], "Gaussian system"),
      (["system": .text("gaussian"), "integrator": .text("mala")], "linear map"),
      (["system": .text("gaussian"), "integrator": .text("randomized-midpoint")], "linear map"),
      (["system": .text("gaussian"), "steps": .integer(1_000_000_000)], "at most 20000000 measurements"),
    ] as [([String: JobValue], String)] {
      let failure = #expect(throws: Failure.self) {
        _ = try legs(
          ["number": .integer(4), "step": .real(0.1), "steps": .integer(4)].merging(own) { $1 },
          limits: ["gaussian-moments"])
      }
      #expect(failure?.message.contains(word) ?? false, "\(failure?.message ?? "")")
    }
  }
}

extension UInt {
  fileprivate var asInt: Int { Int(self) }
}
