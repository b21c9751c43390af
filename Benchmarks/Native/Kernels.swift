import Analyses
import Engine
import Experiments
import Foundation
import Jobs
import Kernels
import Networks
import Randomness

/// Seconds that the processor has given to this program: those of the wall are longer where others work on the same core.
func processorSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
  return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
}

/// `best`, by the processor.
func bestOfProcessor(total: Double, _ body: () -> Void) -> Double {
  body()
  var (result, spent) = (Double.infinity, 0.0)
  while spent < total {
    let start = processorSeconds()
    body()
    let seconds = processorSeconds() - start
    (result, spent) = (min(result, seconds), spent + seconds)
  }
  return result
}

/// Closed kernels of one hidden layer, all pairs of 1000 inputs of 8 components, from the inputs, as `infinite-width` and `infinite-width-ntk` find them:
/// $\kappa$ (`nngp`), and $\kappa + V_0 \, d\kappa/dr$ (`ntk`).
func kernelTimes() throws {
  let (count, components) = (1000, 8)
  var stream = Stream(key: 3)
  stream.start(draw: 0)
  let scale = 1 / Double(components).squareRoot()
  let inputs = Inputs(rows: (0..<count).map { _ in (0..<components).map { _ in scale * stream.normal() } })
  let result = UnsafeMutablePointer<Double>.allocate(capacity: count * count)
  let room = UnsafeMutablePointer<Double>.allocate(capacity: 2 * count)
  defer { for place in [result, room] { place.deallocate() } }
  let (covariances, slopes) = (room, room + count)
  for name in ["relu", "erf", "gelu"] {
    let kernel = ActivationKernel(try ActivationChoice(.text(name), path: "activation", width: 1).function)
    for get in ["nngp", "ntk"] {
      let seconds = bestOfProcessor(total: 0.5) {
        let gram = inputs.gramRows
        let rows = kernel.rows(of: gram.variances)
        SymmetricMatrix.fill(result, count) { a in
          let row = result + a * count
          gram.write(a, to: covariances)
          guard get == "ntk" else { return rows.write(a, covariances, to: row) }
          rows.write(a, covariances, to: row, slopes: slopes)
          for b in 0...a { row[b] += covariances[b] * slopes[b] }
        }
        sink += result[count + 1]
      }
      report(
        "kernel",
        [("activation", "\"\(name)\""), ("get", "\"\(get)\""), ("inputs", "\(count)"), ("ms", "\(seconds * 1e3)")])
    }
  }
}

/// The posterior of jobs/finite-width-posterior.toml: how long one core needs until the standard error of the mean is 1% of how far it is from infinite
/// width, a term of order 1/n. The number of draws follows from the error of a first run, which is not timed.
func posteriorTimes(job path: String) throws {
  let text = try String(contentsOfFile: path, encoding: .utf8)
  for width in [32, 128] {
    func run(_ draws: Int) throws -> (seconds: Double, error: Double, term: Double) {
      let file = try JobReader(data: NoData()).read(
        text, name: path, settings: ["sweep={\"network.width\"=[\(width)]}", "network.draws=\(draws)"])
      let start = processorSeconds()
      let snapshot = try LocalRun.run(file.job, ranks: 1).snapshot
      let seconds = processorSeconds() - start
      let mean = Analyses.estimands(snapshot)[0].rows[0]
      let references = file.job.cases[0].legs.compactMap { leg in
        leg.known?.statistics.first { $0.statistic == .estimand(mean.estimand.name) }?.value
      }
      return (seconds, mean.error, (references[0] - references[1]).magnitude)
    }
    var draws = 10_000
    var last = try run(draws)
    repeat {
      let ratio = last.error / (0.01 * last.term)
      draws = Int(1.05 * Double(draws) * ratio * ratio)
      last = try run(draws)
    } while last.error > 0.01 * last.term
    report(
      "posterior",
      [
        ("n", "\(width)"), ("draws", "\(draws)"), ("seconds", "\(last.seconds)"), ("error", "\(last.error)"),
        ("term", "\(last.term)"),
      ])
  }
}
