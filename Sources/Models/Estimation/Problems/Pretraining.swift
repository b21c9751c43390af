import Experiments
import Kernels
import Networks
import Randomness

/// Learning a representation from unlabelled data, then a regression on it: $x = \sqrt\theta\, u f + \xi$ in $\mathbb R^D$, $y = b f + s \varepsilon$, all of f, xi, epsilon standard normal. $\hat u$ is the top
/// direction of m unlabelled x; n labelled examples fit y by $\hat u \cdot x$, or by all of x.
///
/// Given $c^2 = (\hat u \cdot u)^2$ the risk of the first is $\sigma^2 (1 + z^2/\chi^2_n)$, $\sigma^2 = s^2 + b^2/(1 + \theta c^2)$, of mean $\sigma^2 (n - 1)/(n - 2)$; that of the second is
/// $\sigma_1^2 (1 + \chi^2_D/\chi^2_{n - D + 1})$, $\sigma_1^2 = s^2 + b^2/(1 + \theta)$, of mean $\sigma_1^2 (n - 1)/(n - D - 1)$.
///
/// The law of c^2 takes O(D) numbers: Householder reflections that leave the first coordinate, u, alone make the unlabelled data bidiagonal, with
/// $\sqrt{1 + \theta}\, \chi_m, \chi_{m-1}, \ldots$ on the diagonal and $\chi_{D-1}, \chi_{D-2}, \ldots$ beside it.
package struct Pretraining: DrawnProblem {
  let dimension, unlabelled: Int
  package let samples: Int
  let signal, noise, slope: Double
  let isReduced: Bool

  /// Whether least squares on all coordinates has a risk of finite mean.
  private var hasDirect: Bool { samples >= dimension + 2 }
  private var directVariance: Double { noise * noise + slope * slope / (1 + signal) }
  private var stride: Int { Triangular.padded(dimension) }

  package final class State {
    /// Of the tridiagonal matrix: its diagonal and the squares beside it.
    fileprivate let diagonal, beside: UnsafeMutablePointer<Double>
    /// Of the plain sampler: the data, the matrix of their products and its factor, a direction and its image.
    fileprivate let data, gram, direction, image: UnsafeMutablePointer<Double>

    fileprivate init(_ p: Pretraining) {
      let d = p.dimension
      (diagonal, beside) = (.allocateZeros(d + 1), .allocateZeros(d + 1))
      let plain = p.isReduced ? 0 : 1
      data = .allocateZeros(plain * max(p.unlabelled, p.samples) * p.stride)
      gram = .allocateZeros(plain * d * p.stride)
      (direction, image) = (.allocateZeros(plain * p.stride), .allocateZeros(plain * p.stride))
    }

    deinit { for place in [diagonal, beside, data, gram, direction, image] { place.deallocate() } }
  }

  package var axis: Axis { .samples(samples) }
  package var observables: [Observable] {
    [
      Observable("overlap", "c^2, square of the cosine between u and the direction that was learned without labels"),
      Observable("risk", role: .heavyTailed, "mean square error of the regression on the learned direction"),
      Observable("log_risk", role: .logarithm, "its logarithm"),
    ]
      + (hasDirect
        ? [Observable("direct_risk", role: .heavyTailed, "the same of least squares on all coordinates")] : [])
  }

  package var known: [KnownStatistic] {
    guard hasDirect else { return [] }
    return [
      KnownStatistic(.mean, of: "direct_risk", directVariance * Double(samples - 1) / Double(samples - dimension - 1))
    ]
  }

  package func makeState() -> State { State(self) }

  package func draw(_ state: State, _ stream: inout Stream, into values: UnsafeMutablePointer<Double>) {
    isReduced ? reduce(state, &stream, into: values) : drawData(state, &stream, into: values)
    values[2] = Elementary.log(values[1])
  }

  private func reduce(_ state: State, _ stream: inout Stream, into values: UnsafeMutablePointer<Double>) {
    let overlap = drawOverlap(state, &stream)
    values[0] = overlap
    let z = stream.normal()
    values[1] = (noise * noise + slope * slope / (1 + signal * overlap)) * (1 + z * z / stream.chiSquare(samples))
    if hasDirect {
      let learned = stream.chiSquare(dimension)
      values[3] = directVariance * (1 + learned / stream.chiSquare(samples - dimension + 1))
    }
  }

  private func drawOverlap(_ state: State, _ stream: inout Stream) -> Double {
    let (d, e) = (state.diagonal, state.beside)
    let size = min(dimension, unlabelled + 1)
    // chi^2_{D - j} left of the diagonal entry of row j.
    var left = 0.0
    for j in 0..<size {
      let own = j < unlabelled ? stream.chiSquare(unlabelled - j) * (j == 0 ? 1 + signal : 1) : 0
      d[j] = own + left
      left = j + 1 < dimension && j < unlabelled ? stream.chiSquare(dimension - 1 - j) : 0
      e[j] = own * left
    }
    // Above all eigenvalues every pivot of lambda - T is positive (from the last row on); the first one is 1 over the resolvent's corner, whose residue is c^2.
    var (low, high) = (0.0, 0.0)
    for j in 0..<size {
      let radius = e[j].squareRoot() + (j > 0 ? e[j - 1].squareRoot() : 0)
      low = max(low, d[j])
      high = max(high, d[j] + radius)
    }
    high *= 1 + 0x1p-40
    for _ in 0..<60 {
      let middle = 0.5 * (low + high)
      if middle <= low || middle >= high { break }
      if isAbove(middle, d, e, size) { high = middle } else { low = middle }
    }
    var (pivot, slope) = (high - d[size - 1], 1.0)
    for j in (0..<size - 1).reversed() {
      slope = 1 + e[j] * slope / (pivot * pivot)
      pivot = high - d[j] - e[j] / pivot
    }
    return 1 / slope
  }

  private func isAbove(
    _ lambda: Double, _ d: UnsafePointer<Double>, _ e: UnsafePointer<Double>, _ size: Int
  ) -> Bool {
    var pivot = lambda - d[size - 1]
    for j in (0..<size - 1).reversed() {
      guard pivot > 0 else { return false }
      pivot = lambda - d[j] - e[j] / pivot
    }
    return pivot > 0
  }

  /// Every number of both data sets. u is the first direction.
  private func drawData(_ state: State, _ stream: inout Stream, into values: UnsafeMutablePointer<Double>) {
    let (x, v, image) = (state.data, state.direction, state.image)
    let root = signal.squareRoot()
    /// - Returns: f.
    func example(_ row: UnsafeMutablePointer<Double>) -> Double {
      let f = stream.normal()
      for i in 0..<dimension { row[i] = stream.normal() }
      row[0] += root * f
      return f
    }
    for a in 0..<unlabelled { _ = example(x + a * stride) }
    square(state, unlabelled)
    // Power iteration from u, which is in the dominant direction more than others are.
    v.update(repeating: 0, count: stride)
    v[0] = 1
    for _ in 0..<100_000 {
      var norm = 0.0
      for i in 0..<dimension {
        image[i] = Triangular.dot(state.gram + i * stride, v, stride)
        norm += image[i] * image[i]
      }
      var change = 0.0
      for i in 0..<dimension {
        let next = image[i] / norm.squareRoot()
        change = max(change, (next - v[i]).magnitude)
        v[i] = next
      }
      if change < 1e-13 { break }
    }
    values[0] = v[0] * v[0]
    var (zz, zy) = (0.0, 0.0)
    // X^T y beside, for least squares on all.
    image.update(repeating: 0, count: stride)
    for a in 0..<samples {
      let row = x + a * stride
      let y = slope * example(row) + noise * stream.normal()
      let z = Triangular.dot(row, v, stride)
      zz += z * z
      zy += z * y
      for i in 0..<dimension { image[i] += row[i] * y }
    }
    let w = zy / zz
    values[1] =
      noise * noise + slope * slope - 2 * w * slope * root * v[0] + w * w * (1 + signal * values[0])
    if hasDirect { values[3] = directRisk(state, &stream) }
  }

  /// X^T X of the first rows.
  private func square(_ state: State, _ rows: Int) {
    MatrixProduct.add(
      state.gram, stride, fresh: true, rows: dimension, columns: dimension, state.data, rowStride: 1,
      columnStride: stride, inner: rows, state.data, stride)
  }

  private func directRisk(_ state: State, _ stream: inout Stream) -> Double {
    square(state, samples)
    let (l, w, d) = (state.gram, state.image, dimension)
    // Cholesky and both triangular solves, in place.
    for i in 0..<d {
      for j in 0...i {
        var rest = l[i * stride + j]
        for k in 0..<j { rest -= l[i * stride + k] * l[j * stride + k] }
        l[i * stride + j] = i == j ? rest.squareRoot() : rest / l[j * stride + j]
      }
      for k in 0..<i { w[i] -= l[i * stride + k] * w[k] }
      w[i] /= l[i * stride + i]
    }
    for i in (0..<d).reversed() {
      for k in i + 1..<max(d, i + 1) { w[i] -= l[k * stride + i] * w[k] }
      w[i] /= l[i * stride + i]
    }
    return noise * noise + slope * slope - 2 * w[0] * slope * signal.squareRoot() + signal * w[0] * w[0]
      + Triangular.dot(w, w, stride)
  }
}

extension Pretraining {
  /// Mean risk of the regression on a direction of this overlap: the n labelled examples cost (n - 1)/(n - 2).
  package func meanRisk(overlap: Double) -> Double {
    (noise * noise + slope * slope / (1 + signal * overlap)) * Double(samples - 1) / Double(samples - 2)
  }

  /// $c^2 = (1 - g/\theta^2)/(1 + g/\theta)$ for $\theta^2 > g = D/m$, else 0.
  package var limitOverlap: Double {
    let g = Double(dimension) / Double(unlabelled)
    return signal * signal > g ? (1 - g / (signal * signal)) / (1 + g / signal) : 0
  }

  /// Most numbers of a draw: 1 GiB.
  private static let mostNumbers = 1 << 27

  static let entry = EstimationFamily.entry(
    name: "pretraining",
    summary: "a direction learned from unlabelled data, then a regression on it, against one on all coordinates",
    equation:
      "x = sqrt(signal) u f + xi, y = slope f + noise e; u^: top direction of the unlabelled x; fits of y by u^.x, and by x",
    reference: "docs/estimation.md",
    samplers: [
      ("reduced", "bidiagonal factors of the data, O(D)"), ("data", "every number of the data, O(m D^2)"),
    ],
    observables: ["overlap", "risk", "log_risk", "direct_risk"],
    parameters: [
      Parameter(
        "dimension", .integer(2...100_000), small: .init(.inverse, "D", companions: ["draws"], ratios: ["unlabelled"]),
        "D, of x"),
      Parameter("unlabelled", .integer(1...100_000_000), "m, examples without labels"),
      Parameter("samples", .integer(3...100_000_000), "n, examples with labels"),
      Parameter("signal", .real(.init(0, 1e6)), default: .real(2), "theta, variance of x along u above 1"),
      Parameter("noise", .real(.init(0, 1e6)), default: .real(0.5), "s, standard deviation of y given f"),
      Parameter("slope", .real(.finite), default: .real(1), "b, of y in f"),
    ]
  ) { p, _ in
    let problem = Pretraining(
      dimension: p.integer("dimension"), unlabelled: p.integer("unlabelled"), samples: p.integer("samples"),
      signal: p.real("signal"), noise: p.real("noise"), slope: p.real("slope"),
      isReduced: p.text("sampler") == "reduced")
    let size = (max(problem.unlabelled, problem.samples) + problem.dimension) * problem.dimension
    guard problem.isReduced || size <= mostNumbers else {
      throw p.invalid("sampler", "makes \(size) numbers a draw; at most \(mostNumbers) are kept")
    }
    return DrawnProblemModel(problem, p)
  }
}
