import Archive
import Experiments
import Statistics

/// The digest of a result: SHA-256 over every leg's name, layout, exact words, histogram, set of draws and kept rows.
/// Equal digests mean equal results to the last bit; times, hosts and the job's title do not enter.
package enum Digest {
  package static func of(_ states: [LegState]) throws -> String {
    var hasher = try SHA256()
    for state in states.sorted(by: { $0.path < $1.path }) {
      let layout = state.tally.layout
      let name = Array(state.path.utf8)
      try hasher.add([Int64(name.count)])
      try hasher.add(name)
      try hasher.add([Int64(layout.perGroup), Int64(layout.groups), layout.covariances ? 1 : 0])
      try hasher.add(layout.centres.map(\.bitPattern))
      try hasher.add(state.tally.words)
      let pages = state.tally.pages
      try hasher.add(pages.flatMap { [Int64($0.observable), Int64($0.page)] })
      try hasher.add(state.tally.counts(of: pages))
      try hasher.add(state.done.intervals.flatMap { [$0.lowerBound, $0.upperBound] })
      for id in state.rows.draws {
        try hasher.add([id])
        try hasher.add(state.rows.values[id]!.map(\.bitPattern))
        guard let trajectory = state.trajectories.replicas[id] else { continue }
        try hasher.add(trajectory.steps.map(Int64.init))
        try hasher.add((trajectory.positions + trajectory.series).map(\.bitPattern))
      }
      for histogram in state.histograms.folded {
        try hasher.add(histogram.pages.map(Int64.init))
        for page in histogram.pages { try hasher.add(histogram.page(page)) }
      }
    }
    return try hasher.finalize()
  }

  /// SHA-256 of lines of text: the hash of a job.
  package static func of(lines: [String]) throws -> String {
    var hasher = try SHA256()
    try hasher.update(Array(lines.joined(separator: "\n").utf8))
    return try hasher.finalize()
  }
}

extension SHA256 {
  /// Appends numbers as they are in memory.
  fileprivate mutating func add<T: FixedWidthInteger>(_ values: [T]) throws {
    try values.withUnsafeBytes { try update($0) }
  }
}
