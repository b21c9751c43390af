import Experiments
import Kernels
import Randomness

/// The plane at beta = 2: the radii of the points are independent up to their order, and $r_k^a$ of $V = r^a/a$ is Gamma distributed with shape 2k/a and rate 2N/a (Kostlan, Linear Algebra Appl. 162
/// (1992) 385). O(N) a draw, exact, and no chain; angles are not drawn, as no statistic of the radii needs them.
package struct GinibreRadii: Draw {
  let gas: GasSettings
  package let schema: Schema
  private let power: Double

  init(_ gas: GasSettings) {
    self.gas = gas
    power = gas.confinement.power!
    schema = Schema(
      axis: Axis(name: "record", summary: "one record", values: [0]),
      observables: [gas.subject] + gas.cumulants.observables, estimands: gas.estimands(records: 1))
  }

  package final class Scratch {
    let squares, values, slopes, room: UnsafeMutablePointer<Double>

    init(_ count: Int) {
      squares = .allocateZeros((3 + RadialFunction.roomFactor) * count)
      values = squares + count
      slopes = values + count
      room = slopes + count
    }

    deinit { squares.deallocate() }
  }

  package func makeScratch() -> Scratch { Scratch(GasPairs.stride(gas.number)) }

  package func draw(
    using stream: inout Stream, scratch: Scratch, into values: UnsafeMutablePointer<Double>
  ) -> DrawEvents {
    let (n, count) = (Double(gas.number), GasPairs.stride(gas.number))
    for k in 0..<gas.number {
      let level = stream.gamma(shape: 2 * Double(k + 1) / power) * (0.5 * power / n)
      scratch.squares[k] = power == 2 ? level : Elementary.power(level, 2 / power)
    }
    for i in gas.number..<count { scratch.squares[i] = 1 }
    gas.statistic.write(
      scratch.squares, count, values: scratch.values, slopes: scratch.slopes, curvatures: nil, room: scratch.room)
    for i in gas.number..<count { scratch.values[i] = 0 }
    let sum = LaneSum.of(scratch.values, count)
    values[0] = sum / n
    gas.cumulants.write(sum, to: values + 1)
    return []
  }
}
