import Experiments
import Support
import Testing

/// Bad values of a divergence job: key, value, range and the nearest name, and no work.
@Suite struct InputTests {
  private static let line = "law = \"line\"\ntarget = \"smoothed-power\"\nstep = 0.1\nsteps = 10"
  private static let own = "law = \"line\"\ntarget = \"own\"\nstep = 0.1\nsteps = 10"
  private static let gaussian = "law = \"gaussian\"\ncurvatures = [1, 4]\nstep = 0.1\nsteps = 10"
  private static let steps = "law = \"steps-to-epsilon\"\nkappa = 10\nepsilon = [0.01]"
  private static let phase = "law = \"phase\"\ntarget = \"power\"\nstep = 0.1\nsteps = 10"
  private static let particles = "law = \"particles\"\nnumber = 8\nstep = 0.1\nsteps = 10"

  @Test(arguments: [
    (line, "divergence.law=\"lin\"", ["divergence.law = \"lin\"", "did you mean line?"]),
    (line, "divergence.target=\"smooth-power\"", ["divergence.target", "did you mean smoothed-power?"]),
    (line, "divergence.integrator=\"malla\"", ["divergence.integrator", "did you mean mala?"]),
    (line, "divergence.integrator=\"baoab\"", ["divergence.integrator", "one of lmc, mala"]),
    (line, "divergence.alpha=0.5", ["divergence.alpha = 0.5", "[1.0, 2.0]"]),
    (line, "divergence.aplha=1.5", ["divergence.aplha", "unknown key", "alpha"]),
    (line, "divergence.step=0", ["divergence.step = 0", "above 0"]),
    (line, "divergence.step=1e-9", ["divergence.step = 1e-09", "too small for a grid"]),
    (line, "divergence.steps=0", ["divergence.steps = 0", "[1, "]),
    (line, "divergence.start_std=1e-3", ["divergence.start_std = 0.001", "at least"]),
    (line, "divergence.orders=[1]", ["divergence.orders", "above 1"]),
    (line, "divergence.orders=[2, 2.0]", ["divergence.orders", "different"]),
    (line, "divergence.reach=2", ["divergence.reach = 2", "above 6"]),
    (line, "divergence.records=[3, 2]", ["divergence.records", "ascending"]),
    (line, "divergence.draws=1", ["divergence.draws = 1", "[2, "]),
    (own, "divergence.potential=\"x^2\"", ["divergence.potential", "write { formula = \"x^2\" }"]),
    (own, "divergence.potential={ formula = \"y^2\" }", ["divergence.potential.formula", "y"]),
    (own, "divergence.potential={ formula = \"-x^2\" }", ["divergence.potential", "must grow on either side"]),
    (own, "divergence.potential={ formula = \"log(x)\" }", ["divergence.potential", "must be finite"]),
    (own, "divergence.potential={ formula = \"x^4\" }", ["divergence.step", "mala"]),
    (own, "divergence.potential={ formula = \"10*x^2\" }", ["divergence.step = 0.1", "must be below 0.1"]),
    (gaussian, "divergence.curvatures=[1, -1]", ["divergence.curvatures", "positive"]),
    (gaussian, "divergence.curvatures=[]", ["divergence.curvatures", "positive"]),
    (gaussian, "divergence.step=0.6", ["divergence.step = 0.6", "must be below 0.5", "curvature is 4.0"]),
    (gaussian, "divergence.friction=0", ["divergence.friction = 0"]),
    (steps, "divergence.kappa=0.5", ["divergence.kappa = 0.5", "[1.0, "]),
    (steps, "divergence.epsilon=[0]", ["divergence.epsilon", "[1e-8, 0.1]"]),
    (steps, "divergence.epsilon=[0.1, 0.1]", ["divergence.epsilon", "different"]),
    (steps, "divergence.frictions=[0]", ["divergence.frictions", "positive"]),
    (steps, "divergence.step=0.1", ["divergence.step", "unknown key"]),
    (phase, "divergence.integrator=\"lmc\"", ["divergence.integrator", "obabo"]),
    (phase, "divergence.step=0.001", ["divergence.step = 0.001", "does not see its noise"]),
    (phase + "\npower = 2.0", "divergence.step=1.5", ["divergence.step = 1.5", "must be below 1.41"]),
    (phase, "divergence.start_std=0.01", ["divergence.start_std = 0.01", "at least"]),
    (phase, "divergence.reach=400", ["divergence.step", "too small for a lattice"]),
    (particles, "divergence.marginals=[0]", ["divergence.marginals", "[1, 8]"]),
    (particles, "divergence.marginals=[9]", ["divergence.marginals", "[1, 8]"]),
    (particles, "divergence.number=1", ["divergence.number = 1", "[2, "]),
    (particles, "divergence.theta=0", ["divergence.theta = 0", "above 0"]),
  ])
  func isRefused(keys: String, setting: String, words: [String]) {
    #expect(complaint(setting, says: words) { _ = try read(keys, settings: [setting]) } == nil)
  }

  @Test func limitsSayWhatTheyNeed() {
    for (keys, limit, word) in [
      (Self.gaussian, "small-step", "law = \"line\""),
      (Self.steps, "small-step-divergence", "needs a chain with a step size"),
      (Self.line + "\nintegrator = \"mala\"", "small-step-divergence", "needs a chain with a step size"),
    ] {
      #expect { _ = try read(keys, limits: "[limit]\nequation = \"\(limit)\"") } throws: { "\($0)".contains(word) }
    }
  }
}
