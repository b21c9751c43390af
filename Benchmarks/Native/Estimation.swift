import Estimation
import Experiments
import Kernels
import Randomness

/// Draws of density estimates in large dimension, and point processes of projections: seconds of the processor.
func estimationTimes() throws {
  for (dimension, rate) in [(16, 0.5), (40, 0.5)] {
    let table: [String: JobValue] = [
      "problem": .text("kernel-density"), "draws": .integer(2), "dimension": .integer(Int64(dimension)),
      "rate": .real(rate), "bandwidths": .list([.real(0.652145)]),
    ]
    let model = try EstimationFamily.read(.table(table), JobContext(path: "estimation", options: [:], data: NoData()))
      .model
    let (runner, tally) = prepare(model.experiment, covariances: true)
    var next: UInt64 = 0
    let seconds = best {
      runner.run(next..<next + 100, tally, nil)
      next += 100
    }
    report(
      "density",
      [
        ("dimension", "\(dimension)"), ("points", "\(Int(Elementary.exp(rate * Double(dimension)).rounded()))"),
        ("ms", "\(seconds * 10)"),
      ])
  }
  for weight in OrthonormalBasis.Weight.allCases {
    for count in [5, 10, 20] {
      let basis = OrthonormalBasis(weight, count)
      let (points, room) = (
        UnsafeMutablePointer<Double>.allocateZeros(count),
        UnsafeMutablePointer<Double>.allocateZeros(max(count * (count + 1), 4 * count + 4))
      )
      defer { for place in [points, room] { place.deallocate() } }
      var stream = Stream(key: 3)
      stream.start(draw: 0)
      let banded = best {
        for _ in 0..<1000 { basis.drawProjection(&stream, into: points, room: room) }
        sink += points[0]
      }
      let chain = best {
        for _ in 0..<200 { basis.drawProjectionByChain(&stream, into: points, room: room) }
        sink += points[0]
      }
      for (sampler, seconds) in [("tridiagonal", banded / 1000), ("chain", chain / 200)] {
        report(
          "projection",
          [
            ("law", "\"\(weight.rawValue)\""), ("points", "\(count)"), ("sampler", "\"\(sampler)\""),
            ("us", "\(seconds * 1e6)"),
          ])
      }
    }
  }
}
