import Kernels

/// Expectations of products of one unit's post-activations over three or four inputs: what the covariance of a Gram matrix of more than two inputs is
/// made of.
///
/// A product rule in the independent coordinates of $u = L x$, level by level: the trapezoidal rule where phi is smooth, of which halving the step squares the
/// error, and panels that end at the kinks where it is not. An error here is one of a coefficient of 1/n, so `severalTolerance` is enough.
extension UnitMoments {
  /// Most inputs of an expectation: the cost grows with that power of the number of nodes.
  package static let mostInputs = 4
  /// The same with kinks, whose panels have more nodes.
  package static let mostInputsWithKinks = 3
  /// Relative to the product of the roots of second moments.
  static let severalTolerance = 1e-8

  /// Whether phi is smooth everywhere.
  package var isSmooth: Bool {
    if let slopes = activation as? SlopeActivation { return slopes.plus == slopes.minus }
    return (activation as? FormulaActivation)?.kinks.isEmpty ?? true
  }

  /// `E s_0^p_0 s_1^p_1 ...` for several lists of powers, 1 or 2 of each input.
  /// - Parameter covariance: of three inputs, or of four if phi is smooth; row by row.
  /// - Returns: nil where an expectation is infinite or not found to `severalTolerance`.
  package func products(_ covariance: [Double], inputs: Int, powers: [[Int]]) -> [Double]? {
    guard inputs <= (isSmooth ? Self.mostInputs : Self.mostInputsWithKinks),
      let lower = Triangular.cholesky(covariance, m: inputs, tolerance: 1e-9)
    else { return nil }
    let roots = (0..<inputs).map { single(covariance[$0 * inputs + $0])?.square.squareRoot() ?? .nan }
    let sizes = powers.map { own in
      zip(own, roots).reduce(1) { $0 * ($1.0 == 2 ? $1.1 * $1.1 : $1.1) }
    }
    var last = powers.map { _ in Double.nan }
    for parts in [1, 2, 4] {
      let rule = ProductRule(
        activation, lower: lower, inputs: inputs, kinks: isSmooth ? nil : kinks, powers: powers, parts: parts)
      let found = rule.sums(level: 0)
      guard found.allSatisfy(\.isFinite) else { return nil }
      if zip(zip(found, last), sizes).allSatisfy({ ($0.0 - $0.1).magnitude <= Self.severalTolerance * $1 }) {
        return found
      }
      last = found
    }
    return nil
  }
}

/// Nodes of one evaluation, and the coordinates on the way to them.
private final class ProductRule {
  private let activation: any Activation
  private let lower: [Double]
  private let inputs: Int
  private let kinks: [Double]?
  private let powers: [[Int]]
  private let parts: Int
  /// The same at every level where phi is smooth.
  private var smooth: (points: [Double], weights: [Double]) = ([], [])
  private let scale: Double
  private var x: [Double]
  /// Arguments of phi at a level, then its values.
  private var values: [[Double]]

  /// Tails beyond hold 1e-18 of the normal law.
  private static let reach = 9.0
  private static let panel = 3.0

  init(
    _ activation: any Activation, lower: [Double], inputs: Int, kinks: [Double]?, powers: [[Int]], parts: Int
  ) {
    (self.activation, self.lower, self.inputs, self.kinks) = (activation, lower, inputs, kinks)
    (self.powers, self.parts) = (powers, parts)
    x = Array(repeating: 0, count: inputs)
    values = Array(repeating: [], count: inputs)
    // Poles and steep parts come nearer as the standard deviation grows.
    var largest = 1.0
    for a in 0..<inputs {
      largest = max(largest, (0...a).reduce(0) { $0 + lower[a * inputs + $1] * lower[a * inputs + $1] })
    }
    scale = min(largest.squareRoot(), 8)
    if kinks == nil {
      let step = 0.5 / scale / Double(parts)
      let count = Int((Self.reach / step).rounded(.up))
      for i in -count...count {
        let point = Double(i) * step
        smooth.points.append(point)
        smooth.weights.append(step * GaussianExpectation.density(point))
      }
    }
  }

  private func mean(of input: Int, before level: Int) -> Double {
    (0..<level).reduce(0) { $0 + lower[input * inputs + $1] * x[$1] }
  }

  private func nodes(_ level: Int) -> (points: [Double], weights: [Double]) {
    let own = lower[level * inputs + level]
    guard own > 0 else { return ([0], [1]) }
    guard let kinks else { return smooth }
    let mean = mean(of: level, before: level)
    var breaks = kinks.map { ($0 - mean) / own }
    // What is integrated over later turns near its kinks.
    for later in level + 1..<max(inputs, level + 1) {
      let along = lower[later * inputs + level]
      let rest = (level + 1...later).reduce(0) { $0 + lower[later * inputs + $1] * lower[later * inputs + $1] }
      let mean = self.mean(of: later, before: level)
      breaks += SplitExpectation.outerBreaks(
        kinks.map { $0 - mean }, deviation: .infinity, along: along, across: rest.squareRoot())
    }
    var (points, weights): ([Double], [Double]) = ([], [])
    GaussLegendre.forEachNode(
      in: -Self.reach...Self.reach, breaks: breaks, panel: Self.panel / scale, parts: parts
    ) { point, weight in
      points.append(point)
      weights.append(weight * GaussianExpectation.density(point))
    }
    return (points, weights)
  }

  /// For each list of powers, the sum over this level and those after it.
  func sums(level: Int) -> [Double] {
    let (points, weights) = nodes(level)
    let (mean, own) = (mean(of: level, before: level), lower[level * inputs + level])
    var s = values[level]
    values[level] = []
    if s.count < points.count { s = Array(repeating: 0, count: points.count) }
    for (i, point) in points.enumerated() { s[i] = mean + own * point }
    s.withUnsafeMutableBufferPointer { activation.apply($0.baseAddress!, points.count) }
    defer { values[level] = s }
    if level == inputs - 1 {
      var (first, second) = (0.0, 0.0)
      for i in points.indices {
        let f = weights[i] * s[i]
        first += f
        second += f * s[i]
      }
      return powers.map { $0[level] == 2 ? second : first }
    }
    var totals = Array(repeating: 0.0, count: powers.count)
    for i in points.indices {
      x[level] = points[i]
      let inner = sums(level: level + 1)
      for (k, own) in powers.enumerated() {
        totals[k] += weights[i] * inner[k] * (own[level] == 2 ? s[i] * s[i] : s[i])
      }
    }
    return totals
  }
}
