import Archive
import Experiments
import Foundation
import Statistics

/// Reads files of format version 2, which knew layers of networks and steps of particle systems: their job and their state become those of
/// this version, and their tables are compared with those that follow from the state.
package enum FormatTwo {
  static let version: Int64 = 2

  // MARK: Job

  static func job(_ text: String) throws -> Job {
    try JobCoding.job(JobCoding.text(of: JobCoding.decode(OldJob.self, text)))
  }

  // MARK: State

  /// The datasets of a leg under the names that they have now.
  static func entries(_ reader: borrowing ArchiveReader, _ group: String) throws -> [String: StateValue] {
    var result: [String: StateValue] = [:]
    for (name, value) in try StateFile.entries(reader, group: group) {
      guard let renamed = renamed(name) else {
        throw ArchiveError("\(group)/\(name) is no part of the state; forged, or written by another version")
      }
      result[renamed] = value
    }
    guard result.keys.contains(where: { $0 == "ids" }) else { return result }
    let begun = Set(result.keys.filter { $0.hasPrefix("begun/") }.map { $0.split(separator: "/")[1] })
    result["begun/number"] = .integers([Int64(begun.count)])
    return result
  }

  private static func renamed(_ name: String) -> String? {
    let parts = name.split(separator: "/").map(String.init)
    let histograms = ["marginal_count": "number", "marginal_pages": "pages", "marginal_counts": "counts"]
    guard parts[0] == "replicas" else {
      return ["layout", "centres", "words", "pages", "counts", "intervals"].contains(name) ? name : nil
    }
    switch parts.count {
    case 2:
      if let own = histograms[parts[1]] { return "marginals/\(own)" }
      return ["ids", "rows"].contains(parts[1]) ? parts[1] : nil
    case 4 where parts[1] == "trajectories":
      return parts.dropFirst().joined(separator: "/")
    case 4 where parts[1] == "begun":
      let place = "begun/\(parts[2])"
      if ["replica", "step"].contains(parts[3]) { return "\(place)/\(parts[3])" }
      if ["shards", "shard_starts"].contains(parts[3]) { return "\(place)/state/system/\(parts[3])" }
      return histograms[parts[3]].map { "\(place)/state/marginals/\($0)" }
    case 5 where parts[1] == "begun" && parts[3] == "arrays":
      return "begun/\(parts[2])/state/system/\(parts[4])"
    default:
      return nil
    }
  }
}

extension JobCoding {
  fileprivate static func text(of job: OldJob) throws -> String {
    let encoder = JSONEncoder()
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return String(decoding: try encoder.encode(NewJob(job)), as: UTF8.self)
  }
}

// MARK: - The old shapes

private struct OldJob: Decodable {
  let title: String
  let seed: UInt64
  let cases: [OldCase]
  let tolerances: Tolerances
  let covarianceLimit: Int
  let healthThreshold: Double?
  let text: String
  let identity: [String]
}

private struct OldCase: Decodable {
  let label: String
  let swept: [String: String]
  let legs: [OldLeg]
}

private struct OldObservable: Decodable {
  let name, summary: String
  let heavyTailed: Bool

  var new: Observable {
    var (family, indices) = (name, [Int]())
    if name.hasSuffix("]"), let open = name.lastIndex(of: "[") {
      let found = name[name.index(after: open)...].dropLast().split(separator: ",").map { Int($0) }
      if !found.isEmpty, found.allSatisfy({ $0 != nil }) {
        (family, indices) = (String(name[..<open]), found.compactMap { $0 })
      }
    }
    return Observable(family, indices, role: role(family), name: name, summary)
  }

  private func role(_ family: String) -> Observable.Role {
    if heavyTailed { return .heavyTailed }
    switch family {
    case "energy": return .energy
    case "residual": return .certificate
    case "acceptance": return .acceptanceRate
    case "step_size": return .setting
    case "above", "crossed": return .event
    case "collapsed", "exploded", "vanished": return .failure
    default: return .quantity
    }
  }
}

private struct OldKnown: Decodable {
  let observables: [OldObservable]
  let layers: [Int]
  let means, secondMoments: [Double]
}

private struct OldRefinement: Decodable {
  let leg, kind: String
  let order: Int

  var new: Refinement {
    kind == "number"
      ? Refinement(leg: leg, parameter: "number", symbol: "N", order: order)
      : Refinement(leg: leg, parameter: "step", symbol: "h", order: order)
  }
}

private struct OldLeg: Decodable {
  let name, role: String
  let observables: [OldObservable]
  let layers: [Int]
  let draws: UInt64
  let known: OldKnown?
  let attributes: [String: String]
  let expectedOffset: String
  let refines: OldRefinement?
  let axis: String
  let marginals: [String]
  let marginalLaw: TabulatedLaw?

  func axis(_ values: [Int]) -> Axis { axis == "layer" ? .layers(values) : .steps(values) }

  /// Replicas of a particle system.
  var process: ProcessFacts? {
    get throws {
      guard axis == "step", known == nil else { return nil }
      func integer(_ name: String) -> Int? { attributes[name].flatMap { Int($0) } }
      func number(_ name: String) -> Double? { attributes[name].flatMap { Double($0) } }
      let (steps, records, every) = (integer("steps") ?? 0, integer("records") ?? 1, integer("measure_every") ?? 1)
      guard (1...1 << 60).contains(steps), (1...1 << 20).contains(records), (1...steps).contains(every),
        steps / records % every == 0, steps % records == 0
      else { throw ArchiveError("/provenance/job: the schedule of \(name)") }
      let frames = integer("frame_every")
      return ProcessFacts(
        schedule: Schedule(
          warmUp: integer("warm_up") ?? 0, steps: steps, records: records, measureEvery: every,
          histogramEvery: integer("histogram_every") ?? 1, frameEvery: frames),
        marginals: marginals,
        frame: frames == nil
          ? nil
          : FrameShape(
            particles: integer("framed_particles") ?? 0, dimension: integer("particle_dimension") ?? 1,
            independent: attributes["interaction"] == "none", timeStep: number("step") ?? 1),
        inverseTemperature: number("inverse_temperature"))
    }
  }
}

// MARK: - As they are coded now

private struct NewJob: Encodable {
  let title: String
  let seed: UInt64
  let cases: [NewCase]
  let tolerances: Tolerances
  let covarianceLimit: Int
  let healthThreshold: Double?
  let smallParameters: [SmallParameter]
  let expectations: [Expectation]
  let text: String
  let identity: [String]

  init(_ old: OldJob) throws {
    title = old.title
    seed = old.seed
    cases = try old.cases.map(NewCase.init)
    tolerances = old.tolerances
    covarianceLimit = old.covarianceLimit
    healthThreshold = old.healthThreshold
    // The first leg is the finite one, and has the name of the family's table.
    let finite = old.cases.first?.legs.first
    let table = finite?.name ?? ""
    let follow = ["steps", "warm_up", "measure_every", "replicas"]
    smallParameters =
      finite?.axis == "step"
      ? [
        SmallParameter(
          "number", table: table, .init(.inverse, "N", companions: follow, fluctuations: true)),
        SmallParameter("step", table: table, .init(.direct, "h", companions: follow)),
      ]
      : [SmallParameter("width", table: table, .init(.inverse, "n", companions: ["inputs"], ratios: ["depth"]))]
    expectations = []
    text = old.text
    identity = old.identity
  }
}

private struct NewCase: Encodable {
  let label: String
  let swept: [String: String]
  let legs: [NewLeg]

  init(_ old: OldCase) throws {
    label = old.label
    swept = old.swept
    legs = try old.legs.map(NewLeg.init)
  }
}

private struct NewLeg: Encodable {
  let name: String
  let role: Leg.Role
  let schema: Schema
  let draws, keep: UInt64
  let known: ReferenceValues?
  let attributes: [String: String]
  let expectedOffset: String
  let refines: Refinement?
  let process: ProcessFacts?
  let marginalLaw: TabulatedLaw?

  init(_ old: OldLeg) throws {
    guard let role = Leg.Role(rawValue: old.role), !old.observables.isEmpty,
      Set(old.observables.map(\.name)).count == old.observables.count
    else { throw ArchiveError("/provenance/job: the leg \(old.name) contradicts itself") }
    name = old.name
    self.role = old.refines == nil ? role : .refinement
    let schema = Schema(axis: old.axis(old.layers), observables: old.observables.map(\.new))
    self.schema = schema
    draws = old.draws
    keep = 0
    attributes = old.attributes
    expectedOffset = old.expectedOffset
    refines = old.refines?.new
    process = try old.process
    marginalLaw = old.marginalLaw
    known = try old.known.map { known in
      guard known.means.count == schema.width, known.secondMoments.count == schema.width else {
        throw ArchiveError("/provenance/job: the values of \(old.name) do not fit its layers")
      }
      return ReferenceValues(
        axis: schema.axis, observables: schema.observables, means: known.means, secondMoments: known.secondMoments)
    }
  }
}
