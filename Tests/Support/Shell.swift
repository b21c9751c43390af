import Foundation

/// Runs programs for tests, each with a time limit: nothing may hang.
public struct Shell {
  /// Seconds after which a program hangs, also on a slow machine with other work: no test may need as long.
  public static let patience = 300.0

  public struct Result: Sendable {
    public let status: Int32
    public let output: String
    public let error: String
    public let timedOut: Bool
  }

  /// Folder of the built products.
  public static let products: String = {
    if let folder = ProcessInfo.processInfo.environment["FATHOM_PRODUCTS"] { return folder }
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    return root.appendingPathComponent(".build/release").path
  }()

  public static var root: String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .path
  }

  /// A new empty folder, removed by `cleanUp`.
  public static func temporaryFolder() throws -> String {
    let path = NSTemporaryDirectory() + "fathom-test-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    return path
  }

  public static func cleanUp(_ folder: String) { try? FileManager.default.removeItem(atPath: folder) }

  /// What libfaketime keeps in shared memory and leaves there under mpirun, of processes that are no more.
  public static func removeTracesOfFaketime() {
    let folder = "/dev/shm"
    for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    where name.hasPrefix("faketime_shm_") || name.hasPrefix("sem.faketime_sem_") {
      guard let process = Int32(name.split(separator: "_").last ?? ""), kill(process, 0) != 0 else { continue }
      try? FileManager.default.removeItem(atPath: "\(folder)/\(name)")
    }
  }

  public static var environment: [String: String] {
    var environment = ProcessInfo.processInfo.environment
    environment["OMPI_ALLOW_RUN_AS_ROOT"] = "1"
    environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"
    // More ranks than cores: waiting ranks must not spin.
    environment["OMPI_MCA_mpi_yield_when_idle"] = "1"
    return environment
  }

  /// Starts a program in a folder; its output goes to files there.
  public static func start(_ arguments: [String], in folder: String, extra: [String: String] = [:], tag: String) throws
    -> Process
  {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    // What Open MPI leaves of killed jobs goes with the folder.
    let hidden = folder + "/.tmp"
    try FileManager.default.createDirectory(atPath: hidden, withIntermediateDirectories: true)
    let places = ["TMPDIR": hidden, "OMPI_MCA_btl_vader_backing_directory": hidden]
    process.environment = environment.merging(places) { $1 }.merging(extra) { $1 }
    for (suffix, set) in [("out", { process.standardOutput = $0 }), ("err", { process.standardError = $0 })]
      as [(String, (FileHandle) -> Void)]
    {
      let path = "\(folder)/.\(tag).\(suffix)"
      _ = FileManager.default.createFile(atPath: path, contents: nil)
      set(FileHandle(forWritingAtPath: path)!)
    }
    process.standardInput = FileHandle.nullDevice
    // Test threads block signals, and a child inherits the mask of the thread that starts it.
    var none = sigset_t()
    var mask = sigset_t()
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &mask)
    defer { pthread_sigmask(SIG_SETMASK, &mask, nil) }
    try process.run()
    return process
  }

  /// Waits for a program, at most `limit` seconds.
  public static func finish(_ process: Process, in folder: String, tag: String, limit: Double = patience) -> Result {
    let deadline = Date().addingTimeInterval(limit)
    while process.isRunning && Date() < deadline { usleep(5_000) }
    let timedOut = process.isRunning
    if timedOut { kill(process.processIdentifier, SIGKILL) }
    process.waitUntilExit()
    func read(_ suffix: String) -> String {
      (try? String(contentsOfFile: "\(folder)/.\(tag).\(suffix)", encoding: .utf8)) ?? ""
    }
    return Result(status: process.terminationStatus, output: read("out"), error: read("err"), timedOut: timedOut)
  }

  public static func run(
    _ arguments: [String], in folder: String, extra: [String: String] = [:], limit: Double = patience
  )
    throws -> Result
  {
    let tag = UUID().uuidString
    defer {
      for suffix in ["out", "err"] { cleanUp("\(folder)/.\(tag).\(suffix)") }
    }
    return finish(try start(arguments, in: folder, extra: extra, tag: tag), in: folder, tag: tag, limit: limit)
  }

  /// What starts ranks, before their number: `-n` and the program follow. FATHOM_LAUNCHER names that of another MPI.
  public static let launcher =
    ProcessInfo.processInfo.environment["FATHOM_LAUNCHER"].map { [$0] } ?? ["mpirun", "--oversubscribe"]

  /// Arguments that start a product on a number of ranks; 0 for without mpirun.
  public static func launch(_ product: String, ranks: Int, _ arguments: [String]) -> [String] {
    let program = ["\(products)/\(product)"] + arguments
    return ranks == 0 ? program : launcher + ["-n", String(ranks)] + program
  }
}
