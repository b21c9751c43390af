import Engine
import Experiments
import Jobs
import Testing

/// Bad values of a gas job: key, value, range and the nearest name, and no work.
@Suite struct GasInputTests {
  /// No data files.
  private struct NoData: DataSource {
    func table(_ request: TableRequest) throws -> DataTable { throw Failure(.bug, "no data") }
    func samples(_ request: SampleRequest) throws -> SampleTable { throw Failure(.bug, "no data") }
    func graph(_ request: GraphRequest) throws -> EdgeList { throw Failure(.bug, "no data") }
  }

  private static func read(_ settings: [String], further: String = "") throws -> Job {
    let base =
      "seed = 2026\n[gas]\nsystem = \"mixture\"\ndraws = 2\nmasses = [0.1, 1]\nnumbers = [4, 6]\ntemperatures = [2, 1]\n"
    return try JobReader(families: Registry.families, data: NoData()).read(
      base + further, name: "test.toml", settings: settings, check: false
    ).job
  }

  private static let events = "gas.times=[1, 2]"
  private static let steps = ["gas.dynamics=\"steps\"", "gas.step=0.1", "gas.steps=4"]
  private static let one = ["gas.masses=[1]", "gas.temperatures=[1]"]

  @Test(arguments: [
    ([events, "gas.masses=[0.1, 0]"], ["gas.masses = [0.1, 0]", "above 0"]),
    ([events, "gas.masses=[0.1, -1]"], ["gas.masses", "above 0"]),
    ([events, "gas.masses=[]"], ["gas.masses", "1 to 8"]),
    ([events, "gas.masses=[1]"], ["gas.temperatures", "array of 1"]),
    ([events, "gas.rates=0"], ["gas.rates = 0", "above 0"]),
    ([events, "gas.rates=[[1, 2], [2, -1]]"], ["gas.rates", "above 0"]),
    ([events, "gas.rates=[[1, 2], [3, 1]]"], ["gas.rates", "symmetric: entry (1, 0) is 3"]),
    ([events, "gas.rates=[[1, 2]]"], ["gas.rates", "2 x 2"]),
    ([events, "gas.exponent=1.5"], ["gas.exponent = 1.5", "[0.0, 1.0]", "the nearest is 1"]),
    ([events, "gas.exponent=-0.1"], ["gas.exponent = -0.1", "the nearest is 0"]),
    ([events, "gas.numbers=[4, 0]"], ["gas.numbers", "2 integers"]),
    ([events, "gas.numbers=[4, 1]"], ["gas.numbers", "species 1 has one particle"]),
    ([events, "gas.numbers=[4]"], ["gas.numbers = [4]", "2 integers"]),
    (one + [events, "gas.numbers=[1]", "gas.scaled=false"], ["gas.numbers = [1]", "2 particles or more"]),
    ([events, "gas.multiple=1000000000"], ["gas.multiple", "more than"]),
    ([events, "gas.temperatures=[1, 0]"], ["gas.temperatures", "above 0"]),
    ([events, "gas.start=\"bkv\""], ["gas.start = \"bkv\"", "bkw"]),
    ([events, "gas.start=\"bkw\""], ["gas.start", "one species"]),
    (
      one + [events, "gas.numbers=[10]", "gas.start=\"bkw\"", "gas.shape=0.5"],
      ["gas.shape = 0.5", "the nearest is 0.6"]
    ),
    ([events, "gas.shape=0.7"], ["gas.shape", "start = \"bkw\" only"]),
    ([events, "gas.tails=[1, -1]"], ["gas.tails", "above 0"]),
    ([], ["gas.times is missing", "ascending"]),
    (["gas.times=[2, 1]"], ["gas.times = [2, 1]", "ascending"]),
    ([events, "gas.step=0.1"], ["gas.step", "dynamics = \"steps\" only"]),
    (steps + [events], ["gas.times", "dynamics = \"events\" only"]),
    (["gas.dynamics=\"steps\"", "gas.step=0.1"], ["gas.steps", "must be given"]),
    (steps + ["gas.records=3"], ["gas.records = 3", "divide steps, 4"]),
    (
      ["gas.dynamics=\"steps\"", "gas.steps=4", "gas.step=2.5", "gas.probability=\"linear\""],
      ["gas.step = 2.5", "at most 1.66", "would be 1.5"]
    ),
    ([events, "gas.system=\"mixtures\""], ["gas.system = \"mixtures\"", "mixture"]),
    ([events, "gas.mass=[1, 1]"], ["gas.mass", "masses"]),
  ])
  func badValuesAreNamed(settings: [String], words: [String]) {
    do {
      _ = try Self.read(settings)
      Issue.record("\(settings) was taken")
    } catch let failure as Failure {
      #expect(failure.status == .badData)
      for word in words { #expect(failure.message.contains(word), "\(failure.message): \(word)") }
    } catch {
      Issue.record("\(error)")
    }
  }

  @Test(arguments: [
    ("[[limit]]\nequation = \"bkw\"", ["start = \"bkw\" only"]),
    ("[[limit]]\nequation = \"moment-equations\"", ["dynamics = \"steps\" only"]),
    ("[[limit]]\nequation = \"event-driven\"", ["dynamics = \"steps\" only"]),
    ("exponent = 0.5\n[[limit]]\nequation = \"boltzmann-moments\"", ["exponent = 0 only"]),
    ("[bias]\n", ["dynamics = \"steps\""]),
  ])
  func limitsThatDoNotApply(text: String, words: [String]) {
    do {
      _ = try Self.read([Self.events], further: text)
      Issue.record("\(text) was taken")
    } catch let failure as Failure {
      #expect(failure.status == .badData)
      for word in words { #expect(failure.message.contains(word), "\(failure.message)") }
    } catch {
      Issue.record("\(error)")
    }
  }

  /// What a job is made of: legs, and a second one of half the step.
  @Test func legs() throws {
    let bias = try Self.read(Self.steps, further: "[bias]\n[[limit]]\nequation = \"moment-equations\"\n")
    let legs = bias.cases[0].legs
    #expect(legs.map(\.name) == ["gas", "gas-half-step", "moment-equations", "exact"])
    #expect(legs[1].refines?.order == 1 && legs[1].experiment?.replicas?.steps == 8)
    #expect(try Self.read([Self.events]).cases[0].legs.map(\.name) == ["gas", "exact"])
    #expect(try Self.read([Self.events, "gas.exponent=1"]).cases[0].legs.map(\.name) == ["gas"])
    let larger = try Self.read([Self.events, "gas.multiple=10"])
    #expect(larger.cases[0].legs[0].attributes["particles"] == "100")
  }
}
