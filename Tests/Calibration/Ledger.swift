import Foundation
import Statistics

/// Runs that are done, a line each in a file that only grows: a calibration that is stopped continues where it was.
///
/// A line is `digest,kind,statement,seed,word,power`. The digest is of all that the outcome depends on. A last line without its end was cut
/// by whatever ended the program, and is taken off; lines of other digests are passed over.
package final class Ledger {
  package struct Entry: Hashable, Sendable {
    package let digest, kind, side: String
    package let seed: Int

    package init(digest: String, kind: String, side: Kind.Side, seed: Int) {
      self.digest = digest
      self.kind = kind
      self.side = side.rawValue
      self.seed = seed
    }
  }

  private var outcomes: [Entry: Outcome] = [:]
  private let file: FileHandle

  /// Opens the file, or makes it.
  package init(_ path: String) throws {
    let url = URL(fileURLWithPath: path)
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    if !FileManager.default.fileExists(atPath: path) { try Data().write(to: url) }
    let bytes = try Data(contentsOf: url)
    let end = bytes.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    for line in String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\n") {
      let words = line.split(separator: ",").map(String.init)
      guard words.count == 6, let side = Kind.Side(rawValue: words[2]), let seed = Int(words[3]),
        let word = Equivalence(rawValue: words[4])
      else { continue }
      outcomes[Entry(digest: words[0], kind: words[1], side: side, seed: seed)] = Outcome(
        word: word, power: Double(words[5]))
    }
    file = try FileHandle(forWritingTo: url)
    try file.truncate(atOffset: UInt64(end))
    try file.seekToEnd()
  }

  package func outcome(_ entry: Entry) -> Outcome? { outcomes[entry] }

  package func add(_ entry: Entry, _ outcome: Outcome) throws {
    outcomes[entry] = outcome
    let words = [
      entry.digest, entry.kind, entry.side, "\(entry.seed)", outcome.word.rawValue,
      outcome.power.map { "\($0)" } ?? "none",
    ]
    try file.write(contentsOf: Data((words.joined(separator: ",") + "\n").utf8))
  }
}
