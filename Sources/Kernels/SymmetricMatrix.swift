/// A symmetric m x m matrix, row by row.
public enum SymmetricMatrix {
  /// - Parameters:
  ///   - other: a second matrix that is written with the first, if there is one.
  ///   - write: puts the entries 0 ... a of row a in their place; the others are mirrored.
  public static func fill(
    _ entries: UnsafeMutablePointer<Double>, and other: UnsafeMutablePointer<Double>? = nil, _ m: Int,
    _ write: (_ a: Int) -> Void
  ) {
    // Rows are mirrored some at a time: a column of single entries would be one line of the cache each.
    let together = 16
    for first in stride(from: 0, to: m, by: together) {
      let last = min(first + together, m)
      for a in first..<last { write(a) }
      mirror(entries, m, first..<last)
      if let other { mirror(other, m, first..<last) }
    }
  }

  private static func mirror(_ entries: UnsafeMutablePointer<Double>, _ m: Int, _ rows: Range<Int>) {
    for b in 0..<rows.upperBound {
      for a in max(rows.lowerBound, b)..<rows.upperBound { entries[b &* m &+ a] = entries[a &* m &+ b] }
    }
  }
}
