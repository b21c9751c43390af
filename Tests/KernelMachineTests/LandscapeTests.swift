import Foundation
import KernelMachines
import Kernels
import Networks
import Testing

/// The density of the posterior and its gradient against plain linear algebra and differences.
@Suite struct LandscapeTests {
  /// Octets of coordinates, another place in each lane.
  private static func places(_ settings: MachineSettings) -> [Double] { scattered(8 * settings.coordinates) }

  /// T of a lane by layer, full matrices row by row, from the order of the coordinates.
  private static func factors(_ settings: MachineSettings, _ q: [Double], lane: Int) -> [[[Double]]] {
    let p = settings.points
    var below = settings.depth * p
    return (0..<settings.depth).map { l in
      var t = Array(repeating: Array(repeating: 0.0, count: p), count: p)
      for i in 0..<p {
        for j in 0..<i {
          t[i][j] = q[8 * below + lane]
          below += 1
        }
        t[i][i] = exp(q[8 * (l * p + i) + lane])
      }
      return t
    }
  }

  private static func product(_ a: [[Double]], _ b: [[Double]]) -> [[Double]] {
    a.map { row in b[0].indices.map { c in row.indices.reduce(0) { $0 + row[$1] * b[$1][c] } } }
  }

  private static func transpose(_ a: [[Double]]) -> [[Double]] { a[0].indices.map { c in a.map { $0[c] } } }

  /// log det and the solution of A x = y by elimination.
  private static func eliminate(_ a: [[Double]], _ y: [Double]) -> (logDeterminant: Double, solution: [Double]) {
    var (a, y, log) = (a, y, 0.0)
    for k in a.indices {
      log += Foundation.log(a[k][k])
      for i in a.indices where i != k {
        let f = a[i][k] / a[k][k]
        for j in a.indices { a[i][j] -= f * a[k][j] }
        y[i] -= f * y[k]
      }
    }
    return (log, y.indices.map { y[$0] / a[$0][$0] })
  }

  private static func kernel(_ settings: MachineSettings, _ g: [[Double]]) -> [[Double]] {
    let p = g.count
    let activation: any Activation = settings.kernel == .erf ? Erf() : SlopeActivation(plus: 1, minus: 0)
    let scale = settings.kernel == .relu ? 2.0 : 1
    let flat = settings.kernel == .linear ? g.flatMap { $0 } : ActivationKernel(activation).apply(g.flatMap { $0 }, p)
    return (0..<p).map { a in (0..<p).map { scale * flat[a * p + $0] } }
  }

  /// A factor of a positive definite matrix.
  private static func lower(_ a: [[Double]]) -> [[Double]] {
    let p = a.count
    let flat = Triangular.cholesky(a.flatMap { $0 }, m: p) ?? []
    return (0..<p).map { Array(flat[$0 * p..<($0 + 1) * p]) }
  }

  /// U, Gram matrices, complexities and fit by dense matrices, inverse and determinants; the density of T from that of Wishart matrices in G itself.
  private static func plain(_ settings: MachineSettings, _ q: [Double], lane: Int) -> (
    u: Double, grams: [[[Double]]], complexities: [Double], fit: Double
  ) {
    let (p, n) = (settings.points, Double(settings.width))
    var covariance = kernel(settings, (0..<p).map { a in (0..<p).map { settings.start[a * p + $0] } })
    var (logPrior, grams, complexities): (Double, [[[Double]]], [Double]) = (0, [], [])
    for t in factors(settings, q, lane: lane) {
      let factor = lower(covariance)
      let a = product(factor, t)
      let g = product(a, transpose(a))
      // tr S and log det S with S = K^-1 G, a column at a time.
      let columns = transpose(g)
      let trace = (0..<p).reduce(0.0) { $0 + eliminate(covariance, columns[$1]).solution[$1] }
      let logs = eliminate(g, g[0]).logDeterminant - eliminate(covariance, g[0]).logDeterminant
      complexities.append(0.5 * (trace - logs - Double(p)))
      // The Wishart density in G, log det G (N - P - 1)/2 - N tr S/2 less the normalisation, and the Jacobian of G = L T T^T L^T in log T_ii, T_ij: prod T_ii^(P - i + 1), up to constants.
      logPrior += 0.5 * (n - Double(p) - 1) * logs - 0.5 * n * trace
      for i in 0..<p { logPrior += Double(p - i + 1) * log(t[i][i]) }
      grams.append(g)
      covariance = kernel(settings, g)
    }
    var c = covariance
    for i in 0..<p { c[i][i] += settings.noise }
    var fit = -0.5 * settings.outputRatio * eliminate(c, c[0]).logDeterminant
    for y in settings.targets {
      fit -= 0.5 * settings.outputRatio * zip(y, eliminate(c, y).solution).reduce(0) { $0 + $1.0 * $1.1 }
    }
    return (-logPrior - n * fit, grams, complexities, fit)
  }

  @Test(arguments: PairKernel.allCases, [1, 2, 3])
  func theDensityIsThatOfWishartMatrices(kernel: PairKernel, depth: Int) {
    let settings = Machines.settings(
      kernel, depth: depth, nu: 0.7, targets: [[1, -1, 0.5], [0.2, 0.4, -0.3]])
    let q = Self.places(settings)
    let landscape = Landscape(settings)
    landscape.update(q, gradient: false)
    let plain = (0..<8).map { Self.plain(settings, q, lane: $0) }
    for lane in 0..<8 {
      // A constant is left out.
      let (found, known) = (landscape.potential[lane] - landscape.potential[0], plain[lane].u - plain[0].u)
      #expect(abs(found - known) < 1e-9 * max(1, abs(plain[lane].u)), "\(kernel), L = \(depth), lane \(lane)")
      #expect(abs(landscape.fit[lane] - plain[lane].fit) < 1e-11 * max(1, abs(plain[lane].fit)))
    }
    var values = Array(repeating: 0.0, count: settings.coordinates + depth + 1)
    landscape.write(q, count: 1, to: &values)
    var place = 0
    for l in 0..<depth {
      for a in 0..<3 {
        for b in 0...a {
          #expect(abs(values[place] - plain[0].grams[l][a][b]) < 1e-12)
          place += 1
        }
      }
      #expect(abs(values[settings.coordinates + l] - plain[0].complexities[l]) < 1e-11)
    }
  }

  /// Central differences: 1e-6 of the largest derivative.
  @Test(arguments: PairKernel.allCases, [1, 2, 3])
  func theGradientIsThatOfTheDensity(kernel: PairKernel, depth: Int) {
    for ofLimit in [false, true] {
      let settings = Machines.settings(
        kernel, depth: depth, nu: 0.7, targets: [[1, -1, 0.5], [0.2, 0.4, -0.3]])
      let q = Self.places(settings)
      let (landscape, other) = (Landscape(settings, ofLimit: ofLimit), Landscape(settings, ofLimit: ofLimit))
      landscape.update(q, gradient: true)
      let scale = (0..<q.count).reduce(1.0) { max($0, abs(landscape.gradient[$1])) }
      for i in 0..<settings.coordinates {
        let differences = [1e-5, -1e-5].map { h in
          var moved = q
          for k in 0..<8 { moved[8 * i + k] += h }
          other.update(moved, gradient: false)
          return (0..<8).map { other.potential[$0] }
        }
        for k in 0..<8 {
          let difference = (differences[0][k] - differences[1][k]) / 2e-5
          #expect(
            abs(difference - landscape.gradient[8 * i + k]) < 1e-6 * scale, "\(kernel), L = \(depth), \(i), lane \(k)")
        }
      }
    }
  }

  /// Pair by pair against the kernels of networks, to rounding, also where inputs are nearly parallel.
  @Test func kernelsAreThoseOfNetworks() {
    let relu = ActivationKernel(SlopeActivation(plus: 1, minus: 0))
    let erf = ActivationKernel(Erf())
    for p in [0.3, 1, 4.0] {
      for q in [0.5, 2.0] {
        for rho in [-1, -0.99, -0.4, 0, 0.3, 0.9, 0.999999, 1] {
          let r = rho * (p * q).squareRoot()
          #expect(abs(PairKernel.relu.value(p, q, r) - 2 * relu.product(p, q, r)) < 4e-15 * p * q)
          #expect(abs(PairKernel.erf.value(p, q, r) - erf.product(p, q, r)) < 2e-15)
        }
      }
      #expect(abs(PairKernel.relu.diagonal(p) - 2 * relu.product(p, p, p)) < 4e-15 * p)
      #expect(abs(PairKernel.erf.diagonal(p) - erf.product(p, p, p)) < 2e-15)
    }
  }
}
