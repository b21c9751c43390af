import Experiments
import Kernels
import Randomness

/// How the chains of a posterior move.
package struct MachineMoves: Sendable {
  /// In units of $1/\sqrt N$: the step of leapfrog, or the deviation of a proposal.
  let step: Double
  /// The step of a trajectory is multiplied by a uniform number in 1 - jitter … 1 + jitter.
  let jitter: Double
  /// The number of steps of a trajectory is uniform in 1 … leapfrog; nil for random walks of Metropolis.
  let leapfrog: Int?
}

/// Chains of the posterior: the process behind `hmc` and `metropolis`. A replica is eight chains side by side, and what is measured is the mean over them.
package struct MachineProcess: Process {
  let settings: MachineSettings
  let moves: MachineMoves
  package let schedule: Schedule
  package let observables: [Observable]

  package init(_ settings: MachineSettings, _ moves: MachineMoves, schedule: Schedule) {
    (self.settings, self.moves, self.schedule) = (settings, moves, schedule)
    observables =
      settings.gramObservables() + settings.complexityObservables + [MachineSettings.fit] + [
        Observable("energy", role: .energy, "U/N, minus the log density of the coordinates over N, but for a constant"),
        Observable(
          "residual", role: .certificate, "1 - q . grad U/(number of coordinates), mean 0 in the posterior"),
        Observable("acceptance", role: .acceptanceRate, "acceptance rate of the proposals"),
      ]
  }

  package var stateSize: Int { 24 * settings.coordinates }
  package var advice: String { "a smaller step would help" }

  package func begin(_ context: ReplicaContext, from saved: StateDecoder?) throws -> MachineChains {
    try MachineChains(self, context, from: saved)
  }
}

/// One replica.
package final class MachineChains: Dynamics {
  /// Chains of a replica.
  package static let chains = 8

  private let process: MachineProcess
  private let landscape: Landscape
  private let noise: Noise
  private let count: Int
  /// Octets of coordinates; the others are of the proposal.
  private let position, slope, proposal, momentum: UnsafeMutablePointer<Double>
  /// U of the chains, and what decides: -log of a uniform number less the change of energy.
  private let potential, margin: UnsafeMutablePointer<Double>
  private var accepted = 0

  init(_ process: MachineProcess, _ context: ReplicaContext, from saved: StateDecoder?) throws {
    self.process = process
    let settings = process.settings
    landscape = Landscape(settings)
    count = 8 * settings.coordinates
    (position, slope) = (.allocateZeros(count), .allocateZeros(count))
    (proposal, momentum) = (.allocateZeros(count), .allocateZeros(count))
    (potential, margin) = (.allocateZeros(8), .allocateZeros(8))
    noise = Noise(key: context.key, replica: context.replica)
    if let saved {
      position.update(from: try saved.doubles("position", count: count), count: count)
      try noise.restore(from: saved)
      let number = try saved.integers("accepted", count: 1)[0]
      guard number >= 0 else { throw saved.unfit("accepted") }
      accepted = Int(number)
    } else {
      // The prior, to leading order in N.
      let normals = self.normals()
      let unit = 1 / Double(settings.width).squareRoot()
      let diagonals = 8 * settings.depth * settings.points
      for i in 0..<count { position[i] = unit * (i < diagonals ? 0.5.squareRoot() : 1) * normals[i] }
    }
    landscape.update(position, gradient: true)
    potential.update(from: landscape.potential, count: 8)
    slope.update(from: landscape.gradient, count: count)
  }

  deinit {
    for buffer in [position, slope, proposal, momentum, potential, margin] { buffer.deallocate() }
  }

  /// Normals of a step: one for each coordinate of each chain, then sixteen.
  private func normals() -> UnsafePointer<Double> {
    let chunk = NormalKernel.chunk
    return noise.normals(0, (count + 16 + chunk - 1) / chunk * chunk)
  }

  package func step(_ moment: Moment) throws {
    let normals = self.normals()
    // (n^2 + m^2)/2 of two normals is exponential, as -log of a uniform number is.
    let last = normals + count
    for k in 0..<8 { margin[k] = 0.5 * (last[k] * last[k] + last[8 &+ k] * last[8 &+ k]) + potential[k] }
    if let leapfrog = process.moves.leapfrog {
      trajectory(normals, process.moves.step * (1 + process.moves.jitter * (2 * noise.uniform() - 1)), leapfrog)
    } else {
      let unit = process.moves.step / Double(process.settings.width).squareRoot()
      for i in 0..<count { proposal[i] = position[i].addingProduct(unit, normals[i]) }
      landscape.update(proposal, gradient: false)
    }
    for k in 0..<8 { margin[k] -= landscape.potential[k] }
    select(isCounted: !moment.isWarmUp)
  }

  /// Leapfrog with the mass N: frequencies are of order 1.
  private func trajectory(_ normals: UnsafePointer<Double>, _ time: Double, _ leapfrog: Int) {
    let n = Double(process.settings.width)
    let (root, inverse) = (n.squareRoot(), 1 / n)
    let steps = leapfrog == 1 ? 1 : 1 + min(Int(noise.uniform() * Double(leapfrog)), leapfrog - 1)
    for i in 0..<count { (momentum[i], proposal[i]) = (root * normals[i], position[i]) }
    addKinetic(0.5 * inverse)
    for i in 0..<count { momentum[i] = momentum[i].addingProduct(-0.5 * time, slope[i]) }
    for s in 0..<steps {
      for i in 0..<count { proposal[i] = proposal[i].addingProduct(time * inverse, momentum[i]) }
      landscape.update(proposal, gradient: true)
      let share = s == steps - 1 ? -0.5 * time : -time
      let gradient = landscape.gradient
      for i in 0..<count { momentum[i] = momentum[i].addingProduct(share, gradient[i]) }
    }
    addKinetic(-0.5 * inverse)
  }

  private func addKinetic(_ scale: Double) {
    OctetTriangles.addSquares(momentum, process.settings.coordinates, scale: scale, to: margin)
  }

  /// A margin that is not a number is no acceptance.
  private func select(isCounted: Bool) {
    let gradient = landscape.gradient
    for k in 0..<8 where margin[k] > 0 {
      if isCounted { accepted &+= 1 }
      potential[k] = landscape.potential[k]
      for i in stride(from: k, to: count, by: 8) { position[i] = proposal[i] }
      if process.moves.leapfrog != nil { for i in stride(from: k, to: count, by: 8) { slope[i] = gradient[i] } }
    }
  }

  package func measure(_ info: Void, into values: UnsafeMutablePointer<Double>) throws {
    landscape.update(position, gradient: true)
    landscape.write(position, to: values)
    let settings = process.settings
    let out = values + settings.coordinates + settings.depth + 1
    var sum = 0.0
    for k in 0..<8 { sum += landscape.potential[k] }
    out[0] = sum / (8 * Double(settings.width))
    out[1] = landscape.residual(position)
    out[2] = Double(accepted) / Double(Self.chains * process.schedule.measureEvery)
    accepted = 0
  }

  package func encode(to encoder: inout StateEncoder) throws {
    encoder.add("position", Array(UnsafeBufferPointer(start: position, count: count)))
    noise.encode(to: &encoder)
    encoder.add("accepted", [Int64(accepted)])
  }
}
