import Experiments
import Kernels

/// exp(-sum |x|^alpha), 1 <= alpha <= 2: from the Laplace law, whose energy has a corner, to the normal one.
final class PowerLaw: ParticleSystem {
  let dimension: Int
  let interaction = Interaction.none
  private let alpha: Double

  init(dimension: Int, alpha: Double) {
    self.dimension = dimension
    self.alpha = alpha
  }

  func gradient(
    _ x: Tile, field: UnsafePointer<Double>, to gradient: UnsafeMutablePointer<Double>,
    potential: UnsafeMutablePointer<Double>?
  ) {
    if let potential { for i in 0..<x.count { potential[i] = 0 } }
    for k in 0..<dimension {
      let (row, target) = (x[k], gradient + k * x.lanes)
      for i in 0..<x.count {
        // |x|^(alpha - 1); the value at 0 counts as that at the smallest normal number.
        let size = max(row[i].magnitude, 0x1p-1022)
        let power = Elementary.exp((alpha - 1) * Elementary.log(size))
        target[i] = row[i] == 0 ? 0 : alpha * power * (row[i] < 0 ? -1 : 1)
        if let potential { potential[i] = potential[i].addingProduct(power, row[i].magnitude) }
      }
    }
  }

  static let entry = SystemEntry(
    name: "power-law", summary: "independent chains on exp(-sum |x|^alpha)", equation: "H = sum_k |x_k|^alpha",
    reference: "docs/particles.md",
    parameters: [
      SystemEntry.dimension(1), Parameter("alpha", .real(.init(1, 2)), default: .real(1), "alpha"),
    ]
  ) { p, _ in
    let (d, alpha, beta) = (p.integer("dimension"), p.real("alpha"), p.real("inverse_temperature"))
    @Sendable func energy(_ x: Double) -> Double {
      x == 0 ? 0 : beta * Elementary.exp(alpha * Elementary.log(x.magnitude))
    }
    // E |x|^p = beta^(-p/alpha) Gamma((p+1)/alpha)/Gamma(1/alpha).
    @Sendable func moment(_ power: Double) -> Double {
      Elementary.exp(
        logGamma((power + 1) / alpha) - logGamma(1 / alpha) - power / alpha * Elementary.log(beta))
    }
    return SystemModel(
      largestCurvature: alpha == 2 ? 2 : nil, leastCurvature: alpha == 2 ? 2 : 0,
      stationary: { _ in
        let reach = Elementary.exp(Elementary.log(45 / beta) / alpha)
        var moments = StationaryMoments.line("exp(-beta |x|^\(alpha))", reach: reach, beta: beta, energy)
        moments.equation = "E |x|^p = beta^(-p/alpha) Gamma((p+1)/alpha)/Gamma(1/alpha)"
        moments.means = ["x": 0, "x^2": moment(2), "x^4": moment(4), "energy": Double(d) / (alpha * beta)]
        if (2...3).contains(d) { moments.means = moments.means.spread(over: d) }
        return moments
      },
      make: { PowerLaw(dimension: d, alpha: alpha) })
  }
}

extension [String: Double] {
  /// Means of one coordinate given to each of `d`.
  func spread(over d: Int) -> [String: Double] {
    var result: [String: Double] = [:]
    for (name, value) in self {
      guard name.hasPrefix("x") else {
        result[name] = value
        continue
      }
      for k in 0..<d { result["x[\(k)]" + name.dropFirst()] = value }
    }
    return result
  }
}

/// log Gamma(x), x > 0, by Stirling's series above 10.
func logGamma(_ x: Double) -> Double {
  var (y, shift) = (x, 0.0)
  while y < 10 {
    shift += Elementary.log(y)
    y += 1
  }
  let z = 1 / (y * y)
  let tail = (1.0 / 12 - z * (1.0 / 360 - z * (1.0 / 1260 - z / 1680))) / y
  return (y - 0.5) * Elementary.log(y) - y + 0.5 * Elementary.log(2 * Double.pi) + tail - shift
}
