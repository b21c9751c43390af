import Kernels
import Simulation

/// A two-layer network in the mean-field regime: neurons are particles x = (a, w, b), the network f(z) = (1/N) sum a sigma(w.z + b).
/// H = N L(f) + lambda sum |x_i|^2/2 with the mean loss L over the data; at temperature 1/beta its Langevin dynamics are noisy
/// gradient descent in the mean-field scaling.
final class TwoLayer: ParticleSystem {
  enum Loss: String { case squared, logistic }

  private let train, test: Supervised
  private let relu: Bool
  private let loss: Loss
  private let regularisation: Double
  /// Examples worked on together, for the outputs and for the gradient: what is made of them stays in the second-level cache.
  private static let (forward, backward) = (120, 64)
  /// Activations of every tile of this rank where memory allows, else of the tile at hand.
  private var activations: UnsafeMutablePointer<Double>?
  private var kept = 0
  private var tileSize = 0
  /// Of the examples at hand: derivatives by the pre-activations of every neuron, and by the output.
  private let slopes, weights: UnsafeMutablePointer<Double>
  /// Most bytes of activations that are kept from the features to the gradient.
  private static let mostKept = 1 << 30

  init(_ train: Supervised, _ test: Supervised, relu: Bool, loss: Loss, regularisation: Double) {
    self.train = train
    self.test = test
    self.relu = relu
    self.loss = loss
    self.regularisation = regularisation
    slopes = .allocateAligned(capacity: Self.forward * Tiling.width)
    weights = .allocateAligned(capacity: Self.backward)
  }

  deinit {
    slopes.deallocate()
    weights.deallocate()
    activations?.deallocate()
  }

  /// (a, w_1, …, w_D, b).
  var dimension: Int { 1 + train.columns }
  var interaction: Interaction { .features(train.count) }
  var measuredFeatures: Int { test.count }

  var orderParameters: [Observable] {
    [
      Observable("train_loss", "mean loss over the training examples"),
      Observable("train_accuracy", "share of the training examples of the right sign"),
    ]
      + (test.count == 0
        ? []
        : [
          Observable("test_loss", "mean loss over the test examples"),
          Observable("test_accuracy", "share of the test examples of the right sign"),
        ])
  }

  func prepare(_ tiling: Tiling) {
    tileSize = train.count * tiling.lanes
    kept = tiling.mine.count * tileSize * 8 <= Self.mostKept ? tiling.mine.count : 0
    activations = .allocateAligned(capacity: max(1, max(kept, 1) * tileSize))
  }

  func addFeatures(_ x: Tile, to sums: UnsafeMutablePointer<Double>) {
    let room = activations! + (kept > 0 ? x.local * tileSize : 0)
    outputs(train, x, activations: room, to: sums)
  }

  func addMeasured(_ x: Tile, to sums: UnsafeMutablePointer<Double>) { outputs(test, x, activations: nil, to: sums) }

  /// Adds sum_i a_i sigma(w_i . z_k + b_i) for every example k.
  /// - Parameter room: where to leave the activations of all examples; nil if nobody asks for them.
  private func outputs(
    _ data: Supervised, _ x: Tile, activations room: UnsafeMutablePointer<Double>?,
    to sums: UnsafeMutablePointer<Double>
  ) {
    data.features.withUnsafeBufferPointer { features in
      var start = 0
      while start < data.count {
        let rows = min(Self.forward, data.count - start)
        let target = room.map { $0 + start * x.lanes } ?? slopes
        Panels.addProduct(
          target, fresh: true, rows: rows, features.baseAddress! + start * data.columns, rowStride: data.columns,
          columnStride: 1,
          inner: data.columns, x[1], lanes: x.lanes, count: x.count)
        let a = x[0]
        for r in 0..<rows {
          let row = target + r * x.lanes
          if relu {
            for i in 0..<x.count { row[i] = row[i] > 0 ? row[i] : 0 }
          } else {
            for i in 0..<x.count { row[i] = Elementary.tanh(row[i]) }
          }
          sums[start + r] += laneSum(x.count) { a[$0] * row[$0] }
        }
        start += rows
      }
    }
  }

  func gradient(
    _ x: Tile, field: UnsafePointer<Double>, to gradient: UnsafeMutablePointer<Double>,
    potential: UnsafeMutablePointer<Double>?
  ) {
    harmonic(x, lambda: regularisation, to: gradient, potential: potential)
    let room = activations! + (kept > 0 ? x.local * tileSize : 0)
    if kept == 0 {
      withUnsafeTemporaryAllocation(of: Double.self, capacity: train.count) { unused in
        unused.initialize(repeating: 0)
        outputs(train, x, activations: room, to: unused.baseAddress!)
      }
    }
    let a = x[0]
    let columns = train.columns
    train.features.withUnsafeBufferPointer { features in
      var start = 0
      while start < train.count {
        let rows = min(Self.backward, train.count - start)
        for r in 0..<rows {
          weights[r] = derivative(field[start + r], train.labels[start + r]) / Double(train.count)
        }
        for r in 0..<rows {
          let (weight, value, slope) = (weights[r], room + (start + r) * x.lanes, slopes + r * x.lanes)
          for i in 0..<x.count { gradient[i] = gradient[i].addingProduct(weight, value[i]) }
          if relu {
            for i in 0..<x.count { slope[i] = value[i] > 0 ? weight * a[i] : 0 }
          } else {
            for i in 0..<x.count { slope[i] = weight * a[i] * (1.0).addingProduct(-value[i], value[i]) }
          }
        }
        Panels.addProduct(
          gradient + x.lanes, rows: columns, features.baseAddress! + start * columns, rowStride: 1,
          columnStride: columns, inner: rows, slopes, lanes: x.lanes, count: x.count)
        start += rows
      }
    }
  }

  private func value(_ f: Double, _ y: Double) -> Double {
    switch loss {
    case .squared: 0.5 * (f - y) * (f - y)
    case .logistic: Elementary.softplus(-y * f)
    }
  }

  private func derivative(_ f: Double, _ y: Double) -> Double {
    switch loss {
    case .squared: f - y
    case .logistic: -y / (1 + Elementary.exp(y * f))
    }
  }

  private func summary(_ data: Supervised, _ field: UnsafePointer<Double>) -> (loss: Double, accuracy: Double) {
    var (total, right) = (0.0, 0)
    for k in 0..<data.count {
      total += value(field[k], data.labels[k])
      if field[k] * data.labels[k] > 0 { right += 1 }
    }
    return (total / Double(data.count), Double(right) / Double(data.count))
  }

  func fieldEnergy(_ field: UnsafePointer<Double>) -> Double { summary(train, field).loss }

  func order(
    _ field: UnsafePointer<Double>, measured: UnsafePointer<Double>, to values: UnsafeMutablePointer<Double>
  ) {
    (values[0], values[1]) = summary(train, field)
    if test.count > 0 { (values[2], values[3]) = summary(test, measured) }
  }

  static let entry = SystemEntry(
    name: "two-layer", summary: "mean-field two-layer network, trained by noisy gradient descent",
    equation: "f(z) = (1/N) sum a_i sigma(w_i . z + b_i), H = N L(f) + lambda sum |x_i|^2/2",
    reference: "arXiv:1804.06561, arXiv:2201.10469",
    parameters: Supervised.parameters + [
      Parameter("unit", .choice(["tanh", "relu"]), standard: .text("tanh"), "sigma"),
      Parameter(
        "loss", .choice(["squared", "logistic"]), standard: .text("logistic"), "(f - y)^2/2 or log(1 + e^{-y f})"),
      Parameter("regularisation", .real(.above(0)), standard: .real(1e-3), "lambda"),
    ]
  ) { p, load in
    let (train, test) = try Supervised.read(p, load)
    let (relu, loss) = (p.text("unit") == "relu", Loss(rawValue: p.text("loss"))!)
    let regularisation = p.real("regularisation")
    return SystemModel(
      make: { TwoLayer(train, test, relu: relu, loss: loss, regularisation: regularisation) })
  }
}
