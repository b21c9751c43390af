import Kernels
import Networks

/// The neural tangent kernel of two inputs to order 1/n: the linear response of (K, H), as that of K alone.
///
/// Inputs are numbered 0 and 1, entries (00, 01, 11) by their sum.
extension FiniteWidth {
  package struct TangentPair {
    package var covariance: Pair
    /// $H = E \Theta$ at infinite width, and $n (E \Theta - H)$.
    package var kernel: [Double]
    package var shift = [0.0, 0, 0]
    /// $n \operatorname{Cov}(V_A, \Theta_B)$ and $n \operatorname{Cov}(\Theta_A, \Theta_B)$ between units.
    package var mixed = Array(repeating: [0.0, 0, 0], count: 3)
    package var between = Array(repeating: [0.0, 0, 0], count: 3)
    /// $n E z_{i,p} z_{k,q} \Theta_{ik;rs}$ and $n E \Theta_{ik;pq} \Theta_{ik;rs}$, i != k, by `Quad`.
    package var products, across: [Double]

    package init(covariance: [Double], kernel: [Double]) {
      self.covariance = Pair(covariance: covariance)
      self.kernel = kernel
      products = Array(repeating: 0, count: 16)
      across = products
    }

    /// $n \operatorname{Cov}(\Theta_{pq}, \Theta_{rs})$ of a scalar output.
    package func covariance(_ p: Int, _ q: Int, _ r: Int, _ s: Int) -> Double {
      between[p + q][r + s] + across[Quad(p, q, r, s).place] + across[Quad(p, q, s, r).place]
    }
  }

  /// Four inputs out of two.
  struct Quad {
    let p, q, r, s: Int

    init(_ p: Int, _ q: Int, _ r: Int, _ s: Int) { (self.p, self.q, self.r, self.s) = (p, q, r, s) }

    var place: Int { 8 * p + 4 * q + 2 * r + s }

    static let all = (0..<16).map { Quad($0 >> 3 & 1, $0 >> 2 & 1, $0 >> 1 & 1, $0 & 1) }
  }

  /// A layer further; nil where an expectation is infinite or not found, or the inputs are parallel.
  package func next(_ state: TangentPair, _ moments: UnitMoments) -> TangentPair? {
    let k = state.covariance.covariance
    let (c, h, rateW) = (layer.gain, state.kernel, layer.weightRate)
    let slopes = moments.ofSlopes
    guard let values = Products(moments, k), let rates = Products(slopes, k),
      let joint = moments.joint(k[0], k[1], k[2])
    else { return nil }
    let further = next(state.covariance, values)
    let isOrthogonal = layer.law == .orthogonal
    let vertex = between(state.covariance)

    var after = state
    after.covariance = further
    // Omega_A = lambda_W s s + c H_A t t: its mean, gradient and Hessian in K, and d Omega_A / dH_A.
    let means = (0..<3).map { rateW * values.means[$0] + c * h[$0] * rates.means[$0] }
    let gradients = (0..<3).map { a in
      (0..<3).map { rateW * values.gradients[a][$0] + c * h[a] * rates.gradients[a][$0] }
    }
    for a in 0..<3 {
      after.kernel[a] = layer.biasRate + means[a]
      after.shift[a] = c * rates.means[a] * state.shift[a]
      for i in 0..<3 {
        after.shift[a] += gradients[a][i] * state.covariance.shift[i] + c * rates.gradients[a][i] * state.mixed[i][a]
        for j in 0..<3 {
          after.shift[a] += 0.5 * (rateW * values.hessians[a][i][j] + c * h[a] * rates.hessians[a][i][j]) * vertex[i][j]
        }
      }
      for b in 0..<3 {
        // Of one unit, then by response.
        var mixed = c * (rateW * values.fourth[a][b] + c * h[b] * joint.mixed[a][b] - values.means[a] * means[b])
        var between =
          rateW * rateW * values.fourth[a][b] + c * rateW * (h[b] * joint.mixed[a][b] + h[a] * joint.mixed[b][a])
          + c * c * h[a] * h[b] * rates.fourth[a][b] - means[a] * means[b]
        for i in 0..<3 {
          let rate = c * values.gradients[a][i]
          mixed += rate * state.mixed[i][b] * c * rates.means[b]
          between += gradients[a][i] * state.mixed[i][b] * c * rates.means[b]
          between += c * rates.means[a] * state.mixed[i][a] * gradients[b][i]
          for j in 0..<3 {
            mixed += rate * vertex[i][j] * gradients[b][j]
            between += gradients[a][i] * vertex[i][j] * gradients[b][j]
          }
        }
        between += c * c * rates.means[a] * rates.means[b] * state.between[a][b]
        after.mixed[a][b] = mixed
        after.between[a][b] = between
      }
    }
    // Images of different units under an orthogonal matrix are not independent: Weingarten's terms.
    let tilts = Self.tilts(joint, k)
    for quad in Quad.all {
      let (p, q, r, s) = (quad.p, quad.q, quad.r, quad.s)
      var product = joint.mixed[p + q][r + s] * h[r + s]
      var across = rates.fourth[p + q][r + s] * h[p + q] * h[r + s]
      if isOrthogonal {
        product -= values.means[p + q] * rates.means[r + s] * h[r + s]
        across -= rates.means[p + q] * rates.means[r + s] * h[p + q] * h[r + s]
      }
      for a in 0..<2 {
        for b in 0..<2 {
          product += tilts[a][p][r] * tilts[b][q][s] * state.products[Quad(a, b, r, s).place]
        }
      }
      across += rates.means[p + r] * rates.means[q + s] * state.across[quad.place]
      after.products[quad.place] = c * c * product
      after.across[quad.place] = c * c * across
      // d_p d_q of t_r t_s by its gradient in K.
      guard r <= s else { continue }
      let second = rates.gradients[r + s][p + q] * (p == q ? 2 : 1)
      after.shift[r + s] +=
        0.5 * c * second * (state.products[quad.place] + state.products[Quad(q, p, r, s).place])
    }
    return after
  }

  /// $\langle \partial_a (s_i t_j) \rangle = \sum_b (K^{-1})_{ab} \langle z_b s_i t_j \rangle$.
  private static func tilts(_ joint: UnitMoments.Joint, _ k: [Double]) -> [[[Double]]] {
    let determinant = k[0] * k[2] - k[1] * k[1]
    let inverse = [[k[2], -k[1]], [-k[1], k[0]]]
    return (0..<2).map { a in
      (0..<2).map { i in
        (0..<2).map { j in
          (0..<2).reduce(0) { $0 + inverse[a][$1] / determinant * joint.tilts[4 * $1 + 2 * i + j] }
        }
      }
    }
  }
}
