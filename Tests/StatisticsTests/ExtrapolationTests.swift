import Kernels
import Randomness
import Statistics
import Testing

/// Sweeps over sizes n with Gaussian errors of known size; the small parameter is 1/n.
struct Sweep: ~Copyable {
  var stream: Stream

  init(key: UInt64) {
    stream = Stream(key: key)
    stream.start(draw: 0)
  }

  mutating func points(_ sizes: [Double], error: Double, _ f: (Double) -> Double) -> [Extrapolation.Point] {
    sizes.map { .init(small: 1 / $0, value: f($0) + error * stream.normal(), error: error) }
  }
}

@Suite struct CandidateOrderTests {
  /// The limit lies within its error bar as often as it should: 400 fits each, |z| < 2 in 95%, 5 standard deviations of
  /// that count are 5.5 percent. Three laws.
  @Test func errorBarsHoldTheLimit() throws {
    var sweep = Sweep(key: 21)
    let laws: [(Double, (Double) -> Double)] = [
      (1, { 1.5 - 2 / $0 }), (1, { 0.3 + 4 / $0 - 20 / ($0 * $0) }), (0.5, { 0.7 + 0.5 / $0.squareRoot() - 1 / $0 }),
    ]
    for (order, law) in laws {
      let limit = law(1e30)
      var (inside, named) = (0, 0)
      for _ in 0..<400 {
        let points = sweep.points([16, 32, 64, 128, 256], error: 2e-4, law)
        let fit = try #require(Extrapolation(points, orders: .candidates()))
        if (fit.limit - limit).magnitude < 2 * fit.limitError { inside += 1 }
        if fit.isDetermined && fit.order == order { named += 1 }
      }
      #expect(inside >= 358, "\(order): \(inside) of 400 within two errors")
      #expect(named >= 340, "\(order): named in \(named) of 400")
    }
  }

  /// Three sizes: either they are straight in 1/n, or the order is left open and the error covers both. 400 fits of each law;
  /// the bound as above, but for the third law, which passes for a straight line in many sweeps: 90%, less five standard
  /// deviations of 1.5%.
  @Test func threeSizesClaimNoMoreThanTheyShow() throws {
    var sweep = Sweep(key: 22)
    let laws: [(Double) -> Double] = [
      { 1.5 - 2 / $0 }, { 0.3 + 4 / $0 - 20 / ($0 * $0) }, { 0.7 + 0.5 / $0.squareRoot() - 1 / $0 }, { _ in 0.25 },
    ]
    for (number, law) in laws.enumerated() {
      for expected in [nil, law(1e30)] {
        var (inside, roots) = (0, 0)
        for _ in 0..<400 {
          let points = sweep.points([8, 16, 32], error: 2e-3, law)
          let fit = try #require(Extrapolation(points, orders: .candidates(expected: expected)))
          if (fit.limit - law(1e30)).magnitude < 2 * fit.limitError { inside += 1 }
          if fit.isDetermined && fit.order == 0.5 { roots += 1 }
        }
        #expect(inside >= (number == 2 ? 330 : 358), "law \(number): \(inside) of 400 within two errors")
        #expect(roots == 0, "law \(number)")
      }
    }
  }

  /// Neighbouring sizes say nothing of the limit, and values that do not depend on the size nothing of the order.
  @Test func whatIsNotSeenIsNotClaimed() throws {
    var sweep = Sweep(key: 23)
    let close = try #require(
      Extrapolation(sweep.points([100, 101, 102], error: 1e-3) { 0.5 - 1 / $0 }, orders: .candidates(expected: 0)))
    #expect(!close.isSeen && !close.isDetermined && close.limitError > 0.1)
    let flat = try #require(
      Extrapolation(sweep.points([8, 16, 32, 64, 128], error: 1e-3) { _ in 2 }, orders: .candidates()))
    #expect(!flat.isSeen && !flat.isDetermined && (flat.limit - 2).magnitude < 4 * flat.limitError)
  }

  /// Opposite terms n^-1/2 and 1/n, which a free fit takes for 1/n and 1/n^2 with another limit: knowing where it should go
  /// tells the order. A limit that is wrong by much more than the errors is not bent to the expected one.
  @Test func theExpectedLimitTellsTheOrder() throws {
    var sweep = Sweep(key: 24)
    func fit(_ law: (Double) -> Double) throws -> Extrapolation {
      let points = sweep.points([8, 16, 32, 64], error: 8e-4, law)
      return try #require(Extrapolation(points, orders: .candidates(expected: 0)))
    }
    let root = try fit { 0.1 / $0.squareRoot() - 0.33 / $0 }
    #expect(root.order == 0.5 && root.isDetermined && root.limit.magnitude < 4 * root.limitError, "\(root)")
    let inverse = try fit { -0.6 / $0 }
    #expect(
      inverse.order == 1 && inverse.isDetermined && inverse.limit.magnitude < 4 * inverse.limitError, "\(inverse)")
    let wrong = try fit { 0.05 - 0.6 / $0 }
    #expect((wrong.limit - 0.05).magnitude < 4 * wrong.limitError && wrong.limit > 5 * wrong.limitError, "\(wrong)")
  }

  /// A pure n^-1/2 offset that is taken for 1/n would be far off: the fit must not.
  @Test func rootsAreNotTakenForInverses() throws {
    var sweep = Sweep(key: 25)
    let points = sweep.points([16, 64, 256, 1024], error: 1e-4) { 1 / $0.squareRoot() }
    let fit = try #require(Extrapolation(points, orders: .candidates()))
    #expect(fit.order == 0.5 && fit.orderError == 0 && fit.limit.magnitude < 4 * fit.limitError)
    #expect((fit.coefficient - 1).magnitude < 4 * fit.coefficientError && fit.isSinglePower)
  }

  @Test func tooFewSizesAreRefused() {
    let points = [8.0, 8, 16].map { Extrapolation.Point(small: 1 / $0, value: 1, error: 0.1) }
    #expect(Extrapolation(points, orders: .candidates()) == nil)
    #expect(Extrapolation(Array(points[..<2]), orders: .fixed(1)) == nil)
    #expect(Extrapolation(points, orders: .fixed(1)) != nil)
    let broken = points.map { Extrapolation.Point(small: $0.small, value: .nan, error: 0.1) }
    #expect(Extrapolation(broken, orders: .fixed(1)) == nil)
  }

  /// Errors too small for the model grow by the root of chi-square over degrees of freedom.
  @Test func poorFitsSaySo() throws {
    let wild = zip([8.0, 16, 32, 64, 128], [1.0, 3, -2, 5, 0]).map {
      Extrapolation.Point(small: 1 / $0, value: $1, error: 1e-6)
    }
    let fit = try #require(Extrapolation(wild, orders: .candidates()))
    #expect(fit.limitError > 0.1 && !fit.isSinglePower)
  }
}

@Suite struct FreeOrderTests {
  @Test("Order with a known and with a fitted limit")
  func orders() throws {
    for (order, limit) in [(1.0, 2.0), (2, -1), (0.5, 0), (1.2345, 1)] {
      let points = [0.1, 0.2, 0.4, 0.8, 1.6].map { s in
        Extrapolation.Point(small: s, value: limit + 0.3 * Elementary.exp(order * Elementary.log(s)), error: 1e-4)
      }
      let known = try #require(Extrapolation(points, orders: .free(limit: limit)))
      #expect((known.order - order).magnitude < 1e-6 && (known.coefficient - 0.3).magnitude < 1e-6)
      #expect(known.isSeen && known.isDetermined && known.isSinglePower && known.limitError == 0)
      let free = try #require(Extrapolation(points, orders: .free()))
      #expect((free.order - order).magnitude < 1e-5 && (free.limit - limit).magnitude < 1e-5 && free.limitError > 0)
    }
    let flat = [0.1, 0.2, 0.4].map { Extrapolation.Point(small: $0, value: 1, error: 1e-3) }
    let fit = try #require(Extrapolation(flat, orders: .free(limit: 1)))
    #expect(!fit.isSeen && !fit.isDetermined)
    #expect(Extrapolation(flat, orders: .free()) == nil)
  }

  /// Order, limit and coefficient with their errors over 400 sweeps: |z| < 2 in 95%, five standard deviations are 5.5 percent
  /// either way; 2 x 3 tests. A single power with right errors is called bad in one of 10^4.
  @Test(arguments: [true, false])
  func errorsAreCalibrated(isKnown: Bool) throws {
    var sweep = Sweep(key: isKnown ? 26 : 27)
    var inside = [0, 0, 0]
    var bad = 0
    for _ in 0..<400 {
      let points = sweep.points([1, 2, 4, 8, 16, 32], error: 2e-3) { 1 + 0.7 / ($0 * $0.squareRoot()) }
      let fit = try #require(Extrapolation(points, orders: .free(limit: isKnown ? 1 : nil)))
      if (fit.order - 1.5).magnitude < 2 * fit.orderError { inside[0] += 1 }
      if (fit.coefficient - 0.7).magnitude < 2 * fit.coefficientError { inside[1] += 1 }
      if (fit.limit - 1).magnitude <= 2 * fit.limitError { inside[2] += 1 }
      if !fit.isSinglePower { bad += 1 }
    }
    #expect(inside.allSatisfy { $0 >= 358 } && bad <= 2, "\(inside) of 400, \(bad) called bad")
  }

  /// Steps beyond the range of the leading order 1, with errors far below the misfit: without its scale the order would be
  /// certain to 0.001.
  @Test func aMisfitIsNotAnOrder() throws {
    let points = [0.5, 1, 1.5, 1.9].map { h in
      Extrapolation.Point(small: h, value: 1 + 0.3 * h + 0.2 * h * h + 0.3 * h * h * h * h, error: 1e-4)
    }
    let sloppy = try #require(Extrapolation(points, orders: .free(limit: 1)))
    #expect(!sloppy.isSinglePower && sloppy.isDetermined && sloppy.orderError > 0.1, "\(sloppy)")
  }

  /// A given order: the error of the limit is that of the straight line, and two points give Richardson's formula.
  @Test func fixedOrder() throws {
    let (coarse, fine) = ((value: 1.3, error: 0.02), (value: 1.1, error: 0.03))
    for order in [0.5, 1.0, 2, 3.3] {
      let points = [
        Extrapolation.Point(small: 0.2, value: coarse.value, error: coarse.error),
        Extrapolation.Point(small: 0.1, value: fine.value, error: fine.error),
      ]
      let fit = try #require(Extrapolation(points, orders: .fixed(order)))
      let direct = Extrapolation.richardson(coarse: coarse, fine: fine, order: order)
      #expect((fit.limit - direct.limit).magnitude < 1e-12 && (fit.limitError - direct.limitError).magnitude < 1e-12)
      #expect((coarse.value - direct.bias - direct.limit).magnitude < 1e-12 && fit.degreesOfFreedom == 0)
      #expect(fit.order == order && fit.orderError == 0 && fit.isSinglePower)
      let scale = Elementary.exp(order * Elementary.log(0.2))
      #expect((fit.coefficient * scale - direct.bias).magnitude < 1e-12)
      #expect((fit.coefficientError * scale - direct.biasError).magnitude < 1e-12)
    }
    let third = Extrapolation.richardson(coarse: (9.0 + 1, 0), fine: (1.0 + 1, 0), ratio: 3, order: 2)
    #expect(third.limit == 1 && third.bias == 9)
  }

  /// Two small parameters at once: 1 + 2/N + 3 h^2 at N = 10, h = 0.1.
  @Test func severalParameters() {
    func value(_ number: Double, _ step: Double) -> Double { 1 + 2 / number + 3 * step * step }
    let found = Extrapolation.richardson(
      coarse: (value(10, 0.1), 0.01),
      refined: [(value(20, 0.1), 0.02, 2, 1), (value(10, 0.05), 0.03, 2, 2)])
    #expect((found.limit - 1).magnitude < 1e-14)
    #expect((found.biases[0].bias - 0.2).magnitude < 1e-14 && (found.biases[1].bias - 0.03).magnitude < 1e-14)
    // (1 - 2 - 4/3)^2 0.01^2 + 4 0.02^2 + (4/3)^2 0.03^2
    let variance = 49 / 9.0 * 1e-4 + 4 * 4e-4 + 16 / 9.0 * 9e-4
    #expect((found.limitError * found.limitError / variance - 1).magnitude < 1e-12)
  }
}

@Suite struct RemainderTests {
  static let sizes = [4.0, 8, 16, 32, 64]

  /// Verdicts over 200 sweeps each. A right promise is contradicted by three errors in 0.3% (0.3 of 200: at most 5); a
  /// wrong one is found out nearly always where the errors allow it.
  @Test func verdicts() throws {
    var sweep = Sweep(key: 28)
    func count(_ promised: Double, _ error: Double, _ law: (Double) -> Double) throws -> [RemainderOrder.Verdict: Int] {
      var found: [RemainderOrder.Verdict: Int] = [:]
      for _ in 0..<200 {
        let points = sweep.points(Self.sizes, error: error, law)
        found[try #require(Extrapolation.remainder(points, promised: promised)).verdict, default: 0] += 1
      }
      return found
    }
    let right = try count(2, 1e-3) { 3 / ($0 * $0) }
    #expect(right[.consistent, default: 0] >= 195, "\(right)")
    // The next term makes the order of one power alone differ by far more than its error.
    let withNext = try count(2, 1e-5) { 3 / ($0 * $0) + 6 / ($0 * $0 * $0) }
    #expect(withNext[.consistent, default: 0] >= 195, "\(withNext)")
    let slow = try count(2, 1e-3) { 1 / $0 }
    #expect(slow[.contradicted, default: 0] >= 195, "\(slow)")
    let fast = try count(1, 1e-3) { 3 / ($0 * $0) }
    #expect(fast[.faster, default: 0] >= 190 && fast[.contradicted] == nil, "\(fast)")
    let unseen = try count(2, 1) { 3 / ($0 * $0) }
    #expect(unseen[.undecided, default: 0] >= 195, "\(unseen)")
  }

  /// Differences of numbers without an error of their own.
  @Test func withoutErrors() throws {
    let points = Self.sizes.map { Extrapolation.Point(small: 1 / $0, value: 3 / ($0 * $0), error: 0) }
    let found = try #require(Extrapolation.remainder(points, promised: 2))
    #expect(found.verdict == .consistent && (found.order - 2).magnitude < 1e-6)
    #expect(try #require(Extrapolation.remainder(points, promised: 3)).verdict == .contradicted)
    #expect(Extrapolation.remainder(Array(points[..<2]), promised: 2) == nil)
  }
}

@Suite struct ChiSquareTests {
  /// Quantiles from tables (Abramowitz and Stegun 26.8), and the branch for large arguments beside the sums.
  @Test func tails() {
    for (k, x, p) in [
      (1, 3.841458821, 0.05), (1, 15.13670523, 1e-4), (2, 18.42068074, 1e-4), (3, 7.814727903, 0.05),
      (4, 13.27670414, 0.01), (5, 25.74483196, 1e-4), (10, 18.30703805, 0.05), (30, 50.89218131, 0.01),
      (99, 123.2252215, 0.05), (100, 124.3421134, 0.05),
    ] {
      #expect((ChiSquare.tail(x, degreesOfFreedom: k) / p - 1).magnitude < 1e-6, "\(k)")
    }
    #expect(ChiSquare.tail(1e5, degreesOfFreedom: 4) == 0 && ChiSquare.tail(5, degreesOfFreedom: 0) == 1)
    #expect(ChiSquare.tail(.infinity, degreesOfFreedom: 2) == 0 && ChiSquare.tail(.nan, degreesOfFreedom: 2).isNaN)
    // 1401 is 0.02 standard deviations above the mean of 1400.
    #expect((ChiSquare.tail(1401, degreesOfFreedom: 1400) - 0.4874).magnitude < 2e-3)
    #expect(
      (ChiSquare.tail(1399.9, degreesOfFreedom: 1400) - ChiSquare.tail(1400.1, degreesOfFreedom: 1400)).magnitude < 3e-3
    )
  }
}
