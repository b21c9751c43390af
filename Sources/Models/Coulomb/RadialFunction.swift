import Experiments
import Formulas
import Kernels

/// A function of the distance from the origin: a power, $c r^p$, or a formula in r.
package struct RadialFunction: Sendable {
  private enum Kind: Sendable {
    case power(Double, scale: Double)
    /// Value and first two derivatives, for blocks; the first five derivatives and the value, for points.
    case formula(FormulaProgram, jet: FormulaProgram, Formula)
  }

  private let kind: Kind
  /// As people write it, in r.
  package let text: String

  private init(_ kind: Kind, _ text: String) {
    self.kind = kind
    self.text = text
  }

  /// $c r^p$.
  package init(power: Double, scale: Double = 1) {
    kind = .power(power, scale: scale)
    text = "r^\(Axis.label(power))" + (scale == 1 ? "" : "/\(Axis.label(1 / scale))")
  }

  /// Reads a number p, or `{ formula = … }`.
  /// - Parameter scale: of the power p.
  package init(_ p: Parameters, _ key: String, range: Parameter.Interval, scale: (Double) -> Double) throws {
    let words = "must be \(range.description), a power of r, or a table { formula = … } in r"
    switch p[key] {
    case .table(let table)?:
      let path = "\(p.path).\(key)"
      guard let text = table["formula"] else { throw p.invalid(key, words) }
      let parameters = try FormulaKeys.parameters(table, except: ["formula"], path: path)
      let formula = try FormulaKeys.read(
        text, key: "\(path).formula", variables: ["r"], parameters: parameters, table: path)
      for k in 0...256 {
        let r = Double(k) / 64
        guard let event = formula.domainEvent(at: [r]) else { continue }
        throw p.invalid(key, "must be finite for every r: \(event), where r = \(r)")
      }
      do {
        let derivatives = try formula.derivatives("r", upTo: 5)
        self.init(
          .formula(FormulaProgram(Array(derivatives.prefix(3))), jet: FormulaProgram(derivatives), formula),
          formula.tree.description)
      } catch {
        throw p.invalid(key, "needs derivatives in r: \(error)")
      }
    case let value?:
      guard let number = value.number, range.contains(number) else { throw p.invalid(key, words) }
      self.init(power: number, scale: scale(number))
    case nil: throw p.invalid(key, words)
    }
  }

  /// The exponent of a power.
  package var power: Double? { if case .power(let p, _) = kind { p } else { nil } }

  /// The value and its derivatives up to order 5 at r > 0.
  package func jet(_ r: Double) -> [Double] {
    switch kind {
    case .power(let p, let scale):
      var factor = scale
      return (0...5).map { k in
        defer { factor *= p - Double(k) }
        return factor == 0 ? 0 : factor * Self.raise(r, p - Double(k))
      }
    case .formula(_, let jet, _): return jet([r])
    }
  }

  package func callAsFunction(_ r: Double) -> Double {
    if case .power(let p, let scale) = kind { return scale * Self.raise(r, p) }
    return jet(r)[0]
  }

  /// Whether all its derivatives exist at the origin of the space, where what is odd in r has a cusp: the cone r is the plainest case. Of a formula the odd derivatives to order 5 are asked.
  package var isSmoothAtOrigin: Bool {
    switch kind {
    case .power(let p, _): return p >= 2 && p.truncatingRemainder(dividingBy: 2) == 0
    case .formula:
      let jet = jet(0)
      let size = jet.reduce(0) { max($0, $1.magnitude) }
      return jet.allSatisfy(\.isFinite) && [1, 3, 5].allSatisfy { jet[$0].magnitude <= 1e-12 * size }
    }
  }

  /// The first point above 0 and up to `end` where it need not be smooth.
  package func kink(upTo end: Double) -> Double? {
    guard case .formula(_, _, let formula) = kind else { return nil }
    return formula.kinks("r", in: 0...end).first { $0 > 0 }
  }

  // MARK: Blocks

  /// What `write` needs.
  package static let roomFactor = 4

  /// Writes values, slopes divided by r, and, if wanted, second derivatives, of points given by r^2. All arrays have room for `count`.
  package func write(
    _ squares: UnsafePointer<Double>, _ count: Int, values: UnsafeMutablePointer<Double>,
    slopes: UnsafeMutablePointer<Double>, curvatures: UnsafeMutablePointer<Double>?, room: UnsafeMutablePointer<Double>
  ) {
    switch kind {
    case .power(let p, let scale):
      let half = 0.5 * p
      if half == half.rounded(), (1...8).contains(half) {
        let k = Int(half)
        for i in 0..<count { slopes[i] = p * scale }
        for _ in 1..<k { for i in 0..<count { slopes[i] *= squares[i] } }
      } else {
        for i in 0..<count { slopes[i] = p * scale * Elementary.exp((half - 1) * Elementary.log(squares[i])) }
      }
      for i in 0..<count { values[i] = slopes[i] * squares[i] * (1 / p) }
      if let curvatures { for i in 0..<count { curvatures[i] = (p - 1) * slopes[i] } }
    case .formula(let program, _, _):
      for i in 0..<count { room[i] = squares[i].squareRoot() }
      program.evaluate(rows: room, stride: count, to: room + count, stride: count, count: count)
      for i in 0..<count {
        values[i] = room[count &+ i]
        slopes[i] = room[2 &* count &+ i] / room[i]
      }
      if let curvatures { for i in 0..<count { curvatures[i] = room[3 &* count &+ i] } }
    }
  }

  /// $x^p$ of x >= 0, also for negative p.
  static func raise(_ x: Double, _ p: Double) -> Double {
    if p == 0 { return 1 }
    return x == 0 ? (p > 0 ? 0 : .infinity) : Elementary.power(x, p)
  }
}
