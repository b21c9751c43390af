/// Edges of graphs that have a name.
enum NamedGraphs {
  static func ring(_ n: Int) -> [(Int, Int)] { (0..<n).map { ($0, ($0 + 1) % n) } }

  /// Petersen's graph: a ring of five vertices, a star of five, and a spoke between each two.
  static let petersen: [(Int, Int)] =
    ring(5) + (0..<5).map { (5 + $0, 5 + ($0 + 2) % 5) } + (0..<5).map { ($0, 5 + $0) }

  /// Friendships in a karate club (Zachary, J. Anthropol. Res. 33 (1977) 452): 34 members, 78 edges.
  static let karate: [(Int, Int)] = [
    (0, [1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 17, 19, 21, 31]), (1, [2, 3, 7, 13, 17, 19, 21, 30]),
    (2, [3, 7, 8, 9, 13, 27, 28, 32]), (3, [7, 12, 13]), (4, [6, 10]), (5, [6, 10, 16]), (6, [16]), (8, [30, 32, 33]),
    (9, [33]), (13, [33]), (14, [32, 33]), (15, [32, 33]), (18, [32, 33]), (19, [33]), (20, [32, 33]), (22, [32, 33]),
    (23, [25, 27, 29, 32, 33]), (24, [25, 27, 31]), (25, [31]), (26, [29, 33]), (27, [33]), (28, [31, 33]),
    (29, [32, 33]), (30, [32, 33]), (31, [32, 33]), (32, [33]),
  ].flatMap { i, others in others.map { (i, $0) } }
}
