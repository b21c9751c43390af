import Experiments
import Kernels
import Networks

/// A job of a deep kernel machine, read: what limits and legs are made from.
package struct KernelMachineModel: Sendable {
  package let settings: MachineSettings
  package let experiment: Experiment
  package let sampler: String
  let attributes: [String: String]
  /// Lines of the identity besides the keys.
  let data: [String]

  init(_ p: Parameters, _ entry: MachineSampler, _ source: any DataSource) throws {
    settings = try Self.settings(p, source)
    experiment = try entry.make(p, settings)
    sampler = entry.name
    data = ["gram = \(DataTable(columns: [], rows: [settings.start]).fingerprint)"]
    attributes = [
      "sampler": entry.name, "equation": KernelMachineFamily.equation, "reference": "arXiv:2108.13097",
      "points": "\(settings.points)", "kernel": settings.kernel.rawValue,
    ]
  }

  /// Whether draws are of the prior.
  package var isPrior: Bool { sampler == "bartlett" || sampler == "product" }
  package var isWeighted: Bool { sampler == "importance" }

  private static func settings(_ p: Parameters, _ source: any DataSource) throws -> MachineSettings {
    let inputs = try Inputs.read(p["inputs"], path: "\(p.path).inputs", data: source)
    let (count, start) = (inputs.count, inputs.gram)
    let width = p.integer("width")
    guard width >= count else {
      throw p.invalid(
        "width",
        "must be at least the number of points, \(count): below it the Wishart matrices are singular and have no density; the nearest is \(count)"
      )
    }
    guard let kernel = PairKernel(rawValue: p.text("kernel")) else {
      throw Failure.unknown(
        key: "\(p.path).kernel", value: p["kernel"], names: PairKernel.allCases.map(\.rawValue))
    }
    var settings = MachineSettings(
      width: width, depth: p.integer("depth"), kernel: kernel, outputRatio: p.real("output_ratio"),
      noise: p.real("noise"), start: start, startFactor: [], targets: try targets(p, count))
    try refuseEqual(p, start, count)
    let covariance = settings.kernelMatrix(start)
    guard let factor = Triangular.cholesky(covariance, m: count, tolerance: 0),
      (0..<count).allSatisfy({ a in
        factor[a * count + a] > 1e-7 * covariance[a * count + a].squareRoot()
      })
    else {
      throw p.invalid(
        "inputs", "must have a positive definite Gram matrix: some combination of the \(count) points is 0 to rounding")
    }
    settings = MachineSettings(
      width: settings.width, depth: settings.depth, kernel: kernel, outputRatio: settings.outputRatio,
      noise: settings.noise, start: start, startFactor: factor, targets: settings.targets)
    return settings
  }

  private static func refuseEqual(_ p: Parameters, _ gram: [Double], _ count: Int) throws {
    for a in 0..<count {
      for b in 0..<a {
        let scale = (gram[a * count + a] * gram[b * count + b]).squareRoot()
        let apart = gram[a * count + a] + gram[b * count + b] - 2 * gram[a * count + b]
        if apart <= 1e-14 * scale {
          throw p.invalid("inputs", "has points \(b) and \(a) that are equal: every Gram matrix is singular then")
        }
      }
    }
  }

  /// y, or several: $\hat Y$ is the mean of $y y^T$ over them.
  private static func targets(_ p: Parameters, _ count: Int) throws -> [[Double]] {
    let words =
      "must be an array of \(count) finite numbers, one for each point, or an array of such arrays, of which Yh is the mean of y y^T"
    guard case .list(let items)? = p["targets"], !items.isEmpty else { throw p.invalid("targets", words) }
    func vector(_ items: [JobValue]) throws -> [Double] {
      let found = items.compactMap(\.number).filter(\.isFinite)
      guard found.count == count, items.count == count else {
        throw p.invalid("targets", words + "; here are \(items.count)")
      }
      return found
    }
    guard case .list = items[0] else { return [try vector(items)] }
    let scale = 1 / Double(items.count).squareRoot()
    return try items.map { item in
      guard case .list(let own) = item else { throw p.invalid("targets", words) }
      return try vector(own).map { scale * $0 }
    }
  }

  /// Means of the Gram matrices of every record, of complexities and of the fit, as far as they are known; as estimands where draws are weighted.
  package func reference(
    grams: [[Double]], complexities: [Double], fit: Double?, evidence: Double? = nil, remainder: [Remainder] = [],
    withheld: String? = nil
  ) -> ReferenceValues {
    let schema = experiment.schema
    var found: [PredictedStatistic] = []
    for record in schema.axis.values.indices {
      func add(_ statistic: Statistic, _ place: Int, _ value: Double) {
        found.append(PredictedStatistic(statistic, record: record, observable: place, value: value + 0))
      }
      let values = grams.flatMap { $0 }
      for (entry, value) in zip(settings.gramObservables(), values) {
        if isWeighted {
          add(.estimand(WishartDraw.posterior(entry.indices)), 0, value)
        } else if let place = schema.place(of: entry.name) {
          add(.mean, place, value)
        }
      }
      if isWeighted {
        if let evidence { add(.estimand(WishartDraw.evidence), 0, evidence) }
      } else {
        for (entry, value) in zip(settings.complexityObservables, complexities) {
          if let place = schema.place(of: entry.name) { add(.mean, place, value) }
        }
        if let fit, let place = schema.place(of: MachineSettings.fit.name) { add(.mean, place, fit) }
      }
    }
    return ReferenceValues(schema: schema, statistics: found, remainder: remainder, withheld: withheld)
  }

  /// What holds at this very N.
  var exactLeg: Leg? {
    let (values, equation): (ReferenceValues, String)
    if isPrior {
      let schema = experiment.schema
      values = ReferenceValues(schema: schema, statistics: PriorMoments(settings).statistics(schema))
      equation = "moments of Wishart matrices, layer by layer"
    } else if let found = OnePoint(settings)?.means {
      values = reference(
        grams: found.gram.map { [$0] }, complexities: found.complexity, fit: found.fit, evidence: found.evidence)
      equation = "one point: a random walk of log G, weighted by its end, by quadrature"
    } else {
      return nil
    }
    return Leg(
      name: "exact", role: .exact, content: .known(values),
      attributes: ["equation": equation, "reference": "docs/kernel-machines.md"])
  }
}
