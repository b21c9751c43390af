import ArgumentParser
import Foundation
import Networks
import Simulation

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

  func read(
    _ text: String, load: @escaping (Inputs.FileRequest) throws -> [[Double]],
    loadTable: @escaping (TableRequest) throws -> DataTable
  ) throws -> JobFile {
    try JobReader(load: load, loadTable: loadTable).read(text, name: job, settings: settings, output: output)
  }
}
