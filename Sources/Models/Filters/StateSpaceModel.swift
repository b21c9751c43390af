import Experiments
import Randomness

/// States of particles, coordinate by coordinate: x[c * stride + i] is coordinate c of particle i.
package struct Cloud {
  package let x: UnsafeMutablePointer<Double>
  package let stride: Int
  package let dimension: Int

  package init(particles: Int, dimension: Int) {
    stride = particles
    self.dimension = dimension
    x = .allocateZeros(max(particles * dimension, 1))
  }

  @inline(__always)
  package func copy(_ i: Int, from other: Cloud, _ j: Int) {
    for c in 0..<dimension { x[c &* stride &+ i] = other.x[c &* other.stride &+ j] }
  }
}

/// A hidden Markov chain and what is seen of it: $X_0 \sim \mu$, $X_t \sim q_t(x_{t-1}, \cdot)$, $Y_t \sim g_t(x_t, \cdot)$ for t = 0, …, T - 1, with the observations y that a job gives. One conforming type a file.
///
/// Required: the laws, the density of a transition relative to its upper bound, and additive functionals $\sum_{t=1}^{T-1} h_t(x_{t-1}, x_t)$. Optional: a guided proposal, what is known exactly, and paths drawn from the smoothing law.
/// All functions work on a range of particles; none allocates.
package protocol StateSpaceModel: Sendable {
  /// Numbers of a state.
  var dimension: Int { get }
  /// T.
  var length: Int { get }
  var functionals: [Functional] { get }
  /// Whether `moveGuided` and `lookAhead` are there.
  var isGuided: Bool { get }
  /// Whether `logTransition` is relative to a bound, so that backward draws may be made by rejection.
  var isBounded: Bool { get }
  /// Whether `drawSmoothed` is there.
  var drawsSmoothed: Bool { get }
  /// What is known without particles; nil where nothing is.
  var exact: SmoothedValues? { get }
  /// $E \hat Z^2$ of the bootstrap filter with N particles and multinomial selection at every step; nil where it is not known.
  func evidenceSecondMoment(particles: Int) -> Double?

  /// What `start`, `move` and `moveGuided` take of the stream for each particle.
  var taken: (start: Taken, move: Taken, guided: Taken) { get }

  /// Draws X_0.
  func start(_ x: Cloud, _ range: Range<Int>, _ stream: inout Stream)
  /// Draws X_t of particle i given X_{t-1} of its ancestor.
  func move(
    _ t: Int, _ from: Cloud, _ ancestors: UnsafePointer<Int32>, _ x: Cloud, _ range: Range<Int>, _ stream: inout Stream)
  /// Adds log g_t(x, y_t) to the weights; nothing where y_t is missing.
  func weigh(_ t: Int, _ x: Cloud, _ range: Range<Int>, _ logWeights: UnsafeMutablePointer<Double>)
  /// Draws Y_t given X_t, to simulate observations: once a job.
  func emit(_ t: Int, _ x: Cloud, _ i: Int, _ stream: inout Stream) -> [Double]
  /// $\log q_t(x_{t-1}, x_t)$ up to a function of t and x_t, at most 0 if bounded.
  func logTransition(_ t: Int, _ from: Cloud, _ i: Int, _ to: Cloud, _ j: Int) -> Double
  /// Adds $h_t(x_{t-1}, x_t)$ of every functional.
  func addFunctionals(
    _ t: Int, _ from: Cloud, _ i: Int, _ to: Cloud, _ j: Int, _ values: UnsafeMutablePointer<Double>)

  /// Draws X_t from a proposal p that sees y_t, and adds $\log q_t/p$ to the weights; X_0 at t = 0, where there are no ancestors.
  func moveGuided(
    _ t: Int, _ from: Cloud, _ ancestors: UnsafePointer<Int32>, _ x: Cloud, _ range: Range<Int>,
    _ logWeights: UnsafeMutablePointer<Double>, _ stream: inout Stream)
  /// Writes $\log \eta_t(x_{t-1})$, what a particle promises for y_t: any positive function.
  func lookAhead(_ t: Int, _ from: Cloud, _ range: Range<Int>, _ logWeights: UnsafeMutablePointer<Double>)
  /// Draws a path from the smoothing law, `path.x[c * stride + t]`.
  func drawSmoothed(_ path: Cloud, _ stream: inout Stream)
}

/// Random numbers of one particle in one step: always as many, so that ranks that share particles know where theirs begin.
package enum Taken: Sendable {
  /// Of `Stream.normals`.
  case normals(Int)
  /// Of `word()` or `uniform()`.
  case words(Int)
  /// Of `normal()`.
  case scalars(Int)
}

extension Stream {
  /// Passes over the numbers of particles.
  package mutating func skip(_ taken: Taken, particles: Int) {
    switch taken {
    case .normals(let count): skip(normals: particles * count)
    case .words(let count): skip(words: particles * count)
    case .scalars(let count): skip(scalars: particles * count)
    }
  }
}

extension StateSpaceModel {
  package var taken: (start: Taken, move: Taken, guided: Taken) { (.scalars(1), .scalars(1), .scalars(1)) }
  package var isGuided: Bool { false }
  package var isBounded: Bool { true }
  package var drawsSmoothed: Bool { false }
  package func evidenceSecondMoment(particles: Int) -> Double? { nil }
  package func moveGuided(
    _ t: Int, _ from: Cloud, _ ancestors: UnsafePointer<Int32>, _ x: Cloud, _ range: Range<Int>,
    _ logWeights: UnsafeMutablePointer<Double>, _ stream: inout Stream
  ) { preconditionFailure("no guided proposal") }
  package func lookAhead(
    _ t: Int, _ from: Cloud, _ range: Range<Int>, _ logWeights: UnsafeMutablePointer<Double>
  ) { preconditionFailure("no guided proposal") }
  package func drawSmoothed(_ path: Cloud, _ stream: inout Stream) { preconditionFailure("no smoothed paths") }
}

/// An additive functional of the path.
package struct Functional: Sendable {
  package let name: String
  package let indices: [Int]
  package let summary: String

  package init(_ name: String, _ indices: [Int], _ summary: String) {
    (self.name, self.indices, self.summary) = (name, indices, summary)
  }

  package init(_ name: String, _ summary: String) { self.init(name, [], summary) }
}

/// What is known of a model and its observations: log Z, and E[h | y] of every functional.
package struct SmoothedValues: Sendable {
  package let logEvidence: Double
  package let functionals: [Double]

  package init(logEvidence: Double, functionals: [Double]) {
    (self.logEvidence, self.functionals) = (logEvidence, functionals)
  }
}

/// A model with parameters that an EM step sets from smoothed additive statistics: those of the complete data, so that the step is exact.
package protocol LearnableModel: StateSpaceModel {
  /// What is learned: names without `learned`, indices and summaries.
  var learned: [Functional] { get }
  /// Numbers of the additive statistics.
  var statisticsCount: Int { get }
  /// Adds the term of every statistic, from t = 1 on; what belongs to t = 0 is added at t = 1.
  func addStatistics(
    _ t: Int, _ from: Cloud, _ i: Int, _ to: Cloud, _ j: Int, _ values: UnsafeMutablePointer<Double>)
  /// Writes the parameters, in the order of `learned`.
  func writeParameters(_ values: UnsafeMutablePointer<Double>)
  /// Sets the parameters that maximise the expected log density of path and observations, given E[statistics | y].
  mutating func maximise(_ statistics: UnsafePointer<Double>)
  /// log Z and E[statistics | y], exactly; nil where that is not known.
  var exactStatistics: SmoothedValues? { get }
}

/// One of its parameters, if it is the only one: what the likelihood is maximised over.
package protocol OneParameterModel: LearnableModel {
  var parameter: Double { get set }
}

extension OneParameterModel {
  package func writeParameters(_ values: UnsafeMutablePointer<Double>) { values[0] = parameter }
}
