import ArgumentParser
import Experiments
import Foundation
import Jobs

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

  func text() throws -> String {
    guard let data = FileManager.default.contents(atPath: job) else {
      throw Failure(.badData, "\(job): no such file, or it cannot be read")
    }
    return String(decoding: data, as: UTF8.self)
  }

  func read(_ text: String, data: any DataSource) throws -> JobFile {
    try JobReader(data: data).read(text, name: job, settings: settings, output: output)
  }
}
