/// A graph of a file, as a model asks for it.
public struct GraphRequest: Sendable, Hashable {
  /// As the job writes it: relative to the job file, or absolute.
  public let file: String
  /// Whether the first line of numbers is `vertices edges`; nil to find out, where only one answer is possible.
  public let header: Bool?

  public init(file: String, header: Bool? = nil) {
    self.file = file
    self.header = header
  }
}

/// An undirected graph with a weight for each edge: edges (i, j), i < j, vertices from 0, each edge once, sorted.
public struct EdgeList: Sendable, Equatable {
  public let vertices: Int
  public let first, second: [Int32]
  public let weights: [Double]
  /// Of each vertex, for a matrix with a diagonal; empty for a graph.
  public let diagonal: [Double]

  public init(vertices: Int, first: [Int32], second: [Int32], weights: [Double], diagonal: [Double] = []) {
    precondition(first.count == weights.count && second.count == weights.count)
    precondition(diagonal.isEmpty || diagonal.count == vertices)
    self.vertices = vertices
    self.first = first
    self.second = second
    self.weights = weights
    self.diagonal = diagonal
  }

  public var count: Int { weights.count }

  /// A hash of the whole graph: a job continues with the one that it began with, or not at all.
  public var fingerprint: String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    func add(_ word: UInt64) { hash = (hash ^ word) &* 0x100_0000_01b3 }
    add(UInt64(vertices))
    for e in weights.indices {
      add(UInt64(UInt32(bitPattern: first[e])) << 32 | UInt64(UInt32(bitPattern: second[e])))
      add(weights[e].bitPattern)
    }
    for value in diagonal { add(value.bitPattern) }
    return String(hash, radix: 16)
  }

  public func encode(to encoder: inout StateEncoder) {
    encoder.add("vertices", vertices)
    encoder.add("first", first.map(Int64.init))
    encoder.add("second", second.map(Int64.init))
    encoder.add("weights", weights)
    encoder.add("diagonal", diagonal)
  }

  /// Takes back what `encode` left, and refuses what is no graph.
  public init(from decoder: StateDecoder) throws {
    let vertices = try decoder.count("vertices")
    let weights = try decoder.doubles("weights")
    let first = try decoder.integers("first", count: weights.count)
    let second = try decoder.integers("second", count: weights.count)
    let diagonal = try decoder.doubles("diagonal")
    guard vertices <= Int(Int32.max), diagonal.isEmpty || diagonal.count == vertices,
      (weights + diagonal).allSatisfy(\.isFinite),
      zip(first, second).allSatisfy({ 0 <= $0 && $0 < $1 && $1 < Int64(vertices) }),
      zip(zip(first, second), zip(first.dropFirst(), second.dropFirst())).allSatisfy({ $0 < $1 })
    else { throw decoder.unfit("first") }
    self.init(
      vertices: vertices, first: first.map { Int32($0) }, second: second.map { Int32($0) }, weights: weights,
      diagonal: diagonal)
  }
}

extension DataSource {
  /// For sources that have no graphs.
  public func graph(_ request: GraphRequest) throws -> EdgeList {
    throw Failure(.badData, "\(request.file): files of graphs are not read here")
  }
}
