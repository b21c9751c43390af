import Experiments
import Kernels

/// The Curie-Weiss model: spins +1 and -1 with H = -(1/2N) (sum s_i)^2. Its magnetisation solves m = tanh(beta m) as N grows,
/// and its law at finite N is a sum of N + 1 terms.
final class CurieWeiss: ParticleSystem {
  let dimension = 1
  let interaction = Interaction.features(1)
  let hasMoments = false

  let orderParameters = [
    Observable("m", "magnetisation"), Observable("|m|", "absolute magnetisation"),
    Observable("m^2", "square of the magnetisation"),
  ]

  func gradient(
    _ x: Tile, field: UnsafePointer<Double>, to gradient: UnsafeMutablePointer<Double>,
    potential: UnsafeMutablePointer<Double>?
  ) {
    for i in 0..<x.count { gradient[i] = 0 }
    if let potential { for i in 0..<x.count { potential[i] = 0 } }
  }

  func fieldEnergy(_ field: UnsafePointer<Double>) -> Double { -0.5 * field[0] * field[0] }

  func order(
    _ field: UnsafePointer<Double>, measured: UnsafePointer<Double>, to values: UnsafeMutablePointer<Double>
  ) {
    values[0] = field[0]
    values[1] = field[0].magnitude
    values[2] = field[0] * field[0]
  }

  func certificate(
    _ x: Tile, gradient: UnsafePointer<Double>, field: UnsafePointer<Double>, inverseTemperature: Double
  ) -> (left: Double, right: Double) {
    // E s_1 tanh(beta (m - s_1/N)) = E tanh^2(beta (m - s_1/N)): the mean of a spin given the others.
    let row = x.base
    let n = number
    let m = field[0]
    let (up, down) = (
      Elementary.tanh(inverseTemperature * (m - 1 / n)), Elementary.tanh(inverseTemperature * (m + 1 / n))
    )
    let left = laneSum(x.count) { row[$0] * (row[$0] > 0 ? up : down) }
    return (left, laneSum(x.count) { row[$0] > 0 ? up * up : down * down })
  }

  private var number = 1.0
  func prepare(_ tiling: Tiling) { number = Double(tiling.number) }

  static let entry = SystemEntry(
    name: "curie-weiss", summary: "mean-field Ising spins; needs the heat-bath integrator",
    equation: "H = -(1/2N) (sum s_i)^2, s_i = +-1", reference: "Ellis, Newman, Z. Wahrscheinlichkeit 44 (1978) 117",
    parameters: []
  ) { p, _ in
    let beta = p.real("inverse_temperature")
    return SystemModel(
      stationary: { number in
        let m = positiveRoot(below: 1) { Elementary.tanh(beta * $0) - $0 }
        var moments = StationaryMoments(equation: "m = tanh(beta m)", reference: "Ellis, Newman 1978")
        moments.means = ["m^2": m * m, "m": 0]
        if m > 0 { moments.means["|m|"] = m }
        moments.exact = exact(number, beta)
        moments.exactEquation = "P(k spins up) ~ binomial(N, k) exp(beta N m^2/2)"
        return moments
      },
      isDiscrete: true, make: { CurieWeiss() })
  }

  /// Sums over the number of spins up.
  private static func exact(_ number: Int, _ beta: Double) -> [String: Double] {
    let n = Double(number)
    var logBinomial = 0.0
    var logs: [Double] = []
    for k in 0...number {
      let m = (2 * Double(k) - n) / n
      logs.append(logBinomial + 0.5 * beta * n * m * m)
      logBinomial += Elementary.log(Double(number - k)) - Elementary.log(Double(k + 1))
    }
    let most = logs.max()!
    var (total, absolute, square) = (0.0, 0.0, 0.0)
    for k in 0...number {
      let weight = Elementary.exp(logs[k] - most)
      let m = (2 * Double(k) - n) / n
      total += weight
      absolute += weight * m.magnitude
      square += weight * m * m
    }
    return ["m": 0, "|m|": absolute / total, "m^2": square / total, "energy": -0.5 * square / total, "residual": 0]
  }
}
