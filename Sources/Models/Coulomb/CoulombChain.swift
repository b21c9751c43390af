import Experiments
import Kernels
import Randomness

/// How the chains move: trajectories of leapfrog, accepted or rejected.
package struct GasMoves: Sendable {
  /// Step of leapfrog, in units of the inverse root of the curvature $\beta N$.
  let step: Double
  /// The step is multiplied by a uniform number in 1 - jitter … 1 + jitter.
  let jitter: Double
  /// The number of steps of a trajectory is uniform in 1 … leapfrog.
  let leapfrog: Int
}

/// Chains of Metropolis-adjusted moves: the process behind `hmc` and `mala`. A replica is one gas and its statistic L, or gases under a row of tilts.
package struct GasProcess: Process {
  let gas: GasSettings
  let moves: GasMoves
  package let schedule: Schedule
  package let start: GasStart
  package let observables: [Observable]
  package let estimands: [Estimand]

  init(_ gas: GasSettings, _ moves: GasMoves, schedule: Schedule, start: GasStart) {
    self.gas = gas
    self.moves = moves
    self.schedule = schedule
    self.start = start
    var found = [gas.subject]
    if gas.tilt == nil {
      found += gas.cumulants.observables
      if gas.hasControls { found += GasMeasurement.controls }
    } else {
      found += GasMeasurement.tilted
    }
    observables = found + GasMeasurement.diagnostics
    estimands =
      gas.tilt == nil
      ? gas.estimands(
        records: schedule.records, controls: gas.hasControls ? GasMeasurement.controls.map(\.name) : []) : []
  }

  package var stateSize: Int { gas.tilts.count * 8 * gas.dimension * gas.number }
  package var advice: String { "a smaller step, or a start nearer to the droplet, would help" }

  package func begin(_ context: ReplicaContext, from saved: StateDecoder?) throws -> GasChains {
    try GasChains(self, context, from: saved)
  }
}

/// Where the points of a chain begin.
package enum GasStart: Sendable {
  /// Uniform in a ball.
  case ball(radius: Double)
  /// Point by point.
  case points([[Double]])
}

/// One replica.
package final class GasChains: Dynamics {
  private let process: GasProcess
  private let gases: [Gas]
  private let noise: Noise
  private var accepted = 0
  /// Rejections in a row of each gas, in warm-up.
  private var rejected: [Int]

  init(_ process: GasProcess, _ context: ReplicaContext, from saved: StateDecoder?) throws {
    self.process = process
    let settings = process.gas
    gases = settings.tilts.map { settings.makeGas(tilt: $0) }
    rejected = Array(repeating: 0, count: gases.count)
    noise = Noise(key: context.key, replica: context.replica, tiles: 0..<gases.count)
    for (k, gas) in gases.enumerated() {
      if let saved {
        let x = try saved.doubles("position/\(k)", count: gas.numbers)
        gas.position.update(from: x, count: gas.numbers)
      } else {
        place(gas, k)
      }
      gas.prepare()
    }
    guard let saved else { return }
    noise.taken = try saved.words("normals", count: gases.count)
    noise.uniforms = try saved.words("uniforms", count: 1)[0]
    let counts = try saved.integers("accepted", count: 1 + gases.count).map { Int($0) }
    guard counts.allSatisfy({ $0 >= 0 }) else { throw saved.unfit("accepted") }
    (accepted, rejected) = (counts[0], Array(counts.dropFirst()))
  }

  private func place(_ gas: Gas, _ k: Int) {
    switch process.start {
    case .points(let points):
      for (i, point) in points.enumerated() {
        for (c, x) in point.enumerated() { gas.position[c * gas.stride + i] = x }
      }
    case .ball(let radius):
      let normals = noise.normals(k, gas.numbers)
      for i in 0..<gas.number {
        var square = 0.0
        for c in 0..<gas.dimension { square += normals[c * gas.stride + i] * normals[c * gas.stride + i] }
        let u = noise.uniform()
        let share = gas.dimension == 1 ? u : gas.dimension == 2 ? u.squareRoot() : Elementary.power(u, 1.0 / 3)
        let factor = radius * share / square.squareRoot()
        for c in 0..<gas.dimension { gas.position[c * gas.stride + i] = factor * normals[c * gas.stride + i] }
      }
    }
  }

  /// In warm-up every rejection in a row halves the step: a start where two points nearly meet has a force that the usual step never follows.
  package func step(_ moment: Moment) throws {
    let moves = process.moves
    for (k, gas) in gases.enumerated() {
      var h = process.gas.unit * moves.step * (1 + moves.jitter * (2 * noise.uniform() - 1))
      if moment.isWarmUp { h *= Double(sign: .plus, exponent: -min(rejected[k], 40), significand: 1) }
      let count = moves.leapfrog == 1 ? 1 : 1 + min(Int(noise.uniform() * Double(moves.leapfrog)), moves.leapfrog - 1)
      let normals = noise.normals(k, gas.numbers)
      let isTaken = gas.move(step: h, leapfrog: count, normals: normals, uniform: noise.uniform())
      rejected[k] = isTaken ? 0 : rejected[k] + 1
      if isTaken && !moment.isWarmUp { accepted += 1 }
    }
  }

  package func measure(_ info: Void, into values: UnsafeMutablePointer<Double>) throws {
    let measurement = GasMeasurement(process.gas)
    var out = process.gas.tilt == nil ? measurement.write(gases[0], to: values) : measurement.write(gases, to: values)
    let last = gases[gases.count - 1]
    measurement.writeDiagnostics(last, to: out)
    out += 2
    out[0] = Double(accepted) / Double(gases.count * process.schedule.measureEvery)
    accepted = 0
  }

  package func encode(to encoder: inout StateEncoder) throws {
    for (k, gas) in gases.enumerated() {
      encoder.add("position/\(k)", Array(UnsafeBufferPointer(start: gas.position, count: gas.numbers)))
    }
    encoder.add("normals", noise.taken)
    encoder.add("uniforms", [noise.uniforms])
    encoder.add("accepted", [Int64(accepted)] + rejected.map(Int64.init))
  }
}
