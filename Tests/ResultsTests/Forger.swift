import Archive
import Experiments
import Foundation

/// Copies of a file with one dataset changed, sealed again: what somebody who knows the seal would do.
enum Forger {
  enum Kind: CaseIterable { case missing, half, type, wild }

  static func copy(_ source: String, to path: String, changing name: String, _ kind: Kind) throws {
    try copy(source, to: path) { place, values in
      guard place == name else { return values }
      switch (kind, values) {
      case (.missing, _): return nil
      case (.half, .doubles(let all)): return .doubles(all.count > 1 ? Array(all.prefix(all.count / 2)) : [7, 7])
      case (.half, .integers(let all)): return .integers(all.count > 1 ? Array(all.prefix(all.count / 2)) : [7, 7])
      case (.half, .words(let all)): return .words(all.count > 1 ? Array(all.prefix(all.count / 2)) : [7, 7])
      case (.half, .texts(let all)): return .texts(all.count > 1 ? Array(all.prefix(all.count / 2)) : ["x", "y"])
      case (.type, .texts): return .doubles([1])
      case (.type, _): return .texts(Array(repeating: "x", count: max(values.count, 1)))
      case (.wild, .integers(let all)): return .integers(all.map { _ in -77 } + (all.isEmpty ? [1] : []))
      case (.wild, .words(let all)): return .words(all.map { _ in .max } + (all.isEmpty ? [1] : []))
      case (.wild, _): return nil
      }
    }
  }

  static func copy(_ source: String, to path: String, adding name: String) throws {
    try copy(source, to: path, more: name) { $1 }
  }

  private static func copy(
    _ source: String, to path: String, more: String? = nil, _ change: (String, ArchiveValues) -> ArchiveValues?
  ) throws {
    let reader = try ArchiveReader(sealed: source)
    var writer = try ArchiveWriter(path: path)
    try writer.setAttribute("/", "title", reader.attribute("/", "title") ?? "")
    try writer.setAttribute("/", "creator", reader.attribute("/", "creator") ?? "")
    try writer.setAttribute("/", "format_version", reader.integerAttribute("/", "format_version"))
    var groups: Set<String> = [""]
    for name in try reader.datasets() {
      let parts = name.split(separator: "/").map(String.init)
      for depth in 1..<max(parts.count, 1) {
        let group = "/" + parts[..<depth].joined(separator: "/")
        guard groups.insert(group).inserted else { continue }
        try writer.makeGroup(group)
        for key in ["path", "case", "reference"] {
          if let value = try reader.attribute(group, key) { try writer.setAttribute(group, key, value) }
        }
      }
      let (shape, old) = try reader.values(name)
      guard let values = change(name, old) else { continue }
      try put(&writer, name, values.count == old.count ? shape : nil, values)
    }
    if let more { try put(&writer, more, nil, .doubles([1])) }
    try writer.publish()
    try? FileManager.default.removeItem(atPath: path + ".previous")
  }

  private static func put(_ writer: inout ArchiveWriter, _ name: String, _ shape: [Int]?, _ values: ArchiveValues)
    throws
  {
    let shape = shape ?? [values.count]
    switch values {
    case .doubles(let values): try writer.write(name, shape: shape, values)
    case .integers(let values): try writer.write(name, shape: shape, values)
    case .words(let values): try writer.write(name, shape: shape, values)
    case .texts(let values): try writer.write(name, shape: shape, strings: values)
    }
  }
}
