/// Numbers in sentences.
enum Words {
  /// A number to some significant digits.
  static func format(_ x: Double, _ digits: Int) -> String {
    guard x.isFinite, x != 0 else { return x == 0 ? "0" : "\(x)" }
    var scale = 1.0
    var magnitude = x.magnitude
    var places = digits - 1
    while magnitude >= 10 {
      magnitude /= 10
      places -= 1
    }
    while magnitude < 1 {
      magnitude *= 10
      places += 1
    }
    for _ in 0..<max(places, 0) { scale *= 10 }
    guard scale.isFinite else { return "\(x)" }
    let rounded = (x * scale).rounded() / scale
    return places <= 0 && x.magnitude < 1e15 ? "\(Int64(rounded))" : "\(rounded)"
  }

  /// Names, each once, in their order.
  static func list(_ names: [String]) -> String {
    var once: [String] = []
    for name in names where !once.contains(name) { once.append(name) }
    return once.joined(separator: ", ")
  }

  /// Powers of a small parameter as people write them: 1/n, n^-1/2, h^2.
  static func power(_ symbol: String, isInverse: Bool, order: Double) -> String {
    if order == 1 { return isInverse ? "1/\(symbol)" : symbol }
    let half = order == 0.5 ? "1/2" : format(order, 3)
    return isInverse ? "\(symbol)^-\(half)" : "\(symbol)^\(half)"
  }
}
