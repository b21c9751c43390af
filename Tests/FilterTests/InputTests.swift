import Engine
import Experiments
import Jobs
import Support
import Testing

/// Bad values of a filter job: key, value, range and the nearest name, and no work.
@Suite struct FilterInputTests {
  private static func read(_ keys: String, limits: String = "", settings: [String] = []) throws -> Job {
    try JobReader(families: Registry.families, data: NoData()).read(
      "seed = 2026\n[filter]\ndraws = 2\nparticles = 4\n\(keys)\n\(limits)", name: "test.toml", settings: settings,
      check: false
    ).job
  }

  private static let line =
    "model = \"linear-gaussian\"\ntransition = 0.9\nnoise = 0.5\nerror = 0.5\nobservations = [0.5, -0.3]"
  private static let vectors =
    "model = \"linear-gaussian\"\ntransition = [[0.9, 0], [0, 1]]\nnoise = [[1, 0], [0, 1]]\nemission = [[1, 0]]\n"
    + "error = [[1]]\nstart = [[1, 0], [0, 1]]\nobservations = [[0.5], [-0.3]]"
  private static let states =
    "model = \"hidden-markov\"\ninitial = [0.5, 0.5]\ntransition = [[0.9, 0.1], [0.2, 0.8]]\n"
    + "emission = [[0.7, 0.3], [0.1, 0.9]]\nobservations = [0, 1]"
  private static let own =
    "model = \"own-model\"\ntransition = { formula = \"0.9*x\" }\nnoise = { formula = \"0.5\" }\n"
    + "emission = { formula = \"x\" }\nerror = { formula = \"1\" }\nobservations = [0.5, -0.3]"
  private static let volatility =
    "model = \"stochastic-volatility\"\npersistence = 0.9\nnoise = 0.5\nobservations = [0.5, -0.3]"

  @Test(arguments: [
    (line, "filter.model=\"linear\"", ["filter.model = \"linear\"", "linear-gaussian"]),
    (line, "filter.method=\"pariss\"", ["filter.method", "did you mean paris?"]),
    (line, "filter.resampling=\"sistematic\"", ["filter.resampling", "did you mean systematic?"]),
    (line, "filter.particels=3", ["filter.particels", "unknown key", "particles"]),
    (line, "filter.particles=0", ["filter.particles = 0", "the nearest is 1"]),
    (line, "filter.threshold=1.5", ["filter.threshold = 1.5", "[0.0, 1.0]"]),
    (line, "filter.sweeps=3", ["filter.sweeps = 3", "method = \"gibbs\" only"]),
    (line, "filter.noise=0", ["filter.noise = 0", "positive"]),
    (line, "filter.noise=[[1]]", ["filter.noise", "as transition is one number"]),
    (line, "filter.observations=[]", ["filter.observations", "array of numbers"]),
    (line, "filter.observations=[0.1, nan]", ["filter.observations[1]", "with missing = true"]),
    (line, "filter.observations=[0.1, inf]", ["filter.observations[1]", "a finite number"]),
    (line, "filter.observations=[[0.1, 0.2]]", ["filter.observations[0]", "must be 1 number"]),
    (line, "filter.observations={ formula = \"cos(x)\" }", ["filter.observations.formula", "x"]),
    (line, "filter.observations={ formula = \"cos(t)\" }", ["filter.length", "integer in [1, "]),
    (line, "filter.length=3", ["filter.length = 3", "formula or a simulation"]),
    (line, "filter.data_seed=3", ["filter.observations", "beside data_seed"]),
    (vectors, "filter.noise=[[1, 0.5], [0.4, 1]]", ["filter.noise", "symmetric"]),
    (vectors, "filter.noise=[[1, 2], [2, 1]]", ["filter.noise", "positive definite"]),
    (vectors, "filter.transition=[[1, 2]]", ["filter.transition", "square"]),
    (vectors, "filter.emission=[[1, 2, 3]]", ["filter.emission", "n x 2"]),
    (vectors, "filter.observations=[[1, 2]]", ["filter.observations[0]", "must be 1 number"]),
    (states, "filter.transition=[[0.9, 0.2], [0.2, 0.8]]", ["filter.transition[0] = [0.9, 0.2]", "sum to 1", "1.1"]),
    (states, "filter.initial=[0.5, -0.5]", ["filter.initial", "sum to 1"]),
    (states, "filter.emission=[[0.7, 0.3], [1]]", ["filter.emission", "different lengths"]),
    (states, "filter.observations=[0, 2]", ["filter.observations[1]", "a symbol, 0 to 1"]),
    (states, "filter.observations=[0, 0.5]", ["filter.observations[1]", "a symbol, 0 to 1"]),
    (own, "filter.noise={ formula = \"-1\" }", ["filter.noise", "positive"]),
    (own, "filter.noise=\"0.5\"", ["filter.noise", "formula"]),
    (own, "filter.transition={ formula = \"a*x\" }", ["filter.transition.formula", "a"]),
    (own, "filter.log_density={ formula = \"-x*y\" }", ["filter.log_density", "beside emission or error"]),
    (own, "filter.range=[1, -1]", ["filter.range", "the lower one first"]),
    (own, "filter.proposal=\"guided\"", ["filter.proposal", "must be bootstrap"]),
    (volatility, "filter.persistence=1", ["filter.persistence = 1", "(-1.0, 1.0)"]),
    (own, "filter.method=\"learning\"", ["filter.method", "has no parameters"]),
  ])
  func isRefused(keys: String, setting: String, words: [String]) {
    #expect(complaint(setting, says: words) { _ = try Self.read(keys, settings: [setting]) } == nil)
  }

  @Test(arguments: [
    (line + "\nmethod = \"gibbs\"", "filter.burn_in=1", ["filter.burn_in = 1", "below sweeps, 1"]),
    (line + "\nmethod = \"gibbs\"", "filter.particles=1", ["filter.particles = 1", "at least 2"]),
    (
      line + "\nmethod = \"gibbs\"", "filter.resampling=\"systematic\"",
      ["filter.resampling", "\"filter\" or \"paris\""]
    ),
    (volatility + "\nmethod = \"gibbs\"", "filter.reference=\"smoothing\"", ["filter.reference", "prior or filter"]),
    (line + "\nresampling = \"pivotal\"", "filter.particles=2000000", ["filter.resampling", "at most 1048576"]),
  ])
  func isRefusedOfOneMethod(keys: String, setting: String, words: [String]) {
    isRefused(keys: keys, setting: setting, words: words)
  }

  @Test func limitsSayWhatTheyNeed() {
    for (keys, equation, words) in [
      (Self.line, "maximum-likelihood", "method = \"learning\" only"),
      (Self.line + "\nmethod = \"learning\"", "smoothing-law", "\"filter\", \"paris\" and \"gibbs\" only"),
      (Self.own, "smoothing-law", "is not known"),
    ] {
      do {
        _ = try Self.read(keys, limits: "[[limit]]\nequation = \"\(equation)\"")
        Issue.record("\(equation) was taken")
      } catch {
        #expect("\(error)".contains(words), "\(error)")
      }
    }
  }

  /// The same observations by numbers, by a formula and by a model that is the same in formulas: the same Z.
  @Test func observationsAndModelsHaveSeveralSpellings() throws {
    func evidence(_ keys: String, _ settings: [String] = []) throws -> Double {
      let item = try Self.read(keys, limits: "[[limit]]\nequation = \"smoothing-law\"", settings: settings).cases[0]
      let known = try #require(item.legs.first { $0.role == .limit }?.known)
      let place = try #require(known.schema.place(of: "log_evidence"))
      return try #require(known.statistics.first { $0.observable == place }).value
    }
    let numbers = try evidence(Self.line)
    let formula = try evidence(
      Self.line, ["filter.observations={ formula = \"0.5 - 0.8*t\" }", "filter.length=2"])
    #expect((formula - numbers).magnitude < 1e-12)
    let own = try evidence(
      Self.own, ["filter.error={ formula = \"0.5\" }", "filter.range=[-9, 9]"])
    #expect((own - numbers).magnitude < 1e-10)
    let density = try evidence(
      Self.own.replacing("emission = { formula = \"x\" }\nerror = { formula = \"1\" }\n", with: ""),
      ["filter.log_density={ formula = \"-2*(y - x)^2 - 0.5*log(pi/2)\" }", "filter.range=[-9, 9]"])
    #expect((density - numbers).magnitude < 1e-10)
    let one = try evidence(
      Self.vectors,
      [
        "filter.transition=[[0.9]]", "filter.noise=[[0.25]]", "filter.emission=[[1]]", "filter.error=[[0.25]]",
        "filter.start=[[1]]",
      ])
    #expect((one - numbers).magnitude < 1e-12)
    // A simulation is the same whenever it is made.
    let simulated = Self.line.replacing("observations = [0.5, -0.3]", with: "data_seed = 3\nlength = 5")
    #expect(try evidence(simulated) == evidence(simulated))
    #expect(try evidence(simulated) != evidence(simulated, ["filter.data_seed=4"]))
  }
}
