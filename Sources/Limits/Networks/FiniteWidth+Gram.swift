import Experiments
import Networks

/// The linear response of a whole Gram matrix: the theory of pairs of inputs for all entries of up to four.
///
/// Means and their derivatives concern one or two inputs at a time; only the covariance of what one unit adds, $c^2 \operatorname{Cov}(s_a s_b, s_c s_d)$, is of
/// three or four.
extension FiniteWidth {
  package struct Gram {
    package let inputs: Int
    /// The entries a <= b, in the order of what follows.
    package let entries: [(a: Int, b: Int)]
    /// K, and $n (E V - K)$.
    package var covariance, shift: [Double]
    /// $n \operatorname{Cov}(V, V')$.
    package var vertex: [[Double]]

    /// - Parameter gram: row by row.
    package init(_ gram: [Double], inputs m: Int) {
      inputs = m
      entries = (0..<m).flatMap { a in (a..<m).map { (a: a, b: $0) } }
      covariance = entries.map { gram[$0.a * m + $0.b] }
      shift = covariance.map { _ in 0 }
      vertex = Array(repeating: shift, count: shift.count)
    }

    func place(_ a: Int, _ b: Int) -> Int {
      let (low, high) = (min(a, b), max(a, b))
      return low * inputs - low * (low - 1) / 2 + high - low
    }

    package func entry(_ a: Int, _ b: Int) -> Double { covariance[place(a, b)] }

    /// K of some inputs, row by row.
    func matrix(_ chosen: [Int]) -> [Double] { chosen.flatMap { a in chosen.map { entry(a, $0) } } }
  }

  /// A layer further; nil where an expectation is infinite or not found, or two inputs are parallel to rounding.
  package func next(_ state: Gram, _ moments: UnitMoments) -> Gram? {
    guard let unit = UnitTable(state, moments) else { return nil }
    let (c, count) = (layer.gain, state.entries.count)
    var between = state.vertex
    if layer.law == .orthogonal {
      for (i, ab) in state.entries.enumerated() {
        for (j, cd) in state.entries.enumerated() {
          between[i][j] -=
            state.entry(ab.a, cd.a) * state.entry(ab.b, cd.b)
            + state.entry(ab.a, cd.b) * state.entry(ab.b, cd.a)
        }
      }
    }
    var next = state
    // The few entries that an image depends on, with first and second derivatives.
    let responses = state.entries.map { unit.response($0, state) }
    for (i, ab) in state.entries.enumerated() {
      let own = responses[i]
      next.covariance[i] = c * unit.mean(ab) + layer.bias * layer.bias
      next.shift[i] = 0
      for (x, place) in own.places.enumerated() {
        next.shift[i] += c * own.gradient[x] * state.shift[place]
        for (y, other) in own.places.enumerated() {
          next.shift[i] += 0.5 * c * own.hessian[x][y] * between[place][other]
        }
      }
      for j in 0..<count {
        let (cd, other) = (state.entries[j], responses[j])
        var sum = unit.fourth(ab, cd) - unit.mean(ab) * unit.mean(cd)
        for (x, place) in own.places.enumerated() {
          for (y, far) in other.places.enumerated() {
            sum += own.gradient[x] * between[place][far] * other.gradient[y]
          }
        }
        next.vertex[i][j] = c * c * sum
      }
    }
    return next
  }
}

/// Expectations over one unit of a layer, of all inputs.
private struct UnitTable {
  private var singles: [UnitMoments.Single] = []
  private var pairs: [[Int]: UnitMoments.Pair] = [:]
  /// `E s_a s_b s_c s_d` of three or four different inputs, by the inputs in order.
  private var several: [[Int]: Double] = [:]

  init?(_ state: FiniteWidth.Gram, _ moments: UnitMoments) {
    let m = state.inputs
    for a in 0..<m {
      guard let found = moments.single(state.entry(a, a)) else { return nil }
      singles.append(found)
      for b in a + 1..<max(m, a + 1) {
        guard let pair = moments.pair(state.entry(a, a), state.entry(a, b), state.entry(b, b)) else { return nil }
        pairs[[a, b]] = pair
      }
    }
    for chosen in Self.subsets(of: m, 3) {
      guard
        let found = moments.products(
          state.matrix(chosen), inputs: 3, powers: [[2, 1, 1], [1, 2, 1], [1, 1, 2]])
      else { return nil }
      for (twice, value) in zip(chosen, found) { several[(chosen + [twice]).sorted()] = value }
    }
    for chosen in Self.subsets(of: m, 4) {
      guard let found = moments.products(state.matrix(chosen), inputs: 4, powers: [[1, 1, 1, 1]]) else { return nil }
      several[chosen] = found[0]
    }
  }

  private static func subsets(of m: Int, _ size: Int) -> [[Int]] {
    (0..<size).reduce([[]]) { all, _ in
      all.flatMap { own in ((own.last ?? -1) + 1..<max(m, (own.last ?? -1) + 1)).map { own + [$0] } }
    }
  }

  func mean(_ e: (a: Int, b: Int)) -> Double { e.a == e.b ? singles[e.a].square : pairs[[e.a, e.b]]!.product }

  func fourth(_ e: (a: Int, b: Int), _ f: (a: Int, b: Int)) -> Double {
    let all = [e.a, e.b, f.a, f.b].sorted()
    let different = Set(all).sorted()
    switch different.count {
    case 1: return singles[all[0]].fourth
    case 2:
      let found = pairs[different]!.fourth
      let low = all.count { $0 == different[0] }
      return low == 3 ? found.0 : low == 2 ? found.1 : found.2
    default: return several[all]!
    }
  }

  /// The derivatives of `E s_a s_b` in the entries of K.
  func response(_ e: (a: Int, b: Int), _ state: FiniteWidth.Gram) -> (
    places: [Int], gradient: [Double], hessian: [[Double]]
  ) {
    if e.a == e.b {
      return ([state.place(e.a, e.a)], [singles[e.a].slope], [[singles[e.a].curvature]])
    }
    let pair = pairs[[e.a, e.b]]!
    return ([state.place(e.a, e.a), state.place(e.a, e.b), state.place(e.b, e.b)], pair.gradient, pair.hessian)
  }
}

extension FiniteWidth {
  /// The posterior to order 1/n: with f the log likelihood l, the mean m or the second moment $S + m^2$ of the regression, and
  /// $G_A = n (E V_A - K_A)$, $C_{AB} = n \operatorname{Cov}(V_A, V_B)$,
  ///
  /// $$ n\, \delta E[f | y] = f_A G_A + \tfrac12 f_{AB} C_{AB} + f_A C_{AB}\, \ell_B, \qquad
  ///    n\, \delta \log p(y) = \ell_A G_A + \tfrac12 (\ell_{AB} + \ell_A \ell_B)\, C_{AB} . $$
  package struct PosteriorShift {
    package let evidence: Double
    package let means, variances: [Double]
  }

  /// - Parameter classes: for each input of the network, its place among those of the Gram matrix, which are different.
  package func shift(_ state: Gram, _ classes: [Int: Int], _ derivatives: RegressionDerivatives) -> PosteriorShift {
    let directions = state.entries.map { e in
      derivatives.direction { classes[$0] == e.a && classes[$1] == e.b }
    }
    let first = directions.map(derivatives.first)
    let count = derivatives.means.count
    var evidence = 0.0
    var (means, variances) = (Array(repeating: 0.0, count: count), Array(repeating: 0.0, count: count))
    for (i, own) in first.enumerated() {
      evidence += own.likelihood * state.shift[i]
      for k in 0..<count {
        means[k] += own.means[k] * state.shift[i]
        variances[k] += own.variances[k] * state.shift[i]
      }
      for (j, other) in first.enumerated() {
        let c = state.vertex[i][j]
        let second = derivatives.second(directions[i], directions[j])
        evidence += 0.5 * (second.likelihood + own.likelihood * other.likelihood) * c
        for k in 0..<count {
          means[k] += (0.5 * second.means[k] + own.means[k] * other.likelihood) * c
          // Of S + m^2 less that of m^2: the variance of m over networks, m_A C_AB m_B, is left of the latter.
          variances[k] +=
            (0.5 * second.variances[k] + own.variances[k] * other.likelihood + own.means[k] * other.means[k]) * c
        }
      }
    }
    return PosteriorShift(evidence: evidence, means: means, variances: variances)
  }

  /// The reference with what is known of a posterior.
  func adding(_ posterior: Posterior, to known: ReferenceValues, _ settings: NetworkSettings, _ p: Parameters) throws
    -> ReferenceValues
  {
    let moments = UnitMoments(layer.activation)
    let (m, gram) = (settings.count, settings.inputs.gram)
    var (classes, different): ([Int: Int], [Int]) = ([:], [])
    for a in posterior.regression.train + posterior.regression.test where classes[a] == nil {
      let same = different.firstIndex { b in
        gram[a * m + a] == gram[b * m + b] && gram[a * m + b] == gram[a * m + a]
      }
      classes[a] = same ?? different.count
      if same == nil { different.append(a) }
    }
    let most = moments.isSmooth ? UnitMoments.mostInputs : UnitMoments.mostInputsWithKinks
    guard different.count <= most else {
      throw p.invalid(
        "equation",
        "knows posteriors of at most \(most) different inputs\(moments.isSmooth ? "" : " of an activation with kinks"); there are \(different.count)"
      )
    }
    let k = different.count
    var state = Gram(different.flatMap { a in different.map { gram[a * m + $0] } }, inputs: k)
    var reached = settings.inputs.layer
    let n = Double(width)
    let values = try settings.layers.map { target -> [String: Double] in
      while reached < target {
        guard let next = next(state, moments) else {
          throw p.invalid(
            "equation",
            "needs Gaussian expectations of \(k) inputs for the posterior, which are not found: two inputs are parallel to within \(UnitMoments.leastSine) of 1 - rho^2, or the activation grows too fast"
          )
        }
        state = next
        reached += 1
      }
      // As many rows as the network has inputs; those that the posterior does not see do not count.
      let covariance = (0..<m * m).map { i -> Double in
        guard let a = classes[i / m], let b = classes[i % m] else { return i / m == i % m ? 1 : 0 }
        return state.entry(a, b)
      }
      guard let derivatives = RegressionDerivatives(posterior.regression, covariance: covariance, inputs: m) else {
        throw p.invalid("equation", "finds no regression at layer \(target): the covariance is singular")
      }
      let shift = shift(state, classes, derivatives)
      var found = [Posterior.evidenceName: derivatives.likelihood + shift.evidence / n]
      for (c, a) in posterior.regression.test.enumerated() {
        found[Posterior.meanName(a)] = derivatives.means[c] + shift.means[c] / n
        found[Posterior.varianceName(a)] = derivatives.variances[c] + shift.variances[c] / n
      }
      return found
    }
    return posterior.adding(values, to: known)
  }
}
