import Foundation
import Testing

/// What limits of training do not know is refused, and not left out.
@Suite struct TrainingLimitTests {
  private static let limits = [
    ("infinite-width-training", #"problem = "mlp""#), ("mean-field-training", #"problem = "mlp""#),
    ("ntk-training", "problem = \"mlp\"\nparametrisation = \"ntk\""),
    ("residual-training", "problem = \"resnet\"\nactivation = \"linear\""),
  ]

  private static func text(_ limit: Int, _ more: String) -> String {
    let (equation, network) = limits[limit]
    let isLinear = network.contains("linear")
    return """
      seed = 1
      [training]
      \(network)
      width = 64
      \(isLinear ? "" : "activation = \"tanh\"")
      learning_rate = 0.1
      steps = 4
      records = "last"
      draws = 10
      \(more)
      [training.data]
      inputs = [[1.0, 0.5]\(isLinear ? "" : ", [-0.5, 1.0]")]
      targets = [1.0\(isLinear ? "" : ", -0.5")]
      \(more.contains("test_noise") ? "test = 1" : "")
      [[limit]]
      equation = "\(equation)"
      """
  }

  @Test(arguments: limits.indices) func whatTheyKnowIsTaken(limit: Int) throws {
    #expect(try job(Self.text(limit, "")).job.cases[0].legs.count >= 2)
  }

  @Test(arguments: limits.indices, ["bias = 0.5", "jacobian = 0.1", "weights = \"orthogonal\"", "learning_rates"])
  func otherKeysAreRefused(limit: Int, key: String) {
    // Of kernel regimes orthogonal weights have the same limit, and the draws of a limit may have rates of their own.
    let isKnown =
      key.hasPrefix("weights") && Self.limits[limit].0 == "ntk-training"
      || key == "learning_rates" && Self.limits[limit].0 == "infinite-width-training"
    var text = Self.text(limit, key == "learning_rates" ? "" : key)
    if key == "learning_rates" {
      text = text.replacingOccurrences(of: "rate = 0.1", with: "rate = { log_uniform = [0.05, 0.1] }")
    }
    do {
      _ = try job(text)
      #expect(isKnown, "\(key) was taken")
    } catch {
      #expect(!isKnown && "\(error)".contains("equation"), "\(error)")
    }
  }
}
