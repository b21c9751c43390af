import Experiments
import Jobs
import Particles
import Testing

/// The system of a formula: equal to built-in systems written out, and right against closed forms.
@Suite struct OwnSystemTests {
  static func formula(_ text: String, _ more: [String: JobValue] = [:]) -> JobValue {
    .table(["formula": .text(text)].merging(more) { $1 })
  }

  private static func keys(_ more: [String: JobValue]) -> [String: JobValue] {
    [
      "system": .text("own"), "number": .integer(300), "step": .real(0.02), "steps": .integer(40),
      "replicas": .integer(2), "start_std": .real(1),
    ].merging(more) { $1 }
  }

  private static func failure(_ more: [String: JobValue]) -> String {
    do { _ = try legs(keys(more)) } catch { return "\(error)" }
    return ""
  }

  /// The same trajectories, of every observable that both have.
  @Test(arguments: [
    ("gaussian", "x^2/2", "", 1), ("double-well", "k*x^4/4 - x^2/2", "", 1), ("cosine-well", "x^2/2 + cos(2*x)", "", 1),
    ("log-gas", "x^2/2", "-0.5*log(r^2 + 0.09)", 2), ("log-gas", "(x0^2 + x1^2 + x2^2)/2", "-0.5*log(r^2 + 0.09)", 3),
  ])
  func equalsABuiltIn(name: String, potential: String, pair: String, dimension: Int) throws {
    var own = Self.keys(["dimension": .integer(Int64(dimension)), "potential": Self.formula(potential)])
    if potential.hasPrefix("k") { own["potential"] = Self.formula(potential, ["k": .real(1)]) }
    if !pair.isEmpty { own["pair"] = Self.formula(pair) }
    var theirs = Self.keys(["system": .text(name)])
    if name == "double-well" { theirs["theta"] = .real(0) }
    if name == "log-gas" { theirs["softening"] = .real(0.3) }
    if name == "log-gas" || name == "gaussian" { theirs["dimension"] = .integer(Int64(dimension)) }
    let (a, b) = try (legs(own)[0], legs(theirs)[0])
    let (mine, other) = try (run(a, name: "own"), run(b, name: "own"))
    for observable in a.observables.map(\.name) {
      let (x, y) = (moments(mine, a, observable).mean, moments(other, b, observable).mean)
      #expect((x - y).magnitude <= 1e-11 * max(1, y.magnitude), "\(name), \(observable): \(x) and \(y)")
    }
  }

  /// Moments by quadrature, split at the kink of |x|: 2, 24 and 1 of the Laplace law; those of a normal law; of d coordinates.
  @Test func knownMoments() throws {
    let more: [String: JobValue] = ["warm_up": .integer(10)]
    func known(_ potential: JobValue, _ extra: [String: JobValue] = [:]) throws -> [Leg] {
      try legs(Self.keys(more.merging(["potential": potential]) { $1 }.merging(extra) { $1 }))
    }
    let laplace = try known(Self.formula("abs(x)"))
    for (name, value) in [("x", 0.0), ("x^2", 2), ("x^4", 24), ("energy", 1)] {
      let found = ParticlesTests.known(laplace, "stationary-limit", name)
      #expect((found - value).magnitude < 1e-11 * max(1, value), "\(name): \(found)")
    }
    // A kink that no border of a panel meets by itself.
    let shifted = try known(Self.formula("abs(x - 0.3)"))
    for (name, value) in [("x", 0.3), ("x^2", 2.09), ("x^4", 25.0881), ("energy", 1)] {
      let found = ParticlesTests.known(shifted, "stationary-limit", name)
      #expect((found - value).magnitude < 1e-11 * max(1, value), "\(name): \(found)")
    }
    let normal = try known(
      Self.formula("(x - 1)^2/2"), ["dimension": .integer(2), "inverse_temperature": .real(4)])
    for (name, value) in [("x[1]", 1.0), ("x[0]^2", 1.25), ("energy", 0.25)] {
      #expect((ParticlesTests.known(normal, "stationary-limit", name) - value).magnitude < 1e-11, "\(name)")
    }
  }

  /// The virial of a pair potential k log(1/r): E x U'(x) = d/beta + k (N - 1)/(2N), here with the well x^2/2. One test, |z| < 4.
  @Test func virialOfAPairPotential() throws {
    let all = try legs(
      Self.keys([
        "potential": Self.formula("x^2/2"), "pair": Self.formula("-k*log(r)", ["k": .real(0.8)]),
        "dimension": .integer(2), "number": .integer(20), "integrator": .text("mala"), "step": .real(0.1),
        "warm_up": .integer(2000), "steps": .integer(20_000), "replicas": .integer(8),
      ]))
    let state = try run(all[0], name: "own virial")
    let squares = ["x[0]^2", "x[1]^2"].map { moments(state, all[0], $0) }
    let expected = (2 + 0.8 * 19 / 40) / 2
    for m in squares { #expect(z(m, expected).magnitude < 4, "\(m.mean) and \(expected)") }
  }

  @Test func whatIsRefused() {
    let wrong: [([String: JobValue], String)] = [
      ([:], "potential"), (["potential": .text("x^2")], "write { formula = \"x^2\" }"),
      (["potential": Self.formula("x^2 + x0^2")], "not in both"),
      (["potential": Self.formula("y^2")], "unknown name y"),
      (["potential": Self.formula("-x^2")], "must grow"),
      (["potential": Self.formula("trigamma(x)^2 + x^2")], "needs a derivative"),
      (["potential": Self.formula("x^2"), "pair": Self.formula("log(x)")], "particles.pair.formula"),
      (["potential": Self.formula("x^2", ["kinks": .text("1")])], "array of finite numbers"),
      (["potential": Self.formula("x^2"), "integrator": .text("proximal")], "lower bound of the curvature"),
      (["potential": Self.formula("x^2", ["a": .real(1)])], "particles.potential.a"),
    ]
    for (more, words) in wrong {
      let said = Self.failure(more)
      #expect(said.contains(words), "\(more): \(said)")
    }
  }
}
