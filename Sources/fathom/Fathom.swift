import ArgumentParser
import Foundation
import Experiments

/// Version of the program, in banners and files: the text of the file VERSION, which packages read too (docs/versions.md).
let programVersion = String(decoding: PackageResources.VERSION.prefix { $0 > 32 }, as: UTF8.self)

@main
struct Fathom: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fathom",
    abstract: "Measures finite random networks and particle systems and compares them with their scaling limits.",
    discussion: """
      A job file says what to draw and what to compare it with; one HDF5 file comes out.

        fathom new                            examples by question, written as job files
        fathom catalog                        what can be drawn, with every key and its range
        fathom plan jobs/neural-covariance.toml
        mpirun -n 2 fathom run jobs/neural-covariance.toml
        fathom show neural-covariance.h5
        fathom explain neural-covariance.h5   what it shows, what it does not, what to run next
        fathom kernel jobs/gram-digits.toml   the Gram matrix of a kernel over a data file
        fathom cite neural-covariance.h5      BibTeX for the papers behind it

      The same job gives the same bits on any number of ranks, and after any stop and resume.

      Exit codes: 0 done, 64 wrong usage, 65 bad job or data, 70 a bug, 74 input or output failed, 75 stopped early: rerun \
      the command to resume. `check` exits with 1 where an expectation does not hold.
      """,
    version: programVersion,
    subcommands: [
      NewCommand.self, RunCommand.self, KernelCommand.self, PlanCommand.self, ShowCommand.self, ExplainCommand.self,
      DigestCommand.self,
      VerifyCommand.self, MergeCommand.self,
      CheckCommand.self, CatalogCommand.self, CiteCommand.self,
    ])

  static func main() {
    Console.holdStandardStreams()
    do {
      let arguments = Array(Launch.arguments.dropFirst())
      refuseUnknownCommand(arguments.first)
      do {
        var command = try parseAsRoot(arguments)
        try command.run()
      } catch  where !(error is Failure) {
        // Help and version leave with 0, mistakes of usage with 64.
        let (code, message) = (exitCode(for: error), fullMessage(for: error))
        if !code.isSuccess {
          Console.write(message + "\n")
        } else if !message.isEmpty {
          try Console.print(message)
        }
        Foundation.exit(code.rawValue)
      }
    } catch {
      let failure = Failure(wrapping: error)
      Console.error(failure.message)
      Foundation.exit(failure.status.rawValue)
    }
  }

  /// The parser would call it an unexpected argument.
  private static func refuseUnknownCommand(_ name: String?) {
    let names = configuration.subcommands.compactMap { $0.configuration.commandName }
    guard let name, !name.hasPrefix("-"), name != "help", !names.contains(name) else { return }
    let hint = name.hasSuffix(".toml") ? "; did you mean fathom run \(name)?" : Nearest.hint(name, among: names)
    Console.error("\(name) is no command of fathom, which has \(names.joined(separator: ", "))\(hint)")
    Foundation.exit(ExitStatus.usage.rawValue)
  }
}
