import Experiments
import Kernels
import Networks
import Randomness

/// Regression with random features of a power-law spectrum, and over-training at a fixed ratio of features to examples (arXiv:2102.06701; arXiv:2311.14646): modes of eigenvalues
/// $\lambda_i = i^{-a}$, i <= M, n examples that are rows of normals X, k features $F = \Lambda^{1/2} G/\sqrt k$, a teacher v ~ N(0, Lambda). Gauss-Newton steps on the examples,
/// $w' = w + \eta\, F F^T X^T (X F F^T X^T)^{-1} X (v - w)$, have learned the part $s = 1 - \prod (1 - \eta)$ of them.
///
/// The mean over teachers and over all of F that the examples do not see is exact, and k drops out: with $K = X \Lambda X^T$, $\kappa = \mathrm{tr}\, K^{-1} X \Lambda^2 X^T$ and
/// $\tau = \mathrm{tr} (T T^T)^{-1}$, T Bartlett's factor of a Wishart matrix n x n with k degrees of freedom,
///
/// $$ \mathbb E\, |w - v|^2 = \mathrm{tr} \Lambda - 2 s \kappa + s^2 [\kappa + \tau (\mathrm{tr} \Lambda - \kappa)] . $$
///
/// At s = 1 it is $(\mathrm{tr} \Lambda - \kappa)(1 + \tau)$: as $\mathbb E \tau = n/(k - n - 1)$ the error is exactly (k - 1)/(k - n - 1) times that of infinitely many features, at every n.
package struct RandomFeatures: TrainingProblem {
  let samples, modes: Int
  /// k; nil for infinitely many.
  let features: Int?
  let decay: Double
  let isReduced: Bool

  private var stride: Int { Triangular.padded(modes) }

  package final class State {
    fileprivate let eigenvalues: UnsafeMutablePointer<Double>
    /// X, samples x stride; X Lambda or, of the plain sampler, S^-1 X.
    fileprivate let inputs, images: UnsafeMutablePointer<Double>
    /// K or S and its factor; T. Samples x samples.
    fileprivate let gram, triangle: UnsafeMutablePointer<Double>
    /// Of the plain sampler: F^T, k x stride; F^T X^T, k x samples; F F^T X^T, modes x samples; a map of the modes.
    fileprivate let map, seen, back, product: UnsafeMutablePointer<Double>
    fileprivate var total = 0.0, linear = 0.0, quadratic = 0.0, rest = 1.0

    fileprivate init(_ p: RandomFeatures) {
      let (n, m, k) = (p.samples, p.stride, p.isReduced ? 0 : p.features!)
      eigenvalues = .allocateZeros(m)
      for i in 0..<p.modes { eigenvalues[i] = Elementary.exp(-p.decay * Elementary.log(Double(i + 1))) }
      (inputs, images) = (.allocateZeros(n * m), .allocateZeros(n * m))
      (gram, triangle) = (.allocateZeros(n * n), .allocateZeros(n * n))
      (map, seen) = (.allocateZeros(k * m), .allocateZeros(k * n))
      (back, product) = (.allocateZeros(k == 0 ? 0 : p.modes * n), .allocateZeros(k == 0 ? 0 : p.modes * m))
      for i in 0..<p.modes { total += eigenvalues[i] }
    }

    deinit {
      for place in [eigenvalues, inputs, images, gram, triangle, map, seen, back, product] { place.deallocate() }
    }
  }

  package var observables: [Observable] {
    [
      Observable(
        "loss", role: .objective, "half of the mean square of w - v along an example, over teachers, on its start"),
      Observable("mse", role: .heavyTailed, "|w - v|^2, mean over teachers and unseen features"),
      Observable("log_mse", role: .logarithm, "its logarithm"),
    ]
  }

  package func makeState() -> State { State(self) }

  package func start(_ state: State, _ stream: inout Stream) {
    state.rest = 1
    for a in 0..<samples { for i in 0..<modes { state.inputs[a * stride + i] = stream.normal() } }
    if isReduced { reduce(state, &stream) } else { drawFeatures(state, &stream) }
  }

  /// kappa and tau.
  private func reduce(_ state: State, _ stream: inout Stream) {
    let n = samples
    for a in 0..<n {
      for i in 0..<stride { state.images[a * stride + i] = state.eigenvalues[i] * state.inputs[a * stride + i] }
    }
    for a in 0..<n {
      for b in 0...a {
        state.gram[a * n + b] = Triangular.dot(state.images + a * stride, state.inputs + b * stride, stride)
      }
    }
    Triangular.clippedCholesky(UnsafePointer(state.gram), m: n, into: state.gram)
    divide(state)
    let kappa = Triangular.dot(state.images, state.images, n * stride)
    var tau = 0.0
    if let features {
      Bartlett.write(&stream, n, degrees: Double(features), to: state.triangle)
      tau = squaredNormOfInverse(state)
    }
    (state.linear, state.quadratic) = (kappa, kappa + tau * (state.total - kappa))
  }

  /// L^-1 of the images, in their place.
  private func divide(_ state: State) {
    let (l, n) = (state.gram, samples)
    for a in 0..<n {
      let row = state.images + a * stride
      if a > 0 {
        MatrixProduct.add(
          row, stride, scale: -1, rows: 1, columns: stride, l + a * n, rowStride: n, columnStride: 1, inner: a,
          state.images, stride)
      }
      let pivot = l[a * n + a]
      for i in 0..<stride { row[i] = pivot > 0 ? row[i] / pivot : 0 }
    }
  }

  /// |T^-1|^2, column by column, in the room of K, which is not needed any more.
  private func squaredNormOfInverse(_ state: State) -> Double {
    let (t, column, n) = (state.triangle, state.gram, samples)
    var sum = 0.0
    for j in 0..<n {
      for i in j..<n {
        var rest = i == j ? 1.0 : 0
        for l in j..<i { rest -= t[i * n + l] * column[l] }
        column[i] = rest / t[i * n + i]
        sum += column[i] * column[i]
      }
    }
    return sum
  }

  /// Every feature: the map W of w' = w + eta W (v - w), its trace with Lambda and its square.
  private func drawFeatures(_ state: State, _ stream: inout Stream) {
    let (n, k) = (samples, features!)
    let scale = 1 / Double(k).squareRoot()
    for f in 0..<k {
      for i in 0..<modes { state.map[f * stride + i] = scale * state.eigenvalues[i].squareRoot() * stream.normal() }
      for a in 0..<n {
        state.seen[f * n + a] = Triangular.dot(state.map + f * stride, state.inputs + a * stride, stride)
      }
    }
    MatrixProduct.add(
      state.back, n, fresh: true, rows: modes, columns: n, state.map, rowStride: 1, columnStride: stride, inner: k,
      state.seen, n)
    MatrixProduct.add(
      state.gram, n, fresh: true, rows: n, columns: n, state.seen, rowStride: 1, columnStride: n, inner: k, state.seen,
      n)
    Triangular.clippedCholesky(UnsafePointer(state.gram), m: n, into: state.gram)
    state.images.update(from: state.inputs, count: n * stride)
    divide(state)
    // L^-T, from the last row.
    for a in (0..<n).reversed() {
      let row = state.images + a * stride
      for b in a + 1..<max(n, a + 1) {
        let (l, other) = (state.gram[b * n + a], state.images + b * stride)
        for i in 0..<stride { row[i] -= l * other[i] }
      }
      for i in 0..<stride { row[i] /= state.gram[a * n + a] }
    }
    MatrixProduct.add(
      state.product, stride, fresh: true, rows: modes, columns: stride, state.back, rowStride: n, columnStride: 1,
      inner: n, state.images, stride)
    (state.linear, state.quadratic) = (0, 0)
    for i in 0..<modes {
      let row = state.product + i * stride
      state.linear += state.eigenvalues[i] * row[i]
      for j in 0..<modes { state.quadratic += state.eigenvalues[j] * row[j] * row[j] }
    }
  }

  package func loss(_ state: State, _ stream: inout Stream, step: Int) -> Double { trainingLoss(state) }

  private func trainingLoss(_ state: State) -> Double { 0.5 * state.rest * state.rest }

  package func step(_ state: State, _ stream: inout Stream, rate: Double) { state.rest *= 1 - rate }

  package func measure(_ state: State, into values: UnsafeMutablePointer<Double>) {
    let s = 1 - state.rest
    let mse = state.total - 2 * s * state.linear + s * s * state.quadratic
    (values[0], values[1], values[2]) = (trainingLoss(state), mse, Elementary.log(mse))
  }
}

extension RandomFeatures {
  /// Most numbers of a run: 1 GiB.
  private static let mostNumbers = 1 << 27

  static let entry = ProblemEntry(
    name: "random-features",
    summary: "regression with random features of a power-law spectrum; the mean over teachers is exact",
    equation:
      "lambda_i = i^-a, F = Lambda^1/2 G/sqrt(k), v ~ N(0, Lambda), w' = w + learning_rate F F^T X^T (X F F^T X^T)^-1 X (v - w): mse = |w - v|^2",
    reference: "arXiv:2102.06701; arXiv:2311.14646; docs/training-problems.md",
    samplers: [
      ("reduced", "examples and Bartlett's factor of the features, O(n^2 M) whatever their number"),
      ("weights", "every feature"),
    ],
    observables: ["loss", "mse", "log_mse"],
    parameters: [
      Parameter("samples", .integer(1...8192), small: .init(.inverse, "n", companions: ["draws"]), "n, examples"),
      Parameter(
        "features", .integer(3...1_000_000_000), optional: true,
        "k, at least n + 2: with fewer the mean is infinite, and with fewer than n examples and features change places; infinitely many unless given"
      ),
      Parameter("modes", .integer(1...100_000), default: .integer(400), "M, more than the examples"),
      Parameter("decay", .real(.above(0)), default: .real(2), "a of the eigenvalues i^-a"),
    ]
  ) { p, settings, _ in
    let (samples, modes) = (p.integer("samples"), p.integer("modes"))
    let features = p["features"].map { _ in p.integer("features") }
    guard modes > samples else { throw p.invalid("modes", "must be above samples = \(samples)") }
    if let features, features < samples + 2 {
      throw p.invalid("features", "must be at least \(samples + 2), samples and 2")
    }
    let isReduced = p.text("sampler") == "reduced"
    guard isReduced || features != nil else {
      throw p.invalid("sampler", "needs a number of features to draw every one of them")
    }
    let size = samples * modes + (isReduced ? 0 : (features! + modes) * (modes + samples))
    guard size <= mostNumbers else {
      throw p.invalid("modes", "makes \(size) numbers a run; at most \(mostNumbers) are kept")
    }
    let problem = RandomFeatures(
      samples: samples, modes: modes, features: features, decay: p.real("decay"), isReduced: isReduced)
    return TrainingModel(problem, settings, p)
  }
}
