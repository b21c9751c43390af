import Experiments
import Foundation
import Jobs
import Testing

/// Jobs of `fathom kernel`: which rows and columns are points, what identifies a matrix, and what is refused.
@Suite struct GramJobTests {
  private struct Rows: DataSource {
    var columns = ["a", "b", "label"]
    let rows: [[Double]]
    func table(_ request: TableRequest) throws -> DataTable { DataTable(columns: columns, rows: rows) }
    func samples(_ request: SampleRequest) throws -> SampleTable { throw Failure(.badData, "none") }
  }

  private static let points = [[1.0, 0, 3], [0, 2, 1], [3, 4, 3], [-1, 1, 0], [2, -1, 5]]

  private static func read(
    _ keys: String = "", of: String = "nngp", own: String = "[network]\narchitecture = \"linear-mlp\"\ndepth = 1",
    rows: [[Double]] = points, memory: Double = 1e9
  ) throws -> GramJob {
    try GramJob.read(
      "seed = 1\n[kernel]\nof = \"\(of)\"\nfile = \"x.csv\"\n\(keys)\n\(own)", name: "gram.toml",
      data: Rows(rows: rows), memory: memory)
  }

  private static func matrix(_ job: GramJob) throws -> GramMatrix {
    let kernel = try job.make()
    return try job.matrix { try GramJob.rows($0, of: kernel) }
  }

  /// Of a linear network the kernel is that of the inputs: cosines, or products over the number of features.
  @Test func rowsAndColumnsAreThePoints() throws {
    let job = try Self.read("label = \"label\"\nrows = [3, 0, 2]\nblock = 2")
    #expect(job.rows == [3, 0, 2])
    #expect(job.labels == [0, 3, 3])
    #expect(job.bands == [0..<2, 2..<3])
    let found = try Self.matrix(job)
    let root = 2.0.squareRoot()
    let exact = [1, -1 / root, 1 / (5 * root), -1 / root, 1, 0.6, 1 / (5 * root), 0.6, 1]
    for (value, known) in zip(found.values, exact) { #expect((value - known).magnitude < 1e-15) }
    let plain = try Self.matrix(Self.read("label = \"label\"\nrows = { from = 1, every = 2 }\nnormalise = false"))
    #expect(plain.count == 2)
    for (value, known) in zip(plain.values, [2.0, 1, 1, 1]) { #expect((value - known).magnitude < 1e-15) }
    // The label is a feature where it is not named.
    let whole = try Self.matrix(Self.read("normalise = false\nrows = [0, 1]"))
    for (value, known) in zip(whole.values, [10.0 / 3, 1.0, 1.0, 5.0 / 3]) {
      #expect((value - known).magnitude < 1e-15)
    }
  }

  /// The ends of the spectrum have the jitter, the matrix has not.
  @Test func jitterIsInTheSpectrumOnly() throws {
    let found = try Self.matrix(Self.read("label = \"label\"\nrows = [0, 1]\njitter = 0.5"))
    #expect(found.values[0] == 1)
    #expect((found.largest - 1.5).magnitude < 1e-12 && (found.least - 1.5).magnitude < 1e-12)
    let none = try Self.matrix(Self.read("condition = false"))
    #expect(none.largest.isNaN && none.least.isNaN)
    let singular = try Self.matrix(Self.read("label = \"label\""))
    #expect(singular.least.isNaN && singular.largest > 1)
  }

  /// How rows are made and what is said of them are no part of what they are; everything else is.
  @Test func identities() throws {
    let job = try Self.read()
    for keys in ["block = 3", "jitter = 0.1", "condition = false"] {
      #expect(try Self.read(keys).identity == job.identity, "\(keys)")
    }
    var other = Self.points
    other[4][1] += 1e-9
    #expect(try Self.read(rows: other).identity != job.identity)
    for keys in ["rows = [0, 1, 2, 3]", "normalise = false", "label = \"label\""] {
      #expect(try Self.read(keys).identity != job.identity, "\(keys)")
    }
    #expect(try Self.read(own: "[network]\narchitecture = \"linear-mlp\"\ndepth = 2").identity != job.identity)
  }

  /// Paths along rows: the time goes from 0 to 1, so of x = t and the identity the kernel is Bessel's I_0(2).
  @Test func timesOfPaths() throws {
    let rows = [[0.0, 0, 0], [0, 0.5, 1], [1, 1, 1]]
    let job = try Self.read(
      "time = true\njitter = 0.1\nrefine = 64", of: "signature", own: "[signature]\nactivation = \"linear\"", rows: rows
    )
    let found = try Self.matrix(job)
    func bessel(_ c: Double) -> Double {
      var (sum, term) = (1.0, 1.0)
      for k in 1...30 {
        term *= c / Double(k * k)
        sum += term
      }
      return sum
    }
    #expect((found.values[0] - bessel(1)).magnitude < 1e-7, "\(found.values[0])")
    #expect((found.values[4] - bessel(2)).magnitude < 1e-6, "\(found.values[4])")
    #expect((found.values[3] - bessel(1)).magnitude < 1e-7, "\(found.values[3])")
  }

  @Test func whatIsWrongIsNamed() throws {
    let signature = "[signature]\nactivation = \"linear\""
    let linear = "[network]\narchitecture = \"linear-mlp\"\ndepth = 1"
    for (keys, of, own, rows, memory, words) in [
      (
        "rows = [1, 1]", "nngp", linear, Self.points, 1e9,
        "kernel.rows = [1, 1]: must be an array of different row numbers"
      ),
      ("rows = [0, 5]", "nngp", linear, Self.points, 1e9, "row numbers in [0, 4]"),
      ("rows = [2]", "nngp", linear, Self.points, 1e9, "must be at least 2 points, not 1"),
      ("", "nngp", linear, [[1, 1, 1], [0, 0, 0]], 1e9, "row 1 is zero"),
      ("", "nngp", linear, [[1, 1, 1], [2, 2, 2]], 1e9, "kernel.rows = 0, 1: are equal points"),
      (
        "", "nngp", linear, Self.points, 399,
        "need 400.0 B on one rank, and this machine has 399.0 B: at most 4 points fit"
      ),
      ("", "nngp", linear, [[1, 1, 1], [1, .infinity, 1]], 1e9, "row 1 must have 3 finite numbers"),
      ("components = 2", "signature", signature, Self.points, 1e9, "kernel.components = 2: must divide the 3 numbers"),
      ("components = 3", "signature", signature, Self.points, 1e9, "leave 1 point of each path"),
      ("", "signature", signature, [[1, 2, 3], [2, 3, 4]], 1e9, "are equal points"),
      ("", "signature", linear, Self.points, 1e9, "is no table of kernel.of = \"signature\""),
      ("label = \"lable\"", "nngp", linear, Self.points, 1e9, "did you mean label"),
    ] as [(String, String, String, [[Double]], Double, String)] {
      let failure = #expect(throws: Failure.self, "\(keys) \(words)") {
        try Self.read(keys, of: of, own: own, rows: rows, memory: memory)
      }
      #expect(failure?.status == .badData)
      #expect(failure?.message.contains(words) ?? false, "\(failure?.message ?? "") should say: \(words)")
    }
    #expect(try Self.read(memory: 400).count == 5)
    let large = try Self.read(own: "[network]\narchitecture = \"mlp\"\nactivation = \"linear\"\ndepth = 3\nc = 1e200")
    let failure = #expect(throws: Failure.self) { try Self.matrix(large) }
    #expect(failure?.message.contains("leaves the range of numbers") ?? false, "\(failure?.message ?? "")")
  }
}
