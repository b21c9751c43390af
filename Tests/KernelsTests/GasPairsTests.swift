import Foundation
import Kernels
import Testing

/// Sums over pairs against plain loops.
@Suite struct GasPairsTests {
  private static func points(_ n: Int, _ d: Int) -> [[Double]] {
    (0..<n).map { i in
      let own = 0.7 * Double(i * i % 97) + 0.01 * Double(i)
      return (0..<d).map { 1.3 * sin(own + 1.1 * Double($0)) }
    }
  }

  private static func distance(_ a: [Double], _ b: [Double]) -> Double {
    zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
  }

  @Test(arguments: [1, 2, 3], [1, 2, 15, 16, 17, 33, 48, 101])
  func energyAndGradientAreThoseOfPlainLoops(d: Int, n: Int) {
    let pairs = GasPairs(dimension: d, number: n)
    defer { pairs.deallocate() }
    let points = Self.points(n, d)
    let x = UnsafeMutablePointer<Double>.allocateZeros(d * pairs.stride)
    let g = UnsafeMutablePointer<Double>.allocateZeros(d * pairs.stride)
    defer {
      x.deallocate()
      g.deallocate()
    }
    for (i, point) in points.enumerated() { for k in 0..<d { x[k * pairs.stride + i] = point[k] } }
    pairs.gradient(x, to: g)
    var (energy, size) = (0.0, 1.0)
    var gradient = Array(repeating: Array(repeating: 0.0, count: d), count: n)
    for i in 0..<n {
      for j in 0..<n where j != i {
        let r = Self.distance(points[i], points[j])
        let w = d == 1 ? -r : d == 2 ? -log(r) : 1 / r
        if i < j { energy += w }
        size += abs(w) + pow(r, Double(1 - d))
        // w' = -r^{1-d}.
        for k in 0..<d { gradient[i][k] -= (points[i][k] - points[j][k]) / r * pow(r, Double(1 - d)) }
      }
    }
    #expect(abs(pairs.energy(x, gradient: g) - energy) < 1e-14 * size)
    for i in 0..<n { for k in 0..<d { #expect(abs(g[k * pairs.stride + i] - gradient[i][k]) < 2e-14 * size) } }
  }

  /// Where two points of the plane coincide the energy is infinite, in a block of lanes and across blocks; far below 1 and far above it stays in range.
  @Test func coincidingPointsAndExtremeDistances() {
    let n = 40
    let pairs = GasPairs(dimension: 2, number: n)
    defer { pairs.deallocate() }
    let x = UnsafeMutablePointer<Double>.allocateZeros(2 * pairs.stride)
    defer { x.deallocate() }
    for i in 0..<n { (x[i], x[pairs.stride + i]) = (Double(i), Double(i % 3)) }
    func energy() -> Double { pairs.energy(x, gradient: x) }
    for (i, j) in [(3, 9), (3, 30)] {
      let kept = (x[i], x[pairs.stride + i])
      (x[i], x[pairs.stride + i]) = (x[j], x[pairs.stride + j])
      #expect(energy() == .infinity)
      (x[i], x[pairs.stride + i]) = kept
    }
    let base = energy()
    let logs = 0.5 * Double(n * (n - 1)) * log(1e-6)
    for i in 0..<2 * pairs.stride { x[i] *= 1e-6 }
    #expect(abs(energy() - (base - logs)) < 1e-9)
    for i in 0..<2 * pairs.stride { x[i] *= 1e12 }
    #expect(abs(energy() - (base + logs)) < 1e-9)
  }
}
