import Archive
import Foundation
import Support
import Testing

extension Faults {
  /// Files that are not what was written: each is refused with 65 and by name, and nothing in them is followed or allocated.
  @Suite struct DamageFaultTests {
    @Test func everyTruncationIsFound() throws {
      let place = try Workplace()
      _ = try place.finished()
      let whole = place.bytes("out.h5")
      let border = Fault.full ? 512 : max(512, whole.count / 24 / 512 * 512)
      var (times, message) = (0, "")
      for length in stride(from: 0, to: whole.count, by: border) {
        try place.put(whole.prefix(length), "cut.h5")
        let verify = try place.fathom(["verify", "cut.h5"])
        #expect(verify.status == 65 && verify.error.contains("cut.h5"), "\(length): \(verify.status) \(verify.error)")
        (times, message) = (times + 1, verify.error)
      }
      try Fault.row(
        "truncated file", injected: "cut at every \(border) bytes", times: times,
        happened: "all found, before HDF5 opens the file; exit 65", message: Fault.cell(message, place))
    }

    @Test func everyFlippedBitIsFound() throws {
      let place = try Workplace()
      _ = try place.finished()
      let whole = place.bytes("out.h5")
      var random = SystemRandomNumberGenerator()
      var message = ""
      let times = Fault.full ? 2000 : 40
      for _ in 0..<times {
        let bit = Int.random(in: 0..<whole.count * 8, using: &random)
        var damaged = whole
        damaged[bit / 8] ^= 1 << UInt8(bit % 8)
        try place.put(damaged, "flipped.h5")
        let verify = try place.fathom(["verify", "flipped.h5"])
        #expect(verify.status == 65, "bit \(bit): \(verify.status) \(verify.error)")
        message = verify.error
      }
      try Fault.row(
        "flipped bit", injected: "one bit anywhere, at random", times: times,
        happened: "all found: no byte is without the seal; exit 65", message: Fault.cell(message, place))
    }

    /// Makes `forged/<dataset>,<kind>.h5` out of a file: one dataset replaced, and the seal made again.
    private static let forge = """
      import hashlib, json, os, shutil, sys
      import h5py, numpy as np

      source, every = sys.argv[1], sys.argv[2] == "full"
      os.makedirs("forged", exist_ok=True)

      def seal(path):
          data = open(path, "rb").read()
          text = f"fathom sealed file 1\\nsha256 = {hashlib.sha256(data[512:]).hexdigest()}\\nbytes = {len(data)}\\n"
          with open(path, "r+b") as f:
              f.write(text.ljust(511).encode() + b"\\n")

      def virtual(f, name, old):
          layout = h5py.VirtualLayout(shape=old.shape or (1,), dtype="f8")
          layout[:] = h5py.VirtualSource("other.h5", "x", shape=old.shape or (1,))
          f.create_virtual_dataset(name, layout)

      kinds = {
          "missing": lambda f, name, old: None,
          "soft": lambda f, name, old: f.__setitem__(name, h5py.SoftLink("/provenance")),
          "external": lambda f, name, old: f.__setitem__(name, h5py.ExternalLink("/etc/passwd", "/x")),
          "virtual": virtual,
          "elsewhere": lambda f, name, old: f.create_dataset(
              name, shape=(4,), dtype="f8", external=[("/etc/passwd", 0, 32)]),
          "absurd": lambda f, name, old: f.create_dataset(name, shape=(1 << 50,), chunks=(1024,), dtype="f8"),
          "group": lambda f, name, old: f.create_group(name),
          "type": lambda f, name, old: f.__setitem__(
              name, 1.0 if old.dtype == object else np.array(["x"] * max(old.size, 1), dtype=object)),
          "half": lambda f, name, old: f.__setitem__(name, old[: len(old) // 2] if len(old) else [7.0]),
          "huge": lambda f, name, old: f.__setitem__(
              name, np.full(old.shape, 1 << 61) if old.dtype.kind in "iu" else np.full(old.shape, 1e300)),
          "negative": lambda f, name, old: f.__setitem__(name, np.full(old.shape, -1)),
      }
      with h5py.File(source) as f:
          names = []
          f.visititems(lambda name, item: names.append("/" + name) if isinstance(item, h5py.Dataset) else None)
          numbers = {n: f[n].dtype != object for n in names}
      chosen = names if every else [
          n for n in names if n.endswith(("/words", "/begun/0/step", "/particles/mean", "/job"))]
      for name in chosen:
          for kind, change in kinds.items():
              if kind in ("huge", "negative") and not numbers[name]:
                  continue
              path = f"forged/{name[1:].replace('/', '.')},{kind}.h5"
              shutil.copy(source, path)
              with h5py.File(path, "r+") as f:
                  old = np.asarray(f[name])
                  del f[name]
                  change(f, name, old)
              seal(path)
              print(name, kind, path)
      for kind, change in {
          "version": lambda f: f.attrs.modify("format_version", 99),
          "version-type": lambda f: f.attrs.__setitem__("format_version", "two"),
          "path-type": lambda f: f["state/0"].attrs.__setitem__("path", 7),
          "job-json": lambda f: f["provenance/job"].__setitem__(0, "{}"),
          "more": lambda f: f.__setitem__("state/0/more", [1.0]),
          "title": lambda f: f.attrs.__setitem__("title", "another"),
      }.items():
          path = f"forged/attribute,{kind}.h5"
          shutil.copy(source, path)
          with h5py.File(path, "r+") as f:
              change(f)
          seal(path)
          print("attribute", kind, path)
      """

    /// A file with replicas under way whose every dataset is in turn missing, a link, stored elsewhere, absurdly large, of another
    /// type, shorter, or full of wild numbers, under a seal that fits.
    @Test func forgedFilesAreRefused() throws {
      let place = try Workplace()
      try place.write(Fault.job)
      let size = settings(["particles.steps=100000", "particles.frame_every=10000", "particles.framed_particles=2"])
      // One replica is finished, and one under way has a frame.
      try place.stopped("begun.h5", size + settings([RunUnderWay.replicas])) { reader in
        let (group, frames) = ("/state/0", "begun/0/state/trajectory/steps")
        return try !reader.read("\(group)/ids", as: UInt64.self).values.isEmpty
          && reader.contains("\(group)/\(frames)")
          && !reader.read("\(group)/\(frames)", as: Int64.self).values.isEmpty
      }
      let soon = try size + place.soon(after: "begun.h5")
      place.remove("begun.h5.previous")
      let python = Shell.root + "/.venv/bin/python"
      let made = try Shell.run(
        [python, "-c", Self.forge, "begun.h5", Fault.full ? "full" : "some"], in: place.folder,
        limit: 10 * Shell.patience)
      #expect(made.status == 0, "\(made.error)")
      var (times, harmless, message) = (0, 0, "")
      for line in made.output.split(separator: "\n") {
        let words = line.split(separator: " ").map(String.init)
        let (name, kind, path) = (words[0], words[1], words[2])
        let verify = try place.fathom(["verify", path])
        // Wild numbers may stand where any number may stand; what a replica under way needs, only a run can tell.
        let (wild, begun) = (["huge", "negative"].contains(kind), name.contains("/begun/"))
        let numbers = ["/rows", "/centres", "/ids", "/series/values"]
        let derived = numbers.contains { name.hasSuffix($0) } || name.contains("/trajectories/")
        let free = begun || (wild && derived)
        #expect(verify.status == 65 || (free && verify.status == 0), "\(line): \(verify.status) \(verify.error)")
        #expect(!verify.timedOut && !verify.error.contains("crashed"), "\(line): \(verify.error)")
        if verify.status == 65 && !["job-json", "more", "title"].contains(kind) {
          let subject = kind.hasPrefix("version") ? "format_version" : kind == "path-type" ? "path" : name
          let group = subject.split(separator: "/").dropLast().last.map(String.init) ?? subject
          #expect(verify.error.contains(path), "\(line): \(verify.error)")
          #expect(
            verify.error.contains(subject) || verify.error.contains(group) || verify.error.contains("format version"),
            "\(line): \(verify.error)")
          if kind == "external" { message = verify.error }
        }
        harmless += verify.status == 0 ? 1 : 0
        times += 1
        // A run that is to go on from it refuses it too, or comes to its end, which is near: tables are made again, and never read.
        guard name.contains("/state/") || name == "attribute" else { continue }
        let run = try place.fathom(["run", "job.toml", "-o", path, "--walltime", "60s"] + soon)
        #expect([0, 65, 75].contains(run.status), "\(line): run \(run.status) \(run.error)")
        #expect(!run.timedOut && (run.status == 65) == run.error.contains("error"), "\(line): \(run.error)")
        if name.contains("/state/") && (!free || !wild) {
          #expect(run.status == 65, "\(line): run \(run.status) \(run.error)")
        }
      }
      #expect(times >= 40)
      try Fault.row(
        "forged file",
        injected:
          "each dataset missing, a link, virtual, stored elsewhere, absurdly large, of another type, shorter, full of wild numbers; another version; the seal made to fit",
        times: times,
        happened:
          "all refused by name, nothing followed or allocated; exit 65 (\(harmless) put other numbers where any may stand)",
        message: Fault.cell(message, place))
    }
  }
}
