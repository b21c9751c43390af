import Experiments
import Formulas
import Kernels
import Randomness

/// Random designs for weighted least squares on m orthonormal functions (arXiv:2312.14057), $K(x, x) = \sum_j \phi_j(x)^2$, weights $m/K(x, x)$, n points:
/// `iid`, of density K/m; `volume`, a projection determinantal process of m points and n - m of density K/m; `repeated`, n/m such processes.
///
/// With c the coefficients of f and $\hat c$ those that are fitted, the square error is $\int f^2 - |c|^2 + |\hat c - c|^2$. Volume sampling is unbiased, and at n = m its error is m + 1 times the best in the mean. Of
/// one process $\mathbb E \sum g(x_i) = \int g K$ and $\mathrm{Var} \sum g(x_i) = \int g^2 K - \iint g(x) g(y) K(x, y)^2$.
package struct DeterminantalDesign: DrawnProblem {
  enum Design: String, CaseIterable, Sendable { case iid, volume, repeated }

  package let samples: Int
  let basis: OrthonormalBasis
  let design: Design
  let function: FormulaProgram
  let isChain: Bool
  /// c, and the square error of the best fit.
  private let coefficients: [Double]
  package let best: Double

  init(samples: Int, basis: OrthonormalBasis, design: Design, function: FormulaProgram, isChain: Bool) {
    (self.samples, self.basis, self.design, self.function, self.isChain) = (samples, basis, design, function, isChain)
    var c = Array(repeating: 0.0, count: basis.count)
    var square = 0.0
    withAlignedRoom(basis.count) { phi in
      basis.forEachNode { x, weight in
        basis.evaluate(x, into: phi)
        let f = function(x)
        square += weight * f * f
        for j in c.indices { c[j] += weight * f * phi[j] }
      }
      // What the fit leaves, without cancellation.
      square = 0
      basis.forEachNode { x, weight in
        basis.evaluate(x, into: phi)
        var rest = function(x)
        for j in c.indices { rest -= c[j] * phi[j] }
        square += weight * rest * rest
      }
    }
    (coefficients, best) = (c, square)
  }

  package final class State {
    fileprivate let points, functions, factor, gram, room: UnsafeMutablePointer<Double>

    fileprivate init(points n: Int, functions m: Int) {
      (points, functions) = (.allocateZeros(n + m), .allocateZeros(m + 1))
      (factor, gram) = (.allocateZeros((m + 1) * (m + 1)), .allocateZeros(m * m))
      room = .allocateZeros(max(m * (m + 1), 4 * m + 4))
    }

    deinit { for place in [points, functions, factor, gram, room] { place.deallocate() } }
  }

  package var axis: Axis { .samples(samples) }
  package let observables = [
    Observable("error_ratio", role: .heavyTailed, "square error over that of the best fit"),
    Observable("log_error_ratio", role: .logarithm, "its logarithm"),
    Observable(
      "unstable", role: .event, "1 where the smallest eigenvalue of B^T B/n, B the weighted rows, is below 1/2"),
    Observable("sum_of_squares", "sum of x^2 over the points"),
  ]

  package var known: [KnownStatistic] {
    let (n, m) = (Double(samples), Double(basis.count))
    var (diagonal, second) = (0.0, 0.0)
    // The entries of x^2 between the functions.
    var matrix = Array(repeating: 0.0, count: basis.count * basis.count)
    withAlignedRoom(basis.count) { phi in
      basis.forEachNode { x, weight in
        let density = weight * basis.evaluate(x, into: phi)
        diagonal += density * x * x
        second += density * x * x * x * x
        for i in 0..<basis.count {
          for j in 0..<basis.count { matrix[i * basis.count + j] += weight * x * x * phi[i] * phi[j] }
        }
      }
    }
    let process = second - matrix.reduce(0) { $0 + $1 * $1 }
    let one = second / m - diagonal * diagonal / (m * m)
    let variance =
      switch design {
      case .iid: n * one
      case .volume: process + (n - m) * one
      case .repeated: n / m * process
      }
    return [
      KnownStatistic(.mean, of: "sum_of_squares", n / m * diagonal),
      KnownStatistic(.variance, of: "sum_of_squares", variance),
    ] + (design != .iid && samples == basis.count ? [KnownStatistic(.mean, of: "error_ratio", m + 1)] : [])
  }

  package func makeState() -> State { State(points: samples, functions: basis.count) }

  package func draw(_ state: State, _ stream: inout Stream, into values: UnsafeMutablePointer<Double>) {
    let (x, m) = (state.points, basis.count)
    var made = 0
    func addProcess() {
      if isChain {
        basis.drawProjectionByChain(&stream, into: x + made, room: state.room)
      } else {
        basis.drawProjection(&stream, into: x + made, room: state.room)
      }
      made += m
    }
    switch design {
    case .iid: break
    case .volume: addProcess()
    case .repeated: while made < samples { addProcess() }
    }
    while made < samples {
      x[made] = basis.drawOne(&stream, room: state.room)
      made += 1
    }
    fit(state, into: values)
  }

  /// Least squares by the QR factor of the weighted rows with f beside them.
  private func fit(_ state: State, into values: UnsafeMutablePointer<Double>) {
    let (r, row, m) = (state.factor, state.functions, basis.count)
    let q = m + 1
    for i in 0..<q * q { r[i] = 0 }
    var squares = 0.0
    for a in 0..<samples {
      let x = state.points[a]
      squares += x * x
      let root = (Double(m) / basis.evaluate(x, into: row)).squareRoot()
      for j in 0..<m { row[j] *= root }
      // The part of f that the functions do not explain: what is fitted to it is the error of the coefficients.
      var rest = root * function(x)
      for j in 0..<m { rest -= coefficients[j] * row[j] }
      row[m] = rest
      Triangular.addRow(row, from: 0, to: r, m: q)
    }
    for i in 0..<m { for j in 0..<m { state.gram[i * m + j] = j >= i ? r[i * q + j] : 0 } }
    SingularValues.squares(state.gram, m: m, into: row)
    let least = row[m - 1] / Double(samples)
    var error = 0.0
    for i in (0..<m).reversed() {
      var c = r[i * q + m]
      for j in i + 1..<max(m, i + 1) { c -= r[i * q + j] * row[j] }
      row[i] = c / r[i * q + i]
      error += row[i] * row[i]
    }
    let ratio = 1 + error / best
    (values[0], values[1], values[2], values[3]) = (ratio, Elementary.log(ratio), least < 0.5 ? 1 : 0, squares)
  }

  static let entry = EstimationFamily.entry(
    name: "determinantal-design",
    summary: "least squares at random points: independent, of a determinantal process, of several",
    equation:
      "min sum (m/K(x_i, x_i)) (f(x_i) - sum_j c_j phi_j(x_i))^2, K = sum phi_j phi_j; error_ratio = |f - fit|^2/|f - best|^2",
    reference: "arXiv:2312.14057; docs/estimation.md",
    samplers: [
      ("tridiagonal", "points of a process as eigenvalues of a random tridiagonal matrix, O(m^2)"),
      ("chain", "one point of a process after the other, by rejection, O(m^3 log m)"),
    ],
    observables: ["error_ratio", "log_error_ratio", "unstable", "sum_of_squares"],
    parameters: [
      Parameter(
        "basis", .choice(OrthonormalBasis.Weight.allCases.map(\.rawValue)), default: .text("legendre"),
        "polynomials orthonormal on [-1, 1] uniformly, or under N(0, 1)"),
      Parameter("functions", .integer(1...64), "m"),
      Parameter(
        "samples", .integer(1...100_000), small: .init(.inverse, "n", companions: ["draws"]),
        "n, points; at least m, of a repeated design a multiple of m"),
      Parameter("design", .choice(Design.allCases.map(\.rawValue)), default: .text("volume"), "law of the points"),
      Parameter(
        "function", .text, default: .text("1/(1 + 25*x^2)"), "f, a formula in x, which m functions do not span"),
    ]
  ) { p, _ in
    let (m, n) = (p.integer("functions"), p.integer("samples"))
    let design = Design(rawValue: p.text("design"))!
    guard n >= m else { throw p.invalid("samples", "must be at least functions = \(m)") }
    guard design != .repeated || n % m == 0 else {
      throw p.invalid("samples", "must be a multiple of functions = \(m) where the design is repeated")
    }
    let formula = try FormulaKeys.read(
      p["function"]!, key: "\(p.path).function", variables: ["x"], table: p.path)
    let problem = DeterminantalDesign(
      samples: n, basis: OrthonormalBasis(.init(rawValue: p.text("basis"))!, m), design: design,
      function: FormulaProgram(formula), isChain: p.text("sampler") == "chain")
    guard problem.best.isFinite, problem.best > 1e-20 else {
      throw p.invalid("function", "must be square integrable, and no polynomial of degree below functions = \(m)")
    }
    return DrawnProblemModel(problem, p)
  }
}
