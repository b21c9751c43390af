import Analyses
import Engine
import Experiments
import Foundation
import Jobs
import Statistics

/// Random numbers of the tests' own: SplitMix64, and normals by Box and Muller.
struct OwnRandom {
  private var state: UInt64
  private var spare: Double?

  init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 }

  mutating func uniform() -> Double {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return (Double((z ^ (z >> 31)) >> 11) + 0.5) * 0x1p-53
  }

  mutating func normal() -> Double {
    if let value = spare {
      spare = nil
      return value
    }
    let (radius, angle) = ((-2 * log(uniform())).squareRoot(), 2 * Double.pi * uniform())
    spare = radius * sin(angle)
    return radius * cos(angle)
  }

  /// x' = phi x + sqrt(1 - phi^2) noise, from its stationary law N(0, 1).
  mutating func autoregressive(_ phi: Double, _ count: Int) -> [Double] {
    var x = normal()
    return (0..<count).map { _ in
      defer { x = phi * x + (1 - phi * phi).squareRoot() * normal() }
      return x
    }
  }
}

/// Files of rows in a folder of their own, removed at the end.
final class RowFiles {
  let folder = NSTemporaryDirectory() + "fathom-rows-" + UUID().uuidString

  init() throws { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(atPath: folder) }

  /// The path of a CSV file with these columns.
  func csv(_ name: String, _ columns: [(name: String, values: [Double])]) throws -> String {
    var text = columns.map { "\"\($0.name)\"" }.joined(separator: ",") + "\n"
    for row in columns[0].values.indices {
      text += columns.map { $0.values.count > row ? "\($0.values[row])" : "" }.joined(separator: ",") + "\n"
    }
    return try self.text("\(name).csv", text)
  }

  /// The path of a file that is there already.
  func existing(_ name: String) -> String? {
    FileManager.default.fileExists(atPath: "\(folder)/\(name)") ? "\(folder)/\(name)" : nil
  }

  func text(_ name: String, _ text: String) throws -> String {
    let path = "\(folder)/\(name)"
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    return path
  }
}

/// The comparisons of a job, by the name of the reference.
func comparisons(_ text: String, _ settings: [String] = [], ranks: Int = 1) throws -> [String: Comparison] {
  let snapshot = try LocalRun.run(job(text, settings).job, ranks: ranks).snapshot
  return Dictionary(uniqueKeysWithValues: Analyses.comparisons(snapshot).map { ($0.reference, $0) })
}
