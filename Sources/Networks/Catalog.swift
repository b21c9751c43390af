import Simulation

/// A finite network, ready to be sampled and to be held against limits.
public struct NetworkModel: Sendable {
  public let experiment: AnyExperiment
  /// What is known exactly at this very size, if anything.
  public let known: KnownValues?
  /// Labels for the file.
  public let attributes: [String: String]
  /// All keys of the table, defaults filled in.
  public let resolved: JobValue
  public let description: NetworkDescription
}

/// What a limit needs to know of the network it belongs to.
public struct NetworkDescription: Sendable {
  public let architecture: String
  public let activationName: String
  public let activationParameters: Parameters
  public let activation: ActivationChoice
  /// Whether c was left to its standard value 1 / E phi(g)^2.
  public let standardGain: Bool
  public let shape: MLPShape
}

/// A line of the catalog of architectures.
public struct ArchitectureEntry: Sendable {
  public let name: String
  public let summary: String
  public let equation: String
  public let reference: String
  public let parameters: [Parameter]
  /// Reads the `[network]` table; `load` gives rows of a data file.
  public let make:
    @Sendable (
      _ table: JobValue, _ path: String, _ load: (Inputs.FileRequest) throws -> [[Double]]
    ) throws -> NetworkModel
}

/// All architectures.
public enum NetworkCatalog {
  public static let architectures: [ArchitectureEntry] = [MLPEntry.entry]

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
    return try entry.make(table, path, load)
  }
}
