import Experiments
import Kernels
import Limits
import Networks
import Randomness
import Statistics
import Testing

/// Networks with a random variance of weights (arXiv:2107.01408): laws at infinite width, draws, what is refused.
@Suite struct ScaleMixtureTests {
  static func model(
    _ variance: [String: JobValue], _ observables: [String], activation: JobValue = .text("tanh"), width: Int,
    depth: Int = 1, sampler: String = "conditional", extra: [String: JobValue] = [:]
  ) throws -> NetworkModel {
    let keys: [String: JobValue] = [
      "activation": activation, "variance": .table(variance), "observables": PassTests.names(observables),
      "c": .real(1),
    ]
    return try PassTests.model(
      "mlp", probes: [.output], keys.merging(extra) { $1 }, width: width, depth: depth, count: 1, sampler: sampler)
  }

  static let student: [String: JobValue] = [
    "law": .text("inverse-gamma"), "alpha": .real(2.5), "beta": .real(1.8),
  ]

  static func predicted(_ model: NetworkModel, _ equation: String) throws -> ReferenceValues {
    let legs = try limitLegs(.table(["equation": .text(equation)]), path: "limit", network: model, networkDraws: 10)
    return try #require(legs.legs[0].known)
  }

  /// Student's law from its closed forms of 1, 2 and 4 degrees of freedom.
  @Test func studentTails() {
    for t in [0.01, 0.4, 1, 2.5, 30, 1e4] {
      let one = 2 / Double.pi * Elementary.angle(x: t, y: 1)
      #expect(abs(Student.twoSided(t, degreesOfFreedom: 1) / one - 1) < 1e-12)
      let two = 2 / (t * t + 2) / (1 + t / (t * t + 2).squareRoot())
      #expect(abs(Student.twoSided(t, degreesOfFreedom: 2) / two - 1) < 1e-12)
      let s = t / (4 + t * t).squareRoot()
      let four = 1 - s * (1 + 2 / (4 + t * t))
      #expect(abs(Student.twoSided(t, degreesOfFreedom: 4) - four) < 1e-13)
    }
    #expect(Student.twoSided(0, degreesOfFreedom: 3) == 1)
  }

  /// The closed tails are the means over v of normal tails; moments likewise.
  @Test(arguments: [0.5, 1.2, 2.5, 40, 1000])
  func quadratureIsTheClosedForm(alpha: Double) throws {
    for mixture in [
      ScaleMixture(.inverseGamma(alpha: alpha, beta: 1.8)), ScaleMixture(.exponential(mean: alpha)),
      ScaleMixture(.fixed(alpha)),
    ] {
      for x in [0.1, 1.0, 4] {
        let exact = mixture.tail(x, kernel: 0.7)
        guard exact > 1e-15 else { continue }
        let found = try #require(mixture.mean { Gaussian.twoSided(x / (0.7 * $0).squareRoot()) })
        #expect(abs(found - exact) < 1e-11, "\(mixture.law), \(x): \(found), closed \(exact)")
      }
      for p in 1...2 where mixture.moment(p) < .infinity {
        let found = try #require(mixture.mean(growing: Double(p)) { ExactMoments.power($0, p) })
        #expect(abs(found / mixture.moment(p) - 1) < 1e-9, "\(mixture.law), \(p): \(found), \(mixture.moment(p))")
      }
    }
    #expect(ScaleMixture(.inverseGamma(alpha: 2, beta: 1)).moment(2) == .infinity)
  }

  /// Printed: tanh with K^1 = 1, alpha = 2.5, beta = 1.8, P(|f| > 1) and P(|f| > 2) at infinite width, and of networks
  /// of width 8 to 4e-4 and 1e-4.
  @Test(arguments: [(1.0, 0.119363, 0.1180, 4e-4), (2, 0.013244, 0.0141, 1e-4)])
  func printedTails(level: Double, infinite: Double, eight: Double, error: Double) throws {
    let model = try Self.model(Self.student, ["f_tail", "f"], width: 8, extra: ["level": .real(level)])
    let limit = try Self.predicted(model, "scale-mixture")
    #expect(abs(try #require(limit.mean(of: "f_tail[0]", record: 0)) - infinite) < 6e-7)
    let finite = try #require(try Self.predicted(model, "finite-width").mean(of: "f_tail[0]", record: 0))
    #expect(abs(finite - eight) < 4 * error, "\(finite)")
    // Networks: |z| < 4.5 fails one true family of 4 in 37,000.
    for sampler in ["conditional", "weights"] {
      let own = try Self.model(Self.student, ["f_tail"], width: 8, sampler: sampler, extra: ["level": .real(level)])
      let found = sample(own.experiment, validating ? 1_000_000 : 40_000, name: "tails \(level) \(sampler)").moments(0)
      #expect(abs(found.mean - finite) < 4.5 * found.meanError, "\(sampler): \(found.mean), series \(finite)")
    }
    // The law itself: its quantiles have the tails.
    let law = try #require(limit.statistics.first { $0.statistic == .law }?.law)
    let tanh = try ActivationChoice(.text("tanh"), path: "activation", width: 8).function
    let kernel = try #require(UnitMoments(tanh).single(1)).square
    for j in [1100, 1800, 2040] {
      let tail = ScaleMixture(.inverseGamma(alpha: 2.5, beta: 1.8)).tail(
        law.quantile(j), kernel: kernel)
      #expect(abs(tail - 2 * (1 - Double(j) / 2048)) < 1e-8)
      #expect(law.quantile(j) == -law.quantile(2048 - j))
    }
  }

  /// Printed: K = (1, .6, .3; 1.2, .5; .9), y = (1, -.4). The tail again by Bayes' rule over v.
  @Test func predictive() throws {
    let (alpha, beta) = (2.5, 1.8)
    let kernel = [1, 0.6, 0.3, 0.6, 1.2, 0.5, 0.3, 0.5, 0.9]
    let found = try #require(StudentProcess(alpha: alpha, beta: beta, kernel: kernel, given: [1, -0.4]))
    #expect(found.degreesOfFreedom == 7)
    #expect(abs(found.mean + 0.08095238) < 5e-9 && abs(found.squaredScale - 0.56919987) < 5e-9)
    #expect(abs(found.tail(1.5) - 0.087123) < 6e-7)
    let determinant = 1 * 1.2 - 0.36
    let form = (1.2 * 1 + 1 * 0.16 + 2 * 0.6 * 0.4) / determinant
    let left = 0.9 - (1.2 * 0.09 + 1 * 0.25 - 2 * 0.6 * 0.15) / determinant
    let mixture = ScaleMixture(.inverseGamma(alpha: alpha, beta: beta))
    func evidence(_ v: Double) -> Double { Elementary.exp(-0.5 * form / v) / v }
    let tail = try #require(mixture.mean { evidence($0) * Gaussian.twoSided(1.5 / ($0 * left).squareRoot()) })
    let whole = try #require(mixture.mean { evidence($0) })
    #expect(abs(tail / whole - found.tail(1.5)) < 1e-9)
    #expect(StudentProcess(alpha: 1, beta: 1, kernel: [1, 1, 1, 1, 1, 1, 1, 1, 2], given: [1, 2]) == nil)
    let none = try #require(StudentProcess(alpha: alpha, beta: beta, kernel: [0.9], given: []))
    #expect(none.tail(1) == StudentProcess(alpha: alpha, beta: beta, variance: 0.9).tail(1))
  }

  /// A fixed variance multiplies every draw: by 2 of the readout, by 2 a layer where the activation hands factors on.
  @Test(arguments: ["conditional", "weights"])
  func fixedVarianceMultiplies(sampler: String) throws {
    func values(_ variance: [String: JobValue]) throws -> [Double] {
      let model = try Self.model(
        variance, ["f"], activation: .text("relu"), width: 7, depth: 2, sampler: sampler,
        extra: ["outputs": .integer(2)])
      return (0..<5).flatMap { model.experiment.makeRunner(8).values($0) }
    }
    let plain = try values(["law": .text("fixed"), "value": .real(1)])
    let readout = try values(["law": .text("fixed"), "value": .real(4)])
    let all = try values(["law": .text("fixed"), "value": .real(4), "of": .text("all")])
    for (x, (y, z)) in zip(plain, zip(readout, all)) { #expect(y == 2 * x && abs(z - 8 * x) < 1e-13 * abs(z)) }
  }

  /// With slopes $E f^2$ and $E f^4$ are exact: one factor v of the readout, one a layer of all. |z| < 4.5 in 8
  /// comparisons fails one true family in 18,000.
  @Test(arguments: ["readout", "all"])
  func exactMoments(layers: String) throws {
    for (number, law) in [
      ["law": .text("inverse-gamma"), "alpha": .real(40), "beta": .real(39)],
      ["law": JobValue.text("exponential"), "mean": .real(0.8)],
    ].enumerated() {
      let model = try Self.model(
        law.merging(["of": .text(layers)]) { $1 }, ["f_product", "f_fourth"], activation: .text("relu"), width: 6,
        depth: 2)
      let tally = sample(model.experiment, validating ? 1_000_000 : 60_000, name: "exact \(layers) \(number)")
      let known = try #require(model.known)
      for (i, observable) in model.experiment.observables.enumerated() {
        // E f^4 of an exponential v of every layer has an error of its error: E v^12.
        if number == 1 && layers == "all" && observable.family == "f_fourth" { continue }
        let exact = try #require(known.mean(of: observable.name, record: 0))
        let found = tally.moments(i)
        #expect(abs(found.mean - exact) < 4.5 * found.meanError, "\(observable.name): \(found.mean), exact \(exact)")
      }
    }
  }

  /// A random variance of all layers: the limit's quadrature against networks of width 256, whose offset is of order
  /// 1/n; |z| < 4.5.
  @Test func varianceOfAllLayers() throws {
    let model = try Self.model(
      Self.student.merging(["of": .text("all")]) { $1 }, ["f_tail", "f"], width: 256, depth: 2,
      extra: ["level": .real(1), "bias": .real(0.3)])
    let limit = try Self.predicted(model, "scale-mixture")
    let tally = sample(model.experiment, validating ? 200_000 : 10_000, name: "all layers")
    let place = try #require(model.experiment.observables.firstIndex { $0.family == "f_tail" })
    let (found, value) = (tally.moments(place), try #require(limit.mean(of: "f_tail[0]", record: 0)))
    #expect(abs(found.mean - value) < 4.5 * found.meanError + 0.5 / 256, "\(found.mean), limit \(value)")
  }

  /// Moments that do not exist, and what knows no random variance.
  @Test func refusals() throws {
    func refuse(
      _ variance: [String: JobValue], _ observables: [String], with extra: [String: JobValue] = [:], depth: Int = 1,
      probes: [Probe] = [.output], _ words: String...
    ) {
      var keys = extra.merging(["variance": .table(variance), "observables": PassTests.names(observables)]) { $1 }
      keys["activation"] = keys["activation"] ?? .text("tanh")
      do {
        _ = try PassTests.model("mlp", probes: probes, keys, width: 8, depth: depth, count: 1)
        Issue.record("\(variance) \(observables) was taken")
      } catch let failure as Failure {
        for word in words { #expect(failure.message.contains(word), "\(failure.message)") }
      } catch { Issue.record("\(error)") }
    }
    func law(_ alpha: Double, _ layers: String = "readout") -> [String: JobValue] {
      Self.student.merging(["alpha": .real(alpha), "of": .text(layers)]) { $1 }
    }
    refuse(law(2), ["f_fourth"], "observables", "f_fourth", "2 alpha = 4.0", "above 2.0")
    refuse(law(1), ["f_product"], "observables", "f_product", "2 alpha = 2.0")
    refuse(law(1), ["f", "f_tail"], "observables", "the variance of f")
    // Three layers of ReLU, and the readout: E f^2 needs E v^4.
    refuse(
      law(4, "all"), ["f_product"], with: ["activation": .text("relu")], depth: 3, "f_product", "2 alpha / 4.0 = 2.0",
      "above 4.0")
    refuse(law(9, "all"), ["f"], with: ["activation": .text("sinh")], "faster than any power")
    refuse(law(3, "all"), ["V", "f"], probes: [.covariance, .output], "observables", "V")
    refuse(law(3), ["ntk", "f"], probes: [.tangentKernel, .output], "variance", "leave out ntk")
    refuse(law(0.4), ["f_tail"], "variance.alpha", "0.5")
    refuse(["law": .text("exponential"), "alpha": .real(1)], ["f"], "variance.alpha", "unknown key")
    refuse(["law": .text("inverse-gama")], ["f"], "variance.law", "inverse-gamma")
    refuse(["law": .text("exponential")], ["f"], "variance.mean")
    _ = try Self.model(law(2.1), ["f_fourth"], width: 8)
    _ = try Self.model(law(2.1, "all"), ["f_fourth"], width: 8, depth: 3)
    _ = try Self.model(law(0.5), ["f_tail"], width: 8)
    let plain = try PassTests.model("mlp", probes: [.output], ["activation": .text("tanh")], width: 8, count: 1)
    #expect(throws: Failure.self) { try Self.predicted(plain, "scale-mixture") }
    let all = try Self.model(law(3, "all"), ["f_tail"], width: 8)
    #expect(throws: Failure.self) { try Self.predicted(all, "finite-width") }
  }
}
