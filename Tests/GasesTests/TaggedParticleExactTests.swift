import Experiments
import Foundation
import Kernels
import Testing

import Gases

/// What is worked out without draws.
@Suite struct TaggedParticleExactTests {
  private static func value(_ particle: TaggedParticle, _ name: String, _ record: Int) throws -> Double {
    try #require(particle.known.first { $0.observable == name && $0.record == record && $0.statistic == .mean }).value
  }

  private static func close(_ found: Double, _ printed: Double, _ digits: Double, _ what: String) {
    #expect(abs(found - printed) <= 0.51 * digits, "\(what): \(found), printed \(printed)")
  }

  /// Moments of Maxwell molecules, to the digits that are printed.
  @Test func printedMoments() throws {
    let sheared = Tagged.particle(Tagged.shear(0.5), Tagged.law(0), [1, 5, 400])
    let printed: [(String, [Double])] = [
      ("S[1,1]", [1.15845, 1.91966, 2.21739]), ("S[2,2]", [1.00425, 1.09516, 1.17391]),
      ("S[1,2]", [-0.35226, -0.69436, -0.78261]),
    ]
    for (name, values) in printed {
      for (record, value) in values.enumerated() {
        Self.close(try Self.value(sheared, name, record), value, 1e-5, "\(name) \(record)")
      }
    }
    Self.close(try Self.value(sheared, "fourth", 1), 38.490, 1e-3, "fourth")
    let strong = Tagged.particle(Tagged.shear(2), Tagged.law(0), [10, 60])
    Self.close(try Self.value(strong, "square", 0), 121.008, 1e-3, "K = 2")
    let past = Tagged.particle(Tagged.shear(1), Tagged.law(0), [60])
    Self.close(try Self.value(past, "fourth", 0) / 1e8, 4.0, 0.1, "K = 1, fourth")
    let dilated = Tagged.particle(
      Tagged.dilation(0.5), Tagged.law(0), [1, 4], start: TaggedStart(variance: 2))
    Self.close(try Self.value(dilated, "S[1,1]", 0), 0.82512, 1e-5, "dilation")
    Self.close(try Self.value(dilated, "S[2,2]", 1), 0.57059, 1e-5, "dilation")
  }

  @Test func printedThresholds() {
    let shear = TaggedShear(Tagged.law(0))
    Self.close(shear.critical, 1.299038, 1e-6, "K_2")
    Self.close(shear.fourthCritical, 0.688852, 1e-6, "K_4")
    Self.close(shear.growth(2), 0.215364, 1e-6, "growth")
    // Rates scale with C.
    let fast = TaggedShear(Tagged.law(0, rate: 3, theta: 7))
    #expect(abs(fast.critical - 3 * shear.critical) < 1e-12)
    #expect(abs(fast.fourthCritical - 3 * shear.fourthCritical) < 1e-9)
    #expect(abs(fast.growth(6) - 3 * shear.growth(2)) < 1e-12)
  }

  /// The growth rate by the cubic equation is that of the matrix, and vanishes at K_2; other masses too.
  @Test(arguments: [(1.0, 1.0), (0.2, 3), (5, 0.7)]) func growthIsThatOfTheMatrix(masses: (Double, Double)) {
    let law = Tagged.law(0, rate: 1.3, theta: 0.8, mass: masses.0, bath: masses.1)
    let shear = TaggedShear(law)
    #expect(abs(shear.growth(shear.critical)) < 1e-12)
    let moments = TaggedMoments(law, tracked: false)
    let rows = moments.monomials.indices.filter { moments.monomials[$0].count == 2 }
    for k in [0.1, 0.5, 1, 3, 20] {
      let all = moments.generator(Tagged.shear(k).start)
      let block = rows.flatMap { i in rows.map { all[i * moments.count + $0] } }
      #expect(abs(LinearFlow.growth(block, 6) - shear.growth(k)) < 1e-9 * (1 + k), "K = \(k)")
    }
  }

  /// The closed form of the stationary state of equal masses, x = 32 K^2/9 C^2; the equations at a late time come to it, of other masses as well.
  @Test func stationaryStates() throws {
    for k in [0.1, 0.5, 0.68, 0.8, 1.2] {
      let particle = Tagged.particle(Tagged.shear(k), Tagged.law(0, theta: 1.7), [1])
      let found = try #require(particle.stationary)
      func value(_ name: String) -> Double { found.first { $0.observable == name }?.value ?? .nan }
      let x = 32 * k * k / 9
      let s = 1.7 / (1 - x / 6)
      #expect(abs(value("S[2,2]") - s) < 1e-12 * s && abs(value("S[3,3]") - s) < 1e-12 * s)
      #expect(abs(value("S[1,1]") - (1 + x) * s) < 1e-12 * s && abs(value("S[1,2]") + 4 * k / 3 * s) < 1e-12 * s)
      #expect(value("fourth").isFinite == (k < 0.688852))
    }
    #expect(Tagged.particle(Tagged.shear(1.3), Tagged.law(0), [1]).stationary == nil)
    let law = Tagged.law(0, rate: 2, theta: 0.6, mass: 2, bath: 0.9)
    let late = Tagged.particle(Tagged.shear(0.4), law, [1000], start: TaggedStart(variance: 3))
    for entry in try #require(late.stationary) {
      let value = try Self.value(late, entry.observable, 0)
      #expect(abs(value - entry.value) < 1e-9 * (1 + abs(value)), "\(entry.observable)")
    }
  }

  /// Exponentials of matrices and the method of Dormand and Prince, with places.
  @Test func twoRoutesToMoments() {
    let law = Tagged.law(0, rate: 1.5, theta: 0.7, mass: 2, bath: 1.2)
    let moments = TaggedMoments(law, tracked: true)
    let start = moments.start(mean: [1, -0.5, 2], covariance: [[2, 0.3, 0], [0.3, 1, 0.1], [0, 0.1, 0.5]])
    let times = [0.1, 1, 4]
    for flow in [Tagged.shear(0.8), Tagged.shear(-2), Deformation(.diagonal(0))] {
      let one = moments.exponentiated(moments.generator(flow.start), start, times)
      let other = moments.integrated(flow, 1.5, start, times)
      for (a, b) in zip(one, other) {
        for (x, y) in zip(a ?? [], b ?? []) { #expect(abs(x - y) < 1e-9 * (1 + abs(x))) }
        #expect(a?.count == moments.count && b?.count == moments.count)
      }
    }
    // Without collisions a velocity in the laboratory is kept: w = A^-1 w_0, x = t w_0.
    let free = TaggedMoments(Tagged.law(0, rate: 1e-300), tracked: true)
    let flow = Deformation(Matrix3([[0.2, 0.5, 0], [-0.1, 0.3, 0.2], [0, 0.4, 0.1]]))
    let origin = free.start(mean: [1, 2, -1], covariance: Array(repeating: [0, 0, 0], count: 3))
    let end = free.integrated(flow, 0, origin, [2])[0] ?? []
    let path = flow.path(SIMD3(1, 2, -1), at: 0)(2)
    for i in 0..<3 {
      #expect(abs(end[free[[i]]] - path[i]) < 1e-9)
      #expect(abs(end[free[[i, (i + 1) % 3]]] - path[i] * path[(i + 1) % 3]) < 1e-9)
      #expect(abs(end[free[[i + 3]]] - 2 * [1, 2, -1][i]) < 1e-9)
    }
  }

  /// Collisions leave the equilibrium of any masses alone, moment by moment up to degree four.
  @Test(arguments: [(1.0, 1.0), (0.01, 1), (3, 0.4)]) func equilibriumIsLeftAlone(masses: (Double, Double)) {
    let law = Tagged.law(0, theta: 1.9, mass: masses.0, bath: masses.1)
    let moments = TaggedMoments(law, tracked: false)
    let v = law.equilibrium
    let start = moments.start(mean: [0, 0, 0], covariance: [[v, 0, 0], [0, v, 0], [0, 0, v]])
    let slope = LinearFlow.product(moments.generator(.diagonal(0)), start, moments.count)
    let scale = start.map(\.magnitude).max() ?? 1
    for (monomial, x) in zip(moments.monomials, slope) { #expect(abs(x) < 1e-12 * scale, "\(monomial)") }
  }

  /// Of each degree, against sums over a rule of points: u by Gauss-Hermite of six points, s by the vertices of an icosahedron, which is a design of degree five.
  @Test func collisionsOfEachDegree() {
    let law = Tagged.law(0, theta: 0.6, mass: 1.5, bath: 0.8)
    let nodes = [0.436077411927617, 1.335849074013697, 2.350604973674492].flatMap { [-$0, $0] }
    let weights = [0.7246295952243925, 0.1570673203228566, 0.0045300099055088].flatMap { [$0, $0] }.map {
      $0 / Double.pi.squareRoot()
    }
    let golden = (1 + 5.0.squareRoot()) / 2
    var sphere: [SIMD3<Double>] = []
    for a in [-1.0, 1] {
      for b in [-golden, golden] { sphere += [SIMD3(0, a, b), SIMD3(a, b, 0), SIMD3(b, 0, a)] }
    }
    sphere = sphere.map { $0 / Tagged.square($0).squareRoot() }
    let w = SIMD3(0.7, -1.1, 0.4)
    for components in [[0], [0, 0], [0, 1], [1, 1, 1, 1], [0, 0, 1, 2], [0, 1, 1, 2], [2, 2, 0, 0]] {
      var mean = 0.0
      for (a, p) in zip(nodes, weights) {
        for (b, q) in zip(nodes, weights) {
          for (c, r) in zip(nodes, weights) {
            let u = (2 * 0.6).squareRoot() * SIMD3(a, b, c)
            let g = Tagged.square(w - u).squareRoot()
            for s in sphere {
              let after = law.own * w + law.bath * u + law.bath * g * s
              mean += p * q * r / 12 * components.reduce(1) { $0 * after[$1] }
            }
          }
        }
      }
      let found = law.scattered(components).terms.reduce(0.0) { sum, term in
        sum + (0..<3).reduce(term.value) { $0 * pow(w[$1], Double(TaggedPolynomial.exponent(term.key, $1))) }
      }
      #expect(abs(found - mean) < 1e-9, "\(components): \(found), \(mean)")
    }
  }

  private static let flows: [Deformation] = [
    Tagged.shear(1.5), Tagged.dilation(0.5), Tagged.dilation(-0.2),
    Deformation(Matrix3([[0.3, 1, 0], [0, 0.3, 0], [0, 0, 0.3]])),
    Deformation(Matrix3([[0.2, 0.5, 0], [-0.1, 0.3, 0.2], [0, 0.4, 0.1]])),
    Deformation(Matrix3([[0, 1, 0], [0, 0, 2], [0, 0, 0]])),
  ]

  /// The path between collisions against the inverse of I + tau L, and against A^-1 y; L' = -L^2.
  @Test(arguments: flows.indices) func freePaths(index: Int) {
    let flow = Self.flows[index]
    let w = SIMD3(0.4, -1.3, 2.2)
    for t in [0, 0.7, 3] {
      let rate = flow.rate(at: t)
      let h = 1e-5
      let slope = (0.5 / h) * (flow.rate(at: t + h) + -1 * flow.rate(at: t - h))
      let product = -1 * (rate * rate)
      for i in 0..<3 { for j in 0..<3 { #expect(abs(slope[i, j] - product[i, j]) < 1e-7) } }
      let path = flow.path(w, at: t)
      for tau in [0.0, 0.01, 0.3, 1.1] {
        let found = path(tau)
        let back = found + tau * (rate * found)
        #expect(Tagged.square(back - w).squareRoot() < 1e-12 * 3)
        let whole = flow.start * found
        let kept = found + (t + tau) * whole
        let before = w + t * (flow.start * w)
        #expect(Tagged.square(kept - before).squareRoot() < 1e-11 * 10)
      }
    }
  }

  /// Bounds within windows, of paths that come near to 0 and of such as do not: they hold, and are as near as the window promises.
  @Test(arguments: flows.indices) func windows(index: Int) {
    let flow = Self.flows[index]
    var (nearest, farthest) = (1.0, 1.0)
    for w in [
      SIMD3(0.4, -1.3, 2.2), SIMD3(0.3, 1.3, 0.3), SIMD3(-0.3, 0.2, 1), SIMD3(-2, -0.1, 0.4), SIMD3(0.1, 0.7, -1.9),
    ] {
      let own = Tagged.square(w).squareRoot()
      for t in [0, 0.7, 3] {
        let path = flow.path(w, at: t)
        for (share, floor) in [(0.25, 1.0), (0.5, 0)] {
          let window = path.window(share: share, floor: floor)
          let (least, most) = path.bounds(window)
          let sizes = (0...400).map { Tagged.square(path(window * Double($0) / 400)).squareRoot() }
          #expect(sizes.allSatisfy { $0 >= least * (1 - 1e-12) && $0 <= most * (1 + 1e-12) }, "\(w), t = \(t)")
          let reach = share * (own + floor)
          #expect(least >= (own - reach) / 1.25 - 1e-12 && most <= (own + reach) / 0.75 + 1e-12)
          nearest = min(nearest, (sizes.min() ?? 1) / own)
          farthest = max(farthest, (sizes.max() ?? 1) / own)
        }
      }
    }
    // They move: a dilation in one direction only.
    #expect(nearest < 0.97 || farthest > 1.03, "\(nearest), \(farthest)")
  }

  @Test func singularTimes() throws {
    #expect(Tagged.shear(7).singularTime(before: 1e9) == nil)
    #expect(Tagged.dilation(0.5).singularTime(before: 1e9) == nil)
    #expect(abs(try #require(Tagged.dilation(-0.5).singularTime(before: 3)) - 2) < 1e-12)
    #expect(Tagged.dilation(-0.5).singularTime(before: 1.9) == nil)
    // det = (1 - t)(1 - 2t)(1 + t): twice, the first at 1/2; positive again at the end.
    let twice = Deformation(Matrix3([[-1, 0, 0], [0, -2, 0], [0, 0, 1]]))
    #expect(abs(try #require(twice.singularTime(before: 50)) - 0.5) < 1e-12)
    // A rotation of the flow: det = 1 + t^2.
    #expect(Deformation(Matrix3([[0, 1, 0], [-1, 0, 0], [0, 0, 0]])).singularTime(before: 1e6) == nil)
  }

  /// 4/sqrt(pi) of hard spheres, .72320 at gamma = -1/2; by an integral over the relative speed at other masses.
  @Test func equilibriumRates() {
    #expect(abs(Tagged.law(1).equilibriumRate - 4 / Double.pi.squareRoot()) < 1e-13)
    Self.close(Tagged.law(-0.5).equilibriumRate, 0.72320, 1e-5, "soft")
    for gamma in [-0.9, -0.3, 0.4] {
      let law = Tagged.law(gamma, rate: 1.4, theta: 0.7, mass: 2, bath: 0.6)
      let v = 0.7 + law.equilibrium
      #expect(abs(v - 0.7 / law.own) < 1e-13)
      var sum = 0.0
      GaussLegendre.forEachNode(in: 0...40, breaks: [], panel: 0.2) { r, weight in
        sum += weight * 4 * Double.pi * pow(r, 2 + gamma) * exp(-r * r / (2 * v)) / pow(2 * Double.pi * v, 1.5)
      }
      // The rule of points does not see the cusp at r = 0.
      #expect(abs(law.equilibriumRate - 1.4 * sum) < 1e-5, "gamma = \(gamma): \(law.equilibriumRate), \(1.4 * sum)")
    }
  }
}
