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
      missingDerivative = nil
    } catch {
      (both, slope) = (nil, nil)
      missingDerivative = "\(error)"
    }
    do {
      bend = FormulaProgram(try formula.derivative("x").derivative("x"))
      missingCurvature = nil
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

  private func applySlope(_ values: UnsafeMutablePointer<Double>, _ count: Int) {
    for i in 0..<count { values[i] *= inner }
    slope!.apply(values, count)
    for i in 0..<count { values[i] *= outer * inner }
  }

  public var secondMoment: Double { product(1, 1, 1) }

  /// `E phi(u) phi(v)` for the variances and covariance of (u, v).
  package func product(_ vu: Double, _ vv: Double, _ cov: Double) -> Double {
    SplitExpectation.ofProduct(kinks: kinks, varianceU: vu, varianceV: vv, covariance: cov, apply)
  }

  /// `E phi'(u) phi'(v)`.
  /// - Precondition: it has a derivative.
  package func derivativeProduct(_ vu: Double, _ vv: Double, _ cov: Double) -> Double {
    SplitExpectation.ofProduct(kinks: kinks, varianceU: vu, varianceV: vv, covariance: cov, applySlope)
  }
}
