import Foundation
import Support
import Testing

/// What the suites of injected faults share. `make test-faults` (FATHOM_FAULTS=full) tries every place, `make test` some of each.
enum Fault {
  static let full = ProcessInfo.processInfo.environment["FATHOM_FAULTS"] == "full"

  static let job = """
    seed = 9
    [particles]
    system = "gaussian-attraction"
    number = 64
    step = 0.1
    warm_up = 100
    steps = 2000
    replicas = 4
    [run]
    output = "out.h5"
    """

  static let half = settings(["particles.replicas=2"])

  /// Writes a row of docs/reliability.md into the folder that FATHOM_FAULT_ROWS names.
  static func row(_ name: String, injected: String, times: Int, happened: String, message: String) throws {
    guard let folder = ProcessInfo.processInfo.environment["FATHOM_FAULT_ROWS"] else { return }
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let line = "| \(name) | \(injected) | \(times) | \(happened) | \(message) |\n"
    try line.write(toFile: "\(folder)/\(name.replacing("/", with: "-"))", atomically: true, encoding: .utf8)
  }

  /// The error of a run as a cell of that table.
  static func cell(_ error: String, _ place: borrowing Workplace) -> String {
    let line = error.split(separator: "\n").last { $0.contains("error") || $0.contains("no progress") } ?? ""
    return "`" + line.replacing("fathom: error: ", with: "").replacing("\(place.folder)/", with: "") + "`"
  }
}

extension Workplace {
  func bytes(_ name: String) -> Data { FileManager.default.contents(atPath: "\(folder)/\(name)") ?? Data() }

  func put(_ data: Data, _ name: String) throws { try data.write(to: URL(fileURLWithPath: "\(folder)/\(name)")) }

  /// Removes what is there of these names.
  func remove(_ names: String...) {
    for name in names { try? FileManager.default.removeItem(atPath: "\(folder)/\(name)") }
  }

  /// A finished result of the job of the fault suites, and its digest.
  func finished(_ settings: [String] = [], _ name: String = "out.h5") throws -> String {
    try write(Fault.job)
    let run = try fathom(["run", "job.toml", "-o", name] + settings)
    #expect(run.status == 0, "\(run.error)")
    return try digest(name)
  }
}
