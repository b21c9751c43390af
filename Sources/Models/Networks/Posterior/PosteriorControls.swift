import Kernels

/// Control variates of a posterior, of which the expectation is exactly 0 at every width: what each layer adds to V beyond its mean given the layers
/// before, projected on what the posterior makes of it.
///
/// With F the mean of a layer given the one before (`LayerMean`), $K_{l+1} = F(K_l)$, and $u_l(V)$ the numerator of the posterior that follows from
/// $V_l = V$ at infinite width,
///
/// $$ C = \sum_l (g_l + H_l (F(V_{l-1}) - K_l)) \cdot (V_l - F(V_{l-1})), \qquad g_l = \nabla u_l(K_l), \quad H_l = \nabla^2 u_l(K_l) . $$
///
/// Each term is a function of the layers before times what has mean 0 given them. The numerators vary by $n^{-1/2}$ over networks, and less C by 1/n. So
/// g and H need not be exact, but F must be.
struct PosteriorControls: Sendable {
  /// The different inputs of the posterior, by their place in V.
  let inputs: [Int]
  let mean: LayerMean
  /// Numerators, and measured layers.
  let numerators, records: Int
  /// Layers up to each measured one, from the first.
  let layers: [Int]
  /// K by layer and entry a <= b.
  private var centres: [[Double]]
  /// By record and layer: g of each numerator; H likewise, row by row, empty where it is left out.
  private var gradients: [[[Double]]] = []
  private var hessians: [[[Double]]] = []

  /// Most different inputs.
  static let mostInputs = 8
  /// Numbers beyond which H is left out, and beyond which there are no controls.
  private static let mostOfHessians = 1 << 16
  private static let most = 1 << 20

  private var entries: Int { inputs.count * (inputs.count + 1) / 2 }

  /// - Parameters:
  ///   - covariances: K of the layers from the first to the last measured one, row by row over all inputs of the network.
  ///   - layers: places of the measured ones among them, from 1.
  /// - Returns: nil for too many inputs, where F is not known to 1e-8, or the regression has no derivatives.
  init?(_ regression: GaussianRegression, _ mean: LayerMean, covariances: [[Double]], layers: [Int]) {
    let m = regression.inputs
    let first = covariances[0]
    func areEqual(_ a: Int, _ b: Int) -> Bool {
      first[a * m + a] == first[b * m + b] && first[a * m + b] == first[a * m + a]
    }
    var inputs: [Int] = []
    for a in regression.train + regression.test where !inputs.contains(where: { areEqual($0, a) }) { inputs.append(a) }
    guard inputs.count <= Self.mostInputs else { return nil }
    (self.inputs, self.mean, self.layers) = (inputs, mean, layers)
    (numerators, records) = (1 + 2 * regression.test.count, layers.count)
    let k = inputs.count
    centres = covariances.map { v in (0..<k).flatMap { a in (a..<k).map { v[inputs[a] * m + inputs[$0]] } } }
    guard centres.dropLast().allSatisfy({ mean.isExact(at: $0, inputs: k) }) else { return nil }
    let size = layers.reduce(0, +) * numerators * entries
    guard size <= Self.most else { return nil }
    let hasHessians = size * entries <= Self.mostOfHessians

    let work = LayerMean.Work(inputs: k)
    let responses = centres.dropLast().map { mean.response(at: $0, work) }
    for last in layers {
      guard
        let at = RegressionDerivatives(regression, covariance: covariances[last - 1], inputs: m)
      else { return nil }
      var (g, h) = Self.numerators(at, inputs, areEqual)
      var (ownGradients, ownHessians) = ([g.flatMap { $0 }], [h.flatMap { $0 }])
      for l in (0..<last - 1).reversed() {
        (g, h) = Self.pull(g, h, through: responses[l])
        ownGradients.append(g.flatMap { $0 })
        ownHessians.append(h.flatMap { $0 })
      }
      guard (ownGradients + ownHessians).allSatisfy({ $0.allSatisfy(\.isFinite) }) else { return nil }
      gradients.append(ownGradients.reversed())
      hessians.append(hasHessians ? ownHessians.reversed() : [])
    }
  }

  /// Gradients and Hessians, row by row, of $e^{l - l_0}$, and of that times m and S + m^2 of each test input, at K.
  private static func numerators(
    _ at: RegressionDerivatives, _ inputs: [Int], _ areEqual: (Int, Int) -> Bool
  ) -> (gradients: [[Double]], hessians: [[Double]]) {
    let k = inputs.count
    let directions = (0..<k).flatMap { a in
      (a..<k).map { b in at.direction { areEqual($0, inputs[a]) && areEqual($1, inputs[b]) } }
    }
    let first = directions.map(at.first)
    // Of 1 and of what the weight multiplies: value, gradient, and second derivatives.
    let tests = at.means.indices
    func factors(_ l: Double, _ m: [Double], _ s: [Double]) -> [Double] { [l] + tests.flatMap { [m[$0], s[$0]] } }
    let values = factors(1, at.means, tests.map { at.variances[$0] + at.means[$0] * at.means[$0] })
    let slopes = first.map { d in
      factors(0, d.means, tests.map { d.variances[$0] + 2 * at.means[$0] * d.means[$0] })
    }
    var hessians = values.map { _ in [Double]() }
    for (i, e) in directions.enumerated() {
      for (j, f) in directions.enumerated() {
        let second = at.second(e, f)
        let own = factors(
          0, second.means,
          tests.map {
            second.variances[$0] + 2 * first[i].means[$0] * first[j].means[$0] + 2 * at.means[$0] * second.means[$0]
          })
        let weight = second.likelihood + first[i].likelihood * first[j].likelihood
        for p in values.indices {
          hessians[p].append(
            own[p] + slopes[i][p] * first[j].likelihood + first[i].likelihood * slopes[j][p] + weight * values[p])
        }
      }
    }
    let gradients = values.indices.map { p in
      directions.indices.map { slopes[$0][p] + first[$0].likelihood * values[p] }
    }
    return (gradients, hessians)
  }

  /// The chain rule: derivatives of u(F(V)) from those of u.
  private static func pull(
    _ g: [[Double]], _ h: [[Double]], through response: LayerMean.Response
  ) -> (gradients: [[Double]], hessians: [[Double]]) {
    let e = response.jacobian.count
    var (gradients, hessians): ([[Double]], [[Double]]) = ([], [])
    for (g, h) in zip(g, h) {
      var gradient = Array(repeating: 0.0, count: e)
      var hessian = Array(repeating: 0.0, count: e * e)
      // H J, row by row.
      var image = Array(repeating: 0.0, count: e * e)
      for i in 0..<e {
        for (j, row) in response.jacobian.enumerated() {
          for (place, slope) in row { image[i * e + place] += h[i * e + j] * slope }
        }
      }
      for (i, row) in response.jacobian.enumerated() {
        for (place, slope) in row {
          gradient[place] += slope * g[i]
          for j in 0..<e { hessian[place * e + j] += slope * image[i * e + j] }
        }
        for (a, b, curvature) in response.curvatures[i] { hessian[a * e + b] += g[i] * curvature }
      }
      gradients.append(gradient)
      hessians.append(hessian)
    }
    return (gradients, hessians)
  }

  /// What a draw gathers, one thread's.
  final class Work {
    fileprivate let own, mean, next: UnsafeMutablePointer<Double>
    /// Controls by record and numerator.
    let controls: UnsafeMutablePointer<Double>
    fileprivate let rule: LayerMean.Work

    init(_ controls: PosteriorControls) {
      let (e, total) = (controls.entries, controls.records * controls.numerators)
      own = .allocate(capacity: e)
      mean = .allocate(capacity: e)
      next = .allocate(capacity: e)
      self.controls = .allocate(capacity: total)
      for buffer in [own, mean, next] { buffer.initialize(repeating: 0, count: e) }
      self.controls.initialize(repeating: 0, count: total)
      rule = LayerMean.Work(inputs: controls.inputs.count)
    }

    deinit { for buffer in [own, mean, next, controls] { buffer.deallocate() } }
  }

  /// Adds what a layer tells, from the first one in order.
  /// - Parameters:
  ///   - layer: from 1.
  ///   - lower: the factor of its V, over `m` inputs.
  func add(layer: Int, lower: UnsafePointer<Double>, _ m: Int, _ work: Work) {
    let (e, k) = (entries, inputs.count)
    let centre = centres[layer - 1]
    if layer == 1 {
      for i in 0..<records &* numerators { work.controls[i] = 0 }
      for i in 0..<e { work.mean[i] = centre[i] }
    }
    var place = 0
    for a in 0..<k {
      for b in a..<k {
        let (x, y) = (inputs[a], inputs[b])
        var v = 0.0
        for i in 0...min(x, y) { v += lower[x &* m &+ i] * lower[y &* m &+ i] }
        work.own[place] = v
        place &+= 1
      }
    }
    if layer < centres.count { mean.write(work.own, work.rule, to: work.next) }
    // What the layer adds, and how far its mean is off.
    for i in 0..<e {
      work.own[i] -= work.mean[i]
      work.mean[i] -= centre[i]
    }
    for record in 0..<records where layer <= layers[record] {
      let gradient = gradients[record][layer - 1]
      let hessian = layer == 1 || hessians[record].isEmpty ? nil : hessians[record][layer - 1]
      for p in 0..<numerators {
        var sum = 0.0
        for i in 0..<e {
          var slope = gradient[p &* e &+ i]
          if let hessian { for j in 0..<e { slope += hessian[(p &* e &+ i) &* e &+ j] * work.mean[j] } }
          sum += slope * work.own[i]
        }
        work.controls[record &* numerators &+ p] += sum
      }
    }
    for i in 0..<e { work.mean[i] = work.next[i] }
  }
}
