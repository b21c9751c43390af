import Experiments
import Kernels
import Networks
import Randomness
import Regression

/// Distilled labels: a few source rows get the labels $y_s$ with which kernel ridge regression predicts the target rows best,
///
/// $$ y_s = \operatorname{argmin}_y |A y - y_t|^2, \qquad A = K_{ts} (K_{ss} + r)^{-1} . $$
///
/// With $z = (K_{ss} + r)^{-1} y$ it is a least-squares problem in $K_{ts}$ alone, solved by its QR factor: no condition number is squared. Of a drawn network's tangent kernel the errors of the true labels, of
/// the labels solved for at infinite width, and of its own are measured.
package struct DistilledLabels: DrawnProblem {
  /// At the sources, then at the targets.
  package let network: ShallowNetwork
  package let width: Int
  package let ridge: Double
  /// True labels of the sources, then of the targets.
  package let labels: [Double]
  private let sources: Int
  /// Labels that the kernel at infinite width has solved for, and its errors with the true ones and these.
  package let solved: [Double]
  package let limit: (trueError: Double, solvedError: Double)
  /// What the observables are called.
  private let data: String

  /// - Returns: nil where the kernel at infinite width with its ridge is not positive definite in double precision.
  package init?(
    _ network: ShallowNetwork, sources: Int, labels: [Double], width: Int, ridge: Double, data: String
  ) {
    (self.network, self.width, self.ridge, self.labels, self.sources) = (network, width, ridge, labels, sources)
    self.data = data
    let solver = Solver(sources: sources, targets: network.count - sources)
    let (count, theta) = (network.count, network.limits().tangent)
    for a in 0..<count { for b in 0..<sources { solver.kernel[a * sources + b] = theta[a * count + b] } }
    guard let found = solver.trueAndSolved(labels, ridge: ridge) else { return nil }
    (solved, limit) = (found.labels, (found.trueError, found.solvedError))
  }

  package final class State {
    fileprivate let network: ShallowNetwork.State
    fileprivate let solver: Solver
    fileprivate let room: UnsafeMutablePointer<Double>

    fileprivate init(_ p: DistilledLabels) {
      network = ShallowNetwork.State(p.network, width: p.width)
      solver = Solver(sources: p.sources, targets: p.network.count - p.sources)
      room = .allocateZeros(p.network.count * p.sources)
    }

    deinit { room.deallocate() }
  }

  package var axis: Axis {
    Axis(name: "sources", unit: "examples", summary: "source rows", values: [Double(sources)])
  }
  package let observables = [
    Observable("true_error", "mean square error on the targets with the true labels of the sources"),
    Observable("limit_error", "with the labels solved for at infinite width"),
    Observable("own_error", "with the labels solved for with the kernel of the draw, the least there is"),
    Observable("diagonal", "mean of the tangent kernel's diagonal over the sources"),
  ]

  package var known: [KnownStatistic] {
    let (count, theta) = (network.count, network.limits().tangent)
    return [
      KnownStatistic(
        .mean, of: "diagonal", (0..<sources).reduce(0) { $0 + theta[$1 * count + $1] } / Double(sources))
    ]
  }

  package var attributes: [String: String] { ["data": data] }

  package func makeState() -> State { State(self) }

  package func draw(_ s: State, _ stream: inout Stream, into values: UnsafeMutablePointer<Double>) {
    network.draw(s.network, &stream)
    network.tangent(
      s.network, rows: 0..<network.count, columns: 0..<sources, into: s.solver.kernel, stride: sources, room: s.room)
    var diagonal = 0.0
    for i in 0..<sources { diagonal += s.solver.kernel[i * (sources + 1)] }
    values[0] = s.solver.error(labels, against: labels, ridge: ridge)
    values[1] = s.solver.error(solved, against: labels, ridge: ridge)
    values[2] = s.solver.leastError(labels)
    values[3] = diagonal / Double(sources)
  }
}

extension DistilledLabels {
  /// Kernel ridge regression from sources on targets, in one place for draws and for infinite width.
  fileprivate final class Solver {
    private let sources, targets, length: Int
    /// $K_{ss}$, then $K_{ts}$: rows of `sources` numbers.
    let kernel: UnsafeMutablePointer<Double>
    private let system: RidgeSystem
    /// Columns of $K_{ts}$ with $y_t$ behind them, and their factor.
    private let columns, factor: UnsafeMutablePointer<Double>

    init(sources: Int, targets: Int) {
      (self.sources, self.targets, length) = (sources, targets, Triangular.padded(targets))
      kernel = .allocateZeros((sources + targets) * sources)
      system = RidgeSystem(sources)
      columns = .allocateZeros((sources + 1) * length)
      factor = .allocateZeros((sources + 1) * (sources + 1))
    }

    deinit { for place in [kernel, columns, factor] { place.deallocate() } }

    /// Mean square error on the targets of regression on labels of the sources; NaN where the system has no solution in double precision.
    func error(_ labels: [Double], against truth: [Double], ridge: Double) -> Double {
      for i in 0..<sources {
        for j in i..<sources { system.matrix[i * system.stride + j] = kernel[i * sources + j] }
      }
      guard labels.withUnsafeBufferPointer({ $0.baseAddress.map { system.solve($0, ridge: ridge) } ?? false }) else {
        return .nan
      }
      var sum = 0.0
      for t in 0..<targets {
        let rest =
          Cholesky.dot(kernel + (sources + t) * sources, system.solution, sources) - truth[sources + t]
        sum += rest * rest
      }
      return sum / Double(targets)
    }

    /// The least error that labels of the sources can have.
    func leastError(_ truth: [Double]) -> Double {
      for b in 0...sources {
        let column = columns + b * length
        for t in 0..<targets { column[t] = b < sources ? kernel[(sources + t) * sources + b] : truth[sources + t] }
        for t in targets..<length { column[t] = 0 }
      }
      Triangular.factor(
        columns: columns, stride: length, count: length, m: sources + 1, into: factor, orthogonal: false)
      let rest = factor[sources * (sources + 2)]
      return rest * rest / Double(targets)
    }

    func trueAndSolved(
      _ labels: [Double], ridge: Double
    ) -> (labels: [Double], trueError: Double, solvedError: Double)? {
      let trueError = error(labels, against: labels, ridge: ridge)
      let solvedError = leastError(labels)
      var z = Array(repeating: 0.0, count: sources)
      for i in (0..<sources).reversed() {
        var sum = factor[i * (sources + 1) + sources]
        for j in i + 1..<max(sources, i + 1) { sum -= factor[i * (sources + 1) + j] * z[j] }
        z[i] = sum / factor[i * (sources + 1) + i]
      }
      let solved = (0..<sources).map { i in
        (0..<sources).reduce(ridge * z[i]) { $0 + kernel[i * sources + $1] * z[$1] }
      }
      guard trueError.isFinite, solved.allSatisfy(\.isFinite) else { return nil }
      return (solved, trueError, solvedError)
    }
  }

  static let entry = TangentFamily.entry(
    name: "distilled-labels",
    summary: "labels of a few rows that make kernel regression from them predict all others best",
    equation:
      "y_s = argmin_y |K_ts (K_ss + ridge)^-1 y - y_t|^2, K the tangent kernel of a network of one hidden layer",
    reference: "docs/tangent.md", observables: ["true_error", "limit_error", "own_error", "diagonal"],
    parameters: [
      TangentFamily.width, ServiceData.parameter,
      Parameter("sources", .structured(RowChoice.words), "rows that are labelled, at most 63"),
      Parameter("targets", .structured(RowChoice.words), optional: true, "rows that are predicted; all unless given"),
      Parameter("ridge", .real(.above(0)), default: .real(1e-3), "r, not divided by the number of sources"),
    ] + ShallowNetwork.parameters
  ) { p, source in
    let data = try ServiceData(p, source)
    let sources = try RowChoice.read(p, "sources", of: data.data.count)
    let targets = try RowChoice.read(p, "targets", of: data.data.count)
    guard (1...63).contains(sources.count) else {
      throw p.invalid("sources", "must be 1 to 63 rows, not \(sources.count)")
    }
    guard targets.count > sources.count else {
      throw p.invalid("targets", "must be more rows than the \(sources.count) sources")
    }
    let width = p.integer("width")
    let network = try data.network(sources + targets, p)
    try ServiceData.refuse(
      network.size(width: width) + Double(3 * network.count * sources.count), p, "width")
    guard
      let problem = DistilledLabels(
        network, sources: sources.count, labels: data.targets(sources) + data.targets(targets), width: width,
        ridge: p.real("ridge"), data: data.data.fingerprint)
    else { throw p.invalid("ridge", "leaves K_ss singular at infinite width: rows that are equal need a larger one") }
    return DrawnProblemModel(problem, p)
  }
}
