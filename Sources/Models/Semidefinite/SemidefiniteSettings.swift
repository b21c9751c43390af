import Experiments
import Manifolds

/// The keys of every job of the family besides its graph.
package struct SemidefiniteSettings: Sendable {
  /// k.
  package let rank: Int
  package let cooling: Cooling
  /// Sweeps of the mixing method, after the cooling.
  package let mixing: Int
  package let schedule: Schedule
  /// Planes of a rounding.
  package let roundings: Int
  /// h of the cooling.
  package let step: Double
  package let move: MoveModel

  /// The inverse temperature of a run that keeps one, and ends before it mixes: there is a stationary law then.
  package var stationary: Double? {
    cooling.first == cooling.last && mixing == 0 && schedule.warmUp > 0 ? cooling.first : nil
  }

  /// Inverse temperatures of a run: doubled at equal distances.
  package struct Cooling: Sendable {
    package let first, last: Double
    package let steps: Int

    package init(first: Double, last: Double, steps: Int) {
      self.first = first
      self.last = last
      self.steps = steps
    }

    /// Temperatures that there are, the first and the last among them.
    package var levels: Int {
      var (beta, count) = (first, 1)
      while beta < last {
        beta *= 2
        count += 1
      }
      return count
    }

    /// Of a step, from 1.
    package func inverseTemperature(_ step: Int) -> Double {
      var beta = first
      for _ in 0..<(step - 1) * levels / steps { beta = min(2 * beta, last) }
      return beta
    }
  }

  /// Share of the step at which the stiffest spin is no longer stable.
  private static let courant = 0.8
  /// Most numbers of one system: 2 GiB an array.
  private static let mostNumbers = 1 << 28
  private static let moves = ManifoldCatalog.moves.filter { ["langevin", "heat-bath"].contains($0.name) }

  static let parameters: [Parameter] = [
    Parameter(
      "rank", .integer(5...4096), optional: true,
      "k, coordinates of a vector; the smallest with k(k+1)/2 > n unless given. Fewer may do: the bound says so"),
    Parameter(
      "anneal", .integer(0...1_000_000_000), default: .integer(600), unit: "steps",
      "steps of the sampler while the temperature falls; 0 for none"),
    Parameter(
      "mixing", .integer(0...1_000_000_000), default: .integer(3000), unit: "sweeps",
      "sweeps of the mixing method after them, temperature 0"),
    Parameter(
      "records", .integer(1...10_000), default: .integer(24), "equal pieces of the run; measured at the end of each"),
    Parameter(
      "measure_every", .integer(1...1_000_000_000), optional: true, unit: "steps",
      "time between measurements, whose mean a record is; a record is one measurement unless given"),
    Parameter(
      "warm_up", .integer(0...1_000_000_000), default: .integer(0), unit: "steps",
      "first steps of these that are not measured: for means at a fixed temperature"),
    Parameter("integrator", .choice(moves.map(\.name)), default: .text("langevin"), "how the sampler moves"),
    Parameter(
      "step", .real(.init(0, 1e6, openBelow: true)), optional: true, unit: "time",
      "step size of langevin; 0.8 over the largest weight of a vertex unless given"),
    Parameter(
      "inverse_temperature", .real(.init(0, 1e12, openBelow: true)), default: .real(10), "beta at the start"),
    Parameter(
      "final_inverse_temperature", .real(.init(0, 1e12, openBelow: true)), default: .real(20480),
      "beta at the end of the cooling: doubled at equal distances until there"),
    Parameter(
      "roundings", .integer(1...100_000), default: .integer(100), "random planes of a rounding, each followed by 1-opt"),
    Parameter(
      "replicas", .integer(1...100_000), default: .integer(4), "independent runs; bands come from them"),
  ]

  init(_ p: Parameters, _ program: SpinProgram) throws {
    let n = program.vertices
    let sufficient = SpinProgram.sufficientRank(n)
    rank = p["rank"] == nil ? max(sufficient, 5) : p.integer("rank")
    guard rank <= Self.mostNumbers / n else {
      throw p.invalid("rank", "times \(n) vertices must be at most \(Self.mostNumbers)")
    }
    if rank < sufficient {
      Notes.add(
        "rank \(rank) is below \(sufficient), the smallest k with k(k+1)/2 > n = \(n): the theorem leaves room for other local optima; the bound holds all the same, and its gap says whether this one is good"
      )
    }
    mixing = p.integer("mixing")
    let (first, last) = (p.real("inverse_temperature"), p.real("final_inverse_temperature"))
    guard last >= first else {
      throw p.invalid("final_inverse_temperature", "must be at least inverse_temperature = \(first)")
    }
    cooling = Cooling(first: first, last: last, steps: p.integer("anneal"))
    let (total, records, warmUp) = (cooling.steps + mixing, p.integer("records"), p.integer("warm_up"))
    guard total > warmUp else {
      throw p.invalid("mixing", "anneal and mixing must be more than warm_up = \(warmUp) together")
    }
    let steps = total - warmUp
    let every = p["measure_every"] == nil ? max(1, steps / records) : p.integer("measure_every")
    guard steps % (records * every) == 0 else {
      let unit = records * (p["measure_every"] == nil ? 1 : every)
      throw p.invalid(
        "records",
        "must divide anneal + mixing - warm_up = \(steps)\(unit == records ? "" : " with measure_every"); the nearest sum that it divides is \(max(1, (steps + unit / 2) / unit) * unit)"
      )
    }
    schedule = Schedule(
      warmUp: warmUp, steps: steps, records: records, measureEvery: every, histogramEvery: 1, frameEvery: steps)
    roundings = p.integer("roundings")
    // The field of a vertex is at most half its weight, and so is the curvature that the others add.
    let weight = program.largestWeight
    step = p["step"] == nil ? (weight > 0 ? Self.courant / weight : 1) : p.real("step")
    let entry = Self.moves.first { $0.name == p.text("integrator") }!
    // The step may be left out here, and is not read from the table.
    move = try entry.read(p)
  }
}
