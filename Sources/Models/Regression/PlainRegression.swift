import Experiments
import Kernels
import Randomness

/// The same model with every mode and every feature: $P = X F$, $b = (P^T P + \delta)^{-1} P^T y$, w = F b, test = $|w - v|^2 + \sigma^2$. The test of the reduced draws, and what remains
/// where there are at least as many examples as modes, so that K is singular.
struct PlainRegression: Draw {
  let problem: EigenbasisRegression
  let schema: Schema
  private let modes: Int
  private let features: Int

  init(problem: EigenbasisRegression, schema: Schema) {
    (self.problem, self.schema) = (problem, schema)
    modes = Int(problem.spectrum.modes)
    // Infinitely many features: those of the modes themselves.
    features = problem.features ?? modes
  }

  /// Numbers of a draw.
  static func size(_ p: EigenbasisRegression) -> Double {
    let (n, k) = (Double(p.samples), p.features.map(Double.init) ?? p.spectrum.modes)
    return p.spectrum.modes * (n + k) + FeatureSystem.size(samples: n, features: k)
  }

  final class Scratch {
    /// lambda and v, mode by mode.
    let eigenvalues, teacher: UnsafeMutablePointer<Double>
    /// X and F, row by row.
    let inputs, map: UnsafeMutablePointer<Double>
    let system: FeatureSystem

    init(_ draw: PlainRegression) {
      let (n, m) = (draw.problem.samples, draw.modes)
      (eigenvalues, teacher) = (.allocateZeros(m), .allocateZeros(m))
      (inputs, map) = (.allocateZeros(n * m), .allocateZeros(m * draw.features))
      system = FeatureSystem(samples: n, features: draw.features)
      var i = 0
      for block in draw.problem.spectrum.blocks {
        for _ in 0..<Int(block.count) {
          eigenvalues[i] = block.eigenvalue
          // Its length in the block is what counts, not its direction.
          teacher[i] = (block.teacher / block.count).squareRoot()
          i += 1
        }
      }
    }

    deinit { for place in [eigenvalues, teacher, inputs, map] { place.deallocate() } }
  }

  func makeScratch() -> Scratch { Scratch(self) }

  func draw(
    using stream: inout Stream, scratch s: Scratch, into values: UnsafeMutablePointer<Double>
  ) -> DrawEvents {
    let (n, k, system) = (problem.samples, features, s.system)
    for i in 0..<n * modes { s.inputs[i] = stream.normal() }
    if problem.drawsTeacher { for i in 0..<modes { s.teacher[i] = s.eigenvalues[i].squareRoot() * stream.normal() } }
    for i in 0..<n {
      system.targets[i] =
        Cholesky.dot(s.inputs + i * modes, s.teacher, modes) + problem.deviation * stream.normal()
    }
    drawFeatures(s, &stream)
    MatrixProduct.add(
      system.rows, k, fresh: true, rows: n, columns: k, s.inputs, rowStride: modes, columnStride: 1, inner: modes,
      s.map, k)
    system.prepare()
    return RegressionErrors.write(problem.ridges, schema, to: values) { ridge in
      guard system.solve(ridge: ridge) else { return nil }
      var test = problem.noise
      for i in 0..<modes {
        let rest = Cholesky.dot(s.map + i * k, system.coefficients, k) - s.teacher[i]
        test += rest * rest
      }
      return RegressionErrors(test: test, train: system.residual / Double(n))
    }
  }

  private func drawFeatures(_ s: Scratch, _ stream: inout Stream) {
    guard problem.features != nil else {
      for i in 0..<modes { s.map[i * features + i] = s.eigenvalues[i].squareRoot() }
      return
    }
    for i in 0..<modes {
      let scale = (s.eigenvalues[i] / Double(features)).squareRoot()
      for j in 0..<features { s.map[i * features + j] = scale * stream.normal() }
    }
  }
}
