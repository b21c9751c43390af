import Experiments
import Foundation

/// Files of graphs: Gset (`n m`, then `i j w`), edge lists with or without names and comments, and symmetric coordinate files of Matrix Market.
extension DataFiles {
  package func graph(_ request: GraphRequest) throws -> EdgeList {
    let path = try locate(request.file)
    guard let data = FileManager.default.contents(atPath: path) else {
      throw Failure(.inputOutput, "\(path): cannot be read")
    }
    let (graph, words) = try GraphText([UInt8](data), file: path).read(header: request.header)
    Notes.add("read \(path): \(words)")
    return graph
  }
}

extension SharedData {
  /// A graph that rank 0 reads for all.
  package func graph(_ request: GraphRequest) throws -> EdgeList {
    if let graph = graphs[request] { return graph }
    var encoder = StateEncoder()
    try world.onRoot { try source.graph(request).encode(to: &encoder) }
    let graph = try EdgeList(from: StateDecoder(bytes: try world.broadcast(world.isRoot ? encoder.bytes : [])))
    graphs[request] = graph
    return graph
  }
}

/// The text of a graph file, line by line.
struct GraphText {
  private let bytes: [UInt8]
  private let file: String

  /// Most vertices and edges of a file.
  static let most = 1 << 28

  init(_ bytes: [UInt8], file: String) {
    self.bytes = bytes
    self.file = file
  }

  /// A line of words: numbers of a graph, or names.
  private struct Line {
    let number: Int
    let words: [Range<Int>]
  }

  /// The graph, and what was read, as the log says it.
  func read(header: Bool?) throws -> (EdgeList, String) {
    if bytes.starts(with: Array("%%MatrixMarket".utf8)) || bytes.starts(with: Array("%%matrixmarket".utf8)) {
      guard header == nil else { throw refused("header speaks of edge lists; this is a file of Matrix Market") }
      return try matrixMarket()
    }
    guard !bytes.contains(0) else { throw refused("holds bytes that are no text; graphs are read from text files") }
    return try edges(header: header)
  }

  // MARK: Edge lists

  private func edges(header: Bool?) throws -> (EdgeList, String) {
    var lines = words(comments: Array("#%/".utf8))
    // A line of names, such as `source target weight`.
    let hasNames = lines.first.map { $0.words.allSatisfy { number($0) == nil && !isNumeric($0) } } ?? false
    if hasNames { lines.removeFirst() }
    guard let top = lines.first else { throw refused("has no edges") }
    let isHeader = try header ?? self.isHeader(top, lines, hasNames: hasNames)
    var sizes: (vertices: Int, edges: Int)?
    if isHeader {
      guard top.words.count == 2 else {
        throw wrong(top, "\(top.words.count) numbers; a header is `vertices edges`")
      }
      sizes = (try count(top, 0, "vertices"), try count(top, 1, "edges"))
      lines.removeFirst()
    }
    let width = lines.first?.words.count ?? 3
    guard lines.isEmpty || width == 2 || width == 3 else {
      throw wrong(lines[0], "\(width) numbers; an edge is `i j` or `i j weight`")
    }
    if let sizes, sizes.edges != lines.count {
      throw wrong(
        top, "the header says \(counted(sizes.edges, "edge")), but \(lines.count) follow")
    }
    var builder = GraphBuilder(isMatrix: false)
    builder.reserve(lines.count)
    for line in lines {
      guard line.words.count == width else {
        throw wrong(line, "\(line.words.count) numbers; the edges above have \(width)")
      }
      try builder.add(line.number, vertex(line, 0), vertex(line, 1), width == 3 ? try weight(line, 2) : 1, refused)
    }
    // Vertices are numbered from 1, but for a list without a header in which there is a 0.
    let base = sizes == nil && builder.least == 0 ? 0 : 1
    let vertices = sizes?.vertices ?? builder.largest - base + 1
    guard vertices > 0 else { throw refused("has no vertices") }
    let graph = try builder.finish(vertices: vertices, base: base, refused)
    let origin = sizes == nil ? "numbered from \(base)" : "header"
    return (
      graph,
      "\(counted(vertices, "vertex", "vertices")), \(counted(graph.count, "edge")), \(origin)"
        + (width == 2 ? ", no weights" : "")
    )
  }

  /// Whether the first line of numbers gives the sizes, where only one answer is possible.
  private func isHeader(_ top: Line, _ lines: [Line], hasNames: Bool) throws -> Bool {
    if top.words.count != 2 || hasNames { return false }
    guard lines.count > 1 else { return true }
    if lines[1].words.count == 3 { return true }
    if number(top.words[1]) == Double(lines.count - 1) { return true }
    throw wrong(
      top,
      "may be a header `vertices edges`, but \(lines.count - 1) lines follow, or an edge without a weight; give header = true or header = false"
    )
  }

  // MARK: Matrix Market

  /// `%%MatrixMarket matrix coordinate real|integer|pattern symmetric`.
  private func matrixMarket() throws -> (EdgeList, String) {
    let end = bytes.firstIndex(of: 0x0A) ?? bytes.count
    let banner = String(decoding: bytes[..<end], as: UTF8.self).lowercased().split(whereSeparator: \.isWhitespace)
    guard banner.count == 5, banner[1] == "matrix", banner[2] == "coordinate" else {
      throw refused("line 1: `matrix coordinate` files of Matrix Market are read")
    }
    guard ["real", "integer", "pattern"].contains(banner[3]) else {
      throw refused("line 1: its entries are \(banner[3]); real, integer and pattern are read")
    }
    guard banner[4] == "symmetric" else {
      throw refused("line 1: the matrix is \(banner[4]); symmetric ones are read, with one triangle in the file")
    }
    var lines = words(comments: Array("%".utf8))
    guard let top = lines.first, top.words.count == 3 else {
      throw refused("the line of sizes, `rows columns entries`, is missing")
    }
    lines.removeFirst()
    let (rows, columns) = (try count(top, 0, "rows"), try count(top, 1, "columns"))
    let entries = try count(top, 2, "entries")
    guard rows == columns, rows > 0 else { throw wrong(top, "\(rows) x \(columns) is no symmetric matrix") }
    guard entries == lines.count else {
      throw wrong(top, "the file says \(counted(entries, "entry", "entries")), but \(lines.count) follow")
    }
    let width = banner[3] == "pattern" ? 2 : 3
    var builder = GraphBuilder(isMatrix: true)
    builder.reserve(entries)
    for line in lines {
      guard line.words.count == width else {
        throw wrong(line, "\(line.words.count) numbers; \(width) are an entry of a \(banner[3]) file")
      }
      try builder.add(line.number, vertex(line, 0), vertex(line, 1), width == 3 ? try weight(line, 2) : 1, refused)
    }
    let graph = try builder.finish(vertices: rows, base: 1, refused)
    return (
      graph,
      "Matrix Market, \(counted(rows, "vertex", "vertices")), \(counted(graph.count, "edge"))"
        + (graph.diagonal.isEmpty ? "" : ", with a diagonal")
    )
  }

  // MARK: Words

  /// Lines that are neither empty nor comments; words are separated by blanks, tabs, commas or semicolons.
  private func words(comments: [UInt8]) -> [Line] {
    var result: [Line] = []
    var (number, at) = (0, 0)
    while at < bytes.count {
      let end = bytes[at...].firstIndex(of: 0x0A) ?? bytes.count
      number += 1
      var found: [Range<Int>] = []
      var start = at
      for i in at...end {
        let isBorder = i == end || [0x20, 0x09, 0x0D, 0x2C, 0x3B].contains(bytes[i])
        guard isBorder else { continue }
        if i > start { found.append(start..<i) }
        start = i + 1
      }
      if let first = found.first, !comments.contains(bytes[first.lowerBound]) {
        result.append(Line(number: number, words: found))
      }
      at = end + 1
    }
    return result
  }

  private func text(_ word: Range<Int>) -> String { String(decoding: bytes[word], as: UTF8.self) }

  private func number(_ word: Range<Int>) -> Double? {
    bytes.withUnsafeBufferPointer { DecimalNumber.parse(UnsafeBufferPointer(rebasing: $0[word])) }
  }

  /// Words such as nan, which stand for numbers that are none.
  private func isNumeric(_ word: Range<Int>) -> Bool { Double(text(word)) != nil }

  private func integer(_ word: Range<Int>) -> Int? { number(word).flatMap { Int(exactly: $0) } }

  private func vertex(_ line: Line, _ place: Int) throws -> Int {
    guard let value = integer(line.words[place]), value >= 0, value <= Self.most else {
      throw wrong(line, "\(text(line.words[place])) is no number of a vertex")
    }
    return value
  }

  private func weight(_ line: Line, _ place: Int) throws -> Double {
    guard let value = number(line.words[place]), value.isFinite else {
      throw wrong(line, "the weight \(text(line.words[place])) is no finite number")
    }
    return value
  }

  private func count(_ line: Line, _ place: Int, _ what: String) throws -> Int {
    guard let value = integer(line.words[place]), (0...Self.most).contains(value) else {
      throw wrong(line, "\(text(line.words[place])) \(what): must be an integer in [0, \(Self.most)]")
    }
    return value
  }

  private func wrong(_ line: Line, _ words: String) -> Failure { refused("line \(line.number): \(words)") }
  private func refused(_ words: String) -> Failure { Failure(.badData, "\(file): \(words)") }
}

/// Edges as they come, and what is wrong with them.
private struct GraphBuilder {
  private struct Entry {
    let line: Int
    let i, j: Int
    let weight: Double
  }

  /// Whether entries (i, i) are allowed.
  let isMatrix: Bool
  private var entries: [Entry] = []
  private(set) var least = Int.max
  private(set) var largest = 0

  init(isMatrix: Bool) { self.isMatrix = isMatrix }

  mutating func reserve(_ count: Int) { entries.reserveCapacity(count) }

  mutating func add(_ line: Int, _ i: Int, _ j: Int, _ weight: Double, _ refused: (String) -> Failure) throws {
    guard i != j || isMatrix else { throw refused("line \(line): \(i) \(j) is a loop; an edge joins two vertices") }
    (least, largest) = (min(least, i, j), max(largest, i, j))
    entries.append(Entry(line: line, i: min(i, j), j: max(i, j), weight: weight))
  }

  /// - Parameter base: number of the first vertex.
  mutating func finish(vertices: Int, base: Int, _ refused: (String) -> Failure) throws -> EdgeList {
    if let bad = entries.first(where: { $0.i < base || $0.j >= vertices + base }) {
      let wrong = bad.i < base ? bad.i : bad.j
      throw refused(
        "line \(bad.line): there is no vertex \(wrong); they are numbered \(base) to \(vertices + base - 1)")
    }
    entries.sort { ($0.i, $0.j, $0.line) < ($1.i, $1.j, $1.line) }
    for (a, b) in zip(entries, entries.dropFirst()) where (a.i, a.j) == (b.i, b.j) {
      throw refused("line \(b.line): the edge \(a.i) \(a.j) is on line \(a.line) already")
    }
    var diagonal: [Double] = []
    if entries.contains(where: { $0.i == $0.j }) {
      diagonal = Array(repeating: 0, count: vertices)
      for entry in entries where entry.i == entry.j { diagonal[entry.i - base] = entry.weight }
      entries.removeAll { $0.i == $0.j }
    }
    return EdgeList(
      vertices: vertices, first: entries.map { Int32($0.i - base) }, second: entries.map { Int32($0.j - base) },
      weights: entries.map(\.weight), diagonal: diagonal)
  }
}

/// `2 vertices`, `1 vertex`.
private func counted(_ count: Int, _ noun: String, _ plural: String) -> String {
  "\(count) \(count == 1 ? noun : plural)"
}
