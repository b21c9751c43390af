import Experiments
import Networks
import Randomness
import Tangent
import Testing

import Limits

/// Sketches: exact means and variances, of a problem of draws and of Gram matrices.
@Suite struct SketchTests {
  @Test(arguments: ["gaussian", "product"], ["reduced", "entries"])
  func variancesAreExact(columns: String, sampler: String) throws {
    let service = try Service(
      """
      service = "sketch"
      dimension = 3
      columns = "\(columns)"
      gradients = [[1.5, 0.4], [0.4, 0.7]]
      posts = [[0.9, -0.6], [-0.6, 2.0]]
      sampler = "\(sampler)"
      features = 4
      draws = 2
      """)
    for (name, mean) in [("kernel", -0.24), ("diagonal", 1.35)] {
      #expect((try service.exact(name) - mean).magnitude < 1e-15)
      let values = try service.sample(name, 40_000)
      let variance = try service.exact(name, .variance)
      expect(values, mean, 0, "\(columns), \(sampler): \(name)")
      expect(values.map { ($0 - mean) * ($0 - mean) }, variance, 0, "\(columns), \(sampler): variance of \(name)")
    }
    // [k_aa k_bb + k_ab^2]/p, and [(A + 2 C^2)(B + 2 D^2) - C^2 D^2]/p.
    let expected =
      columns == "gaussian" ? (1.5 * 0.9 * 0.7 * 2 + 0.24 * 0.24) / 3 : ((1.05 + 0.32) * (1.8 + 0.72) - 0.0576) / 3
    #expect((try service.exact("kernel", .variance) - expected).magnitude < 1e-14)
  }

  private static let points: [[Double]] = {
    var stream = Stream(key: 4)
    stream.start(draw: 0)
    return (0..<7).map { _ in (0..<3).map { _ in stream.normal() } }
  }()

  private static func gram(
    _ kind: NetworkGram.Kind, _ keys: [String: JobValue], _ sketch: SketchChoice? = nil, bands: Int = 7
  ) throws -> [Double] {
    var table: [String: JobValue] = [
      "architecture": .text("mlp"), "activation": .text("erf"), "depth": .integer(2), "width": .integer(12),
    ]
    table.merge(keys) { $1 }
    let kernel = try NetworkGram.make(
      .table(table), kind, points, normalise: true, seed: 6, draw: 1, sketch: sketch)
    var matrix = Array(repeating: 0.0, count: 49)
    for first in stride(from: 0, to: 7, by: bands) {
      let rows = first..<min(first + bands, 7)
      var band = Array(repeating: 0.0, count: rows.count * rows.upperBound)
      try band.withUnsafeMutableBufferPointer {
        try kernel.write(rows, to: try #require($0.baseAddress), stride: rows.upperBound)
      }
      for a in rows { for b in 0...a { matrix[a * 7 + b] = band[(a - first) * rows.upperBound + b] } }
    }
    return matrix
  }

  /// A sketch of p columns is the kernel of the same drawn network within its exact standard deviation; of Gaussian columns the squares of all entries add up to it. Bits do not depend on the bands.
  @Test(
    arguments: [
      [:], ["bias": .real(0.5)], ["architecture": .text("resnet"), "lambda": .real(0.7)],
    ] as [[String: JobValue]])
  func sketchesAreUnbiased(keys: [String: JobValue]) throws {
    let (p, kernel) = (4000, try Self.gram(.finite, keys))
    for columns in SketchChoice.Columns.allCases {
      let choice = SketchChoice(dimension: p, columns: columns)
      let sketch = try Self.gram(.sketched, keys, choice)
      #expect(try Self.gram(.sketched, keys, choice, bands: 2) == sketch)
      var squares = 0.0
      for a in 0..<7 {
        for b in 0...a {
          let (k, own) = (kernel[a * 7 + b], kernel[a * 8] * kernel[b * 8])
          let z = (sketch[a * 7 + b] - k) / ((own + k * k) / Double(p)).squareRoot()
          // Products of two normal numbers spread up to 1.5 times as much as one.
          #expect(z.magnitude < (columns == .gaussian ? 4.5 : 9), "\(keys), \(columns) \(a), \(b): \(z)")
          squares += z * z / 28
        }
      }
      #expect(columns == .gaussian ? squares < 4 : squares > 0.02, "\(keys), \(columns): \(squares)")
    }
  }

  /// The first columns are the same whatever p is, so that p columns are p times the mean of sketches of one.
  @Test func columnsDoNotDependOnTheirNumber() throws {
    let one = try Self.gram(.sketched, [:], SketchChoice(dimension: 1, columns: .product))
    let two = try Self.gram(.sketched, [:], SketchChoice(dimension: 2, columns: .product))
    // What the second adds has rank 1 again.
    let rest = zip(two, one).map { 2 * $0 - $1 }
    #expect((rest[8] * rest[0] - rest[7] * rest[7]).magnitude < 1e-12 * (1 + rest[8] * rest[0]))
    #expect((one[8] * one[0] - one[7] * one[7]).magnitude < 1e-12 * (1 + one[8] * one[0]))
  }
}
