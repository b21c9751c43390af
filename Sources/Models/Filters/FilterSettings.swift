import Experiments
import Formulas
import Kernels
import Randomness

/// The keys that all models have: which method, how many particles, which observations.
enum FilterSettings {
  enum Method: String, CaseIterable {
    case filter, paris, gibbs, learning
  }

  /// Numbers that a run keeps at most.
  private static let mostNumbers = 1 << 29

  /// Keys of one method or more, each with what it is unless given.
  private static let owners: [(key: String, methods: Set<Method>)] = [
    ("proposal", [.filter, .paris]), ("resampling", [.filter, .paris]), ("threshold", [.filter, .paris]),
    ("sharing", [.filter]), ("backward_draws", [.paris, .gibbs, .learning]), ("sweeps", [.gibbs]),
    ("burn_in", [.gibbs]),
    ("reference", [.gibbs]), ("iterations", [.learning]), ("constant_steps", [.learning]),
    ("step_exponent", [.learning]), ("smoother", [.learning]),
  ]

  static let parameters: [Parameter] =
    [
      Parameter(
        "method", .choice(Method.allCases.map(\.rawValue)), default: .text("filter"),
        "filter: the evidence only; paris: smoothed functionals by backward draws; gibbs: sweeps of Parisian particle Gibbs; learning: parameters by EM"
      ),
      Parameter(
        "particles", .integer(1...Int64(Selection.mostParticles)), small: .init(.inverse, "N", companions: ["draws"]),
        "N"),
      Parameter(
        "proposal", .choice(FilterPlan.Proposal.allCases.map(\.rawValue)), optional: true,
        "how particles move; bootstrap (unless given): by the model; guided: seeing the next observation; auxiliary: selected by what they promise for it, too. Of filter and paris"
      ),
      Parameter(
        "resampling", .choice(Selection.Scheme.allCases.map(\.rawValue)), optional: true,
        "how children are selected; multinomial unless given. Of filter and paris; pivotal for at most \(Selection.mostPivotal) particles"
      ),
      Parameter(
        "threshold", .real(.init(0, 1)), optional: true,
        "particles are selected where their effective number is below this share of N; 1 (at every step) unless given. Of filter and paris"
      ),
      Parameter(
        "sharing", .choice(Sharing.allCases.map(\.rawValue)), optional: true,
        "draws (unless given): a rank makes runs of its own; ranks: ranks share the particles of a run, which is a replica that may be suspended between two observations; the values are the same. Of filter"
      ),
      Parameter(
        "backward_draws", .integer(1...64), optional: true,
        "M, of each particle a step; 2 unless given. Of paris, gibbs and learning"),
      Parameter("sweeps", .integer(1...10_000), optional: true, "K, sweeps of a run; 1 unless given. Of gibbs"),
      Parameter(
        "burn_in", .integer(0...10_000), optional: true, "sweeps without a part in averages; 0 unless given. Of gibbs"),
      Parameter(
        "reference", .choice(FilterReference.allCases.map(\.rawValue)), optional: true,
        "the first reference path; prior (unless given): of the model without observations; filter: of a pass without a reference; smoothing: of the smoothing law, exactly. Of gibbs"
      ),
      Parameter("iterations", .integer(1...100_000), optional: true, "of EM; 200 unless given. Of learning"),
      Parameter(
        "constant_steps", .integer(0...100_000), optional: true, "iterations with step 1; 20 unless given. Of learning"),
      Parameter(
        "step_exponent", .real(.init(0.5, 1, openBelow: true)), optional: true,
        "p, of the steps (k - constant_steps + 1)^-p that follow; 0.7 unless given. Of learning"),
      Parameter(
        "smoother", .choice(["paris", "gibbs"]), optional: true,
        "of each iteration; gibbs (unless given): a pass, and a sweep from its path; paris: a pass. Of learning"),
    ] + ObservationKeys.parameters

  /// The problem of a job.
  /// - Parameters:
  ///   - dimension: numbers of an observation.
  ///   - check: whether a number may be observed.
  ///   - make: the model with observations; without any of them it is made to simulate some.
  static func problem<Model: StateSpaceModel>(
    _ p: Parameters, _ data: any DataSource, dimension: Int = 1,
    check: (words: String, isAllowed: (Double) -> Bool) = ("a finite number", \.isFinite),
    make: (Observations) -> Model
  ) throws -> DrawnProblemModel {
    let (model, attributes) = try ObservationKeys.read(p, data, dimension: dimension, check: check, make: make)
    let (method, plan) = try plan(p, model)
    switch method {
    case .filter, .paris:
      let filter = ParticleFilter(model, plan, attributes: attributes)
      guard p.choice("sharing", Sharing.draws) == .ranks else { return DrawnProblemModel(filter, p) }
      guard plan.scheme != .pivotal else {
        throw p.invalid(
          "sharing", "must be draws with pivotal selection, which goes through all particles one after another")
      }
      return DrawnProblemModel(filter, p, process: Experiment(SharedFilter(filter)))
    case .gibbs:
      let reference = p.choice("reference", FilterReference.prior)
      guard reference != .smoothing || model.drawsSmoothed else {
        throw p.invalid(
          "reference", "must be prior or filter: paths of this model's smoothing law are not drawn exactly")
      }
      let sweeps = p.integer("sweeps", 1)
      let burnIn = p.integer("burn_in", 0)
      guard burnIn < sweeps else { throw p.invalid("burn_in", "must be below sweeps, \(sweeps)") }
      return DrawnProblemModel(
        ParisianGibbs(
          model, plan, sweeps: sweeps, burnIn: burnIn, reference: reference, attributes: attributes), p)
    case .learning:
      guard let learnable = model as? any LearnableModel else {
        throw p.invalid("method", "must be filter, paris or gibbs: this model has no parameters that are learned")
      }
      return learning(learnable, plan, p, attributes)
    }
  }

  private static func learning<Model: LearnableModel>(
    _ model: Model, _ plan: FilterPlan, _ p: Parameters, _ attributes: [String: String]
  ) -> DrawnProblemModel {
    DrawnProblemModel(
      Learning(
        model, plan, iterations: p.integer("iterations", 200), constant: p.integer("constant_steps", 20),
        exponent: p["step_exponent"] == nil ? 0.7 : p.real("step_exponent"),
        isGibbs: plan.isTraced, attributes: attributes), p)
  }

  private static func plan(_ p: Parameters, _ model: some StateSpaceModel) throws -> (Method, FilterPlan) {
    let method = p.choice("method", Method.filter)
    for (key, methods) in owners where p[key] != nil && !methods.contains(method) {
      let words = Method.allCases.filter(methods.contains).map { "\"\($0.rawValue)\"" }.joined(separator: " or ")
      throw p.invalid(key, "is a key of method = \(words) only, not of \"\(method.rawValue)\"")
    }
    let plan = FilterPlan(
      particles: p.integer("particles"), proposal: p.choice("proposal", FilterPlan.Proposal.bootstrap),
      scheme: p.choice("resampling", Selection.Scheme.multinomial),
      threshold: p["threshold"] == nil ? 1 : p.real("threshold"),
      backward: method == .filter ? 0 : p.integer("backward_draws", 2),
      isTraced: method == .gibbs || method == .learning && p.choice("smoother", Smoother.gibbs) == .gibbs)
    guard plan.proposal == .bootstrap || model.isGuided else {
      throw p.invalid("proposal", "must be bootstrap: this model has no guided proposal")
    }
    guard plan.scheme != .pivotal || plan.particles <= Selection.mostPivotal else {
      throw p.invalid(
        "resampling",
        "goes through all particles one after another, of which it takes at most \(Selection.mostPivotal); the others take more"
      )
    }
    guard !plan.isTraced || plan.particles >= 2 else {
      throw p.invalid("particles", "must be at least 2: one of them is the reference; the nearest is 2")
    }
    let kept = plan.isTraced ? plan.particles * model.length * (model.dimension + 1) : 0
    guard kept <= mostNumbers else {
      throw p.invalid(
        "particles",
        "with \(model.length) observations keeps \(kept) numbers to trace paths; at most \(mostNumbers) are kept")
    }
    return (method, plan)
  }

  private enum Sharing: String, CaseIterable { case draws, ranks }

  private enum Smoother: String { case paris, gibbs }
}

extension Parameters {
  /// The value of a key that may be left out.
  func integer(_ key: String, _ otherwise: Int) -> Int { self[key] == nil ? otherwise : integer(key) }

  /// A choice that may be left out.
  func choice<Choice: RawRepresentable<String>>(_ key: String, _ otherwise: Choice) -> Choice {
    self[key] == nil ? otherwise : Choice(rawValue: text(key)) ?? otherwise
  }
}
