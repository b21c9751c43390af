/// The text of a job with a posterior.
struct PosteriorJob {
  var seed = 11
  /// Lines of `[network]`.
  var network: String
  var draws: Int
  var train = [0, 1]
  var targets = [1.0, -0.5]
  var noise = 0.1
  var test = [2]
  /// Further lines of `[posterior]`.
  var keys = ""
  var limits: [String] = []
  /// Further tables.
  var more = ""

  var text: String {
    """
    seed = \(seed)
    [network]
    \(network)
    draws = \(draws)
    [posterior]
    train = \(train)
    targets = \(targets)
    noise = \(noise)
    test = \(test)
    \(keys)
    \(limits.map { "[[limit]]\nequation = \"\($0)\"" }.joined(separator: "\n"))
    \(more)
    """
  }
}
