import Experiments

/// What is measured of the outputs of all examples, of the network itself and of what it is compared with.
extension TrainedMLP {
  /// Most numbers that the outputs of one example may be.
  private static let mostOutputs = 64

  package var outputObservables: [Observable] {
    var found = [Observable("loss", role: .objective, "training loss")]
    if data.test > 0 { found.append(Observable("test_loss", "the same of the test examples")) }
    if isClassified {
      found.append(Observable("error", "share of the training examples of the wrong class"))
      if data.test > 0 { found.append(Observable("test_error", "the same of the test examples")) }
      found.append(
        Observable(
          "margin", "least margin of the training examples: y f, or the output of the class less the largest other"))
    }
    let k = shape.outputs
    for a in 0..<shownOutputs {
      for c in 0..<k {
        found.append(Observable("f", k == 1 ? [a] : [a, c], "output of example a, those of training first"))
      }
    }
    return found
  }

  private var isClassified: Bool {
    loss != .squared
      || (data.outputs == 1 && data.law == nil && !data.isNoisy && data.targets.allSatisfy { $0.magnitude == 1 })
      || data.law?.teacher == .sign
  }

  private var shownOutputs: Int { data.law == nil ? min(data.train + data.test, Self.mostOutputs) : 0 }

  /// Writes `outputObservables`, and returns the place behind them.
  /// - Parameters:
  ///   - outputs: f of all examples, a row an example; `targets` likewise.
  func measureOutputs(
    _ outputs: UnsafePointer<Double>, _ targets: UnsafePointer<Double>, to values: UnsafeMutablePointer<Double>
  ) -> UnsafeMutablePointer<Double> {
    let k = shape.outputs
    var place = values
    func add(_ part: Range<Int>, _ value: (Int) -> Double) {
      guard !part.isEmpty else { return }
      var sum = 0.0
      for a in part { sum += value(a * k) }
      place[0] = sum / Double(part.count)
      place += 1
    }
    func add(_ value: (Int) -> Double) {
      add(0..<data.train, value)
      add(data.train..<data.train + data.test, value)
    }
    withUnsafeTemporaryAllocation(of: Double.self, capacity: k) { f in
      add { example in
        for c in 0..<k { f[c] = outputs[example + c] }
        return loss.derive(f.baseAddress!, targets + example, k)
      }
    }
    if isClassified {
      add { Loss.margin(outputs + $0, targets + $0, k) > 0 ? 0 : 1 }
      place[0] = (0..<data.train).reduce(.infinity) { min($0, Loss.margin(outputs + $1 * k, targets + $1 * k, k)) }
      place += 1
    }
    for i in 0..<shownOutputs * k { place[i] = outputs[i] }
    return place + shownOutputs * k
  }
}
