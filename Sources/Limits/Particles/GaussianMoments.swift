import Experiments
import Particles

/// Means, variances and covariances of what a replica of a Gaussian system gives, exact at any N, step, start and length of a record.
///
/// Orthogonal modes make N particles into oscillators that do not feel each other: of each coordinate the centre of mass, q_0 = sqrt(N) times
/// the mean, with its own curvature, and N - 1 others. Every one is a Gaussian process under a linear step (`OscillatorSeries`); what is
/// measured is a mean over time of sums of q and q^2.
struct GaussianMoments {
  private let number: Double
  private let beta: Double
  private let coordinates: [(centre: Double, rest: Double)]
  private let series: [Double: OscillatorSeries]

  init?(_ model: ParticleModel) {
    guard let modes = model.system.modes else { return nil }
    let (settings, schedule) = (model.settings, model.settings.schedule)
    number = Double(settings.number)
    beta = settings.inverseTemperature
    coordinates = modes.coordinates
    let std = settings.startStd ?? model.system.startStd
    let start = (
      mean: settings.startMean, variance: std * std, velocity: model.method.hasVelocities ? 1 / beta : 0
    )
    var all: [Double: OscillatorSeries] = [:]
    for curvature in Set(coordinates.flatMap { [$0.centre, $0.rest] }) {
      guard let step = model.method.oscillator(settings.step, curvature).gaussian else { return nil }
      let temperature = 1 / beta
      all[curvature] = OscillatorSeries(
        LinearRecursion(map: step.map, noise: step.noise.map { $0 * temperature }), start: start,
        warmUp: schedule.warmUp, measureEvery: schedule.measureEvery,
        perRecord: schedule.steps / schedule.records / schedule.measureEvery, records: schedule.records)
    }
    series = all
  }

  /// Mean and variance of the square of a component, summed over coordinates with weights, and what it shares with the mean of x.
  private struct Squares {
    var mean = 0.0
    var variance = 0.0
  }

  private func centre(_ k: Int, _ r: Int) -> OscillatorSeries.Component { series[coordinates[k].centre]!.position[r] }

  /// Of a component of coordinate k, `weights` for the centre of mass and for the rest: mean and variance of (1/N) sum w q^2.
  private func squares(
    _ k: Int, _ r: Int, _ component: KeyPath<OscillatorSeries, [OscillatorSeries.Component]>,
    weights: (centre: Double, rest: Double) = (1, 1)
  ) -> Squares {
    let c = series[coordinates[k].centre]![keyPath: component][r]
    let q = series[coordinates[k].rest]![keyPath: component][r]
    return Squares(
      mean: weights.centre * (c.variance / number + c.meanSquare) + weights.rest * (1 - 1 / number) * q.variance,
      variance: (weights.centre * weights.centre * (c.squares + number * c.driftSquares)
        + weights.rest * weights.rest * (number - 1) * q.squares) / (number * number))
  }

  /// Covariance of the mean of x_k^2 with the energy.
  private func energyCovariance(_ k: Int, _ r: Int) -> Double {
    let c = centre(k, r)
    let q = series[coordinates[k].rest]!.position[r]
    let own = coordinates[k]
    return 0.5
      * (own.centre * (c.squares + number * c.driftSquares) + own.rest * (number - 1) * q.squares)
      / (number * number)
  }

  /// The statistics of the observables that it knows.
  func values(_ all: [Observable], axis: Axis) -> ReferenceValues {
    let predicted = all.filter {
      ["x", "x^2", "v^2"].contains($0.family) || [.energy, .certificate].contains($0.role)
    }
    let energy = predicted.first { $0.role == .energy }?.name
    var found: [PredictedStatistic] = []
    for r in 0..<axis.count {
      for (i, observable) in predicted.enumerated() {
        // An observable without an index is the mean over all coordinates.
        let own = observable.indices.isEmpty ? Array(coordinates.indices) : observable.indices
        let share = 1 / Double(own.count)
        func add(_ statistic: Statistic, _ value: Double) {
          found.append(PredictedStatistic(statistic, record: r, observable: i, value: value))
        }
        func sum(_ term: (Int) -> Double) -> Double { own.reduce(0) { $0 + term($1) } }
        func addSquares(_ scale: Double, _ offset: Double = 0, _ term: (Int) -> Squares) {
          add(.mean, scale * sum { term($0).mean } + offset)
          add(.variance, scale * scale * sum { term($0).variance })
        }
        func half(_ k: Int) -> (Double, Double) { (0.5 * coordinates[k].centre, 0.5 * coordinates[k].rest) }
        switch (observable.role, observable.family) {
        case (.energy, _): addSquares(1) { squares($0, r, \.position, weights: half($0)) }
        case (.certificate, _):
          addSquares(2 * beta * share, -1) { squares($0, r, \.position, weights: half($0)) }
        case (_, "x"):
          add(.mean, share * sum { centre($0, r).mean })
          add(.variance, share * share * sum { centre($0, r).covariance } / number)
          let square = predicted.first { $0.family == "x^2" && $0.indices == observable.indices }
          if let square {
            add(.covariance(square.name), share * share * sum { centre($0, r).cross } / number)
          }
        case (_, "x^2"):
          addSquares(share) { squares($0, r, \.position) }
          if let energy { add(.covariance(energy), share * sum { energyCovariance($0, r) }) }
        default: addSquares(share) { squares($0, r, \.velocity) }
        }
      }
    }
    return ReferenceValues(
      schema: Schema(axis: axis, observables: predicted), statistics: found, holdsFromTheStart: true)
  }
}

extension ParticleLimits {
  /// Most measured steps of all records and curvatures that are worked through.
  private static let mostMeasurements = 20_000_000

  static let gaussianMoments = LimitEntry<ParticleModel>(
    name: "gaussian-moments",
    summary:
      "means, variances and covariances over the replicas of a Gaussian system under a linear step, exact at any N and h",
    equation: "z' = M z + noise for every mode; var(mean of x^2) = (1/n^2) sum_st [2 C(s,t)^2 + 4 m_s m_t C(s,t)]",
    reference: "docs/particles.md", parameters: []
  ) { p, model in
    guard let modes = model.system.modes else {
      throw p.invalid("equation", "needs a Gaussian system: harmonic wells, with or without quadratic attraction")
    }
    let schedule = model.settings.schedule
    let curvatures = Set(modes.coordinates.flatMap { [$0.centre, $0.rest] }).count
    guard schedule.steps / schedule.measureEvery <= mostMeasurements / curvatures else {
      throw p.invalid(
        "equation", "takes at most \(mostMeasurements / curvatures) measurements for \(curvatures) curvatures")
    }
    guard let moments = GaussianMoments(model) else {
      throw p.invalid(
        "equation", "needs an integrator whose step is a linear map with Gaussian noise, the same at every step")
    }
    return LimitModel(
      .known(moments.values(model.experiment.observables, axis: model.axis)), offset: "",
      attributes: ["exact_in": "number, step, start and length of the records"])
  }
}
