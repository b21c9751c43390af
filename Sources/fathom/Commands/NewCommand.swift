import Archive
import ArgumentParser
import Experiments
import Foundation
import Jobs

struct NewCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "new", abstract: "Write a commented job file that answers a question.",
    discussion: """
      Every example runs as it is, in a minute or less, and has an [expect] that `fathom check` compares. In a terminal, \
      without arguments, it asks which one.

        fathom new --list                     the examples, by question
        fathom new collapse                   writes collapse.toml
        fathom new collapse -o job.toml       -o - prints it
      """)

  @Argument(help: "Name of an example.", completion: .list(Example.all.map(\.name))) var name: String?
  @Option(
    name: .shortAndLong, help: "The job file to write, NAME.toml unless given; must not exist. -: standard output.")
  var output: String?
  @Flag(help: "List the examples.") var list = false

  func validate() throws {
    guard name == nil || !list else { throw ValidationError("--list takes no NAME") }
    guard name != nil || output == nil else { throw ValidationError("--output needs the NAME of an example") }
  }

  func run() throws {
    if let name {
      let example = try Example.named(name)
      return try write(example, to: output ?? "\(example.name).toml")
    }
    guard !list, isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1 else { return try Console.print(Self.listing) }
    try ask()
  }

  private static var listing: String {
    let width = Example.all.map(\.name.count).max()!
    let lines = Example.all.map { "  \($0.name.padding(toLength: width, withPad: " ", startingAt: 0))  \($0.question)" }
    return (["fathom new NAME writes the job of one of these as NAME.toml:", ""] + lines).joined(separator: "\n")
  }

  private func write(_ example: Example, to file: String, sizes: [String: String] = [:]) throws {
    let text = try example.text(file: file == "-" ? "\(example.name).toml" : file, sizes: sizes)
    if file == "-" { return try Console.print(String(text.dropLast())) }
    // Nothing is replaced, also not what another program puts there at this moment.
    let descriptor = open(file, O_WRONLY | O_CREAT | O_EXCL, 0o644)
    guard descriptor >= 0 else {
      if errno == EEXIST {
        throw Failure(.inputOutput, "\(file) exists already; give another name with -o, or remove it first")
      }
      throw Failure(.inputOutput, "\(file) cannot be written: \(String(cString: strerror(errno)))")
    }
    do {
      try FileHandle(fileDescriptor: descriptor, closeOnDealloc: true).write(contentsOf: Data(text.utf8))
    } catch {
      unlink(file)
      throw Failure(.inputOutput, "\(file) cannot be written: \(error.localizedDescription)")
    }
    let quoted = Console.quoted(file)
    try Console.print("wrote \(file): \(example.question)\nnext: fathom plan \(quoted), fathom run \(quoted)")
  }

  // MARK: Questions

  /// Three at most: which example, its sizes, the name of the file. Enter takes what stands in brackets; the end of input leaves without a file.
  private func ask() throws {
    let examples = Example.all
    for (place, example) in examples.enumerated() {
      try Console.print(String(format: "%3d  %@", place + 1, example.question))
    }
    let chosen = try question("Which question", default: "1") { answer -> Example in
      if let number = Int(answer), examples.indices.contains(number - 1) { return examples[number - 1] }
      if Int(answer) != nil { throw Failure(.usage, "there are 1 to \(examples.count)") }
      return try Example.named(answer)
    }
    guard let example = chosen else { return try leave() }
    let standard = try example.sizes.map(example.size)
    let names = example.sizes.map { $0.split(separator: ".").last.map(String.init) ?? $0 }
    let sizes = try question(names.joined(separator: " and "), default: standard.joined(separator: " ")) { answer in
      let numbers = answer.split { " ,".contains($0) }.map(String.init)
      guard numbers.count == names.count else {
        throw Failure(.usage, names.count == 1 ? "one number is needed" : "\(names.count) numbers are needed")
      }
      let values = Dictionary(uniqueKeysWithValues: zip(example.sizes, numbers))
      // The reader knows what is allowed.
      _ = try JobReader(data: DataFiles(job: "job.toml")).read(
        example.job, name: "job.toml", settings: values.map { "\($0.key)=\($0.value)" })
      _ = Notes.take()
      return values
    }
    guard let sizes else { return try leave() }
    let file = try question("Job file", default: "\(example.name).toml") { answer in
      guard !FileSystem.exists(answer) else { throw Failure(.usage, "\(answer) exists already") }
      return answer
    }
    guard let file else { return try leave() }
    try write(example, to: file, sizes: sizes)
  }

  private func leave() throws { try Console.print("\nnothing was written") }

  /// Asks until the answer is one; nil at the end of input.
  private func question<Answer>(_ text: String, default standard: String, _ read: (String) throws -> Answer) throws
    -> Answer?
  {
    while true {
      Console.write("\(text) [\(standard)]: ")
      guard let line = readLine() else { return nil }
      let answer = line.trimmingCharacters(in: .whitespaces)
      do { return try read(answer.isEmpty ? standard : answer) } catch let failure as Failure {
        Console.write("\(failure.message)\n")
      }
    }
  }
}
