import Foundation
import Kernels
import Statistics
import Testing

/// As in ModelTests: full size under `make validate`.
private let validating = ProcessInfo.processInfo.environment["FATHOM_VALIDATE"] != nil

/// Errors of limits and of orders under laws that no fit knows in full, over many seeds.
@Suite struct OrderErrorTests {
  /// Relative to the value at the largest s: from errors that hide everything but the leading term to errors that show all terms.
  static let noises = [1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 1e-4]

  /// At alpha = 0.01 a true limit is rejected in 3 of 300 sweeps; five standard deviations of that count more are 11. Three laws at
  /// three sets of sizes: 9 tests. Before errors covered the sweep without the smallest size, the third law was rejected in up to 40%.
  @Test(
    "True limits are not rejected more often than alpha says",
    arguments: [[8, 16, 32], [8, 16, 32, 64], [16, 32, 64, 128, 256]])
  func falseAlarms(_ sizes: [Double]) throws {
    let critical = Gaussian.critical(0.01)
    let laws: [(String, (Double) -> Double)] = [
      ("3/n", { 3 / $0 }), ("4/n - 20/n^2", { 4 / $0 - 20 / ($0 * $0) }),
      ("-4/n - 8/n^2 - 20/n^3", { -4 / $0 - 8 / ($0 * $0) - 20 / ($0 * $0 * $0) }),
    ]
    var sweep = Sweep(key: 31)
    for (name, law) in laws {
      var rejected = 0
      for noise in [3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4] {
        for _ in 0..<50 {
          let points = sweep.points(sizes, error: noise, law)
          let fit = try #require(Extrapolation(points, orders: .candidates(expected: 0)))
          if fit.limit.magnitude > critical * fit.limitError { rejected += 1 }
        }
      }
      #expect(rejected <= 11, "\(name) at \(sizes): \(rejected) of 300")
    }
  }

  /// Power as it is printed: an offset that a sweep calls detectable (the critical value and 1.28 more errors) is found in 90% or more
  /// of the sweeps that call it so, less four standard deviations; and they are most of 300, where the offset is a third
  /// of the value at the largest size.
  @Test("False limits are found", arguments: [[8, 16, 32, 64], [16, 32, 64, 128, 256]]) func power(_ sizes: [Double])
    throws
  {
    let critical = Gaussian.critical(0.01)
    var sweep = Sweep(key: 32)
    var (found, claimed) = (0, 0)
    for _ in 0..<300 {
      let points = sweep.points(sizes, error: 1e-3) { 0.1 + 4 / $0 - 20 / ($0 * $0) }
      let fit = try #require(Extrapolation(points, orders: .candidates(expected: 0)))
      guard (critical + 1.2816) * fit.limitError <= 0.1 else { continue }
      claimed += 1
      if fit.limit.magnitude > critical * fit.limitError { found += 1 }
    }
    let least = 0.9 * Double(claimed) - 4 * (0.09 * Double(claimed)).squareRoot()
    #expect(claimed > 150 && Double(found) >= least, "\(sizes): \(found) of \(claimed)")
  }

  /// Neighbouring sizes, and sizes that leave no degree of freedom, state no order: 200 sweeps each, none of which may.
  @Test func noOrderIsAFactWithoutPower() throws {
    var sweep = Sweep(key: 33)
    for expected in [nil, 0.0] {
      for _ in 0..<200 {
        let near = try #require(
          Extrapolation(sweep.points([100, 101, 102], error: 1e-2) { 3 / $0 }, orders: .candidates(expected: expected)))
        #expect(!near.isDetermined && near.limitError > 0.1)
        let few = try #require(
          Extrapolation(
            sweep.points([1, 2, 3], error: 1e-2) { 1 / $0 + 2 / ($0 * $0) }, orders: .candidates(expected: expected)))
        #expect(!few.isDetermined && few.degreesOfFreedom == 0)
      }
    }
  }

  /// 20 sweeps (full size: 50) at each of six errors: the true order is within two errors in 95% of all, less four standard deviations, unless
  /// no single power fits. With errors from chi-square alone it was in 0 of 50 for some of them.
  @Test("Orders of sums of powers are within two errors", arguments: [true, false])
  func orders(isKnown: Bool) throws {
    let sweeps = validating ? 50 : 20
    let all = Self.noises.count * sweeps
    let least = Int(0.95 * Double(all) - 4 * (0.05 * 0.95 * Double(all)).squareRoot())
    let laws: [(String, Double, (Double) -> Double)] = [
      ("s", 1, { $0 }), ("s + 0.3 s^2", 1, { $0 + 0.3 * $0 * $0 }), ("s - 0.3 s^2", 1, { $0 - 0.3 * $0 * $0 }),
      ("s^2 + 0.3 s^4", 2, { $0 * $0 + 0.3 * $0 * $0 * $0 * $0 }),
      ("s^2 + 0.5 s^3", 2, { $0 * $0 + 0.5 * $0 * $0 * $0 }),
      ("s/(1 - s/2)", 1, { $0 / (1 - $0 / 2) }),
    ]
    for steps in [
      [0.1, 0.2, 0.4, 0.8], [1.0 / 64, 1.0 / 32, 1.0 / 16, 1.0 / 8, 1.0 / 4], [0.05, 0.1, 0.15, 0.2, 0.25],
    ] {
      for (name, order, law) in laws {
        var sweep = Sweep(key: 34)
        var (inside, unsaid) = (0, 0)
        for noise in Self.noises {
          let error = noise * law(steps.last!)
          for _ in 0..<sweeps {
            let points = sweep.points(steps.map { 1 / $0 }, error: error) { law(1 / $0) }
            let fit = try #require(Extrapolation(points, orders: .free(limit: isKnown ? 0 : nil)))
            if !fit.isSinglePower || fit.orderError.isNaN { unsaid += 1 }
            if !fit.isSinglePower || !((fit.order - order).magnitude > 2 * fit.orderError) { inside += 1 }
          }
        }
        #expect(inside >= least, "\(name) over \(steps): \(inside) of \(all)")
        // One power alone is called none in 1e-4 of the sweeps.
        if name == "s" && isKnown { #expect(unsaid <= all / 3, "\(steps): \(unsaid) of \(all)") }
      }
    }
  }

  /// What is not a power over the range is called so, and its errors cover the misfit.
  @Test func noSinglePower() throws {
    var sweep = Sweep(key: 35)
    for _ in 0..<100 {
      // LMC on N(0, 1): E x^2 - 1 = h/2 / (1 - h/2), near the bound of stability.
      let points = sweep.points([0.5, 1, 1.5, 1.9].map { 1 / $0 }, error: 1e-3) { 0.5 / $0 / (1 - 0.5 / $0) }
      let fit = try #require(Extrapolation(points, orders: .free(limit: 0)))
      #expect(!fit.isSinglePower && !((fit.order - 1).magnitude > 2 * fit.orderError), "\(fit)")
    }
  }

  /// Constants that are 0 at every size, without errors: nothing is seen, and nothing breaks.
  @Test func zeros() throws {
    let points = [8.0, 16, 32, 64].map { Extrapolation.Point(small: 1 / $0, value: 0, error: 0) }
    for limit in [nil, 0.0] {
      let fit = try #require(Extrapolation(points, orders: .free(limit: limit)))
      #expect(!fit.isSeen)
    }
    #expect(Extrapolation.remainder(points, promised: 1)?.verdict == .undecided)
    let slopes = Extrapolation.localSlopes(points, limit: 0)
    #expect(slopes.allSatisfy { $0.slope.isNaN })
  }

  /// Slopes of h/2 / (1 - h/2): between h and 2h it is 1 + log2((1 - h/2)/(1 - h)).
  @Test func localSlopes() throws {
    let steps = [0.1, 0.2, 0.4, 0.8]
    let points = steps.map { Extrapolation.Point(small: $0, value: 3 + 0.5 * $0 / (1 - 0.5 * $0), error: 1e-3) }
    let slopes = Extrapolation.localSlopes(points.reversed(), limit: 3)
    #expect(slopes.map(\.from) == [0.1, 0.2, 0.4] && slopes.map(\.to) == [0.2, 0.4, 0.8])
    for (slope, h) in zip(slopes, steps) {
      let exact = 1 + Elementary.log((1 - h / 2) / (1 - h)) / Elementary.log(2)
      #expect((slope.slope - exact).magnitude < 1e-12 && slope.error > 0)
    }
    let unseen = Extrapolation.localSlopes(
      [
        .init(small: 1, value: 2, error: 1.5), .init(small: 2, value: 3, error: 0.1),
        .init(small: 4, value: -3, error: 0.1),
      ],
      limit: 0)
    #expect(unseen.allSatisfy { $0.slope.isNaN && $0.error.isNaN })
  }
}
