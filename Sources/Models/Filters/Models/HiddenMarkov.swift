import Experiments
import Kernels
import Randomness

/// A hidden Markov model on finitely many states: law of the first state $\pi$, transitions P, emissions E, observations among the columns of E.
///
/// Exact: forward and backward sums; the variance of $\hat Z$ of the bootstrap filter with multinomial selection at every N; paths from the smoothing law by backward sampling.
package struct HiddenMarkov: LearnableModel {
  package let states: Int
  package let observations: Observations
  /// Of the tables that the model was made with; nil once others were learned.
  package private(set) var smoother: FiniteSmoother?
  package let functionals: [Functional]
  package private(set) var exact: SmoothedValues?
  private let symbols: Int
  /// Tables row by row.
  private var initial, transition, emission: [Double]
  /// Number of the symbol of y_t, one more than the last where y_t is missing.
  private let seen: [Int]
  /// log g of every state, by symbol; 0 where y is missing.
  private var logLikelihood: [Double] = []
  /// Cumulative sums: of pi, of the rows of P.
  private var startEnds: [Double] = []
  private var moveEnds: [Double] = []
  /// log P_ij less that of the largest in column j.
  private var relative: [Double] = []
  /// Of the guided proposal, by symbol: cumulative sums of P_ij g(j) over j, for every i, whose last one is the promise; of pi_j g(j).
  private var guidedMoves: [Double] = []
  private var guidedStarts: [Double] = []

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
    let (k, symbols) = (initial.count, emission[0].count)
    (states, self.symbols, self.observations) = (k, symbols, observations)
    (self.initial, self.transition, self.emission) = (initial, transition.flatMap { $0 }, emission.flatMap { $0 })
    seen = (0..<observations.count).map { observations[$0, 0].isNaN ? symbols : Int(observations[$0, 0]) }
    functionals = (0..<k).flatMap { i in
      (0..<k).map { Functional("transitions", [i, $0], "number of steps from state \(i) to state \($0)") }
    }
    tabulate()
    let smoother = makeSmoother()
    self.smoother = smoother
    exact =
      smoother.logEvidence > -.infinity
      ? SmoothedValues(
        logEvidence: smoother.logEvidence,
        functionals: smoother.functionals(k * k) { _, i, j, weight, sums in sums[i * k + j] += weight }) : nil
  }

  /// log g of a state and a symbol.
  private func logLikelihood(_ i: Int, _ symbol: Int) -> Double {
    symbol == symbols ? 0 : Self.logarithm(emission[i * symbols + symbol])
  }

  private func makeSmoother() -> FiniteSmoother {
    FiniteSmoother(
      start: initial, transition: transition,
      logLikelihood: seen.map { symbol in (0..<states).map { logLikelihood($0, symbol) } })
  }

  /// What follows from the tables.
  private mutating func tabulate() {
    let (k, p) = (states, transition)
    let rows = (0..<k).map { Array(p[$0 * k..<($0 + 1) * k]) }
    let logs = (0...symbols).map { y in (0..<k).map { logLikelihood($0, y) } }
    logLikelihood = logs.flatMap { $0 }
    startEnds = Self.sums(initial)
    moveEnds = rows.flatMap { Self.sums($0) }
    relative = (0..<k * k).map { place in
      let top = (0..<k).map { p[$0 * k + place % k] }.max() ?? 1
      return p[place] > 0 ? Elementary.log(p[place] / top) : -.infinity
    }
    func guided(_ row: [Double], _ log: [Double]) -> [Double] {
      Self.sums((0..<k).map { log[$0] == -.infinity ? 0 : row[$0] * Elementary.exp(log[$0]) })
    }
    guidedMoves = logs.flatMap { log in rows.flatMap { guided($0, log) } }
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
    exact == nil ? nil : smoother?.relativeSecondMoment(start: initial, particles: particles)
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

  package var taken: (start: Taken, move: Taken, guided: Taken) { (.words(1), .words(1), .words(1)) }

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
    let row = Array(emission[Int(x.x[i]) * symbols..<(Int(x.x[i]) + 1) * symbols])
    return [place(Self.sums(row), 0, stream.uniform(), row.count)]
  }

  package func logTransition(_ t: Int, _ from: Cloud, _ i: Int, _ to: Cloud, _ j: Int) -> Double {
    relative[Int(from.x[i]) * states + Int(to.x[j])]
  }

  package func addFunctionals(
    _ t: Int, _ from: Cloud, _ i: Int, _ to: Cloud, _ j: Int, _ values: UnsafeMutablePointer<Double>
  ) { values[Int(from.x[i]) * states + Int(to.x[j])] += 1 }

  // MARK: Learning

  package var learned: [Functional] {
    (0..<states).map { Functional("initial", [$0], "law of x_0") }
      + (0..<states * states).map { Functional("transition", [$0 / states, $0 % states], "probability of a step") }
      + (0..<states * symbols).map { Functional("emission", [$0 / symbols, $0 % symbols], "probability of a symbol") }
  }

  /// Whether X_0 is a state, steps from state to state, and symbols seen in states.
  package var statisticsCount: Int { states * (1 + states + symbols) }

  @inline(__always)
  private func addStatistics(_ t: Int, _ i: Int, _ j: Int, weight: Double, _ values: UnsafeMutablePointer<Double>) {
    values[states &* (1 &+ i) &+ j] += weight
    let symbolsSeen = values + states &* (1 &+ states)
    if seen[t] < symbols { symbolsSeen[j &* symbols &+ seen[t]] += weight }
    guard t == 1 else { return }
    values[i] += weight
    if seen[0] < symbols { symbolsSeen[i &* symbols &+ seen[0]] += weight }
  }

  package func addStatistics(
    _ t: Int, _ from: Cloud, _ i: Int, _ to: Cloud, _ j: Int, _ values: UnsafeMutablePointer<Double>
  ) { addStatistics(t, Int(from.x[i]), Int(to.x[j]), weight: 1, values) }

  package func writeParameters(_ values: UnsafeMutablePointer<Double>) {
    for (k, p) in (initial + transition + emission).enumerated() { values[k] = p }
  }

  /// Shares of each row; a row of states that were never visited stays as it is.
  package mutating func maximise(_ statistics: UnsafePointer<Double>) {
    func shares(_ table: inout [Double], _ from: Int, columns: Int) {
      for row in stride(from: 0, to: table.count, by: columns) {
        var total = 0.0
        for c in 0..<columns { total += statistics[from + row + c] }
        guard total > 0 else { continue }
        for c in 0..<columns { table[row + c] = statistics[from + row + c] / total }
      }
    }
    shares(&initial, 0, columns: states)
    shares(&transition, states, columns: states)
    shares(&emission, states * (1 + states), columns: symbols)
    (smoother, exact) = (nil, nil)
    tabulate()
  }

  package var exactStatistics: SmoothedValues? {
    let smoother = makeSmoother()
    guard smoother.logEvidence > -.infinity else { return nil }
    return SmoothedValues(
      logEvidence: smoother.logEvidence,
      functionals: smoother.functionals(statisticsCount) { t, i, j, weight, sums in
        sums.withUnsafeMutableBufferPointer { addStatistics(t, i, j, weight: weight, $0.baseAddress!) }
      })
  }

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
    guard let smoother else { preconditionFailure("paths of the tables that it was made with only") }
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
    functionals: ["transitions"], learned: ["initial", "transition", "emission"],
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
