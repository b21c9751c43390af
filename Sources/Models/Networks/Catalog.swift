import Experiments

/// A finite network, ready to be sampled and to be compared with limits.
public struct NetworkModel: Sendable {
  public private(set) var experiment: Experiment
  /// What is measured of the posterior, if that is asked for.
  public private(set) var posterior: Posterior?
  /// What units tell of each other, if that is asked for.
  package private(set) var information: InformationRequest?
  /// What is known exactly at this very size, if anything.
  public let known: ReferenceValues?
  /// Labels for the file.
  public private(set) var attributes: [String: String]
  /// All keys of the table, defaults filled in.
  public let parameters: Parameters
  /// The network itself: limits cast it to the types that they belong to, and read its properties.
  package let architecture: any Architecture
  /// The activation as the job gives it, for architectures that have one.
  package let activation: ActivationChoice?

  /// The same network with a posterior and estimands; made where the type of the architecture is known.
  private let measuring: @Sendable (Posterior?, [Estimand]) -> Experiment

  package var settings: NetworkSettings { architecture.settings }
  /// Whether c was left to its default 1 / E phi(g)^2.
  package var standardGain: Bool { parameters["c"] == nil && parameters["tune"] == nil }

  init<A: Architecture>(
    _ architecture: A, parameters p: Parameters, activation: ActivationChoice? = nil, known: ReferenceValues? = nil,
    attributes: [String: String] = [:]
  ) {
    let settings = architecture.settings
    experiment = Experiment(LayeredNetwork(architecture))
    measuring = { Experiment(LayeredNetwork(architecture, posterior: $0, estimands: $1)) }
    self.architecture = architecture
    self.known = known
    self.activation = activation
    parameters = p
    var all = attributes
    all["architecture"] = p.text("architecture")
    all["sampler"] = p.text("sampler")
    all["width"] = String(settings.width)
    all["depth"] = String(settings.depth)
    all["V_0"] = settings.inputs.gram.description
    if let activation {
      all["activation"] = activation.name
      for (key, value) in activation.attributes { all["activation_\(key)"] = value }
    }
    self.attributes = all
  }

  /// The same, measuring the posterior that a table asks for.
  func adding(_ table: Parameters) throws -> NetworkModel {
    var result = self
    let posterior = try Posterior.read(table, self)
    result.posterior = posterior
    result.measure()
    return result.labelled(posterior.attributes)
  }

  /// The same, with the estimands of an `[information]` table.
  func adding(information table: Parameters) throws -> NetworkModel {
    var result = self
    result.information = try InformationRequest(table, self)
    result.measure()
    return result
  }

  private mutating func measure() {
    if let posterior, let chains = posterior.chains, let weighted {
      experiment = Experiment(WeightChains(weighted, settings, posterior.regression, chains))
    } else {
      experiment = measuring(posterior, information?.estimands ?? [])
    }
  }

  /// What is known exactly of the posterior at this very size, layer by layer; nil if nothing is.
  var knownPosterior: ReferenceValues? {
    guard let posterior, let weighted, posterior.chains?.isLogistic != true,
      settings.layers.count * settings.count * settings.count <= LinearPosterior.mostRegressions,
      let linear = LinearPosterior(weighted, width: settings.width)
    else { return nil }
    let values = settings.layers.map {
      linear.values(posterior.regression, covariance: settings.inputs.gram, layers: $0 - settings.inputs.layer) ?? [:]
    }
    return values.allSatisfy(\.isEmpty) ? nil : posterior.reference(values, like: nil, axis: experiment.schema.axis)
  }

  func labelled(_ labels: [String: String]) -> NetworkModel {
    var result = self
    result.attributes.merge(labels) { $1 }
    return result
  }
}

/// All architectures.
public enum NetworkCatalog {
  public static let architectures: [ArchitectureEntry] = [
    MLP.entry,
    OrthogonalMLP.entry,
    LinearMLP.entry,
    GatedMLP.entry,
    NormalisedMLP.entry,
    ResNet.entry,
    Transformer.entry,
    PreLNTransformer.entry,
    ConvolutionalResNet.entry,
    TangentMLP.alias,
  ]

  /// Builds the network of a `[network]` table.
  public static func read(
    _ table: JobValue, path: String, data: any DataSource
  ) throws -> NetworkModel {
    try ArchitectureEntry.named(by: "architecture", of: table, path: path, among: architectures)
      .read(table, path: path, data: data)
  }
}

extension Parameter {
  static let activation = Parameter(
    "activation", .structured(ActivationChoice.words), "activation function phi")
  static let gain = Parameter("c", .real(.above(0)), optional: true, "gain c; 1 / E phi(g)^2 unless given")
}

extension ActivationChoice {
  /// c: what the table gives, or 1 / E phi(g)^2.
  package func gain(_ p: Parameters) throws -> Double {
    let moment = function.secondMoment
    guard p["c"] != nil || (moment > 0 && moment.isFinite) else {
      throw p.invalid("activation", "E phi(g)^2 is \(moment)\(eventRemark): give c")
    }
    return p["c"] != nil ? p.real("c") : 1 / moment
  }
}

extension ReferenceValues {
  /// Values by observable name, layer by layer; nil where nothing is known at all.
  public init?(
    _ settings: NetworkSettings, own: [Observable] = [], _ values: (_ layer: Int) -> [String: (Double, Double)]
  ) {
    let observables = settings.measured.observables + settings.moments.observables + own
    var means: [Double] = []
    var seconds: [Double] = []
    for layer in settings.layers {
      let known = settings.moments.adding(to: values(layer))
      for observable in observables {
        let value = known[observable.name] ?? (.nan, .nan)
        means.append(value.0)
        seconds.append(value.1)
      }
    }
    guard means.contains(where: { !$0.isNaN }) else { return nil }
    self.init(axis: .layers(settings.layers), observables: observables, means: means, secondMoments: seconds)
  }
}
