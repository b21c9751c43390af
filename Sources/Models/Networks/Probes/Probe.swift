import Experiments

/// A quantity of a network that a job measures by naming it in `probes`.
///
/// A new probe is a file in this folder, which holds its line here (an extension of `Probe`) and its observables. One that is measured from
/// passes conforms to `PassProbe` and has a line in `ofPasses`: every architecture whose draws make passes has it. Another one is a
/// `NetworkDraws` in the entry of every architecture whose draws can measure it.
public struct Probe: Sendable, Equatable {
  public let name: String
  public let summary: String
  /// What it is and where that is from; empty where the architecture's own entry says so.
  public let equation, reference: String
  /// Its observables, as jobs name them.
  public let observables: [String]
  /// Those that are measured unless a job names others.
  public let defaults: [String]
  /// Whether it can be measured after the last layer only.
  var isOfWholeNetwork = false
  /// Keys of its own.
  var parameters: [Parameter] = []
  /// What measures it from passes.
  var passes: (any PassProbe.Type)?

  public static func == (a: Probe, b: Probe) -> Bool { a.name == b.name }

  /// Those that are measured from passes, in the order of their observables.
  package static let ofPasses: [Probe] = [
    .tangentKernel, .kernelChange, .output, .jacobian, .spectrum, .descent,
  ]

  /// Those of passes that a checked table asks for.
  static func asked(_ p: Parameters) -> [Probe] {
    guard case .list(let items)? = p["probes"] else { return [] }
    return ofPasses.filter { items.contains(.text($0.name)) }
  }
}

/// A way to draw an architecture, and the probes that it can measure.
struct NetworkDraws: Sendable {
  typealias Make = @Sendable (_ p: Parameters, _ settings: NetworkSettings) throws -> NetworkModel

  /// The covariance first: every draw measures it.
  let probes: [Probe]
  let samplers: [(name: String, summary: String)]
  /// Keys that it takes besides those of the architecture.
  var parameters: [Parameter] = []
  /// Observables of the architecture itself, besides those of the probes.
  var own: [String] = []
  /// Builds the network from its checked `[network]` table.
  let make: Make

  func measures(_ asked: [Probe]) -> Bool { asked.allSatisfy(probes.contains) }
}

extension Probe {
  /// Reads the key `probes` of an architecture that has the given ones.
  /// - Returns: those that are named, and the covariance in any case, in the order of `available`.
  static func read(_ value: JobValue?, path: String, available: [Probe]) throws -> [Probe] {
    guard let value else { return [.covariance] }
    let wrong = Failure.invalid(
      key: "\(path).probes", value: value.description,
      allowed: "must be an array of different probes that the architecture has: "
        + available.map(\.name).joined(separator: ", ") + Nearest.hint(value, among: available.map(\.name)))
    guard case .list(let items) = value, !items.isEmpty else { throw wrong }
    let named = try items.map { item -> Probe in
      guard let probe = available.first(where: { item == .text($0.name) }) else { throw wrong }
      return probe
    }
    guard Set(named.map(\.name)).count == named.count else { throw wrong }
    return available.filter { $0 == .covariance || named.contains($0) }
  }
}
