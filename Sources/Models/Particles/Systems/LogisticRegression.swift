import Experiments
import Kernels

/// Bayesian logistic regression: the posterior of the weights w (the last one the intercept) given labelled data,
/// H = sum_k log(1 + exp(-y_k w . z_k)) + |w|^2/(2 s^2). Particles are chains.
///
/// The gradient of a batch is that of n/b times its sum. With control variates it is the sum of differences from the gradients at the mode, which are
/// worked out once, plus the sum of those over all examples.
final class LogisticRegression: Subsampled {
  let interaction = Interaction.none
  private let data: Supervised
  private let precision: Double
  var dimension: Int { data.columns }
  /// Examples worked on together.
  private static let chunk = 64
  /// PanelProduct: of the margins of the examples at hand, of the weights, of the gradient.
  private let margins, weights, slopes: UnsafeMutablePointer<Double>
  private let control: Control?
  /// Eight chains with their gradients, chain by chain, and the examples of one of them: where a batch is worked on.
  private let chains, sums, factors, signs, known: UnsafeMutablePointer<Double>

  /// Gradients of the loss at a fixed point: the factor of the features for each example, and their sum.
  struct Control: Sendable { let factors, total: [Double] }

  init(_ data: Supervised, precision: Double, batch: Int = 0, control: Control? = nil) {
    self.data = data
    self.precision = precision
    self.control = control
    (chains, sums) = (.allocateAligned(capacity: 8 * data.columns), .allocateAligned(capacity: 8 * data.columns))
    (factors, signs, known) = (
      .allocateAligned(capacity: max(batch, 1)), .allocateAligned(capacity: max(batch, 1)),
      .allocateAligned(capacity: max(batch, 1))
    )
    margins = .allocateAligned(capacity: Self.chunk * PanelProduct.lanes)
    weights = .allocateAligned(capacity: data.columns * PanelProduct.lanes)
    slopes = .allocateAligned(capacity: data.columns * PanelProduct.lanes)
  }

  deinit {
    margins.deallocate()
    weights.deallocate()
    slopes.deallocate()
    for room in [chains, sums, factors, signs, known] { room.deallocate() }
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

  func estimate(_ x: Tile, picks: UnsafePointer<Int32>, batch: Int, to gradient: UnsafeMutablePointer<Double>) {
    let (columns, scale) = (data.columns, Double(data.count) / Double(batch))
    withExamples { z, y, atMode in
      for start in stride(from: 0, to: x.count, by: 8) {
        let count = min(8, x.count - start)
        for k in 0..<columns {
          let row = x[k] + start
          for i in 0..<count { chains[i &* columns &+ k] = row[i] }
        }
        for i in 0..<count {
          let (w, sum, own) = (chains + i * columns, sums + i * columns, picks + start + i)
          for j in 0..<batch {
            let index = Int(own[j &* x.lanes])
            let example = z + index &* columns
            (signs[j], known[j]) = (y[index], control == nil ? 0 : atMode[index])
            factors[j] = laneSum(columns) { w[$0] * example[$0] }
          }
          for j in 0..<batch {
            factors[j] = scale * (-signs[j] / (1 + Elementary.exp(signs[j] * factors[j])) - known[j])
          }
          for k in 0..<columns { sum[k] = precision * w[k] + (control?.total[k] ?? 0) }
          for j in 0..<batch {
            let (example, factor) = (z + Int(own[j &* x.lanes]) &* columns, factors[j])
            for k in 0..<columns { sum[k] = sum[k].addingProduct(factor, example[k]) }
          }
        }
        for k in 0..<columns {
          let row = gradient + k &* x.lanes + start
          for i in 0..<count { row[i] = sums[i &* columns &+ k] }
        }
      }
    }
  }

  /// Features, labels and, with control variates, factors at the mode.
  private func withExamples(
    _ body: (_ z: UnsafePointer<Double>, _ y: UnsafePointer<Double>, _ atMode: UnsafePointer<Double>) -> Void
  ) {
    data.features.withUnsafeBufferPointer { z in
      data.labels.withUnsafeBufferPointer { y in
        (control?.factors ?? data.labels).withUnsafeBufferPointer {
          body(z.baseAddress!, y.baseAddress!, $0.baseAddress!)
        }
      }
    }
  }

  static let entry = SystemEntry(
    name: "logistic-regression", summary: "independent chains on the posterior of a logistic regression",
    equation: "H = sum_k log(1 + exp(-y_k w . z_k)) + |w|^2/(2 s^2)", reference: "docs/particles.md",
    parameters: Supervised.parameters + [
      Parameter("prior", .real(.above(0)), default: .real(1), "s, standard deviation of the normal prior of a weight")
    ] + Subsample.parameters
  ) { p, load in
    let (train, _) = try Supervised.read(p, load)
    let prior = p.real("prior")
    let precision = 1 / (prior * prior)
    let (subsample, largest) = (try Subsample(p, examples: train.count), 0.25 * largestEigenvalue(train) + precision)
    let control = Subsample.hasControl(p) ? control(train, precision: precision, largest: largest) : nil
    let batch = subsample?.batch ?? 0
    return SystemModel(
      startStd: 0, largestCurvature: largest, leastCurvature: precision, subsample: subsample,
      make: { LogisticRegression(train, precision: precision, batch: batch, control: control) })
  }

  /// Gradients near the mode, found by accelerated descent; any fixed point would leave the estimate without bias.
  private static func control(_ data: Supervised, precision: Double, largest: Double) -> Control {
    let d = data.columns
    func gradients(at w: [Double]) -> Control {
      var total = Array(repeating: 0.0, count: d)
      let factors = (0..<data.count).map { r in
        let margin = (0..<d).reduce(0.0) { $0 + data.features[r * d + $1] * w[$1] }
        let factor = -data.labels[r] / (1 + Elementary.exp(data.labels[r] * margin))
        for k in 0..<d { total[k] += factor * data.features[r * d + k] }
        return factor
      }
      return Control(factors: factors, total: total)
    }
    let root = (precision / largest).squareRoot()
    let momentum = (1 - root) / (1 + root)
    var (w, ahead) = (Array(repeating: 0.0, count: d), Array(repeating: 0.0, count: d))
    for _ in 0..<mostDescents {
      let slope = gradients(at: ahead).total
      let next = (0..<d).map { ahead[$0] - (slope[$0] + precision * ahead[$0]) / largest }
      let moved = zip(next, w).reduce(0.0) { max($0, ($1.0 - $1.1).magnitude) }
      ahead = zip(next, w).map { $0 + momentum * ($0 - $1) }
      w = next
      if moved < 1e-9 { break }
    }
    return gradients(at: w)
  }

  private static let mostDescents = 1000

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
