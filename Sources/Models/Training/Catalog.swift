import Experiments

/// Training runs, ready to be made and to be compared with limits.
package struct TrainingModel: DrawnModel {
  package let experiment: Experiment
  /// What is trained: limits cast it to the types that they belong to.
  package let problem: any TrainingProblem
  package let settings: TrainingSettings
  /// What is known at this very size, if anything.
  package let known: ReferenceValues?
  /// All keys of the table, defaults filled in.
  package let parameters: Parameters
  /// Labels for the file.
  package let attributes: [String: String]

  /// - Parameters:
  ///   - experiment: what a draw is; a run of the problem unless given.
  ///   - attributes: further labels for the file.
  init<P: TrainingProblem>(
    _ problem: P, _ settings: TrainingSettings, _ p: Parameters, known: ReferenceValues? = nil,
    experiment: Experiment? = nil, attributes: [String: String] = [:]
  ) {
    self.experiment = experiment ?? Experiment(TrainingRun(problem, settings))
    self.problem = problem
    self.settings = settings
    self.known = known
    parameters = p
    var all = attributes
    all["problem"] = p.text("problem")
    if p["sampler"] != nil { all["sampler"] = p.text("sampler") }
    self.attributes = all
  }
}

/// A line of the catalog of problems.
package struct ProblemEntry: Entry {
  package var kind: String { "problem" }
  package let name, summary, equation, reference: String
  /// The first is the default.
  package let samplers: [(name: String, summary: String)]
  /// Names of the families of its observables, and those that are measured unless others are asked for.
  package let observables, defaults: [String]
  private let own: [Parameter]
  private let make: @Sendable (Parameters, TrainingSettings, any DataSource) throws -> TrainingModel

  package init(
    name: String, summary: String, equation: String, reference: String,
    samplers: [(name: String, summary: String)] = [], observables: [String], defaults: [String]? = nil,
    parameters: [Parameter],
    make: @escaping @Sendable (Parameters, TrainingSettings, any DataSource) throws -> TrainingModel
  ) {
    self.name = name
    self.summary = summary
    self.equation = equation
    self.reference = reference
    self.samplers = samplers
    self.observables = observables
    self.defaults = defaults ?? observables
    own = parameters
    self.make = make
  }

  package var parameters: [Parameter] { TrainingSettings.parameters(self) + own }

  func read(_ table: JobValue, path: String, data: any DataSource) throws -> TrainingModel {
    let p = try Parameters(table, path: path, allowed: parameters)
    let model = try make(p, TrainingSettings(p, self), data)
    let families = model.problem.observables.map(\.family)
    guard let asked = model.settings.measured, asked.contains(where: families.contains) else {
      throw p.invalid(
        "observables",
        "has nothing that is measured with these keys: there is \(Set(families).sorted().joined(separator: ", "))"
      )
    }
    return model
  }
}

/// All problems.
package enum TrainingCatalog {
  package static let problems: [ProblemEntry] = [
    TrainedMLP.entry,
    TrainedMLP.residual,
    TwoLayerLinear.entry,
    XORClusters.entry,
    Committee.entry,
    LogisticPerceptron.entry,
    MatrixFactorisation.entry,
    LowRankSensing.entry,
    TwoMode.entry,
    PatchConvolution.entry,
    KernelRegression.entry,
    RandomFeatures.entry,
    OperatorNetwork.entry,
    LeastSquaresDynamics.entry,
    NoisyRegression.entry,
    SGDPerceptron.entry,
    ScaleInvariant.entry,
    HeavyTailedSGD.entry,
    LinearChains.parallel,
    LinearChains.deepLinear,
    LangevinQuadratic.entry,
    SGLDGeneralisation.entry,
    Durations.entry,
  ]

  static func read(_ table: JobValue, path: String, data: any DataSource) throws -> TrainingModel {
    try ProblemEntry.named(by: "problem", of: table, path: path, among: problems)
      .read(table, path: path, data: data)
  }
}
