import Experiments
import Kernels
import Manifolds
import Randomness

/// Vectors on a graph, cooled and then mixed, with the bound that they prove: the process behind a leg of the family.
package struct SemidefiniteExperiment: Process {
  let program: SpinProgram
  let settings: SemidefiniteSettings
  /// The angles that drawn measurements are of.
  let truth: [Double]?
  /// The same form as an energy of spins, for the moves.
  let spins: WeightedGraph

  init(_ program: SpinProgram, _ settings: SemidefiniteSettings, truth: [Double]?) {
    self.program = program
    self.settings = settings
    self.truth = truth
    let matrix = program.matrix
    // H is half the sum over the edges of the weights times the products.
    spins = WeightedGraph(
      count: matrix.count,
      edges: (0..<matrix.count).flatMap { i in
        matrix.entries(of: i).filter { Int(matrix.columns[$0]) > i }.map {
          (i, Int(matrix.columns[$0]), 4 * matrix.values[$0])
        }
      })
  }

  /// The relaxed value first.
  package var observables: [Observable] {
    let name = program.objective.quantity
    var all = [
      Observable("relaxed_\(name)", role: .objective, "\(name) of the unit vectors"),
      Observable("bound", "proved bound on every \(name), relaxed or not"),
      Observable("gap", "bound less the relaxed \(name), as a positive number"),
      Observable("relative_gap", name: "gap/bound", "the same over the bound"),
      Observable(
        "rounded_\(name)",
        "best \(name) of the \(program.objective.isOfSigns ? "planes, each followed by 1-opt" : "projections, each improved")"
      ),
      Observable(
        "theorem_steps", role: .auxiliary,
        "n^2 (gap/bound)^-3: the order of the steps that arXiv:2010.11176 proves enough for this gap"),
      Observable("temperature", role: .auxiliary, "1/beta; 0 while it mixes"),
    ]
    if program.objective.isOfSigns {
      all.append(
        Observable("mean_rounded_\(name)", "mean \(name) of signs on either side of a random plane, without noise"))
    }
    if truth != nil {
      all.append(
        Observable("overlap", "|sum_i exp(i (theta_i - t_i))|/n of the best angles with those that were drawn"))
    }
    if settings.stationary != nil {
      all.append(
        Observable(
          "residual", role: .certificate,
          "certificate of stationarity, beta (beta |grad H|^2 - Lap H) per degree of freedom: 0 in the law exp(-beta H)"
        ))
    }
    return all
  }

  /// What is proved, and the graph that it is proved of.
  var claim: Claim {
    let name = program.objective.quantity
    return Claim(
      quantity: name, isUpper: program.objective.isMaximised, bound: "bound", attained: "relaxed_\(name)",
      found: "rounded_\(name)", givens: StoredProof.givens(program))
  }

  package var schedule: Schedule { settings.schedule }
  package var frame: FrameShape? { FrameShape(particles: program.vertices, dimension: settings.rank) }
  package var stateSize: Int { 3 * program.vertices * SpinRows.stride(settings.rank) }
  package var inverseTemperature: Double? { settings.stationary }
  package var advice: String { "a smaller step than \(settings.step) may help" }

  package func begin(_ context: ReplicaContext, from saved: StateDecoder?) throws -> SemidefiniteDynamics {
    try SemidefiniteDynamics(self, context, from: saved)
  }
}

/// One replica.
package final class SemidefiniteDynamics: Dynamics {
  private let experiment: SemidefiniteExperiment
  private let array: SiteArray
  private let move: any Move
  private let factor: SparseFactor
  private let radii: [Double]
  private let context: ReplicaContext
  private var step = 0
  private var signs: SignRounding
  private var angles: AngleRounding?
  private var planes: Stream
  /// Of the last measurement.
  private var certificate: DualCertificate?

  init(_ experiment: SemidefiniteExperiment, _ context: ReplicaContext, from saved: StateDecoder?) throws {
    self.experiment = experiment
    self.context = context
    let (program, settings) = (experiment.program, experiment.settings)
    array = SiteArray(
      SpinGraph(experiment.spins, rank: settings.rank), inverseTemperature: settings.cooling.first,
      stepSize: settings.step, key: context.key, replica: context.replica)
    move = settings.move.make(array)
    factor = SparseFactor(program.matrix)
    radii = program.matrix.rowSums
    signs = SignRounding(program)
    angles = program.objective.isOfSigns ? nil : AngleRounding(program)
    planes = Stream(key: context.key ^ 0x726f_756e_6469_6e67)
    if let saved {
      step = try saved.count("step")
      try array.restore(from: saved)
    } else {
      array.drawUniform()
    }
  }

  package var fault: Fault? { array.badSite.map { Fault(step: step, particle: $0) } }

  private var rows: SpinRows { SpinRows(array.x, count: array.sites, stride: array.rowLength) }

  package func step(_ moment: Moment) {
    step = moment.step
    let cooling = experiment.settings.cooling
    if step <= cooling.steps {
      array.inverseTemperature = cooling.inverseTemperature(step)
      move.step(array, moment)
    } else {
      rows.relax(experiment.program.matrix)
      array.hasFields = false
    }
  }

  package func measure(_ info: Void, into values: UnsafeMutablePointer<Double>) {
    let (program, settings, rows) = (experiment.program, experiment.settings, self.rows)
    if settings.stationary != nil { array.evaluate() }
    var y = [Double](repeating: 0, count: array.sites)
    rows.alignments(program.matrix, into: &y)
    let certificate = DualCertificate(program, factor, multipliers: y, radii: radii)
    self.certificate = certificate
    let relaxed = program.value(y)
    let gap = (certificate.bound - relaxed) * (program.objective.isMaximised ? 1 : -1)
    let relative = gap / certificate.bound.magnitude
    let n = Double(array.sites)
    // Planes of this measurement alone: a run that is measured more often is the same run.
    planes.start(draw: context.replica << 40 | UInt64(step))
    values[0] = relaxed
    values[1] = certificate.bound
    values[2] = gap
    values[3] = relative
    values[5] = n * n / (relative * relative * relative)
    values[6] = step <= settings.cooling.steps ? 1 / settings.cooling.inverseTemperature(step) : 0
    let next: Double?
    if angles == nil {
      values[4] = signs.best(of: settings.roundings, rows, rank: settings.rank, &planes).improved
      next = program.meanRounded(rows)
    } else {
      values[4] = angles!.best(of: settings.roundings, rows, rank: settings.rank, &planes)
      next = experiment.truth.map { angles!.overlap($0) }
    }
    var place = 7
    for value in [next, settings.stationary.map { _ in array.certified().residual }] {
      guard let value else { continue }
      values[place] = value
      place += 1
    }
  }

  package func encode(to encoder: inout StateEncoder) {
    encoder.add("step", step)
    array.encode(to: &encoder)
  }

  /// The vectors, and of each the multiplier that the last bound was proved with. Ranks that share a replica all have it: the first one gives it.
  package func frame() -> [Double] {
    guard context.group.isRoot else { return [] }
    let rank = experiment.settings.rank
    let dual = certificate?.dual ?? Array(repeating: .nan, count: array.sites)
    return (0..<array.sites).flatMap { i in (0..<rank).map { array.x[i * array.rowLength + $0] } + [dual[i]] }
  }

  package func frameLengths() -> [Int] {
    [experiment.frame!.width] + Array(repeating: 0, count: context.group.size - 1)
  }
}
