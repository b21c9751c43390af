import Kernels

/// $\mathbb E[x | Y]$ of Student data seen as $Y = t x + W_t$: with $z = Y/t$ the mean of x in the density $p(x)\, e^{-t (x - z)^2/2}$, tabulated in $u = \operatorname{arsinh} z$ and read by cubics with their slopes.
package struct ConditionalMean: Sendable {
  private static let count = 600
  private static let reach = 14.0
  private let signal: Double
  /// Of x - z, which varies less than x: at points of u, and its slopes.
  private let values, slopes: [Double]

  package init(student degrees: Double, signal t: Double) {
    signal = t
    // Both factors have a peak: nodes around either.
    let width = 1 / t.squareRoot()
    var values: [Double] = []
    let step = 2 * Self.reach / Double(Self.count)
    // The law is symmetric: the mean is odd.
    for i in Self.count / 2...Self.count {
      let u = -Self.reach + step * Double(i)
      let z = 0.5 * (Elementary.exp(u) - Elementary.exp(-u))
      func logWeight(_ x: Double) -> Double {
        -0.5 * (degrees + 1) * Elementary.log(1 + x * x / degrees) - 0.5 * t * (x - z) * (x - z)
      }
      // Where both peaks may count: arsinh x, whose points are dense around 0; else a few widths around z.
      var (top, mass, sum) = (-Double.infinity, 0.0, 0.0)
      func add(_ x: Double, _ weight: Double) {
        let log = logWeight(x) + Elementary.log(weight)
        if log > top {
          let scale = top == -.infinity ? 0 : Elementary.exp(max(top - log, -740))
          (mass, sum, top) = (mass * scale, sum * scale, log)
        }
        let w = Elementary.exp(max(log - top, -740))
        mass += w
        sum += w * (x - z)
      }
      if width > 0.3, z.magnitude < 20 * width {
        // dx = cosh v dv; the weight falls like e^{-v degrees} or faster.
        let most = z + 12 * width
        let far = Elementary.log(most + (1 + most * most).squareRoot())
        let nodes = Int(2 * far / 0.015)
        for j in 0...nodes {
          let v = -far + 2 * far * Double(j) / Double(nodes)
          let (a, b) = (Elementary.exp(v), Elementary.exp(-v))
          add(0.5 * (a - b), 0.5 * (a + b))
        }
      } else {
        for j in -160...160 { add(z + width * 10 * Double(j) / 160, 1) }
      }
      values.append(sum / mass)
    }
    values = values.dropFirst().reversed().map { -$0 } + [0] + values.dropFirst()
    self.values = values
    slopes = values.indices.map { i in
      let (a, b) = (max(i - 1, 0), min(i + 1, Self.count))
      return (values[b] - values[a]) / (step * Double(b - a))
    }
  }

  package func callAsFunction(_ y: Double) -> Double {
    let z = y / signal
    let magnitude = z.magnitude
    let u = Elementary.log(magnitude + (1 + magnitude * magnitude).squareRoot()) * (z < 0 ? -1 : 1)
    let step = 2 * Self.reach / Double(Self.count)
    let place = (u + Self.reach) / step
    // Beyond, e^14 away, the data are seen as they are.
    guard place > 0, place < Double(Self.count) else { return z }
    let i = Int(place)
    let (s, r) = (place - Double(i), 1 - (place - Double(i)))
    let cubic = values[i] * r * r * (1 + 2 * s) + values[i + 1] * s * s * (3 - 2 * s)
    return z + cubic + step * (slopes[i] * s * r * r - slopes[i + 1] * s * s * r)
  }
}
