import Experiments
import Kernels
import Statistics

/// The law of a chain on the line after some steps, by quadrature: no draw is made.
struct LineLaw: Sendable {
  struct Request {
    let target: any LineTarget
    let step: Double
    let accepts: Bool
    let mean, std: Double
    /// Numbers of steps, ascending.
    let records: [Int]
    let orders: [Double]
    let reach: Double
    /// Points of the grid to a standard deviation of the noise of a step.
    let resolution: Double

    func with(resolution: Double) -> Request {
      Request(
        target: target, step: step, accepts: accepts, mean: mean, std: std, records: records, orders: orders,
        reach: reach, resolution: resolution)
    }
  }

  struct Record: Sendable {
    let divergences: Divergences
    /// KL to the stationary law of the chain itself.
    let own: Double
    let mean, second: Double
    let logs: [Double]
  }

  let grid: LineGrid
  let records: [Record]
  /// KL(pi_h | pi), and the error of E x^2, in the stationary law pi_h of the chain.
  let floor, bias: Double
  /// Steps up to the last record in which KL to the target, or to the chain's stationary law, rose by more than rounding.
  let rises: [Int]
  let ownRises: [Int]
  /// KL of the start to the stationary law.
  let ownStart: Double
  /// Mass that left the grid.
  let lost: Double
  /// Whether the stationary law was found.
  let isSettled: Bool

  static func count(_ request: Request) -> Int {
    // Odd: with a point at 0.
    2 * Int((request.reach * request.resolution / (2 * request.step).squareRoot()).rounded(.up)) + 1
  }

  init(_ request: Request) {
    let count = Self.count(request)
    let grid = LineGrid(request.target, reach: request.reach, count: count)
    let kernel = GridKernel(grid, request.target, step: request.step, accepts: request.accepts)
    let q = UnsafeMutablePointer<Double>.allocateZeros(count)
    defer { q.deallocate() }
    func logs() -> [Double] { (0..<count).map { Elementary.log(max(q[$0], 1e-300)) } }
    func moment(_ power: Int) -> Double {
      grid.spacing
        * (0..<count).reduce(0) { sum, i in
          sum + q[i] * (power == 0 ? 1 : power == 1 ? grid.points[i] : grid.points[i] * grid.points[i])
        }
    }
    // The stationary law: from the target, which is near.
    for i in 0..<count { q[i] = Elementary.exp(grid.logTarget(i)) }
    let second = moment(2)
    isSettled = request.accepts || Self.settle(kernel, q)
    let whole = 1 / moment(0)
    for i in 0..<count { q[i] *= whole }
    let stationary = logs()
    floor = request.accepts ? 0 : grid.divergences(q, orders: [], infiniteFrom: 0).kl
    bias = request.accepts ? 0 : moment(2) - second

    let start = grid.normal(mean: request.mean, std: request.std)
    for i in 0..<count { q[i] = start[i] }
    let curvature = request.target.curvatureAtInfinity
    var tail = request.std * request.std
    var (records, ownStart) = ([Record](), 0.0)
    var (rises, ownRises) = ([Int](), [Int]())
    var (risen, ownRisen) = (0, 0)
    var (last, lastOwn) = (Double.infinity, Double.infinity)
    for step in 0...request.records.last! {
      if step > 0 {
        kernel.step(q)
        // Tails of LMC are those of a linear chain; MALA keeps what it started with, where it rejects.
        let keep = 1 - request.step * curvature
        if !request.accepts { tail = keep * keep * tail + 2 * request.step }
      }
      let (kl, own) = grid.pair(q, stationary)
      if kl > last + Self.rounding * (1 + last) { risen += 1 }
      if own > lastOwn + Self.rounding * (1 + lastOwn) { ownRisen += 1 }
      (last, lastOwn) = (kl, own)
      if step == 0 { ownStart = own }
      guard request.records.contains(step) else { continue }
      // The integral of q^a pi^{1-a} is finite for a/s > (a - 1) c only.
      let s = curvature * tail
      let infinite = s.isFinite ? (s > 1 ? s / (s - 1) : .infinity) : 1
      records.append(
        Record(
          divergences: grid.divergences(q, orders: request.orders, infiniteFrom: infinite), own: own, mean: moment(1),
          second: moment(2), logs: logs()))
      rises.append(risen)
      ownRises.append(ownRisen)
    }
    lost = (1 - moment(0)).magnitude
    (self.grid, self.records, self.rises, self.ownRises, self.ownStart) = (grid, records, rises, ownRises, ownStart)
  }

  private static let rounding = 1e-12
  private static let mostSteps = 400_000

  /// Steps until nothing moves but by rounding. A slow mode, as between two wells of different depth, is jumped over: where the move of a block of steps is r times that of the block before, what
  /// is left of it is r/(1 - r) of the last.
  /// - Returns: whether it came to rest.
  private static func settle(_ kernel: GridKernel, _ q: UnsafeMutablePointer<Double>) -> Bool {
    let (count, block) = (kernel.grid.count, 16)
    var (before, move) = ((0..<count).map { q[$0] }, 0.0)
    var rounds = 0
    for _ in 0..<mostSteps / block {
      for _ in 0..<block { kernel.step(q) }
      var now = 0.0
      for i in 0..<count { now += (q[i] - before[i]).magnitude }
      now *= kernel.grid.spacing
      if now < 1e-14 { return true }
      let ratio = move > 0 ? now / move : 0
      rounds += 1
      if rounds >= 24, ratio > 0.5, ratio < 0.99999, now < 1e-4 {
        let factor = ratio / (1 - ratio)
        for i in 0..<count { q[i] = max(0, q[i] + factor * (q[i] - before[i])) }
        (rounds, move) = (0, 0)
      } else {
        move = now
      }
      for i in 0..<count { before[i] = q[i] }
    }
    return false
  }
}

extension LineGrid {
  /// KL(q | pi) and KL(q | p).
  func pair(_ q: UnsafePointer<Double>, _ p: [Double]) -> (Double, Double) {
    var (first, second) = (0.0, 0.0)
    for i in 0..<count where q[i] > 0 {
      let log = Elementary.log(q[i])
      first += q[i] * (log - logTarget(i))
      second += q[i] * (log - p[i])
    }
    return (first * spacing, second * spacing)
  }
}
