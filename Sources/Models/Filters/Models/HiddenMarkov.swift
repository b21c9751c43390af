import Experiments
import Kernels
import Randomness

/// A hidden Markov model on finitely many states: law of the first state $\pi$, transitions P, emissions E, observations among the columns of E.
///
/// Exact: forward and backward sums; the variance of $\hat Z$ of the bootstrap filter with multinomial selection at every N; paths from the smoothing law by backward sampling.
package struct HiddenMarkov: StateSpaceModel {
  package let states: Int
  package let observations: Observations
  package let smoother: FiniteSmoother
  package let functionals: [Functional]
  package let exact: SmoothedValues?
  private let initial, transition: [Double]
  private let emission: [[Double]]
  /// Number of the symbol of y_t, one more than the last where y_t is missing.
  private let seen: [Int]
  /// log g of every state, by symbol; 0 where y is missing.
  private let logLikelihood: [Double]
  /// Cumulative sums: of pi, of the rows of P.
  private let startEnds, moveEnds: [Double]
  /// log P_ij less that of the largest in column j.
  private let relative: [Double]
  /// Of the guided proposal, by symbol: cumulative sums of P_ij g(j) over j, for every i, whose last one is the promise; of pi_j g(j).
  private let guidedMoves, guidedStarts: [Double]

  package var dimension: Int { 1 }
  package var length: Int { observations.count }
  package var isGuided: Bool { true }
  package var drawsSmoothed: Bool { true }

  /// - Parameters:
  ///   - initial: pi, of sum 1.
  ///   - transition: P, of rows of sum 1.
  ///   - emission: E, of rows of sum 1.
  ///   - observations: numbers of columns of E; NaN where missing.
  package init(initial: [Double], transition: [[Double]], emission: [[Double]], observations: Observations) {
    let k = initial.count
    states = k
    self.observations = observations
    self.initial = initial
    let p = transition.flatMap { $0 }
    self.transition = p
    self.emission = emission
    let symbols = emission[0].count
    seen = (0..<observations.count).map { observations[$0, 0].isNaN ? symbols : Int(observations[$0, 0]) }
    let logs = (0...symbols).map { y in (0..<k).map { y == symbols ? 0 : Self.logarithm(emission[$0][y]) } }
    logLikelihood = logs.flatMap { $0 }
    smoother = FiniteSmoother(start: initial, transition: p, logLikelihood: seen.map { logs[$0] })
    functionals = (0..<k).flatMap { i in
      (0..<k).map { Functional("transitions", [i, $0], "number of steps from state \(i) to state \($0)") }
    }
    exact =
      smoother.logEvidence > -.infinity
      ? SmoothedValues(
        logEvidence: smoother.logEvidence,
        functionals: smoother.functionals(k * k) { _, i, j, weight, sums in sums[i * k + j] += weight }) : nil
    startEnds = Self.sums(initial)
    moveEnds = transition.flatMap { Self.sums($0) }
    relative = (0..<k * k).map { place in
      let top = (0..<k).map { p[$0 * k + place % k] }.max() ?? 1
      return p[place] > 0 ? Elementary.log(p[place] / top) : -.infinity
    }
    func guided(_ row: [Double], _ log: [Double]) -> [Double] {
      Self.sums((0..<k).map { log[$0] == -.infinity ? 0 : row[$0] * Elementary.exp(log[$0]) })
    }
    guidedMoves = logs.flatMap { log in transition.flatMap { guided($0, log) } }
    guidedStarts = logs.flatMap { guided(initial, $0) }
  }

  /// Cumulative sums.
  private static func sums(_ row: [Double]) -> [Double] {
    var total = 0.0
    return row.map {
      total += $0
      return total
    }
  }

  private static func logarithm(_ p: Double) -> Double { p > 0 ? Elementary.log(p) : -.infinity }

  package func evidenceSecondMoment(particles: Int) -> Double? {
    exact == nil ? nil : smoother.relativeSecondMoment(start: initial, particles: particles)
  }

  /// The first place whose cumulative sum exceeds u of the last one; never one without weight.
  @inline(__always)
  private func place(_ ends: [Double], _ first: Int, _ u: Double, _ count: Int? = nil) -> Double {
    let last = (count ?? states) - 1
    let pointer = u * ends[first + last]
    var j = 0
    while j < last && ends[first + j] <= pointer { j += 1 }
    return Double(j)
  }

  package func start(_ x: Cloud, _ range: Range<Int>, _ stream: inout Stream) {
    for i in range { x.x[i] = place(startEnds, 0, stream.uniform()) }
  }

  package func move(
    _ t: Int, _ from: Cloud, _ ancestors: UnsafePointer<Int32>, _ x: Cloud, _ range: Range<Int>, _ stream: inout Stream
  ) {
    for i in range {
      x.x[i] = place(moveEnds, Int(from.x[Int(ancestors[i])]) * states, stream.uniform())
    }
  }

  package func weigh(_ t: Int, _ x: Cloud, _ range: Range<Int>, _ logWeights: UnsafeMutablePointer<Double>) {
    for i in range { logWeights[i] += logLikelihood[seen[t] * states + Int(x.x[i])] }
  }

  package func emit(_ t: Int, _ x: Cloud, _ i: Int, _ stream: inout Stream) -> [Double] {
    let row = emission[Int(x.x[i])]
    return [place(Self.sums(row), 0, stream.uniform(), row.count)]
  }

  package func logTransition(_ t: Int, _ from: Cloud, _ i: Int, _ to: Cloud, _ j: Int) -> Double {
    relative[Int(from.x[i]) * states + Int(to.x[j])]
  }

  package func addFunctionals(
    _ t: Int, _ from: Cloud, _ i: Int, _ to: Cloud, _ j: Int, _ values: UnsafeMutablePointer<Double>
  ) { values[Int(from.x[i]) * states + Int(to.x[j])] += 1 }

  package func moveGuided(
    _ t: Int, _ from: Cloud, _ ancestors: UnsafePointer<Int32>, _ x: Cloud, _ range: Range<Int>,
    _ logWeights: UnsafeMutablePointer<Double>, _ stream: inout Stream
  ) {
    let ends = t == 0 ? guidedStarts : guidedMoves
    for i in range {
      let row = t == 0 ? seen[t] * states : (seen[t] * states + Int(from.x[Int(ancestors[i])])) * states
      let j = place(ends, row, stream.uniform())
      x.x[i] = j
      // q/p = (sum of q g)/g.
      logWeights[i] += Self.logarithm(ends[row + states - 1]) - logLikelihood[seen[t] * states + Int(j)]
    }
  }

  package func lookAhead(_ t: Int, _ from: Cloud, _ range: Range<Int>, _ logWeights: UnsafeMutablePointer<Double>) {
    for i in range {
      logWeights[i] = Self.logarithm(guidedMoves[(seen[t] * states + Int(from.x[i])) * states + states - 1])
    }
  }

  /// Backward sampling: $P(x_{t-1} = i | x_t = j, y) \propto \alpha_{t-1}(i) P_{ij}$.
  package func drawSmoothed(_ path: Cloud, _ stream: inout Stream) {
    var next: Int?
    for t in (0..<length).reversed() {
      let law = smoother.filtered[t]
      func weight(_ i: Int) -> Double { law[i] * (next.map { transition[i * states + $0] } ?? 1) }
      var mass = 0.0
      for i in 0..<states { mass += weight(i) }
      var pointer = stream.uniform() * mass
      var place = 0
      for i in 0..<states where weight(i) > 0 {
        place = i
        pointer -= weight(i)
        if pointer < 0 { break }
      }
      path.x[t] = Double(place)
      next = place
    }
  }
}

extension HiddenMarkov {
  static let entry = FilterFamily.entry(
    name: "hidden-markov", summary: "a chain on finitely many states, seen through a table",
    equation: "P(x_0 = i) = initial_i, P(x_t = j | x_{t-1} = i) = transition_ij, P(y_t = k | x_t = i) = emission_ik",
    functionals: ["transitions"],
    parameters: [
      Parameter("initial", .structured("an array of 1 to 64 probabilities"), "law of x_0"),
      Parameter("transition", .structured("a matrix as an array of its rows"), "rows of probabilities"),
      Parameter(
        "emission", .structured("a matrix as an array of its rows"), "rows of probabilities, a column a symbol"),
    ]
  ) { p, data in
    let initial = try p.law("initial")
    let transition = try p.laws("transition", rows: initial.count, columns: initial.count)
    let emission = try p.laws("emission", rows: initial.count, columns: nil)
    let symbols = emission[0].count
    guard emission.allSatisfy({ $0.count == symbols }) else {
      throw p.invalid("emission", "must be a matrix: its rows have different lengths")
    }
    let check = ("a symbol, 0 to \(symbols - 1)", { (y: Double) in y >= 0 && y < Double(symbols) && y == y.rounded() })
    return try FilterSettings.problem(p, data, check: check) {
      HiddenMarkov(initial: initial, transition: transition, emission: emission, observations: $0)
    }
  }
}
