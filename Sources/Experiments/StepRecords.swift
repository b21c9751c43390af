/// The key `records`: after which of its steps a draw is measured.
package enum StepRecords {
  /// Most records of one job; each has a tally of its own.
  package static let most = 10_000

  package static let parameter = Parameter(
    "records",
    .structured(
      "\"last\", \"all\", \"octaves\" or an ascending array of at most \(most) numbers of steps in 0...steps"),
    default: .text("octaves"), "steps after which it is measured; octaves: the start, 1, 2, 4, … and the last")

  /// Numbers of steps, ascending.
  package static func read(_ p: Parameters, steps: Int) throws -> [Int] {
    let wrong = p.invalid(
      "records",
      "must be \"last\", \"all\", \"octaves\" or an ascending array of at most \(most) numbers of steps in [0, \(steps)]"
        + Nearest.hint(p["records"], among: ["last", "all", "octaves"]))
    switch p["records"] {
    case .text("last"): return [steps]
    case .text("all"):
      guard steps < most else {
        throw p.invalid("records", "would be \(steps + 1) records; at most \(most) can be kept: list those")
      }
      return Array(0...steps)
    case .text("octaves"):
      var found = [0]
      var next = 1
      while next < steps {
        found.append(next)
        next *= 2
      }
      return found + [steps]
    case .list(let items):
      let found = try items.map { item -> Int in
        guard let step = item.integer, (0...Int64(steps)).contains(step) else { throw wrong }
        return Int(step)
      }
      guard (1...most).contains(found.count), zip(found, found.dropFirst()).allSatisfy(<) else { throw wrong }
      return found
    default: throw wrong
    }
  }
}
