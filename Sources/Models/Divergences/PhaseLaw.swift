import Experiments
import Kernels

/// The law of position and velocity of an OBABO chain on the line, on a lattice on which drifts are exact.
///
/// Velocities are $v_j = j\,dv$ and positions $x_i = i\,dx$ with $dx = h\,dv$, so that the drift $x \to x + h v$ moves whole points: nothing is interpolated. Between two drifts the velocity at a point makes the step
/// $v' = c\,v - (1 + c)\,s + \sqrt{1 - c^2}\,\xi$, $c = e^{-\gamma h}$, $s = h U'(x)/2$: half a kick, the whole Ornstein-Uhlenbeck step that the halves of two neighbours make, half a kick. Its density is
///
/// $$ e^{-(v' - c v)^2/2\sigma^2}\; e^{c\,k\,v/\sigma^2}\; e^{-k v'/\sigma^2 - k^2/2\sigma^2}, \qquad k = (1 + c)\,s, \quad \sigma^2 = 1 - c^2, $$
///
/// one matrix for all positions between factors of each, so a step is a product of matrices on the register tile. Sums over velocities are exponentially accurate; what limits the accuracy is the smoothness of the target at
/// the scale dx.
struct PhaseLaw: Sendable {
  struct Request {
    let target: any LineTarget
    let step, friction: Double
    let mean, std: Double
    /// Numbers of steps, ascending.
    let records: [Int]
    let orders: [Double]
    let reach: Double
    /// dv.
    let spacing: Double

    func with(spacing: Double) -> Request {
      Request(
        target: target, step: step, friction: friction, mean: mean, std: std, records: records, orders: orders,
        reach: reach, spacing: spacing)
    }

    /// Points on either side of 0.
    var velocities: Int { Int((PhaseLaw.fastest / spacing).rounded(.up)) }
    var positions: Int { Int((reach / (step * spacing)).rounded(.up)) }
    /// Multiplications of a step.
    var work: Double {
      let v = Double(2 * velocities + 1)
      return v * v * Double(2 * positions + 1)
    }
  }

  struct Record: Sendable {
    let divergences: Divergences
    let mean, second: Double
    /// log of the density of the position.
    let logs: [Double]
  }

  /// In standard deviations of the velocity; the kicks of a start in a steep place come on top.
  static let fastest = 9.0
  /// L1 distance of the law from its limit where it counts as stationary, estimated; and the most steps to it.
  private static let rest = 1e-8
  static let mostSettling = 20_000

  /// Of positions.
  let grid: LineGrid
  let records: [Record]
  /// KL(pi_h | pi), and the error of E x^2, in the stationary law pi_h of the position.
  let floor, bias: Double
  /// Mass that left the lattice.
  let lost: Double
  let isSettled: Bool

  init(_ request: Request) {
    let lattice = PhaseLattice(request)
    let grid = lattice.grid
    let density = UnsafeMutablePointer<Double>.allocateZeros(grid.count)
    defer { density.deallocate() }
    func moment(_ power: Int) -> Double {
      grid.spacing
        * (0..<grid.count).reduce(0) { sum, i in
          sum + density[i] * (power == 0 ? 1 : power == 1 ? grid.points[i] : grid.points[i] * grid.points[i])
        }
    }
    // The stationary law, from the target.
    for i in 0..<grid.count { density[i] = Elementary.exp(grid.logTarget(i)) }
    let second = moment(2)
    lattice.start(density)
    isSettled = lattice.settle(within: Self.rest, steps: Self.mostSettling)
    lattice.marginal(into: density)
    let whole = 1 / moment(0)
    for i in 0..<grid.count { density[i] *= whole }
    floor = grid.divergences(density, orders: [], infiniteFrom: 0).kl
    bias = moment(2) - second

    let start = grid.normal(mean: request.mean, std: request.std)
    for i in 0..<grid.count { density[i] = start[i] }
    lattice.start(density)
    var records: [Record] = []
    for step in 0...request.records[request.records.count - 1] {
      // The start makes the first step.
      if step > 1 { lattice.step() }
      guard request.records.contains(step) else { continue }
      if step > 0 { lattice.marginal(into: density) }
      // Tails of the start that a kick has moved are not Gaussian in general: orders are as the lattice has them.
      records.append(
        Record(
          divergences: grid.divergences(density, orders: request.orders, infiniteFrom: .infinity), mean: moment(1),
          second: moment(2), logs: (0..<grid.count).map { Elementary.log(max(density[$0], 1e-300)) }))
    }
    lost = (1 - moment(0)).magnitude
    (self.grid, self.records) = (grid, records)
  }
}

/// The lattice and the law on it, after a drift.
private final class PhaseLattice {
  let grid: LineGrid
  private let side, width, count: Int
  private let spacing: Double
  private let law, moved: UnsafeMutablePointer<Double>
  /// e^{-(v' - c v)^2/2 sigma^2} dv over sqrt(2 pi) sigma, a row a v.
  private let kernel: UnsafeMutablePointer<Double>
  private let halfKick: [Double]
  private let decay, variance: Double

  init(_ request: PhaseLaw.Request) {
    (side, spacing) = (request.velocities, request.spacing)
    width = 2 * side + 1
    let half = request.positions
    count = 2 * half + 1
    let grid = LineGrid(
      request.target, reach: Double(half) * request.step * request.spacing, count: count)
    self.grid = grid
    halfKick = grid.slopes.map { 0.5 * request.step * $0 }
    decay = Elementary.exp(-request.friction * request.step)
    variance = (1 - decay) * (1 + decay)
    (law, moved) = (.allocateZeros(width * count), .allocateZeros(width * count))
    kernel = .allocateZeros(width * width)
    let scale = spacing / (2 * Double.pi * variance).squareRoot()
    for j in 0..<width {
      for k in 0..<width {
        let z = velocity(k) - decay * velocity(j)
        kernel[j * width + k] = scale * Elementary.exp(max(-0.5 * z * z / variance, -700))
      }
    }
  }

  deinit { for place in [law, moved, kernel] { place.deallocate() } }

  private func velocity(_ j: Int) -> Double { Double(j - side) * spacing }

  /// From independent velocities N(0, 1), which half of the Ornstein-Uhlenbeck step leaves as they are: half a kick and a drift.
  func start(_ density: UnsafePointer<Double>) {
    let scale = 1 / (2 * Double.pi).squareRoot()
    for i in 0..<count {
      for j in 0..<width {
        let z = velocity(j) + halfKick[i]
        moved[i * width + j] = density[i] * scale * Elementary.exp(max(-0.5 * z * z, -700))
      }
    }
    drift()
  }

  func step() {
    for i in 0..<count {
      let (row, k) = (law + i * width, (1 + decay) * halfKick[i] / variance)
      for j in 0..<width { row[j] *= Elementary.exp(decay * k * velocity(j)) }
    }
    MatrixProduct.add(
      moved, width, fresh: true, rows: count, columns: width, law, rowStride: width, columnStride: 1, inner: width,
      kernel, width)
    for i in 0..<count {
      let (row, k) = (moved + i * width, (1 + decay) * halfKick[i])
      for j in 0..<width { row[j] *= Elementary.exp(-k * (velocity(j) + 0.5 * k) / variance) }
    }
    drift()
  }

  /// x -> x + h v: by j points.
  private func drift() {
    for i in 0..<count {
      let row = law + i * width
      for j in 0..<width {
        let from = i - (j - side)
        row[j] = from >= 0 && from < count ? moved[from * width + j] : 0
      }
    }
  }

  func marginal(into density: UnsafeMutablePointer<Double>) {
    for i in 0..<count {
      let row = law + i * width
      density[i] = spacing * (0..<width).reduce(0) { $0 + row[$1] }
    }
  }

  /// Steps until the density of the position is as near to its limit as asked for, by the rate at which the moves of blocks of steps fall.
  func settle(within rest: Double, steps: Int) -> Bool {
    let block = 16
    let now = UnsafeMutablePointer<Double>.allocateZeros(count)
    defer { now.deallocate() }
    marginal(into: now)
    var last = (0..<count).map { now[$0] }
    var move = Double.infinity
    for _ in 0..<steps / block {
      for _ in 0..<block { step() }
      marginal(into: now)
      let change = grid.spacing * (0..<count).reduce(0) { $0 + (now[$1] - last[$1]).magnitude }
      let ratio = min(change / move, 0.999)
      if change * max(ratio, 0.5) / (1 - max(ratio, 0.5)) < rest { return true }
      (last, move) = ((0..<count).map { now[$0] }, change)
    }
    return false
  }
}
