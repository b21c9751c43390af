import Engine
import Experiments
import Jobs
import Statistics
import Testing

/// Observables out of observables: on every leg that has the terms, of networks and particles.
@Suite struct DerivedObservableTests {
  private static let network = """
    seed = 5
    [network]
    architecture = "mlp"
    activation = "tanh"
    width = 12
    depth = 4
    layers = [2, 4]
    inputs = { correlation = 0.3 }
    observables = ["rho", { name = "gap", formula = "V[0,0] - V[1,1]" }, { name = "ratio", formula = "k*gap/V[0,1]", k = 2 }]
    draws = 500
    [[limit]]
    equation = "infinite-width"
    [run]
    keep = 500
    """

  private static let particles = """
    seed = 5
    [particles]
    system = "gaussian-attraction"
    number = 300
    step = 0.05
    warm_up = 50
    steps = 200
    replicas = 6
    observables = [{ name = "spread", formula = "x2 - x*x" }, { name = "twice", formula = "2*x2 + 1" }]
    """

  private static func failure(_ text: String) -> String {
    do { _ = try job(text) } catch { return "\(error)" }
    return ""
  }

  @Test func valuesAreThoseOfTheTerms() throws {
    let file = try job(Self.network)
    let leg = file.job.cases[0].finite!
    #expect(leg.observables.map(\.name) == ["rho[0,1]", "V[0,0]", "V[0,1]", "V[1,1]", "gap", "ratio"])
    #expect(leg.observables[4].role == .heavyTailed && leg.observables[4].summary == "V[0,0] - V[1,1]")
    let state = try LocalRun.run(file.job, ranks: 1).snapshot.states[0]
    #expect(state.rows.values.count == 500)
    for row in state.rows.values.values {
      for record in 0..<2 {
        let v = Array(row[record * 6..<record * 6 + 6])
        #expect(v[4] == v[1] - v[3] && v[5] == 2 * v[4] / v[2])
      }
    }
    // The draws themselves are those without them.
    let plain = try job(
      Self.network.replacing(/observables = .*/, with: "observables = [\"rho\", \"V\"]"))
    let bare = try LocalRun.run(plain.job, ranks: 1).snapshot.states[0]
    for (id, row) in bare.rows.values { #expect(state.rows.values[id]![6..<10] == row[4..<8]) }
    let line = file.job.identity.first { $0.contains("network.observables.ratio") }
    #expect(line == "main: network.observables.ratio = k * gap / V[0,1], k = 2.0")
  }

  @Test func limitsHaveThem() throws {
    let limit = try job(Self.network).job.cases[0].legs[1].known!
    for record in 0..<2 {
      let (gap, ratio) = (limit.mean(of: "gap", record: record), limit.mean(of: "ratio", record: record))
      #expect(try #require(gap).magnitude < 1e-14)
      #expect(try #require(ratio).magnitude < 1e-14)
    }
    let sampled = Self.network.replacing("\"tanh\"", with: "\"linear\"")
      .replacing("infinite-width", with: "covariance-sde")
    let file = try job(sampled)
    #expect(file.job.cases[0].legs[1].observables.map(\.name).suffix(2) == ["gap", "ratio"])
    #expect(try digest(file, ranks: 1) == digest(file, ranks: 3))
    // A limit without V has neither.
    let q = Self.network.replacing("\"tanh\"", with: "\"relu\"").replacing("infinite-width", with: "unshaped-q")
    #expect(try !job(q).job.cases[0].legs[1].observables.contains { $0.name == "gap" })
  }

  @Test func bitsDoNotDependOnRanks() throws {
    for text in [Self.network, Self.particles] {
      let file = try job(text)
      let one = try digest(file, ranks: 1)
      for ranks in [2, 3, 7] { #expect(try digest(file, ranks: ranks) == one) }
      #expect(try stoppedDigest(file, questions: [2, 5, 11, 3, 23]).digest == one)
    }
  }

  @Test func ofParticles() throws {
    let file = try job(Self.particles)
    let leg = file.job.cases[0].finite!
    let places = ["x^2", "twice", "spread", "x"].map { leg.schema.place(of: $0)! }
    let state = try LocalRun.run(file.job, ranks: 2).snapshot.states[0]
    for row in state.rows.values.values {
      #expect((row[places[1]] - (2 * row[places[0]] + 1)).magnitude < 1e-13)
      // The mean of a square is at least the square of the mean.
      #expect(row[places[2]] < row[places[0]] && row[places[2]] > 0)
    }
    // A linear function of a known mean is known.
    let exact = file.job.cases[0].legs.first { $0.role == .exact }!.known!
    #expect((exact.mean(of: "twice", record: 0)! - (2 * exact.mean(of: "x^2", record: 0)! + 1)).magnitude < 1e-13)
    #expect(exact.mean(of: "spread", record: 0) == nil)
  }

  @Test func whatIsRefused() {
    func network(_ entry: String) -> String { Self.network.replacing(/\{ name = "gap".*\]/, with: entry + "]") }
    let wrong: [(String, String)] = [
      (network("{ name = \"gap\", formula = \"V[0,0] - W[1,1]\" }"), "unknown name W[1,1]"),
      (network("{ name = \"gap\", formula = \"V[0,0] - \" }"), "column"),
      (network("{ name = \"gap\", formla = \"V[0,0]\" }"), "did you mean formula?"),
      (network("{ formula = \"V[0,0]\" }"), "network.observables[1].name is missing"),
      (network("{ name = \"V[0,0]\", formula = \"V[1,1]\" }"), "is the name of another observable"),
      (network("{ name = \"a b\", formula = \"V[1,1]\" }"), "must be a name"),
      (network("{ name = \"gap\", formula = \"V[1,1]\", k = 2 }"), "observables[1].k"),
      (Self.particles.replacing("x2 - x*x", with: "x^2 - 1"), "the observable x^2 is written x2"),
      (Self.particles.replacing("observables = [", with: "observables = [\"x\", "), "measured anyway"),
    ]
    for (text, words) in wrong {
      let said = Self.failure(text)
      #expect(said.contains(words), "\(said)")
    }
  }

  @Test func leavingTheNumbersIsAnEvent() throws {
    let file = try job(
      Self.network.replacing(/\{ name = "gap".*\]/, with: "{ name = \"gap\", formula = \"log(V[0,0] - V[1,1])\" }]"))
    let state = try LocalRun.run(file.job, ranks: 1).snapshot.states[0]
    #expect((200...500).contains(state.tally.counter(.overflowed)))
    #expect(Notes.take().contains { $0.hasPrefix("gap: log(-") && $0.contains("at column 1") })
  }
}
