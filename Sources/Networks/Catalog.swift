import Simulation

/// A finite network, ready to be sampled and to be held against limits.
public struct NetworkModel: Sendable {
  public let experiment: AnyExperiment
  /// What is known exactly at this very size, if anything.
  public let known: KnownValues?
  /// Labels for the file.
  public private(set) var attributes: [String: String]
  /// All keys of the table, defaults filled in: what limits read.
  public let parameters: Parameters
  public let settings: NetworkSettings
  public let activation: ActivationChoice?
  /// c, for architectures that have one.
  public let gain: Double

  public var architecture: String { parameters.text("architecture") }
  /// Whether c was left to its standard value 1 / E phi(g)^2.
  public var standardGain: Bool { parameters["c"] == nil }

  /// Distances of the observable `interlayer`, where it is measured.
  public var interlayerLags: [Int] {
    guard settings.own.contains("interlayer"), case .list(let items)? = parameters["lags"] else { return [] }
    return items.compactMap { if case .integer(let lag) = $0 { Int(lag) } else { nil } }
  }

  init<A: Architecture>(
    _ architecture: A, parameters p: Parameters, activation: ActivationChoice? = nil, gain: Double = 1,
    known: KnownValues? = nil, attributes: [String: String] = [:]
  ) {
    let settings = architecture.settings
    experiment = AnyExperiment(LayeredNetwork(architecture))
    self.known = known
    self.settings = settings
    self.activation = activation
    self.gain = gain
    parameters = p
    var all = attributes
    all["architecture"] = p.text("architecture")
    all["sampler"] = p.text("sampler")
    all["width"] = String(settings.width)
    all["depth"] = String(settings.depth)
    all["V_0"] = settings.inputs.gram.description
    if let activation { all["activation"] = activation.name }
    self.attributes = all
  }

  func labelled(_ entry: ArchitectureEntry) -> NetworkModel {
    var result = self
    result.attributes["equation"] = entry.equation
    result.attributes["reference"] = entry.reference
    return result
  }
}

/// A line of the catalog of architectures.
public struct ArchitectureEntry: Sendable {
  public let name: String
  public let summary: String
  public let equation: String
  public let reference: String
  public let parameters: [Parameter]
  /// Builds the network from its checked `[network]` table; `load` gives rows of a data file.
  let make: @Sendable (_ p: Parameters, _ load: (Inputs.FileRequest) throws -> [[Double]]) throws -> NetworkModel
}

/// All architectures.
public enum NetworkCatalog {
  public static let architectures: [ArchitectureEntry] = [
    MLP.entry,
    OrthogonalMLP.entry,
    LinearMLP.entry,
    GatedMLP.entry,
    ResNet.entry,
    Transformer.entry,
    ConvolutionalResNet.entry,
    TangentMLP.entry,
  ]

  /// Builds the network of a `[network]` table.
  public static func read(
    _ table: JobValue, path: String, load: (Inputs.FileRequest) throws -> [[Double]]
  ) throws -> NetworkModel {
    let names = architectures.map(\.name)
    guard case .text(let name)? = table["architecture"],
      let entry = architectures.first(where: { $0.name == name })
    else {
      throw Failure.invalid(
        key: "\(path).architecture", value: table["architecture"]?.description ?? "(missing)",
        allowed: "must be one of " + names.joined(separator: ", "))
    }
    return try entry.make(try Parameters(table, path: path, allowed: entry.parameters), load).labelled(entry)
  }
}

extension Parameter {
  static let activation = Parameter(
    "activation", .structured("a name, or a table with a name and its parameters"), "activation function phi")
}

extension ActivationChoice {
  /// c: what the table gives, or 1 / E phi(g)^2.
  func gain(_ p: Parameters) throws -> Double {
    let moment = function.secondMoment
    guard p["c"] != nil || (moment > 0 && moment.isFinite) else {
      throw p.invalid("activation", "E phi(g)^2 is \(moment): give c")
    }
    return p["c"] != nil ? p.real("c") : 1 / moment
  }
}

extension KnownValues {
  /// Values by observable name, layer by layer; nil where nothing is known at all.
  public init?(
    _ settings: NetworkSettings, own: [Observable] = [], _ values: (_ layer: Int) -> [String: (Double, Double)]
  ) {
    let observables = settings.measured.observables + own
    var means: [Double] = []
    var seconds: [Double] = []
    for layer in settings.layers {
      let known = values(layer)
      for observable in observables {
        let value = known[observable.name] ?? (.nan, .nan)
        means.append(value.0)
        seconds.append(value.1)
      }
    }
    guard means.contains(where: { !$0.isNaN }) else { return nil }
    self.init(observables: observables, layers: settings.layers, means: means, secondMoments: seconds)
  }
}
