import Chemotaxis
import Coulomb
import Diffusions
import Divergences
import Estimation
import Experiments
import Filters
import Gases
import KernelMachines
import Limits
import Manifolds
import Networks
import Particles
import Regression
import Samples
import Semidefinite
import Signatures
import Tangent
import Training
import Walks

/// The families that jobs may ask for: a line a kind of work.
package enum Registry {
  package static let families: [RegisteredFamily] = [
    RegisteredFamily(NetworkFamily.self, limits: NetworkLimits.all),
    RegisteredFamily(ParticleFamily.self, limits: ParticleLimits.all),
    RegisteredFamily(ManifoldFamily.self, limits: ManifoldLimits.all),
    RegisteredFamily(SemidefiniteFamily.self, limits: SemidefiniteLimits.all),
    RegisteredFamily(CoulombFamily.self, limits: CoulombLimits.all),
    RegisteredFamily(DivergenceFamily.self, limits: DivergenceLimits.all),
    RegisteredFamily(TrainingFamily.self, limits: TrainingLimits.all),
    RegisteredFamily(EstimationFamily.self, limits: EstimationLimits.all),
    RegisteredFamily(SignatureFamily.self, limits: SignatureLimits.all),
    RegisteredFamily(DiffusionFamily.self, limits: DiffusionLimits.all),
    RegisteredFamily(WalkFamily.self, limits: WalkLimits.all),
    RegisteredFamily(FilterFamily.self, limits: FilterLimits.all),
    RegisteredFamily(GasFamily.self, limits: GasLimits.all),
    RegisteredFamily(ChemotaxisFamily.self, limits: ChemotaxisLimits.all),
    RegisteredFamily(RegressionFamily.self, limits: RegressionLimits.all),
    RegisteredFamily(KernelMachineFamily.self, limits: KernelMachineLimits.all),
    RegisteredFamily(TangentFamily.self, limits: TangentLimits.all),
    RegisteredFamily(SamplesFamily.self, limits: []),
  ]

  /// Every line of the catalog, in the order in which it is printed.
  package static var entries: [any Entry] {
    let models: [any Entry] = families.flatMap(\.entries)
    // A table that several families have is one.
    let options: [any Entry] = families.flatMap(\.options).reduce(into: [TableEntry]()) { all, own in
      if !all.contains(where: { $0.name == own.name }) { all.append(own) }
    }
    return [JobReader.job] + models + [SampleReference.entry] + options + JobReader.tables + [GramJob.entry]
  }
}

extension JobReader {
  /// The keys at the top of a job, which belong to no table, and the table of its family.
  static var job: TableEntry {
    let models = Registry.families.map(\.table).filter { $0 != SamplesFamily.table }.joined(separator: ", ")
    return TableEntry(
      name: "job", summary: "the keys at the top of a file; every other key belongs to a table",
      parameters: topParameters
        + Registry.families.map {
          Parameter(
            $0.table,
            .structured(
              $0.table == SamplesFamily.table
                ? "a table, alone or beside one of \(models)" : "a table, the only one of \(models)"), optional: true,
            $0.summary)
        })
  }

  /// Tables that every job may have.
  static let tables: [TableEntry] = [
    TableEntry(
      name: "limit", summary: "what the finite system is compared with; [[limit]] for several",
      parameters: [
        Parameter("equation", .structured("the name of a limit"), "which limit; the other keys are those of that limit")
      ]),
    TableEntry(
      name: "sweep", summary: "a case for every combination of values; the keys are those of the family and of limits",
      parameters: [
        Parameter(
          "\"TABLE.KEY\"", .structured("an array of values"), optional: true,
          "a case for each value, as in \"network.width\" = [64, 128] or \"limit.step\" = [0.1, 0.05]; of several limits "
            + "\"limit.NAME.step\""),
        Parameter(
          "\"KEY, KEY\"", .structured("an array of arrays"), optional: true,
          "keys that move together, as in \"network.width, network.depth\" = [[64, 64], [128, 128]]"),
      ]),
    TableEntry(name: "run", summary: "how a job runs", parameters: runParameters),
    TableEntry(name: "comparison", summary: "when two laws count as the same", parameters: comparisonParameters),
    TableEntry(name: "stop", summary: "when a run ends before all its draws are made", parameters: Stop.parameters),
    TableEntry(
      name: "expect", summary: "what should come out; `fathom check` compares",
      parameters: [
        Parameter(
          "\"REFERENCE\"", .structured("one of " + Expect.verdicts.joined(separator: ", ")), optional: true,
          "a verdict; `fathom check --all` names those of a job"),
        Parameter(
          "\"OBSERVABLE\"", .structured("{ value = …, tolerance = … }"), optional: true,
          "a mean of the finite leg in its last record; \"LEG/OBSERVABLE\" of another leg, \"order of OBSERVABLE\" for "
            + "the order that a sweep finds"),
        Parameter(
          "\"CASE: SUBJECT\"", .structured("as above"), optional: true,
          "the same in the cases of a sweep with this setting, as in \"network.width=64: exact\""),
      ]),
    TableEntry(
      name: "check", summary: "smaller sizes at which `fathom check` runs the job",
      parameters: [
        Parameter(
          "TABLE.KEY", .structured("a value"), optional: true, "any key of the job, as in network.draws = 2000"),
        Parameter(
          "expect", .structured("a table as [expect], or \"any\" for a subject"), optional: true,
          "what differs from [expect] at these sizes; any: it is not compared"),
      ]),
  ]

  static let topParameters: [Parameter] = [
    Parameter("title", .text, optional: true, "of reports; the name of the job file unless given"),
    Parameter("seed", .integer(0...Int64.max), "all randomness follows from it"),
  ]

  static let runParameters: [Parameter] = [
    Parameter("output", .text, optional: true, "result file; the name of the job file with .h5 unless given"),
    Parameter("checkpoint_every", .text, default: .text("60s"), "time between checkpoints: a number with s, m or h"),
    Parameter(
      "covariance_limit", .integer(0...4096), default: .integer(24),
      "covariances of pairs of observables are kept for records with at most this many observables"),
    Parameter(
      "keep", .integer(0...10_000_000), default: .integer(0),
      "number of draws, the first ones, whose values are kept as a table of rows; replicas are all kept"),
    Parameter(
      "shards", .integer(0...1_000_000), default: .integer(0),
      "ranks that share one replica; 0: as many as there are too many. Changes no bit"),
    Parameter(
      "shard_above", .integer(0...Int64.max), default: .integer(50_000_000), unit: "coordinates",
      "replicas with more are suspended into a file for each rank, beside the result file. Changes no bit"),
  ]

  static let comparisonParameters: [Parameter] = [
    Parameter(
      "ks", .real(.init(0, 1, openBelow: true)), default: .real(0.01),
      "tolerance: largest Kolmogorov-Smirnov distance at which two laws count as the same"),
    Parameter(
      "mean", .real(.above(0)), default: .real(0.05),
      "tolerance: largest difference of means, in standard deviations, against a limit without draws"),
    Parameter(
      "alpha", .real(.init(0, 1, openBelow: true, openAbove: true)), default: .real(0.01),
      "probability of any false statement in one case, shared among its tests"),
  ]
}
