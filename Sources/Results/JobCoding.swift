import Archive
import Experiments
import Foundation
import Statistics

/// The job of a result file as JSON. What is read is checked: nothing that the program takes for granted of a job is left to a file.
package enum JobCoding {
  package static func text(_ job: Job) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return String(decoding: try encoder.encode(job), as: UTF8.self)
  }

  package static func job(_ text: String) throws -> Job { try check(decode(Job.self, text)) }

  package static func decode<T: Decodable>(_ type: T.Type, _ text: String) throws -> T {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    do { return try decoder.decode(T.self, from: Data(text.utf8)) } catch {
      throw ArchiveError("/provenance/job is not the job of a result file: \(reason(error))")
    }
  }

  private static func reason(_ error: any Error) -> String {
    switch error {
    case DecodingError.keyNotFound(let key, _): "\(key.stringValue) is missing"
    case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context),
      DecodingError.dataCorrupted(let context):
      "\(context.codingPath.map(\.stringValue).joined(separator: ".")): \(context.debugDescription)"
    default: "\(error)"
    }
  }

  package static func check(_ job: Job) throws -> Job {
    func fail(_ what: String) -> ArchiveError { ArchiveError("/provenance/job: \(what)") }
    guard !job.cases.isEmpty else { throw fail("no cases") }
    guard (0...1 << 20).contains(job.covarianceLimit) else { throw fail("covarianceLimit") }
    for value in [job.tolerances.distance, job.tolerances.mean, job.tolerances.alpha] {
      guard value > 0, value.isFinite else { throw fail("tolerances") }
    }
    guard job.tolerances.alpha < 1 else { throw fail("tolerances") }
    var groups: Set<String> = []
    var paths: Set<String> = []
    for item in job.cases {
      for leg in item.legs {
        guard groups.insert(ResultTables.group(of: item, leg)).inserted, paths.insert(item.path(of: leg)).inserted,
          !leg.name.isEmpty, !leg.name.contains("/"), !item.group.isEmpty
        else { throw fail("two legs of one name, or one without: \(item.path(of: leg))") }
        guard isSound(leg) else { throw fail("the leg \(item.path(of: leg)) contradicts itself") }
        if let name = leg.refines?.leg, !item.legs.contains(where: { $0.name == name }) {
          throw fail("\(item.path(of: leg)) refines \(name), which is not there")
        }
      }
    }
    return job
  }

  private static func isSound(_ leg: Leg) -> Bool {
    guard isSound(leg.schema), (leg.refines?.order).map({ (0...16).contains($0) }) ?? true,
      leg.marginalLaw.map({ $0.quantiles.count == TabulatedLaw.levels - 1 }) ?? true
    else { return false }
    if let known = leg.known {
      return leg.process == nil && isSound(known.schema) && known.schema == leg.schema
        && known.statistics.allSatisfy {
          leg.axis.values.indices.contains($0.record) && leg.observables.indices.contains($0.observable)
            && ($0.law.map { $0.quantiles.count == TabulatedLaw.levels - 1 } ?? true)
        }
    }
    guard let process = leg.process else { return leg.dependence?.isSound(width: leg.schema.width) ?? true }
    let schedule = process.schedule
    let largest = 1 << 60
    guard (1...largest).contains(schedule.steps), (0...largest).contains(schedule.warmUp),
      (1...1 << 20).contains(schedule.records), (1...schedule.steps).contains(schedule.measureEvery),
      (1...largest).contains(schedule.histogramEvery), schedule.records == leg.axis.count,
      schedule.steps % schedule.records == 0, schedule.steps / schedule.records % schedule.measureEvery == 0,
      schedule.frameEvery.map({ (1...largest).contains($0) }) ?? true, process.marginals.count <= 1024,
      Set(process.marginals).count == process.marginals.count
    else { return false }
    return process.frame.map {
      (0...1 << 24).contains($0.particles) && (1...1 << 20).contains($0.dimension) && $0.timeStep.isFinite
    } ?? true
  }

  private static func isSound(_ schema: Schema) -> Bool {
    let values = schema.axis.values
    return (1...1 << 20).contains(values.count) && (1...1 << 20).contains(schema.observables.count)
      && values.allSatisfy(\.isFinite) && zip(values, values.dropFirst()).allSatisfy { $0 < $1 }
      && Set(schema.observables.map(\.name)).count == schema.observables.count
      && !schema.axis.name.isEmpty && !schema.axis.name.contains("/")
      && schema.observables.allSatisfy { $0.indices.count <= 16 }
  }
}
