import Experiments
import KernelMachines
import Testing

/// What is refused, and in which words.
@Suite struct InputTests {
  @Test(arguments: [
    (["inputs": "{ gram = [[1.0, 2.0], [2.0, 1.0]] }"], ["inputs.gram", "positive semi-definite"]),
    (["inputs": "{ gram = [[1.0, 1.0], [1.0, 1.0]] }", "targets": "[1.0, 1.0]"], ["points 0 and 1", "equal"]),
    (
      ["inputs": "{ gram = [[2.0, 0.0, 1.0], [0.0, 2.0, 1.0], [1.0, 1.0, 1.0]] }"],
      ["kernel-machine.inputs", "positive definite"]
    ),
    (
      ["inputs": "{ file = \"data/digits.csv\", rows = [3, 3], drop = [\"label\"] }", "targets": "[1.0, 1.0]"],
      ["equal"]
    ),
    (["noise": "-0.1"], ["kernel-machine.noise = -0.1", "above 0"]),
    (["noise": "0.0"], ["kernel-machine.noise", "above 0"]),
    (["width": "2"], ["kernel-machine.width = 2", "at least the number of points, 3", "the nearest is 3"]),
    (["targets": "[1.0, 2.0]"], ["kernel-machine.targets", "array of 3", "here are 2"]),
    (["targets": "[[1.0, 2.0, 3.0], [1.0]]"], ["kernel-machine.targets", "here are 1"]),
    (["targets": "2.0"], ["kernel-machine.targets", "array of 3"]),
    (["output_ratio": "0.0"], ["kernel-machine.output_ratio", "(0.0"]),
    (["kernel": "\"relo\""], ["kernel-machine.kernel", "did you mean relu"]),
    (["sampler": "\"hcm\""], ["did you mean hmc"]), (["depth": "0"], ["kernel-machine.depth", "[1, 64]"]),
    (["step": "0.0"], ["kernel-machine.step"]), (["measure_every": "3"], ["steps", "the nearest is 399"]),
    (["sampler": "\"metropolis\"", "leapfrog_steps": "3"], ["unknown key"]),
    (["sampler": "\"bartlett\""], ["unknown key"]),
  ])
  func badValuesAreRefused(keys: [String: String], words: [String]) throws {
    let failure = #expect(throws: Failure.self) { try Machines.read(Machines.text(keys)) }
    #expect(failure?.status == .badData)
    for word in words { #expect(failure?.message.contains(word) == true, "\(failure?.message ?? "") \(word)") }
  }

  @Test func limitsAreOfTheirLaw() throws {
    let limit = "[[limit]]\nequation = \"objective-maximum\"\n"
    let prior = Machines.text(["sampler": "\"bartlett\"", "draws": "100"], chains: false)
    let failure = #expect(throws: Failure.self) { try Machines.read(prior + limit) }
    #expect(failure?.message.contains("prior-kernel") == true)
    _ = try Machines.read(Machines.text([:]) + limit + "inducing = 3\n")
    let most = #expect(throws: Failure.self) { try Machines.read(Machines.text([:]) + limit + "inducing = 4\n") }
    #expect(most?.message.contains("the nearest is 3") == true)
    _ = try Machines.read(Machines.text([:]) + "[[limit]]\nequation = \"prior-kernel\"\n")
  }

  /// Yh of several vectors is the mean of y y^T: the same vector twice is that vector.
  @Test func severalTargets() throws {
    let (y, z) = ("[1.0, -1.0, 0.5]", "[-1.0, 1.0, -0.5]")
    let one = try Machines.predicted(Machines.read(Machines.text(["targets": y])), "objective-maximum")
    let two = try Machines.predicted(
      Machines.read(Machines.text(["targets": "[\(y), \(z)]"])), "objective-maximum")
    #expect(one.count == 8)
    for (name, value) in one { #expect(abs((two[name] ?? .nan) - value) < 1e-10, "\(name)") }
  }

  /// Points of a data file, and several vectors of targets.
  @Test func pointsOfAFile() throws {
    let job = try Machines.read(
      Machines.text([
        "inputs": "{ file = \"data/digits.csv\", rows = [0, 1, 2, 3], drop = [\"label\"] }", "kernel": "\"relu\"",
        "depth": "2", "targets": "[[1.0, 0.0, 0.0, 1.0], [0.0, 1.0, 1.0, 0.0]]",
      ]))
    #expect(Machines.predicted(job, "objective-maximum").count == 20 + 2 + 1)
  }
}
