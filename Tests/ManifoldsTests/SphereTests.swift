import Experiments
import Foundation
import Manifolds
import Randomness
import Testing

/// One batch of sites of a manifold, for tests of its geometry and of its heat bath.
final class Batch {
  let manifold: any Manifold
  let count: Int
  let x, u: LaneBlock
  let room: LaneBlock

  init(_ manifold: any Manifold, count: Int = Lanes.width) {
    (self.manifold, self.count) = (manifold, count)
    x = .allocate(capacity: manifold.width * Lanes.width)
    u = .allocate(capacity: manifold.width * Lanes.width)
    room = .allocate(capacity: manifold.roomLength * Lanes.width)
    for memory in [x, u] { memory.initialize(repeating: 0, count: manifold.width * Lanes.width) }
    room.initialize(repeating: 0, count: manifold.roomLength * Lanes.width)
  }

  deinit { for memory in [x, u, room] { memory.deallocate() } }

  /// Normals in every lane.
  func fill(_ lanes: LaneBlock, _ noise: Noise) {
    let normals = noise.normals(0, manifold.width * Lanes.width)
    for i in 0..<manifold.width * Lanes.width { lanes[i] = normals[i] }
  }

  func drawUniform(_ noise: Noise) {
    fill(x, noise)
    manifold.normalise(x, count, room: room)
  }

  subscript(_ lanes: LaneBlock, _ lane: Int) -> [Double] { (0..<manifold.width).map { lanes[$0 * Lanes.width + lane] } }
}

func noise(_ name: String) -> Noise { Noise(key: Stream.key(seed: 2026, path: name), replica: 0) }

func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }

/// The von Mises-Fisher heat bath by itself: its law along the mean and across it, and its edge cases.
@Suite struct SphereTests {
  /// Largest distance of a sample from the law of density sin^(k-2) t e^(kappa cos t) in the angle, times the root of the number.
  private func distance(_ cosines: [Double], _ k: Int, _ kappa: Double) -> Double {
    let count = 20_000
    var (table, total) = ([0.0], 0.0)
    func density(_ t: Double) -> Double { pow(sin(t), Double(k - 2)) * exp(kappa * (cos(t) - 1)) }
    for i in 0..<count {
      total += density(Double.pi * (Double(i) + 0.5) / Double(count))
      table.append(total)
    }
    let angles = cosines.map { acos(min(max($0, -1), 1)) }.sorted()
    var largest = 0.0
    for (i, angle) in angles.enumerated() {
      let place = angle / Double.pi * Double(count)
      let low = min(Int(place), count - 1)
      let law = (table[low] + (place - Double(low)) * (table[low + 1] - table[low])) / total
      largest = max(largest, law - Double(i) / Double(angles.count), Double(i + 1) / Double(angles.count) - law)
    }
    return largest * Double(angles.count).squareRoot()
  }

  /// Means of several kinds: on the axes, against them, of equal parts, and far from unit length.
  private func mean(_ kind: Int, _ k: Int) -> [Double] {
    switch kind {
    case 0: (0..<k).map { $0 == 0 ? 1 : 0 }
    case 1: (0..<k).map { $0 == 0 ? -1 : 0 }
    case 2: (0..<k).map { $0 == k - 1 ? 1 : 0 }
    default: (0..<k).map { 1 + 0.3 * Double($0) }
    }
  }

  /// 7 ranks x 7 concentrations x 2 statements; means in turn. Kolmogorov's tail 2 exp(-2 d^2) = 1e-3/98 at d = 2.47, and |z| < 4.4.
  @Test(arguments: [2, 3, 4, 5, 10, 37, 200], [0.0, 1e-9, 1e-3, 0.5, 2, 20, 5000])
  func theLawAlongAndAcrossTheMean(k: Int, kappa: Double) {
    let noise = noise("vmf \(k) \(kappa)")
    let batch = Batch(Sphere(k))
    let rounds = validating ? 3000 : 150
    let kind = (k + Int(kappa)) % 4
    let own = mean(kind, k)
    let length = dot(own, own).squareRoot()
    let unit = own.map { $0 / length }
    // A direction across it, for what is orthogonal to the mean.
    let axis = (0..<k).map { $0 == (kind == 2 ? 0 : k - 1) ? 1.0 : 0 }
    let across = axis.indices.map { axis[$0] - dot(axis, unit) * unit[$0] }
    let scale = 1 / dot(across, across).squareRoot()
    var (cosines, sides) = ([Double](), [Double]())
    for _ in 0..<rounds {
      for c in 0..<k { for i in 0..<batch.count { batch.u[c * Lanes.width + i] = -own[c] } }
      batch.manifold.renew(batch.x, field: batch.u, beta: kappa / length, noise, batch.count, room: batch.room)
      for i in 0..<batch.count {
        let x = batch[batch.x, i]
        #expect((dot(x, x) - 1).magnitude < 1e-14)
        cosines.append(dot(x, unit))
        sides.append(scale * dot(x, across))
      }
    }
    let found = distance(cosines, k, kappa)
    #expect(found < 2.47, "k = \(k), kappa = \(kappa): \(found)")
    // E side^2 = (1 - E cos^2)/(k - 1) = A_k/kappa.
    let expected = kappa > 1e-6 ? BesselRatio.mean(rank: k, kappa) / kappa : 1 / Double(k)
    let squares = sides.map { $0 * $0 }
    let mean = squares.reduce(0, +) / Double(squares.count)
    let variance = squares.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(squares.count * (squares.count - 1))
    #expect(
      (mean - expected).magnitude < 4.4 * variance.squareRoot(), "k = \(k), kappa = \(kappa): \(mean), \(expected)")
    let drift = sides.reduce(0, +) / Double(sides.count)
    #expect(drift.magnitude < 4.4 * (mean / Double(sides.count)).squareRoot(), "k = \(k), kappa = \(kappa): \(drift)")
  }

  /// k = 3, point by point: without a field the same noise gives z, with one log(1 - (1 - u)(1 - e^(-2 kappa)))/kappa + 1.
  @Test(arguments: [1e-7, 0.99e-5, 1.01e-5, 1e-3, 0.3, 0.9, 4]) func inversionsAreExact(kappa: Double) {
    func cosines(_ beta: Double) -> [Double] {
      let batch = Batch(Sphere(3))
      for i in 0..<3 * Lanes.width { batch.u[i] = i < Lanes.width ? -1 : 0 }
      batch.manifold.renew(batch.x, field: batch.u, beta: beta, noise("inversion"), batch.count, room: batch.room)
      return (0..<batch.count).map { batch.x[$0] }
    }
    for (z, found) in zip(cosines(0), cosines(kappa)) {
      let expected = 1 + log1p(0.5 * (1 - z) * expm1(-2 * kappa)) / kappa
      #expect((found - expected).magnitude < 2e-10, "\(z): \(found), \(expected)")
    }
  }

  /// The plain route: uniform points accepted with probability exp(kappa (cos - 1)).
  @Test(arguments: [2, 3, 4, 6]) func plainRejectionHasTheSameLaw(k: Int) {
    let (noise, kappa) = (noise("plain \(k)"), 1.5)
    let batch = Batch(Sphere(k))
    var plain: [Double] = []
    while plain.count < 4000 {
      batch.drawUniform(noise)
      for i in 0..<batch.count {
        let cosine = batch.x[i]
        if noise.uniform() < exp(kappa * (cosine - 1)) { plain.append(cosine) }
      }
    }
    // 2 exp(-2 d^2) = 1e-3/4.
    #expect(distance(plain, k, kappa) < 2.12)
  }

  /// Without a field, and with one that is too large for the range of squares.
  @Test(arguments: [2, 3, 4, 9]) func extremeFields(k: Int) {
    let noise = noise("extreme \(k)")
    let batch = Batch(Sphere(k), count: 5)
    for (strength, beta) in [(0.0, 1.0), (1e-200, 1), (1, 0), (1, 1e12), (1e9, 1e12)] {
      for c in 0..<k { for i in 0..<5 { batch.u[c * Lanes.width + i] = c == 0 ? -strength : 0 } }
      batch.manifold.renew(batch.x, field: batch.u, beta: beta, noise, 5, room: batch.room)
      for i in 0..<5 {
        let x = batch[batch.x, i]
        #expect((dot(x, x) - 1).magnitude < 1e-14, "\(strength) \(beta): \(x)")
        if strength * beta > 1e10 { #expect(x[0] > 1 - 1e-8) }
      }
    }
  }
}
