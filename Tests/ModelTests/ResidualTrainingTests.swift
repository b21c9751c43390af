import Experiments
import Statistics
import Testing
import Training

/// Residual networks in training against their causal recursion at infinite width (arXiv:2309.16620).
@Suite struct ResidualTrainingTests {
  static func model(
    _ depth: Int, gamma: Double = 1, width: Int = 64, records: [Int] = [1, 2, 4, 8, 12]
  ) throws -> TrainingModel {
    try training(
      "resnet",
      [
        "depth": .integer(Int64(depth)), "width": .integer(Int64(width)), "activation": .text("linear"),
        "gamma": .real(gamma), "learning_rate": .real(0.1), "steps": .integer(12), "records": steps(records),
        "observables": .list(["loss", "f", "coordinate_size"].map { .text($0) }),
        "data": .table(["inputs": rows([[1, 1]]), "targets": numbers([1])]),
      ])
  }

  /// f after 1, 2, 4, 8 steps and the mean square of the last layer after 12, printed with six digits.
  @Test func printedValues() throws {
    let printed: [(Int, Double, [Double], Double)] = [
      (1, 1, [0.5, 0.771124, 0.967398, 0.999585], 2.691393), (4, 1, [0.683594, 0.938764, 0.999740, 1], 3.391415),
      (4, 0.1, [.nan, 0.900270, .nan, .nan], 2.451911), (4, 2, [.nan, 1.063188, 1.023628, .nan], 5.648073),
      (8, 1, [.nan, 0.975461, .nan, .nan], .nan), (16, 1, [.nan, 0.993036, .nan, .nan], .nan),
    ]
    for (depth, gamma, outputs, square) in printed {
      let found = try prediction("residual-training", of: Self.model(depth, gamma: gamma))
      for (record, value) in outputs.enumerated() where value.isFinite {
        #expect(
          (found.value(.mean, "f[0]", record: record) - value).magnitude < 6e-7,
          "depth \(depth), gamma \(gamma), record \(record)")
      }
      let size = found.value(.mean, "coordinate_size[\(depth + 1)]", record: 4)
      if square.isFinite { #expect((size * size - square).magnitude < 6e-7, "depth \(depth), gamma \(gamma)") }
      // The first step in closed form.
      let (l, first) = (Double(depth), found.value(.mean, "f[0]", record: 0))
      func power(_ n: Int) -> Double { (0..<n).reduce(1.0) { x, _ in x * (1 + 1 / l) } }
      #expect((first - 0.1 * (2 * power(depth) + power(depth - 1))).magnitude < 1e-12)
    }
  }

  /// f(2) of networks, printed with their errors: within 4 standard errors of both, 2 tests.
  @Test func printedValuesOfNetworks() throws {
    for (width, value, error) in [(64, 0.9029, 0.0049), (128, 0.9211, 0.0048)] {
      let model = try Self.model(4, width: width, records: [2])
      let moments = sample(model.experiment, validating ? 20_000 : 800, name: "T1 \(width)").moments(
        model.experiment.schema.place(of: "f[0]")!)
      let both = (error * error + moments.meanError * moments.meanError).squareRoot()
      #expect((moments.mean - value).magnitude < 4 * both, "\(moments.mean)")
    }
  }
}
