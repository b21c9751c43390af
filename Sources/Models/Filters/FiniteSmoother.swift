import Kernels

/// Forward and backward sums of a chain on finitely many states: a hidden Markov model exactly, a model on the line by quadrature.
///
/// $\alpha_t(j) \propto \sum_i \alpha_{t-1}(i) P_{ij} g_t(j)$, $\beta_{t-1}(i) = \sum_j P_{ij} g_t(j) \beta_t(j)$, each scaled to sum 1; the joint law of neighbours given y is $\alpha_{t-1}(i) P_{ij} g_t(j) \beta_t(j)$ over its sum.
package struct FiniteSmoother: Sendable {
  /// Number of states.
  package let states: Int
  /// Row by row.
  let transition: [Double]
  /// g_t of every state, with the largest of each t taken out.
  let likelihood: [[Double]]
  /// Laws of X_t given y_0, …, y_t.
  package private(set) var filtered: [[Double]] = []
  /// beta_t.
  private var future: [[Double]] = []
  package private(set) var logEvidence = 0.0
  /// Sum of the logarithms that were taken out of the likelihoods.
  private let takenOut: Double

  /// - Parameters:
  ///   - start: law of X_0.
  ///   - transition: P row by row.
  ///   - logLikelihood: log g of every state at every t.
  package init(start: [Double], transition: [Double], logLikelihood: [[Double]]) {
    states = start.count
    self.transition = transition
    let largest = logLikelihood.map { $0.max() ?? 0 }
    likelihood = zip(logLikelihood, largest).map { row, top in
      row.map { top == -.infinity ? 0 : Elementary.exp(max($0 - top, -746)) }
    }
    takenOut = largest.reduce(0, +)
    var law = start
    for t in likelihood.indices {
      if t > 0 { law = moved(law) }
      for i in 0..<states { law[i] *= likelihood[t][i] }
      let mass = law.reduce(0, +)
      logEvidence += mass > 0 ? Elementary.log(mass) + largest[t] : -.infinity
      guard mass > 0 else { return }
      for i in 0..<states { law[i] /= mass }
      filtered.append(law)
    }
    var beta = Array(repeating: 1.0, count: states)
    var backward = [beta]
    for t in likelihood.indices.dropFirst().reversed() {
      let seen = (0..<states).map { likelihood[t][$0] * beta[$0] }
      var mass = 0.0
      for i in 0..<states {
        var sum = 0.0
        for j in 0..<states { sum += transition[i * states + j] * seen[j] }
        beta[i] = sum
        mass += sum
      }
      for i in 0..<states { beta[i] /= mass }
      backward.append(beta)
    }
    future = backward.reversed()
  }

  private func moved(_ law: [Double]) -> [Double] {
    var next = Array(repeating: 0.0, count: states)
    for i in 0..<states where law[i] > 0 {
      for j in 0..<states { next[j] += law[i] * transition[i * states + j] }
    }
    return next
  }

  /// P(X_t = i | y).
  package func smoothed(_ t: Int) -> [Double] {
    let product = (0..<states).map { filtered[t][$0] * future[t][$0] }
    let mass = product.reduce(0, +)
    return product.map { $0 / mass }
  }

  /// $E[\sum_{t \ge 1} h_t(x_{t-1}, x_t) | y]$ of several functionals.
  /// - Parameter add: adds h_t(i, j) of each, times a weight.
  package func functionals(
    _ count: Int, _ add: (_ t: Int, _ i: Int, _ j: Int, _ weight: Double, _ sums: inout [Double]) -> Void
  ) -> [Double] {
    var total = Array(repeating: 0.0, count: count)
    for t in likelihood.indices.dropFirst() {
      let seen = (0..<states).map { likelihood[t][$0] * future[t][$0] }
      var sums = Array(repeating: 0.0, count: count)
      var mass = 0.0
      for i in 0..<states where filtered[t - 1][i] > 0 {
        for j in 0..<states {
          let joint = filtered[t - 1][i] * transition[i * states + j] * seen[j]
          if joint == 0 { continue }
          mass += joint
          add(t, i, j, joint, &sums)
        }
      }
      for f in 0..<count { total[f] += sums[f] / mass }
    }
    return total
  }

  /// $E \hat Z^2$ of the bootstrap filter with N particles and multinomial selection at every step: $V_0 = (1 - 1/N) \pi \pi^T + \mathrm{diag}(\pi)/N$, $W = V \circ g g^T$,
  /// $V' = (1 - 1/N) P^T W P + \mathrm{diag}(P^T W 1)/N$, and the sum of the last W; over Z^2.
  package func relativeSecondMoment(start: [Double], particles: Int) -> Double {
    let (n, share) = (states, 1 / Double(particles))
    var v = (0..<n * n).map { (1 - share) * start[$0 / n] * start[$0 % n] }
    for i in 0..<n { v[i * n + i] += share * start[i] }
    var logScale = 0.0
    for t in likelihood.indices {
      if t > 0 {
        var next = Array(repeating: 0.0, count: n * n)
        var half = next
        for i in 0..<n {
          for j in 0..<n {
            for k in 0..<n { half[i * n + k] += v[i * n + j] * transition[j * n + k] }
          }
        }
        for i in 0..<n {
          for j in 0..<n {
            let p = transition[i * n + j]
            for k in 0..<n { next[j * n + k] += (1 - share) * p * half[i * n + k] }
            next[j * n + j] += share * p * (0..<n).reduce(0) { $0 + v[i * n + $1] }
          }
        }
        v = next
      }
      for i in 0..<n { for j in 0..<n { v[i * n + j] *= likelihood[t][i] * likelihood[t][j] } }
      let mass = v.reduce(0, +)
      logScale += Elementary.log(mass)
      for k in v.indices { v[k] /= mass }
    }
    return Elementary.exp(logScale - 2 * (logEvidence - takenOut))
  }
}
