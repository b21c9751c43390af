import Experiments
import Formulas
import Kernels
import Randomness

/// A model on the line by formulas: $x_0 \sim N(m_0, s_0^2)$, $x_t = m(x_{t-1}, t) + s(x_{t-1}, t)\,\xi_t$, and $y_t = e(x_t, t) + r(x_t, t)\,\zeta_t$ or a log density of y given x.
///
/// Exact: by quadrature over a range, if one is given. A particle carries mean and deviation of its next state beside it, so that a formula is worked out once a particle and not once a pair.
package struct OwnModel: StateSpaceModel {
  /// What y is given x.
  package enum Emission: Sendable {
    /// e and r in x and t.
    case normal(FormulaProgram)
    /// log g in x, y and t, up to a constant that it leaves out of Z.
    case logDensity(FormulaProgram)
  }

  package let observations: Observations
  package let exact: SmoothedValues?
  private let startMean, startSpread: Double
  /// m and s in x and t.
  private let transition: FormulaProgram
  /// s, if it is one number.
  private let noise: Double?
  private let emission: Emission

  package var dimension: Int { 3 }
  package var length: Int { observations.count }
  package var isBounded: Bool { noise != nil }
  package let functionals = LinearGaussian.products

  private static let points = 1001
  /// Particles whose formulas are worked out together.
  private static var block: Int { 256 }

  /// - Parameters:
  ///   - transition: m and s in (x, t).
  ///   - noise: s, where it is constant.
  ///   - range: where quadrature has its points; nil for none.
  package init(
    start: (mean: Double, spread: Double), transition: FormulaProgram, noise: Double?, emission: Emission,
    range: ClosedRange<Double>?, observations: Observations
  ) {
    (startMean, startSpread, self.transition, self.noise) = (start.mean, start.spread, transition, noise)
    (self.emission, self.observations) = (emission, observations)
    guard let range else {
      exact = nil
      return
    }
    let grid = LineGrid(from: range.lowerBound, to: range.upperBound, count: Self.points)
    let x = grid.points
    // The chain of quadrature has one transition matrix: that of t = 1.
    let next = transition([x, Array(repeating: 1, count: x.count)])
    let logLikelihood = (0..<observations.count).map { t in
      Self.logDensities(emission, x, Double(t), observations[t, 0])
    }
    let smoother = grid.smoother(
      observations, start: start, laws: { (next[0][$0], next[1][$0]) }, logDensity: { i, t in logLikelihood[t][i] })
    exact = SmoothedValues(logEvidence: smoother.logEvidence, functionals: grid.products(smoother))
  }

  private static func logDensities(_ emission: Emission, _ x: [Double], _ t: Double, _ y: Double) -> [Double] {
    if y.isNaN { return Array(repeating: 0, count: x.count) }
    let times = Array(repeating: t, count: x.count)
    switch emission {
    case .normal(let program):
      let values = program([x, times])
      return x.indices.map { normal(y, values[0][$0], values[1][$0]) }
    case .logDensity(let program): return program([x, Array(repeating: y, count: x.count), times])[0]
    }
  }

  /// log N(y; mean, spread^2).
  @inline(__always)
  private static func normal(_ y: Double, _ mean: Double, _ spread: Double) -> Double {
    let z = (y - mean) / spread
    return -0.5 * z * z - 0.5 * Elementary.log(2 * Double.pi * spread * spread)
  }

  /// Writes mean and deviation of what follows x_t.
  private func prepare(_ t: Int, _ x: Cloud, _ range: Range<Int>) {
    blocks(range) { first, count, room in
      for k in 0..<count { (room[k], room[Self.block + k]) = (x.x[first + k], Double(t + 1)) }
      transition.evaluate(rows: room, stride: Self.block, to: x.x + x.stride + first, stride: x.stride, count: count)
    }
  }

  @inline(__always)
  private func blocks(
    _ range: Range<Int>, _ body: (_ first: Int, _ count: Int, _ room: UnsafeMutablePointer<Double>) -> Void
  ) {
    withAlignedRoom(5 * Self.block) { room in
      var first = range.lowerBound
      while first < range.upperBound {
        let count = min(Self.block, range.upperBound - first)
        body(first, count, room)
        first += count
      }
    }
  }

  package func start(_ x: Cloud, _ range: Range<Int>, _ stream: inout Stream) {
    for i in range { x.x[i] = startMean + startSpread * stream.normal() }
    prepare(0, x, range)
  }

  package func move(
    _ t: Int, _ from: Cloud, _ ancestors: UnsafePointer<Int32>, _ x: Cloud, _ range: Range<Int>, _ stream: inout Stream
  ) {
    let (mean, spread) = (from.x + from.stride, from.x + 2 * from.stride)
    for i in range {
      let a = Int(ancestors[i])
      x.x[i] = mean[a] + spread[a] * stream.normal()
    }
    prepare(t, x, range)
  }

  package func weigh(_ t: Int, _ x: Cloud, _ range: Range<Int>, _ logWeights: UnsafeMutablePointer<Double>) {
    let y = observations[t, 0]
    if y.isNaN { return }
    let b = Self.block
    blocks(range) { first, count, room in
      let out = room + 3 * b
      for k in 0..<count { room[k] = x.x[first + k] }
      switch emission {
      case .normal(let program):
        for k in 0..<count { room[b + k] = Double(t) }
        program.evaluate(rows: room, stride: b, to: out, stride: b, count: count)
        for k in 0..<count { logWeights[first + k] += Self.normal(y, out[k], out[b + k]) }
      case .logDensity(let program):
        for k in 0..<count { (room[b + k], room[2 * b + k]) = (y, Double(t)) }
        program.evaluate(rows: room, stride: b, to: out, stride: b, count: count)
        for k in 0..<count { logWeights[first + k] += out[k] }
      }
    }
  }

  package func emit(_ t: Int, _ x: Cloud, _ i: Int, _ stream: inout Stream) -> [Double] {
    guard case .normal(let program) = emission else { preconditionFailure("a density is not simulated") }
    let values = program([x.x[i], Double(t)])
    return [values[0] + values[1] * stream.normal()]
  }

  package func logTransition(_ t: Int, _ from: Cloud, _ i: Int, _ to: Cloud, _ j: Int) -> Double {
    let spread = from.x[2 &* from.stride &+ i]
    let z = (to.x[j] - from.x[from.stride &+ i]) / spread
    return noise == nil ? -0.5 * z * z - Elementary.log(spread) : -0.5 * z * z
  }

  package func addFunctionals(
    _ t: Int, _ from: Cloud, _ i: Int, _ to: Cloud, _ j: Int, _ values: UnsafeMutablePointer<Double>
  ) {
    values[0] += from.x[i] * to.x[j]
    values[1] += from.x[i] * from.x[i]
  }
}

extension OwnModel {
  private static let words = "a table { formula = …, and its parameters }"

  static let entry = FilterFamily.entry(
    name: "own-model", summary: "a model on the line by formulas",
    equation:
      "x_0 ~ N(start_mean, start_spread^2), x_t = transition(x, t) + noise(x, t) xi, y_t = emission(x, t) + error(x, t) zeta, or log_density(x, y, t)",
    functionals: ["product", "square"],
    parameters: [
      Parameter("start_mean", .real(.finite), default: .real(0), "of x_0"),
      Parameter("start_spread", .real(.above(0)), default: .real(1), "standard deviation of x_0"),
      Parameter("transition", .structured(words), "mean of x_t, in x = x_{t-1} and t"),
      Parameter("noise", .structured(words), "standard deviation of x_t, in x = x_{t-1} and t"),
      Parameter("emission", .structured(words), optional: true, "mean of y_t, in x = x_t and t"),
      Parameter("error", .structured(words), optional: true, "standard deviation of y_t, in x = x_t and t"),
      Parameter(
        "log_density", .structured(words), optional: true,
        "log density of y_t in x = x_t, y and t, in place of emission and error"),
      Parameter(
        "range", .structured("an array of two numbers"), optional: true,
        "where quadrature has its 1001 points, if what is exact is wanted; formulas of the transition without t only"),
    ]
  ) { p, data in
    func formula(_ key: String, _ variables: [String]) throws -> Formula {
      guard case .table(let table)? = p[key], let text = table["formula"] else {
        throw p.invalid(key, "must be \(words)")
      }
      let path = "\(p.path).\(key)"
      return try FormulaKeys.read(
        text, key: "\(path).formula", variables: variables,
        parameters: try FormulaKeys.parameters(table, except: ["formula"], path: path), table: path)
    }
    let (mean, spread) = (try formula("transition", ["x", "t"]), try formula("noise", ["x", "t"]))
    if let constant = spread.constant, constant <= 0 { throw p.invalid("noise", "must be positive") }
    let emission: Emission
    if p["log_density"] != nil {
      guard p["emission"] == nil && p["error"] == nil else {
        throw p.invalid("log_density", "is given beside emission or error, which it replaces")
      }
      guard p["data_seed"] == nil else {
        throw p.invalid("data_seed", "simulates by emission and error; a log_density cannot be simulated")
      }
      emission = .logDensity(FormulaProgram(try formula("log_density", ["x", "y", "t"])))
    } else {
      emission = .normal(FormulaProgram([try formula("emission", ["x", "t"]), try formula("error", ["x", "t"])]))
    }
    var range: ClosedRange<Double>?
    if let given = p["range"] {
      guard case .list(let items) = given, case let ends = items.compactMap(\.number), ends.count == 2,
        items.count == 2, ends.allSatisfy(\.isFinite), ends[0] < ends[1]
      else { throw p.invalid("range", "must be an array of two numbers, the lower one first") }
      guard !(mean.dependencies + spread.dependencies).contains("t") else {
        throw p.invalid("range", "is for transitions without t only")
      }
      range = ends[0]...ends[1]
    }
    return try FilterSettings.problem(p, data) {
      OwnModel(
        start: (p.real("start_mean"), p.real("start_spread")), transition: FormulaProgram([mean, spread]),
        noise: spread.constant, emission: emission, range: range, observations: $0)
    }
  }
}
