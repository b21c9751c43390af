import Experiments
import Kernels

/// What the learning rate is multiplied by, step by step.
package enum RateSchedule: Sendable {
  case constant
  /// From 1 to 0 over all steps, after a linear rise: $1 - (t - w - 1)/(T - w)$, or $(1 + \cos \pi(\cdot))/2$ of the same.
  case linear(warmUp: Int, steps: Int)
  case cosine(warmUp: Int, steps: Int)
  /// 1 after a linear rise.
  case warmUp(Int)
  /// $(1 + t/\tau)^{-p}$.
  case power(time: Double, exponent: Double)
  /// Multiplied by `factor` after each of the steps given.
  case steps([Int], factor: Double)

  static let names = ["constant", "linear", "cosine", "power", "steps"]
  static let words =
    "\"constant\", or a table: { name = \"constant\", warm_up = 100 }, { name = \"linear\", warm_up = 0 }, { name = \"cosine\", warm_up = 100 }, { name = \"power\", time = 100, exponent = 0.5 } or { name = \"steps\", at = [1000, 2000], factor = 0.1 }"

  static let parameters = [
    Parameter("name", .choice(names), "its form"),
    Parameter(
      "warm_up", .integer(0...1_000_000_000_000), default: .integer(0), unit: "steps",
      "steps over which the rate rises linearly to its full value; of constant, linear and cosine"),
    Parameter(
      "time", .real(.above(0)), default: .real(1), unit: "steps", "tau of (1 + (t - 1)/tau)^-exponent; of power"),
    Parameter("exponent", .real(.above(0)), default: .real(0.5), "of power"),
    Parameter("at", .structured("an ascending array of steps"), optional: true, "steps after which it falls; of steps"),
    Parameter("factor", .real(.above(0)), default: .real(0.1), "by which it falls; of steps"),
  ]

  package init(_ value: JobValue?, path: String, steps: Int) throws {
    var table = value
    if case .text? = value { table = .table(["name": value!]) }
    let p = try Parameters(table, path: path, allowed: Self.parameters)
    let (name, warmUp) = (p.text("name"), p.integer("warm_up"))
    let takes = [
      "constant": ["warm_up"], "linear": ["warm_up"], "cosine": ["warm_up"], "power": ["time", "exponent"],
      "steps": ["at", "factor"],
    ]
    if case .table(let given)? = table,
      let extra = given.keys.sorted().first(where: { $0 != "name" && !takes[name]!.contains($0) })
    {
      throw p.invalid(
        extra, "belongs to another schedule than \(name), which takes \(takes[name]!.joined(separator: ", "))")
    }
    guard warmUp < steps else { throw p.invalid("warm_up", "must be less than the \(steps) steps of a run") }
    switch name {
    case "linear": self = .linear(warmUp: warmUp, steps: steps)
    case "cosine": self = .cosine(warmUp: warmUp, steps: steps)
    case "power": self = .power(time: p.real("time"), exponent: p.real("exponent"))
    case "steps":
      let wrong = p.invalid(
        "at", "must be an ascending array of steps in [1, \(steps - 1)]: a fall after the last step is none")
      guard case .list(let items)? = p["at"], !items.isEmpty else { throw wrong }
      let at = try items.map { item -> Int in
        guard let step = item.integer, (1..<Int64(steps)).contains(step) else { throw wrong }
        return Int(step)
      }
      guard zip(at, at.dropFirst()).allSatisfy(<) else { throw wrong }
      self = .steps(at, factor: p.real("factor"))
    default: self = warmUp == 0 ? .constant : .warmUp(warmUp)
    }
  }

  /// - Parameter step: from 1.
  package func factor(_ step: Int) -> Double {
    func rise(_ warmUp: Int) -> Double? { step <= warmUp ? Double(step) / Double(warmUp) : nil }
    func fallen(_ warmUp: Int, _ steps: Int) -> Double { Double(step - warmUp - 1) / Double(steps - warmUp) }
    switch self {
    case .constant: return 1
    case .warmUp(let warmUp): return rise(warmUp) ?? 1
    case .linear(let warmUp, let steps): return rise(warmUp) ?? 1 - fallen(warmUp, steps)
    case .cosine(let warmUp, let steps):
      return rise(warmUp) ?? 0.5 * (1 + Elementary.sinCos(Double.pi * fallen(warmUp, steps)).cos)
    case .power(let time, let exponent): return Elementary.power(1 + Double(step - 1) / time, -exponent)
    case .steps(let at, let factor):
      var result = 1.0
      for fall in at where step > fall { result *= factor }
      return result
    }
  }
}
