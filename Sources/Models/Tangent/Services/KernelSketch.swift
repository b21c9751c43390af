import Experiments
import Kernels
import Randomness

/// A kernel between two points from p random columns, $\hat k_{ab} = (1/p) \sum_i z_i(a) z_i(b)$. With Gaussian columns, $z_i(a) = g_i \cdot \phi_a$ of the features $\phi$,
///
/// $$ \mathbb E\, \hat k_{ab} = k_{ab}, \qquad \mathrm{Var}\, \hat k_{ab} = (k_{aa} k_{bb} + k_{ab}^2)/p . $$
///
/// Gradients of a layer are products $D \otimes \phi$, with $k_{ab} = C D$, $C = D_a \cdot D_b$, $D = \phi_a \cdot \phi_b$; columns $g \otimes h$ cost O(n) instead of O(n^2) each, $z(a) = (g \cdot D_a)(h \cdot \phi_a)$, and with
/// $A = |D_a|^2 |D_b|^2$ and $B = |\phi_a|^2 |\phi_b|^2$
///
/// $$ \mathrm{Var}\, \hat k_{ab} = \big[(A + 2 C^2)(B + 2 D^2) - C^2 D^2\big]/p . $$
package struct KernelSketch: DrawnProblem {
  /// Products of two vectors: $|a|^2$, $a \cdot b$, $|b|^2$.
  package typealias Products = (aa: Double, ab: Double, bb: Double)

  package let dimension: Int
  /// Of the gradients, and of the post-activations.
  let first, second: Products
  let isProduct: Bool
  /// Components of the vectors that a plain draw multiplies; 0 of a reduced one.
  let features: Int

  package final class State {
    /// The vectors a and b of both factors.
    fileprivate let vectors: UnsafeMutablePointer<Double>
    fileprivate let features: Int

    fileprivate init(_ p: KernelSketch) {
      features = p.features
      vectors = .allocateZeros(4 * features)
      guard features > 0 else { return }
      // Spread over all components: a along (1, 1, ...), the rest of b along (1, -1, ...).
      for (place, products) in [(vectors, p.first), (vectors + 2 * features, p.second)] {
        let size = (products.aa / Double(features)).squareRoot()
        let along = products.aa > 0 ? products.ab / products.aa : 0
        let rest = (max(products.bb - along * products.ab, 0) / Double(features)).squareRoot()
        for i in 0..<features {
          place[i] = size
          place[features + i] = along * size + (i % 2 == 0 ? rest : -rest)
        }
      }
    }

    deinit { vectors.deallocate() }
  }

  package var axis: Axis {
    Axis(name: "dimension", unit: "columns", summary: "p, columns of the sketch", values: [Double(dimension)])
  }
  package let observables = [
    Observable("kernel", "k^_ab"), Observable("diagonal", "k^_aa"),
  ]

  package var known: [KnownStatistic] {
    let p = Double(dimension)
    func statistics(_ name: String, _ x: Products, _ y: Products) -> [KnownStatistic] {
      let (c, d, a, b) = (x.ab, y.ab, x.aa * x.bb, y.aa * y.bb)
      let variance = isProduct ? (a + 2 * c * c) * (b + 2 * d * d) - c * c * d * d : a * b + c * c * d * d
      return [KnownStatistic(.mean, of: name, c * d), KnownStatistic(.variance, of: name, variance / p)]
    }
    func same(_ x: Products) -> Products { (x.aa, x.aa, x.aa) }
    return statistics("kernel", first, second) + statistics("diagonal", same(first), same(second))
  }

  package func makeState() -> State { State(self) }

  package func draw(_ s: State, _ stream: inout Stream, into values: UnsafeMutablePointer<Double>) {
    (values[0], values[1]) = (0, 0)
    for _ in 0..<dimension {
      let (a, b) = features > 0 ? column(s, &stream) : column(&stream)
      values[0] += a * b
      values[1] += a * a
    }
    values[0] /= Double(dimension)
    values[1] /= Double(dimension)
  }

  /// z(a) and z(b), as two normal numbers a factor.
  private func column(_ stream: inout Stream) -> (Double, Double) {
    func pair(_ x: Products) -> (Double, Double) {
      let (root, g) = (x.aa.squareRoot(), stream.normal())
      let along = root > 0 ? x.ab / root : 0
      return (root * g, along * g + max(x.bb - along * along, 0).squareRoot() * stream.normal())
    }
    guard isProduct else {
      return pair((first.aa * second.aa, first.ab * second.ab, first.bb * second.bb))
    }
    let (x, y) = (pair(first), pair(second))
    return (x.0 * y.0, x.1 * y.1)
  }

  /// The same from every entry of a column.
  private func column(_ s: State, _ stream: inout Stream) -> (Double, Double) {
    let (n, v) = (features, s.vectors)
    var (a, b) = (0.0, 0.0)
    if isProduct {
      var (x, y) = (0.0, 0.0)
      for i in 0..<n {
        let g = stream.normal()
        a += g * v[i]
        b += g * v[n + i]
      }
      for i in 0..<n {
        let h = stream.normal()
        x += h * v[2 * n + i]
        y += h * v[3 * n + i]
      }
      return (a * x, b * y)
    }
    for i in 0..<n {
      for j in 0..<n {
        let g = stream.normal()
        a += g * v[i] * v[2 * n + j]
        b += g * v[n + i] * v[3 * n + j]
      }
    }
    return (a, b)
  }

  static let entry = TangentFamily.entry(
    name: "sketch", summary: "a kernel between two points from random columns, of all entries or of products",
    equation:
      "k^_ab = (1/p) sum_i z_i(a) z_i(b); gaussian: z = g.(D (x) phi); product: z = (g.D)(h.phi); k_ab = (D_a.D_b)(phi_a.phi_b)",
    reference: "docs/tangent.md", draws: "independent sketches",
    samplers: [
      ("reduced", "two normal numbers a column and factor"), ("entries", "every entry of a column"),
    ],
    observables: ["kernel", "diagonal"],
    parameters: [
      Parameter(
        "dimension", .integer(1...1_000_000), small: .init(.inverse, "p", companions: ["draws"], fluctuations: true),
        "p, columns"),
      Parameter("columns", .choice(["gaussian", "product"]), default: .text("gaussian"), "law of a column"),
      Parameter(
        "gradients", .structured("[[D_a.D_a, D_a.D_b], [D_b.D_a, D_b.D_b]]"),
        default: .list([.list([.real(1), .real(0.5)]), .list([.real(0.5), .real(1)])]), "products of the gradients"),
      Parameter(
        "posts", .structured("[[phi_a.phi_a, phi_a.phi_b], [phi_b.phi_a, phi_b.phi_b]]"),
        default: .list([.list([.real(1), .real(1)]), .list([.real(1), .real(1)])]),
        "products of the post-activations; all 1: the gradients are all the features"),
      Parameter(
        "features", .integer(1...4096), default: .integer(8), "of sampler = \"entries\": components of a vector"),
    ]
  ) { p, _ in
    func products(_ key: String) throws -> Products {
      let wrong = p.invalid(key, "must be two rows of two numbers, symmetric and positive semi-definite")
      guard case .list(let items)? = p[key], items.count == 2 else { throw wrong }
      let rows = items.map { item -> [Double] in
        guard case .list(let numbers) = item else { return [] }
        return numbers.compactMap(\.number).filter(\.isFinite)
      }
      guard rows.allSatisfy({ $0.count == 2 }), rows[0][1] == rows[1][0], rows[0][0] >= 0, rows[1][1] >= 0,
        rows[0][1] * rows[0][1] <= rows[0][0] * rows[1][1]
      else { throw wrong }
      return (rows[0][0], rows[0][1], rows[1][1])
    }
    let features = p.text("sampler") == "entries" ? p.integer("features") : 0
    guard features % 2 == 0 else { throw p.invalid("features", "must be even") }
    return DrawnProblemModel(
      KernelSketch(
        dimension: p.integer("dimension"), first: try products("gradients"), second: try products("posts"),
        isProduct: p.text("columns") == "product", features: features), p)
  }
}
