import Experiments
import Foundation
import Results
import Testing

/// docs/versions.md promises that a minor version keeps its streams and its formats: a change of either wants a row of its own there.
@Suite struct VersionTests {
  @Test func thePageOfVersionsSaysWhatThisOneMakes() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let version = try String(contentsOf: root.appending(path: "VERSION"), encoding: .utf8)
    let minor = version.split(separator: ".").prefix(2).joined(separator: ".")
    let page = try String(contentsOf: root.appending(path: "docs/versions.md"), encoding: .utf8)
    let row = "| \(minor) | \(Job.streamVersion) | \(ResultFile.formatVersion), "
    #expect(page.contains(row), "docs/versions.md has no row \(row)")
  }
}
