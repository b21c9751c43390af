import Experiments
import Kernels

extension Probe {
  /// The conditional covariance, by which moments of pre-activations are tallied; a probe of every architecture with Gaussian weights
  /// behind its layers.
  package static let gram = Probe(
    name: "gram",
    summary:
      "G, the covariance of the next pre-activations z given the layer, and the moments of z that follow from it, without the noise of z",
    equation:
      "G = Cov(z | layer) = V exactly; E z_a z_b = E G_ab, E z_a^2 z_b^2 = E (G_aa G_bb + 2 G_ab^2), E z_a^4 = 3 E G_aa^2, E z_a^6 = 15 E G_aa^3, E z_ia^2 z_kb^2 = E G_aa G_bb of different units, P(|z_a| > x) = E erfc(x / sqrt(2 G_aa))",
    reference: "arXiv:2106.10165, ch. 4; arXiv:1910.00019",
    observables: GramObservables.Family.allCases.map(\.rawValue),
    defaults: [GramObservables.Family.gram, .fourth].map(\.rawValue))
}

/// Moments of the pre-activations z that a layer gives to the next one (or of the outputs of a readout), by their conditional law: given the
/// layer the units of z are independent, each $N(0, G)$ over the inputs, with $G = V$. A mean over draws of a function of G is that of its moment of z, without the
/// variance that z has given G, which is all of it at infinite width.
public struct GramObservables: Sendable {
  /// Families of observables, as jobs name them.
  public enum Family: String, CaseIterable, Sendable {
    case gram
    case fourth = "z_fourth"
    case sixth = "z_sixth"
    case squareProduct = "z_square_product"
    case gramProduct = "gram_product"
    case tail = "z_tail"
  }

  public let inputs: Int
  package let families: [Family]
  /// x of $P(|z| > x)$.
  package let level: Double

  init(inputs: Int, families: [Family], level: Double) {
    (self.inputs, self.families, self.level) = (inputs, families, level)
    observables = families.flatMap { family -> [Observable] in
      let name = family.rawValue
      func single(_ summary: (_ a: Int) -> String) -> [Observable] {
        (0..<inputs).map { Observable(name, [$0], role: family == .tail ? .quantity : .heavyTailed, summary($0)) }
      }
      func pairs(_ first: Int, _ summary: (_ a: Int, _ b: Int) -> String) -> [Observable] {
        (0..<inputs).flatMap { a in
          (a + first..<max(inputs, a + first)).map {
            Observable(name, [a, $0], role: .heavyTailed, summary(a, $0))
          }
        }
      }
      switch family {
      case .gram: return pairs(0) { "G_ab, of mean E z_a z_b, a = \($0), b = \($1)" }
      case .fourth: return single { "3 G_aa^2, of mean E z_a^4, a = \($0)" }
      case .sixth: return single { "15 G_aa^3, of mean E z_a^6, a = \($0)" }
      case .squareProduct: return pairs(1) { "G_aa G_bb + 2 G_ab^2, of mean E z_a^2 z_b^2, a = \($0), b = \($1)" }
      case .gramProduct:
        return pairs(0) { "G_aa G_bb, of mean E z_ia^2 z_kb^2 of different units, a = \($0), b = \($1)" }
      case .tail: return single { "erfc(x / sqrt(2 G_aa)), of mean P(|z_a| > x), x = \(level), a = \($0)" }
      }
    }
  }

  /// In the order of `write`.
  public let observables: [Observable]

  package static func kurtosisName(_ a: Int) -> String { "z_kurtosis[\(a)]" }
  package static func covarianceName(_ a: Int, _ b: Int) -> String { "square_covariance[\(a),\(b)]" }

  /// Inputs a <= b of which the covariance of squares is known.
  package var covariances: [(a: Int, b: Int)] {
    guard families.contains(.gram), families.contains(.gramProduct) else { return [] }
    return (0..<inputs).flatMap { a in (a..<inputs).map { (a, $0) } }
  }

  /// Inputs of which the kurtosis is known.
  package var kurtoses: Range<Int> {
    families.contains(.gram) && families.contains(.fourth) ? 0..<inputs : 0..<0
  }

  /// Cumulants, where their moments are measured.
  public var estimands: [Estimand] {
    kurtoses.map {
      Estimand(
        Self.kurtosisName($0), "z_fourth[\($0)]/(gram[\($0),\($0)]*gram[\($0),\($0)]) - 3",
        "excess kurtosis of z_a, 3 Var G_aa / (E G_aa)^2, a = \($0): E He_4 of z_a in units of its deviation")
    }
      + covariances.map {
        Estimand(
          Self.covarianceName($0.a, $0.b),
          "gram_product[\($0.a),\($0.b)] - gram[\($0.a),\($0.a)]*gram[\($0.b),\($0.b)]",
          "Cov(z_ia^2, z_kb^2) of different units i and k, a = \($0.a), b = \($0.b)")
      }
  }

  /// - Parameters:
  ///   - lower: the factor L of G, m x m.
  ///   - values: receives `observables.count` numbers.
  public func write(lower: UnsafePointer<Double>, to values: UnsafeMutablePointer<Double>) {
    let m = inputs
    var out = values
    func put(_ value: Double) {
      out.pointee = value
      out += 1
    }
    // In the order of terms of V, whose bits these are.
    func entry(_ a: Int, _ b: Int) -> Double {
      var total = 0.0
      for k in 0...a { total += lower[a &* m &+ k] * lower[b &* m &+ k] }
      return total
    }
    for family in families {
      for a in 0..<m {
        let g = entry(a, a)
        switch family {
        case .fourth: put(3 * g * g)
        case .sixth: put(15 * g * g * g)
        case .tail: put(Self.tail(g, level))
        case .gram: for b in a..<m { put(entry(a, b)) }
        case .gramProduct: for b in a..<m { put(g * entry(b, b)) }
        case .squareProduct:
          for b in a &+ 1..<max(m, a &+ 1) {
            let across = entry(a, b)
            put(g * entry(b, b) + 2 * across * across)
          }
        }
      }
    }
  }

  /// What follows from mean and second moment of entries of V, by their names.
  func adding(to known: [String: (Double, Double)]) -> [String: (Double, Double)] {
    guard !families.isEmpty else { return known }
    var all = known
    for a in 0..<inputs {
      for b in a..<inputs { all["gram[\(a),\(b)]"] = known["V[\(a),\(b)]"] }
      guard let square = known["V[\(a),\(a)]"]?.1, square.isFinite else { continue }
      all["z_fourth[\(a)]"] = (3 * square, .nan)
      all["gram_product[\(a),\(a)]"] = (square, .nan)
    }
    return all
  }

  /// $P(|z| > x)$ of variance g.
  package static func tail(_ g: Double, _ x: Double) -> Double {
    g == 0 ? 0 : 2 * GaussianIntegral.normal.value(-x / g.squareRoot())
  }
}
