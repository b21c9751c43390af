import Experiments
import Kernels

/// A two-layer network in the mean-field regime: neurons are particles x = (a, w, b), the network f(z) = (1/N) sum a sigma(w.z + b).
/// H = N L(f) + lambda sum |x_i|^2/2 with the mean loss L over the data; at temperature 1/beta its Langevin dynamics are noisy
/// gradient descent in the mean-field scaling.
///
/// With a batch the loss and its gradient are those of the examples that were taken last; all of them are measured.
final class TwoLayer: SharesBatch {
  enum Loss: String { case squared, logistic }

  private let train, test: Supervised
  /// The examples that the gradient is of: all, or a batch.
  private var sample: Supervised
  private let isSubsampled: Bool
  private let relu: Bool
  private let loss: Loss
  private let regularisation: Double
  /// Examples worked on together: what is made of them stays in the first-level cache.
  private static let chunk = 48
  /// Activations of every tile of this rank where memory allows, else of the tile at hand: panels, block by block.
  private var activations: UnsafeMutablePointer<Double>?
  private var kept = 0
  private var tileSize = 0
  /// PanelProduct: of the neurons at hand, of their gradient, and of the derivatives by their pre-activations for a few examples.
  private let neurons, gradients, slopes: UnsafeMutablePointer<Double>
  /// Running sums of the outputs over the neurons of a tile.
  private let running: UnsafeMutablePointer<Double>
  /// Derivatives of the loss by the output for every example.
  private let weights: UnsafeMutablePointer<Double>
  /// Most bytes of activations that are kept from the features to the gradient.
  private static let mostKept = 1 << 30

  init(_ train: Supervised, _ test: Supervised, relu: Bool, loss: Loss, regularisation: Double, batch: Int?) {
    self.train = train
    self.test = test
    isSubsampled = batch != nil
    sample = batch.map { train.examples(Array(repeating: 0, count: $0)) } ?? train
    self.relu = relu
    self.loss = loss
    self.regularisation = regularisation
    neurons = .allocateAligned(capacity: (1 + train.columns) * PanelProduct.lanes)
    gradients = .allocateAligned(capacity: (1 + train.columns) * PanelProduct.lanes)
    slopes = .allocateAligned(capacity: Self.chunk * PanelProduct.lanes)
    running = .allocateAligned(capacity: max(train.count, test.count, sample.count) * PanelProduct.sums)
    weights = .allocateAligned(capacity: sample.count)
  }

  deinit {
    neurons.deallocate()
    gradients.deallocate()
    slopes.deallocate()
    running.deallocate()
    weights.deallocate()
    activations?.deallocate()
  }

  /// (a, w_1, …, w_D, b).
  var dimension: Int { 1 + train.columns }
  var interaction: Interaction { .features(sample.count) }
  var measuredFeatures: Int { test.count + (isSubsampled ? train.count : 0) }

  var orderParameters: [Observable] {
    [
      Observable("train_loss", "mean loss over the training examples"),
      Observable("train_accuracy", "accuracy on the training examples"),
    ]
      + (test.count == 0
        ? []
        : [
          Observable("test_loss", "mean loss over the test examples"),
          Observable("test_accuracy", "accuracy on the test examples"),
        ])
  }

  func prepare(_ tiling: Tiling) {
    tileSize = (tiling.lanes + PanelProduct.lanes - 1) / PanelProduct.lanes * PanelProduct.lanes * sample.count
    kept = tiling.mine.count * tileSize * 8 <= Self.mostKept ? tiling.mine.count : 0
    let room = max(kept, 1) * tileSize
    activations = .allocateAligned(capacity: room)
    // Lanes without a neuron are never written, but read.
    activations!.initialize(repeating: 0, count: room)
  }

  func addFeatures(_ x: Tile, to sums: UnsafeMutablePointer<Double>) {
    let room = activations! + (kept > 0 ? x.local * tileSize : 0)
    outputs(sample, x, activations: room, to: sums)
  }

  func take(_ picks: UnsafePointer<Int32>, batch: Int) {
    for j in 0..<batch { sample.replace(j, by: Int(picks[j]), of: train) }
  }

  func addMeasured(_ x: Tile, to sums: UnsafeMutablePointer<Double>) {
    outputs(test, x, activations: nil, to: sums)
    if isSubsampled { outputs(train, x, activations: nil, to: sums + test.count) }
  }

  /// Adds sum_i a_i sigma(w_i . z_k + b_i) for every example k.
  /// - Parameter room: where to leave the activations of all examples; nil if nobody asks for them.
  private func outputs(
    _ data: Supervised, _ x: Tile, activations room: UnsafeMutablePointer<Double>?,
    to sums: UnsafeMutablePointer<Double>?
  ) {
    running.update(repeating: 0, count: data.count * PanelProduct.sums)
    data.features.withUnsafeBufferPointer { features in
      for block in x.blocks {
        block.copy(1 + data.columns, of: x.base, x.lanes, to: neurons)
        for start in stride(from: 0, to: data.count, by: Self.chunk) {
          let rows = min(Self.chunk, data.count - start)
          let panel = room.map { $0 + place(of: block, start) } ?? slopes
          PanelProduct.addProduct(
            panel, fresh: true, rows: rows, features.baseAddress! + start * data.columns, rowStride: data.columns,
            columnStride: 1, inner: data.columns, neurons + PanelProduct.lanes, octets: block.octets)
          block.forEachPiece(rows) { begin, count in
            let row = panel + begin
            if relu {
              for i in 0..<count { row[i] = row[i] > 0 ? row[i] : 0 }
            } else {
              for i in 0..<count { row[i] = Elementary.tanh(row[i]) }
            }
          }
          PanelProduct.addLaneProducts(
            running + start * PanelProduct.sums, rows: rows, neurons, panel, octets: block.octets)
        }
      }
    }
    guard let sums else { return }
    for k in 0..<data.count { sums[k] += PanelProduct.total(running + k * PanelProduct.sums) }
  }

  /// Where the activations of a block begin, from an example on.
  private func place(of block: LaneBlock, _ example: Int) -> Int {
    block.start * sample.count + example * PanelProduct.lanes
  }

  func gradient(
    _ x: Tile, field: UnsafePointer<Double>, to gradient: UnsafeMutablePointer<Double>,
    potential: UnsafeMutablePointer<Double>?
  ) {
    harmonic(x, lambda: regularisation, to: gradient, potential: potential)
    let room = activations! + (kept > 0 ? x.local * tileSize : 0)
    if kept == 0 { outputs(sample, x, activations: room, to: nil) }
    for k in 0..<sample.count { weights[k] = derivative(field[k], sample.labels[k]) / Double(sample.count) }
    let columns = sample.columns
    sample.features.withUnsafeBufferPointer { features in
      for block in x.blocks {
        block.copy(1, of: x.base, x.lanes, to: neurons)
        gradients.update(repeating: 0, count: PanelProduct.lanes)
        for start in stride(from: 0, to: sample.count, by: Self.chunk) {
          let rows = min(Self.chunk, sample.count - start)
          for r in 0..<rows {
            differentiate(weights[start + r], room + place(of: block, start + r), slopes + r * PanelProduct.lanes)
          }
          PanelProduct.addProduct(
            gradients + PanelProduct.lanes, fresh: start == 0, rows: columns, features.baseAddress! + start * columns,
            rowStride: 1, columnStride: columns, inner: rows, slopes, octets: block.octets)
        }
        block.add(gradients, 1 + columns, to: gradient, x.lanes)
      }
    }
  }

  /// Derivatives of the loss of one example by the output weights (added to the first row of `gradients`) and the
  /// pre-activations of the neurons at hand, `weight` being that by the output.
  @inline(__always)
  private func differentiate(
    _ weight: Double, _ value: UnsafePointer<Double>, _ slope: UnsafeMutablePointer<Double>
  ) {
    let (a, first) = (neurons, gradients)
    for i in 0..<PanelProduct.lanes { first[i] = first[i].addingProduct(weight, value[i]) }
    if relu {
      for i in 0..<PanelProduct.lanes { slope[i] = value[i] > 0 ? weight * a[i] : 0 }
    } else {
      for i in 0..<PanelProduct.lanes { slope[i] = weight * a[i] * (1.0).addingProduct(-value[i], value[i]) }
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

  func fieldEnergy(_ field: UnsafePointer<Double>) -> Double { summary(sample, field).loss }

  func order(
    _ field: UnsafePointer<Double>, measured: UnsafePointer<Double>, to values: UnsafeMutablePointer<Double>
  ) {
    (values[0], values[1]) = isSubsampled ? summary(train, measured + test.count) : summary(train, field)
    if test.count > 0 { (values[2], values[3]) = summary(test, measured) }
  }

  static let entry = SystemEntry(
    name: "two-layer", summary: "mean-field two-layer network, trained by noisy gradient descent",
    equation: "f(z) = (1/N) sum a_i sigma(w_i . z + b_i), H = N L(f) + lambda sum |x_i|^2/2",
    reference: "arXiv:1804.06561, arXiv:2201.10469",
    parameters: Supervised.parameters + [
      Parameter("unit", .choice(["tanh", "relu"]), default: .text("tanh"), "sigma"),
      Parameter(
        "loss", .choice(["squared", "logistic"]), default: .text("logistic"), "(f - y)^2/2 or log(1 + e^{-y f})"),
      Parameter("regularisation", .real(.above(0)), default: .real(1e-3), "lambda"),
      Subsample.batch,
    ]
  ) { p, load in
    let (train, test) = try Supervised.read(p, load)
    let (relu, loss) = (p.text("unit") == "relu", Loss(rawValue: p.text("loss"))!)
    let regularisation = p.real("regularisation")
    let subsample = try Subsample(p, examples: train.count)
    return SystemModel(
      subsample: subsample,
      make: {
        TwoLayer(
          train, test, relu: relu, loss: loss, regularisation: regularisation, batch: subsample?.batch)
      })
  }
}
