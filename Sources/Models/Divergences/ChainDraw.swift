import Experiments
import Randomness

/// The log of the ratio of a law to its target, record by record.
protocol LogRatio: Sendable {
  /// Of one of independent coordinates.
  func logRatio(record: Int, coordinate: Int, _ x: Double) -> Double
}

/// A chain, and what is known of its law: a draw is a whole run of independent coordinates. Values of a record: the coordinates, their squares, the sum of log q/pi over them, whose mean is KL, and
/// the divergences, which are the same in every draw.
struct ChainDraw<T: LineTarget, L: LogRatio>: Draw {
  /// A part of the run: the steps to a record.
  struct Part: Sendable {
    let rule: ChainRule
    let steps: Int
    /// Whether it begins with a new start; else where the record before ended.
    let restarts: Bool
  }

  let schema: Schema
  let targets: [T]
  let starts: [NormalLaw]
  let parts: [Part]
  let law: L
  /// Record by record.
  let constants: [Double]

  final class Scratch {}

  func makeScratch() -> Scratch { Scratch() }

  func draw(using stream: inout Stream, scratch: Scratch, into values: UnsafeMutablePointer<Double>) -> DrawEvents {
    let (d, width) = (targets.count, schema.observables.count)
    let known = width - 2 * d - 1
    for r in parts.indices {
      let row = values + r &* width
      row[2 * d] = 0
      for k in 0..<known { row[2 * d + 1 + k] = constants[r &* known + k] }
    }
    for k in 0..<d {
      let target = targets[k]
      let std = starts[k].variance.squareRoot()
      var (x, v) = (0.0, 0.0)
      for (r, part) in parts.enumerated() {
        if part.restarts {
          let normals = stream.normals(2)
          x = starts[k].mean.addingProduct(std, normals[0])
          v = normals[1]
        }
        part.rule.advance(part.steps, &x, &v, target, &stream)
        let row = values + r &* width
        row[k] = x
        row[d + k] = x * x
        row[2 * d] += law.logRatio(record: r, coordinate: k, x)
      }
    }
    return []
  }

  /// Names of the coordinates of a chain as those of particles, and the ratio.
  static func sampled(_ dimension: Int, role: Observable.Role = .quantity) -> [Observable] {
    func each(_ name: String, _ family: String, _ summary: String) -> [Observable] {
      dimension == 1
        ? [Observable(family, role: role, summary)]
        : (0..<dimension).map { k in
          Observable(family, [k], role: role, name: name.replacing("x", with: "x[\(k)]"), "\(summary) \(k)")
        }
    }
    return each("x", "x", "coordinate of the chain") + each("x^2", "x^2", "square of the coordinate")
      + [Observable("log_ratio", role: role, unit: "nat", "log q/pi at the chain, q its law; its mean is KL(q | pi)")]
  }

  static func parts(_ rule: ChainRule, records: [Int]) -> [Part] {
    records.indices.map { r in
      Part(rule: rule, steps: records[r] - (r == 0 ? 0 : records[r - 1]), restarts: r == 0)
    }
  }
}

extension Observable {
  /// One that is worked out without sampling.
  static func exact(
    _ family: String, _ indices: [Int], role: Role = .quantity, unit: String = "1", name: String? = nil,
    _ summary: String
  ) -> Observable {
    Observable(family, indices, role: role, unit: unit, name: name, isExact: true, summary)
  }

  static func exact(
    _ family: String, role: Role = .quantity, unit: String = "1", name: String? = nil, _ summary: String
  ) -> Observable {
    exact(family, [], role: role, unit: unit, name: name, summary)
  }
}

/// The divergences of a record as observables, in the order of `values`.
struct DivergenceColumns {
  let orders: [Double]
  /// Whether the total variation distance is known.
  let hasVariation: Bool

  var observables: [Observable] {
    let renyi = orders.map { order -> Observable in
      let label = Axis.label(order)
      return .exact(
        "renyi", role: .auxiliary, unit: "nat", name: "renyi[\(label)]",
        "Renyi divergence of order \(label), exact; infinite where the tails of q are too heavy")
    }
    let first: Observable = .exact("KL", unit: "nat", "KL(q | pi), exact")
    let others: [Observable] = [
      .exact("overlap", "1/(1 + chi^2), exact: 0 where chi^2 is infinite"),
      .exact("W2", "Wasserstein distance of order 2, exact"),
    ]
    return [first] + renyi + others + (hasVariation ? [.exact("TV", "total variation distance, exact")] : [])
  }

  func values(_ found: Divergences) -> [Double] {
    [found.kl] + found.renyi + [found.overlap, found.wasserstein] + (hasVariation ? [found.variation] : [])
  }

  static let parameter = Parameter(
    "orders", .structured("an array of at most 8 different numbers above 1, at most 100"),
    default: .list([.real(2)]), "orders of the Renyi divergences")

  init(_ p: Parameters, hasVariation: Bool) throws {
    self.hasVariation = hasVariation
    guard case .list(let items)? = p["orders"], items.count <= 8,
      items.allSatisfy({ ($0.number ?? 0) > 1 && $0.number! <= 100 })
    else { throw p.invalid("orders", "must be \(Self.parameter.allowed)") }
    orders = items.map { $0.number! }
    guard Set(orders).count == orders.count else { throw p.invalid("orders", "must be different from each other") }
  }

  /// Says where the Renyi divergences are infinite.
  func infinities(_ found: [Divergences], steps: [Int]) -> String? {
    let parts = orders.indices.compactMap { k -> String? in
      let where_ = steps.indices.filter { found[$0].renyi[k] == .infinity }.map { String(steps[$0]) }
      guard !where_.isEmpty else { return nil }
      let list = where_.prefix(6).joined(separator: ", ") + (where_.count > 6 ? ", …" : "")
      return "the Renyi divergence of order \(Axis.label(orders[k])) is infinite after \(list) steps"
    }
    return parts.isEmpty ? nil : parts.joined(separator: "; ")
  }
}
