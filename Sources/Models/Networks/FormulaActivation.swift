import Formulas
import Kernels

/// An activation by formula, `outer f(inner x) + offset`. A value is computed in blocks; one at a time is slow.
package struct FormulaActivation: Activation {
  private let program: FormulaProgram
  /// f with f', and f' alone; nil if f has no derivative.
  private let both: FormulaProgram?
  private let slope: FormulaProgram?
  /// f''; nil if f has none.
  private let bend: FormulaProgram?
  private let inner, outer, offset: Double
  /// Points of x where it is not smooth, ascending.
  package let kinks: [Double]
  /// Why it has no derivative, or no second one; nil if it has.
  package let missingDerivative, missingCurvature: String?

  /// - Parameter kinks: those of the formula, ascending.
  package init(_ formula: Formula, kinks: [Double], inner: Double = 1, outer: Double = 1, offset: Double = 0) {
    program = FormulaProgram(formula)
    (self.inner, self.outer, self.offset) = (inner, outer, offset)
    self.kinks = kinks.map { $0 / inner }
    do {
      let derivative = try formula.derivative("x")
      both = FormulaProgram([formula, derivative])
      slope = FormulaProgram(derivative)
      missingDerivative = Self.firstJump(program, kinks).map {
        "it jumps at x = \($0): no gradient passes through a jump"
      }
    } catch {
      (both, slope) = (nil, nil)
      missingDerivative = "\(error)"
    }
    do {
      bend = FormulaProgram(try formula.derivative("x").derivative("x"))
      missingCurvature = missingDerivative
    } catch {
      bend = nil
      missingCurvature = "\(error)"
    }
  }

  public func value(_ x: Double) -> Double { outer * program(inner * x) + offset }

  /// - Precondition: it has a derivative.
  public func derivative(_ x: Double) -> Double { outer * inner * slope!(inner * x) }

  /// - Precondition: it has a second derivative.
  public func curvature(_ x: Double) -> Double { outer * inner * inner * bend!(inner * x) }

  /// - Precondition: it has a second derivative.
  public func applyCurvature(_ values: UnsafeMutablePointer<Double>, _ count: Int) {
    for i in 0..<count { values[i] *= inner }
    bend!.apply(values, count)
    let rate = outer * inner * inner
    for i in 0..<count { values[i] *= rate }
  }

  private var isPlain: Bool { inner == 1 && outer == 1 && offset == 0 }

  public func apply(_ values: UnsafeMutablePointer<Double>, _ count: Int) {
    if isPlain { return program.apply(values, count) }
    for i in 0..<count { values[i] *= inner }
    program.apply(values, count)
    for i in 0..<count { values[i] = outer * values[i] + offset }
  }

  /// - Precondition: it has a derivative.
  public func apply(_ values: UnsafeMutablePointer<Double>, slopes: UnsafeMutablePointer<Double>, _ count: Int) {
    if isPlain { return both!.apply(values, slopes: slopes, count) }
    for i in 0..<count { values[i] *= inner }
    both!.apply(values, slopes: slopes, count)
    let rate = outer * inner
    for i in 0..<count {
      slopes[i] *= rate
      values[i] = outer * values[i] + offset
    }
  }

  public var secondMoment: Double { quadrature(GaussianPair(1, 1, 1)) }
  package var smoothness: Smoothness { .unknown }

  /// The first kink where the function itself has two values: their difference stays where the points draw near.
  private static func firstJump(_ program: FormulaProgram, _ kinks: [Double]) -> Double? {
    kinks.first { kink in
      func gap(_ distance: Double) -> Double {
        let step = distance * max(1, kink.magnitude)
        return (program(kink + step) - program(kink - step)).magnitude
      }
      let near = gap(0x1p-40)
      return near > 0x1p-36 * max(1, program(kink).magnitude) && near > 0.5 * gap(0x1p-24)
    }
  }
}
