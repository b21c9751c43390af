import Kernels

/// A uniform grid on [-reach, reach] and a target on it. The trapezoidal rule is exponentially accurate for smooth integrands that vanish at both ends.
struct LineGrid: Sendable {
  let reach, spacing: Double
  let points, energies, slopes: [Double]
  /// log of the integral of e^{-U}.
  let logNormalisation: Double

  var count: Int { points.count }

  init(_ target: any LineTarget, reach: Double, count: Int) {
    self.reach = reach
    spacing = 2 * reach / Double(count - 1)
    let dx = spacing
    // From the middle, so that the grid is symmetric to the last bit.
    points = (0..<count).map { (Double($0) - 0.5 * Double(count - 1)) * dx }
    energies = points.map { target.energy($0) }
    slopes = points.map { target.slope($0) }
    let least = energies.min()!
    let sum = energies.reduce(0) { $0 + Elementary.exp(least - $1) }
    logNormalisation = Elementary.log(sum * dx) - least
  }

  /// log pi at a point of the grid.
  func logTarget(_ i: Int) -> Double { -energies[i] - logNormalisation }

  /// The values of a normal density.
  func normal(mean: Double, std: Double) -> [Double] {
    let scale = 1 / (std * (2 * Double.pi).squareRoot())
    return points.map { x in
      let z = (x - mean) / std
      return scale * Elementary.exp(-0.5 * z * z)
    }
  }

  /// The value between the points of what is tabulated, by the polynomial of degree 5 through the six points around.
  func interpolate(_ values: UnsafePointer<Double>, at x: Double) -> Double {
    let place = min(max(x / spacing + 0.5 * Double(count - 1), 0), Double(count - 1))
    let first = min(max(Int(place) - 2, 0), count - 6)
    let t = place - Double(first)
    let (a, b, c, d, e, f) = (t, t - 1, t - 2, t - 3, t - 4, t - 5)
    let (ab, ef, cd) = (a * b, e * f, c * d)
    let low = values[first] * (b * cd * ef) * (-1 / 120) + values[first + 1] * (a * cd * ef) * (1 / 24)
    let middle = values[first + 2] * (ab * d * ef) * (-1 / 12) + values[first + 3] * (ab * c * ef) * (1 / 12)
    return low + middle + values[first + 4] * (ab * cd * f) * (-1 / 24) + values[first + 5] * (ab * cd * e) * (1 / 120)
  }
}
