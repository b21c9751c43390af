import Experiments
import Foundation
import Graphs
import Jobs
import Randomness
import Statistics
import Walks

/// Jobs of the family, and their draws.
enum Walking {
  static func job(_ keys: String, name: String = "job.toml") throws -> Job {
    try JobReader(data: DataFiles(job: name)).read("seed = 2026\n[walk]\n\(keys)", name: "test.toml").job
  }

  static func graph(_ keys: [String: JobValue]) throws -> EdgeList {
    try GraphKeys.read(
      Parameters(.table(keys), path: "walk", allowed: GraphKeys.parameters), data: DataFiles(job: ""))
  }

  static func petersen() throws -> BaseChain { BaseChain(try graph(["graph": .text("petersen")]), target: nil) }
  static func ring() throws -> BaseChain {
    BaseChain(try graph(["graph": .text("ring"), "vertices": .integer(9)]), target: nil)
  }
  static func karateGraph() throws -> EdgeList { try graph(["graph": .text("karate")]) }
  static func karate() throws -> BaseChain { BaseChain(try karateGraph(), target: Array(repeating: 1, count: 34)) }

  static func rows(_ problem: some DrawnProblem, _ draws: Int) -> [[Double]] {
    let runner = Experiment(ProblemDraw(problem)).makeRunner(key: Stream.key(seed: 2026, path: "walk"))
    return (0..<draws).compactMap { runner?.values(UInt64($0)) }
  }

  static func moments(_ rows: [[Double]], _ problem: some DrawnProblem, _ name: String, record: Int = 0) -> Moments {
    let schema = problem.schema
    return Moments(values: rows.map { $0[schema.index(record, schema.place(of: name) ?? 0)] })
  }

  static func indicator(_ n: Int) -> [Double] { (0..<n).map { $0 == 0 ? 1 : 0 } }
}
