import Kernels

/// The mean of the next layer's covariance given that of a layer, exact at every width where the pre-activations of its units are independent
/// Gaussians of that covariance:
///
/// $$ E[V_{l+1} | V_l] = F(V_l) = c\, E[\phi(u_a) \phi(u_b)] + \sigma_b^2, \qquad u \sim N(0, V_l), $$
///
/// the expectation times V_l for gated networks. Draws call it, so it is fast: a closed form where there is one, otherwise the trapezoidal rule with 32 nodes a
/// standard deviation of 1, of squares with 64, which leaves 1e-9 of tanh, and is compared with one of twice the nodes when a job is read.
public struct LayerMean: Sendable {
  private let kernel: ActivationKernel
  private let gain, bias: Double
  private let isGated: Bool
  private let isClosed: Bool

  /// Relative to the roots of second moments: what the rule may leave where it is compared.
  static let tolerance = 1e-8
  /// Largest standard deviation for which nodes are kept close enough.
  private static let largestDeviation = 64

  /// - Parameter isGated: whether the product is multiplied by V.
  /// - Returns: nil for kinks without a closed form.
  public init?(_ activation: any Activation, gain: Double, bias: Double = 0, isGated: Bool = false) {
    kernel = ActivationKernel(activation)
    (self.gain, self.bias, self.isGated) = (gain, bias, isGated)
    isClosed = activation is SlopeActivation || activation is Erf
    if let formula = activation as? FormulaActivation, !formula.kinks.isEmpty { return nil }
  }

  /// Nodes and buffers of one thread.
  public final class Work {
    fileprivate let points, weights, between, rows, block, squares: UnsafeMutablePointer<Double>
    fileprivate let inputs: Int
    fileprivate var count = 0
    fileprivate var halfStep = 0.0

    fileprivate static let capacity = 32 * LayerMean.largestDeviation
    private static let reach = 6.5

    init(inputs: Int) {
      self.inputs = inputs
      points = .allocate(capacity: Self.capacity)
      weights = .allocate(capacity: Self.capacity)
      between = .allocate(capacity: Self.capacity)
      rows = .allocate(capacity: inputs * Self.capacity)
      block = .allocate(capacity: Self.capacity)
      for buffer in [points, weights, between, block] { buffer.initialize(repeating: 0, count: Self.capacity) }
      rows.initialize(repeating: 0, count: inputs * Self.capacity)
      squares = .allocate(capacity: inputs)
      squares.initialize(repeating: 0, count: inputs)
    }

    deinit { for buffer in [points, weights, between, rows, block, squares] { buffer.deallocate() } }

    /// Nodes for standard deviations up to one.
    fileprivate func prepare(deviation: Double, refinement: Int) {
      let wanted = 32 * min(refinement * max(Int(deviation.rounded(.up)), 1), LayerMean.largestDeviation)
      guard wanted != count else { return }
      count = wanted
      let step = 2 * Self.reach / Double(wanted - 1)
      halfStep = 0.5 * step
      for i in 0..<wanted {
        points[i] = Double(i) * step - Self.reach
        weights[i] = step * GaussianExpectation.density(points[i])
        between[i] = step * GaussianExpectation.density(points[i] + halfStep)
      }
    }
  }

  /// Place of an entry a <= b of `inputs` inputs.
  @inline(__always)
  static func place(_ a: Int, _ b: Int, _ inputs: Int) -> Int { a &* inputs &- a &* (a &- 1) / 2 &+ b &- a }

  /// F, by the entries a <= b.
  /// - Parameter refinement: of the nodes, for comparison.
  func write(
    _ v: UnsafePointer<Double>, _ work: Work, refinement: Int = 1, to result: UnsafeMutablePointer<Double>
  ) {
    let k = work.inputs
    if !isClosed {
      var largest = 0.0
      for a in 0..<k { largest = max(largest, v[Self.place(a, a, k)]) }
      work.prepare(deviation: min(largest.squareRoot(), 0x1p20), refinement: refinement)
      for a in 0..<k {
        let (deviation, row) = (v[Self.place(a, a, k)].squareRoot(), work.rows + a &* work.count)
        // A square has double poles: the mean of the rule and of that halfway between its nodes, which is one of half the step.
        for i in 0..<work.count { row[i] = deviation * (work.points[i] + work.halfStep) }
        kernel.activation.apply(row, work.count)
        for i in 0..<work.count { work.block[i] = row[i] * work.between[i] }
        let halfway = Triangular.dot(row, work.block, work.count)
        for i in 0..<work.count { row[i] = deviation * work.points[i] }
        kernel.activation.apply(row, work.count)
        for i in 0..<work.count { work.block[i] = row[i] * work.weights[i] }
        work.squares[a] = 0.5 * (halfway + Triangular.dot(row, work.block, work.count))
        // With its weights: what it is summed with is the other factor.
        row.update(from: work.block, count: work.count)
      }
    }
    for a in 0..<k {
      for b in a..<k {
        let (vu, vv, place) = (v[Self.place(a, a, k)], v[Self.place(b, b, k)], Self.place(a, b, k))
        let found = product(a, b, vu, vv, v[place], work)
        result[place] = gain * found * (isGated ? v[place] : 1) + bias * bias
      }
    }
  }

  /// `E phi(u) phi(v)`, u and v those of the inputs a and b.
  private func product(_ a: Int, _ b: Int, _ vu: Double, _ vv: Double, _ cov: Double, _ work: Work) -> Double {
    if isClosed { return kernel.product(vu, vv, cov) }
    if a == b { return work.squares[a] }
    let n = work.count
    let deviation = vu.squareRoot()
    let along = deviation > 0 ? cov / deviation : 0
    let across = max(vv - along * along, 0).squareRoot()
    let (row, block) = (work.rows + a &* n, work.block)
    // As many nodes of u at once as the block has room for.
    let together = max(1, 1024 / n)
    var (total, first) = (0.0, 0)
    while first < n {
      let many = min(together, n - first)
      for i in 0..<many {
        let (mean, line) = (along * work.points[first &+ i], block + i &* n)
        for j in 0..<n { line[j] = mean + across * work.points[j] }
      }
      kernel.activation.apply(block, many &* n)
      for i in 0..<many { total += row[first &+ i] * Triangular.dot(block + i &* n, work.weights, n) }
      first &+= many
    }
    return total
  }

  /// Whether the rule is exact to `tolerance` at a covariance, by the entries a <= b, and at four times that.
  func isExact(at covariance: [Double], inputs k: Int) -> Bool {
    if isClosed { return true }
    let work = Work(inputs: k)
    return [1.0, 4].allSatisfy { factor in
      let v = covariance.map { factor * $0 }
      guard (0..<k).allSatisfy({ v[Self.place($0, $0, k)] < Double(Self.largestDeviation * Self.largestDeviation / 4) })
      else { return false }
      var (coarse, fine) = (v, v)
      write(v, work, to: &coarse)
      write(v, work, refinement: 2, to: &fine)
      return (0..<k).allSatisfy { a in
        (a..<k).allSatisfy { b in
          let place = Self.place(a, b, k)
          let size = (fine[Self.place(a, a, k)] * fine[Self.place(b, b, k)]).squareRoot()
          return (coarse[place] - fine[place]).magnitude <= Self.tolerance * size
        }
      }
    }
  }
}

extension LayerMean {
  /// First and second derivatives of F, entry by entry: each depends on at most three of V.
  struct Response {
    var jacobian: [[(place: Int, slope: Double)]]
    var curvatures: [[(Int, Int, Double)]]
  }

  /// By central differences: good enough for what any numbers would do.
  func response(at v: [Double], _ work: Work) -> Response {
    let k = work.inputs
    func moved(_ moves: [(Int, Double)]) -> [Double] {
      var (at, result) = (v, v)
      for (place, step) in moves { at[place] += step }
      write(at, work, to: &result)
      return result
    }
    let entries = (0..<k).flatMap { a in (a..<k).map { (a, $0) } }
    let steps = entries.map { a, b in 1e-3 * (v[Self.place(a, a, k)] * v[Self.place(b, b, k)]).squareRoot() }
    func isConcerned(_ entry: Int, _ by: Int) -> Bool {
      let (own, other) = (entries[entry], entries[by])
      return by == entry || other.0 == other.1 && (other.0 == own.0 || other.0 == own.1)
    }
    let here = moved([])
    var response = Response(
      jacobian: entries.map { _ in [] }, curvatures: entries.map { _ in [] })
    for i in entries.indices {
      let (up, down) = (moved([(i, steps[i])]), moved([(i, -steps[i])]))
      for entry in entries.indices where isConcerned(entry, i) {
        response.jacobian[entry].append((i, (up[entry] - down[entry]) / (2 * steps[i])))
        let curvature = (up[entry] - 2 * here[entry] + down[entry]) / (steps[i] * steps[i])
        response.curvatures[entry].append((i, i, curvature))
      }
      for j in 0..<i where entries.indices.contains(where: { isConcerned($0, i) && isConcerned($0, j) }) {
        let corners = [(1.0, 1.0), (1, -1), (-1, 1), (-1, -1)].map { x, y in
          moved([(i, x * steps[i]), (j, y * steps[j])])
        }
        for entry in entries.indices where isConcerned(entry, i) && isConcerned(entry, j) {
          let mixed = corners[0][entry] - corners[1][entry] - corners[2][entry] + corners[3][entry]
          let curvature = mixed / (4 * steps[i] * steps[j])
          response.curvatures[entry] += [(i, j, curvature), (j, i, curvature)]
        }
      }
    }
    return response
  }
}
