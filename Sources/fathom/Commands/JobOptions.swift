import ArgumentParser
import Experiments
import Foundation
import Jobs
import Results

/// What names a job on the command line.
struct JobOptions: ParsableArguments {
  @Argument(help: "The job file (TOML).")
  var job: String

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp("Override a key of the job; may be repeated.", valueName: "key=value"))
  var settings: [String] = []

  @Option(name: .shortAndLong, help: "The result file, instead of run.output of the job.")
  var output: String?

  func text() throws -> String { try Self.text(of: job) }

  /// The text of a job file.
  static func text(of path: String) throws -> String {
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
      throw Failure(.badData, "\(path): is a folder, not a job file (TOML)")
    }
    guard let data = FileManager.default.contents(atPath: path) else {
      throw Failure(.badData, "\(path): no such file, or it cannot be read\(Nearest.fileHint(path, suffix: ".toml"))")
    }
    if data.starts(with: Data("\u{89}HDF".unicodeScalars.map { UInt8($0.value) })) {
      throw Failure(.badData, "\(path): is a result file, not a job; fathom show \(path) prints it")
    }
    return String(decoding: data, as: UTF8.self)
  }

  func read(_ text: String, data: any DataSource, check: Bool = false) throws -> JobFile {
    try JobReader(data: data).read(text, name: job, settings: settings, output: output, check: check)
  }
}
