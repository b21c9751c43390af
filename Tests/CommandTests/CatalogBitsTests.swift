import Foundation
import Support
import Testing

extension Commands {
  /// Every architecture of the catalog, through the program: the same bits on every rank count, and after a stop.
  @Suite struct CatalogBitsTests {
    /// What a small job needs besides the name; an architecture without a line here fails `everyArchitectureIsRun`.
    static let jobs: [String: (network: String, limit: String)] = [
      "mlp": ("activation = { name = \"tanh\", a = 1.0 }\nbound = 5.0\n", "smooth-covariance-sde"),
      "orthogonal-mlp": ("activation = \"relu\"\n", "infinite-width"),
      "linear-mlp": ("observables = [\"log_lambda\", \"log_det\"]\n", "eigenvalue-sde"),
      "gated-mlp": ("activation = \"silu\"\n", "infinite-width"),
      "resnet": ("activation = \"relu\"\nobservables = [\"log_V\", \"active_fraction\"]\n", "log-gaussian"),
      "transformer": ("heads = 2\nbound = 20.0\nmlp = { name = \"shaped-relu\" }\n", "transformer-sde"),
      "ntk-mlp": ("activation = \"tanh\"\nobservables = [\"ntk\", \"V\"]\n", "infinite-width-ntk"),
      "conv-resnet": ("activation = \"gelu\"\npositions = 4\n", "infinite-width"),
    ]

    static func text(_ name: String) -> String {
      """
      seed = 3
      [network]
      architecture = "\(name)"
      width = 24
      depth = 12
      inputs = { correlation = 0.3, count = 3 }
      draws = 3_000
      \(jobs[name]!.network)
      [[limit]]
      equation = "\(jobs[name]!.limit)"
      """
    }

    @Test func everyArchitectureIsRun() throws {
      let place = try Workplace()
      let list = try place.fathom(["catalog"]).output.split(separator: "\n").compactMap { line -> String? in
        line.hasPrefix("architecture ") ? line.dropFirst(13).prefix { $0 != ":" }.description : nil
      }
      #expect(Set(list) == Set(Self.jobs.keys))
    }

    @Test(arguments: jobs.keys.sorted())
    func theSameBitsOnAnyRanks(architecture: String) throws {
      let place = try Workplace()
      try place.write(Self.text(architecture))
      var digests: Set<String> = []
      for ranks in [1, 2, 3, 7] {
        let run = try place.fathom(["run", "job.toml", "-o", "r\(ranks).h5"], ranks: ranks)
        #expect(run.status == 0, "\(run.error)")
        digests.insert(try place.digest("r\(ranks).h5"))
      }
      // Stopped after some draws, gone on with on another number of ranks.
      _ = try place.fathom(["run", "job.toml", "-o", "grown.h5"] + settings(["network.draws=1100"]), ranks: 2)
      _ = try place.fathom(["run", "job.toml", "-o", "grown.h5"], ranks: 3)
      digests.insert(try place.digest("grown.h5"))
      #expect(digests.count == 1 && digests.first!.count == 64, "\(digests)")
    }

    /// A bad key of any architecture: exit code 65 and its name, on one rank and on three.
    @Test(arguments: jobs.keys.sorted(), [1, 3])
    func badKeysAreRefused(architecture: String, ranks: Int) throws {
      let place = try Workplace()
      try place.write(Self.text(architecture))
      for (setting, word) in [
        ("network.width=0", "width"), ("network.nonsense=1", "nonsense"), ("network.bound=-1", "bound"),
      ] {
        let run = try place.fathom(["run", "job.toml"] + settings([setting]), ranks: ranks)
        #expect(run.status == 65 && run.error.contains("network.\(word)"), "\(run.status) \(run.error)")
      }
    }
  }
}
