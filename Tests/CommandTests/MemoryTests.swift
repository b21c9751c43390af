import Foundation
import Limits
import Support
import Testing

extension Faults {
  /// Every limit with every family of observables, through the program under glibc's checking allocator: it fills what is freed,
  /// and ends the process where a block was written to after that or beyond its end.
  @Suite struct MemoryTests {
    static let families = [
      "V", "log_V", "rho", "atanh_rho", "q", "q^-1/2", "clipped_V", "above", "crossed", "crossing_time", "log_lambda",
      "moment", "log_det", "collapsed", "exploded", "vanished",
    ]
    static let ofPairs: Set = ["rho", "atanh_rho", "q", "q^-1/2", "collapsed"]

    /// The network that a limit needs, what else it takes, and an observable that it must have.
    struct Case {
      var network: String
      var limit = "step = 0.1"
      var inputs = "correlation = 0.3, count = 3"
      var depth = 6
      var needs: String?
      /// Another table of the job, by which a line of the limit differs from the others.
      var table = ""
    }

    static let smooth = "architecture = \"mlp\"\nactivation = { name = \"tanh\", a = 1.0 }\nbound = 5.0"
    static let shaped = "architecture = \"mlp\"\nactivation = { name = \"shaped-relu\", c_plus = 0.5, c_minus = -0.5 }"
    static let residual = "architecture = \"resnet\"\nactivation = \"relu\""
    static let root = residual + "\nbranch_scaling = \"1/sqrt(depth)\"\nalpha = 1.0\nlambda = 0.7"

    static let sde = """
      observable = "log_V[0]"
      drift = { formula = "-exp(x/9)" }
      diffusion = { formula = "1 + exp(x/9)" }
      step = 0.1
      """

    /// By limit and, after a slash, its integrator; a limit of the catalog without a line here fails `everyLimitIsRun`.
    static let cases: [String: Case] = [
      "covariance-sde": Case(network: shaped, limit: "step = 0.1\nextrapolate = true"),
      "covariance-sde/wishart": Case(network: shaped),
      "smooth-covariance-sde": Case(network: smooth),
      "explosion-law": Case(network: smooth, inputs: "correlation = 0.3, count = 1"),
      "unshaped-q": Case(
        network: "architecture = \"mlp\"\nactivation = \"relu\"", inputs: "correlation = 0.3, count = 2"),
      "transformer-sde": Case(
        network: "architecture = \"transformer\"\nheads = 2\nbound = 20.0\nmlp = { name = \"shaped-relu\" }"),
      "eigenvalue-sde": Case(network: "architecture = \"linear-mlp\""),
      "free-spectrum": Case(
        network: "architecture = \"linear-mlp\"", limit: "", inputs: "correlation = 0.0, count = 3", needs: "moment"),
      "log-gaussian": Case(network: residual, limit: "", needs: "log_V"),
      "hypoactivation": Case(network: residual, limit: "", needs: "active_fraction"),
      "residual-flow": Case(network: root, limit: "", needs: "V"),
      "residual-fluctuation": Case(network: root, limit: "", needs: "log_V"),
      "sde": Case(
        network: shaped, limit: sde + "\nextrapolate = true", inputs: "correlation = 0.3, count = 1", needs: "log_V"),
      "sde/euler-maruyama": Case(network: shaped, limit: sde, needs: "log_V"),
      "infinite-width": Case(network: "architecture = \"mlp\"\nactivation = \"relu\"", limit: ""),
      "infinite-width-heads": Case(
        network: "architecture = \"pre-ln-transformer\"\nheads = 3\nbound = 20.0\nactivation = \"gelu\"", limit: ""),
      "finite-width": Case(network: "architecture = \"orthogonal-mlp\"\nactivation = \"tanh\"", limit: "", needs: "V"),
      "jacobian-spectrum": Case(
        network: "architecture = \"mlp\"\nactivation = \"tanh\"\nprobes = [\"spectrum\"]", limit: "",
        needs: "spectral_moment"),
      "scale-mixture": Case(
        network: "architecture = \"mlp\"\nactivation = \"tanh\"\nprobes = [\"output\"]\n"
          + "variance = { law = \"inverse-gamma\", alpha = 2.5, beta = 1.8 }", limit: "", needs: "f_tail"),
      "linear-flow": Case(
        network: "architecture = \"mlp\"\nactivation = \"linear\"\nprobes = [\"descent\"]", limit: "",
        inputs: "count = 1", depth: 1, needs: "learned"),
      "normalised-gradient": Case(
        network: "architecture = \"normalised-mlp\"\nactivation = \"relu\"\nnormalisation = \"layer\"", limit: "",
        needs: "log_gradient_ratio"),
      "finite-width/posterior": Case(
        network: "architecture = \"mlp\"\nactivation = \"tanh\"", limit: "", needs: "V",
        table: "[posterior]\ntrain = [0, 2]\ntargets = [1.0, -0.5]\nnoise = 0.1\ntest = [1, 2]"),
      "infinite-width-ntk": Case(network: "architecture = \"ntk-mlp\"\nactivation = \"tanh\"", limit: "", needs: "ntk"),
      "infinite-width-ntk/posterior": Case(
        network: "architecture = \"ntk-mlp\"\nactivation = \"tanh\"", limit: "", needs: "ntk",
        table: "[posterior]\ntrain = [0, 2]\ntargets = [1.0, -0.5]\nnoise = 0.1\ntest = [1, 2]"),
    ]

    /// A sweep over the families, two by two and all of them.
    static func job(_ name: String) -> String {
      let item = cases[name]!
      let parts = name.split(separator: "/")
      let alone = item.inputs.hasSuffix("count = 1")
      let own = families.filter { !alone || !ofPairs.contains($0) }
      var sets = stride(from: 0, to: own.count, by: 2).map { Array(own[$0..<min($0 + 2, own.count)]) } + [own]
      if let needed = item.needs { sets = sets.map { $0.contains(needed) ? $0 : [needed] + $0 } }
      let list = sets.map { "[" + $0.map { "\"\($0)\"" }.joined(separator: ", ") + "]" }.joined(separator: ", ")
      return """
        seed = 3
        [network]
        \(item.network)
        width = 24
        depth = \(item.depth)
        inputs = { \(item.inputs) }
        observables = ["V"]
        draws = 20
        \(item.table)
        [[limit]]
        equation = "\(parts[0])"
        \(parts.count > 1 && item.table.isEmpty ? "integrator = \"\(parts[1])\"" : "")
        \(item.limit)
        [sweep]
        "network.observables" = [\(list)]
        """
    }

    @Test func everyLimitIsRun() {
      // Those of other families are taken without a covariance.
      #expect(Set(NetworkLimits.all.map(\.name)) == Set(Self.cases.keys.map { String($0.split(separator: "/")[0]) }))
    }

    /// Two runs with freed and fresh memory filled by different bytes: no number may come from either.
    @Test(arguments: cases.keys.sorted())
    func noFreedMemoryIsUsed(limit: String) throws {
      let place = try Workplace()
      try place.write(Self.job(limit))
      var reports: Set<String> = []
      for byte in [165, 90] {
        let checks = [
          "MALLOC_CHECK_": "3", "MALLOC_PERTURB_": String(byte), "LD_PRELOAD": "libc_malloc_debug.so.0",
        ]
        let run = try place.fathom(["run", "job.toml", "--fresh"], extra: checks)
        #expect(run.status == 0 && !run.timedOut, "\(run.error.suffix(2000))")
        #expect(!run.error.contains("cannot be preloaded"), "\(run.error.prefix(500))")
        reports.insert(run.output)
      }
      #expect(reports.count == 1 && reports.first!.contains("digest"))
    }
  }
}
