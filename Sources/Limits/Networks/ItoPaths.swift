import Experiments
import Formulas
import Kernels
import Randomness

/// A diffusion of one variable by formulas, `dX = b(X, t) dt + s(X, t) dB`.
package struct ItoEquation: Sendable {
  /// b and s, formulas in `variables`.
  let drift, diffusion: Formula
  /// `ds/dx`, for Milstein's method; nil for that of Euler and Maruyama.
  let slope: Formula?

  package static let variables = ["x", "t"]

  /// - Parameters: formulas in `variables`; without a slope the method is that of Euler and Maruyama.
  package init(drift: Formula, diffusion: Formula, slope: Formula?) {
    (self.drift, self.diffusion, self.slope) = (drift, diffusion, slope)
  }

  /// What leaves the numbers at a point where x and t are finite, in words; nil if nothing does.
  func event(x: Double, t: Double) -> String? {
    for (name, formula) in [("drift", drift), ("diffusion", diffusion)] {
      if let event = formula.domainEvent(at: [x, t]) { return "\(event) of the \(name)" }
    }
    guard let slope, let event = slope.domainEvent(at: [x, t]) else { return nil }
    return "\(event) in the derivative of the diffusion, which integrator = \"euler-maruyama\" does without"
  }
}

/// Paths of an equation, measured at given times. A step h makes, with a standard normal g,
///
///     x + b h + s sqrt(h) g + (1/2) s s' h (g^2 - 1):
///
/// Milstein's method, of strong and weak order 1. Without the last term it is the method of Euler and Maruyama, of strong order 1/2 and weak
/// order 1 (Kloeden and Platen, Numerical Solution of Stochastic Differential Equations, 1992, sections 10.2, 10.3 and 14.1). Where
/// s does not depend on x the two are the same.
///
/// Formulas are loops over blocks of numbers, so 128 paths go side by side: path k of a block has lane k of every chunk of normals, and the
/// chunks of a block are those of the draw with its number. A draw is still a pure function of its index. The scratch keeps the last block,
/// from which the next draws are read; whatever block it keeps, a draw has the same bits.
package struct ItoPaths: Draw {
  let equation: ItoEquation
  let start: Double
  /// t at the start, and at the records; ascending.
  let origin: Double
  let times: [Double]
  /// Largest step size, in units of t.
  let step: Double
  /// Name of the table in the job, for notes.
  let path: String
  package let schema: Schema
  private let program: FormulaProgram
  private let isMilstein: Bool

  static let lanes = NormalKernel.chunk

  package init(
    _ equation: ItoEquation, start: Double, origin: Double, times: [Double], step: Double, path: String, schema: Schema
  ) {
    self.equation = equation
    self.start = start
    self.origin = origin
    self.times = times
    self.step = step
    self.path = path
    self.schema = schema
    // A slope that is 0 whatever x is needs no term.
    let slope = equation.slope.flatMap { $0.constant == 0 ? nil : $0 }
    isMilstein = slope != nil
    program = FormulaProgram([equation.drift, equation.diffusion] + (slope.map { [$0] } ?? []))
  }

  /// Buffers of a block of paths, and the paths that were made last.
  package final class Block {
    /// x and t, then b, s and s', a row of lanes each; x before the step; the normals.
    let rows, rates, before, normals: UnsafeMutablePointer<Double>
    /// Record by record, a row of lanes each.
    let values: UnsafeMutablePointer<Double>
    /// Which block of which stream this is; nil before the first.
    var made: (key: UInt64, block: UInt64)?

    init(records: Int) {
      func room(_ rows: Int) -> UnsafeMutablePointer<Double> {
        let p = UnsafeMutablePointer<Double>.allocateAligned(capacity: rows * lanes)
        p.initialize(repeating: 0, count: rows * lanes)
        return p
      }
      (rows, rates, before, normals, values) = (room(2), room(3), room(1), room(1), room(records))
    }

    deinit { for p in [rows, rates, before, normals, values] { p.deallocate() } }
  }

  package func makeScratch() -> Block { Block(records: times.count) }

  package func draw(
    using stream: inout Stream, scratch: Block, into values: UnsafeMutablePointer<Double>
  ) -> DrawEvents {
    let (block, lane) = stream.number.quotientAndRemainder(dividingBy: UInt64(Self.lanes))
    if scratch.made.map({ $0 == (stream.fullKey, block) }) != true {
      let number = stream.number
      stream.start(draw: block)
      makePaths(stream, scratch)
      stream.start(draw: number)
      scratch.made = (stream.fullKey, block)
    }
    for r in times.indices { values[r] = scratch.values[r * Self.lanes + Int(lane)] }
    // A path that has left the numbers does not come back.
    return values[times.count - 1].isFinite ? [] : .overflowed
  }

  private func makePaths(_ stream: borrowing Stream, _ scratch: Block) {
    let lanes = Self.lanes
    let (x, t) = (scratch.rows, scratch.rows + lanes)
    for k in 0..<lanes { x[k] = start }
    var (time, chunk, isFinite) = (origin, UInt64(0), true)
    for (r, end) in times.enumerated() {
      let span = end - time
      let steps = max(1, Int((span / step - 1e-9).rounded(.up)))
      let h = span / Double(steps)
      for i in 0..<steps {
        let now = time + Double(i) * h
        for k in 0..<lanes {
          t[k] = now
          scratch.before[k] = x[k]
        }
        program.evaluate(rows: scratch.rows, stride: lanes, to: scratch.rates, stride: lanes, count: lanes)
        stream.fill(scratch.normals, chunks: 1, from: chunk)
        chunk += 1
        advance(x, scratch.rates, scratch.normals, h)
        if isFinite && !allFinite(x) {
          isFinite = false
          note(x, scratch.before, now)
        }
      }
      time = end
      for k in 0..<lanes { scratch.values[r * lanes + k] = x[k] }
    }
  }

  private func advance(
    _ x: UnsafeMutablePointer<Double>, _ rates: UnsafePointer<Double>, _ g: UnsafePointer<Double>, _ h: Double
  ) {
    let lanes = Self.lanes
    let (s, slope) = (rates + lanes, rates + 2 * lanes)
    let (root, half) = (h.squareRoot(), 0.5 * h)
    if isMilstein {
      for k in 0..<lanes { x[k] += h * rates[k] + s[k] * (root * g[k] + half * slope[k] * (g[k] * g[k] - 1)) }
    } else {
      for k in 0..<lanes { x[k] += h * rates[k] + s[k] * (root * g[k]) }
    }
  }

  private func allFinite(_ x: UnsafePointer<Double>) -> Bool {
    var sum = 0.0
    for k in 0..<Self.lanes { sum += 0 * x[k] }
    return sum == 0
  }

  /// Says once where a path left the numbers.
  private func note(_ x: UnsafePointer<Double>, _ before: UnsafePointer<Double>, _ t: Double) {
    guard let lane = (0..<Self.lanes).first(where: { !x[$0].isFinite }) else { return }
    Notes.addFirst("\(path): a path left the numbers: ") {
      let (x, h) = (before[lane], step)
      let what = equation.event(x: x, t: t) ?? "a step of \(h) or less is no finite number"
      return "\(what), for x = \(x), t = \(t); such paths are counted as overflows"
    }
  }
}
