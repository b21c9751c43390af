import Experiments
import Kernels
import Limits
import Networks
import Randomness
import Signatures
import Statistics
import Testing

/// Gram matrices over many points: each entry against the reference of a job with those inputs, or against what a job draws.
@Suite struct GramMatrixTests {
  struct Points: DataSource {
    let rows: [[Double]]
    func table(_ request: TableRequest) throws -> DataTable {
      DataTable(columns: [], rows: (request.rows ?? Array(rows.indices)).map { rows[$0] })
    }
  }

  /// P points with some that are close to each other.
  static let points: [[Double]] = {
    var stream = Stream(key: 11)
    stream.start(draw: 0)
    var rows = (0..<9).map { _ in (0..<4).map { _ in stream.normal() } }
    rows[5] = rows[2].map { $0 + 1e-5 }
    rows[8] = rows[1].map { -$0 }
    return rows
  }()

  static func gram(_ kernel: any GramRows, bands: Int) throws -> [Double] {
    let count = kernel.count
    var matrix = Array(repeating: 0.0, count: count * count)
    for first in stride(from: 0, to: count, by: bands) {
      let rows = first..<min(first + bands, count)
      var band = Array(repeating: 0.0, count: rows.count * rows.upperBound)
      try band.withUnsafeMutableBufferPointer { try kernel.write(rows, to: $0.baseAddress!, stride: rows.upperBound) }
      for a in rows { for b in 0...a { matrix[a * count + b] = band[(a - first) * rows.upperBound + b] } }
    }
    return matrix
  }

  private static func make(_ keys: [String: Any], _ kind: NetworkGram.Kind, normalise: Bool = true, draw: UInt64 = 0)
    throws
    -> any GramRows
  {
    try NetworkGram.make(ProblemRuns.value(keys), kind, points, normalise: normalise, seed: 5, draw: draw)
  }

  private static func model(_ keys: [String: Any], normalise: Bool) throws -> NetworkModel {
    let inputs: [String: Any] = ["file": "p", "rows": Array(points.indices), "normalise": normalise]
    let all = keys.merging(["inputs": inputs, "draws": 2]) { $1 }
    return try NetworkFamily.read(
      ProblemRuns.value(all), JobContext(path: "network", options: [:], data: Points(rows: points))
    ).model
  }

  static let architectures: [[String: any Sendable]] = [
    ["architecture": "mlp", "activation": "relu", "depth": 3],
    ["architecture": "mlp", "activation": "erf", "depth": 4, "bias": 0.3],
    ["architecture": "mlp", "activation": "linear", "depth": 2],
    ["architecture": "orthogonal-mlp", "activation": "relu", "depth": 2],
    ["architecture": "linear-mlp", "depth": 2],
    ["architecture": "gated-mlp", "activation": "relu", "depth": 2],
    ["architecture": "resnet", "activation": "relu", "depth": 3, "lambda": 0.7],
    ["architecture": "conv-resnet", "activation": "relu", "depth": 2, "kernel": 1, "positions": 2],
    ["architecture": "normalised-mlp", "activation": "relu", "depth": 2, "normalisation": "layer"],
  ]

  /// The covariance is that of the limit `infinite-width` of a job with these inputs; the bits do not depend on how many rows are made at once.
  @Test func covariancesAreThoseOfJobs() throws {
    for keys in Self.architectures {
      let name = keys["architecture"] as! String
      let keys = keys.mapValues { $0 as Any }
      guard NetworkCatalog.architectures.contains(where: { $0.name == name }) else {
        Issue.record("no architecture \(name)")
        continue
      }
      for normalise in [true, false] {
        let kernel = try Self.make(keys, .nngp, normalise: normalise)
        let found = try Self.gram(kernel, bands: 4)
        #expect(try Self.gram(kernel, bands: 1) == found && Self.gram(kernel, bands: 9) == found, "\(name)")
        let network = try Self.model(keys.merging(["width": 1024, "observables": ["V"]]) { $1 }, normalise: normalise)
        let known = try limitLegs(
          table(["equation": .text("infinite-width")]), path: "limit", network: network, networkDraws: 2
        )
        .legs[0].known!
        let count = kernel.count
        for a in 0..<count {
          for b in 0...a {
            let value = try #require(known.mean(of: "V[\(b),\(a)]", record: 0))
            let scale = (found[a * count + a] * found[b * count + b]).squareRoot()
            #expect((found[a * count + b] - value).magnitude <= 1e-12 * scale, "\(name) \(a) \(b)")
          }
        }
      }
    }
  }

  /// The tangent kernel is that of `infinite-width-ntk`.
  @Test func tangentKernelsAreThoseOfJobs() throws {
    let keys: [[String: Any]] = [
      ["architecture": "mlp", "activation": "relu", "depth": 3],
      ["architecture": "mlp", "activation": "erf", "depth": 2, "bias": 0.2],
      ["architecture": "mlp", "activation": "relu", "depth": 2, "bias": 0.2, "lambda_b": 0.3, "lambda_w": 0.5],
      ["architecture": "resnet", "activation": "relu", "depth": 3, "lambda": 0.7],
    ]
    for keys in keys {
      let probes: [String: Any] = ["width": 1024, "probes": ["ntk"], "observables": ["ntk"]]
      let kernel = try Self.make(keys, .ntk)
      let found = try Self.gram(kernel, bands: 4)
      let network = try Self.model(keys.merging(probes) { $1 }, normalise: true)
      let known = try limitLegs(
        table(["equation": .text("infinite-width-ntk")]), path: "limit", network: network, networkDraws: 2
      ).legs[0].known!
      for a in 0..<kernel.count {
        for b in 0...a {
          let value = try #require(known.mean(of: "NTK[\(b),\(a)]", record: 0))
          #expect((found[a * kernel.count + b] - value).magnitude <= 1e-11 * found[0], "\(keys) \(a) \(b)")
        }
      }
    }
  }

  /// The kernel of a given draw is what a job with this seed draws with every weight.
  @Test func finiteKernelsAreThoseOfDraws() throws {
    let keys: [[String: Any]] = [
      ["architecture": "mlp", "activation": "erf", "depth": 3, "width": 20, "bias": 0.4],
      ["architecture": "mlp", "activation": "relu", "depth": 2, "width": 33, "lambda_w": 0.5],
      ["architecture": "resnet", "activation": "relu", "depth": 2, "width": 20],
    ]
    let key = Stream.key(seed: 5, path: "main/network")
    for keys in keys {
      let probes: [String: Any] = ["probes": ["ntk", "output"], "observables": ["ntk"], "sampler": "weights"]
      let model = try Self.model(keys.merging(probes) { $1 }, normalise: true)
      for draw in [0, 3] as [UInt64] {
        let kernel = try Self.make(keys, .finite, draw: draw)
        let found = try Self.gram(kernel, bands: 4)
        #expect(try Self.gram(kernel, bands: 2) == found)
        let values = model.experiment.makeRunner(key).values(draw)
        for a in 0..<kernel.count {
          for b in 0...a {
            let value = values[index(model.experiment, "NTK[\(b),\(a)]")]
            #expect((found[a * kernel.count + b] - value).magnitude <= 1e-12 * found[0], "\(keys) \(draw) \(a) \(b)")
          }
        }
      }
    }
  }

  /// Points that pass in several groups meet the same weights.
  @Test func groupsOfPointsMeetOneNetwork() throws {
    var stream = Stream(key: 12)
    stream.start(draw: 0)
    let points = (0..<150).map { _ in (0..<3).map { _ in stream.normal() } }
    let keys: [String: Any] = ["architecture": "mlp", "activation": "tanh", "depth": 2, "width": 8]
    func made(_ points: [[Double]]) throws -> [Double] {
      try Self.gram(
        try NetworkGram.make(ProblemRuns.value(keys), .finite, points, normalise: false, seed: 5, draw: 1), bands: 64)
    }
    let (all, some) = (try made(points), try made([points[140], points[7]]))
    #expect(all[140 * 150 + 7] == some[2] && all[140 * 150 + 140] == some[0])
  }

  /// Paths of straight lines against the limit of a job along them.
  @Test(arguments: ["linear", "relu"]) func signaturesAreThoseOfJobs(activation: String) throws {
    let paths = [[[0.0, 0], [1, 0.5], [0.5, 1]], [[1, 1], [0, 2], [0.5, 0]], [[0, 0], [-1, 0], [0.3, 0.3]]]
    struct Files: DataSource {
      let paths: [[[Double]]]
      func table(_ request: TableRequest) throws -> DataTable {
        DataTable(columns: [], rows: paths[Int(request.file)!])
      }
    }
    let keys: [String: Any] = [
      "width": 4, "steps": 2, "activation": activation, "sigma_bias": 0.5, "draws": 2,
      "paths": (0..<3).map { ["file": "\($0)"] },
    ]
    let model = try SignatureFamily.read(
      ProblemRuns.value(keys), JobContext(path: "signature", options: [:], data: Files(paths: paths))
    ).model
    let exact = SignatureKernel.atSteps(SignatureEquation(model.settings), model.settings).kernels
    let found = try Self.gram(
      SignatureGram(SignatureEquation(model.settings), paths.map(SignaturePath.init(points:)), refine: 64), bands: 2)
    var pair = 0
    for a in 0..<3 {
      for b in a..<3 {
        #expect(
          (found[b * 3 + a] - exact[pair][2]).magnitude < 1e-6, "\(a) \(b): \(found[b * 3 + a]), \(exact[pair][2])")
        pair += 1
      }
    }
  }

  /// Ends of the spectrum of a matrix whose spectrum is known: 2 - 2 cos(k pi/(P + 1)), and what is not positive definite.
  @Test func endsOfTheSpectrum() {
    let count = 150
    var matrix = Array(repeating: 0.0, count: count * count)
    for i in 0..<count {
      matrix[i * count + i] = 2
      if i > 0 { (matrix[i * count + i - 1], matrix[(i - 1) * count + i]) = (-1, -1) }
    }
    func sine(_ turns: Double) -> Double { Elementary.sinCosTurns(turns).sin }
    let ends = GramSpectrum.ends(matrix, count, jitter: 0.5)
    let low = 4 * sine(0.25 / Double(count + 1)) * sine(0.25 / Double(count + 1))
    #expect((ends.largest - (4.5 - low)).magnitude < 1e-4, "\(ends.largest)")
    #expect(((ends.least ?? .nan) - (0.5 + low)).magnitude < 1e-4, "\(String(describing: ends.least))")
    #expect(GramSpectrum.ends(matrix, count, jitter: -0.1).least == nil)
    #expect(GramSpectrum.ends([1, 1, 1, 1], 2, jitter: 0).least == nil)
  }
}
