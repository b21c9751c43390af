import Analyses
import Engine
import Experiments
import Foundation
import Jobs
import Results
import Statistics
import Testing

/// Rows that another program made: as the finite side, as a reference, beside a network.
@Suite(.serialized) struct SamplesTests {
  private let files: RowFiles
  init() throws { files = try RowFiles() }

  /// z_1 = W_0 x, z' = sqrt(c/n) W relu(z): the networks of the program, made by other code with other numbers.
  /// - Parameter spread: factor of the variance of the weights behind the first layer.
  private func network(_ name: String, draws: Int, seed: UInt64, spread: Double = 1) throws -> String {
    let (n, depth) = (32, 3)
    var random = OwnRandom(seed)
    var columns = ["rho[0,1]", "log_V[0]"].flatMap { o in [1, 3].map { (name: "\(o)@\($0)", values: [Double]()) } }
    for _ in 0..<draws {
      var z = (0..<n).map { _ -> (Double, Double) in
        let (a, b) = (random.normal(), random.normal())
        return (a, 0.3 * a + 0.91.squareRoot() * b)
      }
      for layer in 1...depth {
        let phi = z.map { (max($0.0, 0), max($0.1, 0)) }
        let scale = 2 / Double(n)
        let (aa, bb, ab) = phi.reduce((0.0, 0.0, 0.0)) {
          ($0.0 + scale * $1.0 * $1.0, $0.1 + scale * $1.1 * $1.1, $0.2 + scale * $1.0 * $1.1)
        }
        if layer != 2 {
          columns[layer / 3].values.append(ab / (aa * bb).squareRoot())
          columns[2 + layer / 3].values.append(log(aa))
        }
        z = (0..<n).map { _ in
          phi.reduce((0.0, 0.0)) {
            let w = (spread * scale).squareRoot() * random.normal()
            return ($0.0 + w * $1.0, $0.1 + w * $1.1)
          }
        }
      }
    }
    return try files.csv(name, columns)
  }

  private static func beside(_ file: String, limits: String = "[[limit]]\nequation = \"infinite-width\"\n") -> String {
    """
    seed = 5
    [samples]
    file = "\(file)"
    [network]
    architecture = "mlp"
    activation = "relu"
    width = 32
    depth = 3
    inputs = { correlation = 0.3 }
    layers = [1, 3]
    draws = 20000
    \(limits)
    [comparison]
    ks = 0.06
    mean = 0.5
    """
  }

  /// Twelve tests in either case at alpha = 0.01 together; the seeds are the first that were tried.
  @Test func aNetworkOfOtherCodeAgreesAndTenPercentMoreVarianceDoesNot() throws {
    let own = try comparisons(Self.beside(try network("right", draws: 8000, seed: 1)))
    #expect(own["network"]?.verdict == .agrees, "\(own["network"]?.sentence ?? "")")
    #expect(own["infinite-width"]?.verdict == .agrees, "\(own["infinite-width"]?.sentence ?? "")")
    // Nothing exact is known of what the file holds.
    #expect(Set(own.keys) == ["network", "infinite-width"])
    #expect(own["network"]?.rows.count == 4 && own["infinite-width"]?.rows.count == 4)

    let wide = try comparisons(Self.beside(try network("wide", draws: 8000, seed: 2, spread: 1.1)))
    #expect(wide["network"]?.verdict == .differs, "\(wide["network"]?.sentence ?? "")")
    #expect(wide["network"]?.rows.first { $0.observable == "log_V[0]" && $0.coordinate == 3 }?.verdict == .differs)
    // The first layer is the same in both.
    #expect(wide["network"]?.rows.filter { $0.coordinate == 1 }.allSatisfy { $0.verdict == .agrees } == true)
  }

  @Test func rowsAreAReferenceOfANetworkAndOfRows() throws {
    let right = try network("right", draws: 8000, seed: 1)
    var text = Self.beside(right, limits: "[[limit]]\nequation = \"samples\"\nfile = \"\(right)\"\n")
    text = text.replacing("[samples]\nfile = \"\(right)\"\n", with: "")
    let found = try comparisons(text)
    #expect(Set(found.keys) == ["samples", "exact"] && found["samples"]?.finite == "network")
    #expect(found["samples"]?.verdict == .agrees, "\(found["samples"]?.sentence ?? "")")

    // Ten percent more variance of plain rows, 4.9% more standard deviation: a distance of laws of 0.0115.
    var random = OwnRandom(3)
    let n = 1_000_000
    func normals(_ scale: Double) -> [Double] { (0..<n).map { _ in scale * random.normal() } }
    let a = try files.csv("a", [("x", normals(1))])
    for (scale, verdict) in [(1.0, Equivalence.agrees), (1.1.squareRoot(), .differs)] {
      let b = try files.csv("b", [("x", normals(scale))])
      let found = try comparisons(
        "seed = 1\n[samples]\nfile = \"\(a)\"\n[[limit]]\nequation = \"samples\"\nfile = \"\(b)\"\n[comparison]\nks = 0.006\n"
      )
      #expect(found["reference"]?.verdict == verdict, "\(found["reference"]?.sentence ?? "")")
    }
  }

  @Test func theDrawsAreTheRowsInOrder() throws {
    let path = try files.csv(
      "t", [("x@2", [1.5, -2, 4]), ("y[0,1]@2", [7, 8, 9]), ("x@1", [0.5, 0.25, 0.125]), ("y[0,1]@1", [1, 2, 3])])
    let file = try job("seed = 9\n[samples]\nfile = \"\(path)\"\n[run]\nkeep = 3\n")
    for ranks in [1, 2, 3, 7] {
      let snapshot = try LocalRun.run(file.job, ranks: ranks).snapshot
      let leg = file.job.cases[0].legs[0]
      #expect(leg.axis.values == [1, 2] && leg.observables.map(\.name) == ["x", "y[0,1]"])
      #expect(leg.observables[1].family == "y" && leg.observables[1].indices == [0, 1])
      #expect(snapshot.states[0].rows.values == [0: [0.5, 1, 1.5, 7], 1: [0.25, 2, -2, 8], 2: [0.125, 3, 4, 9]])
      #expect(snapshot.states[0].tally.moments(2).mean == 3.5 / 3)
    }
    // The seed decides nothing.
    let other = try job("seed = 10\n[samples]\nfile = \"\(path)\"\n[run]\nkeep = 3\n")
    #expect(try digest(file, ranks: 2) == digest(other, ranks: 1))
  }

  @Test func aChangedFileIsAnotherJobAndMoreRowsAreTheSame() throws {
    let path = try files.csv("t", [("x", [1, 2, 3, 5])])
    let text = "seed = 9\n[samples]\nfile = \"\(path)\"\n"
    let (first, fewer) = (try job(text).job, try job(text, ["samples.rows=2"]).job)
    #expect(first.firstDifference(from: fewer) == nil && fewer.cases[0].legs[0].draws == 2)
    // Extended, two rows end in the bits of all.
    let two = try LocalRun.run(fewer, ranks: 2).snapshot.states
    let all = try LocalRun.run(first, ranks: 3, restored: reread(two, fewer)).snapshot.states
    #expect(try Digest.of(all) == Digest.of(LocalRun.run(first, ranks: 1).snapshot.states))
    _ = try files.csv("t", [("x", [1, 2, 3, 6])])
    let difference = try #require(try job(text).job.firstDifference(from: first))
    #expect(difference.mine.contains("samples.sha256 = "), "\(difference)")
  }

  @Test func everyRankReadsTheSame() throws {
    let path = try files.csv("t", [("x@1", [1, 2, 3, 5]), ("chain", [0, 1, 0, 1])])
    let bad = try files.text("bad.csv", "x\n1\nnan\n")
    let texts = [path, bad].map { "seed = 9\n[samples]\nfile = \"\($0)\"\n" }
    let read = try ThreadWorld.run(ranks: 3) { world in
      let data = SharedData(DataFiles(job: "job.toml"), world)
      let job = try JobReader(data: data).read(texts[0], name: "job.toml").job
      let failure = #expect(throws: Failure.self) { try JobReader(data: data).read(texts[1], name: "job.toml") }
      return job.identity + ["\(job.cases[0].legs[0].dependence?.chains ?? 0)", failure?.message ?? ""]
    }
    #expect(read[0] == read[1] && read[0] == read[2] && read[0].contains("2"), "\(read[0])")
    #expect(read[0].last?.contains("bad.csv, line 3, column 1 (x)") == true, "\(read[0])")
  }

  /// Files go with the size that they were made for.
  @Test func aSweepOverWidthsAndFilesIsExtrapolated() throws {
    var random = OwnRandom(4)
    let widths = [16, 32, 64, 128]
    let paths = try widths.map { n in
      try files.csv("n\(n)", [("rho[0,1]", (0..<4000).map { _ in 0.4830795 + 2 / Double(n) + 0.1 * random.normal() })])
    }
    let pairs = zip(widths, paths).map { "[\($0), \"\($1)\"]" }.joined(separator: ", ")
    let text =
      Self.beside(paths[0]).replacing("layers = [1, 3]", with: "layers = [1]")
      + "\n[sweep]\n\"network.width, samples.file\" = [\(pairs)]\n"
    let snapshot = try LocalRun.run(job(text, ["network.draws=500"]).job, ranks: 1).snapshot
    let limit = try #require(
      Analyses.scalings(snapshot).first { $0.verdicts.contains { $0.subject == "infinite-width scaling" } })
    #expect(limit.verdicts[0].word == .agrees, "\(limit.verdicts[0].sentence)")
  }
}
