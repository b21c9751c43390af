import Chemotaxis
import Experiments
import Testing

/// Bad values: key, value, range and the nearest name, and no work.
@Suite struct InputTests {
  private static let box = "domain = \"box\"\nmass = 1\neps = 0.1\nnumber = 10\nstep = 0.1\nsteps = 4\ndraws = 2"
  private static let density =
    "domain = \"box\"\nmethod = \"density\"\nmass = 1\neps = 0.1\nstep = 0.1\nsteps = 4\ndraws = 2"
  private static let plane = "domain = \"plane\"\nmass = 1\nnumber = 8\nstep = 0.1\nsteps = 4\ndraws = 2"

  @Test(arguments: [
    (box, "chemotaxis.domain=\"bix\"", ["chemotaxis.domain = \"bix\"", "did you mean box?"]),
    (box, "chemotaxis.eps=-0.1", ["chemotaxis.eps = -0.1", "[0.0, 1000000000.0]", "the nearest is 0.0"]),
    (box, "chemotaxis.tau=-1", ["chemotaxis.tau = -1", "the nearest is 0.0"]),
    (box, "chemotaxis.mass=0", ["chemotaxis.mass = 0", "(0.0"]),
    (box, "chemotaxis.mass=-1", ["chemotaxis.mass = -1", "(0.0"]),
    (box, "chemotaxis.modes=0", ["chemotaxis.modes = 0", "the nearest is 1"]),
    (box, "chemotaxis.dimension=0", ["chemotaxis.dimension = 0", "[1, 3]", "the nearest is 1"]),
    (box, "chemotaxis.dimension=4", ["chemotaxis.dimension = 4", "[1, 3]", "the nearest is 3"]),
    (box, "chemotaxis.number=4194304", ["chemotaxis.number = 4194304", "the nearest is 4194303"]),
    (box, "chemotaxis.number=0", ["chemotaxis.number = 0", "the nearest is 1"]),
    (box, "chemotaxis.step=0", ["chemotaxis.step = 0"]),
    (box, "chemotaxis.length=-2", ["chemotaxis.length = -2"]),
    (box, "chemotaxis.start_amplitude=1.5", ["chemotaxis.start_amplitude = 1.5", "the nearest is 1.0"]),
    (box, "chemotaxis.start_mode=40", ["chemotaxis.start_mode = 40", "at most modes = 32"]),
    (box, "chemotaxis.observed_modes=33", ["chemotaxis.observed_modes = 33", "at most modes = 32"]),
    (box, "chemotaxis.method=\"particle\"", ["chemotaxis.method", "did you mean particles?"]),
    (box, "chemotaxis.records=3", ["chemotaxis.steps = 4", "multiple"]),
    (box, "chemotaxis.frame_every=5", ["chemotaxis.frame_every = 5"]),
    (box, "chemotaxis.masss=1", ["chemotaxis.masss", "did you mean mass?"]),
    (density, "chemotaxis.number=10", ["chemotaxis.number = 10", "particles"]),
    (density, "chemotaxis.frame_every=2", ["chemotaxis.frame_every = 2", "particles"]),
    (density, "chemotaxis.method=\"particles\"", ["chemotaxis.number", "integer in [1, 4194303]"]),
    (density, "bias.enabled=true", ["bias.enabled", "particles"]),
    (plane, "chemotaxis.mass=0", ["chemotaxis.mass = 0"]),
    (plane, "chemotaxis.mass=28.8", ["chemotaxis.mass = 28.8", "8 pi N/(N-1) = 28.72"]),
    (plane, "chemotaxis.number=1", ["chemotaxis.number = 1", "the nearest is 2"]),
    (plane, "chemotaxis.collapse=1", ["chemotaxis.collapse = 1"]),
    (plane, "chemotaxis.modes=3", ["chemotaxis.modes", "unknown key"]),
  ])
  func isRefused(keys: String, setting: String, words: [String]) throws {
    let failure = #expect(throws: Failure.self) { try Chemo.job(keys, settings: [setting]) }
    #expect(failure?.status == .badData)
    for word in words { #expect(failure?.message.contains(word) ?? false, "\(failure?.message ?? "") lacks \(word)") }
  }

  @Test("Modes over all dimensions", arguments: [(2, 256, "255"), (3, 40, "39")])
  func modes(d: Int, modes: Int, most: String) throws {
    let failure = #expect(throws: Failure.self) {
      try Chemo.job(Self.box, settings: ["chemotaxis.dimension=\(d)", "chemotaxis.modes=\(modes)"])
    }
    #expect(failure?.message.contains("at most \(most)") ?? false)
  }

  @Test(arguments: [
    (box, "structure-factor", "chemotaxis.mass=200", "unstable"),
    (density, "structure-factor", "chemotaxis.mass=1", "does not fluctuate"),
    (box, "initial-layer", "chemotaxis.eps=0", "no layer"),
    (box, "initial-layer", "chemotaxis.start_signals=\"balance\"", "no layer"),
    (box, "collapsing-spread", "chemotaxis.mass=1", "domain = \"plane\""),
    (plane, "chemotaxis-density", "chemotaxis.mass=1", "domain = \"box\""),
  ])
  func limitsAreRefused(keys: String, limit: String, setting: String, words: String) throws {
    let failure = #expect(throws: Failure.self) {
      try Chemo.job(keys, limits: "[[limit]]\nequation = \"\(limit)\"", settings: [setting])
    }
    #expect(failure?.message.contains(words) ?? false, "\(failure?.message ?? "")")
  }
}
