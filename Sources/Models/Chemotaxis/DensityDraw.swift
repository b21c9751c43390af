import Experiments
import Kernels
import Randomness

/// The density of a box as `method = "density"`: every draw is the same, nothing is left to chance.
package struct DensityDraw: Draw {
  package let box: BoxSettings
  package let schema: Schema

  init(_ box: BoxSettings) {
    self.box = box
    schema = Self.schema(of: box)
  }

  package static func schema(of box: BoxSettings) -> Schema {
    Schema(axis: box.schedule.axis, observables: box.observables(hasFluctuations: false, isExact: true))
  }

  package final class Values {
    let values: [Double]
    init(_ values: [Double]) { self.values = values }
  }

  package func makeScratch() -> Values { Values(Self.values(box, substeps: 1)) }

  package func draw(
    using stream: inout Stream, scratch: Values, into values: UnsafeMutablePointer<Double>
  ) -> DrawEvents {
    var events: DrawEvents = []
    for (i, x) in scratch.values.enumerated() {
      values[i] = x
      if !x.isFinite { events.insert(.overflowed) }
    }
    return events
  }

  /// The observables at every record, means over its measurements as those of particles are.
  /// - Parameter substeps: steps of the method for each step of the job.
  package static func values(_ box: BoxSettings, substeps: Int) -> [Double] {
    let flow = DensityFlow(box, step: box.step / Double(substeps))
    let places = box.observedModes.map { box.modes.place($0) }
    let room = UnsafeMutablePointer<Double>.allocateZeros(flow.grid.count)
    let width = 3 * places.count + 3
    let now = UnsafeMutablePointer<Double>.allocateZeros(width)
    defer {
      room.deallocate()
      now.deallocate()
    }
    let schedule = box.schedule
    let perRecord = schedule.measurements / schedule.records
    var (result, sums, taken) = ([Double](), Array(repeating: 0.0, count: width), 0)
    for step in 1...schedule.total {
      for _ in 0..<substeps { flow.advance() }
      let production = step - schedule.warmUp
      guard production > 0, production % schedule.measureEvery == 0 else { continue }
      let out = box.writeModes(a: flow.a, c: flow.c, w: flow.w, places: places, to: now)
      (out[0], out[1], out[2]) = (flow.c[0], flow.w[0], box.peak(flow.a, flow.grid, room))
      for i in 0..<width { sums[i] += now[i] }
      taken += 1
      if taken % perRecord == 0 {
        result += sums.map { $0 / Double(perRecord) }
        sums = Array(repeating: 0, count: width)
      }
    }
    return result
  }
}
