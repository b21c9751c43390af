import Experiments
import Kernels
import Randomness

/// Low-rank matrices from random measurements by gradient descent on factors with more columns than needed (arXiv:2310.01769): $y_i = \langle A_i, M \rangle +
/// s \epsilon_i$, i = 1..m, the entries of A_i standard normals, of the symmetric form its symmetric part. With Z the estimate less M, the residuals
/// $r_i = \langle A_i, Z \rangle - s \epsilon_i$ and $W = \frac1m \sum_i r_i A_i$, of mean Z over the measurements,
///
///     symmetric:   Z = X X^T - M,  X' = X - h W X,                    loss sum r^2 / (4 m);
///     asymmetric:  Z = F G^T - M,  F' = F - h W G, G' = G - h W^T F,  loss sum r^2 / (2 m).
///
/// As m grows it is `MatrixFactorisation`. Every run has measurements of its own.
package struct LowRankSensing: TrainingProblem {
  package enum Form: String, CaseIterable, Sendable { case symmetric, asymmetric }

  let form: Form
  let rows, columns, rank, measurements: Int
  let alpha, noise: Double
  /// The positive entries of M, which is diagonal.
  let target: [Double]

  private var stride: Int { Triangular.padded(rows * columns) }

  package final class State {
    /// X or F, rows x k; G, columns x k.
    package let left, right: UnsafeMutablePointer<Double>
    fileprivate let nextLeft, nextRight: UnsafeMutablePointer<Double>
    /// A_i, rows x columns each, `stride` apart; s epsilon; r.
    fileprivate let sensors, errors, residuals: UnsafeMutablePointer<Double>
    /// Z and W, rows x columns.
    fileprivate let difference, pull: UnsafeMutablePointer<Double>

    fileprivate init(_ p: LowRankSensing) {
      let isSymmetric = p.form == .symmetric
      (left, nextLeft) = (.allocateZeros(p.rows * p.rank), .allocateZeros(p.rows * p.rank))
      right = isSymmetric ? left : .allocateZeros(p.columns * p.rank)
      nextRight = .allocateZeros(isSymmetric ? 0 : p.columns * p.rank)
      sensors = .allocateZeros(p.measurements * p.stride)
      (errors, residuals) = (.allocateZeros(p.measurements), .allocateZeros(p.measurements))
      (difference, pull) = (.allocateZeros(p.stride), .allocateZeros(p.stride))
    }

    deinit {
      if right != left { right.deallocate() }
      for place in [left, nextLeft, nextRight, sensors, errors, residuals, difference, pull] { place.deallocate() }
    }
  }

  package var observables: [Observable] {
    [
      Observable("loss", "sum r^2 over the measurements / (4 m), asymmetric / (2 m)"),
      Observable("error", "|X X^T - M| or |F G^T - M|, Frobenius"),
      Observable("log_error", "its logarithm"),
    ]
  }

  package func makeState() -> State { State(self) }

  package func start(_ state: State, _ stream: inout Stream) {
    let scale = alpha / Double(rows).squareRoot()
    for i in 0..<rows * rank { state.left[i] = scale * stream.normal() }
    if form == .asymmetric { for i in 0..<columns * rank { state.right[i] = scale * stream.normal() } }
    let spread = noise.squareRoot()
    for i in 0..<measurements {
      let sensor = state.sensors + i * stride
      for j in 0..<rows * columns { sensor[j] = stream.normal() }
      if form == .symmetric {
        for a in 0..<rows {
          for b in 0..<a {
            let mean = 0.5 * (sensor[a * rows + b] + sensor[b * rows + a])
            (sensor[a * rows + b], sensor[b * rows + a]) = (mean, mean)
          }
        }
      }
      state.errors[i] = noise == 0 ? 0 : spread * stream.normal()
    }
  }

  /// Z and r.
  /// - Returns: the loss, and |Z|^2.
  private func evaluate(_ state: State) -> (loss: Double, square: Double) {
    var square = 0.0
    for a in 0..<rows {
      for b in 0..<columns {
        var entry = a == b && a < target.count ? -target[a] : 0
        for l in 0..<rank { entry = entry.addingProduct(state.left[a * rank + l], state.right[b * rank + l]) }
        state.difference[a * columns + b] = entry
        square += entry * entry
      }
    }
    var sum = 0.0
    for i in 0..<measurements {
      let r = Triangular.dot(state.sensors + i * stride, state.difference, stride) - state.errors[i]
      state.residuals[i] = r
      sum += r * r
    }
    return (sum / (Double(measurements) * (form == .symmetric ? 4 : 2)), square)
  }

  package func loss(_ state: State, _ stream: inout Stream, step: Int) -> Double { evaluate(state).loss }

  package func step(_ state: State, _ stream: inout Stream, rate: Double) {
    for i in 0..<measurements { state.residuals[i] *= -rate / Double(measurements) }
    Triangular.combine(state.sensors, stride: stride, state.residuals, count: measurements, into: state.pull)
    // - h W G, and - h W^T F.
    move(state.left, rows, by: state.pull, columns, 1, state.right, columns, to: state.nextLeft)
    if form == .asymmetric {
      move(state.right, columns, by: state.pull, 1, columns, state.left, rows, to: state.nextRight)
      state.right.update(from: state.nextRight, count: columns * rank)
    }
    state.left.update(from: state.nextLeft, count: rows * rank)
  }

  /// Writes the factor plus a matrix times the other factor.
  private func move(
    _ factor: UnsafePointer<Double>, _ count: Int, by matrix: UnsafePointer<Double>, _ rowStride: Int,
    _ columnStride: Int, _ other: UnsafePointer<Double>, _ inner: Int, to result: UnsafeMutablePointer<Double>
  ) {
    result.update(from: factor, count: count * rank)
    MatrixProduct.add(
      result, rank, rows: count, columns: rank, matrix, rowStride: rowStride, columnStride: columnStride, inner: inner,
      other, rank)
  }

  package func measure(_ state: State, into values: UnsafeMutablePointer<Double>) {
    let (loss, square) = evaluate(state)
    let error = square.squareRoot()
    (values[0], values[1]) = (loss, error)
    values[2] = Elementary.log(max(error, .leastNormalMagnitude))
  }
}

extension LowRankSensing {
  /// Most numbers of the measurements of a run: 1 GiB.
  private static let mostNumbers = 1 << 27

  static let entry = ProblemEntry(
    name: "low-rank-sensing",
    summary: "a low-rank matrix from random measurements, by factors with more columns than it needs or as many",
    equation:
      "y_i = <A_i, M> + s eps_i, r_i = <A_i, Z> - s eps_i, W = (1/m) sum r_i A_i; symmetric: Z = X X^T - M, X' = X - h W X; asymmetric: Z = F G^T - M, F' = F - h W G, G' = G - h W^T F; h = learning_rate, entries at the start N(0, alpha^2 / rows), M diagonal",
    reference: "arXiv:2310.01769; docs/training-problems.md",
    observables: ["loss", "error", "log_error"],
    parameters: [
      Parameter("form", .choice(Form.allCases.map(\.rawValue)), default: .text(Form.symmetric.rawValue), "the factors"),
      Parameter("rows", .integer(1...10_000), "n, rows of M"),
      Parameter("columns", .integer(1...10_000), optional: true, "columns of M; of asymmetric, n unless given"),
      Parameter("rank", .integer(1...256), "k, columns of the factors"),
      Parameter(
        "measurements", .integer(1...10_000_000), small: .init(.inverse, "m", companions: ["draws"]), "m, of a run"),
      Parameter(
        "noise", .real(.init(0, .infinity, openAbove: true)), default: .real(0), "s^2, variance of their errors"),
      Parameter("alpha", .real(.above(0)), default: .real(1), "size of the start"),
      Parameter(
        "target", .structured("an array of at most n positive numbers"), default: .list([]),
        "the diagonal of M, the rest of which is 0"),
    ]
  ) { p, settings, _ in
    let form = Form(rawValue: p.text("form"))!
    let rows = p.integer("rows")
    let (columns, target) = try MatrixFactorisation.shape(p, rows: rows, isSymmetric: form == .symmetric)
    let measurements = p.integer("measurements")
    guard measurements <= mostNumbers / Triangular.padded(rows * columns) else {
      throw p.invalid(
        "measurements",
        "would be \(measurements) matrices of \(rows * columns) numbers; at most \(mostNumbers) numbers are kept")
    }
    let problem = LowRankSensing(
      form: form, rows: rows, columns: columns, rank: p.integer("rank"), measurements: measurements,
      alpha: p.real("alpha"), noise: p.real("noise"), target: target)
    return TrainingModel(problem, settings, p)
  }
}
