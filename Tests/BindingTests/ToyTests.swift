import Archive
import Foundation
import Support
import Testing

/// The examples of the documentation run, and its pages show the very lines that are run.
@Suite struct ToyTests {
  @Test(arguments: [
    ("Sources/MessagePassing/MessagePassing.docc/MessagePassing.md", "Tests/Probe/Toy.swift"),
    ("Sources/Archive/Archive.docc/Archive.md", "Tests/BindingTests/Toys/ArchiveToy.swift"),
  ])
  func pagesShowWhatRuns(page: String, toy: String) throws {
    let text = try String(contentsOfFile: Shell.root + "/" + page, encoding: .utf8)
    let lines = try String(contentsOfFile: Shell.root + "/" + toy, encoding: .utf8)
    let block = text.components(separatedBy: "```swift\n").dropFirst().first?.components(separatedBy: "```").first
    #expect(block == lines, "\(page) does not show \(toy)")
  }

  @Test(arguments: [0, 1, 3])
  func messagePassing(ranks: Int) throws {
    let folder = try Shell.temporaryFolder()
    defer { Shell.cleanUp(folder) }
    let result = try Shell.run(Shell.launch("mpi-probe", ranks: ranks, ["toy"]), in: folder)
    #expect(result.status == 0 && result.output == "pi is about 3.14552\n", "\(result.output)\(result.error)")
  }

  @Test func archive() throws {
    let folder = try Shell.temporaryFolder()
    defer { Shell.cleanUp(folder) }
    #expect(try squares(of: [1, 2, 3], at: folder + "/squares.h5") == [1, 4, 9])
    #expect(throws: Never.self) { try Seal.check(folder + "/squares.h5") }
  }
}
