import Experiments
import Kernels
import Networks
import Randomness

/// Matrix factorisation by gradient descent from a small random start, with every entry of the matrix seen (arXiv:2310.01769):
///
///     symmetric:   X' = X - h (X X^T - M) X,   X n x k,  X_0 entries N(0, alpha^2/n);
///     asymmetric:  F' = F - h (F G^T - M) G,  G' = G - h (F G^T - M)^T F,  F n x k, G m x k, entries N(0, alpha^2/n).
///
/// M is diagonal with r positive entries. With more columns than needed, k > r, the symmetric form ends slowly, $|X X^T - M| \to \sqrt{k - r}/(2 h t)$:
/// each surplus direction has $s^2 = 1/(1/s_0^2 + 2 h t)$. The asymmetric form keeps $F^T F - G^T G$ along the flow; without a target and with one entry
/// $p = f g$ obeys $p = (c/2)/\sinh(c t + \text{asinh}(c/2p_0))$, $c = |f^2 - g^2|$.
///
/// Symmetric, exactly reduced: only the r rows U of X that M sees and the k x k matrix $B = V^T V$ of the others matter, $U' = U - h (U (U^T U + B) - M_r U)$,
/// $B' = (1 - h (U^T U + B)) B (1 - h (U^T U + B))$; B is Wishart at the start.
package struct MatrixFactorisation: TrainingProblem {
  enum Form: String, CaseIterable { case symmetric, asymmetric }

  let form: Form
  let rows, columns, rank: Int
  let alpha: Double
  /// The positive entries of M.
  let target: [Double]
  let isReduced: Bool
  /// f and g of a scalar, in the place of a random start.
  let fixed: [Double]?

  /// Rows that are kept one by one.
  private var kept: Int { isReduced ? target.count : rows }

  package final class State {
    /// X or F, rows x k (reduced: the rows that M sees); G, columns x k.
    package let left, right: UnsafeMutablePointer<Double>
    /// B.
    package let rest: UnsafeMutablePointer<Double>
    let gram, map, room: UnsafeMutablePointer<Double>
    /// F G^T - M.
    let residual: UnsafeMutablePointer<Double>
    let nextLeft, nextRight: UnsafeMutablePointer<Double>
    var time = 0.0
    var first = (f: 0.0, g: 0.0)

    fileprivate init(_ p: MatrixFactorisation) {
      let k = p.rank
      left = .allocateZeros(p.kept * k)
      nextLeft = .allocateZeros(p.kept * k)
      let isAsymmetric = p.form == .asymmetric
      right = .allocateZeros(isAsymmetric ? p.columns * k : 0)
      nextRight = .allocateZeros(isAsymmetric ? p.columns * k : 0)
      residual = .allocateZeros(isAsymmetric ? p.rows * p.columns : 0)
      (rest, gram, map, room) = (
        .allocateZeros(k * k), .allocateZeros(k * k), .allocateZeros(k * k), .allocateZeros(k * k)
      )
    }

    deinit {
      for place in [left, right, rest, gram, map, room, residual, nextLeft, nextRight] { place.deallocate() }
    }
  }

  private var isScalar: Bool { form == .asymmetric && rows == 1 && columns == 1 && rank == 1 && target.isEmpty }

  package var observables: [Observable] {
    var found = [
      Observable("loss", "|X X^T - M|^2 / 4; asymmetric: |F G^T - M|^2 / 2"),
      Observable("error", "|X X^T - M| or |F G^T - M|, Frobenius"),
      Observable("log_error", "its logarithm"),
    ]
    switch form {
    case .symmetric:
      if rank > target.count {
        found.append(
          Observable("surplus", "2 h t |X X^T - M| / sqrt(k - r), to 1 with the steps; t their number, h t their sum"))
      }
    case .asymmetric:
      found.append(Observable("imbalance", "|F^T F - G^T G|, Frobenius, kept by the flow"))
      if isScalar {
        found.append(Observable("product", "f g"))
        found.append(Observable("flow_product", "f g after as much time of the flow, from the same start"))
      }
    }
    return found
  }

  package var stabilityEdge: StabilityEdge? {
    guard form == .symmetric, let largest = target.max() else { return nil }
    return StabilityEdge(1 / largest, "1/s of the largest entry s of M")
  }

  package func makeState() -> State { State(self) }

  package func start(_ state: State, _ stream: inout Stream) {
    let k = rank
    state.time = 0
    let scale = alpha / Double(rows).squareRoot()
    if let fixed {
      (state.left[0], state.right[0]) = (fixed[0], fixed[1])
    } else {
      for i in 0..<kept * k { state.left[i] = scale * stream.normal() }
      if form == .asymmetric { for i in 0..<columns * k { state.right[i] = scale * stream.normal() } }
    }
    if form == .asymmetric { state.first = (state.left[0], state.right[0]) }
    guard isReduced else { return }
    SecondMoments.drawWishart(&stream, k, degrees: rows - kept, room: state.room, to: state.rest)
    for i in 0..<k * k { state.rest[i] *= scale * scale }
  }

  /// |X X^T - M|^2 without differences of large numbers: with U the rows that M sees, |U U^T - M|^2 + 2 tr(U^T U B) + tr B^2.
  private func symmetricError(_ state: State) -> Double {
    let (k, r) = (rank, target.count)
    if !isReduced { SecondMoments.take(state.left, rows: r..<rows, k, to: state.rest) }
    SecondMoments.take(state.left, rows: 0..<r, k, to: state.gram)
    var sum = 0.0
    for i in 0..<r {
      for j in 0..<r {
        var entry = 0.0
        for l in 0..<k { entry += state.left[i * k + l] * state.left[j * k + l] }
        if i == j { entry -= target[i] }
        sum += entry * entry
      }
    }
    for i in 0..<k * k { sum += (2 * state.gram[i] + state.rest[i]) * state.rest[i] }
    return sum
  }

  private func asymmetricError(_ state: State) -> Double {
    let k = rank
    var sum = 0.0
    for i in 0..<rows {
      for j in 0..<columns {
        var entry = i == j && i < target.count ? -target[i] : 0
        for l in 0..<k { entry += state.left[i * k + l] * state.right[j * k + l] }
        state.residual[i * columns + j] = entry
        sum += entry * entry
      }
    }
    return sum
  }

  package func loss(_ state: State, _ stream: inout Stream, step: Int) -> Double {
    form == .symmetric ? 0.25 * symmetricError(state) : 0.5 * asymmetricError(state)
  }

  package func step(_ state: State, _ stream: inout Stream, rate: Double) {
    state.time += rate
    if form == .symmetric { stepSymmetric(state, rate) } else { stepAsymmetric(state, rate) }
  }

  /// X' = X (1 - h X^T X) + h M X.
  private func stepSymmetric(_ state: State, _ h: Double) {
    let k = rank
    for i in 0..<k * k { state.map[i] = (i % (k + 1) == 0 ? 1 : 0) - h * (state.gram[i] + state.rest[i]) }
    for row in 0..<kept {
      let (own, next) = (state.left + row * k, state.nextLeft + row * k)
      let pull = row < target.count ? h * target[row] : 0
      for j in 0..<k { next[j] = pull * own[j] }
      for l in 0..<k {
        let s = own[l]
        for j in 0..<k { next[j] += s * state.map[l * k + j] }
      }
    }
    state.left.update(from: state.nextLeft, count: kept * k)
    guard isReduced else { return }
    SecondMoments.map(state.rest, by: state.map, k, room: state.room)
  }

  private func stepAsymmetric(_ state: State, _ h: Double) {
    let k = rank
    state.nextLeft.update(from: state.left, count: rows * k)
    state.nextRight.update(from: state.right, count: columns * k)
    for i in 0..<rows {
      for j in 0..<columns {
        let s = -h * state.residual[i * columns + j]
        for l in 0..<k {
          state.nextLeft[i * k + l] += s * state.right[j * k + l]
          state.nextRight[j * k + l] += s * state.left[i * k + l]
        }
      }
    }
    state.left.update(from: state.nextLeft, count: rows * k)
    state.right.update(from: state.nextRight, count: columns * k)
  }

  package func measure(_ state: State, into values: UnsafeMutablePointer<Double>) {
    let square = form == .symmetric ? symmetricError(state) : asymmetricError(state)
    let error = square.squareRoot()
    values[0] = (form == .symmetric ? 0.25 : 0.5) * square
    (values[1], values[2]) = (error, Elementary.log(max(error, .leastNormalMagnitude)))
    if form == .symmetric {
      if rank > target.count { values[3] = 2 * state.time * error / Double(rank - target.count).squareRoot() }
      return
    }
    SecondMoments.take(state.left, rows: 0..<rows, rank, to: state.gram)
    SecondMoments.take(state.right, rows: 0..<columns, rank, to: state.map)
    var sum = 0.0
    for i in 0..<rank * rank {
      let difference = state.gram[i] - state.map[i]
      sum += difference * difference
    }
    values[3] = sum.squareRoot()
    guard isScalar else { return }
    values[4] = state.left[0] * state.right[0]
    values[5] = Self.flow(f: state.first.f, g: state.first.g, time: state.time)
  }

  /// f g after a time of the flow f' = -f g^2, g' = -g f^2.
  package static func flow(f: Double, g: Double, time: Double) -> Double {
    let (p, c) = (f * g, ((f - g) * (f + g)).magnitude)
    if p == 0 { return 0 }
    // c -> 0: p / (1 + 2 p t). Otherwise z = e^{asinh(c/2p)} = u + sqrt(u^2 + 1) grows as e^{c t}, and 2 sinh = z - 1/z.
    let size = p.magnitude
    if c * max(time, 1 / size) < 1e-7 { return p / (1 + 2 * size * time) }
    let u = c / (2 * size)
    let z = (u + (u * u + 1).squareRoot()) * Elementary.exp(c * time)
    let found = c / (z - 1 / z)
    return p < 0 ? -found : found
  }
}

extension MatrixFactorisation {
  /// Most numbers of a run: 1 GiB.
  private static let mostNumbers = 1 << 27

  /// Columns and positive entries of M, as `low-rank-sensing` has them too.
  static func shape(_ p: Parameters, rows: Int, isSymmetric: Bool) throws -> (columns: Int, target: [Double]) {
    guard !isSymmetric || p["columns"] == nil else {
      throw p.invalid("columns", "is for form = \"asymmetric\": a symmetric matrix has as many as rows")
    }
    let columns = p["columns"] == nil ? rows : p.integer("columns")
    return (columns, try p.positives("target", least: 0, most: min(rows, columns)))
  }

  static let entry = ProblemEntry(
    name: "matrix-factorisation", summary: "a matrix as a product of two, with more columns than it needs or as many",
    equation:
      "symmetric: X' = X - h (X X^T - M) X; asymmetric: F' = F - h (F G^T - M) G, G' = G - h (F G^T - M)^T F; h = learning_rate, entries at the start N(0, alpha^2 / rows), M diagonal",
    reference: "arXiv:2310.01769; docs/training-problems.md",
    samplers: [
      ("reduced", "symmetric: the rows that M sees and the k x k Gram matrix of the others; asymmetric: every entry"),
      ("weights", "every entry"),
    ],
    observables: ["loss", "error", "log_error", "surplus", "imbalance", "product", "flow_product"],
    parameters: [
      Parameter("form", .choice(Form.allCases.map(\.rawValue)), default: .text(Form.symmetric.rawValue), "the factors"),
      Parameter("rows", .integer(1...1_000_000), "n, rows of M"),
      Parameter("columns", .integer(1...1_000_000), optional: true, "m, columns of M; of asymmetric, n unless given"),
      Parameter("rank", .integer(1...256), "k, columns of the factors"),
      Parameter("alpha", .real(.above(0)), default: .real(1), "size of the start"),
      Parameter(
        "target", .structured("an array of at most n positive numbers"), default: .list([]),
        "the diagonal of M, the rest of which is 0"),
      Parameter(
        "start", .structured("an array of two numbers, f and g"), optional: true,
        "fixed start of asymmetric factors of one entry"),
    ]
  ) { p, settings, _ in
    let form = Form(rawValue: p.text("form"))!
    let (rows, rank) = (p.integer("rows"), p.integer("rank"))
    let (columns, target) = try shape(p, rows: rows, isSymmetric: form == .symmetric)
    let isReduced = form == .symmetric && p.text("sampler") == "reduced"
    let size = form == .asymmetric ? max(rows * columns, (rows + columns) * rank) : isReduced ? 0 : rows * rank
    guard size <= mostNumbers else {
      throw p.invalid("rows", "makes \(size) numbers a run; at most \(mostNumbers) are kept")
    }
    var fixed: [Double]?
    if let given = p["start"] {
      guard form == .asymmetric, rows == 1, columns == 1, rank == 1, case .list(let pair) = given, pair.count == 2,
        pair.allSatisfy({ $0.number?.isFinite ?? false })
      else { throw p.invalid("start", "must be an array of two numbers, of asymmetric factors of one entry only") }
      fixed = pair.map { $0.number! }
    }
    let problem = MatrixFactorisation(
      form: form, rows: rows, columns: columns, rank: rank, alpha: p.real("alpha"), target: target,
      isReduced: isReduced, fixed: fixed)
    return TrainingModel(problem, settings, p)
  }
}
