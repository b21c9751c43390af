import Tangent
import Testing

/// What is wrong in a table is said with its key.
@Suite struct InputTests {
  private static let adversarial = AdversarialTests.job(width: 8, times: "[1.0]")

  private static func replaced(_ key: String, _ value: String, in job: String) -> String {
    let lines = job.split(separator: "\n").filter { !$0.hasPrefix("\(key) =") }.joined(separator: "\n")
    return lines + "\n\(key) = \(value)"
  }

  @Test(
    arguments: [
      ("service", "\"adversarial-trainning\"", "did you mean adversarial-training"), ("width", "0", "tangent.width"),
      ("points", "[[1.0], [1.0, 2.0]]", "tangent.points"), ("points", "[[1.0], [1.0], [0.0], [2.0]]", "must differ"),
      ("targets", "[1.0]", "must be 4 finite numbers"), ("test", "[[1.0, 2.0]]", "must have 1 numbers a point"),
      ("times", "[2.0, 1.0]", "must be an ascending array"), ("times", "[-1.0]", "tangent.times"),
      ("strength", "-1.0", "tangent.strength"), ("activation", "\"sign\"", "tangent.activation"),
      ("activation", "\"erff\"", "did you mean erf"), ("sigma_wieght", "1.0", "did you mean sigma_weight"),
    ] as [(String, String, String)])
  func adversarial(key: String, value: String, words: String) {
    let message = Service.message(Self.replaced(key, value, in: Self.adversarial))
    #expect(message.contains(words), "\(message)")
  }

  @Test(
    arguments: [
      ("sources", "[1, 1]", "tangent.sources"), ("sources", "{ every = 3 }", "must be 1 to 63 rows"),
      ("targets", "[2, 3]", "must be more rows"), ("ridge", "0.0", "tangent.ridge"),
      ("data", "{ file = \"data/digits.csv\", lable = \"label\" }", "did you mean label"),
      ("width", "1000000", "makes a draw of"),
    ] as [(String, String, String)])
  func distilled(key: String, value: String, words: String) {
    let message = Service.message(Self.replaced(key, value, in: DigitsTests.distilled(width: 8)))
    #expect(message.contains(words), "\(message)")
  }

  @Test(
    arguments: [
      ("by", "\"sketch\"", "tangent.size"), ("size", "0", "tangent.size"),
      ("picks", "[40, 10]", "must be an ascending array"), ("picks", "[1.5]", "must be whole numbers"),
      ("picks", "[700]", "at most 599 rows"), ("noise", "0.0", "tangent.noise"),
      ("by", "\"skech\"", "did you mean sketch"),
    ] as [(String, String, String)])
  func active(key: String, value: String, words: String) {
    let message = Service.message(Self.replaced(key, value, in: DigitsTests.active("by = \"kernel\"")))
    #expect(message.contains(words), "\(message)")
  }

  @Test(
    arguments: [
      ("gradients", "[[1.0, 2.0], [2.0, 1.0]]", "symmetric and positive semi-definite"),
      ("posts", "[[1.0, 0.5], [0.4, 1.0]]", "tangent.posts"), ("columns", "\"products\"", "did you mean product"),
      ("features", "3", "must be even"),
    ] as [(String, String, String)])
  func sketch(key: String, value: String, words: String) {
    let job = "service = \"sketch\"\ndimension = 2\nsampler = \"entries\"\ndraws = 2"
    let message = Service.message(Self.replaced(key, value, in: job))
    #expect(message.contains(words), "\(message)")
  }
}
