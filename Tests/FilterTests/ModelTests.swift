import Experiments
import Filters
import Foundation
import Testing

/// What is known of the models without particles: printed values, and each way of working them out against another.
@Suite struct FilterModelTests {
  @Test func forwardAndBackwardSumsHavePrintedValues() throws {
    let model = Known.hidden
    let exact = try #require(model.exact)
    #expect((exp(exact.logEvidence) - 1.42368785134e-5).magnitude < 1e-16)
    #expect((exact.functionals[0] - 1.5879320925).magnitude < 5e-11)
    #expect(((try #require(model.smoother)).smoothed(4)[2] - 0.6814625895).magnitude < 5e-11)
    // Nine transitions in all.
    #expect((exact.functionals.reduce(0, +) - 9).magnitude < 1e-12)
    for (n, variance) in [(2, 13.20293571), (8, 1.15721629), (32, 0.22318546), (128, 0.05233462)] {
      let square = try #require(model.evidenceSecondMoment(particles: n))
      #expect((square - 1 - variance).magnitude < 6e-9, "N = \(n): \(square - 1)")
    }
  }

  /// All paths of a short chain, one by one.
  @Test func sumsAreThoseOverAllPaths() throws {
    let (start, p) = ([0.6, 0.4], [[0.9, 0.1], [0.3, 0.7]])
    let emission = [[0.7, 0.3], [0.2, 0.8]]
    let model = HiddenMarkov(
      initial: start, transition: p, emission: emission, observations: Observations([1, 0, .nan, 1]))
    var (total, stays) = (0.0, 0.0)
    for path in 0..<16 {
      let x = (0..<4).map { path >> $0 & 1 }
      var weight = start[x[0]] * emission[x[0]][1] * emission[x[1]][0] * emission[x[3]][1]
      for t in 1..<4 { weight *= p[x[t - 1]][x[t]] }
      total += weight
      stays += weight * Double((1..<4).filter { x[$0 - 1] == 1 && x[$0] == 1 }.count)
    }
    let exact = try #require(model.exact)
    #expect((exact.logEvidence - log(total)).magnitude < 1e-13)
    #expect((exact.functionals[3] - stays / total).magnitude < 1e-13)
  }

  @Test func theKalmanSmootherHasPrintedValues() throws {
    let exact = try #require(Known.linear.exact)
    #expect((exact.logEvidence + 14.6326708839).magnitude < 5e-10)
    #expect((exact.functionals[0] - 1.48944584).magnitude < 5e-9)
    #expect((exact.functionals[1] - 3.0062242).magnitude < 5e-8)
    #expect((exact.functionals[2] + 4.86462374).magnitude < 5e-9)
  }

  /// Fisher's identity against differences of log Z.
  @Test func theScoreIsTheSlopeOfTheEvidence() throws {
    let waves = try #require(Known.waves(0.5).exact)
    #expect((waves.logEvidence + 97.80151176).magnitude < 5e-8)
    #expect((waves.functionals[2] - 35.80946939).magnitude < 5e-8)
    let (up, down) = (try #require(Known.waves(0.5001).exact), try #require(Known.waves(0.4999).exact))
    #expect(((up.logEvidence - down.logEvidence) / 2e-4 - waves.functionals[2]).magnitude < 1e-4)
    let best = try #require(Known.waves(0.78280194).exact)
    #expect((best.logEvidence + 92.08751540).magnitude < 5e-8)
    #expect(best.functionals[2].magnitude < 1e-5)
    let learning = Learning(
      Known.waves(0.5), FilterPlan(particles: 8, backward: 2), iterations: 1, constant: 20, exponent: 0.7,
      isGibbs: false)
    #expect((try #require(learning.mostLikely(in: -0.99...0.99)) - 0.78280194).magnitude < 2e-7)
  }

  @Test func quadratureHasPrintedValues() throws {
    let exact = try #require(Known.volatility.exact)
    #expect((exact.logEvidence + 13.5029313877).magnitude < 5e-10)
    #expect((exact.functionals[0] - 2.3448152993).magnitude < 5e-10)
    let grid = StochasticVolatility.grid(persistence: 0.95, noise: 0.3, scale: 0.8, Known.ten)
    let mean = zip(grid.points.points, grid.smoother.smoothed(4)).reduce(0) { $0 + $1.0 * $1.1 }
    #expect((mean - 0.14828865).magnitude < 5e-9)
  }

  /// Two routes to a linear Gaussian model of vectors: Kalman's recursions, and the joint normal law of all its numbers.
  @Test func vectorsAreThoseOfDenseAlgebra() throws {
    let exact = try #require(Known.vectors.exact)
    let (a, q) = ([[0.8, 0.3], [-0.2, 0.7]], [[0.5, 0.1], [0.1, 0.4]])
    let (b, r) = ([[1, 0], [0.5, 1], [0, -1.0]], [[0.6, 0.1, 0], [0.1, 0.8, 0], [0, 0, 1]])
    let y = [[0.5, 0.2, -0.1], [], [-0.4, 0.6, 0.9], [0.2, 0, -1.2], [1.1, 0.4, 0.3]]
    // Precision and its product with the mean of (x_0, …, x_4) given y.
    let size = 10
    var precision = Array(repeating: Array(repeating: 0.0, count: size), count: size)
    var linear = Array(repeating: 0.0, count: size)
    func invert(_ m: [[Double]]) -> (inverse: [[Double]], logDeterminant: Double) {
      let n = m.count
      var (left, right) = (m, (0..<n).map { i in (0..<n).map { i == $0 ? 1.0 : 0 } })
      var logDeterminant = 0.0
      for k in 0..<n {
        let pivot = left[k][k]
        logDeterminant += log(pivot)
        for j in 0..<n { (left[k][j], right[k][j]) = (left[k][j] / pivot, right[k][j] / pivot) }
        for i in 0..<n where i != k {
          let factor = left[i][k]
          for j in 0..<n {
            left[i][j] -= factor * left[k][j]
            right[i][j] -= factor * right[k][j]
          }
        }
      }
      return (right, logDeterminant)
    }
    /// Adds the square |L z - c|^2 in the metric of a precision, z two or four numbers from a place on.
    var constant = 0.0
    func add(_ rows: [[Double]], _ c: [Double], at place: Int, covariance: [[Double]]) {
      let (metric, logDeterminant) = invert(covariance)
      constant -= 0.5 * (logDeterminant + Double(covariance.count) * log(2 * Double.pi))
      for i in rows.indices {
        for j in rows.indices {
          constant -= 0.5 * c[i] * metric[i][j] * c[j]
          for k in rows[i].indices {
            linear[place + k] += rows[i][k] * metric[i][j] * c[j]
            for l in rows[j].indices { precision[place + k][place + l] += rows[i][k] * metric[i][j] * rows[j][l] }
          }
        }
      }
    }
    add([[1, 0], [0, 1]], [0, 0], at: 0, covariance: [[1, 0.3], [0.3, 2]])
    for t in 0..<5 {
      if t > 0 {
        add([[-a[0][0], -a[0][1], 1, 0], [-a[1][0], -a[1][1], 0, 1]], [0, 0], at: 2 * t - 2, covariance: q)
      }
      if !y[t].isEmpty { add(b, y[t], at: 2 * t, covariance: r) }
    }
    let (covariance, logDeterminant) = invert(precision)
    let mean = covariance.map { row in zip(row, linear).reduce(0) { $0 + $1.0 * $1.1 } }
    let evidence =
      constant + 0.5 * zip(mean, linear).reduce(0) { $0 + $1.0 * $1.1 } - 0.5 * logDeterminant
      + 0.5 * Double(size) * log(2 * Double.pi)
    #expect((exact.logEvidence - evidence).magnitude < 1e-11, "\(exact.logEvidence), \(evidence)")
    var sums = [0.0, 0.0]
    for k in 0..<8 {
      sums[0] += covariance[k][k + 2] + mean[k] * mean[k + 2]
      sums[1] += covariance[k][k] + mean[k] * mean[k]
    }
    for f in 0..<2 { #expect((exact.functionals[f] - sums[f]).magnitude < 1e-11) }
  }

  /// The model of numbers and the model of vectors in one dimension: the same weights, transitions and promises.
  @Test func theScalarModelIsThatOfVectors() {
    let (scalar, general) = (Known.linear, Known.linear.general)
    let (from, to) = (Cloud(particles: 4, dimension: 1), Cloud(particles: 4, dimension: 1))
    defer { for cloud in [from, to] { cloud.x.deallocate() } }
    for i in 0..<4 { (from.x[i], to.x[i]) = (0.7 * Double(i) - 1, 0.4 - 0.5 * Double(i)) }
    func values(_ model: some StateSpaceModel) -> [Double] {
      var (weights, promises) = (Array(repeating: 0.0, count: 4), Array(repeating: 0.0, count: 4))
      model.weigh(3, to, 0..<4, &weights)
      model.lookAhead(3, from, 0..<4, &promises)
      return weights + promises + (0..<4).map { model.logTransition(3, from, $0, to, 3 - $0) }
    }
    for (x, y) in zip(values(scalar), values(general)) { #expect((x - y).magnitude < 1e-13) }
  }
}
