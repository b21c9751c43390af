import Randomness
import Statistics
import Testing

@Suite struct ControlledEstimateTests {
  /// A ratio of means of x and w, with controls a and b.
  private struct Sample {
    let rows: [[Double]]
    var means: [Double] { (0..<4).map { k in rows.reduce(0) { $0 + $1[k] } / Double(rows.count) } }
    var covariance: [Double] {
      let (m, n) = (means, Double(rows.count))
      return (0..<16).map { place -> Double in
        let (i, j) = (place / 4, place % 4)
        var sum = 0.0
        for row in rows { sum += (row[i] - m[i]) * (row[j] - m[j]) }
        return sum / (n - 1)
      }
    }

    func ratio(controls: [Int]) -> ControlledEstimate {
      let m = means
      return ControlledEstimate(
        count: Int64(rows.count), value: m[0] / m[1], gradient: [1 / m[1], -m[0] / (m[1] * m[1]), 0, 0],
        covariance: covariance, controls: controls, controlMeans: controls.map { m[$0] })
    }
  }

  /// w = 2 + a/2, x = 3 w + b + noise: E x / E w = 3.
  private func sample(_ count: Int, key: UInt64, dependent: Bool = false) -> Sample {
    var stream = Stream(key: key)
    return Sample(
      rows: (0..<count).map { index in
        stream.start(draw: UInt64(index))
        let g = stream.normals(3)
        let w = 2 + 0.5 * g[0]
        return [3 * w + g[1] + 0.1 * g[2], w, g[0], dependent ? -2 * g[0] : g[1]]
      })
  }

  /// The linear part of the ratio is (b + noise)/2: the first control says nothing of it, the second nearly all.
  @Test func theErrorIsThatOfWhatControlsLeave() {
    let found = sample(4000, key: 5).ratio(controls: [2, 3])
    #expect((found.plainError * 4000.0.squareRoot() / (1.01.squareRoot() / 2) - 1).magnitude < 0.05)
    #expect((found.error * 4000.0.squareRoot() / 0.05 - 1).magnitude < 0.05)
    #expect((found.value - 3).magnitude < 5 * found.error)
    #expect((found.deviation / found.plainError / 4000.0.squareRoot() - 1).magnitude < 1e-12)
  }

  /// 400 samples: |z| < 1.96 in 95%, within four standard deviations of the binomial law, with and without controls.
  @Test func errorsAreThoseOfTheEstimates() {
    for controls in [[], [2], [2, 3]] {
      let within = (0..<400).count { seed in
        let found = sample(400, key: 1000 + UInt64(seed)).ratio(controls: controls)
        return ((found.value - 3) / found.error).magnitude < 1.96
      }
      #expect((363...397).contains(within), "\(controls): \(within)")
    }
  }

  /// A control that depends on another one changes nothing, and none is used where draws are few.
  @Test func dependentControlsAndFewDraws() {
    let double = sample(2000, key: 9, dependent: true)
    let (one, both) = (double.ratio(controls: [2]), double.ratio(controls: [2, 3]))
    #expect((one.value - both.value).magnitude < 1e-12 && (one.error - both.error).magnitude < 1e-12)
    let few = sample(19, key: 9).ratio(controls: [2, 3])
    #expect(few.value == few.plainValue && few.error == few.plainError)
  }
}
