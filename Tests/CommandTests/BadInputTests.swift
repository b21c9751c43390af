import Archive
import Foundation
import Support
import Testing

extension Commands {
  /// Every kind of bad input: its message, its exit code, on one rank and on three, and no hang.
  @Suite struct BadInputTests {
    private func refused(
      _ place: borrowing Workplace, _ arguments: [String], status: Int32, says words: [String],
      extra: [String: String] = [:]
    ) throws {
      // 0: one rank without mpirun.
      for ranks in [0, 3] {
        let result = try place.fathom(["run"] + arguments, ranks: ranks, extra: extra)
        #expect(
          !result.timedOut && result.status == status, "\(arguments) on \(ranks): \(result.status) \(result.error)")
        for word in words {
          #expect(result.error.contains(word), "\(arguments) on \(ranks) should say \(word): \(result.error)")
        }
        // One message, not one a rank.
        #expect(result.error.components(separatedBy: "fathom: error").count == 2, "\(result.error)")
      }
    }

    /// A handful: every kind of bad value is tried in process (CatalogTests).
    @Test(arguments: [
      ("network.wdith=3", ["network.wdith = 3", "unknown key", "width"]),
      ("network.inputs.correlation=1.5", ["network.inputs.correlation = 1.5", "[-1.0, 1.0]"]),
      ("limit={equation=\"sed\"}", ["limit.equation = \"sed\"", "covariance-sde"]),
    ])
    func jobValues(setting: String, words: [String]) throws {
      let place = try Workplace()
      try place.write(Workplace.job)
      try refused(place, ["job.toml", "--set", setting], status: 65, says: words)
      #expect(place.names() == ["job.toml"], "nothing is left behind: \(place.names())")
    }

    @Test func moreThanMemoryHolds() throws {
      let place = try Workplace()
      try place.write(
        """
        seed = 1
        [particles]
        system = "gaussian"
        dimension = 100
        inverse_temperature = 1
        integrator = "lmc"
        number = 67108864
        step = 0.1
        steps = 10
        replicas = 4
        """)
      let words = ["main/particles", "at least 150.0 GiB", "each of the 1 rank", "this machine has"]
      try refused(place, ["job.toml"], status: 65, says: words)
      let plan = try place.fathom(["plan", "job.toml"])
      #expect(plan.status == 65 && plan.error.contains("at least 150.0 GiB"), "\(plan.error)")
      #expect(place.names() == ["job.toml"])
    }

    @Test func jobFiles() throws {
      let place = try Workplace()
      try refused(place, ["none.toml"], status: 65, says: ["none.toml", "no such file"])
      try place.write(Workplace.job)
      try refused(place, ["jbo.toml"], status: 65, says: ["jbo.toml: no such file", "did you mean job.toml?"])
      try place.write("title = \"x\nseed = 1", "broken.toml")
      try refused(place, ["broken.toml"], status: 65, says: ["broken.toml, line 1"])
      // Draws above 2^63 are no TOML integer.
      try place.write(Workplace.job.replacing("draws = 20000", with: "draws = 10000000000000000000"), "big.toml")
      try refused(place, ["big.toml"], status: 65, says: ["big.toml, line 10"])
      try place.write(Workplace.job)
      // The sweep would win over a value of a swept key.
      let sweep = ["--set", "sweep={\"network.width\"=[16,32]}"]
      try refused(
        place, ["job.toml", "--set", "network.width=64"] + sweep, status: 65,
        says: ["network.width = 64", "is swept by the job", "sweep={\"network.width\"=[64]}"])
      let plan = try place.fathom(
        ["plan", "job.toml", "--set", "network.width=64", "--set", "health={widths=[16,32]}"])
      #expect(plan.status == 0 && plan.output.contains("network.width=64/"), "\(plan.output) \(plan.error)")
      try refused(place, ["job.toml", "--set", "width"], status: 64, says: ["--set width", "key=value"])
      for (given, meant) in [("runn", "run"), ("mrege", "merge"), ("job.toml", "fathom run job.toml")] {
        let command = try place.fathom([given])
        #expect(command.status == 64 && command.error.contains("did you mean \(meant)?"), "\(command.error)")
      }
      try refused(place, ["."], status: 65, says: ["is a folder"])
      try Data([0x89, 0x48, 0x44, 0x46, 0x0d]).write(to: URL(filePath: "\(place.folder)/result.h5"))
      try refused(place, ["result.h5"], status: 65, says: ["is a result file", "fathom show result.h5"])
      let show = try place.fathom(["show", "jbo.h5"])
      #expect(show.status == 65 && !show.error.contains("did you mean"), "\(show.error)")
      try place.write("", "job.h5")
      #expect(try place.fathom(["show", "jbo.h5"]).error.contains("did you mean job.h5?"))
      let usage = try place.fathom(["run", "job.toml", "--frsh"])
      #expect(usage.status == 64 && usage.error.contains("--frsh"))
      let part = try place.fathom(["run", "job.toml", "--part", "3/2"])
      #expect(part.status == 64 && part.error.contains("I/K"))
    }

    @Test(
      arguments: [
        ("missing.csv", nil, ["missing.csv", "no such file"]),
        ("short.csv", "a,b,label\n1,2,0\n3,4,1\n", ["short.csv", "row 7", "2 rows"]),
        ("ragged.csv", "1,2,3\n4,5\n", ["ragged.csv, line 2", "2 columns"]),
        ("text.csv", "a,b\n1,2\n3,four\n", ["text.csv, line 3, column 2", "four"]),
        ("nan.csv", "a,b\n1,nan\n2,3\n", ["nan.csv, line 2, column 2", "nan"]),
        ("empty.csv", "", ["empty.csv", "is empty"]),
        ("zero.csv", "1,2\n0,0\n", ["network.inputs.rows", "row 1 is zero"]),
        ("fake.h5", "not HDF5", ["fake.h5"]),
      ] as [(String, String?, [String])])
    func dataFiles(name: String, content: String?, words: [String]) throws {
      let place = try Workplace()
      try place.write(Workplace.job)
      if let content { try place.write(content, name) }
      let rows = name == "short.csv" ? "[0, 7]" : "[0, 1]"
      let inputs = "network.inputs={file=\"\(name)\", rows=\(rows), dataset=\"x\"}"
      try refused(place, ["job.toml", "--set", inputs], status: 65, says: words)
    }

    /// And from a NumPy file; the log says what was read, once.
    @Test func digitsFromCSVAndHDF5GiveTheSameInputs() throws {
      let place = try Workplace()
      try place.write(Workplace.job)
      let script = """
        import h5py, numpy as np
        data = np.loadtxt('\(Shell.root)/jobs/data/digits.csv', delimiter=',', skiprows=1)[:, :64]
        h5py.File('digits.h5', 'w')['images/pixels'] = data.reshape(-1, 8, 8)
        np.save('digits.npy', np.asfortranarray(data.astype('>i2')))
        """
      let made = try Shell.run([Shell.root + "/.venv/bin/python", "-c", script], in: place.folder)
      #expect(made.status == 0, "\(made.error)")
      let csv = "network.inputs={file=\"\(Shell.root)/jobs/data/digits.csv\", rows=[0, 7, 11], drop=[\"label\"]}"
      let h5 = "network.inputs={file=\"digits.h5\", dataset=\"images/pixels\", rows=[0, 7, 11]}"
      let npy = "network.inputs={file=\"digits.npy\", rows=[0, 7, 11]}"
      for (name, inputs, words) in [
        (
          "a", csv,
          "digits.csv: 65 columns, 1797 rows, header: p0, p1, p2, p3, p4, p5, p6, p7, p8, …, label; left out: label"
        ),
        ("b", h5, "digits.h5: images/pixels, 64 columns, 1797 rows, no header, of shape 1797 x 8 x 8"),
        ("c", npy, "digits.npy: 64 columns, 1797 rows, no header, i2"),
      ] {
        let run = try place.fathom(
          ["run", "job.toml", "-o", "\(name).h5"] + settings(["network.draws=500", inputs]), ranks: 2)
        #expect(run.status == 0, "\(run.error)")
        #expect(run.error.components(separatedBy: words).count == 2, "\(run.error) should say \(words), once")
      }
      #expect(try place.digest("a.h5") == place.digest("b.h5"))
      #expect(try place.digest("a.h5") == place.digest("c.h5"))
    }

    /// A data file is looked for beside the job, from wherever the program is run.
    @Test func dataFilesAreRelativeToTheJob() throws {
      let place = try Workplace()
      try FileManager.default.createDirectory(atPath: place.folder + "/jobs", withIntermediateDirectories: true)
      try place.write(
        Workplace.job.replacing("{ correlation = 0.3 }", with: "{ file = \"t.csv\", rows = [0, 1] }"), "jobs/job.toml")
      try place.write("1,2\n2,1\n", "jobs/t.csv")
      let run = try place.fathom(["run", "jobs/job.toml"] + settings(["network.draws=500"]), ranks: 2)
      #expect(run.status == 0 && run.error.contains("read jobs/t.csv: 2 columns, 2 rows, no header"), "\(run.error)")
      // Where it is in the folder of the shell only, it is read, and said.
      try FileManager.default.moveItem(atPath: place.folder + "/jobs/t.csv", toPath: place.folder + "/t.csv")
      let other = try place.fathom(["run", "jobs/job.toml"] + settings(["network.draws=600"]))
      #expect(other.status == 0 && other.error.contains("found in the folder fathom is run in"), "\(other.error)")
      #expect(other.error.contains("read t.csv: 2 columns, 2 rows, no header"), "\(other.error)")
    }

    @Test func outputs() throws {
      let place = try Workplace()
      try place.write(Workplace.job)
      let small = settings(["network.draws=500"])
      try refused(
        place, ["job.toml", "-o", "no/such/out.h5"] + small, status: 74, says: ["output folder", "No such file"])
      // /proc cannot be written to by anyone, root included.
      try refused(
        place, ["job.toml", "-o", "/proc/out.h5"] + small, status: 74, says: ["output folder", "/proc/out.h5"])
      // Another job's file.
      _ = try place.fathom(["run", "job.toml"] + small)
      let before = try place.digest()
      try refused(
        place, ["job.toml", "--set", "network.width=12"] + small, status: 65,
        says: ["another job", "network.width = 24", "network.width = 12", "--fresh"])
      try refused(place, ["job.toml", "--set", "seed=9"] + small, status: 65, says: ["seed = 7", "seed = 9"])
      #expect(try place.digest() == before)
      // A second run of the same job has nothing to do, and says so.
      let again = try place.fathom(["run", "job.toml"] + small, ranks: 2)
      #expect(again.status == 0 && again.error.contains("nothing to do, the file has the 500 draws asked for"))
      #expect(try place.digest() == before)
      // --fresh keeps the old file aside.
      let fresh = try place.fathom(["run", "job.toml", "--fresh", "--set", "network.width=12"] + small)
      #expect(fresh.status == 0 && place.names().contains("out.h5.aside-1"))
      #expect(try place.digest("out.h5.aside-1") == before)
    }

    @Test func damagedOutputs() throws {
      let place = try Workplace()
      try place.write(Workplace.job)
      let small = settings(["network.draws=500"])
      let path = place.folder + "/out.h5"
      _ = try place.fathom(["run", "job.toml"] + small)
      let good = FileManager.default.contents(atPath: path)!
      // No previous generation: refused, and the file is left alone.
      for (content, word) in [
        (good.prefix(good.count / 2), "truncated"), (Data("hello".utf8), "not a fathom result file"),
      ] {
        try Data(content).write(to: URL(fileURLWithPath: path))
        try? FileManager.default.removeItem(atPath: ArchiveWriter.previousPath(for: path))
        try refused(place, ["job.toml"] + small, status: 65, says: [word, "--fresh"])
        #expect(FileManager.default.contents(atPath: path)! == Data(content))
        for command in ["show", "digest", "verify"] {
          let result = try place.fathom([command, "out.h5"])
          #expect(result.status == 65 && result.error.contains(word), "\(command): \(result.status) \(result.error)")
        }
      }
      // With one, the run continues from it and keeps the damaged file.
      try good.write(to: URL(fileURLWithPath: ArchiveWriter.previousPath(for: path)))
      let recovered = try place.fathom(["run", "job.toml"] + small, ranks: 2)
      #expect(recovered.status == 0 && recovered.error.contains("resumes from out.h5.previous"), "\(recovered.error)")
      #expect(place.names().contains("out.h5.damaged-1"))
      #expect(try place.fathom(["verify", "out.h5"]).status == 0)
    }

    @Test func launchersOfAnotherMPI() throws {
      let place = try Workplace()
      try place.write(Workplace.job)
      let hydra = ["PMI_RANK": "1", "PMI_SIZE": "3", "MPI_LOCALNRANKS": "3"]
      let result = try place.fathom(["run", "job.toml"], extra: hydra)
      #expect(
        result.status == 64 && result.error.contains("another MPI")
          && result.error.contains("built with Open MPI: use the mpirun of Open MPI (mpirun.openmpi on Debian)"),
        "\(result.error)")
      #expect(place.names() == ["job.toml"])
    }

    /// A preloaded library that changes the environment, as clusters have for accounting: Swift then loses its arguments, fathom not.
    @Test func preloadedLibrariesMayMoveTheEnvironment() throws {
      let place = try Workplace()
      try place.write(Workplace.job)
      defer { Shell.removeTracesOfFaketime() }
      let folder = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
      let run = try place.fathom(
        ["run", "job.toml"] + settings(["network.draws=500"]), ranks: 2,
        extra: ["LD_PRELOAD": folder, "FAKETIME": "-1d"])
      #expect(run.status == 0 && place.names().contains("out.h5"), "\(run.output) \(run.error)")
    }

    @Test func aSecondRunOnTheSameOutputIsRefused() throws {
      let place = try Workplace()
      try place.write(Workplace.job)
      let first = try RunUnderWay(place, "out.h5", settings([RunUnderWay.draws]))
      try first.waitForStart()
      let second = try first.whileStopped { try place.fathom(["run", "job.toml"] + settings([RunUnderWay.draws])) }
      #expect(
        second.status == 74 && second.error.contains("in use by process \(first.process.processIdentifier)"),
        "\(second.error)")
      #expect(try first.stop(SIGTERM).status == 75)
    }
  }
}
