import Analyses
import Engine
import Testing

/// Steps of gradient descent as a small parameter.
@Suite struct DescentSweepTests {
  /// A sweep of eta with as many more steps is extrapolated to gradient flow: one fit over all sizes, whatever the steps.
  @Test func learningRatesAreExtrapolated() throws {
    let file = try job(
      """
      seed = 5
      [network]
      architecture = "mlp"
      activation = "linear"
      c = 1.0
      width = 16
      depth = 1
      inputs = { count = 1 }
      probes = ["descent"]
      observables = ["f_trained"]
      targets = [1.5]
      draws = 2000
      [sweep]
      "network.eta, network.steps" = [[0.4, 2], [0.2, 4], [0.1, 8], [0.05, 16]]
      """)
    let found = Analyses.scalings(try LocalRun.run(file.job, ranks: 2).snapshot)
    #expect(found.map(\.key) == ["network.eta"] && found.map(\.kind) == [.orders])
    #expect(found.first?.sizes.sorted() == [0.05, 0.1, 0.2, 0.4])
  }
}
