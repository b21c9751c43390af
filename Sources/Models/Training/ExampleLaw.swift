import Experiments
import Kernels
import Networks
import Randomness

/// Examples with standard normal features and a teacher: $x \sim N(0, 1_d)$, $y = T(w^* \cdot x / \sqrt d) + \sigma \epsilon$, $w^* \sim N(0, 1_d)$, or y a
/// Gaussian process of x, a network of infinite width.
package struct ExampleLaw: Sendable {
  package enum Teacher: String, CaseIterable, Sendable {
    case linear, sign, quadratic
    case singleIndex = "single-index"
    case nngp, ntk
  }

  /// Most examples of a Gaussian process, whose covariance is factorised in every draw.
  private static let mostOfProcess = 1000

  package let teacher: Teacher
  package let features: Int
  package let noise: Double
  /// T of a single index; phi of a process.
  private let link: (any Activation)?
  /// Hidden layers of the network whose process it is, and the gain of each.
  private let depth: Int
  private let gain: Double
  /// Whether every step has examples of its own, all of the same w*.
  package let isFresh: Bool

  static let parameters = [
    Parameter(
      "teacher", .choice(Teacher.allCases.map(\.rawValue)), optional: true,
      "each draw has inputs x ~ N(0, 1) of its own, and targets T(w*.x/sqrt(d)) + noise e with w*, e ~ N(0, 1); T is linear: z, sign: ±1, quadratic: z^2, single-index: the link; or targets that are a Gaussian process of x, with the covariance nngp or tangent kernel ntk of networks of infinite width, with gain 1 / E phi(g)^2"
    ),
    Parameter(
      "link", .structured(ActivationChoice.words), optional: true,
      "T of a single-index teacher, activation of the networks of nngp and ntk"),
    Parameter(
      "teacher_depth", .integer(1...1000), default: .integer(1), "hidden layers of the networks of nngp and ntk"),
    Parameter("features", .integer(1...1_000_000), default: .integer(10), "d, features of the inputs of a teacher"),
    Parameter("samples", .integer(1...10_000_000), default: .integer(20), "P, examples of a teacher for training"),
    Parameter(
      "noise", .real(.init(0, .infinity, openAbove: true)), default: .real(0),
      "standard deviation of the noise of the targets in training, of its own in every draw; of sign and of the classes of a file, probability of a wrong label"
    ),
    Parameter(
      "fresh", .boolean, default: .boolean(false),
      "of a teacher: every step has samples examples of its own, which no step has seen before"),
  ]

  init(_ p: Parameters) throws {
    teacher = Teacher(rawValue: p.text("teacher"))!
    features = p.integer("features")
    noise = p.real("noise")
    isFresh = p.boolean("fresh")
    guard teacher != .sign || noise <= 0.5 else {
      throw p.invalid("noise", "must be at most 0.5, a probability, with teacher = \"sign\"")
    }
    let isProcess = teacher == .nngp || teacher == .ntk
    guard isProcess || teacher == .singleIndex else {
      guard p["link"] == nil else {
        throw p.invalid("link", "is of teacher = \"single-index\", \"nngp\" and \"ntk\"")
      }
      (link, depth, gain) = (nil, 1, 1)
      return
    }
    guard let given = p["link"] else { throw p.invalid("link", "must be given: \(ActivationChoice.words)") }
    let choice = try ActivationChoice(given, path: "\(p.path).link", width: 1)
    link = choice.function
    depth = p.integer("teacher_depth")
    gain = isProcess ? 1 / choice.function.secondMoment : 1
    guard isProcess else { return }
    guard gain > 0, gain.isFinite else {
      throw p.invalid("link", "has E phi(g)^2 = \(choice.function.secondMoment), and its networks no scale")
    }
    if teacher == .ntk, let why = choice.function.missingDerivative {
      throw p.invalid("link", "has no tangent kernel: \(why)")
    }
    guard !isFresh else { throw p.invalid("fresh", "must be false: a process is drawn at all examples together") }
    let count = p.integer("samples") + p.integer("test")
    guard count <= Self.mostOfProcess else {
      throw p.invalid("samples", "and test must be at most \(Self.mostOfProcess) together of a Gaussian process")
    }
  }

  /// Draws w* and all examples.
  func draw(_ examples: Examples, _ stream: inout Stream) {
    for i in 0..<features { examples.teacher[i] = stream.normal() }
    draw(examples, rows: 0..<examples.count, &stream)
    if teacher == .nngp || teacher == .ntk { drawProcess(examples, &stream) }
  }

  /// The covariance of the targets of a process: $K_{l+1} = c\, \mathbb E \phi \phi$, and $\Theta_{l+1} = K_{l+1} + c\, \mathbb E \phi' \phi' \cdot \Theta_l$
  /// from $K_1 = \Theta_1 = X X^T/d$, over the examples.
  package func covariance(_ inputs: UnsafePointer<Double>, count: Int) -> [Double] {
    let scale = 1 / Double(features).squareRoot()
    let rows = (0..<count).map { a in (0..<features).map { scale * inputs[a * features + $0] } }
    var k = Inputs(rows: rows).gram
    var theta = k
    let kernel = ActivationKernel(link!)
    for _ in 0..<depth {
      if teacher == .ntk {
        (k, theta) = kernel.tangentLayer(k, theta, count, gain: gain)
      } else {
        k = kernel.apply(k, count).map { gain * $0 }
      }
    }
    return teacher == .ntk ? theta : k
  }

  /// Replaces the targets, which are noise so far, by noise and a draw of the process.
  private func drawProcess(_ examples: Examples, _ stream: inout Stream) {
    let count = examples.count
    var lower = covariance(examples.inputs, count: count)
    lower.withUnsafeMutableBufferPointer {
      Triangular.clippedCholesky(UnsafePointer($0.baseAddress!), m: count, into: $0.baseAddress!)
    }
    let normals = (0..<count).map { _ in stream.normal() }
    for a in 0..<count {
      examples.targets[a] += (0...a).reduce(0) { $0 + lower[a * count + $1] * normals[$1] }
    }
  }

  /// Draws some of the examples.
  func draw(_ examples: Examples, rows: Range<Int>, _ stream: inout Stream) {
    let root = 1 / Double(features).squareRoot()
    let weights = examples.teacher
    for row in rows {
      let x = examples.inputs + row * features
      var z = 0.0
      for i in 0..<features {
        x[i] = stream.normal()
        z += weights[i] * x[i]
      }
      z *= root
      let isTrain = row < examples.train
      switch teacher {
      case .linear: examples.targets[row] = z
      case .quadratic: examples.targets[row] = z * z
      case .sign: examples.targets[row] = z >= 0 ? 1 : -1
      case .singleIndex: examples.targets[row] = link!.value(z)
      case .nngp, .ntk: examples.targets[row] = 0
      }
      guard isTrain, noise > 0 else { continue }
      if teacher == .sign {
        if stream.uniform() < noise { examples.targets[row] = -examples.targets[row] }
      } else {
        examples.targets[row] += noise * stream.normal()
      }
    }
  }
}
