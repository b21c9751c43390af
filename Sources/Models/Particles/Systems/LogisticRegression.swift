import Experiments
import Kernels

/// Bayesian logistic regression: the posterior of the weights w (the last one the intercept) given labelled data,
/// H = sum_k log(1 + exp(-y_k w . z_k)) + |w|^2/(2 s^2). Particles are chains.
final class LogisticRegression: ParticleSystem {
  let interaction = Interaction.none
  private let data: Supervised
  private let precision: Double
  var dimension: Int { data.columns }
  /// Examples worked on together.
  private static let chunk = 64
  /// PanelProduct: of the margins of the examples at hand, of the weights, of the gradient.
  private let margins, weights, slopes: UnsafeMutablePointer<Double>

  init(_ data: Supervised, precision: Double) {
    self.data = data
    self.precision = precision
    margins = .allocateAligned(capacity: Self.chunk * PanelProduct.lanes)
    weights = .allocateAligned(capacity: data.columns * PanelProduct.lanes)
    slopes = .allocateAligned(capacity: data.columns * PanelProduct.lanes)
  }

  deinit {
    margins.deallocate()
    weights.deallocate()
    slopes.deallocate()
  }

  func gradient(
    _ x: Tile, field: UnsafePointer<Double>, to gradient: UnsafeMutablePointer<Double>,
    potential: UnsafeMutablePointer<Double>?
  ) {
    harmonic(x, lambda: precision, to: gradient, potential: potential)
    let columns = data.columns
    data.features.withUnsafeBufferPointer { features in
      for block in x.blocks {
        block.copy(columns, of: x.base, x.lanes, to: weights)
        for start in stride(from: 0, to: data.count, by: Self.chunk) {
          let rows = min(Self.chunk, data.count - start)
          let z = features.baseAddress! + start * columns
          PanelProduct.addProduct(
            margins, fresh: true, rows: rows, z, rowStride: columns, columnStride: 1, inner: columns, weights,
            octets: block.octets)
          for r in 0..<rows {
            let (row, y) = (margins + r * PanelProduct.lanes, data.labels[start + r])
            if let potential {
              let target = potential + block.start
              for i in 0..<block.count { target[i] += Elementary.softplus(-y * row[i]) }
            }
            for i in 0..<8 * block.octets { row[i] = -y / (1 + Elementary.exp(y * row[i])) }
          }
          PanelProduct.addProduct(
            slopes, fresh: start == 0, rows: columns, z, rowStride: 1, columnStride: columns, inner: rows, margins,
            octets: block.octets)
        }
        block.add(slopes, columns, to: gradient, x.lanes)
      }
    }
  }

  static let entry = SystemEntry(
    name: "logistic-regression", summary: "independent chains on the posterior of a logistic regression",
    equation: "H = sum_k log(1 + exp(-y_k w . z_k)) + |w|^2/(2 s^2)", reference: "docs/particles.md",
    parameters: Supervised.parameters + [
      Parameter("prior", .real(.above(0)), default: .real(1), "s, standard deviation of the normal prior of a weight")
    ]
  ) { p, load in
    let (train, _) = try Supervised.read(p, load)
    let prior = p.real("prior")
    let precision = 1 / (prior * prior)
    return SystemModel(
      startStd: 0, largestCurvature: 0.25 * largestEigenvalue(train) + precision, leastCurvature: precision,
      make: { LogisticRegression(train, precision: precision) })
  }

  /// Of Z^T Z, by power iteration, rounded up by a percent.
  private static func largestEigenvalue(_ data: Supervised) -> Double {
    let d = data.columns
    var vector = Array(repeating: 1.0, count: d)
    var value = 0.0
    for _ in 0..<200 {
      var next = Array(repeating: 0.0, count: d)
      for r in 0..<data.count {
        let dot = (0..<d).reduce(0) { $0 + data.features[r * d + $1] * vector[$1] }
        for k in 0..<d { next[k] += dot * data.features[r * d + k] }
      }
      value = next.reduce(0) { $0 + $1 * $1 }.squareRoot()
      guard value > 0 else { return 0 }
      vector = next.map { $0 / value }
    }
    return 1.01 * value
  }
}
