import Experiments
import Kernels

/// The gain and the biases at which perturbations of a perceptron's covariance neither grow nor shrink with depth: at the fixed
/// point $K_\star = C_b + C_W \langle s^2 \rangle$ both $\chi_\parallel = C_W \, d\langle s^2 \rangle / dK$ and
/// $\chi_\perp = C_W \langle s'^2 \rangle$ are 1, $s = \phi(z)$, $z \sim N(0, K_\star)$ (arXiv:2106.10165, ch. 5).
package struct Criticality: Sendable, Equatable {
  package enum Universality: String, Sendable {
    /// Every K is a fixed point.
    case scaleInvariant = "scale-invariant"
    /// K* > 0, approached from one side only.
    case halfStable = "half-stable"
    /// K tends to 0, like 1/depth where phi is smooth.
    case zero = "K* = 0"
    /// K leaves the fixed point 0: it grows, by as much of itself a layer as K at first.
    case unstable = "K* = 0, unstable"
  }

  package let universality: Universality
  /// $C_W$, the gain c.
  package let gain: Double
  /// $C_b$, the square of `bias`.
  package let biasVariance: Double
  /// $K_\star$; nil where every K is one.
  package let fixedPoint: Double?

  /// Fixed points are looked for in this range of K.
  private static let range = 1e-4...1e4
  /// Relative differences of expectations below this are no differences: expectations are found to 1e-11.
  private static let resolution = 1e-9

  /// With $\phi(0) = 0$ and slopes $s_\pm$ at 0, $\langle s^2 \rangle = A K (1 + a_1 K + \dots)$ with $A = (s_+^2 + s_-^2)/2$: at $C_W = 1/A$, $C_b = 0$
  /// zero is a critical fixed point, stable if $a_1 < 0$ (tanh, sin; ch. 5.3.3) and not if $a_1 > 0$ (sinh). Where every
  /// $\langle s^2 \rangle / K$ is the same, phi is homogeneous on either side of 0.
  /// - Returns: nil where there is none: no K > 0 with both susceptibilities equal and a $C_b$ that is not negative, nor
  ///   $\phi(0) = 0$ with a slope there.
  package init?(_ activation: any Activation) {
    if let slopes = activation as? SlopeActivation {
      guard slopes.secondMoment > 0 else { return nil }
      self.init(.scaleInvariant, gain: 1 / slopes.secondMoment, biasVariance: 0, fixedPoint: nil)
      return
    }
    let moments = UnitMoments(activation)
    /// $\langle s s'' \rangle$, whose zeros make both susceptibilities equal at any gain.
    func difference(_ k: Double) -> Double? {
      guard let value = moments.single(k), let slope = moments.slope(k) else { return nil }
      return value.slope - slope.square
    }
    let grid = (0...64).map { Self.range.lowerBound * Elementary.exp(Double($0) / 64 * Elementary.log(1e8)) }
    let (left, right) = (activation.derivative(-0x1p-500), activation.derivative(0x1p-500))
    let atZero = activation.value(0) == 0 ? 0.5 * (left * left + right * right) : .nan
    // How much <s^2> / K is above or below that at 0, from where it can be told.
    let change =
      atZero > 0x1p-200 && atZero.isFinite
      ? grid.lazy.compactMap { k in moments.single(k).map { $0.square / (k * atZero) - 1 } }
        .first { $0.magnitude > Self.resolution } ?? 0 : nil
    if change == 0 {
      self.init(.scaleInvariant, gain: 1 / atZero, biasVariance: 0, fixedPoint: nil)
      return
    }
    var last: (k: Double, value: Double)?
    for k in grid {
      guard let value = difference(k) else {
        last = nil
        continue
      }
      // Where the two are equal but for rounding, a change of sign is none.
      if let slope = moments.slope(k), value.magnitude <= Self.resolution * slope.square { continue }
      if let last, last.value * value < 0, let root = Self.root(last.k, k, difference),
        let unit = moments.single(root), let slope = moments.slope(root), slope.square > 0
      {
        let gain = 1 / slope.square
        let rest = root - gain * unit.square
        if rest >= 0 {
          self.init(.halfStable, gain: gain, biasVariance: rest, fixedPoint: root)
          return
        }
      }
      last = (k, value)
    }
    guard let change else { return nil }
    self.init(change < 0 ? .zero : .unstable, gain: 1 / atZero, biasVariance: 0, fixedPoint: 0)
  }

  private init(_ universality: Universality, gain: Double, biasVariance: Double, fixedPoint: Double?) {
    (self.universality, self.gain, self.biasVariance) = (universality, gain, biasVariance)
    self.fixedPoint = fixedPoint
  }

  /// By bisection of log K.
  private static func root(_ low: Double, _ high: Double, _ f: (Double) -> Double?) -> Double? {
    var (low, high) = (low, high)
    guard let start = f(low) else { return nil }
    for _ in 0..<60 {
      let middle = (low * high).squareRoot()
      guard let value = f(middle) else { return nil }
      if value * start > 0 { low = middle } else { high = middle }
    }
    return (low * high).squareRoot()
  }
}

extension Parameter {
  static let tune = Parameter(
    "tune", .choice(["critical"]), optional: true,
    "critical: gain and biases at which perturbations neither grow nor shrink with depth, in the place of c and bias; the file says which, with K* and the universality class (arXiv:2106.10165, ch. 5)"
  )
}

extension ActivationChoice {
  /// Gain, standard deviation of the biases, and labels for the file.
  /// - Parameter bias: what the job gives; nil where the architecture has no biases.
  func initialisation(
    _ p: Parameters, bias: Double?
  ) throws -> (gain: Double, bias: Double, attributes: [String: String]) {
    guard p["tune"] != nil else {
      let gain = try gain(p)
      return (gain, bias ?? 0, ["c": gain.description])
    }
    for key in ["c", "bias"] where key == "c" ? p["c"] != nil : bias ?? 0 != 0 {
      throw p.invalid(key, "cannot be given together with tune = \"critical\", which finds it")
    }
    if let missing = function.missingDerivative {
      throw p.invalid("tune", "needs the derivative of the activation: \(missing)")
    }
    guard let found = Criticality(function) else {
      throw p.invalid(
        "tune",
        "finds no critical initialisation of this activation: no K > 0 at which both susceptibilities can be 1 with a variance of the biases that is not negative, and phi(0) is not 0 or has no slope\(eventRemark)"
      )
    }
    guard bias != nil || found.biasVariance == 0 else {
      throw p.invalid("tune", "needs biases of variance \(found.biasVariance), which this architecture does not have")
    }
    let deviation = found.biasVariance.squareRoot()
    var attributes = [
      "c": found.gain.description, "bias": deviation.description, "universality": found.universality.rawValue,
    ]
    attributes["K_star"] = found.fixedPoint?.description
    let point = found.fixedPoint.map { ", K* = \($0)" } ?? ""
    Notes.add(
      "\(p.path).tune: critical at c = \(found.gain), bias = \(deviation) (C_b = \(found.biasVariance))\(point): \(found.universality.rawValue)"
    )
    return (found.gain, deviation, attributes)
  }
}
