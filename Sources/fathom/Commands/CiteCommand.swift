import ArgumentParser
import Experiments
import Foundation
import Jobs
import Results

struct CiteCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cite", abstract: "Print BibTeX for the papers behind a result, and for fathom.",
    discussion: """
      Exactly those that the models, integrators, samplers and limits of its job refer to, as the catalog names them. A paper of \
      which only the number is known here has nothing else.

        fathom cite result.h5 > result.bib
        fathom cite job.toml                  before it has run
        fathom cite --all                     everything that the catalog and the documentation refer to
      """)

  @Argument(help: "A result file, the Gram matrix of fathom kernel, or a job file (TOML).") var file: String?
  @Flag(help: "Every paper of the catalog and of the documentation.") var all = false
  @Flag(help: "Print JSON.") var json = false

  func validate() throws {
    guard all == (file == nil) else {
      throw ValidationError(all ? "--all goes without a file" : "give a result file or a job file, or --all")
    }
  }

  func run() throws {
    let citations = try file.map(Self.citations) ?? Citations()
    try Console.print(json ? Self.jsonText(citations) : Self.text(citations))
  }

  private static func citations(_ file: String) throws -> Citations {
    if file.hasSuffix(".toml") {
      let text = try JobOptions.text(of: file)
      if GramJob.isOne(text, name: file) {
        return Citations(identity: try GramJob.read(text, name: file, data: DataFiles(job: file)).identity, cases: [])
      }
      let job = try JobReader(data: DataFiles(job: file)).read(text, name: file).job
      for note in Notes.take() { Console.log("\(file): \(note)") }
      return try citations(of: job, file)
    }
    if let gram = try GramFile.at(file) { return Citations(identity: gram.identity, cases: []) }
    return try citations(of: ResultFile.load(file).job, file)
  }

  private static func citations(of job: Job, _ file: String) throws -> Citations {
    let result = Citations(identity: job.identity, cases: job.cases)
    guard !result.list.isEmpty || job.cases.contains(where: { $0.finite?.name != rows }) else {
      throw Failure(
        .badData,
        "\(file) holds rows that another program made, and compares them with nothing of the catalog: cite that program"
      )
    }
    return result
  }

  /// The table of a job of rows.
  private static let rows = "samples"

  private static func text(_ citations: Citations) -> String {
    let own = Work.entry(
      "software", "fathom",
      [
        ("author", "{The fathom developers}"),
        ("title", "{fathom: finite random networks, training runs and particle systems against their limits}"),
        ("version", programVersion),
      ])
    return
      (["% the program\n" + own]
      + citations.list.map { "% \($0.citedBy.joined(separator: ", "))\n" + $0.work.bibTeX }).joined(separator: "\n\n")
  }

  private struct Document: Encodable {
    struct Entry: Encodable {
      let key, arxiv, title: String
      let authors: [String]
      let year: Int
      let journal, volume, pages: String
      let cited_by: [String]
    }
    let schema = "fathom-cite/1"
    let version = programVersion
    let entries: [String]
    let works: [Entry]
  }

  private static func jsonText(_ citations: Citations) throws -> String {
    let document = Document(
      entries: citations.entries,
      works: citations.list.map { citation in
        let work = citation.work
        return Document.Entry(
          key: work.key, arxiv: work.arXiv, title: work.title, authors: work.authors, year: work.year,
          journal: work.journal, volume: work.volume, pages: work.pages, cited_by: citation.citedBy)
      })
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(document), as: UTF8.self)
  }
}
