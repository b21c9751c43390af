import Experiments
import Foundation

extension Nearest {
  /// `; did you mean …?` with a file of the same folder and the given end of the name, for a path where there is none.
  package static func fileHint(_ path: String, suffix: String) -> String {
    guard !FileManager.default.fileExists(atPath: path) else { return "" }
    let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.isEmpty ? "." : folder)) ?? []
    let near = name(
      to: String(path.dropFirst(folder.count)), among: files.filter { $0.hasSuffix(suffix) }.sorted())
    return near.map { "; did you mean \(folder)\($0)?" } ?? ""
  }
}
