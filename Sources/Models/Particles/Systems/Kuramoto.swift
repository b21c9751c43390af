import Experiments
import Kernels

/// Noisy Kuramoto oscillators of one frequency (the mean-field XY model): d theta = K r sin(psi - theta) dt + sqrt(2T) dW, with
/// r e^{i psi} the mean of e^{i theta}. Synchronised for K > 2T: r = I_1(K r/T)/I_0(K r/T).
final class Kuramoto: ParticleSystem {
  let dimension = 1
  let interaction = Interaction.features(2)
  let hasMoments = false
  private let coupling: Double
  private var number = 1.0
  /// cos and sin of every particle of this rank, from the last `addFeatures`.
  private var turns: ParticleArray?

  init(coupling: Double) { self.coupling = coupling }

  let orderParameters = [
    Observable("r", "order parameter |mean e^{i theta}|"), Observable("r^2", "square of the order parameter"),
  ]

  func prepare(_ tiling: Tiling) {
    number = Double(tiling.number)
    turns = ParticleArray(tiling, dimension: 2)
  }

  func addFeatures(_ x: Tile, to sums: UnsafeMutablePointer<Double>) {
    let row = x.base
    let (cosine, sine) = (turns![x.local][0], turns![x.local][1])
    for i in 0..<x.count {
      let value = Elementary.sinCos(row[i])
      cosine[i] = value.cos
      sine[i] = value.sin
    }
    sums[0] += laneSum(x.count) { cosine[$0] }
    sums[1] += laneSum(x.count) { sine[$0] }
  }

  func gradient(
    _ x: Tile, field: UnsafePointer<Double>, to gradient: UnsafeMutablePointer<Double>,
    potential: UnsafeMutablePointer<Double>?
  ) {
    let (cosine, sine) = (turns![x.local][0], turns![x.local][1])
    let (c, s) = (coupling * field[0], coupling * field[1])
    for i in 0..<x.count { gradient[i] = sine[i] * c - cosine[i] * s }
    if let potential { for i in 0..<x.count { potential[i] = 0 } }
  }

  func fieldEnergy(_ field: UnsafePointer<Double>) -> Double {
    -0.5 * coupling * (field[0] * field[0] + field[1] * field[1])
  }

  func order(
    _ field: UnsafePointer<Double>, measured: UnsafePointer<Double>, to values: UnsafeMutablePointer<Double>
  ) {
    let square = field[0] * field[0] + field[1] * field[1]
    values[0] = square.squareRoot()
    values[1] = square
  }

  /// beta E |dH/d theta_i|^2 = E d^2H/d theta_i^2: on a circle the virial has a border term.
  func certificate(
    _ x: Tile, gradient: UnsafePointer<Double>, field: UnsafePointer<Double>, inverseTemperature: Double
  ) -> (left: Double, right: Double) {
    // Not from `turns`: those may be of a proposal that was rejected.
    let row = x.base
    let (c, s) = (coupling * field[0], coupling * field[1])
    let left = inverseTemperature * laneSum(x.count) { gradient[$0] * gradient[$0] }
    let curvature = laneSum(x.count) { i in
      let turn = Elementary.sinCos(row[i])
      return turn.cos * c + turn.sin * s
    }
    let right = curvature - Double(x.count) * coupling / number
    return (left, right)
  }

  static let entry = SystemEntry(
    name: "kuramoto", summary: "noisy Kuramoto oscillators (mean-field XY model); temperature T = 1/beta",
    equation: "H = -(K/2N) sum_ij cos(theta_i - theta_j)",
    reference: "Bertini, Giacomin, Pakdaman, J. Stat. Phys. 138 (2010) 270",
    parameters: [Parameter("coupling", .real(.init(0, 1e9)), default: .real(1), "K")]
  ) { p, _ in
    let (coupling, beta) = (p.real("coupling"), p.real("inverse_temperature"))
    return SystemModel(
      startStd: p.real("start_mean") == 0 ? 0.5 : 1,
      stationary: { _ in
        func ratio(_ r: Double) -> Double {
          let law = LineLaw(from: -Double.pi, to: Double.pi) { -beta * coupling * r * Elementary.sinCos($0).cos }
          return law.mean { Elementary.sinCos($0).cos }
        }
        let r = positiveRoot(below: 1) { ratio($0) - $0 }
        var moments = StationaryMoments(equation: "r = I_1(K r/T)/I_0(K r/T)", reference: "Bertini et al. 2010")
        moments.means = ["r^2": r * r, "energy": -0.5 * coupling * r * r]
        if r > 0 { moments.means["r"] = r }
        return moments
      },
      make: { Kuramoto(coupling: coupling) })
  }
}
