import Foundation
import Support
import Testing

extension Commands {
  /// The same bits whatever the ranks, stops, parts and CPU.
  @Suite struct BitsTests {
    @Test func theDigestDoesNotDependOnTheRanks() throws {
      let place = try Workplace()
      try place.write(Workplace.job)
      var digests: [String] = []
      for ranks in [0, 1, 2, 3, 7] {
        let run = try place.fathom(["run", "job.toml", "-o", "r\(ranks).h5"], ranks: ranks)
        #expect(run.status == 0, "\(run.error)")
        digests.append(try place.digest("r\(ranks).h5"))
      }
      #expect(Set(digests).count == 1 && digests[0].count == 64, "\(digests)")
      // Another seed is another result: the digest can tell.
      _ = try place.fathom(["run", "job.toml", "-o", "other.h5"] + settings(["seed=8"]))
      #expect(try place.digest("other.h5") != digests[0])
    }

    @Test func extensionAndMergeEqualOneRun() throws {
      let place = try Workplace()
      try place.write(Workplace.job)
      _ = try place.fathom(["run", "job.toml", "-o", "whole.h5"], ranks: 2)
      let whole = try place.digest("whole.h5")
      // 40% then the rest, on other ranks.
      _ = try place.fathom(["run", "job.toml", "-o", "grown.h5"] + settings(["network.draws=8000"]), ranks: 3)
      #expect(try place.digest("grown.h5") != whole)
      let grown = try place.fathom(["run", "job.toml", "-o", "grown.h5"], ranks: 2)
      #expect(grown.error.contains("resuming from 16000 draws"))
      #expect(try place.digest("grown.h5") == whole)
      // 40% and 60% apart, merged.
      _ = try place.fathom(["run", "job.toml", "-o", "a.h5", "--part", "1-2/5"], ranks: 2)
      _ = try place.fathom(["run", "job.toml", "-o", "b.h5", "--part", "3-5/5"])
      let merge = try place.fathom(["merge", "a.h5", "b.h5", "-o", "c.h5"])
      #expect(merge.status == 0, "\(merge.error)")
      #expect(try place.digest("c.h5") == whole)
      // A part is completed by running on it; overlaps and foreign files are refused.
      _ = try place.fathom(["run", "job.toml", "-o", "a.h5"], ranks: 2)
      #expect(try place.digest("a.h5") == whole)
      let overlap = try place.fathom(["merge", "a.h5", "b.h5", "-o", "d.h5"])
      #expect(overlap.status == 65 && overlap.error.contains("share draws"))
      _ = try place.fathom(["run", "job.toml", "-o", "w.h5"] + settings(["network.width=12", "network.draws=10"]))
      let foreign = try place.fathom(["merge", "w.h5", "b.h5", "-o", "d.h5"])
      #expect(foreign.status == 65 && foreign.error.contains("network.width"), "\(foreign.error)")
      let exists = try place.fathom(["merge", "a.h5", "b.h5", "-o", "c.h5"])
      #expect(exists.status == 74 && exists.error.contains("exists"))
    }

    /// Killed with -9 three times in random states, a rank or mpirun, resumed on other rank counts.
    @Test func killedAndResumedEqualsUninterrupted() throws {
      let place = try Workplace()
      try place.write(Workplace.job)
      let size = settings(["network.width=64"])
      let draws = try RunUnderWay.growing(80_000) { draws in
        place.remove("killed.h5", "killed.h5.previous")
        let long = size + settings(["network.draws=\(draws)", RunUnderWay.checkpoints])
        for (ranks, victim) in [(3, RunUnderWay.Victim.rank), (2, .launcher), (1, .rank)] {
          let run = try RunUnderWay(place, "killed.h5", long, ranks: ranks)
          try run.waitForRandomState(checkpoints: 1)
          run.kill(victim)
        }
      }
      for name in ["killed.h5", "whole.h5"] {
        let run = try place.fathom(
          ["run", "job.toml", "-o", name] + size + settings(["network.draws=\(draws)"]), ranks: 2)
        #expect(run.status == 0, "\(run.error)")
      }
      #expect(try place.digest("killed.h5") == place.digest("whole.h5"))
      #expect(try place.fathom(["verify", "killed.h5"]).status == 0)
    }

    /// Signals: a checkpoint, exit 75 on all ranks, and the same bits in the end.
    @Test(arguments: ["TERM", "INT", "USR1", "USR2"])
    func signalsStopAndTheRunGoesOn(signal: String) throws {
      let place = try Workplace()
      try place.write(Workplace.job)
      let size = settings(["network.width=64"])
      // Without mpirun the signal reaches the process itself; with it, USR1 and USR2 are passed on.
      let ranks = signal.hasPrefix("USR") ? 2 : 0
      let number = ["TERM": SIGTERM, "INT": SIGINT, "USR1": SIGUSR1, "USR2": SIGUSR2][signal]!
      let draws = try RunUnderWay.growing(40_000) { draws in
        place.remove("out.h5", "out.h5.previous")
        let run = try RunUnderWay(
          place, "out.h5", size + settings(["network.draws=\(draws)", RunUnderWay.checkpoints]), ranks: ranks)
        try run.waitForCheckpoints()
        let result = try run.stop(number)
        #expect(!result.timedOut && result.status == 75, "\(result.status) \(result.error)")
        #expect(result.error.contains("rerun the command to resume"))
      }
      let whole = size + settings(["network.draws=\(draws)"])
      let resumed = try place.fathom(["run", "job.toml"] + whole, ranks: 3)
      #expect(resumed.status == 0 && resumed.error.contains("resuming from"), "\(resumed.error)")
      _ = try place.fathom(["run", "job.toml", "-o", "whole.h5"] + whole)
      #expect(try place.digest() == place.digest("whole.h5"))
    }
  }

  @Suite struct DocumentationTests {
    @Test func theCatalogPageIsWhatTheProgramSays() throws {
      let place = try Workplace()
      let page = try String(contentsOfFile: Shell.root + "/docs/catalog.txt", encoding: .utf8)
      #expect(try place.fathom(["catalog"]).output == page, "run: fathom catalog > docs/catalog.txt")
      let json =
        try JSONSerialization.jsonObject(with: Data(place.fathom(["catalog", "--json"]).output.utf8)) as? [String: Any]
      let entries = json?["entries"] as? [[String: Any]] ?? []
      let keys = entries.filter { $0["kind"] as? String == "table" }.reduce(into: [String: [String]]()) {
        found, entry in
        found[entry["name"] as! String] = (entry["parameters"] as! [[String: Any]]).map { $0["name"] as! String }
      }
      #expect(keys["job"]?.prefix(2) == ["title", "seed"] && keys["run"]?.contains("keep") == true)
      // Every table that a job may have.
      let tables = [
        "network.inputs", "particles", "health", "bias", "limit", "sweep", "run", "comparison", "expect", "check",
      ]
      #expect(Set(keys.keys).isSuperset(of: tables), "\(keys.keys)")
    }

    /// A job of each family, and of Gram matrices; JobFileTests reads all of them.
    @Test func aJobOfEachFamilyPlans() throws {
      let folder = Shell.root + "/jobs/"
      var families: [String: String] = [:]
      for job in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() where job.hasSuffix(".toml") {
        let text = try String(contentsOfFile: folder + job, encoding: .utf8)
        let tables = text.split(separator: "\n").filter { $0.hasPrefix("[") && !$0.hasPrefix("[[") }
        if let family = tables.first { families[String(family)] = families[String(family)] ?? job }
      }
      #expect(families.count >= 18, "\(families.keys)")
      for job in families.values {
        // Data files are named from the folder that holds jobs/.
        let plan = try Shell.run(
          ["\(Shell.products)/fathom", "plan", "jobs/\(job)", "--check", "--ranks", "4", "--patience", "0.05"],
          in: Shell.root)
        #expect(plan.status == 0 && plan.output.contains("time on 4 ranks"), "\(job): \(plan.error)")
      }
    }

    @Test func helpAndVersion() throws {
      let place = try Workplace()
      for command in ["run", "plan", "show", "digest", "verify", "merge", "catalog"] {
        let help = try place.fathom([command, "--help"])
        #expect(help.status == 0 && help.output.contains("OVERVIEW"))
      }
      let version = try String(contentsOfFile: Shell.root + "/VERSION", encoding: .utf8)
      #expect(try place.fathom(["--version"]).output == version)
      #expect(try place.fathom(["show"]).status == 64)
    }

    @Test func showPrintsTheDocumentedJSON() throws {
      let place = try Workplace()
      try place.write(Workplace.job)
      _ = try place.fathom(["run", "job.toml"] + settings(["network.draws=2000"]))
      let json =
        try JSONSerialization.jsonObject(with: Data(place.fathom(["show", "out.h5", "--json"]).output.utf8))
        as? [String: Any]
      #expect(json?["schema"] as? String == "fathom-report/2")
      #expect(json?["digest"] as? String == (try place.digest()))
      let one = (json?["cases"] as? [[String: Any]])?.first
      let leg = (one?["legs"] as? [[String: Any]])?.first
      let observable = (leg?["observables"] as? [[String: Any]])?.first
      for key in ["name", "layer", "count", "mean", "standard_error", "quantiles"] { #expect(observable?[key] != nil) }
      let comparison = (one?["comparisons"] as? [[String: Any]])?.first
      #expect((comparison?["sentence"] as? String)?.contains("network against covariance-sde") == true)
      #expect(try place.fathom(["show", "out.h5", "--all"]).output.contains("12"))
    }
  }
}
