/// What was probably meant by a name that does not exist.
public enum Nearest {
  /// The closest of the names that exist; nil if none is close. Case, `-` and `_` do not count, and neither do indices in
  /// brackets. A name that one of them begins with counts as close, and so does its last part after a dot.
  public static func name(to given: String, among names: [String]) -> String? {
    let mine = folded(given)
    guard !mine.isEmpty else { return nil }
    var best: (name: String, cost: Int)?
    for name in names {
      let other = folded(name)
      guard let cost = Self.cost(mine, other), cost < best?.cost ?? .max else { continue }
      best = (name, cost)
    }
    return best?.name
  }

  /// `; did you mean width?`, or nothing.
  public static func hint(_ given: String, among names: [String]) -> String {
    name(to: given, among: names).map { "; did you mean \($0)?" } ?? ""
  }

  /// ` (did you mean width?)`, or nothing: within a sentence.
  public static func remark(_ given: String, among names: [String]) -> String {
    name(to: given, among: names).map { " (did you mean \($0)?)" } ?? ""
  }

  private static func folded(_ name: String) -> [UInt8] {
    name.lowercased().prefix { $0 != "[" }.utf8.map { $0 == UInt8(ascii: "_") ? UInt8(ascii: "-") : $0 }
  }

  /// Smaller is closer; nil if too far.
  private static func cost(_ a: [UInt8], _ b: [UInt8]) -> Int? {
    let distance = Self.distance(a, b)
    if distance <= max(1, min(a.count, b.count) / 3) { return 2 * distance }
    let (short, long) = a.count < b.count ? (a, b) : (b, a)
    guard short.count >= 3 else { return nil }
    let dot = [UInt8(ascii: ".")]
    let isPart = long.starts(with: short) || long.suffix(short.count + 1).elementsEqual(dot + short)
    return isPart ? 2 * (short.count / 3) + 1 : nil
  }

  /// Insertions, deletions, replacements and swaps of neighbours that make one of the other (optimal string alignment).
  static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var (before, last) = ([Int](), Array(0...b.count))
    for i in 0..<a.count {
      var row = [i + 1]
      for j in 0..<b.count {
        var best = min(last[j] + (a[i] == b[j] ? 0 : 1), last[j + 1] + 1, row[j] + 1)
        if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] { best = min(best, before[j - 1] + 1) }
        row.append(best)
      }
      (before, last) = (last, row)
    }
    return last[b.count]
  }
}
