import Experiments
import Kernels
import Networks
import Randomness

/// Ridge regression on the rows of a file, with the kernel of infinitely many random features or with a number of them, $\phi(w_j \cdot x)$ with $w_j \sim N(0, 1)$: n examples are drawn from the rows
/// with replacement, and the test error is the mean over all rows. The law of the file is then the model itself, and what theory makes of its spectrum can be judged.
package struct DataRegression: RegressionProblem {
  package let data: RegressionData
  package let samples: Int
  /// k; nil for infinitely many.
  package let features: Int?
  package let ridges: [Double]
  /// Whether the kernel is the tangent kernel of a network of one hidden layer, of k units.
  package let isTangent: Bool
  /// K, of infinitely many features.
  fileprivate let gram: [Double]

  package init(data: RegressionData, samples: Int, features: Int?, ridges: [Double], isTangent: Bool = false) {
    (self.data, self.samples, self.features, self.ridges) = (data, samples, features, ridges)
    self.isTangent = isTangent
    gram = features == nil ? data.gram(tangent: isTangent) : []
  }

  package var observables: [Observable] {
    [
      Observable("test", "mean square of f - y over the rows of the file"),
      Observable("train", "mean square of f - y on the examples"),
      Observable("log_test", role: .logarithm, "logarithm of test"),
    ]
  }

  package func experiment(_ schema: Schema) -> RegressionExperiment {
    RegressionExperiment(DataRegressionDraw(problem: self, schema: schema))
  }

  /// The Gaussian model with the spectrum of the kernel over the rows and the targets' coefficients. Of tangent kernels it is that of infinitely many units.
  package func framework() -> Eigenframework {
    let (eigenvalues, squares) = data.spectrum(tangent: isTangent)
    return Eigenframework(
      Spectrum(zip(eigenvalues, squares).map { Spectrum.Block(eigenvalue: $0, teacher: $1) }),
      samples: Double(samples), features: isTangent ? nil : features.map(Double.init), noise: 0)
  }

  /// Most numbers of a draw: 1 GiB.
  private static let mostNumbers = Double(1 << 27)

  static let entry = RegressionEntry(
    name: "data", summary: "rows of a file drawn with replacement, with random features of them or their kernel",
    equation:
      "f = P b, b = (P^T P + ridge)^-1 P^T y, P = phi(X W) sqrt(c/k), c = 1/E phi(g)^2, W ~ N(0, 1); k = infinity, and tangent kernels: f = K_X (K_XX + ridge)^-1 y",
    reference: "arXiv:2311.14646; docs/regression.md", ridge: "K + delta, not divided by n",
    parameters: [
      Parameter("data", .structured("a table: { file = \"data/digits.csv\", positive = [0, 2, 4, 6, 8] }"), "the rows"),
      Parameter(
        "samples", .integer(1...8192), small: .init(.inverse, "n", companions: ["draws"], ratios: ["features"]),
        "n, examples, drawn from the rows with replacement"),
      Parameter(
        "features", .integer(1...100_000), optional: true,
        "k, random features, or units of a hidden layer; infinitely many unless given"),
      Parameter(
        "kernel", .choice(["features", "tangent"]), default: .text("features"),
        "features: of the last layer only, the NNGP kernel; tangent: the tangent kernel of a network with one hidden layer of k units, a new network in each draw"
      ),
    ]
  ) { p, settings, source in
    guard settings.ridges[0] > 0 else {
      throw p.invalid(
        "ridges", "must be above 0: rows are drawn with replacement, and equal rows make the Gram matrix singular")
    }
    guard case .table(let table)? = p["data"], table["file"] != nil else {
      throw p.invalid("data", "must be a table: { file = \"data/digits.csv\", positive = [0, 2, 4, 6, 8] }")
    }
    let own = try Parameters(p["data"], path: "\(p.path).data", allowed: RegressionData.parameters)
    let data = try RegressionData(own, source)
    let (n, features) = (p.integer("samples"), p["features"].map { _ in p.integer("features") })
    let isTangent = p.text("kernel") == "tangent"
    if isTangent, let why = data.activation.missingDerivative {
      throw p.invalid("kernel", "needs an activation with a derivative: \(why)")
    }
    if let k = features.map(Double.init) {
      let (rows, columns) = (Double(data.count), Double(data.columns))
      let size =
        isTangent
        ? TangentDraw.size(rows: rows, columns: columns, samples: Double(n), units: k)
        : (rows + columns) * k + FeatureSystem.size(samples: Double(n), features: k)
      guard size <= mostNumbers else {
        throw p.invalid("features", "makes a draw of \(Float(size)) numbers; at most \(Int(mostNumbers)) are kept")
      }
    }
    let problem = DataRegression(
      data: data, samples: n, features: features, ridges: settings.ridges, isTangent: isTangent)
    return RegressionEntry.Made(problem: problem, data: ["data = \(data.fingerprint)"])
  }
}

private struct DataRegressionDraw: Draw {
  let problem: DataRegression
  let schema: Schema

  final class Scratch {
    /// Numbers of the rows that are the examples; f on all rows.
    let numbers: UnsafeMutablePointer<Int>
    let outputs: UnsafeMutablePointer<Double>
    /// W, and phi(X W) of all rows; y of the examples where there are no features.
    let weights, map, targets: UnsafeMutablePointer<Double>
    let kernel: RidgeSystem?
    let system: FeatureSystem?
    let tangent: TangentDraw?

    init(_ p: DataRegression) {
      let k = p.isTangent ? 0 : p.features ?? 0
      numbers = .allocate(capacity: p.samples)
      outputs = .allocateZeros(p.data.count)
      (weights, map) = (.allocateZeros(p.data.columns * k), .allocateZeros(p.data.count * k))
      targets = .allocateZeros(p.samples)
      kernel = p.features == nil || p.isTangent ? RidgeSystem(p.samples) : nil
      system = p.isTangent ? nil : p.features.map { FeatureSystem(samples: p.samples, features: $0) }
      tangent = p.isTangent ? p.features.map { TangentDraw(p.data, samples: p.samples, units: $0) } : nil
    }

    deinit {
      numbers.deallocate()
      for place in [outputs, weights, map, targets] { place.deallocate() }
    }
  }

  func makeScratch() -> Scratch { Scratch(problem) }

  func draw(
    using stream: inout Stream, scratch s: Scratch, into values: UnsafeMutablePointer<Double>
  ) -> DrawEvents {
    let (n, count) = (problem.samples, problem.data.count)
    for i in 0..<n { s.numbers[i] = Int(stream.uniform() * Double(count)) }
    if let system = s.system { return features(s, system, &stream, values) }
    let system = s.kernel!
    s.tangent?.draw(&stream, s.numbers)
    for i in 0..<n {
      s.targets[i] = problem.data.targets[s.numbers[i]]
      let row = s.numbers[i]
      for j in i..<n {
        system.matrix[i * system.stride + j] =
          s.tangent.map { $0.cross[row * $0.stride + j] } ?? problem.gram[row * count + s.numbers[j]]
      }
    }
    return RegressionErrors.write(problem.ridges, schema, to: values) { ridge in
      guard system.solve(s.targets, ridge: ridge) else { return nil }
      let a = system.solution
      if let tangent = s.tangent {
        for i in 0..<count { s.outputs[i] = Cholesky.dot(tangent.cross + i * tangent.stride, a, n) }
      } else {
        s.outputs.update(repeating: 0, count: count)
        problem.gram.withUnsafeBufferPointer { gram in
          for i in 0..<n { add(a[i], gram.baseAddress! + s.numbers[i] * count, to: s.outputs, count) }
        }
      }
      return RegressionErrors(test: test(s), train: ridge * ridge * Cholesky.dot(a, a, n) / Double(n))
    }
  }

  private func features(
    _ s: Scratch, _ system: FeatureSystem, _ stream: inout Stream, _ values: UnsafeMutablePointer<Double>
  ) -> DrawEvents {
    let (n, k, data) = (problem.samples, system.features, problem.data)
    for i in 0..<data.columns * k { s.weights[i] = stream.normal() }
    MatrixProduct.add(
      s.map, k, fresh: true, rows: data.count, columns: k, data.inputs, rowStride: data.columns, columnStride: 1,
      inner: data.columns, s.weights, k)
    data.activation.apply(s.map, data.count * k)
    let scale = (1 / (data.activation.secondMoment * Double(k))).squareRoot()
    for i in 0..<data.count * k { s.map[i] *= scale }
    for i in 0..<n {
      (system.rows + i * k).update(from: s.map + s.numbers[i] * k, count: k)
      system.targets[i] = data.targets[s.numbers[i]]
    }
    system.prepare()
    return RegressionErrors.write(problem.ridges, schema, to: values) { ridge in
      guard system.solve(ridge: ridge) else { return nil }
      for i in 0..<data.count { s.outputs[i] = Cholesky.dot(s.map + i * k, system.coefficients, k) }
      return RegressionErrors(test: test(s), train: system.residual / Double(n))
    }
  }

  private func test(_ s: Scratch) -> Double {
    var sum = 0.0
    for (i, y) in problem.data.targets.enumerated() { sum += (s.outputs[i] - y) * (s.outputs[i] - y) }
    return sum / Double(problem.data.count)
  }
}
