import Experiments
import Kernels

/// How weights, their start and their learning rates scale with the width n: $W^l = n^{-a_l} w^l$, $w^l \sim N(0, n^{-2 b_l})$, learning rate $\eta n^{-c}$
/// of w (arXiv:2011.14522); layers 1 (from the inputs), 2 to L, and the readout L + 1. a_l + theta, b_l - theta, c - 2 theta is the same network.
package struct Parametrisation: Sendable, Equatable {
  /// Of the first layer, of the hidden ones, of the readout.
  package let a, b: [Double]
  package let c: Double

  package init(a: [Double], b: [Double], c: Double) {
    (self.a, self.b, self.c) = (a, b, c)
  }

  package static let named: [(name: String, value: Parametrisation)] = [
    ("standard", .init(a: [0, 0, 0], b: [0, 0.5, 0.5], c: 1)),
    ("ntk", .init(a: [0, 0.5, 0.5], b: [0, 0, 0], c: 0)),
    ("mup", .init(a: [-0.5, 0, 0.5], b: [0.5, 0.5, 0.5], c: 0)),
    ("mean-field", .init(a: [0, 0.5, 1], b: [0, 0, 0], c: -1)),
  ]

  static let words =
    "one of \(named.map(\.name).joined(separator: ", ")), { s = 0.5 } for a network of one hidden layer between ntk (s = 0) and mup (s = 1), or { a = [first, hidden, readout], b = [first, hidden, readout], c = 0 }"

  init(_ value: JobValue?, path: String, depth: Int) throws {
    if case .text(let name)? = value {
      guard let found = Self.named.first(where: { $0.name == name }) else {
        throw Failure.unknown(key: path, value: value, names: Self.named.map(\.name))
      }
      self = found.value
      return
    }
    let exponents = "an array of three exponents: of the first layer, the hidden ones, the readout"
    let p = try Parameters(
      value, path: path,
      allowed: [
        Parameter("s", .real(.init(0, 1)), optional: true, "0 is ntk, 1 mup (arXiv:2210.04909)"),
        Parameter("a", .structured(exponents), optional: true, "of the multipliers"),
        Parameter("b", .structured(exponents), optional: true, "of the standard deviations at the start"),
        Parameter("c", .real(.finite), optional: true, "of the learning rate"),
      ])
    if p["s"] != nil {
      guard depth == 1 else { throw p.invalid("s", "needs depth = 1; give a, b and c for deeper networks") }
      if let other = ["a", "b", "c"].first(where: { p[$0] != nil }) {
        throw p.invalid(other, "cannot be given together with s")
      }
      let s = p.real("s")
      self.init(a: [0, 0.5, 0.5 * (1 + s)], b: [0, 0, 0], c: -s)
      return
    }
    func three(_ key: String) throws -> [Double] {
      guard case .list(let items)? = p[key], items.count == 3 else { throw p.invalid(key, "must be \(exponents)") }
      return try items.map { item in
        guard let number = item.number, number.magnitude <= 4 else {
          throw p.invalid(key, "must hold numbers in [-4, 4]")
        }
        return number
      }
    }
    guard p["c"] != nil else { throw p.invalid("c", "must be given with a and b") }
    self.init(a: try three("a"), b: try three("b"), c: p.real("c"))
  }

  /// Of one layer of a network, for weights that carry their multiplier, $W = n^{-a} w$.
  package struct Scales: Sendable {
    /// Standard deviation of W at the start.
    let std: Double
    /// $n^{-a}$: a gradient of w is so many times that of W, and so is a move of W that of w.
    package let multiplier: Double
    /// Of biases, which are of the type of the first layer, $b = \sigma_b n^{-a_1} w$, $w \sim N(0, n^{-2 b_1})$, and stand in W as weights of a constant unit: their
    /// standard deviation at the start, $n^{-a_l - b_1}$, and that unit over $\sigma_b$, $n^{a_l - a_1}$. So they move as the other weights of the layer do.
    let biasStd, constant: Double
  }

  /// - Parameter layer: from 1; `depth` + 1 is the readout.
  func scales(layer: Int, depth: Int, width: Int) -> Scales {
    let place = layer > depth ? 2 : layer == 1 ? 0 : 1
    let log = Elementary.log(Double(width))
    return Scales(
      std: Elementary.exp(-(a[place] + b[place]) * log), multiplier: Elementary.exp(-a[place] * log),
      biasStd: Elementary.exp(-(a[place] + b[0]) * log), constant: Elementary.exp((a[place] - a[0]) * log))
  }

  /// $n^{-c}$.
  func rate(width: Int) -> Double { Elementary.exp(-c * Elementary.log(Double(width))) }

  /// r of arXiv:2011.14522: features move by $n^{-r}$; 0 learns features, 1/2 is a kernel regime.
  package func featureExponent(depth: Int) -> Double {
    let readout = a[2] + b[2]
    let least = min(2 * a[0] + 1, depth > 1 ? 2 * a[1] : .infinity)
    return min(readout, 2 * a[2] + c) + c - 1 + least
  }

  /// Which of first layer, hidden layers and readout contribute to the tangent kernel at infinite width; nil outside of a kernel regime, where f_0 is of
  /// order 1 and features do not move.
  package func trainedLayers(depth: Int) -> [Bool]? {
    guard instability(depth: depth) == nil, (a[2] + b[2] - 0.5).magnitude < 1e-9, featureExponent(depth: depth) > 1e-9
    else { return nil }
    // What a layer adds to the kernel goes as n to the power of these.
    let powers = [-(2 * a[0] + c), depth > 1 ? 1 - (2 * a[1] + c) : -1, 1 - (2 * a[2] + c)]
    guard powers.allSatisfy({ $0 < 1e-9 }) else { return nil }
    return powers.map { $0 > -1e-9 }
  }

  /// Why training is not stable as the width grows, as half a sentence; nil where it is.
  package func instability(depth: Int) -> String? {
    func differs(_ x: Double, _ y: Double) -> Bool { (x - y).magnitude > 1e-9 }
    if differs(a[0] + b[0], 0) {
      return "a_1 + b_1 is \(a[0] + b[0]), not 0: pre-activations of the first layer do not keep their size"
    }
    if depth > 1, differs(a[1] + b[1], 0.5) {
      return "a_l + b_l of hidden layers is \(a[1] + b[1]), not 1/2: pre-activations do not keep their size"
    }
    if a[2] + b[2] < 0.5 - 1e-9 {
      return "a + b of the readout is \(a[2] + b[2]), below 1/2: the output grows with the width"
    }
    let r = featureExponent(depth: depth)
    if r < -1e-9 { return "r is \(r), below 0: features move without bound" }
    if 2 * a[2] + c < 1 - 1e-9 || a[2] + b[2] + r < 1 - 1e-9 { return "a step moves the output without bound" }
    return nil
  }
}
