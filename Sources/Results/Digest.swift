import Archive
import Crypto
import Simulation
import Statistics

/// The digest of a result: SHA-256 over every leg's name, layout, exact words, histogram and set of draws.
/// Equal digests mean equal results to the last bit; times, hosts and the job's title do not enter.
public enum Digest {
  public static func of(_ states: [LegState]) -> String {
    var hasher = SHA256()
    func add<T: FixedWidthInteger>(_ values: [T]) {
      values.withUnsafeBytes { hasher.update(bufferPointer: $0) }
    }
    for state in states.sorted(by: { $0.path < $1.path }) {
      let layout = state.tally.layout
      let name = Array(state.path.utf8)
      add([Int64(name.count)])
      add(name)
      add([Int64(layout.perGroup), Int64(layout.groups), layout.covariances ? 1 : 0])
      add(layout.centres.map(\.bitPattern))
      add(state.tally.words)
      let pages = state.tally.pages
      add(pages.flatMap { [Int64($0.observable), Int64($0.page)] })
      add(state.tally.counts(of: pages))
      add(state.done.intervals.flatMap { [$0.lowerBound, $0.upperBound] })
      guard let replicas = state.replicas else { continue }
      for id in replicas.rows.keys.sorted() {
        add([id])
        add(replicas.rows[id]!.map(\.bitPattern))
        guard let trajectory = replicas.trajectories[id] else { continue }
        add(trajectory.steps.map(Int64.init))
        add((trajectory.positions + trajectory.series).map(\.bitPattern))
      }
      for histogram in replicas.marginals {
        add(histogram.pages.map(Int64.init))
        for page in histogram.pages { add(histogram.page(page)) }
      }
    }
    return hexadecimal(hasher.finalize())
  }

  /// SHA-256 of lines of text: the hash of a job.
  public static func of(lines: [String]) -> String {
    hexadecimal(SHA256.hash(data: Array(lines.joined(separator: "\n").utf8)))
  }
}
