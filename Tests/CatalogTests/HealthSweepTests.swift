import Analyses
import Engine
import Experiments
import Foundation
import Results
import Testing

/// Health reports where the depth of a network is swept, or where layers cannot be chosen.
@Suite struct HealthSweepTests {
  private static let text = """
    seed = 7
    [network]
    architecture = "mlp"
    activation = "relu"
    width = 16
    depth = 4
    inputs = { correlation = 0.3 }
    draws = 200
    [health]
    """

  private func layers(_ text: String, _ settings: [String]) throws -> [[Double]] {
    try job(text, settings).job.cases.map { $0.finite!.axis.values }
  }

  @Test("Layers follow from the depth of each case")
  func depths() throws {
    let all = try layers(Self.text, ["sweep={\"network.depth\"=[2,32,11]}"])
    #expect(all.map { $0.last! } == [2, 32, 11])
    #expect(all[0] == [1, 2] && all[1].prefix(8) == [1, 2, 3, 4, 5, 6, 7, 8] && all[1].count > 15)
    // Keys that move together, and a depth that only the sweep gives.
    let both = try layers(Self.text, ["sweep={\"network.width, network.depth\"=[[8,40],[16,3]]}"])
    #expect(both.map { $0.last! } == [40, 3])
    let without = Self.text.replacingOccurrences(of: "depth = 4\n", with: "")
    #expect(try layers(without, ["sweep={\"network.depth\"=[3,9]}"]).map { $0.last! } == [3, 9])
    let found = try LocalRun.run(job(without, ["sweep={\"network.depth\"=[3,9]}"]).job, ranks: 1).snapshot
    #expect(Analyses.health(found).map(\.rows.count) == [3, 3])
  }

  @Test("Inputs that enter at a later layer, and draws that measure the last layer only")
  func otherStarts() throws {
    let late = try layers(Self.text, ["network.inputs={q=40.0,layer=20}", "network.depth=50"])
    #expect(late[0].first! > 20 && late[0].last! == 50 && late[0].count > 5)
    #expect(try layers(Self.text, ["network.probes=[\"ntk\"]"]) == [[4]])
    #expect(
      try layers(Self.text, ["network.architecture=\"ntk-mlp\"", "sweep={\"network.depth\"=[4,6]}"]) == [[4], [6]])
    #expect(try layers(Self.text, ["network.layers=[2,3]"]) == [[2, 3]])
  }

  @Test("A single input cannot collapse")
  func singleInput() throws {
    let found = try LocalRun.run(job(Self.text, ["network.inputs={count=1}"]).job, ranks: 1).snapshot
    #expect(Analyses.health(found)[0].rows.map(\.failure) == ["exploded", "vanished"])
  }

  @Test("Of many cases the unhealthy ones are named, the others counted, and all are with --all")
  func manyCases() throws {
    // Deep networks collapse, shallow ones do not.
    let sweep = ["sweep={\"network.depth\"=[1,2,3,4,5,2000]}", "network.width=64", "network.layers=\"last\""]
    let found = try LocalRun.run(job(Self.text, sweep).job, ranks: 1).snapshot
    func lines(_ report: Report) -> [String] {
      report.text.split(separator: "\n").map(String.init).filter { $0.hasPrefix("health:") }
    }
    let said = lines(try Report(found))
    #expect(said.count == 2 && said[0].contains("network.depth=2000") && said[0].contains("unhealthy"), "\(said)")
    #expect(said.last == "health: 5 other cases are healthy (fathom show --all)")
    #expect(lines(try Report(found, allLayers: true)).count == 6)
  }
}
