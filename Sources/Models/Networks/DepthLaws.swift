import Experiments
import Kernels

/// The covariance of one input of a wide perceptron, layer by layer: where it ends and how perturbations grow there.
///
/// $$ K_\star = C_b + C_W \langle s^2 \rangle, \qquad \chi_\parallel = C_W \frac{d \langle s^2 \rangle}{dK}, \qquad
///    \chi_\perp = C_W \langle s'^2 \rangle, \qquad s = \phi(z), \; z \sim N(0, K_\star) . $$
///
/// Two inputs that differ by a little draw together where $\chi_\perp < 1$ (ordered) and apart where $\chi_\perp > 1$ (chaotic): their squared
/// distance grows like $\chi_\perp^{l}$ (arXiv:1606.05340; arXiv:1611.01232; arXiv:2106.10165, ch. 5).
package struct FixedPoint: Sendable {
  /// $K_\star$, 0 or positive.
  package let variance: Double
  package let parallel, perpendicular: Double

  package enum Phase: String, Sendable { case ordered, critical, chaotic }

  package var phase: Phase {
    (perpendicular - 1).magnitude <= 1e-9 ? .critical : perpendicular < 1 ? .ordered : .chaotic
  }

  /// What K tends to from a start.
  /// - Returns: nil where it grows without bound or does not settle, or an expectation is not found.
  package init?(_ activation: any Activation, gain: Double, biasVariance: Double, start: Double) {
    let moments = UnitMoments(activation)
    var k = start
    var (settled, last) = (false, Double.infinity)
    for _ in 0..<2000 {
      guard let unit = moments.single(k) else { return nil }
      let next = gain * unit.square + biasVariance
      guard next.isFinite, next < 1e12 else { return nil }
      let step = next - k
      // Steffensen's step once the map is close to linear: exact for a geometric approach.
      let ratio = step / last
      last = step
      k = next
      if step.magnitude <= 1e-13 * max(k, 1e-12) || k < 1e-11 {
        settled = true
        break
      }
      if ratio.magnitude < 0.9999, step.magnitude < 0.02 * k {
        let jump = k + step * ratio / (1 - ratio)
        if jump > 0.5 * k && jump < 2 * k {
          k = jump
          last = .infinity
        }
      }
    }
    // What falls like 1/depth is on its way to 0.
    guard settled || k < 1e-2 else { return nil }
    if k < 1e-11 || !settled {
      let slope = activation.derivative(0)
      guard biasVariance == 0, activation.value(0) == 0, slope.isFinite else { return nil }
      (variance, parallel, perpendicular) = (0, gain * slope * slope, gain * slope * slope)
      return
    }
    guard let unit = moments.single(k), let slope = moments.slope(k) else { return nil }
    (variance, parallel, perpendicular) = (k, gain * unit.slope, gain * slope.square)
  }

  /// The line between the phases, by its fixed points: $C_W = 1/\langle s'^2 \rangle_K$, $C_b = K - C_W \langle s^2 \rangle_K$ where that is not
  /// negative.
  package static func criticalLine(
    _ activation: any Activation, upTo largest: Double, points: Int = 33
  ) -> [(variance: Double, gain: Double, biasVariance: Double)] {
    let moments = UnitMoments(activation)
    return (0..<points).compactMap { step in
      let k = 1e-3 * Elementary.exp(Double(step) / Double(points - 1) * Elementary.log(1e3 * largest))
      guard let unit = moments.single(k), let slope = moments.slope(k), slope.square > 0 else { return nil }
      let gain = 1 / slope.square
      let rest = k - gain * unit.square
      return rest >= -1e-12 * k ? (k, gain, max(rest, 0)) : nil
    }
  }
}

/// What is known of a wide network as its depth goes to infinity.
struct KnownDepthLaws {
  var laws: [DepthLaw] = []
  /// Labels for the file.
  var attributes: [String: String] = [:]
}

extension NetworkModel {
  /// Laws over depth of what is measured; nil where none is known: for perceptrons with Gaussian weights, of every single input.
  ///
  /// Rates: log V stays, log_distance gains $\log \chi_\perp$ a layer. Powers: those of the universality class, at a critical initialisation.
  func depthLaws(_ form: DepthLaw.Form) -> KnownDepthLaws? {
    guard let perceptron = gaussianPerceptron, perceptron.mixture == nil,
      perceptron.activation.missingDerivative == nil
    else { return nil }
    switch form {
    case .rate: return rates(perceptron)
    case .power: return powers(perceptron)
    }
  }

  private func rates(_ perceptron: Perceptron) -> KnownDepthLaws? {
    let gram = settings.inputs.gram
    let biasVariance = perceptron.bias * perceptron.bias
    guard
      let point = FixedPoint(
        perceptron.activation, gain: perceptron.gain, biasVariance: biasVariance, start: gram[0])
    else { return nil }
    var found = KnownDepthLaws()
    for observable in experiment.schema.observables {
      let family = CovarianceObservables.Family(rawValue: observable.family)
      if family == .logDistance, point.perpendicular > 0 {
        found.laws.append(
          DepthLaw(.rate, .mean, of: observable.name, exponent: Elementary.log(point.perpendicular)))
      } else if family == .logNorm {
        let rate = point.variance > 0 ? 0 : Elementary.log(point.parallel)
        found.laws.append(DepthLaw(.rate, .mean, of: observable.name, exponent: rate))
      }
    }
    let line = FixedPoint.criticalLine(perceptron.activation, upTo: max(4, 4 * point.variance))
    found.attributes = [
      "K_star": point.variance.description, "chi_parallel": point.parallel.description,
      "chi_perpendicular": point.perpendicular.description, "phase": point.phase.rawValue,
      // C_W C_b, ...
      "critical_line": line.map { "\(Self.short($0.gain)) \(Self.short($0.biasVariance))" }.joined(separator: ", "),
    ]
    return found
  }

  private static func short(_ x: Double) -> String { ((x * 1e6).rounded() / 1e6).description }

  private func powers(_ perceptron: Perceptron) -> KnownDepthLaws? {
    guard let critical = Criticality(perceptron.activation),
      (perceptron.gain / critical.gain - 1).magnitude < 1e-6,
      (perceptron.bias * perceptron.bias - critical.biasVariance).magnitude < 1e-6
    else { return nil }
    let (m, gram) = (settings.count, settings.inputs.gram)
    let theory = UniversalityLaws(perceptron, critical)
    var found = KnownDepthLaws()
    for observable in experiment.schema.observables {
      guard let a = observable.indices.last, observable.indices.allSatisfy({ $0 == a }), a < m else { continue }
      found.laws += theory.laws(of: observable, start: gram[a * m + a], width: settings.width)
    }
    found.attributes = ["universality": critical.universality.rawValue]
    return found
  }
}

/// Powers of the depth l of a critical perceptron, to the leading order in 1/n (arXiv:2106.10165, ch. 5 and 8), $n \gg l \gg 1$:
///
/// | class | $E V$ | $\operatorname{Var} \log V$ | $E\,\mathrm{NTK}$ | $\operatorname{Var} \log \mathrm{NTK}$ |
/// |---|---|---|---|---|
/// | scale-invariant | $V_0$ | $(\langle s^4 \rangle/\langle s^2 \rangle^2 - 1)\, l/n$ | $l V_0$ | $l$ |
/// | $K_\star = 0$ | $1/(-a_1 l)$ | $2 l/3n$ | $-1/(a_1 p_\perp)$ | $2 l/[(1 + 2 p_\perp) n]$ |
/// | half-stable, from $K_\star$ | $K_\star$ | $Q l/(n K_\star^2)$ | $l K_\star$ | $l$ |
///
/// with $C_W \langle s^2 \rangle = K (1 + a_1 K + \dots)$, $C_W \langle s'^2 \rangle = 1 + b_1 K + \dots$, $p_\perp = b_1/a_1$ and
/// $Q = C_W^2 (\langle s^4 \rangle - \langle s^2 \rangle^2)$ at $K_\star$.
struct UniversalityLaws {
  private let universality: Criticality.Universality
  private let fixedPoint: Double
  /// $n \operatorname{Var} \log V$ a layer.
  private let noise: Double?
  /// $-1/a_1$, and $p_\perp$.
  private let decay: (constant: Double, perpendicular: Double)?
  /// $\lambda_W / C_W$, where biases do not learn.
  private let rate: Double?
  /// $\lambda_b + \lambda_W \langle s^2 \rangle$ at $K_\star$, what a layer adds to the tangent kernel.
  private let increment: Double?

  init(_ perceptron: Perceptron, _ critical: Criticality) {
    universality = critical.universality
    let k = critical.fixedPoint ?? 1
    fixedPoint = k
    let moments = UnitMoments(perceptron.activation)
    let c = perceptron.gain
    rate = perceptron.biasRate == 0 ? perceptron.weightRate / c : nil
    increment =
      critical.fixedPoint.flatMap { $0 > 0 ? moments.single($0) : nil }.map {
        perceptron.biasRate + perceptron.weightRate * $0.square
      }
    switch universality {
    case .scaleInvariant, .halfStable:
      decay = nil
      noise = moments.single(k).map { c * c * ($0.fourth - $0.square * $0.square) / (k * k) }
    case .unstable: (noise, decay) = (nil, nil)
    case .zero:
      noise = 2.0 / 3
      decay = perceptron.activation.kinks.contains(0) ? nil : Self.decay(moments, c)
    }
  }

  /// $a_1$ and $b_1$ by differences, extrapolated in K; nil where they do not settle or K does not fall.
  private static func decay(_ moments: UnitMoments, _ c: Double) -> (constant: Double, perpendicular: Double)? {
    func coefficients(_ k: Double) -> (a: Double, b: Double)? {
      guard let unit = moments.single(k), let slope = moments.slope(k) else { return nil }
      return ((c * unit.square / k - 1) / k, (c * slope.square - 1) / k)
    }
    guard let one = coefficients(1e-3), let two = coefficients(5e-4), let four = coefficients(2.5e-4) else {
      return nil
    }
    func limit(_ x: Double, _ y: Double, _ z: Double) -> Double { (8 * z - 6 * y + x) / 3 }
    let (a, b) = (limit(one.a, two.a, four.a), limit(one.b, two.b, four.b))
    guard a < 0, (four.a / a - 1).magnitude < 0.01 else { return nil }
    return (-1 / a, b / a)
  }

  /// - Parameter start: V_0 of the input.
  func laws(of observable: Observable, start: Double, width: Int) -> [DepthLaw] {
    let n = Double(width)
    // From elsewhere K comes near a half-stable point like 1/l, or leaves it.
    guard universality != .halfStable || (start / fixedPoint - 1).magnitude < 1e-6 else { return [] }
    let scale = universality == .scaleInvariant ? start : fixedPoint
    func law(_ statistic: Statistic, _ exponent: Double, _ constant: Double?) -> DepthLaw {
      DepthLaw(.power, statistic, of: observable.name, exponent: exponent, constant: constant)
    }
    let noise = noise.map { $0 / n }
    switch (observable.family, universality) {
    case ("V", .zero):
      guard let decay else { return [] }
      return [law(.mean, -1, decay.constant), law(.variance, -1, noise.map { $0 * decay.constant * decay.constant })]
    case ("V", _):
      return [law(.mean, 0, scale), law(.variance, 1, noise.map { $0 * scale * scale })]
    case ("log_V", _): return [law(.variance, 1, noise)]
    case ("NTK", .zero):
      guard let decay, let rate, decay.perpendicular > 0 else { return [] }
      return [law(.mean, 0, rate * decay.constant / decay.perpendicular)]
    case ("NTK", .scaleInvariant): return rate.map { [law(.mean, 1, $0 * scale)] } ?? []
    case ("NTK", .halfStable): return [law(.mean, 1, increment)]
    case ("log_NTK", .zero):
      guard let decay, decay.perpendicular > 0, rate != nil else { return [] }
      return [law(.variance, 1, 2 / ((1 + 2 * decay.perpendicular) * n))]
    case ("log_NTK", _): return [law(.variance, 1, nil)]
    default: return []
    }
  }
}
