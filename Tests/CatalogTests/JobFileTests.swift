import Experiments
import Foundation
import Jobs
import Testing

/// Every job of `jobs/` says what it shows, and shows it at the smaller sizes of its `[check]`.
@Suite(.serialized) struct JobFileTests {
  static let names =
    (try? FileManager.default.contentsOfDirectory(atPath: root + "/jobs"))?
    .filter { $0.hasSuffix(".toml") }.sorted() ?? []

  private static func text(_ name: String) throws -> String {
    try String(contentsOfFile: "\(root)/jobs/\(name)", encoding: .utf8)
  }

  /// What does not hold, in sentences.
  private static func failures(_ file: JobFile) throws -> [String] {
    try Checker.run(file, threads: 2).results.filter { !$0.holds }.map(\.sentence)
  }

  @Test func thereAreJobs() { #expect(Self.names.count >= 22, "\(Self.names)") }

  @Test(arguments: names) func whatAJobExpectsHolds(name: String) throws {
    let text = try Self.text(name)
    for table in ["expect", "check"] {
      #expect(text.contains(try Regex("(?m)^\\[\(table)\\]$")), "\(name) has no [\(table)]")
    }
    if GramJob.isOne(text, name: name) {
      let path = "\(root)/jobs/\(name)"
      _ = try GramJob.read(text, name: path, data: DataFiles(job: path))
      let results = try GramJob.read(text, name: path, check: true, data: DataFiles(job: path)).check()
      #expect(!results.isEmpty && results.allSatisfy(\.holds), "\(name): \(results)")
      return
    }
    // At full size it is read only.
    _ = try job(text)
    let file = try job(text, check: true)
    #expect(!file.job.expectations.isEmpty)
    let failures = try Self.failures(file)
    #expect(failures.isEmpty, "\(name): \(failures)")
  }

  /// A job whose values are known: every correlation is 1, and V_00 of a linear network has mean 1.
  private static let small = """
    title = "small"
    seed = 3
    [network]
    architecture = "linear-mlp"
    width = 16
    depth = 4
    inputs = { correlation = 0.3 }
    layers = [2, 4]
    draws = 4000
    [[limit]]
    equation = "covariance-sde"
    step = 0.05
    [sweep]
    "network.width" = [16, 32]
    [comparison]
    mean = 0.5
    [check]
    network.draws = 2000
    expect = { "V[0,0]" = { value = 1, tolerance = 0.2 }, "network.width=32: V[0,0]" = "any" }
    [expect]
    "exact" = "agrees"
    "V[0,0]" = { value = 1, tolerance = 0.1 }
    "network.width=32: V[0,0]" = { value = 1, tolerance = 0.08 }
    "covariance-sde/log_V[0]" = { value = -0.2, tolerance = 0.2 }
    """

  @Test func rightExpectationsHold() throws {
    for check in [false, true] {
      let file = try job(Self.small, check: check)
      #expect(file.job.expectations.count == (check ? 3 : 4))
      let results = try Checker.run(file, threads: 2).results
      #expect(results.filter { !$0.holds }.map(\.sentence) == [])
      // Each subject in both cases, one in one of them.
      #expect(results.count == (check ? 6 : 7))
    }
  }

  @Test(arguments: [
    ("\"exact\" = \"differs\"", 2, ["network.width=32: exact: expected differs, found agrees: network against exact"]),
    ("\"network.width=16: exact\" = \"undecided\"", 1, ["network.width=16: exact: expected undecided, found agrees"]),
    (
      "\"V[0,0]\" = { value = 2, tolerance = 0.1 }", 2,
      ["network.width=16: E V[0,0]: expected 2.0 +- 0.1, found ", "network.width=32: E V[0,0]"]
    ),
    (
      "\"covariance-sde/rho[0,1]\" = { value = -1, tolerance = 0.5 }", 2,
      ["network.width=16: E covariance-sde/rho[0,1]: expected -1.0 +- 0.5, found 0."]
    ),
    ("\"sde\" = \"agrees\"", 1, ["sde: nothing of that name is compared; there is covariance-sde, exact"]),
    ("\"W\" = { value = 0, tolerance = 1 }", 1, ["W: nothing of that name is measured; there is V[0,0], "]),
    ("\"network.width=3: exact\" = \"agrees\"", 1, ["network.width=3: exact: no case is network.width=3"]),
    ("\"order of V[0,0]\" = { value = 1, tolerance = 1 }", 1, ["order of V[0,0]: nothing of that name is measured"]),
  ])
  func wrongExpectationsAreNamed(line: String, count: Int, sentences: [String]) throws {
    let text = Self.small.split(separator: "[expect]")[0] + "[expect]\n" + line
    let file = try job(String(text).replacing(", \"network.width=32: V[0,0]\" = \"any\"", with: ""))
    let failures = try Self.failures(file)
    #expect(failures.count == count, "\(failures)")
    for sentence in sentences {
      #expect(failures.contains { $0.contains(sentence) }, "\(sentence) should be in \(failures)")
    }
  }

  /// The order that a sweep finds is a value; a case is found by any part of its label.
  @Test func ordersAreValues() throws {
    let text = """
      seed = 1
      [particles]
      system = "gaussian"
      number = 256
      warm_up = 100
      steps = 1000
      replicas = 8
      [sweep]
      "particles.integrator" = ["lmc", "baoab"]
      "particles.step" = [0.2, 0.4, 0.6]
      [expect]
      'particles.integrator="lmc": order of x^2' = { value = 1, tolerance = 0.4 }
      """
    let results = try Checker.run(job(text), threads: 2).results
    #expect(results.first { $0.place.contains("lmc") && $0.expectation.value == 1 }?.holds == true, "\(results)")
  }

  /// Slopes along a sweep, variances, and values of another record: with a tolerance that holds, and away from it.
  @Test func slopesAndVariancesAreValues() throws {
    let text = """
      seed = 1
      [training]
      problem = "mlp"
      width = 16
      activation = "linear"
      parametrisation = "ntk"
      learning_rate = 0.1
      steps = 4
      records = [0, 4]
      observables = ["loss", "f", "log_kernel_change"]
      draws = 2000
      [training.data]
      inputs = [[1.0]]
      targets = [1.0]
      [sweep]
      "training.width" = [16, 64, 256]
      [expect]
      "slope of log_kernel_change" = { value = -1, tolerance = 0.2 }
      "slope of f[0]" = { value = 0, tolerance = 1 }
      "Var f[0] at step 0" = { value = 1, tolerance = 0.3 }
      "f[0] at step 0" = { value = 0, tolerance = 0.2 }
      "training.width=256: Var f[0]" = { value = 5, tolerance = 0.1 }
      "f[0] at step 3" = { value = 0, tolerance = 10 }
      """
    let results = try Checker.run(job(text), threads: 2).results
    let failed = results.filter { !$0.holds }.map(\.sentence)
    #expect(failed.count == 3, "\(failed)")
    for words in ["slope of f[0]: nothing", "Var f[0]: expected 5", "f[0] at step 3: nothing"] {
      #expect(failed.contains { $0.contains(words) }, "\(words): \(failed)")
    }
    #expect(results.contains { $0.sentence.contains("slope of log_kernel_change: expected -1") })
  }

  @Test func tablesThatAreRefused() {
    for (text, words) in [
      ("[check]\nexpect = 3", ["check.expect = 3", "must be a table"]),
      ("[check]\nexpect = { \"exact\" = \"any\" }", ["check.expect.\"exact\"", "there is none"]),
      ("[check]\nexpect = { \"exact\" = \"perhaps\" }", ["check.expect.\"exact\"", "agrees, differs, undecided"]),
      ("[expect]\n\"exact\" = \"any\"", ["expect.\"exact\"", "agrees, differs, undecided"]),
    ] {
      do {
        _ = try job(BadInputTests.network + "\n" + text)
        Issue.record("\(text) was taken")
      } catch {
        for word in words { #expect("\(error)".contains(word), "\(error) should say \(word)") }
      }
    }
  }
}
