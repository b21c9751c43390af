import Experiments
import Foundation
import Kernels
import Manifolds
import Testing

/// Values without sampling, by a second route each: printed digits, integrals, other series.
@Suite struct ReferenceTests {
  private func near(_ a: Double, _ b: Double, _ tolerance: Double) -> Bool { (a - b).magnitude <= tolerance }

  @Test(arguments: [(3, 2.0, 0.53731472), (4, 2.0, 0.43312743), (10, 10.0, 0.63366839)])
  func ratiosAreThosePrinted(k: Int, kappa: Double, value: Double) {
    #expect(near(BesselRatio.mean(rank: k, kappa), value, 6e-9))
    #expect(BesselRatio.mean(rank: k, -kappa) == -BesselRatio.mean(rank: k, kappa))
  }

  /// A_k = int cos t sin^(k-2) t e^(kappa cos t) / int sin^(k-2) t e^(kappa cos t) by the trapezoidal rule; A_3 = coth kappa - 1/kappa.
  @Test(arguments: [2, 3, 4, 5, 10, 50], [1e-6, 0.1, 1, 7, 40, 900])
  func ratiosAreIntegrals(k: Int, kappa: Double) {
    let reach = min(Double.pi, 60 * (Double(k) / max(kappa, 1)).squareRoot())
    var (top, bottom) = (0.0, 0.0)
    let count = 40_000
    for i in 0...count {
      let t = reach * Double(i) / Double(count)
      let end = i == 0 || i == count ? 0.5 : 1
      let weight = end * pow(sin(t), Double(k - 2)) * exp(kappa * (cos(t) - 1))
      top += weight * cos(t)
      bottom += weight
    }
    #expect(near(BesselRatio.mean(rank: k, kappa), top / bottom, 1e-7))
    if k == 3 && kappa > 0.05 {
      #expect(near(BesselRatio.mean(rank: 3, kappa), 1 / tanh(kappa) - 1 / kappa, 1e-13))
    }
  }

  @Test func ratiosOfLargeArguments() {
    for x in [1e4, 1e6, 1e9, 1e12] {
      #expect(near(BesselRatio.mean(rank: 3, x), 1 - 1 / x, 1e-12), "\(x)")
    }
  }

  /// Printed values of rings of three and of five spins.
  @Test func ringsAreThosePrinted() {
    #expect(near(TransferSeries.cosine(length: 3, rank: 3, 2), -0.31788849, 6e-9))
    #expect(near(TransferSeries.cosine(length: 5, rank: 3, 5), -0.66871804, 6e-9))
  }

  /// Rings of angles by powers of the matrix exp(-K cos(a - b)) on a grid, which is exact for periodic functions; long open chains give -A_k.
  @Test(arguments: [3, 4, 7], [-3.0, -0.5, 0.7, 4])
  func ringsOfAnglesAreTracesOfAMatrix(n: Int, coupling: Double) {
    // The grid diagonalises it: eigenvalues are the Fourier coefficients.
    let count = 200
    func trace(_ k: Double) -> Double {
      (0..<count).reduce(0) { total, l in
        let mode = (0..<count).reduce(0.0) { sum, j in
          let a = 2 * Double.pi * Double(j) / Double(count)
          return sum + exp(-k * cos(a)) * cos(Double(l) * a)
        }
        return total + pow(mode / Double(count), Double(n))
      }
    }
    let step = 1e-4
    let slope = (log(trace(coupling + step)) - log(trace(coupling - step))) / (2 * step)
    #expect(near(TransferSeries.cosine(length: n, rank: 2, coupling), -slope / Double(n), 1e-7))
  }

  /// A long ring is a chain of independent steps; three spins on S^3 by brute force over two angles.
  @Test(arguments: [2, 3, 4, 6]) func longRingsAreChains(k: Int) {
    for coupling in [-2.0, 0.3, 3] {
      #expect(
        near(TransferSeries.cosine(length: 400, rank: k, coupling), -BesselRatio.mean(rank: k, coupling), 1e-12))
    }
    #expect(TransferSeries.cosine(length: 5, rank: k, 0) == 0)
  }

  @Test(arguments: [5, 6, 8]) func trianglesAreIntegrals(k: Int) {
    // v_1 fixed, v_2 at the angle a from it, v_3 at the angle b and around by c.
    let (count, coupling) = (96, 1.3)
    var (top, bottom) = (0.0, 0.0)
    let half = Double.pi / Double(count)
    let angles = (0..<count).map { half * (Double($0) + 0.5) }
    for a in angles {
      for b in angles {
        for c in angles {
          let weight =
            pow(sin(a) * sin(b), Double(k - 2)) * pow(sin(c), Double(k - 3))
          let third = cos(a) * cos(b) + sin(a) * sin(b) * cos(c)
          let total = cos(a) + cos(b) + third
          let mass = weight * exp(-coupling * total)
          top += mass * total / 3
          bottom += mass
        }
      }
    }
    #expect(near(TransferSeries.cosine(length: 3, rank: k, coupling), top / bottom, 1e-6))
  }

  /// Printed means of plaquettes; the charge of free plaquettes is that of uniform angles.
  @Test func plaquettesAreThosePrinted() {
    let (one, two) = (PlaquetteSums(plaquettes: 16, beta: 1), PlaquetteSums(plaquettes: 16, beta: 2))
    #expect(near(one.cosine, 0.446394, 6e-7) && near(two.cosine, 0.699252, 6e-7), "\(one.cosine) \(two.cosine)")
    #expect(near(PlaquetteSums(plaquettes: 16, beta: 0).squaredCharge, 16.0 / 12, 1e-12))
    #expect(near(PlaquetteSums(plaquettes: 16, beta: 0).cosine, 0, 1e-12))
    // A large torus is one of independent plaquettes: I_1/I_0, and V times the variance of a plaquette angle over 4 pi^2.
    #expect(near(PlaquetteSums(plaquettes: 10_000, beta: 1).cosine, BesselRatio.next(0, 1), 1e-12))
  }

  /// The sums over I_n themselves, by their power series.
  @Test(arguments: [4, 9, 64], [0.3, 2, 9]) func plaquettesAreSums(plaquettes: Int, beta: Double) {
    func bessel(_ n: Int) -> Double {
      var term = (1...max(n, 1)).reduce(1.0) { n == 0 ? 1 : $0 * 0.5 * beta / Double($1) }
      var total = term
      for m in 1..<200 {
        term *= 0.25 * beta * beta / (Double(m) * Double(m + n))
        total += term
      }
      return total
    }
    var (top, bottom) = (0.0, 0.0)
    for n in -40...40 {
      let own = bessel(abs(n))
      let power = pow(own / bessel(0), Double(plaquettes))
      top += power * 0.5 * (bessel(abs(n - 1)) + bessel(abs(n + 1))) / own
      bottom += power
    }
    #expect(near(PlaquetteSums(plaquettes: plaquettes, beta: beta).cosine, top / bottom, 1e-11))
  }

  /// E Q^2 by differences of Z(t), on a grid of angles.
  @Test(arguments: [0.5, 3, 6]) func chargesAreTheCurvatureInTheVacuumAngle(beta: Double) {
    let plaquettes = 9.0
    func partition(_ t: Double) -> Double {
      (-30...30).reduce(0) { total, n in
        let count = 20_000
        var c = 0.0
        for i in 0..<count {
          let a = Double.pi * (Double(i) + 0.5) / Double(count)
          c += exp(beta * (cos(a) - 1)) * cos((Double(n) + t) * a) / Double(count)
        }
        return total + pow(c, plaquettes)
      }
    }
    let step = 0.005
    let curvature = (partition(step) - 2 * partition(0) + partition(-step)) / (step * step)
    let expected = -curvature / (4 * Double.pi * Double.pi * partition(0))
    let found = PlaquetteSums(plaquettes: 9, beta: beta).squaredCharge
    #expect(near(found, expected, 2e-3 * expected), "\(found) \(expected)")
  }

  /// The open plaquette H = 2 g^2 L^2 + (1 - cos)/g^2: by diagonalisation, and as 1/g^2 + (g^2/2) a_0(1/g^4) by the continued fraction of
  /// Mathieu's equation; here g^2 is called g.
  @Test(arguments: [(0.5, 0.929870), (1, 0.772431), (2, 0.468961)])
  func anOpenPlaquetteHasTheEnergyOfMathieu(g: Double, printed: Double) {
    let most = 40
    var diagonal = (-most...most).map { 2 * g * Double($0 * $0) + 1 / g }
    var beside = Array(repeating: -0.5 / g, count: 2 * most + 1)
    diagonal.withUnsafeMutableBufferPointer { d in
      beside.withUnsafeMutableBufferPointer { e in
        Tridiagonal.eigenvalues(diagonal: d.baseAddress!, beside: e.baseAddress!, count: 2 * most + 1)
      }
    }
    let ground = diagonal.min()!
    // a = 2 q^2/(a - 4 - q^2/(a - 16 - q^2/(a - 36 - ...))), the smallest root.
    let q = 1 / (g * g)
    func excess(_ a: Double) -> Double {
      var tail = 0.0
      for m in stride(from: 30, through: 1, by: -1) {
        tail = (m == 1 ? 2 : 1) * q * q / (a - 4 * Double(m * m) - tail)
      }
      return a - tail
    }
    // Below a_0 it is negative; the root lies above -2 q.
    var (low, high) = (-2 * q, 0.0)
    for _ in 0..<200 {
      let middle = 0.5 * (low + high)
      if excess(middle) < 0 { low = middle } else { high = middle }
    }
    #expect(near(ground, printed, 6e-7))
    #expect(near(ground, 1 / g + 0.5 * g * 0.5 * (low + high), 1e-10))
  }
}
