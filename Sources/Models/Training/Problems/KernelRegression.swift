import Experiments
import Kernels
import Randomness

/// Kernel regression on a sphere and its resolution-limited exponents (arXiv:2102.06701): P examples x uniform on $S^d$, seen as $z = (x, 1)/\sqrt 2$; a student whose kernel K is the tangent kernel or the
/// covariance of infinitely wide ReLU networks of L hidden layers, K(z, z) = 1; a teacher y ~ GP(0, C), C either of both. Gauss-Newton steps on the examples, $f' = f - \eta\, k_X K_{XX}^{-1} (f_X - y)$, have
/// explained the part $s = 1 - \prod (1 - \eta)$ of them; the mean over teachers is a trace,
///
/// $$ \mathbb E (f - y)^2 = 1 - 2 s\, a \cdot c + s^2\, a^T C_{XX}\, a, \qquad a = K_{XX}^{-1} k, $$
///
/// so that no teacher is drawn: a run has examples and points of the test of its own. One step with rate 1 interpolates; then the error goes as $P^{-3/d}$ for teachers of the covariance, $P^{-1/d}$ for those of the
/// tangent kernel.
package struct KernelRegression: TrainingProblem {
  enum Kernel: String, CaseIterable, Sendable { case ntk, nngp }

  let sphere, train, test, depth: Int
  let student, teacher: Kernel

  private var stride: Int { Triangular.padded(train) }
  private var testStride: Int { Triangular.padded(test) }

  package final class State {
    /// x, a row a point: the examples, then those of the test.
    fileprivate let points: UnsafeMutablePointer<Double>
    /// L with K = L L^T, zeros beyond its rows; C, train x stride.
    fileprivate let factor, covariance: UnsafeMutablePointer<Double>
    /// k, then a; c; room for C a: train x testStride.
    fileprivate let weights, targets, images: UnsafeMutablePointer<Double>
    /// Means over the test of a.c and a.C a; the part of the targets that is left, 1 - s.
    fileprivate var linear = 0.0, quadratic = 0.0, rest = 1.0

    fileprivate init(_ problem: KernelRegression) {
      points = .allocateZeros((problem.train + problem.test) * (problem.sphere + 1))
      (factor, covariance) = (
        .allocateZeros(problem.train * problem.stride), .allocateZeros(problem.train * problem.stride)
      )
      let room = problem.train * problem.testStride
      (weights, targets, images) = (.allocateZeros(room), .allocateZeros(room), .allocateZeros(room))
    }

    deinit { for place in [points, factor, covariance, weights, targets, images] { place.deallocate() } }
  }

  package var observables: [Observable] {
    [
      Observable("loss", role: .objective, "half of the mean square of f - y on the examples, over teachers"),
      Observable("mse", "mean square of f - y on the test, over teachers; 1 before the first step"),
      Observable("log_mse", role: .logarithm, "its logarithm"),
    ]
  }

  package func makeState() -> State { State(self) }

  package func start(_ state: State, _ stream: inout Stream) {
    state.rest = 1
    let coordinates = sphere + 1
    for a in 0..<train + test {
      let x = state.points + a * coordinates
      var square = 0.0
      for i in 0..<coordinates {
        x[i] = stream.normal()
        square += x[i] * x[i]
      }
      let length = square.squareRoot()
      for i in 0..<coordinates { x[i] /= length }
    }
    for a in 0..<train {
      let row = a * stride
      for b in 0...a {
        let both = a == b ? (ntk: 1, nngp: 1) : kernels(state, a, b)
        state.factor[row + b] = student == .ntk ? both.ntk : both.nngp
        let c = teacher == .ntk ? both.ntk : both.nngp
        (state.covariance[row + b], state.covariance[b * stride + a]) = (c, c)
      }
      for b in a + 1..<max(stride, a + 1) { state.factor[row + b] = 0 }
      for b in 0..<test {
        let both = kernels(state, a, train + b)
        state.weights[a * testStride + b] = student == .ntk ? both.ntk : both.nngp
        state.targets[a * testStride + b] = teacher == .ntk ? both.ntk : both.nngp
      }
    }
    factorise(state.factor)
    solve(state)
    let count = train * testStride
    state.linear = Triangular.dot(state.weights, state.targets, count) / Double(test)
    MatrixProduct.add(
      state.images, testStride, fresh: true, rows: train, columns: testStride, state.covariance, rowStride: stride,
      columnStride: 1, inner: train, state.weights, testStride)
    state.quadratic = Triangular.dot(state.weights, state.images, count) / Double(test)
  }

  /// Tangent kernel over its value at coinciding points, and covariance: $\kappa_1(\rho) = \rho + (\sin t - t \cos t)/\pi$, $\kappa_0 = 1 - t/\pi$, $\rho = \cos t$, layer by layer.
  private func kernels(_ state: State, _ a: Int, _ b: Int) -> (ntk: Double, nngp: Double) {
    let (x, y) = (state.points + a * (sphere + 1), state.points + b * (sphere + 1))
    var product = 0.0
    for i in 0...sphere { product += x[i] * y[i] }
    var rho = 0.5 * (1 + product)
    var tangent = rho
    for _ in 0..<depth {
      rho = min(max(rho, -1), 1)
      let sine = ((1 - rho) * (1 + rho)).squareRoot()
      let slope = 1 - Elementary.angle(x: rho, y: sine) * 0x1.45f306dc9c883p-2
      rho += Elementary.arcCosineDefect(rho: rho, sine: sine)
      tangent = rho + slope * tangent
    }
    return (tangent / Double(depth + 1), rho)
  }

  /// The factor of a positive definite matrix in its lower triangle, row by row, zeros beyond. A row that depends on those before to rounding becomes 0.
  private func factorise(_ l: UnsafeMutablePointer<Double>) {
    for i in 0..<train {
      let row = l + i * stride
      // Entries from j on must not count: they are moved in one by one.
      withAlignedRoom(stride) { entries in
        entries.update(from: row, count: i + 1)
        row.update(repeating: 0, count: i + 1)
        for j in 0..<i {
          let other = l + j * stride
          let rest = entries[j] - Triangular.dot(row, other, Triangular.padded(j))
          row[j] = other[j] > 0 ? rest / other[j] : 0
        }
        let pivot = entries[i] - Triangular.dot(row, row, Triangular.padded(i))
        row[i] = pivot > 4 * Double(train) * 0x1p-52 ? pivot.squareRoot() : 0
      }
    }
  }

  /// a = K^-1 k for all points of the test, in their place.
  private func solve(_ state: State) {
    let (l, a) = (state.factor, state.weights)
    func divide(_ i: Int) {
      let pivot = l[i * stride + i]
      for b in 0..<testStride { a[i * testStride + b] = pivot > 0 ? a[i * testStride + b] / pivot : 0 }
    }
    for i in 0..<train {
      if i > 0 {
        MatrixProduct.add(
          a + i * testStride, testStride, scale: -1, rows: 1, columns: testStride, l + i * stride, rowStride: stride,
          columnStride: 1, inner: i, a, testStride)
      }
      divide(i)
    }
    for i in (0..<train).reversed() {
      if i + 1 < train {
        MatrixProduct.add(
          a + i * testStride, testStride, scale: -1, rows: 1, columns: testStride, l + (i + 1) * stride + i,
          rowStride: 1, columnStride: stride, inner: train - 1 - i, a + (i + 1) * testStride, testStride)
      }
      divide(i)
    }
  }

  package func loss(_ state: State, _ stream: inout Stream, step: Int) -> Double { trainingLoss(state) }

  private func trainingLoss(_ state: State) -> Double { 0.5 * state.rest * state.rest }

  package func step(_ state: State, _ stream: inout Stream, rate: Double) { state.rest *= 1 - rate }

  package func measure(_ state: State, into values: UnsafeMutablePointer<Double>) {
    let s = 1 - state.rest
    let mse = 1 - 2 * s * state.linear + s * s * state.quadratic
    (values[0], values[1], values[2]) = (trainingLoss(state), mse, Elementary.log(mse))
  }

  static let entry = ProblemEntry(
    name: "kernel-regression",
    summary:
      "a kernel of infinitely wide networks learns a Gaussian process on a sphere; the mean over teachers is exact",
    equation:
      "f' = f - learning_rate k_X K_XX^-1 (f_X - y), y ~ GP(0, C), x uniform on S^d, z = (x, 1)/sqrt(2): mse = 1 - 2 s a.c + s^2 a.C a, a = K_XX^-1 k",
    reference: "arXiv:2102.06701; docs/training-problems.md", observables: ["loss", "mse", "log_mse"],
    parameters: [
      Parameter(
        "samples", .integer(1...8192), small: .init(.inverse, "P", companions: ["draws"]),
        "P, examples of training"),
      Parameter("test", .integer(1...10_000), default: .integer(100), "points of the test, of each run"),
      Parameter("sphere", .integer(1...10_000), "d, dimension of the sphere"),
      Parameter("depth", .integer(1...1000), default: .integer(1), "L, hidden layers of the networks"),
      Parameter(
        "student", .choice(Kernel.allCases.map(\.rawValue)), default: .text(Kernel.ntk.rawValue),
        "kernel of the regression: ntk, the tangent kernel; nngp, the covariance of the outputs"),
      Parameter(
        "teacher", .choice(Kernel.allCases.map(\.rawValue)), default: .text(Kernel.nngp.rawValue),
        "covariance of the targets"),
    ]
  ) { p, settings, _ in
    let problem = KernelRegression(
      sphere: p.integer("sphere"), train: p.integer("samples"), test: p.integer("test"), depth: p.integer("depth"),
      student: Kernel(rawValue: p.text("student"))!, teacher: Kernel(rawValue: p.text("teacher"))!)
    return TrainingModel(problem, settings, p)
  }
}
