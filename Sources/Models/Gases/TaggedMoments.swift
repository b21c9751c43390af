import Kernels

/// The moments of a tagged particle among Maxwell molecules, which obey linear equations:
///
/// $$ \dot S = -LS - SL^T + C\bigl[(\mu_a^2 - 1) S + \mu_b^2 (2\theta + \mathrm{tr} S/3) I\bigr], \qquad S = \mathbb E w w^T, $$
///
/// the same for the 15 moments of degree four (`scattered`), and for the place in the laboratory, $\dot x = w + Lx$.
package struct TaggedMoments {
  /// Factors of each moment: 0, 1, 2 for the components of w, 3, 4, 5 for those of x; the first is the constant 1.
  package let monomials: [[Int]]
  private let places: [[Int]: Int]
  /// What collisions do, row by row: $\dot m = C m + \ldots$
  private let collisions: [Double]

  package var count: Int { monomials.count }

  /// - Parameter tracked: with the place.
  package init(_ law: TaggedCollisions, tracked: Bool) {
    let w = 0..<3
    let pairs = w.flatMap { i in (i..<3).map { [i, $0] } }
    let fours = pairs.flatMap { p in (p[1]..<3).flatMap { k in (k..<3).map { p + [k, $0] } } }
    var all = [[]] + w.map { [$0] } + pairs + fours
    if tracked {
      all += (3..<6).map { [$0] } + w.flatMap { i in (3..<6).map { [i, $0] } }
      all += (3..<6).flatMap { i in (i..<6).map { [i, $0] } }
    }
    let places = Dictionary(uniqueKeysWithValues: zip(all, all.indices))
    let n = all.count
    var matrix = Array(repeating: 0.0, count: n * n)
    for (row, monomial) in all.enumerated() {
      let (velocities, rest) = (monomial.filter { $0 < 3 }, monomial.filter { $0 >= 3 })
      guard !velocities.isEmpty else { continue }
      for term in law.scattered(velocities).terms {
        let factors = (0..<3).flatMap { Array(repeating: $0, count: TaggedPolynomial.exponent(term.key, $0)) }
        if let column = places[factors + rest] { matrix[row * n + column] += law.rate * term.value }
      }
      matrix[row * n + row] -= law.rate
    }
    (monomials, self.places, collisions) = (all, places, matrix)
  }

  package subscript(_ factors: [Int]) -> Int { places[factors.sorted()]! }

  /// The matrix of $\dot m = G m$.
  package func generator(_ rate: Matrix3) -> [Double] {
    let n = count
    var matrix = collisions
    for (row, monomial) in monomials.enumerated() {
      for (k, factor) in monomial.enumerated() {
        func add(_ other: Int, _ value: Double) {
          var factors = monomial
          factors[k] = other
          matrix[row * n + self[factors]] += value
        }
        for j in 0..<3 {
          if factor < 3 { add(j, -rate[factor, j]) } else { add(j + 3, rate[factor - 3, j]) }
        }
        if factor >= 3 { add(factor - 3, 1) }
      }
    }
    return matrix
  }

  /// Moments of a start with $w \sim N(m, S)$ and x = 0.
  package func start(mean: [Double], covariance: [[Double]]) -> [Double] {
    monomials.map { factors in
      guard factors.allSatisfy({ $0 < 3 }) else { return 0 }
      return Self.normalMoment(factors, mean, covariance)
    }
  }

  /// By taking one factor off: $\mathbb E w_i P = m_i\, \mathbb E P + \sum_k S_{ik}\, \mathbb E \partial_k P$.
  private static func normalMoment(_ factors: [Int], _ mean: [Double], _ covariance: [[Double]]) -> Double {
    guard let first = factors.first else { return 1 }
    let rest = Array(factors.dropFirst())
    var sum = mean[first] * normalMoment(rest, mean, covariance)
    for k in rest.indices {
      var left = rest
      left.remove(at: k)
      sum += covariance[first][rest[k]] * normalMoment(left, mean, covariance)
    }
    return sum
  }

  /// Longest time, in units of 1/C, for which moments of a flow that changes are worked out.
  static let longest = 1e4

  /// Moments at ascending times; nil from where they are not worked out on.
  func values(_ deformation: Deformation, rate: Double, from start: [Double], at times: [Double]) -> [[Double]?] {
    deformation.kind == .general
      ? integrated(deformation, rate, start, times) : exponentiated(generator(deformation.start), start, times)
  }

  /// A constant flow, by exponentials of matrices: exact for every time.
  package func exponentiated(_ generator: [Double], _ start: [Double], _ times: [Double]) -> [[Double]?] {
    var (time, moments, result) = (0.0, start, [[Double]?]())
    var last: (step: Double, matrix: [Double])?
    for t in times {
      let step = t - time
      if last?.step != step { last = (step, LinearFlow.exponential(generator.map { $0 * step }, count)) }
      moments = LinearFlow.product(last!.matrix, moments, count)
      time = t
      result.append(moments)
    }
    return result
  }

  /// The method of Dormand and Prince of order 5 (1980), relative error 1e-12 a step.
  package func integrated(_ deformation: Deformation, _ rate: Double, _ start: [Double], _ times: [Double])
    -> [[Double]?]
  {
    var (time, moments, result) = (0.0, start, [[Double]?]())
    var step = 1e-3 / (rate + deformation.start.norm)
    func slope(_ t: Double, _ m: [Double]) -> [Double] {
      LinearFlow.product(generator(deformation.rate(at: t)), m, count)
    }
    for t in times {
      guard t * rate <= Self.longest else {
        result.append(nil)
        continue
      }
      while time < t {
        let h = min(step, t - time)
        var slopes: [[Double]] = []
        for (stage, row) in LinearFlow.stages.enumerated() {
          slopes.append(slope(time + LinearFlow.nodes[stage] * h, LinearFlow.sum(moments, h, row, slopes)))
        }
        let next = LinearFlow.sum(moments, h, LinearFlow.weights, slopes)
        let error = LinearFlow.sum(Array(repeating: 0, count: count), h, LinearFlow.differences, slopes)
        var worst = 0.0
        for i in 0..<count { worst = max(worst, error[i].magnitude / (1e-12 * (next[i].magnitude + 1e-3))) }
        if worst <= 1 {
          (time, moments) = (h == t - time ? t : time + h, next)
        }
        step = h * min(4, max(0.2, 0.9 * Elementary.power(max(worst, 1e-10), -0.2)))
      }
      result.append(moments)
    }
    return result
  }
}

/// Linear equations with a small dense matrix, row by row.
package enum LinearFlow {
  package static func product(_ a: [Double], _ x: [Double], _ n: Int) -> [Double] {
    (0..<n).map { i in (0..<n).reduce(0) { $0 + a[i * n + $1] * x[$1] } }
  }

  static func product(_ a: [Double], times b: [Double], _ n: Int) -> [Double] {
    var result = Array(repeating: 0.0, count: n * n)
    for i in 0..<n {
      for k in 0..<n where a[i * n + k] != 0 {
        let factor = a[i * n + k]
        for j in 0..<n { result[i * n + j] += factor * b[k * n + j] }
      }
    }
    return result
  }

  /// $e^A$ by Taylor's series of $A/2^k$ of norm below 1/4 to the twelfth power, squared k times.
  static func exponential(_ a: [Double], _ n: Int) -> [Double] {
    let norm = (0..<n).map { i in (0..<n).reduce(0) { $0 + a[i * n + $1].magnitude } }.max() ?? 0
    var (scale, squarings) = (1.0, 0)
    while norm * scale > 0.25 { (scale, squarings) = (0.5 * scale, squarings + 1) }
    let small = a.map { $0 * scale }
    var result = identity(n)
    // Horner's scheme.
    for k in stride(from: 12, through: 1, by: -1) {
      result = product(small, times: result, n).map { $0 / Double(k) }
      for i in 0..<n { result[i * n + i] += 1 }
    }
    for _ in 0..<squarings { result = product(result, times: result, n) }
    return result
  }

  static func identity(_ n: Int) -> [Double] {
    var result = Array(repeating: 0.0, count: n * n)
    for i in 0..<n { result[i * n + i] = 1 }
    return result
  }

  /// Largest growth rate of solutions of $\dot m = G m$: $\log |e^{tG}|/t$ at $t = 2^{40}$ in units of 1/|G|, by squaring; good to 1e-11 of |G|.
  package static func growth(_ generator: [Double], _ n: Int) -> Double {
    let norm = generator.map(\.magnitude).max() ?? 0
    guard norm > 0 else { return 0 }
    var (matrix, log, time) = (exponential(generator.map { $0 / norm }, n), 0.0, 1.0)
    for _ in 0..<40 {
      let size = matrix.map(\.magnitude).max()!
      matrix = matrix.map { $0 / size }
      log += Elementary.log(size)
      matrix = product(matrix, times: matrix, n)
      (log, time) = (2 * log, 2 * time)
    }
    return (log + Elementary.log(matrix.map(\.magnitude).max()!)) / time * norm
  }

  /// The solution of Ax = b by elimination with pivots; nil where A is singular.
  static func solve(_ a: [Double], _ b: [Double]) -> [Double]? {
    let n = b.count
    var (a, b) = (a, b)
    for k in 0..<n {
      let pivot = (k..<n).max { a[$0 * n + k].magnitude < a[$1 * n + k].magnitude }!
      guard a[pivot * n + k] != 0 else { return nil }
      if pivot != k {
        for j in 0..<n { a.swapAt(k * n + j, pivot * n + j) }
        b.swapAt(k, pivot)
      }
      for i in k + 1..<max(n, k + 1) {
        let factor = a[i * n + k] / a[k * n + k]
        guard factor != 0 else { continue }
        for j in k..<n { a[i * n + j] -= factor * a[k * n + j] }
        b[i] -= factor * b[k]
      }
    }
    for k in stride(from: n - 1, through: 0, by: -1) {
      for j in k + 1..<max(n, k + 1) { b[k] -= a[k * n + j] * b[j] }
      b[k] /= a[k * n + k]
    }
    return b
  }

  static func sum(_ x: [Double], _ h: Double, _ row: [Double], _ slopes: [[Double]]) -> [Double] {
    var result = x
    for (weight, slope) in zip(row, slopes) where weight != 0 {
      for i in result.indices { result[i] += h * weight * slope[i] }
    }
    return result
  }

  static let nodes = [0, 1.0 / 5, 3.0 / 10, 4.0 / 5, 8.0 / 9, 1, 1]
  static let weights: [Double] = [35.0 / 384, 0, 500.0 / 1113, 125.0 / 192, -2187.0 / 6784, 11.0 / 84, 0]
  static let stages: [[Double]] = [
    [],
    [1.0 / 5],
    [3.0 / 40, 9.0 / 40],
    [44.0 / 45, -56.0 / 15, 32.0 / 9],
    [19372.0 / 6561, -25360.0 / 2187, 64448.0 / 6561, -212.0 / 729],
    [9017.0 / 3168, -355.0 / 33, 46732.0 / 5247, 49.0 / 176, -5103.0 / 18656],
    [35.0 / 384, 0, 500.0 / 1113, 125.0 / 192, -2187.0 / 6784, 11.0 / 84],
  ]
  /// The weights less those of order 4.
  static let differences: [Double] = [
    71.0 / 57600, 0, -71.0 / 16695, 71.0 / 1920, -17253.0 / 339200, 22.0 / 525, -1.0 / 40,
  ]
}
