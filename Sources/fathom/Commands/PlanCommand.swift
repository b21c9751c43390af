import ArgumentParser
import Foundation
import Randomness
import Results
import Simulation
import Statistics

struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan", abstract: "Check a job and predict its time, memory and file size.",
    discussion: "Makes some draws of every leg for about a third of a second to measure their speed; writes nothing.")

  @OptionGroup var options: JobOptions
  @Option(help: "Number of ranks to predict for.") var ranks = 1

  func validate() throws {
    guard ranks >= 1 else { throw ValidationError("--ranks must be at least 1") }
  }

  func run() throws {
    let file = try options.read(options.text(), load: DataFiles.rows)
    var total = 0.0
    var memory = 0.0
    var largest = 0.0
    var size = 64.0 * 1024
    print(
      "\(file.job.title): \(file.job.cases.count) case\(file.job.cases.count == 1 ? "" : "s"), seed \(file.job.seed), output \(file.output)"
    )
    for (path, leg) in file.job.sampledLegs {
      let experiment = leg.experiment!
      let key = Stream.key(seed: file.job.seed, path: path)
      let layout = Tally.Layout(
        perGroup: leg.observables.count, groups: leg.layers.count,
        covariances: leg.observables.count <= file.job.covarianceLimit, centres: experiment.centres(key: key))
      let tally = Tally(layout: layout)
      let seconds = calibrate(experiment, key: key, tally: tally)
      total += seconds * Double(leg.draws)
      // Histograms are counted at three times the pages that the calibration touched.
      let bytes = Double(tally.wordCount * 8 + layout.observables * (BitHistogram.pageCount * 4 + 3 * 2048 * 8))
      memory += bytes
      largest = max(largest, bytes)
      size += Double(tally.wordCount * 8 + 3 * tally.pages.count * 2048) + Double(layout.observables * 4000)
      print(
        "  \(path): \(leg.draws) draws at \(Console.duration(seconds * 1e6)) a million, \(leg.layers.count) layer\(leg.layers.count == 1 ? "" : "s") x \(leg.observables.count) observables: "
          + Console.duration(seconds * Double(leg.draws) / Double(ranks)))
    }
    print("time on \(ranks) rank\(ranks == 1 ? "" : "s"): \(Console.duration(total / Double(ranks)))")
    print(
      "memory: \(Console.bytes(48 * 1048576 + 3 * largest)) a rank, \(Console.bytes(48 * 1048576 + memory + 3 * largest)) on rank 0"
    )
    print("file: about \(Console.bytes(size))")
  }

  /// Seconds a draw: the better of two batches, after the caches are warm.
  private func calibrate(_ experiment: AnyExperiment, key: UInt64, tally: Tally) -> Double {
    let clock = ContinuousClock()
    let runner = experiment.makeRunner(key)
    var count: UInt64 = 1
    var next: UInt64 = 0
    var best = Double.infinity
    var spent = 0.0
    repeat {
      let start = clock.now
      runner.run(next..<next + count, tally)
      let seconds = (clock.now - start).seconds
      next += count
      spent += seconds
      best = min(best, seconds / Double(count))
      if seconds < 0.05 { count *= 2 }
    } while spent < 0.3
    return best
  }
}
