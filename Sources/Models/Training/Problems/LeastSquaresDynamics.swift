import Experiments
import Kernels
import Randomness

/// A linear student of a linear teacher by full-batch gradient descent (arXiv:1710.03667): $y = w^* \cdot x + \epsilon$, $x \sim N(0, 1_N/N)$, $w^* \sim
/// N(0, s_w^2)$, $\epsilon \sim N(0, s_e^2)$, $w_0 \sim N(0, s_0^2)$, P = a N examples,
///
///     w' = w + h X^T (y - X w)   (a sum over the examples, not a mean).
///
/// Exactly reduced: along the right singular vectors of X the errors $\delta = w - w^*$ are independent, $\delta' = (1 - h l) \delta + h \sqrt l e$ with l the
/// squared singular value and e ~ N(0, s_e^2) the noise along the left one. The l are eigenvalues of a Laguerre ensemble, drawn as those of $B B^T/N$, B
/// bidiagonal with chi variables (Dumitriu and Edelman, arXiv:math-ph/0206043): O(min(N, P)^2) a start, O(N) a step.
package struct LeastSquaresDynamics: TrainingProblem {
  package let dimension, samples: Int
  /// Variances of w*, w_0 and of the noise.
  package let teacher, start, noise: Double
  let isReduced: Bool

  private var modes: Int { min(dimension, samples) }

  package final class State {
    /// delta of every mode, those of l = 0 last; or w - w*.
    package let errors: UnsafeMutablePointer<Double>
    /// e of every mode.
    let noises: UnsafeMutablePointer<Double>
    package let eigenvalues: UnsafeMutablePointer<Double>
    /// Diagonals of the tridiagonal matrix.
    let beside: UnsafeMutablePointer<Double>
    /// Of the plain sampler: X and epsilon - X delta.
    package let inputs, labels, residuals: UnsafeMutablePointer<Double>
    /// Squared norm of the noise that no step reaches.
    var outside = 0.0

    fileprivate init(_ p: LeastSquaresDynamics) {
      errors = .allocateZeros(p.dimension)
      (noises, eigenvalues, beside) = (
        .allocateZeros(p.modes), .allocateZeros(p.modes), .allocateZeros(p.modes)
      )
      inputs = .allocateZeros(p.isReduced ? 0 : p.samples * p.dimension)
      labels = .allocateZeros(p.isReduced ? 0 : p.samples)
      residuals = .allocateZeros(p.isReduced ? 0 : p.samples)
    }

    deinit {
      for place in [errors, noises, eigenvalues, beside, inputs, labels, residuals] { place.deallocate() }
    }
  }

  package var observables: [Observable] {
    [
      Observable("loss", "|y - X w|^2 / (2 P)"),
      Observable("train_error", "E_t = |y - X w|^2 / P"),
      Observable("test_error", "E_g = |w - w*|^2 / N + s_e^2, the mean of (y - w.x)^2 over new examples"),
    ]
  }

  package var stabilityEdge: StabilityEdge? {
    let root = 1 + (Double(samples) / Double(dimension)).squareRoot()
    return StabilityEdge(2 / (root * root), "2/(1 + sqrt(P/N))^2 of large X")
  }

  package func makeState() -> State { State(self) }

  package func start(_ state: State, _ stream: inout Stream) {
    let (n, p) = (dimension, samples)
    let (spread, noise) = ((teacher + start).squareRoot(), noise.squareRoot())
    if isReduced {
      drawEigenvalues(state, &stream)
      for i in 0..<n { state.errors[i] = spread * stream.normal() }
      for i in 0..<modes { state.noises[i] = noise * stream.normal() }
      state.outside = self.noise * stream.chiSquare(p - modes)
    } else {
      let scale = 1 / Double(n).squareRoot()
      for i in 0..<n { state.errors[i] = spread * stream.normal() }
      for i in 0..<p * n { state.inputs[i] = scale * stream.normal() }
      for i in 0..<p { state.labels[i] = noise * stream.normal() }
    }
  }

  /// Squared singular values of a P x N matrix of entries N(0, 1/N).
  private func drawEigenvalues(_ state: State, _ stream: inout Stream) {
    let (m, long) = (modes, max(dimension, samples))
    let scale = 1 / Double(dimension)
    // B has x_i on the diagonal and z_i below; B B^T has x_i^2 + z_{i-1}^2 on its diagonal, x_i z_i beside it.
    var last = 0.0
    for i in 0..<m {
      let x = stream.chiSquare(long - i)
      state.eigenvalues[i] = scale * (x + last)
      last = i < m - 1 ? stream.chiSquare(m - 1 - i) : 0
      state.beside[i] = scale * (x * last).squareRoot()
    }
    Tridiagonal.eigenvalues(diagonal: state.eigenvalues, beside: state.beside, count: m)
    // Rounding.
    for i in 0..<m { state.eigenvalues[i] = max(state.eigenvalues[i], 0) }
  }

  /// |y - X w|^2.
  private func squaredResidual(_ state: State) -> Double {
    var sum = 0.0
    if isReduced {
      for i in 0..<modes {
        let r = state.noises[i] - state.eigenvalues[i].squareRoot() * state.errors[i]
        sum += r * r
      }
      return sum + state.outside
    }
    for a in 0..<samples {
      let x = state.inputs + a * dimension
      var r = state.labels[a]
      for i in 0..<dimension { r -= x[i] * state.errors[i] }
      state.residuals[a] = r
      sum += r * r
    }
    return sum
  }

  package func loss(_ state: State, _ stream: inout Stream, step: Int) -> Double {
    0.5 * squaredResidual(state) / Double(samples)
  }

  package func step(_ state: State, _ stream: inout Stream, rate: Double) {
    if isReduced {
      for i in 0..<modes {
        let l = state.eigenvalues[i]
        state.errors[i] += rate * (l.squareRoot() * state.noises[i] - l * state.errors[i])
      }
      return
    }
    for a in 0..<samples {
      let x = state.inputs + a * dimension
      let s = rate * state.residuals[a]
      for i in 0..<dimension { state.errors[i] += s * x[i] }
    }
  }

  package func measure(_ state: State, into values: UnsafeMutablePointer<Double>) {
    let square = squaredResidual(state)
    var sum = 0.0
    for i in 0..<dimension { sum += state.errors[i] * state.errors[i] }
    (values[0], values[1]) = (0.5 * square / Double(samples), square / Double(samples))
    values[2] = sum / Double(dimension) + noise
  }
}

extension LeastSquaresDynamics {
  /// Most numbers of a run: 1 GiB.
  private static let mostNumbers = 1 << 27

  static let entry = ProblemEntry(
    name: "least-squares",
    summary: "a linear student of a noisy linear teacher, with as many examples as weights or other than that",
    equation:
      "w' = w + learning_rate X^T (y - X w), y = X w* + e, x ~ N(0, 1/N), w* ~ N(0, teacher), e ~ N(0, noise), w_0 ~ N(0, start)",
    reference: "arXiv:1710.03667; docs/training-problems.md",
    samplers: [
      ("reduced", "singular values and independent modes, O(min(N, P)^2) a start and O(N) a step"),
      ("weights", "examples and every weight, O(N P) a step"),
    ],
    observables: ["loss", "train_error", "test_error"],
    parameters: [
      Parameter(
        "dimension", .integer(1...1_000_000), small: .init(.inverse, "N", companions: ["draws"]),
        "N, number of weights"),
      Parameter("ratio", .real(.init(0, 1e6, openBelow: true)), default: .real(1), "a = P/N; P is rounded, at least 1"),
      Parameter(
        "teacher", .real(.init(0, .infinity, openAbove: true)), default: .real(1),
        "s_w^2, variance of the teacher's weights"),
      Parameter(
        "start", .real(.init(0, .infinity, openAbove: true)), default: .real(0),
        "s_0^2, variance of the weights at the start"),
      Parameter(
        "noise", .real(.init(0, .infinity, openAbove: true)), default: .real(0), "s_e^2, variance of the noise"),
    ]
  ) { p, settings, _ in
    let (dimension, ratio) = (p.integer("dimension"), p.real("ratio"))
    let samples = max(1, (ratio * Double(dimension)).rounded())
    let isReduced = p.text("sampler") == "reduced"
    guard samples <= Double(mostNumbers), isReduced || samples * Double(dimension) <= Double(mostNumbers) else {
      throw p.invalid("ratio", "makes \(samples) examples of \(dimension) numbers; at most \(mostNumbers) are kept")
    }
    let problem = LeastSquaresDynamics(
      dimension: dimension, samples: Int(samples), teacher: p.real("teacher"), start: p.real("start"),
      noise: p.real("noise"), isReduced: isReduced)
    return TrainingModel(problem, settings, p)
  }
}
