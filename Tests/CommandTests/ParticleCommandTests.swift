import Archive
import Foundation
import Support
import Testing

extension Commands {
  /// Particle systems through the program: the same bits on any ranks and shards, after kills and stops, in parts; and what bad
  /// input says.
  @Suite struct ParticleCommandTests {
    static let attraction = """
      seed = 5
      [particles]
      system = "gaussian-attraction"
      number = 700
      step = 0.05
      warm_up = 50
      steps = 200
      replicas = 3
      frame_every = 50
      [run]
      output = "out.h5"
      """

    /// A job for each form of interaction and kind of sampler, `key = value` over the one above.
    static let forms: [String: [String]] = [
      "features": [],
      "pairs": ["system=\"gaussian-kernel\"", "integrator=\"baoab\"", "steps=20", "warm_up=10", "frame_every=10"],
      "joint acceptance": [
        "system=\"log-gas\"", "integrator=\"mala\"", "steps=20", "warm_up=20", "frame_every=10", "step=0.001",
        "target_acceptance=0.6",
      ],
      "no interaction": ["system=\"cosine-well\"", "integrator=\"proximal\"", "step=0.1"],
      "chains with adaptation": [
        "system=\"power-law\"", "integrator=\"hmc\"", "alpha=1.5", "target_acceptance=0.8", "leapfrog_steps=3",
      ],
      "random step": ["system=\"kuramoto\"", "integrator=\"underdamped-midpoint\"", "coupling=3.0"],
      "spins": ["system=\"curie-weiss\"", "integrator=\"heat-bath\""],
      "shards": ["integrator=\"ulmc\""],
      "network": ["system=\"two-layer\"", "parity=2", "bits=6", "examples=60", "steps=50", "inverse_temperature=1e3"],
    ]

    static func options(_ form: String) -> [String] { settings(forms[form]!.map { "particles." + $0 }) }

    /// Through mpirun; every line of the catalog on ranks that are threads: CatalogTests.
    @Test(arguments: ["features", "pairs", "joint acceptance"])
    func theSameBitsOnAnyRanksAndShards(form: String) throws {
      let place = try Workplace()
      try place.write(Self.attraction)
      var digests: Set<String> = []
      for (ranks, shards) in [(0, 0), (2, 2), (3, 0), (7, 3)] {
        let name = "r\(ranks)-\(shards).h5"
        let run = try place.fathom(
          ["run", "job.toml", "-o", name] + Self.options(form) + settings(["run.shards=\(shards)"]), ranks: ranks)
        #expect(run.status == 0, "\(run.error)")
        digests.insert(try place.digest(name))
      }
      #expect(digests.count == 1 && digests.first!.count == 64, "\(digests)")
    }

    @Test(arguments: ["features", "pairs", "joint acceptance", "chains with adaptation", "network"])
    func killedAndResumedEqualsUninterrupted(form: String) throws {
      let place = try Workplace()
      try place.write(Self.attraction)
      // Some replicas are finished before the first kill, and one of each group is under way.
      let length: [String: String] = [
        "features": "5000", "pairs": "20", "joint acceptance": "60", "chains with adaptation": "2000", "network": "300",
      ]
      let size =
        Self.options(form) + settings(["particles.steps=\(length[form]!)", "particles.framed_particles=20"])
      let long = size + settings([RunUnderWay.replicas, RunUnderWay.checkpoints])
      for (ranks, shards) in [(3, 3), (1, 0), (2, 1)] {
        let run = try RunUnderWay(place, "killed.h5", long + settings(["run.shards=\(shards)"]), ranks: ranks)
        try run.waitForRandomState(checkpoints: 2)
        run.kill(.rank)
      }
      let soon = try size + place.soon(after: "killed.h5")
      for name in ["killed.h5", "whole.h5"] {
        let run = try place.fathom(["run", "job.toml", "-o", name] + soon, ranks: 2)
        #expect(run.status == 0, "\(run.error)")
      }
      #expect(try place.digest("killed.h5") == place.digest("whole.h5"))
      #expect(try place.fathom(["verify", "killed.h5"]).status == 0)
    }

    /// Stopped in the middle of a replica: exit 75, the state in the file, and the same bits in the end.
    @Test func aStopLeavesReplicasUnderWay() throws {
      let place = try Workplace()
      try place.write(Self.attraction)
      let size = settings(["particles.steps=20000", "particles.framed_particles=20"])
      try place.stopped("stopped.h5", size + settings([RunUnderWay.replicas])) { try place.begun($0).count == 1 }
      let soon = try size + place.soon(after: "stopped.h5")
      let resumed = try place.fathom(["run", "job.toml", "-o", "stopped.h5"] + soon, ranks: 3)
      #expect(resumed.status == 0 && resumed.error.contains("and 1 under way"), "\(resumed.error)")
      _ = try place.fathom(["run", "job.toml", "-o", "whole.h5"] + soon, ranks: 2)
      #expect(try place.digest("stopped.h5") == place.digest("whole.h5"))
    }

    /// States too large for one rank: a file for each rank, gone when the job is finished; a lost one is named.
    @Test func largeStatesArePutAsideInShards() throws {
      let place = try Workplace()
      try place.write(Self.attraction)
      let size =
        Self.options("shards")
        + settings(["particles.steps=20000", "particles.framed_particles=20", "run.shard_above=100"])
      // Names of the shards of the replica under way: one of each rank.
      func stop(_ ranks: Int) throws -> [String] {
        var names: [String] = []
        try place.stopped("stopped.h5", size + settings([RunUnderWay.replicas, "run.shards=9"]), ranks: ranks) {
          guard try !place.begun($0).isEmpty else { return false }
          names = try $0.readStrings("/state/0/begun/0/state/system/shards")
          return true
        }
        return names
      }
      let folder = place.folder + "/stopped.h5.shards/"
      let shards = try stop(3)
      #expect(shards.count == 3 && shards[0].hasSuffix("part-1-of-3"), "\(shards)")
      // Those of the checkpoint before it may be there too.
      let files = try FileManager.default.contentsOfDirectory(atPath: folder)
      #expect(Set(shards).isSubset(of: files) && files.count <= 6, "\(shards) \(files)")
      let soon = try size + place.soon(after: "stopped.h5")
      #expect(try place.fathom(["verify", "stopped.h5"]).status == 0)
      // A lost shard: refused by name on every rank, nothing changed.
      let lost = folder + shards[1]
      try FileManager.default.moveItem(atPath: lost, toPath: lost + ".away")
      let refused = try place.fathom(["run", "job.toml", "-o", "stopped.h5"] + soon, ranks: 2)
      #expect(refused.status == 65 && refused.error.contains("part-2-of-3"), "\(refused.status) \(refused.error)")
      #expect(try place.fathom(["verify", "stopped.h5"]).status == 65)
      try FileManager.default.moveItem(atPath: lost + ".away", toPath: lost)
      #expect(try stop(2).count == 2)
      let rest = try size + place.soon(after: "stopped.h5")
      let resumed = try place.fathom(["run", "job.toml", "-o", "stopped.h5"] + rest)
      #expect(resumed.status == 0, "\(resumed.error)")
      _ = try place.fathom(["run", "job.toml", "-o", "whole.h5"] + rest, ranks: 2)
      #expect(try place.digest("stopped.h5") == place.digest("whole.h5"))
      #expect(!place.names().contains("stopped.h5.shards"))
    }

    /// Data that changed between a run and its resumption are another job.
    @Test func changedDataAreRefused() throws {
      let place = try Workplace()
      try place.write(Self.attraction)
      let learn = settings([
        "particles.system=\"logistic-regression\"", "particles.file=\"d.csv\"", "particles.label=\"b\"",
        "particles.classes=[0, 1]", "particles.number=8",
      ])
      try place.write("a,b\n1,0\n2,1\n3,0\n4,1\n", "d.csv")
      #expect(try place.fathom(["run", "job.toml"] + learn).status == 0)
      #expect(try place.fathom(["run", "job.toml"] + learn).status == 0)
      try place.write("a,b\n1,0\n2,1\n3,0\n5,1\n", "d.csv")
      let refused = try place.fathom(["run", "job.toml"] + learn, ranks: 2)
      #expect(refused.status == 65 && refused.error.contains("particles.data"), "\(refused.status) \(refused.error)")
    }

    @Test func partsAndMoreReplicasEqualOneRun() throws {
      let place = try Workplace()
      try place.write(Self.attraction)
      let all = settings(["particles.replicas=8"])
      _ = try place.fathom(["run", "job.toml", "-o", "whole.h5"] + all, ranks: 2)
      _ = try place.fathom(["run", "job.toml", "-o", "grown.h5"], ranks: 2)
      let grown = try place.fathom(["run", "job.toml", "-o", "grown.h5"] + all, ranks: 3)
      #expect(grown.error.contains("grown.h5: resuming from 3 replicas\n"), "\(grown.error)")
      #expect(grown.error.contains("3 of 8 replicas in the file, 5 to go"), "\(grown.error)")
      let part = try place.fathom(["run", "job.toml", "-o", "a.h5", "--part", "1/2"] + all)
      #expect(
        part.error.contains("part 1/2 of the draws") && part.error.contains("4 replicas to make"), "\(part.error)")
      _ = try place.fathom(["run", "job.toml", "-o", "b.h5", "--part", "2/2"] + all, ranks: 2)
      let merge = try place.fathom(["merge", "b.h5", "a.h5", "-o", "c.h5"])
      #expect(merge.status == 0 && merge.error.contains("wrote c.h5, 8 replicas"), "\(merge.error)")
      let fewer = try place.fathom(["run", "job.toml", "-o", "c.h5"] + settings(["particles.replicas=1"]))
      #expect(fewer.output.contains("particles: 8 replicas, the job asks for 1\n"), "\(fewer.output)")
      let whole = try place.digest("whole.h5")
      #expect(try place.digest("grown.h5") == whole)
      #expect(try place.digest("c.h5") == whole)
      #expect(try place.fathom(["verify", "c.h5"]).status == 0)
    }

    static let bad: [(String, String)] = [
      ("particles.number=0", "particles.number = 0: must be an integer in [1,"),
      ("particles.system=\"two-layer\";particles.file=\"ragged.csv\"", "ragged.csv, line 3: 3 columns"),
    ]

    @Test(arguments: bad)
    func badInputIsRefused(setting: String, message: String) throws {
      let place = try Workplace()
      try place.write(Self.attraction)
      try place.write("a,b\n1,0\n2,1\n3,0\n4,1\n", "d.csv")
      try place.write("a,b\n1,0\n2,1,3\n", "ragged.csv")
      let options = settings(setting.split(separator: ";").map(String.init))
      for ranks in [0, 3] {
        let run = try place.fathom(["run", "job.toml"] + options, ranks: ranks)
        #expect(run.status == 65 && run.error.contains(message), "\(setting): \(run.status) \(run.error)")
      }
      #expect(!place.names().contains("out.h5"))
    }

    /// An energy that grows faster than a square: where the step is too large the run stops and says where, on every rank; what
    /// was finished before stays.
    @Test func aRunThatExplodesSaysWhere() throws {
      let place = try Workplace()
      try place.write(Self.attraction)
      let well = settings(["particles.system=\"double-well\"", "particles.step=0.4", "particles.start_spread=3"])
      for (ranks, shards) in [(0, 0), (3, 3), (3, 1)] {
        let run = try place.fathom(
          ["run", "job.toml", "-o", "x\(ranks)\(shards).h5"] + well + settings(["run.shards=\(shards)"]), ranks: ranks)
        #expect(run.status == 65, "\(run.error)")
        let pattern =
          /main\/particles: replica [0-2], step [0-9]+: particle [0-9]+ is not finite; .*smaller step than 0.4/
        #expect(run.error.contains(pattern), "\(run.error)")
        #expect(try place.fathom(["verify", "x\(ranks)\(shards).h5"]).status == 0)
      }
    }
  }
}
